"""The dashboards, and the monthly reports of areas."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bilbaokg.errors import NotFound
from bilbaokg.index.dashboard import area_of
from bilbaokg.server import html, monthly
from bilbaokg.server.dashboards import Dashboards
from bilbaokg.server.reading import Reader
from bilbaokg.server.sections.page import Page

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["pages"]


def pages(context: Context) -> list[Page]:
    """The dashboard of the city, those of areas, and their reports."""
    dashboard = partial(_dashboard, Dashboards(context))
    return [
        Page("/dashboards", "dashboards", dashboard),
        Page("/dashboards/{slug}", "dashboards", dashboard),
        Page("/dashboards/{slug}/report", "dashboards", partial(_monthly, context)),
    ]


def _dashboard(dashboards: Dashboards, request: Request, reader: Reader) -> Response:
    """How the city or one of its areas stands."""
    slug = request.path_params.get("slug", "")
    try:
        area = area_of(reader.opened.index, slug) if slug else ""
    except NotFound:
        return html.missing(reader, "unit", slug)
    return html.answer(dashboards.page(reader, area), reader.site)


def _monthly(context: Context, request: Request, reader: Reader) -> Response:
    """The report of an area for a month; without one, to the last."""
    slug, asked = request.path_params["slug"], request.query_params.get("month")
    try:
        area = area_of(reader.opened.index, slug)
    except NotFound:
        return html.missing(reader, "unit", slug)
    unkept = {"Cache-Control": "no-store"}
    if asked is None:
        month = monthly.default(context, monthly.today(reader.site.moment))
        address = reader.site.url(f"/dashboards/{quote(slug)}/report?month={month}")
        return RedirectResponse(address, status_code=303, headers=unkept)
    content, reader = monthly.report(context, reader, area, asked)
    if isinstance(content, monthly.NoMonthPage):
        return html.answer(content, reader.site, content.status, unkept)
    # What has not ended may change without a release: its last day comes.
    return html.answer(content, reader.site, headers=unkept if content.partial else None)
