"""The search page: everything that words find in the release, by kind."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from bilbaokg.index import Found, find, popular, suggest
from bilbaokg.server.cards import cards, hints
from bilbaokg.server.lists import Form
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import SearchGroup, SearchPage, Tile

__all__ = ["page"]

_MOST_DATASETS: Final = 8
_MOST_OTHERS: Final = 3
_TERMS: Final = 24
_RELATED: Final = 8


def page(reader: Reader, form: Form) -> SearchPage:
    """What the words of the form find; without words, words to begin with."""
    index, site = reader.opened.index, reader.site

    def address(q: str, _: bool = True) -> str:
        return site.url(f"/search?{urlencode({'q': q})}")

    everything = find(index, form.q, kind=None)
    kinds = everything.kinds()
    if kinds:
        terms = [t for t in suggest(index, form.q, reader.lang, _RELATED) if t.text != form.q]
    else:
        terms = popular(index, reader.lang, _TERMS)
    return SearchPage(
        q=form.q,
        total=sum(kinds.values()),
        groups=[_group(reader, everything, kind, form.q) for kind in kinds],
        terms=[Tile(term.entries, term.text, address(term.text)) for term in terms if term.entries],
        hints=hints(reader, everything, form.q, address),
        release=reader.opened.release.id,
    )


def _group(reader: Reader, everything: Found, kind: str, q: str) -> SearchGroup:
    found = everything.of(kind)
    size = _MOST_DATASETS if kind == "dataset" else _MOST_OTHERS
    listing = found.page(reader.lang, "relevance", size=size)
    path = "/datasets" if kind == "dataset" else f"/{kind}"
    href = reader.site.url(f"{path}?{urlencode({'q': q})}")
    return SearchGroup(kind, listing.total, cards(reader, listing.rows, found.words), href)
