"""Rules about what statements say: keywords, titles, identifiers, dates."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from bilbaokg.lint.linted import Hit, Linted
from bilbaokg.quality.dates import days
from bilbaokg.terms import DCAT, DCT, SCHEMA, language_of, plain, ref

__all__ = [
    "date_in_future",
    "identifier_changed",
    "issued_after_modified",
    "keyword_characters",
    "period_order",
    "title_duplicate",
]

# CKAN takes letters and digits of every script.
_KEYWORD: Final = re.compile(r"[\w .-]{2,100}")
_STARTS: Final = (DCAT.startDate, SCHEMA.startDate, "http://schema.org/startDate")
_ENDS: Final = (DCAT.endDate, SCHEMA.endDate, "http://schema.org/endDate")


def keyword_characters(linted: Linted) -> Iterator[Hit]:
    """Keywords that CKAN would refuse or change."""
    for node, term in linted.values(linted.datasets, DCAT.keyword):
        if not _KEYWORD.fullmatch(plain(term)):
            yield Hit(node, DCAT.keyword, term)


def title_duplicate(linted: Linted) -> Iterator[Hit]:
    """Datasets that are called the same in a language; case and spaces do not tell them apart."""
    called: dict[tuple[str | None, str], dict[str, str]] = defaultdict(dict)
    for node, term in linted.values(linted.datasets, DCT["title"]):
        called[language_of(term), " ".join(plain(term).casefold().split())].setdefault(node, term)
    told: set[str] = set()
    for held in called.values():
        for node, term in held.items() if len(held) > 1 else ():
            if node not in told:
                told.add(node)
                other = next(n for n in held if n != node)
                yield Hit(node, DCT["title"], term, "title", {"x": plain(other)})


def identifier_changed(linted: Linted) -> Iterator[Hit]:
    """Datasets without any of the identifiers that they were released with."""
    predicate = ref(DCT.identifier)
    for node in linted.datasets:
        before, now = linted.released.get(node), linted.graph.objects(node, predicate)
        if before and before.isdisjoint(now):
            was = ", ".join(sorted(map(plain, before)))
            yield Hit(node, DCT.identifier, next(iter(now), None), "identifier", {"x": was})


def issued_after_modified(linted: Linted) -> Iterator[Hit]:
    """What was certainly issued after it was last changed."""
    for node in (*linted.datasets, *linted.distributions):
        changed = [(days(t), t) for t in linted.graph.objects(node, ref(DCT.modified))]
        latest = max(((d.last, t) for d, t in changed if d), default=None)
        for term in linted.graph.objects(node, ref(DCT.issued)) if latest else ():
            issued = days(term)
            if issued and latest and issued.first > latest[0]:
                yield Hit(node, DCT.issued, term, "date", {"x": plain(latest[1])})


def period_order(linted: Linted) -> Iterator[Hit]:
    """Periods that end before they start; told of the dataset that has the period."""
    one = linted.graph.one
    for node, period in linted.values(linted.datasets, DCT.temporal):
        starts = (one(period, ref(iri)) for iri in _STARTS)
        ends = (one(period, ref(iri)) for iri in _ENDS)
        start, end = next(filter(None, starts), None), next(filter(None, ends), None)
        first, last = days(start or ""), days(end or "")
        if first and last and first.first > last.last:
            yield Hit(node, DCT.temporal, end, "date", {"x": plain(start or "")})


def date_in_future(linted: Linted) -> Iterator[Hit]:
    """Dates of issue or change after today."""
    for iri in (DCT.issued, DCT.modified):
        for node, term in linted.values((*linted.datasets, *linted.distributions), iri):
            told = days(term)
            if told and told.first > linted.today:
                yield Hit(node, iri, term, "date", {"x": linted.today.isoformat()})
