"""What each form of statement does: which queries give a table its columns, what it reads besides.

Every way of writing is seen as queries whose columns go to a target: INSERT, CREATE ... AS and
SELECT INTO have one; UPDATE and MERGE are rewritten into queries of what they set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlglot import exp
from sqlglot.errors import ParseError

from bilbaokg.lineage import transfers, upserts
from bilbaokg.lineage.datafiles import file_table, is_outside
from bilbaokg.lineage.plan import (
    Plan,
    from_tables,
    is_temporary,
    properties_of,
    settings,
    target_of,
    with_defined,
)

__all__ = ["plans"]

_WRITTEN: Final = ("TABLE", "VIEW")


def plans(statement: exp.Expr) -> list[Plan]:
    """What a statement, which may be changed, does, by table that it writes; nothing where it has
    no lineage. Raises ParseError."""
    return [*_within(statement), *_of(statement)]


def _within(statement: exp.Expr) -> Iterator[Plan]:
    """What is changed within WITH (PostgreSQL): who reads that reads the table."""
    defined = statement.args.get("with_")
    for each in defined.expressions if defined is not None else ():
        changing = each.this
        if isinstance(changing, exp.Insert | exp.Update | exp.Delete):
            table, _ = target_of(changing.this)
            yield from plans(changing)
            if table is not None:
                returned = changing.args.get("returning")
                given = returned.expressions if returned is not None else [exp.Star()]
                query = exp.select(*(one.copy() for one in given)).from_(table.copy())
                each.set("this", query)


def _of(statement: exp.Expr) -> list[Plan]:
    if isinstance(statement, exp.Update):
        return _of_update(statement)
    if isinstance(statement, exp.Alter):
        return list(_of_swap(statement))
    if isinstance(statement, exp.Merge):
        return upserts.of_merge(statement)
    if isinstance(statement, exp.MultitableInserts):
        return list(_of_several(statement))
    found = None
    if isinstance(statement, exp.Create):
        found = _of_create(statement)
    elif isinstance(statement, exp.Insert):
        found = _of_insert(statement)
    elif isinstance(statement, exp.Delete):
        found = _of_delete(statement)
    elif isinstance(statement, exp.Query):
        found = _of_query(statement)
    elif isinstance(statement, exp.Copy):
        found = _of_copy(statement)
    elif isinstance(statement, exp.LoadData | exp.Export):
        found = _of_files(statement)
    return [found, *upserts.of_conflict(statement, found)] if found else []


def _of_query(query: exp.Query) -> Plan:
    query = with_defined(query, query)
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
    table, names = target_of(statement.this)
    files = transfers.paths(statement.args.get("properties")) if query is None else []
    if kind in _WRITTEN and files:
        return Plan(f"CREATE {kind}", table, read=[*files])
    if kind not in _WRITTEN or not isinstance(query, exp.Query | exp.Subquery):
        return None
    if (into := _receiving(statement)) is not None:
        return Plan("INSERT", into, [with_defined(query, statement)])
    return Plan(
        f"CREATE {kind}", table, [with_defined(query, statement)], names,
        temporary=table is not None and is_temporary(statement, table),
    )  # fmt: skip


def _receiving(statement: exp.Create) -> exp.Table | None:
    """The table into which a materialized view puts what it finds: CREATE ... TO t (ClickHouse)."""
    for each in properties_of(statement):
        if isinstance(each, exp.ToTableProperty) and isinstance(each.this, exp.Table):
            return each.this
    return None


def _of_swap(statement: exp.Alter) -> Iterator[Plan]:
    """Of two tables that SWAP WITH exchanges, each has the rows of the other."""
    for action in statement.args.get("actions") or ():
        if isinstance(action, exp.SwapTable) and isinstance(statement.this, exp.Table):
            if not isinstance(action.this, exp.Table):
                raise ParseError("SWAP WITH no table")
            for source, target in ((action.this, statement.this), (statement.this, action.this)):
                yield Plan("SWAP", target, [_all_of(source)], by_position=True)


def _of_copy(statement: exp.Copy) -> Plan | None:
    """COPY t FROM and COPY INTO t FROM files, COPY t TO and COPY INTO files FROM t; t may be a
    query."""
    one, names = target_of(statement.this)
    others = [table for each in statement.args.get("files") or () if (table := _place(each))]
    if not statement.args.get("kind"):
        source = one or statement.this
        if isinstance(source, exp.Table):
            columns: list[exp.Expr] = [exp.column(name) for name in names] or [exp.Star()]
            source = exp.select(*columns).from_(source.copy())
        if not isinstance(source, exp.Query | exp.Subquery):
            return None
        return Plan("COPY", _first_table(others), [with_defined(source, statement)])
    queries = [with_defined(each, statement) for each in others if isinstance(each, exp.Subquery)]
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
    table, _ = target_of(statement.this)
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
    if statement.this is None:
        raise ParseError("INSERT INTO no table")
    table, names = target_of(statement.this)
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
        "INSERT",
        table,
        [with_defined(query, statement)],
        names,
        by_position=by_position,
        fixed=fixed,
    )


def _of_several(statement: exp.MultitableInserts) -> Iterator[Plan]:
    """INSERT ALL and FIRST of a query into several tables; of Hive, FROM ... INSERT ... INSERT."""
    source = statement.args.get("source")
    for each in statement.expressions:
        one = each.this if isinstance(each, exp.ConditionalInsert) else each
        if not isinstance(one, exp.Insert) or not isinstance(source, exp.Expr):
            continue
        plan = _of_insert(one)
        if isinstance(one.expression, exp.Select):
            query = from_tables(one.expression.copy(), source)
        else:
            rows = one.expression.expressions if isinstance(one.expression, exp.Values) else []
            given = rows[0].expressions if rows else [exp.Star()]
            query = exp.select(*given).from_(exp.Subquery(this=source.copy()))
            _, plan.names = target_of(one.this)
            plan.by_position = not plan.names
        if isinstance(each, exp.ConditionalInsert) and each.expression is not None:
            query = query.where(each.expression.copy())
        plan.queries, plan.read = [with_defined(query, statement)], []
        yield plan


def _of_delete(statement: exp.Delete) -> Plan:
    if not isinstance(statement.this, exp.Table):
        return Plan("DELETE")
    # Without columns: what is read bears only on which rows go.
    query = from_tables(exp.select(), statement.this, *(statement.args.get("using") or ()))
    if (where := statement.args.get("where")) is not None:
        query = query.where(where.this.copy())
    return Plan("DELETE", statement.this, [with_defined(query, statement)])


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
    by_table: dict[str, list[exp.Expr]] = {}
    for each in statement.expressions:
        if isinstance(each, exp.EQ):
            of = each.this.table.lower() if isinstance(each.this, exp.Column) else ""
            by_table.setdefault(of if of in named else "", []).append(each)
    plans = []
    for of, told in by_table.items():
        selected = from_tables(exp.select(*settings(told)), *tables)
        if (where := statement.args.get("where")) is not None:
            selected = selected.where(where.this.copy())
        plans.append(Plan("UPDATE", named.get(of, target), [with_defined(selected, statement)]))
    return plans


def _aliased(source: exp.Expr, target: exp.Table) -> exp.Table | None:
    """The table in FROM that the target names by its alias or again by its name."""
    for table in source.find_all(exp.Table):
        if table.alias_or_name.lower() == target.name.lower() and not target.db:
            return table
    return None
