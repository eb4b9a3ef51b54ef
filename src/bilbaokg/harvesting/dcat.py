"""DCAT feeds: RDF pages that say themselves which one comes next."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

from bilbaokg.formats import Format, by_extension, by_media_type, sniff
from bilbaokg.harvesting.fetcher import Page, Trouble
from bilbaokg.harvesting.reading import Disagreement, Kind, Reading
from bilbaokg.model import Problem, Source
from bilbaokg.settings import Settings
from bilbaokg.terms import DCAT, HYDRA, RDF, Statement, plain, ref, split_line
from bilbaokg.workers import Pool, parse

__all__ = ["Dcat", "format_of", "is_page"]

_TYPE: Final = ref(RDF.type)
_LISTED: Final = tuple(map(ref, (DCAT.Dataset, DCAT.DatasetSeries, DCAT.DataService)))
_NEXT: Final = frozenset({ref(HYDRA["next"]), ref(HYDRA.nextPage)})
_TOTAL: Final = ref(HYDRA.totalItems)
_HEAD: Final = 4096
_TURTLES: Final = frozenset({"ttl", "trig", "nt", "nq"})


class Dcat(Kind):
    """A feed that begins where it is."""

    @staticmethod
    def fits(page: Page, head: bytes) -> bool:
        """Whether it is RDF, by its bytes or by what the server says."""
        if is_page(head) or (head.lstrip()[:1] == b"{" and b'"@' not in head):
            return False
        # Much is called text/plain that is no N-Triples.
        said = by_media_type(page.media_type or "") if page.media_type != "text/plain" else None
        return bool(sniff(head) or said)

    def read(self, page: Page, file: Path, settings: Settings, pool: Pool) -> Reading:
        """The statements of a page without those about paging, and the page after it."""
        with file.open("rb") as opened:
            format, notes = format_of(page, opened.read(_HEAD))
        source = Source(page.url, file, format.media_type, base=page.url)
        parsed = parse(source, settings, pool=pool)
        statements = [split_line(line) for line in parsed.lines]
        paging = [s for s in statements if _is_paging(s)]
        left_out = {s.line for s in paging}
        parsed.lines = [line for line in parsed.lines if line not in left_out]
        parsed.parsed -= len(left_out)
        if paging:
            notes.append(Problem("info", "what is said of paging is left out"))
        following, total = _following(page, paging), _total(page, paging)
        return Reading(parsed, following, total, _listed(statements), notes=notes)


def is_page(head: bytes) -> bool:
    """Whether bytes are those of a web page, whatever they are said to be."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html"))


def format_of(page: Page, head: bytes) -> tuple[Format, list[Problem]]:
    """The format by the bytes, where they show it, else as the server says."""
    if is_page(head):
        raise Trouble("a web page came in place of RDF", where=page.address, again=True)
    said = by_media_type(page.media_type or "")
    seen = sniff(head)
    if said and (seen is None or seen is said or {said.name, seen.name} <= _TURTLES):
        return said, []
    chosen = seen or by_extension(urlsplit(page.url).path)
    if chosen is None:
        raise Trouble(
            f"it is no RDF, and is called {page.media_type or 'nothing'}",
            where=page.address, again=True,
        )  # fmt: skip
    said_type = page.media_type or "no media type"
    words = f"read as {chosen.media_type}, though the server says {said_type}"
    return chosen, [Problem("warning", words, focus=page.address)]


def _is_paging(statement: Statement) -> bool:
    said = statement.object if statement.predicate == _TYPE else statement.predicate
    return said.startswith(f"<{HYDRA}")


def _following(page: Page, paging: Iterable[Statement]) -> list[str]:
    """The next page: as Hydra says in either of its vocabularies, else by the Link header."""
    found = {urljoin(page.url, plain(s.object)) for s in paging if s.predicate in _NEXT}
    if len(found) > 1:
        raise Disagreement(
            f"it names several next pages: {', '.join(sorted(found)[:3])}", where=page.address
        )
    if not found and page.following:
        found = {urljoin(page.url, page.following)}
    return sorted(found)


def _total(page: Page, paging: Iterable[Statement]) -> int | None:
    found = {plain(s.object) for s in paging if s.predicate == _TOTAL}
    numbers = {int(text) for text in found if text.isdecimal() and len(text) < 10}
    if len(numbers) > 1:
        raise Disagreement("it names several totals", where=page.address)
    return next(iter(numbers), None)


def _listed(statements: Iterable[Statement]) -> dict[str, list[str]]:
    listed: dict[str, list[str]] = {cls: [] for cls in _LISTED}
    for subject, predicate, object_ in statements:
        if predicate == _TYPE and object_ in listed:
            listed[object_].append(subject)
    return listed
