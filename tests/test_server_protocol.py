"""The SPARQL 1.1 Protocol tests of the W3C, written out from the facts of their manifest.

Tests of update are here too: this endpoint takes none, so each must be refused, changing nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from serving import Served, by_hand, served

DATA = "http://kasei.us/2009/09/sparql/data/data{}.rdf"
DATA0, DATA1, DATA2, DATA3 = (DATA.format(n) for n in range(4))
TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
GRAPHS = "".join(
    f"<{iri}> {TYPE} <http://xmlns.com/foaf/0.1/Document> <{iri}> .\n"
    for iri in (DATA1, DATA2, DATA3)
)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
QUERY = {"Content-Type": "application/sparql-query"}
UPDATE = {"Content-Type": "application/sparql-update"}
TABULAR = {
    "application/sparql-results+json", "application/sparql-results+xml", "text/csv",
    "text/tab-separated-values",
}  # fmt: skip
BOOLEAN = {"application/sparql-results+json", "application/sparql-results+xml"}
RDF = {"text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = by_hand(tmp_path_factory.mktemp("protocol") / "data", GRAPHS)
    with served(data) as server:
        yield server


def address(**parameters: str | list[str]) -> str:
    pairs = [
        f"{name.replace('_', '-')}={quote(value, safe='')}"
        for name, values in parameters.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    return "/sparql" + ("?" + "&".join(pairs) if pairs else "")


def media_type(answer: httpx.Response) -> str:
    return answer.headers["content-type"].partition(";")[0]


BOTH = f"ASK {{ <{DATA1}> a ?type . <{DATA2}> a ?type . }}"
NAMED = f"ASK {{ GRAPH ?g1 {{ <{DATA1}> a ?type }} GRAPH ?g2 {{ <{DATA2}> a ?type }} }}"
FULL = NAMED.replace("ASK {", f"ASK {{ <{DATA3}> a ?type")
MULTIPLE = NAMED.replace("ASK", f"ASK FROM <{DATA3}>")


@pytest.mark.parametrize(
    ("method", "url", "headers", "body"),
    [
        pytest.param(
            "POST", address(default_graph_uri=DATA0), FORM, "query=ASK%20%7B%7D",
            id="query_post_form",
        ),
        pytest.param(
            "GET", address(query=BOTH, default_graph_uri=[DATA1, DATA2]), {}, "",
            id="query_dataset_default_graphs_get",
        ),
        pytest.param(
            "POST", address(default_graph_uri=[DATA1, DATA2]), QUERY, BOTH,
            id="query_dataset_default_graphs_post",
        ),
        pytest.param(
            "POST", address(named_graph_uri=[DATA1, DATA2]), QUERY, NAMED,
            id="query_dataset_named_graphs_post",
        ),
        pytest.param(
            "GET", address(query=NAMED, named_graph_uri=[DATA1, DATA2]), {}, "",
            id="query_dataset_named_graphs_get",
        ),
        pytest.param(
            "POST", address(default_graph_uri=DATA3, named_graph_uri=[DATA1, DATA2]), QUERY, FULL,
            id="query_dataset_full",
        ),
        pytest.param(
            "POST", address(named_graph_uri=[DATA1, DATA2]), QUERY, MULTIPLE,
            id="query_multiple_dataset",
        ),
        pytest.param(
            "GET", address(query="ASK {}", default_graph_uri=DATA0), {}, "", id="query_get"
        ),
        pytest.param("POST", address(), QUERY, "ASK {}", id="query_post_direct"),
    ],
)  # fmt: skip
def test_query_is_true(
    server: Served, method: str, url: str, headers: dict[str, str], body: str
) -> None:
    answer = server.client.request(method, url, headers=headers, content=body)
    assert answer.status_code == 200, answer.text
    assert media_type(answer) in BOOLEAN
    assert answer.json()["boolean"] is True


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("SELECT (1 AS ?value) {}", TABULAR, id="query_content_type_select"),
        pytest.param("ASK {}", BOOLEAN, id="query_content_type_ask"),
        pytest.param("DESCRIBE <http://example.org/>", RDF, id="query_content_type_describe"),
        pytest.param("CONSTRUCT { <s> <p> 1 } WHERE {}", RDF, id="query_content_type_construct"),
    ],
)
def test_content_type_fits_the_query(server: Served, query: str, expected: set[str]) -> None:
    url = address(default_graph_uri=DATA0)
    answer = server.client.post(url, headers=QUERY, content=query)
    assert answer.status_code == 200, answer.text
    assert media_type(answer) in expected


@pytest.mark.parametrize(
    ("method", "url", "headers", "body", "status"),
    [
        pytest.param("PUT", address(query="ASK {}"), FORM, "", 405, id="bad_query_method"),
        pytest.param(
            "GET", address(query=["ASK {}", "SELECT * {}"]), {}, "", 400, id="bad_multiple_queries"
        ),
        pytest.param(
            "POST", address(), {"Content-Type": "text/plain"}, "ASK {}", 415,
            id="bad_query_wrong_media_type",
        ),
        pytest.param(
            "POST", address(), {}, "query=ASK%20%7B%7D", 415, id="bad_query_missing_form_type"
        ),
        pytest.param("POST", address(), {}, "ASK {}", 415, id="bad_query_missing_direct_type"),
        pytest.param(
            "POST", address(), {"Content-Type": "application/sparql-query; charset=UTF-16"},
            "ASK {}".encode("utf-16"), 415, id="bad_query_non_utf8",
        ),
        pytest.param("GET", address(query="ASK {"), {}, "", 400, id="bad_query_syntax"),
        pytest.param("GET", address(update="CLEAR ALL"), {}, "", 403, id="bad_update_get"),
        pytest.param(
            "POST", address(), FORM, "update=CLEAR%20NAMED&update=CLEAR%20DEFAULT", 403,
            id="bad_multiple_updates",
        ),
        pytest.param(
            "POST", address(), {"Content-Type": "text/plain"}, "CLEAR NAMED", 415,
            id="bad_update_wrong_media_type",
        ),
        pytest.param(
            "POST", address(), {}, "update=CLEAR%20NAMED", 415, id="bad_update_missing_form_type"
        ),
        pytest.param(
            "POST", address(), {"Content-Type": "application/sparql-update; charset=UTF-16"},
            "CLEAR NAMED".encode("utf-16"), 403, id="bad_update_non_utf8",
        ),
        pytest.param("POST", address(), FORM, "update=CLEAR%20XYZ", 403, id="bad_update_syntax"),
        pytest.param(
            "POST", address(using_named_graph_uri="http://example/people"), UPDATE,
            "WITH <http://example/addresses> DELETE { ?p <x:n> 'Bill' } WHERE { ?p <x:n> 'Bill' }",
            403, id="bad_update_dataset_conflict",
        ),
        pytest.param("POST", address(), FORM, "update=CLEAR+ALL", 403, id="update_post_form"),
        pytest.param("POST", address(), UPDATE, "CLEAR ALL", 403, id="update_post_direct"),
        pytest.param(
            "POST", address(using_graph_uri=DATA1), UPDATE, "DROP ALL", 403,
            id="update_dataset_default_graph",
        ),
        pytest.param(
            "POST", address(using_graph_uri=[DATA1, DATA2]), UPDATE, "DROP ALL", 403,
            id="update_dataset_default_graphs",
        ),
        pytest.param(
            "POST", address(using_named_graph_uri=[DATA1, DATA2]), UPDATE, "DROP ALL", 403,
            id="update_dataset_named_graphs",
        ),
        pytest.param(
            "POST", address(using_graph_uri=DATA1, using_named_graph_uri=DATA2), UPDATE,
            "DROP ALL", 403, id="update_dataset_full",
        ),
        pytest.param(
            "POST", address(), UPDATE, "INSERT DATA { GRAPH <x:g> { <x:s> <x:p> <test> } }", 403,
            id="update_base_uri",
        ),
        pytest.param("POST", address(), FORM, "query=DROP%20ALL", 400, id="update_as_query"),
        pytest.param("POST", address(), QUERY, "LOAD <http://x.example/>", 400, id="load_as_query"),
        pytest.param("POST", address(query="ASK {}"), QUERY, "ASK {}", 400, id="query_twice"),
        pytest.param("POST", address(), FORM, "", 400, id="no_query_in_the_form"),
        pytest.param(
            "GET", address(query="ASK {}", default_graph_uri="not an IRI"), {}, "", 400,
            id="graph_that_is_no_iri",
        ),
        pytest.param("GET", "/sparql?query=ASK%FF%7B%7D", {}, "", 400, id="address_not_utf8"),
        pytest.param("POST", address(), QUERY, b"ASK {} # \xff", 400, id="body_not_utf8"),
    ],
)  # fmt: skip
def test_request_is_refused(
    server: Served, method: str, url: str, headers: dict[str, str], body: str | bytes, status: int
) -> None:
    answer = server.client.request(method, url, headers=headers, content=body)
    assert answer.status_code == status, answer.text
    assert media_type(answer) == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert {"type", "title", "detail", "request_id"} <= problem.keys()
    still = server.client.get(address(query="SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"))
    assert still.json()["results"]["bindings"][0]["n"]["value"] == "3"


def test_405_says_what_is_allowed(server: Served) -> None:
    allowed = server.client.request("DELETE", "/sparql").headers["allow"]
    assert {"GET", "HEAD", "POST"} <= {method.strip() for method in allowed.split(",")}


# -- Service Description -------------------------------------------------------------------------


def test_service_description_is_rdf_about_this_endpoint(server: Served) -> None:
    import rdflib

    answer = server.client.get("/sparql", headers={"Accept": "text/turtle"})
    assert answer.status_code == 200
    graph = rdflib.Graph().parse(data=answer.text, format="turtle")
    sd = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
    (service,) = graph.subjects(rdflib.RDF.type, sd.Service)
    assert (service, sd.endpoint, rdflib.URIRef("https://data.example/sparql")) in graph
    assert (service, sd.supportedLanguage, sd.SPARQL11Query) in graph
    assert (service, sd.feature, sd.UnionDefaultGraph) in graph


@pytest.mark.parametrize("accept", sorted(RDF))
def test_service_description_is_negotiated(server: Served, accept: str) -> None:
    assert media_type(server.client.get("/sparql", headers={"Accept": accept})) == accept


def test_service_description_that_nobody_accepts_is_406(server: Served) -> None:
    answer = server.client.get("/sparql", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert "text/turtle" in answer.json()["available"]


def test_people_get_the_form(server: Served) -> None:
    headers = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "eu"}
    answer = server.client.get("/sparql", headers=headers)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/eu/sparql"
    assert "Accept-Language" in answer.headers["vary"]
