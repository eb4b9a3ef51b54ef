"""What was made once and is asked for again: kept by name, up to so many bytes.

What is kept under a name never changes: it is only let go of, the longest unused first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any, Final, Generic, NamedTuple, TypeVar

__all__ = ["Given", "Kept"]

# What an entry takes beside its bytes.
_ENTRY: Final = 1000
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Given(NamedTuple):
    """An answer to a query: what the worker told of it (see store.evaluate.job), and its bytes."""

    header: Mapping[str, Any]
    body: bytes


class Kept(Generic[K, V]):
    """Values by name, `size` bytes of at most `limit`; hits and misses are counted.

    Any thread may use it.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = self.hits = self.misses = 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: K) -> V | None:
        """The value of this name."""
        with self._lock:
            found = self._values.get(name)
            if found is None:
                self.misses += 1
                return None
            self.hits += 1
            self._values.move_to_end(name)
            return found[0]

    def put(self, name: K, value: V, size: int) -> None:
        """Keep a value of so many bytes, unless it would take more than an eighth of the room."""
        taken = size + _ENTRY
        with self._lock:
            if taken > self.limit // 8 or name in self._values:
                return
            self._values[name] = value, taken
            self.size += taken
            while self.size > self.limit:
                _, (_, old) = self._values.popitem(last=False)
                self.size -= old

    def clear(self) -> None:
        """Let go of all."""
        with self._lock:
            self._values.clear()
            self.size = 0
