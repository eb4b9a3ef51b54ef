"""What stands in the nodes of a manifest: columns, tags, owners, what they are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bilbaokg.lineage import Facets, facets

__all__ = [
    "brief",
    "depends",
    "dumped",
    "fields",
    "is_ephemeral",
    "members",
    "owners",
    "tags",
    "within",
]


def members(value: Mapping[str, Any], key: str) -> dict[str, dict[str, Any]]:
    """The objects under a key, by name."""
    found = value.get(key)
    if not isinstance(found, dict):
        return {}
    return {name: each for name, each in found.items() if isinstance(each, dict)}


def within(value: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The object under a key."""
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def depends(node: Mapping[str, Any]) -> list[str]:
    """The ids of the nodes that one is made of."""
    found = within(node, "depends_on").get("nodes")
    return [id for id in found if isinstance(id, str)] if isinstance(found, list) else []


def is_ephemeral(node: Mapping[str, Any]) -> bool:
    """Whether a model has no table of its own."""
    return within(node, "config").get("materialized") == "ephemeral"


def fields(
    described: Mapping[str, Mapping[str, Any]], held: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The columns as the database has them, else as they are described."""
    by_name = {name.lower(): column for name, column in described.items()}

    def position(column: Mapping[str, Any]) -> int:
        index = column.get("index")
        return index if isinstance(index, int) else 0

    found = []
    for column in sorted(held.values(), key=position) if held else described.values():
        said = by_name.get(str(column.get("name")).lower(), {})
        description = facets.text(said.get("description")) or facets.text(column.get("comment"))
        type = column.get("type") if held else column.get("data_type")
        told = {"name": column.get("name"), "type": type, "description": description}
        found.append({key: value for key, value in told.items() if value is not None})
    return found


def tags(
    node: Mapping[str, Any], columns: Mapping[str, Mapping[str, Any]]
) -> Iterator[dict[str, str]]:
    """The tags of a node and its columns, its metadata among them, as items of a tags facet."""
    for field_, told in (("", node), *((name, column) for name, column in columns.items())):
        of = {"field": field_} if field_ else {}
        found = told.get("tags")
        for tag in found if isinstance(found, list) else []:
            if isinstance(tag, str):
                yield {"key": tag, "value": "true", **of}
        for key, value in within(told, "meta").items():
            if key != "owner" and isinstance(value, str | int | float):
                yield {"key": key, "value": str(value), **of}


def owners(node: Mapping[str, Any], group: Mapping[str, Any]) -> list[str]:
    """Who is said to own it: by the group, and by meta.owner."""
    said = within(node, "meta").get("owner")
    names = [*(said if isinstance(said, list) else [said])]
    if group:
        names.append(facets.text(within(group, "owner").get("name")) or group.get("name"))
    return list(dict.fromkeys(name for each in names if (name := facets.text(each))))


def dumped(told: Mapping[str, Any]) -> Facets:
    """Facets as events carry them."""
    return {name: json.dumps(value) for name, value in told.items()}


def brief(text: str) -> str:
    """A name as messages show it."""
    shown = json.dumps(text)
    return shown if len(shown) <= 120 else f"{shown[:120]}..."
