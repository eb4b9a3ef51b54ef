"""Quality: parity and drift, freshness, to-do lists, groups, measurements, and the command."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from helpers import PREFIXES, Catalogue, lines

from bilbaokg import material, quality, wording
from bilbaokg.model import Source
from bilbaokg.quality import Assessment, Evidence, drift
from bilbaokg.quality.assessment import BY
from bilbaokg.quality.dates import days
from bilbaokg.quality.fair import LETTERS, QUESTIONS
from bilbaokg.quality.measuring import METRICS, measurements
from bilbaokg.quality.mqa import BANDS, DIMENSIONS
from bilbaokg.quality.tables import file_types, table
from bilbaokg.quality.todo import EFFORTS, FIXES, Task
from bilbaokg.reports import quality as telling
from bilbaokg.shacl.graph import Graph
from bilbaokg.terms import LANGUAGES

DAY = date(2026, 11, 26)
EU = "http://publications.europa.eu/resource/authority"
FREQUENCY = f"{EU}/frequency/"
DEMO = Path(__file__).resolve().parents[1] / "demo" / "catalogue"


def assessed(turtle: str, **given: Any) -> Assessment:
    return quality.assess(Graph(lines(turtle)), source="test", at=DAY, **given)


def one(turtle: str, **given: Any) -> quality.Assessed:
    (found,) = assessed(turtle, **given).datasets
    return found


# ---- tables


def test_formats_are_file_types_of_the_table() -> None:
    known = {term.rpartition("/")[2][:-1] for term in table("file-type")}
    assert set(file_types()) <= known


def test_formats_have_extensions_and_media_types_in_lower_case() -> None:
    for code, known in file_types().items():
        for text in (*known.extensions, *known.media):
            assert text == text.lower().strip(), code
        assert all(re.fullmatch(r"[a-z-]+/[a-z0-9._+-]+(; .+)?", m) for m in known.media), code


@pytest.mark.parametrize("section", ["fix", "effort", "band", "dimension"])
def test_every_code_has_words_in_three_languages(section: str) -> None:
    codes = {"fix": FIXES, "effort": EFFORTS, "band": BANDS, "dimension": DIMENSIONS}[section]
    for code in codes:
        texts = {wording.find(f"{section}.{code}", language) for language in LANGUAGES}
        assert None not in texts
        if section == "fix":
            assert len(texts) == len(LANGUAGES), code


# ---- dates and freshness


@pytest.mark.parametrize(
    ("literal", "first", "last"),
    [
        ('"2026-02-03"', "2026-02-03", "2026-02-03"),
        ('"2026-02-03T04:05:06Z"', "2026-02-03", "2026-02-03"),
        ('"2024-02"', "2024-02-01", "2024-02-29"),
        ('"2024"^^<http://www.w3.org/2001/XMLSchema#gYear>', "2024-01-01", "2024-12-31"),
        ('"2024-02-01+01:00"', "2024-02-01", "2024-02-01"),
    ],
)
def test_a_date_means_one_day_or_several(literal: str, first: str, last: str) -> None:
    assert days(literal) == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize("text", ['"yesterday"', '"2026-02-30"', '"2026-13"', "<x:y>", '""'])
def test_what_is_no_date_means_nothing(text: str) -> None:
    assert days(text) is None


@pytest.mark.parametrize(
    ("frequency", "modified", "state"),
    [
        ("DAILY", "2026-11-24", "fresh"),
        ("DAILY", "2026-11-23", "late"),
        ("MONTHLY", "2026-10-20", "fresh"),
        ("MONTHLY", "2026-09-20", "late"),
        ("ANNUAL", "2025", "fresh"),
        ("ANNUAL", "2024", "late"),
        ("IRREG", "2001-01-01", "unknown"),
        ("SOMETIMES", "2026-11-24", "unknown"),
    ],
)
def test_freshness_is_held_against_the_declared_frequency(
    frequency: str, modified: str, state: str
) -> None:
    said = f""":a a dcat:Dataset ; dct:modified "{modified}" ;
        dct:accrualPeriodicity <{FREQUENCY}{frequency}> ."""
    assert one(said).freshness.state == state


def test_freshness_without_a_date_or_a_frequency_is_unknown() -> None:
    assert one(f":a a dcat:Dataset ; dct:accrualPeriodicity <{FREQUENCY}DAILY> .").freshness == (
        "unknown", None, 1,
    )  # fmt: skip
    assert one(':a a dcat:Dataset ; dct:modified "2026-11-20" .').freshness == ("unknown", 6, None)


def test_the_latest_date_of_dataset_and_files_counts() -> None:
    said = f""":a a dcat:Dataset ; dct:modified "2020-01-01" ; dcat:distribution :d ;
        dct:accrualPeriodicity <{FREQUENCY}DAILY> . :d dct:modified "2026-11-25" ."""
    assert one(said).freshness.state == "fresh"


# ---- parity and drift


def test_parity_counts_texts_by_property_and_resource() -> None:
    found = one(""":a a dcat:Dataset ; dct:title "A"@es, "A"@eu ; dct:description "B"@es-ES ;
        dcat:distribution :d . :d dct:title "D"@en .""").parity
    assert (found.texts, found.complete) == (3, 1)
    assert found.lacking == {"es": 1, "eu": 2}
    assert found.state == "unknown"


def revision(spanish: str | None, basque: str | None) -> str:
    said = [(spanish, "es"), (basque, "eu")]
    return "".join(f'<x:a> <http://purl.org/dc/terms/title> "{t}"@{c} .\n' for t, c in said if t)


@pytest.mark.parametrize(
    ("texts", "behind", "edited"),
    [
        ([("a", "b")], [], False),
        ([("a", "b"), ("a", "b")], [], False),
        ([("a", "b"), ("A", "b")], [("eu", "2")], True),
        ([("a", "b"), ("a", "B")], [("es", "2")], True),
        ([("a", "b"), ("A", "B")], [], True),
        ([("a", "b"), ("A", "b"), ("A", "B")], [], True),
        ([("a", "b"), ("A", "b"), ("AA", "b")], [("eu", "2")], True),
        ([("a", "b"), ("A", "b"), ("A", "B"), ("A", "BB")], [("es", "4")], True),
        ([("a", None), ("A", None), ("A", "b")], [], True),
        ([("a", None), ("a", "b"), ("A", "b")], [("eu", "3")], True),
        ([("a", "b"), ("A", "b"), ("A", None)], [], True),
    ],
)
def test_drift_is_an_edit_that_the_other_language_did_not_follow(
    texts: list[tuple[str | None, str | None]], behind: list[tuple[str, str]], edited: bool
) -> None:
    found = drift((str(n), revision(*pair)) for n, pair in enumerate(texts, 1))
    assert [(b.language, b.since) for b in found.behind] == behind
    assert found.edited is edited


def test_revisions_of_the_working_store_tell_of_drift(catalogue: Catalogue) -> None:
    said = ':a a dcat:Dataset ; dct:title "Aire"@es, "Airea"@eu .'
    catalogue.load(said + ':b a dcat:Dataset ; dct:title "B"@es, "B"@eu .')
    catalogue.load(said.replace("Aire", "El aire", 1) + ':b a dcat:Dataset ; dct:title "B"@es .')
    found = material.of_records(catalogue.records, history=True)
    told = quality.assess(found.graph, source="store", at=DAY, drifts=found.drifts).datasets
    states = {d.iri.rpartition("/")[2]: d.parity for d in told}
    assert [(b.language, b.predicate) for b in states["a"].behind] == [
        ("eu", "<http://purl.org/dc/terms/title>")
    ]
    assert states["b"].state == "unknown"
    assert states["b"].lacking == {"eu": 1}


# ---- to-do lists


FULL = f""":a a dcat:Dataset ; dct:title "A"@es, "A"@eu ; dct:description "B"@es, "B"@eu ;
    dcat:keyword "k"@es, "k"@eu ; dcat:theme x:t ; dct:spatial x:s ; dct:temporal x:p ;
    dct:accessRights <{EU}/access-right/PUBLIC> ; dcat:contactPoint x:c ; dct:publisher x:o ;
    dct:issued "2026-01-01" ; dct:modified "2026-01-02" ; dcat:distribution :d .
:d a dcat:Distribution ; dcat:accessURL x:page ; dcat:downloadURL x:file ;
    dct:format <{EU}/file-type/CSV> ; dct:license <{EU}/licence/CC_BY_4_0> ; dct:rights x:r ;
    dcat:mediaType <https://www.iana.org/assignments/media-types/text/csv> ; dcat:byteSize 1 .
"""
ALL_KNOWN = Evidence(
    frozenset(), {"https://other.example/page": True, "https://other.example/file": True}
)


def test_a_full_dataset_has_all_points_and_nothing_to_do() -> None:
    found = one(FULL, evidence=ALL_KNOWN)
    assert found.single[None] == found.average[None] == (405, 0)
    assert found.todo == ()


def test_the_most_points_for_the_effort_come_first() -> None:
    said = FULL.replace("dcat:theme x:t ;", "").replace("dct:rights x:r ;", "")
    said = said.replace(f"dct:license <{EU}/licence/CC_BY_4_0> ;", "")
    found = one(said.replace(', "B"@eu', ""), evidence=ALL_KNOWN).todo
    assert [(task.fix, task.points) for task in found] == [
        ("theme", 30), ("licence", 30), ("rights", 5), ("translation", 0),
    ]  # fmt: skip
    assert {task.fix: task.focus for task in found if task.focus}["licence"].endswith("/d>")


def test_what_is_unknown_is_nothing_to_do() -> None:
    assert one(FULL).single[None] == (295, 110)
    assert one(FULL).todo == ()


def test_points_to_gain_are_all_that_are_missing() -> None:
    for said in (":a a dcat:Dataset .", FULL.replace("dct:format", "x:format")):
        found = one(said, evidence=ALL_KNOWN)
        assert sum(task.points for task in found.todo) + found.single[None].points == 405


def test_a_dataset_without_files_has_one_thing_to_do_about_them() -> None:
    tasks = one(":a a dcat:Dataset .").todo
    assert [task.points for task in tasks if task.fix == "distribution"] == [220]


def test_lists_of_a_group_are_summed() -> None:
    found = assessed(":a a dcat:Dataset ; dct:publisher x:o . :b a dcat:Dataset ; "
                     "dct:publisher x:o ; dcat:theme x:t .")  # fmt: skip
    (group,) = found.groups("area")
    assert Task("theme", 30, None, 1) in group.todo
    assert Task("keyword", 60, None, 2) in group.todo
    ratios = [t.points / t.datasets / EFFORTS[t.effort] for t in group.todo]
    assert ratios == sorted(ratios, reverse=True)


# ---- groups


ORGANISED = """@prefix bkg: <https://datos.example.org/ns#> .
:a a dcat:Dataset ; dct:title "A"@es ; prov:qualifiedAttribution :ao, :as .
:ao prov:agent x:ana ; dcat:hadRole bkg:owner ; adms:status bkg:active .
:as prov:agent x:jon ; dcat:hadRole bkg:steward ; adms:status bkg:active .
:b a dcat:Dataset ; dct:creator x:area ; prov:qualifiedAttribution :bo .
:bo prov:agent x:jon ; dcat:hadRole bkg:owner ; adms:status bkg:ended .
:c a dcat:Dataset .
x:ana foaf:name "Ana" . x:jon foaf:name "Jon" . x:area foaf:name "Movilidad" .
x:old foaf:name "Antes" .
x:p1 org:member x:ana ; org:organization x:old ; org:memberDuring x:t .
x:t dcat:endDate "2020-01-01" .
x:p2 org:member x:ana ; org:organization x:area ."""


def test_the_area_is_the_present_unit_of_the_present_owner() -> None:
    found = assessed(ORGANISED)
    areas = {g.name: [d.iri[-1] for d in g.datasets] for g in found.groups("area")}
    assert areas == {"Movilidad": ["a", "b"], None: ["c"]}
    stewards = {g.name: len(g.datasets) for g in found.groups("steward")}
    assert stewards == {"Jon": 1, None: 2}
    assert list(stewards)[-1] is None


def test_a_catalogue_without_datasets_is_told() -> None:
    found = assessed("x:a a foaf:Agent .")
    for format in telling.FORMATS:
        assert telling.render(telling.Quality(found, "area", True, "https://x.example"), format)


# ---- reports


@pytest.fixture(scope="module")
def demo() -> Assessment:
    graph = Graph(
        [
            f"{quad.triple} ."
            for file in sorted(DEMO.glob("*.ttl"))
            for quad in ox.parse(path=str(file), base_iri=file.as_uri())
        ]
    )
    return quality.assess(graph, source="demo", at=DAY, evidence=Evidence(frozenset()))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("format", telling.FORMATS)
def test_every_format_tells_every_grouping(
    demo: Assessment, format: str, by: str, language: str
) -> None:
    told = telling.render(telling.Quality(demo, by, True, "https://x.example"), format, language)
    assert told.strip()
    assert "{" not in told or format in ("json", "html")


def test_page_loads_nothing_and_escapes(demo: Assessment) -> None:
    found = assessed(':a a dcat:Dataset ; dct:title "<script>alert(1)</script>"@es .')
    for shown in (demo, found):
        page = telling.render(telling.Quality(shown, "dataset", True, "https://x.example"), "html")
        assert "<script" not in page
        assert not re.search(r"(?:src|href)=|@import|url\(", page)
        assert "@media print" in page


def test_text_carries_no_control_characters() -> None:
    found = assessed(':a a dcat:Dataset ; dct:title "a\\u001b[2Jb\\nc"@es .')
    text = telling.render(telling.Quality(found, "dataset", True, "https://x.example"), "text")
    assert "\x1b" not in text
    assert "b c" in text


def test_cells_are_no_formulas() -> None:
    found = assessed(':a a dcat:Dataset ; dct:title "=1+1"@es .')
    text = telling.render(telling.Quality(found, "dataset", False, "https://x.example"), "csv")
    assert [row["name"] for row in csv.DictReader(io.StringIO(text))] == ["'=1+1"]


def test_measurements_are_dqv(demo: Assessment) -> None:
    text = "\n".join(
        measurements(demo, "https://x.example", [("r1", "2026-01-02T03:04:05Z", demo)])
    )
    store = ox.Store()
    store.load(text.encode(), format=ox.RdfFormat.TURTLE)
    rows = store.query("""PREFIX dqv: <http://www.w3.org/ns/dqv#>
        SELECT ?m (COUNT(DISTINCT ?on) AS ?n) WHERE { ?x a dqv:QualityMeasurement ;
        dqv:isMeasurementOf ?m ; dqv:computedOn ?on ; dqv:value ?v . ?m a dqv:Metric ;
        dqv:inDimension ?d . ?d a dqv:Dimension . FILTER (isNumeric(?v)) } GROUP BY ?m""")
    assert isinstance(rows, ox.QuerySolutions)
    counts = {row["m"].value.rpartition("#")[2]: int(row["n"].value) for row in rows}
    assert set(counts) == set(METRICS)
    assert counts["mqa-single"] == len(demo.datasets) + len(demo.catalogues)
    assert '"r1"' in text


def test_fair_asks_something_of_every_letter() -> None:
    assert {question.principle[0] for question in QUESTIONS} == set(LETTERS)
    assert one(":a a dcat:Dataset .").fair["F"] == pytest.approx(0.2)


# ---- the command


def run(folder: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bilbaokg", "--lang", "en", *words],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def test_quality_of_a_file_needs_no_catalogue(tmp_path: Path) -> None:
    (tmp_path / "a.ttl").write_text(PREFIXES + FULL)
    text = run(tmp_path, "quality", "a.ttl", "--todo")
    assert text.startswith("a.ttl: 1 dataset")
    document = json.loads(run(tmp_path, "quality", "a.ttl", "--by", "dataset", "--json"))
    (group,) = document["groups"]
    # x:c and the others are not described: DCAT-AP does not conform.
    assert group["points"]["single"] == {"points": 295, "unknown": 80, "band": "good"}
    assert [task["fix"] for task in group["todo"]] == ["conformance"]
    document = json.loads(run(tmp_path, "quality", "a.ttl", "--unvalidated", "--json"))
    assert document["summary"]["points"]["single"]["unknown"] == 110


def test_quality_of_the_store_a_release_and_its_history(tmp_path: Path) -> None:
    (tmp_path / "a.ttl").write_text(PREFIXES + FULL)
    run(tmp_path, "init", "--base", "https://datos.example.org")
    run(tmp_path, "load", "a.ttl")
    run(tmp_path, "release", "build", "--waive", "test")
    run(tmp_path, "release", "publish")
    store, released = (
        json.loads(run(tmp_path, "quality", *words, "--json"))["summary"]
        for words in ([], ["--release", "current"])
    )
    assert store == released
    document = json.loads(run(tmp_path, "quality", "--history", "--json"))
    assert [entry["release"] for entry in document["history"]] == ["r1"]
    assert "r1" in run(tmp_path, "quality", "--history", "--format", "ttl")
    assert "exclude each other" in run(tmp_path, "quality", "a.ttl", "--release", "r1", code=2)


def test_files_are_read_in_a_worker_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.ttl"
    file.write_text(PREFIXES + "\n:a a dcat:Dataset .")
    from bilbaokg.settings import Settings

    source = Source("a", file, "text/turtle")
    found = material.of_files([source], Settings(), called=lambda _: "a.ttl")
    (place,) = found.places.values()
    assert place == ("a.ttl", PREFIXES.count("\n") + 2)
