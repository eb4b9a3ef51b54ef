"""API tokens: who may do what, for how long.

A token is `bkg_` and 256 random bits in base64url. It is shown once; the database keeps its
SHA-256 alone (a random secret of that length needs no slow hash). Every check reads the database,
or at least the counter of its changes, so a revoked token is dead at once in every process.
`model.SCOPES` says which scope contains which; a file that was made before there was one of them is
brought up to date when it is opened. The latest time ever seen is kept, so that a clock set back
brings no expired token to life.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bilbaokg.errors import BadInput, Conflict, CorruptStore, NotFound
from bilbaokg.model import SCOPES
from bilbaokg.store.embedded import storage_errors

__all__ = ["PREFIX", "Accounts", "Token", "scopes_of"]

PREFIX: Final = "bkg_"
_LENGTH: Final = len(PREFIX) + 43
_NAME_LENGTH: Final = 100
# Where SQLite counts the changes of a file, with the length (its file format, section 1.3.7).
_COUNTER: Final = 24, 4
_MOST_RECALLED: Final = 1000
# Times are written at most this often, so that reading with a token does not write each time.
_COARSE: Final = 60
_KNOWN: Final = "scope IN ({})".format(", ".join(f"'{scope}'" for scope in SCOPES))
_TOKENS: Final = f"""
CREATE TABLE IF NOT EXISTS token (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL UNIQUE,
    scope TEXT NOT NULL CHECK ({_KNOWN}),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at INTEGER,
    revoked_at INTEGER
) STRICT;
"""
_CLOCK: Final = """
CREATE TABLE IF NOT EXISTS clock (only INTEGER PRIMARY KEY CHECK (only = 1), seen INTEGER) STRICT;
INSERT OR IGNORE INTO clock VALUES (1, 0);
"""


@dataclass(frozen=True, slots=True)
class Token:
    """A valid token's owner: its id, name and scope."""

    id: str
    name: str
    scope: str


@dataclass(frozen=True, slots=True)
class _Found:
    """A valid token, as which change of the file left it; it holds from `since` until `until`."""

    token: Token
    version: tuple[int, ...]
    since: int
    until: int


def scopes_of(scope: str) -> frozenset[str]:
    """The scopes that a scope contains, itself among them."""
    return SCOPES[scope]


class Accounts:
    """The tokens of one data directory, in SQLite; safe to use from many threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: dict[bytes, _Found] = {}
        if not path.exists():
            # Made by us first, so that SQLite never makes it readable to others.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with self._connection() as connection:
            # Not WAL: reading must create no file, so that it works on a full disk.
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.executescript(_TOKENS + _CLOCK)
            _know_all_scopes(connection)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with storage_errors(self.path):
                connection = sqlite3.connect(self.path, timeout=5.0, isolation_level=None)
                connection.row_factory = sqlite3.Row
                try:
                    # The end of a journal is on disk, too, when a change is acknowledged.
                    connection.execute("PRAGMA synchronous = EXTRA")
                    yield connection
                finally:
                    connection.close()
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as error:
            raise CorruptStore(str(error), where=str(self.path), hint="restore a backup") from error

    def create(self, name: str, scope: str, *, expires: date | None = None) -> dict[str, Any]:
        """Make a token; the result's `token` is the only time that the secret is seen.

        expires: the last day (UTC) on which it works. Raises BadInput, Conflict when an active
        token has the name.
        """
        self.check(name, scope, expires=expires)
        secret = PREFIX + secrets.token_urlsafe(32)
        ends = _end_of(expires) if expires else None
        id = secrets.token_hex(8)
        row = (id, name, _hash(secret), scope, int(time.time()), ends)
        with self._connection() as connection:
            try:
                connection.execute(
                    "INSERT INTO token (id, name, hash, scope, created_at, expires_at)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    row,
                )
            except sqlite3.IntegrityError:
                raise _taken(name) from None
            return _one(connection, id) | {"token": secret}

    def check(self, name: str, scope: str, *, expires: date | None = None) -> None:
        """Whether `create` can make such a token. Raises what it would raise."""
        _check(name, scope, expires)
        with self._connection() as connection:
            if connection.execute("SELECT 1 FROM token WHERE name = ?", (name,)).fetchone():
                raise _taken(name)

    def get(self, name: str) -> dict[str, Any]:
        """A token by name or id, without anything secret. Raises NotFound."""
        with self._connection() as connection:
            return _one(connection, _named(connection, name)["id"])

    def find(self, secret: str) -> Token | None:
        """The token of a secret, or None when it is unknown, revoked or expired."""
        if len(secret) != _LENGTH or not secret.startswith(PREFIX):
            return None
        # Before the look: what changes after it shows as a change.
        version, hashed = self._version(), _hash(secret)
        self._found.pop(hashed, None)
        with self._connection() as connection:
            row = connection.execute("SELECT * FROM token WHERE hash = ?", (hashed,)).fetchone()
            seen = _seen(connection)
            now = max(int(time.time()), seen)
            if row is None or _state(row, now) == "revoked":
                return None
            if now - seen >= _COARSE:
                _note(connection, "UPDATE clock SET seen = max(seen, ?)", (now,))
            if _state(row, now) != "active":
                return None
            if now - (row["used_at"] or 0) >= _COARSE:
                _note(connection, "UPDATE token SET used_at = ? WHERE id = ?", (now, row["id"]))
        token = Token(row["id"], row["name"], row["scope"])
        noted = min(seen, row["used_at"] or 0) + _COARSE
        until = min(noted, row["expires_at"] or noted)
        if version and until > now:
            if len(self._found) >= _MOST_RECALLED:
                self._found.clear()
            self._found[hashed] = _Found(token, version, now, until)
        return token

    def recall(self, secret: str) -> Token | None:
        """A token that `find` gave, where nothing can have changed since; None says nothing.

        Takes some microseconds: it can be asked in an event loop.
        """
        found = self._found.get(_hash(secret))
        if found is None or not found.since <= time.time() < found.until:
            return None
        return found.token if found.version == self._version() else None

    def _version(self) -> tuple[int, ...]:
        """Which file it is, and how often it was changed; () where that cannot be told."""
        begin, length = _COUNTER
        try:
            file = os.open(self.path, os.O_RDONLY)
            try:
                kind = os.fstat(file)
                counter = os.pread(file, length, begin)
            finally:
                os.close(file)
        except OSError:
            return ()
        return kind.st_dev, kind.st_ino, int.from_bytes(counter)

    def revoke(self, name: str) -> dict[str, Any]:
        """End a token, by name or id, now. Raises NotFound."""
        now = int(time.time())
        with self._connection() as connection:
            row = _named(connection, name)
            # The name becomes free again; the id stays for the audit.
            freed = row["name"] if row["revoked_at"] else f"{row['name']} ({row['id']})"
            connection.execute(
                "UPDATE token SET revoked_at = coalesce(revoked_at, ?), name = ? WHERE id = ?",
                (now, freed, row["id"]),
            )
            return _one(connection, row["id"])

    def list(self) -> list[dict[str, Any]]:
        """All tokens, oldest first, without anything secret."""
        with self._connection() as connection:
            rows = connection.execute("SELECT * FROM token ORDER BY created_at, rowid").fetchall()
            now = max(int(time.time()), _seen(connection))
        return [_public(row, now) for row in rows]


def _know_all_scopes(connection: sqlite3.Connection) -> None:
    """Where the table was made with other scopes, make it anew with its rows: all or nothing."""
    if _knows_all(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been faster.
        if not _knows_all(connection):
            connection.execute("ALTER TABLE token RENAME TO token_before")
            connection.execute(_TOKENS)
            # In their order: it is that in which tokens of one second are listed.
            connection.execute("INSERT INTO token SELECT * FROM token_before ORDER BY rowid")
            connection.execute("DROP TABLE token_before")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _knows_all(connection: sqlite3.Connection) -> bool:
    """Whether the table takes exactly the scopes that there are."""
    made = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'token'").fetchone()
    return _KNOWN in made[0]


def _check(name: str, scope: str, expires: date | None) -> None:
    if not name.strip() or len(name) > _NAME_LENGTH or not name.isprintable():
        raise BadInput(f"{name!r} is no name", hint=f"1 to {_NAME_LENGTH} printable characters")
    if scope not in SCOPES:
        raise BadInput(f"unknown scope {scope!r}", hint=f"one of: {', '.join(SCOPES)}")
    if expires and _end_of(expires) <= time.time():
        raise BadInput(f"{expires} is over already", hint="choose a day from today on")


def _end_of(day: date) -> int:
    """The end of a day in UTC, in seconds."""
    try:
        following = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    except OverflowError:
        raise BadInput(f"{day} is too far away") from None
    return int(following.timestamp())


def _taken(name: str) -> Conflict:
    return Conflict(
        f"there is already a token named {name!r}", hint="revoke it, or choose another name"
    )


def _named(connection: sqlite3.Connection, name: str) -> sqlite3.Row:
    """The row of a token by name or id. Raises NotFound."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM token WHERE id = :name OR name = :name", {"name": name}
    ).fetchone()
    if row is None:
        raise NotFound(f"no token is named {name!r}", hint="see: bilbaokg token list")
    return row


def _one(connection: sqlite3.Connection, id: str) -> dict[str, Any]:
    row = connection.execute("SELECT * FROM token WHERE id = ?", (id,)).fetchone()
    return _public(row, max(int(time.time()), _seen(connection)))


def _seen(connection: sqlite3.Connection) -> int:
    """The latest time that was noted."""
    return int(connection.execute("SELECT seen FROM clock").fetchone()[0])


def _note(connection: sqlite3.Connection, statement: str, values: tuple[Any, ...]) -> None:
    """Write down a time; a full disk or a busy database is no reason to refuse a request."""
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA busy_timeout = 50")
        connection.execute(statement, values)


def _state(row: sqlite3.Row, now: int) -> str:
    """active, revoked or expired."""
    if row["revoked_at"] is not None:
        return "revoked"
    if row["expires_at"] is not None and now >= row["expires_at"]:
        return "expired"
    return "active"


def _public(row: sqlite3.Row, now: int) -> dict[str, Any]:
    times = {name: _time(row[name]) for name in ("created_at", "used_at", "revoked_at")}
    # The last second on which it works, so that the day shown is the day asked for.
    ends = row["expires_at"]
    times["expires_at"] = _time(ends - 1) if ends is not None else None
    state = _state(row, now)
    return {"id": row["id"], "name": row["name"], "scope": row["scope"], "state": state} | times


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
