"""The audit chain: who did what, when, to which revision; each entry holds the hash before it.

An entry is kept as one exact JSON text (prov:value) in `<base>/graph/audit`; its hash is the
SHA-256 of that text, which names the previous hash. An operation on many records is one entry.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Final

from bilbaokg.errors import CorruptStore
from bilbaokg.model import Event
from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import DCT, PROV, RDF, XSD, literal, plain, ref

__all__ = ["Audit", "now"]

_FIRST: Final = "0" * 64


def now() -> str:
    """The time as xsd:dateTime in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Audit:
    """The chain of one working store. Callers hold the write lock."""

    def __init__(self, store: EmbeddedStore, base: str) -> None:
        self.store = store
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
        return len(events)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
