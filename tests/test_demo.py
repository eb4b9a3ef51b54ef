"""The bundled demo catalogue: a real city's worth of records, all of it valid RDF of our model."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pyoxigraph as ox
import pytest

from bilbaokg import assets
from bilbaokg.terms import DCAT, DCT, LANGUAGES

DEMO = assets.folder("demo")
BASE = "https://bilbaokg.example"
DATASET = ox.NamedNode(DCAT.Dataset)
TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")


def statements(folder: Path) -> list[ox.Quad]:
    found: list[ox.Quad] = []
    for file in sorted(folder.glob("*.ttl")):
        found += ox.parse(path=str(file), base_iri=f"{BASE}/", rename_blank_nodes=True)
    return found


@pytest.fixture(scope="module")
def quads() -> list[ox.Quad]:
    return statements(DEMO / "catalogue") + statements(assets.folder("ontology"))


@pytest.fixture(scope="module")
def classes(quads: list[ox.Quad]) -> Counter[str]:
    members = {(q.subject, q.object) for q in quads if q.predicate == TYPE}
    return Counter(re.split(r"[/#]", cls.value)[-1] for _, cls in members)


@pytest.mark.parametrize(
    ("cls", "least"),
    [
        ("Dataset", 45),
        ("DatasetSeries", 3),
        ("DataService", 4),
        ("OrganizationalUnit", 15),
        ("Person", 10),
        ("Attribution", 90),
        ("Table", 15),
        ("Column", 40),
        ("Plan", 5),
        ("Activity", 2),
        ("Assertion", 10),
        ("CatalogRecord", 10),
    ],
)
def test_holds_enough_of_each_class(classes: Counter[str], cls: str, least: int) -> None:
    assert classes[cls] >= least


def test_lineage_has_five_layers_and_begins_outside_the_city(quads: list[ox.Quad]) -> None:
    derived: dict[str, set[str]] = {}
    for q in quads:
        if q.predicate.value.endswith("prov#wasDerivedFrom"):
            derived.setdefault(q.subject.value, set()).add(q.object.value)
    assert sum(map(len, derived.values())) >= 80

    def depth(node: str) -> int:
        return 1 + max((depth(source) for source in derived.get(node, ())), default=0)

    assert max(map(depth, derived)) >= 5
    roots = {s for sources in derived.values() for s in sources} - derived.keys()
    assert any(not root.startswith(BASE) for root in roots)


def test_forty_column_derivations_say_how(quads: list[ox.Quad]) -> None:
    said = [q for q in quads if q.predicate.value == f"{BASE}/ns#transformation"]
    assert len(said) >= 40


def test_appointments_are_in_every_state(quads: list[ox.Quad]) -> None:
    states = {q.object.value for q in quads if q.predicate.value.endswith("adms#status")}
    wanted = {"nominated", "accepted", "declined", "active", "ended"}
    assert {f"{BASE}/ns#{state}" for state in wanted} <= states


def test_every_person_is_said_to_be_invented(quads: list[ox.Quad]) -> None:
    persons = {q.subject for q in quads if q.predicate == TYPE and "Person" in q.object.value}
    comments: dict[object, str] = {}
    for q in quads:
        if q.predicate.value.endswith("rdf-schema#comment"):
            comments[q.subject] = comments.get(q.subject, "") + q.object.value
    assert persons
    assert all("inventada" in comments[person] for person in persons)


def test_texts_are_in_spanish_and_basque_but_for_the_unfinished(quads: list[ox.Quad]) -> None:
    datasets = {q.subject for q in quads if q.predicate == TYPE and q.object.value == DCAT.Dataset}
    tags: dict[object, set[str]] = {d: set() for d in datasets}
    for q in quads:
        if q.subject in datasets and q.predicate.value == DCT.title:
            tags[q.subject].add(q.object.language or "")
    lacking = [d for d, found in tags.items() if not {"es", "eu"} <= found]
    assert len(lacking) <= 2
    assert sum("en" in found for found in tags.values()) > len(tags) / 2
    assert LANGUAGES[:2] == ("es", "eu")


def test_all_ten_portal_themes_have_datasets(quads: list[ox.Quad]) -> None:
    themes = {f.stem.removeprefix("datasets-") for f in (DEMO / "catalogue").glob("datasets-*.ttl")}
    assert len(themes) == 10


def test_changes_replace_files_that_are_there() -> None:
    script = tomllib.loads((DEMO / "demo.toml").read_text(encoding="utf-8"))
    assert script["base"] == BASE
    for file in (DEMO / "changes").glob("*"):
        assert (DEMO / "catalogue" / file.name).is_file()


def test_nothing_we_mint_dangles(quads: list[ox.Quad]) -> None:
    subjects = {q.subject for q in quads}
    dangling = {
        q.object.value
        for q in quads
        if isinstance(q.object, ox.NamedNode)
        and q.object.value.startswith(f"{BASE}/id/")
        and q.object not in subjects
    }
    assert not dangling


def test_no_code_knows_the_demo(quads: list[ox.Quad]) -> None:
    datasets = {q.subject.value for q in quads if q.predicate == TYPE and q.object == DATASET}
    slugs = {iri.rpartition("/")[2] for iri in datasets}
    for file in Path(assets.__file__).parent.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert f"{BASE}/id/" not in text, file
        assert not [slug for slug in slugs if f'"{slug}"' in text or f"/{slug}" in text], file
