"""Sitemaps, robots.txt and the VoID description, as crawlers and programs find them."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest
import rdflib
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, VOID
from serving import Served, initialise, load, operate, published, served

from bilbaokg.server.discovery import MOST, split

PUBLIC = "https://data.example/datos"
NAMES = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
PARSERS = {"text/turtle": "turtle", "application/rdf+xml": "xml", "application/n-triples": "nt"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = published(tmp_path_factory.mktemp("discovery") / "data", public_url=PUBLIC)
    load(data, "<https://data.example/id/dataset/old> a <http://www.w3.org/ns/dcat#Dataset> .", "o")
    operate(data, "delete", iri="https://data.example/id/dataset/old")
    operate(data, "release.build", unchecked=True)
    operate(data, "release.publish")
    with served(data, root_path="/datos") as server:
        yield server


def places(server: Served, path: str) -> list[str]:
    answer = server.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/xml"
    tree = ElementTree.fromstring(answer.text)  # noqa: S314  our own
    return [str(place.text) for place in tree.findall("*/s:loc", NAMES)]


def test_robots_name_the_sitemap_by_its_public_address(server: Served) -> None:
    lines = server.client.get("/datos/robots.txt").text.splitlines()
    assert f"Sitemap: {PUBLIC}/sitemap.xml" in lines
    assert "Disallow: /datos/sparql" in lines


def test_sitemaps_lead_to_every_page_in_every_language(server: Served) -> None:
    assert places(server, "/datos/sitemap.xml") == [f"{PUBLIC}/sitemaps/1.xml"]
    found = places(server, "/datos/sitemaps/1.xml")
    assert {f"{PUBLIC}/{lang}/dataset/trees" for lang in ("es", "eu", "en")} <= set(found)
    assert f"{PUBLIC}/es/" in found
    assert not [place for place in found if place.endswith("/dataset/old")]
    for place in found:
        page = server.client.get(place.removeprefix("https://data.example"))
        assert page.status_code == 200, place
        assert f'<link rel="canonical" href="{place}">' in page.text


def test_address_of_a_page_without_its_query_is_the_canonical_one(server: Served) -> None:
    page = server.client.get("/datos/es/dataset/trees?from=elsewhere").text
    assert f'<link rel="canonical" href="{PUBLIC}/es/dataset/trees">' in page
    assert "canonical" not in server.client.get("/datos/es/datasets?q=ruido").text


@pytest.mark.parametrize("number", ["0", "2", "99999999999999999999"])
def test_sitemap_that_is_not_there(server: Served, number: str) -> None:
    assert server.client.get(f"/datos/sitemaps/{number}.xml").status_code == 404


def test_sitemaps_are_split_where_one_would_be_too_long() -> None:
    addresses = [str(n) for n in range(MOST * 2 + 1)]
    parts = split(addresses)
    assert [len(part) for part in parts] == [MOST, MOST, 1]
    assert [address for part in parts for address in part] == addresses


@pytest.mark.parametrize("accept", PARSERS)
def test_void_describes_the_data_and_the_services(server: Served, accept: str) -> None:
    answer = server.client.get("/datos/.well-known/void", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith(accept)
    graph = rdflib.Graph().parse(data=answer.content, format=PARSERS[accept])
    (data,) = graph.objects(rdflib.URIRef(f"{PUBLIC}/.well-known/void"), FOAF.primaryTopic)
    assert (data, RDF.type, VOID.Dataset) in graph
    assert int(str(graph.value(data, VOID.triples))) > 10
    assert (data, VOID.sparqlEndpoint, rdflib.URIRef(f"{PUBLIC}/sparql")) in graph
    (part,) = graph.subjects(VOID["class"], DCAT.Dataset)
    assert int(str(graph.value(part, VOID.entities))) == 2
    for dump in graph.objects(data, VOID.dataDump):
        assert server.client.head(dump.removeprefix("https://data.example")).status_code == 200
    services = {str(s) for s in graph.subjects(RDF.type, DCAT.DataService)}
    assert {f"{PUBLIC}/sparql", f"{PUBLIC}/catalog.rdf"} <= services
    for service in services:
        assert graph.value(rdflib.URIRef(service), DCTERMS.title)
        path = service.removeprefix("https://data.example")
        assert server.client.get(path, headers={"Accept": "text/turtle"}).status_code == 200


@pytest.mark.parametrize("path", ["sitemap.xml", "sitemaps/1.xml", ".well-known/void"])
def test_client_that_has_it_gets_304(server: Served, path: str) -> None:
    tag = server.client.get(f"/datos/{path}").headers["etag"]
    known = {"If-None-Match": tag}
    assert server.client.get(f"/datos/{path}", headers=known).status_code == 304


def test_before_the_first_release_there_is_nothing_to_find(tmp_path: Path) -> None:
    with served(initialise(tmp_path / "data")) as server:
        for path in ("/sitemap.xml", "/.well-known/void"):
            assert server.client.get(path).status_code == 404
        assert server.client.get("/robots.txt").status_code == 200
