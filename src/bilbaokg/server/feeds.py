"""The feeds: `/catalog.{ext}` (target dcat-ap) and `/feeds/{target}/catalog.{ext}`, from the disk.

What is sent was written when the release was built, or once on first request; it never changes
afterwards. So the ETag is made of the release and the representation, and a gzip twin is kept.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from bilbaokg import exports
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.formats import FORMATS
from bilbaokg.model import Release
from bilbaokg.server import negotiate
from bilbaokg.server.context import Context
from bilbaokg.terms import DCAT, DCT, LANGUAGES, RDF, literal, mint, ref
from bilbaokg.writing import to_bytes

__all__ = ["EXTENSIONS", "is_known", "media_type", "routes", "send_file", "validators"]

EXTENSIONS: Final = ("rdf", "ttl", "jsonld", "nt")
Handler = Callable[[Request], Response]
_MOST_PAGES: Final = 1_000_000


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
        path = exports.representation(
            release,
            self.context.settings,
            target,
            ext,
            page,
            language,
            cache=self.context.cache,
        )
        return send_file(request, path, release, ext, self.context.cache)


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


def send_file(request: Request, path: Path, release: Release, ext: str, cache: Path) -> Response:
    """A file of a release with its validators: 304 where the client has it, gzip where welcome.

    Blocks on the disk: to be called from a thread.
    """
    zipped = negotiate.accepts_gzip(request.headers.get("accept-encoding"))
    name = "/".join(path.parts[-3:])
    headers = validators(release, f"{name} {path.stat().st_size} {zipped}")
    headers["Vary"] = "Accept-Encoding"
    if is_known(request.headers, headers):
        return Response(status_code=304, headers=headers)
    if zipped:
        path, headers["Content-Encoding"] = _gzip(path, release, cache), "gzip"
    return FileResponse(path, headers=headers, media_type=media_type(ext))


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
    """Whether the client has it: If-None-Match, else If-Modified-Since (RFC 9110, 13.2.2)."""
    if (tags := given.get("if-none-match")) is not None:
        known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        return ours["ETag"] in known or "*" in known
    try:
        since = parsedate_to_datetime(given.get("if-modified-since", ""))
        return since >= parsedate_to_datetime(ours["Last-Modified"])
    except (TypeError, ValueError):
        return False


def media_type(ext: str) -> str:
    """What Content-Type says of an extension."""
    found = FORMATS[ext].media_type
    return f"{found}; charset=utf-8" if found.startswith("text/") else found


def _gzip(path: Path, release: Release, cache: Path) -> Path:
    """The gzip twin of a file, made once; the same bytes each time it is made."""
    key = hashlib.sha256(str(path).encode()).hexdigest()[:24]
    twin = cache / release.id / "gzip" / f"{key}.gz"
    if not twin.is_file():
        twin.parent.mkdir(parents=True, exist_ok=True)
        part = twin.with_suffix(f".{threading.get_ident()}.part")
        with (
            path.open("rb") as plain,
            part.open("wb") as out,
            gzip.GzipFile("", "wb", 6, out, 0) as z,
        ):
            shutil.copyfileobj(plain, z, 1 << 20)
        part.replace(twin)
    return twin
