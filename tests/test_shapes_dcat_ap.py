"""The DCAT-AP 3.0.1 shapes: each has a record that passes and one that fails; parity with the
official files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from official import dcat_ap, read, sample, statements
from official import tables as official_tables
from parity import Differences, results
from records import Records, own_shapes, short

from bilbaokg import profiles
from bilbaokg.errors import SyntaxFault
from bilbaokg.model import Profile
from bilbaokg.shacl import check
from bilbaokg.shacl.prepared import prepare
from bilbaokg.terms import DCAT, DCT, RDF, RDFS, SH, language_of, plain, ref

pytestmark = pytest.mark.usefixtures("kept_workers")

PROFILE = profiles.load("dcat-ap/3.0.1")
RECORDS = Records(Path(__file__).parent / "data" / "shapes", PROFILE, [DCAT.inSeries])
SHAPES = RECORDS.shapes
SHAPE = "urn:bilbaokg:shapes:dcat-ap:3.0.1#"


# ---- dates, as the words of one rule: sh:date accepts these and nothing else

GOOD_DATES = (
    '"2024-05-31"^^xsd:date', '"2024-05-31Z"^^xsd:date', '"2024-05-31T10:00:00Z"^^xsd:dateTime',
    '"2024-05-31T10:00:00"^^xsd:dateTime', '"2024"^^xsd:gYear', '"2024-05"^^xsd:gYearMonth',
    '"2024-02-29"^^xsd:date',
)  # fmt: skip
BAD_DATES = (
    '"2024-05-31"', '"31/05/2024"^^xsd:date', '"2024-02-30"^^xsd:date', '"2024-13"^^xsd:gYearMonth',
    '"24"^^xsd:gYear', '"año 2024"^^xsd:gYear', '"2024-05-31"@es', "<https://example.org/2024>",
    '"2024-05-31"^^xsd:dateTime', '"--05-31"^^xsd:gMonthDay',
)  # fmt: skip


@pytest.fixture(scope="module")
def wrong_dates() -> set[int]:
    """The numbers of the dates, good ones first, that are refused."""
    records = [
        f"<urn:d:{n}> a dcat:Dataset ; dct:issued {date} ."
        for n, date in enumerate((*GOOD_DATES, *BAD_DATES))
    ]
    lines = [" ".join((*s, ".")) for s in statements(RECORDS.prefixes + "\n".join(records))]
    report = check(lines, PROFILE)
    wrong = [r for r in report.results if r.shape == f"{SHAPE}dataset-issued-date"]
    return {int((r.focus or "").rpartition(":")[2]) for r in wrong}


@pytest.mark.parametrize("date", GOOD_DATES)
def test_date_with_its_type_is_accepted(date: str, wrong_dates: set[int]) -> None:
    assert GOOD_DATES.index(date) not in wrong_dates


@pytest.mark.parametrize("date", BAD_DATES)
def test_wrong_date_is_refused(date: str, wrong_dates: set[int]) -> None:
    assert len(GOOD_DATES) + BAD_DATES.index(date) in wrong_dates


# ---- what every shape brings


@pytest.mark.parametrize("shape", own_shapes(SHAPES.graph), ids=short)
def test_shape_speaks_three_languages_and_says_where_it_comes_from(shape: str) -> None:
    for text in ("name", "message", "description"):
        tags = sorted(language_of(t) or "" for t in SHAPES.texts(ref(shape), text))
        assert tags == ["en", "es", "eu"], text
    assert SHAPES.graph.one(ref(shape), ref(RDFS.seeAlso))


@pytest.mark.parametrize("shape", own_shapes(SHAPES.graph), ids=short)
def test_recommended_is_a_warning_and_required_a_violation(shape: str) -> None:
    rule = shape.rpartition("-")[2]
    severity = plain(SHAPES.graph.one(ref(shape), ref(SH.severity)) or "")
    expected = {"recommended": SH.Warning, "required": SH.Violation, "single": SH.Violation}
    assert severity == expected.get(rule, severity)


# ---- the background


BACKGROUND = prepare(PROFILE).background
CONCEPTS = sorted(
    BACKGROUND.subjects(ref(RDF.type), ref("http://www.w3.org/2004/02/skos/core#Concept"))
)


def test_background_passes_its_own_profile() -> None:
    lines = list(BACKGROUND.lines())
    violations = [
        r for r in check(lines, PROFILE, partial=True).results if r.severity == "violation"
    ]
    assert violations == []


def test_every_concept_stands_in_a_described_scheme() -> None:
    skos = "http://www.w3.org/2004/02/skos/core#"
    schemes = set(BACKGROUND.subjects(ref(RDF.type), ref(f"{skos}ConceptScheme")))
    assert len(CONCEPTS) > 400
    for concept in CONCEPTS:
        assert set(BACKGROUND.objects(concept, ref(f"{skos}inScheme"))) <= schemes
        assert len(BACKGROUND.objects(concept, ref(f"{skos}notation"))) == 1
        languages = [language_of(t) for t in BACKGROUND.objects(concept, ref(f"{skos}prefLabel"))]
        assert "en" in languages
        assert len(languages) == len(set(languages))


def test_results_inside_the_background_are_not_reported() -> None:
    theme = ref("http://publications.europa.eu/resource/authority/data-theme/TRAN")
    lines = [
        f"<urn:d> {ref(RDF.type)} {ref(DCAT.Dataset)} .",
        f"<urn:d> {ref(DCAT.theme)} {theme} .",
    ]
    assert {r.focus for r in check(lines, PROFILE).results} == {"urn:d"}


@pytest.mark.parametrize(
    ("cls", "property_", "table"),
    [
        ("Dataset", DCAT.theme, "data-theme"),
        ("Dataset", DCT.accessRights, "access-right"),
        ("Dataset", DCT.accrualPeriodicity, "frequency"),
        ("Distribution", DCT["format"], "file-type"),
    ],
)
def test_provisional_is_a_value_of_every_table(cls: str, property_: str, table: str) -> None:
    value = f"http://publications.europa.eu/resource/authority/{table}/OP_DATPRO"
    lines = [
        f"<urn:d> {ref(RDF.type)} {ref(DCAT[cls])} .",
        f"<urn:d> {ref(property_)} {ref(value)} .",
    ]
    assert not [r for r in check(lines, PROFILE, partial=True).results if r.path == property_]


# ---- the table of the specification


def table(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """Class, property, obligation and cardinality of each row."""
    name = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if line.startswith("## "):
            name = words[1]
        elif words:
            yield name, words[0].replace("lcon:", "locn:"), words[1], words[2]


def shapes_of(class_: str, property_: str) -> list[str]:
    graph = SHAPES.graph
    nodes = graph.subjects(ref(SH.targetClass), RECORDS.term(class_))
    members = [p for n in nodes for p in graph.objects(n, ref(SH.property))]
    return [p for p in members if graph.one(p, ref(SH.path)) == RECORDS.term(property_)]


def test_shapes_say_what_the_table_says(reference: Path) -> None:
    wrong = []
    for class_, property_, obligation, cardinality in table(reference / PROFILES / "table.txt"):
        shapes = {plain(s).rpartition("-")[2] for s in shapes_of(class_, property_)}
        expected = {"M": {"required"}, "R": {"recommended"}, "O": set()}[obligation]
        expected = expected | ({"single"} if cardinality.endswith("..1") else set())
        if not expected <= shapes or ("required" in shapes) != (obligation == "M"):
            wrong.append((class_, property_, sorted(expected), sorted(shapes)))
    assert wrong == []


# ---- parity with the official files

PROFILES = Path("profiles") / "dcat-ap-3.0.1"
UNREADABLE = {
    "example-bee-population-dataset-series-api.ttl",
    "example-bee-population-dataset-series-combined.ttl",
}
DIFFERENCES = PROFILE.shapes[0].parent / "differences.toml"


@pytest.fixture(scope="module")
def official(reference: Path) -> Profile:
    return dcat_ap(reference)


@pytest.fixture(scope="module")
def tables(reference: Path) -> list[str]:
    return official_tables(reference)


def examples(reference: Path) -> list[Path]:
    return sorted((reference / PROFILES / "examples").glob("*.ttl"))


def assert_parity(
    catalogues: list[list[str]], official: Profile, tables: list[str], *, whole: bool
) -> None:
    listed = Differences(DIFFERENCES)
    found = []
    for lines in catalogues:
        theirs = results(check(lines, official, known=tables).results)
        found += listed.between(lines, results(check(lines, PROFILE).results), theirs)
    assert found == []
    assert listed.unused(whole=whole) == [], "these no longer occur"


def readable_examples(reference: Path) -> list[list[str]]:
    return [read(path) for path in examples(reference) if path.name not in UNREADABLE]


def test_official_examples_and_samples_of_real_catalogues_give_the_official_results(
    reference: Path, official: Profile, tables: list[str]
) -> None:
    # One namespace holds all examples, and they repeat each other: together they are one catalogue.
    together = list(dict.fromkeys(line for ls in readable_examples(reference) for line in ls))
    rostock = sample(read(reference / "catalogues" / "rostock.rdf"), 12)
    brandenburg = sample(read(reference / "catalogues" / "brandenburg.ttl"), 12)
    assert_parity([together, rostock, brandenburg], official, tables, whole=False)


@pytest.mark.peers
@pytest.mark.timeout(600)
def test_real_catalogues_give_the_official_results(
    reference: Path, official: Profile, tables: list[str]
) -> None:
    catalogues = readable_examples(reference)
    catalogues += [read(reference / "catalogues" / n) for n in ("rostock.rdf", "brandenburg.ttl")]
    assert_parity(catalogues, official, tables, whole=True)


def test_examples_that_do_not_parse_say_where(reference: Path) -> None:
    broken = [path for path in examples(reference) if path.name in UNREADABLE]
    assert len(broken) == len(UNREADABLE)
    for path in broken:
        with pytest.raises(SyntaxFault) as caught:
            read(path)
        assert caught.value.where == str(path)
        assert caught.value.extra["line"] > 1
