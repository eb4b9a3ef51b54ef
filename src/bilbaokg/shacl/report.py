"""From findings to a report: texts in one language, whose problem it is, the standard graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

import pyoxigraph as ox

from bilbaokg.model import Problem
from bilbaokg.shacl.context import Facts
from bilbaokg.shacl.explaining import Explanation
from bilbaokg.shacl.finding import Finding
from bilbaokg.shacl.messages import Phrases
from bilbaokg.shacl.shapes import SEVERITY_NAMES, Shapes, local_name
from bilbaokg.terms import PREFIXES, RDF, SH, XSD, is_iri, literal, plain, ref

__all__ = [
    "EMPTY_TARGET",
    "Unfinished",
    "empty_target",
    "later",
    "problems",
    "standard",
    "unfinished",
]

EMPTY_TARGET: Final = "EmptyTarget"
_UNFINISHED: Final = "Unfinished"
_SPARQL: Final = ref(SH.SPARQLConstraintComponent)


class Unfinished(Exception):
    """A shape whose pattern or query did not end in so many seconds; `node` is its term."""

    def __init__(self, node: str, seconds: float) -> None:
        super().__init__(node)
        self.node, self.seconds = node, seconds


_RANK: Final = {"violation": 0, "warning": 1, "info": 2}


def problems(
    findings: Iterable[tuple[Finding, Facts, Explanation]],
) -> list[tuple[Problem, Finding]]:
    """Each finding with what people need to mend it, the worst first, then by dataset and focus.

    The order does not depend on that of the findings.
    """
    return sorted(((_problem(*found), found[0]) for found in findings), key=_key)


def _key(pair: tuple[Problem, Finding]) -> tuple[str | int, ...]:
    problem, finding = pair
    fields = ("dataset", "focus", "path", "component", "value", "shape", "message")
    texts = (getattr(problem, name) or "" for name in fields)
    return (_RANK[problem.severity], *texts, finding.focus, finding.path or "", finding.value or "")


def _problem(finding: Finding, facts: Facts, said: Explanation) -> Problem:
    return Problem(
        severity=SEVERITY_NAMES.get(finding.severity, "violation"),
        message=said.message,
        focus=plain(finding.focus),
        path=said.path,
        component=local_name(plain(finding.component)),
        value=None if finding.value is None else plain(finding.value),
        hint=said.hint,
        shape=plain(finding.shape),
        dataset=plain(facts.dataset) if facts.dataset else None,
        title=facts.title,
        steward=facts.steward,
        source=facts.source,
        label=said.label,
        allowed=said.allowed,
        nearest=said.nearest,
        detail=said.detail,
        owner=facts.owner,
    )


def _words(finding: Finding, shapes: Shapes) -> Sequence[str]:
    """The messages that were written for a result: a SPARQL constraint's come with the finding,
    its values filled in, and go before the shape's."""
    if finding.component == _SPARQL and finding.messages:
        return finding.messages
    return shapes.texts(finding.shape, "message")


def empty_target(language: str, file: str | None) -> Problem:
    """The result of a validation that found nothing to look at: never a conformance."""
    phrases = Phrases(language)
    return Problem(
        "violation",
        phrases.say(f"message.{EMPTY_TARGET}"),
        component=EMPTY_TARGET,
        hint=phrases.hint(EMPTY_TARGET),
        source={"file": file, "line": None} if file else None,
    )


def unfinished(hanging: Unfinished, shapes: Shapes, language: str) -> Problem:
    """The result of a shape whose pattern or query did not end: what it says is not known."""
    phrases = Phrases(language)
    shape, seconds = shapes.describe(hanging.node), f"{hanging.seconds:.0f}"
    return Problem(
        "violation",
        phrases.say(f"message.{_UNFINISHED}", shape=shape, seconds=seconds),
        component=_UNFINISHED,
        hint=phrases.hint(_UNFINISHED),
        shape=plain(hanging.node),
    )


def later(pairs: Sequence[tuple[Problem, Finding | None]], shapes: Shapes) -> Callable[[], str]:
    """What makes the standard report when it is asked for; unlike a closure it can be pickled."""
    return partial(_turtle, pairs, shapes)


def standard(found: Sequence[Problem]) -> Callable[[], str]:
    """The same for problems that no shape found."""
    return partial(_turtle, [(problem, None) for problem in found], None)


def _turtle(pairs: Sequence[tuple[Problem, Finding | None]], shapes: Shapes | None) -> str:
    """The sh:ValidationReport (SHACL, section 3.6) as Turtle; same results, same text."""
    graph = _ReportGraph()
    graph.add("_:report", RDF.type, ref(SH.ValidationReport))
    graph.add("_:report", SH.conforms, literal(str(not pairs).lower(), datatype=XSD.boolean))
    nodes = [f"_:r{number}" for number in range(1, len(pairs) + 1)]
    for node in nodes:
        graph.add("_:report", SH.result, node)
    for node, (problem, finding) in zip(nodes, pairs, strict=True):
        graph.add(node, RDF.type, ref(SH.ValidationResult))
        if finding is None or shapes is None:
            graph.bare(node, problem)
        else:
            graph.result(node, finding, shapes, literal(problem.message))
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
        self.add(node, SH.resultSeverity, ref(SH[problem.severity.capitalize()]))
        self.add(node, SH.sourceConstraintComponent, ref(f"urn:bilbaokg:{problem.component}"))
        self.add(node, SH.resultMessage, literal(problem.message))
        if problem.focus:
            focus = problem.focus if problem.focus.startswith("_:") else ref(problem.focus)
            self.add(node, SH.focusNode, self._own(focus, "d"))
        if problem.path:
            self.add(node, SH.resultPath, ref(problem.path))
        if problem.value is not None:
            value = ref(problem.value) if is_iri(problem.value) else literal(problem.value)
            self.add(node, SH.value, value)

    def result(self, node: str, finding: Finding, shapes: Shapes, *messages: str) -> None:
        """One result; `messages` are ours, where neither shape nor engine has any."""
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
        if finding.source:
            self.add(node, SH.sourceConstraint, self._own(finding.source, "s"))
        for message in _words(finding, shapes) or finding.messages or messages:
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
