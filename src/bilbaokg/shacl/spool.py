"""Statements too many for memory: N-Triples on disk, with an index of where each node stands.

A spool is a folder with

    data.nt     statements in the order they came, repeated ones and all
    lines.bin   the source line of each statement, 4 bytes, 0 where unknown
    files.json  the source files, each with the number of its first statement
    runs.bin    for each run of lines with one subject, sorted by key: key, start, stop, number of
                the first statement (8 bytes each, column by column); a key is 64 bits of a hash
    blocks.bin  where blocks of whole nodes begin, and where the last one ends (8 bytes each)
    long.bin    the keys of nodes whose runs are too far apart for one block (8 bytes each)
    links.db    (SQLite) subject and object of each statement of the predicates that are looked at
                backwards; which these are says backwards.json

Who goes through all nodes reads block by block, as what is near in the file is near in the data;
nodes from elsewhere are read one by one. spooling.py writes it.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import sqlite3
from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from bilbaokg.shacl.graph import Nodes, Properties, leave_once, take_apart

__all__ = [
    "BACKWARDS",
    "BLOCKS",
    "DATA",
    "FILES",
    "LINES",
    "LINKS",
    "LONG",
    "RUNS",
    "Places",
    "Spool",
    "key_of",
]

DATA: Final = "data.nt"
LINES: Final = "lines.bin"
FILES: Final = "files.json"
RUNS: Final = "runs.bin"
BLOCKS: Final = "blocks.bin"
LONG: Final = "long.bin"
LINKS: Final = "links.db"
BACKWARDS: Final = "backwards.json"
# Blocks that are remembered behind the one that is looked at, and nodes from elsewhere.
_WINDOW: Final = 16
_NODES_REMEMBERED: Final = 50_000


def key_of(term: bytes) -> int:
    """The key of a term."""
    digest = hashlib.blake2b(term, digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


class Spool:
    """The statements of an indexed spool (see graph.Statements), or the view of one part of it.

    part: (number, of how many); `nodes` are those of the part, all else sees everything.
    """

    def __init__(self, folder: Path, part: tuple[int, int] = (0, 1)) -> None:
        self.folder, self.part = folder, part
        self._data = (folder / DATA).open("rb", buffering=0)
        address = f"{(folder / LINKS).absolute().as_uri()}?mode=ro&immutable=1"
        self._links = sqlite3.connect(address, uri=True, check_same_thread=False)
        self._backwards = frozenset(json.loads((folder / BACKWARDS).read_text(encoding="utf-8")))
        whole = _mapped(folder / RUNS).cast("q")
        count = len(whole) // 4
        columns = (whole[count * n : count * (n + 1)] for n in range(4))
        self._keys, self._starts, self._stops, self._firsts = columns
        self._blocks = array("q", (folder / BLOCKS).read_bytes())
        self._near: Nodes = {}
        self._far: Nodes = {}
        self._long = frozenset(array("q", (folder / LONG).read_bytes()))

    def close(self) -> None:
        """Close the files."""
        self._data.close()
        self._links.close()

    def properties(self, node: str) -> Properties:
        found = self._near.get(node)
        if found is None:
            found = self._far.get(node)
        return self._fetch(node) if found is None else found

    def nodes(self) -> Iterator[tuple[str, Properties]]:
        number, parts = self.part
        blocks = len(self._blocks) - 1
        window: deque[Nodes] = deque()
        for block in range(blocks * number // parts, blocks * (number + 1) // parts):
            found = self._block(block)
            window.append(found)
            self._near.update(found)
            if len(window) > _WINDOW:
                for node in window.popleft():
                    del self._near[node]
            yield from found.items()

    def is_mine(self, node: str) -> bool:
        number, parts = self.part
        return key_of(node.encode()) % parts == number

    def _fetch(self, node: str) -> Properties:
        """Read one node that is not near what is looked at."""
        if len(self._far) >= _NODES_REMEMBERED:
            self._far.clear()
        properties = self._far[node] = self._read(node, self._runs(node))
        return properties

    def _read(self, node: str, runs: Iterable[int]) -> dict[str, list[str]]:
        found: Nodes = {}
        for run in runs:
            take_apart(self._text(self._starts[run], self._stops[run]), found)
        return leave_once(found.get(node, {}))

    def _runs(self, node: str) -> range:
        """The numbers of the runs that may be about a node, in the order of the file."""
        key = key_of(node.encode())
        first = bisect_left(self._keys, key)
        return range(first, bisect_right(self._keys, key, first))

    def _block(self, number: int) -> Nodes:
        """The nodes that begin in a block, with all that is said of them."""
        found: Nodes = {}
        start = self._blocks[number]
        take_apart(self._text(start, self._blocks[number + 1]), found)
        for node in [n for n in found if key_of(n.encode()) in self._long] if self._long else ():
            runs = self._runs(node)
            if self._starts[runs[0]] < start:
                del found[node]
            else:
                found[node] = self._read(node, runs)
        for properties in found.values():
            leave_once(properties)
        return found

    def _text(self, start: int, stop: int) -> str:
        self._data.seek(start)
        return self._data.read(stop - start).decode()

    def subjects(self, predicate: str, object_: str) -> Sequence[str]:
        self._check(predicate)
        query = "SELECT subject, object FROM links WHERE predicate = ? AND key = ? ORDER BY rowid"
        rows = self._links.execute(query, (predicate, key_of(object_.encode())))
        return list(dict.fromkeys(subject for subject, found in rows if found == object_))

    def pairs(self, predicate: str) -> Iterator[tuple[str, str]]:
        self._check(predicate)
        query = "SELECT subject, object FROM links WHERE predicate = ? ORDER BY rowid"
        yield from self._links.execute(query, (predicate,))

    def _check(self, predicate: str) -> None:
        """What was not indexed must not look like what is not there."""
        if predicate not in self._backwards:
            raise KeyError(f"{predicate} is not indexed")

    def lines(self) -> Iterator[str]:
        with (self.folder / DATA).open("rb") as stream:
            for line in stream:
                yield line[:-1].decode()

    def referrers(self, nodes: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
        wanted = {node.encode(): node for node in nodes}
        found: dict[str, list[tuple[str, str]]] = {}
        # Most lines are told apart by their last bytes, without taking them apart.
        size = min((len(node) for node in wanted), default=0) + len(b" .\n")
        ends = {node[3 - size :] + b" .\n" for node in wanted}
        with (self.folder / DATA).open("rb") as stream:
            for line in stream if wanted else ():
                if line[-size:] in ends:
                    subject, predicate, rest = line.split(b" ", 2)
                    if node := wanted.get(rest[:-3]):
                        found.setdefault(node, []).append((subject.decode(), predicate.decode()))
        return found

    def places(self) -> Places:
        """File and line where nodes are first described, looked up when asked for."""
        return Places(self)

    def first(self, node: str) -> int | None:
        """The number of the first statement about a node."""
        runs = self._runs(node)
        return self._firsts[runs[0]] if runs else None


class Places(Mapping[str, tuple[str, int]]):
    """File and source line of the nodes of a spool."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        folder = spool.folder
        self._lines = _mapped(folder / LINES).cast("I")
        self._files = json.loads((folder / FILES).read_text(encoding="utf-8"))

    def __getitem__(self, node: str) -> tuple[str, int]:
        first = self._spool.first(node)
        if first is None or first >= len(self._lines) or not self._lines[first]:
            raise KeyError(node)
        return [name for name, number in self._files if number <= first][-1], self._lines[first]

    def __bool__(self) -> bool:
        return bool(self._lines)

    def __iter__(self) -> Iterator[str]:
        return (node for node, _ in self._spool.nodes() if node in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _mapped(path: Path) -> memoryview:
    """A file that the system reads as it is needed."""
    if not path.stat().st_size:
        return memoryview(b"")
    with path.open("rb") as stream:
        return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
