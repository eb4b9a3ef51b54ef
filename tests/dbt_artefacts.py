"""Artefacts as dbt writes them, for edge cases that a real project does not have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["manifest", "model", "results", "source", "write"]

_SCHEMAS = "https://schemas.getdbt.com/dbt"
AT = "2026-11-20T05:00:00.000000Z"


def _metadata(name: str, version: int, at: str) -> dict[str, Any]:
    return {
        "dbt_schema_version": f"{_SCHEMAS}/{name}/v{version}.json", "generated_at": at,
        "project_name": "city", "adapter_type": "postgres",
    }  # fmt: skip


def model(name: str, *parents: str, kind: str = "model", **more: Any) -> dict[str, Any]:
    """A node; parents are unique ids."""
    return {
        "unique_id": f"{kind}.city.{name}", "resource_type": kind, "name": name, "alias": name,
        "database": "city", "schema": "mart", "package_name": "city", "columns": {},
        "depends_on": {"nodes": list(parents)}, **more,
    }  # fmt: skip


def source(name: str, **more: Any) -> dict[str, Any]:
    told = {**model(name, kind="source"), "schema": "raw", **more}
    return {**told, "unique_id": f"source.city.raw.{name}"}


def manifest(
    *nodes: dict[str, Any], version: int = 12, at: str = AT, **more: Any
) -> dict[str, Any]:
    by_id = {node["unique_id"]: node for node in nodes}
    return {
        "metadata": _metadata("manifest", version, at),
        "nodes": {id: n for id, n in by_id.items() if n["resource_type"] != "source"},
        "sources": {id: n for id, n in by_id.items() if n["resource_type"] == "source"},
        **more,
    }


def results(*found: dict[str, Any], at: str = AT) -> dict[str, Any]:
    return {"metadata": _metadata("run-results", 6, at), "results": list(found)}


def write(folder: Path, **documents: Any) -> Path:
    """Write documents, by the name of their file; a text as it is."""
    folder.mkdir(exist_ok=True)
    for name, told in documents.items():
        text = told if isinstance(told, str) else json.dumps(told)
        (folder / f"{name}.json").write_text(text)
    return folder
