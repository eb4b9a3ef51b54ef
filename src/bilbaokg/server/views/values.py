"""Small things that many pages show: terms, links, figures, choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bilbaokg.index import Piece, Text

__all__ = [
    "Action",
    "Card",
    "Choice",
    "Group",
    "Incoming",
    "Node",
    "Pager",
    "Passage",
    "Tile",
    "Value",
]


@dataclass(frozen=True, slots=True)
class Value:
    """A term as it is shown: its text and language, where it leads, and what it is exactly.

    `term` is the IRI or the datatype's short name, for a title attribute; `parts` are the
    statements about a nameless node, shown in its place; `mark` says of a thing with a name from
    elsewhere where that is.
    """

    text: Text
    href: str | None = None
    term: str = ""
    parts: list[Group] = field(default_factory=list)
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A property with its values."""

    name: Value
    values: list[Value]


@dataclass(frozen=True, slots=True)
class Node:
    """One subject of a record with what is said of it; `anchor` is its id on the page.

    `more` counts the statements that are not shown; the last node counts those of further subjects.
    """

    anchor: str
    iri: str
    groups: list[Group]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Action:
    """A link with a text of its own: a format to download, a filter to take away, a page."""

    text: str
    href: str
    rel: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure with what it counts; `href` leads to the things counted."""

    count: int
    text: str
    href: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a text with what was looked for; `name` says which, None where it is the summary
    itself."""

    name: str | None
    lang: str
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Card:
    """One record in a list; `context` is its area, its vocabulary or what it is part of.

    `access` is None where it is public. Of a search `marked` is the title with its hits, and
    `passage` another place that has some.
    """

    href: str
    title: Text
    summary: Text
    context: list[Value]
    formats: list[str]
    modified: str | None
    access: Value | None
    marked: Sequence[Piece] = ()
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class Pager:
    """Where in a list we are; `previous` and `next` are addresses or None at the ends."""

    page: int
    pages: int
    first: int
    last: int
    total: int
    previous: str | None
    next: str | None


@dataclass(frozen=True, slots=True)
class Incoming:
    """What points to a resource, by property: one page of it.

    `cut` is how many statements were looked at where there are more, else 0.
    """

    groups: list[Group]
    pager: Pager
    cut: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that a facet or a sort order offers."""

    value: str
    text: Text
    count: int = 0
    chosen: bool = False
