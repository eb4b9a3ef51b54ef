"""Which entries have a value, and in which order they are listed: read once, then kept.

Counting what a hundred thousand entries have in common by joins takes SQLite half a second;
compressed bitmaps (Roaring) do it in less than a millisecond.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from pyroaring import BitMap

if TYPE_CHECKING:
    import sqlite3

__all__ = ["Sets", "packed", "packed_order", "size_of_union"]

V = TypeVar("V")
_KEPT_SEARCHES: Final = 200
_CODE: Final = "I"  # unsigned, four bytes wherever we run


def packed(numbers: Iterable[int]) -> bytes:
    """A set of entries as it is stored."""
    found = BitMap(numbers)
    found.run_optimize()
    return found.serialize()


def packed_order(numbers: Iterable[int]) -> bytes:
    """An order of entries as it is stored."""
    return array(_CODE, numbers).tobytes()


def size_of_union(held: Iterable[bytes]) -> int:
    """How many entries are in any of these stored sets."""
    return len(BitMap.union(BitMap(), *map(BitMap.deserialize, held)))


class Sets:
    """The sets and orders of one index; many threads may ask, at worst one is read twice."""

    def __init__(self) -> None:
        self._facets: dict[str, dict[str, BitMap]] = {}
        self._orders: dict[tuple[str, str, str], array[int]] = {}
        self._hits: _Latest[BitMap] = _Latest(_KEPT_SEARCHES)
        self._ranked: _Latest[array[int]] = _Latest(_KEPT_SEARCHES)

    def facet(self, database: sqlite3.Connection, name: str) -> Mapping[str, BitMap]:
        """The values of a facet with the entries that have them. Not to be changed."""
        found = self._facets.get(name)
        if found is None:
            rows = database.execute("SELECT value, entries FROM sets WHERE facet = ?", (name,))
            found = {value: BitMap.deserialize(held) for value, held in rows}
            self._facets[name] = found
        return found

    def order(self, database: sqlite3.Connection, kind: str, sort: str, lang: str) -> array[int]:
        """The entries of a kind, in an order."""
        key = (kind, sort, lang)
        found = self._orders.get(key)
        if found is None:
            sql = "SELECT entries FROM orders WHERE kind = ? AND sort = ? AND lang = ?"
            held = database.execute(sql, key).fetchone()
            found = array(_CODE)
            found.frombytes(held[0] if held else b"")
            self._orders[key] = found
        return found

    def hits(self, database: sqlite3.Connection, expression: str) -> BitMap:
        """The entries that fit an expression of FTS5. Not to be changed."""
        found = self._hits.get(expression)
        if found is None:
            found = BitMap(_matches(database, expression))
            self._hits.keep(expression, found)
        return found

    def ranked(self, database: sqlite3.Connection, expression: str, weights: str) -> Sequence[int]:
        """The same, the best first; `weights` are what a hit counts in each column."""
        found = self._ranked.get(expression)
        if found is None:
            found = array(_CODE, _matches(database, expression, f"bm25(search, {weights}), rowid"))
            self._ranked.keep(expression, found)
        return found


def _matches(database: sqlite3.Connection, expression: str, order: str = "rowid") -> list[int]:
    if not expression:
        return []
    sql = f"SELECT rowid FROM search WHERE search MATCH ? ORDER BY {order}"  # noqa: S608
    return [row[0] for row in database.execute(sql, (expression,)).fetchall()]


class _Latest(Generic[V]):
    """The values that were asked for last, by name."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._held: OrderedDict[str, V] = OrderedDict()

    def get(self, name: str) -> V | None:
        """The value of this name, if it is still there."""
        with self._lock:
            found = self._held.get(name)
            if found is not None:
                self._held.move_to_end(name)
            return found

    def keep(self, name: str, value: V) -> None:
        """Keep a value, and let go of the longest unused."""
        with self._lock:
            self._held[name] = value
            while len(self._held) > self._most:
                self._held.popitem(last=False)
