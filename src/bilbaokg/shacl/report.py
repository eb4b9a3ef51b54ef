"""From findings to a report: texts in one language, whose problem it is, the standard graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import pyoxigraph as ox

from bilbaokg.model import Problem
from bilbaokg.shacl.context import Context
from bilbaokg.shacl.engine import Finding
from bilbaokg.shacl.messages import EMPTY, default
from bilbaokg.shacl.shapes import SEVERITY_NAMES, Shapes, choose, local_name
from bilbaokg.terms import PREFIXES, RDF, SH, XSD, literal, plain, ref

__all__ = ["EMPTY_TARGET", "empty_target", "problems", "turtle"]

EMPTY_TARGET: Final = "EmptyTarget"
_SPARQL: Final = ref(SH.SPARQLConstraintComponent)
_RANK: Final = {"violation": 0, "warning": 1, "info": 2}


def problems(
    findings: Iterable[Finding], shapes: Shapes, context: Context
) -> list[tuple[Problem, Finding]]:
    """Each finding with what people need to mend it, the worst first, then by dataset and focus."""
    pairs = [(_problem(finding, shapes, context), finding) for finding in findings]
    return sorted(pairs, key=lambda pair: _key(pair[0]))


def _key(problem: Problem) -> tuple[str | int, ...]:
    fields = ("dataset", "focus", "path", "component", "value", "shape", "message")
    return (_RANK[problem.severity], *(getattr(problem, name) or "" for name in fields))


def _problem(finding: Finding, shapes: Shapes, context: Context) -> Problem:
    dataset = context.dataset(finding.focus)
    path = shapes.path_text(finding.path) if finding.path else None
    return Problem(
        severity=SEVERITY_NAMES.get(finding.severity, "violation"),
        message=_message(finding, shapes, path, context.language),
        focus=plain(finding.focus),
        path=path,
        component=local_name(plain(finding.component)),
        value=None if finding.value is None else plain(finding.value),
        hint=choose(shapes.texts(finding.shape, "description"), context.language),
        shape=plain(finding.shape),
        dataset=plain(dataset) if dataset else None,
        title=context.title(dataset) if dataset else None,
        steward=context.steward(dataset) if dataset else None,
        source=context.source(finding.focus),
    )


def _message(finding: Finding, shapes: Shapes, path: str | None, language: str) -> str:
    """The shape's own words; a SPARQL constraint's come with the finding, its values filled in."""
    own = shapes.texts(finding.shape, "message")
    if finding.component == _SPARQL and finding.messages:
        own = list(finding.messages)
    return choose(own, language) or default(
        shapes.graph, finding.shape, finding.component, path, language
    )


def empty_target(language: str, file: str | None) -> Problem:
    """The result of a validation that found nothing to look at: never a conformance."""
    message, hint = EMPTY.get(language, EMPTY["es"])
    source = {"file": file, "line": None} if file else None
    return Problem("violation", message, component=EMPTY_TARGET, hint=hint, source=source)


def turtle(pairs: Sequence[tuple[Problem, Finding | None]], shapes: Shapes) -> str:
    """The sh:ValidationReport (SHACL, section 3.6) as Turtle; same results, same text."""
    graph = _ReportGraph()
    graph.add("_:report", RDF.type, ref(SH.ValidationReport))
    graph.add("_:report", SH.conforms, literal(str(not pairs).lower(), datatype=XSD.boolean))
    nodes = [f"_:r{number}" for number in range(1, len(pairs) + 1)]
    for node in nodes:
        graph.add("_:report", SH.result, node)
    for node, (problem, finding) in zip(nodes, pairs, strict=True):
        graph.add(node, RDF.type, ref(SH.ValidationResult))
        if finding is None:
            graph.bare(node, problem)
        else:
            graph.result(node, finding, shapes)
    return graph.text()


class _ReportGraph:
    """The lines of a report, blank nodes of data and shapes renamed in order of appearance."""

    def __init__(self) -> None:
        self.lines: dict[str, None] = {}
        self.labels: dict[str, str] = {}

    def add(self, subject: str, predicate: str, object_: str) -> None:
        self.lines[f"{subject} {ref(predicate)} {object_} ."] = None

    def _own(self, term: str, origin: str) -> str:
        """A blank node's name here; the same label in data and in shapes is two nodes."""
        if not term.startswith("_:"):
            return term
        return self.labels.setdefault(f"{origin} {term}", f"_:{origin}{len(self.labels)}")

    def bare(self, node: str, problem: Problem) -> None:
        """A result of ours, which no shape made."""
        self.add(node, SH.resultSeverity, ref(SH.Violation))
        self.add(node, SH.sourceConstraintComponent, ref(f"urn:bilbaokg:{problem.component}"))
        self.add(node, SH.resultMessage, literal(problem.message))

    def result(self, node: str, finding: Finding, shapes: Shapes) -> None:
        self.add(node, SH.resultSeverity, finding.severity)
        self.add(node, SH.sourceConstraintComponent, finding.component)
        self.add(node, SH.sourceShape, self._own(finding.shape, "s"))
        self.add(node, SH.focusNode, self._own(finding.focus, "d"))
        if finding.value is not None:
            self.add(node, SH.value, self._own(finding.value, "d"))
        if finding.path:
            self.add(node, SH.resultPath, self._own(finding.path, "s"))
            for subject, predicate, object_ in shapes.copy(finding.path):
                self.add(self._own(subject, "s"), plain(predicate), self._own(object_, "s"))
        for message in shapes.texts(finding.shape, "message") or finding.messages:
            self.add(node, SH.resultMessage, message)
        for number, detail in enumerate(finding.details, 1):
            self.add(node, SH.detail, f"{node}x{number}")
            self.add(f"{node}x{number}", RDF.type, ref(SH.ValidationResult))
            self.result(f"{node}x{number}", detail, shapes)

    def text(self) -> str:
        text = "\n".join(self.lines)
        quads = ox.parse(text, format=ox.RdfFormat.N_TRIPLES, lenient=True)
        prefixes = {"sh": str(SH), **{k: str(v) for k, v in PREFIXES.items() if v in text}}
        triples = (quad.triple for quad in quads)
        return (
            ox.serialize(triples, format=ox.RdfFormat.TURTLE, prefixes=prefixes) or b""
        ).decode()
