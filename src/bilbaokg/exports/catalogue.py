"""A release's records as one graph of N-Triples terms, ready to be walked by an exporter.

Skolem IRIs are turned back into blank nodes here, once, with labels made of their own digits: the
same blank node has the same label in every export and in every run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final

from bilbaokg.exports.shelf import Shelf
from bilbaokg.model import Record
from bilbaokg.skolem import GENID
from bilbaokg.sorting import sorted_lines
from bilbaokg.terms import AS, DCAT, FOAF, LISTINGS, RDF, ref, split_line

__all__ = [
    "TYPE",
    "Blanks",
    "Catalogue",
    "Pair",
    "lines_of",
    "root_class",
]

Pair = tuple[str, str]
"""A property and its value, as terms."""

TYPE: Final = ref(RDF.type)
TOMBSTONE: Final = ref(AS.Tombstone)
# What a portal lists, by the type in the record's id. In order of precedence.
_ROOTS: Final[dict[str, str]] = {
    "catalog": ref(DCAT.Catalog),
    "series": ref(DCAT.DatasetSeries),
    "dataset": ref(DCAT.Dataset),
    "service": ref(DCAT.DataService),
}
_TOPIC: Final = ref(FOAF.primaryTopic)
_CATALOG_RECORD: Final = ref(DCAT.CatalogRecord)


def lines_of(text: str) -> list[str]:
    """The lines of a record's text. Not str.splitlines: a literal may hold U+0085 or U+2028."""
    return text.removesuffix("\n").split("\n") if text else []


def root_class(types: Iterable[str]) -> str | None:
    """The class under which a portal would list a node with these classes, or None."""
    held = set(types)
    return next((cls for cls in _ROOTS.values() if cls in held), None)


class Blanks:
    """Turns the skolem IRIs of one base back into blank nodes."""

    def __init__(self, base: str) -> None:
        self.prefix = f"<{base}{GENID}"
        self._digits = re.compile(r"[0-9a-f]{24}-[0-9]+-[0-9]+")

    def __call__(self, term: str) -> str:
        """The blank node of a skolem term; any other term as it is."""
        if not term.startswith(self.prefix):
            return term
        digits = term[len(self.prefix) : -1]
        # The genid space may hold IRIs of strangers: those stay IRIs.
        return f"_:b{digits}" if self._digits.fullmatch(digits) else term

    def line(self, line: str) -> str:
        """An N-Triples or N-Quads line with its skolem terms turned back."""
        if self.prefix not in line:
            return line
        subject, predicate, rest = line.split(" ", 2)
        object_, space, tail = rest.partition(" ") if rest.startswith("<") else (rest, "", "")
        return f"{self(subject)} {predicate} {self(object_)}{space}{tail}"

    def skolem(self, blank: str) -> str:
        """The skolem IRI (as text) that a label of ours stands for."""
        return f"{self.prefix[1:]}{blank.removeprefix('_:b')}"


@dataclass(slots=True)
class Catalogue:
    """The statements of a release by subject, and what a portal lists.

    `about` maps a subject to its (predicate, object) pairs, listings left out; `roots` maps the
    class of a listed thing to its terms, sorted; `listed` maps a member to (catalogue, predicate);
    `topics` maps a thing to its catalogue records; `total` counts the pairs by predicate.
    """

    base: str
    about: MutableMapping[str, list[Pair]] = field(default_factory=dict)
    roots: dict[str, list[str]] = field(default_factory=dict)
    listed: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    topics: dict[str, list[str]] = field(default_factory=dict)
    total: Counter[str] = field(default_factory=Counter)
    _types: dict[str, frozenset[str]] = field(default_factory=dict)
    _sets: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, records: Iterable[Record], base: str, *, directory: Path | None = None
    ) -> Catalogue:
        """The graph of these records; does not depend on their order.

        With a directory the statements are kept in a nameless file there, not in memory.
        """
        self = cls(base)
        blank = Blanks(base)
        heads: dict[str, str] = {}

        def lines() -> Iterator[str]:
            for record in records:
                heads[blank(ref(record.iri))] = record.id.partition("/")[0]
                yield from lines_of(record.text)

        if directory:
            coded = (f"{line}\n".encode() for line in lines())
            ordered = (line.decode()[:-1] for line in sorted_lines(coded, directory))
            self.about = Shelf(self._grouped(ordered, blank), directory)
        else:
            self.about = dict(self._grouped(sorted(lines()), blank))
        self.listed = {member: sorted(set(self.listed[member])) for member in sorted(self.listed)}
        self._find_roots(heads)
        self._find_topics()
        return self

    def _grouped(self, ordered: Iterable[str], blank: Blanks) -> Iterator[tuple[str, list[Pair]]]:
        """Each subject with its pairs, from sorted lines; what is known of all is noted."""
        once: dict[str, str] = {}  # a catalogue repeats its IRIs: one string each
        for subject, statements in groupby(map(split_line, ordered), key=lambda s: s.subject):
            pairs: set[Pair] = set()
            term = blank(subject)
            for _, predicate, object_ in statements:
                predicate = once.setdefault(predicate, predicate)
                if predicate in LISTINGS:
                    self.listed.setdefault(blank(object_), []).append((term, predicate))
                else:
                    object_ = once.setdefault(object_, object_) if predicate == TYPE else object_
                    pairs.add((predicate, blank(object_)))
            if pairs:
                self._note(term, pairs)
                yield term, sorted(pairs)

    def _note(self, term: str, pairs: Iterable[Pair]) -> None:
        types = frozenset(o for p, o in pairs if p == TYPE)
        self._types[term] = self._sets.setdefault(types, types)
        self.total.update(p for p, _ in pairs)

    def add(self, term: str, pairs: list[Pair]) -> None:
        """Describe a node that no record does."""
        self.about[term] = pairs
        self._note(term, pairs)

    def _find_roots(self, heads: dict[str, str]) -> None:
        """A root is the head of its own record and still has the class of its kind."""
        self.roots = {cls: [] for cls in _ROOTS.values()}
        for head in sorted(heads):
            wanted = _ROOTS.get(heads[head])
            if wanted and wanted in self.types(head) and not self.is_gone(head):
                self.roots[wanted].append(head)

    def _find_topics(self) -> None:
        for subject in sorted(self._types):
            if _CATALOG_RECORD in self.types(subject):
                for topic in self.values(subject, _TOPIC):
                    self.topics.setdefault(topic, []).append(subject)

    def put(self, node: str, cls: str, pairs: Iterable[Pair], listing: Pair | None = None) -> None:
        """Describe a node that stands in no record, unless it is described already.

        listing: the catalogue that lists it, and by which property.
        """
        if node in self.about:
            return
        self.add(node, sorted({(TYPE, cls), *pairs}))
        if listing:
            self.roots[cls] = sorted([*self.roots[cls], node])
            self.listed[node] = [listing]

    def types(self, node: str) -> frozenset[str]:
        """The classes of a node."""
        return self._types.get(node, frozenset())

    def is_gone(self, node: str) -> bool:
        """Whether the node is a tombstone."""
        return TOMBSTONE in self.types(node)

    def values(self, node: str, predicate: str) -> list[str]:
        """The objects of a node's property, sorted."""
        return [o for p, o in self.about.get(node, ()) if p == predicate]

    def is_ours(self, term: str) -> bool:
        """Whether only we could describe it: an IRI that we minted, or a blank node."""
        return term.startswith((f"<{self.base}/id/", "_:"))
