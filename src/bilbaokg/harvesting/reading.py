"""What is read of a page, and whether the pages of a harvest are one whole catalogue."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bilbaokg.errors import UpstreamFault
from bilbaokg.gaps import counted
from bilbaokg.harvesting.fetcher import Page
from bilbaokg.model import Problem
from bilbaokg.settings import Settings
from bilbaokg.workers import Parsed, Pool

__all__ = ["Disagreement", "Harvested", "Kind", "Reading", "Refusal", "Start"]


class Disagreement(UpstreamFault):
    """Pages that are no whole catalogue: none of them is of use."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entry of the portal that was not taken in, and why."""

    record: str
    reason: str
    where: str


@dataclass(slots=True)
class Reading:
    """What one page says.

    following: addresses to ask next; total: how many entries the portal says it has; listed: class
    -> the IRIs (terms) of what stands on this page.
    """

    parsed: Parsed
    following: list[str] = field(default_factory=list)
    total: int | None = None
    listed: dict[str, list[str]] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Start:
    """Where a harvest begins.

    first: the address; language: that of texts which say none; columns: what is where in a table
    (see importers.table); known: what the last harvest remembered; before: its pages, in their
    order, none where all is to be asked for anew.
    """

    first: str
    language: str | None = None
    columns: Mapping[str, str] | None = None
    before: Mapping[str, Page] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)


class Kind(ABC):
    """A kind of portal, for one harvest.

    partial: whether it asks for changes alone, and takes the rest from the last harvest.
    """

    partial = False

    def __init__(self, start: Start) -> None:
        self.begin = start
        self.language = start.language

    @staticmethod
    @abstractmethod
    def fits(page: Page, head: bytes) -> bool:
        """Whether a page whose first bytes are `head` is one of this kind."""

    def start(self) -> list[str]:
        """The addresses to ask first."""
        return [self.begin.first]

    def is_optional(self, address: str) -> bool:
        """Whether a harvest is whole where nothing is at an address."""
        return False

    def is_kept(self, address: str) -> bool:
        """Whether the page of the last harvest is to be taken without asking."""
        return False

    @abstractmethod
    def read(self, page: Page, file: Path, settings: Settings, pool: Pool) -> Reading:
        """What a page says; pages come in their order. Raises Trouble, or what parsing raises."""

    def known(self) -> dict[str, str]:
        """What the next harvest is to remember."""
        return {}

    def closing(self) -> list[Problem]:
        """What is to be said of all pages together."""
        return []


@dataclass(slots=True)
class Harvested:
    """All pages together."""

    lines: set[str] = field(default_factory=set)
    parsed: int = 0
    graphs_dropped: int = 0
    totals: set[int] = field(default_factory=set)
    listed: dict[str, Counter[str]] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    def add(self, reading: Reading) -> None:
        """Take in one page."""
        self.lines.update(reading.parsed.lines)
        self.parsed += reading.parsed.parsed
        self.graphs_dropped += reading.parsed.graphs_dropped
        if reading.total is not None:
            self.totals.add(reading.total)
        for cls, members in reading.listed.items():
            self.listed.setdefault(cls, Counter()).update(members)
        self.refused += reading.refused
        self.notes += reading.notes

    def agree(self, url: str, *, ignore_total: bool) -> None:
        """Raises Disagreement unless the pages list something, and all that the portal counts."""
        counts = [len(members) for members in self.listed.values()]
        if not sum(counts):
            raise Disagreement(
                "it lists no dataset", where=url,
                hint="an empty feed is never taken as “all gone”: look at it, or name its --kind",
            )  # fmt: skip
        doubled = sum(n > 1 for members in self.listed.values() for n in members.values())
        if doubled:
            words = f"{counted(doubled, 'record')} on more than one page"
            self.notes.append(Problem("warning", words))
        if ignore_total:
            return
        if len(self.totals) > 1:
            raise Disagreement(
                f"its pages say that there are {' and '.join(map(str, sorted(self.totals)))} "
                "entries: it changed while it was read",
                where=url, hint="harvest again; if it always does, give --ignore-total",
            )  # fmt: skip
        for total in self.totals:
            if total not in _sums(counts, len(self.refused)):
                seen = counted(sum(counts) + len(self.refused), "record")
                raise Disagreement(
                    f"it says that there are {total:,}, and its pages list {seen}"
                    + (f", {doubled:,} of them more than once" if doubled else ""),
                    where=url, hint="harvest again; if it never agrees, give --ignore-total",
                )  # fmt: skip


def _sums(counts: Collection[int], refused: int) -> set[int]:
    """What a portal may mean by its total: its datasets alone, or other classes with them."""
    first, *others = counts
    found = {first + refused}
    for count in others:
        found |= {known + count for known in found}
    return found
