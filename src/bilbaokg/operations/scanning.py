"""Taking in the structure of databases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bilbaokg.errors import BadInput
from bilbaokg.importers.sql import Keys, Told, column_lineage
from bilbaokg.lineage import Event, Name, Table, facets
from bilbaokg.lineage.compiled import Query, Relation, follow
from bilbaokg.lineage.events import stamp
from bilbaokg.lineage.script import Statement, TableName
from bilbaokg.lineage.sql import check_dialect
from bilbaokg.model import Problem
from bilbaokg.operations.base import Progress
from bilbaokg.operations.sql import save
from bilbaokg.workspace import Workspace

__all__ = ["lineage_scan"]

_PRODUCER = "bilbaokg"


def lineage_scan(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Take in what `importers.database.scan` read of a database. params: found, namespace (None:
    as found), jobs, actor, why.

    New tables are internal until somebody sets them public. Tables that a schema no longer has are
    told as gone, and stay; the jobs of such views are forgotten. Raises BadInput.
    """
    reading = _Reading(params["found"], params.get("namespace"), params.get("jobs") or "scan")
    progress(0, None, "reading views")
    told = reading.read(workspace)
    names = {name for each in told.values() for name in each.tables}
    why = params.get("why") or "found in the database"
    counts, problems = save(
        workspace, told, reading.partial, {"actor": params.get("actor"), "why": why}, progress,
        drafts=names,
    )  # fmt: skip
    return {
        "namespace": reading.namespace,
        "tables": len(names),
        "views": sum(len(each.jobs) for each in told.values()),
        "columns": reading.columns,
        "foreign_keys": sum(len(k.foreign) for each in told.values() for k in each.keys.values()),
        "records": counts,
        "problems": [problem.as_dict() for problem in [*reading.problems, *problems]],
    }


class _Reading:
    """One database as it was found."""

    def __init__(self, found: Mapping[str, Any], namespace: str | None, jobs: str) -> None:
        self.found, self.jobs = found, jobs
        self.namespace = (namespace or str(found["namespace"])).strip()
        if not self.namespace:
            raise BadInput("the namespace is empty", hint="--namespace postgres://HOST:PORT, ...")
        self.at = stamp()
        self.problems: list[Problem] = []
        self.partial: set[str] = set()
        self.columns = 0

    def read(self, workspace: Workspace) -> dict[str, Told]:
        """What each schema tells, by the name of its source."""
        views = self._views(workspace)
        told = {}
        for schema, tables in self.found["schemas"].items():
            told[self._source(schema)] = each = Told()
            for table in tables:
                name = self._name(schema, table["name"])
                if name is None:
                    self._tell(f"{schema}.{table['name']}", "its name cannot be used")
                    continue
                self.columns += len(table["columns"])
                each.tables[name] = None
                each.keys[name] = self._keys(table)
                each.events.append(self._event(name, table, views.get((schema, table["name"]))))
                if each.events[-1].job:
                    each.jobs[each.events[-1].job] = None
        return told

    def _source(self, schema: str) -> str:
        place = ".".join(filter(None, (self.found["catalog"], schema)))
        return " ".join(filter(None, ("scan", self.namespace, place)))

    def _table(self, schema: str, name: str) -> TableName:
        return TableName(self.found["catalog"], schema, name)

    def _name(self, schema: str, name: str) -> Name | None:
        return self._named(self._table(schema, name))

    def _named(self, table: TableName) -> Name | None:
        return facets.name({"namespace": self.namespace, "name": table.text})

    def _tell(self, where: str, message: str, severity: str = "warning") -> None:
        self.problems.append(Problem(severity, message, path=where))

    def _keys(self, table: Mapping[str, Any]) -> Keys:
        foreign = []
        for key in table["foreign_keys"]:
            other = self._name(key["schema"] or "", key["table"])
            if other:
                foreign.append((key["columns"], other, key["referred"]))
        return Keys(table["primary_key"], foreign)

    def _event(self, name: Name, table: Mapping[str, Any], view: Statement | None) -> Event:
        told = {
            "schema": {"fields": list(_fields(table))},
            "datasetType": {"datasetType": table["kind"]},
        }
        if table["comment"]:
            told["documentation"] = {"description": table["comment"]}
        known = {facet: json.dumps(value) for facet, value in told.items()}
        if view is None:
            return Event(self.at, _PRODUCER, tables=[Table(name, known)])
        kind = {"processingType": "BATCH", "integration": "SQL", "jobType": "VIEW"}
        inputs = dict.fromkeys(found for t in view.reads if (found := self._named(t)))
        made = {**known, "columnLineage": column_lineage([view], self._named)}
        return Event(
            self.at, _PRODUCER, job=Name(self.jobs, name.name),
            job_facets={"jobType": json.dumps(kind)},
            inputs=[Table(each) for each in inputs], outputs=[Table(name, made)],
        )  # fmt: skip

    # ---- views

    def _views(self, workspace: Workspace) -> dict[tuple[str, str], Statement]:
        """What the SQL of each view says, by schema and name."""
        relations, queries = {}, []
        for schema, table in self._all():
            key = json.dumps([schema, table["name"]])
            columns = {column["name"]: column["type"] for column in table["columns"]}
            relations[key] = Relation("", self._table(schema, table["name"]), columns)
            if table["sql"]:
                queries.append((key, table["sql"]))
            elif table["kind"] == "VIEW":
                self._lose(schema, table["name"], "the database does not show its SQL", "info")
        if not queries:
            return {}
        try:
            dialect = check_dialect(self.found["dialect"])
        except BadInput as error:
            self._tell("views", f"are not followed: {error.message}", "info")
            return {}
        asked = [Query(key, key, list(relations), sql) for key, sql in queries]
        within = self.found["catalog"], self.found["schema"]
        views = {}
        for key, told in follow(asked, relations, dialect, workspace.pool, within):
            schema, name = json.loads(key)
            if told.fault:
                can = "can be followed in part only" if told.statement else "cannot be followed"
                self._lose(schema, name, f"its SQL {can}: {told.fault.message}", "warning")
            if told.statement:
                views[schema, name] = told.statement
        return views

    def _all(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        return (
            (schema, table) for schema, tables in self.found["schemas"].items() for table in tables
        )

    def _lose(self, schema: str, name: str, message: str, severity: str) -> None:
        """Tell that the SQL of a view is not known: its job may be there all the same."""
        self.partial.add(self._source(schema))
        self._tell(".".join(filter(None, (schema, name))), message, severity)


def _fields(table: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for column in table["columns"]:
        told = {
            "name": column["name"], "type": column["type"], "description": column["comment"]
        }  # fmt: skip
        yield {key: value for key, value in told.items() if value}
