"""The SPARQL page, and what its editor completes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bilbaokg.server import html, query_page, sparql_words
from bilbaokg.server.reading import Reader
from bilbaokg.server.sections.page import Page

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["pages"]


def pages(context: Context) -> list[Page]:
    """They ask the present alone."""
    return [
        Page("/sparql", "sparql", partial(_sparql, context), has_past=False),
        Page("/sparql/words.json", "sparql", _words, has_past=False),
    ]


def _sparql(context: Context, request: Request, reader: Reader) -> Response:
    """The query form with the answer below it."""
    content, status, headers = query_page.answer(context, request, reader)
    return html.answer(content, reader.site, status, {"Cache-Control": "no-store", **headers})


def _words(request: Request, reader: Reader) -> Response:
    """What the editor of the SPARQL page completes."""
    return JSONResponse(sparql_words.words(reader))
