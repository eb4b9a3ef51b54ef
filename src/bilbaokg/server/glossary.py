"""The glossary and the themes as trees (SKOS), with where each term is used.

A vocabulary of others may hold circles, terms with several broader ones and chains of any depth: a
term is opened once, and nothing here calls itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from pyroaring import BitMap

from bilbaokg.index import Row, Text, Where, find
from bilbaokg.server import lists
from bilbaokg.server.cards import text
from bilbaokg.server.described import SUMMARIES, TITLES, Described, Writer, formats, open_in_sparql
from bilbaokg.server.pointing import incoming
from bilbaokg.server.reading import Reader, anchor
from bilbaokg.server.views import Branch, ConceptPage, GlossaryPage, Tile, Value, Vocabulary
from bilbaokg.terms import SKOS, plain, ref

__all__ = ["concept", "glossary"]

_FACETS: Final = ("theme", "subject")
# A larger vocabulary is not drawn as a tree: its list has pages and a search.
_LARGEST: Final = 2000
_DRAWN: Final = 400
_DEEPEST: Final = 8
_WAYS: Final = 12
_BELOW: Final = 200
_AROUND: Final = frozenset({SKOS.broader, SKOS.narrower, SKOS.related})
_TOLD: Final = frozenset(
    {
        SKOS.broader, SKOS.narrower, SKOS.related, SKOS.altLabel, SKOS.notation, SKOS.inScheme,
        SKOS.topConceptOf,
    }
)  # fmt: skip


@dataclass
class _Links:
    """Which term is broader than which, however the catalogue says it; IRIs."""

    broader: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    narrower: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, reader: Reader) -> _Links:
        """All of the release."""
        found, store = cls(), reader.opened.store
        for s, _, o, _ in store.match(predicate=ref(SKOS.broader)):
            found.add(plain(s), plain(o))
        for s, _, o, _ in store.match(predicate=ref(SKOS.narrower)):
            found.add(plain(o), plain(s))
        return found

    def add(self, below: str, above: str) -> None:
        """One statement."""
        if below != above:
            self.broader[below].add(above)
            self.narrower[above].add(below)


class _Uses:
    """The lists of datasets that use a term."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._counts = {
            facet: dict(rows) for facet, rows in find(reader.opened.index).facets(_FACETS).items()
        }

    def of(self, iri: str) -> list[Tile]:
        """By how it is used: as a theme, as a subject."""
        found = []
        for facet, counts in self._counts.items():
            if count := counts.get(iri):
                href = self.reader.site.url(f"/datasets?{urlencode({facet: iri})}")
                found.append(Tile(count, text(self.reader, f"glossary.{facet}", count), href))
        return found


# ---- all vocabularies


def glossary(reader: Reader) -> GlossaryPage:
    """The vocabularies of the release, those that data use most first."""
    index = reader.opened.index
    concepts = index.facet("kind").get("concept", BitMap())
    links, uses = _Links.of(reader), _Uses(reader)
    schemes = {
        scheme: held & concepts
        for scheme, held in index.facet("scheme").items()
        if held.intersection_cardinality(concepts)
    }
    free = concepts - BitMap.union(BitMap(), *schemes.values())
    reader.load(schemes)
    found = [_vocabulary(reader, scheme, held, links, uses) for scheme, held in schemes.items()]
    found.sort(key=lambda v: (-_used(v), v.scheme.text.text.casefold() if v.scheme else ""))
    if free:
        found.append(_vocabulary(reader, "", free, links, uses))
    return GlossaryPage(len(concepts), found)


def _used(vocabulary: Vocabulary) -> int:
    return sum(tile.count for branch in vocabulary.branches for tile in branch.uses)


def _vocabulary(
    reader: Reader, scheme: str, held: BitMap, links: _Links, uses: _Uses
) -> Vocabulary:
    place = reader.place(scheme) if scheme else None
    record = Described(reader.opened.index.text(place.record) if place else "")
    rows = reader.opened.index.rows(list(held), reader.lang) if len(held) <= _LARGEST else []
    asked = urlencode({"scheme": scheme}) if scheme else "page=1"
    return Vocabulary(
        anchor=anchor(scheme),
        scheme=reader.iri(scheme) if scheme else None,
        summary=Writer(record, reader).text(ref(scheme), SUMMARIES),
        total=len(held),
        branches=_tree(reader, rows, links, uses),
        href=reader.site.url(f"/concept?{asked}"),
    )


def _tree(reader: Reader, rows: Sequence[Row], links: _Links, uses: _Uses) -> list[Branch]:
    """The terms in their order, each below its broader one."""
    known = {row.iri: row for row in rows}
    ordered = sorted(known, key=lambda iri: known[iri].title.text.casefold())
    steps = list(_walk(ordered, links))[:_DRAWN]
    reader.load(iri for iri, _, _ in steps)
    after = [depth for _, depth, _ in steps[1:]] + [0]
    before = [0] + [depth for _, depth, _ in steps[:-1]]
    return [
        Branch(
            term=reader.iri(iri),
            summary=known[iri].summary,
            uses=uses.of(iri),
            depth=depth,
            opens=max(0, depth - earlier),
            closes=max(0, depth - later),
            again=again,
        )
        for (iri, depth, again), earlier, later in zip(steps, before, after, strict=True)
    ]


def _walk(ordered: Sequence[str], links: _Links) -> Iterator[tuple[str, int, bool]]:
    """Each term with its depth, and whether it was opened before.

    It begins at those with nothing broader; what then is left stands in a circle, and begins
    anywhere.
    """
    known, place = set(ordered), {iri: n for n, iri in enumerate(ordered)}
    roots = [iri for iri in ordered if not links.broader.get(iri, set()) & known]
    opened: set[str] = set()
    for root in [*roots, *ordered]:
        if root in opened:
            continue
        stack = [(root, 0)]
        while stack:
            iri, depth = stack.pop()
            yield iri, min(depth, _DEEPEST), iri in opened
            if iri not in opened:
                opened.add(iri)
                below = sorted(links.narrower.get(iri, set()) & known, key=place.__getitem__)
                stack += [(child, depth + 1) for child in reversed(below)]


# ---- one term


def concept(reader: Reader, place: Where, number: int = 1) -> ConceptPage:
    """The page of a term; `number` is the page of what points to it."""
    record = Described(reader.opened.index.text(place.record))
    writer, term, iri = Writer(record, reader), ref(place.iri), place.iri
    skip = [next((p for p in some if p in record.of(term)), "") for some in (TITLES, SUMMARIES)]
    links = _around(reader, iri)
    listed = lists.where_used(reader, iri)
    return ConceptPage(
        id=place.record,
        iri=iri,
        title=reader.name(iri),
        notation=record.first(term, SKOS.notation) or "",
        summary=writer.text(term, SUMMARIES),
        names=_names(writer, term),
        schemes=writer.values(term, SKOS.inScheme),
        ways=_ways(reader, iri, links),
        narrower=_below(reader, links.narrower.get(iri, ())),
        related=_related(reader, iri),
        listed=listed,
        groups=writer.groups(term, skip=(*skip, *map(ref, _TOLD))),
        incoming=incoming(reader, iri, bool(listed), number, without=_AROUND),
        formats=formats(reader, place.record),
        sparql=open_in_sparql(reader, iri),
        nodes=writer.nodes(term),
    )


def _names(writer: Writer, term: str) -> list[Value]:
    """The other names, those in the reader's language first."""
    if not writer.record.all(term, SKOS.altLabel):
        return []
    return writer.group(ref(SKOS.altLabel), writer.record.all(term, SKOS.altLabel)).values


def _around(reader: Reader, iri: str) -> _Links:
    """What is above a term, all the way, and what is directly below it."""
    found, store = _Links(), reader.opened.store
    for child in _said(reader, iri, SKOS.narrower, SKOS.broader):
        found.add(child, iri)
    queue, seen = [iri], {iri}
    while queue and len(seen) < _LARGEST:
        below = queue.pop(0)
        for above in _said(reader, below, SKOS.broader, SKOS.narrower):
            if any(store.match(subject=ref(above))):
                found.add(below, above)
            if above not in seen:
                seen.add(above)
                queue.append(above)
    return found


def _said(reader: Reader, iri: str, said: str, pointing: str) -> list[str]:
    """What a term names by one property, and what names it by the inverse one."""
    store = reader.opened.store
    found = {o for _, _, o, _ in store.match(ref(iri), ref(said)) if o.startswith("<")}
    found |= {s for s, *_ in store.match(predicate=ref(pointing), object=ref(iri))}
    return sorted(plain(term) for term in found)


def _ways(reader: Reader, iri: str, links: _Links) -> list[list[Value]]:
    """From the top down to a term: the first way above each of its broader terms."""
    ways = []
    for above in sorted(links.broader.get(iri, ()))[:_WAYS]:
        way, seen = [above], {iri, above}
        while higher := links.broader.get(way[-1], set()) - seen:
            way.append(min(higher))
            seen.add(way[-1])
        reader.load(way)
        ways.append([reader.iri(step) for step in reversed(way)])
    return ways


def _below(reader: Reader, iris: Collection[str]) -> list[Branch]:
    """The narrower terms, by name, each with what uses it."""
    reader.load(iris)
    uses = _Uses(reader) if iris else None
    values = sorted(map(reader.iri, iris), key=lambda value: value.text.text.casefold())[:_BELOW]
    return [
        Branch(value, Text("", ""), uses.of(value.term) if uses else [], 0, 0, 0, False)
        for value in values
    ]


def _related(reader: Reader, iri: str) -> list[Value]:
    found = _said(reader, iri, SKOS.related, SKOS.related)
    reader.load(found)
    return sorted(map(reader.iri, found), key=lambda value: value.text.text.casefold())[:_BELOW]
