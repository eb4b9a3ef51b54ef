"""Shapes that are no shapes, endless ones, and large or circular input, for the fast engine.

tests/data/shapes_bad holds one file a case. Its first lines say what is expected:

    # expect: invalid | passes | finding
    # node: the IRI of the shape that is named

invalid: refused, naming the file and the node. passes: judged as if the strange statement were not
there. finding: stopped at the deadline, or judged, with a result that names the shape, while the
other shapes are judged too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyoxigraph as ox
import pytest
from official import dcat_ap

from bilbaokg import profiles, validate
from bilbaokg.errors import Invalid
from bilbaokg.model import Profile, Report
from bilbaokg.shacl import check
from bilbaokg.shacl.compiling import compile_shapes
from bilbaokg.shacl.graph import Graph, Layers
from bilbaokg.shacl.prepared import Prepared, prepare
from bilbaokg.shacl.reading import read_files, read_source, source_of
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.terms import SH, ref

ENGINE: Final = "fast"
FOLDER: Final = Path(__file__).parent / "data" / "shapes_bad"
EXPECTATIONS: Final = {"invalid", "passes", "finding"}
HEADER: Final = re.compile(r"# expect: (\w+)\n# node: (\S+)\n# (.+\.)\n\n")

# A value on which backtracking never ends, and enough statements to multiply.
DATA: Final = (
    '<http://bad.example/x> a <http://bad.example/C> ; <http://bad.example/p> "'
    + "a" * 64
    + '!" .\n'
    + "".join(f"<urn:more:{n}> <urn:says> {n} .\n" for n in range(300))
).encode()
GOOD: Final = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
<http://good.example/S> a sh:NodeShape ; sh:targetClass <http://bad.example/C> ;
    sh:property [ sh:path <http://bad.example/missing> ; sh:minCount 1 ] .
"""


@dataclass(frozen=True)
class Case:
    """A file and what is expected of it."""

    file: Path
    expect: str
    node: str

    @property
    def name(self) -> str:
        return self.file.stem


def case(file: Path) -> Case:
    found = HEADER.match(file.read_text(encoding="utf-8"))
    assert found, f"{file.name} does not begin with what is expected"
    return Case(file, found[1], found[2])


CASES: Final = [case(file) for file in sorted(FOLDER.glob("*.ttl"))]


def expected(name: str) -> list[object]:
    return [pytest.param(c, id=c.name) for c in CASES if c.expect == name]


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """Shapes that make one result."""
    file = tmp_path / "good.ttl"
    file.write_text(GOOD, encoding="utf-8")
    return file


def judge(*shapes: Path) -> Report:
    return validate(DATA, shapes, format="ttl", engine=ENGINE)


def named(report: Report, node: str) -> bool:
    return any(node in f"{r.shape} {r.message} {r.hint}" for r in report.results)


# ---- the files themselves


@pytest.mark.parametrize("file", [c.file for c in CASES], ids=lambda file: file.stem)
def test_file_of_bad_shapes_is_turtle_and_has_its_node(file: Path) -> None:
    found = case(file)
    assert found.expect in EXPECTATIONS
    quads = list(ox.parse(path=str(file), format=ox.RdfFormat.TURTLE))
    terms = {str(term) for quad in quads for term in (quad.subject, quad.object)}
    assert f"<{found.node}>" in terms


def test_there_are_bad_shapes_of_every_expectation() -> None:
    assert {c.expect for c in CASES} == EXPECTATIONS
    assert len(CASES) >= 80


# ---- what becomes of them


@pytest.mark.usefixtures("kept_workers")
@pytest.mark.engine(ENGINE)
@pytest.mark.parametrize("bad", expected("invalid"))
def test_ill_formed_shapes_are_refused_naming_file_and_node(bad: Case, good: Path) -> None:
    with pytest.raises(Invalid) as caught:
        judge(good, bad.file)
    told = f"{caught.value} {caught.value.hint}"
    assert bad.file.name in told
    assert bad.node in told
    assert good.name not in told


@pytest.mark.usefixtures("kept_workers")
@pytest.mark.engine(ENGINE)
@pytest.mark.parametrize("strange", expected("passes"))
def test_statements_that_are_no_shacl_change_nothing(strange: Case, good: Path) -> None:
    report = judge(good, strange.file)
    assert [r.component for r in report.results] == ["MinCountConstraintComponent"]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Report]]]:
    """The reports on endless shapes, beside the good ones: all at once, as each takes 30 s."""
    good = tmp_path_factory.mktemp("endless") / "good.ttl"
    good.write_text(GOOD, encoding="utf-8")
    endless = [c for c in CASES if c.expect == "finding"]
    with ThreadPoolExecutor(len(endless)) as threads:
        yield {c.name: threads.submit(judge, good, c.file) for c in endless}


@pytest.mark.faults
@pytest.mark.engine(ENGINE)
@pytest.mark.parametrize("endless", expected("finding"))
def test_endless_work_ends_with_a_finding_that_names_the_shape(
    endless: Case, judged: dict[str, Future[Report]]
) -> None:
    report = judged[endless.name].result()
    assert named(report, endless.node)
    assert "MinCountConstraintComponent" in {r.component for r in report.results}
    assert not report.conforms


@pytest.mark.engine(ENGINE)
def test_shapes_that_are_switched_off_are_still_read(tmp_path: Path) -> None:
    file = tmp_path / "off.ttl"
    file.write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> .\n<urn:S> a sh:NodeShape ;\n"
        "  sh:targetClass <http://bad.example/C> ; sh:deactivated true ; sh:nodeKind sh:Literal .",
        encoding="utf-8",
    )
    assert judge(file).conforms


# ---- the reference engine

# What pySHACL answers with a bare exception, with its own text, or by returning a failure.
REFUSED_BY_BOTH: Final = (
    "bound-is-an-iri",
    "max-count-ill-formed",
    "min-count-twice",
    "sparql-ask",
    "sparql-minus",
    "sparql-unknown-prefix",
)


@pytest.mark.usefixtures("kept_workers")
@pytest.mark.engine("pyshacl")
@pytest.mark.parametrize("name", REFUSED_BY_BOTH)
def test_both_engines_refuse_with_the_same_words(name: str) -> None:
    (bad,) = (c.file for c in CASES if c.name == name)
    told = []
    for engine in (ENGINE, "pyshacl"):
        with pytest.raises(Invalid) as caught:
            validate(DATA, [bad], format="ttl", engine=engine)
        told.append((str(caught.value), caught.value.where))
    assert told[0] == told[1]
    assert bad.name in str(told[0][1])


@pytest.mark.engine("pyshacl")
def test_what_the_reference_engine_alone_refuses_is_invalid_too() -> None:
    with pytest.raises(Invalid, match="Custom Constraint"):
        validate(DATA, [FOLDER / "component-without-validator.ttl"], format="ttl", engine="pyshacl")


@pytest.mark.engine("pyshacl")
@pytest.mark.filterwarnings("error")
def test_reference_engine_keeps_its_warnings_about_booleans_to_itself() -> None:
    from bilbaokg.shacl.reference import engine

    shapes = (
        f"<urn:S> <{RDF}type> {ref(SH.NodeShape)} .",
        f'<urn:S> {ref(SH.closed)} "perhaps"^^<{XSD}boolean> .',
        f"<urn:S> {ref(SH.targetClass)} <urn:C> .",
    )
    data = Layers(Graph([FOCUS]))
    assert engine(data, Prepared(Shapes(shapes), [], trusted=False)).focus_nodes == 1


# ---- terms of no meaning

TYPING_ERRORS: Final = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
<urn:S> a sh:NodeShape ; sh:targetClass <urn:C> ; sh:order 1 ; sh:shape <urn:T> ;
    sh:property [ sh:path <urn:p> ;
        sh:minCout 1, 2 ] ,
        [ sh:path <urn:q> ; sh:minCout 1 ] .
"""


@pytest.mark.engine(ENGINE)
def test_terms_that_are_no_shacl_are_told_beside_the_results(tmp_path: Path) -> None:
    file = tmp_path / "typing.ttl"
    file.write_text(TYPING_ERRORS, encoding="utf-8")
    report = validate(f"{FOCUS}\n".encode(), [file], format="nt", engine=ENGINE)
    assert report.conforms
    assert report.notes == (
        f"{file}:3: sh:shape is not SHACL and is ignored",
        f"{file}:4: sh:minCout is not SHACL and is ignored (3 times)",
    )
    assert "not SHACL" not in str(report.as_dict())


@pytest.mark.engine(ENGINE)
def test_shapes_that_came_with_the_product_say_nothing_in_vain() -> None:
    assert prepare(profiles.load("dcat-ap")).notes == ()


# ---- linear time: four times the input takes about four times the processor's time, not sixteen

SMALL: Final = 25_000
FACTOR: Final = 4
ALLOWED: Final = 2 * FACTOR
ROUNDS: Final = 3

SHACL: Final = "@prefix sh: <http://www.w3.org/ns/shacl#> .\n@prefix : <urn:> .\n"
FOCUS: Final = "<urn:x> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <urn:C> ."
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def numbers(predicate: str, count: int) -> list[str]:
    return [f'<urn:x> <urn:{predicate}> "{n}"^^<{XSD}integer> .' for n in range(count)]


def shape(constraints: str) -> Callable[[int], str]:
    return lambda count: f":S a sh:NodeShape ; sh:targetClass :C ; {constraints} ."


def on_p(constraints: str) -> Callable[[int], str]:
    return shape(f"sh:property [ sh:path :p ; {constraints} ]")


def chain(count: int) -> list[str]:
    links = [f"<urn:n{n}> <urn:next> <urn:n{n + 1}> ." for n in range(count)]
    return [FOCUS, "<urn:x> <urn:next> <urn:n0> .", *links]


def circle(count: int) -> list[str]:
    return [*chain(count), f"<urn:n{count}> <urn:next> <urn:x> ."]


def circular_list(count: int) -> list[str]:
    first, rest = f"<{RDF}first>", f"<{RDF}rest>"
    lines = [f"<urn:n{n}> {rest} <urn:n{(n + 1) % count}> ." for n in range(count)]
    return [
        FOCUS,
        "<urn:x> <urn:p> <urn:n0> .",
        *lines,
        *(f"<urn:n{n}> {first} <urn:m{n}> ." for n in range(count)),
    ]


def values(count: int) -> list[str]:
    return [FOCUS, *numbers("p", count)]


def pairs(count: int) -> list[str]:
    """Values on p, the same on q in another order, and one on r that is above them all."""
    above = f'<urn:x> <urn:r> "{count}"^^<{XSD}integer> .'
    return [*values(count), *numbers("q", count)[::-1], above]


def texts(count: int) -> list[str]:
    return [FOCUS, *(f'<urn:x> <urn:p> "text"@x-{n} .' for n in range(count))]


def things(count: int) -> list[str]:
    types = [f"<urn:v{n}> <{RDF}type> <urn:V> ." for n in range(count)]
    return [FOCUS, *types, *(f"<urn:x> <urn:p> <urn:v{n}> ." for n in range(count))]


def referring(count: int) -> list[str]:
    return [FOCUS, *(f"<urn:v{n}> <urn:p> <urn:x> ." for n in range(count))]


def listed(count: int) -> str:
    """A list whose links are IRIs: a file with so many blank nodes in one group is not read."""
    links = (
        f":l{n} <{RDF}first> {n} ; <{RDF}rest> "
        + (f":l{n + 1} ." if n + 1 < count else f"<{RDF}nil> .")
        for n in range(count)
    )
    return "\n".join([on_p("sh:in :l0")(count), *links])


Make = Callable[[int], list[str]]
LARGE: Final[dict[str, tuple[Make, Callable[[int], str], int]]] = {
    # Data, shapes, results.
    "counts": (values, on_p("sh:minCount 1 ; sh:maxCount 1"), 1),
    "datatype and bounds": (
        values,
        on_p(f"sh:datatype <{XSD}integer> ; sh:minInclusive 0 ; sh:maxExclusive 1000000"),
        0,
    ),
    "length and pattern": (values, on_p('sh:minLength 1 ; sh:pattern "^[0-9]+$"'), 0),
    "a long list of values": (values, listed, 0),
    "one that is there": (values, on_p("sh:hasValue 7"), 0),
    "equal": (pairs, on_p("sh:equals :q"), 0),
    "disjoint": (pairs, on_p("sh:disjoint :r"), 0),
    "less than": (pairs, on_p("sh:lessThan :r"), 0),
    "languages": (texts, on_p("sh:uniqueLang true"), 0),
    "class": (things, on_p("sh:class :V ; sh:nodeKind sh:IRI"), 0),
    "logic": (
        things,
        on_p("sh:or ( [ sh:class :W ] [ sh:class :V ] ) ; sh:not [ sh:nodeKind sh:Literal ]"),
        0,
    ),
    "qualified": (
        things,
        on_p("sh:qualifiedValueShape [ sh:class :V ] ; sh:qualifiedMinCount 9"),
        0,
    ),
    "closed": (values, shape("sh:closed true ; sh:property [ sh:path :p ] ; "
                             f"sh:ignoredProperties ( <{RDF}type> )"), 0),
    "backwards": (
        referring,
        shape("sh:property [ sh:path [ sh:inversePath :p ] ; sh:maxCount 1000000 ]"),
        0,
    ),
    "a long way": (
        chain,
        shape("sh:property [ sh:path [ sh:zeroOrMorePath :next ] ; sh:nodeKind sh:IRI ]"),
        0,
    ),
    "a circle": (
        circle,
        shape("sh:property [ sh:path [ sh:oneOrMorePath :next ] ; sh:nodeKind sh:IRI ]"),
        0,
    ),
    "a circular list": (
        circular_list,
        shape(f"sh:property [ sh:path ( :p [ sh:zeroOrMorePath <{RDF}rest> ] <{RDF}first> ) ; "
              "sh:nodeKind sh:IRI ]"),
        0,
    ),
}  # fmt: skip


def processor_seconds(work: Callable[[], Report]) -> tuple[float, Report]:
    """What the work took here and in processes that ended with it."""
    before = sum(os.times()[:4])
    report = work()
    return sum(os.times()[:4]) - before, report


@pytest.mark.engine(ENGINE)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", LARGE)
def test_a_hundred_thousand_values_take_linear_time(name: str, tmp_path: Path) -> None:
    make, shapes, results = LARGE[name]

    def taken(count: int) -> float:
        file = tmp_path / f"shapes-{count}.ttl"
        file.write_text(SHACL + shapes(count), encoding="utf-8")
        profile, lines = Profile("large", "local", {}, (file,)), make(count)
        seconds, report = processor_seconds(lambda: check(lines, profile, engine=ENGINE))
        assert len(report.results) == results
        return seconds

    # A part that does not grow is at most in the smaller run's favour. What else the machine does
    # shows in processor time, too, but not each time.
    rounds = ((taken(SMALL), taken(SMALL * FACTOR)) for _ in range(ROUNDS))
    assert any(large <= ALLOWED * small for small, large in rounds)


# ---- which shapes need a process that can be killed


def bounded(shapes: str) -> bool:
    source = source_of(f"{SHACL}{shapes}".encode(), "ttl")
    return compile_shapes(Shapes(read_source(source)[0])).bounded


def chained(levels: int) -> str:
    """Two property shapes at every level, each with the same two further on: 2^levels tests."""
    pairs = (
        f":P{n}{side} sh:path :p ; sh:minCount 1 ; sh:property :P{n + 1}a , :P{n + 1}b ."
        for n in range(levels)
        for side in "ab"
    )
    last = f":P{levels}a sh:path :p ; sh:minCount 1 . :P{levels}b sh:path :p ; sh:minCount 1 ."
    return f":S a sh:NodeShape ; sh:targetClass :C ; sh:property :P0a . {' '.join(pairs)} {last}"


@pytest.mark.parametrize(
    ("ends", "shapes"),
    [
        (True, on_p('sh:minCount 1 ; sh:pattern "^https://"')(0)),
        (True, on_p("sh:node [ sh:property [ sh:path :q ; sh:class :D ] ]")(0)),
        (True, chained(1)),
        (False, on_p('sh:pattern "^(a+)+$"')(0)),
        (False, on_p('sh:node [ sh:property [ sh:path :q ; sh:pattern "(a|a)*b" ] ]')(0)),
        (False, shape('sh:sparql [ sh:select "SELECT $this WHERE { $this ?p ?o }" ]')(0)),
        (False, chained(3)),
        (False, chained(40)),
    ],
)
def test_shapes_of_strangers_are_evaluated_apart_unless_they_surely_end(
    ends: bool, shapes: str
) -> None:
    assert bounded(shapes) is ends


def test_official_shapes_surely_end(reference: Path) -> None:
    assert compile_shapes(Shapes(read_files(dcat_ap(reference).shapes))).bounded
