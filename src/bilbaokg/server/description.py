"""The endpoints described for programs (SPARQL 1.1 Service Description).

Each endpoint answers its own description where no query is sent; `/service.{ttl,...}` holds all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bilbaokg.model import Release
from bilbaokg.server.context import Context
from bilbaokg.server.feeds import EXTENSIONS
from bilbaokg.server.validators import media_type
from bilbaokg.terms import RDF, RDFS, XSD, Namespace, literal, ref
from bilbaokg.writing import to_bytes

__all__ = ["PUBLIC", "SCRATCH", "SD", "WORKING", "Service", "describe", "routes"]

SD: Final = Namespace("http://www.w3.org/ns/sparql-service-description#")
_VOID: Final = Namespace("http://rdfs.org/ns/void#")
_FORMATS: Final = Namespace("http://www.w3.org/ns/formats/")
_ROWS: Final = ("SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV",
                "SPARQL_Results_TSV")  # fmt: skip
_GRAPHS: Final = ("Turtle", "N-Triples", "RDF_XML", "JSON-LD")
# With more, the description would be as long as the catalogue: a query lists them.
_MOST_GRAPHS: Final = 100


@dataclass(frozen=True, slots=True)
class Service:
    """One endpoint: its path, and the path of the graph store over the same data.

    union: the default graph is the union of all; private: it takes a token; updates: it takes them.
    """

    path: str
    graph_store: str
    union: bool = True
    private: bool = True
    updates: bool = False


PUBLIC: Final = Service("/sparql", "/graph-store", private=False)
WORKING: Final = Service("/working/sparql", "/working/graph-store")
SCRATCH: Final = Service("/scratch/sparql", "/scratch/graph-store", union=False, updates=True)


def routes(context: Context) -> list[BaseRoute]:
    """All descriptions, in one document for each format."""
    return [
        Route(f"/service.{ext}", partial(_document, context, ext), name=f"service.{ext}")
        for ext in EXTENSIONS
    ]


def _document(context: Context, ext: str, request: Request) -> Response:
    services = [PUBLIC, *([WORKING, SCRATCH] if context.workspace else [])]
    lines = sorted(line for service in services for line in _lines(context, service))
    headers = {"Cache-Control": "no-cache"}
    return Response(to_bytes(lines, ext), headers=headers, media_type=media_type(ext))


def describe(context: Context, service: Service) -> list[str]:
    """What an endpoint can, as N-Triples lines."""
    return sorted(_lines(context, service))


def _lines(context: Context, service: Service) -> Iterator[str]:
    label = service.path.strip("/").replace("/", "-")
    node, dataset, graph = f"_:{label}", f"_:{label}-dataset", f"_:{label}-default"
    yield _line(node, RDF.type, ref(SD.Service))
    yield _line(node, SD.endpoint, ref(context.url(service.path)))
    yield _line(node, RDFS.seeAlso, ref(context.url(service.graph_store)))
    for language in ("SPARQL11Query", *(["SPARQL11Update"] if service.updates else [])):
        yield _line(node, SD.supportedLanguage, ref(SD[language]))
    if service.union:
        yield _line(node, SD.feature, ref(SD.UnionDefaultGraph))
    for name in (*_ROWS, *_GRAPHS):
        yield _line(node, SD.resultFormat, ref(_FORMATS[name]))
    for name in _GRAPHS if service.updates else ():
        yield _line(node, SD.inputFormat, ref(_FORMATS[name]))
    yield _line(node, SD.defaultDataset, dataset)
    yield _line(dataset, RDF.type, ref(SD.Dataset))
    yield _line(dataset, SD.defaultGraph, graph)
    yield _line(graph, RDF.type, ref(SD.Graph))
    if not service.private and (release := context.current()):
        yield from _released(context, release, dataset, graph)


def _released(context: Context, release: Release, dataset: str, graph: str) -> Iterator[str]:
    """How much the release holds; of few records, which."""
    entries = list(release.entries)
    yield _line(graph, _VOID.triples, _count(sum(entry.statements for entry in entries)))
    for number, entry in enumerate(entries if len(entries) <= _MOST_GRAPHS else ()):
        named, content = f"_:named{number}", f"_:graph{number}"
        yield _line(dataset, SD.namedGraph, named)
        yield _line(named, RDF.type, ref(SD.NamedGraph))
        yield _line(named, SD.name, ref(f"{context.settings.base}/graph/record/{entry.id}"))
        yield _line(named, SD.graph, content)
        yield _line(content, RDF.type, ref(SD.Graph))
        yield _line(content, _VOID.triples, _count(entry.statements))


def _line(subject: str, predicate: str, object: str) -> str:
    return f"{subject} {ref(predicate)} {object} ."


def _count(number: int) -> str:
    return literal(str(number), datatype=XSD.integer)
