"""What events tell goes into the states, by name and by its time: no order of arrival matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from bilbaokg.lineage import facets
from bilbaokg.lineage.batch import Batch
from bilbaokg.lineage.events import Event, Parent, Table
from bilbaokg.lineage.measurements import ASSERTIONS
from bilbaokg.lineage.names import Name, job_iri, record_of, table_id
from bilbaokg.lineage.states import PRUNED, RESTART, ROOT, State
from bilbaokg.lineage.tables import Tables

__all__ = ["Teller"]

_COLUMNS: Final = "columnLineage"


class Teller:
    """Puts events into the states of one store. Callers hold the write lock."""

    def __init__(self, tables: Tables) -> None:
        self.tables, self.base = tables, tables.base
        self.states, self.aliases = tables.states, tables.aliases

    def tell(self, event: Event, batch: Batch) -> None:
        """Note what an event says, and what it touches."""
        job = self._job(event.job, event.at, batch) if event.job else None
        if job:
            _put_facets(self.states.of(job), event.job_facets, event)
        for table in (*event.inputs, *event.outputs, *event.tables):
            self._table(table, event.at, batch)
            self._assertions(table, job or "", event.at)
        for table in (*event.outputs, *event.tables):
            self._columns(table, job or "", event.at, batch)
        if event.run:
            self._run(event, event.run, batch)
        elif job:
            named = [[t.name.identifier for t in told] for told in (event.inputs, event.outputs)]
            self.states.of(job).put("static", event.at, facets.dumped(named))

    def regard(self, names: Sequence[Name], batch: Batch) -> None:
        """Remember of which table names are, before that may change for them and their groups."""
        for name in names:
            if name not in batch.before:
                main = self.aliases.main(name)
                batch.before.update(dict.fromkeys(self.aliases.group(name), main))

    def speak(self, name: Name, at: str, batch: Batch) -> State:
        """Note that a name was spoken of, though nobody told of it as a table of theirs."""
        state = self.tables.own(name)
        state.once(f"spoken/{name.identifier}", at)
        batch.names[name] = None
        return state

    def _job(self, name: Name, at: str, batch: Batch) -> str:
        id = record_of(self.base, job_iri(self.base, name))
        self.states.of(id).once("name", at, name.identifier)
        batch.jobs.setdefault(id, False)
        return id

    def _table(self, table: Table, at: str, batch: Batch) -> None:
        """What is told of a table itself."""
        self._mention(table.name, at, batch)
        self._link(table, at, batch)
        state = self.tables.own(table.name)
        for name, text in table.facets.items():
            if name != _COLUMNS:
                state.put(f"facet/{name}", at, text)

    def _mention(self, name: Name, at: str, batch: Batch) -> None:
        state, key = self.tables.own(name), f"name/{name.identifier}"
        known = state.registers.get(key)
        batch.names[name] = None
        if known and known.at <= at:
            return
        if not self.aliases.is_alone(name):
            self.regard([name], batch)
        state.earliest(key, at)
        self.aliases.tell(name)

    def _link(self, table: Table, at: str, batch: Batch) -> None:
        """Join the names that a table says are its own."""
        others = [*_symlinks(table), *_renamed(table)]
        others = [name for name in dict.fromkeys(others) if name != table.name]
        if not all(self.aliases.is_linked(table.name, other) for other in others):
            self.regard([table.name, *others], batch)
        for other in others:
            self.aliases.link(table.name, other, at)

    def _columns(self, table: Table, job: str, at: str, batch: Batch) -> None:
        """What is told of where the columns of a table come from, by a job or by none."""
        text = table.facets.get(_COLUMNS)
        if text is None:
            return
        state, key = self.tables.own(table.name), f"columns/{job}"
        before = state.get(key)
        state.put(key, at, text)
        if before == text:
            return
        # Columns that were ever spoken of stay, though this facet may come too late to stand.
        told = facets.origins(text)
        for column in told.columns:
            state.once(f"field/{column}", at)
        tables = dict.fromkeys(origin.table for origin in told.all)
        sources = {name: self.speak(name, at, batch) for name in tables}
        for origin in told.all:
            sources[origin.table].once(f"field/{origin.field}", at)
        if state.get(key) != before:
            batch.columns[table.name, job] = None

    def _assertions(self, table: Table, job: str, at: str) -> None:
        """What a job that tested a table, or one that is not told, found."""
        text = table.own.get(ASSERTIONS) or table.facets.get(ASSERTIONS)
        if text is None:
            return
        self.tables.own(table.name).put(f"quality/{job}", at, text)
        if job:
            self.states.of(job).once(f"tested/{table_id(self.base, table.name)}", at)

    def _run(self, event: Event, run: str, batch: Batch) -> None:
        id = f"run/{run}"
        state = self.states.of(id)
        if PRUNED in state.registers:
            return
        batch.runs.setdefault(id, False)
        state.earliest("first", event.at)
        if event.job:
            state.put("job", event.at, event.job.identifier)
        if event.state == "START":
            _start(state, event.at)
        elif event.state:
            state.put(f"state/{event.state}", event.at)
        _put_facets(state, event.run_facets, event)
        for side, tables in (("input", event.inputs), ("output", event.outputs)):
            for table in tables:
                identifier = table.name.identifier
                state.earliest(f"{side}/{identifier}", event.at)
                for name, text in table.own.items():
                    state.put(f"{side}-facet/{quote(name, safe='')}/{identifier}", event.at, text)
        if event.parent and event.parent.run != run:
            self._parent(event, state, batch)

    def _parent(self, event: Event, state: State, batch: Batch) -> None:
        parent = event.parent
        if parent is None:
            return
        state.put("parent", event.at, parent.run)
        above, job = self._above(parent, event.at, batch)
        if event.job and job != (own := self._job(event.job, event.at, batch)):
            self.states.of(own).put("parent", event.at, parent.job.identifier)
        root = parent.root
        if root and root.run not in (event.run, parent.run) and root.job != parent.job:
            # What is between the two nobody may tell; where it is told, it counts.
            self._above(root, event.at, batch)
            if above:
                above.put(ROOT, event.at, root.run)
            self.states.of(job).put(ROOT, event.at, root.job.identifier)

    def _above(self, parent: Parent, at: str, batch: Batch) -> tuple[State | None, str]:
        """The state of a run that others are within, None where it was removed; its job's id."""
        above = self.states.of(f"run/{parent.run}")
        job = self._job(parent.job, at, batch)
        if PRUNED in above.registers:
            return None, job
        above.put("child-job", at, parent.job.identifier)
        batch.runs.setdefault(above.id, False)
        return above, job


def _start(run: State, at: str) -> None:
    """Note when a run started; and when it did so last, where that was more than once."""
    first = run.registers.get("state/START")
    run.earliest("state/START", at)
    if first and first.at != at:
        run.put(RESTART, max(first.at, at))


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
