"""The page of components: samples of everything that pages are put together from.

It is not linked from anywhere: whoever changes a component looks at it here, and so do the tests.
"""

from __future__ import annotations

from bilbaokg.index import Piece, Text
from bilbaokg.lineage.duties import KINDS
from bilbaokg.model import SEVERITIES
from bilbaokg.server.cards import text
from bilbaokg.server.paging import pager
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import (
    Action,
    Branch,
    Card,
    ComponentsPage,
    Cut,
    Dependent,
    Duty,
    Fate,
    Finding,
    FindingKind,
    Group,
    Hints,
    Incoming,
    Listed,
    Node,
    Obliged,
    Reach,
    Score,
    ScoreRow,
    Tile,
    Value,
)
from bilbaokg.terms import DCT, SKOS

__all__ = ["page"]

_ID = "dataset/sample"
_LONG = "W" * 80


def page(reader: Reader) -> ComponentsPage:
    """The samples, in the reader's language."""
    here = reader.site.url("/components")
    iri = f"{reader.opened.base}/id/{_ID}"
    word, sentence = (text(reader, f"components.{name}") for name in ("word", "sentence"))
    value = Value(Text(word, ""), here, iri)
    # Right to left, and a word that no line holds.
    odd = [Value(Text("بيانات المدينة", "ar"), here), Value(Text(_LONG, ""))]
    name = reader.iri(DCT.title)
    groups = [Group(name, [value]), Group(reader.iri(SKOS.prefLabel), [value, *odd])]
    nested = Group(reader.iri(DCT.temporal), [Value(Text("", ""), parts=groups)])
    findings = [_finding(severity, name, sentence, word) for severity in SEVERITIES]
    turned = pager(3, 20, 100, lambda number: f"{here}?page={number}#pager")
    cards = _cards(here, word, sentence)
    tiles = [Tile(count, word, here) for count in (120, 45, 1)]
    return ComponentsPage(
        id=_ID,
        iri=iri,
        title=Text(text(reader, "components.title"), ""),
        summary=Text(text(reader, "components.lede"), ""),
        value=value,
        values=[value, *odd],
        reach=Reach(120, 2, [Dependent(value, [value, *odd]), Dependent(odd[1], [])]),
        obliged=[Obliged(value, [Duty("licence", value, [value], [value, *odd])])],
        duties=[Duty(kind, value, [value], [value, *odd]) for kind in KINDS],
        facts=[*groups, nested],
        cards=cards,
        tiles=tiles,
        pager=turned,
        scores=[
            ScoreRow(value, Score(met, 10, here), f"P{met}", Text(sentence, ""))
            for met in (0, 7, 10)
        ],
        branches=[
            Branch(value, Text(sentence, ""), tiles[:1], 0, 0, 0, False),
            Branch(value, Text("", ""), [], 1, 1, 1, True),
        ],
        findings=findings,
        kinds=[FindingKind(finding, 3) for finding in findings],
        listed=[Listed("theme", 120, cards, here)],
        incoming=Incoming(groups, turned, 10_000),
        hints=Hints([word], Action(word, here), tiles[0], [*tiles, Tile(0, word, here)]),
        cuts=[Cut(name, 120)],
        fates=[Fate(word, iri, sentence)],
        formats=[Action("Turtle", here, "alternate")],
        sparql=here,
        nodes=[Node("node", iri, groups)],
    )


def _finding(severity: str, name: Value, sentence: str, word: str) -> Finding:
    return Finding(severity, name, sentence, '"2026"', sentence, word, 1 + (severity == "info"))


def _cards(href: str, word: str, sentence: str) -> list[Card]:
    """A plain card, and one of a search."""
    plain = Card(
        href, Text(word, ""), Text(sentence, ""), [Value(Text(word, ""))], ["CSV", "JSON"],
        "2026-01-31", Value(Text(word, "")),
    )  # fmt: skip
    found = Card(
        href, Text(word, ""), Text(sentence, ""), [], [], None, None,
        marked=[Piece(word, True), Piece(f" {word}", False)],
    )  # fmt: skip
    return [plain, found]
