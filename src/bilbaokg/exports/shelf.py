"""What is said of each subject, kept in a file: in memory is only where to find it."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterable, Iterator, MutableMapping
from pathlib import Path
from typing import Final

__all__ = ["Shelf"]

Pair = tuple[str, str]
# Subjects whose pairs are in memory as well: those of some pages of a feed.
_KEPT: Final = 20_000
_LENGTH_BITS: Final = 32


class Shelf(MutableMapping[str, list[Pair]]):
    """Subject -> its (predicate, object) pairs, as N-Triples terms; like a dict.

    The file has no name and goes with the object. What is set later stays in memory.
    """

    def __init__(self, groups: Iterable[tuple[str, list[Pair]]], directory: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 -- closed with it
        weakref.finalize(self, self._file.close)
        self._places: dict[str, int] = {}
        self._kept: dict[str, list[Pair]] = {}
        self._added: dict[str, list[Pair]] = {}
        self._names: dict[str, str] = {}
        offset = 0
        for subject, pairs in groups:
            text = "\n".join(f"{p} {o}" for p, o in pairs).encode()
            self._file.write(text)
            self._places[subject] = offset << _LENGTH_BITS | len(text)
            offset += len(text)

    def __getitem__(self, subject: str) -> list[Pair]:
        found = self._kept.get(subject)
        if found is None:
            found = self._added.get(subject)
        return self._read(subject, self._places[subject]) if found is None else found

    def get(self, subject: str, default: Iterable[Pair] | None = None) -> list[Pair]:  # type: ignore[override]
        """The pairs of a subject, else the default."""
        if subject in self:
            return self[subject]
        return default  # type: ignore[return-value]

    def _read(self, subject: str, place: int) -> list[Pair]:
        self._file.seek(place >> _LENGTH_BITS)
        text = self._file.read(place & ((1 << _LENGTH_BITS) - 1)).decode()
        names, pairs = self._names, []
        for line in text.split("\n"):
            predicate, _, object_ = line.partition(" ")
            pairs.append((names.setdefault(predicate, predicate), object_))
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[subject] = pairs
        return pairs

    def __setitem__(self, subject: str, pairs: list[Pair]) -> None:
        self._added[subject] = pairs
        self._kept.pop(subject, None)

    def __delitem__(self, subject: str) -> None:
        raise TypeError("what is on a shelf stays there")

    def __contains__(self, subject: object) -> bool:
        return subject in self._places or subject in self._added

    def __iter__(self) -> Iterator[str]:
        return iter(self._places.keys() | self._added.keys())

    def __len__(self) -> int:
        return len(self._places.keys() | self._added.keys())
