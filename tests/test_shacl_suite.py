"""The W3C SHACL test suite, core and SPARQL, run against every engine.

Reports are compared as graphs (up to blank nodes) that keep of each result what the suite speaks
of: focus node, path, value, severity, shape, constraint and component, and the messages that the
expected report names. Blank nodes of the data and of the shapes are told apart; paths are compared
by their structure. What an engine cannot do stands in KNOWN with its reason, and fails the test
when it can.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyoxigraph as ox
import pytest
from helpers import reference_folder

from bilbaokg import validate
from bilbaokg.errors import Invalid
from bilbaokg.shacl import ENGINES
from bilbaokg.shacl.graph import Graph
from bilbaokg.shacl.paths import members
from bilbaokg.terms import RDF, SH, Namespace, plain, ref

MF: Final = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
SHT: Final = Namespace("http://www.w3.org/ns/shacl-test#")
FAILURE: Final = ref(SHT.Failure)
SIZES: Final = {"core": 98, "sparql": 23}
UNLISTED: Final = "sparql/component/nodeValidator-001.ttl"  # proposed, so in no manifest


# Engine -> case -> why it does not pass. A case that passes must leave this list.
KNOWN: Final[dict[str, dict[str, str]]] = {
    "fast": {"sparql/component/validator-001": "owl:imports is refused"},
    "pyshacl": {
        "core/property/uniqueLang-002": '"1"^^xsd:boolean counts as true',
        "sparql/node/prefixes-001": "prefixes of imported ontologies are not followed",
        "sparql/pre-binding/shapesGraph-001": "GRAPH is refused in the queries of shapes",
    },
}


# ---- reading the suite


@dataclass(frozen=True)
class Case:
    """One sht:Validate: the files that go in, and what is expected of them."""

    name: str
    data: Path
    shapes: Path
    manifest: Path
    node: str


def read(file: Path) -> Graph:
    quads = ox.parse(
        path=str(file),
        format=ox.RdfFormat.TURTLE,
        base_iri=file.as_uri(),
        rename_blank_nodes=True,
    )
    return Graph(f"{q.subject} {q.predicate} {q.object} ." for q in quads)


def local(term: str) -> Path:
    """The file that a file: IRI names."""
    return Path(plain(term).removeprefix("file://"))


def cases(manifest: Path, root: Path) -> Iterator[Case]:
    """All cases of a manifest and of what it includes, in their order."""
    graph, node = read(manifest), f"<{manifest.as_uri()}>"
    for included in graph.objects(node, ref(MF.include)):
        yield from cases(local(included), root)
    for entries in graph.objects(node, ref(MF.entries)):
        for entry in members(graph, entries):
            (action,) = graph.objects(entry, ref(MF.action))
            (data,) = graph.objects(action, ref(SHT.dataGraph))
            (shapes,) = graph.objects(action, ref(SHT.shapesGraph))
            name = f"{manifest.parent.relative_to(root)}/{local(entry).name}"
            yield Case(name, local(data), local(shapes), manifest, entry)


ROOT: Final = reference_folder() / "suites" / "shacl"
SUITE: Final = [
    case
    for manifest in ("manifest.ttl", UNLISTED)
    if (ROOT / manifest).is_file()
    for case in cases(ROOT / manifest, ROOT)
]


# ---- comparing reports


def structure(graph: Graph, node: str) -> str:
    """A node with all that makes it up: two paths that say the same give the same text."""
    if not node.startswith("_:"):
        return node
    parts = (
        f"{predicate} {structure(graph, object_)}"
        for predicate, objects in graph.by_subject[node].items()
        for object_ in objects
    )
    return f"[ {' ; '.join(sorted(parts))} ]"


# The properties of a result that are compared, with the graph that their blank nodes are of.
COMPARED: Final = {
    SH.focusNode: "data",
    SH.value: "data",
    SH.resultSeverity: "shapes",
    SH.sourceConstraint: "shapes",
    SH.sourceConstraintComponent: "shapes",
    SH.sourceShape: "shapes",
}


def own(term: str, origin: str) -> str:
    return f"_:{origin}{term[2:]}" if term.startswith("_:") else term


def statements(graph: Graph, report: str, messages: set[str]) -> Iterator[str]:
    """What is compared of a report."""
    for value in graph.objects(report, ref(SH.conforms)):
        yield f"<urn:report> {ref(SH.conforms)} {value} ."
    for result in graph.objects(report, ref(SH.result)):
        node = own(result, "result")
        yield f"<urn:report> {ref(SH.result)} {node} ."
        for predicate, origin in COMPARED.items():
            for value in graph.objects(result, ref(predicate)):
                yield f"{node} {ref(predicate)} {own(value, origin)} ."
        for path in graph.objects(result, ref(SH.resultPath)):
            literal = ox.Literal(structure(graph, path))
            yield f"{node} {ref(SH.resultPath)} {literal} ."
        for message in messages.intersection(graph.objects(result, ref(SH.resultMessage))):
            yield f"{node} {ref(SH.resultMessage)} {message} ."


def canonical(graph: Graph, report: str, messages: set[str]) -> list[str]:
    """The same lines for reports that are equal up to blank nodes."""
    text = "\n".join(statements(graph, report, messages))
    dataset = ox.Dataset(ox.parse(text, format=ox.RdfFormat.N_TRIPLES))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(f"{quad.triple} ." for quad in dataset)


def mentioned(graph: Graph, report: str) -> set[str]:
    """The messages that an expected report asks for."""
    results = graph.objects(report, ref(SH.result))
    return {m for result in results for m in graph.objects(result, ref(SH.resultMessage))}


# ---- running it


@dataclass(frozen=True)
class Run:
    """A case for an engine."""

    engine: str
    case: Case

    def __str__(self) -> str:
        return f"{self.engine}-{self.case.name}"

    @property
    def marks(self) -> list[pytest.MarkDecorator]:
        reason = KNOWN.get(self.engine, {}).get(self.case.name)
        return [pytest.mark.xfail(reason=reason, strict=True)] if reason else []


def runs() -> list[object]:
    if not SUITE:
        skip = pytest.mark.skip(reason=f"no test suite at {ROOT}; set BILBAOKG_REFERENCE")
        return [pytest.param(None, marks=skip, id="suite")]
    every = (Run(engine, case) for engine in sorted(ENGINES) for case in SUITE)
    return [pytest.param(run, marks=run.marks, id=str(run)) for run in every]


@pytest.mark.usefixtures("kept_workers")
@pytest.mark.parametrize("run", runs())
def test_engine_gives_the_report_that_the_suite_expects(run: Run) -> None:
    case = run.case
    base = case.data.as_uri()
    data = ox.Dataset(ox.parse(path=case.data, format=ox.RdfFormat.TURTLE, base_iri=base))
    manifest = read(case.manifest)
    (expected,) = manifest.objects(case.node, ref(MF.result))
    if expected == FAILURE:
        with pytest.raises(Invalid):
            validate(data, [case.shapes], engine=run.engine)
        return
    found = Graph(
        f"{q.subject} {q.predicate} {q.object} ."
        for q in validate(data, [case.shapes], engine=run.engine).graph()
    )
    (report,) = found.subjects(ref(RDF.type), ref(SH.ValidationReport))
    messages = mentioned(manifest, expected)
    assert canonical(found, report, messages) == canonical(manifest, expected, messages)


@pytest.mark.skipif(not SUITE, reason=f"no test suite at {ROOT}; set BILBAOKG_REFERENCE")
def test_the_whole_suite_is_run() -> None:
    parts = [case.name.partition("/")[0] for case in SUITE]
    assert {part: parts.count(part) for part in parts} == SIZES
    assert len({case.name for case in SUITE}) == len(SUITE)


def test_known_failures_are_cases_of_the_suite_and_none_is_of_the_core_for_ours() -> None:
    names = {case.name for case in SUITE}
    listed = {name for failures in KNOWN.values() for name in failures}
    assert not names or listed <= names
    assert not any(name.startswith("core/") for name in KNOWN["fast"])
    assert all(reason for failures in KNOWN.values() for reason in failures.values())


# ---- the comparison itself

EXPECTED = """
_:r <http://www.w3.org/ns/shacl#conforms> "false" .
_:r <http://www.w3.org/ns/shacl#result> _:a .
_:r <http://www.w3.org/ns/shacl#result> _:b .
_:a <http://www.w3.org/ns/shacl#focusNode> _:x .
_:a <http://www.w3.org/ns/shacl#value> _:y .
_:b <http://www.w3.org/ns/shacl#focusNode> _:y .
_:b <http://www.w3.org/ns/shacl#resultPath> _:p .
_:p <http://www.w3.org/ns/shacl#inversePath> <urn:p> .
""".strip().splitlines()


def changed(old: str, new: str) -> list[str]:
    return [line.replace(old, new) for line in EXPECTED]


@pytest.mark.parametrize(
    ("lines", "same"),
    [
        (EXPECTED[::-1], True),
        (changed("_:y", "_:other"), True),
        ([*EXPECTED, f'_:a {ref(SH.resultMessage)} "not asked for" .'], True),
        (changed("value> _:y", "value> _:x"), False),
        (changed("_:y", "<urn:y>"), False),
        (changed("inversePath", "zeroOrOnePath"), False),
        (changed("<urn:p>", "<urn:q>"), False),
        ([line for line in EXPECTED if "_:b" not in line], False),
        ([*EXPECTED, f"_:r {ref(SH.result)} _:c ."], False),
        ([*EXPECTED, f"_:a {ref(SH.sourceShape)} _:s ."], False),
    ],
)
def test_reports_are_equal_up_to_blank_nodes(lines: list[str], same: bool) -> None:
    texts = [canonical(Graph(each), "_:r", set()) for each in (EXPECTED, lines)]
    assert (texts[0] == texts[1]) == same


def test_messages_count_where_the_expected_report_has_them() -> None:
    line = f'_:a {ref(SH.resultMessage)} "asked for" .'
    messages = mentioned(Graph([*EXPECTED, line]), "_:r")
    assert canonical(Graph([*EXPECTED, line]), "_:r", messages) != canonical(
        Graph(EXPECTED), "_:r", messages
    )
