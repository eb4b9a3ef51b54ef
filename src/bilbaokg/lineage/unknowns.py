"""Columns of tables that are not known, where sqlglot refuses the whole statement for their sake.

In a subquery, such a column may as well be one of the query around it. A name is looked up from the
inside out (SQL:2016 part 2, 6.6 and 7.6), and who means a column of the query around it mostly says
its table: `WHERE day > (SELECT max(day) FROM made)`.

Where a query gives a column under a name (`x + 1 AS y`), that name may mean it elsewhere in the
query, or a column of the table: the latter in `trim(y) AS y`, for it shows that the table has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Any, Final

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

__all__ = ["settled"]

# Names no source: of several tables whose columns are not known, none can be told.
_NONE: Final = "\x01"
# Parts of a SELECT in which a name may mean what the query gives under it.
_LATER: Final = ("where", "group", "having", "qualify")


def settled(query: exp.Query, known: MappingSchema) -> exp.Query:
    """The query, which is changed, with such columns named after their table, or written out.
    known: the columns of tables."""
    query = query.pop()
    for scope in traverse_scope(query):
        makes_rows = isinstance(scope.expression, exp.UDTF)
        # What UNNEST or EXPLODE makes rows of is a column of the query in which it stands.
        around = (scope.parent if makes_rows else scope) or scope
        if not makes_rows:
            _spell_using(scope, known)
        selected = around.selected_sources.items()
        sources = [(name, source) for name, (_, source) in selected if source is not scope]
        unknown = [name for name, source in sources if not _columns(source, known)]
        if unknown:
            told = {name for _, source in sources for name in _columns(source, known)}
            table = exp.to_identifier(unknown[0] if len(unknown) == 1 else _NONE)
            for column in _bare(scope) if makes_rows else _own(scope):
                if column.name not in told:
                    column.set("table", table.copy())
    return query


def _spell_using(scope: Scope, known: MappingSchema) -> None:
    """Write out as ON each USING of a column that a table is not known to have."""
    selected: dict[str, Any] = scope.sources
    joins: list[exp.Join] = scope.expression.args.get("joins") or []
    beside = {join.alias_or_name for join in joins}
    before = [name for name in scope.selected_sources if name not in beside]
    for join in joins:
        using, right = join.args.get("using") or (), join.alias_or_name
        if right not in selected:
            continue
        held = {name: _columns(selected[name], known) for name in (*before, right)}
        if before and any(_is_unheld(held, key.name, right) for key in using):
            join.set("using", None)
            for key in using:
                one = before[0] if len(before) == 1 else _NONE
                left = next((name for name in before if key.name in held[name]), one)
                sides = [exp.column(key.name, table=name) for name in (left, right)]
                join.on(sides[0].eq(sides[1]), copy=False)
                _use_both(scope, sides)
        before.append(right)


def _is_unheld(held: Mapping[str, list[str]], column: str, right: str) -> bool:
    """Whether one side of a join is known, and not to have a column."""
    left = [columns for name, columns in held.items() if name != right]
    lacks = all(columns and column not in columns for columns in left)
    return lacks or bool(held[right] and column not in held[right])


def _use_both(scope: Scope, sides: list[exp.Column]) -> None:
    """Let a column that names no table be of both sides of a join by it."""
    for column in list(scope.find_all(exp.Column)):
        if column.name == sides[0].name and not column.table:
            both: exp.Expr = exp.func("coalesce", *(side.copy() for side in sides))
            is_given = column.parent is scope.expression and column.arg_key == "expressions"
            column.replace(exp.alias_(both, column.name) if is_given else both)


def _bare(scope: Scope) -> Iterator[exp.Column]:
    return (c for c in scope.expression.find_all(exp.Column) if not c.table)


def _own(scope: Scope) -> Iterator[exp.Column]:
    """The columns of a scope that are surely not of the query around it; those that mean what it
    gives itself are written out."""
    given, after = dict(_given(scope)), cache(partial(_after, scope))
    for column in list(scope.find_all(exp.Column)):
        made = given.get(column.name)
        if column.table or (made is None and not scope.can_be_correlated):
            continue
        if made is None or any(each.name == column.name for each in made.find_all(exp.Column)):
            yield column
        elif id(column) in after(column.name):
            column.replace(exp.paren(made.copy()))


def _given(scope: Scope) -> Iterator[tuple[str, exp.Expr]]:
    """What a query gives under a name of its own."""
    query: Any = scope.expression
    for each in query.selects:
        if isinstance(each, exp.Alias) and not each.this.find(exp.AggFunc, exp.Query):
            yield each.alias, each.this


def _after(scope: Scope, name: str) -> set[int]:
    """The ids of the columns that stand where a name may mean what the query gives under it."""
    query: Any = scope.expression
    place = next(n for n, each in enumerate(query.selects) if each.alias == name)
    parts = [*query.selects[place + 1 :], *filter(None, map(query.args.get, _LATER))]
    return {id(column) for part in parts for column in part.find_all(exp.Column)}


def _columns(source: Any, known: MappingSchema) -> list[str]:
    """The columns of a source; none where they are not known."""
    if isinstance(source, exp.Table):
        if not source.name:
            # A function: what is not called so there, is of a table.
            return source.alias_column_names or [_NONE]
        return list(known.column_names(source))
    query: Any = source.expression
    return [] if query.is_star else list(query.named_selects)
