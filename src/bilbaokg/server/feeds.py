"""The feeds: `/catalog.{ext}` (target dcat-ap), `/feeds/{target}/catalog.{ext}`, and whole dumps.

What is sent was written when the release was built, or once on first request; it never changes
afterwards. So the ETag is made of the release and of what is asked for, and a gzip twin is kept.
Where the cache cannot be written (a full disk), the answer is made while it is sent, without gzip.
Pages link to pages of what they are made of, so a harvester that began with one release reads its
rest after the next one is published.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bilbaokg import exports
from bilbaokg.errors import BadInput, CorruptStore, Gone, NotFound, StorageFault
from bilbaokg.exports.files import replace_file
from bilbaokg.model import Release
from bilbaokg.server import negotiate
from bilbaokg.server.context import Context
from bilbaokg.server.replays import stamp
from bilbaokg.server.validators import is_known, media_type, validators
from bilbaokg.terms import DCAT, DCT, LANGUAGES, RDF, literal, mint, ref
from bilbaokg.writing import to_bytes

__all__ = ["EXTENSIONS", "routes"]

EXTENSIONS: Final = ("rdf", "ttl", "jsonld", "nt")
Handler = Callable[[Request], Response]
_MOST_PAGES: Final = 1_000_000
_PIECE: Final = 64 << 10
# Pages of so many bytes are sent in one go, from memory when they are asked for again.
_LARGEST: Final = 8 << 20
_READ: Final = ["GET", "HEAD"]
_VERSION: Final = re.compile(r"[0-9a-f]{16,64}")
_PACKED: Final = "application/gzip"


def routes(context: Context) -> list[BaseRoute]:
    """One route a format, so that another extension is a plain 404."""
    feeds = _Feeds(context)
    found: list[BaseRoute] = []
    for ext in EXTENSIONS:
        page = feeds.page(ext)
        found += [
            Route(f"/catalog.{ext}", page, methods=_READ, name=f"catalog.{ext}"),
            Route(f"/feeds/{{target}}/catalog.{ext}", page, methods=_READ, name=f"feed.{ext}"),
            Route(f"/feeds/{{target}}/dump.{ext}.gz", feeds.dump(ext), name=f"dump.{ext}"),
        ]
    return found


class _Feeds:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.versions = _Versions(context)

    def page(self, ext: str) -> Handler:
        """A page of a target in one format; of the public feed where no target is named."""

        def handler(request: Request) -> Response:
            target = _target(request)
            page = _page(request.query_params.get("page"))
            language = _language(request.query_params.get("lang"))
            current = self.context.current()
            release = self.versions.find(target, _version(request.query_params.get("version")))
            if release is None:
                return _empty(self.context, ext)
            answer = _Page(self.context, release, target, ext, language, page).send(request)
            if current and "range" not in request.headers:
                answer = _whole(answer)
                stamp(request.scope, current)
            return answer

        return handler

    def dump(self, ext: str) -> Handler:
        """All of a target in one packed document."""

        def handler(request: Request) -> Response:
            target, language = _target(request), _language(request.query_params.get("lang"))
            release = self.context.current()
            if release is None:
                raise NotFound("nothing is published yet")
            return _Dump(self.context, release, target, ext, language).send(request)

        return handler


class _Versions:
    """Finds the release whose pages a page belongs to."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._known: dict[tuple[str, str], str] = {}  # (release, target) -> version

    def find(self, target: str, version: str | None) -> Release | None:
        """The current release, or the newest public one of a version; None before the first.

        Raises Gone where none has it, or where it is one that was taken back.
        """
        current = self.context.current()
        if current is None or version is None or self._of(current, target) == version:
            if current is None and version is not None:
                raise self._gone(target)
            return current
        releases = self.context.releases
        for id in reversed(releases.ids()):
            if int(id[1:]) < current.number and self._of_id(id, target) == version:
                return releases.get(id)
        raise self._gone(target)

    def _of_id(self, id: str, target: str) -> str | None:
        """The version of an earlier release; None where it has none, or cannot be read."""
        if (id, target) not in self._known:
            try:
                return self._of(self.context.releases.get(id), target)
            except (NotFound, CorruptStore):
                return None
        return self._known[id, target]

    def _of(self, release: Release, target: str) -> str:
        key = (release.id, target)
        if key not in self._known:
            self._known[key] = exports.version(release, target)
        return self._known[key]

    def _gone(self, target: str) -> Gone:
        start = exports.address(self.context.settings, target, "rdf")
        return Gone("these pages are not served any more", hint=f"begin again with {start}")


@dataclass(frozen=True, slots=True)
class _Sent:
    """Something of a target, in a syntax and perhaps one language. Blocks on the disk."""

    context: Context
    release: Release
    target: str
    ext: str
    language: str | None

    def _headers(self, what: str, encoding: str = "") -> dict[str, str]:
        place = self.context.settings.public_url
        asked = f"{self.target} {self.ext} {what} {self.language} {place} {encoding}"
        headers = validators(self.release, asked) | {"Vary": "Accept-Encoding"}
        return headers | ({"Content-Encoding": encoding} if encoding else {})


@dataclass(frozen=True, slots=True)
class _Page(_Sent):
    """One page."""

    page: int

    def send(self, request: Request) -> Response:
        """304 where the client has it, gzip where welcome and kept, else plain."""
        file = self._file()
        if negotiate.accepts_gzip(request.headers.get("accept-encoding")) and file:
            headers = self._headers(str(self.page), "gzip")
            if is_known(request.headers, headers):
                return Response(status_code=304, headers=headers)
            if twin := _twin(file, self.release, self.context.cache):
                return FileResponse(twin, headers=headers, media_type=media_type(self.ext))
        headers = self._headers(str(self.page))
        if is_known(request.headers, headers):
            return Response(status_code=304, headers=headers)
        if file:
            return FileResponse(file, headers=headers, media_type=media_type(self.ext))
        return _stream(self._write, headers, media_type(self.ext))

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


@dataclass(frozen=True, slots=True)
class _Dump(_Sent):
    """All of it, packed: gzip is its format here, not its encoding."""

    def send(self, request: Request) -> Response:
        """304 where the client has it, else the file; made while it is sent where none is kept."""
        headers = self._headers("dump")
        if is_known(request.headers, headers):
            return Response(status_code=304, headers=headers)
        try:
            file = exports.dump(
                self.release, self.target, self.ext, self.language, cache=self.context.cache
            )
        except StorageFault:
            return _stream(self._write, headers, _PACKED)
        return FileResponse(file, headers=headers, media_type=_PACKED)

    def _write(self, out: BinaryIO) -> None:
        with exports.packing(out) as packed:
            exports.write_whole(self.release, self.target, self.ext, packed, self.language)


# ---- what is asked for


def _target(request: Request) -> str:
    target: str = request.path_params.get("target", exports.MAIN)
    if target not in exports.TARGETS:
        raise NotFound(f"no feed {target!r}", hint=f"feeds: {', '.join(exports.TARGETS)}")
    return target


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


def _version(text: str | None) -> str | None:
    if text is not None and not _VERSION.fullmatch(text):
        raise BadInput(f"version={text[:80]!r} is none", hint="follow the links of the first page")
    return text


# ---- what is sent


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


def _twin(path: Path, release: Release, cache: Path) -> Path | None:
    """The gzip twin of a file, made once; the same bytes each time. None when it cannot be kept."""
    key = hashlib.sha256(str(path).encode()).hexdigest()[:24]
    twin = cache / release.id / "gzip" / f"{key}.gz"

    def fill(out: BinaryIO) -> None:
        with path.open("rb") as plain, exports.packing(out) as packed:
            shutil.copyfileobj(plain, packed, 1 << 20)

    if not twin.is_file():
        try:
            replace_file(twin, fill)
        except StorageFault:
            return None
    return twin


def _whole(answer: Response) -> Response:
    """The bytes of a file that is not too large, in place of the file."""
    if isinstance(answer, FileResponse) and Path(answer.path).stat().st_size <= _LARGEST:
        answer = Response(Path(answer.path).read_bytes(), headers=dict(answer.headers))
    return answer


def _stream(
    write: Callable[[BinaryIO], None], headers: dict[str, str], media: str
) -> StreamingResponse:
    """An answer that is made while it is sent."""
    pieces = _pieces(write)
    # What fails before the first piece is full is an error like any other.
    body = itertools.chain([next(pieces, b"")], pieces)
    return StreamingResponse(body, headers=headers, media_type=media)


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
