"""Exports: what leaves a release, target by target.

A target is a file and a line in TARGETS. Feeds are cut into pages when a release is built; other
syntaxes and languages of a page are made from it on first request and kept in the cache.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from bilbaokg.errors import CorruptStore, NotFound, UnsupportedFormat
from bilbaokg.exports import closure, lookup
from bilbaokg.exports.catalogue import Catalogue
from bilbaokg.exports.ckan import CKAN
from bilbaokg.exports.dcat_ap import DCAT_AP
from bilbaokg.exports.dcat_ap_es import DCAT_AP_ES
from bilbaokg.exports.feed import Feed, Paging
from bilbaokg.exports.files import replace_file
from bilbaokg.exports.full import FULL, Full
from bilbaokg.exports.lookup import resource
from bilbaokg.model import Record, Release
from bilbaokg.settings import Settings
from bilbaokg.terms import HYDRA, LANGUAGES, RDF, language_of, split_line
from bilbaokg.writing import read_back, to_bytes

__all__ = [
    "TARGETS",
    "Exporter",
    "address",
    "build",
    "cut",
    "in_language",
    "page_count",
    "representation",
    "resource",
    "whole",
    "write",
]

Exporter = Feed | Full
TARGETS: Final[dict[str, Exporter]] = {
    target.name: target for target in (DCAT_AP, DCAT_AP_ES, CKAN, FULL)
}
MAIN: Final = DCAT_AP.name
_ABOUT: Final = "pages.json"
# One lock a file that is being made, so that a burst of first requests makes it once.
_making: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)


# ---- when a release is built


def build(directory: Path, records: Sequence[Record], settings: Settings) -> None:
    """Write what exists from the start into `directory`: the pages of all feeds, the record texts.

    The same records and settings give the same bytes, whatever the order of the records. Raises
    Invalid, naming the path, when something would leave that may not.
    """
    held = list(records)
    FULL.check(held)
    lookup.build(directory, held, settings.base)
    catalogue = Catalogue.of(held, settings.base)
    for target in TARGETS.values():
        if isinstance(target, Feed):
            _build_feed(directory / target.name, target, catalogue, settings)


def _build_feed(directory: Path, feed: Feed, catalogue: Catalogue, settings: Settings) -> None:
    walk = feed.walk(catalogue, settings)
    about = {
        "public_url": settings.public_url,
        "pages": len(walk.pages),
        "page_size": settings.page_size,
        "datasets": len(walk.datasets),
        "cut": dict(sorted(walk.cut().items())),
    }
    for page in walk.pages:
        statements = walk.write(page)
        for ext in feed.at_release:
            paging = _paging(about, settings, feed.name, ext)
            lines = statements + paging.lines(page.number)
            content = to_bytes(lines, ext)
            closure.check(content, ext, lines, catalogue.roots)
            _keep(directory / f"page-{page.number}.{ext}", content)
    text = json.dumps(about, ensure_ascii=False, indent=1) + "\n"
    _keep(directory / _ABOUT, text.encode())


def _keep(path: Path, content: bytes) -> None:
    replace_file(path, lambda out: _write_all(out, content))


def _write_all(out: BinaryIO, content: bytes) -> None:
    out.write(content)


def cut(records: Iterable[Record], settings: Settings, target: str = MAIN) -> Counter[str]:
    """How many statements of the records a target does not carry, by property IRI."""
    found = _target(target)
    return found.cut(records, settings) if isinstance(found, Feed) else Counter()


# ---- when somebody asks


def address(settings: Settings, target: str, ext: str) -> str:
    """The public address of a target's feed."""
    place = "" if target == MAIN else f"/feeds/{target}"
    return f"{settings.public_url}{place}/catalog.{ext}"


def page_count(release: Release, target: str) -> int:
    """How many pages a target has in a release. Raises NotFound for an unknown target."""
    found = _target(target)
    return int(_about(release, found)["pages"]) if isinstance(found, Feed) else 1


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
    exporter = _known(release, target, ext, page, language)
    name = f"all.{ext}"
    if isinstance(exporter, Feed):
        moved = _about(release, exporter)["public_url"] != settings.public_url
        if ext in exporter.at_release and not language and not moved:
            return _directory(release, exporter) / f"page-{page}.{ext}"
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
    exporter = _known(release, target, ext, page, language)
    if isinstance(exporter, Full):
        exporter.write(release, ext, out)
        return
    paging = _paging(_about(release, exporter), settings, target, ext, language)
    lines = in_language(_page_lines(release, exporter, page), language)
    out.write(to_bytes(lines + paging.lines(page), ext))


def whole(
    release: Release, settings: Settings, target: str, ext: str, language: str | None = None
) -> bytes:
    """All pages of a target as one document, without paging nodes. Raises as `representation`."""
    exporter = _known(release, target, ext, 1, language)
    if isinstance(exporter, Full):
        out = io.BytesIO()
        exporter.write(release, ext, out)
        return out.getvalue()
    by_subject: dict[str, dict[str, None]] = {}
    for page in range(1, page_count(release, target) + 1):
        for line in _page_lines(release, exporter, page):
            by_subject.setdefault(line.partition(" ")[0], {})[line] = None
    lines = [line for found in by_subject.values() for line in found]
    return to_bytes(in_language(lines, language), ext)


def in_language(lines: list[str], language: str | None) -> list[str]:
    """The lines without texts in other languages, where the same property has one in this one."""
    if language is None:
        return lines
    spoken = [(*split_line(line)[:2], language_of(line[:-2])) for line in lines]
    there = {(s, p) for s, p, tag in spoken if tag and _is(tag, language)}
    return [
        line
        for line, (s, p, tag) in zip(lines, spoken, strict=True)
        if not tag or _is(tag, language) or (s, p) not in there
    ]


def _is(tag: str, language: str) -> bool:
    """Basic filtering of language tags (RFC 4647, section 3.3.1)."""
    return tag == language or tag.startswith(f"{language}-")


# ---- inside


def _target(name: str) -> Exporter:
    if name not in TARGETS:
        raise NotFound(f"no export target {name!r}", hint=f"targets: {', '.join(TARGETS)}")
    return TARGETS[name]


def _known(release: Release, target: str, ext: str, page: int, language: str | None) -> Exporter:
    """The exporter, once target, syntax, language and page are known to fit."""
    exporter = _target(target)
    if ext not in exporter.formats:
        raise UnsupportedFormat(
            f"{target} is not written as {ext!r}", hint=f"one of: {', '.join(exporter.formats)}"
        )
    languages = LANGUAGES if isinstance(exporter, Feed) else ()
    if language is not None and language not in languages:
        raise NotFound(
            f"{target} is not written for the language {language!r}",
            hint=f"languages: {', '.join(languages) or 'all of them together'}",
        )
    last = page_count(release, target)
    if not 1 <= page <= last:
        raise NotFound(f"{target} has no page {page}", hint=f"pages: 1 to {last}")
    return exporter


def _paging(
    about: dict[str, Any], settings: Settings, target: str, ext: str, language: str | None = None
) -> Paging:
    place = address(settings, target, ext)
    return Paging(place, about["pages"], about["datasets"], about["page_size"], language)


def _directory(release: Release, feed: Feed) -> Path:
    return release.path / "exports" / feed.name


def _about(release: Release, feed: Feed) -> dict[str, Any]:
    path = _directory(release, feed) / _ABOUT
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorruptStore(f"cannot be read: {error}", where=str(path)) from None
    return about


def _page_lines(release: Release, feed: Feed, page: int) -> list[str]:
    """The statements of a page as it was released, without its paging node."""
    path = _directory(release, feed) / f"page-{page}.ttl"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorruptStore(f"cannot be read: {error.strerror}", where=str(path)) from None
    return [f"{q.triple} ." for q in read_back(content, "ttl") if not _is_paging(q)]


def _is_paging(quad: Any) -> bool:
    """Whether a statement is about the paging node: no other has a property or class of hydra."""
    term = quad.object if quad.predicate.value == RDF.type else quad.predicate
    return str(term).startswith(f"<{HYDRA}")


def _made(path: Path, fill: Any) -> Path:
    """The file, made now where it is missing."""
    if not path.is_file():
        with _making[path]:
            if not path.is_file():
                replace_file(path, fill)
    return path
