"""What PIVOT and UNPIVOT make of the columns of a table or subquery, also several in a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlglot import exp

__all__ = ["before", "grouping", "made"]

_AGGREGATED: Final = "AGGREGATION"
_MOVED: Final = "TRANSFORMATION"
_NAMED: Final = "CONDITIONAL"

Origins = list[tuple[str, str]]
"""Columns, each with how."""


def before(chain: Sequence[exp.Pivot], name: str, known: Sequence[str]) -> Origins:
    """The columns of what a chain is applied to that one of its columns is made of, "" as how for
    one that is the same. known: all columns there, in order; none where they are not known."""
    steps, there = [], known
    for pivot in chain:
        renamed = dict(pivot.output_columns(there)) if there else {}
        steps.append((_made(pivot), renamed if pivot.alias_column_names else {}))
        there = list(renamed)
    found = [(name, "")]
    for origins, renamed in reversed(steps):
        following = []
        for called, how in found:
            was = renamed.get(called, called)
            given = origins.get(was)
            following += [(was, how)] if given is None else [(n, _both(how, h)) for n, h in given]
        found = following
    return list(dict.fromkeys(found))


def _both(how: str, other: str) -> str:
    """The way of what is used in two ways: the later of them covers the earlier."""
    return next((way for way in (_NAMED, _AGGREGATED) if way in (how, other)), how or other)


def made(chain: Sequence[exp.Pivot]) -> tuple[list[str], set[str]]:
    """The columns that a chain adds, and those that are not there any more behind it."""
    added: dict[str, None] = {}
    gone = set()
    for pivot in chain:
        origins = _made(pivot)
        used = {name for given in origins.values() for name, _ in given} | set(grouping(pivot))
        added = dict.fromkeys([*(name for name in added if name not in used), *origins])
        gone |= used
    return list(added), gone | set(added)


def grouping(pivot: exp.Pivot) -> Iterator[str]:
    """The columns whose values become columns of a PIVOT."""
    if not pivot.unpivot:
        for field in pivot.fields:
            on = field.this if isinstance(field, exp.In) else field
            yield from (column.name for column in on.find_all(exp.Column))


def _made(pivot: exp.Pivot) -> dict[str, Origins]:
    """The columns that one of them makes."""
    if pivot.unpivot:
        return _unpivoted(pivot)
    names = [each.name for each in pivot.args.get("columns") or ()]
    # For each value, the columns of all aggregates.
    count = len(pivot.expressions)
    used = [[(c.name, _AGGREGATED) for c in agg.find_all(exp.Column)] for agg in pivot.expressions]
    return {name: used[place % count] for place, name in enumerate(names)} if count else {}


def _unpivoted(pivot: exp.Pivot) -> dict[str, Origins]:
    """UNPIVOT((v, w) FOR n IN ((a, b), (c, d))): v of a and c, w of b and d; n says which."""
    values = [part.name for each in pivot.expressions for part in each.find_all(exp.Identifier)]
    found: dict[str, Origins] = {value: [] for value in values}
    for field in pivot.fields:
        if not isinstance(field, exp.In):
            continue
        which = found.setdefault(field.this.name, [])
        for entry in field.expressions:
            columns = [column.name for column in entry.find_all(exp.Column)]
            which += [(column, _NAMED) for column in columns]
            paired = len(columns) == len(values)
            for place, value in enumerate(values):
                given: Any = columns[place : place + 1] if paired else columns
                found[value] += [(column, _MOVED) for column in given]
    return found
