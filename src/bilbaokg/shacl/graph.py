"""Statements as SHACL looks at them: the properties of a node, who points to it, who has a type.

Everything here is N-Triples text (see terms.py): exact literals, and no engine's own classes.
`Graph` holds statements in memory; `Layers` sees background knowledge through them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from bilbaokg.skolem import GENID
from bilbaokg.terms import RDF, RDFS, ref

__all__ = [
    "FIRST",
    "NIL",
    "REST",
    "SUBCLASS",
    "TYPE",
    "Graph",
    "Layers",
    "Properties",
    "Statements",
    "Walkable",
    "is_blank",
    "is_resource",
]

TYPE: Final = ref(RDF.type)
FIRST: Final = ref(RDF.first)
REST: Final = ref(RDF.rest)
NIL: Final = ref(RDF.nil)
SUBCLASS: Final = ref(RDFS.subClassOf)

Properties = Mapping[str, Sequence[str]]
"""What is said of one node: its distinct objects by predicate."""

_NOTHING: Final[dict[str, list[str]]] = {}
# Searches for who refers to a node after which it pays to list all objects.
_SEARCHES: Final = 4
# Answers about classes that are remembered at a time.
_REMEMBERED: Final = 200_000


def is_resource(term: str) -> bool:
    """Whether a term is an IRI or a blank node."""
    return not term.startswith('"')


def is_blank(term: str) -> bool:
    """Whether a term is a blank node, or the IRI that importing made of one."""
    return term.startswith("_:") or (GENID in term and term.startswith("<"))


class Walkable(Protocol):
    """What paths ask of data."""

    def properties(self, node: str) -> Properties:
        """What is said of a node; empty where nothing is."""
        ...

    def subjects(self, predicate: str, object_: str) -> Sequence[str]:
        """Who has this object, by this predicate."""
        ...


class Statements(Walkable, Protocol):
    """What engines ask of data."""

    def nodes(self) -> Iterable[tuple[str, Properties]]:
        """Each node once, with what is said of it; of a part, only its own."""
        ...

    def is_mine(self, node: str) -> bool:
        """Whether a node is for this part of the data to look at, where there are several."""
        ...

    def pairs(self, predicate: str) -> Iterable[tuple[str, str]]:
        """Subject and object of every statement with a predicate."""
        ...

    def referrers(self, nodes: Iterable[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Subject and predicate of every statement whose object is one of the nodes, by node."""
        ...

    def lines(self) -> Iterable[str]:
        """All of it as N-Triples lines."""
        ...


Nodes = dict[str, dict[str, list[str]]]
"""Objects by subject and predicate."""


def take_apart(text: str, nodes: Nodes) -> None:
    """Add the statements of N-Triples lines to nodes, repeated ones and all."""
    before = ""
    properties: dict[str, list[str]] = {}
    for line in text.split(" .\n"):
        if not line:
            break
        subject, predicate, object_ = line.split(" ", 2)
        if subject != before:
            properties, before = nodes.setdefault(subject, {}), subject
        objects = properties.get(predicate)
        if objects is None:
            properties[predicate] = [object_]
        else:
            objects.append(object_)


def leave_once(properties: dict[str, list[str]]) -> dict[str, list[str]]:
    """Leave each statement about a node once."""
    for predicate, objects in properties.items():
        if len(objects) > 1:
            properties[predicate] = list(dict.fromkeys(objects))
    return properties


class Graph:
    """Distinct statements in memory. What looks at them backwards is made when first asked for."""

    def __init__(self, lines: Iterable[str]) -> None:
        nodes: Nodes = {}
        take_apart("".join(f"{line}\n" for line in lines), nodes)
        self._hold(nodes)

    @classmethod
    def of(cls, nodes: Nodes) -> Graph:
        """The graph of nodes that `take_apart` made; they become the graph's own."""
        made = cls.__new__(cls)
        made._hold(nodes)
        return made

    def _hold(self, nodes: Nodes) -> None:
        for properties in nodes.values():
            leave_once(properties)
        self.by_subject = nodes
        self._by_object: dict[str, list[tuple[str, str]]] | None = None
        self._searched = 0
        self._inverse: dict[str, dict[str, list[str]]] = {}

    def properties(self, node: str) -> Properties:
        return self.by_subject.get(node, _NOTHING)

    def nodes(self) -> Iterable[tuple[str, Properties]]:
        return self.by_subject.items()

    def is_mine(self, node: str) -> bool:
        return True

    def subjects(self, predicate: str, object_: str) -> Sequence[str]:
        inverse = self._inverse.get(predicate)
        if inverse is None:
            inverse = self._inverse[predicate] = {}
            for subject, object_of in self.pairs(predicate):
                inverse.setdefault(object_of, []).append(subject)
        return inverse.get(object_, ())

    def pairs(self, predicate: str) -> Iterator[tuple[str, str]]:
        for subject, properties in self.by_subject.items():
            for object_ in properties.get(predicate, ()):
                yield subject, object_

    def lines(self) -> Iterator[str]:
        for subject, properties in self.by_subject.items():
            for predicate, objects in properties.items():
                yield from (f"{subject} {predicate} {object_} ." for object_ in objects)

    def objects(self, subject: str, predicate: str) -> Sequence[str]:
        """What a statement about the subject says, in the order of the statements."""
        return self.properties(subject).get(predicate, ())

    def one(self, subject: str, predicate: str) -> str | None:
        """The first object, or None."""
        return next(iter(self.objects(subject, predicate)), None)

    def referrers(self, nodes: Iterable[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        wanted = dict.fromkeys(nodes)
        if self._by_object is None:
            self._searched += 1
            if self._searched <= _SEARCHES:
                return self._referring(wanted)
            self._by_object = self._referring(None)
        return {node: self._by_object.get(node, ()) for node in wanted}

    def _referring(self, wanted: Collection[str] | None) -> dict[str, list[tuple[str, str]]]:
        """Who refers to what, for all objects or for the wanted ones."""
        found: dict[str, list[tuple[str, str]]] = {}
        for subject, properties in self.by_subject.items():
            for predicate, objects in properties.items():
                for object_ in objects:
                    if wanted is None or object_ in wanted:
                        found.setdefault(object_, []).append((subject, predicate))
        return found


class Layers:
    """Data on top of what is known beside them: of a node is said what any layer says."""

    def __init__(self, own: Statements, *others: Statements) -> None:
        self.own, self.others = own, others
        self._instances: dict[tuple[str, str], bool] = {}
        self._above: dict[str, frozenset[str]] = {}

    def properties(self, node: str) -> Properties:
        found = self.own.properties(node)
        for layer in self.others:
            if more := layer.properties(node):
                found = _merged(found, more) if found else more
        return found

    def subjects(self, predicate: str, object_: str) -> Sequence[str]:
        found = self.own.subjects(predicate, object_)
        for layer in self.others:
            if more := layer.subjects(predicate, object_):
                found = list(dict.fromkeys([*found, *more]))
        return found

    def pairs(self, predicate: str) -> Iterator[tuple[str, str]]:
        for layer in (self.own, *self.others):
            yield from layer.pairs(predicate)

    def referrers(self, nodes: Iterable[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        wanted = list(nodes)
        found: dict[str, dict[tuple[str, str], None]] = {node: {} for node in wanted}
        for layer in (self.own, *self.others):
            for node, pairs in layer.referrers(wanted).items():
                found[node].update(dict.fromkeys(pairs))
        return {node: list(pairs) for node, pairs in found.items()}

    def lines(self) -> Iterator[str]:
        for layer in (self.own, *self.others):
            yield from layer.lines()

    def objects(self, subject: str, predicate: str) -> Sequence[str]:
        """What a statement about the subject says."""
        return self.properties(subject).get(predicate, ())

    def one(self, subject: str, predicate: str) -> str | None:
        """The first object, or None."""
        return next(iter(self.objects(subject, predicate)), None)

    def is_own(self, node: str) -> bool:
        """Whether results about a node are about the data: it is not of the other layers alone."""
        return bool(self.own.properties(node)) or not any(
            layer.properties(node) for layer in self.others
        )

    # ---- classes (SHACL, section 1.1: SHACL instance, SHACL subclass)

    def is_instance(self, node: str, name: str) -> bool:
        """Whether a node is a SHACL instance of a class."""
        key = (node, name)
        found = self._instances.get(key)
        if found is None:
            types = self.properties(node).get(TYPE, ()) if is_resource(node) else ()
            found = name in types or any(name in self.superclasses(t) for t in types)
            if len(self._instances) > _REMEMBERED:
                self._instances.clear()
            self._instances[key] = found
        return found

    def superclasses(self, name: str) -> frozenset[str]:
        """A class and all above it."""
        if name not in self._above:
            self._above[name] = _closure(name, lambda n: self.properties(n).get(SUBCLASS, ()))
        return self._above[name]

    def subclasses(self, name: str) -> frozenset[str]:
        """A class and all below it."""
        return _closure(name, lambda n: self.subjects(SUBCLASS, n))


def _merged(first: Properties, second: Properties) -> Properties:
    names = dict.fromkeys([*first, *second])
    return {p: list(dict.fromkeys([*first.get(p, ()), *second.get(p, ())])) for p in names}


def _closure(name: str, step: Callable[[str], Iterable[str]]) -> frozenset[str]:
    found, waiting = {name}, [name]
    while waiting:
        further = set(step(waiting.pop())) - found
        found |= further
        waiting += further
    return frozenset(found)
