"""The pages of lineage: the graph, and the questions to it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bilbaokg.server import html, lineage_page, question_page
from bilbaokg.server.lineage_form import Asked
from bilbaokg.server.reading import Reader
from bilbaokg.server.sections.page import Page

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["pages"]


def pages(context: Context) -> list[Page]:
    """The graph, as a table too, and the questions."""
    return [
        Page("/lineage", "lineage", _lineage),
        Page("/lineage.csv", "lineage", _table),
        Page("/lineage/{question}", "lineage", partial(_question, context)),
    ]


def _lineage(request: Request, reader: Reader) -> Response:
    """What a thing comes from and what is made of it; without one, where to begin."""
    asked = Asked.of(request.query_params)
    if not asked.iri:
        q = request.query_params.get("q", "")
        return html.answer(lineage_page.start(reader, q), reader.site)
    content = lineage_page.page(reader, asked)
    return html.answer(content, reader.site) if content else html.missing(reader, "iri", asked.iri)


def _table(request: Request, reader: Reader) -> Response:
    """Everything that is reached one way, as a table."""
    asked = Asked.of(request.query_params)
    pieces = lineage_page.table(reader, asked, request.query_params.get("direction", ""))
    headers = {"Content-Disposition": 'attachment; filename="lineage.csv"'}
    return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=headers)


def _question(context: Context, request: Request, reader: Reader) -> Response:
    """A question to the lineage, with its answer."""
    name = request.path_params["question"]
    content, status = question_page.page(context, reader, name, request.query_params)
    # Which releases were taken back may change.
    headers = {"Cache-Control": "no-cache"} if name == "changed" else None
    return html.answer(content, reader.site, status, headers)
