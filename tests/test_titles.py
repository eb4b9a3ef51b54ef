"""Titles of things elsewhere: asked for politely, kept apart, shown with a mark, never ours."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pyoxigraph as ox
import pytest
from helpers import BASE, Catalogue
from serving import CATALOGUE, initialise, load, served
from serving import operate as operated
from sites import Answer, Site

from bilbaokg import elsewhere
from bilbaokg.cli import main
from bilbaokg.errors import BadInput
from bilbaokg.exports import TARGETS
from bilbaokg.fetching import guard

AIR = f"{BASE}/id/dataset/air"
DCAT_DATASET = "<http://www.w3.org/ns/dcat#Dataset>"
TURTLE, HTML = {"Content-Type": "text/turtle"}, {"Content-Type": "text/html; charset=utf-8"}
ISLAND = """<!DOCTYPE html><html lang="es"><head><title>Ruido - portal</title>
<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [
  {"@type": "WebSite", "name": "Portal"},
  {"@type": ["Dataset"], "@id": "IRI", "name": [
    {"@language": "es", "@value": "Ruido\\n en <la> ciudad"},
    {"@language": "en", "@value": "Noise"}]},
  {"@type": "Dataset", "name": "Otro"}]}</script></head><body>x</body></html>"""


def turtle(site: Site, path: str, *titles: str) -> bytes:
    said = "".join(f" ; dct:title {title}" for title in titles)
    return (
        "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> ."
        f"<{site.url(path)}> a dcat:Dataset{said} ; dct:publisher <x:p> ."
        "<x:p> dct:title 'Not this one' ."
    ).encode()


@pytest.fixture
def portal(site: Site) -> Site:
    """A portal that tells titles in every way, and misbehaves in every other."""
    rdf = (
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:d='http://purl.org"
        "/dc/terms/' xmlns:c='http://www.w3.org/ns/dcat#'><c:Dataset rdf:about='x:other'>"
        "<d:title xml:lang='fr'>Bruit</d:title></c:Dataset></rdf:RDF>"
    )
    schema = {"@context": "https://schema.org", "@type": "Dataset", "name": "Verkehr"}
    site.pages |= {
        "/ttl": (200, TURTLE | {"ETag": '"1"'}, turtle(site, "/ttl", "'Aire'@es", "'Air'@en")),
        "/rdf": (303, {"Location": "/data/rdf"}, b""),
        "/data/rdf": (200, {"Content-Type": "application/rdf+xml"}, rdf.encode()),
        "/jsonld": (200, {"Content-Type": "application/ld+json"}, json.dumps(schema).encode()),
        "/island": (200, HTML, ISLAND.replace("IRI", site.url("/island")).encode()),
        "/page": (200, HTML, "<html lang=EU><title>Zarata &amp; \u202ekea</title>".encode()),
        "/nameless": (200, HTML, b"<html><p>nothing"),
        "/binary": (200, {"Content-Type": "application/pdf"}, b"%PDF\x00\xff" * 50),
        "/gone": (410, {}, b""),
        "/big": (200, TURTLE, b"#" * (4 << 20) + b"\n"),
        "/bomb": (200, TURTLE | {"Content-Encoding": "gzip"}, gzip.compress(b"#" * (8 << 20))),
        "/deep": (200, HTML, b"<script type='application/ld+json'>" + b"[" * 100_000),
        "/robots.txt": (200, {}, b"User-agent: *\nDisallow: /closed"),
    }
    return site


def derive(catalogue: Catalogue, site: Site, *paths: str, more: str = "") -> None:
    """Our dataset comes from these things of the portal."""
    ends = " , ".join(f"<{site.url(path)}>" for path in paths)
    catalogue.load(
        f"<{AIR}> a dcat:Dataset ; dct:title 'Nuestro'@es ; prov:wasDerivedFrom {ends} . {more}"
    )


def ask(catalogue: Catalogue, site: Site, **params: Any) -> dict[str, Any]:
    given = {"private_hosts": [f"127.0.0.1:{site.port}"], "pause": 0.0, **params}
    return catalogue.do("lineage.titles", **given)


def known(catalogue: Catalogue, site: Site, path: str) -> elsewhere.Words | None:
    return elsewhere.known(catalogue.workspace.store, BASE).get(site.url(path))


def states(done: dict[str, Any], site: Site) -> dict[str, str]:
    return {each["iri"].removeprefix(site.url("")): each["state"] for each in done["things"]}


def test_titles_come_in_every_way_in_which_portals_tell_them(
    catalogue: Catalogue, portal: Site
) -> None:
    derive(catalogue, portal, "/ttl", "/rdf", "/jsonld", "/island", "/page")
    before = catalogue.text(AIR)
    done = ask(catalogue, portal)
    assert [done[name] for name in ("elsewhere", "due", "asked", "told", "left")] == [5, 5, 5, 5, 0]
    titles = {path: known(catalogue, portal, path).titles for path in states(done, portal)}  # type: ignore[union-attr]
    assert titles == {
        "/ttl": {"es": "Aire", "en": "Air"},
        "/rdf": {"fr": "Bruit"},
        "/jsonld": {"": "Verkehr"},
        "/island": {"es": "Ruido en <la> ciudad", "en": "Noise"},
        "/page": {"eu": "Zarata & kea"},
    }
    # Our words are what they were, and nothing of others is a dataset here.
    assert catalogue.text(AIR) == before
    foreign = [r.text for r in catalogue.records.all() if r.id.startswith("rest/")]
    assert len(foreign) == 5
    assert not any(f"#type> {DCAT_DATASET}" in text for text in foreign)
    (event,) = [e for e in catalogue.records.audit.events() if e.kind == "titles"]
    assert (event.detail["told"], event.detail["failed"]) == (5, 0)


def test_what_is_no_title_does_no_harm(catalogue: Catalogue, portal: Site) -> None:
    paths = ("/nameless", "/binary", "/gone", "/big", "/bomb", "/deep", "/closed/a", "/none")
    derive(catalogue, portal, *paths)
    done = ask(catalogue, portal)
    assert states(done, portal) == {
        "/nameless": "nameless", "/binary": "nameless", "/deep": "nameless", "/gone": "gone",
        "/none": "gone", "/big": "failed", "/bomb": "failed", "/closed/a": "failed",
    }  # fmt: skip
    assert "/closed/a" not in portal.paths()
    told = {p["focus"].removeprefix(portal.url("")): p["message"] for p in done["problems"]}
    assert told["/big"] == told["/bomb"] == "the page is over 4,194,304 bytes"
    assert "robots.txt" in told["/closed/a"]
    words = known(catalogue, portal, "/gone")
    assert words
    assert words.gone
    assert not words.titles


def test_a_title_is_asked_for_again_after_some_days_and_only_if_it_changed(
    catalogue: Catalogue, portal: Site
) -> None:
    derive(catalogue, portal, "/ttl", "/page", "/island")
    ask(catalogue, portal)
    revisions = catalogue.records.current()
    portal.asked.clear()
    assert ask(catalogue, portal)["due"] == 0
    assert portal.paths() == []
    validators: list[str | None] = []

    def unchanged(request: Any) -> Answer:
        validators.append(request.headers["If-None-Match"])
        return (304, {}, b"")

    portal.pages |= {"/ttl": unchanged, "/page": (404, {}, b"")}
    done = ask(catalogue, portal, days=0)
    assert states(done, portal) == {"/ttl": "same", "/page": "gone", "/island": "told"}
    assert validators == ['"1"']
    # What is gone keeps its title; what is unchanged has no new revision.
    words = known(catalogue, portal, "/page")
    assert words
    assert words.titles == {"eu": "Zarata & kea"}
    assert words.gone
    after = catalogue.records.current()
    assert sum(revisions[id] != after[id] for id in revisions) == 1
    # Since when it is gone stays, and it may come back.
    ask(catalogue, portal, days=0)
    assert known(catalogue, portal, "/page") == words
    portal.pages["/page"] = (200, HTML, b"<title>Back</title>")
    ask(catalogue, portal, days=0)
    assert known(catalogue, portal, "/page").titles == {"": "Back"}  # type: ignore[union-attr]
    assert not known(catalogue, portal, "/page").gone  # type: ignore[union-attr]


def test_only_what_nobody_here_names_is_asked_for(catalogue: Catalogue, portal: Site) -> None:
    named = f"<{portal.url('/named')}> a prov:Entity ; dct:title 'Con nombre'@es ."
    more = (
        f"{named} <{AIR}> dct:source <{portal.url('/page')}> , <urn:x:y> , <{BASE}/id/dataset/no> ;"
        f" prov:qualifiedDerivation <{AIR}#d> . <{AIR}#d> prov:entity <{portal.url('/ttl')}> ."
        f"x:d a dcat:Dataset ; dct:title 'Harvested'@es . <{AIR}> prov:wasDerivedFrom x:d ."
    )
    derive(catalogue, portal, "/named", more=more)
    done = ask(catalogue, portal, dry_run=True)
    assert states(done, portal) == {"/page": "due", "/ttl": "due"}
    assert portal.asked == []
    assert ask(catalogue, portal, limit=1)["left"] == 1
    assert ask(catalogue, portal)["told"] == 1


def test_words_give_way_when_the_thing_itself_is_harvested(
    catalogue: Catalogue, portal: Site
) -> None:
    derive(catalogue, portal, "/ttl", "/page")
    ask(catalogue, portal)
    iri = portal.url("/ttl")
    catalogue.load(f"<{iri}> a dcat:Dataset ; dct:title 'Entero'@es .", source="harvested")
    home = catalogue.records.home(f"<{iri}>")
    assert home
    assert home.id.startswith("dataset/")
    ask(catalogue, portal)
    assert known(catalogue, portal, "/ttl") is None
    assert known(catalogue, portal, "/page")


def test_a_host_that_asks_to_be_left_alone_is(catalogue: Catalogue, portal: Site) -> None:
    portal.default = (429, {"Retry-After": "60"}, b"")
    derive(catalogue, portal, *(f"/x{n}" for n in range(9)))
    done = ask(catalogue, portal)
    assert (done["asked"], done["failed"], done["left"]) == (1, 1, 8)
    portal.default = (500, {}, b"")
    assert ask(catalogue, portal)["asked"] == 3


def test_private_addresses_are_not_asked(catalogue: Catalogue, portal: Site) -> None:
    derive(catalogue, portal, "/ttl")
    done = catalogue.do("lineage.titles")
    assert "private address" in done["problems"][0]["message"]
    assert "--private-host" in done["problems"][0]["hint"]
    assert portal.asked == []
    for wrong in ("", "a/b", "x@y", "h:0", "h:port"):
        with pytest.raises((BadInput, ValueError)):
            ask(catalogue, portal, private_hosts=[wrong])
    assert guard.hosts(["h", "g:1"]) == {("h", 80), ("h", 443), ("g", 1)}


# ---- what is seen of them


@pytest.fixture
def data(tmp_path: Path, portal: Site) -> Path:
    """A catalogue with a public and an internal dataset that come from the portal."""
    data = initialise(tmp_path / "data")
    ends = f"""
        <https://data.example/id/dataset/noise> <http://www.w3.org/ns/prov#wasDerivedFrom>
            <{portal.url("/ttl")}> , <{portal.url("/gone")}> ;
            <http://purl.org/dc/terms/source> <{portal.url("/page")}> .
        <https://data.example/id/dataset/secret> a dcat:Dataset ; dct:title "Secreto"@es ;
            <http://www.w3.org/ns/prov#wasDerivedFrom> <{portal.url("/island")}> ."""
    load(data, CATALOGUE + ends)
    operated(data, "visibility", iri="https://data.example/id/dataset/secret", to="internal")
    return data


def run(data: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["--data", str(data), *words])
    told = capsys.readouterr()
    return int(ended.value.code or 0), told.out + told.err


def test_pages_answers_and_exports_of_a_release(
    data: Path, portal: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    english = ("--lang", "en", "lineage")
    asked = ("titles", "--private-host", f"127.0.0.1:{portal.port}", "--pause", "0")
    with served(data) as server:
        code, text = run(data, capsys, *english, *asked)
        assert code == 0
        assert "4 things elsewhere, 4 asked for: 3 with a title, 1 gone." in text
        code, text = run(
            data, capsys, *english, "upstream", "https://data.example/id/dataset/noise"
        )
        assert re.search(r"1 +Air +elsewhere +http", text)
        assert re.search(r"elsewhere, gone since \d{4}-\d\d-\d\d +http", text)
        assert run(data, capsys, "release", "build", "--waive", "a test", "--quiet")[0] == 0
        assert run(data, capsys, "release", "publish", "--quiet")[0] == 0
        check_pages(server.client, portal)
        check_exports(data, server.client, portal)


def check_pages(client: httpx.Client, portal: Site) -> None:
    def page(path: str) -> str:
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200, path
        return " ".join(answer.text.split())

    away = '<span class="away">at 127.0.0.1</span>'
    dataset = page("/en/dataset/noise")
    assert f'rel="external">Air</a> {away}' in dataset
    assert "was at 127.0.0.1, gone since" in dataset
    assert "Zarata &amp; kea" in dataset
    lineage = page(f"/en/lineage?iri={quote('https://data.example/id/dataset/noise', safe='')}")
    assert "<title>Air (at 127.0.0.1)</title>" in lineage
    assert lineage.count('class="away"><title>') == 2
    assert "of others" in lineage
    # Who owns what is elsewhere is not ours to say, nor that nobody does.
    noise = quote("https://data.example/id/dataset/noise", safe="")
    assert "nobody" not in lineage + page(f"/en/lineage/upstream?iri={noise}")
    mention = page(f"/es/iri?iri={quote(portal.url('/ttl'), safe='')}")
    assert "<h1>Aire</h1>" in mention.replace(' lang="es"', "")
    assert "No es de este catálogo (en 127.0.0.1). Su título se leyó allí el" in mention
    assert "rest/" not in mention


def check_exports(data: Path, client: httpx.Client, portal: Site) -> None:
    release = data / "releases" / "current"
    nquads = (release / "catalogue.nq").read_text()
    # Nothing tells what an internal dataset comes from.
    assert portal.url("/island") not in nquads
    assert "Aire" in nquads
    assert (
        f"<{portal.url('/ttl')}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> {DCAT_DATASET}"
        not in nquads
    )
    told = ox.NamedNode(portal.url("/ttl"))
    for target in TARGETS:
        content = client.get(f"/feeds/{target}/catalog.nt").text
        graph = list(ox.parse(content, ox.RdfFormat.N_TRIPLES))
        said = {q.predicate.value for q in graph if q.subject == told}
        if target == "full":
            continue
        assert said <= {"http://www.w3.org/2000/01/rdf-schema#label"}, (target, said)


def test_words_about_things_elsewhere_are_no_finding(
    data: Path, portal: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    judged = [run(data, capsys, "validate", "--json")[1]]
    operated(data, "lineage.titles", private_hosts=[f"127.0.0.1:{portal.port}"], pause=0.0)
    judged.append(run(data, capsys, "validate", "--json")[1])
    before, after = ([r["message"] for r in json.loads(each)["results"]] for each in judged)
    assert before == after
