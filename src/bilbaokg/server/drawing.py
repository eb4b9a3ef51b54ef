"""A drawing of lineage in layers: what a thing comes from on its left, what is made of it right.

Places are in units of an SVG user space. A layer is a number of hops; what it holds beyond the
limit is folded into one box that says how many there are.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["Box", "Drawing", "Line", "draw"]

WIDTH: Final = 196
HEIGHT: Final = 52
_ACROSS: Final = 76
_DOWN: Final = 26
_MARGIN: Final = 14
# How far the handles of a curve stand off that stays within a layer.
_AROUND: Final = 56
_LETTERS: Final = 22
_SWEEPS: Final = 4


@dataclass(frozen=True, slots=True)
class Box:
    """One thing: after how many hops, negative upstream, its place, and its name in lines.

    A box for what is folded has no `iri`; `folded` says how many things it stands for. `marks` are
    the numbers of the jobs that make it.
    """

    iri: str
    hops: int
    x: int
    y: int
    lines: list[str]
    folded: int = 0
    marks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """An edge as the path of SVG (section 9.3); `back` where it leads to the left."""

    path: str
    back: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes from left to right and from top to bottom, each of `box` (width, height), and the
    lines between them."""

    width: int
    height: int
    box: tuple[int, int]
    boxes: list[Box]
    lines: list[Line]


def draw(
    layers: Mapping[str, int],
    edges: Iterable[tuple[str, str]],
    names: Mapping[str, str],
    marks: Mapping[str, tuple[int, ...]] = MappingProxyType({}),
    most: int = 12,
) -> Drawing:
    """Lay out things by their layer.

    layers: IRI -> hops, negative upstream; edges: from a source to what is made of it; names: what
    things are called; marks: the numbers that boxes carry; most: how many boxes a layer has before
    the rest is folded.
    """
    pairs = sorted({(s, t) for s, t in edges if s in layers and t in layers and s != t})
    rows = _ordered(layers, pairs)
    places: dict[str, tuple[int, int]] = {}
    boxes: list[Box] = []
    tallest = max(min(len(row), most) for row in rows.values())
    for column, hops in enumerate(sorted(rows)):
        row = rows[hops]
        kept = row if len(row) <= most else row[: most - 1]
        shown = len(kept) + (len(kept) < len(row))
        x = _MARGIN + column * (WIDTH + _ACROSS)
        top = _MARGIN + (tallest - shown) * (HEIGHT + _DOWN) // 2
        for place, iri in enumerate(row):
            y = top + min(place, shown - 1) * (HEIGHT + _DOWN)
            places[iri] = (x, y)
            if place < len(kept):
                text = _lines(names.get(iri, iri))
                boxes.append(Box(iri, hops, x, y, text, marks=marks.get(iri, ())))
        if len(kept) < len(row):
            boxes.append(Box("", hops, x, places[row[-1]][1], [], len(row) - len(kept)))
    lines = {_line(places[s], places[t]) for s, t in pairs}
    last = max(rows)
    around = any(layers[s] == layers[t] == last for s, t in pairs)
    width = len(rows) * (WIDTH + _ACROSS) - (0 if around else _ACROSS) + 2 * _MARGIN
    height = tallest * (HEIGHT + _DOWN) - _DOWN + 2 * _MARGIN
    ordered = sorted(lines, key=lambda line: line.path)
    return Drawing(width, height, (WIDTH, HEIGHT), boxes, ordered)


def _ordered(layers: Mapping[str, int], pairs: Sequence[tuple[str, str]]) -> dict[int, list[str]]:
    """Each layer in an order with few crossings (barycentre method of Sugiyama and others)."""
    rows: dict[int, list[str]] = defaultdict(list)
    for iri in sorted(layers):
        rows[layers[iri]].append(iri)
    beside: dict[str, list[str]] = defaultdict(list)
    for source, target in pairs:
        beside[source].append(target)
        beside[target].append(source)
    for sweep in range(_SWEEPS):
        place = {iri: n / len(row) for row in rows.values() for n, iri in enumerate(row)}
        step = 1 if sweep % 2 else -1
        for hops in sorted(rows, reverse=step < 0):
            row = rows[hops]
            weight = {}
            for iri in row:
                near = [place[o] for o in beside[iri] if layers[o] == hops - step]
                weight[iri] = sum(near) / len(near) if near else place[iri]
            row.sort(key=lambda iri: (weight[iri], iri))
            place |= {iri: n / len(row) for n, iri in enumerate(row)}
    return rows


def _lines(name: str) -> list[str]:
    """A name in at most two lines. Of names with dots or slashes (database.schema.table) what tells
    them apart stands at the end; of a column in its table, both have a line."""
    column, dot, table = name.partition(" · ")
    if dot:
        return [_cut(column), _cut(_parted(table)[1])]
    if len(name) <= _LETTERS or " " in name:
        return textwrap.wrap(
            name, _LETTERS, max_lines=2, placeholder="…", break_on_hyphens=False
        ) or [name]
    before, last = _parted(name)
    if len(last) <= _LETTERS:
        return [_tail(before), last] if before else [last]
    at = max(last.rfind(mark, 0, _LETTERS) for mark in "_-") + 1 or _LETTERS
    return [last[:at], _cut(last[at:])]


def _parted(name: str) -> tuple[str, str]:
    """What stands before the last dot or slash, and what behind it."""
    at = max(name.rfind(mark, 0, -1) for mark in "./") + 1
    return name[: max(at - 1, 0)], name[at:]


def _cut(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"


def _tail(text: str) -> str:
    """The end of a text, from a joint on where it has one."""
    if len(text) <= _LETTERS:
        return text
    end = text[1 - _LETTERS :]
    at = min((end.find(mark) for mark in "./" if mark in end), default=-1)
    return f"…{end[at + 1 :]}"


def _line(source: tuple[int, int], target: tuple[int, int]) -> Line:
    """A curve from the side of one box to the facing side of the other; within a layer, around."""
    (x1, y1), (x2, y2) = source, target
    y1, y2 = y1 + HEIGHT // 2, y2 + HEIGHT // 2
    if x2 == x1:
        right = x1 + WIDTH
        return Line(f"M{right} {y1}C{right + _AROUND} {y1} {right + _AROUND} {y2} {right + 1} {y2}")
    ahead = 1 if x2 > x1 else -1
    start, end = (x1 + WIDTH, x2 - 1) if ahead > 0 else (x1, x2 + WIDTH + 1)
    bend = ahead * max((abs(end - start)) // 2, 12)
    return Line(f"M{start} {y1}C{start + bend} {y1} {end - bend} {y2} {end} {y2}", ahead < 0)
