"""The pages about releases, and the history of a record from one to the next."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bilbaokg.server import history, html, revisions
from bilbaokg.server.reading import Reader
from bilbaokg.server.sections.page import Page

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["pages"]


def pages(context: Context) -> list[Page]:
    """They tell of all releases, so they have no past."""
    return [
        Page("/releases", "releases", partial(_releases, context), has_past=False),
        Page("/releases/{id}", "releases", partial(_release, context), has_past=False),
        Page("/{kind}/{slug}/history", "", partial(_history, context), has_past=False),
    ]


def _releases(context: Context, request: Request, reader: Reader) -> Response:
    """The public releases, newest first."""
    return html.answer(history.overview(context, reader), reader.site)


def _release(context: Context, request: Request, reader: Reader) -> Response:
    """One release: what it changed."""
    content = history.page(context, reader, request.path_params["id"])
    return html.answer(content, reader.site)


def _history(context: Context, request: Request, reader: Reader) -> Response:
    """What changed in a record from release to release."""
    kind, slug = request.path_params["kind"], request.path_params["slug"]
    id, before = f"{kind}/{slug}", request.query_params.get("before", "")
    place = reader.opened.index.by_id(id)
    if place and place.record != id:
        return RedirectResponse(reader.site.url(f"/{quote(place.record)}/history"), 308)
    content = revisions.history(context, reader, id, before)
    return html.answer(content, reader.site) if content else html.missing(reader, kind, slug)
