"""Events as pipelines send them, for the tests of lineage."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["RUN", "SPACE", "content", "dataset", "event", "lineage_of", "run_id", "schema"]

SPACE = "postgres://db:5432"
_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"


def run_id(number: int) -> str:
    return f"0197c4a0-0000-7000-8000-{number:012x}"


RUN = run_id(1)


def event(
    state: str | None, at: str, inputs: Any = (), outputs: Any = (), *, run: str | None = RUN,
    job: str = "daily", job_facets: Any = None, run_facets: Any = None, **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """An event of a run; without `run` one of the job alone."""
    told: dict[str, Any] = {
        "eventTime": f"2026-11-20T{at}Z" if len(at) < 12 else at,
        "producer": "https://example.org/pipelines", "schemaURL": f"{_SCHEMA}RunEvent",
        "job": {"namespace": "airflow", "name": job, "facets": job_facets or {}},
        "inputs": list(inputs), "outputs": list(outputs),
    }  # fmt: skip
    if run:
        told |= {"eventType": state, "run": {"runId": run, "facets": run_facets or {}}}
    else:
        told["schemaURL"] = f"{_SCHEMA}JobEvent"
    return told | more


def dataset(name: str, namespace: str = SPACE, own: Any = None, **facets: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"namespace": namespace, "name": name, "facets": facets}
    return told | ({"inputFacets": own} if own else {})


def schema(*columns: str) -> dict[str, Any]:
    """A schema facet; a column is `name` or `name TYPE`."""
    split = (column.partition(" ") for column in columns)
    return {"fields": [{"name": name, "type": type or "TEXT"} for name, _, type in split]}


def lineage_of(**columns: str) -> dict[str, Any]:
    """A columnLineage facet: column="table.of.origin:column"."""

    def origin(text: str) -> dict[str, Any]:
        table, _, field = text.partition(":")
        ways = [{"type": "DIRECT", "subtype": "IDENTITY"}]
        return {"namespace": SPACE, "name": table, "field": field, "transformations": ways}

    return {"fields": {c: {"inputFields": [origin(text)]} for c, text in columns.items()}}


def content(told: Any) -> bytes:
    return json.dumps(told).encode()
