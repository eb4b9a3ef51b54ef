"""Oxigraph in this process (pyoxigraph), with the durability that it leaves to its callers."""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox

from bilbaokg.errors import CorruptStore, StorageFault, StorageFull, StoreBusy
from bilbaokg.store import GraphChange

__all__ = ["UPDATE_LIMIT", "EmbeddedStore", "storage_errors"]

# Oxigraph's time for one update text grows faster than its length.
UPDATE_LIMIT: Final = 10 << 20
# From which size bulk loading pays: RocksDB merges its tables with those that are there, the longer
# the more these are, up to what the first level holds. Measured, in processors' time.
_BULK_BYTES: Final = (2 << 20, 8 << 20)
_BULK_SHARE: Final = 40


@contextlib.contextmanager
def storage_errors(where: Path | str) -> Iterator[None]:
    """Turn the failures of the disk, of RocksDB and of SQLite into our errors."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "full" in str(error):
            raise _full(where) from error
        raise StorageFault(str(error), where=str(where)) from error
    except sqlite3.DatabaseError as error:
        # Its other kinds tell of a wrong statement, not of the file.
        if type(error) is not sqlite3.DatabaseError:
            raise
        raise _damaged(str(error), where) from error
    except OSError as error:
        text = str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in text:
            raise _full(where) from error
        if "lock" in text.lower() and "LOCK" in text:
            raise StoreBusy("another process has the store open", where=str(where)) from error
        if "orruption" in text:
            raise _damaged(text, where) from error
        raise StorageFault(text, where=str(where)) from error
    except RuntimeError as error:
        # How pyoxigraph tells of what RocksDB finds damaged.
        if "orruption" not in str(error):
            raise
        raise _damaged(str(error), where) from error


def _damaged(text: str, where: Path | str) -> CorruptStore:
    return CorruptStore(text, where=str(where), hint="restore a backup")


def _full(where: Path | str) -> StorageFull:
    return StorageFull(
        "no space left on the disk",
        where=str(where),
        hint="free some space and run the same command again: nothing is half done",
    )


def _node(term: str) -> Any:
    if term.startswith("<"):
        return ox.NamedNode(term[1:-1])
    line = f"<x:s> <x:p> {term} ."
    return next(iter(ox.parse(line, format=ox.RdfFormat.N_TRIPLES, lenient=True))).object


class EmbeddedStore:
    """A pyoxigraph store; `path` None keeps it in memory. `raw` is the pyoxigraph object.

    RocksDB takes no write after one that failed: the files are opened anew then, at least for
    reading. `failures` counts those: what was read before one may not hold any more. `watchers` are
    told of the changes that `apply` tried, whether it could or not.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.failures = 0
        self.watchers: list[Callable[[Sequence[GraphChange]], None]] = []
        self._stalled = False
        with storage_errors(path or "memory"):
            self.raw: ox.Store = self._open()

    def _open(self) -> ox.Store:
        if self.path is None:
            return ox.Store()
        if not (self.path / "CURRENT").is_file() and _holds_data(self.path):
            # RocksDB would begin an empty store over what is there.
            raise _damaged("CURRENT is missing", self.path)
        return ox.Store(str(self.path))

    @classmethod
    def read_only(cls, path: Path) -> EmbeddedStore:
        """Open a directory that nobody writes to: a release or a backup."""
        store = cls.__new__(cls)
        store.path, store.failures, store._stalled, store.watchers = path, 0, False, []
        with storage_errors(path):
            store.raw = ox.Store.read_only(str(path))
        return store

    @classmethod
    def build(cls, path: Path, nquads: Path, *, piece: int | None = None) -> None:
        """Make a compact store of one N-Quads file, for reading only.

        piece: lines that are loaded at once, which bounds the memory that it takes; only for files
        without blank nodes, whose labels hold within a piece alone.
        """
        with storage_errors(path):
            store = ox.Store(str(path))
            if piece is None:
                store.bulk_load(path=str(nquads), format=ox.RdfFormat.N_QUADS, lenient=True)
            else:
                with nquads.open("rb") as lines:
                    while content := b"".join(islice(lines, piece)):
                        store.bulk_load(content, format=ox.RdfFormat.N_QUADS, lenient=True)
            store.optimize()
            store.flush()
            del store
            gc.collect()

    def apply(self, changes: Sequence[GraphChange]) -> None:
        """Do all changes or none (one transaction), and return when the log is on disk.

        Where this fails on the last step, they may be done all the same; doing them again is safe.
        """
        try:
            if all(change.only_adds for change in changes):
                size = sum(len(line) for change in changes for line in change.insert)
                self._write(lambda: self._add(_Made(changes), size, ox.RdfFormat.TRIG))
            else:
                self.update(";\n".join(_operations(changes)))
        finally:
            for watch in self.watchers:
                watch(changes)

    def update(self, text: str, base: str | None = None) -> None:
        """Do a SPARQL update, all of it or nothing, and return when the log is on disk.

        Raises SyntaxError.
        """
        self._write(lambda: self.raw.update(text, base_iri=base))

    def add(self, nquads: bytes) -> None:
        """Add N-Quads, all or none, and return when they are on disk; their blank nodes are new."""
        self._write(lambda: self._add(nquads, len(nquads), ox.RdfFormat.N_QUADS))

    def _write(self, action: Callable[[], None]) -> None:
        """Do what writes and put it on disk; what failed for an earlier failure is done again."""
        if not self._stalled:
            try:
                self._attempt(action)
            except StorageFault:
                if self.path is None:
                    raise
            else:
                return
        self._reopen()
        self._attempt(action)

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            with storage_errors(self.path or "memory"):
                action()
                self.sync()
        except BaseException:
            self.failures += 1
            raise

    def _reopen(self) -> None:
        """Open the files anew. Raises StorageFull, StorageFault; then they are open for reading."""
        self.close()
        self._stalled = True
        with storage_errors(self.path or "memory"):
            try:
                self.raw = self._open()
            except (OSError, RuntimeError):
                self.raw = ox.Store.read_only(str(self.path))
                raise
        self._stalled = False

    def _add(self, content: Any, size: int, format: ox.RdfFormat) -> None:
        """Both ways are one transaction; bulk loading writes tables and syncs them itself."""
        add = self.raw.bulk_load if self._is_bulk(size) else self.raw.load
        add(content, format=format, lenient=True)

    def _is_bulk(self, size: int) -> bool:
        least, most = _BULK_BYTES
        if size <= least or self.path is None:
            return size > least
        return size > min(_size_of_tables(self.path) // _BULK_SHARE, most)

    def sync(self) -> None:
        """Put the write-ahead log on disk: Oxigraph commits without fsync."""
        if not self.path:
            return
        with os.scandir(self.path) as entries:  # a tenth of the time that globbing takes
            logs = [entry.path for entry in entries if entry.name.endswith(".log")]
        for log in logs:
            with contextlib.suppress(FileNotFoundError):
                descriptor = os.open(log, os.O_RDONLY)
                try:
                    os.fdatasync(descriptor)
                finally:
                    os.close(descriptor)

    def query(
        self, text: str, *, union: bool = True, substitutions: dict[Any, Any] | None = None
    ) -> Any:
        """Evaluate a query of our own; the default graph is the union of all graphs unless told."""
        return self.raw.query(text, use_default_graph_as_union=union, substitutions=substitutions)

    def match(
        self,
        subject: str | None = None,
        predicate: str | None = None,
        object: str | None = None,
        graph: str | None = None,
    ) -> Iterator[tuple[str, str, str, str]]:
        """The quads that fit, as N-Triples terms (`graph` and the fourth member are IRIs)."""
        pattern = (
            _node(subject) if subject else None,
            _node(predicate) if predicate else None,
            _node(object) if object else None,
            ox.NamedNode(graph) if graph else None,
        )
        with storage_errors(self.path or "memory"):
            for quad in self.raw.quads_for_pattern(*pattern):
                name: Any = quad.graph_name
                yield str(quad.subject), str(quad.predicate), str(quad.object), name.value

    def values(self, graph: str, subject: str | None = None) -> Iterator[tuple[str, str, str]]:
        """The quads of a graph as bare values: IRIs without brackets, literals without quotes."""
        node = ox.NamedNode(subject) if subject else None
        with storage_errors(self.path or "memory"):
            for quad in self.raw.quads_for_pattern(node, None, None, ox.NamedNode(graph)):
                yield quad.subject.value, quad.predicate.value, quad.object.value  # type: ignore[union-attr]

    def graphs(self) -> Iterator[str]:
        """The IRIs of the named graphs."""
        with storage_errors(self.path or "memory"):
            for name in self.raw.named_graphs():
                yield name.value

    def backup(self, directory: Path) -> None:
        """Write a consistent copy that other processes may open."""
        self._write(lambda: self.raw.backup(str(directory)))

    def flush(self) -> None:
        """Move the log into tables, so that the next start has nothing to replay."""
        self._write(lambda: self.raw.flush())

    def close(self) -> None:
        """Let go of the files; the object cannot be used after."""
        with contextlib.suppress(AttributeError):
            del self.raw
        gc.collect()


def _size_of_tables(path: Path) -> int:
    """The bytes of the tables of RocksDB, which removes some at any time."""
    size = 0
    for table in path.glob("*.sst"):
        with contextlib.suppress(FileNotFoundError):
            size += table.stat().st_size
    return size


def _holds_data(path: Path) -> bool:
    """Whether a directory has tables of RocksDB, or a log with something in it."""
    logs = (log for log in path.glob("*.log") if log.stat().st_size)
    return any(path.glob("*.sst")) or any(logs)


class _Made:
    """A file of what changes add, made while it is read: the text of all would fill the memory."""

    def __init__(self, changes: Sequence[GraphChange]) -> None:
        self._changes, self._now = iter(changes), io.BytesIO()

    def read(self, size: int = -1) -> bytes:
        while not (content := self._now.read(size)):
            change = next(self._changes, None)
            if change is None:
                break
            self._now = io.BytesIO(_trig(change))
        return content


def _trig(change: GraphChange) -> bytes:
    """What a change adds, its graph told once."""
    return "\n".join((f"<{change.graph}> {{", *change.insert, "}\n")).encode()


def _operations(changes: Sequence[GraphChange]) -> Iterator[str]:
    """The SPARQL Update operations of changes, in order; as few as do, for each takes its time."""
    if len({change.graph for change in changes}) < len(changes):
        for change in changes:
            yield from _together([change])
    else:
        yield from _together(changes)


def _together(changes: Sequence[GraphChange]) -> Iterator[str]:
    """The operations of changes to different graphs: each kind at once."""
    for change in changes:
        if change.drop:
            yield f"DROP SILENT GRAPH <{change.graph}>"
    yield from _data("DELETE", ((change.graph, change.delete) for change in changes))
    yield from _data("INSERT", ((change.graph, change.insert) for change in changes))


def _data(verb: str, told: Iterable[tuple[str, Sequence[str]]]) -> Iterator[str]:
    blocks = [f"GRAPH <{graph}> {{\n" + "\n".join(lines) + "\n}" for graph, lines in told if lines]
    if blocks:
        yield f"{verb} DATA {{\n" + "\n".join(blocks) + "\n}"
