"""The feeds: `/catalog.{ext}` (target dcat-ap) and `/feeds/{target}/catalog.{ext}`, from the disk.

What is sent was written when the release was built, or once on first request; it never changes
afterwards. So the ETag is made of the release and of what is asked for, and a gzip twin is kept.
Where the cache cannot be written (a full disk), the answer is made while it is sent, without gzip.
"""

from __future__ import annotations

import gzip
import hashlib
import itertools
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO, Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bilbaokg import exports
from bilbaokg.errors import BadInput, NotFound, StorageFault
from bilbaokg.exports.files import replace_file
from bilbaokg.formats import FORMATS
from bilbaokg.model import Release
from bilbaokg.server import negotiate
from bilbaokg.server.context import Context
from bilbaokg.terms import DCAT, DCT, LANGUAGES, RDF, literal, mint, ref
from bilbaokg.writing import to_bytes

__all__ = ["EXTENSIONS", "is_known", "media_type", "routes", "validators"]

EXTENSIONS: Final = ("rdf", "ttl", "jsonld", "nt")
Handler = Callable[[Request], Response]
_MOST_PAGES: Final = 1_000_000
_PIECE: Final = 64 << 10


def routes(context: Context) -> list[BaseRoute]:
    """One route a format, so that another extension is a plain 404."""
    feeds = _Feeds(context)
    found: list[BaseRoute] = []
    for ext in EXTENSIONS:
        found += [
            Route(f"/catalog.{ext}", feeds.catalogue(ext), name=f"catalog.{ext}"),
            Route(f"/feeds/{{target}}/catalog.{ext}", feeds.feed(ext), name=f"feed.{ext}"),
        ]
    return found


class _Feeds:
    def __init__(self, context: Context) -> None:
        self.context = context

    def catalogue(self, ext: str) -> Handler:
        """The public feed in one format."""

        def handler(request: Request) -> Response:
            return self._answer(request, "dcat-ap", ext)

        return handler

    def feed(self, ext: str) -> Handler:
        """Another target's feed in one format."""

        def handler(request: Request) -> Response:
            return self._answer(request, request.path_params["target"], ext)

        return handler

    def _answer(self, request: Request, target: str, ext: str) -> Response:
        page = _page(request.query_params.get("page"))
        language = _language(request.query_params.get("lang"))
        release = self.context.current()
        if target not in exports.TARGETS:
            raise NotFound(f"no feed {target!r}", hint=f"feeds: {', '.join(exports.TARGETS)}")
        if release is None:
            return _empty(self.context, ext)
        return _Representation(self.context, release, target, ext, page, language).send(request)


@dataclass(frozen=True, slots=True)
class _Representation:
    """One page of a target, in a syntax and perhaps one language. Blocks on the disk."""

    context: Context
    release: Release
    target: str
    ext: str
    page: int
    language: str | None

    def send(self, request: Request) -> Response:
        """304 where the client has it, gzip where welcome and kept, else plain."""
        file = self._file()
        if negotiate.accepts_gzip(request.headers.get("accept-encoding")) and file:
            headers = self._headers("gzip")
            if is_known(request.headers, headers):
                return Response(status_code=304, headers=headers)
            if twin := _gzip(file, self.release, self.context.cache):
                return FileResponse(twin, headers=headers, media_type=media_type(self.ext))
        headers = self._headers()
        if is_known(request.headers, headers):
            return Response(status_code=304, headers=headers)
        if file:
            return FileResponse(file, headers=headers, media_type=media_type(self.ext))
        pieces = _pieces(self._write)
        # What fails before the first piece is full is an error like any other.
        body = itertools.chain([next(pieces, b"")], pieces)
        return StreamingResponse(body, headers=headers, media_type=media_type(self.ext))

    def _file(self) -> Path | None:
        """The file with it, or None where none can be kept."""
        settings, cache = self.context.settings, self.context.cache
        try:
            return exports.representation(
                self.release, settings, self.target, self.ext, self.page, self.language, cache=cache
            )
        except StorageFault:
            return None

    def _write(self, out: BinaryIO) -> None:
        settings = self.context.settings
        exports.write(self.release, settings, self.target, self.ext, out, self.page, self.language)

    def _headers(self, encoding: str = "") -> dict[str, str]:
        place = self.context.settings.public_url
        asked = f"{self.target} {self.ext} {self.page} {self.language} {place} {encoding}"
        headers = validators(self.release, asked) | {"Vary": "Accept-Encoding"}
        return headers | ({"Content-Encoding": encoding} if encoding else {})


def _page(text: str | None) -> int:
    if text is None:
        return 1
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= _MOST_PAGES):
        raise BadInput(f"page={text[:50]!r} is no page number", hint="pages begin with 1")
    return int(text)


def _language(text: str | None) -> str | None:
    if text is not None and text not in LANGUAGES:
        raise BadInput(
            f"lang={text[:50]!r} is not available", hint=f"one of: {', '.join(LANGUAGES)}"
        )
    return text


def _empty(context: Context, ext: str) -> Response:
    """Before the first release: a catalogue without entries."""
    catalogue = ref(mint(context.settings.base, "catalog", "main"))
    lines = [f"{catalogue} {ref(RDF.type)} {ref(DCAT.Catalog)} ."]
    lines += [
        f"{catalogue} {ref(DCT.title)} {literal(title, language=language)} ."
        for language, title in sorted(context.settings.title.items())
    ]
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    return Response(to_bytes(sorted(lines), ext), headers=headers, media_type=media_type(ext))


def validators(release: Release, representation: str) -> dict[str, str]:
    """ETag (strong: the release and the representation) and Last-Modified."""
    identity = f"{release.id} {release.sha256} {representation}"
    built = datetime.fromisoformat(release.created_at).astimezone(UTC)
    return {
        "ETag": f'"{release.id}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"',
        "Last-Modified": format_datetime(built.replace(microsecond=0), usegmt=True),
        "Cache-Control": "no-cache",
    }


def is_known(given: Headers, ours: Mapping[str, str]) -> bool:
    """Whether the client has it: If-None-Match, else If-Modified-Since (RFC 9110, 13.2.2).

    The date must be ours exactly: after a rollback a client has what is newer than the release.
    """
    if (tags := given.get("if-none-match")) is not None:
        known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        return ours["ETag"] in known or "*" in known
    try:
        since = parsedate_to_datetime(given.get("if-modified-since", ""))
        return since == parsedate_to_datetime(ours["Last-Modified"])
    except (OverflowError, TypeError, ValueError):
        return False


def media_type(ext: str) -> str:
    """What Content-Type says of an extension."""
    found = FORMATS[ext].media_type
    return f"{found}; charset=utf-8" if found.startswith("text/") else found


def _gzip(path: Path, release: Release, cache: Path) -> Path | None:
    """The gzip twin of a file, made once; the same bytes each time. None when it cannot be kept."""
    key = hashlib.sha256(str(path).encode()).hexdigest()[:24]
    twin = cache / release.id / "gzip" / f"{key}.gz"

    def fill(out: BinaryIO) -> None:
        with path.open("rb") as plain, gzip.GzipFile("", "wb", 6, out, 0) as packed:
            shutil.copyfileobj(plain, packed, 1 << 20)

    if not twin.is_file():
        try:
            replace_file(twin, fill)
        except StorageFault:
            return None
    return twin


def _pieces(write: Callable[[BinaryIO], None]) -> Iterator[bytes]:
    """What `write` writes, as it comes; it waits for whoever takes the pieces, and fails for it."""
    reading, writing = os.pipe()
    failed: list[Exception] = []

    def work() -> None:
        try:
            with os.fdopen(writing, "wb", _PIECE) as out:
                write(out)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while piece := os.read(reading, _PIECE):
            yield piece
        thread.join()
        if failed:
            raise failed[0]
    finally:
        # Writing on into a closed pipe fails, and so ends the thread.
        os.close(reading)
