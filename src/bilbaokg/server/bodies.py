"""Request bodies that hold RDF: their media type, their bytes up to a limit, their parts."""

from __future__ import annotations

import re
import zlib
from typing import Final, NamedTuple

from starlette.requests import Request

from bilbaokg.errors import BadInput, TooLarge, UnsupportedFormat
from bilbaokg.formats import FORMATS, by_media_type

__all__ = ["Document", "documents", "media_type", "read"]

_MULTIPART: Final = "multipart/form-data"
_MOST_PARTS: Final = 100
_BOUNDARY: Final = re.compile(r';\s*boundary="?([!-~ ]{0,69}[!-~])"?\s*(?:;|$)', re.IGNORECASE)
_CONTENT_TYPE: Final = re.compile(rb"^content-type:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


class Document(NamedTuple):
    """One RDF document that was sent."""

    media_type: str
    content: bytes


def media_type(header: str) -> str:
    """The RDF media type that a Content-Type names. Raises UnsupportedFormat (415)."""
    found = by_media_type(header)
    if found is None:
        raise UnsupportedFormat(
            f"{header.partition(';')[0] or 'a body without Content-Type'} cannot be loaded",
            hint=f"one of: {', '.join(f.media_type for f in FORMATS.values())}",
        )
    return found.media_type


async def read(request: Request, limit: int) -> bytes:
    """The body, inflated; never more than `limit` bytes of it. Raises TooLarge, BadInput."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip"):
        raise UnsupportedFormat(f"the coding {coding[:50]!r} is not read", hint="gzip, or none")
    inflate = zlib.decompressobj(16 + zlib.MAX_WBITS) if coding == "gzip" else None
    body = bytearray()
    try:
        async for piece in request.stream():
            body += inflate.decompress(piece, limit + 1 - len(body)) if inflate else piece
            if len(body) > limit:
                raise TooLarge(
                    f"the body is over {limit:,} bytes",
                    hint="split it, load it with `bilbaokg load`, or raise body_limit",
                )
    except zlib.error as error:
        raise BadInput(f"the body is not valid gzip: {error}") from None
    if inflate and not inflate.eof:
        raise BadInput("the gzip body ends too early", hint="send it whole")
    return bytes(body)


async def documents(request: Request, limit: int) -> list[Document]:
    """The RDF documents of a body: one, or the parts of a form (RFC 7578).

    Raises UnsupportedFormat before the body is read, TooLarge, BadInput.
    """
    header = request.headers.get("content-type", "")
    if header.partition(";")[0].strip().lower() != _MULTIPART:
        return [Document(media_type(header), await read(request, limit))]
    boundary = _BOUNDARY.search(header)
    if boundary is None:
        raise BadInput("the form has no boundary", hint="let the HTTP client make the form")
    return _parts(await read(request, limit), boundary[1].encode())


def _parts(body: bytes, boundary: bytes) -> list[Document]:
    """The parts between the boundaries (RFC 2046, section 5.1.1)."""
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise BadInput("the form is cut off, or empty", hint="let the HTTP client make the form")
    if len(pieces) - 2 > _MOST_PARTS:
        raise BadInput(f"the form has over {_MOST_PARTS} parts", hint="put files together")
    found = []
    for piece in pieces[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        named = _CONTENT_TYPE.search(head)
        found.append(Document(media_type(named[1].decode("latin-1") if named else ""), content))
    return found
