"""The pages of text, and the page of components."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from bilbaokg.server import components, html
from bilbaokg.server.guides import GUIDES, guide
from bilbaokg.server.reading import Reader
from bilbaokg.server.sections.page import Page

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["pages"]


def pages(context: Context) -> list[Page]:
    """They say nothing of a release."""
    guides = [Page(f"/{name}", "", partial(_guide, name), has_past=False) for name in GUIDES]
    return [*guides, Page("/components", "", _components, has_past=False)]


def _guide(name: str, request: Request, reader: Reader) -> Response:
    """A page of text."""
    content = guide(reader, name)
    return html.answer(content, reader.site) if content else html.missing(reader, name, "")


def _components(request: Request, reader: Reader) -> Response:
    """Every component of the pages, for those who change one."""
    return html.answer(components.page(reader), reader.site)
