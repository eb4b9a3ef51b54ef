"""The file that verdicts are kept in: an SQLite database that can be made again at any time.

    meta      what the verdicts were made with; a mark that every writing changes; heads: how many
              statements say that something is a dataset, a catalogue or the like
    records   id, revision and packed text of each record that was seen
    verdicts  focus node, the questions that its verdict depends on, what it tells, a checksum

A file that cannot be read, or was made with something else, counts as none. Nobody waits for
another: who finds the mark changed when it wants to write, leaves it. Failing to write is no
failure.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bilbaokg.shacl.judging import Verdict

__all__ = ["Draft", "Kept"]

_TABLES: Final = """
CREATE TABLE meta (made_with TEXT, mark TEXT, heads INTEGER);
CREATE TABLE records (id TEXT PRIMARY KEY, revision TEXT, text BLOB);
CREATE TABLE verdicts (focus TEXT, asked BLOB, told BLOB, checksum INTEGER);
"""
_INDEX: Final = "CREATE INDEX by_focus ON verdicts (focus);"
_PUT_RECORD: Final = "INSERT OR REPLACE INTO records VALUES (?, ?, ?)"
_PUT_VERDICT: Final = "INSERT INTO verdicts VALUES (?, ?, ?, ?)"
_PART: Final = ".part"
# A part of a file that is older than this was left by a process that was killed.
_ABANDONED_SECONDS: Final = 6 * 3600.0
_WAIT_SECONDS: Final = 5.0

_Row = tuple[str, bytes, bytes, int]
# What SQLite, the disk and a damaged row raise.
_FAULTS: Final = (sqlite3.Error, OSError, zlib.error, ValueError, TypeError)


def _row(verdict: Verdict) -> _Row:
    focus, asked, told = verdict
    packed = zlib.compress(told.encode(), 1) if told else b""
    return focus, asked, packed, _checksum(focus, asked, packed)


def _checksum(focus: str, asked: bytes, packed: bytes) -> int:
    return zlib.crc32(packed, zlib.crc32(asked, zlib.crc32(focus.encode())))


def _verdict(row: _Row) -> Verdict:
    focus, asked, packed, checksum = row
    if _checksum(focus, asked, packed) != checksum:
        raise ValueError("a verdict is damaged")
    return Verdict(focus, asked, zlib.decompress(packed).decode() if packed else "")


def _pack(text: str) -> bytes:
    return zlib.compress(text.encode(), 1)


@contextmanager
def _opened(path: Path, *, forgetting: bool = False) -> Iterator[sqlite3.Connection]:
    """A file that is there, in one transaction that is rolled back at the end if not committed.

    forgetting: what is deleted is overwritten: texts may be of persons who are to be forgotten.
    """
    # Also readers open it to be written to, so that what a killed process began is undone.
    address = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(address, uri=True, timeout=_WAIT_SECONDS, isolation_level=None)
    with closing(connection) as database:
        if forgetting:
            database.execute("PRAGMA secure_delete = ON")
        database.execute("BEGIN")
        yield database


@dataclass(frozen=True, slots=True)
class Kept:
    """What a file keeps, as one moment saw it. revisions: by record id. heads: see above."""

    path: Path
    mark: str
    heads: int
    revisions: Mapping[str, str]
    verdicts: Sequence[Verdict]

    @classmethod
    def read(cls, path: Path, made_with: str) -> Kept | None:
        """What is kept in a file, None where that is nothing that can be used."""
        with suppress(*_FAULTS), _opened(path) as database:
            found, mark, heads = database.execute("SELECT * FROM meta").fetchone()
            if found == made_with:
                revisions = dict(database.execute("SELECT id, revision FROM records"))
                rows = database.execute("SELECT focus, asked, told, checksum FROM verdicts")
                return cls(path, mark, heads, revisions, [_verdict(row) for row in rows])
        return None

    def texts(self, ids: Iterable[str]) -> dict[str, str] | None:
        """The texts of those records that were seen; None where one of them cannot be read."""
        wanted = [id for id in ids if id in self.revisions]
        if not wanted:
            return {}
        query = "SELECT text FROM records WHERE id = ?"
        with suppress(*_FAULTS), _opened(self.path) as database:
            if database.execute("SELECT mark FROM meta").fetchone() == (self.mark,):
                packed = {id: database.execute(query, (id,)).fetchone()[0] for id in wanted}
                return {id: zlib.decompress(text).decode() for id, text in packed.items()}
        return None

    def update(
        self,
        heads: int,
        gone: Iterable[str],
        records: Mapping[str, tuple[str, str]],
        dropped: Iterable[str],
        verdicts: Iterable[Verdict],
    ) -> None:
        """Keep what changed: records by id as (revision, text), and verdicts for dropped ones."""
        mark = secrets.token_hex(8)
        with suppress(*_FAULTS), _opened(self.path, forgetting=True) as database:
            changed = database.execute(
                "UPDATE meta SET mark = ?, heads = ? WHERE mark = ?", (mark, heads, self.mark)
            )
            if changed.rowcount != 1:
                return
            database.executemany("DELETE FROM records WHERE id = ?", ((id,) for id in gone))
            rows = ((id, revision, _pack(text)) for id, (revision, text) in records.items())
            database.executemany(_PUT_RECORD, rows)
            database.executemany("DELETE FROM verdicts WHERE focus = ?", ((f,) for f in dropped))
            database.executemany(_PUT_VERDICT, map(_row, verdicts))
            database.execute("COMMIT")


class Draft:
    """New content of a file: written aside, then copied in at one stroke.

    One that cannot be written is no loss.
    """

    def __init__(self, path: Path, made_with: str) -> None:
        self._path, self._made_with = path, made_with
        self._part = path.with_name(f"{path.name}.{secrets.token_hex(4)}{_PART}")
        self._database: sqlite3.Connection | None = None

    def __enter__(self) -> Draft:
        with self._giving_up():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            for part in self._path.parent.glob(f"{self._path.name}.*{_PART}"):
                if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                    part.unlink(missing_ok=True)
            self._database = sqlite3.connect(self._part, check_same_thread=False)
            self._database.executescript(
                f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES}"
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._database:
            with suppress(sqlite3.Error):
                self._database.close()
            self._database = None
        with suppress(OSError):
            self._part.unlink(missing_ok=True)

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """What goes wrong inside ends the draft, and nothing else."""
        try:
            yield
        except _FAULTS:
            self.__exit__()

    def record(self, id: str, revision: str, text: str) -> None:
        """Keep a record that was seen."""
        if self._database:
            with self._giving_up():
                self._database.execute(_PUT_RECORD, (id, revision, _pack(text)))

    def finish(self, heads: int, verdicts: Iterable[Verdict]) -> None:
        """Add the verdicts and put all of it in the place of what the file held."""
        if not self._database:
            return
        with self._giving_up():
            self._database.executemany(_PUT_VERDICT, map(_row, verdicts))
            meta = (self._made_with, secrets.token_hex(8), heads)
            self._database.execute("INSERT INTO meta VALUES (?, ?, ?)", meta)
            self._database.execute(_INDEX)
            self._database.commit()
            try:
                self._copy(self._database)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                # What is there is damaged, or no database.
                for suffix in ("", "-journal"):
                    self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
                self._copy(self._database)

    def _copy(self, database: sqlite3.Connection) -> None:
        with closing(sqlite3.connect(self._path, timeout=_WAIT_SECONDS)) as target:
            database.backup(target)
