"""Writing a spool (see spool.py): statements are appended and indexed as they come."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Collection
from pathlib import Path
from typing import Final

from bilbaokg.shacl.spool import (
    BACKWARDS,
    BLOCKS,
    DATA,
    FILES,
    LINES,
    LINKS,
    LONG,
    RUNS,
    key_of,
)

__all__ = ["SpoolWriter"]

# A block ends at the first place over the one size where no node goes on, or at the other size.
_BLOCK_BYTES: Final = 1 << 16
_LARGEST_BLOCK: Final = 1 << 20
_BATCH: Final = 50_000


class SpoolWriter:
    """Appends parsed statements to a spool in an empty folder.

    backwards: the predicates that are looked at from object to subject.
    """

    def __init__(self, folder: Path, backwards: Collection[str]) -> None:
        self.folder, self._backwards = folder, sorted(backwards)
        self._data = (folder / DATA).open("wb")
        self._lines = (folder / LINES).open("wb")
        self._files: list[tuple[str, int]] = []
        self._statements = 0
        self._runs = _Runs(folder, self._backwards)

    def add(self, file: str, text: str, numbers: bytes, statements: int) -> None:
        """Append N-Triples lines of a file, with their numbers in it where these are known."""
        if not self._files or self._files[-1][0] != file:
            self._files.append((file, self._statements))
        content = text.encode()
        self._data.write(content)
        self._lines.write(numbers or bytes(4 * statements))
        self._runs.add(content)
        self._statements += statements

    def finish(self) -> None:
        """Finish the files and the index."""
        self._data.close()
        self._lines.close()
        (self.folder / FILES).write_text(json.dumps(self._files), encoding="utf-8")
        (self.folder / BACKWARDS).write_text(json.dumps(self._backwards), encoding="utf-8")
        self._runs.finish()


class _Runs:
    """Where lines with one subject stand, column by column: key, start, stop, first statement."""

    def __init__(self, folder: Path, backwards: Collection[str]) -> None:
        self._folder = folder
        self._backwards = {predicate.encode(): predicate for predicate in backwards}
        self._links = _Links(folder / LINKS)
        self._keys, self._starts, self._firsts = array("q"), array("q"), array("q")
        self._prefix, self._position, self._ordinal = b"\0", 0, 0

    def add(self, content: bytes) -> None:
        """Take what was appended."""
        prefix, position, ordinal = self._prefix, self._position, self._ordinal
        backwards, links = self._backwards, self._links
        for line in content.split(b"\n"):
            if not line:
                break
            if not line.startswith(prefix):
                prefix = line[: line.index(b" ") + 1]
                self._keys.append(key_of(prefix[:-1]))
                self._starts.append(position)
                self._firsts.append(ordinal)
            cut = len(prefix)
            after = line.index(b" ", cut)
            if name := backwards.get(line[cut:after]):
                links.add(name, line[: cut - 1], line[after + 1 : -2])
            position += len(line) + 1
            ordinal += 1
        self._prefix, self._position, self._ordinal = prefix, position, ordinal

    def finish(self) -> None:
        """Write the index."""
        self._links.finish()
        stops = self._starts[1:]
        if self._starts:
            stops.append(self._position)
        blocks, long = _cut(self._keys, self._starts, stops)
        order = sorted(range(len(self._keys)), key=self._keys.__getitem__)
        with (self._folder / RUNS).open("wb") as out:
            for column in (self._keys, self._starts, stops, self._firsts):
                array("q", map(column.__getitem__, order)).tofile(out)
        (self._folder / BLOCKS).write_bytes(blocks.tobytes())
        (self._folder / LONG).write_bytes(array("q", long).tobytes())


def _cut(keys: array[int], starts: array[int], stops: array[int]) -> tuple[array[int], set[int]]:
    """Where blocks begin and the last one ends, and the keys of the nodes that no block holds."""
    last = dict(zip(keys, stops, strict=True))
    blocks, long = array("q", [0]), set[int]()
    reach = since = 0
    for number, (key, start) in enumerate(zip(keys, starts, strict=True)):
        size = start - blocks[-1]
        if size >= _LARGEST_BLOCK and start < reach:
            long.update(k for k in keys[since:number] if last[k] > start)
            reach = start
        if size >= _BLOCK_BYTES and start >= reach:
            blocks.append(start)
            since = number
        if key not in long and last[key] > reach:
            reach = last[key]
    blocks.append(stops[-1] if stops else 0)
    return blocks, long


class _Links:
    """The table of what is looked at backwards, while it is made."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        self._database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE links (predicate TEXT, key INTEGER, subject TEXT, object TEXT);"
        )
        self._waiting: list[tuple[str, int, str, str]] = []
        self._keys: dict[bytes, int] = {}

    def add(self, predicate: str, subject: bytes, object_: bytes) -> None:
        self._waiting.append((predicate, self._key(object_), subject.decode(), object_.decode()))
        if len(self._waiting) >= _BATCH:
            self._flush()

    def finish(self) -> None:
        self._flush()
        self._database.executescript("CREATE INDEX by_key ON links (predicate, key);")
        self._database.close()

    def _key(self, term: bytes) -> int:
        """Classes are few and come again and again."""
        if len(self._keys) > _BATCH:
            self._keys.clear()
        key = self._keys.get(term)
        if key is None:
            key = self._keys[term] = key_of(term)
        return key

    def _flush(self) -> None:
        with self._database:
            self._database.executemany("INSERT INTO links VALUES (?, ?, ?, ?)", self._waiting)
        self._waiting.clear()
