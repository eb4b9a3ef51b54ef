"""Neighbours by number, in compressed sparse rows: four bytes an edge, and one for its kind."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator
from typing import Final

__all__ = ["Rows"]

# The kinds of edges that walks go along (edges.Kind): they stand before the others of a node.
_DERIVED, _INFLUENCED = 0, 1
_LOW: Final = 0xFFFFFFFF


class Rows:
    """The neighbours of every node in one direction, each with the kind of the edge.

    The arrays never change; `patch` holds the nodes whose row is another by now, with all of it.
    """

    def __init__(self, count: int, keys: Iterable[int]) -> None:
        """keys: node << 35 | kind << 32 | other, in any order, also twice."""
        self.others, self.kinds, self.starts = array("I"), bytearray(), array("I", [0])
        self.patch: dict[int, list[tuple[int, int]]] = {}
        before = -1
        for key in sorted(keys):
            if key == before:
                continue
            before = key
            while len(self.starts) <= key >> 35:
                self.starts.append(len(self.others))
            self.others.append(key & _LOW)
            self.kinds.append(key >> 32 & 7)
        while len(self.starts) <= count:
            self.starts.append(len(self.others))
        self.count = len(self.others)

    def opened(self) -> Rows:
        """Rows over the same arrays, to which changes may be put."""
        new = Rows.__new__(Rows)
        new.others, new.kinds, new.starts = self.others, self.kinds, self.starts
        new.patch, new.count = dict(self.patch), self.count
        return new

    def put(self, node: int, other: int, kind: int, *, there: bool) -> None:
        """Let an edge be there, or not."""
        row = list(self.of(node))
        if ((other, kind) in row) == there:
            return
        if there:
            row.append((other, kind))
        else:
            row.remove((other, kind))
        self.count += 1 if there else -1
        self.patch[node] = sorted(row, key=lambda each: (each[1], each[0]))

    def of(self, node: int) -> Iterable[tuple[int, int]]:
        """Neighbours and kinds."""
        if node in self.patch:
            return self.patch[node]
        start, end = self._span(node)
        return self._pairs(start, end)

    def derived(self, node: int) -> Collection[int]:
        """Neighbours by derivation."""
        if self.patch and node in self.patch:
            return [other for other, kind in self.patch[node] if kind == _DERIVED]
        starts, following = self.starts, node + 1
        if following >= len(starts):
            return ()
        start = starts[node]
        return self.others[start : start + self.kinds.count(_DERIVED, start, starts[following])]

    def depending(self, node: int) -> Collection[int]:
        """Neighbours by derivation or influence."""
        if self.patch and node in self.patch:
            found = [other for other, kind in self.patch[node] if kind <= _INFLUENCED]
        else:
            start, end = self._span(node)
            count = sum(self.kinds.count(kind, start, end) for kind in (_DERIVED, _INFLUENCED))
            found = self.others[start : start + count].tolist()
        return dict.fromkeys(found)

    def degree(self, node: int) -> int:
        """How many edges a node has."""
        if node in self.patch:
            return len(self.patch[node])
        start, end = self._span(node)
        return end - start

    def _pairs(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        return zip(self.others[start:end], self.kinds[start:end], strict=True)

    def _span(self, node: int) -> tuple[int, int]:
        if node + 1 >= len(self.starts):
            return 0, 0
        return self.starts[node], self.starts[node + 1]
