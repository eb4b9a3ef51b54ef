"""Records: saving what was planned atomically with history and audit, reading it back.

Layout in the working store, for a record `id` with graph G = `<base>/graph/record/{id}` and history
graph H = `<base>/graph/history/{id}`:

    G   the projection that queries see (Oxigraph normalises its literals)
    H   <iri> foaf:isPrimaryTopicOf <G>            <G> dcat:hasCurrentVersion <H#rN>
        <H#rN> prov:value "sorted N-Triples"; dct:identifier "SHA-256";
               prov:wasGeneratedBy <audit entry>
        <H#s-..> prov:hadPrimarySource <source>; prov:value "what it last said" or
                 prov:specializationOf <H#rN> where it said just that;
                 prov:invalidatedAtTime when gone
        <G> dct:accessRights "internal"|"public"   where set otherwise than by kind

A long text is kept in pieces, `rdf:_1 "...", rdf:_2 "..."` in place of prov:value.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from bilbaokg.audit import Audit, now
from bilbaokg.errors import CorruptStore, Gone, Invalid, NotFound
from bilbaokg.merging import (
    Change,
    Head,
    Plan,
    Said,
    buried,
    digest,
    is_buried,
    is_person,
)
from bilbaokg.model import Event, Record
from bilbaokg.partition import MEMBERSHIP, Home, is_path
from bilbaokg.settings import Settings
from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import (
    AS,
    DCAT,
    DCT,
    FOAF,
    PROV,
    RDF,
    XSD,
    literal,
    plain,
    record_id,
    ref,
    split_line,
    split_lines,
)

__all__ = ["Records"]

# Records and bytes a batch: new ones are bulk loaded, changed ones are one update text. The more is
# loaded at once, the less RocksDB merges later, and the more memory it takes.
_NEW_BATCH: Final = (1000, 64 << 20)
_CHANGED_BATCH: Final = (100, 1 << 20)
# Characters of new records from which a batch of their own pays: adding alone is several times
# faster a statement than an update, and each batch is put on disk by itself.
_APART: Final = 32_000
# Characters of text a literal: one of over 2 MiB makes every look-up of its RocksDB file slow.
_PIECE: Final = 400_000
_TYPE: Final = ref(RDF.type)
_TOMBSTONE: Final = ref(AS.Tombstone)
_DELETED: Final = ref(AS.deleted)
_TOPIC: Final = ref(FOAF.primaryTopic)
_CATALOG_RECORD: Final = ref(DCAT.CatalogRecord)
_TOPIC_OF: Final = ref(FOAF.isPrimaryTopicOf)
_IDENTIFIER: Final = ref(DCT.identifier)
_CURRENT: Final = ref(DCAT.hasCurrentVersion)
_GENERATED_BY: Final = ref(PROV.wasGeneratedBy)
_VALUE: Final = ref(PROV.value)
_SOURCE: Final = ref(PROV.hadPrimarySource)
_SAME_AS_REVISION: Final = ref(PROV.specializationOf)
_GONE: Final = ref(PROV.invalidatedAtTime)
_ACCESS: Final = ref(DCT.accessRights)


class Records:
    """The records of one working store. Callers hold the write lock when they write.

    heads: where the audit notes its entries beside the store.
    """

    def __init__(self, store: EmbeddedStore, settings: Settings, heads: Path | None = None) -> None:
        self.store, self.settings, self.base = store, settings, settings.base
        self.audit = Audit(store, settings.base, heads)
        self._records = f"{self.base}/graph/record/"
        self._history = f"{self.base}/graph/history/"
        self._sources = f"{self.base}/source/"

    # ---- names

    def graph(self, id: str) -> str:
        """The IRI of the graph that queries see."""
        return f"{self._records}{id}"

    def history_graph(self, id: str) -> str:
        """The IRI of the graph that holds the revisions."""
        return f"{self._history}{id}"

    def _source_iri(self, name: str) -> str:
        return f"{self._sources}{quote(name, safe='')}"

    # ---- reading

    def head(self, id: str) -> Head | None:
        """The present state of a record, or None."""
        history = self.history_graph(id)
        nodes: dict[str, dict[str, str]] = {}
        iri, topic_of = "", FOAF.isPrimaryTopicOf
        for s, p, o in self.store.values(history):
            if p == topic_of:
                iri = s
            nodes.setdefault(s, {})[p] = o
        state = nodes.get(self.graph(id))
        if not state or not iri:
            return None
        current = state[DCAT.hasCurrentVersion]
        if current not in nodes:
            raise CorruptStore("its current revision is missing", where=history)
        head = Head(id, iri, int(current.rpartition("#r")[2]), _kept_text(nodes[current]))
        head.revision = nodes[current][DCT.identifier]
        head.visibility = state.get(DCT.accessRights)
        for node in nodes.values():
            if PROV.hadPrimarySource in node:
                said = self._said(node, nodes)
                head.said[said.source] = said
        return head

    def _said(self, node: Mapping[str, str], nodes: Mapping[str, Mapping[str, str]]) -> Said:
        holder = nodes[node[PROV.specializationOf]] if PROV.specializationOf in node else node
        name = unquote(node[PROV.hadPrimarySource][len(self._sources) :])
        return Said(name, _kept_text(holder), PROV.invalidatedAtTime in node, node)

    def is_empty(self) -> bool:
        """Whether there is no record yet."""
        return next(self.store.match(predicate=_CURRENT), None) is None

    def ids(self) -> list[str]:
        """The ids of all records, sorted."""
        prefix = ref(self._history)[:-1]
        found = self.store.match(predicate=_CURRENT)
        return sorted(g[len(prefix) - 1 :] for _, _, _, g in found if g.startswith(self._history))

    def get(self, id: str) -> Record:
        """A record as it is now. Raises NotFound."""
        head = self._head_of(id)
        return Record(
            head.id,
            head.iri,
            head.text,
            head.revision,
            head.number,
            self.visibility(head),
            tuple(sorted(said.source for said in head.said.values() if said.gone)),
        )

    def all(self) -> Iterator[Record]:
        """Every record, by id."""
        for id in self.ids():
            yield self.get(id)

    def current(self) -> dict[str, str]:
        """The present revision of every record (the SHA-256 of its text) by id, sorted by id."""
        nodes = {
            node: graph[len(self._history) :]
            for _, _, node, graph in self.store.match(predicate=_CURRENT)
            if graph.startswith(self._history)
        }
        found = {
            nodes[node]: plain(revision)
            for node, _, revision, _ in self.store.match(predicate=_IDENTIFIER)
            if node in nodes
        }
        return dict(sorted(found.items()))

    def visibility(self, head: Head) -> str:
        """Public unless set otherwise; persons are always internal."""
        if is_person(head):
            return "internal"
        if head.visibility:
            return head.visibility
        return "internal" if head.id.partition("/")[0] in self.settings.internal_kinds else "public"

    def home(self, subject: str) -> Home | None:
        """The record that a subject (N-Triples term) belongs to in the store."""
        for _, _, graph, holder in self.store.match(subject, _TOPIC_OF):
            if holder.startswith(self._history):
                return self._home(graph[1:-1], subject[1:-1])
        own: set[str] = set()
        memberships: set[tuple[str, str]] = set()
        for _, predicate, object_, graph in self.store.match(subject):
            if graph.startswith(self._records):
                if predicate in MEMBERSHIP:
                    memberships.add((graph, object_))
                else:
                    own.add(graph)
        # What was in a rest before a record reached it may be said in both places.
        rest = f"{self._records}rest/"
        settled = {graph for graph in own if not graph.startswith(rest)}
        # A membership is kept by the member; that of what is no record stays with the whole.
        kept = settled or {g for g, member in memberships if not self._is_home(g, member)} | own
        chosen = min(kept, key=lambda graph: (graph.startswith(rest), graph), default=None)
        return self._home(chosen) if chosen else None

    def _is_home(self, graph: str, member: str) -> bool:
        """Whether a graph is that of a root or of a catalogue record (N-Triples term)."""
        id = graph[len(self._records) :]
        root = record_id(self.base, id.partition("/")[0], member[1:-1])
        return id == root or self._is_catalog_record(member)

    def _home(self, graph: str, iri: str = "") -> Home:
        id = graph[len(self._records) :]
        if not iri:
            found = self.store.match(
                predicate=_TOPIC_OF, object=ref(graph), graph=self.history_graph(id)
            )
            iri = next((s[1:-1] for s, *_ in found), "")
        shared = id.partition("/")[0] in (
            "shared",
            "rest",
            "run",
            "column",
            "distribution",
            "policy",
        )
        return Home(id, iri, shared)

    def referrers(self, object: str) -> list[Home]:
        """The records that point to a term."""
        graphs = {
            graph
            for _, predicate, _, graph in self.store.match(object=object)
            if graph.startswith(self._records)
            and predicate not in MEMBERSHIP
            and predicate != _TYPE
        }
        return [self._home(graph) for graph in sorted(graphs)]

    def reaching(self, object: str) -> list[Home]:
        """The records from which a path leads to a term."""
        graphs = {
            graph
            for subject, predicate, _, graph in self.store.match(object=object)
            if graph.startswith(self._records)
            and is_path(predicate)
            and not (predicate == _TOPIC and self._is_catalog_record(subject))
        }
        return [self._home(graph) for graph in sorted(graphs)]

    def _is_catalog_record(self, subject: str) -> bool:
        return next(self.store.match(subject, _TYPE, _CATALOG_RECORD), None) is not None

    def sources(self) -> set[str]:
        """The names of all sources that have spoken."""
        return {
            unquote(plain(o)[len(self._sources) :])
            for _, _, o, graph in self.store.match(predicate=_SOURCE)
            if graph.startswith(self._history)
        }

    def described(self, source: str) -> set[str]:
        """The ids of the records that a source describes, without those that it no longer lists."""
        found = self.store.match(predicate=_SOURCE, object=ref(self._source_iri(source)))
        return {
            graph[len(self._history) :]
            for node, _, _, graph in found
            if graph.startswith(self._history)
            and next(self.store.match(node, _GONE, graph=graph), None) is None
        }

    def revisions(self, id: str) -> list[dict[str, str]]:
        """The history of a record, oldest first: number, revision, at, actor, why, text."""
        found = []
        for number, values in sorted(self._revision_nodes(id).items()):
            event = self.audit.get(_sequence(values))
            found.append(
                {
                    "number": str(number),
                    "revision": values[DCT.identifier],
                    "at": event.at,
                    "actor": event.actor,
                    "why": str(event.detail.get("why", event.kind)),
                    "text": _kept_text(values),
                }
            )
        return found

    def alive(self, head: Head) -> str:
        """The last text of a record that was no tombstone, "" where none was."""
        texts = (revision["text"] for revision in reversed(self.revisions(head.id)))
        return next((x for x in texts if not is_buried(split_lines(x), head.iri)), "")

    def was_replaced(self, head: Head) -> bool:
        """Whether a record is a tombstone because another one took its place in lineage."""
        if not head.deleted_here:
            return False
        last = self._revision_nodes(head.id)[head.number]
        return self.audit.get(_sequence(last)).kind == "lineage"

    def _revision_nodes(self, id: str) -> dict[int, dict[str, str]]:
        """The properties of each revision, by its number."""
        prefix = f"{self.history_graph(id)}#r"
        nodes: dict[int, dict[str, str]] = {}
        for s, p, o in self.store.values(self.history_graph(id)):
            if s.startswith(prefix):
                nodes.setdefault(int(s[len(prefix) :]), {})[p] = o
        return nodes

    def verify(self) -> int:
        """Check every revision against its hash and the audit; returns how many records there are.

        Raises CorruptStore naming the record.
        """
        last = self.audit.last()
        graphs = sorted(g for g in self.store.graphs() if g.startswith(self._history))
        for graph in graphs:
            id = graph[len(self._history) :]
            if self.head(id) is None:
                raise CorruptStore(f"record {id} has lost its current revision", where=id)
            self._verify_revisions(id, last.seq if last else 0)
        return len(graphs)

    def _verify_revisions(self, id: str, last: int) -> None:
        for number, values in self._revision_nodes(id).items():
            if digest(_kept_text(values)) != values.get(DCT.identifier):
                raise CorruptStore(
                    f"the text of revision {number} of record {id} is not what was saved", where=id
                )
            if _sequence(values) > last:
                raise CorruptStore(
                    f"the audit entry of revision {number} of record {id} is missing", where=id
                )

    # ---- writing

    def commit(
        self,
        plan: Plan,
        *,
        actor: str,
        kind: str,
        subject: str,
        why: str,
        detail: Mapping[str, object] | None = None,
        on_saved: Callable[[int], None] | None = None,
        beside: Sequence[GraphChange] = (),
    ) -> Event | None:
        """Write a plan: whole records, in atomic batches, each on disk before the next.

        The audit entry goes with the first batch and holds a digest of all that is planned, so an
        operation that was killed shows. `beside` goes with the last batch: what says that all of it
        was done. Returns None when there is nothing to write.
        """
        if not plan.changes and not beside:
            return None
        digests = {change.head.id: digest(change.text) for change in plan.changes}
        planned = "".join(f"{c.head.id} {digests[c.head.id]}\n" for c in plan.changes)
        event, entry = self.audit.next(
            actor,
            kind,
            subject,
            {"why": why, "records": plan.counts, "planned": digest(planned), **(detail or {})},
        )
        pending: list[GraphChange] = [entry]
        batches = _batches(plan.changes, takes_away=not all(c.only_adds for c in beside))
        for number, batch in enumerate(batches):
            for change in batch:
                pending += self._write(change, digests[change.head.id], event)
            if number == len(batches) - 1:
                pending += beside
            self.store.apply(pending)
            if number == 0:
                self.audit.written(event)
            pending = []
            if on_saved:
                on_saved(len(batch))
        return event

    def set_visibility(self, id: str, visibility: str, *, actor: str, why: str) -> Event:
        """Set a record public or internal, with its audit entry. Raises NotFound, Invalid."""
        head = self._head_of(id)
        if visibility not in ("public", "internal"):
            raise Invalid(f"visibility {visibility!r}", hint="public or internal")
        if visibility == "public" and is_person(head):
            raise Invalid("persons are always internal", where=head.iri)
        detail: dict[str, object] = {"to": visibility, "why": why}
        event, entry = self.audit.next(actor, "visibility", head.iri, detail)
        self.store.apply([entry, self._set_visibility(id, head.visibility, visibility)])
        self.audit.written(event)
        return event

    def _head_of(self, id: str) -> Head:
        """The present state of a record. Raises NotFound."""
        head = self.head(id)
        if head is None:
            raise NotFound(f"no record {id!r}")
        return head

    def _set_visibility(self, id: str, old: str | None, new: str) -> GraphChange:
        node = ref(self.graph(id))
        insert, delete = ([f"{node} {_ACCESS} {literal(x)} ."] if x else [] for x in (new, old))
        return GraphChange(
            self.history_graph(id), insert=insert, delete=[x for x in delete if x not in insert]
        )

    def kept_in(self, id: str, with_: str) -> list[GraphChange]:
        """What sets a record internal where another one was set so, unless people decided about it.

        Both are ids; the record may be one that the same step makes.
        """
        head, other = self.head(id), self.head(with_)
        if other is None or other.visibility != "internal" or (head and head.visibility):
            return []
        return [self._set_visibility(id, None, "internal")]

    def delete(
        self,
        id: str,
        *,
        replaced_by: str | None,
        actor: str,
        why: str,
        also: Callable[[Plan], None] = lambda _plan: None,
    ) -> Event:
        """Replace a record by a tombstone for itself and its own parts. Raises NotFound, Gone.

        also: adds to the plan what follows for other records.
        """
        head = self._head_of(id)
        if is_buried(head.lines, head.iri):
            raise Gone("it was deleted before", where=head.iri)
        plan = Plan(changes=[buried(head, replaced_by, now())])
        also(plan)
        event = self.commit(plan, actor=actor, kind="delete", subject=head.iri, why=why)
        if event is None:
            raise Invalid("nothing to delete", where=head.iri)
        return event

    def restore(
        self, id: str, *, actor: str, why: str, also: Callable[[Plan], None] = lambda _plan: None
    ) -> Event:
        """Bring a deleted record back as it was before. Raises NotFound, Invalid.

        also: adds to the plan what follows for other records.
        """
        head = self._head_of(id)
        alive = self.alive(head)
        if not is_buried(head.lines, head.iri) or not alive:
            raise Invalid("it is not deleted, or was never anything else", where=head.iri)
        plan = Plan(changes=[Change(head, alive, [])])
        also(plan)
        event = self.commit(plan, actor=actor, kind="restore", subject=head.iri, why=why)
        if event is None:
            raise Invalid("nothing to restore", where=head.iri)
        return event

    def _write(self, change: Change, revision_hash: str, event: Event) -> list[GraphChange]:
        """The changes of a record's two graphs."""
        head, history = change.head, self.history_graph(change.head.id)
        graph = ref(self.graph(head.id))
        parts, insert, delete = [], [], []
        revision = f"<{history}#r{head.number}>"
        if change.text != head.text:
            revision = f"<{history}#r{head.number + 1}>"
            insert += [
                *_text_lines(revision, change.text),
                f'{revision} {_IDENTIFIER} "{revision_hash}" .',
                f"{revision} {_GENERATED_BY} {ref(self.audit.iri(event.seq))} .",
                f"{graph} {_CURRENT} {revision} .",
            ]
            if head.number:
                delete.append(f"{graph} {_CURRENT} <{history}#r{head.number}> .")
            else:
                insert.append(f"{ref(head.iri)} {_TOPIC_OF} {graph} .")
                insert += [f'{graph} {_ACCESS} "internal" .'] * change.internal
            parts.append(_projection(self.graph(head.id), head.text, change.text))
        for said in change.said:
            node = f"<{history}#s-{digest(said.source)[:16]}>"
            before = set[str]()
            if said.source in head.said:
                # Exact statements are taken away at half the time of all that there are.
                before.update(_held_lines(node, head.said[said.source].held))
            now_said = list(self._source_lines(node, said, change.text, revision))
            delete += sorted(before.difference(now_said))
            insert += [line for line in now_said if line not in before]
        # A source that pointed to an old revision keeps its words: revisions are never removed.
        return [*parts, GraphChange(history, insert, delete)]

    def _source_lines(self, node: str, said: Said, text: str, revision: str) -> Iterator[str]:
        yield f"{node} {_SOURCE} {ref(self._source_iri(said.source))} ."
        if said.text == text:
            yield f"{node} {_SAME_AS_REVISION} {revision} ."
        else:
            yield from _text_lines(node, said.text)
        if said.gone:
            yield f"{node} {_GONE} {literal(now(), datatype=XSD.dateTime)} ."


def _text_lines(node: str, text: str) -> Iterator[str]:
    """The statements that keep a text."""
    if len(text) <= _PIECE:
        yield f"{node} {_VALUE} {literal(text)} ."
        return
    for number, start in enumerate(range(0, len(text), _PIECE), 1):
        yield f"{node} <{RDF}_{number}> {literal(text[start : start + _PIECE])} ."


def _held_lines(node: str, held: Mapping[str, str]) -> Iterator[str]:
    """The statements that keep what a source says, of their properties as the store gave them."""
    for predicate, value in held.items():
        if predicate in (PROV.hadPrimarySource, PROV.specializationOf):
            yield f"{node} {ref(predicate)} {ref(value)} ."
        elif predicate == PROV.invalidatedAtTime:
            yield f"{node} {_GONE} {literal(value, datatype=XSD.dateTime)} ."
        else:
            yield f"{node} {ref(predicate)} {literal(value)} ."


def _kept_text(values: Mapping[str, str]) -> str:
    """The text that the properties of a node keep."""
    if PROV.value in values:
        return values[PROV.value]
    names = itertools.takewhile(values.__contains__, (f"{RDF}_{n}" for n in itertools.count(1)))
    return "".join(values[name] for name in names)


def _sequence(values: Mapping[str, str]) -> int:
    """The number of the audit entry that a revision was written with."""
    return int(values[PROV.wasGeneratedBy].rpartition("#e")[2])


def _projection(graph: str, old: str, new: str) -> GraphChange:
    """The difference of a record's graph.

    Two exact literals may be one in the projection ("1.5" and "1.50"), so what stays of a property
    that loses a value is written again.
    """
    if not old:
        return GraphChange(graph, insert=split_lines(new))
    before, after = set(split_lines(old)), set(split_lines(new))
    gone = before - after
    touched = {split_line(line)[:2] for line in gone}
    again = {line for line in before & after if '"' in line and split_line(line)[:2] in touched}
    return GraphChange(graph, insert=sorted((after - before) | again), delete=sorted(gone))


def _batches(changes: Sequence[Change], *, takes_away: bool) -> list[list[Change]]:
    """Whole records in batches that Oxigraph commits quickly, the new ones first; at least one.

    takes_away: whether what goes with the last batch does, which makes that an update.
    """
    new = [change for change in changes if change.kind == "new"]
    others = [change for change in changes if change.kind != "new"]
    if not (others or takes_away):
        return list(_pieces(new, *_NEW_BATCH)) or [[]]
    if sum(len(change.text) for change in new) > _APART:
        return [*_pieces(new, *_NEW_BATCH), *(_pieces(others, *_CHANGED_BATCH) if others else [[]])]
    return list(_pieces([*new, *others], *_CHANGED_BATCH)) or [[]]


def _pieces(changes: Iterable[Change], most: int, limit: int) -> Iterator[list[Change]]:
    """Batches of at most so many records, and of about so many bytes."""
    batch: list[Change] = []
    size = 0
    for change in changes:
        if batch and (len(batch) >= most or size > limit):
            yield batch
            batch, size = [], 0
        batch.append(change)
        size += 2 * len(change.text)
    if batch:
        yield batch
