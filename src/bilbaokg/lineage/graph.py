"""Lineage held in memory: what comes from what, at every level, in compact arrays.

Nodes are the IRIs of columns, tables, datasets, distributions, jobs and runs; an edge leads the way
that data go, from a source to what is made of it. Each direction is kept as compressed sparse rows
(four bytes an edge, one for its kind), the IRIs as one block of bytes in which they are sorted.

A graph never changes: it is made of a store by `Graph.of`, once a release (`Opened.lineage`).
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Collection, Iterable, Iterator
from enum import IntEnum
from functools import partial
from typing import Final, NamedTuple

import pyoxigraph as ox

from bilbaokg.lineage.walking import DIRECTIONS, Walk, collect, spread
from bilbaokg.store.embedded import EmbeddedStore, storage_errors
from bilbaokg.terms import CSVW, DCAT, PROV, RDF, SCHEMA

__all__ = ["LEVELS", "Edge", "Graph", "Kind"]

# What a node is -> the class that says so; "other" is what no class tells.
_CLASSES: Final = {
    "run": PROV.Activity,
    "job": PROV.Plan,
    "distribution": DCAT.Distribution,
    "dataset": DCAT.Dataset,
    "table": CSVW.Table,
    "column": CSVW.Column,
}
LEVELS: Final = ("other", *_CLASSES)
_LOW: Final = 0xFFFFFFFF


class Kind(IntEnum):
    """What says an edge."""

    DERIVED = 0
    """prov:wasDerivedFrom, from a source to what comes from it."""
    READS = 1
    """schema:object, from a table to a job."""
    WRITES = 2
    """schema:result, from a job to a table."""
    USED = 3
    """prov:used, from a table to a run."""
    GENERATED = 4
    """prov:generated, from a run to a table."""


# Property -> the kind of its edges, and whether they lead to the subject of the statement.
_PROPERTIES: Final = {
    PROV.wasDerivedFrom: (Kind.DERIVED, True),
    SCHEMA.object: (Kind.READS, True),
    SCHEMA.result: (Kind.WRITES, False),
    PROV.used: (Kind.USED, True),
    PROV.generated: (Kind.GENERATED, False),
}


class Edge(NamedTuple):
    """One edge, from a source to what is made of it (IRIs)."""

    source: str
    target: str
    kind: Kind = Kind.DERIVED


class Graph:
    """Lineage as it was when the graph was made; many threads may ask it."""

    def __init__(self, edges: Iterable[Edge], levels: Iterable[tuple[str, str]] = ()) -> None:
        """edges: in any order, also twice; levels: IRI and one of LEVELS, the last word counts."""
        numbers: dict[str, int] = {}
        found = array("Q")
        kinds = bytearray()
        for source, target, kind in edges:
            start = numbers.setdefault(source, len(numbers))
            found.append(start << 32 | numbers.setdefault(target, len(numbers)))
            kinds.append(kind)
        names = sorted(iri.encode() for iri in numbers)
        place = array("I", bytes(4 * len(names)))
        for number, name in enumerate(names):
            place[numbers[name.decode()]] = number
        self._names = b"".join(names)
        self._ends = array("Q", [0])
        for name in names:
            self._ends.append(self._ends[-1] + len(name))
        del numbers, names
        self._levels = bytearray(len(place))
        for iri, level in levels:
            if (known := self._number(iri)) is not None:
                self._levels[known] = LEVELS.index(level)
        moved = [(place[e >> 32], place[e & _LOW], kind) for e, kind in zip(found, kinds)]  # noqa: B905
        self._down = _Rows(len(place), (s << 35 | t << 3 | k for s, t, k in moved))
        self._up = _Rows(len(place), (t << 35 | s << 3 | k for s, t, k in moved))

    @classmethod
    def of(cls, store: EmbeddedStore) -> Graph:
        """The lineage that a store holds, of all its graphs together."""
        with storage_errors(store.path or "memory"):
            return cls(_edges(store), _typed(store))

    @property
    def nodes(self) -> int:
        """How many things have lineage."""
        return len(self._levels)

    @property
    def edges(self) -> int:
        """How many edges there are, of every kind."""
        return len(self._down.others)

    def __contains__(self, iri: str) -> bool:
        return self._number(iri) is not None

    def level(self, iri: str) -> str | None:
        """What a thing is, one of LEVELS; None where it has no lineage."""
        number = self._number(iri)
        return None if number is None else LEVELS[self._levels[number]]

    def neighbours(self, iri: str, direction: str) -> list[Edge]:
        """The edges of every kind that end at a thing (upstream) or begin there (downstream)."""
        number = self._number(iri)
        if number is None:
            return []
        found = [(self._iri(other), Kind(kind)) for other, kind in self._rows(direction).of(number)]
        if direction == "upstream":
            return [Edge(other, iri, kind) for other, kind in found]
        return [Edge(iri, other, kind) for other, kind in found]

    def walk(self, iri: str, direction: str, hops: int | None = None, limit: int = 100_000) -> Walk:
        """Everything within so many hops of a thing (None: at any distance), each once.

        Steps go by derivation; from a job or run the first is to what it reads or writes. It ends
        on circles. direction: one of DIRECTIONS; limit: how many things at most.
        """
        start = self._number(iri)
        if start is None:
            return Walk()
        near = partial(self._next, self._rows(direction))
        return collect(spread(start, near, hops), self._iri, limit)

    def path(self, source: str, target: str) -> list[str]:
        """A shortest way downstream from one thing to another, both included; empty if none."""
        start, end = self._number(source), self._number(target)
        if start is None or end is None:
            return []
        before = {start: start}
        for node, _, via in spread(start, partial(self._next, self._down)):
            if end in before:
                break
            before[node] = via
        if end not in before:
            return []
        way = [end]
        while way[-1] != start:
            way.append(before[way[-1]])
        return [self._iri(node) for node in reversed(way)]

    def ends(self, direction: str) -> list[str]:
        """Where derivations begin (upstream: the roots) or end (downstream: the leaves)."""
        ahead = self._rows(direction)
        back = self._down if ahead is self._up else self._up
        return [
            self._iri(node)
            for node in range(self.nodes)
            if next(back.derived(node), None) is not None
            and next(ahead.derived(node), None) is None
        ]

    def busiest(self, limit: int, leave_out: Collection[str] = ()) -> list[tuple[str, int]]:
        """The things with most edges, and how many each has; leave_out: some of LEVELS."""
        up, down = self._up.starts, self._down.starts
        degrees = (
            (up[n] - up[n + 1] + down[n] - down[n + 1], n)
            for n, level in enumerate(self._levels)
            if LEVELS[level] not in leave_out
        )
        return [(self._iri(n), -degree) for degree, n in heapq.nsmallest(limit, degrees)]

    def _next(self, rows: _Rows, node: int) -> Iterator[int]:
        if LEVELS[self._levels[node]] in ("job", "run"):
            return (other for other, _ in rows.of(node))
        return rows.derived(node)

    def _rows(self, direction: str) -> _Rows:
        if direction not in DIRECTIONS:
            raise ValueError(f"{direction!r} is none of {DIRECTIONS}")
        return self._up if direction == "upstream" else self._down

    def _iri(self, number: int) -> str:
        return self._names[self._ends[number] : self._ends[number + 1]].decode()

    def _number(self, iri: str) -> int | None:
        wanted, low, high = iri.encode("utf-8", "surrogatepass"), 0, len(self._ends) - 1
        while low < high:
            middle = (low + high) // 2
            if self._names[self._ends[middle] : self._ends[middle + 1]] < wanted:
                low = middle + 1
            else:
                high = middle
        there = low < len(self._ends) - 1
        same = there and self._names[self._ends[low] : self._ends[low + 1]] == wanted
        return low if same else None


class _Rows:
    """The neighbours of every node in one direction, by number, each with the kind of the edge."""

    def __init__(self, count: int, keys: Iterable[int]) -> None:
        """keys: node << 35 | other << 3 | kind, in any order, also twice."""
        self.others, self.kinds, self.starts = array("I"), bytearray(), array("I", [0])
        before = -1
        for key in sorted(keys):
            if key == before:
                continue
            before = key
            while len(self.starts) <= key >> 35:
                self.starts.append(len(self.others))
            self.others.append(key >> 3 & _LOW)
            self.kinds.append(key & 7)
        while len(self.starts) <= count:
            self.starts.append(len(self.others))

    def of(self, node: int) -> Iterator[tuple[int, int]]:
        """Neighbours and kinds."""
        start, end = self.starts[node], self.starts[node + 1]
        return zip(self.others[start:end], self.kinds[start:end], strict=True)

    def derived(self, node: int) -> Iterator[int]:
        """Neighbours by derivation."""
        return (other for other, kind in self.of(node) if kind == Kind.DERIVED)


def _edges(store: EmbeddedStore) -> Iterator[Edge]:
    for predicate, (kind, to_subject) in _PROPERTIES.items():
        for quad in store.raw.quads_for_pattern(None, ox.NamedNode(predicate), None, None):
            if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.NamedNode):
                pair = (quad.object.value, quad.subject.value)
                yield Edge(*(pair if to_subject else pair[::-1]), kind)


def _typed(store: EmbeddedStore) -> Iterator[tuple[str, str]]:
    for level, cls in _CLASSES.items():
        quads = store.raw.quads_for_pattern(None, ox.NamedNode(RDF.type), ox.NamedNode(cls), None)
        for quad in quads:
            if isinstance(quad.subject, ox.NamedNode):
                yield quad.subject.value, level
