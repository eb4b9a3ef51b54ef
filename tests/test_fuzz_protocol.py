"""What reads strangers' headers, addresses and queries: any text at all is answered or refused."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from helpers import PATIENCE
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import Served, published, served

from bilbaokg.errors import BadInput, BilbaokgError, NotAcceptable, SyntaxFault
from bilbaokg.server import negotiate
from bilbaokg.server.answering import GRAPH_OFFERS, fields, formats
from bilbaokg.store import guard

# The same examples each time: what fails once fails again.
FIXED = settings(max_examples=300, derandomize=True, database=None, deadline=None)
OFFERS = list(GRAPH_OFFERS)
# Headers of many kinds, built of what their grammar gives a meaning, and of anything else.
WORDS = st.sampled_from(
    ["text/turtle", "text/html", "*/*", "text/*", "a/b", "q=", ";q=0", ";q=1.000", ";q=.5", "gzip",
     "*", "es", "eu-ES", "en;q=0.9", ",", ";", "=", '"', "\\", " ", "\t", "/", "identity", "x-gzip"]
)  # fmt: skip
HEADERS = st.lists(WORDS | st.characters(max_codepoint=255), max_size=30).map("".join)


def outcome(call: Callable[..., Any], *given: Any) -> Any:
    """What a call returns, or the error of ours that it raises; any other is raised on."""
    try:
        return call(*given)
    except BilbaokgError as error:
        return error


@FIXED
@given(HEADERS)
def test_any_accept_header_is_understood_or_ignored(header: str) -> None:
    best = negotiate.best(header, OFFERS)
    assert best is None or best in OFFERS
    assert isinstance(negotiate.accepts_html(header), bool)
    assert isinstance(negotiate.accepts_gzip(header), bool)
    assert negotiate.language(header) in ("es", "eu", "en")
    found = outcome(formats, {"format": [header]}, header)
    if isinstance(found, NotAcceptable):
        assert found.extra["available"]
    else:
        assert any(found)


@FIXED
@given(st.binary(max_size=300))
def test_any_bytes_are_fields_or_too_many(text: bytes) -> None:
    found = fields(text)
    assert all(values for values in found.values())
    with pytest.raises(BadInput):
        fields(b"a=1&" * 2000 + text)


@FIXED
@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=20))
def test_fields_come_back_as_they_were_sent(pairs: list[tuple[str, str]]) -> None:
    pairs = [(name, value) for name, value in pairs if (name + value).isprintable()]
    found = fields(urlencode(pairs).encode())
    assert [(n, v) for n, values in found.items() for v in values] == sorted(
        pairs, key=lambda pair: list(dict(pairs)).index(pair[0])
    )


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ("q=é è", "é è"), ("q=é%20è", "é è"), ("q=é%C3%A8", "éè"), ("q=é%zz", "é%zz"),
        ("q=%5Cn%22%0A", "\\n\"\n"), ('q=\\u0041"%20', '\\u0041" '), ("q=a+%2B+b", "a + b"),
    ],
)  # fmt: skip
def test_bytes_that_are_not_escaped_mean_what_escapes_of_them_mean(sent: str, value: str) -> None:
    assert fields(sent.encode()) == {"q": [value]}


# Whole tokens, halves of tokens, and characters that begin none.
CODE = st.sampled_from(
    ["SELECT", "*", "ASK", "{", "}", "(", ")", "[", "]", "<<(", ")>>", "{|", "|}", "?s", "$o", ".",
     "<x:p>", "<", ">", "'", '"', "'''", "# c\n", "\\", "\\u0041", "a:b", ":", "_:b", "@en", "^^",
     "1", "1e", "e9", "||", "&&", "SERVICE", "LOAD", "FROM", "\r", "\t", " ", "\0", "\ufeff", "é"]
)  # fmt: skip
TEXTS = st.lists(CODE | st.characters(), max_size=40).map("".join)


@FIXED
@given(TEXTS)
def test_tokens_stand_where_they_say_and_leave_only_spaces_out(text: str) -> None:
    found = outcome(lambda: list(guard.tokens(text)))
    if isinstance(found, SyntaxFault):
        assert found.extra["line"] >= 1
        assert found.extra["column"] >= 1
        return
    end = 0
    for token in found:
        between = text[end : token.start]
        assert between.strip(" \t\r\n") == "" or between.lstrip().startswith("#")
        assert token.text
        assert text.startswith(token.text, token.start)
        end = token.start + len(token.text)


@FIXED
@given(TEXTS)
def test_guard_answers_or_refuses(text: str) -> None:
    found = outcome(guard.check, text)
    if isinstance(found, BilbaokgError):
        assert 400 <= found.status < 500
        assert {"line", "column"} <= found.extra.keys()
    else:
        words = {token.text.upper() for token in guard.tokens(text) if token.kind == "word"}
        assert "SERVICE" not in words
        assert found.dataset == ("FROM" in words)


# -- the running server --------------------------------------------------------------------------

TYPES = [
    b"application/sparql-query",
    b"application/x-www-form-urlencoded",
    b"text/plain",
    b"",
    b";",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(published(tmp_path_factory.mktemp("fuzz") / "data")) as running:
        yield running
        assert [line for line in running.logged() if line["level"] == "error"] == []


def status(server: Served, sent: bytes) -> int:
    """The status of the first answer; 0 where the server only closed the connection."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), PATIENCE) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(client)
        with contextlib.suppress(http.client.RemoteDisconnected):
            answer.begin()
            return answer.status
    return 0


@FIXED
@given(st.binary(max_size=80), HEADERS, st.sampled_from(TYPES), st.binary(max_size=80))
def test_any_request_for_the_endpoint_is_answered_properly(
    server: Served, query: bytes, header: str, media_type: bytes, body: bytes
) -> None:
    target = b"/sparql?" + b"".join(b"%%%02X" % byte if byte < 128 else b"&" for byte in query)
    accept = bytes(byte for byte in header.encode("latin-1") if byte >= 32 and byte != 127)
    head = b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: " + accept + b"\r\n"
    posted = b"Content-Type: " + media_type + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    address = urlsplit(server.url)
    for sent in (b"GET " + target + head + b"\r\n", b"POST " + target + head + posted):
        with socket.create_connection((address.hostname, address.port), PATIENCE) as client:
            client.sendall(sent)
            answer = http.client.HTTPResponse(client)
            answer.begin()
            assert answer.status < 500, answer.read()


ADDRESSES = st.sampled_from(
    ["/es/", "/eu/datasets", "/en/datasets.csv", "/es/sparql", "/es/validation", "/es/releases",
     "/en/releases/r1", "/es/dataset", "/es/dataset/trees", "/catalog.ttl", "/catalog.jsonld",
     "/feeds/full/catalog.nt", "/id/dataset/trees", "/dataset/trees.rdf", "/api/releases",
     "/api/queries/datasets-newest", "/api/queries/upstream", "/ns", "/nothing", "/id/{}/{}",
     "/es/{}", "/es/{}/{}", "/static/{}/{}", "/feeds/{}/catalog.ttl", "/{}/{}.ttl", "/{}"]
)  # fmt: skip
NAMES = st.sampled_from(
    ["q", "theme", "area", "format", "access", "licence", "hvd", "publisher", "gap", "sort", "page",
     "lang", "severity", "query", "run", "page_size", "language", "limit", "resource"]
)  # fmt: skip
# What search, paging and filters give a meaning.
VALUES = st.sampled_from(
    ["", "1", "2", "-1", "0", "1e9", "9" * 30, "٣", "title", "-modified", '"', '"a', "a*", "*",
     "AND", "a OR", "NEAR(", "a:b", "(", "^a", "árbol", "\0", "%", "_", "'", "es", "xx", "csv",
     "true", "ASK {}", "SELECT * { ?s ?p ?o }", "https://data.example/id/dataset/trees", "../..",
     "\ud7ff"]
)  # fmt: skip


@FIXED
@given(
    places=st.lists(VALUES | st.text(max_size=8), min_size=2, max_size=2),
    values=st.lists(st.tuples(NAMES, VALUES | st.text(max_size=12)), max_size=4),
    address=ADDRESSES,
    accept=st.sampled_from(["text/html", "*/*", "text/csv"]),
)
def test_any_parameters_of_any_address_are_answered_properly(
    server: Served, places: list[str], values: list[tuple[str, str]], address: str, accept: str
) -> None:
    path = address.format(*(quote(value, safe="") for value in places))
    answer = server.client.get(f"{path}?{urlencode(values)}", headers={"Accept": accept})
    assert answer.status_code < 500, answer.text


PARTS = st.sampled_from(
    [b"GET ", b"POST ", b"/", b"/sparql", b" HTTP/1.1", b"\r\n", b"\r\n\r\n", b"\n", b"\0", b" ",
     b":", b"Host: localhost", b"Content-Length: 3", b"Transfer-Encoding: chunked", b"3\r\nabc\r\n",
     b"0\r\n\r\n"]
)  # fmt: skip


@FIXED
@given(st.lists(PARTS | st.binary(max_size=4), max_size=20))
def test_any_bytes_are_answered_properly(server: Served, pieces: list[bytes]) -> None:
    assert status(server, b"".join(pieces)) < 500
    assert server.client.get("/health/live").status_code == 200
