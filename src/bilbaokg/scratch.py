"""The scratch area of a data directory: a store for analysts to try things in, never released.

Its files are held by a worker that may be killed (`store/sandbox.py`): this side takes turns, sets
the deadline, and makes the copies that queries read.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from bilbaokg.errors import Overloaded, WorkerCrashed
from bilbaokg.settings import Settings
from bilbaokg.store.sandbox import current
from bilbaokg.workers import Pool

__all__ = ["Scratch"]

_KEPT: Final = 2  # a query may be about to open the copy before the last
_TURN_SECONDS: Final = 10.0
_COPY_SECONDS: Final = 60.0  # for our own work: much for a slow disk


class Scratch:
    """The store in `<data>/scratch/`, changed by one request at a time.

    Its worker starts when it is first needed. Each method raises DeadlineExceeded, MemoryExceeded,
    WorkerCrashed or Overloaded as the pool does; then the store is as it was before.
    """

    def __init__(self, data: Path, configuration: Settings) -> None:
        self.path, self.cache, self.settings = data / "scratch", data / "cache", configuration
        self._pool = Pool(1, configuration.memory_limit)
        self._turn, self._copying = threading.Lock(), threading.Lock()
        self._changes = 0
        self._copy: tuple[int, Path] | None = None
        self._forget(self._copies())  # of a process that held the directory before

    def update(
        self, text: bytes, base: str, using: list[str] | None, using_named: list[str] | None
    ) -> None:
        """Evaluate a SPARQL update. Raises SyntaxFault, BadInput, Forbidden, Conflict,
        StorageFull."""
        dataset = {"using": using, "using_named": using_named}
        self._change("update", {"base": base, **dataset}, text, "update")

    def put(
        self, graph: str, documents: Sequence[tuple[str, bytes]], *, base: str, merge: bool
    ) -> bool:
        """Replace a graph ("" is the default graph) by RDF documents, or add them; whether it is
        new.

        documents: names of FORMATS with contents; base: for relative IRIs. Raises as
        `workers.stream`, TooLarge, StorageFull.
        """
        reading = {
            "label": "body", "base": self.settings.base, "base_iri": base,
            "limit": self.settings.body_limit, "group_seconds": self.settings.group_seconds,
        }  # fmt: skip
        told = [{**reading, "format": name, "size": len(content)} for name, content in documents]
        body = b"".join(content for _, content in documents)
        params = {"graph": graph, "documents": told}
        return not self._change("post" if merge else "put", params, body, "body")["existed"]

    def delete(self, graph: str) -> bool:
        """Empty a graph; whether it was there."""
        return bool(self._change("delete", {"graph": graph}, b"", "graph")["existed"])

    def checkpoint(self) -> Path | None:
        """A read-only copy of the store as it is now, made once a state; None where it is empty."""
        if current(self.path) is None:
            return None
        with self._copying:
            # Changes after this moment may be in the copy, those before it are.
            changes = self._changes
            if self._copy and self._copy[0] == changes:
                return self._copy[1]
            path = self.cache / f"scratch-{changes}"
            part = path.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            self._run("checkpoint", {"to": str(part)}, b"", "scratch", _COPY_SECONDS)
            part.rename(path)
            self._copy = changes, path
            self._forget(self._copies()[:-_KEPT])
        return path

    def close(self) -> None:
        """End the worker."""
        self._pool.close()

    def _copies(self) -> list[Path]:
        """The copies that there are, oldest first."""
        found = [path for path in self.cache.glob("scratch-*") if not path.suffix]
        return sorted(found, key=lambda path: int(path.name.partition("-")[2]))

    @staticmethod
    def _forget(copies: Iterable[Path]) -> None:
        for path in copies:
            shutil.rmtree(path, ignore_errors=True)

    def _change(self, do: str, params: dict[str, Any], body: bytes, label: str) -> dict[str, Any]:
        try:
            return self._run(do, params, body, label, self.settings.query_seconds_token)
        finally:
            # Also what was stopped may have been done before.
            self._changes += 1

    def _run(
        self, do: str, params: dict[str, Any], body: bytes, label: str, seconds: float
    ) -> dict[str, Any]:
        """Let the worker do one thing, when those before it are done. Raises Overloaded."""
        where = {"do": do, "path": str(self.path), "quota": self.settings.scratch_bytes}
        done: dict[str, Any] | None = None
        if not self._turn.acquire(timeout=_TURN_SECONDS):
            raise Overloaded("the scratch area is at work for others", retry_after=5)
        try:
            told = {**where, **params}
            for header, _ in self._pool.run("scratch", told, seconds, body=body, label=label):
                done = header
        finally:
            self._turn.release()
        if done is None:
            raise WorkerCrashed("the worker ended without an answer", where=label)
        return done
