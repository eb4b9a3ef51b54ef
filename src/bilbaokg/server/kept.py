"""Answers to queries that were given before: kept by validator, up to so many bytes.

A validator names release, query, dataset and formats, so that what is kept never changes: it is
only let go of, the longest unused first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

__all__ = ["Given", "Kept"]

# What an entry takes beside its bytes.
_ENTRY: Final = 1000


class Given(NamedTuple):
    """An answer: what the worker told of it (see store.evaluate.job), and its bytes."""

    header: Mapping[str, Any]
    body: bytes


class Kept:
    """The answers, `size` bytes of at most `limit`; hits and misses are counted."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = self.hits = self.misses = 0
        self._given: OrderedDict[str, Given] = OrderedDict()

    def get(self, validator: str) -> Given | None:
        """The answer with this validator."""
        given = self._given.get(validator)
        if given is None:
            self.misses += 1
            return None
        self.hits += 1
        self._given.move_to_end(validator)
        return given

    def put(self, validator: str, given: Given) -> None:
        """Keep an answer, unless it alone would take more than an eighth of the room."""
        taken = len(given.body) + _ENTRY
        if taken > self.limit // 8 or validator in self._given:
            return
        self._given[validator] = given
        self.size += taken
        while self.size > self.limit:
            _, old = self._given.popitem(last=False)
            self.size -= len(old.body) + _ENTRY
