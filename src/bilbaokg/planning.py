"""Planning: what it would do to the records that sources say this or that of them now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

from bilbaokg.audit import now
from bilbaokg.merging import (
    Change,
    Head,
    Plan,
    Said,
    buried,
    bury,
    conflicts,
    is_buried,
    merged,
    speaking,
    stop_changed_identifiers,
    text_of,
    waiting,
)
from bilbaokg.partition import partition, rest_id
from bilbaokg.records import Records
from bilbaokg.terms import split_lines

__all__ = ["Planner"]


class Planner:
    """Plans for the records of one working store. Callers who write a plan hold the write lock from
    here on."""

    def __init__(self, records: Records) -> None:
        self.records = records

    def plan(self, said: Mapping[str, Iterable[str]], *, missing: Iterable[str] = ()) -> Plan:
        """What saving would do when each source (name -> lines) now says this.

        `missing` names sources that no longer exist. All sources are one import: the split into
        records does not depend on their order. Raises Invalid when an identifier would change.
        """
        plan = Plan()
        empty = self.records.is_empty()
        if empty:
            assigned = partition(said, self.records.base)
        else:
            assigned = partition(
                said, self.records.base, known=self.records.home, referrers=self.records.reaching
            )
        plan.rest = assigned.rest
        sources = {*said, *missing}
        for id in sorted(assigned.records):
            head = (None if empty else self.records.head(id)) or Head(id, assigned.iris[id])
            self._plan_record(plan, head, assigned.records[id], sources)
        if not empty:
            emptied = self._plan_rests(plan, assigned.records.keys(), said.keys())
            self._plan_gone(plan, assigned.records.keys() | emptied, sources)
        stop_changed_identifiers(plan)
        return plan

    def known(
        self,
        said: Mapping[str, tuple[str, Mapping[str, list[str]]]],
        replaced: Mapping[str, str | None],
        back: Set[str] = frozenset(),
    ) -> Plan:
        """What saving would do where the caller knows the records: id -> its IRI, source -> lines.

        A source says it of these records alone: of others it stays what it said. `replaced` (id ->
        IRI) become tombstones that lead to what took their place, None where nothing did. Those of
        `back` (ids) that became tombstones so come back as they were, with what is said now.
        """
        plan = Plan()
        for id, (iri, by_source) in said.items():
            head = self.records.head(id) or Head(id, iri)
            words = {s: lines for s, lines in by_source.items() if lines or s in head.said}
            if id in back and self.records.was_replaced(head):
                self._plan_return(plan, head, words)
            elif words:
                self._plan_record(plan, head, words, words.keys())
        for id, kept in replaced.items():
            if (gone := self.records.head(id)) and not is_buried(gone.lines, gone.iri):
                plan.changes.append(buried(gone, kept, now()))
        return plan

    def gone(self, source: str, present: Set[str]) -> Plan:
        """What saving would do where a source says nothing of any records but these (ids)."""
        plan = Plan()
        self._plan_gone(plan, present, {source})
        return plan

    def _plan_record(
        self, plan: Plan, head: Head, now_said: Mapping[str, list[str]], sources: Set[str]
    ) -> None:
        """One record's step: what `sources` say of it now; those that say nothing are gone."""
        if head.deleted_here:
            now_said = waiting(plan, head, now_said)
        said = dict(head.said)
        for source, words in now_said.items():
            said[source] = Said(source, text_of(words))
        for source in sorted((sources & said.keys()) - now_said.keys()):
            if not said[source].gone:
                said[source] = Said(source, said[source].text, gone=True)
                plan.tell_gone(head, source, still=now_said)
        lines = merged(head, now_said)
        if is_buried(head.lines, head.iri) and not is_buried(lines, head.iri):
            # It came back at its source, and with it all that was said of it.
            lines = {line for words in said.values() for line in split_lines(words.text)}
        if head.number or len(said) > 1 or is_buried(lines, head.iri):
            text = text_of(bury(head.lines, lines, head.iri))
        else:
            # The first words of the only source are the record.
            text = "".join(words.text for words in said.values())
        updates = [state for source, state in said.items() if head.said.get(source) != state]
        if text == head.text:
            plan.unchanged += 1
        if text != head.text or updates:
            plan.changes.append(Change(head, text, updates))
        if len(said) > 1:
            plan.problems += conflicts(head.iri, text, said)

    def _plan_return(self, plan: Plan, head: Head, now_said: Mapping[str, list[str]]) -> None:
        """The step from a tombstone to what the record was before, and what is said of it now."""
        step, text, said = Plan(), self.records.alive(head), list[Said]()
        self._plan_record(step, replace(head, text=text), now_said, now_said.keys())
        for change in step.changes:
            text, said = change.text, change.said
        plan.changes.append(Change(head, text, said))
        plan.problems += step.problems

    def _plan_rests(self, plan: Plan, assigned: Set[str], sources: Set[str]) -> set[str]:
        """Empty the rests of sources whose words all found a record: nothing of them is lost."""
        emptied: set[str] = set()
        for source in sorted(sources):
            id = rest_id(source)
            head = None if id in assigned else self.records.head(id)
            if head:
                emptied.add(id)
                self._plan_record(plan, head, {source: []}, {source})
        return emptied

    def _plan_gone(self, plan: Plan, present: Set[str], sources: Set[str]) -> None:
        """What sources no longer list is marked, never deleted."""
        gone: dict[str, tuple[Head, list[Said]]] = {}
        for source in sorted(sources):
            for id in sorted(self.records.described(source) - present):
                if head := self.records.head(id):
                    lost = Said(source, head.said[source].text, gone=True)
                    gone.setdefault(id, (head, []))[1].append(lost)
        for head, words in gone.values():
            plan.changes.append(Change(head, head.text, words))
            still = speaking(head.said.values()) - {said.source for said in words}
            for said in words:
                plan.tell_gone(head, said.source, still=still)
