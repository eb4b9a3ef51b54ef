"""One SQL statement after the other, parsed by sqlglot: what each reads, writes and makes of it."""

from __future__ import annotations

import contextlib
import difflib
import logging
import re
import traceback
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, cast

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import OptimizeError, ParseError, SqlglotError, TokenError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope
from sqlglot.schema import MappingSchema
from sqlglot.tokenizer_core import TokenType

from bilbaokg.lineage import blocks, datafiles, sessions, transfers
from bilbaokg.lineage.declarations import comments, with_sums, without_null
from bilbaokg.lineage.origins import IDENTITY, Found, Origins
from bilbaokg.lineage.plan import Plan, is_temporary, properties_of
from bilbaokg.lineage.plans import plans
from bilbaokg.lineage.renaming import Renaming, renamings
from bilbaokg.lineage.script import Edge, Fault, Indirect, Schema, Statement, TableName
from bilbaokg.lineage.unknowns import settled

__all__ = ["BROKEN", "Reader", "as_compared", "is_ours"]

# It warns of each statement that it does not parse, by its text.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

# Stands for a part of a name that is not said: so all names have three parts.
_UNSAID: Final = "\x01"
_LINE: Final = re.compile(r"\n")
_SEMICOLON: Final = re.compile(r";")
_END: Final = re.compile(r";[ \t]*\r?\n")
# How sqlglot shows a token in its messages.
_TOKEN: Final = re.compile(r"<Token token_type: TokenType\.\w+, text: (.*?), line: \d+.*?>")
_DEPTHS: Final = {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}
_MOST_TRIES: Final = 50
_BATCH_ENDS: Final = {"tsql": "GO", "fabric": "GO", "oracle": "/"}
_WITHOUT_ENDS: Final = ("tsql", "fabric")
_VERBS: Final = ("SELECT", "INSERT", "CREATE", "UPDATE", "MERGE", "DELETE", "WITH")
_LONGEST_SHOWN: Final = 40
_MOST_SHOWN: Final = 5
_TEMPLATE: Final = re.compile(r"\{[{%]")
_NO_TEMPLATE: Final = "a template (Jinja), not the SQL that it makes; of dbt projects: lineage dbt"
BROKEN: Final = (SqlglotError, ValueError, AttributeError, TypeError, LookupError, AssertionError)
"""What sqlglot, and who reads what it made, stumble over in statements that mix up their parts."""
RAISES_OURS = False
"""Whether an error that is raised in a module of ours stops the script, as tests want it; else it
costs its statement alone."""


Place = tuple[int, int]
"""Line and column, both from 1."""


class Reader:
    """Reads the statements of one script, and remembers the tables that they make."""

    def __init__(self, dialect: str, schema: Schema, catalog: str, database: str) -> None:
        self.dialect = Dialect.get_or_raise(dialect)
        self._called = dialect
        self._batch_end = _BATCH_ENDS.get(dialect, "")
        self._splits = dialect in _WITHOUT_ENDS
        self._columns: dict[str, str] = {}
        self._home = self._column(catalog or _UNSAID), self._column(database or _UNSAID)
        self.catalog, self.database = self._home
        self.schema: dict[TableName, dict[str, str]] = {}
        self.temporary: dict[TableName, Found] = {}
        self._mapping: MappingSchema | None = None
        self.begin(
            {t: {self._column(c): kind for c, kind in told.items()} for t, told in schema.items()}
        )
        self._lines = [0]
        # The tokens of the statement that was parsed last, and the text that they are of.
        self._last: tuple[list[Any], str] = ([], "")

    def _whole(self, table: TableName) -> TableName:
        return TableName(table.catalog or self.catalog, table.schema or self.database, table.name)

    def known(
        self, written: str, name: TableName, columns: Mapping[str, str]
    ) -> tuple[TableName, dict[str, str]]:
        """A table by the exact name that SQL may write (else by its parts), and its columns, both
        as statements then call them."""
        table: exp.Expr = exp.table_(name.name, name.schema or None, name.catalog or None, True)
        if written:
            with contextlib.suppress(SqlglotError):
                table = exp.maybe_parse(written, into=exp.Table, dialect=self.dialect)
        found = self._said(self._name(cast(exp.Table, table)))
        return found, {self._column(column): kind for column, kind in columns.items()}

    def begin(self, schema: Schema) -> None:
        """Begin another script, with what is known now and nothing else."""
        self.catalog, self.database = self._home
        self.schema = {self._whole(table): dict(told) for table, told in schema.items()}
        self.temporary, self._mapping = {}, None

    def _column(self, name: str) -> str:
        """A column or a place, named exactly, as the dialect compares it."""
        found = self._columns.get(name)
        if found is None:
            exact = self.dialect.normalize_identifier(exp.to_identifier(name, quoted=True))
            found = self._columns[name] = str(exact.name)
        return found

    # ---- parsing

    def parsed(self, sql: str) -> Iterator[tuple[Place, exp.Expr | Fault]]:
        """Each statement with the place where it begins, or what is wrong with it.

        One is to be `told` before the next is asked for.
        """
        self._lines = [0, *(found.end() for found in _LINE.finditer(sql))]
        yield from self._read(blocks.opened(sql), 0)

    def _read(
        self, sql: str, offset: int, depth: int = 0
    ) -> Iterator[tuple[Place, exp.Expr | Fault]]:
        """The statements of a text, whether or not all in it is closed; see _within."""
        try:
            yield from self._parsed(sql, offset, depth)
        except TokenError:
            # Something is not closed: each piece up to a semicolon at the end of a line by itself.
            begin = 0
            for end in [*(found.end() for found in _END.finditer(sql)), len(sql)]:
                yield from self._piece(sql[begin:end], offset + begin, depth)
                begin = end

    def _piece(self, sql: str, offset: int, depth: int) -> Iterator[tuple[Place, exp.Expr | Fault]]:
        """The statements of a piece, up to the one in which something is not closed."""
        begin, failed = 0, 0
        for end in [*(found.end() for found in _SEMICOLON.finditer(sql)), len(sql)]:
            try:
                yield from self._parsed(sql[begin:end], offset + begin, depth)
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

    def _parsed(
        self, sql: str, offset: int, depth: int
    ) -> Iterator[tuple[Place, exp.Expr | Fault]]:
        """Raises TokenError, before the first, where something is not closed."""
        tokens, begin = self.dialect.tokenize(sql), 0
        for end in [*self._ends(tokens), len(tokens)]:
            if chunk := tokens[begin:end]:
                yield from self._within(chunk, sql, offset, depth)
            begin = end + 1

    def _within(
        self, chunk: list[Any], sql: str, offset: int, depth: int
    ) -> Iterator[tuple[Place, exp.Expr | Fault]]:
        """The statements between two ends: one, those of T-SQL without ends, those of a routine.

        depth: behind how many words that hide the rest, and in how many texts, they stand.
        """
        swallows, text = blocks.swallows(chunk), blocks.nested(chunk)
        if (swallows or text) and depth == _MOST_TRIES:
            place = self._place(offset + chunk[0].start)
            yield place, Fault("it is nested too deeply", *place)
        elif swallows:
            begin = chunk[0].end + 1
            yield from self._read(sql[begin : chunk[1].end + 1], offset + begin, depth + 1)
        elif text:
            begin = max(sql.find(text.text, text.start), text.start)
            for place, parsed in self._read(text.text, offset + begin, depth + 1):
                # What is no statement that writes is of the language of the routine.
                if blocks.changes(self._last[0]):
                    yield place, parsed
        else:
            yield from self._pieces(chunk, sql, offset)

    def _pieces(
        self, chunk: list[Any], sql: str, offset: int
    ) -> Iterator[tuple[Place, exp.Expr | Fault]]:
        for piece in blocks.split(chunk) if self._splits else [chunk]:
            if held := blocks.body(piece):
                yield self._one(held, sql, offset)

    def _ends(self, tokens: list[Any]) -> list[int]:
        """The places of the tokens that end a statement: semicolons, and what stands alone in a
        line where tools of the dialect take that for one."""
        return [
            place
            for place, token in enumerate(tokens)
            if token.token_type is TokenType.SEMICOLON
            or (self._batch_end and self._ends_batch(tokens, place))
        ]

    def _ends_batch(self, tokens: list[Any], place: int) -> bool:
        line = tokens[place].line
        return (
            tokens[place].text.upper() == self._batch_end
            and not blocks.swallows(tokens[place : place + 2])
            and (place == 0 or tokens[place - 1].line < line)
            and (place + 1 == len(tokens) or tokens[place + 1].line > line)
        )

    def _one(self, chunk: list[Any], sql: str, offset: int) -> tuple[Place, exp.Expr | Fault]:
        place = self._place(offset + chunk[0].start)
        try:
            tokens = datafiles.without_words(without_null(_without_rows(chunk)))
            tokens = with_sums(tokens) if self._splits else tokens
            self._last = tokens, sql
            found = self._parse(*self._last)
        except ParseError as error:
            if _TEMPLATE.search(sql, chunk[0].start, chunk[-1].end + 1):
                return place, Fault(_NO_TEMPLATE, *place)
            told = error.errors[0] if error.errors else {}
            what = str(told.get("description") or "it cannot be parsed").split(". ")[0].rstrip(".")
            if near := str(told.get("highlight") or "")[:_LONGEST_SHOWN]:
                what = f"{what}, near {near!r}"
            # sqlglot tells where a token ends.
            ends = (told.get("line"), told.get("col"))
            at = next((t.start for t in chunk if (t.line, t.col) == ends), chunk[0].start)
            return place, Fault(
                _TOKEN.sub(r"\1", what).replace("SENTINEL", "the end"), *self._place(offset + at)
            )
        except (RecursionError, *BROKEN) as error:
            if is_ours(error):
                raise
            deep = isinstance(error, RecursionError)
            what = "it is nested too deeply" if deep else "it cannot be parsed"
            return place, Fault(what, *place)
        if isinstance(found, exp.Command):
            word = str(found.this).upper()
            if word in ("CREATE", "INSERT", "MERGE", "UPDATE", "WITH"):
                return place, Fault(f"this form of {word} is not understood", *place)
        if isinstance(found, exp.Alias | exp.Column):
            # What begins with no verb that sqlglot knows is an expression to it.
            word = str(chunk[0].text)
            if meant := difflib.get_close_matches(word.upper(), _VERBS, 1, 0.75):
                what = f"{word[:_LONGEST_SHOWN]!r} begins no statement; {meant[0]} is meant?"
                return place, Fault(what, *place)
        return place, found

    def _parse(self, tokens: list[Any], sql: str) -> Any:
        found = transfers.made_of_tokens(tokens, sql, self.dialect)
        found = found or self.dialect.parser().parse(tokens, sql)[0]
        if found is None:
            raise ParseError("it says nothing")
        if datafiles.is_suspect(sql[tokens[0].start : tokens[-1].end + 1]):
            datafiles.with_files(found, self._called)
        return found

    def _place(self, offset: int) -> Place:
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    # ---- what a statement does

    def told(self, statement: exp.Expr, place: Place) -> tuple[list[Statement], list[Fault]]:
        """What a statement reads and writes; of one that writes several tables, by table."""
        self._move(statement)
        does = plans(statement)
        defined = self._define(statement, place[0])
        told: list[Statement] = [defined] if defined and not does else []
        faults: list[Fault] = []
        told += [self._told(which, plan, place, faults) for which, plan in enumerate(does)]
        if defined and does and not does[0].queries:
            # An external table: what it declares, and the files that it is read from.
            told = [replace(defined, reads=told[0].reads)]
        if said := self._commented(statement, place[0], told[-1] if told else None):
            told[-1:] = [said]
        return [*told, *self._renamed(statement, place[0])], faults

    def _move(self, statement: exp.Expr) -> None:
        """Let names that say less be in the place that a statement sets."""
        if (found := sessions.place(statement, self._last[0], self._called)) is None:
            return
        catalog, schema = (
            name and str(self.dialect.normalize_identifier(name.copy()).name) for name in found
        )
        self.catalog, self.database = catalog or self.catalog, schema or self.database

    def _commented(
        self, statement: exp.Expr, line: int, told: Statement | None
    ) -> Statement | None:
        """A statement that makes a table or only speaks of it, with its comments; None where it
        has none."""
        if not isinstance(statement, exp.Comment | exp.Create | exp.Alter):
            return None
        found = comments(normalize_identifiers(statement.copy(), dialect=self.dialect))
        if found is None:
            return None
        name = self._name(found.table)
        told = told or Statement(
            "COMMENT", line, writes=(self._said(name),), temporary=name in self.temporary
        )
        return replace(told, comment=found.text, comments=tuple(found.columns.items()))

    def _renamed(self, statement: exp.Expr, line: int) -> Iterator[Statement]:
        """Tables and columns that are called otherwise; what is known of them goes with that."""
        for each in renamings(statement, self.dialect):
            table = self._name(each.table)
            if each.columns:
                yield self._with_columns_renamed(table, each, line)
            if each.to is None:
                continue
            new = self._name(each.to)
            if table in self.schema:
                self.schema[new] = self.schema.pop(table)
            if table in self.temporary:
                self.temporary[new] = self.temporary.pop(table)
            self._mapping = None
            yield Statement(
                "RENAME", line, writes=(self._said(new),), was=self._said(table),
                temporary=new in self.temporary,
            )  # fmt: skip

    def _with_columns_renamed(self, table: TableName, told: Renaming, line: int) -> Statement:
        """Columns are made of those that they were."""
        renamed = {
            str(self.dialect.normalize_identifier(old.copy()).name): str(
                self.dialect.normalize_identifier(new.copy()).name
            )
            for old, new in told.columns
        }
        if table in self.schema:
            known = self.schema[table].items()
            self.schema[table] = {renamed.get(name, name): kind for name, kind in known}
            self._mapping = None
        if table in self.temporary:
            found = self.temporary[table]
            found.columns = {renamed.get(n, n): origins for n, origins in found.columns.items()}
        said = self._said(table)
        return Statement(
            "RENAME COLUMN", line, (said,), (said,), tuple(renamed.values()),
            tuple(Edge(new, said, old, IDENTITY) for old, new in renamed.items()),
            temporary=table in self.temporary, is_whole=False, renamed=tuple(renamed.items()),
        )  # fmt: skip

    def _told(self, which: int, plan: Plan, place: Place, faults: list[Fault]) -> Statement:
        """What a plan of a statement does, by its number."""
        whole, lost = Found(), dict[str, None]()
        target = self._name(plan.target) if plan.target is not None else None
        named = [str(self.dialect.normalize_identifier(name).name) for name in plan.names]
        in_order = self._in_order(plan, target)
        for number, query in enumerate(plan.queries):
            anew = partial(self._anew, which, number)
            try:
                found = self._found(query, anew)
                lost |= found.lost
                names = named or ([] if found.stars else in_order)
                whole.join(found.renamed(names) if names else found.by_name())
            except SqlglotError as error:
                what = str(error).replace(_UNSAID, "").split("\n")[0]
                faults.append(Fault(f"its columns cannot be followed: {what}", *place))
                whole.reads.update(dict.fromkeys(self._tables(anew())))
        if lost:
            faults.append(Fault(_without(list(lost)), *place))
        for part in plan.read:
            whole.reads.update(dict.fromkeys(self._tables(part)))
        whole = self._through(whole)
        if target:
            self._remember(target, whole, plan)
        return self._statement(plan, place[0], target, whole)

    def _in_order(self, plan: Plan, target: TableName | None) -> list[str]:
        """What columns that go to a known table by position alone are called there."""
        if not plan.by_position or target is None:
            return []
        fixed = {self._column(name) for name in plan.fixed}
        return [name for name in self.schema.get(target, {}) if name not in fixed]

    def _statement(
        self, plan: Plan, line: int, target: TableName | None, found: Found
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
            tuple(indirect), plan.temporary or target in self.temporary, not found.stars,
        )  # fmt: skip

    def _said(self, table: TableName) -> TableName:
        if table.is_file:
            return TableName("", "", table.name)
        return TableName(*("" if part == _UNSAID else part for part in table))

    def _found(self, query: exp.Query, anew: Callable[[], exp.Query]) -> Found:
        if self._mapping is None:
            self._mapping = self._made_schema()
        try:
            return self._followed(query, anew, self._mapping)
        except SqlglotError:
            # The columns that are known of a table may be those of yesterday.
            return self._followed(anew(), anew, MappingSchema(dialect=self.dialect))

    def _anew(self, which: int, number: int) -> exp.Query:
        """A query of a plan of the statement that was parsed last, as it was before it was
        followed: to parse the few that fail again costs less than to copy all."""
        return plans(self._parse(*self._last))[which].queries[number]

    def _followed(
        self, query: exp.Query, anew: Callable[[], exp.Query], known: MappingSchema
    ) -> Found:
        """What a query finds, which is changed by that. anew: gives it as it was."""
        try:
            qualified = self._qualified(query, known)
        except OptimizeError:
            # A table may have columns that are not known, and a query columns that nothing has.
            qualified = self._qualified(settled(anew(), known), known, in_part=True)
        scope = build_scope(qualified)
        if scope is None:
            return Found()
        origins = Origins(self._named, known.column_names)
        found = origins.of(scope)
        found.lost = origins.lost
        return found

    def _qualified(
        self, query: exp.Query, known: MappingSchema, *, in_part: bool = False
    ) -> exp.Expr:
        """A query, which is changed, in which each column names its source; in_part: as far as one
        has it. Raises SqlglotError."""
        # As they are written in SQL: compiled, sqlglot takes nothing but texts.
        catalog, database = (
            exp.to_identifier(name, quoted=True).sql(self.dialect)
            for name in (self.catalog, self.database)
        )
        return qualify(
            query.pop(), dialect=self.dialect, db=database, catalog=catalog,
            schema=known, validate_qualify_columns=False, quote_identifiers=False,
            allow_partial_qualification=in_part,
        )  # fmt: skip

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
        return self._named(normalize_identifiers(table.copy(), dialect=self.dialect))

    def _named(self, table: exp.Table) -> TableName:
        """The whole name of a table whose identifiers are normalised."""
        if isinstance(table.this, exp.Parameter):
            # A variable: what nothing was put into holds what the caller gives.
            name = self._whole(TableName("", "", f"@{table.name}"))
            self.temporary.setdefault(name, Found())
            return name
        return self._whole(TableName(table.catalog, table.db, table.name))

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

    def _remember(self, target: TableName, found: Found, plan: Plan) -> None:
        """What later statements of the script know of a table that this one wrote."""
        if plan.temporary:
            self.temporary[target] = found
        elif target in self.temporary:
            self.temporary[target].join(found)
        if plan.kind.startswith(("CREATE", "SELECT")) and found.columns and not found.stars:
            self.schema[target] = dict.fromkeys(found.columns, "")
            self._mapping = None

    def _declared(self, statement: exp.Create) -> dict[str, str]:
        """The columns of CREATE TABLE with their types, those of the tables that it is LIKE among
        them, as far as they are known."""
        if not isinstance(statement.this, exp.Schema):
            like = _like(statement)
            return dict(self.schema.get(self._name(like), {})) if like else {}
        told: dict[str, str] = {}
        defined = normalize_identifiers(statement.this.copy(), dialect=self.dialect)
        for each in defined.expressions:
            if isinstance(each, exp.ColumnDef):
                told[each.name] = each.kind.sql(self.dialect) if each.kind else ""
            elif isinstance(each, exp.LikeProperty) and isinstance(each.this, exp.Table):
                told |= self.schema.get(self._named(each.this), {})
        return told

    def _define(self, statement: exp.Expr, line: int) -> Statement | None:
        """Note the columns of CREATE TABLE name (columns); None where a statement is no such."""
        if not isinstance(statement, exp.Create) or str(statement.args.get("kind")) != "TABLE":
            return None
        schema = statement.this
        table = statement.this.this if isinstance(schema, exp.Schema) else statement.this
        told = self._declared(statement)
        if not told or not isinstance(table, exp.Table):
            return None
        name = self._name(table)
        self.schema[name] = told
        self._mapping = None
        temporary = is_temporary(statement, table)
        if temporary:
            self.temporary.setdefault(name, Found())
        return Statement(
            "CREATE TABLE", line, writes=(self._said(name),), columns=tuple(told),
            temporary=temporary, types=tuple(told.items()),
        )  # fmt: skip


def as_compared(name: str, dialect: str) -> str:
    """A name as SQL writes it, by the case rules of its dialect."""
    if not name:
        return ""
    return str(normalize_identifiers(exp.parse_identifier(name, dialect), dialect=dialect).name)


def is_ours(error: BaseException) -> bool:
    """Whether to raise an error instead of telling it: a mistake that a module of ours makes."""
    if not RAISES_OURS or isinstance(error, SqlglotError | RecursionError):
        return False
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__")).startswith("bilbaokg.")


def _like(statement: exp.Create) -> exp.Table | None:
    """The table whose columns CREATE TABLE ... LIKE takes over."""
    for each in properties_of(statement):
        if isinstance(each, exp.LikeProperty) and isinstance(each.this, exp.Table):
            return each.this
    return None


def _without(columns: list[str]) -> str:
    """That columns are of nothing that a statement reads."""
    shown = [repr(column[:_LONGEST_SHOWN]) for column in columns[:_MOST_SHOWN]]
    rest = len(columns) - len(shown)
    more = f" and {rest} more" if rest else ""
    return f"nothing that it reads has {', '.join(shown)}{more}: the others are told"


def _without_rows(chunk: list[Any]) -> list[Any]:
    """The tokens of INSERT ... VALUES with the first of its rows alone: constants carry no lineage,
    and there may be a million of them."""
    kinds = [token.token_type for token in chunk] if chunk[0].token_type is TokenType.INSERT else []
    if TokenType.VALUES not in kinds or TokenType.SELECT in kinds:
        return chunk
    depth = 0
    for place in range(kinds.index(TokenType.VALUES) + 1, len(kinds)):
        depth += _DEPTHS.get(kinds[place], 0)
        if depth == 0:
            return chunk[: place + 1]
    return chunk
