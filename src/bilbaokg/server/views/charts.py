"""Drawings of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bilbaokg.server.views.values import Value

__all__ = ["Bar", "Chart", "Point"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: what it is about, its figure, and its length in per cent of the longest."""

    name: Value | None
    figure: Value
    length: float


@dataclass(frozen=True, slots=True)
class Point:
    """One row on a line: its place, and what it says."""

    x: float
    y: float
    name: Value
    figure: Value


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of an answer: `bars`, or `points` in an SVG of `size` (width, height).

    `names` and `figures` are the variables that it is of; `ticks` are figures at their heights.
    """

    names: str
    figures: str
    bars: Sequence[Bar] = ()
    points: Sequence[Point] = ()
    ticks: Sequence[tuple[float, float]] = ()
    size: tuple[int, int] = (0, 0)

    @property
    def line(self) -> str:
        """The points as a polyline."""
        return " ".join(f"{p.x:.1f},{p.y:.1f}" for p in self.points)
