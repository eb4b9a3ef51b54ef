"""The feeds: `/catalog.{ext}` (target dcat-ap), `/feeds/{target}/catalog.{ext}`, and whole dumps.

What is sent was written when the release was built, or once on first request; it never changes
afterwards. So the ETag is made of the release and of what is asked for, and a gzip twin is kept.
Where the cache cannot be written (a full disk), the answer is made while it is sent, without gzip.
Pages link to pages of what they are made of, so a harvester that began with one release reads its
rest after the next one is published.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from bilbaokg import exports
from bilbaokg.errors import BadInput, CorruptStore, Gone, NotFound, StorageFault
from bilbaokg.exports.feed import Feed
from bilbaokg.model import Release
from bilbaokg.server import atom, changes
from bilbaokg.server.asking import language_of, page_of, target_of, version_of
from bilbaokg.server.context import Context
from bilbaokg.server.replays import stamp
from bilbaokg.server.sending import send, stream, whole
from bilbaokg.server.validators import is_known, media_type, validators
from bilbaokg.terms import DCAT, DCT, RDF, literal, mint, ref
from bilbaokg.writing import to_bytes

__all__ = ["EXTENSIONS", "routes"]

EXTENSIONS: Final = ("rdf", "ttl", "jsonld", "nt")
Handler = Callable[[Request], Response]
_READ: Final = ["GET", "HEAD"]
_PACKED: Final = "application/gzip"


def routes(context: Context) -> list[BaseRoute]:
    """One route a format, so that another extension is a plain 404."""
    feeds = _Feeds(context)
    found = changes.routes(feeds.changes)
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
        self.changes = changes.ChangeFeeds(context)

    def page(self, ext: str) -> Handler:
        """A page of a target in one format; of the public feed where no target is named."""

        def handler(request: Request) -> Response:
            if "modified_since" in request.query_params:
                return self.changes.modified_since(ext, request)
            target, page, language = target_of(request), page_of(request), language_of(request)
            current = self.context.current()
            release = self.versions.find(target, version_of(request))
            if release is None:
                return _empty(self.context, ext)
            answer = _Page(self.context, release, target, ext, language, page).send(request)
            if current and "range" not in request.headers:
                answer = whole(answer)
                stamp(request.scope, current)
            return answer

        return handler

    def dump(self, ext: str) -> Handler:
        """All of a target in one packed document."""

        def handler(request: Request) -> Response:
            if "modified_since" in request.query_params:
                raise BadInput(
                    "a dump is always all of it", hint="ask catalog, not dump, what changed"
                )
            target, language = target_of(request), language_of(request)
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
        """The current release, or the newest that was public of a version; None before the first.

        Raises Gone where none has it, or where it is one that was taken back.
        """
        current = self.context.current()
        if current is None or version is None or self._of(current, target) == version:
            if current is None and version is not None:
                raise self._gone(target)
            return current
        releases = self.context.releases
        for id in reversed(releases.standing()):
            if self._of_id(id, target) == version:
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
        if isinstance(exports.TARGETS[self.target], Feed):
            told = changes.address_of(self.context.settings, self.target, changes.ATOM)
            headers["Link"] = f'<{told}>; rel="alternate"; type="{atom.MEDIA_TYPE}"'
        return headers | ({"Content-Encoding": encoding} if encoding else {})


@dataclass(frozen=True, slots=True)
class _Page(_Sent):
    """One page."""

    page: int

    def send(self, request: Request) -> Response:
        """304 where the client has it, gzip where welcome and kept, else plain."""
        return send(
            request,
            lambda encoding: self._headers(str(self.page), encoding),
            media_type(self.ext),
            self._file(),
            self._write,
            self.context.cache / self.release.id / "gzip",
        )

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
            return stream(self._write, headers, _PACKED)
        return FileResponse(file, headers=headers, media_type=_PACKED)

    def _write(self, out: BinaryIO) -> None:
        with exports.packing(out) as packed:
            exports.write_whole(self.release, self.target, self.ext, packed, self.language)


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
