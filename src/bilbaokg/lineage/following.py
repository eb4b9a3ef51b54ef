"""What follows for records of what was told: runs, jobs, tables, and what these are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from bilbaokg.lineage import describing, facets
from bilbaokg.lineage.batch import Batch
from bilbaokg.lineage.names import Name, job_iri, record_of, run_iri
from bilbaokg.lineage.states import PRUNED, ROOT, State
from bilbaokg.lineage.tables import Tables

__all__ = ["SOURCE", "Follower", "source_of"]

SOURCE: Final = "lineage"
_RUNS_KEPT: Final = 20
# How much the state of a run says about what its job does: the highest rank counts.
_RANKS: Final = {"COMPLETE": 2, "RUNNING": 1, "FAIL": 0, "ABORT": 0}
_MOST_PARENTS: Final = 50
# Of which registers the statements about a thing follow.
_OF_RUN: Final = ("state/", "first", "job", "child-job", "parent", ROOT, "input/", "output/")
_OF_JOB: Final = ("name", "facet/", "parent", ROOT, "reads", "writes/")
# The time of what follows of other registers and has none of its own.
_EPOCH: Final = "1970-01-01T00:00:00.000000Z"


def source_of(job: str) -> str:
    """The source of what a job (an id) says of what tables are made of; "" for what none says."""
    return f"{SOURCE} {job}" if job else f"{SOURCE} of tables"


class Follower:
    """Says of the records what follows of the states of one store. Callers hold the write lock."""

    def __init__(self, tables: Tables) -> None:
        self.tables, self.states, self.base = tables, tables.states, tables.base

    def follow(self, batch: Batch) -> None:
        """Note in a batch what is now said of all that it touched."""
        for id in self._circles(batch):
            batch.runs[id] = True
        for id, again in batch.runs.items():
            self._follow_run(id, again, batch)
        for id, again in batch.jobs.items():
            self._follow_job(id, again, batch)
        for name in dict.fromkeys(map(self.tables.aliases.main, batch.names)):
            self._follow_table(name, batch)
        for name, job in batch.columns:
            batch.outputs[self.tables.id(name), job] = None
        for id, job in batch.outputs:
            self._say_derivations(id, job, batch)

    # ---- runs

    def _follow_run(self, id: str, again: bool, batch: Batch) -> None:
        """A run's own record, and what it means for its job."""
        state = self.states.of(id)
        told = again or state.changed_under(*_OF_RUN)
        if not told or PRUNED in state.registers:
            return
        called = state.get("job") or state.get("child-job")
        job = job_iri(self.base, Name.of(called)) if called else None
        io = self._io_of(state)
        lines = describing.run_lines(self.tables.iri_of(id), state, job, self._parent_of(id), io)
        batch.said[id] = {SOURCE: lines}
        self._leave_job(state, batch)
        first = state.registers.get("first")
        if state.get("job") and job and first and any(io):
            held = self.states.of(record_of(self.base, job))
            before = held.registers.get(id)
            held.set(id, first.at, describing.run_state(state) or "RUNNING")
            # When it began counts too: what is declared later stands above it.
            changed = before != held.registers[id] or state.changed_under("input/", "output/")
            batch.jobs[held.id] = changed or batch.jobs.get(held.id, False)

    def _leave_job(self, run: State, batch: Batch) -> None:
        """Where a run is said to be of another job than before, it tells nothing of that one."""
        before = run.before.get("job")
        if before and before.text != run.get("job"):
            left = record_of(self.base, job_iri(self.base, Name.of(before.text)))
            self.states.of(left).drop(run.id)
            batch.jobs[left] = True

    def _parent_of(self, id: str) -> str | None:
        """The IRI of a run's parent; none where it would be within itself, or the parent has
        gone."""
        direct = self.states.of(id).parent
        if not direct or PRUNED in self.states.of(f"run/{direct}").registers:
            return None
        return None if id in self._above(direct) else run_iri(self.base, direct)

    def _above(self, parent: str | None) -> Iterator[str]:
        """A run (its UUID) and those that it is within, by id."""
        for _ in range(_MOST_PARENTS):
            if parent is None:
                return
            yield f"run/{parent}"
            parent = self.states.of(f"run/{parent}").parent

    def _circles(self, batch: Batch) -> list[str]:
        """Runs that are or were each within the other: what one is told changes all of them."""
        found: list[str] = []
        for id in batch.runs:
            state = self.states.of(id)
            if state.parent == state.parent_before:
                continue
            found += self._above(state.parent_before)
            above = list(self._above(state.parent))
            found += above if id in above else ()
        return found

    def _io_of(self, run: State) -> tuple[list[str], list[str]]:
        """The IRIs of what a run read and wrote."""
        return (
            self._iris(identifier for identifier, _ in run.under("input/")),
            self._iris(identifier for identifier, _ in run.under("output/")),
        )

    def _iris(self, identifiers: Iterable[str]) -> list[str]:
        return sorted({self.tables.iri(Name.of(each)) for each in identifiers})

    # ---- jobs

    def _follow_job(self, id: str, again: bool, batch: Batch) -> None:
        """A job's own record, and the tables of which it now says what it makes them of."""
        state = self.states.of(id)
        if again or state.changed_under("run/", "static"):
            self._let_write(id, state, batch)
        if state.changed_under(*_OF_JOB):
            parent = state.parent
            above = job_iri(self.base, Name.of(parent)) if parent else None
            reads = facets.loaded(state.get("reads") or "[]")
            writes = [self.tables.iri_of(table) for table, _ in state.under("writes/")]
            lines = describing.job_lines(
                self.base, self.tables.iri_of(id), state, above, (reads, writes)
            )
            batch.said[id] = {SOURCE: lines}

    def _let_write(self, id: str, state: State, batch: Batch) -> None:
        """Note what a job reads and writes now, and of which tables that changes what it says."""
        reads, writes = self._io_of_job(state)
        state.set("reads", _EPOCH, facets.dumped(reads))
        wanted = {f"writes/{record_of(self.base, iri)}": facets.dumped(reads) for iri in writes}
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

    # ---- tables

    def _follow_table(self, name: Name, batch: Batch) -> None:
        """A table's own record. name: its main one."""
        group = self.tables.aliases.group(name)
        changed = {key for each in group for key in self.tables.own(each).changed}
        told = self.tables.told(name)
        if name in batch.again or describing.table_is_anew(told, changed):
            id, iri = self.tables.id(name), self.tables.iri(name)
            lines = describing.table_lines(self.base, iri, told, group)
            batch.said.setdefault(id, {})[SOURCE] = lines

    def _say_derivations(self, id: str, job: str, batch: Batch) -> None:
        if id in batch.replaced:
            return
        reads = self.states.of(job).get(f"writes/{id}") if job else None
        lines: list[str] = []
        if reads is not None or not job:
            name = self.tables.called(id)
            state = self.tables.told(name) if name else self.states.of(id)
            lines = describing.derivation_lines(
                self.base, self.tables.iri_of(id), self.tables.iri_of(job) if job else None,
                facets.loaded(reads) if reads else (),
                facets.origins(state.get(f"columns/{job}")), self.tables.iri,
            )  # fmt: skip
        batch.said.setdefault(id, {})[source_of(job)] = lines
