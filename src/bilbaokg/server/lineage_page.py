"""The lineage page: what a thing comes from, what is made of it, and who answers for all that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

import pyoxigraph as ox

from bilbaokg.index import Text, find
from bilbaokg.lineage import DIRECTIONS, Graph
from bilbaokg.lineage.walking import Step, part_of
from bilbaokg.server.drawing import Drawing, draw
from bilbaokg.server.lists import csv_rows
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import Action, Tile, Value
from bilbaokg.terms import DCT

__all__ = ["Asked", "Direction", "LineagePage", "LineageStartPage", "page", "start", "table"]

_DEPTHS: Final = (0, 1, 2, 3, 4, 5, 7, 10)
_USUAL: Final = 2
_ROWS: Final = 200
_DRAWN: Final = 150
_MOST: Final = 100_000
_LISTED: Final = 24
_PART_OF: Final = ox.NamedNode(DCT.isPartOf)
_ROLES: Final = ("owner", "steward")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form asks: the thing, how many hops (None: all), and what to leave out."""

    iri: str
    hops: Mapping[str, int | None]
    level: str = ""
    area: str = ""
    to: str = ""

    @classmethod
    def of(cls, params: Mapping[str, str]) -> Asked:
        """Reads parameters; nonsense counts as not said."""
        hops = {direction: _depth(params.get(direction, "")) for direction in DIRECTIONS}
        text = {name: params.get(name, "").strip() for name in ("iri", "level", "area", "to")}
        return cls(hops=hops, **text)

    def link(self, **changes: str) -> str:
        """The parameters of a like question."""
        hops = {name: "all" if n is None else str(n) for name, n in self.hops.items()}
        held = {"iri": self.iri, **hops, "level": self.level, "area": self.area, "to": self.to}
        return urlencode({name: value for name, value in {**held, **changes}.items() if value})


@dataclass(frozen=True, slots=True)
class Reached:
    """A thing that was reached: through which, after how many hops, and who answers for it."""

    thing: Value
    level: str
    hops: int
    via: Value
    people: Mapping[str, list[Value]]
    here: str
    way: str


@dataclass(frozen=True, slots=True)
class Direction:
    """One side of the page: how much there is, how much fits the filters, the first of it."""

    name: str
    total: int
    fitting: int
    complete: bool
    rows: list[Reached]
    csv: str


@dataclass(frozen=True, slots=True)
class LineagePage:
    """Lineage of one thing: drawn, listed, and filtered."""

    thing: Value
    level: str
    asked: Asked
    depths: tuple[int, ...]
    levels: list[Tile]
    areas: list[Tile]
    filters: list[Action]
    around: list[Action]
    sides: list[Direction]
    drawing: Drawing | None
    names: Mapping[str, Text]
    links: Mapping[str, str]
    way: list[Value]
    start: str


@dataclass(frozen=True, slots=True)
class LineageStartPage:
    """Where to begin: words to look for, and the things that most others touch."""

    q: str
    found: list[Tile]
    busiest: list[Tile]
    counts: Mapping[str, int]


def _depth(text: str) -> int | None:
    if text == "all":
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else _USUAL


# ---- what stands around a thing


class _Around:
    """Where the things of a walk belong: the dataset of a table or column, and who answers."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.store = reader, reader.opened.store
        self._wholes: dict[str, list[str]] = {}
        self._facets: dict[str, Mapping[str, list[str]]] = {}

    def load(self, iris: Iterable[str]) -> None:
        """Look up what these things belong to in a few queries, not in some for each."""
        wholes = {whole for iri in iris for whole in self.wholes(iri)}
        self.reader.load(sorted(wholes))
        records = {place.record for whole in wholes if (place := self.reader.place(whole))}
        self._facets |= self.reader.opened.index.facets_by_id(records - self._facets.keys())

    def wholes(self, iri: str) -> list[str]:
        """A thing and what it is part of, from the inside to the outside."""
        if iri not in self._wholes:
            found = {iri: None}
            while (above := part_of(self.store, next(reversed(found)))) and above[0] not in found:
                found[above[0]] = None
            self._wholes[iri] = list(found)
        return self._wholes[iri]

    def parts(self, iri: str) -> list[str]:
        """What is part of a thing."""
        quads = self.store.raw.quads_for_pattern(None, _PART_OF, ox.NamedNode(iri), None)
        return sorted({q.subject.value for q in quads if isinstance(q.subject, ox.NamedNode)})

    def name(self, iri: str) -> Text:
        """What a thing is called; a column with the table that it stands in."""
        name = self.reader.name(iri)
        if self.reader.opened.lineage.level(iri) != "column":
            return name
        tables = self.wholes(iri)[1:]
        return (
            Text(f"{name.text} · {self.reader.name(tables[0]).text}", name.lang) if tables else name
        )

    def value(self, iri: str) -> Value:
        """A thing by its name, with a link to its page."""
        return replace(self.reader.iri(iri), text=self.name(iri))

    def facet(self, iri: str, name: str) -> list[str]:
        """Who owns or cares for a loaded thing, or its area: what is said nearest to it."""
        for whole in self.wholes(iri):
            place = self.reader.place(whole)
            if place and (found := self._facets.get(place.record, {}).get(name)):
                return found
        return []


# ---- the page


def page(reader: Reader, asked: Asked) -> LineagePage | None:
    """The lineage of a thing; None for what the release does not know."""
    graph = reader.opened.lineage
    if asked.iri not in graph and reader.place(asked.iri) is None:
        return None
    around = _Around(reader)
    walks = {d: graph.walk(asked.iri, d, asked.hops[d], _MOST) for d in DIRECTIONS}
    steps = [step for walk in walks.values() for step in walk.steps]
    around.load([asked.iri, *(step.iri for step in steps)])
    shown = {
        d: [s for s in w.steps if _fits(around, graph, asked, s.iri)] for d, w in walks.items()
    }
    layers = {asked.iri: 0}
    for direction, sign in zip(DIRECTIONS, (-1, 1), strict=True):
        for step in shown[direction]:
            layers.setdefault(step.iri, sign * step.hops)
    drawing = _drawing(around, graph, layers)
    drawn = [box.iri for box in drawing.boxes if box.iri] if drawing else []
    way = graph.path(asked.iri, asked.to) or graph.path(asked.to, asked.iri) if asked.to else []
    return LineagePage(
        thing=around.value(asked.iri),
        level=_level(graph, asked.iri),
        asked=asked,
        depths=_DEPTHS,
        levels=_choices(reader, asked, "level", Counter(_level(graph, s.iri) for s in steps)),
        areas=_choices(
            reader, asked, "area", Counter(a for s in steps for a in around.facet(s.iri, "area"))
        ),
        filters=_filters(reader, asked),
        around=_beside(reader, graph, around, asked),
        sides=[
            Direction(
                name=direction,
                total=len(walk.steps),
                fitting=len(shown[direction]),
                complete=walk.complete,
                rows=[_reached(reader, graph, around, asked, s) for s in shown[direction][:_ROWS]],
                csv=reader.site.url(f"/lineage.csv?{asked.link(direction=direction, to='')}"),
            )
            for direction, walk in walks.items()
        ],
        drawing=drawing,
        names={iri: around.name(iri) for iri in drawn},
        links={iri: _here(reader, asked, iri) for iri in drawn},
        way=[around.value(iri) for iri in way],
        start=reader.site.url("/lineage"),
    )


def _level(graph: Graph, iri: str) -> str:
    """What a thing is; empty where no class tells."""
    level = graph.level(iri)
    return level if level and level != "other" else ""


def _fits(around: _Around, graph: Graph, asked: Asked, iri: str) -> bool:
    if asked.level and _level(graph, iri) != asked.level:
        return False
    return not asked.area or asked.area in around.facet(iri, "area")


def _here(reader: Reader, asked: Asked, iri: str) -> str:
    """The lineage page of another thing, with the same depths."""
    return reader.site.url(f"/lineage?{asked.link(iri=iri, to='', level='', area='')}")


def _reached(reader: Reader, graph: Graph, around: _Around, asked: Asked, step: Step) -> Reached:
    iri = step.iri
    return Reached(
        thing=around.value(iri),
        level=_level(graph, iri),
        hops=step.hops,
        via=around.value(step.via),
        people={r: [reader.iri(who) for who in around.facet(iri, r)] for r in _ROLES},
        here=_here(reader, asked, iri),
        way=reader.site.url(f"/lineage?{asked.link(to=iri)}#way"),
    )


def _drawing(around: _Around, graph: Graph, layers: Mapping[str, int]) -> Drawing | None:
    """Nothing is drawn of one thing alone, nor of more than anybody can follow."""
    if not 1 < len(layers) <= _DRAWN:
        return None
    edges = [
        (edge.source, edge.target)
        for iri in layers
        for edge in graph.neighbours(iri, "downstream")
        if edge.target in layers
    ]
    return draw(layers, edges, {iri: around.name(iri).text for iri in layers})


def _choices(reader: Reader, asked: Asked, name: str, counts: Mapping[str, int]) -> list[Tile]:
    """The values that a filter can take, the most frequent first."""
    ranked = sorted(
        ((n, value) for value, n in counts.items() if value), key=lambda e: (-e[0], e[1])
    )
    reader.load(value for _, value in ranked)
    return [
        Tile(
            n,
            value if name == "level" else reader.name(value).text,
            reader.site.url(f"/lineage?{asked.link(**{name: value})}"),
            value == getattr(asked, name),
        )
        for n, value in ranked
    ]


def _filters(reader: Reader, asked: Asked) -> list[Action]:
    """What is left out now, each with the way to take it back."""
    chosen = [(name, getattr(asked, name)) for name in ("level", "area") if getattr(asked, name)]
    return [
        Action(
            value if name == "level" else reader.name(value).text,
            reader.site.url(f"/lineage?{asked.link(**{name: ''})}"),
            name,
        )
        for name, value in chosen
    ]


def _beside(reader: Reader, graph: Graph, around: _Around, asked: Asked) -> list[Action]:
    """The other levels: what the thing is part of, and its own parts that have lineage."""
    wholes = around.wholes(asked.iri)[1:]
    parts = [iri for iri in around.parts(asked.iri) if iri in graph]
    reader.load([*wholes, *parts])
    return [
        Action(around.name(iri).text, _here(reader, asked, iri), rel)
        for rel, iris in (("up", wholes), ("item", parts))
        for iri in iris
    ]


def table(reader: Reader, asked: Asked, direction: str) -> Iterator[str]:
    """Everything that is reached one way, as CSV (RFC 4180)."""
    graph, around = reader.opened.lineage, _Around(reader)
    head = ["iri", "title", "level", "hops", "via", "area", *_ROLES]
    yield csv_rows([head])
    if direction not in DIRECTIONS:
        return
    steps = graph.walk(asked.iri, direction, asked.hops[direction], _MOST).steps
    for begin in range(0, len(steps), 500):
        batch = steps[begin : begin + 500]
        around.load(step.iri for step in batch)
        some = [s for s in batch if _fits(around, graph, asked, s.iri)]
        yield csv_rows(
            [
                s.iri, around.name(s.iri).text, _level(graph, s.iri), str(s.hops), s.via,
                *(_called(reader, around.facet(s.iri, name)) for name in ("area", *_ROLES)),
            ]
            for s in some
        )  # fmt: skip


def _called(reader: Reader, iris: Iterable[str]) -> str:
    return "; ".join(reader.name(iri).text for iri in iris)


# ---- where to begin


def start(reader: Reader, q: str) -> LineageStartPage:
    """Things with lineage that words find, and those that touch most others."""
    graph, around, q = reader.opened.lineage, _Around(reader), q.strip()[:200]
    found = []
    if q:
        rows = find(reader.opened.index, q, kind=None).page(reader.lang, "relevance", size=100).rows
        found = [row.iri for row in rows if row.iri in graph][:_LISTED]
    busiest = graph.busiest(_LISTED, leave_out=("column",))
    reader.load([*found, *(iri for iri, _ in busiest)])
    usual = Asked.of({})
    return LineageStartPage(
        q=q,
        found=[_tile(around, graph, usual, iri) for iri in found],
        busiest=[_tile(around, graph, usual, iri) for iri, _ in busiest],
        counts={"nodes": graph.nodes, "edges": graph.edges},
    )


def _tile(around: _Around, graph: Graph, usual: Asked, iri: str) -> Tile:
    near = {e.source for e in graph.neighbours(iri, "upstream")}
    near |= {e.target for e in graph.neighbours(iri, "downstream")}
    return Tile(len(near), around.name(iri).text, _here(around.reader, usual, iri))
