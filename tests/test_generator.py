"""The generator of catalogues: same arguments, same bytes; known sizes; known answers."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest
from official import dcat_ap

from bilbaokg import profiles, shacl

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from generate import FORMATS, KINDS, Catalogue  # noqa: E402
from rich import Rich  # noqa: E402


def written(catalogue: Catalogue, format: str = "nt") -> str:
    out = io.StringIO()
    catalogue.write(out, format)
    return out.getvalue()


def graph(text: str, format: str) -> ox.Dataset:
    formats = {
        "nt": ox.RdfFormat.N_TRIPLES,
        "ttl": ox.RdfFormat.TURTLE,
        "rdf": ox.RdfFormat.RDF_XML,
    }
    dataset = ox.Dataset(ox.parse(text, format=formats[format]))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return dataset


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_same_arguments_give_the_same_bytes(format: str) -> None:
    assert written(Catalogue(40, seed=7), format) == written(Catalogue(40, seed=7), format)
    assert written(Catalogue(40, seed=7), format) != written(Catalogue(40, seed=8), format)


def test_all_formats_say_the_same() -> None:
    for kind in (Catalogue, Rich):
        first, *others = (graph(written(kind(60, errors=0.2), f), f) for f in FORMATS)
        assert all(other == first for other in others)


def test_a_dataset_has_about_25_statements_in_spanish_and_basque() -> None:
    catalogue = Catalogue(1000)
    lines = written(catalogue).splitlines()
    assert len(lines) == len(set(lines)) == catalogue.statements
    assert 24 <= catalogue.statements / 1000 <= 27
    titles = [
        line
        for line in lines
        if "/id/dataset/" in line and "<http://purl.org/dc/terms/title>" in line
    ]
    assert sum("@es" in title for title in titles) >= 990
    assert sum("@eu" in title for title in titles) >= 990
    assert len({title.partition(" ")[2] for title in titles}) > 1900


def test_a_part_of_the_periods_are_blank_nodes() -> None:
    lines = written(Catalogue(400)).splitlines()
    periods = [line for line in lines if "<http://purl.org/dc/terms/temporal>" in line]
    blank = [line for line in periods if " _:" in line]
    assert 100 < len(periods) < 300
    assert 50 < len(blank) < 150


def test_one_dataset_in_a_hundred_is_wrong_and_every_kind_occurs() -> None:
    answers = Catalogue(2000).answers
    assert len(answers) == 20
    assert len({answer.dataset for answer in answers}) == 20
    assert {answer.kind for answer in answers} == set(KINDS)


def test_validation_finds_exactly_the_seeded_errors() -> None:
    catalogue = Catalogue(100, errors=0.1)
    parsed = ox.parse(written(catalogue), format=ox.RdfFormat.N_TRIPLES)
    lines = [f"{q.subject} {q.predicate} {q.object} ." for q in parsed]
    report = shacl.check(lines, profiles.load("dcat-ap/3.0.1"))
    found = sorted(
        (r.dataset, r.focus, r.path, r.component)
        for r in report.results
        if r.severity == "violation"
    )
    known = sorted((a.dataset, a.focus, a.path, a.component) for a in catalogue.answers)
    assert {answer.kind for answer in catalogue.answers} == set(KINDS)
    assert found == known


def test_full_records_have_about_65_statements_and_a_period() -> None:
    catalogue = Rich(500)
    lines = written(catalogue).splitlines()
    assert len(lines) == len(set(lines)) == catalogue.statements
    assert 62 <= catalogue.statements / 500 <= 68
    assert sum("<http://purl.org/dc/terms/temporal>" in line for line in lines) == 500


@pytest.mark.parametrize("shapes", ["ours", "official"])
def test_validation_of_full_records_finds_the_seeded_errors_and_nothing_else(
    shapes: str, request: pytest.FixtureRequest
) -> None:
    catalogue = Rich(50, errors=0.2)
    profile = profiles.load("dcat-ap/3.0.1")
    if shapes == "official":
        official = dcat_ap(request.getfixturevalue("reference"))
        profile = replace(official, background=profile.background)
    report = shacl.check(written(catalogue).splitlines(), profile)
    found = {(r.focus, r.path) for r in report.results}
    assert {answer.kind for answer in catalogue.answers} == set(Rich.kinds)
    assert found == {(answer.focus, answer.path) for answer in catalogue.answers}


@pytest.mark.parametrize("fraction", [0.25, 1.0])
def test_a_second_version_changes_that_part_of_the_datasets(fraction: float) -> None:
    first, second = Catalogue(80), Catalogue(80, change=fraction)
    before, after = (set(written(c).splitlines()) for c in (first, second))
    touched = {line.partition(" ")[0][1:-1] for line in after - before if "/id/dataset/" in line}
    assert touched == set(second.changed)
    assert len(second.changed) == 80 * fraction
    assert second.answers == first.answers
    identifiers = "<http://purl.org/dc/terms/identifier>"
    assert not any(identifiers in line for line in before ^ after)


def test_datasets_are_made_one_by_one() -> None:
    class Sink(io.StringIO):
        def write(self, text: str) -> int:
            return len(text)

    tracemalloc.start()
    try:
        Catalogue(3000).write(Sink(), "nt")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


def test_the_command_writes_the_catalogue_and_its_answers(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "generate.py"), "200", "--seed", "3"]
    paths = ["--output", str(tmp_path / "c.nt"), "--answers", str(tmp_path / "a.jsonl")]
    subprocess.run([*command, *paths], check=True, capture_output=True)
    assert (tmp_path / "c.nt").read_text(encoding="utf-8") == written(Catalogue(200, seed=3))
    answers = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["kind"] for line in answers] == [
        answer.kind for answer in Catalogue(200, seed=3).answers
    ]
