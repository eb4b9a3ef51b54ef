"""The 405 points, counted a second time with SPARQL and compared, on real catalogues too."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyoxigraph as ox
import pytest
from helpers import PREFIXES, lines, reference_folder

from bilbaokg import quality
from bilbaokg.quality.catalogue import Catalogue
from bilbaokg.quality.mqa import DIMENSIONS, RULES, Evidence, Score, band, score
from bilbaokg.shacl.graph import Graph
from bilbaokg.terms import ref

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "demo" / "catalogue"
EU = "http://publications.europa.eu/resource/authority"
MEDIA = (
    "^https?://www.iana.org/assignments/media-types/"
    "(application|audio|example|font|haptics|image|message|model|multipart|text|video)/"
)


def scores(turtle: str, evidence: Evidence | None = None) -> dict[str, Score]:
    found = Catalogue(Graph(lines(turtle)), "es").datasets()
    return {one.node: score(one, evidence or Evidence()) for one in found}


def only(turtle: str, evidence: Evidence | None = None) -> Score:
    (found,) = scores(turtle, evidence).values()
    return found


# ---- the table


def test_the_points_are_those_of_the_methodology() -> None:
    points = {name: sum(r.points for r in RULES if r.dimension == name) for name in DIMENSIONS}
    assert list(points.values()) == [100, 100, 110, 75, 20]
    assert quality.MAXIMUM == 405


def test_every_rule_has_a_fix_and_every_fix_an_effort() -> None:
    assert {rule.fix for rule in RULES} <= set(quality.FIXES)
    assert set(quality.FIXES.values()) <= set(quality.EFFORTS)


@pytest.mark.parametrize(
    ("points", "name"),
    [(405, "excellent"), (351, "excellent"), (350.9, "good"), (221, "good"), (220, "sufficient"),
     (121, "sufficient"), (120.5, "bad"), (0, "bad")],
)  # fmt: skip
def test_bands(points: float, name: str) -> None:
    assert band(points) == name


# ---- counting


def test_a_bare_dataset_earns_nothing_and_conformance_is_unknown() -> None:
    assert only(":a a dcat:Dataset .").single() == (0, 30)
    assert only(":a a dcat:Dataset .", Evidence(frozenset())).single() == (30, 0)


def test_a_dataset_with_a_violation_does_not_conform() -> None:
    failing = Evidence(frozenset({"<https://datos.example.org/id/dataset/a>"}))
    assert only(":a a dcat:Dataset .", failing).single() == (0, 0)


def test_a_link_is_unknown_until_it_is_probed() -> None:
    said = """:a a dcat:Dataset ; dcat:distribution :d .
        :d dcat:accessURL x:page ; dcat:downloadURL x:file ."""
    page, file = "https://other.example/page", "https://other.example/file"
    known = frozenset[str]()
    assert only(said, Evidence(known)).single("accessibility") == (20, 80)
    assert only(said, Evidence(known, {page: True})).single("accessibility") == (70, 30)
    assert only(said, Evidence(known, {page: True, file: False})).single() == (100, 0)


def test_one_of_several_links_that_answers_is_enough_and_all_must_be_known_dead() -> None:
    said = ":a a dcat:Dataset ; dcat:distribution :d . :d dcat:accessURL x:a, x:b ."
    a, b = "https://other.example/a", "https://other.example/b"
    assert only(said, Evidence(None, {a: False})).single("accessibility") == (0, 50)
    assert only(said, Evidence(None, {a: False, b: True})).single("accessibility") == (50, 0)
    assert only(said, Evidence(None, {a: False, b: False})).single("accessibility") == (0, 0)


def test_the_best_distribution_stands_for_all_as_a_whole_and_the_average_is_another_count() -> None:
    said = f""":a a dcat:Dataset ; dcat:distribution :b, :c .
        :b dct:format <{EU}/file-type/PDF> ; dct:license <{EU}/licence/CC_BY_4_0> .
        :c dct:rights x:r ; dcat:byteSize 1 ."""
    found = only(said, Evidence(frozenset()))
    # :b has format 20, non-proprietary 20, licence 20 + 10; :c has 5 + 5, which :b does not borrow.
    assert found.single().points == 30 + 70
    assert found.average().points == 30 + (70 + 10) / 2
    assert found.average("contextuality").points == 5


def test_free_text_is_no_value_of_a_table() -> None:
    said = ':a a dcat:Dataset ; dcat:distribution :d . :d dct:format "CSV" ; dct:license "free" .'
    found = only(said, Evidence(frozenset())).distributions[0]
    earned = {code for code, outcome in found.items() if outcome}
    assert earned == {"format", "licence"}


def test_format_and_media_type_must_both_be_from_their_tables() -> None:
    csv = f"<{EU}/file-type/CSV>"
    iana = "<https://www.iana.org/assignments/media-types/text/csv>"
    for media, both in ((iana, True), ('"text/csv"', False), ("x:csv", False)):
        said = f""":a a dcat:Dataset ; dcat:distribution :d .
            :d dct:format {csv} ; dcat:mediaType {media} ."""
        assert only(said).distributions[0]["format-vocabulary"] is both


# ---- a second implementation


class Second:
    """The points of a catalogue, by SPARQL."""

    def __init__(self, store: ox.Store, answers: Mapping[str, bool]) -> None:
        self.store, self.answers = store, answers
        formats = tomllib.loads((ROOT / "ontology" / "formats.toml").read_text("utf-8"))
        self.open = {f"{EU}/file-type/{code}" for code, f in formats.items() if f["open"]}
        self.machine = {f"{EU}/file-type/{code}" for code, f in formats.items() if f["machine"]}

    def rows(self, where: str) -> Iterator[tuple[str, ...]]:
        text = f"{SPARQL} SELECT DISTINCT * WHERE {{ {where} }}"
        solutions = self.store.query(text)
        assert isinstance(solutions, ox.QuerySolutions)
        names = [variable.value for variable in solutions.variables]
        for row in solutions:
            yield tuple(row[name].value for name in sorted(names))

    def points(self) -> dict[str, tuple[int, int]]:
        """Dataset -> points and unknown points, with the best distribution."""
        own: dict[str, int] = defaultdict(int)
        for points, where in OF_DATASET.items():
            for part in where:
                for dataset in {row[0] for row in self.rows(f"?a a dcat:Dataset . {part}")}:
                    own[dataset] += int(points)
        files = self.files()
        best: dict[str, tuple[int, int]] = {}
        for dataset, file in self.rows("?a a dcat:Dataset ; dcat:distribution ?b"):
            best[dataset] = max(best.get(dataset, (0, 0)), files[file])
        return {
            dataset: (own[dataset] + best.get(dataset, (0, 0))[0],
                      30 + best.get(dataset, (0, 0))[1])
            for (dataset,) in self.rows("?a a dcat:Dataset")
        }  # fmt: skip

    def files(self) -> dict[str, tuple[int, int]]:
        earned: dict[str, int] = defaultdict(int)
        unknown: dict[str, int] = defaultdict(int)
        each = "?z dcat:distribution ?a ."
        for points, where in OF_DISTRIBUTION.items():
            for part in where:
                for file in {row[0] for row in self.rows(f"{each} {part}") if row}:
                    earned[file] += int(points)
        for wanted in (self.open, self.machine):
            found = self.rows(f"{each} ?a dct:format ?b FILTER (isIRI(?b))")
            for file in {a for a, b, _ in found if b in wanted}:
                earned[file] += 20
        for name, points in (("accessURL", 50), ("downloadURL", 30)):
            told: dict[str, list[bool | None]] = defaultdict(list)
            for file, url, _ in self.rows(f"{each} ?a dcat:{name} ?b"):
                told[file].append(self.answers.get(url))
            for file, answers in told.items():
                if True in answers:
                    earned[file] += points
                elif None in answers:
                    unknown[file] += points
        listed = {file for file, _ in self.rows(each)}
        return {file: (earned[file], unknown[file]) for file in listed}


SPARQL = PREFIXES.replace("@prefix", "PREFIX").replace(" .\n", "\n")
TABLE = "GRAPH <urn:tables> {{ ?t skos:inScheme <" + EU + "/{}> }}"
OF_DATASET = {
    "30": ["?a dcat:keyword ?x", "?a dcat:theme ?x"],
    "20": ["?a dct:spatial ?x", "?a dct:temporal ?x", "?a dcat:contactPoint ?x"],
    "10": ["?a dct:accessRights ?x", "?a dct:publisher ?x"],
    "5": [
        f"?a dct:accessRights ?t . {TABLE.format('access-right')}",
        "?a dct:issued ?x",
        "?a dct:modified ?x",
    ],
}
OF_DISTRIBUTION = {
    "20": ["?a dcat:downloadURL ?x", "?a dct:format ?x", "?a dct:license ?x"],
    "10": [
        "?a dcat:mediaType ?x",
        f'?a dcat:mediaType ?m ; dct:format ?t FILTER (isIRI(?m) && REGEX(STR(?m), "{MEDIA}"))'
        f" {TABLE.format('file-type')}",
        f"?a dct:license ?t . {TABLE.format('licence')}",
    ],
    "5": ["?a dct:rights ?x", "?a dcat:byteSize ?x"],
}


def sources() -> list[tuple[str, list[Path]]]:
    real = reference_folder() / "catalogues"
    found = [("demo", sorted(DEMO.glob("*.ttl")))]
    found += [(file.stem, [file]) for file in sorted(real.glob("*.*")) if real.is_dir()]
    return found


@pytest.mark.parametrize(("name", "files"), sources(), ids=lambda value: str(value)[:12])
def test_points_are_those_of_a_second_implementation(name: str, files: list[Path]) -> None:
    store = ox.Store()
    for file in files:
        store.load(path=str(file), base_iri=file.as_uri(), lenient=True)
    held = [f"{quad.triple} ." for quad in store]
    for file in (ROOT / "ontology" / "authority").glob("*.ttl"):
        store.load(path=str(file), to_graph=ox.NamedNode("urn:tables"))
    # A third of the addresses answers, a third does not, a third was not probed.
    urls = {
        quad.object.value
        for name in ("accessURL", "downloadURL")
        for quad in store.quads_for_pattern(None, ox.NamedNode(f"{DCAT}{name}"), None)
    }
    answers = {url: bool(len(url) % 3) for url in urls if len(url) % 3 < 2}
    found = Catalogue(Graph(held), "es").datasets()
    ours = {one.node: score(one, Evidence(None, answers)).single() for one in found}
    second = Second(store, answers).points()
    assert len(ours) > 20
    assert ours == {ref(dataset): points for dataset, points in second.items()}


DCAT = "http://www.w3.org/ns/dcat#"
