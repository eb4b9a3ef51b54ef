"""What fits a search and its filters: how much, of which kinds and values, page by page.

The order by relevance is bm25's, a hit in a title counting most (see WEIGHTS). Words that
thousands of entries hold tell nothing by their frequency: then those that have them in the title
come first, each group by date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final

from pyroaring import BitMap

from bilbaokg.index.hints import synonyms_of
from bilbaokg.index.reader import COUNTED, Index, Row
from bilbaokg.index.words import Words
from bilbaokg.terms import LANGUAGES

__all__ = ["KINDS", "SORTS", "Found", "Listing", "find"]

KINDS: Final = (
    "dataset", "series", "service", "unit", "principle", "concept", "table", "column", "agent",
    "scheme", "job", "run", "distribution", "catalog", "policy", "shared",
)  # fmt: skip
"""The kinds that are found, in the order that they are told in."""
_SERVING: Final = ("distribution", "run", "catalog", "policy", "shared")
SORTS: Final = ("relevance", "modified", "issued", "title")
_MOST_RANKED: Final = 3000


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list; `total` counts the entries of all pages, `size` those of a full one."""

    rows: list[Row]
    total: int
    page: int
    pages: int
    size: int


@dataclass(frozen=True)
class Found:
    """The entries of a kind that fit the words (None: no words were asked for) and all filters.

    `filters` maps a facet to values of which one must fit; `kind` is None for every kind.
    """

    index: Index
    words: Words | None
    filters: Mapping[str, Sequence[str]]
    kind: str | None

    @cached_property
    def hits(self) -> BitMap | None:
        """What fits the words, of every kind; None without words."""
        return None if self.words is None else self.index.hits(self.words.expression)

    @cached_property
    def entries(self) -> BitMap:
        """What fits all of it."""
        return self._without(None)

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.entries)

    def iris(self) -> set[str]:
        """The IRIs of all of it."""
        return self.index.iris(self.entries)

    def _without(self, facet: str | None) -> BitMap:
        """What fits all of it but the filter of a facet."""
        kinds = self.index.facet("kind")
        found = BitMap.union(BitMap(), *(kinds[kind] for kind in self._kinds()))
        if self.hits is not None:
            found = found & self.hits
        for name, values in self.filters.items():
            if values and name != facet:
                held = self.index.facet(name)
                found = found & BitMap.union(BitMap(), *(held[v] for v in values if v in held))
        return found

    def _kinds(self) -> list[str]:
        """The kinds that are looked for; what belongs to no record is never found."""
        known = self.index.facet("kind")
        return [kind for kind in KINDS if kind in known and self.kind in (kind, None)]

    def facets(self, names: Sequence[str] = COUNTED) -> dict[str, list[tuple[str, int]]]:
        """For each facet its values with counts, most first.

        A facet's counts leave its own filter aside: they say what another choice would give.
        """
        found = {}
        for name in names:
            those = self._without(name) if self.filters.get(name) else self.entries
            counts = [
                (value, those.intersection_cardinality(held))
                for value, held in self.index.facet(name).items()
            ]
            rows = [row for row in counts if row[1]]
            found[name] = sorted(rows, key=lambda row: (-row[1], row[0]))
        return found

    def of(self, kind: str) -> Found:
        """The same of another kind, without filters."""
        return Found(self.index, self.words, {}, kind)

    def kinds(self) -> dict[str, int]:
        """How many entries of each kind fit the words; filters set aside."""
        if not self.hits:
            return {}
        known, hits = self.index.facet("kind"), self.hits
        counts = {kind: known[kind].intersection_cardinality(hits) for kind in known}
        return {kind: counts[kind] for kind in KINDS if counts.get(kind)}

    def page(self, lang: str, sort: str = "modified", page: int = 1, size: int = 20) -> Listing:
        """One page; `sort` is one of SORTS. Pages begin at 1; one beyond the last is the last."""
        lang = lang if lang in LANGUAGES else LANGUAGES[0]
        pages = max(1, -(-self.total // size))
        page = min(max(page, 1), pages)
        skip = (page - 1) * size
        numbers = list(islice(self._ordered(lang, sort), skip, skip + size))
        return Listing(self.index.rows(numbers, lang), self.total, page, pages, size)

    def rows(self, lang: str, sort: str, size: int = 500) -> Iterator[list[Row]]:
        """All of it, some rows at a time."""
        lang = lang if lang in LANGUAGES else LANGUAGES[0]
        ordered = self._ordered(lang, sort)
        while numbers := list(islice(ordered, size)):
            yield self.index.rows(numbers, lang)

    def _ordered(self, lang: str, sort: str) -> Iterator[int]:
        if sort != "relevance":
            return self._listed(self.entries, sort, lang)
        if self.words is None or self.hits is None:
            return self._listed(self.entries, "title", lang)
        if len(self.hits) <= _MOST_RANKED:
            return self._ranked(self.index.ranked(self.words.expression))
        return self._tiers(self.words, lang)

    def _ranked(self, numbers: Sequence[int]) -> Iterator[int]:
        """What is found of a ranking; where kinds are mixed, those that only serve others last."""
        last = BitMap()
        if self.kind is None:
            known = self.index.facet("kind")
            last = BitMap.union(last, *(known[kind] for kind in _SERVING if kind in known))
        yield from (number for number in numbers if number in self.entries and number not in last)
        yield from (number for number in numbers if number in self.entries and number in last)

    def _tiers(self, words: Words, lang: str) -> Iterator[int]:
        titled = self.index.hits(f"title : ({words.expression})") & self.entries
        yield from self._listed(titled, "modified", lang)
        yield from self._listed(self.entries - titled, "modified", lang)

    def _listed(self, entries: BitMap, sort: str, lang: str) -> Iterator[int]:
        orders = (self.index.order(kind, sort, lang) for kind in self._kinds())
        return (number for order in orders for number in order if number in entries)


def find(
    index: Index, q: str = "", filters: Mapping[str, Sequence[str]] | None = None,
    kind: str | None = "dataset",
) -> Found:  # fmt: skip
    """The entries of a kind that fit the words of `q` and all filters.

    What the glossary calls the same is found too, but where all of `q` stands in quotes.
    """
    words = Words.of(q) if q.strip() else None
    if words and any(phrase.free for phrase in words.phrases):
        words = words.or_as(synonyms_of(index, words))
    return Found(index, words, filters or {}, kind)
