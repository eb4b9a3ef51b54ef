"""Which file holds the index of a release, and making it again where none does."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bilbaokg.errors import CorruptStore, StorageFault
from bilbaokg.index.reader import Index
from bilbaokg.index.standings import Checks
from bilbaokg.index.writer import FORMAT, build, fill
from bilbaokg.model import Record, Release
from bilbaokg.store.embedded import storage_errors

__all__ = ["of"]


# One index is made at a time, and once. The last that no file could hold stays in memory.
_making: Final = threading.Lock()
_in_memory: Final[dict[Path, Index]] = {}


def of(release: Release, cache: Path) -> Index:
    """The index of a release; made again in its cache folder when it is of another format.

    Where the cache cannot be written it is made in memory, once. Raises CorruptStore when neither
    it nor catalogue.nq can be read.
    """
    made = cache / release.id / f"index-{FORMAT}.db"
    for path in (release.path / "index.db", made):
        if _format(path) == FORMAT:
            return Index(path)
    with _making:
        if _format(made) == FORMAT:
            return Index(made)
        if made not in _in_memory:
            try:
                _write(made, release)
            except StorageFault:
                _in_memory.clear()
                _in_memory[made] = _held(made, release)
            else:
                return Index(made)
        return _in_memory[made]


def _write(path: Path, release: Release) -> None:
    """Make the file whole or not at all. Raises StorageFault, StorageFull."""
    part = path.with_suffix(".part")
    with storage_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            build(part, _released(release), _base(release), checks=_checks(release))
            descriptor = os.open(part, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            part.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise


def _held(path: Path, release: Release) -> Index:
    database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    fill(database, _released(release), _base(release), checks=_checks(release))
    return Index(path, database)


def _format(path: Path) -> int | None:
    if not path.is_file():
        return None
    try:
        return Index(path).format
    except sqlite3.DatabaseError:
        return None


def _base(release: Release) -> str:
    base: str = release.manifest["content"]["base"]
    return base


def _checks(release: Release) -> Checks:
    """What the release tells beside its records. Raises CorruptStore."""
    file = release.path / "report.json"
    try:
        report = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    except (OSError, ValueError) as error:
        raise CorruptStore(f"cannot be read: {error}", where=str(file)) from None
    waived = release.manifest["content"].get("waived") is not None
    return Checks.of(release.created_at, report, waived=waived)


def _released(release: Release) -> Iterator[Record]:
    """The records of a release, read back from its catalogue.nq."""
    lines: dict[str, list[str]] = defaultdict(list)
    try:
        with (release.path / "catalogue.nq").open(encoding="utf-8") as file:
            for line in file:
                statement, _, graph = line[:-3].rpartition(" ")
                lines[graph[1:-1].partition("/graph/record/")[2]].append(f"{statement} .\n")
    except OSError as error:
        raise CorruptStore(f"cannot be read: {error.strerror}", where=str(release.path)) from None
    for entry in release.entries:
        text = "".join(sorted(lines.get(entry.id, ())))
        yield Record(entry.id, entry.iri, text, entry.sha256, 0, "public")
