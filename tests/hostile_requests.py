"""Requests that no honest client sends: families of (name, bytes, the statuses that are right).

`BAD` is any refusal; where a request is odd but in fact fine, its own statuses stand with it.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["CASES", "Case", "loads"]

BAD = frozenset(range(400, 500))
ODD = BAD | {200, 204, 303, 304, 308}  # both to refuse and to answer is right
TURTLE = b"<x:s> <x:p> 1 ."
FORM = b"Content-Type: application/x-www-form-urlencoded"
DIRECT = b"Content-Type: application/sparql-query"
ROUTES = (
    b"/", b"/es/", b"/es/datasets", b"/es/dataset/trees", b"/es/sparql", b"/sparql",
    b"/working/sparql", b"/api/queries", b"/api/queries/classes-in-use", b"/api/status",
    b"/api/releases/r1", b"/api/load?source=x", b"/api/openapi.json", b"/catalog.ttl",
    b"/feeds/full/catalog.nt", b"/id/dataset/trees", b"/dataset/trees.ttl", b"/health/live",
    b"/static/x/main.css", b"/robots.txt", b"/ns", b"/graph-store?default",
    b"/working/graph-store?default", b"/working/graph-store/dataset/trees", b"/scratch/sparql",
    b"/scratch/graph-store?default", b"/scratch/graph-store/x", b"/feeds/full/dump.nt.gz",
    b"/metrics",
)  # fmt: skip


class Case(NamedTuple):
    """One connection: what is sent, and what may come back."""

    name: str
    sent: bytes
    right: frozenset[int]
    ends: bool = False  # whether the client then says that it will send no more


def head(method: bytes, target: bytes, *fields: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    lines = [method + b" " + target + b" " + version, b"Host: localhost", *fields]
    return b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def get(target: bytes, *fields: bytes) -> bytes:
    return head(b"GET", target, *fields)


def post(target: bytes, body: bytes, *fields: bytes) -> bytes:
    return head(b"POST", target, *fields, b"Content-Length: %d" % len(body)) + body


def chunked(body: bytes, *fields: bytes, coding: bytes = b"chunked") -> bytes:
    return head(b"POST", b"/sparql", DIRECT, *fields, b"Transfer-Encoding: " + coding) + body


def named(family: str, right: frozenset[int], requests: dict[str, bytes]) -> Iterator[Case]:
    return (Case(f"{family}: {name}", sent, right) for name, sent in requests.items())


# ---- the request line


def request_lines() -> Iterator[Case]:
    yield from named("line", BAD, {
        "no method": b" / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "unknown method": head(b"BREW", b"/"),
        "lower case method": head(b"get", b"/"),
        "method with a NUL": head(b"GE\0T", b"/"),
        "very long method": head(b"G" * 70_000, b"/"),
        "no target": b"GET HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "no version": b"GET /\r\nHost: localhost\r\n\r\n",
        "version 0.9": head(b"GET", b"/", version=b"HTTP/0.9"),
        "version 1.9": head(b"GET", b"/", version=b"HTTP/1.9"),
        "version 2.0": head(b"GET", b"/", version=b"HTTP/2.0"),
        "version 3.0": head(b"GET", b"/", version=b"HTTP/3.0"),
        "version of letters": head(b"GET", b"/", version=b"HTTP/x.y"),
        "lower case version": head(b"GET", b"/", version=b"http/1.1"),
        "another protocol": head(b"GET", b"/", version=b"ICE/1.0"),
        "words after the version": head(b"GET", b"/", version=b"HTTP/1.1 now"),
        "preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x42" * 40,
        "SSH": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "SMTP": b"EHLO localhost\r\n\r\n",
        "NULs": b"\0" * 100,
        "bytes over 127": b"\xff" * 100,
        "empty authority": head(b"CONNECT", b""),
        "authority": head(b"CONNECT", b"localhost:80"),
        "authority for GET": head(b"GET", b"localhost:80"),
        "star for GET": head(b"GET", b"*"),
        "no slash": head(b"GET", b"es/"),
        "query alone": head(b"GET", b"?x"),
        "fragment alone": head(b"GET", b"#x"),
        "space in the target": head(b"GET", b"/ es/"),
        "tab in the target": head(b"GET", b"/\tes/"),
        "NUL in the target": head(b"GET", b"/es\0/"),
        "CR in the target": head(b"GET", b"/es\r/"),
        "bytes over 127 in the path": head(b"GET", b"/es/\xc3\xa1rbol"),
        "target of 70 kB": head(b"GET", b"/" + b"a" * 70_000),
        "query of 70 kB": head(b"GET", b"/sparql?query=" + b"a" * 70_000),
        "target of 3 MB": head(b"GET", b"/" + b"a" * 3_000_000),
        "absolute, another host": head(b"GET", b"http://evil.example/es/"),
        "absolute, with a user": head(b"GET", b"http://localhost@evil.example/"),
        "absolute, no host": head(b"GET", b"http:///es/"),
        "absolute, another scheme": head(b"GET", b"ftp://localhost/"),
        "absolute, file": head(b"GET", b"file:///etc/passwd"),
        "absolute, script": head(b"GET", b"javascript:alert(1)"),
        "absolute, bad port": head(b"GET", b"http://localhost:port/"),
    })  # fmt: skip
    yield from named("line", ODD, {
        "empty lines before": b"\r\n\r\n" + get(b"/health/live"),
        "line feeds alone": b"GET /health/live HTTP/1.1\nHost: localhost\n\n",
        "version 1.0": head(b"GET", b"/health/live", version=b"HTTP/1.0"),
        "star for OPTIONS": head(b"OPTIONS", b"*"),
        "absolute": head(b"GET", b"http://localhost/health/live"),
        "absolute, upper case": head(b"GET", b"HTTP://LOCALHOST:80/health/live"),
        "absolute, no path": head(b"GET", b"http://localhost"),
        "absolute, query alone": head(b"GET", b"http://localhost?x"),
        "fragment": get(b"/health/live#part"),
        "two spaces": b"GET  /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "empty query": get(b"/health/live?"),
        "bytes over 127 in the query": get(b"/sparql?x=\xff\xfe"),
        "bytes over 127 in a browser's query": get(b"/sparql?x=\xff", b"Accept: text/html"),
        "bytes over 127 in a page's query": get(b"/es/datasets?q=\xff\xfe"),
    })  # fmt: skip
    for method in (b"PUT", b"DELETE", b"PATCH", b"TRACE", b"PROPFIND", b"MKCOL", b"POST", b"LINK"):
        for route in (b"/es/", b"/catalog.ttl", b"/id/dataset/trees", b"/api/status"):
            name = f"{method.decode()} {route.decode()}"
            yield Case(f"method: {name}", head(method, route, b"Content-Length: 0"), BAD)


# ---- percent-encoding


CODES = {
    "bad": b"%zz", "cut": b"%", "half": b"%e", "NUL": b"%00", "overlong": b"%c0%af",
    "overlong, three bytes": b"%e0%80%af", "not UTF-8": b"%ff%fe", "surrogate": b"%ed%a0%80",
    "over Unicode": b"%f4%90%80%80", "double": b"%2525", "dots": b"..%2f..%2f..%2fetc%2fpasswd",
    "double dots": b"%252e%252e%252f", "backslashes": b"..%5c..%5c", "CR LF": b"%0d%0aX-Evil:%201",
    "delete": b"%7f", "direction": b"%e2%80%ae", "long": b"%41" * 5000, "newline": b"%e2%80%a8",
}  # fmt: skip


def percents() -> Iterator[Case]:
    for name, code in CODES.items():
        yield from named(f"percent, {name}", ODD, {
            "in a path": get(b"/es/dataset/" + code),
            "as a path": get(b"/" + code),
            "in a kind": get(b"/id/" + code + b"/x", b"Accept: text/html"),
            "in a file": get(b"/static/" + code + b"/" + code),
            "in data": get(b"/dataset/" + code + b".ttl"),
            "in a feed": get(b"/feeds/" + code + b"/catalog.ttl"),
            "in the name of a query": get(b"/api/queries/" + code),
            "in a parameter": get(b"/es/datasets?q=" + code + b"&page=" + code),
            "in the name of a parameter": get(b"/api/queries/classes-in-use?" + code + b"=1"),
            "in a page number": get(b"/catalog.ttl?page=" + code),
            "in a release": get(b"/api/releases/" + code),
            "in a page's release": get(b"/es/releases/" + code),
            "in a form": post(b"/sparql", b"query=ASK{}&" + code + b"=" + code, FORM),
            "in a graph": post(b"/sparql", b"query=ASK{}&default-graph-uri=" + code, FORM),
            "in the form for people": get(b"/es/sparql?run=1&query=" + code),
        })  # fmt: skip
        yield Case(f"percent, {name}: in a query", get(b"/sparql?query=" + code), BAD)
        yield Case(f"percent, {name}: as a query", post(b"/sparql", b"query=" + code, FORM), BAD)


# ---- header fields


def fields() -> Iterator[Case]:
    live = b"/health/live"
    yield from named("field", BAD, {
        "value of 70 kB": get(live, b"X: " + b"a" * 70_000),
        "name of 70 kB": get(live, b"a" * 70_000 + b": 1"),
        "value of 3 MB": get(live, b"X: " + b"a" * 3_000_000),
        "ten thousand": get(live, *(b"X-%d: 1" % n for n in range(10_000))),
        "ten thousand of one name": get(live, *[b"X: 1"] * 10_000),
        "folded": get(live, b"X: 1\r\n 2"),
        "folded first": b"GET / HTTP/1.1\r\n folded\r\nHost: localhost\r\n\r\n",
        "NUL in a value": get(live, b"X: 1\x002"),
        "NUL in a name": get(live, b"X\0: 1"),
        "CR in a value": get(live, b"X: 1\r2"),
        "no colon": get(live, b"X"),
        "no name": get(live, b": 1"),
        "space before the colon": get(live, b"X : 1"),
        "space in a name": get(live, b"X Y: 1"),
        "bytes over 127 in a name": get(live, b"\xc3\xa1: 1"),
        "bracket in a name": get(live, b"X(): 1"),
        "control character": get(live, b"X: \x01"),
        "no Host": b"GET / HTTP/1.1\r\n\r\n",
        "empty Host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "Host twice": get(live, b"Host: localhost"),
        "Host twice, another": get(live, b"Host: evil.example"),
        "two hosts in one": b"GET / HTTP/1.1\r\nHost: localhost, evil.example\r\n\r\n",
        "Host with a user": b"GET / HTTP/1.1\r\nHost: me@localhost\r\n\r\n",
        "Host with a path": b"GET / HTTP/1.1\r\nHost: localhost/x\r\n\r\n",
        "Host with a bad port": b"GET / HTTP/1.1\r\nHost: localhost:evil\r\n\r\n",
        "Host with bytes over 127": b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
        "Host of an open bracket": b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
        "Host of 60 kB": b"GET / HTTP/1.1\r\nHost: " + b"a" * 60_000 + b"\r\n\r\n",
    })  # fmt: skip
    yield from named("field", ODD, {
        "empty value": get(live, b"X:"),
        "ninety": get(live, *(b"X-%d: 1" % n for n in range(90))),
        "bytes over 127 in a value": get(live, b"X: \xff\xfe"),
        "Upgrade": get(live, b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c"),
        "Upgrade to web sockets": get(
            live, b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
        "Upgrade with a body": post(
            b"/sparql", b"ASK {}", DIRECT, b"Connection: Upgrade", b"Upgrade: h2c"
        ),
        "Connection nonsense": get(live, b"Connection: ,,;;"),
        "cookies": get(b"/es/", b"Cookie: " + b"a=b; " * 5000),
        "cookie nonsense": get(b"/es/", b'Cookie: =;;"\\;\xff'),
        "Expect nonsense": get(live, b"Expect: the-unexpected"),
        "Expect without a body": get(live, b"Expect: 100-continue"),
        "Expect with a body": post(b"/sparql", b"ASK {}", DIRECT, b"Expect: 100-continue"),
        "X-Forwarded nonsense": get(
            b"/", b"X-Forwarded-For: evil", b"X-Forwarded-Host: evil.example",
            b"X-Forwarded-Proto: gopher", b"Forwarded: for=\"_x\";;host=",
        ),
        "method that overrides": get(b"/es/", b"X-HTTP-Method-Override: DELETE"),
    })  # fmt: skip


RANGES = {
    "nonsense": b"bytes=x-y", "no unit": b"0-1", "negative": b"bytes=--5",
    "backwards": b"bytes=9-1",
    "beyond the end": b"bytes=99999999999-", "huge": b"bytes=0-" + b"9" * 4000,
    "ten thousand": b"bytes=" + b",".join(b"%d-%d" % (n, n) for n in range(10_000)),
    "empty": b"bytes=", "another unit": b"rows=0-1", "overlapping": b"bytes=" + b"0-,1-," * 500,
}  # fmt: skip
ACCEPTS = {
    "nonsense": b"////;;;,,,", "bad quality": b"text/html;q=banana, */*;q=-1, a/b;q=99999999999",
    "very long": b"a/" + b"b" * 60_000, "ten thousand": b"x/y," * 10_000, "quote": b'text/html;x="',
    "escapes": b'text/html;x="' + b"\\" * 20_000, "bytes over 127": b"\xff/\xfe;q=1",
    "empty parameters": b"text/html" + b";" * 20_000, "spaces": b"text/html" + b" " * 20_000 + b"x",
    "quality nan": b"text/html;q=nan, text/turtle;q=inf", "none": b"*/*;q=0", "image": b"image/png",
}  # fmt: skip
DATES = {
    "nonsense": b"yesterday", "empty": b"", "far": b"Fri, 31 Dec 999999999 23:59:59 GMT",
    "zone": b"Mon, 01 Jan 2024 00:00:00 +99999999999999", "no zone": b"Mon, 01 Jan 2024 00:00:00",
    "no day": b"Mon, 99 Foo 2024 99:99:99 GMT", "digits": b"9" * 5000, "commas": b"," * 5000,
    "bytes over 127": b"\xff\xfe", "negative": b"Mon, -1 Jan -1 -1:-1:-1 -0000",
}  # fmt: skip
TAGS = {
    "nonsense": b"\"\"\"", "open": b'"abc', "list": b'"a",' * 10_000, "star and more": b'*, "a"',
    "weak of nothing": b"W/", "bytes over 127": b'"\xff"', "empty": b"",
}  # fmt: skip


def conditions() -> Iterator[Case]:
    partly = ODD | {206}
    for name, value in RANGES.items():
        for route in (b"/catalog.ttl", b"/feeds/full/catalog.nt", b"/es/", b"/sparql?query=ASK{}"):
            sent = get(route, b"Range: " + value)
            yield Case(f"range, {name}: {route.decode()}", sent, partly)
    for name, value in DATES.items():
        for route in (b"/catalog.ttl", b"/dataset/trees.nt", b"/es/dataset/trees"):
            for field in (b"If-Modified-Since", b"If-Unmodified-Since", b"If-Range"):
                sent = get(route, field + b": " + value, b"Range: bytes=0-1")
                where = f"{field.decode()} {route.decode()}"
                yield Case(f"date, {name}: {where}", sent, partly)
    for name, value in TAGS.items():
        for route in (b"/catalog.ttl", b"/sparql?query=ASK{}", b"/dataset/trees.nt"):
            for field in (b"If-None-Match", b"If-Match"):
                sent = get(route, field + b": " + value)
                yield Case(f"tag, {name}: {field.decode()} {route.decode()}", sent, ODD)
    for name, value in ACCEPTS.items():
        for route in (
            b"/sparql?query=ASK{}",
            b"/id/dataset/trees",
            b"/es/nothing",
            b"/catalog.ttl",
        ):
            for field in (b"Accept", b"Accept-Language", b"Accept-Encoding"):
                sent = get(route, field + b": " + value)
                yield Case(f"accept, {name}: {field.decode()} {route.decode()}", sent, ODD)


# ---- bodies


def framing() -> Iterator[Case]:
    ask = b"6\r\nASK {}\r\n0\r\n\r\n"
    yield from named("framing", BAD, {
        "chunk size of letters": chunked(b"zz\r\nASK {}\r\n0\r\n\r\n"),
        "chunk size with a plus": chunked(b"+6\r\nASK {}\r\n0\r\n\r\n"),
        "chunk size with a minus": chunked(b"-6\r\nASK {}\r\n0\r\n\r\n"),
        "chunk size with 0x": chunked(b"0x6\r\nASK {}\r\n0\r\n\r\n"),
        "chunk size with a space": chunked(b" 6\r\nASK {}\r\n0\r\n\r\n"),
        "chunk size of 17 digits": chunked(b"1" * 17 + b"\r\nASK {}\r\n0\r\n\r\n"),
        "empty chunk size": chunked(b"\r\nASK {}\r\n0\r\n\r\n"),
        "chunk too long": chunked(b"5\r\nASK {}\r\n0\r\n\r\n"),
        "chunk without its end": chunked(b"6\r\nASK {}0\r\n\r\n"),
        "chunk with LF alone": chunked(b"6\nASK {}\n0\n\n"),
        "endless trailer": chunked(b"6\r\nASK {}\r\n0\r\nX: " + b"a" * 1_000_000),
        "endless trailer fields": chunked(b"6\r\nASK {}\r\n0\r\n" + b"X: 1\r\n" * 100_000),
        "endless chunk extension": chunked(b"6;x=" + b"y" * 1_000_000),
        "bad trailer": chunked(b"6\r\nASK {}\r\n0\r\nX\r\n\r\n"),
        "chunked twice": chunked(ask, coding=b"chunked, chunked"),
        "chunked first": chunked(ask, coding=b"chunked, identity"),
        "gzip and chunked": chunked(ask, coding=b"gzip, chunked"),
        "unknown coding": chunked(ask, coding=b"xchunked"),
        "coding with a vertical tab": chunked(ask, coding=b"\x0bchunked"),
        "empty coding": chunked(ask, coding=b""),
        "two codings": chunked(ask, b"Transfer-Encoding: identity"),
        "both lengths": chunked(ask, b"Content-Length: 6"),
        "both lengths, the other way": post(
            b"/sparql", ask, DIRECT, b"Transfer-Encoding: chunked"
        ),
        "two Content-Lengths": post(b"/sparql", b"ASK {}", DIRECT, b"Content-Length: 6"),
        "two different Content-Lengths": post(b"/sparql", b"ASK {}", b"Content-Length: 7"),
        "negative Content-Length": head(b"POST", b"/sparql", b"Content-Length: -1"),
        "Content-Length with a plus": head(b"POST", b"/sparql", b"Content-Length: +6") + b"ASK {}",
        "Content-Length of letters": head(b"POST", b"/sparql", b"Content-Length: six"),
        "Content-Length in hex": head(b"POST", b"/sparql", b"Content-Length: 0x6") + b"ASK {}",
        "Content-Length of two": head(b"POST", b"/sparql", b"Content-Length: 6, 6") + b"ASK {}",
        "Content-Length with a fraction": head(b"POST", b"/sparql", b"Content-Length: 6.0"),
        "Content-Length of 30 digits": head(b"POST", b"/sparql", b"Content-Length: " + b"9" * 30),
        "empty Content-Length": head(b"POST", b"/sparql", b"Content-Length:"),
        "chunked in HTTP/1.0": head(
            b"POST", b"/sparql", b"Transfer-Encoding: chunked", version=b"HTTP/1.0"
        ) + ask,
        "no body where one is needed": head(b"POST", b"/sparql", DIRECT),
        "no length": head(b"POST", b"/sparql", FORM) + b"query=ASK{}",
    })  # fmt: skip
    yield from named("framing", ODD, {
        "chunk extension": chunked(b"6;x=y\r\nASK {}\r\n0\r\n\r\n"),
        "quoted chunk extension": chunked(b'6;x="y;z"\r\nASK {}\r\n0\r\n\r\n'),
        "long chunk extension": chunked(b"6;x=" + b"y" * 60_000 + b"\r\nASK {}\r\n0\r\n\r\n"),
        "many small chunks": chunked(b"1\r\n \r\n" * 10_000 + ask),
        "zeros before the size": chunked(b"0006\r\nASK {}\r\n000\r\n\r\n"),
        "70,000 zeros before the size": chunked(b"0" * 70_000 + b"6\r\nASK {}\r\n0\r\n\r\n"),
        "upper case coding": chunked(ask, coding=b"CHUNKED"),
        "trailer": chunked(b"6\r\nASK {}\r\n0\r\nX: 1\r\n\r\n"),
        "trailer that is a Host": chunked(b"6\r\nASK {}\r\n0\r\nHost: evil.example\r\n\r\n"),
        "body for GET": get(b"/health/live", b"Content-Length: 5") + b"stuff",
        "body for HEAD": head(b"HEAD", b"/health/live", b"Content-Length: 5") + b"stuff",
        "bytes after the request": get(b"/health/live", b"Connection: close") + b"\0" * 5000,
        "garbage after the request": get(b"/health/live") + b"\0garbage\r\n\r\n",
        "request after the request": get(b"/health/live") + get(b"/health/ready"),
        "bad request after the request": get(b"/health/live") + b"GET / HTTP/9.9\r\n\r\n",
        "a thousand requests at once": get(b"/health/live") * 1000,
        "request in a request": post(b"/health/live", get(b"/health/ready")),
    })  # fmt: skip


def cut_short() -> Iterator[Case]:
    for name, sent in {
        "after a byte": b"G",
        "in the line": b"GET /es/ HT",
        "in the fields": b"GET / HTTP/1.1\r\nHost: local",
        "before the last line": b"GET / HTTP/1.1\r\nHost: localhost\r\n",
        "in a form": post(b"/sparql", b"query=ASK{}", FORM)[:-4],
        "in a query": post(b"/sparql", b"ASK {}", DIRECT)[:-1],
        "before the body": head(b"POST", b"/sparql", DIRECT, b"Content-Length: 6"),
        "before a terabyte": head(b"POST", b"/sparql", DIRECT, b"Content-Length: 1" + b"0" * 12),
        "in a chunk": chunked(b"6\r\nASK"),
        "in a huge chunk": chunked(b"fffffffffffffff\r\nASK {}"),
        "between chunks": chunked(b"6\r\nASK {}\r\n"),
        "in the last chunk": chunked(b"6\r\nASK {}\r\n0\r\n"),
    }.items():  # fmt: skip
        yield Case(f"cut short: {name}", sent, BAD, ends=True)


def contents() -> Iterator[Case]:
    xml = b"Content-Type: application/sparql-query"
    for name, kind in {
        "none": b"X: 1", "empty": b"Content-Type:", "nonsense": b"Content-Type: ;;;",
        "JSON": b"Content-Type: application/json", "text": b"Content-Type: text/plain",
        "multipart": b"Content-Type: multipart/form-data; boundary=x",
        "multipart without a boundary": b"Content-Type: multipart/form-data",
        "UTF-16": DIRECT + b"; charset=utf-16", "UTF-7": DIRECT + b'; charset="utf-7"',
        "unknown charset": DIRECT + b"; charset=klingon",
        "charset of bytes": DIRECT + b";charset=\xff",
        "update": b"Content-Type: application/sparql-update",
        "long": b"Content-Type: " + b"a" * 60_000,
    }.items():  # fmt: skip
        yield Case(f"content, type {name}: query", post(b"/sparql", b"ASK {}", kind), BAD)
        yield Case(f"content, type {name}: load", post(b"/api/load?source=x", TURTLE, kind), BAD)
    for coding in (b"gzip", b"br", b"deflate", b"zstd", b"identity, gzip", b"\xff", b"x" * 9000):
        field = b"Content-Encoding: " + coding
        name = coding[:20].decode("latin-1")
        yield Case(f"content, coding {name!r}", post(b"/sparql", b"ASK {}", xml, field), BAD)
    many = b"&".join(b"a%d=1" % n for n in range(100_000))
    yield from named("content", BAD, {
        "empty form": post(b"/sparql", b"", FORM),
        "form of 100,000 fields": post(b"/sparql", many + b"&query=ASK{}", FORM),
        "form of ampersands": post(b"/sparql", b"&" * 900_000, FORM),
        "form without a query": post(b"/sparql", b"q=ASK{}", FORM),
        "query twice": post(b"/sparql", b"query=ASK{}&query=ASK{}", FORM),
        "query in both places": post(b"/sparql?query=ASK{}", b"ASK {}", DIRECT),
        "query of 10,000 fields": get(b"/sparql?" + b"a=1&" * 10_000 + b"query=ASK{}"),
        "parameter twice": get(b"/api/queries/classes-in-use?page=1&page=2"),
        "body over the limit": post(b"/sparql", b"#" * 1_100_000, DIRECT),
        "form over the limit": post(b"/sparql", b"query=" + b"%23" * 400_000, FORM),
        "not UTF-8": post(b"/sparql", b"ASK { ?s ?p '\xff' }", DIRECT),
        "UTF-16": post(b"/sparql", "ASK {}".encode("utf-16"), DIRECT),
        "NULs": post(b"/sparql", b"\0" * 1000, DIRECT),
        "update in a form": post(b"/sparql", b"update=CLEAR+ALL", FORM),
        "update in an address": get(b"/sparql?update=CLEAR+ALL"),
    })  # fmt: skip


# ---- who asks, and with what


AUTHORIZATIONS = {
    "empty": b"", "no secret": b"Bearer", "another scheme": b"Basic YTpi", "nonsense": b"\xff\xfe",
    "long": b"Bearer " + b"x" * 60_000, "unknown": b"Bearer bkg_" + b"a" * 40,
    "spaces": b"Bearer  ",
    "two": b"Bearer a, Bearer b", "SQL": b"Bearer ' OR 1=1 --", "NUL escape": b"Bearer %00",
    "digest": b'Digest username="a", realm="\\"', "null": b"Bearer null",
}  # fmt: skip


def credentials() -> Iterator[Case]:
    """All are refused, on public addresses too; nobody is let in without any."""
    for name, value in AUTHORIZATIONS.items():
        for route in (b"/api/status", b"/working/sparql?query=ASK{}", b"/es/", b"/catalog.ttl"):
            sent = get(route, b"Authorization: " + value)
            yield Case(f"authorization, {name}: {route.decode()}", sent, frozenset({401}))
    nobody = frozenset({401})
    yield Case("authorization, none: load", post(b"/api/load?source=x", TURTLE), nobody)
    yield Case("authorization, none: build", post(b"/api/releases", b"{}"), nobody)
    yield Case("authorization, none: publish", post(b"/api/releases/r1/publish", b""), nobody)
    late = DIRECT + b"\r\nTransfer-Encoding: chunked"
    body = b"6\r\nASK {}\r\n0\r\nAuthorization: Bearer x\r\n\r\n"
    yield Case(
        "authorization, in a trailer", head(b"POST", b"/working/sparql", late) + body, nobody
    )
    yield Case("authorization, in the address", get(b"/working/sparql?access_token=x"), nobody)


def loads(token: str) -> Iterator[Case]:
    """Bodies of somebody who may load, none of which may store anything."""
    turtle = b"Content-Type: text/turtle"

    def load(body: bytes, *fields: bytes, address: bytes = b"/api/load?source=x") -> bytes:
        return post(address, body, b"Authorization: " + token.encode(), *fields)

    bomb = gzip.compress(b" " * (65 << 20), 9)
    nested = b"[" * 50_000 + b"]" * 50_000
    doctype = b'<!DOCTYPE a [<!ENTITY b "c">]><rdf:RDF xmlns:rdf="x">&b;</rdf:RDF>'
    yield from named("load", BAD, {
        "no source": load(TURTLE, turtle, address=b"/api/load"),
        "empty source": load(TURTLE, turtle, address=b"/api/load?source="),
        "long source": load(TURTLE, turtle, address=b"/api/load?source=" + b"x" * 600),
        "bad dry_run": load(TURTLE, turtle, address=b"/api/load?source=x&dry_run=perhaps"),
        "bad base": load(TURTLE, turtle, address=b"/api/load?source=x&base=no%20iri"),
        "source with a NUL": load(b"<", turtle, address=b"/api/load?source=%00"),
        "source not UTF-8": load(b"<", turtle, address=b"/api/load?source=%ff"),
        "unknown type": load(TURTLE, b"Content-Type: application/pdf"),
        "cut Turtle": load(b"<x:s> <x:p> ", turtle),
        "Turtle with NULs": load(b"<x:s> <x:p> \0 .", turtle),
        "Turtle not UTF-8": load(b'<x:s> <x:p> "\xff" .', turtle),
        "gzip that is none": load(TURTLE, turtle, b"Content-Encoding: gzip"),
        "gzip cut short": load(gzip.compress(TURTLE)[:-6], turtle, b"Content-Encoding: gzip"),
        "gzip that is a bomb": load(bomb, turtle, b"Content-Encoding: gzip"),
        "unknown coding": load(TURTLE, turtle, b"Content-Encoding: br"),
        "JSON-LD of brackets": load(nested, b"Content-Type: application/ld+json"),
        "JSON-LD cut short": load(b'{"@id": ', b"Content-Type: application/ld+json"),
        "JSON-LD with a far context": load(
            b'{"@context": "http://127.0.0.1:9/", "@id": "x:s", "p": 1}',
            b"Content-Type: application/ld+json",
        ),
        "RDF/XML with entities": load(doctype, b"Content-Type: application/rdf+xml"),
        "RDF/XML not closed": load(b"<rdf:RDF", b"Content-Type: application/rdf+xml"),
        "Turtle of brackets": load(b"<x:s> <x:p> " + b"[ <x:p> " * 50_000, turtle),
        "triple terms": load(b"<x:s> <x:p> <<( <x:a> <x:b> <x:c> )>> .", turtle),
    })  # fmt: skip


def everywhere() -> Iterator[Case]:
    """The same few on every kind of address."""
    for route in ROUTES:
        mark = b"&" if b"?" in route else b"?"
        name = route.decode()
        yield from named(f"everywhere, {name}", ODD, {
            "broken parameters": get(route + mark + b"%ff=%00&&&===&page=%zz&lang=\xff"),
            "the same parameter": get(route + (mark + b"page=1&page=2&lang=es&lang=xx")),
            "HEAD": head(b"HEAD", route),
            "OPTIONS": head(b"OPTIONS", route, b"Origin: null"),
            "everything odd": get(
                route, b"Accept: \xff", b"Accept-Language: \xff", b"Range: bytes=x",
                b"If-None-Match: \xff", b"If-Modified-Since: \xff", b"Cookie: \xff",
            ),
        })  # fmt: skip
        yield Case(f"everywhere, {name}: slash after", get(route + b"/\0"), BAD)


CASES = [
    *request_lines(), *percents(), *fields(), *conditions(), *framing(), *cut_short(), *contents(),
    *credentials(), *everywhere(),
]  # fmt: skip
