"""OpenLineage events as text: a JSON object in a line each (spec 2-0-2)."""

from __future__ import annotations

import json
from typing import Any, Final

from bilbaokg.lineage.names import Name

__all__ = ["PRODUCER", "Exact", "Told", "event", "line", "named"]

_SPEC: Final = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
PRODUCER: Final = "urn:bilbaokg"
"""Who says what we write."""

Told = dict[str, Any]


class Exact(str):
    """A JSON text that is written as it is."""

    __slots__ = ()


def event(at: str, kind: str, **members: Any) -> Told:
    """An event of one of the kinds of the specification."""
    return {"eventTime": at, "producer": PRODUCER, "schemaURL": f"{_SPEC}{kind}", **members}


def named(name: Name) -> Told:
    """A name as events write it."""
    return {"namespace": name.namespace, "name": name.name}


def line(value: Any) -> str:
    """A value as JSON in one line."""
    if isinstance(value, Exact):
        # Between tokens alone, for within a text they are escaped.
        return value.replace("\r", " ").replace("\n", " ")
    if isinstance(value, dict):
        return f"{{{','.join(f'{json.dumps(k)}:{line(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(line, value))}]"
    return json.dumps(value)
