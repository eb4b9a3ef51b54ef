"""Static files, for ever: the address of each holds the hash of its content."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from bilbaokg import render
from bilbaokg.errors import NotFound
from bilbaokg.server import html

__all__ = ["static"]

_HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
}


def static(request: Request) -> Response:
    """A static file, packed where welcome. Raises NotFound."""
    path = render.asset_path(request.path_params["digest"], request.path_params["name"])
    if path is None:
        raise NotFound("no such file", where=request.url.path)
    plain = FileResponse(path, headers=_HEADERS)
    packed = _packed(path) if html.accepts_gzip(request) else None
    if packed is None:
        return plain
    headers = {**_HEADERS, "Content-Encoding": "gzip"}
    return Response(packed, headers=headers, media_type=plain.media_type)


@lru_cache(64)
def _packed(path: Path) -> bytes | None:
    """The file packed; None for what is too small."""
    response = Response(path.read_bytes())
    return bytes(response.body) if html.pack(response) else None
