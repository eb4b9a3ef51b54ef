"""The shapes of DCAT-AP HVD: they look at high-value data alone, the official ones at all data."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import official
import pytest
from mutations import mutations, restricted
from parity import Differences, Found, results
from records import Records, short
from test_shacl_parity import disagreements

from bilbaokg import profiles
from bilbaokg.errors import SyntaxFault
from bilbaokg.model import Profile
from bilbaokg.shacl import check
from bilbaokg.shacl.graph import TYPE, Graph
from bilbaokg.shacl.reading import read_files
from bilbaokg.terms import DCAT, RDFS, SH, VCARD, language_of, plain, ref

NAME = "dcat-ap-hvd-3.0.0"
PROFILE = profiles.load("dcat-ap-hvd/3.0.0")
SHAPE = "urn:bilbaokg:shapes:dcat-ap-hvd:3.0.0#"
RECORDS = Records(
    Path(__file__).parent / "data" / "shapes-hvd",
    PROFILE,
    [DCAT.contactPoint, DCAT.distribution],
    of=SHAPE,
)
SHAPES = RECORDS.shapes.graph
FOLDER = next(f.parent for f in PROFILE.shapes if f.parent.parent.name == "dcat-ap-hvd")
UNREADABLE = {"example-bees_wasps_dataset.ttl"}


@pytest.mark.parametrize("shape", RECORDS.own, ids=short)
def test_shape_speaks_three_languages_and_says_where_it_comes_from(shape: str) -> None:
    for text in ("name", "message", "description"):
        tags = sorted(language_of(t) or "" for t in RECORDS.shapes.texts(ref(shape), text))
        assert tags == ["en", "es", "eu"], text
    assert SHAPES.one(ref(shape), ref(RDFS.seeAlso))


@pytest.mark.parametrize("shape", RECORDS.own, ids=short)
def test_recommended_is_a_warning_and_required_a_violation(shape: str) -> None:
    severity = plain(SHAPES.one(ref(shape), ref(SH.severity)) or "")
    expected = {"recommended": SH.Warning, "required": SH.Violation, "single": SH.Violation}
    assert severity == expected.get(short(shape).rpartition("-")[2], severity)


# ---- parity with the official file, where it speaks of high-value data


def examples(reference: Path) -> list[Path]:
    return sorted((reference / "profiles" / NAME / "examples").glob("*.ttl"))


def test_examples_that_do_not_parse_say_where(reference: Path) -> None:
    for path in examples(reference):
        if path.name in UNREADABLE:
            with pytest.raises(SyntaxFault) as caught:
                official.read(path)
            assert caught.value.where == str(path)
            assert caught.value.extra["line"] > 1
        else:
            assert official.read(path)


def both(lines: list[str], shapes: Profile) -> tuple[Found, Found]:
    """What we and the official file report of high-value data and their contact points; of what
    DCAT-AP itself reports only that which the official file reports too."""
    graph = Graph(lines)
    marked = official.high_value(lines)
    contacts = {c for iri in marked for c in graph.objects(ref(iri), ref(DCAT.contactPoint))}
    marked |= {c.strip("<>") for c in contacts if _is_contact(graph, c)}
    found = [r for r in check(lines, PROFILE).results if r.focus in marked]
    own = results([r for r in found if (r.shape or "").startswith(SHAPE)], SHAPES)
    theirs = results([r for r in check(lines, shapes).results if r.focus in marked])
    every = results(found, SHAPES)
    return {key: v for key, v in every.items() if key in own or key in theirs}, theirs


def _is_contact(graph: Graph, node: str) -> bool:
    return any(type_.startswith(f"<{VCARD}") for type_ in graph.objects(node, TYPE))


def catalogues(reference: Path, shapes: Profile) -> Iterable[list[str]]:
    for path in examples(reference):
        if path.name not in UNREADABLE:
            yield official.read(path)
    for name in ("rostock.rdf", "brandenburg.ttl"):
        yield official.read(reference / "catalogues" / name)
    base = [" ".join((*s, ".")) for s in RECORDS.base]
    made = list(mutations(base, restricted(Graph(read_files(shapes.shapes))), classes=None))
    assert len(made) >= 300
    yield list(dict.fromkeys([*base, *(line for m in made for line in m.lines)]))


def test_examples_real_catalogues_and_mutations_give_the_official_results(reference: Path) -> None:
    shapes = Profile("hvd", "official", {}, tuple(official.files(reference, NAME)))
    listed = Differences(FOLDER / "differences.toml")
    found = [
        difference
        for lines in catalogues(reference, shapes)
        for difference in listed.between(lines, *both(lines, shapes))
    ]
    assert found == []
    assert listed.unused(whole=True) == [], "these no longer occur"


def test_mutations_give_the_results_of_the_reference_engine() -> None:
    assert disagreements(RECORDS.lines(), PROFILE) == []


def test_at_most_thirty_differences_are_listed_each_with_a_reason() -> None:
    listed = Differences(FOLDER / "differences.toml")
    assert len(listed.entries) <= 30
    assert all(entry["reason"].endswith(".") for entry in listed.entries)
