"""Statements that give rows to a table and change those that it has: MERGE, ON CONFLICT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlglot import exp
from sqlglot.errors import ParseError

from bilbaokg.lineage.plan import Plan, called, settings, target_of, with_defined

__all__ = ["of_conflict", "of_merge"]

_GIVEN = "excluded"
"""What PostgreSQL calls the row that was to be inserted."""


def of_merge(statement: exp.Merge) -> list[Plan]:
    """The columns that MERGE names, and those that it gives by position. Raises ParseError."""
    if not isinstance(statement.this, exp.Table):
        raise ParseError("MERGE INTO no table")
    named, placed = Plan("MERGE", statement.this), Plan("MERGE", statement.this, by_position=True)
    using, on = statement.args["using"], statement.args.get("on")
    whens = statement.args.get("whens")
    for when in whens.expressions if whens else ():
        then = when.args.get("then")
        made = list(_given(then, using))
        if not made:
            continue
        if isinstance(then, exp.Insert):
            _of_source(made, _name_of(using))
        query = exp.select(*made).from_(using.copy()).join(statement.this.copy(), on=on)
        if (condition := when.args.get("condition")) is not None:
            query = query.where(condition.copy())
        is_placed = isinstance(then.expression, exp.Tuple) and not isinstance(then.this, exp.Tuple)
        (placed if is_placed else named).queries.append(with_defined(query, statement))
    if not named.queries and not placed.queries:
        named.read = [using]
    return [plan for plan in (named, placed) if plan.queries or plan.read]


def _of_source(made: Sequence[exp.Expr], source: exp.Identifier | None) -> None:
    """Let columns that name no table be of the source: an INSERT sees no other."""
    for column in (found for each in made for found in each.find_all(exp.Column)):
        if source is not None and not column.table:
            column.set("table", source.copy())


def _name_of(using: exp.Expr) -> exp.Identifier | None:
    """What the source is called in the statement."""
    alias = using.args.get("alias")
    name = alias.this if isinstance(alias, exp.TableAlias) else using.this
    return name if isinstance(name, exp.Identifier) else None


def _given(then: Any, using: exp.Expr) -> Iterator[exp.Expr]:
    """What a branch of MERGE gives, as the columns of a query."""
    if isinstance(then, exp.Update) and not any(isinstance(e, exp.Star) for e in then.expressions):
        yield from settings(then.expressions)
    elif isinstance(then, exp.Insert) and isinstance(then.expression, exp.Tuple):
        values: Sequence[exp.Expr] = then.expression.expressions
        if not isinstance(then.this, exp.Tuple):
            yield from (value.copy() for value in values)
            return
        for column, value in zip(then.this.expressions, values, strict=False):
            yield exp.alias_(value.copy(), called(column))
    elif isinstance(then, exp.Update | exp.Insert):
        # SET *, INSERT *, INSERT ROW: all columns of the source, under their names.
        name = _name_of(using)
        yield exp.Column(this=exp.Star(), table=name.copy()) if name is not None else exp.Star()


def of_conflict(statement: exp.Expr, plan: Plan) -> Iterator[Plan]:
    """What an INSERT sets in rows that are there already: ON CONFLICT DO UPDATE, ON DUPLICATE
    KEY UPDATE. plan: that of the rows that it inserts."""
    conflict = statement.args.get("conflict")
    if conflict is None or not conflict.expressions or not plan.queries or plan.target is None:
        return
    made = settings(conflict.expressions)
    for each in made:
        for value in list(each.find_all(exp.Anonymous)):
            if value.name.upper() == "VALUES" and len(value.expressions) == 1:
                value.replace(exp.column(value.expressions[0].name, table=_GIVEN))
    _, names = target_of(statement.this)
    alias = exp.TableAlias(this=exp.to_identifier(_GIVEN), columns=names)
    query = exp.select(*made).from_(exp.Subquery(this=plan.queries[0].copy(), alias=alias))
    if any(c.table.lower() != _GIVEN for each in made for c in each.find_all(exp.Column)):
        query = query.join(plan.target.copy(), join_type="cross")
    yield Plan(plan.kind, plan.target, [query])
