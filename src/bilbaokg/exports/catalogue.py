"""A release's records as one graph of N-Triples terms, ready to be walked by an exporter.

Skolem IRIs are turned back into blank nodes here, once, with labels made of their own digits: the
same blank node has the same label in every export and in every run.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from bilbaokg.model import Record
from bilbaokg.skolem import GENID
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
    `topics` maps a thing to its catalogue records.
    """

    base: str
    about: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    roots: dict[str, list[str]] = field(default_factory=dict)
    listed: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    topics: dict[str, list[str]] = field(default_factory=dict)
    _types: dict[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[Record], base: str) -> Catalogue:
        """The graph of these records; does not depend on their order."""
        about: dict[str, list[Pair]] = defaultdict(list)
        listed: dict[str, set[tuple[str, str]]] = defaultdict(set)
        blank = Blanks(base)
        heads: dict[str, str] = {}
        once: dict[str, str] = {}  # a catalogue repeats its IRIs: one string each
        for record in records:
            heads[blank(ref(record.iri))] = record.id.partition("/")[0]
            for subject, predicate, object_ in map(split_line, lines_of(record.text)):
                predicate = once.setdefault(predicate, predicate)
                object_ = once.setdefault(object_, object_) if object_[0] == "<" else object_
                if predicate in LISTINGS:
                    listed[blank(object_)].add((blank(subject), predicate))
                else:
                    about[blank(subject)].append((predicate, blank(object_)))
        self = cls(base)
        self.about = {subject: sorted(set(pairs)) for subject, pairs in about.items()}
        self.listed = {member: sorted(listed[member]) for member in sorted(listed)}
        self._find_roots(heads)
        self._find_topics()
        return self

    def _find_roots(self, heads: dict[str, str]) -> None:
        """A root is the head of its own record and still has the class of its kind."""
        for subject, pairs in self.about.items():
            self._types[subject] = frozenset(o for p, o in pairs if p == TYPE)
        self.roots = {cls: [] for cls in _ROOTS.values()}
        for head in sorted(heads):
            wanted = _ROOTS.get(heads[head])
            if wanted and wanted in self.types(head) and not self.is_gone(head):
                self.roots[wanted].append(head)

    def _find_topics(self) -> None:
        for subject in sorted(self.about):
            if _CATALOG_RECORD in self.types(subject):
                for topic in self.values(subject, _TOPIC):
                    self.topics.setdefault(topic, []).append(subject)

    def put(self, node: str, cls: str, pairs: Iterable[Pair], listing: Pair | None = None) -> None:
        """Describe a node that stands in no record, unless it is described already.

        listing: the catalogue that lists it, and by which property.
        """
        if node in self.about:
            return
        self.about[node] = sorted({(TYPE, cls), *pairs})
        self._types[node] = frozenset({cls})
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
