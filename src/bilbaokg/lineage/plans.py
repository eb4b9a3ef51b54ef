"""What each form of statement does: which queries give a table its columns, what it reads besides.

Every way of writing is seen as queries whose columns go to a target: INSERT, CREATE ... AS and
SELECT INTO have one; UPDATE and MERGE are rewritten into queries of what they set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from sqlglot import exp
from sqlglot.errors import ParseError

from bilbaokg.lineage import transfers
from bilbaokg.lineage.datafiles import file_table, is_outside

__all__ = ["Plan", "is_temporary", "plans"]

_WRITTEN: Final = ("TABLE", "VIEW")


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


def plans(statement: exp.Expr) -> list[Plan]:
    """What a statement does, by table that it writes; nothing where it has no lineage. Raises
    ParseError."""
    if isinstance(statement, exp.Update):
        return _of_update(statement)
    if isinstance(statement, exp.Alter):
        return list(_of_swap(statement))
    found = None
    if isinstance(statement, exp.Create):
        found = _of_create(statement)
    elif isinstance(statement, exp.Insert):
        found = _of_insert(statement)
    elif isinstance(statement, exp.Merge):
        found = _of_merge(statement)
    elif isinstance(statement, exp.Delete):
        found = _of_delete(statement)
    elif isinstance(statement, exp.Query):
        found = _of_query(statement)
    elif isinstance(statement, exp.Copy):
        found = _of_copy(statement)
    elif isinstance(statement, exp.LoadData | exp.Export):
        found = _of_files(statement)
    return [found] if found else []


def _of_query(query: exp.Query) -> Plan:
    query = _with(query, query)
    into = _first(query).args.get("into")
    if into is None or not isinstance(into.this, exp.Table):
        return Plan("SELECT", queries=[query])
    rest = query.copy()
    _first(rest).set("into", None)
    temporary = bool(into.args.get("temporary")) or is_temporary(query, into.this)
    return Plan("SELECT INTO", into.this, [rest], temporary=temporary)


def _first(query: exp.Expr) -> exp.Expr:
    """The first part of a set operation: there stands what counts for all of it."""
    while isinstance(query, exp.SetOperation):
        query = query.this
    return query


def _of_create(statement: exp.Create) -> Plan | None:
    kind, query = str(statement.args.get("kind") or "").upper(), statement.expression
    clone = statement.args.get("clone")
    if clone is not None and isinstance(clone.this, exp.Table):
        query = _all_of(clone.this)
    table, names = _target(statement.this)
    if kind in _WRITTEN and query is None and (files := transfers.paths(_properties(statement))):
        return Plan(f"CREATE {kind}", table, read=[*files])
    if kind not in _WRITTEN or not isinstance(query, exp.Query | exp.Subquery):
        return None
    return Plan(
        f"CREATE {kind}", table, [_with(query, statement)], names,
        temporary=table is not None and is_temporary(statement, table),
    )  # fmt: skip


def _of_swap(statement: exp.Alter) -> Iterator[Plan]:
    """Of two tables that SWAP WITH exchanges, each has the rows of the other."""
    for action in statement.args.get("actions") or ():
        if isinstance(action, exp.SwapTable) and isinstance(statement.this, exp.Table):
            for source, target in ((action.this, statement.this), (statement.this, action.this)):
                yield Plan("SWAP", target, [_all_of(source)], by_position=True)


def _of_copy(statement: exp.Copy) -> Plan | None:
    """COPY t FROM and COPY INTO t FROM files, COPY t TO and COPY INTO files FROM t; t may be a
    query."""
    one, names = _target(statement.this)
    others = [table for each in statement.args.get("files") or () if (table := _place(each))]
    if not statement.args.get("kind"):
        source = one or statement.this
        if isinstance(source, exp.Table):
            columns: list[exp.Expr] = [exp.column(name) for name in names] or [exp.Star()]
            source = exp.select(*columns).from_(source.copy())
        if not isinstance(source, exp.Query | exp.Subquery):
            return None
        return Plan("COPY", _first_table(others), [_with(source, statement)])
    queries = [_with(each, statement) for each in others if isinstance(each, exp.Subquery)]
    tables = [each for each in others if isinstance(each, exp.Table)]
    if one is None:
        return None
    if is_outside(one):
        queries += [_all_of(table) for table in tables]
        tables = []
    return Plan("COPY", one, queries, names, [*tables], by_position=not names)


def _of_files(statement: exp.LoadData | exp.Export) -> Plan | None:
    """LOAD DATA of files into a table, EXPORT DATA of a query into files."""
    if isinstance(statement, exp.Export):
        found = transfers.paths(statement.args.get("options"))
        return Plan("EXPORT", _first_table(found), [statement.this])
    table, _ = _target(statement.this)
    path = statement.args.get("inpath")
    found = transfers.paths(statement.args.get("files"))
    if isinstance(path, exp.Literal) and (file := file_table(path.name)):
        found.append(file)
    return Plan("LOAD", table, read=[*found]) if table else None


def _first_table(found: Sequence[Any]) -> exp.Table | None:
    return next((each for each in found if isinstance(each, exp.Table)), None)


def _place(each: Any) -> exp.Table | exp.Subquery | None:
    """Where COPY goes to or comes from; None for a pipe or a program."""
    if isinstance(each, exp.Table | exp.Subquery):
        return each
    return file_table(each.name) if isinstance(each, exp.Literal | exp.Var) else None


def _all_of(table: exp.Expr) -> exp.Select:
    return exp.select("*").from_(table.copy())


def _of_insert(statement: exp.Insert) -> Plan:
    table, names = _target(statement.this)
    query = statement.expression
    if isinstance(query, exp.Values):
        return Plan("INSERT", table, read=[query])
    if not isinstance(query, exp.Query | exp.Subquery):
        return Plan("INSERT", table)
    # The parser leaves PARTITION at the table, or at the statement.
    partitions = (node.args.get("partition") for node in (statement.this, statement))
    told = (each for part in partitions if isinstance(part, exp.Partition) for each in part)
    fixed = frozenset(each.this.name for each in told if isinstance(each, exp.EQ))
    by_position = not names and not statement.args.get("by_name")
    return Plan(
        "INSERT", table, [_with(query, statement)], names, by_position=by_position, fixed=fixed
    )


def _of_delete(statement: exp.Delete) -> Plan:
    if not isinstance(statement.this, exp.Table):
        return Plan("DELETE")
    # Without columns: what is read bears only on which rows go.
    query = _from(exp.select(), statement.this, *(statement.args.get("using") or ()))
    if (where := statement.args.get("where")) is not None:
        query = query.where(where.this.copy())
    return Plan("DELETE", statement.this, [_with(query, statement)])


def _from(query: exp.Select, first: exp.Expr, *others: exp.Expr) -> exp.Select:
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


def _of_update(statement: exp.Update) -> list[Plan]:
    """By table that it sets columns of: MySQL may set those of several that are joined."""
    target, source = statement.this, statement.args.get("from_")
    if not isinstance(target, exp.Table):
        return []
    # PostgreSQL and others name the other tables in FROM; SQL Server the target again.
    if source is not None and (real := _aliased(source, target)):
        target, tables = real, [source.this]
    else:
        tables = [target] if source is None else [target, source.this]
    named = {t.alias_or_name.lower(): t for t in target.find_all(exp.Table)}
    settings: dict[str, list[exp.Expr]] = {}
    for each in statement.expressions:
        if isinstance(each, exp.EQ):
            of = each.this.table.lower() if isinstance(each.this, exp.Column) else ""
            settings.setdefault(of if of in named else "", []).append(each)
    plans = []
    for of, told in settings.items():
        selected = _from(exp.select(*_set(told)), *tables)
        if (where := statement.args.get("where")) is not None:
            selected = selected.where(where.this.copy())
        plans.append(Plan("UPDATE", named.get(of, target), [_with(selected, statement)]))
    return plans


def _aliased(source: exp.Expr, target: exp.Table) -> exp.Table | None:
    """The table in FROM that the target names by its alias or again by its name."""
    for table in source.find_all(exp.Table):
        if table.alias_or_name.lower() == target.name.lower() and not target.db:
            return table
    return None


def _set(settings: list[exp.Expr]) -> list[exp.Expr]:
    """What SET gives to columns, as the columns of a query."""
    return [
        exp.alias_(each.expression.copy(), _called(each.this))
        for each in settings
        if isinstance(each, exp.EQ)
    ]


def _called(column: exp.Expr) -> exp.Identifier:
    """The name of a column as it is written: quotes decide whether case counts."""
    written = column if isinstance(column, exp.Identifier) else column.this
    if isinstance(written, exp.Identifier):
        return written.copy()
    return exp.to_identifier(column.name, quoted=True)


def _of_merge(statement: exp.Merge) -> Plan:
    if not isinstance(statement.this, exp.Table):
        raise ParseError("MERGE INTO no table")
    using, on = statement.args["using"], statement.args.get("on")
    whens = statement.args.get("whens")
    plan = Plan("MERGE", statement.this)
    for when in whens.expressions if whens else ():
        then = when.args.get("then")
        if isinstance(then, exp.Update):
            made = _set(then.expressions)
        elif isinstance(then, exp.Insert) and isinstance(then.expression, exp.Tuple):
            named = then.this.expressions if isinstance(then.this, exp.Tuple) else []
            made = [
                exp.alias_(value.copy(), _called(column))
                for column, value in zip(named, then.expression.expressions, strict=False)
            ]
        else:
            continue
        query = exp.select(*made).from_(using.copy()).join(statement.this.copy(), on=on)
        if (condition := when.args.get("condition")) is not None:
            query = query.where(condition.copy())
        plan.queries.append(_with(query, statement))
    plan.read = [] if plan.queries else [using]
    return plan


def _target(node: Any) -> tuple[exp.Table | None, list[exp.Identifier]]:
    """The table that is written, and the columns of it that are named."""
    if isinstance(node, exp.Schema):
        table = node.this if isinstance(node.this, exp.Table) else None
        return table, [_called(column) for column in node.expressions]
    if isinstance(node, exp.Directory):
        return file_table(node.name), []
    return (node if isinstance(node, exp.Table) else None), []


def _with(query: Any, statement: exp.Expr) -> exp.Query:
    """The query without its parentheses, with what WITH defines before it or the statement."""
    found, defined = query, statement.args.get("with_")
    while isinstance(found, exp.Subquery):
        defined = found.args.get("with_") or defined
        found = found.this
    if defined is not None and not found.args.get("with_"):
        found = found.copy()
        found.set("with_", defined.copy())
    return cast(exp.Query, found)


def is_temporary(statement: exp.Expr, table: exp.Table) -> bool:
    """Whether a table that is made ends with the session."""
    properties = _properties(statement)
    told = properties.expressions if properties is not None else ()
    marked = isinstance(table.this, exp.Identifier) and bool(table.this.args.get("temporary"))
    return marked or any(isinstance(each, exp.TemporaryProperty) for each in told)


def _properties(statement: exp.Expr) -> exp.Expr | None:
    found = statement.args.get("properties")
    return found if isinstance(found, exp.Expr) else None
