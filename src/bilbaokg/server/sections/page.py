"""A page of the site: where it is, and what answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from bilbaokg.server.reading import Reader

__all__ = ["Handler", "Page"]

Handler = Callable[[Request, Reader], Response]
"""Gets the request and a reader of the release that is shown."""


class Page(NamedTuple):
    """A page: its path after the language, the entry of the navigation that it belongs to, what
    answers it, and whether it shows releases of the past, too."""

    path: str
    section: str
    handler: Handler
    has_past: bool = True
