"""The lineage page: what a thing comes from, what is made of it, and who answers for all that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams

from bilbaokg.index import Text, find
from bilbaokg.lineage import DIRECTIONS, Graph, Making
from bilbaokg.lineage.answers import between
from bilbaokg.lineage.walking import Step, Walk
from bilbaokg.reports.tables import as_csv
from bilbaokg.server import question_page
from bilbaokg.server.around import Around
from bilbaokg.server.drawing import Drawing, draw
from bilbaokg.server.jobs import Job, Made
from bilbaokg.server.lineage_form import Asked
from bilbaokg.server.paging import pager
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import Action, Pager, Tile, Value

__all__ = ["Direction", "LineagePage", "LineageStartPage", "page", "start", "table"]

_DEPTHS: Final = (0, 1, 2, 3, 4, 5, 7, 10)
_ROWS: Final = 25
_DRAWN: Final = 150
_LISTED: Final = 24
_ROLES: Final = ("owner", "steward")


@dataclass(frozen=True, slots=True)
class Reached:
    """A thing that was reached: through which, after how many hops, and who answers for it."""

    thing: Value
    level: str
    hops: int
    via: Value
    made: list[Made]
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
    pager: Pager
    csv: str


@dataclass(frozen=True, slots=True)
class Handle:
    """What opens a box of the drawing by one hop, with how many things there are; 0 folds it."""

    direction: str
    count: int
    href: str


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
    jobs: list[Job]
    names: Mapping[str, Text]
    away: Mapping[str, str]
    links: Mapping[str, str]
    handles: Mapping[str, list[Handle]]
    way: list[Value]
    start: str
    questions: list[Action]
    formats: list[Action]


@dataclass(frozen=True, slots=True)
class LineageStartPage:
    """Where to begin: words to look for, and the things that most others touch."""

    q: str
    found: list[Tile]
    busiest: list[Tile]
    counts: Mapping[str, int]
    questions: list[Action]
    formats: list[Action]


# ---- the page


def page(reader: Reader, asked: Asked) -> LineagePage | None:
    """The lineage of a thing; None for what the release does not know."""
    graph = reader.opened.lineage
    if not _is_known(reader, asked.iri):
        return None
    around = Around(reader)
    walks = {d: asked.walk(graph, d) for d in DIRECTIONS}
    steps = [step for walk in walks.values() for step in walk.steps]
    around.load([asked.iri, *(step.iri for step in steps)])
    shown = {d: [s for s in w.steps if _fits(around, asked, s.iri)] for d, w in walks.items()}
    layers = _layers(asked, shown)
    edges = _edges(graph, layers)
    jobs = around.jobs.numbered(edges)
    drawing = _drawing(around, layers, edges, jobs)
    drawn = [box.iri for box in drawing.boxes if box.iri] if drawing else []
    store, to = reader.opened.store, asked.to
    way = between(graph, store, asked.iri, to)[0] if to and _is_known(reader, to) else []
    return LineagePage(
        thing=around.value(asked.iri),
        level=around.level(asked.iri),
        asked=asked,
        depths=_DEPTHS,
        levels=_choices(reader, asked, "level", Counter(around.level(s.iri) for s in steps)),
        areas=_choices(
            reader, asked, "area", Counter(a for s in steps for a in around.facet(s.iri, "area"))
        ),
        filters=_filters(reader, asked),
        around=_beside(around, asked),
        sides=[_side(around, asked, name, walk, shown[name]) for name, walk in walks.items()],
        drawing=drawing,
        jobs=jobs,
        names={iri: around.name(iri) for iri in drawn},
        away={iri: reader.mark(iri) for iri in drawn if around.level(iri) == "elsewhere"},
        links={iri: _here(reader, asked, iri) for iri in drawn},
        handles=_handles(around, asked, layers, drawn),
        way=[around.value(iri) for iri in way],
        start=reader.site.url("/lineage"),
        questions=question_page.about(reader, asked.iri, around.level(asked.iri)),
        formats=question_page.as_prov(reader, asked.iri),
    )


def _is_known(reader: Reader, iri: str) -> bool:
    return iri in reader.opened.lineage or reader.place(iri) is not None


def _side(around: Around, asked: Asked, name: str, walk: Walk, fitting: list[Step]) -> Direction:
    """One side of the page, a page of its rows."""

    def address(number: int) -> str:
        page = {f"{name}_page": str(number)}
        return around.reader.site.url(f"/lineage?{asked.link(**page)}#side-{name}")

    place = pager(asked.pages[name], _ROWS, len(fitting), address)
    rows = fitting[place.first - 1 : place.last] if fitting else []
    return Direction(
        name=name,
        total=len(walk.steps),
        fitting=len(fitting),
        complete=walk.complete,
        rows=[_reached(around, asked, step, name) for step in rows],
        pager=place,
        csv=around.reader.site.url(f"/lineage.csv?{asked.link(direction=name, to='')}"),
    )


def _fits(around: Around, asked: Asked, iri: str) -> bool:
    if asked.level and around.level(iri) != asked.level:
        return False
    return not asked.area or asked.area in around.facet(iri, "area")


def _here(reader: Reader, asked: Asked, iri: str) -> str:
    """The lineage page of another thing, with the same depths."""
    return reader.site.url(f"/lineage?{asked.elsewhere(iri)}")


def _edge(step: Step, direction: str) -> tuple[str, str]:
    """The last hop of a step, the way that data go."""
    return (step.iri, step.via) if direction == "upstream" else (step.via, step.iri)


def _reached(around: Around, asked: Asked, step: Step, direction: str) -> Reached:
    iri, reader = step.iri, around.reader
    return Reached(
        thing=around.value(iri),
        level=around.level(iri),
        hops=step.hops,
        via=around.value(step.via),
        made=around.jobs.made(*_edge(step, direction)),
        people={r: [reader.iri(who) for who in around.facet(iri, r)] for r in _ROLES},
        here=_here(reader, asked, iri),
        way=reader.site.url(f"/lineage?{asked.link(to=iri)}#way"),
    )


def _layers(asked: Asked, shown: Mapping[str, list[Step]]) -> dict[str, int]:
    """What is drawn, by its hops, negative upstream: not one thing alone, nor more than anybody
    can follow."""
    layers = {asked.iri: 0}
    for direction, sign in zip(DIRECTIONS, (-1, 1), strict=True):
        for step in shown[direction]:
            layers.setdefault(step.iri, sign * step.hops)
    return layers if 1 < len(layers) <= _DRAWN else {}


def _edges(graph: Graph, layers: Mapping[str, int]) -> list[tuple[str, str]]:
    return [
        (edge.source, edge.target)
        for iri in sorted(layers, key=lambda iri: (layers[iri], iri))
        for edge in graph.neighbours(iri, "downstream")
        if edge.target in layers
    ]


def _drawing(
    around: Around, layers: Mapping[str, int], edges: list[tuple[str, str]], jobs: list[Job]
) -> Drawing | None:
    if not layers:
        return None
    marks: dict[str, tuple[int, ...]] = {}
    for job in jobs:
        for made in job.makes:
            marks[made.term] = (*marks.get(made.term, ()), job.number)
    return draw(layers, edges, {iri: around.name(iri).text for iri in layers}, marks)


def _handles(
    around: Around, asked: Asked, layers: Mapping[str, int], drawn: Iterable[str]
) -> dict[str, list[Handle]]:
    """What opens or folds the boxes of a drawing."""
    found: dict[str, list[Handle]] = {}
    for iri in drawn:
        for direction, sign in zip(DIRECTIONS, (-1, 1), strict=True):
            if layers[iri] * sign < 0:
                continue
            near = [s.iri for s in around.graph.walk(iri, direction, 1).steps]
            hidden = [other for other in near if other not in layers]
            around.load(hidden)
            count = sum(_fits(around, asked, other) for other in hidden)
            if count or iri in asked.expand[direction]:
                link = f"/lineage?{asked.toggled(iri, direction)}#drawing"
                handle = Handle(direction, count, around.reader.site.url(link))
                found.setdefault(iri, []).append(handle)
    return found


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


def _beside(around: Around, asked: Asked) -> list[Action]:
    """The other levels: what the thing is part of, and its own parts that have lineage."""
    wholes = around.wholes(asked.iri)[1:]
    parts = [iri for iri in around.parts(asked.iri) if iri in around.graph]
    around.reader.load([*wholes, *parts])
    return [
        Action(around.reader.name(iri).text, _here(around.reader, asked, iri), rel)
        for rel, iris in (("up", wholes), ("item", parts))
        for iri in iris
    ]


def table(reader: Reader, asked: Asked, direction: str) -> Iterator[str]:
    """Everything that is reached one way, as CSV (RFC 4180)."""
    graph, around = reader.opened.lineage, Around(reader)
    head = ["iri", "title", "level", "hops", "via", "area", *_ROLES, "job", "last_run", "state"]
    yield as_csv([head])
    if direction not in DIRECTIONS:
        return
    steps = asked.walk(graph, direction).steps
    for begin in range(0, len(steps), 500):
        batch = steps[begin : begin + 500]
        around.load(step.iri for step in batch)
        some = [s for s in batch if _fits(around, asked, s.iri)]
        yield as_csv(
            [
                s.iri, around.name(s.iri).text, around.level(s.iri), str(s.hops), s.via,
                *(_called(reader, around.facet(s.iri, name)) for name in ("area", *_ROLES)),
                *_told(reader, around.jobs.told(*_edge(s, direction))),
            ]
            for s in some
        )  # fmt: skip


def _called(reader: Reader, iris: Iterable[str]) -> str:
    return "; ".join(reader.name(iri).text for iri in iris)


def _told(reader: Reader, makings: list[Making]) -> tuple[str, str, str]:
    """The jobs of an edge, and when the latest ran and how that went."""
    last = makings[0] if makings else Making()
    return _called(reader, (m.job for m in makings if m.job)), last.at, last.state


# ---- where to begin


def start(reader: Reader, q: str) -> LineageStartPage:
    """Things with lineage that words find, and those that touch most others."""
    graph, around, q = reader.opened.lineage, Around(reader), q.strip()[:200]
    found = []
    if q:
        rows = find(reader.opened.index, q, kind=None).page(reader.lang, "relevance", size=100).rows
        found = [row.iri for row in rows if row.iri in graph][:_LISTED]
    busiest = graph.busiest(_LISTED, leave_out=("column",))
    reader.load([*found, *(iri for iri, _ in busiest)])
    usual = Asked.of(QueryParams())
    return LineageStartPage(
        q=q,
        found=[_tile(around, usual, iri) for iri in found],
        busiest=[_tile(around, usual, iri) for iri, _ in busiest],
        counts={"nodes": graph.nodes, "edges": graph.edges},
        questions=question_page.offered(reader),
        formats=[*question_page.as_prov(reader), question_page.as_events(reader)],
    )


def _tile(around: Around, usual: Asked, iri: str) -> Tile:
    near = {e.source for e in around.graph.neighbours(iri, "upstream")}
    near |= {e.target for e in around.graph.neighbours(iri, "downstream")}
    return Tile(len(near), around.name(iri).text, _here(around.reader, usual, iri))
