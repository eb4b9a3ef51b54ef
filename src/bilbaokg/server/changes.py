"""The change feeds: Atom, `?modified_since=` of a target's pages, and what is gone from it.

All are made of one ledger (see `bilbaokg.changes`), which `?version=` names: who began to read goes
on with it while the next release is published. The moment asked for is taken to the first switch at
or after it, so there are no more documents than releases, and each is made once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bilbaokg import exports
from bilbaokg.changes import Changes, feed_of
from bilbaokg.errors import NotFound, StorageFault
from bilbaokg.exports.files import replace_file
from bilbaokg.exports.language import in_language
from bilbaokg.exports.members import DATASET, document
from bilbaokg.exports.paging import Paging
from bilbaokg.server import atom, deletions
from bilbaokg.server.asking import language_of, moment_of, page_of, target_of, version_of
from bilbaokg.server.context import Context
from bilbaokg.server.sending import send
from bilbaokg.server.snapshot import Snapshot
from bilbaokg.server.validators import media_type
from bilbaokg.settings import Settings
from bilbaokg.writing import to_bytes

__all__ = ["ATOM", "ChangeFeeds", "address_of", "routes"]

ATOM: Final = "changes.atom"
_READ: Final = ["GET", "HEAD"]
_JSON: Final = "json"
_IN_MEMORY: Final = 8
_DELETIONS: Final = ("rdf", "ttl", "jsonld", "nt", _JSON)
Handler = Callable[[Request], Response]


def routes(feeds: ChangeFeeds) -> list[BaseRoute]:
    """The addresses of Atom and of the deletions, of the public feed and of each target."""
    found: list[BaseRoute] = []
    for folder, name in (("/feeds", ""), ("/feeds/{target}", "target.")):
        found.append(Route(f"{folder}/{ATOM}", feeds.atom, methods=_READ, name=f"{name}changes"))
        for ext in _DELETIONS:
            path, handler = f"{folder}/deletions.{ext}", partial(feeds.deletions, ext)
            found.append(Route(path, handler, methods=_READ, name=f"{name}deletions.{ext}"))
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """One page of one of the documents: what it lists, and how it points to the others."""

    terms: Sequence[str]
    paging: Paging
    page: int

    @classmethod
    def of(cls, every: Sequence[str], paging: Paging, page: int) -> _Part:
        """The page with that number. Raises NotFound."""
        if page > paging.pages:
            raise NotFound(f"there is no page {page}", hint=f"pages: 1 to {paging.pages}")
        size = paging.page_size
        return cls(every[(page - 1) * size : page * size], paging, page)


class ChangeFeeds:
    """Answers what is asked about changes. Raises as Changes.ledger does."""

    def __init__(self, context: Context) -> None:
        self.context, self.settings = context, context.settings
        self.changes = Changes(context.releases)
        self._snapshots: dict[tuple[str, str], Snapshot] = {}

    def _snapshot(self, request: Request) -> Snapshot:
        """What is public now, or was when a version was."""
        feed = feed_of(target_of(request))
        ledger = self.changes.ledger(feed, version_of(request))
        key = feed.name, ledger.version
        found = self._snapshots.get(key)
        if found is None:
            release = self.context.releases.get(ledger.release)
            found = Snapshot(self.context, feed, ledger, release)
            while len(self._snapshots) >= _IN_MEMORY:
                self._snapshots.pop(next(iter(self._snapshots)), None)
            self._snapshots[key] = found
        return found

    def modified_since(self, ext: str, request: Request) -> Response:
        """A page of the target with what changed alone, as a catalogue."""
        moment, page, language = moment_of(request), page_of(request), language_of(request)
        snapshot = self._snapshot(request)
        since, feed = snapshot.ledger.since(moment), snapshot.feed
        changed = snapshot.changed(since)
        here = snapshot.ledger.members
        paging = Paging(
            address=exports.address(self.settings, feed.name, ext),
            pages=_pages(changed, self.settings.page_size),
            total=sum(here[term].kind == DATASET for term in changed),
            page_size=self.settings.page_size,
            version=snapshot.ledger.version,
            language=language,
            since=since,
        )
        part = _Part.of(changed, paging, page)

        def write(out: BinaryIO) -> None:
            lines = in_language(document(snapshot.known, part.terms), language)
            feed.put(lines + paging.lines(page), ext, out)

        return self._send(request, snapshot, part, media_type(ext), write)

    def atom(self, request: Request) -> Response:
        """A page of the changes as Atom."""
        page, language = page_of(request), language_of(request)
        snapshot = self._snapshot(request)
        every = list(snapshot.dates)
        address = address_of(self.settings, snapshot.feed.name, ATOM)
        paging = Paging(
            address=address,
            pages=_pages(every, atom.PAGE),
            total=len(every),
            page_size=atom.PAGE,
            version=snapshot.ledger.version,
            language=language,
        )
        part = _Part.of(every, paging, page)

        def write(out: BinaryIO) -> None:
            out.write(atom.write(snapshot, part.terms, paging, page, language).encode())

        return self._send(request, snapshot, part, atom.MEDIA_TYPE, write)

    def deletions(self, ext: str, request: Request) -> Response:
        """A page of what is gone, as RDF or as JSON."""
        moment, page = moment_of(request), page_of(request)
        snapshot = self._snapshot(request)
        since = snapshot.ledger.since(moment)
        gone = snapshot.gone(since)
        paging = Paging(
            address=address_of(self.settings, snapshot.feed.name, f"deletions.{ext}"),
            pages=_pages(gone, self.settings.page_size),
            total=len(gone),
            page_size=self.settings.page_size,
            version=snapshot.ledger.version,
            since=since,
        )
        part = _Part.of(gone, paging, page)

        def write(out: BinaryIO) -> None:
            removals = snapshot.removals(part.terms)
            if ext == _JSON:
                out.write(deletions.as_json(snapshot, removals, paging, page))
            else:
                lines = deletions.as_lines(snapshot, removals)
                out.write(to_bytes(lines + paging.lines(page), ext))

        media = "application/json" if ext == _JSON else media_type(ext)
        return self._send(request, snapshot, part, media, write)

    def _send(
        self,
        request: Request,
        snapshot: Snapshot,
        part: _Part,
        media: str,
        write: Callable[[BinaryIO], None],
    ) -> Response:
        """A document that its own address names: made once, and kept with its release."""
        name = part.paging.url(part.page)
        mark = hashlib.sha256(name.encode()).hexdigest()[:24]
        folder = self.context.cache / snapshot.release.id / "changes"
        headers = partial(_headers, snapshot, name)
        return send(request, headers, media, _made(folder / mark, write), write, folder)


def _made(path: Path, write: Callable[[BinaryIO], None]) -> Path | None:
    """The file, made now where it is missing; None where it cannot be kept."""
    if not path.is_file():
        try:
            replace_file(path, write)
        except StorageFault:
            return None
    return path


def _headers(snapshot: Snapshot, name: str, encoding: str) -> dict[str, str]:
    """Validators of a document about one ledger: the same release may be public twice."""
    digest = hashlib.sha256(f"{name} {encoding}".encode()).hexdigest()[:16]
    at = datetime.fromisoformat(snapshot.ledger.at).astimezone(UTC)
    headers = {
        "ETag": f'"{snapshot.ledger.version}-{digest}"',
        "Last-Modified": format_datetime(at.replace(microsecond=0), usegmt=True),
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
    }
    return headers | ({"Content-Encoding": encoding} if encoding else {})


def _pages(every: Sequence[str], size: int) -> int:
    """How many pages there are; an empty list has one too."""
    return max(1, -(-len(every) // size))


def address_of(settings: Settings, target: str, name: str) -> str:
    """The public address of what tells the changes of a target: `changes.atom` and the like."""
    place = "" if target == exports.MAIN else f"/{target}"
    return f"{settings.public_url}/feeds{place}/{name}"
