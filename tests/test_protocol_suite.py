"""The W3C tests of protocol and graph store, run from their manifests against a running server.

Queries go to the release, updates and what looks at their outcome to the scratch area. The graph
store of the tests, `/gsp`, is that of the scratch area.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
import rdflib
from helpers import reference_folder
from rdflib.collection import Collection
from rdflib.compare import isomorphic
from serving import Served, by_hand, served, token
from test_server_protocol import BOOLEAN, GRAPHS, RDF, TABULAR

FOLDER: Final = reference_folder() / "suites" / "sparql-protocol"
MF: Final = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
HT: Final = rdflib.Namespace("http://www.w3.org/2011/http#")
CNT: Final = rdflib.Namespace("http://www.w3.org/2011/content#")
CODES: Final = {"OK": 200, "Created": 201, "NoContent": 204, "NotFound": 404}
FORMATS: Final = {"boolean": BOOLEAN, "tabular": TABULAR, "RDF": RDF}
SIZES: Final = {
    "protocol-manifest": 34, "graph-store-manifest": 9, "graph-store-direct-manifest": 4,
}  # fmt: skip


def cases() -> Iterator[Any]:
    """Every test that a manifest lists."""
    for file in sorted(FOLDER.glob("*.ttl")):
        graph = rdflib.Graph().parse(file, format="turtle", publicID="https://suite.example/")
        (manifest,) = graph.subjects(rdflib.RDF.type, MF.Manifest)
        for entry in Collection(graph, graph.value(manifest, MF.entries)):
            yield pytest.param(graph, entry, id=f"{file.stem}/{str(entry).partition('#')[2]}")


CASES: Final = list(cases())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(by_hand(tmp_path_factory.mktemp("suite") / "data", GRAPHS)) as server:
        server.client.headers.update(token(server.data, "write"))
        yield server


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no suite at {FOLDER}")
def test_the_suite_is_whole() -> None:
    found = {name: len([c for c in CASES if str(c.id).startswith(name)]) for name in SIZES}
    assert found == SIZES


@pytest.mark.parametrize(("graph", "entry"), CASES)
def test_exchange(server: Served, graph: rdflib.Graph, entry: Any) -> None:
    server.client.post("/scratch/sparql", data={"update": "DROP ALL"}).raise_for_status()
    is_update = "update" in str(entry)
    connection = graph.value(entry, MF.action)
    known = {"$LOCATION$": ""}
    for request in Collection(graph, graph.value(connection, HT.requests)):
        answer = send(server, graph, request, is_update=is_update, known=known)
        check(graph, graph.value(request, HT.resp), answer)
        known["$LOCATION$"] = answer.headers.get("location", known["$LOCATION$"])


def send(
    server: Served, graph: rdflib.Graph, request: Any, *, is_update: bool, known: dict[str, str]
) -> httpx.Response:
    path = str(graph.value(request, HT.absolutePath))
    for name, value in known.items():
        path = path.replace(name, value)
    endpoint = "/scratch/sparql" if is_update else "/sparql"
    path = path.replace("/sparql/", endpoint, 1).replace("/gsp", "/scratch/graph-store", 1)
    content, encoding = b"", "utf-8"
    if body := graph.value(request, HT.body):
        encoding = str(graph.value(body, CNT.characterEncoding) or encoding)
        content = str(graph.value(body, CNT.chars)).encode(encoding)
    headers = headers_of(graph, request)
    method = str(graph.value(request, HT.methodName))
    return server.client.request(method, path, headers=headers, content=content)


def headers_of(graph: rdflib.Graph, message: Any) -> dict[str, str]:
    listed = graph.value(message, HT.headers)
    return {
        str(graph.value(header, HT.fieldName)).lower(): str(graph.value(header, HT.fieldValue))
        for header in (Collection(graph, listed) if listed else ())
    }


def check(graph: rdflib.Graph, expected: Any, answer: httpx.Response) -> None:
    wanted = [
        str(status).rpartition("#")[2] for status in graph.objects(expected, MF.expectedStatus)
    ]
    fitting = [
        answer.status_code == CODES.get(name) or f"StatusCode{answer.status_code // 100}xx" == name
        for name in wanted
    ]
    assert any(fitting), (wanted, answer.status_code, answer.text)
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    if (kind := graph.value(expected, MF.expectedFormat)) is not None:
        assert media_type in FORMATS[str(kind)]
    if (boolean := graph.value(expected, MF.expectedBoolean)) is not None:
        assert answer.json()["boolean"] is bool(boolean)
    for name, value in headers_of(graph, expected).items():
        assert answer.headers[name] == value
    if body := graph.value(expected, HT.body):
        told = rdflib.Graph().parse(data=str(graph.value(body, CNT.chars)), format="turtle")
        assert isomorphic(told, rdflib.Graph().parse(data=answer.text, format="turtle"))
