"""What pipelines told, as OpenLineage events again: taken in anew they make the same lineage.

The states keep the exact text of each facet and when it was said. Tables come first, so that names
which are one table are known when jobs and runs use them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

from bilbaokg.lineage import facets
from bilbaokg.lineage.aliases import Aliases
from bilbaokg.lineage.names import Name, job_iri, table_id
from bilbaokg.lineage.states import RESTART, State, States
from bilbaokg.lineage.tables import called
from bilbaokg.lineage.written import Exact, Told, event, line, named
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import record_id

__all__ = ["events"]

_COLUMNS: Final = "columnLineage"
_SYMLINKS: Final = "symlinks"
_LEAST: Final = "RUNNING"


def events(store: EmbeddedStore, base: str) -> Iterator[str]:
    """OpenLineage events (spec 2-0-2) of all tables, then all jobs and runs, by id: a line each."""
    recorder = _Recorder(store, base)
    for kind, told in (
        ("table", recorder.of_table), ("job", recorder.of_job), ("run", recorder.of_run),
    ):  # fmt: skip
        for id in recorder.ids(kind):
            yield from map(line, told(recorder.state(id)))


class _Recorder:
    """Makes the events of one store, which nobody writes to meanwhile."""

    def __init__(self, store: EmbeddedStore, base: str) -> None:
        self.base, self.states = base, States(store, base)
        self.aliases = Aliases(self.states, base)
        self.links: dict[Name, list[tuple[Name, str]]] = {}
        for name, other, at in self.aliases.links():
            self.links.setdefault(name, []).append((other, at))
        prefix = self.states.graph("")
        self._ids = sorted(g[len(prefix) :] for g in store.graphs() if g.startswith(prefix))

    def ids(self, kind: str) -> list[str]:
        """The ids of the records of a kind of which something was told."""
        return [id for id in self._ids if id.startswith(f"{kind}/")]

    def state(self, id: str) -> State:
        """What was told of a record."""
        return State(id, self.states.read(id))

    def of_table(self, state: State) -> Iterator[Told]:
        """An event for each time at which something was said that stands under a name."""
        own = called(self.base, state)
        if own is None:
            return
        by_time: dict[str, dict[str, str]] = {}
        for at, others in self._linked(own):
            by_time[at] = {_SYMLINKS: facets.dumped({"identifiers": list(map(named, others))})}
        first = state.registers.get(f"name/{own.identifier}")
        if first and not self.aliases.is_alone(own):
            # Which of the names of a table is the main one, the earliest time says.
            by_time.setdefault(first.at, {})
        for name, told in state.under("facet/"):
            by_time.setdefault(told.at, {})[name] = told.text
        if columns := state.registers.get("columns/"):
            by_time.setdefault(columns.at, {})[_COLUMNS] = columns.text
        for at, texts in sorted(by_time.items()):
            yield event(at, "DatasetEvent", dataset=_dataset(own, texts))

    def _linked(self, name: Name) -> Iterator[tuple[str, list[Name]]]:
        """The names that a name told of as its own, by the time at which it first did."""
        found: dict[str, list[Name]] = {}
        for other, at in self.links.get(name, ()):
            found.setdefault(at, []).append(other)
        yield from sorted(found.items())

    def of_job(self, state: State) -> Iterator[Told]:
        """What is declared of a job; of one that ran its runs tell."""
        declared, called = state.registers.get("static"), state.get("name")
        if called is None or (declared is None and any(state.under("run/"))):
            return
        inputs, outputs = facets.loaded(declared.text) if declared else ([], [])
        at = declared.at if declared else state.registers["name"].at
        yield event(
            at, "JobEvent", job={**named(Name.of(called)), "facets": _facets(_texts(state))},
            inputs=[_dataset(Name.of(each), {}) for each in inputs],
            outputs=[self._output(each, state.id) for each in outputs],
        )  # fmt: skip

    def of_run(self, state: State) -> Iterator[Told]:
        """The states of a run, with what it read and wrote at each."""
        called, first = state.get("job"), state.registers.get("first")
        if called is None or first is None:
            return
        id = record_id(self.base, "job", job_iri(self.base, Name.of(called)))
        job = {**named(Name.of(called)), "facets": _facets(_texts(self.state(id)))}
        inputs = [
            (told.at, _dataset(Name.of(each), {}, {"inputFacets": _own(state, "input", each)}))
            for each, told in state.under("input/")
        ]
        outputs = [
            (told.at, self._output(each, id, {"outputFacets": _own(state, "output", each)}))
            for each, told in state.under("output/")
        ]
        run = {"runId": state.id.removeprefix("run/"), "facets": _facets(_texts(state))}
        ended = [
            (told.at, "START" if key == RESTART else key.removeprefix("state/"))
            for key, told in state.registers.items()
            if key.startswith("state/")
        ]
        events = sorted(ended) or [(first.at, _LEAST)]
        last = events[-1][0]
        for at, name in events:
            # A table was told of from a time on, by an event that need not be among these.
            so_far = (
                [table for since, table in tables if since <= at or at == last]
                for tables in (inputs, outputs)
            )
            sides = dict(zip(("inputs", "outputs"), so_far, strict=True))
            yield event(at, "RunEvent", eventType=name, run=run, job=job, **sides)

    def _output(
        self, identifier: str, job: str, own: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Told:
        """A table that a job writes, with what it says of its columns."""
        name = Name.of(identifier)
        text = self.state(table_id(self.base, name)).get(f"columns/{job}")
        return _dataset(name, {_COLUMNS: text} if text else {}, own)


def _dataset(
    name: Name, texts: Mapping[str, str], own: Mapping[str, Mapping[str, Any]] | None = None
) -> Told:
    return {**named(name), "facets": _facets(texts), **{k: v for k, v in (own or {}).items() if v}}


def _texts(state: State) -> dict[str, str]:
    return {name: told.text for name, told in state.under("facet/")}


def _facets(texts: Mapping[str, str]) -> Told:
    return {name: Exact(text) for name, text in texts.items()}


def _own(state: State, side: str, identifier: str) -> Told:
    """The facets that a run gave a table of its own reading or writing."""
    return {
        unquote(name): Exact(told.text)
        for key, told in state.under(f"{side}-facet/")
        for name, _, of in [key.partition("/")] if of == identifier
    }  # fmt: skip
