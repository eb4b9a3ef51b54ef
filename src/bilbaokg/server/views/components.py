"""The page that shows every component of the site."""

from __future__ import annotations

from dataclasses import dataclass

from bilbaokg.index import Text
from bilbaokg.server.views.findings import Finding, FindingKind
from bilbaokg.server.views.governance import ScoreRow
from bilbaokg.server.views.lists import Hints, Listed
from bilbaokg.server.views.records import Duty
from bilbaokg.server.views.releases import Cut, Fate, Obliged, Reach
from bilbaokg.server.views.values import Action, Card, Group, Incoming, Node, Pager, Tile, Value
from bilbaokg.server.views.vocabularies import Branch

__all__ = ["ComponentsPage"]


@dataclass(frozen=True, slots=True)
class ComponentsPage:
    """Every component with what it is made of, drawn by the same macros as all pages."""

    id: str
    iri: str
    title: Text
    summary: Text
    value: Value
    values: list[Value]
    duties: list[Duty]
    reach: Reach
    obliged: list[Obliged]
    facts: list[Group]
    cards: list[Card]
    tiles: list[Tile]
    pager: Pager
    scores: list[ScoreRow]
    branches: list[Branch]
    findings: list[Finding]
    kinds: list[FindingKind]
    listed: list[Listed]
    incoming: Incoming
    hints: Hints
    cuts: list[Cut]
    fates: list[Fate]
    formats: list[Action]
    sparql: str
    nodes: list[Node]
