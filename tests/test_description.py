"""The Service Description: read with RDFLib, and held against what the endpoints really do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import rdflib
from rdflib.compare import isomorphic
from serving import BASE, Served, published, served, token

SD = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
VOID = rdflib.Namespace("http://rdfs.org/ns/void#")
FORMATS = "http://www.w3.org/ns/formats/"
MEDIA_TYPES = {
    "SPARQL_Results_JSON": "application/sparql-results+json",
    "SPARQL_Results_XML": "application/sparql-results+xml",
    "SPARQL_Results_CSV": "text/csv",
    "SPARQL_Results_TSV": "text/tab-separated-values",
    "Turtle": "text/turtle",
    "N-Triples": "application/n-triples",
    "RDF_XML": "application/rdf+xml",
    "JSON-LD": "application/ld+json",
}
ENDPOINTS = ("/sparql", "/working/sparql", "/scratch/sparql")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(published(tmp_path_factory.mktemp("description") / "data")) as server:
        server.client.headers.update(token(server.data, "write"))
        yield server


def described(server: Served, path: str, accept: str = "text/turtle") -> tuple[rdflib.Graph, Any]:
    answer = server.client.get(path, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == accept
    graph = rdflib.Graph().parse(data=answer.text, format=accept)
    (service,) = graph.subjects(rdflib.RDF.type, SD.Service)
    return graph, service


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("accept", ["text/turtle", "application/rdf+xml", "application/n-triples"])
def test_an_endpoint_describes_itself_where_no_query_is_sent(
    server: Served, path: str, accept: str
) -> None:
    graph, service = described(server, path, accept)
    assert graph.value(service, SD.endpoint) == rdflib.URIRef(BASE + path)
    dataset = graph.value(service, SD.defaultDataset)
    assert (dataset, rdflib.RDF.type, SD.Dataset) in graph
    assert (graph.value(dataset, SD.defaultGraph), rdflib.RDF.type, SD.Graph) in graph


@pytest.mark.parametrize("path", ENDPOINTS)
def test_what_is_said_of_languages_is_so(server: Served, path: str) -> None:
    graph, service = described(server, path)
    languages = set(graph.objects(service, SD.supportedLanguage))
    assert SD.SPARQL11Query in languages
    assert server.client.get(path, params={"query": "ASK {}"}).json()["boolean"] is True
    answer = server.client.post(path, data={"update": "CLEAR ALL"})
    assert answer.is_success is (SD.SPARQL11Update in languages)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_what_is_said_of_the_default_graph_is_so(server: Served, path: str) -> None:
    server.client.post(
        "/scratch/sparql", data={"update": "INSERT DATA { GRAPH <x:g> { <x:s> a 1 } }"}
    )
    graph, service = described(server, path)
    union = (service, SD.feature, SD.UnionDefaultGraph) in graph
    query = "ASK { ?s ?p ?o FILTER NOT EXISTS { GRAPH ?g { ?s ?p ?o } } }"
    none_of_its_own = not server.client.get(path, params={"query": query}).json()["boolean"]
    seen = server.client.get(path, params={"query": "ASK { ?s ?p ?o }"}).json()["boolean"]
    assert none_of_its_own
    assert seen is union


@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_result_format_is_answered(server: Served, path: str) -> None:
    graph, service = described(server, path)
    names = {str(f).removeprefix(FORMATS) for f in graph.objects(service, SD.resultFormat)}
    assert names == set(MEDIA_TYPES)
    for name in names:
        rows = name.startswith("SPARQL")
        query = "SELECT * { ?s ?p ?o } LIMIT 1" if rows else "CONSTRUCT WHERE { ?s ?p ?o }"
        headers = {"Accept": MEDIA_TYPES[name]}
        answer = server.client.get(path, params={"query": query}, headers=headers)
        assert answer.headers["content-type"].partition(";")[0] == MEDIA_TYPES[name]


def test_every_input_format_is_read(server: Served) -> None:
    graph, service = described(server, "/scratch/sparql")
    names = {str(f).removeprefix(FORMATS) for f in graph.objects(service, SD.inputFormat)}
    assert names == {"Turtle", "N-Triples", "RDF_XML", "JSON-LD"}
    sent = rdflib.Graph().parse(data="<x:s> <http://x.example/p> 'x' .", format="turtle")
    for name in names:
        headers = {"Content-Type": MEDIA_TYPES[name]}
        form = MEDIA_TYPES[name] if name != "RDF_XML" else "xml"
        answer = server.client.post(
            "/scratch/graph-store", content=sent.serialize(format=form), headers=headers
        )
        assert answer.status_code == 201, answer.text


def test_the_named_graphs_of_the_release_are_listed_with_their_sizes(server: Served) -> None:
    graph, service = described(server, "/sparql")
    dataset = graph.value(service, SD.defaultDataset)
    sizes = {
        str(graph.value(named, SD.name)): int(
            graph.value(graph.value(named, SD.graph), VOID.triples)
        )
        for named in graph.objects(dataset, SD.namedGraph)
    }
    query = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
    rows = server.client.get("/sparql", params={"query": query}).json()["results"]["bindings"]
    assert sizes == {row["g"]["value"]: int(row["n"]["value"]) for row in rows}
    total = int(graph.value(graph.value(dataset, SD.defaultGraph), VOID.triples))
    assert total == sum(sizes.values())


def test_nothing_of_the_working_store_is_told(server: Served) -> None:
    graph, _ = described(server, "/working/sparql")
    assert not list(graph.objects(None, SD.namedGraph))
    assert not list(graph.objects(None, VOID.triples))


@pytest.mark.parametrize(
    ("ext", "parser"), [("ttl", "turtle"), ("rdf", "xml"), ("nt", "nt"), ("jsonld", "json-ld")]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_one_document_describes_all_endpoints_to_everyone(
    server: Served, ext: str, parser: str
) -> None:
    anonymous = server.client.build_request("GET", f"/service.{ext}")
    del anonymous.headers["authorization"]
    answer = server.client.send(anonymous)
    assert answer.status_code == 200
    graph = rdflib.Graph().parse(data=answer.content, format=parser)
    alone = rdflib.Graph()
    for path in ENDPOINTS:
        alone += described(server, path)[0]
    assert isomorphic(graph, alone)
    stores = {str(o) for o in graph.objects(None, rdflib.RDFS.seeAlso)}
    assert stores == {BASE + path.replace("sparql", "graph-store") for path in ENDPOINTS}
