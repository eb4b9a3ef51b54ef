"""From events to records: each is merged into the states, and what follows of them is planned.

Many events make one plan: a record that ten of them tell of changes once. The words of pipelines
about tables and runs are those of the source `lineage`; what a job makes a table of is said by the
source `lineage {job id}`, so that a job which goes takes away only what was its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from bilbaokg.lineage import describing, facets
from bilbaokg.lineage.agreeing import agree
from bilbaokg.lineage.aliases import Aliases
from bilbaokg.lineage.events import Event, Table
from bilbaokg.lineage.names import Name, job_iri, run_iri, table_iri
from bilbaokg.lineage.states import State, States
from bilbaokg.merging import Plan
from bilbaokg.records import Records
from bilbaokg.store import GraphChange
from bilbaokg.terms import mint

__all__ = ["SOURCE", "Planned", "Scribe", "Words"]

SOURCE: Final = "lineage"
_RUNS_KEPT: Final = 20
_COLUMNS: Final = "columnLineage"
# How much the state of a run says about what its job does: the highest rank counts.
_RANKS: Final = {"COMPLETE": 2, "RUNNING": 1, "FAIL": 0, "ABORT": 0}
_MOST_PARENTS: Final = 50
_MOST_MINTED: Final = 100_000
# Of which registers the statements about a thing follow.
_OF_TABLE: Final = ("facet/", "name/", "field/")
_OF_RUN: Final = ("state/", "first", "job", "child-job", "parent", "input/", "output/")
_OF_JOB: Final = ("name", "facet/", "parent", "reads", "writes/")
# The time of what follows of other registers and has none of its own.
_EPOCH: Final = "1970-01-01T00:00:00.000000Z"


Words = Mapping[str, tuple[str, Mapping[str, list[str]]]]
"""Record id -> its IRI, and by source what that says of it, as lines."""


@dataclass(slots=True)
class Planned:
    """What a batch of events does: to records, and to the states beside them."""

    plan: Plan
    states: list[GraphChange]


@dataclass(slots=True)
class _Batch:
    """What a batch touches, by record id, in the order in which it was touched."""

    tables: dict[str, None] = field(default_factory=dict)
    jobs: dict[str, bool] = field(default_factory=dict)
    """And whether what they read and write must be looked up again."""
    runs: dict[str, None] = field(default_factory=dict)
    outputs: dict[tuple[str, str], None] = field(default_factory=dict)
    """Tables and the jobs (id, "" for none) whose words about them are to be said anew."""
    merged: dict[str, str] = field(default_factory=dict)
    """Tables that became part of others."""
    deleted: Sequence[str] = ()
    """Jobs that are no more."""
    said: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Record id -> source -> what it says now."""


class Scribe:
    """Writes down what pipelines tell in one store. Callers hold the write lock.

    After `plan`, `written` or `failed` must be called before the next.
    """

    def __init__(self, records: Records) -> None:
        self.records, self.base = records, records.base
        self.states = States(records.store, records.base)
        self.aliases = Aliases(self.states)
        self._minted: dict[Name, str] = {}

    def written(self) -> None:
        """Tell that what was planned is on disk."""
        self.states.saved()
        if len(self._minted) > _MOST_MINTED:
            self._minted.clear()

    def failed(self) -> None:
        """Tell that it is not."""
        self.states.forget()
        self._minted.clear()

    def plan(self, events: Iterable[Event], beside: Callable[[], Words] = dict) -> Planned:
        """What it does to the records that these events were seen.

        beside: gives what other sources say of the same records, once the names are known.
        """
        batch = _Batch()
        for event in events:
            self._merge(event, batch)
        return self._follow(batch, beside())

    # ---- what was told

    def _merge(self, event: Event, batch: _Batch) -> None:
        job = self._job(event.job, event.at, batch) if event.job else None
        if job:
            _put_facets(self.states.of(job), event.job_facets, event)
        for table in (*event.inputs, *event.outputs, *event.tables):
            self._table(table, event.at, batch)
        for table in (*event.outputs, *event.tables):
            self._columns(table, job or "", event.at, batch)
        for table in (*event.inputs, *event.outputs):
            if job:
                self.states.of(self._table_id(table.name)).once(f"job/{job}", event.at)
        if event.run:
            self._run(event, batch)
        elif job:
            named = [[t.name.identifier for t in told] for told in (event.inputs, event.outputs)]
            self.states.of(job).put("static", event.at, facets.dumped(named))

    def _job(self, name: Name, at: str, batch: _Batch) -> str:
        id = _id(self.base, job_iri(self.base, name))
        self.states.of(id).once("name", at, name.identifier)
        batch.jobs.setdefault(id, False)
        return id

    def _table_id(self, name: Name) -> str:
        return _id(self.base, self._table_iri(name))

    def _table_iri(self, name: Name) -> str:
        found = self._minted.get(name)
        if found is None:
            found = self._minted[name] = table_iri(self.base, self.aliases.main(name))
        return found

    def _table(self, table: Table, at: str, batch: _Batch) -> None:
        """What is told of a table itself."""
        self._link(table, at, batch)
        state = self._mention(table.name, at, batch)
        for name, text in table.facets.items():
            if name != _COLUMNS:
                state.put(f"facet/{name}", at, text)

    def _mention(self, name: Name, at: str, batch: _Batch) -> State:
        id = self._table_id(name)
        state = self.states.of(id)
        state.once(f"name/{name.identifier}", at)
        batch.tables[id] = None
        return state

    def _columns(self, table: Table, job: str, at: str, batch: _Batch) -> None:
        """What is told of where the columns of a table come from, by a job or by none."""
        text = table.facets.get(_COLUMNS)
        if text is None:
            return
        id = self._table_id(table.name)
        state = self.states.of(id)
        key = f"columns/{job}"
        before = state.get(key)
        state.put(key, at, text)
        if before == text:
            return
        # Columns that were ever spoken of stay, though this facet may come too late to stand.
        told = facets.origins(text)
        for column in told.columns:
            state.once(f"field/{column}", at)
        for origin in told.all:
            source = self._mention(origin.table, at, batch)
            source.once(f"field/{origin.field}", at)
            if job:
                source.once(f"job/{job}", at)
        if state.get(key) != before:
            batch.outputs[id, job] = None

    def _run(self, event: Event, batch: _Batch) -> None:
        id = f"run/{event.run}"
        state = self.states.of(id)
        batch.runs[id] = None
        state.earliest("first", event.at)
        if event.job:
            state.put("job", event.at, event.job.identifier)
        if event.state == "START":
            state.earliest("state/START", event.at)
        elif event.state:
            state.put(f"state/{event.state}", event.at)
        _put_facets(state, event.run_facets, event)
        for side, tables in (("input", event.inputs), ("output", event.outputs)):
            for table in tables:
                identifier = table.name.identifier
                state.once(f"{side}/{identifier}", event.at)
                for name, text in table.own.items():
                    state.put(f"{side}-facet/{quote(name, safe='')}/{identifier}", event.at, text)
        if event.parent and event.parent.run != event.run:
            self._parent(event, state, batch)

    def _parent(self, event: Event, state: State, batch: _Batch) -> None:
        parent = event.parent
        if parent is None:
            return
        state.put("parent", event.at, parent.run)
        above = self.states.of(f"run/{parent.run}")
        above.put("child-job", event.at, parent.job.identifier)
        batch.runs[f"run/{parent.run}"] = None
        job = self._job(parent.job, event.at, batch)
        if event.job and job != self._job(event.job, event.at, batch):
            own = self.states.of(_id(self.base, job_iri(self.base, event.job)))
            own.put("parent", event.at, parent.job.identifier)

    # ---- one table under many names

    def _link(self, table: Table, at: str, batch: _Batch) -> None:
        """Join the names that a table says are its own."""
        others = [*_symlinks(table), *_renamed(table)]
        if not others or self.aliases.is_pinned(table.name):
            return
        joined = [name for name in others if not self.aliases.is_pinned(name)]
        mains = dict.fromkeys(map(self.aliases.main, [table.name, *joined]))
        if len(mains) > 1:
            known = [m for m in mains if self.states.of(self._own_id(m)).registers]
            kept = known[0] if known else next(iter(mains))
            for main in mains:
                if main != kept:
                    self.aliases.link(main, kept, at)
                    self._minted.clear()
                    self.absorb(main, kept, batch)
        state = self._mention(table.name, at, batch)
        for name in joined:
            state.once(f"name/{name.identifier}", at)

    def _own_id(self, name: Name) -> str:
        return _id(self.base, table_iri(self.base, name))

    def absorb(self, name: Name, into: Name, batch: _Batch) -> None:
        """Make what was known of one table known of another, whose name it now leads to."""
        state, kept = self.states.of(self._own_id(name)), self.states.of(self._own_id(into))
        if not state.registers:
            return
        for key, register in list(state.registers.items()):
            kept.put(key, *register)
            state.drop(key)
            if key.startswith("job/"):
                batch.jobs[key.removeprefix("job/")] = True
            elif key.startswith("columns/"):
                batch.outputs[kept.id, key.removeprefix("columns/")] = None
        batch.tables[kept.id] = None
        batch.merged[state.id] = kept.id

    def decide(self, name: Name, to: Name, at: str) -> Planned:
        """What it does that a steward says whose name this is: another's, or (itself) nobody's."""
        batch = _Batch()
        before = self.aliases.main(name)
        self.aliases.decide(name, to, at)
        self._minted.clear()
        main = self.aliases.main(name)
        if name == before != main:
            self.absorb(name, main, batch)
        elif before != main:
            self.states.of(self._own_id(before)).drop(f"name/{name.identifier}")
            batch.tables[self._own_id(before)] = None
            # Which of its jobs spoke of this name, their runs know.
            for key, told in self.states.of(self._own_id(before)).under("job/"):
                self.states.of(self._own_id(main)).once(f"job/{key}", told.at)
                batch.jobs[key] = True
        self.states.of(self._own_id(main)).once(f"name/{name.identifier}", at)
        batch.tables[self._own_id(main)] = None
        return self._follow(batch)

    # ---- a job that is no more

    def forget(self, id: str) -> Planned | None:
        """What it does that a job (its record's id) is deleted with what it said; None where
        nothing was told of it."""
        job = self.states.of(id)
        if not job.registers:
            return None
        batch = _Batch(deleted=[id])
        reads = [_id(self.base, iri) for iri in facets.loaded(job.get("reads") or "[]")]
        writes = [table for table, _ in job.under("writes/")]
        for table in (*reads, *writes):
            self.states.of(table).drop(f"job/{id}")
            self.states.of(table).drop(f"columns/{id}")
        for key in list(job.registers):
            job.drop(key)
        batch.outputs |= dict.fromkeys((table, id) for table in writes)
        return self._follow(batch)

    # ---- what follows

    def _follow(self, batch: _Batch, beside: Words = MappingProxyType({})) -> Planned:
        for id in batch.runs:
            self._follow_run(id, batch)
        for id, again in batch.jobs.items():
            self._follow_job(id, again, batch)
        for id in batch.tables:
            state = self.states.of(id)
            if state.changed_under(*_OF_TABLE) and id not in batch.merged:
                lines = describing.table_lines(self.base, self._iri(id), state)
                batch.said.setdefault(id, {})[SOURCE] = lines
        for id, job in batch.outputs:
            self._say_derivations(id, job, batch)
        known: dict[str, tuple[str, Mapping[str, list[str]]]] = {
            id: (self._iri(id), said) for id, said in batch.said.items()
        }
        for id, (iri, said) in beside.items():
            known[id] = (iri, {**batch.said.get(id, {}), **said})
        replaced = {
            **{id: self._iri(kept) for id, kept in batch.merged.items()},
            **dict.fromkeys(batch.deleted),
        }
        plan = self.records.plan_known(known, replaced)
        agree(self.records, plan)
        return Planned(plan, self.states.changes())

    def _iri(self, id: str) -> str:
        return mint(self.base, *id.split("/", 1))

    def _follow_run(self, id: str, batch: _Batch) -> None:
        """A run's own record, and what it means for its job."""
        state = self.states.of(id)
        if not state.changed_under(*_OF_RUN):
            return
        called = state.get("job") or state.get("child-job")
        job = job_iri(self.base, Name.of(called)) if called else None
        parent = self._parent_of(id)
        io = self._io_of(state)
        lines = describing.run_lines(self._iri(id), state, job, parent, io)
        batch.said[id] = {SOURCE: lines}
        self._leave_job(state, batch)
        first = state.registers.get("first")
        if state.get("job") and job and first and any(io):
            held = self.states.of(_id(self.base, job))
            held.set(id, first.at, describing.run_state(state) or "RUNNING")
            if state.changed_under("input/", "output/"):
                batch.jobs[held.id] = True

    def _leave_job(self, run: State, batch: _Batch) -> None:
        """Where a run is said to be of another job than before, it tells nothing of that one."""
        before = run.before.get("job")
        if before and before.text != run.get("job"):
            left = _id(self.base, job_iri(self.base, Name.of(before.text)))
            self.states.of(left).drop(run.id)
            batch.jobs[left] = True

    def _parent_of(self, id: str) -> str | None:
        """The IRI of a run's parent; none where it would be within itself."""
        above = direct = self.states.of(id).get("parent")
        for _ in range(_MOST_PARENTS):
            if above is None:
                break
            if f"run/{above}" == id:
                return None
            above = self.states.of(f"run/{above}").get("parent")
        return run_iri(self.base, direct) if direct else None

    def _io_of(self, run: State) -> tuple[list[str], list[str]]:
        """The IRIs of what a run read and wrote."""
        return (
            self._iris(identifier for identifier, _ in run.under("input/")),
            self._iris(identifier for identifier, _ in run.under("output/")),
        )

    def _iris(self, identifiers: Iterable[str]) -> list[str]:
        return sorted({self._table_iri(Name.of(each)) for each in identifiers})

    def _follow_job(self, id: str, again: bool, batch: _Batch) -> None:
        """A job's own record, and the tables of which it now says what it makes them of."""
        state = self.states.of(id)
        if again or state.changed_under("run/", "static"):
            self._let_write(id, state, batch)
        if state.changed_under(*_OF_JOB):
            parent = state.get("parent")
            above = job_iri(self.base, Name.of(parent)) if parent else None
            reads = facets.loaded(state.get("reads") or "[]")
            writes = [self._iri(table) for table, _ in state.under("writes/")]
            lines = describing.job_lines(self.base, self._iri(id), state, above, (reads, writes))
            batch.said[id] = {SOURCE: lines}

    def _let_write(self, id: str, state: State, batch: _Batch) -> None:
        """Note what a job reads and writes now, and of which tables that changes what it says."""
        reads, writes = self._io_of_job(state)
        state.set("reads", _EPOCH, facets.dumped(reads))
        wanted = {f"writes/{_id(self.base, iri)}": facets.dumped(reads) for iri in writes}
        for key, _ in list(state.under("writes/")):
            if f"writes/{key}" not in wanted:
                state.drop(f"writes/{key}")
                batch.outputs[key, id] = None
        for key, text in wanted.items():
            if state.get(key) != text:
                state.set(key, _EPOCH, text)
                batch.outputs[key.removeprefix("writes/"), id] = None

    def _io_of_job(self, state: State) -> tuple[list[str], list[str]]:
        """The IRIs of what a job reads and writes: as its latest run did that was completed.

        Where none was, as its latest run does; where none tells, as it is declared.
        """
        runs = sorted(
            ((_RANKS[told.text], told.at, id) for id, told in state.under("run/")),
            reverse=True,
        )
        if len(runs) > _RUNS_KEPT:
            kept = {runs[0], *sorted(runs, key=lambda run: run[1:], reverse=True)[:_RUNS_KEPT]}
            for run in runs:
                if run not in kept:
                    state.drop(f"run/{run[2]}")
        declared = state.registers.get("static")
        for rank, at, id in runs:
            if declared and declared.at > at:
                break
            if rank == 0 and declared:
                break
            reads, writes = self._io_of(self.states.of(f"run/{id}"))
            if reads or writes:
                return reads, writes
        named = facets.loaded(declared.text) if declared else [[], []]
        return self._iris(named[0]), self._iris(named[1])

    def _say_derivations(self, id: str, job: str, batch: _Batch) -> None:
        if id in batch.merged:
            return
        reads = self.states.of(job).get(f"writes/{id}") if job else None
        lines: list[str] = []
        if reads is not None or not job:
            told = facets.origins(self.states.of(id).get(f"columns/{job}"))
            lines = describing.derivation_lines(
                self.base, self._iri(id), self._iri(job) if job else None,
                facets.loaded(reads) if reads else (), told, self._table_iri,
            )  # fmt: skip
        source = f"{SOURCE} {job}" if job else f"{SOURCE} of tables"
        batch.said.setdefault(id, {})[source] = lines


def _id(base: str, iri: str) -> str:
    """The record id of an IRI that was minted here."""
    return iri[len(base) + len("/id/") :]


def _put_facets(state: State, told: Mapping[str, str], event: Event) -> None:
    for name, text in told.items():
        state.put(f"facet/{name}", event.at, text)
    if event.producer:
        state.put("producer", event.at, event.producer)


def _symlinks(table: Table) -> Sequence[Name]:
    told = facets.parsed(table.facets.get("symlinks"))
    return [name for item in facets.items(told.get("identifiers")) if (name := facets.name(item))]


def _renamed(table: Table) -> Sequence[Name]:
    """What a table was called before it was renamed."""
    told = facets.parsed(table.facets.get("lifecycleStateChange"))
    before = told.get("previousIdentifier")
    if told.get("lifecycleStateChange") != "RENAME" or not isinstance(before, dict):
        return []
    name = facets.name(before)
    return [name] if name else []
