"""The changes of a feed as Atom (RFC 4287), in pages (RFC 5005), with deletions (RFC 6721).

Every member stands in it once, with its last change, the newest first: a reader stops at what it
knows. The id of an entry is the IRI of what it is about; `updated` is the record date, when the
release that changed it became public, and dct:modified the date of the data. The content is the
member's description in the feed, so that a reader needs nothing else to have the feed itself.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from bilbaokg import index, render
from bilbaokg.exports.language import in_language
from bilbaokg.exports.members import CLASSES, together
from bilbaokg.exports.paging import Paging
from bilbaokg.formats import FORMATS
from bilbaokg.server.snapshot import Removal, Snapshot
from bilbaokg.terms import DCAT, DCT, SCHEMA, plain, ref, split_line, split_literal

__all__ = ["MEDIA_TYPE", "PAGE", "write"]

MEDIA_TYPE: Final = "application/atom+xml"
PAGE: Final = 100
"""How many changes a page holds."""
_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0"'
    f' xmlns:dct="{DCT}" xml:lang="{{lang}}">\n'
)
_DATA: Final = ("ttl", "rdf", "jsonld", "nt")
_TITLES: Final = (ref(DCT.title), ref(SCHEMA.name))
_SUMMARIES: Final = (ref(DCT.description), ref(SCHEMA.description))
_MODIFIED: Final = (ref(DCT.modified), ref(SCHEMA.dateModified))
_LONGEST: Final = 500
_PREFIX: Final = re.compile(r" *xmlns:(\w+:?)=")
# What XML 1.0 cannot carry (section 2.2).
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write(
    snapshot: Snapshot, terms: Sequence[str], paging: Paging, page: int, language: str | None
) -> str:
    """One page of the feed: the changes of these terms, in their order."""
    lang = language or render.DEFAULT_LANGUAGE
    gone = [term for term in terms if term in snapshot.ledger.gone]
    here = [term for term in terms if term not in snapshot.ledger.gone]
    removed = {r.term: _removal(snapshot, r, lang) for r in snapshot.removals(gone)}
    places = snapshot.places(here)
    told = dict(zip(here, snapshot.known.lines(here), strict=True))
    body = "".join(
        removed[term]
        if term in removed
        else _entry(snapshot, term, in_language(told[term], language), places, lang)
        for term in terms
    )
    head = "".join(_about(snapshot, paging, page, lang))
    return f"{_HEAD.format(lang=lang)}{head}{body}</feed>\n"


def _about(snapshot: Snapshot, paging: Paging, page: int, lang: str) -> Iterator[str]:
    """The elements of the feed itself."""
    settings = snapshot.context.settings
    title = settings.title.get(lang) or next(iter(settings.title.values()))
    newest = next(iter(snapshot.dates.values()), snapshot.ledger.at)
    yield f"<id>{snapshot.id('changes', lang)}</id>\n"
    yield f"<title>{_text(render.translate('feed.title', lang, catalogue=title))}</title>\n"
    yield f"<updated>{newest}</updated>\n"
    yield f"<author><name>{_text(title)}</name><uri>{_text(settings.public_url)}/</uri></author>\n"
    yield "<generator>bilbaokg</generator>\n"
    own = f"?lang={paging.language}" if paging.language else ""
    yield _link("self", f"{paging.address}{own}" if page == 1 else paging.url(page), MEDIA_TYPE)
    yield _link("alternate", f"{settings.public_url}/{lang}/releases", "text/html")
    steps = {"first": 1, "previous": page - 1, "next": page + 1, "last": paging.pages}
    for relation, number in steps.items():
        if 1 <= number <= paging.pages:
            yield _link(relation, paging.url(number), MEDIA_TYPE)


def _entry(
    snapshot: Snapshot,
    term: str,
    lines: list[str],
    places: Mapping[str, index.Where],
    lang: str,
) -> str:
    seen, iri = snapshot.ledger.members[term], snapshot.iri(term)
    said: dict[str, list[str]] = {}
    for subject, predicate, object_ in map(split_line, lines):
        if subject == term:
            said.setdefault(predicate, []).append(object_)
    title, summary = _chosen(said, _TITLES, lang), _chosen(said, _SUMMARIES, lang)
    parts = [
        f"<entry>\n<id>{_text(iri)}</id>\n",
        _element("title", title or index.Text(iri, "")),
        f"<updated>{seen.at}</updated>\n<published>{seen.first}</published>\n",
        f"<category{_attributes(scheme=DCAT, term=CLASSES[seen.kind].removeprefix(DCAT))}/>\n",
        f"<category{_attributes(term=seen.how)}/>\n",
        *_places(snapshot, places.get(iri), lang),
        *(f"<dct:modified>{_text(date)}</dct:modified>\n" for date in _dates(said)),
    ]
    if summary:
        short = summary.text[:_LONGEST] + "…" * (len(summary.text) > _LONGEST)
        parts.append(_element("summary", summary._replace(text=short)))
    content = _rdf(snapshot, lines)
    return f'{"".join(parts)}<content type="application/rdf+xml">{content}</content>\n</entry>\n'


def _places(snapshot: Snapshot, place: index.Where | None, lang: str) -> Iterator[str]:
    """The page and the data of a member; a catalogue that nobody described has the entrance."""
    root = snapshot.context.settings.public_url
    page = quote(place.page) if place else ""
    yield _link("alternate", f"{root}/{lang}/{page}", "text/html")
    for ext in _DATA if place else ():
        yield _link("alternate", f"{root}/{page}.{ext}", FORMATS[ext].media_type)


def _removal(snapshot: Snapshot, removal: Removal, lang: str) -> str:
    """A deleted entry (RFC 6721, section 3)."""
    parts = [f"<at:deleted-entry{_attributes(ref=removal.iri, when=removal.at)}>\n"]
    parts.append(f"<at:comment>{_text(render.translate('feed.gone', lang))}</at:comment>\n")
    if removal.page:
        root = snapshot.context.settings.public_url
        parts.append(_link("alternate", f"{root}/{lang}/{quote(removal.page)}", "text/html"))
    if removal.successor:
        parts.append(_link("successor-version", removal.successor))
    return f"{''.join(parts)}</at:deleted-entry>\n"


def _rdf(snapshot: Snapshot, lines: list[str]) -> str:
    """RDF/XML as an element, with the prefixes that it uses."""
    out = io.BytesIO()
    snapshot.feed.put(together([lines]), "rdf", out)
    head, mark, body = out.getvalue().decode().partition("?>\n")[2].partition(">\n")
    used = [line for line in head.split("\n") if (m := _PREFIX.match(line)) and m[1] in body]
    declared = "\n".join(["<rdf:RDF", *used])
    return f"{declared}{mark}{body}"


def _chosen(
    said: Mapping[str, list[str]], predicates: Iterable[str], lang: str
) -> index.Text | None:
    """The text of a property for a reader of a language."""
    found = next((said[p] for p in predicates if p in said), [])
    literals = [split_literal(term) for term in reversed(found) if term.startswith('"')]
    texts = {(tag or "").lower(): text for text, _, tag in literals}
    return index.choose(texts, lang) if texts else None


def _dates(said: Mapping[str, list[str]]) -> list[str]:
    return [plain(term) for p in _MODIFIED for term in said.get(p, ())][:1]


def _element(name: str, text: index.Text) -> str:
    lang = _attributes(**{"xml:lang": text.lang}) if text.lang else ""
    return f"<{name}{lang}>{_text(text.text)}</{name}>\n"


def _link(relation: str, href: str, media: str = "") -> str:
    kind = {"type": media} if media else {}
    return f"<link{_attributes(rel=relation, href=href, **kind)}/>\n"


def _attributes(**values: str) -> str:
    return "".join(
        f" {name}={quoteattr(_NOT_XML.sub(chr(0xFFFD), value))}" for name, value in values.items()
    )


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))
