"""The glossary and the themes as trees (SKOS), with where each term is used.

A vocabulary of others may hold circles, terms with several broader ones and chains of any depth: a
term is opened once, and nothing here calls itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from urllib.parse import quote, urlencode

from pyroaring import BitMap

from bilbaokg.index import Row, Text, Where, find
from bilbaokg.server import lists
from bilbaokg.server.cards import text
from bilbaokg.server.described import SUMMARIES, TITLES, Described, Writer, formats, open_in_sparql
from bilbaokg.server.paging import pager
from bilbaokg.server.pointing import incoming
from bilbaokg.server.reading import Reader, anchor
from bilbaokg.server.views import (
    Branch,
    ConceptPage,
    GlossaryPage,
    Pager,
    Tile,
    Value,
    Vocabulary,
)  # fmt: skip
from bilbaokg.terms import SKOS, plain, ref

__all__ = ["BELOW", "TREE", "concept", "glossary", "vocabulary"]

_FACETS: Final = ("theme", "subject")
TREE: Final = "tree"
"""The parameter that asks for the tree of one vocabulary (its IRI)."""
BELOW: Final = "narrower"
"""The parameter that says which page of its narrower terms is shown."""
# Of a larger vocabulary the terms at the top are drawn: the page of each opens what is below it.
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


def vocabulary(reader: Reader, scheme: str, number: int) -> GlossaryPage:
    """The tree of one vocabulary, empty where no term is in it; of a large one a page of the terms
    at its top."""
    index = reader.opened.index
    held = index.facet("scheme").get(scheme, BitMap()) & index.facet("kind").get(
        "concept", BitMap()
    )
    if not held:
        return GlossaryPage(0, [])
    found = _vocabulary(reader, scheme, held, _Links.of(reader), _Uses(reader), number)
    return GlossaryPage(len(held), [found])


def _used(vocabulary: Vocabulary) -> int:
    return sum(tile.count for branch in vocabulary.branches for tile in branch.uses)


def _vocabulary(
    reader: Reader, scheme: str, held: BitMap, links: _Links, uses: _Uses, number: int = 1
) -> Vocabulary:
    place = reader.place(scheme) if scheme else None
    record = Described(reader.opened.index.text(place.record) if place else "")
    known = {row.iri: row for row in reader.opened.index.rows(list(held), reader.lang)}
    ordered = sorted(known, key=lambda iri: known[iri].title.text.casefold())
    place_of = partial(_tree_of, reader, scheme)
    if len(held) <= _LARGEST:
        branches, shown = _tree(reader, known, ordered, links, uses), None
    else:
        tops = [iri for iri in ordered if not links.broader.get(iri, set()) & known.keys()]
        shown = pager(number, _BELOW, len(tops), place_of) if scheme else None
        tops = tops[shown.first - 1 if shown else 0 :][:_BELOW]
        branches = _level(reader, tops, uses, links, known)
    asked = urlencode({"scheme": scheme}) if scheme else "page=1"
    return Vocabulary(
        anchor=anchor(scheme),
        scheme=reader.iri(scheme) if scheme else None,
        summary=Writer(record, reader).text(ref(scheme), SUMMARIES),
        total=len(held),
        branches=branches,
        href=reader.site.url(f"/concept?{asked}"),
        pager=shown,
    )


def _tree_of(reader: Reader, scheme: str, number: int) -> str:
    return reader.site.url(f"/concept?{urlencode({TREE: scheme, 'page': number})}")


def _level(
    reader: Reader, iris: Sequence[str], uses: _Uses, links: _Links, known: Mapping[str, Row]
) -> list[Branch]:
    """Terms side by side, each with how many are right below it."""
    reader.load(iris)
    return [
        Branch(
            reader.iri(iri), known[iri].summary if iri in known else Text("", ""), uses.of(iri),
            0, 0, 0, again=False, below=len(links.narrower.get(iri, ())),
        )
        for iri in iris
    ]  # fmt: skip


def _tree(
    reader: Reader, known: Mapping[str, Row], ordered: Sequence[str], links: _Links, uses: _Uses
) -> list[Branch]:
    """The terms in their order, each below its broader one."""
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


def concept(reader: Reader, place: Where, number: int = 1, below: int = 1) -> ConceptPage:
    """The page of a term; `number` is the page of what points to it, `below` that of the terms
    right below it."""
    record = Described(reader.opened.index.text(place.record))
    writer, term, iri = Writer(record, reader), ref(place.iri), place.iri
    skip = [next((p for p in some if p in record.of(term)), "") for some in (TITLES, SUMMARIES)]
    links = _around(reader, iri)
    listed = lists.where_used(reader, iri)
    narrower, shown = _below(reader, place, links.narrower.get(iri, ()), below)
    return ConceptPage(
        id=place.record,
        iri=iri,
        title=reader.name(iri),
        notation=record.first(term, SKOS.notation) or "",
        summary=writer.text(term, SUMMARIES),
        names=_names(writer, term),
        schemes=writer.values(term, SKOS.inScheme),
        ways=_ways(reader, iri, links),
        narrower=narrower,
        below=shown,
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


def _below(
    reader: Reader, place: Where, iris: Collection[str], number: int
) -> tuple[list[Branch], Pager]:
    """A page of the narrower terms, by name, each with what uses it and how many are below it."""
    reader.load(iris)
    named = sorted(iris, key=lambda iri: reader.name(iri).text.casefold())
    page = f"/{quote(place.page)}"
    shown = pager(number, _BELOW, len(named), lambda n: reader.site.url(f"{page}?{BELOW}={n}"))
    if not named:
        return [], shown
    links = _Links()
    those = named[shown.first - 1 : shown.last]
    for iri in those:
        for child in _said(reader, iri, SKOS.narrower, SKOS.broader):
            links.add(child, iri)
    return _level(reader, those, _Uses(reader), links, {}), shown


def _related(reader: Reader, iri: str) -> list[Value]:
    found = _said(reader, iri, SKOS.related, SKOS.related)
    reader.load(found)
    return sorted(map(reader.iri, found), key=lambda value: value.text.text.casefold())[:_BELOW]
