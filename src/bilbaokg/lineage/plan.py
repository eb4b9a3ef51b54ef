"""A plan: what a statement does, as queries whose columns go to a table; and what such queries are
made with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from sqlglot import exp

from bilbaokg.lineage.datafiles import file_table

__all__ = [
    "Plan",
    "called",
    "from_tables",
    "is_temporary",
    "properties_of",
    "settings",
    "target_of",
    "with_defined",
]


@dataclass(slots=True)
class Plan:
    """What a statement does: queries whose columns go to the target, and what it reads besides."""

    kind: str
    target: exp.Table | None = None
    queries: list[exp.Query] = field(default_factory=list)
    names: list[exp.Identifier] = field(default_factory=list)
    """What the columns of the queries are called in the target, by position; empty: as there."""
    read: list[exp.Expr] = field(default_factory=list)
    temporary: bool = False
    by_position: bool = False
    """Whether the columns of the queries go to those of the target in their order."""
    fixed: frozenset[str] = frozenset()
    """Columns of the target that have their value from elsewhere, as those of a partition."""


def target_of(node: Any) -> tuple[exp.Table | None, list[exp.Identifier]]:
    """The table that is written, and the columns of it that are named."""
    if isinstance(node, exp.Schema):
        table = node.this if isinstance(node.this, exp.Table) else None
        return table, [called(column) for column in node.expressions]
    if isinstance(node, exp.Directory):
        return file_table(node.name), []
    return (node if isinstance(node, exp.Table) else None), []


def with_defined(query: Any, statement: exp.Expr) -> exp.Query:
    """The query without its parentheses, with what WITH defines before it or the statement."""
    found, defined = query, statement.args.get("with_")
    while isinstance(found, exp.Subquery):
        defined = found.args.get("with_") or defined
        found = found.this
    if defined is not None and not found.args.get("with_"):
        found = found.copy()
        found.set("with_", defined.copy())
    return cast(exp.Query, found)


def from_tables(query: exp.Select, first: exp.Expr, *others: exp.Expr) -> exp.Select:
    """The query FROM tables, with the joins that the parser left at each."""
    joins: list[exp.Expr] = []
    made = query
    for table in (first, *others):
        alone = table.copy()
        beside = alone.args.get("joins") or []
        alone.set("joins", None)
        if table is first:
            made = query.from_(alone)
        else:
            joins.append(exp.Join(this=alone))
        joins += beside
    made.set("joins", joins or None)
    return made


def settings(told: Iterable[exp.Expr]) -> list[exp.Expr]:
    """What SET gives to columns, as the columns of a query."""
    pairs = (pair for each in told if isinstance(each, exp.EQ) for pair in _pairs(each))
    return [exp.alias_(value.copy(), called(column)) for column, value in pairs]


def _pairs(setting: exp.EQ) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """The columns that are set, each with its value: also in (a, b) = (x, y), (a, b) = (SELECT
    x, y FROM ...)."""
    columns, value = setting.this, setting.expression
    if not isinstance(columns, exp.Tuple):
        yield columns, value
        return
    query = value.unnest() if isinstance(value, exp.Subquery) else value
    for place, column in enumerate(columns.expressions):
        if isinstance(query, exp.Select) and place < len(query.selects):
            one = query.copy()
            one.set("expressions", [one.selects[place]])
            yield column, exp.Subquery(this=one)
        elif isinstance(value, exp.Tuple) and place < len(value.expressions):
            yield column, value.expressions[place]


def called(column: exp.Expr) -> exp.Identifier:
    """The name of a column as it is written: quotes decide whether case counts."""
    written = column if isinstance(column, exp.Identifier) else column.this
    if isinstance(written, exp.Identifier):
        return written.copy()
    return exp.to_identifier(column.name, quoted=True)


def is_temporary(statement: exp.Expr, table: exp.Table) -> bool:
    """Whether a table that is made ends with the session."""
    told = properties_of(statement)
    marked = isinstance(table.this, exp.Identifier) and bool(table.this.args.get("temporary"))
    return marked or any(isinstance(each, exp.TemporaryProperty) for each in told)


def properties_of(statement: exp.Expr) -> list[exp.Expr]:
    """What a definition says beside columns and query."""
    found = statement.args.get("properties")
    return found.expressions if isinstance(found, exp.Expr) else []
