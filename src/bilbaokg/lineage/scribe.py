"""From events to records: each is merged into the states, and what follows of them is planned.

Many events make one plan: a record that ten of them tell of changes once. The words of pipelines
about tables and runs are those of the source `lineage`; what a job makes a table of is said by the
source `lineage {job id}`, so that a job which goes takes away only what was its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bilbaokg.lineage.agreeing import agree
from bilbaokg.lineage.aliases import Aliases
from bilbaokg.lineage.batch import Batch, Words
from bilbaokg.lineage.events import Event
from bilbaokg.lineage.following import Follower
from bilbaokg.lineage.names import Name
from bilbaokg.lineage.regrouping import regroup
from bilbaokg.lineage.states import States
from bilbaokg.lineage.tables import Tables
from bilbaokg.lineage.telling import Teller
from bilbaokg.merging import Plan
from bilbaokg.planning import Planner
from bilbaokg.records import Records
from bilbaokg.store import GraphChange

__all__ = ["Planned", "Scribe"]

_NO_WORDS: Final[Words] = MappingProxyType({})


@dataclass(slots=True)
class Planned:
    """What a batch of events does: to records, and to the states beside them."""

    plan: Plan
    states: list[GraphChange]


class Scribe:
    """Writes down what pipelines tell in one store. Callers hold the write lock.

    After `plan`, `decide` or `forget`, `written` or `failed` must be called before the next.
    """

    def __init__(self, records: Records) -> None:
        self.records, self.base = records, records.base
        self.states = States(records.store, records.base)
        self.aliases = Aliases(self.states, records.base)
        self.tables = Tables(self.states, self.aliases, records.base)
        self._planner = Planner(records)
        self._teller, self._follower = Teller(self.tables), Follower(self.tables)

    def written(self) -> None:
        """Tell that what was planned is on disk."""
        self.states.saved()
        self.tables.settle()

    def failed(self) -> None:
        """Tell that it is not."""
        self.states.forget()
        self.aliases.forget()
        self.tables.forget()

    def plan(self, events: Iterable[Event], beside: Callable[[], Words] = dict) -> Planned:
        """What it does to the records that these events were seen.

        beside: gives what other sources say of the same records, once the names are known.
        """
        batch = Batch()
        for event in events:
            self._teller.tell(event, batch)
        return self._planned(batch, beside)

    def decide(self, name: Name, to: Name, at: str) -> Planned:
        """What it does that a steward says whose name this is: another's, or (itself) nobody's."""
        batch = Batch()
        self._teller.regard([name, to], batch)
        self.aliases.decide(name, to, at)
        self._teller.speak(name, at, batch)
        return self._planned(batch)

    def forget(self, id: str) -> Planned | None:
        """What it does that a job (its record's id) is deleted with what it said; None where
        nothing was told of it."""
        job = self.states.of(id)
        if not job.registers:
            return None
        batch = Batch(replaced={id: None})
        written = [table for table, _ in job.under("writes/")]
        for table in written:
            name = self.tables.called(table)
            for each in self.aliases.group(name) if name else ():
                self.tables.own(each).drop(f"columns/{id}")
        for table, _ in job.under("tested/"):
            self.states.of(table).drop(f"quality/{id}")
            if name := self.tables.called(table):
                batch.names[name] = None
        for key in list(job.registers):
            job.drop(key)
        batch.outputs |= dict.fromkeys((table, id) for table in written)
        return self._planned(batch)

    def _planned(self, batch: Batch, beside: Callable[[], Words] = lambda: _NO_WORDS) -> Planned:
        self.tables.settle()
        if batch.before:
            regroup(batch, self.tables, self.records)
        self._follower.follow(batch)
        known: dict[str, tuple[str, Mapping[str, list[str]]]] = {
            id: (self.tables.iri_of(id), said) for id, said in batch.said.items()
        }
        for id, (iri, said) in beside().items():
            known[id] = (iri, {**batch.said.get(id, {}), **said})
        plan = self._planner.known(known, batch.replaced, batch.back)
        agree(self.records, plan)
        hidden = [x for old, new in sorted(batch.moved) for x in self.records.kept_in(new, old)]
        return Planned(plan, [*self.states.changes(), *hidden])
