"""How long a dbt project takes to be taken in: its artefacts are made here, then read again as they
are, and with the SQL of one model in a hundred changed.

Example: python benchmarks/dbt.py --models 2000
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from measure import machine
from sqlglot import exp

from bilbaokg import settings
from bilbaokg.operations import OPERATIONS
from bilbaokg.workspace import Workspace, initialise

SCHEMAS = "https://schemas.getdbt.com/dbt"
AT = "2026-11-20T05:00:00Z"
COLUMNS = 20
_SCHEMA = {"s": "raw", "m": "mart"}


def artefacts(models: int) -> dict[str, Any]:
    """A project whose models read three tables each: a source in ten, two tests on each."""
    nodes, sources, catalogue, results = {}, {}, {}, []
    columns = {f"c{n}": {"name": f"c{n}", "description": f"Column {n}."} for n in range(COLUMNS)}
    held = {f"c{n}": {"name": f"c{n}", "type": "VARCHAR", "index": n} for n in range(COLUMNS)}
    for number in range(models // 10):
        id = f"source.city.raw.s{number}"
        sources[id] = _node("source", f"s{number}", "raw", columns, [])
    for number in range(models):
        id = f"model.city.m{number}"
        parents = [f"model.city.m{p}" for p in {number // 2, number // 3} if p < number]
        parents.append(f"source.city.raw.s{number % max(1, models // 10)}")
        nodes[id] = _node("model", f"m{number}", "mart", columns, parents)
        nodes[id]["compiled_code"] = compiled(parents)
        catalogue[id] = {"metadata": {"type": "BASE TABLE"}, "columns": held}
        for kind in ("not_null", "unique"):
            test = f"test.city.{kind}_m{number}_c0"
            nodes[test] = _node("test", f"{kind}_m{number}_c0", "mart", {}, [id])
            nodes[test] |= {
                "attached_node": id, "column_name": "c0", "test_metadata": {"name": kind}
            }  # fmt: skip
            results.append({"unique_id": test, "status": "pass", "failures": 0})
    return {
        "manifest": {**_head("manifest", 12), "nodes": nodes, "sources": sources},
        "catalog": {**_head("catalog", 1), "nodes": catalogue, "sources": {}},
        "run_results": {**_head("run-results", 6), "results": results},
    }


def compiled(parents: list[str]) -> str:
    """SQL as dbt projects have it: a WITH for each table that is read, then a join."""
    names = [parent.rpartition(".")[2] for parent in parents]
    read = [
        exp.select("*").from_(exp.table_(name, _SCHEMA[name[0]], "city", quoted=True))
        for name in names
    ]
    joined = exp.select(*(f"{names[n % len(names)]}.c{n}" for n in range(COLUMNS))).from_(names[0])
    for name in names[1:]:
        joined = joined.join(name, on=f"{name}.c0 = {names[0]}.c0", join_type="left")
    made = exp.select(*(f"upper(trim(joined.c{n})) as c{n}" for n in range(COLUMNS)))
    made = made.from_("joined")
    for name, query in zip([*names, "joined"], [*read, joined], strict=True):
        made = made.with_(name, as_=query)
    return made.sql("postgres", pretty=True)


def _head(name: str, version: int) -> dict[str, Any]:
    schema = f"{SCHEMAS}/{name}/v{version}.json"
    told = {"dbt_schema_version": schema, "generated_at": AT, "project_name": "city"}
    return {"metadata": {**told, "adapter_type": "postgres"}}


def _node(kind: str, name: str, schema: str, columns: Any, parents: list[str]) -> dict[str, Any]:
    return {
        "resource_type": kind, "name": name, "alias": name, "database": "city", "schema": schema,
        "relation_name": f'"city"."{schema}"."{name}"', "columns": columns,
        "depends_on": {"nodes": parents}, "description": f"About {name}.",
    }  # fmt: skip


def _write(target: Path, made: Mapping[str, Any]) -> None:
    for name, document in made.items():
        (target / f"{name}.json").write_text(json.dumps(document, indent=1))


def _change(nodes: Mapping[str, Any]) -> None:
    """Let a column of one model in a hundred come from another."""
    found = [node for node in nodes.values() if "compiled_code" in node]
    for node in found[::100]:
        node["compiled_code"] = node["compiled_code"].replace("joined.c1)", "joined.c2)")


def _children() -> float:
    """Seconds of the processors that ended children took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=2000)
    models = parser.parse_args().models
    before = machine()
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "target"
        target.mkdir()
        made = artefacts(models)
        _write(target, made)
        size = sum(file.stat().st_size for file in target.iterdir()) / 1e6
        print(f"{models:,} models, {size:.1f} MB of artefacts")
        data = Path(place) / "data"
        initialise(data, {"base": "https://data.example.org"})
        with Workspace(data, settings.read(data, {})) as workspace:
            asked = {"path": str(target), "namespace": "postgres://db:5432"}
            for step in ("the first time", "again", "changed a little"):
                if step == "changed a little":
                    _change(made["manifest"]["nodes"])
                    _write(target, made)
                wall, cpu, theirs = time.perf_counter(), time.process_time(), _children()
                done = OPERATIONS["lineage.dbt"](workspace, dict(asked), lambda *_: None)
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                beside = f"{_children() - theirs:.1f} s of the workers"
                print(f"{step}: {wall:.1f} s, CPU {cpu:.1f} s and {beside}; {done['records']}")
                assert not [p for p in done["problems"] if "columns" in p["message"]]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak {peak:.0f} MiB. {before}")


if __name__ == "__main__":
    main()
