"""Lineage held in memory: what comes from what, at every level, in compact arrays.

Nodes are the IRIs of columns, tables, datasets, distributions, jobs and runs; an edge leads the way
that data go, from a source to what is made of it. Each direction is kept as compressed sparse rows
(four bytes an edge, one for its kind), the IRIs as one block of bytes in which they are sorted.

A graph never changes: it is made of a store by `Graph.of`, once a release (`Opened.lineage`). Of
one that is written to `Graph.after` makes the next, which shares all arrays and holds beside them
what changed (see `live`).
"""

from __future__ import annotations

import copy
import heapq
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

from bilbaokg.lineage.edges import LEVELS, Edge, Kind, is_said, level, stored, suspect, typed
from bilbaokg.lineage.knots import knots
from bilbaokg.lineage.rows import Rows
from bilbaokg.lineage.walking import DIRECTIONS, Walk, collect, spread
from bilbaokg.store.embedded import EmbeddedStore, storage_errors

__all__ = ["Graph"]

_LOW: Final = 0xFFFFFFFF
# The node that there is not, at which ways begin that may begin at several.
_NOWHERE: Final = -1

Near = Callable[[int], Collection[int]]


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
        self._added: dict[str, int] = {}
        self._later: list[str] = []
        self._levels = bytearray(len(place))
        for iri, said in levels:
            if (known := self._place(iri)) is not None:
                self._levels[known] = LEVELS.index(said)
        moved = [(place[e >> 32], place[e & _LOW], kind) for e, kind in zip(found, kinds)]  # noqa: B905
        self._down = Rows(len(place), (s << 35 | k << 32 | t for s, t, k in moved))
        self._up = Rows(len(place), (t << 35 | k << 32 | s for s, t, k in moved))

    @classmethod
    def of(cls, store: EmbeddedStore) -> Graph:
        """The lineage that a store holds, of all its graphs together."""
        with storage_errors(store.path or "memory"):
            return cls(stored(store), typed(store))

    def after(self, store: EmbeddedStore, edges: Iterable[Edge], named: Iterable[str]) -> Graph:
        """The graph of a store in which nothing changed but these edges, and what these IRIs are.

        Whether an edge is there now is looked up, so it does not matter who said it and how often.
        """
        new = copy.copy(self)
        new._added, new._later = dict(self._added), list(self._later)
        new._levels = bytearray(self._levels)
        new._down, new._up = self._down.opened(), self._up.opened()
        touched = set(named)
        with storage_errors(store.path or "memory"):
            doubtful = {edge for iri in touched for edge in suspect(store, iri)}
            for edge in doubtful.union(edges):
                there = is_said(store, edge)
                source = new._place(edge.source, there=there)
                target = new._place(edge.target, there=there)
                if source is None or target is None:
                    continue
                new._down.put(source, target, edge.kind, there=there)
                new._up.put(target, source, edge.kind, there=there)
                touched |= {edge.source, edge.target}
            for iri in touched:
                if (number := new._place(iri)) is not None:
                    new._levels[number] = LEVELS.index(level(store, iri))
        return new

    @property
    def changes(self) -> int:
        """How many things are not as in the arrays; the more, the more it takes to go on."""
        return len(self._down.patch) + len(self._up.patch)

    @property
    def nodes(self) -> int:
        """How many things have lineage."""
        touched = self._down.patch.keys() | self._up.patch.keys()
        return len(self._levels) - sum(not self._degree(node) for node in touched)

    @property
    def edges(self) -> int:
        """How many edges there are, of every kind."""
        return self._down.count

    def __contains__(self, iri: str) -> bool:
        return self._number(iri) is not None

    def __iter__(self) -> Iterator[Edge]:
        """Every edge, by the IRIs of its source and then of its target."""
        for node in self._ordered():
            source = self._iri(node)
            found = ((self._iri(other), kind) for other, kind in self._down.of(node))
            yield from (Edge(source, target, Kind(kind)) for target, kind in sorted(found))

    def level(self, iri: str) -> str | None:
        """What a thing is, one of LEVELS; None where it has no lineage."""
        number = self._number(iri)
        return None if number is None else LEVELS[self._levels[number]]

    def of_level(self, *levels: str) -> Iterator[str]:
        """The things that are one of LEVELS, by IRI."""
        wanted = {LEVELS.index(level) for level in levels}
        return (self._iri(n) for n in self._ordered() if self._levels[n] in wanted)

    def beside(self, iri: str, count: int) -> list[str]:
        """At most so many things whose IRIs stand around an IRI in alphabetical order."""
        place = self._where(iri)
        first = max(0, place - count // 2)
        return [self._iri(node) for node in range(first, min(first + count, len(self._ends) - 1))]

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

        Steps go by derivation; from a job or run the first is to what it reads or writes, from
        columns they go downstream to tables, too, on whose rows they bear. It ends on circles.
        direction: one of DIRECTIONS; limit: how many things at most.
        """
        start = self._number(iri)
        if start is None:
            return Walk()
        return collect(spread(start, self._near(start, direction), hops), self._iri, limit)

    def path(self, sources: Collection[str], targets: Collection[str]) -> list[str]:
        """A shortest way downstream from one of some things to one of others, both included; empty
        if none.

        Steps go by derivation; from a job or run the first is to what it writes, to one that is a
        target the last is from what it reads.
        """
        starts, ends = self._known(sources), set(self._known(targets))
        way = self._way(starts, ends, self._nears(starts, ends)) if starts and ends else []
        return [self._iri(node) for node in way]

    def _known(self, iris: Iterable[str]) -> list[int]:
        found = (self._number(iri) for iri in dict.fromkeys(iris))
        return [number for number in found if number is not None]

    def _nears(self, starts: Iterable[int], ends: Iterable[int]) -> Near:
        """What is one hop downstream from a node, on ways from some nodes to others."""
        first = {n: self._near(n, "downstream") for n in starts if self._is_maker(n)}
        last: dict[int, list[int]] = {}
        for end in filter(self._is_maker, ends):
            for before, _ in self._up.of(end):
                last.setdefault(before, []).append(end)
        columns = any(LEVELS[self._levels[n]] == "column" for n in starts)
        derived = self._down.depending if columns else self._down.derived

        def near(node: int) -> Collection[int]:
            found = first[node](node) if node in first else derived(node)
            return [*found, *last[node]] if node in last else found

        return near

    def _is_maker(self, node: int) -> bool:
        return LEVELS[self._levels[node]] in ("job", "run")

    def _way(self, starts: Collection[int], ends: Collection[int], near: Near) -> list[int]:
        before = {_NOWHERE: _NOWHERE}
        ahead = spread(_NOWHERE, lambda node: starts if node == _NOWHERE else near(node))
        for via, _, fresh in ahead:
            before |= dict.fromkeys(fresh, via)
            if found := [node for node in fresh if node in ends]:
                break
        else:
            return []
        way = found[:1]
        while (node := before[way[-1]]) != _NOWHERE:
            way.append(node)
        return way[::-1]

    def ends(self, direction: str) -> list[str]:
        """Where derivations begin (upstream: the roots) or end (downstream: the leaves)."""
        ahead = self._rows(direction)
        back = self._down if ahead is self._up else self._up
        found = (n for n in self._ordered() if back.derived(n) and not ahead.derived(n))
        return [self._iri(node) for node in found]

    def cycles(self) -> list[list[str]]:
        """Things that come from themselves, by derivation: of each knot a shortest circle.

        A circle begins with the first of its things by IRI and does not repeat it at the end.
        """
        found = []
        for knot in knots(self._ordered(), self._down.derived):
            start = min(knot, key=self._iri)
            near = self._down.derived
            ways = (self._way([first], {start}, near) for first in near(start) if first in knot)
            way = min(ways, key=len)
            found.append([self._iri(node) for node in (way[-1], *way[:-1])])
        return sorted(found)

    def busiest(self, limit: int, leave_out: Collection[str] = ()) -> list[tuple[str, int]]:
        """The things with most edges, and how many each has; leave_out: some of LEVELS."""
        degrees = (
            (-self._degree(n), n)
            for n, level in enumerate(self._levels)
            if LEVELS[level] not in leave_out
        )
        most = heapq.nsmallest(limit, degrees)
        return [(self._iri(n), -degree) for degree, n in most if degree]

    def _degree(self, node: int) -> int:
        return self._up.degree(node) + self._down.degree(node)

    def _near(self, start: int, direction: str) -> Near:
        """What is one hop from a node, on walks that begin at `start`."""
        rows = self._rows(direction)
        if not self._is_maker(start):
            crosses = direction == "downstream" and LEVELS[self._levels[start]] == "column"
            return rows.depending if crosses else rows.derived
        first = list(dict.fromkeys(other for other, _ in rows.of(start)))
        return lambda node: first if node == start else rows.derived(node)

    def _rows(self, direction: str) -> Rows:
        if direction not in DIRECTIONS:
            raise ValueError(f"{direction!r} is none of {DIRECTIONS}")
        return self._up if direction == "upstream" else self._down

    # ---- names and numbers

    def _ordered(self) -> Iterator[int]:
        """All nodes, by IRI."""
        first = range(len(self._ends) - 1)
        if not self._later:
            return iter(first)
        added = sorted(self._added.values(), key=self._iri)
        return heapq.merge(first, added, key=self._iri)

    def _iri(self, number: int) -> str:
        ends, following = self._ends, number + 1
        if following >= len(ends):
            return self._later[following - len(ends)]
        return self._names[ends[number] : ends[following]].decode()

    def _place(self, iri: str, *, there: bool = False) -> int | None:
        """The number of an IRI, whether it has edges or not; there: give it one where it lacks."""
        number = self._added.get(iri)
        if number is None:
            number = self._sought(iri)
        if number is None and there:
            number = self._added[iri] = len(self._levels)
            self._later.append(iri)
            self._levels.append(0)
        return number

    def _number(self, iri: str) -> int | None:
        number = self._place(iri)
        return number if number is not None and self._degree(number) else None

    def _sought(self, iri: str) -> int | None:
        place = self._where(iri)
        there = place < len(self._ends) - 1 and self._iri(place) == iri
        return place if there else None

    def _where(self, iri: str) -> int:
        """Where an IRI stands, or would, among those in the block."""
        wanted, low, high = iri.encode("utf-8", "surrogatepass"), 0, len(self._ends) - 1
        while low < high:
            middle = (low + high) // 2
            if self._names[self._ends[middle] : self._ends[middle + 1]] < wanted:
                low = middle + 1
            else:
                high = middle
        return low
