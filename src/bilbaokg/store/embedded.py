"""Oxigraph in this process (pyoxigraph), with the durability that it leaves to its callers."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox

from bilbaokg.errors import CorruptStore, StorageFault, StorageFull, StoreBusy
from bilbaokg.store import GraphChange

__all__ = ["UPDATE_LIMIT", "EmbeddedStore", "storage_errors"]

# Oxigraph's time for one update text grows faster than its length.
UPDATE_LIMIT: Final = 10 << 20
_BULK_BYTES: Final = 1 << 20


@contextlib.contextmanager
def storage_errors(where: Path | str) -> Iterator[None]:
    """Turn the disk's and RocksDB's failures into our errors."""
    try:
        yield
    except OSError as error:
        text = str(error)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in text
        if full:
            raise StorageFull(
                "no space left on the disk",
                where=str(where),
                hint="free some space and run the same command again: nothing is half done",
            ) from error
        if "lock" in text.lower() and "LOCK" in text:
            raise StoreBusy("another process has the store open", where=str(where)) from error
        if "orruption" in text:
            raise CorruptStore(text, where=str(where), hint="restore a backup") from error
        raise StorageFault(text, where=str(where)) from error


def _node(term: str) -> Any:
    if term.startswith("<"):
        return ox.NamedNode(term[1:-1])
    line = f"<x:s> <x:p> {term} ."
    return next(iter(ox.parse(line, format=ox.RdfFormat.N_TRIPLES, lenient=True))).object


class EmbeddedStore:
    """A pyoxigraph store; `path` None keeps it in memory. `raw` is the pyoxigraph object."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        with storage_errors(path or "memory"):
            self.raw: ox.Store = ox.Store(str(path)) if path else ox.Store()

    @classmethod
    def read_only(cls, path: Path) -> EmbeddedStore:
        """Open a directory that nobody writes to: a release or a backup."""
        store = cls.__new__(cls)
        store.path = path
        with storage_errors(path):
            store.raw = ox.Store.read_only(str(path))
        return store

    @classmethod
    def build(cls, path: Path, nquads: Path) -> None:
        """Make a compact store of one N-Quads file, for reading only."""
        with storage_errors(path):
            store = ox.Store(str(path))
            store.bulk_load(path=str(nquads), format=ox.RdfFormat.N_QUADS, lenient=True)
            store.optimize()
            store.flush()
            del store
            gc.collect()

    def apply(self, changes: Sequence[GraphChange]) -> None:
        """Do all changes or none (one transaction), and return when the log is on disk."""
        with storage_errors(self.path or "memory"):
            if all(change.only_adds for change in changes):
                self._add("".join(_nquads(change) for change in changes).encode())
            else:
                self.raw.update(";\n".join(op for change in changes for op in _operations(change)))
            self.sync()

    def _add(self, nquads: bytes) -> None:
        """Both ways are one transaction; bulk loading writes tables and syncs them itself."""
        add = self.raw.bulk_load if len(nquads) > _BULK_BYTES else self.raw.load
        add(nquads, format=ox.RdfFormat.N_QUADS, lenient=True)

    def sync(self) -> None:
        """Put the write-ahead log on disk: Oxigraph commits without fsync."""
        if not self.path:
            return
        for log in self.path.glob("*.log"):
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
        found = self.raw.quads_for_pattern(
            _node(subject) if subject else None,
            _node(predicate) if predicate else None,
            _node(object) if object else None,
            ox.NamedNode(graph) if graph else None,
        )
        for quad in found:
            yield str(quad.subject), str(quad.predicate), str(quad.object), quad.graph_name.value  # type: ignore[union-attr]

    def values(self, graph: str, subject: str | None = None) -> Iterator[tuple[str, str, str]]:
        """The quads of a graph as bare values: IRIs without brackets, literals without quotes."""
        node = ox.NamedNode(subject) if subject else None
        for quad in self.raw.quads_for_pattern(node, None, None, ox.NamedNode(graph)):
            yield quad.subject.value, quad.predicate.value, quad.object.value  # type: ignore[union-attr]

    def graphs(self) -> Iterator[str]:
        """The IRIs of the named graphs."""
        for name in self.raw.named_graphs():
            yield name.value

    def backup(self, directory: Path) -> None:
        """Write a consistent copy that other processes may open."""
        with storage_errors(directory):
            self.raw.backup(str(directory))

    def flush(self) -> None:
        """Move the log into tables, so that the next start has nothing to replay."""
        with storage_errors(self.path or "memory"):
            self.raw.flush()

    def close(self) -> None:
        """Let go of the files; the object cannot be used after."""
        with contextlib.suppress(AttributeError):
            del self.raw
        gc.collect()


def _nquads(change: GraphChange) -> str:
    tail = f"<{change.graph}> .\n"
    return "".join(f"{line[:-1]}{tail}" for line in change.insert)


def _operations(change: GraphChange) -> Iterator[str]:
    """The SPARQL Update operations of a change, in order."""
    graph = f"GRAPH <{change.graph}>"
    if change.drop:
        yield f"DROP SILENT {graph}"
    for number, subject in enumerate(change.clear):
        yield f"DELETE WHERE {{ {graph} {{ {subject} ?p{number} ?o{number} }} }}"
    if change.delete:
        yield f"DELETE DATA {{ {graph} {{\n" + "\n".join(change.delete) + "\n} }"
    if change.insert:
        yield f"INSERT DATA {{ {graph} {{\n" + "\n".join(change.insert) + "\n} }"
