"""One SQL statement after the other, parsed by sqlglot: what each reads, writes and makes of it.

Every way of writing is seen as queries whose columns go to a target: INSERT, CREATE ... AS and
SELECT INTO have one; UPDATE and MERGE are rewritten into queries of what they set.
"""

from __future__ import annotations

import logging
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, SqlglotError, TokenError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope
from sqlglot.schema import MappingSchema

from bilbaokg.lineage.origins import Found, Origins
from bilbaokg.lineage.script import Edge, Fault, Indirect, Schema, Statement, TableName

__all__ = ["Reader"]

# It warns of each statement that it does not parse, by its text.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

# Stands for a part of a name that is not said: so all names have three parts.
_UNSAID: Final = "\x01"
_LINE: Final = re.compile(r"\n")
_SEMICOLON: Final = re.compile(r";")
_END: Final = re.compile(r";[ \t]*\r?\n")
_MOST_TRIES: Final = 50
_WRITTEN: Final = ("TABLE", "VIEW")


Place = tuple[int, int]
"""Line and column, both from 1."""


@dataclass(slots=True)
class _Plan:
    """What a statement does: queries whose columns go to the target, and what it reads besides."""

    kind: str
    target: exp.Table | None = None
    queries: list[exp.Query] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    """What the columns of the queries are called in the target, by position; empty: as there."""
    read: list[exp.Expr] = field(default_factory=list)
    temporary: bool = False


class Reader:
    """Reads the statements of one script, and remembers the tables that they make."""

    def __init__(self, dialect: str, schema: Schema, catalog: str, database: str) -> None:
        self.dialect = Dialect.get_or_raise(dialect)
        self.catalog, self.database = catalog or _UNSAID, database or _UNSAID
        self.schema: dict[TableName, dict[str, str]] = {}
        for table, told in schema.items():
            self.schema[self._whole(table)] = dict(told)
        self.temporary: dict[TableName, Found] = {}
        self._mapping: MappingSchema | None = None
        self._lines = [0]

    def _whole(self, table: TableName) -> TableName:
        return TableName(table.catalog or self.catalog, table.schema or self.database, table.name)

    # ---- parsing

    def parsed(self, sql: str) -> Iterator[tuple[Place, exp.Expr | Fault]]:
        """Each statement with the place where it begins, or what is wrong with it."""
        self._lines = [0, *(found.end() for found in _LINE.finditer(sql))]
        try:
            yield from self._parsed(sql, 0)
        except TokenError:
            # Something is not closed: each piece up to a semicolon at the end of a line by itself.
            begin = 0
            for end in [*(found.end() for found in _END.finditer(sql)), len(sql)]:
                yield from self._piece(sql[begin:end], begin)
                begin = end

    def _piece(self, sql: str, offset: int) -> Iterator[tuple[Place, exp.Expr | Fault]]:
        """The statements of a piece, up to the one in which something is not closed."""
        begin, failed = 0, 0
        for end in [*(found.end() for found in _SEMICOLON.finditer(sql)), len(sql)]:
            try:
                yield from self._parsed(sql[begin:end], offset + begin)
                begin = end
            except TokenError:
                # The semicolon may stand in a text. Each try reads again what is left.
                failed += 1
                if failed == _MOST_TRIES:
                    break
        rest = sql[begin:]
        if rest.strip():
            place = self._place(offset + begin + len(rest) - len(rest.lstrip()))
            yield place, Fault("a text, name or comment is not closed", *place)

    def _parsed(self, sql: str, offset: int) -> Iterator[tuple[Place, exp.Expr | Fault]]:
        chunk: list[Any] = []
        for token in [*self.dialect.tokenize(sql), None]:
            if token is not None and token.token_type.name != "SEMICOLON":
                chunk.append(token)
            elif chunk:
                yield self._one(chunk, sql, offset)
                chunk = []

    def _one(self, chunk: list[Any], sql: str, offset: int) -> tuple[Place, exp.Expr | Fault]:
        place = self._place(offset + chunk[0].start)
        try:
            found: Any = self.dialect.parser().parse(chunk, sql)[0]
        except ParseError as error:
            told = error.errors[0] if error.errors else {}
            what = str(told.get("description") or "it cannot be parsed").split(". ")[0]
            # sqlglot tells where a token ends.
            ends = (told.get("line"), told.get("col"))
            at = next((t.start for t in chunk if (t.line, t.col) == ends), chunk[0].start)
            return place, Fault(what, *self._place(offset + at))
        except (RecursionError, SqlglotError, ValueError, AttributeError, TypeError) as error:
            deep = isinstance(error, RecursionError)
            what = "it is nested too deeply" if deep else "it cannot be parsed"
            return place, Fault(what, *place)
        if isinstance(found, exp.Command):
            word = str(found.this).upper()
            if word in ("CREATE", "INSERT", "MERGE", "UPDATE", "WITH"):
                return place, Fault(f"this form of {word} is not understood", *place)
        return place, found

    def _place(self, offset: int) -> Place:
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    # ---- what a statement does

    def told(self, statement: exp.Expr, place: Place) -> tuple[Statement | None, list[Fault]]:
        """What a statement reads and writes; None where it does neither."""
        plan = _plan(statement)
        self._define(statement)
        if plan is None:
            return None, []
        faults: list[Fault] = []
        whole = Found()
        for query in plan.queries:
            try:
                whole.join(self._found(query, plan.names))
            except SqlglotError as error:
                what = str(error).replace(_UNSAID, "").split("\n")[0]
                faults.append(Fault(f"its columns cannot be followed: {what}", *place))
                whole.reads.update(dict.fromkeys(self._tables(query)))
        for part in plan.read:
            whole.reads.update(dict.fromkeys(self._tables(part)))
        target = self._name(plan.target) if plan.target is not None else None
        whole = self._through(whole)
        if target:
            self._remember(target, whole, plan)
        return self._statement(plan, place[0], target, whole), faults

    def _statement(
        self, plan: _Plan, line: int, target: TableName | None, found: Found
    ) -> Statement:
        reads = [self._said(table) for table in found.reads]
        edges = {
            Edge(output, self._said(table), column, how): None
            for output, origins in found.columns.items()
            for table, column, how in origins
        }
        indirect = {Indirect(self._said(t), c, how): None for t, c, how in found.indirect}
        return Statement(
            plan.kind, line, tuple(dict.fromkeys(reads)),
            (self._said(target),) if target else (), tuple(found.columns), tuple(edges),
            tuple(indirect), plan.temporary or target in self.temporary,
        )  # fmt: skip

    def _said(self, table: TableName) -> TableName:
        return TableName(*("" if part == _UNSAID else part for part in table))

    def _found(self, query: exp.Query, names: list[str]) -> Found:
        if self._mapping is None:
            self._mapping = self._made_schema()
        qualified = qualify(
            query.copy(), dialect=self.dialect, db=self.database, catalog=self.catalog,
            schema=self._mapping, validate_qualify_columns=False, quote_identifiers=False,
        )  # fmt: skip
        scope = build_scope(qualified)
        found = Origins(self._name).of(scope) if scope else Found()
        return found.renamed(names) if names else found

    def _made_schema(self) -> MappingSchema:
        nested: dict[str, Any] = {}
        for (catalog, database, name), told in self.schema.items():
            # sqlglot wants a column where it knows a table.
            if told:
                typed = {column: kind or "unknown" for column, kind in told.items()}
                nested.setdefault(catalog, {}).setdefault(database, {})[name] = typed
        return MappingSchema(nested, dialect=self.dialect, normalize=False)

    def _name(self, table: exp.Table) -> TableName:
        """The whole name of a table, by the case rules of the dialect."""
        found = normalize_identifiers(table.copy(), dialect=self.dialect)
        return self._whole(TableName(found.catalog, found.db, found.name))

    def _tables(self, part: exp.Expr) -> Iterator[TableName]:
        """The tables that stand in a part, without what WITH defines there."""
        defined = {cte.alias_or_name.lower() for cte in part.find_all(exp.CTE)}
        for table in part.find_all(exp.Table):
            if table.name and (table.db or table.name.lower() not in defined):
                yield self._name(table)

    def _through(self, found: Found) -> Found:
        """What was found, with what temporary tables were made of in their place."""
        if not self.temporary.keys() & found.reads.keys():
            return found
        return found.through(self.temporary)

    def _remember(self, target: TableName, found: Found, plan: _Plan) -> None:
        """What later statements of the script know of a table that this one wrote."""
        if plan.temporary:
            self.temporary[target] = found
        elif target in self.temporary:
            self.temporary[target].join(found)
        if target not in self.schema and found.columns and "*" not in found.columns:
            self.schema[target] = dict.fromkeys(found.columns, "")
            self._mapping = None

    def _define(self, statement: exp.Expr) -> None:
        """Note the columns of CREATE TABLE name (columns)."""
        if not isinstance(statement, exp.Create) or not isinstance(statement.this, exp.Schema):
            return
        defined = normalize_identifiers(statement.this.copy(), dialect=self.dialect)
        told = {
            column.name: column.kind.sql(self.dialect) if column.kind else ""
            for column in defined.expressions
            if isinstance(column, exp.ColumnDef)
        }
        if told and isinstance(statement.this.this, exp.Table):
            name = self._name(statement.this.this)
            self.schema[name] = told
            self._mapping = None
            if _is_temporary(statement, statement.this.this):
                self.temporary.setdefault(name, Found())


# ---- the forms of statements


def _plan(statement: exp.Expr) -> _Plan | None:
    if isinstance(statement, exp.Create):
        return _of_create(statement)
    if isinstance(statement, exp.Insert):
        return _of_insert(statement)
    if isinstance(statement, exp.Update):
        return _of_update(statement)
    if isinstance(statement, exp.Merge):
        return _of_merge(statement)
    if isinstance(statement, exp.Delete):
        return _of_delete(statement)
    if isinstance(statement, exp.Query):
        return _of_query(statement)
    return None


def _of_query(query: exp.Query) -> _Plan:
    into = query.args.get("into")
    if into is None or not isinstance(into.this, exp.Table):
        return _Plan("SELECT", queries=[query])
    rest = query.copy()
    rest.set("into", None)
    temporary = bool(into.args.get("temporary")) or _is_temporary(query, into.this)
    return _Plan("SELECT INTO", into.this, [rest], temporary=temporary)


def _of_create(statement: exp.Create) -> _Plan | None:
    kind, query = str(statement.args.get("kind") or "").upper(), statement.expression
    if kind not in _WRITTEN or not isinstance(query, exp.Query | exp.Subquery):
        return None
    table, names = _target(statement.this)
    return _Plan(
        f"CREATE {kind}", table, [_with(query, statement)], names,
        temporary=table is not None and _is_temporary(statement, table),
    )  # fmt: skip


def _of_insert(statement: exp.Insert) -> _Plan:
    table, names = _target(statement.this)
    query = statement.expression
    if not isinstance(query, exp.Query | exp.Subquery):
        return _Plan("INSERT", table)
    return _Plan("INSERT", table, [_with(query, statement)], names)


def _of_delete(statement: exp.Delete) -> _Plan:
    if not isinstance(statement.this, exp.Table):
        return _Plan("DELETE")
    # Without columns: what is read bears only on which rows go.
    query = _from(exp.select(), statement.this)
    for other in statement.args.get("using") or ():
        query = query.join(other.copy())
    if (where := statement.args.get("where")) is not None:
        query = query.where(where.this.copy())
    return _Plan("DELETE", statement.this, [_with(query, statement)])


def _from(query: exp.Select, table: exp.Expr) -> exp.Select:
    """The query FROM a table, with the joins that the parser left at the table."""
    first = table.copy()
    joins = first.args.get("joins") or []
    first.set("joins", None)
    made = query.from_(first)
    made.set("joins", [join.copy() for join in joins] or None)
    return made


def _of_update(statement: exp.Update) -> _Plan:
    target = statement.this if isinstance(statement.this, exp.Table) else None
    source = statement.args.get("from_")
    selected = exp.select(*_settings(statement))
    if target is not None:
        selected = selected.from_(target.copy())
        # PostgreSQL and others name the other tables in FROM; SQL Server the target again.
        if source is not None and not _aliased(source, target):
            selected = selected.join(source.this.copy())
    elif source is not None:
        selected = _from(selected, source.this)
    if source is not None and target is not None and (real := _aliased(source, target)):
        selected = _from(exp.select(*_settings(statement)), source.this)
        target = real
    where = statement.args.get("where")
    if where is not None:
        selected = selected.where(where.this.copy())
    return _Plan("UPDATE", target, [_with(selected, statement)])


def _aliased(source: exp.Expr, target: exp.Table) -> exp.Table | None:
    """The table in FROM that the target names by its alias or again by its name."""
    for table in source.find_all(exp.Table):
        if table.alias_or_name.lower() == target.name.lower() and not target.db:
            return table
    return None


def _settings(update: exp.Expr) -> list[exp.Expr]:
    return [
        exp.alias_(each.expression.copy(), each.this.name, quoted=True)
        for each in update.expressions
        if isinstance(each, exp.EQ)
    ]


def _of_merge(statement: exp.Merge) -> _Plan:
    using, on = statement.args["using"], statement.args.get("on")
    whens = statement.args.get("whens")
    plan = _Plan("MERGE", statement.this)
    for when in whens.expressions if whens else ():
        then = when.args.get("then")
        if isinstance(then, exp.Update):
            made = _settings(then)
        elif isinstance(then, exp.Insert) and isinstance(then.expression, exp.Tuple):
            named = then.this.expressions if isinstance(then.this, exp.Tuple) else []
            made = [
                exp.alias_(value.copy(), column.name, quoted=True)
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


def _target(node: Any) -> tuple[exp.Table | None, list[str]]:
    """The table that is written, and the columns of it that are named."""
    if isinstance(node, exp.Schema):
        table = node.this if isinstance(node.this, exp.Table) else None
        return table, [column.name for column in node.expressions]
    return (node if isinstance(node, exp.Table) else None), []


def _with(query: Any, statement: exp.Expr) -> exp.Query:
    """The query with what WITH defines before the statement."""
    found: Any = query.unnest() if isinstance(query, exp.Subquery) else query
    if (defined := statement.args.get("with_")) is not None and not found.args.get("with_"):
        found = found.copy()
        found.set("with_", defined.copy())
    return cast(exp.Query, found)


def _is_temporary(statement: exp.Expr, table: exp.Table) -> bool:
    properties = statement.args.get("properties")
    told = properties.expressions if properties is not None else ()
    marked = isinstance(table.this, exp.Identifier) and bool(table.this.args.get("temporary"))
    return marked or any(isinstance(each, exp.TemporaryProperty) for each in told)
