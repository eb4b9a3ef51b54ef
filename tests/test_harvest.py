"""Harvesting DCAT feeds, against a real server that behaves, and that misbehaves."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from harvests import counts, fails, harvest
from helpers import PATIENCE, PREFIXES, Catalogue
from sites import Answer, Site

from bilbaokg.errors import (
    BadInput,
    Conflict,
    Invalid,
    Overloaded,
    SyntaxFault,
    UpstreamFault,
)
from bilbaokg.fetching import guard
from bilbaokg.harvesting import dcat

TURTLE = {"Content-Type": "text/turtle"}


def page(site: Site, number: int, ids: Iterable[int], *, last: int, total: int | None) -> str:
    """A page of a feed in Turtle, with its paging node."""
    node = f"<{site.url(f'/feed?page={number}')}>"
    said = [f"{node} a hydra:PagedCollection, hydra:PartialCollectionView ."]
    if number < last:
        following = f"<{site.url(f'/feed?page={number + 1}')}>"
        said.append(f"{node} hydra:next {following} ; hydra:nextPage {following} .")
    if total is not None:
        said.append(f"{node} hydra:totalItems {total} .")
    for n in ids:
        said.append(f"x:catalog dcat:dataset x:d{n} .")
        said.append(
            f"x:d{n} a dcat:Dataset ; dct:title 'Set {n}'@es ; dcat:contactPoint [ a x:K ] ."
        )
    said.append("x:catalog a dcat:Catalog ; dct:title 'Portal'@es .")
    return PREFIXES + "\n".join(said)


def feed(site: Site, *pages: Iterable[int], total: int | None = -1, **headers: str) -> str:
    """Serve a feed of some pages; returns its address. total: -1 is the right one."""
    ids = [list(numbers) for numbers in pages]
    if total == -1:
        total = sum(map(len, ids))
    for number, members in enumerate(ids, 1):
        body = page(site, number, members, last=len(ids), total=total).encode()
        path = "/feed" if number == 1 else f"/feed?page={number}"
        site.pages[path] = (200, TURTLE | headers, body)
    return site.url("/feed")


# ---- what comes


def test_a_feed_of_several_pages_is_taken_in_whole(catalogue: Catalogue, site: Site) -> None:
    done = harvest(catalogue, feed(site, range(3), range(3, 6), range(6, 7)))
    assert (done["pages"], done["kind"], counts(done)) == (3, "dcat", (8, 0, 0, 0))
    assert done["classes"]["dcat:Dataset"] == 7
    assert "Set 6" in catalogue.text("https://other.example/d6")
    assert site.paths() == ["/feed", "/feed?page=2", "/feed?page=3"]


def test_statements_about_paging_do_not_come_in(catalogue: Catalogue, site: Site) -> None:
    done = harvest(catalogue, feed(site, range(2), range(2, 4)))
    assert done["statements"]["rest"] == 0
    assert not any("hydra" in record.text for record in catalogue.records.all())


@pytest.mark.parametrize("term", ["next", "nextPage"])
def test_either_vocabulary_of_hydra_leads_on(catalogue: Catalogue, site: Site, term: str) -> None:
    url = feed(site, [1], [2])
    status, headers, body = site.pages["/feed"]  # type: ignore[misc]
    other = b"hydra:nextPage" if term == "next" else b"hydra:next "
    site.pages["/feed"] = (status, headers, body.replace(other, b"x:nothing "))
    assert harvest(catalogue, url)["pages"] == 2


def test_a_link_header_leads_on(catalogue: Catalogue, site: Site) -> None:
    said = PREFIXES + "x:d{} a dcat:Dataset ."
    site.pages["/a"] = (200, TURTLE | {"Link": '<b>; rel="next"'}, said.replace("{}", "1").encode())
    site.pages["/b"] = (200, TURTLE, said.replace("{}", "2").encode())
    assert harvest(catalogue, site.url("/a"))["classes"] == {"dcat:Dataset": 2}


def test_the_feed_of_a_portal_is_found_from_its_front_page(
    catalogue: Catalogue, site: Site
) -> None:
    site.pages["/"] = (200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><p>Portal")
    site.pages["/catalog.rdf"] = (200, {"Content-Type": "application/rdf+xml"}, (
        b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
        b"xmlns:dcat='http://www.w3.org/ns/dcat#'><dcat:Dataset rdf:about='x:d'/></rdf:RDF>"
    ))  # fmt: skip
    assert harvest(catalogue, site.url("/"))["classes"] == {"dcat:Dataset": 1}
    assert site.paths() == ["/", "/catalog.ttl", "/catalog.rdf"]


def test_the_same_feed_again_changes_nothing(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(3), range(3, 6))
    harvest(catalogue, url)
    assert counts(harvest(catalogue, url)) == (0, 0, 7, 0)


def test_what_changed_and_what_is_gone_is_told(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(4), range(4, 8))
    harvest(catalogue, url)
    feed(site, range(4), range(4, 7))
    status, headers, body = site.pages["/feed"]  # type: ignore[misc]
    site.pages["/feed"] = (status, headers, body.replace(b"Set 2", b"Conjunto 2"))
    done = harvest(catalogue, url)
    assert counts(done) == (0, 1, 7, 1)
    assert done["changes"] == {"new": [], "changed": ["https://other.example/d2"]}
    (gone,) = (p for p in done["problems"] if p["message"].startswith("gone at its source"))
    assert gone["focus"] == "https://other.example/d7"
    assert "Set 7" in catalogue.text("https://other.example/d7")


def test_records_that_move_between_pages_are_unchanged(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(3), range(3, 6))
    harvest(catalogue, url)
    feed(site, [5, 4], [3, 2, 1], [0])
    assert counts(harvest(catalogue, url)) == (0, 0, 7, 0)


def test_a_dry_run_changes_nothing(catalogue: Catalogue, site: Site) -> None:
    done = harvest(catalogue, feed(site, range(3)), dry_run=True)
    assert (counts(done), done["dry_run"]) == ((4, 0, 0, 0), True)
    assert catalogue.records.current() == {}
    assert catalogue.records.audit.last() is None


def test_a_harvest_is_in_the_audit_and_in_the_history(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(3))
    harvest(catalogue, url)
    site.pages["/feed"] = (404, {}, b"")
    fails(catalogue, url)
    kinds = [event.kind for event in catalogue.records.audit.events()]
    assert kinds == ["load", "harvest", "harvest.failed"]
    (file,) = catalogue.workspace.data.glob("cache/harvest/portal-*/history.jsonl")
    first, second = map(json.loads, file.read_text().splitlines())
    assert (first["records"]["new"], first["pages"]) == (4, 1)
    assert "HTTP 404" in second["error"]


# ---- again, and going on


def test_a_page_that_did_not_change_is_not_fetched_again(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(3), range(3, 6))
    answer = site.pages["/feed?page=2"]
    assert isinstance(answer, tuple)
    status, headers, body = answer

    def second(handler: Any) -> Answer:
        if handler.headers["If-None-Match"] == '"2"':
            return 304, {}, b""
        return status, headers | {"ETag": '"2"'}, body

    site.pages["/feed?page=2"] = second
    first = harvest(catalogue, url)
    again = harvest(catalogue, url)
    assert (again["not_modified"], counts(again)) == (1, (0, 0, 7, 0))
    assert again["bytes"] == first["bytes"] - len(body)


def test_a_harvest_that_was_stopped_goes_on(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(3), range(3, 6), range(6, 9))
    third = site.pages["/feed?page=3"]
    site.pages["/feed?page=3"] = (500, {}, b"")
    fails(catalogue, url)
    site.pages["/feed?page=3"] = third
    site.asked.clear()
    done = harvest(catalogue, url)
    assert (done["pages"], done["resumed"], counts(done)) == (3, 2, (10, 0, 0, 0))
    assert site.paths() == ["/feed?page=3"]


def test_a_harvest_that_was_killed_goes_on(tmp_path: Path, site: Site) -> None:
    url = feed(site, range(3), range(3, 6), range(6, 9))
    third = site.pages["/feed?page=3"]
    asked, over = threading.Event(), threading.Event()

    def hanging(_: Any) -> Answer:
        asked.set()
        over.wait(PATIENCE)
        return 500, {}, b""

    site.pages["/feed?page=3"] = hanging
    program = [sys.executable, "-m", "bilbaokg", "--json"]
    subprocess.run([*program, "init"], cwd=tmp_path, check=True, capture_output=True)
    command = [*program, "harvest", url, "--allow-private", "--pause", "0"]
    process = subprocess.Popen(command, cwd=tmp_path)
    assert asked.wait(PATIENCE)
    process.kill()
    process.wait()
    over.set()
    site.pages["/feed?page=3"] = third
    site.asked.clear()
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["resumed"] == 2
    assert site.paths() == ["/feed?page=3"]


def test_a_stopped_harvest_can_begin_anew(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(3), range(3, 6))
    second = site.pages["/feed?page=2"]
    site.pages["/feed?page=2"] = (404, {}, b"")
    fails(catalogue, url)
    site.pages["/feed?page=2"] = second
    assert harvest(catalogue, url, restart=True)["resumed"] == 0


def test_a_kept_page_that_was_damaged_is_fetched_again(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(3), range(3, 6))
    second = site.pages["/feed?page=2"]
    site.pages["/feed?page=2"] = (404, {}, b"")
    fails(catalogue, url)
    (kept,) = catalogue.workspace.data.glob("cache/harvest/portal-*/now/00001")
    kept.write_bytes(b"no page")
    site.pages["/feed?page=2"] = second
    done = harvest(catalogue, url)
    assert (done["resumed"], counts(done)) == (0, (7, 0, 0, 0))


def test_a_damaged_page_is_not_written_over_another(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(3), range(3, 6), range(6, 9))
    third = site.pages["/feed?page=3"]
    site.pages["/feed?page=3"] = (404, {}, b"")
    fails(catalogue, url)
    (kept,) = catalogue.workspace.data.glob("cache/harvest/portal-*/now/00001")
    kept.write_bytes(b"no page")
    site.pages["/feed?page=3"] = third
    done = harvest(catalogue, url)
    assert (done["resumed"], counts(done)) == (1, (10, 0, 0, 0))


def test_a_line_that_a_kill_cut_is_no_harm(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(3), range(3, 6), range(6, 9))
    later = {path: site.pages[path] for path in ("/feed?page=2", "/feed?page=3")}
    site.pages |= dict.fromkeys(later, (404, {}, b""))
    fails(catalogue, url)
    (index,) = catalogue.workspace.data.glob("cache/harvest/portal-*/now/pages.jsonl")
    with index.open("a") as out:
        out.write('{"address": "http')
    site.pages["/feed?page=2"] = later["/feed?page=2"]
    fails(catalogue, url)
    site.pages |= later
    assert harvest(catalogue, url)["resumed"] == 2


# ---- portals that misbehave


def test_a_page_that_fails_once_is_asked_for_again(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(2), range(2, 4))
    answers = iter([(500, {}, b""), site.pages["/feed?page=2"]])
    site.pages["/feed?page=2"] = lambda _: next(answers)  # type: ignore[assignment,return-value]
    assert harvest(catalogue, url)["retries"] == 1


def test_a_page_that_fails_for_ever_is_given_up(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(2), range(2, 4))
    site.pages["/feed?page=2"] = (500, {}, b"")
    assert fails(catalogue, url).endswith("/feed?page=2: HTTP 500")
    assert site.paths().count("/feed?page=2") == 4


def test_a_page_that_no_worker_was_free_to_read_is_read_later(
    catalogue: Catalogue, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Real workers are waited for too long.
    real, tries = dcat.parse, iter([True])

    def parse(*given: Any, **named: Any) -> Any:
        if next(tries, False):
            raise Overloaded("all workers are busy", retry_after=1)
        return real(*given, **named)

    monkeypatch.setattr(dcat, "parse", parse)
    done = harvest(catalogue, feed(site, range(2)))
    assert (done["retries"], counts(done)) == (1, (3, 0, 0, 0))


def test_what_is_not_there_is_asked_for_once(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(2), range(2, 4))
    site.pages["/feed?page=2"] = (404, {}, b"")
    assert "HTTP 404" in fails(catalogue, url)
    assert site.paths().count("/feed?page=2") == 1


def test_retry_after_is_kept_to(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(2))
    answers = iter([(429, {"Retry-After": "1"}, b""), site.pages["/feed"]])
    site.pages["/feed"] = lambda _: next(answers)  # type: ignore[assignment,return-value]
    start = time.monotonic()
    assert harvest(catalogue, url)["retries"] == 1
    assert time.monotonic() - start >= 1


def test_a_server_that_wants_us_to_stay_away_long_is_left_alone(
    catalogue: Catalogue, site: Site
) -> None:
    url = feed(site, range(2))
    site.pages["/feed"] = (503, {"Retry-After": "90000"}, b"")
    assert "come again in 90,000 s" in fails(catalogue, url)
    assert site.paths() == ["/feed"]


def test_a_web_page_in_place_of_a_page_is_refused(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(2), range(2, 4))
    site.pages["/feed?page=2"] = (200, TURTLE, b"<!DOCTYPE html><p>Maintenance")
    assert "a web page came in place of RDF" in fails(catalogue, url)


def half(handler: Any, body: bytes, *, length: bool) -> Answer:
    """Half of a body, then the end of the connection."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/turtle")
    if length:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])
    handler.wfile.flush()
    handler.connection.close()
    raise ConnectionAbortedError


@pytest.mark.parametrize("length", [True, False])
def test_half_a_page_is_refused_also_where_its_length_is_not_said(
    catalogue: Catalogue, site: Site, length: bool
) -> None:
    url = feed(site, range(2), range(2, 40))
    answer = site.pages["/feed?page=2"]
    assert isinstance(answer, tuple)
    body = answer[2].rstrip()[:-3]
    site.pages["/feed?page=2"] = lambda handler: half(handler, body, length=length)
    said = fails(catalogue, url, UpstreamFault if length else SyntaxFault)
    assert "/feed?page=2" in said
    assert site.paths().count("/feed?page=2") == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda body: body.replace(b"feed?page=3", b"feed?page=2"), "circle"),
        (lambda body: body.replace(b"127.0.0.1", b"other.example"), "another host, other.example"),
        (lambda body: body.replace(b"http://127.0.0.1", b"file:///etc"), "another host"),
        (lambda body: body.replace(b"hydra:nextPage <", b"hydra:nextPage <x:"), "several next"),
        (lambda body: body.replace(b"totalItems 9", b"totalItems 8"), "8 and 9"),
        (lambda body: body.replace(b"x:d4 ", b"x:d2 "), "list 8 records, 1 of them more than once"),
    ],
)
def test_pages_that_are_no_whole_are_refused(
    catalogue: Catalogue, site: Site, change: Callable[[bytes], bytes], said: str
) -> None:
    url = feed(site, range(3), range(3, 6), range(6, 9))
    status, headers, body = site.pages["/feed?page=2"]  # type: ignore[misc]
    site.pages["/feed?page=2"] = (status, headers, change(body))
    assert said in fails(catalogue, url)
    # Nothing of it is kept: the next harvest begins at the first page.
    assert not list(catalogue.workspace.data.glob("cache/harvest/*/now"))


def test_the_same_page_under_another_address_is_a_circle(catalogue: Catalogue, site: Site) -> None:
    body = f"{PREFIXES} x:d a dcat:Dataset . <> hydra:next <{site.url('/b')}> .".encode()
    site.pages |= {"/a": (200, TURTLE, body), "/b": (200, TURTLE, body)}
    assert "the same as a page before it" in fails(catalogue, site.url("/a"))


def test_a_total_that_never_agrees_can_be_ignored(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(3), total=300)
    assert "it says that there are 300, and its pages list 3 records" in fails(catalogue, url)
    assert counts(harvest(catalogue, url, ignore_total=True)) == (4, 0, 0, 0)


@pytest.mark.parametrize(
    "body", [b"", b"# nothing\n", b"<x:c> a <http://www.w3.org/ns/dcat#Catalog> ."]
)
def test_an_empty_feed_is_never_all_gone(catalogue: Catalogue, site: Site, body: bytes) -> None:
    url = feed(site, range(3))
    harvest(catalogue, url)
    site.pages["/feed"] = (200, TURTLE, body)
    fails(catalogue, url, allow_shrink=True, ignore_total=True)


def test_a_feed_that_shrank_is_taken_only_with_a_word(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(10))
    harvest(catalogue, url)
    feed(site, range(7))
    assert "3 of 10 would be gone, more than 20%" in fails(catalogue, url, Conflict)
    assert counts(harvest(catalogue, url, allow_shrink=True)) == (0, 0, 8, 3)
    feed(site, range(6))
    assert counts(harvest(catalogue, url)) == (0, 0, 7, 1)


def test_wrong_encodings_are_refused_by_line(catalogue: Catalogue, site: Site) -> None:
    site.pages["/feed"] = (200, TURTLE, f"{PREFIXES} x:d dct:title 'ñ' .".encode("latin-1"))
    assert "UTF-8" in fails(catalogue, site.url("/feed"), SyntaxFault)


def test_a_wrong_media_type_is_told(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(2), **{"Content-Type": "application/rdf+xml"})
    done = harvest(catalogue, url)
    assert counts(done) == (3, 0, 0, 0)
    message = "read as text/turtle, though the server says application/rdf+xml"
    assert message in [problem["message"] for problem in done["problems"]]


def test_a_doctype_is_refused(catalogue: Catalogue, site: Site) -> None:
    body = b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><rdf:RDF/>"
    site.pages["/feed"] = (200, {"Content-Type": "application/rdf+xml"}, body)
    assert "DOCTYPE" in fails(catalogue, site.url("/feed"), Invalid)
    assert site.paths() == ["/feed"]


def endless(handler: Any, packed: bool = False) -> Answer:
    """A body without an end."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/turtle")
    if packed:
        handler.send_header("Content-Encoding", "gzip")
    handler.end_headers()
    piece = gzip.compress(b"#" * (1 << 24)) if packed else b"#" * (1 << 20)
    while True:
        handler.wfile.write(piece)


@pytest.mark.parametrize("packed", [False, True])
def test_a_page_without_an_end_is_cut_off_at_the_limit(
    catalogue: Catalogue, site: Site, packed: bool
) -> None:
    catalogue.workspace.settings = replace(catalogue.workspace.settings, body_limit=3 << 20)
    site.pages["/feed"] = lambda handler: endless(handler, packed)
    said = fails(catalogue, site.url("/feed"))
    assert "the page is over 3,145,728 bytes" in said
    files = catalogue.workspace.data.glob("cache/harvest/*/now/0*")
    assert all(file.stat().st_size <= 3 << 20 for file in files)


def test_pages_over_the_limit_together_are_refused(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(3), range(3, 6), range(6, 9))
    size = len(site.pages["/feed"][2])  # type: ignore[index]
    limited = replace(catalogue.workspace.settings, file_limit=2 * size + size // 2)
    catalogue.workspace.settings = limited
    # The second time two pages are there already, and count as well.
    for _ in range(2):
        assert "bytes together" in fails(catalogue, url)
    assert site.paths().count("/feed") == 1


def test_a_packed_page_is_unpacked(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(2))
    status, headers, body = site.pages["/feed"]  # type: ignore[misc]
    packed = gzip.compress(body)
    site.pages["/feed"] = (status, headers | {"Content-Encoding": "gzip"}, packed)
    done = harvest(catalogue, url)
    assert (counts(done), done["bytes"]) == ((3, 0, 0, 0), len(packed))


@pytest.mark.parametrize(
    ("body", "packing", "said"),
    [(b"x", "br", "packed as 'br'"), (b"no gzip", "gzip", "damaged gzip"),
     (gzip.compress(b"# a\n" * 99)[:-9], "gzip", "half way")],
    ids=["another packing", "no gzip", "cut off"],
)  # fmt: skip
def test_a_badly_packed_page_is_refused(
    catalogue: Catalogue, site: Site, body: bytes, packing: str, said: str
) -> None:
    site.pages["/feed"] = (200, TURTLE | {"Content-Encoding": packing}, body)
    assert said in fails(catalogue, site.url("/feed"))


def test_more_pages_than_may_be_are_refused(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, [1], [2], [3])
    assert "over 2 pages" in fails(catalogue, url, max_pages=2)


def test_a_slow_trickle_is_cut_off(catalogue: Catalogue, site: Site) -> None:
    over = threading.Event()

    def trickle(handler: Any) -> Answer:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not over.wait(0.05):
            handler.wfile.write(b"#")
        return 200, {}, b""

    site.pages["/feed"] = trickle
    try:
        assert "no whole answer in 1 s" in fails(catalogue, site.url("/feed"), timeout=1)
    finally:
        over.set()


def test_a_harvest_stops_after_its_time(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, [1], [2])
    first = site.pages["/feed"]
    site.pages["/feed"] = lambda _: (time.sleep(0.3), first)[1]  # type: ignore[return-value,assignment]
    assert "it was not done in 0 s" in fails(catalogue, url, max_seconds=0.2)


# ---- addresses


def test_private_addresses_are_not_asked_unless_they_are_named(
    catalogue: Catalogue, site: Site
) -> None:
    url = feed(site, range(2))
    assert "private address" in fails(catalogue, url, allow_private=False)
    assert site.asked == []


@pytest.mark.parametrize("target", ["http://127.0.0.2:{port}/secret", "http://localhost:1/"])
def test_a_redirect_to_another_private_address_is_not_followed(
    catalogue: Catalogue, site: Site, target: str
) -> None:
    site.pages["/feed"] = (302, {"Location": target.replace("{port}", str(site.port))}, b"")
    assert "private address" in fails(catalogue, site.url("/feed"))
    assert site.paths() == ["/feed"]


def test_a_redirect_of_a_public_portal_into_a_private_network_is_not_followed(
    catalogue: Catalogue, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "is_public", lambda address: address == "127.0.0.1")
    site.pages["/feed"] = (302, {"Location": site.url("/secret", "127.0.0.2")}, b"")
    assert "private address" in fails(catalogue, site.url("/feed"), allow_private=False)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/"])
def test_a_redirect_to_another_scheme_is_not_followed(
    catalogue: Catalogue, site: Site, target: str
) -> None:
    site.pages["/feed"] = (302, {"Location": target}, b"")
    fails(catalogue, site.url("/feed"))
    assert site.paths() == ["/feed"]


def test_an_address_that_holds_a_password_is_refused(catalogue: Catalogue) -> None:
    said = fails(catalogue, "http://me:secret@portal.example/", BadInput, source="portal")
    assert "secret" not in said


@pytest.mark.parametrize("url", ["file:///etc/passwd", "portal", "http://", "http://[::1"])
def test_what_is_no_address_of_the_web_is_refused(catalogue: Catalogue, url: str) -> None:
    fails(catalogue, url, BadInput)


def test_robots_txt_is_kept(catalogue: Catalogue, site: Site) -> None:
    site.pages["/robots.txt"] = (200, {}, b"User-agent: *\nDisallow: /feed\n")
    assert "robots.txt" in fails(catalogue, feed(site, range(2)))
    assert site.paths() == []


def test_a_robots_txt_that_fails_once_is_asked_for_again(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(2))
    answers = iter([(500, {}, b""), (404, {}, b"")])
    site.pages["/robots.txt"] = lambda _: next(answers)
    assert harvest(catalogue, url)["retries"] == 1


def test_a_robots_txt_that_fails_for_ever_closes_the_host(catalogue: Catalogue, site: Site) -> None:
    site.pages["/robots.txt"] = (500, {}, b"")
    assert "robots.txt closes it, or cannot be read" in fails(catalogue, feed(site, range(2)))
    assert site.paths() == []


def test_a_portal_sees_who_asks(catalogue: Catalogue, site: Site) -> None:
    workspace = catalogue.workspace
    workspace.settings = replace(workspace.settings, public_url="https://data.example")
    url = feed(site, range(2))
    first, seen = site.pages["/feed"], set[str]()

    def page(handler: Any) -> Answer:
        seen.add(handler.headers["User-Agent"])
        assert isinstance(first, tuple)
        return first

    site.pages["/feed"] = page
    harvest(catalogue, url)
    assert seen == {f"bilbaokg/{version('bilbaokg')} (harvest; +https://data.example)"}


def test_a_source_is_harvested_once_at_a_time(catalogue: Catalogue, site: Site) -> None:
    url = feed(site, range(2))
    first = site.pages["/feed"]
    said: list[str] = []

    def page(_: Any) -> Answer:
        try:
            harvest(catalogue, url)
        except Conflict as error:
            said.append(error.message)
        assert isinstance(first, tuple)
        return first

    site.pages["/feed"] = page
    harvest(catalogue, url)
    assert said == ["it is being harvested"]


def test_the_next_server_keeps_the_harvested_pages(catalogue: Catalogue, site: Site) -> None:
    harvest(catalogue, feed(site, range(2)))
    catalogue.workspace.clear_cache()
    assert list(catalogue.workspace.data.glob("cache/harvest/portal-*/last/00001"))
