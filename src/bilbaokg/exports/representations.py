"""What somebody asks for: a page or all of a target, in a syntax and perhaps one language.

What was not written with the release is made on first request and kept in the cache.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Final, cast

from bilbaokg.errors import NotFound
from bilbaokg.exports import closure, pages
from bilbaokg.exports.catalogue import TYPE
from bilbaokg.exports.closure import Tally
from bilbaokg.exports.feed import Feed
from bilbaokg.exports.files import replace_file
from bilbaokg.exports.full import Full
from bilbaokg.exports.language import in_language
from bilbaokg.exports.targets import find, named
from bilbaokg.model import Release
from bilbaokg.settings import Settings
from bilbaokg.terms import DCAT, SCHEMA, ref

__all__ = [
    "dump",
    "packing",
    "page_count",
    "representation",
    "version",
    "write",
    "write_whole",
]

_CATALOGUES: Final = tuple(f" {TYPE} {ref(cls)} ." for cls in (DCAT.Catalog, SCHEMA.DataCatalog))
_PIECE: Final = 1 << 20
# One lock a file that is being made, so that a burst of first requests makes it once.
_making: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)


def page_count(release: Release, target: str) -> int:
    """How many pages a target has in a release. Raises NotFound for an unknown target."""
    found = named(target)
    return pages.about(release, found).pages if isinstance(found, Feed) else 1


def version(release: Release, target: str) -> str:
    """What names the content of a target in a release. Raises NotFound for an unknown target."""
    found = named(target)
    return pages.about(release, found).version if isinstance(found, Feed) else release.sha256


# ---- a page


def representation(
    release: Release,
    settings: Settings,
    target: str,
    ext: str,
    page: int = 1,
    language: str | None = None,
    *,
    cache: Path,
) -> Path:
    """The file with one page of a target, in a syntax and, where wanted, for one language.

    It stands in the release or is made now, whole or not at all, in `cache/<release id>/`. Raises
    NotFound (target, page, language) and UnsupportedFormat, saying what there is; StorageFault when
    the cache cannot be written: `write` needs none.
    """
    exporter = find(target, ext, language)
    _check_page(release, target, page)
    name = f"all.{ext}"
    if isinstance(exporter, Feed):
        moved = pages.about(release, exporter).public_url != settings.public_url
        if ext in exporter.at_release and not language and not moved:
            return pages.directory(release, exporter) / f"page-{page}.{ext}"
        mark = hashlib.sha256(settings.public_url.encode()).hexdigest()[:8]
        name = ".".join(filter(None, (f"page-{page}", language, mark if moved else "", ext)))
    return _made(
        cache / release.id / target / name,
        lambda out: write(release, settings, target, ext, out, page, language),
    )


def write(
    release: Release,
    settings: Settings,
    target: str,
    ext: str,
    out: BinaryIO,
    page: int = 1,
    language: str | None = None,
) -> None:
    """Write the content of a representation. Raises as `representation`."""
    exporter = find(target, ext, language)
    _check_page(release, target, page)
    if isinstance(exporter, Full):
        write_whole(release, target, ext, out, language)
        return
    paging = pages.about(release, exporter).paging(settings, target, ext, language)
    lines = in_language(list(pages.statements(release, exporter, page)), language)
    content, given = io.BytesIO(), Tally(ext)
    exporter.put(given.of(lines + paging.lines(page)), ext, content)
    closure.same(content.getvalue(), ext, given, flat=exporter.is_flat(ext))
    out.write(content.getbuffer())


def _check_page(release: Release, target: str, page: int) -> None:
    last = page_count(release, target)
    if not 1 <= page <= last:
        raise NotFound(f"{target} has no page {page}", hint=f"pages: 1 to {last}")


# ---- all of it


def dump(
    release: Release, target: str, ext: str, language: str | None = None, *, cache: Path
) -> Path:
    """The file with all of a target in one document, packed. Raises as `representation`."""
    find(target, ext, language)
    name = ".".join(filter(None, ("dump", language, ext, "gz")))

    def fill(out: BinaryIO) -> None:
        with packing(out) as packed:
            write_whole(release, target, ext, packed, language)

    return _made(cache / release.id / target / name, fill)


def packing(out: BinaryIO) -> BinaryIO:
    """Packs what is written to it, into the same bytes each time."""
    return cast(BinaryIO, gzip.GzipFile("", "wb", 6, out, 0))


def write_whole(
    release: Release, target: str, ext: str, out: BinaryIO, language: str | None = None
) -> None:
    """Write all pages of a target as one document, without paging nodes, page by page.

    Raises as `representation`.
    """
    exporter = find(target, ext, language)
    given = Tally(ext)
    # Nothing goes out before all of it was read again.
    with tempfile.TemporaryFile() as content:
        if isinstance(exporter, Full):
            exporter.put(given.of(exporter.lines(release, ext)), ext, content)
        else:
            blocks = _blocks(release, exporter)
            lines = (line for block in blocks for line in in_language(block, language))
            exporter.put(given.of(lines), ext, content)
        content.seek(0)
        closure.same(content, ext, given, flat=exporter.is_flat(ext))
        content.seek(0)
        shutil.copyfileobj(content, out, _PIECE)


def _blocks(release: Release, feed: Feed) -> Iterator[list[str]]:
    """The statements of all pages, subject by subject.

    What stands on several pages comes once; a catalogue comes again with what it lists there.
    """
    seen: set[tuple[int, int]] = set()
    told: set[str] = set()
    for page in range(1, pages.about(release, feed).pages + 1):
        lines = pages.statements(release, feed, page)
        for subject, group in groupby(lines, key=lambda line: line.partition(" ")[0]):
            block = list(group)
            if any(f"{subject}{tail}" in block for tail in _CATALOGUES):
                block = [line for line in block if line not in told]
                told.update(block)
            else:
                mark = (hash(subject), hash(tuple(block)))
                if mark in seen:
                    continue
                seen.add(mark)
            yield block


def _made(path: Path, fill: Callable[[BinaryIO], None]) -> Path:
    """The file, made now where it is missing."""
    if not path.is_file():
        with _making[path]:
            if not path.is_file():
                replace_file(path, fill)
    return path
