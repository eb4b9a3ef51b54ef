"""Saved queries over HTTP: parameters, formats, pages, a city's own, the OpenAPI document."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from serving import Served, published, served

from bilbaokg import queries

OWN = """# title@es: Títulos
# title@en: Titles
# param word: string optional
# param limit: integer = 100
SELECT ?dataset ?title WHERE {
  ?dataset <http://purl.org/dc/terms/title> ?title .
} ORDER BY ?title ?dataset LIMIT ?limit
"""
GRAPH = "# title@en: All titles\nCONSTRUCT WHERE { ?s <http://purl.org/dc/terms/title> ?title }"
ROWS = """# title@en: Numbers
# param word: string
SELECT ?given ?n WHERE { VALUES ?n { 1 2 3 4 5 6 7 } BIND(?word AS ?given) } ORDER BY ?n
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = published(tmp_path_factory.mktemp("queries") / "data")
    (data / "queries").mkdir()
    for name, text in (("titles", OWN), ("all-titles", GRAPH), ("numbers", ROWS)):
        (data / "queries" / f"{name}.rq").write_text(text, encoding="utf-8")
    with served(data) as server:
        yield server


def test_every_saved_query_is_listed_and_answers(server: Served) -> None:
    listed = server.client.get("/api/queries").json()["queries"]
    assert {q["name"] for q in listed} == {*queries.saved(), "titles", "all-titles", "numbers"}
    for query in listed:
        required = [p for p in query["params"] if not p["optional"] and p["default"] is None]
        given = {p["name"]: "x" for p in required}
        answer = server.client.get(query["href"], params=given)
        assert answer.status_code == 200, (query["name"], answer.text)


def test_answer_is_that_of_the_endpoint(server: Served) -> None:
    answer = server.client.get("/api/queries/titles", params={"limit": "2"})
    asked = OWN.replace("?limit", "2")
    assert answer.json() == server.client.get("/sparql", params={"query": asked}).json()
    assert answer.headers["content-type"] == "application/sparql-results+json"


@pytest.mark.parametrize(
    ("name", "accept", "format", "expected"),
    [
        ("titles", "text/csv", None, "text/csv"),
        ("titles", "application/sparql-results+xml", None, "application/sparql-results+xml"),
        ("titles", None, "tsv", "text/tab-separated-values"),
        ("all-titles", "text/turtle", None, "text/turtle"),
        ("all-titles", None, "jsonld", "application/ld+json"),
    ],
)
def test_answer_comes_in_the_format_that_is_asked_for(
    server: Served, name: str, accept: str | None, format: str | None, expected: str
) -> None:
    answer = server.client.get(
        f"/api/queries/{name}",
        params={"format": format} if format else {},
        headers={"Accept": accept} if accept else {},
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == expected


def test_people_are_shown_the_answer_on_the_sparql_page(server: Served) -> None:
    headers = {"Accept": "text/html", "Accept-Language": "eu"}
    answer = server.client.get("/api/queries/titles?limit=3", headers=headers)
    assert answer.status_code == 303
    place = urlsplit(answer.headers["location"])
    assert place.path == "/eu/sparql"
    assert "LIMIT 3" in parse_qs(place.query)["query"][0]
    assert "title@" not in parse_qs(place.query)["query"][0]
    assert server.client.get(answer.headers["location"], headers=headers).status_code == 200


def test_value_is_a_term_and_never_text(server: Served) -> None:
    word = 'x" ) } DROP ALL #\n\t'
    found = server.client.get("/api/queries/numbers", params={"word": word}).json()
    assert len(found["results"]["bindings"]) == 7


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("titles?limit=many", 400, "a whole number"),
        ("titles?size=3", 400, "no parameter 'size'"),
        ("titles?limit=1&limit=2", 400, "given twice"),
        ("titles?page=0", 400, "page is no number from 1"),
        ("titles?page=1&page_size=10001", 400, "page_size is no number from 1 to 10,000"),
        ("titles?page=%D9%A1", 400, "page is no number"),
        ("titles?word=%FF", 400, "lone surrogates"),
        ("numbers", 400, "needs the parameter 'word'"),
        ("all-titles?page=1", 400, "only rows come in pages"),
        ("title", 404, "did you mean titles"),
        ("titles?format=ttl", 200, ""),
    ],
)
def test_what_cannot_be_answered_is_said(
    server: Served, address: str, status: int, said: str
) -> None:
    answer = server.client.get(f"/api/queries/{address}")
    assert answer.status_code == status, answer.text
    if said:
        assert answer.headers["content-type"] == "application/problem+json"
        assert said in " ".join(map(str, answer.json().values()))


def test_pages_hold_every_row_once_in_order(server: Served) -> None:
    found: list[str] = []
    place = "/api/queries/numbers?word=a%20b&page=1&page_size=3"
    pages = 0
    while place:
        answer = server.client.get(place, headers={"Accept": "text/csv"})
        found += [row[1] for row in list(csv.reader(io.StringIO(answer.text)))[1:]]
        place = answer.links.get("next", {}).get("url", "")
        assert ("prev" in answer.links) is (pages > 0)
        pages += 1
    assert found == list("1234567")
    assert pages == 3


def test_page_keeps_terms_as_they_are(server: Served) -> None:
    whole = server.client.get("/api/queries/titles").json()
    page = server.client.get("/api/queries/titles?page=1&page_size=10000").json()
    assert page == whole


def test_same_answer_is_not_sent_twice(server: Served) -> None:
    first = server.client.get("/api/queries/titles?page=1")
    again = server.client.get(
        "/api/queries/titles?page=1", headers={"If-None-Match": first.headers["etag"]}
    )
    assert again.status_code == 304
    other = server.client.get("/api/queries/titles?page=2")
    assert other.headers["etag"] != first.headers["etag"]
    head = server.client.head("/api/queries/titles?page=1")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == first.headers["etag"]


def test_language_is_the_clients_unless_given(server: Served) -> None:
    name = next(n for n, q in queries.saved().items() if q.params.get("language") == "lang")
    headers = {"Accept-Language": "eu", "Accept": "text/html"}
    place = server.client.get(f"/api/queries/{name}", headers=headers).headers["location"]
    assert '"eu"' in parse_qs(urlsplit(place).query)["query"][0]
    place = server.client.get(f"/api/queries/{name}?language=en", headers=headers)
    assert '"en"' in parse_qs(urlsplit(place.headers["location"]).query)["query"][0]


def test_a_file_that_is_no_query_costs_only_itself(server: Served) -> None:
    wrong = server.data / "queries" / "wrong.rq"
    wrong.write_text("# param x: colour\nASK {}", encoding="utf-8")
    try:
        listed = server.client.get("/api/queries").json()["queries"]
        assert {q["name"] for q in listed} == {*queries.saved(), "titles", "all-titles", "numbers"}
    finally:
        wrong.unlink()


def test_openapi_document_has_each_with_its_parameters(server: Served) -> None:
    document = server.client.get("/api/openapi.json").json()
    found = {p.rpartition("/")[2] for p in document["paths"] if p.startswith("/api/queries/")}
    assert found == {*queries.saved(), "titles", "all-titles", "numbers"}
    operation = document["paths"]["/api/queries/titles"]["get"]
    known = {p["name"]: p for p in operation["parameters"]}
    assert known["limit"]["schema"] == {"type": "integer", "default": 100}
    assert not known["word"]["required"]
    assert {"page", "page_size", "format"} <= set(known)
    assert "/api/status" in document["paths"]
