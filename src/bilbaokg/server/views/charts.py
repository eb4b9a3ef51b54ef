"""Drawings of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bilbaokg.server.views.values import Value

__all__ = ["Bar", "Chart", "Mark", "Point"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: what it is about, its figure, and its length in per cent of the longest."""

    names: Sequence[Value]
    figure: Value
    length: float


@dataclass(frozen=True, slots=True)
class Mark:
    """One row in time: what it is about, when it was, and where that is in per cent of the time."""

    names: Sequence[Value]
    when: Value
    place: float


@dataclass(frozen=True, slots=True)
class Point:
    """One row on a line: its place, and what it says."""

    x: float
    y: float
    name: Value
    figure: Value


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of an answer: `bars`, `marks` in time, or `points` in an SVG of `size` (width,
    height).

    `names` and `figures` are the variables that it is of; `ticks` are figures at their heights.
    """

    names: str
    figures: str
    bars: Sequence[Bar] = ()
    marks: Sequence[Mark] = ()
    points: Sequence[Point] = ()
    ticks: Sequence[tuple[float, float]] = ()
    size: tuple[int, int] = (0, 0)

    @property
    def line(self) -> str:
        """The points as a polyline."""
        return " ".join(f"{p.x:.1f},{p.y:.1f}" for p in self.points)
