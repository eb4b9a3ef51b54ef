"""Single mutations of records: each property that shapes restrict, dropped, doubled, mistyped, ...

A mutation is a copy of one node of a base record, under an IRI of its own, with one property
changed; what the node refers to is shared. So one validation judges thousands of mutations, and
each is judged alone. The same seed gives the same mutations.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bilbaokg.shacl.graph import TYPE, Graph, Layers
from bilbaokg.terms import DCAT, SH, XSD, language_of, literal, plain, ref, split_line

__all__ = ["KINDS", "Mutation", "Restricted", "mutations", "reached", "restricted"]

EU: Final = "http://publications.europa.eu/resource/authority"
INVERSE: Final = ref(SH.inversePath)

KINDS: Final = (
    "dropped", "doubled", "mistyped", "of a table", "of class", "unknown IRI", "blank node",
    "language",
)  # fmt: skip
"""What every set of mutations has, as parts of their names."""

Restricted = tuple[str, str, bool]
"""Class, predicate, and whether the shapes follow it backwards; terms are N-Triples."""


@dataclass(frozen=True)
class Mutation:
    """One wrong (or, by chance, still right) copy of a node."""

    name: str
    focus: str
    lines: tuple[str, ...]


def restricted(shapes: Graph) -> list[Restricted]:
    """Every property that a shape with a target class says something about."""
    found: set[Restricted] = set()
    for properties in shapes.by_subject.values():
        for target in properties.get(ref(SH.targetClass), ()):
            for shape in properties.get(ref(SH.property), ()):
                for path in shapes.objects(shape, ref(SH.path)):
                    if path.startswith("<"):
                        found.add((target, path, False))
                    elif inverse := shapes.one(path, INVERSE):
                        found.add((target, inverse, True))
    return sorted(found)


# ---- wrong values

# Forms on which the reference engine judges as XSD does; test_shacl_lexical.py has all the others.
MISTYPED: Final = (
    ("text", literal("un texto")),
    ("empty text", literal("")),
    ("tagged text", literal("un texto", language="es")),
    ("regional text", literal("a text", language="en-gb")),
    ("integer", literal("12", datatype=XSD.integer)),
    ("negative size", literal("-1", datatype=XSD.nonNegativeInteger)),
    ("signed size", literal("+1", datatype=XSD.nonNegativeInteger)),
    ("decimal", literal("1.50", datatype=XSD.decimal)),
    ("decimal comma", literal("1,5", datatype=XSD.decimal)),
    ("double", literal("1e3", datatype=XSD.double)),
    ("boolean word", literal("sí", datatype=XSD.boolean)),
    ("date", literal("2024-02-29", datatype=XSD.date)),
    ("no such day", literal("2024-02-30", datatype=XSD.date)),
    ("local date", literal("31/05/2024", datatype=XSD.date)),
    ("moment", literal("2024-05-31T10:00:00+02:00", datatype=XSD.dateTime)),
    ("year", literal("2024", datatype=XSD.gYear)),
    ("duration", literal("P1Y2M", datatype=XSD.duration)),
    ("empty duration", literal("P", datatype=XSD.duration)),
    ("hex", literal("0A1b", datatype=XSD.hexBinary)),
    ("odd hex", literal("0a1", datatype=XSD.hexBinary)),
    ("address as literal", literal("https://example.org/x", datatype=XSD.anyURI)),
    ("datatype of their own", literal("x", datatype="urn:example:datatype")),
)
VOCABULARY: Final = tuple(
    f"<{iri}>"
    for iri in (
        f"{EU}/data-theme/TRAN",
        f"{EU}/data-theme/NONE",
        f"{EU}/data-theme/tran",
        f"{EU}/frequency/ANNUAL",
        f"{EU}/frequency/SOMETIMES",
        f"{EU}/file-type/CSV",
        f"{EU}/file-type/PAPER",
        f"{EU}/language/SPA",
        f"{EU}/language/es",
        f"{EU}/access-right/PUBLIC",
        f"{EU}/access-right/SECRET",
        f"{EU}/place/ESP_BIO",
        f"{EU}/country/ESP",
        f"{EU}/licence/CC_BY_4_0",
        f"{EU}/dataset-type/GEOSPATIAL",
        f"{EU}/planned-availability/STABLE",
        f"{EU}/distribution-status/COMPLETED".replace("http:", "https:"),
        "http://purl.org/adms/publishertype/LocalAuthority",
        "https://www.iana.org/assignments/media-types/text/csv",
        "https://sws.geonames.org/3128026/",
    )
)
LITERAL_TWINS: Final = {"es": "otro texto", "eu": "beste testu bat"}

FOLLOWED: Final = frozenset({ref(DCAT.inSeries)})
"""Predicates that shapes follow backwards: copies keep who refers to them."""

Change = tuple[str, list[str], list[str]]
"""What is done, the new values of the property, and further statements."""


class _Maker:
    """Makes the changes of one property of one node."""

    def __init__(self, base: Graph, subjects: dict[str, list[str]], chance: random.Random) -> None:
        self.base, self.subjects, self.chance = base, subjects, chance
        self.blank = 0

    def changes(self, values: list[str]) -> Iterator[Change]:
        yield from self._fewer(values)
        yield from self._more(values)
        for name, value in self.chance.sample(MISTYPED, 6):
            yield self._with(f"mistyped: {name}", values, value)
        for value in self.chance.sample(VOCABULARY, 3):
            yield self._with("of a table", values, value)
        for class_ in self.chance.sample(sorted(self.subjects), 3):
            yield self._with(
                f"of class {class_}", values, self.chance.choice(self.subjects[class_])
            )
        unknown = f"<https://example.org/unknown/{self.chance.randrange(10**6)}>"
        yield self._with("unknown IRI", values, unknown)
        yield self._blank("bare blank node", values, [])
        class_ = self.chance.choice(sorted(self.subjects))
        yield self._blank(f"blank node of class {class_}", values, [class_])

    def _fewer(self, values: list[str]) -> Iterator[Change]:
        if values:
            yield "dropped", [], []
        if len(values) > 1:
            yield "one dropped", values[1:], []

    def _more(self, values: list[str]) -> Iterator[Change]:
        if not values:
            return
        value = values[0]
        if not value.startswith('"'):
            same = [s for s in self._alike(value) if s not in values]
            yield "doubled", [*values, self.chance.choice(same or VOCABULARY)], []
            return
        yield "doubled", [*values, self._twin(value, "x")], []
        if language_of(value):
            text = plain(value)
            yield "other language", [literal(text, language="fr"), *values[1:]], []
            yield "no language", [literal(text), *values[1:]], []
            yield "same language twice", [*values, self._twin(value, "y")], []

    def _alike(self, value: str) -> list[str]:
        types = self.base.objects(value, TYPE)
        return [s for t in types for s in self.subjects.get(t, ())]

    def _twin(self, value: str, suffix: str) -> str:
        language = language_of(value)
        if language:
            return literal(f"{LITERAL_TWINS.get(language, 'text')} {suffix}", language=language)
        text, _, datatype = value.rpartition('"')
        return {
            XSD.date: literal("1999-12-31", datatype=XSD.date),
            XSD.gYear: literal("1999", datatype=XSD.gYear),
        }.get(datatype[3:-1], f'{text}0"{datatype}')

    def _with(self, name: str, values: list[str], value: str) -> Change:
        """The value beside the others, or in their place."""
        if self.chance.random() < 0.3:
            return f"{name} too", [*(v for v in values if v != value), value], []
        return name, [value], []

    def _blank(self, name: str, values: list[str], classes: list[str]) -> Change:
        self.blank += 1
        node = f"_:mutated{self.blank}"
        name, values, _ = self._with(name, values, node)
        return name, values, [f"{node} {TYPE} {class_} ." for class_ in classes]


def mutations(
    base: Iterable[str], properties: Iterable[Restricted], *, seed: int = 1, classes: Graph | None
) -> Iterator[Mutation]:
    """Mutations of the nodes of a base record, for each of the properties.

    classes: the axioms that say which nodes are of a class; nodes of no class of the properties
    are only referred to. A class without a node in the base gets a bare one.
    """
    graph = Graph(base)
    subjects: dict[str, list[str]] = defaultdict(list)
    for subject, said in graph.by_subject.items():
        for class_ in said.get(TYPE, ()):
            subjects[class_].append(subject)
    number = 0
    for class_, predicate, backwards in properties:
        chance = random.Random(f"{seed}/{class_}/{predicate}/{backwards}")  # noqa: S311
        maker = _Maker(graph, dict(subjects), chance)
        maker.blank = number * 1000
        node = _node(graph, class_, subjects, classes, chance)
        values = _values(graph, node, predicate, backwards)
        for done, new, more in maker.changes(values):
            number += 1
            mark = "^" if backwards else ""
            name = f"{node or class_} {mark}{predicate} {done}"
            # A part of the nodes are blank: whoever refers to them makes them reachable.
            focus = f"<https://example.org/mutated/{number}>" if number % 10 else f"_:m{number}"
            lines = _copy(graph, node, class_, focus, predicate, backwards)
            ends = ((v, focus) if backwards else (focus, v) for v in new)
            lines += [f"{s} {predicate} {o} ." for s, o in ends if not s.startswith('"')]
            if focus.startswith("_:"):
                lines.append(f"<https://example.org/parent/{number}> <urn:example:has> {focus} .")
            yield Mutation(name, focus, tuple(dict.fromkeys([*lines, *more])))


def _node(
    graph: Graph,
    class_: str,
    subjects: dict[str, list[str]],
    classes: Graph | None,
    chance: random.Random,
) -> str | None:
    """A node of the class or of one below it."""
    below = Layers(classes).subclasses(class_) if classes else {class_}
    found = [s for name in sorted(below) for s in subjects.get(name, ())]
    # The first is the fullest; now and then another.
    return None if not found else found[0] if chance.random() < 0.8 else chance.choice(found)


def _values(graph: Graph, node: str | None, predicate: str, backwards: bool) -> list[str]:
    if node is None:
        return []
    if backwards:
        return list(graph.subjects(predicate, node))
    return list(graph.objects(node, predicate))


def _copy(
    graph: Graph, node: str | None, class_: str, focus: str, predicate: str, backwards: bool
) -> list[str]:
    """What is said of a node (and what leads to it backwards), without the property."""
    if node is None:
        return [f"{focus} {TYPE} {class_} ."]
    lines = [
        f"{focus} {p} {focus if o == node else o} ."
        for p, objects in graph.by_subject[node].items()
        if backwards or p != predicate
        for o in objects
    ]
    if not backwards:
        lines += [f"{s} {p} {focus} ." for s, p in graph.referrers([node])[node] if p in FOLLOWED]
    return lines


def reached(lines: Iterable[str]) -> dict[str, str]:
    """A name for each blank node: from which IRI, by which predicates, it is first reached.

    Nodes that are reached alike get one name; the multisets of results then hold all of them.
    """
    below: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in lines:
        subject, predicate, object_ = split_line(line)
        if object_.startswith("_:"):
            below[subject].append((predicate, object_))
    names: dict[str, str] = {}
    level = sorted(s for s in below if not s.startswith("_:"))
    while level:
        found: dict[str, str] = {}
        for subject in level:
            for predicate, object_ in below[subject]:
                if object_ not in names:
                    name = f"{names.get(subject, subject)} {predicate}"
                    found[object_] = min(name, found.get(object_, name))
        names |= found
        level = sorted(s for s in found if s in below)
    return names
