"""What exists of the exports from the start: written once, when a release is built."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Collection, Iterable, Set
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from bilbaokg.exports import closure, lookup, own, vocabulary
from bilbaokg.exports.catalogue import Catalogue
from bilbaokg.exports.closure import Tally, Wall
from bilbaokg.exports.feed import Feed, Walk
from bilbaokg.exports.full import FULL
from bilbaokg.exports.pages import ABOUT, About
from bilbaokg.exports.targets import MAIN, feeds, named
from bilbaokg.model import Record
from bilbaokg.settings import Settings
from bilbaokg.store.embedded import storage_errors

__all__ = ["build", "cut"]


def build(
    directory: Path,
    records: Collection[Record],
    settings: Settings,
    *,
    withheld: Set[str] = frozenset(),
) -> dict[str, dict[str, int]]:
    """Write what exists from the start into `directory`: the pages of all feeds, the record texts.

    The same records and settings give the same bytes, whatever the order of the records. `withheld`
    are the terms that the working store describes and the release does not. Returns by target how
    many statements it does not carry, by property. Raises Invalid, naming the path, when something
    would leave that may not.
    """
    held = _by_id(records)
    FULL.check(held)
    wall = Wall(settings.base, withheld - vocabulary.terms())
    lookup.build(directory, held, settings.base)
    heads = {record.id: record.iri for record in held}
    closure.check_texts(lookup.record_texts(directory), wall, heads)
    catalogue = Catalogue.of(held, settings.base, directory=directory)
    own.add(catalogue, settings)
    version = _version(held, settings)
    wall = replace(wall, described=catalogue.about)
    return {
        feed.name: _build_feed(directory / feed.name, feed.walk(catalogue, settings), version, wall)
        for feed in feeds()
    }


def _build_feed(directory: Path, walk: Walk, version: str, wall: Wall) -> dict[str, int]:
    settings, feed = walk.settings, walk.feed
    about = About(
        public_url=settings.public_url,
        version=version,
        pages=walk.count,
        page_size=settings.page_size,
        datasets=len(walk.datasets),
        cut={},
    )
    wall = replace(wall, coined=walk.coined)
    for page in walk.pages():
        statements = walk.write(page)
        closure.check(statements, wall, walk.released)
        for ext in feed.at_release:
            lines = statements + about.paging(settings, feed.name, ext).lines(page.number)
            out, given = io.BytesIO(), Tally(ext)
            feed.put(given.of(lines), ext, out)
            closure.same(out.getvalue(), ext, given, flat=feed.is_flat(ext))
            _keep(directory / f"page-{page.number}.{ext}", out.getvalue())
    about = about._replace(cut=dict(sorted(walk.cut().items())))
    text = json.dumps(about._asdict(), ensure_ascii=False, indent=1) + "\n"
    _keep(directory / ABOUT, text.encode())
    return about.cut


def _by_id(records: Collection[Record]) -> Collection[Record]:
    """The records by id; as they are where they come so, for they may be too many for memory."""
    in_order = all(one.id <= other.id for one, other in pairwise(records))
    return records if in_order else sorted(records, key=lambda record: record.id)


def _version(records: Iterable[Record], settings: Settings) -> str:
    """Names what the pages are made of, so that a page can say which rest belongs to it."""
    listed = f" {settings.public_url}" if settings.list_services else ""
    digest = hashlib.sha256(f"{settings.page_size}{listed}".encode())
    for revision in sorted(f"{record.id} {record.revision}\n" for record in records):
        digest.update(revision.encode())
    return digest.hexdigest()[:16]


def _keep(path: Path, content: bytes) -> None:
    """Write a file of a release that is built aside, and put on disk as a whole at its end."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def cut(records: Iterable[Record], settings: Settings, target: str = MAIN) -> Counter[str]:
    """How many statements of the records a target does not carry, by property IRI."""
    found = named(target)
    return found.cut(records, settings) if isinstance(found, Feed) else Counter()
