"""The reference engine: pySHACL on rdflib."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pyshacl
import rdflib
from pyshacl.errors import ReportableRuntimeError
from rdflib.term import BNode, Identifier, Literal, Node, URIRef

from bilbaokg.errors import Invalid
from bilbaokg.shacl.engine import Finding
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.skolem import GENID
from bilbaokg.terms import SH, language_of, literal, plain, split_line

__all__ = ["engine"]

# rdflib.NORMALIZE_LITERALS belongs to the whole process, so only one run changes it at a time.
_LOCK: Final = threading.Lock()


def engine(data: Sequence[str], shapes: Shapes) -> Iterable[Finding]:
    """Validate with pySHACL (see engine.Engine). Runs of several threads wait for each other."""
    with _LOCK, _exact_literals():
        terms = _Terms()
        report = _run(terms.graph(data), terms.graph(shapes.lines))
        return list(_findings(report, terms))


@contextmanager
def _exact_literals() -> Iterator[None]:
    """Literals stay as written, and rdflib does not log each ill-typed one."""
    log = logging.getLogger("rdflib.term")
    normalize, disabled = rdflib.NORMALIZE_LITERALS, log.disabled
    rdflib.NORMALIZE_LITERALS, log.disabled = False, True
    try:
        yield
    finally:
        rdflib.NORMALIZE_LITERALS, log.disabled = normalize, disabled


class _Terms:
    """Translates terms both ways. Skolem IRIs are blank nodes while the engine runs."""

    def __init__(self) -> None:
        self.known: dict[str, Identifier] = {}
        self.skolem: dict[str, str] = {}

    def graph(self, lines: Iterable[str]) -> rdflib.Graph:
        graph = rdflib.Graph(bind_namespaces="none")
        for line in lines:
            s, p, o = split_line(line)
            graph.add((self._node(s), self._node(p), self._node(o)))
        return graph

    def _node(self, term: str) -> Any:
        node = self.known.get(term)
        if node is None:
            node = self.known[term] = self._make(term)
        return node

    def _make(self, term: str) -> Identifier:
        value = plain(term)
        if term.startswith("<"):
            if GENID not in value:
                return URIRef(value)
            label = value.partition(GENID)[2]
            self.skolem[label] = term
            return BNode(label)
        if term.startswith("_:"):
            return BNode(term[2:])
        if language := language_of(term):
            return Literal(value, lang=language)
        datatype = term.rpartition('"^^<')[2][:-1] if term.endswith(">") else None
        return Literal(value, datatype=datatype and URIRef(datatype))

    def text(self, node: Node) -> str:
        """The N-Triples term of a node."""
        if isinstance(node, BNode):
            return self.skolem.get(str(node), f"_:{node}")
        if isinstance(node, Literal):
            return literal(str(node), language=node.language, datatype=node.datatype)
        return f"<{node}>"

    def is_foreign(self, node: Node) -> bool:
        """Whether a node is of the data or the shapes: pySHACL copies both into its report."""
        return str(node) in self.skolem or f"_:{node}" in self.known


def _run(data: rdflib.Graph, shapes: rdflib.Graph) -> rdflib.Graph:
    try:
        _, report, text = pyshacl.validate(
            data,
            shacl_graph=shapes,
            inference="none",
            advanced=False,
            js=False,
            do_owl_imports=False,
            meta_shacl=False,
            inplace=True,
            max_validation_depth=30,
        )
    except ReportableRuntimeError as error:
        raise Invalid(f"the shapes cannot be used: {error.message}") from None
    if not isinstance(report, rdflib.Graph):
        raise Invalid(f"the shapes cannot be used: {text.strip()}")
    return report


def _findings(report: rdflib.Graph, terms: _Terms) -> Iterator[Finding]:
    for node in report.objects(None, URIRef(SH.result)):
        if not terms.is_foreign(node):
            yield _finding(node, report, terms)


def _finding(node: Node, report: rdflib.Graph, terms: _Terms, depth: int = 0) -> Finding:
    def one(name: str) -> str | None:
        found = report.value(node, URIRef(SH[name]), any=True)
        return None if found is None else terms.text(found)

    messages = (terms.text(m) for m in report.objects(node, URIRef(SH.resultMessage)))
    details = report.objects(node, URIRef(SH.detail)) if depth < 5 else ()
    return Finding(
        focus=one("focusNode") or "",
        component=one("sourceConstraintComponent") or "",
        severity=one("resultSeverity") or "",
        shape=one("sourceShape") or "",
        path=one("resultPath"),
        value=one("value"),
        messages=tuple(sorted(messages)),
        details=tuple(sorted((_finding(d, report, terms, depth + 1) for d in details), key=repr)),
    )
