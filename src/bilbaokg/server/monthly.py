"""The monthly report of an area: how it stood at the end of a month, and what the month changed.

A month is told by two releases: the one that was public at its end (or is now), and the one that
was public before it began. Links lead to lists of the time that the report tells of. As of a
time of the past it is told as far as it was known then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bilbaokg import index, render
from bilbaokg.index import Index, Row, find
from bilbaokg.index.content import GAPS
from bilbaokg.index.figures import Figures, areas, children, figures
from bilbaokg.published import Switch
from bilbaokg.release import difference
from bilbaokg.server.dashboards import (
    AreaRow,
    Measure,
    dashboard,
    downloads,
    listed,
    measure,
    rows,
    todo,
)  # fmt: skip
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import Action, Tile, Value

if TYPE_CHECKING:
    from bilbaokg.model import Release
    from bilbaokg.server.context import Context

__all__ = ["MonthlyPage", "NoMonthPage", "default", "month_of", "report", "today"]

_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_SHOWN: Final = 50
_HOLDERS: Final = 40
_NOBODY: Final = ""
# What may be open at a dataset, with the facets that tell it.
_OPEN: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "gap": {"gap": GAPS},
    "validity": {"validity": ("violations", "waived")},
    "freshness": {"freshness": ("late",)},
    "principles": {"principles": ("failed",)},
}


@dataclass(frozen=True, slots=True)
class Moved:
    """A measure at the end of the month, and its share before; `points` are those between."""

    measure: Measure
    before: int | None
    points: int | None


@dataclass(frozen=True, slots=True)
class Changed:
    """Datasets that the month brought, changed or took away (`kind`: new, changed, gone)."""

    kind: str
    count: int
    datasets: list[Value]
    more: int


@dataclass(frozen=True, slots=True)
class Holder:
    """Who looks after datasets (None: nobody), how many, and what is open at them by name."""

    who: Value | None
    datasets: Tile
    open: Mapping[str, Tile]


@dataclass(frozen=True, slots=True)
class MonthlyPage:
    """The report of one area; `before` is the release before the month, None where none was.

    `id` is the month as YYYY-MM, `month` as it is read. `place` and `places` are empty where the
    area is compared with no other; `partial` says that the month has not ended.
    """

    area: Value
    home: str
    id: str
    month: str
    partial: bool
    earlier: Action | None
    later: Action | None
    release: Value
    released: str
    before: Value | None
    releases: list[tuple[Value, str]]
    datasets: Tile
    datasets_before: int
    measures: list[Moved]
    changes: list[Changed]
    place: int | None
    place_before: int | None
    places: int
    score: int | None
    units: list[AreaRow]
    holders: list[Holder]
    more_holders: int
    todo: list[Tile]
    downloads: list[Action]


@dataclass(frozen=True, slots=True)
class NoMonthPage:
    """There is no report of what was asked for, and why: invalid, ahead, or before."""

    reason: str
    asked: str
    area: Value
    home: str
    last: Action

    @property
    def status(self) -> int:
        """The HTTP status that says so."""
        return 404 if self.reason == "before" else 400


# ---- months


def month_of(text: str) -> date | None:
    """The first day of a month that is written YYYY-MM; None for anything else."""
    found = _MONTH.fullmatch(text)
    return date(int(found[1]), int(found[2]), 1) if found and int(found[1]) else None


def default(context: Context, today: date) -> str:
    """The month that is told where none is named: the last one, else the first with a release."""
    first = month_of(context.releases.history()[0].at[:7]) or today
    return max(_before(today), first).isoformat()[:7]


def _before(month: date) -> date:
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)


def _after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def today(moment: render.Moment | None) -> date:
    """The day that it is (UTC), or was at the time that is shown."""
    return date.fromisoformat(_until(moment)[:10]) if moment else datetime.now(UTC).date()


def _until(moment: render.Moment) -> str:
    return moment.day or moment.since


def _standing(context: Context, moment: render.Moment | None) -> list[Switch]:
    """What was public from when, up to the time that is shown, but what was taken back or is not
    kept any more."""
    kept = set(context.releases.standing()) & set(context.releases.ids())
    held = [switch for switch in context.releases.history() if switch.id in kept]
    last = _until(moment) if moment else ""
    return [switch for switch in held if not last or switch.at[: len(last)] <= last]


def _last(switches: Sequence[Switch], end: date) -> Switch | None:
    """The last of them before a day begins."""
    return next((s for s in reversed(switches) if s.at[:10] < end.isoformat()), None)


# ---- the report


def report(
    context: Context, reader: Reader, area: str, asked: str
) -> tuple[MonthlyPage | NoMonthPage, Reader]:
    """The report of an area (an IRI) for a month (YYYY-MM), with who reads it.

    reader: of the release that is shown; the one returned reads the release at the month's end.
    """
    switches, day = _standing(context, reader.site.moment), today(reader.site.moment)
    month = month_of(asked)
    end = _last(switches, _after(month)) if month and month <= day else None
    if month is None or end is None:
        reason = "invalid" if month is None else "ahead" if month > day else "before"
        last = _link(reader, area, default(context, day))
        return NoMonthPage(
            reason, asked[:30], reader.iri(area), dashboard(reader, area), last
        ), reader
    start = _last(switches, month)
    before = context.releases.get(start.id) if start else None
    known = index.of(before, context.cache) if before else None
    inside = [s for s in switches if month.isoformat() <= s.at[:10] < _after(month).isoformat()]
    told = _Told(reader, month, _after(month) > day, inside, before, known)
    reader = _at(context, reader, end, known)
    return _page(reader, area, told), reader


@dataclass(frozen=True, slots=True)
class _Told:
    """What is told of a month: who asks, whether it is `partial`, the switches `inside` it, and
    the release before it with its index."""

    asking: Reader
    month: date
    partial: bool
    inside: Sequence[Switch]
    before: Release | None
    known: Index | None

    def beside(self, area: str, month: date) -> Action:
        """The report of another month, as of the same time."""
        return _link(self.asking, area, month.isoformat()[:7])


def _at(context: Context, reader: Reader, end: Switch, known: Index | None) -> Reader:
    """Who reads the release at the end of the month; one of the past in its own time."""
    now, site = reader.opened, reader.site
    earlier = [now.index, *([known] if known else ())]
    if end.id == now.release.id:
        return Reader(now, site, earlier)
    opened = context.catalogue.past(end.id)
    moment = render.Moment(end.id, end.id, end.at)
    site = replace(
        site, moment=moment, release=end.id, released=opened.release.created_at,
        present=site.now(site.path.partition("?")[0]),
    )  # fmt: skip
    return Reader(opened, site, earlier)


def _page(reader: Reader, area: str, told: _Told) -> MonthlyPage:
    opened, before, known = reader.opened, told.before, told.known
    held = figures(opened.index, area)
    old = figures(known, area) if known else None
    place, places = _place(opened.index, held)
    id = told.month.isoformat()[:7]
    holders = _holders(reader, area)
    within = {"within": area}
    return MonthlyPage(
        area=reader.iri(area),
        home=dashboard(reader, area),
        id=id,
        month=render.month(id, reader.lang),
        partial=told.partial,
        earlier=told.beside(area, _before(told.month)) if before else None,
        later=None if told.partial else told.beside(area, _after(told.month)),
        release=_release(reader, opened.release.id),
        released=opened.release.created_at,
        before=_release(reader, before.id) if before else None,
        releases=[(_release(reader, s.id), s.at) for s in told.inside],
        datasets=Tile(held.count, "", listed(reader, within)),
        datasets_before=old.count if old else 0,
        measures=[_moved(reader, held, old, name) for name in held.measures],
        changes=_changes(reader, area, before, known),
        place=place,
        place_before=_place(known, old)[0] if known and old else None,
        places=places,
        score=held.score,
        units=rows(reader, area),
        holders=holders[:_HOLDERS],
        more_holders=max(0, len(holders) - _HOLDERS),
        todo=todo(reader, area),
        downloads=downloads(told.asking, area, "report", month=id),
    )


def _link(reader: Reader, area: str, month: str) -> Action:
    """The report of a month (YYYY-MM), by its name."""
    address = dashboard(reader, area, f"/report?month={month}")
    return Action(render.month(month, reader.lang), address)


def _release(reader: Reader, id: str) -> Value:
    return Value(index.Text(id, ""), reader.site.now(f"/releases/{id}"))


def _moved(reader: Reader, held: Figures, old: Figures | None, name: str) -> Moved:
    now = held.measures[name]
    then = old.measures.get(name) if old else None
    share = then.share if then else None
    points = None if share is None or now.share is None else now.share - share
    return Moved(measure(reader, now), share, points)


def _place(known: Index, held: Figures) -> tuple[int | None, int]:
    """The place of an area among its like by the mean of their figures, and how many these are."""
    tops = areas(known)
    above = sorted(known.superiors.get(held.area, ()))
    rooms = [tops, *(children(known, iri) for iri in above)]
    peers = next((room for room in rooms if held.area in room), [])
    if len(peers) < 2 or held.score is None:
        return None, 0
    scores = [figures(known, iri).score or 0 for iri in peers]
    return 1 + sum(score > held.score for score in scores), len(peers)


# ---- what changed


def _changes(
    reader: Reader, area: str, before: Release | None, known: Index | None
) -> list[Changed]:
    """The datasets of the area that are not as they were before the month."""
    if before is None or known is None:
        return []
    found = difference(before, reader.opened.release)
    now, then = _rows(reader, reader.opened.index, area), _rows(reader, known, area)
    groups = (("new", found.new, now), ("changed", found.changed, now), ("gone", found.gone, then))
    return [
        _changed(reader, kind, [held[id] for id in ids if id in held]) for kind, ids, held in groups
    ]


def _rows(reader: Reader, known: Index, area: str) -> dict[str, Row]:
    found = find(known, filters={"within": [area]})
    return {row.id: row for some in found.rows(reader.lang, "title") for row in some}


def _changed(reader: Reader, kind: str, held: Sequence[Row]) -> Changed:
    held = sorted(held, key=lambda row: row.title.text.casefold())
    reader.load(row.iri for row in held[:_SHOWN])
    values = [Value(row.title, reader.href(row.iri), row.iri) for row in held[:_SHOWN]]
    return Changed(kind, len(held), values, max(0, len(held) - _SHOWN))


# ---- what is open, with whom


def _holders(reader: Reader, area: str) -> list[Holder]:
    """Who looks after datasets at which something is open, and nobody; most datasets first."""
    known = reader.opened.index
    stewards = find(known, filters={"within": [area]}).facets(("steward",))["steward"]
    reader.load(iri for iri, _ in stewards)
    found = [_holder(reader, area, iri) for iri in (*(iri for iri, _ in stewards), _NOBODY)]
    return [holder for holder in found if any(tile.count for tile in holder.open.values())]


def _holder(reader: Reader, area: str, iri: str) -> Holder:
    theirs = {"steward": [iri]} if iri else {"gap": ["steward"]}
    base: dict[str, Sequence[str]] = {"within": [area], **theirs}

    def tile(filters: Mapping[str, Sequence[str]]) -> Tile:
        # Without a steward something is missing already: what else would be asked twice.
        asked = {**filters, **base}
        return Tile(find(reader.opened.index, filters=asked).total, "", listed(reader, asked))

    counts = {name: tile(filters) for name, filters in _OPEN.items()}
    return Holder(reader.iri(iri) if iri else None, tile({}), counts)
