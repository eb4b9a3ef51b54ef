"""Reading facets: what is in them as far as it has the shape that their specification gives.

A facet that has not stays as it was sent, and nothing follows of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from bilbaokg.lineage.names import LONGEST, Name, writable

__all__ = [
    "Origin",
    "Origins",
    "dumped",
    "fields",
    "items",
    "loaded",
    "name",
    "origins",
    "parsed",
    "text",
]

_DEEPEST: Final = 20
# Facets that were read: each is looked at when it comes and when it is written down.
_KEPT: Final = 1000
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A column that data come from, and how they are made of it, "" where that is not said."""

    table: Name
    field: str
    how: str = ""


@dataclass(frozen=True, slots=True)
class Origins:
    """A columnLineage facet: origins by column, and those that bear on the whole table."""

    columns: Mapping[str, list[Origin]] = field(default_factory=dict)
    whole: list[Origin] = field(default_factory=list)

    @property
    def all(self) -> Iterator[Origin]:
        """Every origin."""
        for found in self.columns.values():
            yield from found
        yield from self.whole


def parsed(facet: str | None) -> dict[str, Any]:
    """The members of a facet; none where it is missing, was deleted or is no object."""
    found = json.loads(facet) if facet else None
    return found if isinstance(found, dict) and found.get("_deleted") is not True else {}


def text(value: Any) -> str | None:
    """A text that is there and can be written down."""
    if not isinstance(value, str) or not value.strip():
        return None
    if value.isascii() and value.isprintable():
        return value
    return writable(value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def name(item: Mapping[str, Any]) -> Name | None:
    """The name that an object gives by `namespace` and `name`."""
    namespace, called = _named(item.get("namespace")), _named(item.get("name"))
    return Name(namespace, called) if namespace and called else None


def dumped(value: Any) -> str:
    """What a register keeps of a value of our own."""
    return _ENCODER.encode(value)


def loaded(text: str) -> Any:
    """The value that `dumped` wrote."""
    return json.loads(text)


def items(value: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The columns of a schema facet, with their names; parts of a column are `column.part`."""
    yield from _fields(schema.get("fields"), "", 0)


def _fields(value: Any, within: str, depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for found in items(value):
        if (called := _named(found.get("name"))) is None:
            continue
        yield f"{within}{called}", found
        if depth < _DEEPEST:
            yield from _fields(found.get("fields"), f"{within}{called}.", depth + 1)


@lru_cache(_KEPT)
def origins(facet: str | None) -> Origins:
    """What a columnLineage facet says; not to be changed."""
    told = parsed(facet)
    columns: dict[str, list[Origin]] = {}
    by_field = told.get("fields")
    for column, said in by_field.items() if isinstance(by_field, dict) else ():
        if isinstance(said, dict) and (called := _named(column)):
            how = _joined(said.get("transformationType"), said.get("transformationDescription"))
            columns[called] = _origins(said.get("inputFields"), how)
    return Origins(columns, _origins(told.get("dataset"), ""))


def _origins(value: Any, how: str) -> list[Origin]:
    found = set()
    for item in items(value):
        table, column = name(item), _named(item.get("field"))
        if table is None or column is None:
            continue
        ways = [_way(way) for way in items(item.get("transformations"))]
        told = "; ".join(dict.fromkeys(way for way in ways if way)) or how
        found.add(Origin(table, column, told))
    return sorted(found)


def _way(way: Mapping[str, Any]) -> str:
    kinds = "/".join(filter(None, (text(way.get("type")), text(way.get("subtype")))))
    masked = "masking" if way.get("masking") is True else None
    return _joined(" ".join(filter(None, (kinds, masked))), way.get("description"))


def _joined(kind: Any, description: Any) -> str:
    return ": ".join(filter(None, (text(kind), text(description))))


def _named(value: Any) -> str | None:
    """A name that can be an identity."""
    if not isinstance(value, str) or not value or len(value) > LONGEST:
        return None
    return value if value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value) else None
