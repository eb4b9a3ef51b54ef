"""Probing, against a real server on this machine."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from helpers import PREFIXES, lines
from sites import Answer, Site

from bilbaokg.errors import BilbaokgError
from bilbaokg.fetching import guard
from bilbaokg.fetching.guard import is_public
from bilbaokg.probing import ANSWERS, DEAD, UNKNOWN, Link, Probe, Probes, links
from bilbaokg.probing.content import fault
from bilbaokg.probing.prober import Prober
from bilbaokg.shacl.graph import Graph

CSV = b"a,b\n1,2\n"


def ask(*wanted: Link, known: dict[str, Probe] | None = None, **options: Any) -> dict[str, Probe]:
    found: dict[str, Probe] = {}
    chosen = {"pause": 0.0, "allow_private": True, **options}
    Prober(**chosen).run(wanted, known or {}, lambda probe: found.update({probe.url: probe}))
    return found


def one(link: Link, **options: Any) -> Probe:
    (found,) = ask(link, **options).values()
    return found


# ---- what answers


def test_a_page_that_answers_is_asked_with_head(site: Site) -> None:
    site.pages["/page"] = (200, {"Content-Type": "text/html; charset=utf-8"}, b"<p>")
    found = one(Link(site.url("/page"), False))
    assert (found.state, found.status, found.media_type) == (ANSWERS, 200, "text/html")
    assert found.size is None
    assert site.asked == [("GET", "/robots.txt"), ("HEAD", "/page")]


def test_where_head_is_not_taken_get_is_tried(site: Site) -> None:
    site.pages["/page"] = lambda h: (405 if h.command == "HEAD" else 200, {}, b"x")
    assert one(Link(site.url("/page"), False)).state == ANSWERS


@pytest.mark.parametrize(
    ("status", "state"), [(404, DEAD), (410, DEAD), (500, DEAD), (429, UNKNOWN), (503, UNKNOWN)]
)
def test_what_answers_with_an_error_says_which(site: Site, status: int, state: str) -> None:
    site.pages["/x"] = (status, {}, b"")
    found = one(Link(site.url("/x"), True))
    assert (found.state, found.reason) == (state, f"HTTP {status}")


def test_a_file_has_its_size_and_digests(site: Site) -> None:
    site.pages["/a.csv"] = (200, {"Content-Type": "text/csv"}, CSV)
    found = one(Link(site.url("/a.csv"), True, "csv"))
    assert (found.size, found.invalid) == (len(CSV), None)
    assert found.digests["sha256"] == hashlib.sha256(CSV).hexdigest()


def test_an_empty_file_answers_and_has_no_bytes(site: Site) -> None:
    site.pages["/a"] = (200, {}, b"")
    found = one(Link(site.url("/a"), True, "csv"))
    assert (found.state, found.size, found.invalid) == (ANSWERS, 0, None)


def test_of_a_file_over_the_limit_nothing_is_said_but_that_it_answers(site: Site) -> None:
    site.pages["/a"] = (200, {}, b"x" * 5000)
    found = one(Link(site.url("/a"), True, "json"), most_bytes=1000)
    assert (found.state, found.size, found.invalid) == (ANSWERS, None, None)


def test_of_a_packed_answer_nothing_is_said_but_that_it_answers(site: Site) -> None:
    site.pages["/a"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(CSV))
    found = one(Link(site.url("/a"), True, "csv"))
    assert (found.state, found.size, found.digests, found.invalid) == (ANSWERS, None, {}, None)


def test_nothing_listens(site: Site) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = one(Link(f"http://127.0.0.1:{port}/", False))
    assert found.state == DEAD
    assert found.reason


def test_what_does_not_answer_in_time_is_dead(site: Site) -> None:
    over = threading.Event()
    site.pages["/slow"] = lambda _h: (over.wait(30), (200, {}, b""))[1]
    try:
        found = one(Link(site.url("/slow"), True), timeout=1)
    finally:
        over.set()
    assert (found.state, found.reason) == (DEAD, "no answer in 1 s")


def test_a_body_that_stops_half_way_is_dead(site: Site) -> None:
    over = threading.Event()

    def page(handler: Any) -> Answer:
        handler.send_response(200)
        handler.send_header("Content-Length", "10")
        handler.end_headers()
        handler.wfile.write(b"123")
        over.wait(30)
        return 200, {}, b""

    site.pages["/half"] = page
    try:
        found = one(Link(site.url("/half"), True), timeout=1)
    finally:
        over.set()
    assert (found.state, found.reason) == (DEAD, "no answer in 1 s")


@pytest.mark.parametrize("url", ["http://", "http://exa mple/", "http://[::1", "http://a:99999/"])
def test_what_is_no_address_is_dead(url: str) -> None:
    assert one(Link(url, False)).state == DEAD


# ---- redirects


def test_redirects_are_followed_to_their_end(site: Site) -> None:
    site.pages["/a"] = (302, {"Location": "/b"}, b"")
    site.pages["/b"] = (301, {"Location": site.url("/c")}, b"")
    site.pages["/c"] = (200, {}, CSV)
    assert one(Link(site.url("/a"), True)).size == len(CSV)
    assert site.paths() == ["/a", "/b", "/c"]


def test_redirects_in_a_circle_are_dead(site: Site) -> None:
    site.pages["/a"] = (302, {"Location": "/a"}, b"")
    assert one(Link(site.url("/a"), False)).state == DEAD


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x/"])
def test_redirects_to_other_schemes_are_not_followed(site: Site, target: str) -> None:
    site.pages["/a"] = (302, {"Location": target}, b"")
    assert one(Link(site.url("/a"), True)).state in (UNKNOWN, DEAD)
    assert site.paths() == ["/a"]


# ---- private addresses


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",  # noqa: S104
     "100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0",
     "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
     "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
)  # fmt: skip
def test_addresses_that_not_everybody_reaches_are_private(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_other_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1"])
def test_private_addresses_are_never_connected_to(site: Site, host: str) -> None:
    found = one(Link(site.url("/a", host), True), allow_private=False)
    assert (found.state, found.reason) == (UNKNOWN, "private address")
    assert site.asked == []


def test_redirects_into_a_private_network_are_not_followed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "is_public", lambda address: address == "127.0.0.1")
    site.pages["/a"] = (302, {"Location": site.url("/secret", "127.0.0.2")}, b"")
    found = one(Link(site.url("/a"), True), allow_private=False)
    assert (found.state, found.reason) == (UNKNOWN, "private address")
    assert site.paths() == ["/a"]


def test_the_connection_goes_to_the_address_that_was_judged(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = socket.getaddrinfo, []

    def resolve(host: Any, *rest: Any, **named: Any) -> Any:
        asked.append(host)
        return real("127.0.0.1" if host == "data.example" else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    site.pages["/a"] = (200, {}, CSV)
    assert one(Link(site.url("/a", "data.example"), True)).state == ANSWERS
    assert set(site.hosts) == {f"data.example:{site.port}"}
    # Once for robots.txt and once for the file: nothing asks again on the way to the connection.
    assert asked.count("data.example") == 2


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        (socket.EAI_NONAME, DEAD, "no address: no"),
        (socket.EAI_AGAIN, UNKNOWN, "no name server answers"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_there_is_dead_and_one_that_cannot_be_asked_is_unknown(
    monkeypatch: pytest.MonkeyPatch, code: int, state: str, reason: str
) -> None:
    def resolve(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(code, "no")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    found = one(Link("https://data.example/a", True))
    assert (found.state, found.reason) == (state, reason)


def test_tls_is_asked_for_the_name_not_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    real, names = socket.getaddrinfo, []
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **named: real("127.0.0.1", *rest, **named)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            """Without a certificate no handshake ends; the name comes with its first message."""
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client, contextlib.suppress(OSError):
                    context.wrap_socket(client, server_side=True)

        threading.Thread(target=serve, daemon=True).start()
        found = one(Link(f"https://data.example:{port}/a", True))
    assert found.state == DEAD
    assert set(names) == {"data.example"}


def test_one_private_address_among_others_is_enough(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, site.port))
        for address in ("8.8.8.8", "127.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
    found = one(Link(site.url("/a", "data.example"), True), allow_private=False)
    assert found.reason == "private address"


# ---- politeness


def test_robots_txt_is_kept(site: Site) -> None:
    site.pages["/robots.txt"] = (200, {}, b"User-agent: *\nDisallow: /private\n")
    site.pages["/private/a"] = site.pages["/a"] = (200, {}, CSV)
    found = ask(Link(site.url("/private/a"), True), Link(site.url("/a"), True))
    states = {url.rpartition(str(site.port))[2]: p.state for url, p in found.items()}
    assert states == {"/private/a": UNKNOWN, "/a": ANSWERS}
    assert site.paths() == ["/a"]
    assert site.asked.count(("GET", "/robots.txt")) == 1


def test_rules_for_us_alone_are_kept(site: Site) -> None:
    site.pages["/robots.txt"] = (200, {}, b"User-agent: bilbaokg\nDisallow: /\n")
    assert one(Link(site.url("/a"), False)).reason == "robots.txt"


def test_a_broken_robots_txt_closes_the_host(site: Site) -> None:
    site.pages["/robots.txt"] = (500, {}, b"")
    assert one(Link(site.url("/a"), False)).reason == "robots.txt"


def test_a_host_gets_one_request_at_a_time_with_a_pause(site: Site) -> None:
    pages = [f"/{n}" for n in range(4)]
    site.pages |= dict.fromkeys(pages, (200, {}, b"x"))
    start = time.monotonic()
    ask(*(Link(site.url(page), False) for page in pages), pause=0.1)
    assert time.monotonic() - start >= 0.4
    assert site.most_at_once == 1


def test_a_file_that_did_not_change_is_not_fetched_again(site: Site) -> None:
    def page(handler: Any) -> Answer:
        same = handler.headers["If-None-Match"] == '"1"'
        return (304, {}, b"") if same else (200, {"ETag": '"1"'}, CSV)

    site.pages["/a"] = page
    link = Link(site.url("/a"), True, "csv")
    first = one(link)
    again = one(link, known={link.url: first})
    assert (again.state, again.size, again.digests) == (ANSWERS, len(CSV), first.digests)
    # Declared as something else now, it must be looked at again.
    other = one(link._replace(content="json"), known={link.url: first})
    assert other.invalid


# ---- content


@pytest.mark.parametrize(
    ("content", "kind"),
    [(CSV, "csv"), (b"\xef\xbb\xbfa;b\r\n1;2\r\n", "csv"), ("ñ,b\n1,2".encode("cp1252"), "csv"),
     (b'a,b\n"1,5","2\n3"\n\n', "csv"), (b"a\tb\n1\t2\n", "tsv"), (b"[1, {}]", "json"),
     (b"1" * 100_000, "json"), (b"a\n1\n2\n", "csv"),
     (b"a,b\n1," + b"2" * 200_000, "csv")],
)  # fmt: skip
def test_good_content_has_no_fault(content: bytes, kind: str) -> None:
    assert fault(content, kind) is None


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"<!DOCTYPE html><p>no", "json", "web page"),
        (b"\n <html>", "csv", "web page"),
        (b"{'a': 1}", "json", "line 1, column 2"),
        (b'{"a": 1', "json", "line 1"),
        (b'{"a": "\xff"}', "json", "UTF-8"),
        (b"[" * 200_000, "json", "deep"),
        (b"a,b\n1,2,3\n", "csv", "row 2 has 3 cells, the first 2"),
        (b"a,b\n\x00", "csv", "NUL"),
        (b'a,b\n"1,2\n', "csv", "end of data"),
        (b" \n", "csv", "no rows"),
    ],
)
def test_faults_of_content_are_named(content: bytes, kind: str, said: str) -> None:
    assert said in (fault(content, kind) or "")


# ---- links, results, the command


def test_links_are_those_of_distributions_with_how_to_read_them() -> None:
    csv = "<http://publications.europa.eu/resource/authority/file-type/CSV>"
    said = f""":d dcat:accessURL x:page, x:file ; dcat:downloadURL x:file ; dct:format {csv} .
        :e dcat:downloadURL x:zip ; dct:format {csv} ; dcat:compressFormat x:z .
        :f dcat:accessURL 'text', <mailto:a@b.example> ."""
    assert links(Graph(lines(said))) == [
        Link("https://other.example/file", True, "csv"),
        Link("https://other.example/page", False),
        Link("https://other.example/zip", True),
    ]


def test_results_are_kept_and_replaced(tmp_path: Path) -> None:
    kept = Probes(tmp_path)
    assert kept.all() == {}
    first = Probe("x:1", "2026-01-01T00:00:00Z", ANSWERS, digests={"sha1": "0"})
    kept.save([first, Probe("x:2", "2026-01-01T00:00:00Z", DEAD)])
    second = Probe("x:2", "2026-01-02T00:00:00Z", ANSWERS)
    kept.save([second])
    assert kept.all() == {"x:1": first, "x:2": second}


def test_results_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "probes.db").write_bytes(b"no database at all" * 100)
    for use in (Probes(tmp_path).all, lambda: Probes(tmp_path).save([])):
        with pytest.raises(BilbaokgError) as raised:
            use()
        assert "probes.db" in str(raised.value)


def run(folder: Path, *words: str) -> Any:
    command = [sys.executable, "-m", "bilbaokg", "--lang", "en", *words, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def test_quality_and_linter_use_what_probing_found(tmp_path: Path, site: Site) -> None:
    url = site.url("/a.csv")
    (tmp_path / "a.ttl").write_text(
        PREFIXES + f":a a dcat:Dataset ; dcat:distribution :d . :d dcat:accessURL <{url}> ."
    )
    run(tmp_path, "init", "--base", "https://datos.example.org")
    run(tmp_path, "load", "a.ttl")
    # No setting opens private addresses: what the command may not ask stays unknown.
    assert run(tmp_path, "probe", "--pause", "0") == {
        "links": 1, "answers": 0, "dead": 0, "unknown": 1,
    }  # fmt: skip
    assert site.asked == []

    def accessibility() -> Any:
        found = run(tmp_path, "quality", "--unvalidated")
        return found["summary"]["dimensions"]["accessibility"]["single"]

    assert accessibility() == {"points": 0, "unknown": 50}
    kept = Probes(tmp_path / "bilbaokg-data")
    kept.save([Probe(url, "2026-01-01T00:00:00Z", ANSWERS)])
    assert accessibility() == {"points": 50, "unknown": 0}
    assert run(tmp_path, "lint")["results"] == []
    kept.save([Probe(url, "2026-01-01T00:00:00Z", DEAD, "HTTP 404")])
    assert accessibility() == {"points": 0, "unknown": 0}
    (result,) = run(tmp_path, "lint")["results"]
    assert result["component"] == "link-dead"


def test_limit_takes_what_was_never_asked_or_longest_ago(tmp_path: Path) -> None:
    urls = [f"http://127.0.0.1/{n}" for n in range(3)]
    said = " ".join(f":d{n} dcat:accessURL <{url}> ." for n, url in enumerate(urls))
    (tmp_path / "a.ttl").write_text(PREFIXES + said)
    run(tmp_path, "init", "--base", "https://datos.example.org")
    kept = Probes(tmp_path / "bilbaokg-data")
    kept.save(
        [Probe(urls[0], "2026-01-02T00:00:00Z", DEAD), Probe(urls[1], "2026-01-01T00:00:00Z", DEAD)]
    )
    assert run(tmp_path, "probe", "a.ttl", "--limit", "2")["links"] == 2
    assert [p.state for _, p in sorted(kept.all().items())] == [DEAD, UNKNOWN, UNKNOWN]
