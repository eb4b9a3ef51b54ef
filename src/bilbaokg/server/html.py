"""HTML answers: a typed page drawn, packed where welcome, under an ETag, or why there is none."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from bilbaokg import render
from bilbaokg.errors import NotFound
from bilbaokg.server import describe, negotiate
from bilbaokg.server.reading import Opened, Reader

__all__ = [
    "MEDIA", "accepts_gzip", "answer", "checked", "etag", "is_named", "missing", "pack",
    "packed_tag", "path", "root", "to",
]  # fmt: skip

MEDIA: Final = "text/html; charset=utf-8"
# Less is not worth the header; more effort saves little.
_SMALLEST: Final = 1000
_EFFORT: Final = 6


def answer(
    content: Any, site: render.Site, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A typed page, drawn."""
    return Response(
        render.page(content, site),
        status_code=status,
        media_type=MEDIA,
        headers=dict(headers or {}),
    )


def missing(reader: Reader, kind: str, slug: str) -> Response:
    """404 with the records that may have been meant."""
    index = reader.opened.index
    ids = index.near(kind, slug or kind)
    found = [place for id in ids if (place := index.by_id(id))]
    near = [(reader.name(p.iri).text, reader.site.url(f"/{quote(p.page)}")) for p in found]
    problem = NotFound(f"/{kind}/{slug}" if slug else f"/{kind}").problem()
    text = render.error_page(problem, reader.lang, site=reader.site, near=near)
    return Response(text, status_code=404, media_type=MEDIA)


def is_named(reader: Reader, iri: str) -> bool:
    """Whether the release describes an IRI, or names it."""
    return bool(reader.place(iri) or describe.mention(iri, reader))


def to(reader: Reader, iri: str) -> Response:
    """To the page of an IRI, whether the release describes it or only names it."""
    page = reader.href(iri) if reader.place(iri) else None
    return RedirectResponse(page or reader.site.url(f"/iri?{urlencode({'iri': iri})}"), 303)


# ---- where we are


def root(request: Request) -> str:
    """The path prefix that we are served under."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def path(request: Request) -> str:
    """The path that was asked for, quoted, without our prefix."""
    return quote(str(request.scope["path"]).removeprefix(root(request)))


# ---- kept by clients, and packed


def etag(opened: Opened, request: Request, beside: str = "") -> str:
    """The ETag of a page: its release and its address, and what else it depends on."""
    address = f"{root(request)} {path(request)}?{request.url.query} {render.stamp()}{beside}"
    return f'"{opened.release.id}-{hashlib.sha256(address.encode()).hexdigest()[:16]}"'


def packed_tag(tag: str) -> str:
    """The ETag of the same page with gzip."""
    return f'{tag[:-1]}-gzip"'


def checked(response: Response, tag: str) -> Response:
    """The response with what lets clients keep it and ask whether it still holds."""
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "public, max-age=0, must-revalidate"
    return response


def accepts_gzip(request: Request) -> bool:
    """Whether the client takes gzip."""
    return negotiate.accepts_gzip(request.headers.get("accept-encoding"))


def pack(response: Response) -> bool:
    """Pack what is whole and large enough, and tell whether it was."""
    if isinstance(response, StreamingResponse) or len(response.body) < _SMALLEST:
        return False
    response.body = gzip.compress(bytes(response.body), _EFFORT, mtime=0)
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.body))
    return True
