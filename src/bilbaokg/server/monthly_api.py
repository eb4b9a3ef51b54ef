"""The monthly report for programs, as JSON or CSV: `/api/dashboards/{slug}/report`."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from bilbaokg import render
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.index.dashboard import area_of
from bilbaokg.reports.monthly import as_csv
from bilbaokg.server import moments, monthly
from bilbaokg.server.api import head
from bilbaokg.server.context import Context
from bilbaokg.server.dashboards import Measure
from bilbaokg.server.dashboards_api import RESPONSES, AsOf, Format, Lang, choose, shown_at
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import Value

__all__ = ["routes"]

_HINT: Final = "a month from the first release on, as in 2026-03"
_REASONS: Final = {
    "invalid": "is no month",
    "ahead": "has not come yet",
    "before": "ended before anything was published",
}
Month = Annotated[str, Query(max_length=200, description="YYYY-MM; empty: the last one")]


def routes(context: Context) -> list[BaseRoute]:
    """The report of an area for a month; HEAD as GET."""
    router = APIRouter(tags=["dashboards"])

    @router.get("/api/dashboards/{slug}/report", responses=RESPONSES)
    def report(
        request: Request, slug: str, month: Month = "", lang: Lang = "es",
        format: Format = None, as_of: AsOf = "",
    ) -> Response:  # fmt: skip
        """How an area stood at the end of a month, and what the month changed.

        `share_before` and `points` compare with the release that was public before the month;
        `changes` name datasets, up to 50 of a kind; `open` counts what is open at datasets by who
        looks after them. CSV has a row for each measure.
        """
        chosen = choose(request, format)
        told = _told(_page(context, slug, month, lang, as_of))
        # What has not ended changes without a release, when its last day comes.
        headers = {"Cache-Control": "no-cache", "Vary": "Accept"}
        if chosen == "csv":
            return Response(as_csv(told), media_type="text/csv", headers=headers)
        return JSONResponse(told, headers=headers)

    return [*router.routes, *map(head, router.routes)]


def _page(context: Context, slug: str, month: str, lang: str, as_of: str) -> monthly.MonthlyPage:
    """The report. Raises NotFound, BadInput, Gone."""
    opened = shown_at(context, as_of)
    moment = moments.find(context.releases, as_of) if as_of else None
    reader = Reader(opened, render.Site(lang, moment=moment))
    area = area_of(opened.index, slug)
    asked = month or monthly.default(context, monthly.today(moment))
    page, _ = monthly.report(context, reader, area, asked)
    if isinstance(page, monthly.NoMonthPage):
        error = NotFound if page.reason == "before" else BadInput
        raise error(f"month={page.asked} {_REASONS[page.reason]}", hint=_HINT)
    return page


def _told(page: monthly.MonthlyPage) -> dict[str, Any]:
    """A report as data; counts are of datasets, shares in per cent."""
    return {
        "area": _named(page.area),
        "month": page.id,
        "partial": page.partial,
        "release": page.release.text.text,
        "created_at": page.released,
        "before": page.before.text.text if page.before else None,
        "releases": [{"release": value.text.text, "at": at} for value, at in page.releases],
        "datasets": page.datasets.count,
        "datasets_before": page.datasets_before if page.before else None,
        "score": page.score,
        "place": page.place,
        "place_before": page.place_before,
        "places": page.places,
        "measures": [
            {**_measure(row.measure), "share_before": row.before, "points": row.points}
            for row in page.measures
        ],
        "changes": [
            {"kind": group.kind, "count": group.count, "datasets": [*map(_named, group.datasets)]}
            for group in page.changes
        ],
        "open": [
            {
                "steward": _named(holder.who) if holder.who else None,
                "datasets": holder.datasets.count,
                **{name: tile.count for name, tile in holder.open.items()},
            }
            for holder in page.holders
        ],
        "units": [
            {
                "area": _named(row.area),
                "datasets": row.datasets.count,
                "score": row.score,
                "place": row.place,
            }
            for row in page.units
        ],
    }


def _named(value: Value) -> dict[str, str]:
    return {"iri": value.term, "label": value.text.text}


def _measure(held: Measure) -> dict[str, Any]:
    return {
        "name": held.name,
        "good": held.good.count,
        "lacking": held.lacking.count,
        "untold": held.untold.count,
        "total": held.total,
        "share": held.share,
    }
