"""The scratch area over HTTP: who may do what, how it is asked, and that no harm comes of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import rdflib
from rdflib.plugins.stores.sparqlstore import SPARQLUpdateStore
from serving import BASE, Served, operate, published, served, token
from test_scratch import ENDLESS

UPDATE = {"Content-Type": "application/sparql-update"}
TURTLE = {"Content-Type": "text/turtle"}
GRAPHS = "/scratch/graph-store"
G = "https://elsewhere.example/g"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = published(
        tmp_path_factory.mktemp("scratch") / "data", query_seconds_token=3.0, body_limit=1 << 20
    )
    with served(data) as server:
        yield server


@pytest.fixture(scope="module")
def tokens(server: Served) -> dict[str, dict[str, str]]:
    return {scope: token(server.data, scope) for scope in ("read", "write")}


@pytest.fixture
def client(server: Served, tokens: dict[str, dict[str, str]]) -> Iterator[httpx.Client]:
    """One who may change an empty scratch area."""
    with httpx.Client(base_url=server.url, timeout=60, headers=tokens["write"]) as client:
        update(client, "DROP ALL")
        yield client


def update(client: httpx.Client, text: str, **parameters: str) -> httpx.Response:
    return client.post("/scratch/sparql", content=text, headers=UPDATE, params=parameters)


def ask(client: httpx.Client, query: str) -> bool:
    answer = client.get("/scratch/sparql", params={"query": query})
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["boolean"])


# -- SPARQL --------------------------------------------------------------------------------------


def test_what_an_update_says_a_query_sees_at_once(client: httpx.Client) -> None:
    for number in range(3):
        answer = update(client, f"INSERT DATA {{ <x:s> <x:p> {number} }}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert ask(client, f"ASK {{ <x:s> <x:p> {number} }}")


def test_the_default_graph_is_one_of_its_own_for_queries_as_for_updates(
    client: httpx.Client,
) -> None:
    update(client, f"INSERT DATA {{ GRAPH <{G}> {{ <x:s> <x:p> 1 }} }}")
    assert not ask(client, "ASK { <x:s> ?p ?o }")
    assert ask(client, "ASK { GRAPH ?g { <x:s> ?p ?o } }")
    update(client, "INSERT { <x:seen> ?p ?o } WHERE { ?s ?p ?o }")
    assert not ask(client, "ASK { <x:seen> ?p ?o }")


def test_rdflib_reads_and_writes(server: Served, client: httpx.Client) -> None:
    endpoint = f"{server.url}/scratch/sparql"
    headers = {"Authorization": client.headers["authorization"]}
    store = SPARQLUpdateStore(endpoint, endpoint, headers=headers)
    graph = rdflib.Graph(store, rdflib.URIRef(G))
    triple = (rdflib.URIRef("x:s"), rdflib.URIRef("x:p"), rdflib.Literal("ñ"))
    graph.add(triple)
    assert triple in graph
    assert len(graph) == 1
    graph.remove(triple)
    assert len(graph) == 0


@pytest.mark.parametrize(
    ("method", "parameters", "headers", "body", "status"),
    [
        ("GET", {"update": "CLEAR ALL"}, {}, "", 400),
        ("POST", {}, UPDATE, "LOAD <http://localhost/>", 403),
        ("POST", {}, UPDATE, "INSERT {} WHERE { SERVICE <http://localhost/> {} }", 403),
        ("POST", {}, UPDATE, "CLEAR XYZ", 400),
        ("POST", {}, UPDATE, "ASK {}", 400),
        ("POST", {}, UPDATE, "DROP GRAPH <x:absent>", 409),
        ("POST", {}, UPDATE, b"CLEAR ALL # \xff", 400),
        ("POST", {}, {**UPDATE, "Content-Encoding": "gzip"}, "CLEAR ALL", 400),
        ("POST", {"using-graph-uri": "no IRI"}, UPDATE, "CLEAR ALL", 400),
        ("POST", {"default-graph-uri": G}, UPDATE, "CLEAR ALL", 400),
        ("POST", {}, UPDATE, "INSERT DATA { <x:s> <x:p> '" + "a" * (10 << 20) + "' }", 413),
        ("POST", {}, UPDATE, "DELETE { ?a ?b ?c } WHERE {" + "{" * 300 + "}" * 301, 400),
        ("DELETE", {}, {}, "", 405),
    ],
)  # fmt: skip
def test_update_is_refused(
    client: httpx.Client,
    method: str,
    parameters: dict[str, str],
    headers: dict[str, str],
    body: str | bytes,
    status: int,
) -> None:
    update(client, "INSERT DATA { <x:s> <x:p> 1 }")
    answer = client.request(
        method, "/scratch/sparql", params=parameters, headers=headers, content=body
    )
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert ask(client, "ASK { <x:s> <x:p> 1 }")


@pytest.mark.parametrize(
    "form", [{"update": ["A", "B"]}, {"update": "CLEAR ALL", "query": "ASK {}"}]
)
def test_a_form_holds_one_text(client: httpx.Client, form: dict[str, str]) -> None:
    assert client.post("/scratch/sparql", data=form).status_code == 400


def test_a_fault_is_told_with_its_place(client: httpx.Client) -> None:
    problem = update(client, "INSERT DATA {\n  <x:s> <x:p> ; }").json()
    assert (problem["where"], problem["line"]) == ("update", 2)
    problem = update(client, "INSERT DATA { <x:s> dct:title 1 }").json()
    assert "PREFIX dct: <http://purl.org/dc/terms/>" in problem["hint"]


def test_an_endless_update_is_stopped_and_the_next_is_done(client: httpx.Client) -> None:
    update(client, "INSERT DATA { " + " . ".join(f"<x:{n}> <x:p> {n}" for n in range(300)) + " }")
    with ThreadPoolExecutor(1) as threads:
        endless = threads.submit(update, client, f"INSERT DATA {{ <x:s> a <x:C> }} ; {ENDLESS}")
        time.sleep(0.3)
        # Everything else is served meanwhile.
        assert client.get("/health/ready").status_code == 200
        assert client.get("/catalog.ttl").status_code == 200
        answer = endless.result()
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:bilbaokg:problem:deadline"
    assert "retry-after" in answer.headers
    assert not ask(client, "ASK { <x:s> a <x:C> }")
    assert update(client, "INSERT DATA { <x:s> <x:p> 1 }").status_code == 204


# -- who may -------------------------------------------------------------------------------------


def test_anonymous_has_no_scratch_area(server: Served, client: httpx.Client) -> None:
    update(client, "INSERT DATA { <x:s> <x:p> 1 }")
    with httpx.Client(base_url=server.url, timeout=60) as stranger:
        for answer in (
            stranger.get("/scratch/sparql", params={"query": "ASK {}"}),
            stranger.post("/scratch/sparql", content="CLEAR ALL", headers=UPDATE),
            stranger.get(GRAPHS, params={"graph": G}),
            stranger.put(GRAPHS, params={"graph": G}, headers=TURTLE),
            stranger.delete(f"{GRAPHS}?default"),
        ):
            assert answer.status_code == 401
    assert ask(client, "ASK { <x:s> <x:p> 1 }")


def test_a_token_that_may_only_read_changes_nothing(
    client: httpx.Client, tokens: dict[str, dict[str, str]]
) -> None:
    update(client, "INSERT DATA { <x:s> <x:p> 1 }")
    answer = client.post("/scratch/sparql", data={"query": "ASK { <x:s> <x:p> 1 }"},
                         headers=tokens["read"])  # fmt: skip
    assert answer.json()["boolean"] is True
    for answer in (
        client.post("/scratch/sparql", content="CLEAR ALL", headers={**UPDATE, **tokens["read"]}),
        client.post("/scratch/sparql", data={"update": "CLEAR ALL"}, headers=tokens["read"]),
        client.put(GRAPHS, params={"graph": G}, headers={**TURTLE, **tokens["read"]}),
        client.delete(f"{GRAPHS}?default", headers=tokens["read"]),
    ):
        assert answer.status_code == 403
    assert ask(client, "ASK { <x:s> <x:p> 1 }")


def test_nothing_of_it_is_released_or_in_the_working_store(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    with served(data) as server:
        headers = token(data, "write")
        dataset = "<urn:scratch> a <http://www.w3.org/ns/dcat#Dataset> ."
        put = server.client.put(f"{GRAPHS}?default", content=dataset, headers={**TURTLE, **headers})
        assert put.status_code == 201
        for endpoint in ("/sparql", "/working/sparql"):
            for query in (
                "ASK { <urn:scratch> ?p ?o }",
                "ASK { GRAPH ?g { <urn:scratch> ?p ?o } }",
            ):
                answer = server.client.get(endpoint, params={"query": query}, headers=headers)
                assert answer.json()["boolean"] is False
    release = operate(data, "release.build", unchecked=True)
    assert "urn:scratch" not in (data / "releases" / release["id"] / "catalogue.nq").read_text()


# -- graphs --------------------------------------------------------------------------------------


def test_an_address_below_the_store_is_the_name_of_a_graph(client: httpx.Client) -> None:
    content = "<#me> <x:p> <other> ."
    assert client.put(f"{GRAPHS}/people/1.ttl", content=content, headers=TURTLE).status_code == 201
    graph = f"{BASE}{GRAPHS}/people/1.ttl"
    assert ask(
        client, f"ASK {{ GRAPH <{graph}> {{ <{graph}#me> ?p <{BASE}{GRAPHS}/people/other> }} }}"
    )
    for address in (f"{GRAPHS}/people/1.ttl", f"{GRAPHS}?graph={graph}"):
        answer = client.get(address, headers={"Accept": "application/n-triples"})
        assert answer.text.startswith(f"<{graph}#me>")
    assert client.delete(f"{GRAPHS}/people/1.ttl").status_code == 204
    assert client.head(f"{GRAPHS}/people/1.ttl").status_code == 404


def test_post_to_the_store_names_a_new_graph(client: httpx.Client) -> None:
    made = [client.post(GRAPHS, content="<x:s> <x:p> 1 .", headers=TURTLE) for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 201]
    places = {answer.headers["location"] for answer in made}
    assert len(places) == 2
    for place in places:
        assert place.startswith(f"{BASE}{GRAPHS}/")
        assert client.get(GRAPHS, params={"graph": place}).status_code == 200
        assert client.get(place.removeprefix(BASE)).status_code == 200


def test_head_tells_what_get_would(client: httpx.Client) -> None:
    client.put(f"{GRAPHS}?default", content="<x:s> <x:p> 1 .", headers=TURTLE)
    head = client.head(f"{GRAPHS}?default", headers={"Accept": "text/turtle; charset=utf-8"})
    assert head.headers["content-type"] == "text/turtle; charset=utf-8"
    whole = client.get(f"{GRAPHS}?default", headers={"Accept": "text/turtle"})
    assert head.headers["content-length"] == whole.headers["content-length"]


@pytest.mark.parametrize("media_type", ["application/n-triples", "application/ld+json",
                                        "application/rdf+xml", "text/turtle"])  # fmt: skip
def test_what_is_read_can_be_sent_back(client: httpx.Client, media_type: str) -> None:
    content = '<https://x.example/s> <https://x.example/p> "ñ"@es, 1, [ a <https://x.example/C> ] .'
    client.put(GRAPHS, params={"graph": G}, content=content, headers=TURTLE)
    read = client.get(GRAPHS, params={"graph": G}, headers={"Accept": media_type})
    sent = client.put(
        f"{GRAPHS}?default", content=read.content, headers={"Content-Type": media_type}
    )
    assert sent.status_code == 201, sent.text
    query = """ASK { <https://x.example/s> ?p "ñ"@es, 1, ?b . ?b a <https://x.example/C>
        FILTER isBlank(?b) }"""
    assert ask(client, query)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_without_a_graph_nothing_is_done(client: httpx.Client, method: str) -> None:
    update(client, "INSERT DATA { <x:s> <x:p> 1 }")
    answer = client.request(method, GRAPHS, headers=TURTLE, content="<x:s> <x:p> 2 .")
    assert answer.status_code == 400
    assert ask(client, "ASK { <x:s> <x:p> 1 }")


@pytest.mark.parametrize(
    ("media_type", "content", "status"),
    [
        ("text/csv", "a,b", 415),
        ("text/turtle", "<x:s> <x:p>", 400),
        ("application/trig", "<x:g> { <x:s> <x:p> 1 }", 422),
        ("application/rdf+xml", "<!DOCTYPE a><a/>", 422),
        ("application/ld+json", '{"@context": "http://localhost/", "x": 1}', 400),
        ("text/turtle", "#" * (1 << 20) + "#", 413),
        ("text/turtle", "<x:s> <x:p> " + "[ <x:p> " * 100_000, 400),
    ],
)
def test_a_body_is_refused(
    client: httpx.Client, media_type: str, content: str, status: int
) -> None:
    client.put(GRAPHS, params={"graph": G}, content="<x:s> <x:p> 1 .", headers=TURTLE)
    for method in ("PUT", "POST"):
        answer = client.request(method, GRAPHS, params={"graph": G}, content=content,
                                headers={"Content-Type": media_type})  # fmt: skip
        assert answer.status_code == status, answer.text
    assert ask(client, f"ASK {{ GRAPH <{G}> {{ <x:s> <x:p> 1 }} }}")


def test_it_is_there_after_the_server_was_killed(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    headers = token(data, "write")
    first = Served(data)
    for number in range(20):
        first.client.post("/scratch/sparql", content=f"INSERT DATA {{ <x:s> <x:p> {number} }}",
                          headers={**UPDATE, **headers}).raise_for_status()  # fmt: skip
    first.process.kill()
    first.stop()
    with served(data) as server:
        query = {"query": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"}
        found = server.client.get("/scratch/sparql", params=query, headers=headers).json()
        assert found["results"]["bindings"][0]["n"]["value"] == "20"
        more = server.client.post(
            "/scratch/sparql", content="DROP ALL", headers={**UPDATE, **headers}
        )
        assert more.status_code == 204
