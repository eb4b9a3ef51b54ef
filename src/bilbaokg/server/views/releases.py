"""Pages of the releases: what each changed, and what portals would make of the next."""

from __future__ import annotations

from dataclasses import dataclass

from bilbaokg.server.views.findings import Finding
from bilbaokg.server.views.records import Duty
from bilbaokg.server.views.values import Choice, Value

__all__ = [
    "Carried",
    "ChangeGroup",
    "Check",
    "Cut",
    "Dependent",
    "Fate",
    "Obliged",
    "Reach",
    "RehearsalPage",
    "ReleasePage",
    "ReleaseRow",
    "ReleasesPage",
]


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One release; `changes` are new, changed and gone records.

    `waived` and `accepted` are the reasons for findings and for what portals may delete.
    """

    id: str
    href: str
    created: str
    current: bool
    records: int
    statements: int
    held_back: int
    waived: str | None
    accepted: str | None
    changes: tuple[int, int, int]
    note: str


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """The records that a release brought, changed or withdrew (`kind`: new, changed, gone).

    `records` are named, `more` are not shown, `unnamed` are not in the current release.
    """

    kind: str
    count: int
    records: list[Value]
    more: int
    unnamed: int


@dataclass(frozen=True, slots=True)
class Cut:
    """How many statements of a property, or things of a class, a target does not carry."""

    name: Value
    count: int


@dataclass(frozen=True, slots=True)
class Carried:
    """What the feed of a target leaves out of a release: the `count` of statements, the properties
    with most of them, and how many `more` properties there are."""

    target: str
    href: str
    count: int
    cuts: list[Cut]
    more: int


@dataclass(frozen=True, slots=True)
class Check:
    """A condition of the gate: `state` is ok, warn or bad; `text` says how it was met."""

    state: str
    name: str
    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Dependent:
    """A dataset that depends on what a release changed, and who owns it."""

    dataset: Value
    owners: list[Value]


@dataclass(frozen=True, slots=True)
class Reach:
    """The `count` of datasets that depend on what a release changed or withdrew, of so many
    `owners`; the nearest of them."""

    count: int
    owners: int
    rows: list[Dependent]


@dataclass(frozen=True, slots=True)
class Obliged:
    """A dataset with what its sources ask of it."""

    dataset: Value
    duties: list[Duty]


@dataclass(frozen=True, slots=True)
class ReleasePage:
    """One release and what it changed since `previous` (None where that is not there).

    `checks` are the conditions of the gate; `published` is when it became public; `reach` is None
    where nothing depends on what it changed; `obliged` are the first of the datasets whose sources
    ask something of them, `duties` counts them: of the current release alone.
    """

    row: ReleaseRow
    previous: str | None
    first: bool
    sha256: str
    published: str
    checks: list[Check]
    shown: str
    groups: list[ChangeGroup]
    reach: Reach | None
    duties: int
    obliged: list[Obliged]
    carried: list[Carried]


@dataclass(frozen=True, slots=True)
class Fate:
    """What a portal would do with one record, and why: in words, or by the names of properties."""

    title: str
    iri: str
    words: str


@dataclass(frozen=True, slots=True)
class RehearsalPage:
    """What the portals of a target would do were a release made now; for signed-in people.

    `fates` are the records by what becomes of them (deleted, replaced, created, changed), the first
    of each, with `counts`; `release` is what it is held against, None before the first; `rules` are
    what loses a record or what portals themselves ask for, drawn together, with the first titles
    of whom it is about; `others` counts the other findings. `reach`, `obliged` and
    `duties` are those of ReleasePage.
    """

    target: str
    targets: list[Choice]
    release: str | None
    records: int
    counts: dict[str, int]
    fates: list[tuple[str, list[Fate]]]
    held_back: list[Fate]
    reach: Reach | None
    duties: int
    obliged: list[Obliged]
    severities: dict[str, int]
    rules: list[tuple[Finding, list[str]]]
    others: int
    statements: list[Cut]
    nodes: list[Cut]
    unused: list[Cut]
    data: str


@dataclass(frozen=True, slots=True)
class ReleasesPage:
    """All releases, newest first."""

    rows: list[ReleaseRow]
