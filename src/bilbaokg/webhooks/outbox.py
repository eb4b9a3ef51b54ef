"""What is still to be told to whom, and what came of it: `<data>/webhooks.db`.

A delivery is taken for a while and not removed: when the process that took it is killed, somebody
else sends it again. `mark` is the number of the last audit entry that was noted, so that a switch
whose note was cut off by a kill is noted at the next start.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from bilbaokg.store.embedded import storage_errors
from bilbaokg.webhooks.events import Message

__all__ = ["DELAYS", "FILE", "Delivery", "Outbox", "masked"]

FILE: Final = "webhooks.db"
WAITING, DELIVERED, ENDED = "waiting", "delivered", "ended"

DELAYS: Final = tuple(60 * minutes for minutes in (1 / 12, 5, 30, 120, 300, 600, 840, 1200, 1440))
"""Seconds after each failure before the next attempt (the specification's example): three days."""

_JITTER: Final = 0.1
# Longer than a request may take: whoever took a delivery and is not back by then is gone.
_LEASE: Final = 60.0
_KEPT: Final = 200
_BUSY_SECONDS: Final = 10.0
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS message "
    "(id TEXT PRIMARY KEY, type TEXT NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS delivery (message TEXT NOT NULL, url TEXT NOT NULL, "
    "state TEXT NOT NULL, attempts INTEGER NOT NULL, due REAL, tried TEXT, status INTEGER, "
    "error TEXT, PRIMARY KEY (message, url))",
    "CREATE TABLE IF NOT EXISTS mark (seq INTEGER NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one address.

    state: waiting, delivered or ended (given up); due: Unix seconds of the next attempt, None where
    there is none; tried: when it was last tried; status, error: what came of that.
    """

    message: str
    type: str
    at: str
    url: str
    state: str
    attempts: int
    due: float | None
    tried: str | None
    status: int | None
    error: str | None
    body: str

    def as_dict(self) -> dict[str, Any]:
        """The JSON members, without the body."""
        members = asdict(self)
        del members["body"]
        return {**members, "url": masked(self.url)}


def masked(url: str) -> str:
    """An address without its query, which may be a secret."""
    address, asks, _ = url.partition("?")
    return f"{address}?..." if asks else address


class Outbox:
    """The outbox of a data directory. Raises StorageFault, StorageFull, CorruptStore."""

    def __init__(self, data: Path, clock: Callable[[], float] = time.time) -> None:
        self.file, self.clock = data.absolute() / FILE, clock

    @property
    def exists(self) -> bool:
        """Whether there ever was anything to tell."""
        return self.file.is_file()

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """One transaction, which alone writes."""
        with storage_errors(self.file):
            connection = sqlite3.connect(self.file, timeout=_BUSY_SECONDS, isolation_level=None)
            try:
                connection.row_factory = sqlite3.Row
                connection.execute("BEGIN IMMEDIATE")
                for table in _TABLES:
                    connection.execute(table)
                yield connection
                connection.execute("COMMIT")
            finally:
                connection.close()

    # ---- noting

    def mark(self) -> int | None:
        """The number of the last audit entry that was noted."""
        if not self.exists:
            return None
        with self._opened() as connection:
            row = connection.execute("SELECT max(seq) AS seq FROM mark").fetchone()
        seq: int | None = row["seq"]
        return seq

    def note(self, message: Message | None, urls: Collection[str], seq: int) -> None:
        """Remember what is to be told, and that the audit was read up to an entry."""
        with self._opened() as connection:
            if message and urls:
                connection.execute(
                    "INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?)",
                    (message.id, message.type, message.at, message.body),
                )
                connection.executemany(
                    "INSERT OR IGNORE INTO delivery VALUES (?, ?, ?, 0, ?, NULL, NULL, NULL)",
                    [(message.id, url, WAITING, self.clock()) for url in dict.fromkeys(urls)],
                )
            connection.execute("DELETE FROM mark")
            connection.execute("INSERT INTO mark VALUES (?)", (seq,))
            self._forget(connection)

    def _forget(self, connection: sqlite3.Connection) -> None:
        """Remove the oldest messages of which nothing waits."""
        connection.execute(
            "DELETE FROM message WHERE rowid NOT IN "
            "(SELECT rowid FROM message ORDER BY rowid DESC LIMIT ?) AND id NOT IN "
            "(SELECT message FROM delivery WHERE state = ?)",
            (_KEPT, WAITING),
        )
        connection.execute("DELETE FROM delivery WHERE message NOT IN (SELECT id FROM message)")

    # ---- sending

    def take(self, urls: Collection[str]) -> list[Delivery]:
        """What is due now, taken for a while; what goes to an address no longer named ends."""
        if not self.exists:
            return []
        now = self.clock()
        with self._opened() as connection:
            waiting = self._select(connection, WAITING)
            for delivery in waiting:
                if delivery.url not in urls:
                    words = "no longer in the setting webhooks"
                    self._write(connection, delivery, ENDED, None, None, words)
            named = (delivery for delivery in waiting if delivery.url in urls)
            due = [d for d in named if d.due is not None and d.due <= now]
            connection.executemany(
                "UPDATE delivery SET due = ? WHERE message = ? AND url = ?",
                [(now + _LEASE, d.message, d.url) for d in due],
            )
        return due

    def tell(
        self,
        delivery: Delivery,
        status: int | None,
        error: str | None,
        *,
        wait: float = 0.0,
        over: bool = False,
    ) -> None:
        """What came of an attempt. error: None where it was taken; wait: seconds that the receiver
        asks for; over: it wants no more."""
        tried = delivery.attempts
        with self._opened() as connection:
            if error is None:
                self._write(connection, delivery, DELIVERED, None, status, None, tried=True)
            elif over or tried >= len(DELAYS):
                self._write(connection, delivery, ENDED, None, status, error, tried=True)
            else:
                delay = DELAYS[tried] * (1 + random.uniform(0, _JITTER))  # noqa: S311
                due = self.clock() + max(delay, min(wait, DELAYS[-1]))
                self._write(connection, delivery, WAITING, due, status, error, tried=True)

    def _write(
        self,
        connection: sqlite3.Connection,
        delivery: Delivery,
        state: str,
        due: float | None,
        status: int | None,
        error: str | None,
        *,
        tried: bool = False,
    ) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock())) if tried else None
        connection.execute(
            "UPDATE delivery SET state = ?, due = ?, status = ?, error = ?, "
            "attempts = attempts + ?, tried = coalesce(?, tried) WHERE message = ? AND url = ?",
            (state, due, status, error, int(tried), at, delivery.message, delivery.url),
        )

    def retry(self, message: str | None = None) -> int:
        """Let what was not delivered (of one message) be due now, with all attempts before it; how
        much that is."""
        if not self.exists:
            return 0
        with self._opened() as connection:
            changed = connection.execute(
                "UPDATE delivery SET state = ?, due = ?, attempts = 0 "
                "WHERE state != ? AND (? IS NULL OR message = ?)",
                (WAITING, self.clock(), DELIVERED, message, message),
            )
            return changed.rowcount

    # ---- looking

    def all(self) -> list[Delivery]:
        """Every delivery, the oldest message first."""
        if not self.exists:
            return []
        with self._opened() as connection:
            return self._select(connection)

    def counts(self) -> dict[str, int]:
        """Deliveries by state."""
        found = [delivery.state for delivery in self.all()]
        return {state: found.count(state) for state in (WAITING, DELIVERED, ENDED)}

    def _select(self, connection: sqlite3.Connection, state: str | None = None) -> list[Delivery]:
        rows = connection.execute(
            "SELECT message, type, at, url, state, attempts, due, tried, status, error, body "
            "FROM delivery JOIN message ON message.id = delivery.message "
            "WHERE ? IS NULL OR state = ? ORDER BY message.rowid, url",
            (state, state),
        )
        return [Delivery(**row) for row in rows]
