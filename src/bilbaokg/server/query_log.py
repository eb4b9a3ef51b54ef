"""The log of queries that were slow, failed or were stopped: what was asked, never by whom.

`<data>/logs/queries.jsonl` has one JSON object a line. A client is a keyed hash: the key is random,
changes each day and is never stored, so nobody can follow a client from one day to the next, or
find out who it was. Literals may hold personal data: of the text only what is no literal is kept.

A thread writes. Who has something to say puts it into a queue and goes on; when the queue is full
or the disk fails, lines are lost, and counted.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import hmac
import json
import logging
import os
import queue
import re
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from bilbaokg.errors import SyntaxFault
from bilbaokg.settings import MIB
from bilbaokg.store import guard

__all__ = ["NAME", "QueryLog", "masked", "slowest", "tail"]

log = logging.getLogger(__name__)

NAME: Final = "logs/queries.jsonl"
"""Where it is in the data directory; full ones are beside it: queries.1.jsonl is the last one."""
_FULL_BYTES: Final = 10 * MIB
_KEPT_FILES: Final = 4
_QUEUED: Final = 1000
_RECENT: Final = 500
_READ_BYTES: Final = 16 << 10
_SHOWN_CHARACTERS: Final = 2000
_CLOSE_SECONDS: Final = 2.0
_SLOWEST: Final = 10
# Endpoints that ask no release.
_NO_RELEASE: Final = frozenset({"working", "scratch"})
# Numbers of so many digits may be somebody's: of a telephone, an identity card, an account.
_LONG_NUMBER: Final = re.compile(r"\d{7}")
_PERSONAL_IRI: Final = re.compile(r"<(?:mailto|tel|sms):|@|%40", re.IGNORECASE)

# The words of SPARQL 1.1 (section 19.8), and two of the engine's own.
_SPARQL: Final = """
A ABS ADD ADJUST ALL AND AS ASC ASK AVG BASE BIND BNODE BOUND BY CEIL CLEAR COALESCE CONCAT
CONSTRUCT CONTAINS COPY COUNT CREATE DATA DATATYPE DAY DEFAULT DELETE DESC DESCRIBE DISTINCT
DROP ENCODE_FOR_URI EXISTS FALSE FILTER FLOOR FROM GRAPH GROUP GROUP_CONCAT HAVING HOURS IF IN
INSERT INTO IRI ISBLANK ISIRI ISLITERAL ISNUMERIC ISURI LANG LANGMATCHES LATERAL LCASE LIMIT
LOAD MAX MD5 MIN MINUS MINUTES MONTH MOVE NAMED NOT NOW OFFSET OPTIONAL ORDER PREFIX RAND
REDUCED REGEX REPLACE ROUND SAMETERM SAMPLE SECONDS SELECT SEPARATOR SERVICE SHA1 SHA256 SHA384
SHA512 SILENT STR STRAFTER STRBEFORE STRDT STRENDS STRLANG STRLEN STRSTARTS STRUUID SUBSTR SUM
TIMEZONE TO TRUE TZ UCASE UNDEF UNION URI USING UUID VALUES WHERE WITH YEAR
"""
_WORDS: Final = frozenset(_SPARQL.split())


def masked(text: str) -> str:
    """A query without what may be about a person, its tokens one space apart.

    Texts become "...", long numbers 0, IRIs of mail and telephone <...>, words that are none of
    SPARQL (a text without its quotation marks) `...`; comments go. What follows a place that is no
    SPARQL is left out.
    """
    words: list[str] = []
    try:
        for token in guard.tokens(text):
            words.append(_shown(token))
    except SyntaxFault:
        words.append("...")
    return " ".join(words)


def _shown(token: guard.Token) -> str:
    if token.kind == "string":
        return '"..."'
    if token.kind == "word" and token.text.upper() not in _WORDS:
        return "..."
    if token.kind == "number" and _LONG_NUMBER.search(token.text):
        return "0"
    if token.kind == "iri" and _PERSONAL_IRI.search(token.text):
        return "<...>"
    return token.text


class QueryLog:
    """The log of one server, and its last lines.

    file: None keeps the last lines only. release: the id of the release that is served, asked when
    a line is written.
    """

    def __init__(
        self,
        file: Path | None,
        release: Callable[[], str | None] = lambda: None,
        *,
        full: int = _FULL_BYTES,
        queued: int = _QUEUED,
    ) -> None:
        self.file, self.release, self.full = file, release, full
        self.lost = 0
        self.recent: deque[dict[str, Any]] = deque(maxlen=_RECENT)
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue(queued)
        self._day, self._key = date.min, b""
        self._keys = threading.Lock()
        self._failing = False
        self._is_whole = False  # whether the last line in the file has its end
        self._thread: threading.Thread | None = None

    def note(self, line: dict[str, Any]) -> None:
        """Have a line written. It has `at` (seconds since 1970), `client` and `text` as they are.

        Returns at once. For one thread. Of a very long text the begin is enough.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="query log", daemon=True)
            self._thread.start()
        try:
            self._queue.put_nowait({**line, "text": line["text"][:_READ_BYTES]})
        except queue.Full:
            self.lost += 1

    def name(self, client: str) -> str:
        """What a client is called today."""
        with self._keys:
            today = datetime.now(UTC).date()
            if today != self._day:
                self._day, self._key = today, secrets.token_bytes(32)
            digest = hmac.new(self._key, client.encode(), hashlib.sha256).hexdigest()
        kind = "token" if client.startswith("token:") else "address"
        return f"{kind}:{digest[:12]}"

    def close(self) -> None:
        """Write what is queued and stop; what takes too long is lost."""
        if self._thread is None:
            return
        with contextlib.suppress(queue.Full):
            self._queue.put(None, timeout=_CLOSE_SECONDS)
            self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        while (line := self._queue.get()) is not None:
            try:
                made = self._made(line)
                self.recent.append(made)
                if self.file:
                    self._write(self.file, made)
                    self._failing = False
            except Exception as error:
                self.lost += 1
                if not self._failing:
                    log.warning("the log of queries cannot be written: %s", error)
                self._failing = True

    def _made(self, line: dict[str, Any]) -> dict[str, Any]:
        """The line as it is written: no client, no literal."""
        text = masked(line["text"].decode("utf-8", "replace"))
        made = {
            **line,
            "at": datetime.fromtimestamp(line["at"], UTC).isoformat(timespec="milliseconds"),
            "client": self.name(line["client"]),
            "query": hashlib.sha256(text.encode()).hexdigest()[:16],
            "release": None if line["endpoint"] in _NO_RELEASE else self.release(),
            "text": text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}...",
        }
        return made

    def _write(self, file: Path, made: dict[str, Any]) -> None:
        content = json.dumps(made, ensure_ascii=True).encode() + b"\n"
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_size + len(content) > self.full:
                _rotate(file)
        file.parent.mkdir(exist_ok=True)
        # Opened each time: whoever moves or removes the file need not tell the server.
        with file.open("a+b") as out:
            whole, self._is_whole = self._is_whole or _is_whole(out), False
            out.write(content if whole else b"\n" + content)
        self._is_whole = True


def _is_whole(file: BinaryIO) -> bool:
    """Whether nothing stands at the end that a kill or a full disk cut."""
    if not file.seek(0, os.SEEK_END):
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _rotate(file: Path) -> None:
    """Make room: queries.jsonl becomes queries.1.jsonl, and so on; the oldest goes."""
    names = [file, *(file.with_suffix(f".{n}.jsonl") for n in range(1, _KEPT_FILES + 1))]
    for older, newer in zip(reversed(names), reversed(names[:-1]), strict=False):
        with contextlib.suppress(FileNotFoundError):
            newer.replace(older)


def tail(data: Path, most: int = _RECENT) -> list[dict[str, Any]]:
    """The last lines of a data directory's log, oldest first; what is no whole line is left out."""
    found: list[dict[str, Any]] = []
    file = data / NAME
    for each in (file.with_suffix(".1.jsonl"), file):
        try:
            with each.open("rb") as lines:
                last = deque(lines, maxlen=most)
        except FileNotFoundError:
            continue
        for line in last:
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
    return found[-most:]


def slowest(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of some lines those that took longest, longest first."""
    return heapq.nlargest(_SLOWEST, lines, key=lambda line: float(line["seconds"]))
