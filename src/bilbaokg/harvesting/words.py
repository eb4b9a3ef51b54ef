"""What a page says that a thing is called: in RDF, in the JSON-LD of a web page, by its title.

Web pages are read in a worker (markup.py): they are strangers' bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bilbaokg.elsewhere import Words
from bilbaokg.errors import BilbaokgError
from bilbaokg.harvesting.dcat import format_of, is_page
from bilbaokg.harvesting.fetcher import Page
from bilbaokg.model import Source
from bilbaokg.settings import Settings
from bilbaokg.terms import (
    DCAT,
    DCT,
    FOAF,
    LANGUAGES,
    RDF,
    RDFS,
    SCHEMA,
    SKOS,
    Namespace,
    language_of,
    plain,
    ref,
    split_line,
)
from bilbaokg.workers import Pool, parse

__all__ = ["read"]

_OLD_SCHEMA: Final = Namespace("http://schema.org/")
_OLD_DC: Final = Namespace("http://purl.org/dc/elements/1.1/")
_TYPE: Final = ref(RDF.type)
# The best first.
_NAMES: Final = tuple(
    map(
        ref,
        (
            DCT.title, SCHEMA.name, _OLD_SCHEMA.name, SKOS.prefLabel, FOAF.name, RDFS.label,
            _OLD_DC.title,
        ),
    )
)  # fmt: skip
# Classes there -> the class that says it here.
_KINDS: Final = {
    ref(SCHEMA.Dataset): DCAT.Dataset,
    ref(_OLD_SCHEMA.Dataset): DCAT.Dataset,
    **{ref(cls): cls for cls in (DCAT.Dataset, DCAT.DatasetSeries, DCAT.DataService,
                                 DCAT.Distribution)},
}  # fmt: skip
_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
_SECONDS: Final = 10.0
_HEAD: Final = 4096
_LONGEST: Final = 500
_TAG: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]+"
)


def read(iri: str, page: Page, file: Path, settings: Settings, pool: Pool) -> Words:
    """What a page says of a thing (an IRI); no titles where it says none.

    Raises what parsing raises.
    """
    with file.open("rb") as opened:
        head = opened.read(_HEAD)
    if page.media_type in _PAGES or is_page(head):
        return _of_page(iri, page, file, pool)
    format, _ = format_of(page, head)
    try:
        parsed = parse(
            Source(page.url, file, format.media_type, base=page.url), settings, pool=pool
        )
    except BilbaokgError:
        if format.name != "jsonld":
            raise
        # Its context is elsewhere, too: the names of schema.org are read as they stand.
        return _of_page(iri, page, file, pool)
    return _of_statements(iri, page.url, parsed.lines)


def _of_statements(iri: str, url: str, lines: Iterable[str]) -> Words:
    said: dict[str, dict[str, list[str]]] = {}
    for subject, predicate, object_ in map(split_line, lines):
        said.setdefault(subject, {}).setdefault(predicate, []).append(object_)
    held = next((said[term] for term in _terms(iri, url) if _names(said.get(term, {}))), None)
    if held is None:
        # An address that leads to the description of one dataset under another name.
        listed = [each for each in said.values() if DCAT.Dataset == _kind(each) and _names(each)]
        held = listed[0] if len(listed) == 1 else {}
    titles = [(language_of(name) or "", plain(name)) for name in _names(held)]
    return Words(_chosen(titles), _kind(held))


def _terms(iri: str, url: str) -> Iterator[str]:
    """What the thing may be called in its own description: also by the other scheme."""
    for each in (iri, url):
        scheme, _, rest = each.partition("://")
        for other in (scheme, "https" if scheme == "http" else "http"):
            yield ref(f"{other}://{rest}")


def _names(held: Mapping[str, list[str]]) -> list[str]:
    return next((held[name] for name in _NAMES if name in held), [])


def _kind(held: Mapping[str, list[str]]) -> str:
    return next((_KINDS[cls] for cls in held.get(_TYPE, ()) if cls in _KINDS), "")


def _chosen(titles: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One title a language, those of ours; without any, one in another."""
    found: dict[str, str] = {}
    for tag, text in sorted(titles):
        told = " ".join(_UNSEEN.sub(" ", text).split())
        if told:
            short = told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1]}…"
            tag = tag.lower()
            found.setdefault(tag if _TAG.fullmatch(tag) else "", short)
    ours: dict[str, str] = {tag: found[tag] for tag in LANGUAGES if tag in found}
    return ours or dict(list(found.items())[:1])


# ---- web pages


def _of_page(iri: str, page: Page, file: Path, pool: Pool) -> Words:
    params = {"path": str(file.absolute()), "iri": iri, "charset": page.charset}
    found: dict[str, Any] = {}
    for header, _ in pool.run("page", params, _SECONDS, label=page.address):
        found = header.get("page", found)
    return Words(_chosen(map(tuple, found.get("titles", ()))), found.get("kind", ""))
