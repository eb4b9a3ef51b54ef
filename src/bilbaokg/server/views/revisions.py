"""The page of what changed in a record from release to release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bilbaokg.index import Piece, Text
from bilbaokg.server.views.values import Action, Value

__all__ = ["Difference", "Edition", "HistoryPage", "PartChange", "Side"]


@dataclass(frozen=True, slots=True)
class Side:
    """A value before or after a change; `pieces` mark the words that differ, where it is a text of
    which both are there."""

    value: Value
    pieces: Sequence[Piece] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """A property with the values that went and those that came; `kept` others stayed."""

    name: Value
    before: list[Side]
    after: list[Side]
    kept: int


@dataclass(frozen=True, slots=True)
class PartChange:
    """What changed in one thing that the record describes: itself (`title` is None), or a part.

    `state` is changed, new or gone; `kind` the name of its class.
    """

    title: Value | None
    kind: Text | None
    state: str
    properties: list[Difference]


@dataclass(frozen=True, slots=True)
class Edition:
    """A release in which a record is not what it was in the one before.

    `state` is first, changed, withdrawn, absent, returned or unknown (what was before is not kept);
    `at` is when the release became public, `shown` leads to the record as it was.
    """

    state: str
    release: Value
    at: str
    note: str
    shown: str | None
    parts: list[PartChange]
    hidden: int


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """What changed in a record, release by release, the latest first.

    `present` leads to its page, `releases` is how many were looked through, `earlier` leads to the
    ones before.
    """

    iri: str
    kind: str
    title: Text
    present: str
    editions: list[Edition]
    releases: int
    earlier: Action | None
