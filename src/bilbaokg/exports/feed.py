"""Portal feeds: what a target carries of each class, and how its catalogue is cut into pages.

A feed walks from the listed things (catalogues, datasets, series, services) along the properties
that its table allows; a property also says as what the node it leads to is described. A page is
complete by itself: all that its datasets reach stands on it. Statements outside the table are cut.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final

from bilbaokg.errors import Invalid
from bilbaokg.exports.catalogue import TYPE, Catalogue, Pair, root_class
from bilbaokg.model import Record
from bilbaokg.settings import Settings
from bilbaokg.terms import BINDING, DCAT, DCT, PERSONS, literal, mint, plain, ref
from bilbaokg.writing import write

__all__ = [
    "CATALOG",
    "DATASET",
    "RECORD",
    "SERIES",
    "SERVICE",
    "Feed",
    "Kind",
    "Page",
    "Walk",
    "changed",
    "kind",
]

# How the kinds of nodes are called here.
CATALOG, DATASET, SERIES, SERVICE, RECORD = "Catalog", "Dataset", "Series", "Service", "Record"
_CLASSES: Final = {
    ref(DCAT.Catalog): CATALOG,
    ref(DCAT.Dataset): DATASET,
    ref(DCAT.DatasetSeries): SERIES,
    ref(DCAT.DataService): SERVICE,
}
_CATALOG, _DATASET, _SERIES, _SERVICE = (
    ref(iri) for iri in (DCAT.Catalog, DCAT.Dataset, DCAT.DatasetSeries, DCAT.DataService)
)
_SUBCATALOG: Final = ref(DCAT.catalog)
_SERVES: Final = ref(DCAT.servesDataset)
# How a kind of member may be listed; the first is how a portal looks for it.
_LISTED_BY: Final = {
    DATASET: (ref(DCAT.dataset), ref(DCAT.resource)),
    SERIES: (ref(DCAT.resource), ref(DCAT.dataset)),
    SERVICE: (ref(DCAT.service), ref(DCAT.resource)),
    RECORD: (ref(DCAT.record),),
}

# Nodes that are remembered from page to page.
_KEPT: Final = 20_000

Node = tuple[str, str]  # a term, and the name of the kind as which it is described


@dataclass(frozen=True, slots=True)
class Kind:
    """What is carried of one kind of node: classes, and properties with the kind they lead to.

    The first class is what the property that leads here has as its range: it is always written.
    `turned` are properties of the release that the target says with others: they are not cut.
    """

    classes: tuple[str, ...]
    carries: Mapping[str, str | None]
    turned: frozenset[str] = frozenset()


def kind(classes: Iterable[str], carries: Mapping[str, str | None]) -> Kind:
    """A Kind from IRIs."""
    return Kind(tuple(map(ref, classes)), {ref(p): to for p, to in carries.items()})


def changed(
    old: Kind,
    *,
    without: Iterable[str] = (),
    carries: Mapping[str, str | None] | None = None,
    classes: Iterable[str] = (),
) -> Kind:
    """A kind with other properties (as IRIs), and with more classes."""
    kept = {p: to for p, to in old.carries.items() if p not in set(map(ref, without))}
    added = {ref(p): to for p, to in (carries or {}).items()}
    return replace(old, classes=(*old.classes, *map(ref, classes)), carries=kept | added)


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its number, its datasets, the nodes that it describes, and what it lists."""

    number: int
    datasets: tuple[str, ...]
    nodes: tuple[Node, ...]
    listings: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """An export target made of pages.

    `says(catalogue, node, kind)` gives what there is to carry of a node, in this target's words,
    also of a node that the catalogue does not describe. What it says nothing of is only linked.
    `skips(catalogue, node)` says which described nodes stay out, `leaves_out` which listed kinds.
    `calls(catalogue, node)` is the IRI that the target knows a node by, where it is another. With
    `one_catalogue`, all members are listed by the main catalogue. `lists` are other names of the
    properties that list, `writers` write a syntax in a way of their own.
    """

    name: str
    profile: str
    kinds: Mapping[str, Kind]
    says: Callable[[Catalogue, str, str], list[Pair]]
    skips: Callable[[Catalogue, str], bool]
    calls: Callable[[Catalogue, str], str] | None = None
    leaves_out: frozenset[str] = frozenset()
    one_catalogue: bool = False
    lists: Mapping[str, str] = field(default_factory=dict)
    writers: Mapping[str, Callable[[Iterable[str], BinaryIO], None]] = field(default_factory=dict)
    formats: tuple[str, ...] = ("rdf", "ttl", "jsonld", "nt")
    at_release: tuple[str, ...] = ("rdf", "ttl")

    def put(self, lines: Iterable[str], ext: str, out: BinaryIO) -> None:
        """Write lines of this target in one of its formats."""
        writer = self.writers.get(ext)
        if writer:
            writer(lines, out)
        else:
            write(lines, ext, out)

    def is_flat(self, ext: str) -> bool:
        """Whether a format is JSON-LD as this target writes it itself."""
        return ext == "jsonld" and ext in self.writers

    def walk(self, catalogue: Catalogue, settings: Settings) -> Walk:
        """Everything that this target takes from a catalogue, cut into pages."""
        return Walk(self, catalogue, settings)

    def cut(self, records: Iterable[Record], settings: Settings) -> Counter[str]:
        """How many statements of the records are not carried, by property."""
        walk = self.walk(Catalogue.of(records, settings.base), settings)
        for _ in walk.pages():
            pass
        return walk.cut()


@dataclass(slots=True)
class _Described:
    """One node as one kind: its statements, and the nodes that they lead to."""

    pairs: list[Pair] = field(default_factory=list)
    parts: list[Node] = field(default_factory=list)


class Walk:
    """One pass over a catalogue for one feed: `pages`, each with `write`, and then `cut`.

    What it holds of the pages that are done is which nodes were described, and as what.
    """

    def __init__(self, feed: Feed, catalogue: Catalogue, settings: Settings) -> None:
        self.feed, self.catalogue, self.settings = feed, catalogue, settings
        self._described: dict[Node, _Described] = {}
        self._said: dict[Node, list[Pair]] = {}
        self._names: dict[str, str] = {}
        self._kinds: dict[str, tuple[str, ...]] = {}
        self._carried: Counter[str] = Counter()
        self._rows: set[tuple[str, str, str]] = set()
        self.datasets = catalogue.roots[_DATASET]
        self.main = self._main_catalogue()
        self._listed = {name: frozenset(catalogue.roots[cls]) for cls, name in _CLASSES.items()}
        self._known = [self.main] if feed.one_catalogue else catalogue.roots[_CATALOG]
        self.coined = {self.main, self._name(self.main)}
        size = settings.page_size
        self._chunks = [
            self.datasets[i : i + size] for i in range(0, len(self.datasets), size)
        ] or [[]]
        self.count = len(self._chunks)
        self.released = self._released()

    # ---- describing nodes

    def describe(self, node: Node) -> _Described:
        """The statements of a node that the target carries. Raises Invalid on a person."""
        known = self._described.get(node)
        if known is None:
            known = self._described[node] = self._describe(*node)
            self._count(*node)
        return known

    def _count(self, term: str, name: str) -> None:
        """Note what is carried of a node, the first time that it is described as this kind."""
        earlier = self._kinds.get(term, ())
        if name in earlier:
            return
        self._kinds[term] = (*earlier, name)
        pairs = self.catalogue.about.get(term, [])
        self._carried.update(self._covered(term, pairs, (*earlier, name)))
        self._carried.subtract(self._covered(term, pairs, earlier))

    def _covered(self, term: str, pairs: list[Pair], names: Iterable[str]) -> list[str]:
        """The properties of the pairs that are carried, or said with others, by these kinds."""
        carried = {pair for name in names for pair in self.describe((term, name)).pairs}
        turned = frozenset[str]().union(*(self.feed.kinds[name].turned for name in names))
        return [p for p, o in pairs if (p, o) in carried or p in turned]

    def _forget(self) -> None:
        """Let go of what the pages that are done were made of."""
        if len(self._described) > _KEPT:
            for known in (self._described, self._said, self._names):
                known.clear()

    def _describe(self, term: str, name: str) -> _Described:
        kind, found = self.feed.kinds[name], _Described()
        pairs = self._says((term, name))
        del self._said[term, name]
        held = [o for p, o in pairs if p == TYPE and o in kind.classes]
        found.pairs = [(TYPE, cls) for cls in sorted({kind.classes[0], *held})]
        for pair in dict.fromkeys(pairs):
            if pair[0] != TYPE and pair[0] in kind.carries:
                self._carry(found, term, pair, kind.carries[pair[0]])
        return found

    def _carry(self, found: _Described, term: str, pair: Pair, to: str | None) -> None:
        predicate, value = pair
        if value.startswith('"'):
            found.pairs.append(pair)
            return
        if PERSONS & self.catalogue.types(value):
            raise Invalid(
                "the export would name a person",
                where=f"{term} {predicate} {value}",
                hint="name the unit that the person works for",
            )
        if self._is_left_out(value):
            return
        if self._leads_out(value):
            if predicate in BINDING and not value.startswith("_:"):
                raise Invalid(
                    "the export would point to what the release does not hold",
                    where=f"{term} {predicate} {value}",
                    hint="release it too, or mend the statement",
                )
            return
        follows = self._follows(value, to)
        if follows:
            found.parts.append((value, to or ""))
        if follows or not value.startswith("_:"):
            found.pairs.append(pair)

    def _leads_out(self, value: str) -> bool:
        """Whether a link leads to what is not, or no longer, in the release."""
        if value not in self.catalogue.about:
            return value != self.main and self.catalogue.is_ours(value)
        return self.catalogue.is_gone(value) or self.feed.skips(self.catalogue, value)

    def _is_left_out(self, value: str) -> bool:
        """Whether the node is listed as what this target does not know."""
        listed = root_class(self.catalogue.types(value))
        return listed is not None and _CLASSES[listed] in self.feed.leaves_out

    def _follows(self, value: str, to: str | None) -> bool:
        """Whether the node is described where it is linked; what is listed only as what it is, and
        as something listed only what is."""
        if to is None:
            return False
        listed = root_class(self.catalogue.types(value))
        if listed is not None and _CLASSES[listed] != to:
            return False
        if to in self._listed and value not in self._listed[to]:
            return False
        return (value, to) in self._described or bool(self._says((value, to)))

    def _says(self, node: Node) -> list[Pair]:
        if node not in self._said:
            self._said[node] = self.feed.says(self.catalogue, *node)
        return self._said[node]

    def _reach(self, starts: Iterable[Node]) -> list[Node]:
        """The nodes that these lead to, themselves included, each before its parts."""
        seen: dict[Node, None] = {}
        stack = list(reversed(list(starts)))
        while stack:
            node = stack.pop()
            if node not in seen:
                seen[node] = None
                stack.extend(reversed(self.describe(node).parts))
        return list(seen)

    # ---- planning pages

    def _main_catalogue(self) -> str:
        """The catalogue that lists what no other lists; minted where the release has none."""
        known = self.catalogue.roots[_CATALOG]
        if not known:
            main = ref(mint(self.settings.base, "catalog", "main"))
            titles = [literal(t, language=lang) for lang, t in self.settings.title.items()]
            pairs = [(ref(p), title) for p in (DCT.title, DCT.description) for title in titles]
            self.catalogue.add(main, sorted(pairs))
            self.catalogue.roots[_CATALOG] = [main]
            return main
        return next((c for c in known if not self._above(c, known)), known[0])

    def _parents(self, catalogue: str) -> list[str]:
        return self._above(catalogue, self._known)

    def _above(self, catalogue: str, known: list[str]) -> list[str]:
        return [
            c
            for c, p in self.catalogue.listed.get(catalogue, ())
            if p == _SUBCATALOG and c in known and c != catalogue
        ]

    def pages(self) -> Iterator[Page]:
        """The pages, one after the other."""
        chunks = self._chunks
        for index, (chunk, others) in enumerate(zip(chunks, self._place(chunks), strict=True)):
            self._forget()
            members = [*((d, DATASET) for d in chunk), *others]
            members += [(r, RECORD) for r in self._records(members, first=index == 0)]
            listings = [row for member in members for row in self._listings(member)]
            catalogues = self._catalogues(listings, last=index == len(chunks) - 1)
            listings += [
                (parent, _SUBCATALOG, c)
                for c in catalogues
                for parent in self._parents(c)
                if parent in catalogues
            ]
            nodes = self._reach([*((c, CATALOG) for c in catalogues), *members])
            rows = set(listings)
            self._rows |= rows
            yield Page(index + 1, tuple(chunk), tuple(nodes), tuple(sorted(rows)))

    def _first(self, chunks: list[list[str]]) -> dict[Node, int]:
        """The first page that each series and service is reached from, where there are any."""
        first: dict[Node, int] = {}
        if not (self.catalogue.roots[_SERIES] or self.catalogue.roots[_SERVICE]):
            return first
        for index, chunk in enumerate(chunks):
            self._forget()
            for node in self._reach((d, DATASET) for d in chunk):
                if node[1] in (SERIES, SERVICE):
                    first.setdefault(node, index)
        return first

    def _place(self, chunks: list[list[str]]) -> list[list[Node]]:
        """Series and services go to the first page that needs them, else to the last."""
        page_of = {d: index for index, chunk in enumerate(chunks) for d in chunk}
        first = self._first(chunks)
        placed: list[list[Node]] = [[] for _ in chunks]
        for cls, name in ((_SERIES, SERIES), (_SERVICE, SERVICE)):
            for term in self.catalogue.roots[cls] if name not in self.feed.leaves_out else ():
                served = (page_of.get(d) for d in self.catalogue.values(term, _SERVES))
                wanted = [i for i in (first.get((term, name)), *served) if i is not None]
                placed[min(wanted, default=len(chunks) - 1)].append((term, name))
        return placed

    def _records(self, members: Iterable[Node], *, first: bool) -> list[str]:
        """The catalogue records of these members; those of catalogues stand on the first page."""
        if RECORD in self.feed.leaves_out:
            return []
        topics = [term for term, _ in members] + (self._known if first else [])
        return [record for topic in topics for record in self.catalogue.topics.get(topic, ())]

    def _listings(self, member: Node) -> list[tuple[str, str, str]]:
        """Who lists a member: what the release says, and what a portal needs beside it."""
        term, name = member
        known, ways = self._known, _LISTED_BY[name]
        rows = [
            (c, p, term) for c, p in self.catalogue.listed.get(term, ()) if c in known and p in ways
        ]
        # Portals look for a series by either property, for all else by the first.
        enough = ways if name == SERIES else ways[:1]
        if not any(p in enough for _, p, _ in rows):
            rows.append((rows[0][0] if rows else self.main, ways[0], term))
        return rows

    def _catalogues(self, listings: Iterable[tuple[str, str, str]], *, last: bool) -> list[str]:
        """The main catalogue, those that list something here, and all above them."""
        wanted = [self.main, *(c for c, _, _ in listings), *(self._known if last else ())]
        found: dict[str, None] = {}
        while wanted:
            catalogue = wanted.pop(0)
            if catalogue not in found:
                found[catalogue] = None
                wanted += self._parents(catalogue)
        return [self.main, *sorted(found.keys() - {self.main})]

    # ---- writing

    def _released(self) -> dict[str, frozenset[str]]:
        """What may stand in a document as something listed: class -> terms, in the target's words.

        Nothing may have a class of DCAT that the target leaves out or says otherwise.
        """
        found: dict[str, frozenset[str]] = {cls: frozenset() for cls in _CLASSES}
        for cls, name in _CLASSES.items():
            if name in self.feed.kinds and name not in self.feed.leaves_out:
                terms = self._known if name == CATALOG else self.catalogue.roots[cls]
                found[self.feed.kinds[name].classes[0]] = frozenset(terms)
        return found

    def write(self, page: Page) -> list[str]:
        """The statements of a page, subject by subject, classes first; without its paging node."""
        by_term: dict[str, dict[Pair, None]] = {}
        for node in page.nodes:
            pairs = by_term.setdefault(self._name(node[0]), {})
            pairs.update((((p, self._name(o)), None) for p, o in self.describe(node).pairs))
        for catalogue, predicate, member in page.listings:
            by_term[catalogue][self.feed.lists.get(predicate, predicate), member] = None
        return [
            f"{term} {p} {o} ."
            for term, pairs in by_term.items()
            for p, o in sorted(pairs, key=lambda pair: (pair[0] != TYPE, pair))
        ]

    def _name(self, term: str) -> str:
        """The term by which the target knows a node."""
        if self.feed.calls is None or term.startswith('"'):
            return term
        known = self._names.get(term)
        if known is None:
            known = self._names[term] = self.feed.calls(self.catalogue, term)
            if known != term:
                self.coined.add(known)
        return known

    def cut(self) -> Counter[str]:
        """How many statements of the catalogue no page carries, by property; after the pages."""
        missing = self.catalogue.total - self._carried
        for member, places in self.catalogue.listed.items():
            missing.update(p for catalogue, p in places if (catalogue, p, member) not in self._rows)
        return Counter({plain(predicate): count for predicate, count in missing.items()})
