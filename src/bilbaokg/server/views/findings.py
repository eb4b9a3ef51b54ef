"""The page of a validation and its findings."""

from __future__ import annotations

from dataclasses import dataclass

from bilbaokg.server.views.lists import FacetGroup
from bilbaokg.server.views.values import Action, Choice, Pager, Value

__all__ = [
    "Finding",
    "FindingGroup",
    "FindingKind",
    "FindingRow",
    "FindingsPage",
    "HeldBack",
    "Progress",
    "ValidationPage",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of the release's validation, or `count` of the same about different parts."""

    severity: str
    property: Value | None
    message: str
    value: str | None
    hint: str | None
    steward: str | None
    count: int = 1


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """The findings about one dataset, or about what belongs to none."""

    anchor: str
    title: Value
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class FindingKind:
    """A finding with how many datasets (or other subjects) it is about."""

    finding: Finding
    subjects: int


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding in the list of all, with what it is about."""

    subject: Value
    finding: Finding


@dataclass(frozen=True, slots=True)
class FindingsPage:
    """The findings of the release as a list; a plain GET form. `filters` have one value each;
    `clear` is empty where none is chosen."""

    release: str
    q: str
    filters: list[FacetGroup]
    sorts: list[Choice]
    clear: str
    rows: list[FindingRow]
    pager: Pager
    downloads: list[Action]


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A rule of the gate, and how many records it kept out of the release; never which."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Progress:
    """What differs from the release before: findings that are new, and those that are gone."""

    previous: Value
    new: list[FindingKind]
    mended: list[FindingKind]

    @property
    def counts(self) -> tuple[int, int]:
        """How many came, and how many went."""
        return (
            sum(kind.finding.count for kind in self.new),
            sum(kind.finding.count for kind in self.mended),
        )


@dataclass(frozen=True, slots=True)
class ValidationPage:
    """The validation of the release: the verdict, then what to mend.

    `verdict` is clean, warnings, held, waived, blocked or unchecked; `counts` are results by
    severity; `kinds` the different findings; `groups` are those of the page that `pager` tells;
    `difference` is None where the release before has no validation.
    """

    release: str
    verdict: str
    profile: str
    engine: str
    focus_nodes: int
    counts: list[tuple[str, int]]
    waived: str | None
    held_back: list[HeldBack]
    kinds: list[FindingKind]
    groups: list[FindingGroup]
    pager: Pager
    severity: str
    difference: Progress | None
    downloads: list[Action]
