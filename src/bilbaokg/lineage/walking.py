"""Walking along lineage in the working store: what a thing comes from, and what is made of it.

A step is one `prov:wasDerivedFrom`, at whatever level the walk begins: columns lead to columns,
tables to tables, datasets to datasets. From a job the first step is to what it reads or writes.
Downstream of a column are also tables on all of whose rows it bears (`prov:wasInfluencedBy`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

import pyoxigraph as ox

from bilbaokg.lineage.edges import level
from bilbaokg.store.embedded import EmbeddedStore, storage_errors
from bilbaokg.terms import CSVW, DCT, FOAF, LANGUAGES, PROV, RDFS, SCHEMA, SKOS

__all__ = [
    "DIRECTIONS",
    "Step",
    "Walk",
    "collect",
    "columns_of",
    "label",
    "part_of",
    "spread",
    "walk",
]

N = TypeVar("N", bound=Hashable)

DIRECTIONS: Final = ("upstream", "downstream")
_DERIVED: Final = ox.NamedNode(PROV.wasDerivedFrom)
# From a job: the first step, by direction.
_OF_JOB: Final = {
    "upstream": ox.NamedNode(SCHEMA.object),
    "downstream": ox.NamedNode(SCHEMA.result),
}
_LABELS: Final = tuple(
    map(
        ox.NamedNode,
        (DCT["title"], SKOS.prefLabel, FOAF.name, CSVW.name, RDFS.label, DCT.identifier),
    )
)
_COLUMN_NAME: Final = ox.NamedNode(CSVW.name)
_PART_OF: Final = ox.NamedNode(DCT.isPartOf)
_HAS_PART: Final = ox.NamedNode(DCT.hasPart)
_INFLUENCED: Final = ox.NamedNode(PROV.wasInfluencedBy)


class Step(NamedTuple):
    """One thing that was reached: after how many hops at least, and from which (IRIs)."""

    iri: str
    hops: int
    via: str


@dataclass(slots=True)
class Walk:
    """What was reached, nearest first; `complete` unless there was more than the limit."""

    steps: list[Step] = field(default_factory=list)
    complete: bool = True


def walk(
    store: EmbeddedStore, iri: str, direction: str, hops: int | None = None, limit: int = 100_000
) -> Walk:
    """Everything within so many hops of a thing (None: at any distance), each once.

    It ends on circles, too. direction: one of DIRECTIONS; limit: how many things at most.
    """
    begin: Any = ox.NamedNode(iri)
    crosses = direction == "downstream" and level(store, iri) == "column"

    def near(node: Any) -> Iterable[Any]:
        found = _next(store, node, direction, first=node == begin)
        return [*found, *_influenced(store, node, found)] if crosses else found

    with storage_errors(store.path or "memory"):
        return collect(spread(begin, near, hops), _value, limit)


def spread(
    start: N, near: Callable[[N], Iterable[N]], hops: int | None = None
) -> Iterator[tuple[N, int, list[N]]]:
    """Everything within so many hops (None: at any distance), each once, nearest first.

    near: the nodes one hop from a node, each once. Gives a node, and what is first reached from
    it, after how many hops.
    """
    seen, frontier, distance = {start}, [start], 0
    while frontier and (hops is None or distance < hops):
        distance += 1
        reached: list[N] = []
        for node in frontier:
            if fresh := [other for other in near(node) if other not in seen]:
                seen.update(fresh)
                reached += fresh
                yield node, distance, fresh
        frontier = reached


def collect(
    reached: Iterable[tuple[N, int, list[N]]], name: Callable[[N], str], limit: int
) -> Walk:
    """What was reached (see spread) as a walk, at most `limit` steps. name: the IRI of a node."""
    found = Walk()
    for node, hops, fresh in reached:
        via = name(node)
        found.steps += [Step(name(other), hops, via) for other in fresh]
        if len(found.steps) > limit:
            del found.steps[limit:]
            found.complete = False
            break
    return found


def _next(store: EmbeddedStore, node: Any, direction: str, *, first: bool) -> Collection[Any]:
    """The neighbours of a node by derivation; of a job or run at first what it reads or writes."""
    quads = store.raw.quads_for_pattern
    if direction == "upstream":
        found = {quad.object for quad in quads(node, _DERIVED, None, None)}
    else:
        found = {quad.subject for quad in quads(None, _DERIVED, node, None)}
    if first:
        found |= {quad.object for quad in quads(node, _OF_JOB[direction], None, None)}
    return _ordered(found)


def _influenced(store: EmbeddedStore, column: Any, besides: Collection[Any]) -> Collection[Any]:
    """The tables on all of whose rows a column bears, but some."""
    quads = store.raw.quads_for_pattern(None, _INFLUENCED, column, None)
    found: set[Any] = {quad.subject for quad in quads}
    tables = (node for node in found.difference(besides) if isinstance(node, ox.NamedNode))
    return _ordered([node for node in tables if level(store, node.value) == "table"])


def _ordered(nodes: Collection[Any]) -> Collection[Any]:
    """In an order that does not depend on how they are stored."""
    return sorted(nodes, key=_value) if len(nodes) > 1 else nodes


def _value(node: Any) -> str:
    return str(node.value)


def label(store: EmbeddedStore, iri: str, language: str) -> str:
    """What a thing is called; a column by its table and its name. The IRI where it has no name."""
    node = ox.NamedNode(iri)
    with storage_errors(store.path or "memory"):
        name = next(_names(store, node, language), iri)
        if not any(store.raw.quads_for_pattern(node, _COLUMN_NAME, None, None)):
            return name
        tables = part_of(store, iri)
        whole = [next(_names(store, ox.NamedNode(t), language), t) for t in tables]
    return f"{min(whole)}.{name}" if whole else name


def part_of(store: EmbeddedStore, iri: str) -> list[str]:
    """What a thing is part of, by what is said of it (dct:isPartOf)."""
    quads = store.raw.quads_for_pattern(ox.NamedNode(iri), _PART_OF, None, None)
    return sorted({q.object.value for q in quads if isinstance(q.object, ox.NamedNode)})


def columns_of(store: EmbeddedStore, table: str) -> list[str]:
    """The columns of a table, whichever of the two says so (dct:hasPart, dct:isPartOf), by IRI."""
    node, raw = ox.NamedNode(table), store.raw
    said = {quad.object for quad in raw.quads_for_pattern(node, _HAS_PART, None, None)}
    said |= {quad.subject for quad in raw.quads_for_pattern(None, _PART_OF, node, None)}
    parts = (part.value for part in said if isinstance(part, ox.NamedNode))
    return sorted(part for part in parts if level(store, part) == "column")


def _names(store: EmbeddedStore, node: Any, language: str) -> Iterator[str]:
    """The names of a thing, those in the language first, then those in none, then in the order of
    our languages."""
    order = (language, None, *LANGUAGES)
    for predicate in _LABELS:
        quads = store.raw.quads_for_pattern(node, predicate, None, None)
        literals = [quad.object for quad in quads if isinstance(quad.object, ox.Literal)]
        ranked = [
            (order.index(x.language) if x.language in order else len(order), x.value)
            for x in literals
        ]
        if ranked:
            yield min(ranked)[1]
