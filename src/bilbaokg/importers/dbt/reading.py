"""The reading of a dbt project's target folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bilbaokg.errors import BadInput, BilbaokgError, NotFound
from bilbaokg.importers.dbt.files import document
from bilbaokg.importers.dbt.found import Artefacts, Exposure, Measured, Model, Test
from bilbaokg.importers.dbt.nodes import (
    brief,
    depends,
    dumped,
    fields,
    is_ephemeral,
    members,
    owners,
    tags,
    within,
)
from bilbaokg.importers.openlineage import moment
from bilbaokg.lineage import Event, Facets, Name, Table, facets
from bilbaokg.model import Problem

__all__ = ["read"]

_PRODUCER: Final = "https://github.com/dbt-labs/dbt-core"
_HELD: Final = frozenset({"model", "seed", "snapshot"})
_MADE: Final = {"model": ("MODEL", ""), "snapshot": ("SNAPSHOT", ".snapshot")}
_TOOLS: Final = frozenset({"dashboard", "notebook", "application"})
_MOST_INPUTS: Final = 10_000
_LONGEST_SQL: Final = 1 << 20


def read(folder: Path, namespace: str | None, jobs: str, limit: int) -> Artefacts:
    """Read a target folder. namespace: that of the tables; jobs: that of the jobs.

    Files of over `limit` bytes are refused. Raises NotFound, BadInput, UnsupportedFormat and
    TooLarge where the manifest cannot be used.
    """
    manifest = document(folder / "manifest.json", limit)
    return _Reader(folder, manifest, namespace, jobs, limit).read()


class _Reader:
    """One reading of one folder."""

    def __init__(
        self, folder: Path, manifest: dict[str, Any], namespace: str | None, jobs: str, limit: int
    ) -> None:
        self.folder, self.manifest, self.jobs, self.limit = folder, manifest, jobs, limit
        told = manifest["metadata"]
        self.at = moment(told.get("generated_at"), "manifest.json/metadata/generated_at")
        self.namespace = namespace or _namespace(told, folder / "manifest.json")
        self.nodes: dict[str, dict[str, Any]] = {
            **members(manifest, "nodes"), **members(manifest, "sources")
        }  # fmt: skip
        self.names: dict[str, Name] = {}
        project = facets.text(told.get("project_name")) or _project(
            self.nodes, facets.text(told.get("project_id"))
        )
        adapter = facets.text(told.get("adapter_type")) or ""
        self.out = Artefacts(" ".join(project.split()), adapter, self.namespace)

    def read(self) -> Artefacts:
        catalogue = self._beside("catalog.json")
        columns = {**members(catalogue, "nodes"), **members(catalogue, "sources")}
        for id, node in self.nodes.items():
            kind = node.get("resource_type")
            if kind == "source" or (kind in _HELD and not is_ephemeral(node)):
                self._name(id, node, kind)
        groups = {
            str(group.get("name")): group for group in members(self.manifest, "groups").values()
        }
        for id, name in self.names.items():
            table = Table(name, self._facets(self.nodes[id], columns.get(id, {}), groups))
            self.out.models[id] = self._model(id, len(self.out.events))
            self.out.events.append(self._event(id, table))
        self._tests()
        self._exposures()
        self._results(self._beside("run_results.json"))
        self._freshness(self._beside("sources.json"))
        return self.out

    def _beside(self, name: str) -> dict[str, Any]:
        """A file that may be missing; what is wrong with it is told."""
        try:
            return document(self.folder / name, self.limit)
        except NotFound as error:
            self._tell("info", f"there is no {name}", name, error.hint)
        except BilbaokgError as error:
            self._tell("warning", error.message, name, error.hint)
        return {}

    def _tell(self, severity: str, message: str, where: str, hint: str | None = None) -> None:
        self.out.problems.append(Problem(severity, message, path=where, hint=hint))

    # ---- tables and jobs

    def _name(self, id: str, node: Mapping[str, Any], kind: str) -> None:
        called = node.get("name") if kind == "source" else node.get("alias") or node.get("name")
        name = self._called(node, called)
        if name:
            self.names[id] = name
        else:
            self._tell(
                "warning", "it has no name that can be used", f"manifest.json {brief(id)}",
                "give it a schema and an alias",
            )  # fmt: skip

    def _called(self, node: Mapping[str, Any], called: Any) -> Name | None:
        parts = [node.get("database"), node.get("schema"), called]
        if not called or not all(part is None or isinstance(part, str) for part in parts):
            return None
        told = {"namespace": self.namespace, "name": ".".join(filter(None, parts))}
        return facets.name(told)

    def _model(self, id: str, event: int) -> Model:
        node = self.nodes[id]
        is_sql = node.get("resource_type") in _MADE and node.get("language", "sql") == "sql"
        return Model(
            event, facets.text(node.get("relation_name")) or "", self._parts(node),
            self._sql(node) if is_sql else None, self._reached(node),
        )  # fmt: skip

    def _sql(self, node: Mapping[str, Any]) -> str | None:
        """The compiled SQL of a node: of the manifest, else of the file that dbt left: `dbt test`
        writes a manifest without it."""
        if told := facets.text(node.get("compiled_code")):
            return told
        parts = [facets.text(node.get(key)) for key in ("package_name", "original_file_path")]
        compiled = (self.folder / "compiled").resolve()
        if not all(parts) or "\0" in "".join(filter(None, parts)):
            return None
        file = compiled.joinpath(*filter(None, parts)).resolve()
        try:
            if not file.is_relative_to(compiled) or file.stat().st_size > _LONGEST_SQL:
                return None
            return facets.text(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            return None

    def _event(self, id: str, table: Table) -> Event:
        node = self.nodes[id]
        kind = str(node["resource_type"])
        called = self._called(node, f"{id.partition('.')[2]}{_MADE.get(kind, ('', ''))[1]}")
        if kind not in _MADE or called is None:
            return Event(self.at, _PRODUCER, tables=[table])
        told: dict[str, Any] = {
            "jobType": {
                "processingType": "BATCH", "integration": "DBT", "jobType": _MADE[kind][0]
            }
        }  # fmt: skip
        if sql := facets.text(node.get("compiled_code")):
            told["sql"] = {"query": sql}
        return Event(
            self.at, _PRODUCER, job=Name(self.jobs, called.name), job_facets=dumped(told),
            inputs=[Table(name) for name in self._inputs(node)], outputs=[table],
        )  # fmt: skip

    def _parts(self, node: Mapping[str, Any]) -> tuple[str, str, str]:
        """Database, schema and name of a table, "" for what it has not."""
        is_source = node.get("resource_type") == "source"
        called = node.get("identifier" if is_source else "alias") or node.get("name")
        catalog, schema = (facets.text(node.get(key)) or "" for key in ("database", "schema"))
        return catalog, schema, str(called)

    def _inputs(self, node: Mapping[str, Any]) -> list[Name]:
        """The tables that something is made of."""
        return sorted({self.names[id] for id in self._reached(node)})

    def _reached(self, node: Mapping[str, Any]) -> list[str]:
        """The nodes that something is made of; ephemeral models stand for theirs."""
        found: dict[str, None] = {}
        seen: set[str] = set()
        ahead = list(depends(node))
        while ahead and len(seen) < _MOST_INPUTS:
            id = ahead.pop()
            if id in seen:
                continue
            seen.add(id)
            if id in self.names:
                found[id] = None
            elif id in self.nodes and self.nodes[id].get("resource_type") in _HELD:
                ahead += depends(self.nodes[id])
        return list(found)

    def _facets(
        self, node: Mapping[str, Any], catalogued: Mapping[str, Any], groups: Mapping[str, Any]
    ) -> Facets:
        described, held = members(node, "columns"), members(catalogued, "columns")
        told: dict[str, Any] = {"tags": {"tags": list(tags(node, described))}}
        if columns := fields(described, held):
            told["schema"] = {"fields": columns}
        if description := facets.text(node.get("description")):
            told["documentation"] = {"description": description}
        if kind := facets.text(within(catalogued, "metadata").get("type")):
            told["datasetType"] = {"datasetType": kind}
        group = groups.get(str(node.get("group") or within(node, "config").get("group")), {})
        told["ownership"] = {"owners": [{"name": name} for name in owners(node, group)]}
        return dumped(told)

    # ---- tests, how fresh sources are, exposures

    def _tests(self) -> None:
        for id, node in self.nodes.items():
            if node.get("resource_type") != "test":
                continue
            attached = node.get("attached_node")
            on = [attached] if attached in self.names else depends(node)
            tables = [self.names[each] for each in on if each in self.names]
            called = facets.text(node.get("name"))
            if tables and called:
                kind = facets.text(within(node, "test_metadata").get("name")) or called
                column = facets.text(node.get("column_name")) or ""
                self.out.tests[id] = Test(id, called, kind, tables, column)

    def _results(self, results: Mapping[str, Any]) -> None:
        at = within(results, "metadata").get("generated_at")
        only_compiled = False
        for found in facets.items(results.get("results")):
            test = self.out.tests.get(str(found.get("unique_id")))
            if test is None:
                continue
            value, status = found.get("failures"), found.get("status")
            if status == "success":
                only_compiled = True
                continue
            if status == "skipped":
                continue
            if status == "pass" and value is None:
                value = 0  # not all adapters count
            if not isinstance(value, int) or status not in ("pass", "warn", "fail"):
                self._tell("warning", f"the test {brief(test.called)} could not be run",
                           "run_results.json", facets.text(found.get("message")))  # fmt: skip
                continue
            self._measure("run_results.json", test, value, passed=status == "pass", at=at)
        if only_compiled:
            # dbt compile and dbt docs generate write the file anew, too.
            self._tell("info", "its tests were compiled and not run", "run_results.json",
                       "run dbt test after dbt docs generate")  # fmt: skip

    def _freshness(self, sources: Mapping[str, Any]) -> None:
        for found in facets.items(sources.get("results")):
            id = str(found.get("unique_id"))
            if id not in self.names:
                continue
            test = Test(f"freshness {id}", "source freshness", "freshness", [self.names[id]])
            self.out.tests[test.id] = test
            age, status = found.get("max_loaded_at_time_ago_in_s"), found.get("status")
            if not isinstance(age, int | float) or status not in ("pass", "warn", "error"):
                self._tell("warning", f"how fresh {brief(id)} is could not be found out",
                           "sources.json", facets.text(found.get("error")))  # fmt: skip
                continue
            at = found.get("snapshotted_at")
            self._measure("sources.json", test, age, passed=status == "pass", at=at)

    def _measure(self, file: str, test: Test, value: int | float, *, passed: bool, at: Any) -> None:
        try:
            told = moment(at, f"{file} {brief(test.id)}")
        except BilbaokgError as error:
            self._tell("warning", error.message, error.where or file, error.hint)
            return
        self.out.measured.append(Measured(test, value, passed, told))

    def _exposures(self) -> None:
        for id, told in members(self.manifest, "exposures").items():
            title = facets.text(told.get("label")) or facets.text(told.get("name"))
            if title and (tables := self._inputs(told)):
                self.out.exposures.append(
                    Exposure(
                        id, title, facets.text(told.get("description")),
                        facets.text(told.get("url")), told.get("type") in _TOOLS, tables,
                    )
                )  # fmt: skip


def _namespace(told: Mapping[str, Any], path: Path) -> str:
    """The namespace of tables where nobody gave it: the kind of database, for the artefacts do not
    say which one it is. Of BigQuery that is what OpenLineage calls it."""
    if kind := facets.text(told.get("adapter_type")):
        return kind
    raise BadInput(
        "the artefacts do not say in which database the tables are", where=str(path),
        hint="give --namespace as OpenLineage names it: postgres://HOST:PORT, duckdb://PATH, ...",
    )  # fmt: skip


def _project(nodes: Mapping[str, Mapping[str, Any]], id: str | None) -> str:
    """The project of a manifest that does not name it (before version 11): the package whose name
    has the digest that is its id, else that of most models."""
    packages = [text for n in nodes.values() if (text := facets.text(n.get("package_name")))]
    for name in sorted(set(packages)):
        if hashlib.md5(name.encode(), usedforsecurity=False).hexdigest() == id:
            return name
    return max(sorted(set(packages)), key=packages.count, default="project")
