"""Data on disk: the same verdict as in memory, in however many parts, in whatever order."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilbaokg import profiles, shacl, validate
from bilbaokg.model import Report
from bilbaokg.settings import Settings
from bilbaokg.shacl import loading, spooling
from bilbaokg.shacl.compiling import compile_shapes
from bilbaokg.shacl.graph import Graph, Layers
from bilbaokg.shacl.prepared import prepare
from bilbaokg.shacl.reading import source_of
from bilbaokg.shacl.run import Run
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.shacl.spool import Spool
from bilbaokg.shacl.spooling import SpoolWriter

PREFIXES = """
@prefix : <http://example.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
SHAPES = """
:C a sh:NodeShape ; sh:targetClass :C ;
    sh:property [ sh:path :title ; sh:minCount 1 ; sh:maxCount 1 ] ,
        [ sh:path :part ; sh:class :P ] ,
        [ sh:path [ sh:inversePath :part ] ; sh:maxCount 1 ] ,
        [ sh:path ( :part :title ) ; sh:minCount 1 ; sh:severity sh:Warning ] .
:P a sh:NodeShape ; sh:targetObjectsOf :part ;
    sh:property [ sh:path :size ; sh:datatype xsd:integer ] .
:S a sh:NodeShape ; sh:targetSubjectsOf :size ; sh:closed true ;
    sh:property [ sh:path :size ] , [ sh:path :title ] .
:N a sh:NodeShape ; sh:targetNode :n1 ;
    sh:property [ sh:path [ sh:oneOrMorePath :part ] ; sh:maxCount 2 ] .
"""


def lines(turtle: str) -> list[str]:
    quads = ox.parse(PREFIXES + turtle, format=ox.RdfFormat.TURTLE)
    return [f"{q.subject} {q.predicate} {q.object} ." for q in quads]


@contextmanager
def spooled(
    folder: Path, statements: Sequence[str], shapes: Shapes, parts: int
) -> Iterator[list[Spool]]:
    """The parts of a spool of statements."""
    folder.mkdir()
    writer = SpoolWriter(folder, compile_shapes(shapes).backwards)
    for start in range(0, len(statements), 3):
        batch = statements[start : start + 3]
        writer.add("data.nt", "".join(f"{line}\n" for line in batch), b"", len(batch))
    writer.finish()
    opened = [Spool(folder, (number, parts)) for number in range(parts)]
    try:
        yield opened
    finally:
        for part in opened:
            part.close()


def results(report: Report) -> list[dict[str, object]]:
    return [result.as_dict() for result in report.results]


# ---- real catalogues, through the front door


@pytest.mark.parametrize("name", ["rostock.rdf", "brandenburg.ttl"])
def test_catalogue_on_disk_has_the_report_that_it_has_in_memory(
    reference: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file = reference / "catalogues" / name
    held = validate(file)
    monkeypatch.setattr(loading, "IN_MEMORY", 0)
    parted = validate(file)
    assert results(parted) == results(held)
    assert (parted.focus_nodes, parted.counts) == (held.focus_nodes, held.counts)
    assert len(parted.graph()) == len(held.graph())


def test_several_files_on_disk_are_told_apart_and_their_blank_nodes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dcat = "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n"
    for name in ("a", "b"):
        data = f"{dcat}<http://x.example/{name}> a dcat:Dataset ;\n"
        data += " dcat:distribution [ a dcat:Distribution ] ."
        (tmp_path / f"{name}.ttl").write_text(data)
    sources = [source_of(tmp_path / f"{name}.ttl") for name in ("a", "b")]
    profile = profiles.load("dcat-ap")
    held = shacl.check_sources(sources, profile, Settings())
    monkeypatch.setattr(loading, "IN_MEMORY", 0)
    parted = shacl.check_sources(sources, profile, Settings())
    assert results(parted) == results(held)
    missing = [r for r in parted.results if r.path and r.path.endswith("accessURL")]
    assert sorted((r.dataset, r.source and r.source["file"]) for r in missing) == [
        (f"http://x.example/{name}", str(tmp_path / f"{name}.ttl")) for name in ("a", "b")
    ]


def test_statements_at_hand_go_to_disk_where_they_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dcat = "<http://www.w3.org/ns/dcat#Dataset>"
    type_ = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
    data = [f"<http://x.example/{n}> {type_} {dcat} ." for n in range(500)]
    held = shacl.check(data, profiles.load("dcat-ap"))
    monkeypatch.setattr(loading, "IN_MEMORY", 1000)
    parted = shacl.check(iter(data), profiles.load("dcat-ap"))
    assert results(parted) == results(held)
    assert parted.focus_nodes == 500


# ---- any data, any order, any parts

NODES = [f"<http://example.org/n{n}>" for n in range(6)]
STATEMENTS = st.one_of(
    st.tuples(
        st.sampled_from(NODES),
        st.just("<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"),
        st.sampled_from([f"<http://example.org/{name}>" for name in ("C", "D", "P", "Q")]),
    ),
    st.tuples(st.sampled_from(NODES), st.just("<http://example.org/part>"), st.sampled_from(NODES)),
    st.tuples(
        st.sampled_from(NODES),
        st.sampled_from(["<http://example.org/title>", "<http://example.org/size>"]),
        st.sampled_from(
            ['"1"^^<http://www.w3.org/2001/XMLSchema#integer>', '"a"@es', '"a\\n b ."']
        ),
    ),
)
AXIOMS = lines(":D rdfs:subClassOf :C . :Q rdfs:subClassOf :P .")


@settings(max_examples=60, deadline=None)
@given(
    found=st.lists(STATEMENTS, max_size=40),
    axioms=st.sampled_from([[], AXIOMS]),
    parts=st.integers(1, 3),
    block=st.sampled_from([1, 200, 1 << 16]),
)
def test_findings_do_not_depend_on_where_data_lie(
    tmp_path_factory: pytest.TempPathFactory,
    found: list[tuple[str, str, str]],
    axioms: list[str],
    parts: int,
    block: int,
) -> None:
    statements = [*axioms, *(" ".join((*statement, ".")) for statement in found)]
    shapes = Shapes(lines(SHAPES))
    program = compile_shapes(shapes)
    run = Run(program, Layers(Graph(statements)))
    held = sorted(map(repr, run.findings()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spooling, "_BLOCK_BYTES", block)
        patch.setattr(spooling, "_LARGEST_BLOCK", 4 * block)
        folder = tmp_path_factory.mktemp("spool") / "data"
        with spooled(folder, statements, shapes, parts) as opened:
            runs = [Run(program, Layers(part)) for part in opened]
            parted = sorted(repr(f) for one in runs for f in one.findings())
    assert parted == held
    assert sum(one.focus_nodes for one in runs) == run.focus_nodes


def test_predicates_that_were_not_indexed_are_no_silent_absence(tmp_path: Path) -> None:
    shapes = Shapes(lines(SHAPES))
    with spooled(tmp_path / "data", lines(":a :other :b ."), shapes, 1) as (data,):
        with pytest.raises(KeyError):
            data.subjects("<http://example.org/other>", "<http://example.org/b>")
        assert data.referrers(["<http://example.org/b>"]) == {
            "<http://example.org/b>": [("<http://example.org/a>", "<http://example.org/other>")]
        }


def test_lines_of_a_spool_are_those_that_were_written(tmp_path: Path) -> None:
    statements = lines(':a :p "x\\n y" , 1 . :b :p "\\u2028" . :a :q :b .')
    random.Random(1).shuffle(statements)  # noqa: S311
    prepared = prepare(profiles.load("dcat-ap"))
    with spooled(tmp_path / "data", statements, prepared.shapes, 1) as (data,):
        assert list(data.lines()) == statements
        assert not data.properties("<http://example.org/absent>")
