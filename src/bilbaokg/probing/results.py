"""What came of asking a link, and where that is kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from bilbaokg.errors import CorruptStore
from bilbaokg.store.embedded import storage_errors

__all__ = ["ANSWERS", "DEAD", "FILE", "UNKNOWN", "Probe", "Probes"]

FILE: Final = "probes.db"
ANSWERS, DEAD, UNKNOWN = "answers", "dead", "unknown"
"""The states of a link. Unknown is also what may not be asked: robots.txt, a private address."""

_TABLE: Final = "CREATE TABLE IF NOT EXISTS probe (url TEXT PRIMARY KEY, document TEXT NOT NULL)"


@dataclass(frozen=True, slots=True)
class Probe:
    """One link, asked once.

    at: when, in UTC. reason: why it is not known to answer: a status, an error. size, digests
    (algorithm -> hex), content (as what it was read) and invalid (why it is not of that format) are
    those of a body that was read whole, else None and empty. etag, modified: the validators for the
    next time.
    """

    url: str
    at: str
    state: str
    reason: str | None = None
    status: int | None = None
    media_type: str | None = None
    size: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    content: str | None = None
    invalid: str | None = None
    etag: str | None = None
    modified: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON members."""
        return asdict(self)


@contextmanager
def _errors(file: Path) -> Iterator[None]:
    """Failures of a file that can be made again."""
    try:
        with storage_errors(file):
            yield
    except CorruptStore as error:
        error.hint = "remove the file, then run: bilbaokg probe"
        raise


class Probes:
    """The results of a data directory, by link; the last one of each."""

    def __init__(self, data: Path) -> None:
        self.file = data.absolute() / FILE

    def all(self) -> dict[str, Probe]:
        """Every result; none where nothing was probed. Raises StorageFault, CorruptStore."""
        if not self.file.is_file():
            return {}
        with _errors(self.file):
            connection = sqlite3.connect(f"{self.file.as_uri()}?mode=ro", uri=True)
            try:
                rows = connection.execute("SELECT url, document FROM probe").fetchall()
            finally:
                connection.close()
        return {url: Probe(**json.loads(document)) for url, document in rows}

    def save(self, probes: Iterable[Probe]) -> None:
        """Keep results in place of earlier ones. Raises StorageFault, StorageFull, CorruptStore."""
        rows = [(probe.url, json.dumps(probe.as_dict(), ensure_ascii=False)) for probe in probes]
        with _errors(self.file):
            connection = sqlite3.connect(self.file)
            try:
                with connection:
                    connection.execute(_TABLE)
                    connection.executemany("INSERT OR REPLACE INTO probe VALUES (?, ?)", rows)
            finally:
                connection.close()
