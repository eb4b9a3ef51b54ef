"""Taking in what SQL scripts tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from pathlib import Path
from typing import Any, Final

from bilbaokg.errors import BadInput
from bilbaokg.importers.sql import Read, Told, discover, read_all, tell
from bilbaokg.lineage import Name, agree, facets, project
from bilbaokg.lineage.events import stamp
from bilbaokg.lineage.names import job_iri
from bilbaokg.lineage.script import Schema, Statement, TableName
from bilbaokg.lineage.sql import check_dialect
from bilbaokg.model import Problem
from bilbaokg.operations.base import Progress
from bilbaokg.operations.lineage import lineage_forget, take_in
from bilbaokg.planning import Planner
from bilbaokg.terms import mint, record_id, split_line
from bilbaokg.workspace import Workspace, operator

__all__ = ["known_columns", "lineage_sql", "save"]

_AT_ONCE: Final = 200


def lineage_sql(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Take in SQL files and folders. params: paths (absolute), dialect, namespace (by default the
    dialect), jobs, within (`catalog.schema` or `schema` of names that say none), dry_run, actor,
    why.

    The same files change nothing when they come again. Jobs of a file that it no longer has are
    forgotten with what they said, unless something in it could not be read. Raises BadInput,
    NotFound.
    """
    dialect = check_dialect(params["dialect"])
    given, jobs = params.get("namespace"), params.get("jobs") or "sql"
    namespace = dialect if given is None else given.strip()
    if not namespace:
        raise BadInput("the namespace is empty", hint="--namespace postgres://HOST:PORT, ...")
    files = discover([Path(path) for path in params["paths"]])
    found = read_all(
        files, dialect, _within(params.get("within") or ""),
        lambda tables: known_columns(workspace, namespace, tables), workspace.pool,
        lambda number: progress(number, len(files), "reading SQL"),
    )  # fmt: skip
    at = stamp()
    spoken = {
        s.writes[0]
        for each in found.values() for s in each.script.statements if s.comments or s.renamed
    }  # fmt: skip
    beside = _known_fields(workspace, namespace, spoken)
    told = {
        label: tell(each.script, label, namespace, jobs, at, beside)
        for label, each in found.items()
    }
    done = {
        "namespace": namespace,
        "files": len(files),
        "statements": sum(len(each.script.statements) for each in found.values()),
        "tables": len({name for each in told.values() for name in each.tables}),
        "jobs": sum(len(each.jobs) for each in told.values()),
        "edges": sum(len(s.edges) for each in found.values() for s in each.script.statements),
    }
    problems = [problem for label, each in found.items() for problem in _problems(label, each)]
    if params.get("dry_run"):
        lineage = [
            _shown(label, s) for label, each in found.items() for s in each.script.statements
        ]
        saved: dict[str, Any] = {"records": None, "lineage": lineage}
    else:
        sources = {f"sql {jobs}/{label}": each for label, each in told.items()}
        partial = {f"sql {jobs}/{label}" for label, each in found.items() if not each.is_whole}
        counts, more = save(workspace, sources, partial, params, progress)
        problems += more
        saved = {"records": counts}
    return {**done, **saved, "problems": [problem.as_dict() for problem in problems]}


def _within(text: str) -> tuple[str, str]:
    """Catalog and schema."""
    parts = [part.strip() for part in text.split(".")] if text else []
    if len(parts) > 2 or not all(parts):
        raise BadInput(
            f"{text!r} is no place of tables", where="within", hint="give CATALOG.SCHEMA or SCHEMA"
        )
    catalog, schema = ["", "", *parts][-2:]
    return catalog, schema


def known_columns(workspace: Workspace, namespace: str, tables: Iterable[TableName]) -> Schema:
    """The columns, with their types, that the working store knows of tables."""
    return {
        table: {str(each["name"]): facets.text(each.get("type")) or "" for each in fields}
        for table, fields in _known_fields(workspace, namespace, tables).items()
    }


def _known_fields(
    workspace: Workspace, namespace: str, tables: Iterable[TableName]
) -> dict[TableName, list[dict[str, Any]]]:
    """The same, as fields of the schema facet."""
    scribe = workspace.lineage
    found = {}
    with workspace.mutex:
        for table in tables:
            space, called = table.placed(namespace)
            name = facets.name({"namespace": space, "name": called})
            if name is None:
                continue
            told = facets.parsed(scribe.tables.told(name).get("facet/schema")).get("fields")
            if fields := [each for each in facets.items(told) if facets.text(each.get("name"))]:
                found[table] = fields
        scribe.written()
    return found


def save(
    workspace: Workspace, told: Mapping[str, Told], partial: set[str], params: dict[str, Any],
    progress: Progress, drafts: Set[Name] = frozenset(),
) -> tuple[dict[str, int], list[Problem]]:  # fmt: skip
    """Save what each source (by name) tells; what it told before and no longer does is gone, and
    its jobs are forgotten. `partial` are sources not all of which could be read: nothing of theirs
    is gone. drafts: as of `take_in`. Returns how many records are new, changed and gone, and what
    is to be told."""
    actor, why = params.get("actor") or operator(), params.get("why") or "told by SQL"
    events = [event for each in told.values() for event in each.events]
    subject = next(iter(told)) if len(told) == 1 else f"{len(told)} sources"
    _bring_back(workspace, told, actor)
    counts = {"new": 0, "changed": 0}
    for start in range(0, len(events), _AT_ONCE):
        progress(start, len(events), "taking in tables and jobs")
        saved = take_in(
            workspace, events[start : start + _AT_ONCE], actor, subject, why, drafts=drafts
        )
        counts = {kind: counts[kind] + saved[kind] for kind in counts}
    with workspace.mutex:
        said = {source: _lines(workspace, each) for source, each in told.items()}
        for source in told.keys() - partial:
            for iri in _lost(workspace, source, said[source]):
                lineage_forget(workspace, {"iri": iri, "actor": actor, "why": why}, progress)
        for source in partial:
            said[source] += _before(workspace, source)
        plan = Planner(workspace.records).plan(said)
        agree(workspace.records, plan)
        workspace.records.commit(
            plan, actor=actor, kind="lineage", subject=subject, why=why,
            detail={"sources": len(told)},
        )  # fmt: skip
    job = mint(workspace.settings.base, "job", "")
    problems = [found for found in plan.problems if not (found.focus or "").startswith(job)]
    return {**counts, "gone": plan.counts["gone"]}, problems


def _bring_back(workspace: Workspace, told: Mapping[str, Told], actor: str) -> None:
    """Restore the jobs that went with their statement, where it is there again; not those that
    people deleted."""
    base, records = workspace.settings.base, workspace.records
    with workspace.mutex:
        for source, each in told.items():
            for name in each.jobs:
                head = records.head(record_id(base, "job", job_iri(base, name)))
                words = head.said.get(source) if head else None
                if head and head.deleted_here and words and words.gone:
                    records.restore(head.id, actor=actor, why="its statement is there again")


def _lost(workspace: Workspace, source: str, now: Iterable[str]) -> list[str]:
    """The jobs (IRIs) that a source has told of and does not tell of now."""
    lost = [line for line in _before(workspace, source) if line not in set(now)]
    jobs = mint(workspace.settings.base, "job", "")
    return [iri for line in lost if (iri := split_line(line)[0][1:-1]).startswith(jobs)]


def _lines(workspace: Workspace, told: Told) -> list[str]:
    """That a source has its tables and jobs."""
    base, iri = workspace.settings.base, workspace.lineage.tables.iri
    lines = [project.table_line(table) for table in dict.fromkeys(map(iri, told.tables))]
    lines += [project.job_line(job_iri(base, name)) for name in told.jobs]
    for name, keys in told.keys.items():
        foreign = [(own, iri(other), theirs) for own, other, theirs in keys.foreign]
        lines += project.key_lines(iri(name), keys.primary, foreign)
    return lines


def _before(workspace: Workspace, source: str) -> list[str]:
    """The same, of what a source has told before."""
    line = {"table": project.table_line, "job": project.job_line}
    found = []
    for id in sorted(workspace.records.described(source)):
        kind, _, slug = id.partition("/")
        found.append(line[kind](mint(workspace.settings.base, kind, slug)))
    return found


def _problems(label: str, found: Read) -> list[Problem]:
    if found.error:
        error = found.error
        where = {"file": label}
        return [Problem("warning", error.message, path=error.where, hint=error.hint, source=where)]
    return [
        Problem(
            "warning", fault.message,
            source={"file": label, "line": fault.line, "column": fault.column},
        )
        for fault in found.script.faults
    ]  # fmt: skip


def _shown(label: str, told: Statement) -> dict[str, Any]:
    """A statement as `--dry-run` tells it."""
    return {
        "file": label, "line": told.line, "statement": told.kind,
        "reads": [table.text for table in told.reads],
        "writes": [table.text for table in told.writes], "temporary": told.temporary,
        "columns": [
            {
                "column": output,
                "from": [
                    {"table": e.table.text, "column": e.column, "how": e.how}
                    for e in told.edges if e.output == output
                ],
            }
            for output in told.columns
        ],
        "bears": [{"table": b.table.text, "column": b.column, "how": b.how} for b in told.indirect],
    }  # fmt: skip
