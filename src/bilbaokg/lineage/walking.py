"""Walking along lineage in the working store: what a thing comes from, and what is made of it.

A step is one `prov:wasDerivedFrom`, at whatever level the walk begins: columns lead to columns,
tables to tables, datasets to datasets. From a job the first step is to what it reads or writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pyoxigraph as ox

from bilbaokg.store.embedded import EmbeddedStore, storage_errors
from bilbaokg.terms import CSVW, DCT, FOAF, PROV, RDFS, SCHEMA, SKOS

__all__ = ["DIRECTIONS", "Step", "Walk", "label", "walk"]

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


@dataclass(frozen=True, slots=True)
class Step:
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
    found, seen, frontier, distance = Walk(), {begin}, [begin], 0
    with storage_errors(store.path or "memory"):
        while frontier and (hops is None or distance < hops):
            distance += 1
            reached = []
            for node in frontier:
                for other in _next(store, node, direction, first=distance == 1):
                    if other in seen:
                        continue
                    if len(found.steps) == limit:
                        found.complete = False
                        return found
                    seen.add(other)
                    reached.append(other)
                    found.steps.append(Step(_value(other), distance, _value(node)))
            frontier = reached
    return found


def _next(store: EmbeddedStore, node: Any, direction: str, *, first: bool) -> Iterable[Any]:
    """The neighbours of a node, in an order that does not depend on how they are stored."""
    quads = store.raw.quads_for_pattern
    if direction == "upstream":
        found = {quad.object for quad in quads(node, _DERIVED, None, None)}
    else:
        found = {quad.subject for quad in quads(None, _DERIVED, node, None)}
    if first:
        found |= {quad.object for quad in quads(node, _OF_JOB[direction], None, None)}
    return sorted(found, key=_value) if len(found) > 1 else found


def _value(node: Any) -> str:
    return str(node.value)


def label(store: EmbeddedStore, iri: str, language: str) -> str:
    """What a thing is called; a column by its table and its name. The IRI where it has no name."""
    node = ox.NamedNode(iri)
    with storage_errors(store.path or "memory"):
        name = next(_names(store, node, language), iri)
        if not any(store.raw.quads_for_pattern(node, _COLUMN_NAME, None, None)):
            return name
        tables = [q.object for q in store.raw.quads_for_pattern(node, _PART_OF, None, None)]
        whole = [next(_names(store, table, language), _value(table)) for table in tables]
    return f"{min(whole)}.{name}" if whole else name


def _names(store: EmbeddedStore, node: Any, language: str) -> Iterator[str]:
    """The names of a thing, those in the language first, then those in none."""
    for predicate in _LABELS:
        quads = store.raw.quads_for_pattern(node, predicate, None, None)
        literals = [quad.object for quad in quads if isinstance(quad.object, ox.Literal)]
        ranked = [(x.language != language, x.language is not None, x.value) for x in literals]
        if ranked:
            yield min(ranked)[2]
