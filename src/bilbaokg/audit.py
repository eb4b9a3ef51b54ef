"""The audit chain: who did what, when, to which revision; each entry holds the hash before it.

An entry is kept as one exact JSON text (prov:value) in `<base>/graph/audit`; its hash is the
SHA-256 of that text, which names the previous hash. An operation on many records is one entry.

A chain does not show that its end was cut. So the number and hash of every entry also go to a file
beside the store (`heads`), after the entry itself: the store may be ahead of it, never behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bilbaokg.errors import CorruptStore
from bilbaokg.model import Event
from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import DCT, PROV, RDF, XSD, literal, plain, ref

__all__ = ["HEADS", "Audit", "instant", "now"]

HEADS: Final = "audit.heads"
_FIRST: Final = "0" * 64
# Each line begins with its line feed, so that one that was cut short spoils no other.
_HEAD: Final = re.compile(rb"^([0-9]+) ([0-9a-f]{64})$", re.MULTILINE)
_TAIL_BYTES: Final = 4096


def now() -> str:
    """The time as xsd:dateTime in UTC, to the millisecond."""
    return instant(datetime.now(UTC))


def instant(moment: datetime) -> str:
    """A moment (with a time zone) in the same way."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Audit:
    """The chain of one working store. Callers hold the write lock.

    heads: the file beside the store, None to keep none.
    """

    def __init__(self, store: EmbeddedStore, base: str, heads: Path | None = None) -> None:
        self.store, self.heads = store, heads
        self.graph = f"{base}/graph/audit"
        self._last: Event | None = None
        self._failures = 0

    def iri(self, seq: int) -> str:
        """The IRI of an entry."""
        return f"{self.graph}#e{seq}"

    def last(self) -> Event | None:
        """The newest entry."""
        if self._failures != self.store.failures:
            # A write that failed may have written its entry.
            self._last, self._failures = None, self.store.failures
        if self._last is None:
            sequence = (
                int(s.rpartition("#e")[2][:-1])
                for s, *_ in self.store.match(predicate=ref(DCT.identifier), graph=self.graph)
            )
            newest = max(sequence, default=0)
            self._last = self.get(newest) if newest else None
        return self._last

    def get(self, seq: int) -> Event:
        """One entry, as it was written. Raises CorruptStore when its one text is not there."""
        found = self.store.match(ref(self.iri(seq)), ref(PROV.value), graph=self.graph)
        texts = [plain(o) for _, _, o, _ in found]
        if not texts:
            raise CorruptStore(f"audit entry {seq} is missing", where=self.graph)
        try:
            (text,) = texts
            event = Event(**json.loads(text), hash=_digest(text))
        except (ValueError, TypeError):
            event = None
        if event is None or event.seq != seq:
            raise CorruptStore(f"audit entry {seq} is damaged", where=self.graph)
        return event

    def events(self) -> list[Event]:
        """All entries, oldest first."""
        last = self.last()
        return [self.get(seq) for seq in range(1, last.seq + 1)] if last else []

    def next(
        self, actor: str, kind: str, subject: str, detail: dict[str, Any]
    ) -> tuple[Event, GraphChange]:
        """The next entry and the change that writes it, to be applied with what it tells of."""
        before = self.last()
        body: dict[str, Any] = {
            "seq": before.seq + 1 if before else 1,
            "at": now(),
            "actor": actor,
            "kind": kind,
            "subject": subject,
            "detail": detail,
            "previous_hash": before.hash if before else _FIRST,
        }
        text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        event = Event(**body, hash=_digest(text))
        node = ref(self.iri(event.seq))
        lines = (
            f"{node} {ref(RDF.type)} {ref(PROV.Activity)} .",
            f"{node} {ref(PROV.value)} {literal(text)} .",
            f"{node} {ref(DCT.identifier)} {literal(event.hash)} .",
            f"{node} {ref(PROV.endedAtTime)} {literal(event.at, datatype=XSD.dateTime)} .",
            f"{node} {ref(PROV.wasAssociatedWith)} {literal(actor)} .",
            f"{node} {ref(DCT.type)} {literal(kind)} .",
        )
        return event, GraphChange(self.graph, insert=lines)

    def written(self, event: Event) -> None:
        """Tell that the entry's change was applied."""
        self._last = event
        if self.heads:
            # The entry itself is on disk; a head that is missing is made good by the next.
            with contextlib.suppress(OSError):
                _append(self.heads, f"\n{event.seq} {event.hash}".encode())

    def check_end(self) -> None:
        """Check that the chain reaches the last head. Raises CorruptStore when its end was cut."""
        noted = _heads(self.heads, _TAIL_BYTES) if self.heads else []
        if not noted:
            if last := self.last():
                self.written(last)
            return
        seq, expected = noted[-1]
        try:
            found = self.get(seq).hash
        except CorruptStore:
            found = ""
        if found != expected:
            raise CorruptStore(
                f"the working store has lost entry {seq} of the audit, or is that of another time",
                where=str(self.store.path),
                hint=f"restore a whole backup; to go on with what there is, remove {self.heads}",
            )

    def verify(self) -> int:
        """Check the whole chain and return its length. Raises CorruptStore naming the entry."""
        previous = _FIRST
        events = self.events()
        for number, event in enumerate(events, 1):
            stored = self.store.match(ref(self.iri(number)), ref(DCT.identifier), graph=self.graph)
            hashes = [plain(o) for _, _, o, _ in stored]
            if (event.previous_hash, hashes) != (previous, [event.hash]):
                raise CorruptStore(f"the audit chain breaks at entry {number}", where=self.graph)
            previous = event.hash
        entries = {ref(self.iri(number)) for number in range(1, len(events) + 1)}
        for subject, *_ in self.store.match(graph=self.graph):
            if subject not in entries:
                raise CorruptStore(f"{subject} is not in the audit chain", where=self.graph)
        for seq, expected in _heads(self.heads) if self.heads else ():
            if seq > len(events) or events[seq - 1].hash != expected:
                raise CorruptStore(
                    f"audit entry {seq} is not the one that was noted", where=str(self.heads)
                )
        return len(events)


def _append(path: Path, line: bytes) -> None:
    """Put a line at the end of a file, on disk."""
    fresh = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    if fresh:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _heads(path: Path, most: int | None = None) -> list[tuple[int, str]]:
    """The number and hash of every whole line, or of those in the last `most` bytes."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - most, 0) if most else 0)
            found = _HEAD.findall(file.read())
    except FileNotFoundError:
        return []
    return [(int(seq), digest.decode()) for seq, digest in found]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
