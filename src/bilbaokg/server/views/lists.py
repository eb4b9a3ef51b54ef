"""Pages that list and find: the entrance, datasets, kinds, the search."""

from __future__ import annotations

from dataclasses import dataclass

from bilbaokg.index import Text
from bilbaokg.server.views.values import Action, Card, Choice, Pager, Tile

__all__ = [
    "AbsentPage",
    "DatasetRow",
    "DatasetsPage",
    "EmptyPage",
    "FacetGroup",
    "Heading",
    "Hints",
    "HomePage",
    "KindPage",
    "Listed",
    "SearchGroup",
    "SearchPage",
]


@dataclass(frozen=True, slots=True)
class FacetGroup:
    """A facet: its form field name, its title, its values; `open` when one is chosen.

    `more` values have fewer entries and are not shown.
    """

    name: str
    title: str
    choices: list[Choice]
    open: bool = False
    more: int = 0


@dataclass(frozen=True, slots=True)
class Hints:
    """What helps who searches: synonyms that were looked for too; where nothing was found, the
    words spelt otherwise, how much there is without filters, and how much of each word."""

    synonyms: list[str]
    corrected: Action | None
    unfiltered: Tile | None
    words: list[Tile]


@dataclass(frozen=True, slots=True)
class EmptyPage:
    """Nothing is released yet. `command` is what the operator runs next."""

    command: str


@dataclass(frozen=True, slots=True)
class AbsentPage:
    """There is nothing of the time that was `asked` for. `reason` is invalid, ahead, before or
    removed; `first` when the first release came; `present` leads to the same page now."""

    reason: str
    asked: str
    first: str
    present: str


@dataclass(frozen=True, slots=True)
class HomePage:
    """The entrance: how much there is, what changed, the ways in."""

    title: str
    tiles: list[Tile]
    themes: list[Tile]
    areas: list[Tile]
    gaps: list[Tile]
    recent: list[Card]
    release: str
    released: str
    changes: tuple[int, int, int]
    tour: bool
    kinds: list[Tile]


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of the table of datasets: the facet that it shows, or title and modified. Those two
    sort: `href` leads there, `sorted` is how they do now (a value of aria-sort), or none."""

    name: str
    title: str
    href: str = ""
    sorted: str = ""


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """A dataset in the table; `cells` are its values by column, none where nobody told."""

    href: str
    title: Text
    modified: str | None
    cells: dict[str, list[Text]]


@dataclass(frozen=True, slots=True)
class DatasetsPage:
    """The list of datasets with its filters; a plain GET form.

    As cards, or as the table of `headings` and `rows`; `other` leads to the other of the two.
    """

    q: str
    sorts: list[Choice]
    facets: list[FacetGroup]
    hidden: list[tuple[str, str]]
    chips: list[Action]
    clear: str
    cards: list[Card]
    headings: list[Heading]
    rows: list[DatasetRow]
    other: str
    pager: Pager
    csv: str
    elsewhere: list[Tile]
    hints: Hints


@dataclass(frozen=True, slots=True)
class SearchGroup:
    """The best entries of one kind; `href` leads to all `total` of them."""

    kind: str
    total: int
    cards: list[Card]
    href: str


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Everything that words find, by kind.

    `terms` are keywords and names that hold the words; where nothing was found, those most in use.
    """

    q: str
    total: int
    groups: list[SearchGroup]
    terms: list[Tile]
    hints: Hints
    release: str


@dataclass(frozen=True, slots=True)
class KindPage:
    """All records of one kind, by name; `schemes` narrow them to one vocabulary."""

    kind: str
    q: str
    scheme: str
    schemes: list[Tile]
    rows: list[Card]
    pager: Pager
    hints: Hints


@dataclass(frozen=True, slots=True)
class Listed:
    """The datasets for which a resource is something (their area, theme, format...).

    `facet` names what; `href` leads to all `total` of them.
    """

    facet: str
    total: int
    cards: list[Card]
    href: str
