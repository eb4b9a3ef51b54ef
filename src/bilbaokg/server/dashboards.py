"""Dashboards: how the city and each of its areas stand, and how that went over the releases.

All figures of a release are reckoned at once, when they are first asked for, and kept: a release
does not change.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from bilbaokg import index, queries
from bilbaokg.index import find
from bilbaokg.quality import BANDS
from bilbaokg.quality.freshness import judge
from bilbaokg.server.reading import Opened, Reader
from bilbaokg.server.views import Tile, Value
from bilbaokg.terms import plain

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["DashboardPage", "Dashboards"]

_MEASURES: Final = (
    "owner", "steward", "contact", "licence", "translation", "valid", "quality", "fresh", "lineage",
    "principles",
)  # fmt: skip
# Measures whose lack the list of datasets can be filtered by.
_GAPS: Final = ("owner", "steward", "contact", "licence", "translation")
# Those of which a dashboard itself lists what does not meet them.
_LISTED: Final = ("valid", "fresh", "lineage", "principles")
_GOOD: Final = ("excellent", "good")
_TREND: Final = 12
_SHOWN: Final = 30
_AREAS: Final = 60
Counts = Mapping[str, tuple[int, int]]
"""Measure -> how many meet it, of how many for which it can be told."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure: how many of how many, where the datasets it is about are listed, where the others.

    `href` is empty where no list is of just those.
    """

    name: str
    good: int
    total: int
    href: str
    lacking: str

    @property
    def share(self) -> int:
        """Per cent, rounded down: 100 only where nothing lacks."""
        return 100 * self.good // self.total


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area in the scoreboard: its dashboard, how many datasets, its figures by name."""

    area: Value
    count: int
    measures: Mapping[str, Measure]


@dataclass(frozen=True, slots=True)
class Lacking:
    """The first datasets that do not meet a measure which no list can be filtered by."""

    name: str
    datasets: list[Value]
    more: int


@dataclass(frozen=True, slots=True)
class Moment:
    """The figures of a release that was public."""

    id: str
    href: str
    created: str
    count: int
    shares: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DashboardPage:
    """How the city or one area stands: figures, its areas, what lacks most, and the trend."""

    area: Value | None
    count: int
    datasets: str
    measures: list[Measure]
    names: tuple[str, ...]
    areas: list[AreaRow]
    todo: list[Tile]
    lacking: list[Lacking]
    trend: list[Moment]
    release: str
    released: str


@dataclass(frozen=True, slots=True)
class _Figures:
    """What is known of a release: by area (empty: all of it) the count and the measures."""

    counts: Mapping[str, int]
    measures: Mapping[str, Counts]
    lacking: Mapping[tuple[str, str], Sequence[str]]


class Dashboards:
    """The figures of the release that is shown, and the shares of those before it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._figures: tuple[str, _Figures] | None = None
        self._making = threading.Lock()
        self._before: dict[tuple[str, str], tuple[int, dict[str, int]]] = {}

    def page(self, reader: Reader, area: str = "") -> DashboardPage:
        """The dashboard of an area (an IRI), or of all."""
        figures = self._of(reader.opened)
        measures = _measures(reader, figures, area)
        rows = [] if area else _rows(reader, figures)
        return DashboardPage(
            area=reader.iri(area) if area else None,
            count=figures.counts.get(area, 0),
            datasets=_list(reader, area),
            measures=measures,
            names=tuple(name for name in _MEASURES if name in figures.measures.get("", {})),
            areas=rows,
            todo=_todo(reader, area),
            lacking=[
                _lacking(reader, name, figures.lacking[area, name])
                for name in _LISTED
                if (area, name) in figures.lacking
            ],
            trend=self._trend(reader, area),
            release=reader.opened.release.id,
            released=reader.opened.release.created_at,
        )

    def _of(self, opened: Opened) -> _Figures:
        # Those who ask while they are reckoned wait for them.
        with self._making:
            if self._figures is None or self._figures[0] != opened.release.id:
                self._figures = (opened.release.id, _reckon(opened))
            return self._figures[1]

    def _trend(self, reader: Reader, area: str) -> list[Moment]:
        """The releases that were public, oldest first; what only the store says is left out."""
        found = []
        for release in self.context.public_releases()[-_TREND:]:
            key = (release.id, area)
            if key not in self._before:
                known = index.of(release, self.context.cache)
                self._before[key] = _shares(known, area)
            count, shares = self._before[key]
            href = reader.site.url(f"/releases/{release.id}")
            found.append(Moment(release.id, href, release.created_at, count, shares))
        return found


# ---- what is counted


def _reckon(opened: Opened) -> _Figures:
    """All figures of a release, by area, in one pass over its datasets."""
    met, faulty = _compliance(opened), _faulty(opened)
    fresh, flowing = _fresh(opened), _flowing(opened)
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    counts: dict[str, int] = defaultdict(int)
    lacking: dict[tuple[str, str], list[str]] = defaultdict(list)
    for rows in find(opened.index).rows("es", "title"):
        for row in rows:
            gaps = row.facets.get("gap", ())
            told: dict[str, tuple[int, int]] = {name: (name not in gaps, 1) for name in _GAPS}
            if faulty is not None:
                told["valid"] = (row.iri not in faulty, 1)
            if bands := row.facets.get("quality"):
                told["quality"] = (bands[0] in _GOOD, 1)
            if row.iri in fresh:
                told["fresh"] = (fresh[row.iri], 1)
            if opened.lineage.nodes:
                told["lineage"] = (row.iri in opened.lineage or row.iri in flowing, 1)
            if row.iri in met:
                told["principles"] = met[row.iri]
            for area in ("", *row.facets.get("area", ())):
                counts[area] += 1
                for name, (good, total) in told.items():
                    found[area][name][0] += good
                    found[area][name][1] += total
                    if good < total and name in _LISTED:
                        lacking[area, name].append(row.iri)
    measures = {
        area: {name: (good, total) for name, (good, total) in held.items()}
        for area, held in found.items()
    }
    return _Figures(dict(counts), measures, lacking)


def _faulty(opened: Opened) -> set[str] | None:
    """The datasets with violations; None where the release was built without validation."""
    report = opened.report
    if report is None:
        return None
    grave = (r for r in report["results"] if r["severity"] == "violation")
    return {r["dataset"] or r["focus"] or "" for r in grave}


def _fresh(opened: Opened) -> dict[str, bool]:
    """Whether datasets kept their promise of frequency on the day of the release."""
    today = date.fromisoformat(opened.release.created_at[:10])
    modified, promised = defaultdict(set), defaultdict(set)
    for row in opened.select(queries.load("pages/freshness")):
        modified[plain(row["dataset"])].add(row["modified"])
        promised[plain(row["dataset"])].add(row["frequency"])
    judged = {iri: judge(modified[iri], promised[iri], today).state for iri in modified}
    return {iri: state == "fresh" for iri, state in judged.items() if state != "unknown"}


def _flowing(opened: Opened) -> set[str]:
    """The datasets of which a table or a file has lineage."""
    graph = opened.lineage
    return {
        plain(row["dataset"])
        for row in opened.select(queries.load("pages/parts"))
        if plain(row["part"]) in graph
    }


def _compliance(opened: Opened) -> dict[str, tuple[int, int]]:
    """How many principles each dataset meets, of those that it was held against."""
    found: dict[str, list[bool]] = defaultdict(list)
    for verdicts in opened.compliance.values():
        for verdict in verdicts:
            if verdict.outcome in ("passed", "failed"):
                found[verdict.dataset].append(verdict.outcome == "passed")
    return {iri: (sum(met), len(met)) for iri, met in found.items()}


def _shares(known: index.Index, area: str) -> tuple[int, dict[str, int]]:
    """How many datasets, and the per cent of what the index knows."""
    found = find(known, filters={"area": [area]} if area else {})
    if not found.total:
        return 0, {}
    facets = found.facets(("gap", "quality"))
    gaps = dict(facets["gap"])
    shares = {name: 100 * (found.total - gaps.get(name, 0)) // found.total for name in _GAPS}
    if facets["quality"]:
        good = sum(n for band, n in facets["quality"] if band in _GOOD)
        shares["quality"] = 100 * good // found.total
    return found.total, shares


# ---- where figures lead


def _list(reader: Reader, area: str, **filters: str | Sequence[str]) -> str:
    """The datasets of an area, or all, that have one of the values of each filter."""
    held = {**({"area": area} if area else {}), **filters}
    return reader.site.url(f"/datasets?{urlencode(held, doseq=True)}" if held else "/datasets")


def _measures(reader: Reader, figures: _Figures, area: str) -> list[Measure]:
    counts = figures.measures.get(area, {})
    return [
        Measure(name, *counts[name], *_places(reader, area, name))
        for name in _MEASURES
        if name in counts
    ]


def _places(reader: Reader, area: str, name: str) -> tuple[str, str]:
    """Where the things counted are, and where those that lack it."""
    if name in _GAPS:
        return _list(reader, area), _list(reader, area, gap=name)
    if name == "quality":
        poor = [band for band in BANDS if band not in _GOOD]
        return _list(reader, area, quality=_GOOD), _list(reader, area, quality=poor)
    # No list can be filtered by it: the dashboard itself names those that lack it.
    return "", f"{_dashboard(reader, area)}#lacking-{name}"


def _lacking(reader: Reader, name: str, iris: Sequence[str]) -> Lacking:
    reader.load(iris[:_SHOWN])
    return Lacking(name, [reader.iri(iri) for iri in iris[:_SHOWN]], max(0, len(iris) - _SHOWN))


def _dashboard(reader: Reader, area: str) -> str:
    place = reader.place(area) if area else None
    slug = place.page.partition("/")[2] if place else ""
    return reader.site.url(f"/dashboards/{quote(slug)}" if slug else "/dashboards")


def _rows(reader: Reader, figures: _Figures) -> list[AreaRow]:
    """The areas with most datasets; what the release does not describe has no dashboard."""
    areas = [iri for iri in figures.counts if iri]
    reader.load(areas)
    known = [iri for iri in areas if (place := reader.place(iri)) and place.whole]
    known.sort(key=lambda iri: (-figures.counts[iri], reader.name(iri).text.casefold()))
    return [_row(reader, figures, iri) for iri in known[:_AREAS]]


def _row(reader: Reader, figures: _Figures, area: str) -> AreaRow:
    measures = {measure.name: measure for measure in _measures(reader, figures, area)}
    value = Value(reader.name(area), _dashboard(reader, area), area)
    return AreaRow(value, figures.counts[area], measures)


def _todo(reader: Reader, area: str) -> list[Tile]:
    """What datasets lack, most first."""
    found = find(reader.opened.index, filters={"area": [area]} if area else {})
    return [
        Tile(count, name, _list(reader, area, gap=name))
        for name, count in found.facets(("gap",))["gap"]
    ]
