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
nodes from elsewhere are read one by one.
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
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from bilbaokg.shacl.compiling import compile_shapes
from bilbaokg.shacl.graph import Properties
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.terms import split_lines

__all__ = ["Places", "Spool", "SpoolWriter", "index_job", "read_whole"]

_DATA: Final = "data.nt"
_LINES: Final = "lines.bin"
_FILES: Final = "files.json"
_RUNS: Final = "runs.bin"
_BLOCKS: Final = "blocks.bin"
_LONG: Final = "long.bin"
_LINKS: Final = "links.db"
_BACKWARDS: Final = "backwards.json"
# A block ends at the first place over the one size where no node goes on, or at the other size.
_BLOCK_BYTES: Final = 1 << 16
_LARGEST_BLOCK: Final = 1 << 20
_BATCH: Final = 50_000
# Blocks that are remembered behind the one that is looked at, and nodes from elsewhere.
_WINDOW: Final = 16
_NODES_REMEMBERED: Final = 50_000


def _key(term: bytes) -> int:
    digest = hashlib.blake2b(term, digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


class SpoolWriter:
    """Appends parsed statements to a spool, file by file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._data = (folder / _DATA).open("ab")
        self._lines = (folder / _LINES).open("ab")
        self._files: list[tuple[str, int]] = []
        self.statements = self.size = 0

    def begin(self, file: str) -> None:
        """What comes next is of this file."""
        self._files.append((file, self.statements))

    def add(self, text: bytes, lines: bytes, statements: int) -> None:
        """Append N-Triples text without its last line end, and its source lines where known."""
        if not statements:
            return
        self._data.write(text)
        self._data.write(b"\n")
        self._lines.write(lines or bytes(4 * statements))
        self.statements += statements
        self.size += len(text)

    def __enter__(self) -> SpoolWriter:
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the files; the index is made next."""
        self._data.close()
        self._lines.close()
        (self.folder / _FILES).write_text(json.dumps(self._files), encoding="utf-8")


def read_whole(folder: Path) -> tuple[list[str], dict[str, tuple[str, int]]]:
    """The statements of a spool, and file and line where each node is first described."""
    lines = split_lines((folder / _DATA).read_text(encoding="utf-8"))
    numbers = array("I", (folder / _LINES).read_bytes())
    files = json.loads((folder / _FILES).read_text(encoding="utf-8"))
    places: dict[str, tuple[str, int]] = {}
    for (file, first), (_, after) in pairwise([*files, ["", len(lines)]]):
        for line, number in zip(lines[first:after], numbers[first:after], strict=True):
            if number:
                places.setdefault(line.partition(" ")[0], (file, number))
    return lines, places


# ---- the index


def index_job(params: dict[str, Any], body: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Index `params["folder"]` for the shapes in the body (see Shapes.packed)."""
    folder = Path(params["folder"])
    predicates = compile_shapes(Shapes.unpacked(body)).backwards
    backwards = {predicate.encode(): predicate for predicate in predicates}
    with _Links(folder / _LINKS) as links:
        runs = _scan(folder / _DATA, backwards, links)
    blocks, long = _cut(runs)
    _write_runs(folder / _RUNS, runs)
    (folder / _BLOCKS).write_bytes(blocks.tobytes())
    (folder / _LONG).write_bytes(array("q", long).tobytes())
    (folder / _BACKWARDS).write_text(json.dumps(sorted(predicates)), encoding="utf-8")
    yield {}, b""


_Runs = tuple["array[int]", "array[int]", "array[int]", "array[int]"]


def _scan(data: Path, backwards: Mapping[bytes, str], links: _Links) -> _Runs:
    keys, starts, stops, firsts = runs = (array("q"), array("q"), array("q"), array("q"))
    prefix, position, ordinal = b"\0", 0, 0
    with data.open("rb") as stream:
        for line in stream:
            if not line.startswith(prefix):
                prefix = line[: line.index(b" ") + 1]
                keys.append(_key(prefix[:-1]))
                starts.append(position)
                firsts.append(ordinal)
            cut = len(prefix)
            after = line.index(b" ", cut)
            if name := backwards.get(line[cut:after]):
                links.add(name, line[: cut - 1], line[after + 1 : -3])
            position += len(line)
            ordinal += 1
    stops.extend(starts[1:])
    if starts:
        stops.append(position)
    return runs


def _cut(runs: _Runs) -> tuple[array[int], set[int]]:
    """Where blocks begin and the last one ends, and the keys of the nodes that no block holds."""
    keys, starts, stops, _ = runs
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


def _write_runs(path: Path, runs: _Runs) -> None:
    order = sorted(range(len(runs[0])), key=runs[0].__getitem__)
    with path.open("wb") as out:
        for column in runs:
            array("q", map(column.__getitem__, order)).tofile(out)


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

    def __enter__(self) -> _Links:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        self._database.executescript("CREATE INDEX by_key ON links (predicate, key);")
        self._database.close()

    def add(self, predicate: str, subject: bytes, object_: bytes) -> None:
        self._waiting.append((predicate, self._key(object_), subject.decode(), object_.decode()))
        if len(self._waiting) >= _BATCH:
            self._flush()

    def _key(self, term: bytes) -> int:
        """Classes are few and come again and again."""
        if len(self._keys) > _BATCH:
            self._keys.clear()
        key = self._keys.get(term)
        if key is None:
            key = self._keys[term] = _key(term)
        return key

    def _flush(self) -> None:
        with self._database:
            self._database.executemany("INSERT INTO links VALUES (?, ?, ?, ?)", self._waiting)
        self._waiting.clear()


# ---- reading


class Spool:
    """The statements of an indexed spool (see graph.Statements), or the view of one part of it.

    part: (number, of how many); `nodes` are those of the part, all else sees everything.
    """

    def __init__(self, folder: Path, part: tuple[int, int] = (0, 1)) -> None:
        self.folder, self.part = folder, part
        self._data = (folder / _DATA).open("rb", buffering=0)
        address = f"{(folder / _LINKS).absolute().as_uri()}?mode=ro&immutable=1"
        self._links = sqlite3.connect(address, uri=True, check_same_thread=False)
        self._backwards = frozenset(json.loads((folder / _BACKWARDS).read_text(encoding="utf-8")))
        whole = _mapped(folder / _RUNS).cast("q")
        count = len(whole) // 4
        columns = (whole[count * n : count * (n + 1)] for n in range(4))
        self._keys, self._starts, self._stops, self._firsts = columns
        self._blocks = array("q", (folder / _BLOCKS).read_bytes())
        self._near: dict[str, dict[str, list[str]]] = {}
        self._far: dict[str, dict[str, list[str]]] = {}
        self._long = frozenset(array("q", (folder / _LONG).read_bytes()))

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
        window: deque[dict[str, dict[str, list[str]]]] = deque()
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
        return _key(node.encode()) % parts == number

    def _fetch(self, node: str) -> Properties:
        """Read one node that is not near what is looked at."""
        if len(self._far) >= _NODES_REMEMBERED:
            self._far.clear()
        properties = self._far[node] = self._read(node, self._runs(node))
        return properties

    def _read(self, node: str, runs: Iterable[int]) -> dict[str, list[str]]:
        found: dict[str, dict[str, list[str]]] = {}
        for run in runs:
            _take_apart(self._bytes(self._starts[run], self._stops[run]), found)
        return _distinct(found.get(node, {}))

    def _runs(self, node: str) -> range:
        """The numbers of the runs that may be about a node, in the order of the file."""
        key = _key(node.encode())
        first = bisect_left(self._keys, key)
        return range(first, bisect_right(self._keys, key, first))

    def _block(self, number: int) -> dict[str, dict[str, list[str]]]:
        """The nodes that begin in a block, with all that is said of them."""
        found: dict[str, dict[str, list[str]]] = {}
        start = self._blocks[number]
        _take_apart(self._bytes(start, self._blocks[number + 1]), found)
        for node in [n for n in found if _key(n.encode()) in self._long] if self._long else ():
            runs = self._runs(node)
            if self._starts[runs[0]] < start:
                del found[node]
            else:
                found[node] = self._read(node, runs)
        for properties in found.values():
            _distinct(properties)
        return found

    def _bytes(self, start: int, stop: int) -> bytes:
        self._data.seek(start)
        return self._data.read(stop - start)

    def subjects(self, predicate: str, object_: str) -> Sequence[str]:
        self._check(predicate)
        query = "SELECT subject, object FROM links WHERE predicate = ? AND key = ? ORDER BY rowid"
        rows = self._links.execute(query, (predicate, _key(object_.encode())))
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
        with (self.folder / _DATA).open("rb") as stream:
            for line in stream:
                yield line[:-1].decode()

    def referrers(self, nodes: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
        wanted = {node.encode(): node for node in nodes}
        found: dict[str, list[tuple[str, str]]] = {}
        # Most lines are told apart by their last bytes, without taking them apart.
        size = min((len(node) for node in wanted), default=0) + len(b" .\n")
        ends = {node[3 - size :] + b" .\n" for node in wanted}
        with (self.folder / _DATA).open("rb") as stream:
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
        self._lines = _mapped(folder / _LINES).cast("I")
        self._files = json.loads((folder / _FILES).read_text(encoding="utf-8"))

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


def _take_apart(text: bytes, found: dict[str, dict[str, list[str]]]) -> None:
    """Add the statements of N-Triples lines to properties by node."""
    before = ""
    properties: dict[str, list[str]] = {}
    for line in text.decode().split(" .\n"):
        if not line:
            break
        subject, predicate, object_ = line.split(" ", 2)
        if subject != before:
            properties, before = found.setdefault(subject, {}), subject
        objects = properties.get(predicate)
        if objects is None:
            properties[predicate] = [object_]
        else:
            objects.append(object_)


def _distinct(properties: dict[str, list[str]]) -> dict[str, list[str]]:
    for predicate, objects in properties.items():
        if len(objects) > 1:
            properties[predicate] = list(dict.fromkeys(objects))
    return properties
