"""What an engine finds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Checked", "Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sh:ValidationResult; every field an N-Triples term.

    `path` is a node of the shapes graph; `messages` are the engine's own, used when the shape
    has no sh:message; `details` are results of nested shapes; `source` is the sh:sourceConstraint,
    whose messages go before the shape's.
    """

    focus: str
    component: str
    severity: str
    shape: str
    path: str | None = None
    value: str | None = None
    messages: tuple[str, ...] = ()
    details: tuple[Finding, ...] = ()
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What an engine found on its way over so many focus nodes."""

    findings: list[Finding]
    focus_nodes: int
