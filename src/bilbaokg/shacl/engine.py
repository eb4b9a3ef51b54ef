"""The protocol that SHACL engines share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bilbaokg.shacl.shapes import Shapes

__all__ = ["Engine", "Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sh:ValidationResult; every field an N-Triples term.

    `path` is a node of the shapes graph; `messages` are the engine's own, used when the shape
    has no sh:message; `details` are results of nested shapes.
    """

    focus: str
    component: str
    severity: str
    shape: str
    path: str | None = None
    value: str | None = None
    messages: tuple[str, ...] = ()
    details: tuple[Finding, ...] = ()


class Engine(Protocol):
    """Validates statements against shapes, SHACL Core, without inference.

    Raises Invalid when the shapes are malformed (SHACL, section 3.4.3).
    """

    def __call__(self, data: Sequence[str], shapes: Shapes) -> Iterable[Finding]: ...
