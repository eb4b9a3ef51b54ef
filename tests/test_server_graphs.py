"""The Graph Store Protocol over the release, and over the records of the working store."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pyoxigraph as ox
import pytest
import rdflib
from serving import BASE, CATALOGUE, Served, load, published, served

from bilbaokg.terms import record_id

RECORD = f"{BASE}/graph/record/"
NOISE = f"{RECORD}dataset/noise"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = published(tmp_path_factory.mktemp("graphs") / "data")
    # A draft that no release holds.
    load(data, CATALOGUE + "<urn:draft> a dcat:Dataset .", source="draft")
    with served(data) as server:
        yield server


def get(server: Served, method: str = "GET", **options: str) -> httpx.Response:
    graph = options.pop("graph", NOISE)
    accept = options.pop("accept", "application/n-triples")
    headers = {"Accept": accept, **{k.replace("_", "-"): v for k, v in options.items()}}
    return server.client.request(method, "/graph-store", params={"graph": graph}, headers=headers)


# -- the release ---------------------------------------------------------------------------------


def test_get_gives_the_record_as_it_was_released(server: Served) -> None:
    answer = get(server)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/n-triples"
    assert '<http://purl.org/dc/terms/title> "Ruido"@es .\n' in answer.text
    assert answer.text.splitlines() == sorted(answer.text.splitlines())


@pytest.mark.parametrize(
    ("accept", "parser"),
    [
        ("text/turtle", "turtle"),
        ("application/rdf+xml", "xml"),
        ("application/ld+json", "json-ld"),
        ("*/*", "turtle"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_get_is_negotiated(server: Served, accept: str, parser: str) -> None:
    answer = get(server, accept=accept)
    assert "Accept" in answer.headers["vary"]
    graph = rdflib.Graph().parse(data=answer.content, format=parser)
    expected = rdflib.Graph().parse(data=get(server).content, format="nt")
    assert set(graph) == set(expected)


def test_get_that_nobody_accepts_is_406(server: Served) -> None:
    assert get(server, accept="image/png").status_code == 406


def test_head_is_get_without_a_body(server: Served) -> None:
    head, whole = get(server, "HEAD"), get(server)
    assert head.status_code == 200
    assert head.content == b""
    for name in ("content-type", "content-length", "etag", "last-modified"):
        assert head.headers[name] == whole.headers[name]


def test_what_the_client_has_is_304(server: Served) -> None:
    etag = get(server).headers["etag"]
    assert get(server, if_none_match=etag).status_code == 304
    assert get(server, if_none_match=etag, accept="text/turtle").status_code == 200


def test_the_default_graph_is_the_union_of_the_release(server: Served) -> None:
    headers = {"Accept": "application/n-triples"}
    answer = server.client.get("/graph-store?default", headers=headers)
    assert answer.status_code == 200
    assert "Zuhaitzak" in answer.text
    headers["If-None-Match"] = answer.headers["etag"]
    again = server.client.get("/graph-store?default", headers=headers)
    assert again.status_code == 304
    triples = {quad.triple for quad in ox.parse(answer.content, ox.RdfFormat.N_TRIPLES)}
    count = "SELECT (COUNT(*) AS ?n) { SELECT DISTINCT ?s ?p ?o { ?s ?p ?o } }"
    found = server.client.get("/sparql", params={"query": count}).json()
    assert len(triples) == int(found["results"]["bindings"][0]["n"]["value"])


@pytest.mark.parametrize(
    ("graph", "status"),
    [
        (f"{RECORD}dataset/absent", 404),
        (f"{BASE}/graph/history/dataset/noise", 404),
        (f"{BASE}/graph/audit", 404),
        ("https://elsewhere.example/", 404),
        ("relative", 400),
        ("", 400),
    ],
)
def test_no_other_graph_is_there(server: Served, graph: str, status: int) -> None:
    answer = get(server, graph=graph)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_drafts_are_not_there(server: Served) -> None:
    id = record_id(BASE, "dataset", "urn:draft")
    assert get(server, graph=RECORD + id).status_code == 404
    everything = server.client.get("/graph-store?default", headers={"Accept": "text/turtle"})
    assert "urn:draft" not in everything.text


@pytest.mark.parametrize(
    "query", ["", "?graph=a:b&graph=c:d", "?default&graph=a:b", "?query=ASK%7B%7D"]
)
def test_one_graph_must_be_named(server: Served, query: str) -> None:
    assert server.client.get(f"/graph-store{query}").status_code == 400


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_the_release_does_not_change(server: Served, method: str) -> None:
    answer = server.client.request(method, "/graph-store", params={"graph": NOISE}, content="")
    assert answer.status_code == 405
    assert {"GET", "HEAD"} <= set(answer.headers["allow"].split(", "))
    assert "PUT" not in answer.headers["allow"]


def test_405_names_the_methods_of_all_routes_of_an_address(server: Served) -> None:
    answer = server.client.delete("/api/releases")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) >= {"GET", "HEAD", "POST"}


def test_scripts_of_other_sites_may_read(server: Served) -> None:
    assert get(server, origin="https://app.example").headers["access-control-allow-origin"] == "*"
