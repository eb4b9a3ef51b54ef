"""Old runs go, and what jobs read and write stays as it is.

Of each job and outcome the last run stays, and the last one that read or wrote something: of those
it follows what the job does. So do runs that something else points to. Of a run that goes a mark
is left, by which events of it that come late are known and bring nothing back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Final, NamedTuple

from bilbaokg.lineage import describing
from bilbaokg.lineage.following import SOURCE
from bilbaokg.lineage.names import Name, job_iri, record_of
from bilbaokg.lineage.scribe import Scribe
from bilbaokg.lineage.states import PRUNED, State
from bilbaokg.records import Records
from bilbaokg.store import GraphChange
from bilbaokg.terms import ref

__all__ = ["Pruner", "Run", "Selected", "select"]

_RUN: Final = "run/"
# Stands for whoever said something of a run beside what pipelines told.
_PEOPLE: Final = "people"
_MOVES: Final = ("input/", "output/")


class Run(NamedTuple):
    """A run: the ids of its record and of its job's ("" for none), how it stands, when something
    was first and last told of it (as Event.at), and whether it read or wrote anything."""

    id: str
    job: str
    state: str
    first: str
    last: str
    moves: bool


@dataclass(frozen=True, slots=True)
class Selected:
    """Which of the runs that are old enough go (ids), and how many stay for which reason."""

    gone: Sequence[str]
    last_of_job: int
    pointed_to: int


def select(runs: Iterable[Run], before: str, pointing: Callable[[str], set[str]]) -> Selected:
    """Choose among all runs those of which nothing was told since `before` (as Event.at).

    pointing: gives the ids of the records that point to that of a run, or keep it as it is.
    """
    latest: dict[tuple[str, str, bool], tuple[str, str]] = {}
    old: set[str] = set()
    for run in runs:
        if run.last < before:
            old.add(run.id)
        for moves in {False, run.moves} if run.job else ():
            key, when = (run.job, run.state, moves), (run.first, run.id)
            latest[key] = max(when, latest.get(key, when))
    last = {id for _, id in latest.values()} & old
    loose = old - last
    held = {id: pointing(id) for id in sorted(loose)}
    stay = {id for id, found in held.items() if found - loose}
    # What stays keeps the runs that it is part of.
    ahead = stay
    while ahead:
        ahead = {id for id, found in held.items() if found & ahead} - stay
        stay |= ahead
    return Selected(sorted(loose - stay), len(last), len(stay))


class Pruner:
    """The runs of one store. Callers hold the write lock while they call."""

    def __init__(self, scribe: Scribe, records: Records) -> None:
        self.scribe, self.records, self.states = scribe, records, scribe.states

    def ids(self) -> list[str]:
        """The ids of all runs of which something was told."""
        start = len(self.states.graph(""))
        begin = self.states.graph(_RUN)
        return [g[start:] for g in self.records.store.graphs() if g.startswith(begin)]

    def read(self, ids: Iterable[str]) -> Iterator[Run]:
        """What is known of runs, without those that have gone."""
        for id in ids:
            state = State(id, self.states.read(id))
            if state.registers and PRUNED not in state.registers:
                yield self._run(state)

    def _run(self, state: State) -> Run:
        base, called, first = self.scribe.base, state.get("job"), state.registers.get("first")
        job = record_of(base, job_iri(base, Name.of(called))) if called else ""
        last = max(told.at for told in state.registers.values())
        moves = any(key.startswith(_MOVES) for key in state.registers)
        return Run(
            state.id, job, describing.run_state(state), first.at if first else last, last, moves
        )

    def pointing(self, id: str) -> set[str]:
        """The ids of the records that point to a run, or another text where people spoke of it."""
        head = self.records.head(id)
        if head is None:
            return set()
        if head.deleted_here or head.said.keys() - {SOURCE}:
            return {_PEOPLE}
        prefix = self.records.graph("")
        found = {graph for *_, graph in self.records.store.match(object=ref(head.iri))}
        return {graph[len(prefix) :] for graph in found if graph.startswith(prefix)} - {id}

    def plan(
        self, ids: Iterable[str], before: str, among: Set[str]
    ) -> tuple[int, list[GraphChange]]:
        """What removes runs, as far as they are still old and nothing else points to them than
        those among which they go.

        Returns how many go, and the changes. After it the scribe is told `written` or `failed`.
        """
        changes, count = [], 0
        for run in self.read(ids):
            if run.last >= before or self.pointing(run.id) - among:
                continue
            count += 1
            if run.job:
                self.states.of(run.job).drop(run.id)
            state = self.states.of(run.id)
            for key in list(state.registers):
                state.drop(key)
            state.set(PRUNED, run.last, "")
            graphs = (self.records.graph(run.id), self.records.history_graph(run.id))
            changes += [GraphChange(graph, drop=True) for graph in graphs]
        return count, [*changes, *self.states.changes()]
