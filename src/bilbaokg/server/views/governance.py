"""Pages about who answers and what is asked of data: principles, areas, roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bilbaokg.index import Text
from bilbaokg.server.views.findings import FindingKind
from bilbaokg.server.views.lists import Listed
from bilbaokg.server.views.values import Action, Group, Incoming, Node, Pager, Tile, Value

__all__ = [
    "BoardRow",
    "Holding",
    "Judged",
    "PrinciplePage",
    "PrinciplesPage",
    "RoleTable",
    "RolesPage",
    "Score",
    "ScoreRow",
    "Standing",
    "UnitPage",
]


@dataclass(frozen=True, slots=True)
class Score:
    """How many meet something, of how many that were tested; `href` leads to those that do not."""

    met: int
    tested: int
    href: str

    @property
    def share(self) -> int | None:
        """Per cent, rounded down; None where nothing was tested."""
        return 100 * self.met // self.tested if self.tested else None


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """The score of a principle, an area...; `summary` says in a sentence what it is."""

    subject: Value
    score: Score
    notation: str = ""
    summary: Text | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A dataset with the last verdict about it."""

    dataset: Value
    outcome: str
    date: str | None
    automatic: bool
    areas: list[Value]


@dataclass(frozen=True, slots=True)
class Standing:
    """The score at a release that was public."""

    release: Value
    created: str
    score: Score


@dataclass(frozen=True, slots=True)
class PrinciplePage:
    """A principle: what it asks, how that is tested, who meets it, by area and over the releases.

    `tests` are what its test says where it fails, empty where people judge; `tabs` count the
    datasets by outcome, `chosen` is the one listed; `area` narrows the list, None for all.
    """

    id: str
    iri: str
    title: Text
    notation: str
    summary: Text
    tests: list[Text]
    score: Score
    untested: int
    tabs: list[Tile]
    chosen: str
    area: Action | None
    rows: list[Judged]
    pager: Pager
    areas: list[ScoreRow]
    trend: list[Standing]
    groups: list[Group]
    incoming: Incoming
    formats: list[Action]
    sparql: str
    nodes: list[Node]


@dataclass(frozen=True, slots=True)
class BoardRow:
    """An area in the scoreboard: a score for each principle, in their order."""

    area: Value
    scores: list[Score]


@dataclass(frozen=True, slots=True)
class PrinciplesPage:
    """The principles that are tested, how the city stands, and the scoreboard by area.

    `others` leads to all that is kept as a principle, standards of others too.
    """

    rows: list[ScoreRow]
    board: list[BoardRow]
    more: int
    datasets: int
    others: Tile


@dataclass(frozen=True, slots=True)
class UnitPage:
    """An area or organisation: what it owns and looks after, what lacks, what there is to do.

    `parts` are units below it with the datasets that each answers for, `parents` those above;
    `tasks` are findings about its datasets, `scores` the principles they were tested against,
    `coverage` the address of how much of their lineage is known.
    """

    id: str
    iri: str
    kind: str
    title: Text
    summary: Text
    parents: list[Value]
    parts: list[Tile]
    figures: list[Tile]
    gaps: list[Tile]
    tasks: list[FindingKind]
    more: int
    scores: list[ScoreRow]
    coverage: str
    listed: list[Listed]
    groups: list[Group]
    incoming: Incoming
    formats: list[Action]
    sparql: str
    nodes: list[Node]


@dataclass(frozen=True, slots=True)
class RoleTable:
    """A role: which units hold it for how many datasets, and which areas have none in it.

    `needed` says whether every dataset should have it; where it need not, `vacant` only counts.
    """

    name: str
    role: Value
    needed: bool
    holders: list[Tile]
    held: int
    vacant: Tile
    vacancies: list[Tile]


@dataclass(frozen=True, slots=True)
class Holding:
    """A unit with the datasets that it has in each role, by the name of the role."""

    unit: Value
    datasets: Mapping[str, Tile]


@dataclass(frozen=True, slots=True)
class RolesPage:
    """The roles, who holds them and where nobody does. Units hold them in public, never persons."""

    roles: list[RoleTable]
    datasets: int
    holdings: list[Holding]
