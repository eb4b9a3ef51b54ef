"""Taking in what a dbt project tells by its artefacts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from bilbaokg.importers import dbt
from bilbaokg.importers.compiled import DIGEST, completed
from bilbaokg.importers.dbt import Artefacts, Exposure
from bilbaokg.lineage import Event, Name, Table, Words, agree, facets, project
from bilbaokg.lineage.measurements import measurement_lines
from bilbaokg.lineage.names import job_iri, record_of
from bilbaokg.operations.base import Progress
from bilbaokg.operations.lineage import take_in
from bilbaokg.planning import Planner
from bilbaokg.shacl.collecting import uncollected
from bilbaokg.terms import record_id, split_lines
from bilbaokg.workspace import Workspace, operator

__all__ = ["lineage_dbt"]

# Many in a step take less time, for RocksDB merges less, and more memory.
_AT_ONCE: Final = 400
_DEFINITIONS: Final = {"freshness": "Seconds since the newest row of the source was loaded."}


def lineage_dbt(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Take in a target folder of dbt. params: path (absolute), namespace, jobs, actor, why.

    The same artefacts change nothing when they come again. What the project no longer lists is told
    as gone, and stays. Raises what `dbt.read` raises.
    """
    progress(0, None, "reading the artefacts of dbt")
    jobs = params.get("jobs") or "dbt"
    with uncollected():
        found = dbt.read(
            Path(params["path"]), params.get("namespace"), jobs, workspace.settings.file_limit
        )
    actor, source = params.get("actor") or operator(), f"dbt {found.project}"
    why = params.get("why") or "told by dbt"
    done = {"new": 0, "changed": 0, "gone": 0}
    words = _Words(workspace, found, source)
    # While some are written, workers read the SQL of the next.
    events = completed(found, workspace.pool, _earlier_columns(workspace))
    taken = 0
    while batch := list(islice(events, _AT_ONCE)):
        saved = take_in(workspace, batch, actor, source, why, partial(words.of, batch))
        done = {**done, **{kind: done[kind] + n for kind, n in saved.items()}}
        taken += len(batch)
        progress(taken, len(found.events), "taking in tables and jobs")
    with workspace.mutex:
        plan = Planner(workspace.records).gone(source, words.told)
        agree(workspace.records, plan)
        workspace.records.commit(
            plan, actor=actor, kind="lineage", subject=source, why=why,
            detail={"tests": len(found.measured), "exposures": len(found.exposures)},
        )  # fmt: skip
    done["gone"] = plan.counts["gone"]
    problems = [*found.problems, *plan.problems]
    return {
        "project": found.project,
        "namespace": found.namespace,
        "tables": sum(len(event.outputs) + len(event.tables) for event in found.events),
        "jobs": sum(event.job is not None for event in found.events),
        "measurements": len(found.measured),
        "exposures": len(found.exposures),
        "records": done,
        "problems": [problem.as_dict() for problem in problems],
    }


def _earlier_columns(workspace: Workspace) -> Callable[[Name, Name], tuple[str, str]]:
    """Gives what is kept of the columns of a table that a job makes: digest and facet."""
    base, scribe = workspace.settings.base, workspace.lineage

    def earlier(job: Name, table: Name) -> tuple[str, str]:
        with workspace.mutex:
            id = record_id(base, "job", job_iri(base, job))
            told = facets.parsed(scribe.states.of(id).get(f"facet/{DIGEST}"))
            digest = facets.text(told.get("sha256")) or ""
            if not digest:
                return "", ""
            return digest, scribe.tables.told(table).get(f"columns/{id}") or ""

    return earlier


class _Words:
    """What a project says of its tables, jobs and uses, beside what events tell of them.

    `told` are the ids of the records that it has spoken of.
    """

    def __init__(self, workspace: Workspace, found: Artefacts, source: str) -> None:
        self.workspace, self.found, self.source = workspace, found, source
        self.base = workspace.settings.base
        self.told: set[str] = set()
        self.tables = [table.name for event in found.events for table in _tables(event)]
        self.measured, self.uses = defaultdict(list), defaultdict(list)
        for each in found.measured:
            for name in each.test.tables:
                self.measured[name].append(each)
        for use in found.exposures:
            for name in use.tables:
                self.uses[name].append(use)
        # What tests found before that were not run this time: a run may be of some of them alone.
        now = {each.test.id for each in found.measured}
        self.still = {project.test_mark(id) for id in found.tests.keys() - now}

    def of(self, events: Iterable[Event]) -> Words:
        """Of the tables and jobs of these events, and of the uses of these tables."""
        called: dict[str, list[Name]] = defaultdict(list)
        for name in dict.fromkeys(self.tables):
            called[self._iri(name)].append(name)
        lines: dict[str, list[str]] = defaultdict(list)
        for event in events:
            for iri in dict.fromkeys(self._iri(table.name) for table in _tables(event)):
                if iri not in lines:
                    lines[iri].append(project.table_line(iri))
                    self._say_of_table(iri, called[iri], lines)
            if event.job:
                job = job_iri(self.base, event.job)
                lines[job] = [project.job_line(job)]
        return self._words(lines)

    def _iri(self, name: Name) -> str:
        return self.workspace.lineage.tables.iri(name)

    def _words(self, lines: Mapping[str, list[str]]) -> Words:
        said = {
            record_of(self.base, iri): (iri, {self.source: each}) for iri, each in lines.items()
        }
        self.told |= said.keys()
        return said

    def _say_of_table(self, iri: str, names: Iterable[Name], lines: dict[str, list[str]]) -> None:
        lines[iri] += self._earlier(iri)
        for name in names:
            for each in self.measured[name]:
                test = each.test
                definition = _DEFINITIONS.get(
                    test.kind, f"Rows that the dbt test {test.kind} does not accept."
                )
                lines[iri] += measurement_lines(
                    self.base, iri, project.test_mark(test.id), test.called, test.column,
                    definition, each.value, passed=each.passed, at=each.at,
                )  # fmt: skip
            for use in self.uses[name]:
                self._say_of_use(use, iri, lines)

    def _say_of_use(self, use: Exposure, table: str, lines: dict[str, list[str]]) -> None:
        """What uses one table is a part of its record; what uses several has its own."""
        node, said = project.usage(
            self.base, f"{self.found.project} {use.id}", use.title, use.description, use.url,
            is_tool=use.is_tool,
        )  # fmt: skip
        lines[table].append(project.usage_line(table, node, is_tool=use.is_tool))
        is_part = len({self._iri(name) for name in use.tables}) == 1
        if is_part:
            lines[table] += said
        else:
            lines[node] = said

    def _earlier(self, table: str) -> Iterator[str]:
        records = self.workspace.records
        head = records.head(record_of(self.base, table)) if self.still else None
        said = head.said.get(self.source) if head else None
        if said is not None:
            yield from project.kept(split_lines(said.text), self.still)


def _tables(event: Event) -> Iterator[Table]:
    yield from event.outputs
    yield from event.tables
