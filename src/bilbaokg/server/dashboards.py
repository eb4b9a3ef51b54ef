"""Dashboards: how the city and each of its areas stand, and how that went over the releases.

All figures are counts of facets of the index (`bilbaokg.index.figures`): each leads to its list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from bilbaokg import index
from bilbaokg.index import find
from bilbaokg.index.figures import STATES, Figure, Figures, areas, children, figures
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import Action, Tile, Value

if TYPE_CHECKING:
    from bilbaokg.model import Release
    from bilbaokg.server.context import Context

__all__ = [
    "TREND", "DashboardPage", "Dashboards", "dashboard", "downloads", "listed", "measure", "rows",
    "todo",
]  # fmt: skip

TREND: Final = 12
"""How many releases a trend shows."""
_AREAS: Final = 60
# Measures that say what to do beside what a dataset lacks.
_MENDED: Final = ("valid", "fresh", "lineage", "principles")


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure, with the lists of just the datasets that it counts.

    `share` is in per cent, None where the measure can be told of no dataset here.
    """

    name: str
    share: int | None
    good: Tile
    lacking: Tile
    untold: Tile
    total: int


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area in the scoreboard: its dashboard, its datasets, its figures by name.

    `score` is the mean of its shares, in per cent; `place` begins at 1, the same for equals.
    """

    area: Value
    datasets: Tile
    measures: Mapping[str, Measure]
    score: int | None
    place: int


@dataclass(frozen=True, slots=True)
class PrincipleRow:
    """How the datasets stand against one principle."""

    principle: Value
    measure: Measure


@dataclass(frozen=True, slots=True)
class Moment:
    """The figures of a release that was public; `then` is the dashboard as of it."""

    id: str
    href: str
    then: str
    created: str
    count: int
    shares: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class DashboardPage:
    """How the city or one area stands: figures, its areas, what lacks most, and the trend.

    `names` are the measures that can be told; `areas` are the units below it where it is one.
    """

    area: Value | None
    datasets: Tile
    measures: list[Measure]
    names: tuple[str, ...]
    areas: list[AreaRow]
    principles: list[PrincipleRow]
    todo: list[Tile]
    trend: list[Moment]
    release: str
    released: str
    report: str
    downloads: list[Action]


class Dashboards:
    """The dashboards of the release that is shown, and the figures of those before it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._before: dict[tuple[str, str], tuple[str, Figures]] = {}

    def page(self, reader: Reader, area: str = "") -> DashboardPage:
        """The dashboard of an area (an IRI), or of all."""
        held = figures(reader.opened.index, area)
        return DashboardPage(
            area=reader.iri(area) if area else None,
            datasets=_datasets(reader, held),
            measures=[measure(reader, figure) for figure in held.measures.values()],
            names=tuple(held.measures),
            areas=rows(reader, area),
            principles=_principles(reader, held),
            todo=todo(reader, area),
            trend=self._trend(reader, area),
            release=reader.opened.release.id,
            released=reader.opened.release.created_at,
            report=dashboard(reader, area, "/report") if area else "",
            downloads=downloads(reader, area),
        )

    def _trend(self, reader: Reader, area: str) -> list[Moment]:
        """The releases that were public up to the one that is shown, oldest first."""
        site, found = reader.site, []
        place = (dashboard(reader, area) if area else site.url("/dashboards")).partition("?")[0]
        for id, created, held in self._public(area, reader.opened.release):
            shares = {name: figure.share for name, figure in held.measures.items()}
            href, then = site.now(f"/releases/{id}"), site.at(id, place)
            found.append(Moment(id, href, then, created, held.count, shares))
        return found

    def told(self, area: str, last: Release) -> list[dict[str, Any]]:
        """The trend for programs up to a release, oldest first: release, created_at, datasets and
        shares."""
        return [
            {
                "release": id,
                "created_at": created,
                "datasets": held.count,
                "shares": {name: figure.share for name, figure in held.measures.items()},
            }
            for id, created, held in self._public(area, last)
        ]

    def _public(self, area: str, last: Release) -> Iterator[tuple[str, str, Figures]]:
        """The last releases that were public up to one, oldest first: id, when made, figures."""
        ids = [id for id in self.context.public_ids() if int(id[1:]) <= last.number]
        for id in ids[-TREND:]:
            yield (id, *self._of(id, area))

    def _of(self, id: str, area: str) -> tuple[str, Figures]:
        """When a release was made, and the figures of an area in it: reckoned once, they stay."""
        if (id, area) not in self._before:
            release = self.context.releases.get(id)
            held = figures(index.of(release, self.context.cache), area)
            self._before[id, area] = release.created_at, held
        return self._before[id, area]


def listed(reader: Reader, filters: Mapping[str, str | Sequence[str]]) -> str:
    """The list of the datasets that have one of the values of each filter."""
    # What a query may hold as it is (RFC 3986, section 3.4) stays so: hundreds of these are a page.
    query = f"?{urlencode(filters, doseq=True, safe=':/')}" if filters else ""
    return reader.site.url(f"/datasets{query}")


def _datasets(reader: Reader, held: Figures) -> Tile:
    return Tile(held.count, "", listed(reader, {"within": held.area} if held.area else {}))


def measure(reader: Reader, figure: Figure) -> Measure:
    """A figure as it is shown."""
    numbers = {"good": figure.good, "lacking": figure.lacking, "untold": figure.untold}
    tiles = {
        state: Tile(numbers[state], state, listed(reader, figure.filters(state)))
        for state in STATES
    }
    return Measure(figure.name, figure.share, total=figure.total, **tiles)


def dashboard(reader: Reader, area: str, below: str = "") -> str:
    """The address of the dashboard of an area, or of a page below that; empty where the release
    does not describe the area."""
    slug = _slug(reader, area)
    return reader.site.url(f"/dashboards/{slug}{below}") if slug else ""


def downloads(reader: Reader, area: str, below: str = "", **asked: str) -> list[Action]:
    """The same for programs, of the time that is shown: as CSV and as JSON."""
    slug = _slug(reader, area) if area else ""
    if area and not slug:
        return []
    place = "/".join(filter(None, [f"{reader.site.root}/api/dashboards", slug, below]))
    return [
        Action(format.upper(), reader.site.dated(f"{place}?{urlencode(held)}"))
        for format in ("csv", "json")
        for held in ({**asked, "lang": reader.lang, "format": format},)
    ]


def _slug(reader: Reader, area: str) -> str:
    place = reader.place(area)
    return quote(place.page.partition("/")[2]) if place and place.whole else ""


def rows(reader: Reader, area: str = "") -> list[AreaRow]:
    """The areas, or the units right below one, best first; those with no page are left out."""
    known = reader.opened.index
    iris = children(known, area) if area else areas(known)
    reader.load(iris)
    held = [figures(known, iri) for iri in iris if dashboard(reader, iri)]
    held.sort(key=lambda f: (-(f.score or 0), reader.name(f.area).text.casefold()))
    scores = [f.score for f in held]
    return [_row(reader, f, scores.index(f.score) + 1) for f in held][:_AREAS]


def _row(reader: Reader, held: Figures, place: int) -> AreaRow:
    return AreaRow(
        Value(reader.name(held.area), dashboard(reader, held.area), held.area),
        _datasets(reader, held),
        {name: measure(reader, figure) for name, figure in held.measures.items()},
        held.score,
        place,
    )


def _principles(reader: Reader, held: Figures) -> list[PrincipleRow]:
    """The principles, where most is to be done first."""
    reader.load(figure.principle for figure in held.principles)
    found = [PrincipleRow(reader.iri(f.principle), measure(reader, f)) for f in held.principles]
    return sorted(found, key=lambda row: (-row.measure.lacking.count, row.principle.text.text))


def todo(reader: Reader, area: str) -> list[Tile]:
    """What there is to do at datasets, as keys of texts, where most datasets need it first."""
    held: dict[str, Sequence[str]] = {"within": [area]} if area else {}
    gaps = find(reader.opened.index, filters=held).facets(("gap",))["gap"]
    found = [
        Tile(count, f"gap_fix.{name}", listed(reader, {**held, "gap": name}))
        for name, count in gaps
    ]
    measures = figures(reader.opened.index, area).measures
    found += [
        Tile(figure.lacking, f"dashboard.fix.{name}", listed(reader, figure.filters("lacking")))
        for name, figure in measures.items()
        if name in _MENDED and figure.lacking
    ]
    return sorted(found, key=lambda tile: -tile.count)
