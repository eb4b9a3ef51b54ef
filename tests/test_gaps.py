"""What a load says is missing: the same as the shapes ask for, in words."""

from __future__ import annotations

import pytest
from helpers import lines

from bilbaokg import gaps, profiles
from bilbaokg.model import Problem
from bilbaokg.shacl.reading import read_files
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.terms import PREFIXES, SH, plain, ref, split_line

GENID = "https://datos.example.org/.well-known/genid/"


def lacks(turtle: str) -> list[Problem]:
    return gaps.lacks([split_line(line) for line in lines(turtle)], PREFIXES)


def about(turtle: str, name: str) -> Problem:
    """The one problem about a property (its local name)."""
    (found,) = [p for p in lacks(turtle) if str(p.path).endswith(name)]
    return found


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (":a a dcat:Dataset .", "1 of 1 dataset has no theme (dcat:theme, recommended)"),
        (
            ":a a dcat:Dataset . :b a dcat:Dataset ; dcat:theme x:t .",
            "1 of 2 datasets has no theme (dcat:theme, recommended)",
        ),
        (
            ":a a dcat:Dataset . :b a dcat:Dataset .",
            "2 of 2 datasets have no theme (dcat:theme, recommended)",
        ),
    ],
)
def test_what_is_missing_is_counted_in_words(said: str, message: str) -> None:
    assert about(said, "theme").message == message


def test_what_is_mandatory_is_a_violation() -> None:
    assert about(":a a dcat:Distribution .", "accessURL").severity == "violation"
    assert about(":a a dcat:Distribution .", "license").severity == "warning"


def test_nothing_is_said_of_what_is_there() -> None:
    assert lacks(":a a foaf:Agent ; foaf:name 'A' .") == []


def test_example_is_named_in_spanish_where_it_can_be() -> None:
    found = about(":a a dcat:Dataset ; dct:title 'Air'@en, 'Aire'@es .", "theme")
    assert (found.title, found.focus) == ("Aire", "https://datos.example.org/id/dataset/a")
    assert about(":a a dcat:Dataset ; dct:title 'B'@en, 'A'@de .", "theme").title == "A"


def test_example_has_an_iri_of_its_own_where_one_has() -> None:
    said = f"<{GENID}1> a dcat:Dataset . x:a a dcat:Dataset ; dct:title 'A' ."
    assert about(said, "theme").focus == "https://other.example/a"


def test_example_without_a_name_is_named_after_what_leads_to_it() -> None:
    said = f""":a a dcat:Dataset ; dct:title 'A' ; dcat:distribution <{GENID}1> .
        <{GENID}1> a dcat:Distribution ."""
    assert about(said, "accessURL").title == "A"


@pytest.mark.parametrize("cls", gaps.EXPECTED)
def test_what_is_asked_for_is_what_the_shapes_ask_for(cls: str) -> None:
    shapes = Shapes(read_files(profiles.load("dcat-ap/3.0.1").shapes)).graph
    asked = {
        (plain(shape).rpartition("-")[2], plain(path))
        for node in shapes.subjects(ref(SH.targetClass), ref(cls))
        for shape in shapes.objects(node, ref(SH.property))
        for path in shapes.objects(shape, ref(SH.path))
    }
    expected = gaps.EXPECTED[cls]
    assert {("required", path) for path in expected.mandatory} <= asked
    assert {("recommended", path) for path in expected.recommended} <= asked
    required = {path for rule, path in asked if rule == "required"}
    assert required == set(expected.mandatory)


def test_datasets_without_an_iri_are_counted() -> None:
    said = f":a a dcat:Dataset . <{GENID}1> a dcat:Dataset . <{GENID}2> a dcat:Distribution ."
    (found,) = gaps.nameless([split_line(line) for line in lines(said)])
    assert found.message.startswith("1 of 2 datasets has no IRI")
    assert gaps.nameless([split_line(line) for line in lines(":a a dcat:Dataset .")]) == []
