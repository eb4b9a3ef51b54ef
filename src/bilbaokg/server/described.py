"""The exact text of a record as values for a page: names first, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final
from urllib.parse import quote

from bilbaokg.index import Text, choose
from bilbaokg.server.reading import Reader, anchor
from bilbaokg.server.views import (
    Action,
    Group,
    Node,
    Value,
)
from bilbaokg.skolem import GENID
from bilbaokg.terms import (
    DCT,
    FOAF,
    RDF,
    RDFS,
    SKOS,
    language_of,
    plain,
    ref,
    split_line,
    split_lines,
)

__all__ = ["SUMMARIES", "TITLES", "TYPE", "Described", "Writer", "formats", "open_in_sparql"]

TYPE: Final = ref(RDF.type)
TITLES: Final = tuple(map(ref, (DCT.title, SKOS.prefLabel, FOAF.name, RDFS.label)))
"""The properties that name a resource, the best first."""
SUMMARIES: Final = tuple(map(ref, (DCT.description, SKOS.definition, RDFS.comment)))
"""Those that say in a few sentences what it is."""
_DEPTH: Final = 3
# Statements that a page shows in all, and of one subject.
_MOST_STATEMENTS: Final = 400
_MOST_OF_ONE: Final = 200
# Nodes of other records that are written out.
_MOST_SHARED: Final = 50
_DATA: Final = (("Turtle", "ttl"), ("JSON-LD", "jsonld"), ("RDF/XML", "rdf"), ("N-Triples", "nt"))


class Described:
    """The statements of one record: subject -> predicate -> objects (N-Triples terms)."""

    def __init__(self, text: str) -> None:
        self.subjects: dict[str, dict[str, list[str]]] = {}
        for s, p, o in map(split_line, split_lines(text)):
            self.subjects.setdefault(s, {}).setdefault(p, []).append(o)

    def of(self, subject: str) -> dict[str, list[str]]:
        """What is said of a subject."""
        return self.subjects.get(subject, {})

    def all(self, subject: str, predicate: str) -> list[str]:
        """The objects of a subject's property (an IRI)."""
        return self.of(subject).get(ref(predicate), [])

    def first(self, subject: str, predicate: str) -> str | None:
        """One object of a subject's property, as its plain text."""
        return next(map(plain, self.all(subject, predicate)), None)

    def is_part(self, term: str) -> bool:
        """Whether a term is a nameless node of the record, or a part without a name of a thing in
        it: one whose IRI is that of the thing, with a fragment."""
        held = self.subjects.get(term)
        if held is None:
            return False
        whole, mark, _ = term.partition("#")
        return GENID in term or (
            bool(mark) and f"{whole}>" in self.subjects and not any(p in held for p in TITLES)
        )

    def iris(self) -> Iterator[str]:
        """Every IRI that the record mentions."""
        for subject, held in self.subjects.items():
            yield plain(subject)
            for predicate, objects in held.items():
                yield plain(predicate)
                yield from (plain(o) for o in objects if o.startswith("<"))


class Writer:
    """Writes the statements of one record for one reader."""

    def __init__(
        self, record: Described, reader: Reader, shared: Iterator[int] | None = None
    ) -> None:
        self.record, self.reader = record, reader
        # One for each node of another record that may still be written out, on the whole page.
        self._left = iter(range(_MOST_SHARED)) if shared is None else shared
        reader.load(record.iris())

    def value(self, term: str, depth: int = 0) -> Value:
        """A term; a nameless node of the record is shown by what is said of it."""
        if not self.record.is_part(term):
            return self._shared(term, depth) or self.reader.value(term)
        if depth >= _DEPTH:
            return Value(Text("…", ""), f"#{anchor(plain(term))}")
        return Value(Text("", ""), parts=self.groups(term, depth=depth + 1))

    def _shared(self, term: str, depth: int) -> Value | None:
        """A node without a name that several records share, by what is said of it, too."""
        if GENID not in term or depth >= _DEPTH:
            return None
        iri = plain(term)
        place = self.reader.place(iri)
        if place is None or self.reader.is_named(iri) or next(self._left, None) is None:
            return None
        shared = Described(self.reader.opened.index.text(place.record))
        if not shared.is_part(term):
            return None
        return Writer(shared, self.reader, self._left).value(term, depth)

    def groups(self, subject: str, skip: Iterable[str] = (), depth: int = 0) -> list[Group]:
        """All statements about a subject, by property, names in alphabetical order."""
        held = self.record.of(subject)
        left = [p for p in held if p not in {*skip, *((TYPE,) if depth else ())}]
        return sorted(
            (self.group(p, held[p], depth) for p in left), key=lambda g: g.name.text.text.casefold()
        )

    def group(self, predicate: str, objects: Sequence[str], depth: int = 0) -> Group:
        """One property with its values; of texts in several languages the reader's comes first, and
        stands alone within another's."""
        own = self.reader.lang
        if depth and any(language_of(o) == own for o in objects):
            objects = [o for o in objects if language_of(o) in (own, None)]
        ordered = sorted(objects, key=lambda o: (language_of(o) not in (own, None), o))
        values = [self.value(o, depth) for o in ordered]
        # Two vocabularies often have the same word; the table of all statements keeps both.
        once = {(v.text, bool(v.parts), n if v.parts else 0): v for n, v in enumerate(values)}
        return Group(self.reader.iri(plain(predicate)), list(once.values()))

    def facts(self, subject: str, predicates: Iterable[str]) -> list[Group]:
        """These properties of a subject, where it has them."""
        held = self.record.of(subject)
        return [self.group(p, held[p]) for p in predicates if p in held]

    def text(self, subject: str, predicates: Iterable[str]) -> Text:
        """The text of the first of these properties that is there, for this reader."""
        held = self.record.of(subject)
        found = next((held[p] for p in predicates if p in held), [])
        texts = {language_of(o) or "": plain(o) for o in reversed(found)}
        return choose(texts, self.reader.lang)

    def values(self, subject: str, predicate: str) -> list[Value]:
        """The values of a property (an IRI)."""
        return [self.value(o) for o in self.record.all(subject, predicate)]

    def one(self, subject: str, predicate: str) -> Value | None:
        """The first value of a property, or None."""
        return next(iter(self.values(subject, predicate)), None)

    def nodes(self, first: str) -> list[Node]:
        """The subjects with their statements; the one that the page is about comes first.

        Of records that nobody reads to the end the first statements: all are in their data.
        """
        ordered = sorted(self.record.subjects, key=lambda s: (s != first, s))
        found: list[Node] = []
        left = _MOST_STATEMENTS
        for subject in ordered:
            node, count = self._node(subject, left), self._count(subject)
            if left <= 0:
                found[-1] = replace(found[-1], more=found[-1].more + count)
            else:
                found.append(node)
                left -= count - node.more
        return found

    def _count(self, subject: str) -> int:
        return sum(map(len, self.record.of(subject).values()))

    def _node(self, subject: str, most: int) -> Node:
        said = [(p, o) for p, objects in sorted(self.record.of(subject).items()) for o in objects]
        shown = said[: min(max(most, 0), _MOST_OF_ONE)]
        groups = [
            Group(self.reader.iri(plain(p)), [self.reader.value(o) for _, o in held])
            for p, held in groupby(shown, key=lambda each: each[0])
        ]
        return Node(anchor(plain(subject)), plain(subject), groups, len(said) - len(shown))


def formats(reader: Reader, id: str) -> list[Action]:
    """A record as data."""
    return [
        Action(name, reader.site.dated(f"{reader.site.root}/{quote(id)}.{extension}"), "alternate")
        for name, extension in _DATA
    ]


def open_in_sparql(reader: Reader, iri: str, pattern: str = "<{}> ?property ?value") -> str:
    """The query page on a resource; "" for the past, of which it knows nothing."""
    if reader.site.moment:
        return ""
    text = f"SELECT * WHERE {{\n  {pattern.format(iri)} .\n}}\n"
    return reader.site.url(f"/sparql?query={quote(text)}&run=1")
