"""The page of a validation and its findings."""

from __future__ import annotations

from dataclasses import dataclass

from bilbaokg.server.views.values import Value

__all__ = [
    "Finding",
    "FindingGroup",
    "FindingKind",
    "HeldBack",
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
class HeldBack:
    """A rule of the gate, and how many records it kept out of the release; never which."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class ValidationPage:
    """The validation of the release: the verdict, then what to mend.

    `verdict` is clean, warnings, held, waived, blocked or unchecked; `counts` are results by
    severity; `kinds` the different findings; `more` counts groups that are not shown.
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
    more: int
    severity: str
