"""The shapes of DCAT-AP-ES and of the part of DCAT-AP 2.1.1 below them: each has a record that
passes and one that fails; parity with the official files, record by record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import official
import pytest
from mutations import mutations, restricted
from parity import Differences, Found, results
from records import Records, own_shapes, short
from test_shacl_parity import disagreements

from bilbaokg import profiles
from bilbaokg.shacl import check
from bilbaokg.shacl.graph import Graph
from bilbaokg.shacl.reading import read_files
from bilbaokg.terms import DCAT, DCT, RDF, RDFS, SH, language_of, plain, ref

pytestmark = pytest.mark.usefixtures("kept_workers")

NAME = "dcat-ap-es-1.0.0"
PROFILE = profiles.load("dcat-ap-es/1.0.0")
RECORDS = Records(
    Path(__file__).parent / "data" / "shapes-es",
    PROFILE,
    [DCAT.contactPoint, DCAT.distribution, DCAT.servesDataset, DCT.creator],
)
SHAPES = RECORDS.shapes.graph
FOLDER = next(file.parent for file in PROFILE.shapes if file.parent.parent.name == "dcat-ap-es")


# ---- what every shape brings


@pytest.mark.parametrize("shape", own_shapes(SHAPES), ids=short)
def test_shape_speaks_three_languages_and_says_where_it_comes_from(shape: str) -> None:
    for text in ("name", "message", "description"):
        tags = sorted(language_of(t) or "" for t in RECORDS.shapes.texts(ref(shape), text))
        assert tags == ["en", "es", "eu"], text
    assert SHAPES.one(ref(shape), ref(RDFS.seeAlso))


@pytest.mark.parametrize("shape", own_shapes(SHAPES), ids=short)
def test_recommended_is_a_warning_and_required_a_violation(shape: str) -> None:
    severity = plain(SHAPES.one(ref(shape), ref(SH.severity)) or "")
    expected = {"recommended": SH.Warning, "required": SH.Violation}
    assert severity == expected.get(short(shape).rpartition("-")[2], severity)


def test_no_shape_asks_a_query() -> None:
    # Shapes with queries are evaluated over everything each time that one record changes.
    for said in SHAPES.by_subject.values():
        assert not {ref(SH.sparql), ref(SH.target), ref(SH.select)} & set(said)


def test_texts_of_a_catalogue_in_basque_alone_need_spanish() -> None:
    lines = [
        f"<urn:c> {ref(RDF.type)} {ref(DCAT.Catalog)} .",
        '<urn:c> <http://purl.org/dc/terms/title> "Katalogoa"@eu .',
    ]
    found = {short(r.shape) for r in check(lines, PROFILE).results}
    assert "catalogue-title-spanish" in found
    assert "catalogue-title-required" not in found


# ---- the table of the specification

CLASS = re.compile(r"^## (dcat:\S+|spdx:\S+|prov:\S+|adms:\S+|dct:\S+)$")
ROW = re.compile(r"^ +(\S+) min \[(.*?)\] max \[(.*?)\]")


def table(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """Class, property, severity of its minimum and of its maximum, of the rows of the core."""
    class_ = ""
    for line in path.read_text(encoding="utf-8").partition("===== hvd")[0].splitlines():
        if line.startswith("## "):
            found = CLASS.match(line)
            class_ = found[1] if found else ""
        elif class_ and (row := ROW.match(line)):
            marks = [re.findall(r"'([VWI])'", cell) for cell in row.group(2, 3)]
            yield class_, row[1], "".join(marks[0]), "".join(marks[1])


def rules_of(class_: str, property_: str) -> dict[str, str]:
    """Last word of the names of the shapes of a property, with the letter of their severity."""
    nodes = SHAPES.subjects(ref(SH.targetClass), RECORDS.term(class_))
    members = [p for n in nodes for p in SHAPES.objects(n, ref(SH.property))]
    return {
        short(plain(p)).rpartition("-")[2]: plain(SHAPES.one(p, ref(SH.severity)) or "")[27:28]
        for p in members
        if SHAPES.one(p, ref(SH.path)) == RECORDS.term(property_)
    }


def test_shapes_say_what_the_table_says(reference: Path) -> None:
    wrong = []
    rows = list(table(reference / "profiles" / NAME / "table.txt"))
    assert len(rows) > 80
    for class_, property_, least, most in rows:
        rules = rules_of(class_, property_)
        expected = {"V": {"required": "V"}, "W": {"recommended": "W"}}.get(least, {})
        expected |= {"single": most} if most else {}
        if {
            k: v for k, v in rules.items() if k in ("required", "recommended", "single")
        } != expected:
            wrong.append((class_, property_, expected, rules))
    assert wrong == []


# ---- parity with the official files


class Judges:
    """Our shapes and the official ones; those for high-value data see what is marked so alone."""

    def __init__(self, reference: Path, folder: Path) -> None:
        files = official.files(reference, NAME)
        core = [f for f in files if f.parent.name != "hvd"]
        shared = [f for f in core if "common" in f.name or "mdr" in f.name]
        high_value = [f for f in files if f not in core]
        self.core = official.without_imports(folder, core, "core")
        self.high_value = official.without_imports(folder, [*shared, *high_value], "hvd")

    def ours(self, lines: list[str]) -> Found:
        return results(check(lines, PROFILE).results, SHAPES)

    def theirs(self, lines: list[str]) -> Found:
        found = results(check(lines, self.core).results)
        if marked := official.high_value(lines):
            for key, values in results(check(lines, self.high_value).results).items():
                if key[1] in marked:
                    found[key] = found.get(key, set()) | values
        return found


@pytest.fixture(scope="module")
def judges(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Judges:
    return Judges(reference, tmp_path_factory.mktemp("es"))


def examples(reference: Path) -> list[Path]:
    return sorted((reference / "profiles" / NAME / "examples").glob("*.ttl"))


def mutated(base: Path, shapes: Iterable[Path], step: int) -> list[str]:
    """An official example, with every step-th of the single mutations of its nodes."""
    lines = [" ".join((*s, ".")) for s in official.statements(base.read_text(encoding="utf-8"))]
    made = list(mutations(lines, restricted(Graph(read_files(shapes))), classes=None))
    chosen = made[::step]
    assert len(chosen) >= 500
    return list(dict.fromkeys([*lines, *(line for m in chosen for line in m.lines)]))


def catalogues(reference: Path, judges: Judges, *, whole: bool) -> Iterable[list[str]]:
    for path in examples(reference):
        yield official.read(path)
    for name in ("rostock.rdf", "brandenburg.ttl"):
        lines = official.read(reference / "catalogues" / name)
        yield lines if whole else official.sample(lines, 8)
    base = examples(reference)[0].parent / "E_DCAT-AP-ES_full_optional.ttl"
    yield mutated(base, (*judges.core.shapes, *PROFILE.shapes), 1 if whole else 3)


def test_official_examples_can_all_be_read(reference: Path) -> None:
    assert len(examples(reference)) == 8
    for path in examples(reference):
        assert official.read(path)


def assert_parity(reference: Path, judges: Judges, *, whole: bool) -> None:
    listed = Differences(FOLDER / "differences.toml")
    found = [
        difference
        for lines in catalogues(reference, judges, whole=whole)
        for difference in listed.between(lines, judges.ours(lines), judges.theirs(lines))
    ]
    assert found == []
    assert listed.unused(whole=whole) == [], "these no longer occur"


def test_examples_samples_and_mutations_give_the_official_results(
    reference: Path, judges: Judges
) -> None:
    assert_parity(reference, judges, whole=False)


@pytest.mark.peers
@pytest.mark.timeout(600)
def test_real_catalogues_and_all_mutations_give_the_official_results(
    reference: Path, judges: Judges
) -> None:
    assert_parity(reference, judges, whole=True)


@pytest.mark.peers
@pytest.mark.timeout(600)
def test_mutations_give_the_results_of_the_reference_engine() -> None:
    assert disagreements(RECORDS.lines(), PROFILE) == []


def test_examples_give_the_results_of_the_reference_engine(reference: Path) -> None:
    lines = [line for path in examples(reference) for line in official.read(path)]
    assert disagreements(list(dict.fromkeys(lines)), PROFILE) == []


def test_at_most_thirty_differences_are_listed_each_with_a_reason() -> None:
    listed = Differences(FOLDER / "differences.toml")
    assert len(listed.entries) <= 30
    assert all(entry["reason"].endswith(".") for entry in listed.entries)
