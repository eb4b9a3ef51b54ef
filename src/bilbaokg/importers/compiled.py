"""Which columns come from which, read out of the SQL that dbt compiled for its models.

What was read once is not read again: a digest of the SQL and of all that is known of the columns
stands with the job, and the facet with the table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from bilbaokg.errors import BadInput
from bilbaokg.importers.dbt import Artefacts
from bilbaokg.importers.sql import column_lineage
from bilbaokg.lineage import Event, Name, facets
from bilbaokg.lineage.compiled import Query, Relation, follow
from bilbaokg.lineage.script import Fault, TableName
from bilbaokg.lineage.sql import check_dialect
from bilbaokg.model import Problem
from bilbaokg.workers import Pool

__all__ = ["DIGEST", "completed"]

DIGEST: Final = "bilbaokg_columnsReadFrom"
"""The facet of a job that keeps the digest of what its columns were read from."""
# Part of the digest: raise it when other columns are read out of the same SQL.
_VERSION: Final = 2
# Adapters of dbt whose dialect has another name in sqlglot.
_DIALECTS: Final = {
    "sqlserver": "tsql", "synapse": "tsql", "glue": "spark", "fabricspark": "spark",
    "greenplum": "postgres", "cratedb": "postgres", "singlestore": "mysql", "tidb": "mysql",
}  # fmt: skip

Earlier = Callable[[Name, Name], tuple[str, str]]
"""Gives the digest and the facet that were kept of a job and a table, "" for what was not."""


def completed(found: Artefacts, pool: Pool | None, earlier: Earlier) -> Iterator[Event]:
    """The events of a project, with the columnLineage facet where it can be read: what needs no
    reading first, the others as they were read. What cannot be read is added to found.problems."""
    dialect = _dialect(found)
    relations = {id: _relation(found, id) for id in found.models} if dialect else {}
    queries, digests = [], {}
    for id, model in found.models.items():
        event = found.events[model.event]
        if not dialect or model.sql is None or event.job is None:
            yield event
            continue
        digests[id] = _digest(dialect, id, model.sql, [id, *model.reads], relations)
        digest, facet = earlier(event.job, event.outputs[0].name)
        if facet and digest == digests[id]:
            yield _with(event, digest, facet)
        else:
            queries.append(Query(id, id, model.reads, model.sql))
    names = {relations[id].name: _name(found, id) for id in relations}

    def named(table: TableName) -> Name | None:
        return names.get(table) or facets.name({"namespace": found.namespace, "name": table.text})

    for id, told in follow(queries, relations, dialect, pool) if queries else ():
        event = found.events[found.models[id].event]
        if told.fault:
            found.problems.append(_problem(id, told.fault, partly=told.statement is not None))
        if told.statement is None:
            yield event
        else:
            # What is told in part is read again the next time, and its fault told again.
            digest = "" if told.fault else digests[id]
            yield _with(event, digest, column_lineage([told.statement], named))


def _dialect(found: Artefacts) -> str:
    """As sqlglot calls it; "" where it is not known, which is told."""
    if not any(model.sql for model in found.models.values()):
        return ""
    adapter = found.adapter
    try:
        return check_dialect(_DIALECTS.get(adapter, adapter or "none"))
    except BadInput:
        what = f"columns are not followed: the SQL of the adapter {adapter!r} is not known"
        found.problems.append(Problem("info", what, path="manifest.json"))
        return ""


def _name(found: Artefacts, id: str) -> Name:
    event = found.events[found.models[id].event]
    return (*event.outputs, *event.tables)[0].name


def _relation(found: Artefacts, id: str) -> Relation:
    model = found.models[id]
    event = found.events[model.event]
    [table] = (*event.outputs, *event.tables)
    fields = facets.items(facets.parsed(table.facets.get("schema")).get("fields"))
    columns = {
        name: facets.text(each.get("type")) or ""
        for each in fields
        if (name := facets.text(each.get("name")))
    }
    return Relation(model.written, TableName(*model.parts), columns)


def _digest(
    dialect: str, id: str, sql: str, tables: list[str], relations: Mapping[str, Relation]
) -> str:
    """Of all on which it depends what is read out of the SQL of a model."""
    known = [
        [key, r.written, r.name, list(r.columns.items())]
        for key in tables
        if (r := relations.get(key)) is not None
    ]
    return hashlib.sha256(json.dumps([_VERSION, dialect, id, sql, known]).encode()).hexdigest()


def _with(event: Event, digest: str, facet: str) -> Event:
    """An event with what its one output comes from, and the digest at its job, if there is one."""
    [table] = event.outputs
    told = replace(table, facets={**table.facets, "columnLineage": facet})
    kept = {DIGEST: json.dumps({"sha256": digest})} if digest else {}
    return replace(event, outputs=[told], job_facets={**event.job_facets, **kept})


def _problem(id: str, fault: Fault, *, partly: bool) -> Problem:
    what = "not all of its columns are known" if partly else "its columns are not known"
    return Problem(
        "warning", f"{what}: {fault.message}", path=f"manifest.json {id}",
        hint=f"see line {fault.line}, column {fault.column} of its compiled SQL",
    )  # fmt: skip
