"""Dashboards for programs, as JSON or CSV: `/api/dashboards` and `/api/dashboards/{slug}`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from bilbaokg.errors import NotFound
from bilbaokg.index.dashboard import area_of, dashboard
from bilbaokg.reports.dashboard import as_csv
from bilbaokg.server import moments, negotiate
from bilbaokg.server.api import head
from bilbaokg.server.context import Context
from bilbaokg.server.dashboards import Dashboards
from bilbaokg.server.openapi import problems
from bilbaokg.server.reading import Opened
from bilbaokg.server.validators import is_known, validators

__all__ = ["RESPONSES", "AsOf", "Format", "Lang", "choose", "routes", "shown_at"]

_OFFERS: Final = {"application/json": "json", "text/csv": "csv"}
_TYPES: Final[dict[str, Any]] = {
    "application/json": {"schema": {"type": "object"}},
    "text/csv": {},
}
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "the figures", "content": _TYPES},
    **problems(400, 404, 406, 410),
}
Lang = Annotated[Literal["es", "eu", "en"], Query(description="of the labels")]
Format = Annotated[Literal["json", "csv"] | None, Query(description="in place of Accept")]
AsOf = Annotated[
    str, Query(max_length=200, description="a day or a release of the past; empty: now")
]


def routes(context: Context) -> list[BaseRoute]:
    """The dashboard of all and of each area; HEAD as GET."""
    router, shown = APIRouter(tags=["dashboards"]), Dashboards(context)

    @router.get("/api/dashboards", responses=RESPONSES)
    def city(
        request: Request, lang: Lang = "es", format: Format = None, as_of: AsOf = ""
    ) -> Response:
        """How the catalogue stands, and each of its areas, in the published release.

        `good`, `lacking` and `untold` count datasets, `share` is in per cent of those of which it
        can be told; `filters` are the facets by which the search lists just those. `trend` tells
        the shares in the releases that were public, oldest first; CSV leaves it out.
        """
        return _answer(shown, request, "", lang, choose(request, format), as_of)

    @router.get("/api/dashboards/{slug}", responses=RESPONSES)
    def area(
        request: Request, slug: str, lang: Lang = "es", format: Format = None, as_of: AsOf = ""
    ) -> Response:
        """The same of one area with the units below it."""
        return _answer(shown, request, slug, lang, choose(request, format), as_of)

    return [*router.routes, *map(head, router.routes)]


def choose(request: Request, format: str | None) -> str:
    """What is answered, json or csv. Raises NotAcceptable."""
    return format or negotiate.choose(request.headers.get("accept"), _OFFERS)


def shown_at(context: Context, as_of: str) -> Opened:
    """The release that is public, or was at a time. Raises NotFound, BadInput, Gone."""
    opened = context.catalogue.current()
    if opened is None:
        raise NotFound("nothing is published yet", hint="see /api/releases")
    if not as_of:
        return opened
    return context.catalogue.past(moments.release(context.releases, as_of))


def _answer(
    shown: Dashboards, request: Request, slug: str, lang: str, chosen: str, as_of: str
) -> Response:
    """The dashboard, unless the client has it. Raises as `shown_at`."""
    opened = shown_at(shown.context, as_of)
    headers = validators(opened.release, f"dashboard {slug} {lang} {chosen}") | {"Vary": "Accept"}
    area = area_of(opened.index, slug) if slug else ""
    if is_known(request.headers, headers):
        return Response(status_code=304, headers=headers)
    told = dashboard(opened.index, area, lang)
    if chosen == "csv":
        return Response(as_csv(told), media_type="text/csv", headers=headers)
    release = {"release": opened.release.id, "created_at": opened.release.created_at}
    return JSONResponse(
        release | told | {"trend": shown.told(area, opened.release)}, headers=headers
    )
