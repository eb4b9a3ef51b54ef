"""The reference engine: pySHACL on rdflib."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pyshacl
import rdflib
from pyparsing import ParseBaseException
from pyshacl.errors import ReportableRuntimeError, ShapeRecursionWarning
from rdflib.term import BNode, Identifier, Literal, Node, URIRef

from bilbaokg.errors import Invalid
from bilbaokg.shacl.constraints import prefixes
from bilbaokg.shacl.finding import Checked, Finding
from bilbaokg.shacl.graph import Layers
from bilbaokg.shacl.prepared import Prepared
from bilbaokg.shacl.run import ignore
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.shacl.targets import targeted
from bilbaokg.skolem import GENID
from bilbaokg.terms import SH, language_of, literal, plain, ref, split_line, unescape

__all__ = ["engine"]

# rdflib.NORMALIZE_LITERALS belongs to the whole process, so only one run changes it at a time.
_LOCK: Final = threading.Lock()


def engine(data: Layers, prepared: Prepared, entering: Callable[[str], None] = ignore) -> Checked:
    """Validate with pySHACL (see engine.Engine). Runs of several threads wait for each other."""
    shapes = prepared.shapes
    targets = [(kind, term) for _, kind, term in shapes.targets()]
    with _LOCK, _exact_literals():
        _refuse_federation(shapes)
        terms = _Terms()
        statements, rules = terms.graph(data.lines()), terms.graph(shapes.lines)
        focus = targeted(data, targets)
        selected = _find_targets(statements, rules, shapes, terms)
        focus.update((node, None) for node in selected if data.is_own(node))
        report = _run(statements, rules)
        return Checked(list(_findings(report, terms)), len(focus))


@contextmanager
def _exact_literals() -> Iterator[None]:
    """Literals stay as written, and the libraries keep to themselves what the report says."""
    logs = [logging.getLogger(name) for name in ("rdflib.term", "pyshacl-validate")]
    before = rdflib.NORMALIZE_LITERALS, [log.disabled for log in logs]
    try:
        rdflib.NORMALIZE_LITERALS = False
        for log in logs:
            log.disabled = True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ShapeRecursionWarning)
            yield
    finally:
        rdflib.NORMALIZE_LITERALS = before[0]
        for log, disabled in zip(logs, before[1], strict=True):
            log.disabled = disabled


class _Terms:
    """Translates terms both ways. Skolem IRIs are blank nodes while the engine runs."""

    def __init__(self) -> None:
        self.known: dict[str, Identifier] = {}
        self.skolem: dict[str, str] = {}

    def graph(self, lines: Iterable[str]) -> rdflib.Graph:
        graph = rdflib.Graph(bind_namespaces="none")
        for line in lines:
            s, p, o = split_line(line)
            graph.add((self.node(s), self.node(p), self.node(o)))
        return graph

    def node(self, term: str) -> Any:
        """The node of an N-Triples term."""
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


_FEDERATED: Final = re.compile(r"(?<![?$:\w])(?:SERVICE|FROM|GRAPH)\b", re.IGNORECASE)

# What pySHACL lets through for shapes that are no shapes: patterns, queries, lists.
_MALFORMED: Final = (
    ReportableRuntimeError,
    re.error,
    ValueError,
    ParseBaseException,
    RecursionError,
)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]


def _refuse_federation(shapes: Shapes) -> None:
    """Queries inside shapes stay with the data: pySHACL's own check is easily written around."""
    for name in ("select", "ask", "construct"):
        predicate = ref(SH[name])
        for properties in shapes.graph.by_subject.values():
            if any(_FEDERATED.search(unescape(plain(q))) for q in properties.get(predicate, ())):
                raise Invalid(
                    "the shapes cannot be used: a query asks another service",
                    hint="remove SERVICE, FROM and GRAPH from the shapes' queries",
                )


def _find_targets(
    data: rdflib.Graph, rules: rdflib.Graph, shapes: Shapes, terms: _Terms
) -> dict[str, None]:
    """Name what SPARQL-based targets select: pySHACL knows them only together with rules."""
    found: dict[str, None] = {}
    for shape, kind, target in shapes.targets():
        if kind != "target":
            continue
        for select in shapes.graph.objects(target, ref(SH.select)):
            for row in data.query(plain(select), initNs=prefixes(shapes.graph, target)):
                focus = row.asdict().get("this")  # type: ignore[union-attr]
                if focus is not None:
                    rules.add((terms.node(shape), URIRef(SH.targetNode), focus))
                    found[terms.text(focus)] = None
    return found


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
    except _MALFORMED as error:
        raise Invalid(
            f"the shapes cannot be used: {_first_line(error)}",
            hint="check the shapes against https://www.w3.org/TR/shacl/#shacl-shacl",
        ) from None
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
        source=one("sourceConstraint"),
    )
