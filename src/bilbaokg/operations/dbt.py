"""Taking in what a dbt project tells by its artefacts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from bilbaokg.importers import dbt
from bilbaokg.importers.compiled import DIGEST, completed
from bilbaokg.importers.dbt import Artefacts
from bilbaokg.lineage import Name, agree, facets, project
from bilbaokg.lineage.names import job_iri, table_iri
from bilbaokg.operations.base import Progress
from bilbaokg.operations.lineage import take_in
from bilbaokg.terms import record_id, split_lines
from bilbaokg.workspace import Workspace, operator

__all__ = ["lineage_dbt"]

_AT_ONCE: Final = 200
_DEFINITIONS: Final = {"freshness": "Seconds since the newest row of the source was loaded."}


def lineage_dbt(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Take in a target folder of dbt. params: path (absolute), namespace, jobs, actor, why.

    The same artefacts change nothing when they come again. What the project no longer lists is told
    as gone, and stays. Raises what `dbt.read` raises.
    """
    progress(0, None, "reading the artefacts of dbt")
    jobs = params.get("jobs") or "dbt"
    found = dbt.read(
        Path(params["path"]), params.get("namespace"), jobs, workspace.settings.file_limit
    )
    actor, source = params.get("actor") or operator(), f"dbt {found.project}"
    why = params.get("why") or "told by dbt"
    done = {"new": 0, "changed": 0, "gone": 0}
    # While some are written, workers read the SQL of the next.
    events = completed(found, workspace.pool, _earlier_columns(workspace))
    taken = 0
    while batch := list(islice(events, _AT_ONCE)):
        saved = take_in(workspace, batch, actor, source, why)
        done = {**done, **{kind: done[kind] + n for kind, n in saved.items()}}
        taken += len(batch)
        progress(taken, len(found.events), "taking in tables and jobs")
    with workspace.mutex:
        plan = workspace.records.plan({source: _lines(workspace, found, source)})
        agree(workspace.records, plan)
        workspace.records.commit(
            plan, actor=actor, kind="lineage", subject=source, why=why,
            detail={"tests": len(found.measured), "exposures": len(found.exposures)},
        )  # fmt: skip
    done["gone"] = plan.counts["gone"]
    problems = [*found.problems, *plan.problems]
    return {
        "project": found.project,
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
            made = record_id(base, "table", table_iri(base, scribe.aliases.main(table)))
            return digest, scribe.states.of(made).get(f"columns/{id}") or ""

    return earlier


def _lines(workspace: Workspace, found: Artefacts, source: str) -> list[str]:
    """What the project says now, without what events told."""
    base, aliases = workspace.settings.base, workspace.lineage.aliases

    def iri(name: Name) -> str:
        return table_iri(base, aliases.main(name))

    lines: dict[str, None] = {}
    tables = dict.fromkeys(
        iri(table.name) for event in found.events for table in (*event.outputs, *event.tables)
    )
    for table in tables:
        lines |= dict.fromkeys(
            [project.table_line(table), *_earlier(workspace, found, source, table)]
        )
    for event in found.events:
        if event.job:
            lines[project.job_line(job_iri(base, event.job))] = None
    for each in found.measured:
        test = each.test
        definition = _DEFINITIONS.get(
            test.kind, f"Rows that the dbt test {test.kind} does not accept."
        )
        for name in test.tables:
            lines |= dict.fromkeys(
                project.measurement_lines(
                    base, iri(name), test.id, test.called, test.column, definition, each.value,
                    each.at, passed=each.passed,
                )
            )  # fmt: skip
    for use in found.exposures:
        lines |= dict.fromkeys(
            project.usage_lines(
                base, f"{found.project} {use.id}", use.title, use.description, use.url,
                map(iri, use.tables), is_tool=use.is_tool,
            )
        )  # fmt: skip
    return list(lines)


def _earlier(workspace: Workspace, found: Artefacts, source: str, table: str) -> Iterator[str]:
    """What tests found before that were not run this time: a run may be of some of them alone."""
    head = workspace.records.head(record_id(workspace.settings.base, "table", table))
    said = head.said.get(source) if head else None
    if said is not None:
        now = {each.test.id for each in found.measured}
        still = {project.test_mark(id) for id in found.tests.keys() - now}
        yield from project.kept(split_lines(said.text), still)
