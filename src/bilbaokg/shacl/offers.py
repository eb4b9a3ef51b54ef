"""What a constraint allows, read from the shapes: values to choose from, or what they must be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from bilbaokg.shacl.messages import compact
from bilbaokg.shacl.shapes import Shapes, local_name
from bilbaokg.shacl.vocabulary import IN_SCHEME, Vocabulary
from bilbaokg.terms import SH, plain, ref

__all__ = ["LONG_PATTERN", "Offer", "Offers"]

LONG_PATTERN: Final = 80
"""A pattern with more characters than this is not shown."""

_DEPTH: Final = 5
_T = TypeVar("_T")
_BOUNDS: Final = {
    "MinInclusive": ">=",
    "MaxInclusive": "<=",
    "MinExclusive": ">",
    "MaxExclusive": "<",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What may stand there.

    terms: values to choose from (N-Triples terms); far: terms of several tables, which may be meant
    yet are no list; near: terms that other constraints on the same property offer. notes: what else
    is allowed, as text: kinds of nodes as `sh:IRI`. datatypes: IRIs of literals that would do.
    patterns: (regular expression, flags). resource: whether a literal is never right.
    """

    terms: tuple[str, ...] = ()
    far: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    datatypes: tuple[str, ...] = ()
    patterns: tuple[tuple[str, str], ...] = ()
    resource: bool = False


def _any(offers: Sequence[Offer]) -> Offer:
    """What one of several alternatives allows."""
    return Offer(
        terms=_distinct(t for o in offers for t in o.terms),
        far=_distinct(t for o in offers for t in o.far),
        notes=_distinct(n for o in offers for n in o.notes),
        datatypes=_distinct(d for o in offers for d in o.datatypes),
        patterns=_distinct(p for o in offers for p in o.patterns),
        resource=bool(offers) and all(o.resource for o in offers),
    )


def _all(offers: Sequence[Offer]) -> Offer:
    """What several constraints allow together: lists and types say more than patterns and kinds."""
    found = _any(offers)
    telling = found.terms or found.datatypes
    notes = _distinct(n for o in offers for n in o.notes if o.terms or o.datatypes or not telling)
    if found.patterns:
        notes = tuple(note for note in notes if not note.startswith("sh:"))
    return Offer(
        terms=found.terms,
        far=found.far,
        notes=notes,
        datatypes=found.datatypes,
        patterns=found.patterns,
        resource=any(o.resource for o in offers),
    )


def _distinct(values: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(values))


class Offers:
    """Reads offers from one shapes graph, with the background that its values come from."""

    def __init__(self, shapes: Shapes, vocabulary: Vocabulary) -> None:
        self._shapes, self._graph, self._vocabulary = shapes, shapes.graph, vocabulary

    def of(self, shape: str, name: str, depth: int = _DEPTH) -> Offer:
        """What the constraint with this component name allows in this shape."""
        values = self._graph.objects(shape, ref(SH[name[:1].lower() + name[1:]]))
        if name == "Closed":
            return Offer(terms=self._admitted(shape))
        return _all([self._one(shape, name, value, depth) for value in values])

    def beside(self, shape: str) -> tuple[str, ...]:
        """The values that the shapes beside a property shape offer for the same property."""
        path = self._graph.objects(shape, ref(SH.path))
        parents = self._graph.subjects(ref(SH.property), shape)
        beside = [s for p in parents for s in self._inner(p)]
        alike = [s for s in beside if self._graph.objects(s, ref(SH.path)) == path]
        qualified = [q for s in alike for q in self._graph.objects(s, ref(SH.qualifiedValueShape))]
        offers = [self._own(s, _DEPTH) for s in alike] + [self._shape(q, _DEPTH) for q in qualified]
        return _distinct(t for offer in offers for t in offer.terms)

    def _one(self, shape: str, name: str, value: str, depth: int) -> Offer:
        match name:
            case "In":
                terms = tuple(self._shapes.members(value))
                return Offer(terms=terms, resource=_are_iris(terms))
            case "HasValue":
                return Offer(terms=(value,), resource=_are_iris([value]))
            case "Class":
                return self._class(value)
            case "Datatype":
                return Offer(notes=(compact(value),), datatypes=(plain(value),))
            case "NodeKind":
                kind = local_name(plain(value))
                return Offer(notes=(f"sh:{kind}",), resource="Literal" not in kind)
            case "Pattern":
                flags = self._graph.one(shape, ref(SH.flags))
                pattern = plain(value)
                shown = (pattern,) if len(pattern) <= LONG_PATTERN else ()
                return Offer(notes=shown, patterns=((pattern, plain(flags) if flags else ""),))
            case "LanguageIn":
                return Offer(notes=tuple(map(plain, self._shapes.members(value))))
            case "Node":
                return self._shape(value, depth - 1)
            case "And" | "Or" | "Xone":
                inner = [self._shape(each, depth - 1) for each in self._shapes.members(value)]
                return _all(inner) if name == "And" else _any(inner)
        return Offer(notes=(f"{_BOUNDS[name]} {plain(value)}",)) if name in _BOUNDS else Offer()

    def _shape(self, shape: str, depth: int) -> Offer:
        """What a nested shape allows; of its properties only the table tells what may stand."""
        if not depth:
            return Offer()
        properties = self._graph.properties(shape)
        if path := self._graph.one(shape, ref(SH.path)):
            tables = properties.get(ref(SH.hasValue), ()) if path == IN_SCHEME else ()
            return Offer(terms=tuple(t for s in tables for t in self._concepts(s)), resource=True)
        inner = [self._shape(each, depth - 1) for each in self._inner(shape)]
        return _all([self._own(shape, depth), *inner])

    def _own(self, shape: str, depth: int) -> Offer:
        """What the constraints of a shape itself allow together."""
        properties = self._graph.properties(shape)
        names = [local_name(plain(p)) for p in properties if p.startswith(f"<{SH}")]
        return _all([self.of(shape, name[:1].upper() + name[1:], depth) for name in names])

    def _inner(self, shape: str) -> Sequence[str]:
        return self._graph.objects(shape, ref(SH.property))

    def _class(self, name: str) -> Offer:
        terms = tuple(self._vocabulary.instances(name))
        if terms and self._vocabulary.is_table(terms):
            return Offer(terms=terms, resource=True)
        return Offer(far=terms, notes=(compact(name),), resource=True)

    def _concepts(self, scheme: str) -> list[str]:
        return self._vocabulary.concepts(scheme)

    def _admitted(self, shape: str) -> tuple[str, ...]:
        """The properties that a closed shape names or ignores."""
        lists = self._graph.objects(shape, ref(SH.ignoredProperties))
        paths = [self._graph.one(inner, ref(SH.path)) for inner in self._inner(shape)]
        ignored = [p for head in lists for p in self._shapes.members(head)]
        return tuple(p for p in [*paths, *ignored] if p and p.startswith("<"))


def _are_iris(terms: Iterable[str]) -> bool:
    return all(term.startswith("<") for term in terms)
