"""The SPARQL endpoint beyond the protocol: formats, validators, limits, releases, real clients."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
import rdflib
from helpers import eventually
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from serving import (
    BASE,
    CATALOGUE,
    Served,
    by_hand,
    initialise,
    is_evaluating,
    load,
    operate,
    published,
    served,
    token,
)
from SPARQLWrapper import (
    CSV,
    JSON,
    JSONLD,
    N3,
    POSTDIRECTLY,
    RDFXML,
    TSV,
    TURTLE,
    XML,
    SPARQLWrapper,
)

PREFIXES = (
    "PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX dct: <http://purl.org/dc/terms/> "
    f"PREFIX g: <{BASE}/graph/record/dataset/> PREFIX d: <{BASE}/id/dataset/> "
)
TITLES = PREFIXES + "SELECT ?t { ?s a dcat:Dataset ; dct:title ?t } ORDER BY ?t"
CONSTRUCT = PREFIXES + "CONSTRUCT { ?s dct:title ?t } { ?s a dcat:Dataset ; dct:title ?t }"
PAIRS = " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(12))
FOREVER = f"SELECT (COUNT(*) AS ?n) {{ {PAIRS} }}"
ENDLESS = f"SELECT * {{ {PAIRS} }}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = published(tmp_path_factory.mktemp("sparql") / "data", query_seconds=3.0)
    with served(data) as server:
        yield server


def ask(server: Served, query: str, accept: str | None = None, **parameters: str) -> httpx.Response:
    headers = {"Accept": accept} if accept else {"Accept": "*/*"}
    return server.client.get("/sparql", params={"query": query, **parameters}, headers=headers)


# -- formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "format", "content_type"),
    [
        (None, None, "application/sparql-results+json"),
        ("application/json", "json", "application/sparql-results+json"),
        ("application/sparql-results+xml", "xml", "application/sparql-results+xml"),
        ("text/csv", "csv", "text/csv; charset=utf-8"),
        ("text/tab-separated-values", "tsv", "text/tab-separated-values; charset=utf-8"),
        ("text/csv;q=0.2, application/json", None, "application/sparql-results+json"),
        ("text/turtle, application/json;q=0.1", None, "application/sparql-results+json"),
    ],
)  # fmt: skip
def test_select_formats(
    server: Served, accept: str | None, format: str | None, content_type: str
) -> None:
    answer = ask(server, TITLES, accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert "Árboles" in answer.text
    if format:
        assert ask(server, TITLES, None, format=format).content == answer.content


def graph(content: bytes, parser: str) -> rdflib.Graph:
    with warnings.catch_warnings():
        # RDFLib's own JSON-LD parser uses what RDFLib has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        return rdflib.Graph().parse(data=content, format=parser)


@pytest.mark.parametrize(
    ("accept", "format", "parser"),
    [
        ("text/turtle", "ttl", "turtle"),
        ("application/n-triples", "nt", "nt"),
        ("application/rdf+xml", "rdf", "xml"),
        ("application/ld+json", "jsonld", "json-ld"),
    ],
)
def test_construct_formats(server: Served, accept: str, format: str, parser: str) -> None:
    answer = ask(server, CONSTRUCT, accept)
    assert answer.headers["content-type"].partition(";")[0] == accept
    assert len(graph(answer.content, parser)) == 3
    named = ask(server, CONSTRUCT, format=format)
    assert len(graph(named.content, parser)) == 3


@pytest.mark.parametrize(
    ("query", "accept"),
    [(TITLES, "text/turtle"), (CONSTRUCT, "text/csv"), ("ASK {}", "application/rdf+xml")],
)
def test_format_of_the_other_kind_is_406(server: Served, query: str, accept: str) -> None:
    answer = ask(server, query, accept)
    assert answer.status_code == 406
    assert answer.json()["available"]


def test_a_triple_term_has_no_json_ld(server: Served) -> None:
    query = "CONSTRUCT { <x:s> <x:p> <<( <x:s> <x:p> 1 )>> } WHERE {}"
    assert ask(server, query, "text/turtle").status_code == 200
    answer = ask(server, query, "application/ld+json")
    assert answer.status_code == 406
    assert "Turtle" in answer.json()["hint"]


def test_unknown_formats_are_406(server: Served) -> None:
    assert ask(server, TITLES, "image/png").status_code == 406


def test_format_that_nobody_knows_is_left_to_accept(server: Served) -> None:
    assert ask(server, TITLES, "text/csv", format="exe").headers["content-type"][:8] == "text/csv"
    assert ask(server, TITLES, "text/csv", format="ttl").headers["content-type"][:8] == "text/csv"


def test_every_representation_says_what_it_varies_with(server: Served) -> None:
    assert "Accept" in ask(server, TITLES).headers["vary"]


def test_head_is_get_without_a_body(server: Served) -> None:
    get = ask(server, TITLES)
    head = server.client.head("/sparql", params={"query": TITLES})
    assert head.status_code == 200
    assert head.content == b""
    for name in ("content-type", "content-length", "etag", "vary"):
        assert head.headers[name] == get.headers[name]


# -- the dataset ---------------------------------------------------------------------------------


def value(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    (binding,) = answer.json()["results"]["bindings"]
    (cell,) = binding.values()
    return str(cell["value"])


COUNT = PREFIXES + "SELECT (COUNT(*) AS ?n) {0} {{ ?s a dcat:Dataset }}"


def test_default_graph_is_the_union_of_the_records(server: Served) -> None:
    assert value(ask(server, COUNT.format(""))) == "2"


def test_named_graphs_stay_visible(server: Served) -> None:
    query = PREFIXES + "SELECT ?g { GRAPH ?g { d:trees a dcat:Dataset } }"
    assert value(ask(server, query)) == f"{BASE}/graph/record/dataset/trees"


def test_from_is_heard(server: Served) -> None:
    assert value(ask(server, COUNT.format("FROM g:trees"))) == "1"
    assert value(ask(server, COUNT.format("FROM NAMED g:trees"))) == "0"
    assert value(ask(server, COUNT.format("FROM <http://127.0.0.1:9/>"))) == "0"


def test_protocol_dataset_hides_the_other_graphs(server: Served) -> None:
    graph = f"{BASE}/graph/record/dataset/trees"
    everywhere = PREFIXES + "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s a dcat:Dataset } }"
    url = {"default-graph-uri": graph}
    assert value(ask(server, COUNT.format(""), **url)) == "1"
    assert value(ask(server, COUNT.format("FROM g:noise"), **url)) == "1"
    assert value(ask(server, everywhere, **url)) == "0"
    assert value(ask(server, everywhere, **{"named-graph-uri": graph})) == "1"
    assert value(ask(server, COUNT.format(""), **{"named-graph-uri": graph})) == "0"


def test_relative_iris_have_the_endpoint_as_base(server: Served) -> None:
    assert value(ask(server, "SELECT (STR(<x>) AS ?i) {}")) == f"{BASE}/x"


# -- validators, caches, other sites -------------------------------------------------------------


def test_etag_brings_304(server: Served) -> None:
    first = ask(server, TITLES)
    again = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
    second = server.client.get("/sparql", params={"query": TITLES}, headers=again)
    assert second.status_code == 304
    assert second.content == b""
    assert second.headers["etag"] == first.headers["etag"]


def test_etags_differ_by_query_format_and_dataset(server: Served) -> None:
    answers = [
        ask(server, TITLES), ask(server, TITLES, "text/csv"), ask(server, TITLES + " LIMIT 1"),
        ask(server, TITLES, **{"default-graph-uri": "x:g"}),
    ]  # fmt: skip
    assert len({answer.headers["etag"] for answer in answers}) == len(answers)


@pytest.mark.parametrize("graph", ["g", "http://[bad", "http://a:port/", "x:a b", ""])
@pytest.mark.parametrize("name", ["default-graph-uri", "named-graph-uri"])
def test_graph_that_is_no_iri_is_refused(server: Served, name: str, graph: str) -> None:
    assert ask(server, "ASK {}", **{name: graph}).status_code == 400


@pytest.mark.parametrize("changing", ["RAND()", "NOW()", "UUID ()", "STRUUID()", "BNODE()"])
def test_what_changes_has_no_validator(server: Served, changing: str) -> None:
    answer = ask(server, f"SELECT ({changing} AS ?x) {{}}")
    assert answer.status_code == 200
    assert "etag" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


def test_other_sites_may_read(server: Served) -> None:
    assert ask(server, TITLES).headers["access-control-allow-origin"] == "*"
    assert ask(server, "nonsense").headers["access-control-allow-origin"] == "*"
    headers = {
        "Origin": "https://other.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }  # fmt: skip
    answer = server.client.options("/sparql", headers=headers)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "content-type" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers


def test_other_sites_may_not_read_what_is_not_public(server: Served) -> None:
    headers = token(server.data, "read", "cors") | {"Origin": "https://other.example"}
    answer = server.client.get("/working/sparql?query=ASK{}", headers=headers)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


# -- errors --------------------------------------------------------------------------------------


def test_syntax_error_has_its_place(server: Served) -> None:
    problem = ask(server, "SELECT * {\n  ?s ?p }").json()
    assert (problem["status"], problem["line"]) == (400, 2)
    assert 7 < problem["column"] < 11
    assert problem["excerpt"] == "  ?s ?p }"
    assert problem["hint"].startswith("something is missing")
    assert ask(server, "SELECT * { ?s ?p ?o } ORDER").json()["hint"].startswith("expected ")


def test_prefix_that_is_not_declared_is_named(server: Served) -> None:
    problem = ask(server, "SELECT * { ?s\n a dcat:Dataset }").json()
    assert problem["detail"] == "the prefix dcat: is not declared"
    assert problem["hint"] == "begin the query with PREFIX dcat: <http://www.w3.org/ns/dcat#>"
    assert (problem["line"], problem["column"]) == (2, 4)


def test_query_over_the_size_limit_is_413(server: Served) -> None:
    answer = server.client.post("/sparql", data={"query": "ASK {} #" + "x" * (1 << 20)})
    assert answer.status_code == 413


def test_compressed_query_is_415(server: Served) -> None:
    headers = {"Content-Type": "application/sparql-query", "Content-Encoding": "gzip"}
    assert server.client.post("/sparql", content=b"\x1f\x8b", headers=headers).status_code == 415


def test_control_characters_in_a_query_do_not_reach_the_log_raw(server: Served) -> None:
    ask(server, "ASK { \x1b[31m \n\n SERVICE }")
    for line in server.logged():
        assert "\x1b" not in json.dumps(line)


# -- limits --------------------------------------------------------------------------------------


def test_deadline_is_503_with_retry_after(server: Served) -> None:
    answer = ask(server, FOREVER)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["type"].endswith("deadline")


def test_answer_that_began_is_cut_not_ended(server: Served) -> None:
    received: list[bytes] = []
    with server.client.stream("GET", "/sparql", params={"query": ENDLESS}) as answer:
        assert answer.status_code == 200
        assert answer.headers["transfer-encoding"] == "chunked"
        with pytest.raises(httpx.RemoteProtocolError):
            received.extend(answer.iter_raw())
    assert sum(map(len, received)) > 64 << 10
    assert ask(server, "ASK {}").status_code == 200


def test_large_answer_arrives_whole_and_in_pieces(server: Served) -> None:
    numbers = " ".join(str(n) for n in range(400))
    query = f"SELECT * {{ VALUES ?a {{ {numbers} }} VALUES ?b {{ {numbers} }} }}"
    params = {"query": query, "format": "tsv"}
    plain = {"Accept-Encoding": "identity"}
    with server.client.stream("GET", "/sparql", params=params, headers=plain) as answer:
        pieces = list(answer.iter_raw())
    assert b"".join(pieces).count(b"\n") == 160_001
    assert len(pieces) > 10


def test_client_that_goes_away_stops_its_query(tmp_path: Path) -> None:
    with served(published(tmp_path / "data", query_seconds=30.0), workers=1) as server:
        address = urlsplit(server.url)

        def stopped() -> int:
            return sum("went away" in line["message"] for line in server.logged())

        for number in range(4):
            with socket.create_connection((address.hostname, address.port)) as client:
                path = f"/sparql?query={quote(FOREVER)}"
                client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                assert eventually(lambda: is_evaluating(server))
            # Their own deadline is far away: there is room only because they were stopped.
            assert eventually(lambda: stopped() == number + 1)  # noqa: B023
        assert ask(server, "ASK {}").status_code == 200


@pytest.mark.faults
def test_more_long_queries_than_workers_do_not_stop_the_cheap_ones(server: Served) -> None:
    def bomb(_: int) -> httpx.Response:
        return httpx.get(f"{server.url}/sparql", params={"query": FOREVER}, timeout=60)

    with ThreadPoolExecutor(8) as others:
        running = [others.submit(bomb, n) for n in range(8)]
        time.sleep(0.2)
        meanwhile = 0
        while not all(each.done() for each in running):
            assert ask(server, TITLES).status_code == 200
            meanwhile += 1
        answers = [each.result() for each in running]
    assert {answer.status_code for answer in answers} == {503}
    assert all(answer.headers["retry-after"] for answer in answers)
    # Had each waited for a long one to end, there would be no more of them.
    assert meanwhile > len(answers)


def test_queries_behind_a_long_one_get_another_worker(server: Served) -> None:
    def bomb(number: int) -> httpx.Response:
        query = FOREVER.replace("?n", "?one" if number else "?other")
        return httpx.get(f"{server.url}/sparql", params={"query": query}, timeout=60)

    with ThreadPoolExecutor(40) as others:
        running = [others.submit(bomb, n) for n in range(2)]
        cheap = [others.submit(ask, server, f"ASK {{}} # {n}") for n in range(32)]
        assert {each.result().status_code for each in cheap} == {200}
        assert {each.result().status_code for each in running} == {503}


def test_text_that_was_slow_waits_apart_and_the_quick_lane_stays_free(server: Served) -> None:
    slow = FOREVER.replace("?n", "?known")
    assert ask(server, f"{slow} # first").status_code == 503
    with ThreadPoolExecutor(8) as others:
        running = [others.submit(ask, server, f"{slow} # {n}", timeout="1") for n in range(6)]
        assert eventually(lambda: is_evaluating(server))
        assert ask(server, TITLES).status_code == 200
        assert not all(each.done() for each in running)
        assert {each.result().status_code for each in running} == {503}


@pytest.mark.parametrize("seconds", ["0", "-1", "ten", "1e3", ""])
def test_timeout_that_is_no_number_of_seconds_is_refused(server: Served, seconds: str) -> None:
    expected = 400 if seconds else 200
    assert ask(server, TITLES, timeout=seconds).status_code == expected


def test_client_may_set_a_shorter_deadline(server: Served) -> None:
    answer = ask(server, f"{FOREVER} # short", timeout="0.3")
    assert answer.status_code == 503
    assert "0.3 s" in answer.json()["detail"]


# -- compression and what is kept ----------------------------------------------------------------


def test_large_answers_are_compressed_for_those_who_like_it(server: Served) -> None:
    numbers = " ".join(str(n) for n in range(1000))
    query = f"SELECT * {{ VALUES ?a {{ {numbers} }} }}"
    packed = ask(server, query, format="csv")
    headers = {"Accept-Encoding": "identity"}
    params = {"query": query, "format": "csv"}
    plain = server.client.get("/sparql", params=params, headers=headers)
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert packed.headers["etag"] != plain.headers["etag"]
    assert "Accept-Encoding" in packed.headers["vary"]
    assert int(packed.headers["content-length"]) < len(plain.content)


def test_small_answers_are_not_compressed(server: Served) -> None:
    assert "content-encoding" not in ask(server, "ASK {}").headers


def test_answer_that_is_kept_is_the_same_and_needs_no_worker(tmp_path: Path) -> None:
    with served(published(tmp_path / "data")) as server:
        first = ask(server, TITLES)
        for worker in workers_of(server):
            os.kill(worker, signal.SIGSTOP)
        again = ask(server, TITLES)
        head = server.client.head("/sparql", params={"query": TITLES}, headers={"Accept": "*/*"})
        for worker in workers_of(server):
            os.kill(worker, signal.SIGCONT)
        assert again.content == first.content
        assert again.headers["etag"] == first.headers["etag"] == head.headers["etag"]
        assert head.content == b""


def test_nothing_is_kept_where_the_settings_say_so(tmp_path: Path) -> None:
    with served(published(tmp_path / "data", cache_bytes=0)) as server:
        assert ask(server, TITLES).content == ask(server, TITLES).content


def workers_of(server: Served) -> list[int]:
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    pids = [int(pid) for pid in children.read_text().split()]
    threads = Path(f"/proc/{server.process.pid}/task").iterdir()
    return pids + [
        int(pid) for thread in threads if thread.name != str(server.process.pid)
        for pid in (thread / "children").read_text().split()
    ]  # fmt: skip


# -- releases ------------------------------------------------------------------------------------


def test_without_a_release_the_dataset_is_empty(tmp_path: Path) -> None:
    with served(initialise(tmp_path / "data")) as server:
        assert ask(server, "ASK { ?s ?p ?o }").json()["boolean"] is False
        assert server.client.get("/health/ready").json() == {"status": "ready", "release": None}


def test_new_release_and_rollback_are_seen_at_once(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    load(data, CATALOGUE.replace("Ruido", "Sonido"))
    operate(data, "release.build", unchecked=True)
    with served(data) as server:
        old = ask(server, TITLES)
        assert "Ruido" in old.text
        from bilbaokg.server import control

        for operation, title in (("release.publish", "Sonido"), ("release.rollback", "Ruido")):
            control.call(data, operation, {})
            assert title in ask(server, TITLES).text
        assert ask(server, TITLES).headers["etag"] == old.headers["etag"]


def test_working_store_shows_what_is_not_released(server: Served) -> None:
    headers = token(server.data, "write", "loader")
    body = PREFIXES + 'd:new a dcat:Dataset ; dct:title "Nuevo"@es .'
    loaded = server.client.post(
        "/api/load?source=new", content=body, headers={**headers, "Content-Type": "text/turtle"}
    )
    assert loaded.status_code == 200, loaded.text
    assert "Nuevo" not in ask(server, TITLES).text
    working = server.client.get("/working/sparql", params={"query": TITLES}, headers=headers)
    assert "Nuevo" in working.text
    assert "etag" not in working.headers


# -- other people's clients ----------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("format", [JSON, XML, CSV, TSV])
def test_sparqlwrapper_selects(server: Served, method: str, format: str) -> None:
    client = SPARQLWrapper(f"{server.url}/sparql")
    client.setMethod(method)
    client.setQuery(TITLES)
    client.setReturnFormat(format)
    body = client.query().response.read()
    assert "Árboles".encode() in body


def test_sparqlwrapper_posts_the_query_itself(server: Served) -> None:
    client = SPARQLWrapper(f"{server.url}/sparql", returnFormat=JSON)
    client.setMethod("POST")
    client.setRequestMethod(POSTDIRECTLY)
    client.setQuery(TITLES)
    assert len(client.queryAndConvert()["results"]["bindings"]) == 3


@pytest.mark.parametrize("format", [TURTLE, N3, RDFXML, JSONLD])
def test_sparqlwrapper_constructs(server: Served, format: str) -> None:
    client = SPARQLWrapper(f"{server.url}/sparql")
    client.setQuery(CONSTRUCT)
    client.setReturnFormat(format)
    parser = {RDFXML: "xml", JSONLD: "json-ld"}.get(format, "turtle")
    assert len(graph(client.query().response.read(), parser)) == 3


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
def test_rdflib_sparql_store(server: Served, method: str) -> None:
    store = SPARQLStore(f"{server.url}/sparql", method=method, returnFormat="json")
    graph = rdflib.Graph(store)
    dataset = rdflib.URIRef(f"{BASE}/id/dataset/trees")
    titles = set(graph.objects(dataset, rdflib.DCTERMS.title))
    assert titles == {rdflib.Literal("Árboles", "es"), rdflib.Literal("Zuhaitzak", "eu")}
    assert len(list(graph.query(TITLES))) == 3


def test_literals_come_back_as_the_store_holds_them(tmp_path: Path) -> None:
    text = '"a\\"b\\\\c\\nd\\te<&>é\U0001f333"'
    with served(by_hand(tmp_path / "data", f"<x:s> <x:p> {text} <x:g> .\n")) as server:
        found = ask(server, "SELECT ?o { ?s ?p ?o }")
        assert value(found) == 'a"b\\c\nd\te<&>é\U0001f333'
