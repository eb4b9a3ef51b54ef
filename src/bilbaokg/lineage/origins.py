"""Where the columns of a query come from: from column to column through its subqueries.

The query is qualified by sqlglot: each column names its source, stars are written out where the
columns are known. Each scope (a SELECT or a set operation) is looked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from bilbaokg.lineage import pivots
from bilbaokg.lineage.script import TableName

__all__ = ["IDENTITY", "Found", "Origins"]

Origin = tuple[TableName, str, str]
"""A table, its column, and how."""

IDENTITY: Final = "IDENTITY"
# Behind the name of a column that a query gives once more, so that each keeps its position.
_AGAIN: Final = "\x02"
# The later word covers the earlier one.
_ORDER: Final = (IDENTITY, "TRANSFORMATION", "AGGREGATION")
# Words that give a value and that sqlglot may take for columns.
_NO_COLUMNS: Final = frozenset(
    {"level", "rowid", "rownum", "sysdate", "systimestamp", "sysuser", "uid", "user", "value"}
)
# Parts of a SELECT -> how the columns in them bear on all rows.
_PARTS: Final = {
    "where": "FILTER", "having": "FILTER", "qualify": "FILTER", "joins": "JOIN",
    "group": "GROUP_BY", "order": "SORT",
}  # fmt: skip


@dataclass(slots=True)
class Found:
    """What a query reads, its columns with their origins, and what bears on all of them.

    `stars` are the tables all of whose columns it gives without that they are known, and the
    columns that it leaves out of them; `parts` what each part of a union of such gives. `lost` are
    columns that nothing of what it reads can have.
    """

    reads: dict[TableName, None] = field(default_factory=dict)
    columns: dict[str, dict[Origin, None]] = field(default_factory=dict)
    indirect: dict[Origin, None] = field(default_factory=dict)
    stars: dict[TableName, frozenset[str]] = field(default_factory=dict)
    parts: list[Found] = field(default_factory=list)
    lost: dict[str, None] = field(default_factory=dict)

    def join(self, other: Found) -> None:
        """Take in what another query tells of the same table."""
        self.reads |= other.reads
        self.indirect |= other.indirect
        self.stars |= other.stars
        for name, origins in other.columns.items():
            self.columns[name] = self.columns.get(name, {}) | origins

    def renamed(self, names: list[str]) -> Found:
        """The same with its columns called otherwise, by position."""
        called = list(self.columns)
        if self.stars or len(names) < len(called):
            return Found(self.reads, {}, self.indirect)
        columns = {new: self.columns[old] for old, new in zip(called, names, strict=False)}
        return Found(self.reads, columns, self.indirect)

    def by_name(self) -> Found:
        """The same with columns of one name as one."""
        if not any(name.endswith(_AGAIN) for name in self.columns):
            return self
        names = dict.fromkeys(name.rstrip(_AGAIN) for name in self.columns)
        columns = {name: dict(self.column(name)) for name in names}
        return Found(self.reads, columns, self.indirect, self.stars)

    def column(self, name: str) -> Mapping[Origin, None]:
        """The origins of a column; of one that only a star can hold, the table of the star."""
        if name not in self.columns and self.parts:
            return {origin: None for part in self.parts for origin in part.column(name)}
        if name in self.columns or len(self.stars) != 1:
            origins = self.columns.get(name, {})
            while (name := name + _AGAIN) in self.columns:
                origins = origins | self.columns[name]
            return origins
        [(table, without)] = self.stars.items()
        return {} if name in without else {(table, name, IDENTITY): None}

    def through(self, made: Mapping[TableName, Found]) -> Found:
        """The same with the origins of some tables in their place."""
        found = Found()
        for table in self.reads:
            found.reads |= made[table].reads if table in made else {table: None}
        for table in self.reads.keys() & made.keys():
            found.indirect |= made[table].indirect
        for name, origins in self.columns.items():
            found.columns[name] = dict.fromkeys(_replaced(origins, made))
        for table, without in self.stars.items():
            below = made[table].stars if table in made else {table: frozenset()}
            found.stars |= {each: less | without for each, less in below.items()}
        found.indirect |= dict.fromkeys(_replaced(self.indirect, made))
        return found


def _replaced(origins: Mapping[Origin, None], made: Mapping[TableName, Found]) -> Iterator[Origin]:
    for table, column, how in origins:
        if table in made:
            yield from _composed(made[table].column(column), how)
        else:
            yield table, column, how


def _composed(origins: Mapping[Origin, None], how: str) -> Iterator[Origin]:
    """The origins of a column that is itself used in some way: what is indirect stays so."""
    for table, column, before in origins:
        direct = before if how in _ORDER else how
        both = how in _ORDER and before in _ORDER
        yield table, column, max(how, before, key=_ORDER.index) if both else direct


class Origins:
    """Looks through the scopes of one query. `name` gives the whole name of a table, `known` its
    columns, as far as they are known. `lost` are columns that nothing of what is read can have."""

    def __init__(
        self, name: Callable[[exp.Table], TableName], known: Callable[[exp.Table], Collection[str]]
    ) -> None:
        self._name, self._known = name, known
        self.lost: dict[str, None] = {}
        self._names: dict[int, TableName] = {}
        self._found: dict[int, Found] = {}
        self._nodes: dict[int, dict[str, Any]] = {}

    def name(self, table: exp.Table) -> TableName:
        """The whole name of a table, found out once for all columns that name it."""
        known = self._names.get(id(table))
        if known is None:
            known = self._names[id(table)] = self._name(table)
        return known

    def of(self, scope: Scope) -> Found:
        """What a scope gives. A query within itself gives nothing at its second look."""
        known = self._found.get(id(scope))
        if known is None:
            known = self._found[id(scope)] = Found()
            if isinstance(scope.expression, exp.SetOperation):
                self._of_union(scope, known)
            elif isinstance(scope.expression, exp.Select):
                self._of_select(scope, known)
            elif isinstance(scope.expression, exp.Lateral):
                self._of_lateral(scope, known)
        return known

    def _of_lateral(self, scope: Scope, found: Found) -> None:
        """What its query gives."""
        for source in scope.sources.values():
            # What WITH defines around it is a source, too.
            if (
                isinstance(source, Scope)
                and source.expression.find_ancestor(exp.Lateral) is scope.expression
            ):
                found.join(self.of(source))

    def _of_union(self, scope: Scope, found: Found) -> None:
        """By position, under the names of the first part."""
        parts = [self.of(part) for part in scope.set_operation_scopes]
        for part in parts:
            self._take(part, found)
            found.stars |= part.stars
        found.parts = parts if found.stars else []
        if scope.expression.args.get("by_name"):
            for name in (name for part in parts for name in part.columns):
                found.columns[name] = found.columns.get(name, {}) | _joined(parts, name)
            return
        first = list(parts[0].columns) if parts else []
        for place, name in enumerate(first):
            for part in parts:
                there = list(part.columns)
                # Behind a star whose columns are not known no position can be told.
                called = name if found.stars else next(iter(there[place : place + 1]), "")
                found.columns[name] = found.columns.get(name, {}) | part.columns.get(called, {})

    def _of_select(self, scope: Scope, found: Found) -> None:
        for _, source in scope.selected_sources.values():
            self._read(source, found)
        query: Any = scope.expression
        for source in _only_joined(scope, query):
            self._read(source, found)
        for inner in scope.subquery_scopes:
            self._take(self.of(inner), found)
        for projection in query.selects:
            if projection.is_star and isinstance(projection, exp.Column | exp.Star):
                self._give_all(projection, scope, found)
                continue
            if isinstance(projection, exp.Dot) and isinstance(projection.expression, exp.Star):
                continue  # all fields of a value, whose names are not known
            made = projection.unalias()
            origins = dict.fromkeys(self._made_of(made, scope, _how(made)))
            for called in _called(projection):
                while called in found.columns:
                    called += _AGAIN
                found.columns[called] = origins
            if isinstance(made, exp.Column) and not (made.table or origins):
                self._lose(made, scope)
        for node in self._odd(scope).values():
            for pivot in node.args.get("pivots") or ():
                for name in pivots.grouping(pivot):
                    found.indirect |= dict.fromkeys(self._under(node, name, scope, "GROUP_BY"))
        for key, how in _PARTS.items():
            told = scope.expression.args.get(key)
            for part in told if isinstance(told, list) else [told]:
                on = part.args.get("on") if isinstance(part, exp.Join) else part
                if on is not None:
                    found.indirect |= dict.fromkeys(self._made_of(on, scope, how, inside=False))

    def _read(self, source: Any, found: Found) -> None:
        if isinstance(source, exp.Table):
            if _rows_of(source) is None:
                found.reads[self.name(source)] = None
        elif isinstance(source, Scope):
            self._take(self.of(source), found)

    def _give_all(self, projection: Any, scope: Scope, found: Found) -> None:
        """What a star gives that sqlglot did not write out, for it does not know the columns."""
        star = projection.this if isinstance(projection, exp.Column) else projection
        of = projection.table if isinstance(projection, exp.Column) else ""
        without = frozenset(
            part.unalias().name
            for key in ("except_", "rename")
            for part in star.args.get(key) or ()
        )
        for name, (node, source) in scope.selected_sources.items():
            chain = _chain(node)
            if of and of not in (name, chain[-1].alias if chain else name):
                continue
            added, gone = pivots.made(chain)
            less = without | gone
            for column in added:
                if column not in without:
                    found.columns[column] = dict.fromkeys(self._pivoted(node, column, scope, ""))
            if isinstance(source, exp.Table):
                if _rows_of(source) is None:
                    found.stars[self.name(source)] = less
                continue
            inner = self.of(source)
            found.stars |= {table: each | less for table, each in inner.stars.items()}
            for column in (each for each in inner.columns if each not in less):
                found.columns[column] = found.columns.get(column, {}) | inner.columns[column]
        for part in (*(star.args.get("replace") or ()), *(star.args.get("rename") or ())):
            made = part.unalias()
            origins = self._made_of(made, scope, _how(made))
            found.columns[part.alias_or_name] = dict.fromkeys(origins)

    def _take(self, inner: Found, found: Found) -> None:
        found.reads |= inner.reads
        found.indirect |= inner.indirect

    def _made_of(
        self, node: Any, scope: Scope, how: str, *, inside: bool = True
    ) -> Iterator[Origin]:
        """The origins of the columns in an expression, those of its subqueries among them.

        inside: a column that only says which row or which case counts is told as such.
        """
        if isinstance(node, exp.Column):
            yield from self._column(node, scope, how)
            return
        inner = {id(each.expression): each for each in scope.subquery_scopes}
        ways = _ways(node) if inside else {}
        for part in node.walk(prune=lambda n: isinstance(n, exp.Query) and n is not node):
            if isinstance(part, exp.Column) and not isinstance(part.this, exp.Star):
                yield from self._column(part, scope, ways.get(id(part), how))
            elif isinstance(part, exp.Query):
                query = part.unnest() if isinstance(part, exp.Subquery) else part
                if (below := inner.get(id(query))) is not None:
                    for origins in self.of(below).columns.values():
                        yield from _composed(origins, how)

    def _column(self, column: exp.Column, scope: Scope, how: str) -> Iterator[Origin]:
        source: Any = None
        at: Scope | None = scope
        held = scope
        while at is not None and source is None:
            held = at
            if (match := at.expression.args.get("match")) is not None:
                yield from self._matched(match, column.name, at, how)
                return
            named = column.table or self._only_holding(at, column.name)
            if (node := self._odd(at).get(named)) is not None:
                yield from self._pivoted(node, column.name, at, how)
                return
            source, at = at.sources.get(named), at.parent
        made_of = _rows_of(source)
        if made_of is not None:
            # Of what UNNEST, FLATTEN, EXPLODE or another function makes rows of.
            for part in made_of.find_all(exp.Column):
                yield from _composed(dict.fromkeys(self._column(part, held, _ORDER[1])), how)
        elif isinstance(source, exp.Table):
            # One that has only a position is not known.
            if column.name:
                yield self.name(source), column.name, how
        elif isinstance(source, Scope):
            inner = self.of(source)
            is_lost = inner.columns and not inner.stars and column.name not in inner.columns
            if (
                is_lost
                and column.name
                and column.table
                and isinstance(source.expression, exp.Query)
            ):
                self.lost[f"{column.table}.{column.name}"] = None
            yield from _composed(inner.column(column.name), how)

    def _matched(self, match: Any, column: str, scope: Scope, how: str) -> Iterator[Origin]:
        """The origins of what MATCH_RECOGNIZE measures, or gives as it is. Columns there name the
        rows of the pattern, all of which are of the one table."""
        made = next((m.this for m in match.args["measures"] or () if m.this.alias == column), None)
        used = [part.name for part in made.find_all(exp.Column)] if made else [column]
        way = _how(made.this) if isinstance(made, exp.Alias) else IDENTITY
        for node, _ in scope.selected_sources.values():
            for name in dict.fromkeys(used):
                origins = dict.fromkeys(self._under(node, name, scope, way))
                yield from _composed(origins, how)

    def _odd(self, scope: Scope) -> dict[str, Any]:
        """The sources whose columns are not those of what stands there, by what they are called:
        pivoted ones, and those whose columns are called otherwise."""
        found = self._nodes.get(id(scope))
        if found is None:
            found = self._nodes[id(scope)] = {}
            for name, (node, _) in scope.selected_sources.items():
                if chain := _chain(node):
                    found |= {name: node, chain[-1].alias: node}
                elif (
                    isinstance(node, exp.Table)
                    and node.alias_column_names
                    and _rows_of(node) is None
                ):
                    found[name] = node
        return found

    def _pivoted(self, node: Any, column: str, scope: Scope, how: str) -> Iterator[Origin]:
        """The origins of a column of such a source; how: in which way it is used, "" as it is."""
        known = self._columns_of(self._under_node(node, scope))
        called = dict(zip(node.alias_column_names, known, strict=False))
        chain = _chain(node)
        for name, made in pivots.before(chain, column, known):
            origins = self._under(node, called.get(name, name), scope, made or IDENTITY)
            yield from _composed(dict.fromkeys(origins), how or IDENTITY)

    def _under(self, node: Any, column: str, scope: Scope, how: str) -> Iterator[Origin]:
        """The origins of a column as it was before."""
        source = self._under_node(node, scope)
        if isinstance(source, exp.Table) and column:
            yield self.name(source), column, how
        elif isinstance(source, Scope):
            yield from _composed(self.of(source).column(column), how)

    def _under_node(self, node: Any, scope: Scope) -> Any:
        """The table or query that such a source is made of."""
        if isinstance(node, exp.Table) and (node.db or node.name not in scope.cte_sources):
            return node
        if isinstance(node, exp.Table):
            return scope.cte_sources[node.name]
        sources = scope.selected_sources.values()
        return next((source for each, source in sources if each is node), None)

    def _columns_of(self, source: Any) -> list[str]:
        """The columns of a source, in order; none where they are not known."""
        if isinstance(source, exp.Table):
            return list(self._known(source))
        found = self.of(source) if isinstance(source, Scope) else Found()
        return [] if found.stars else list(found.columns)

    def _only_holding(self, scope: Scope, column: str) -> str:
        """The one source of a query that can have a column which names none; "" where several can.

        What WITH defines is a source, too, though the query may not select from it.
        """
        sources = [(name, source) for name, (_, source) in scope.selected_sources.items()]
        found = [name for name, source in sources if self._may_give(source, column)]
        # The columns that are known of a table may be those of yesterday.
        tables = (name for name, source in sources if isinstance(source, exp.Table) and source.name)
        found = found or list(tables)
        return found[0] if len(found) == 1 else ""

    def _may_give(self, source: Any, column: str) -> bool:
        if isinstance(source, exp.Table):
            if _rows_of(source) is not None:
                return column in source.alias_column_names
            given = self._known(source)
            return not given or column in given
        query = source.expression
        return not query.named_selects or query.is_star or column in query.named_selects

    def _lose(self, column: exp.Column, scope: Scope) -> None:
        """Note a column that names no source and that none of them has."""
        if column.name.lower() in _NO_COLUMNS:
            return
        at: Scope | None = scope
        while at is not None:
            sources = [source for _, source in at.selected_sources.values()]
            if not sources or any(self._may_give(source, column.name) for source in sources):
                return
            if any(_rows_of(source) is not None for source in sources):
                return
            at = at.parent
        self.lost[column.name] = None


def _joined(parts: list[Found], name: str) -> dict[Origin, None]:
    """The origins of a column in all parts that have it."""
    return {origin: None for part in parts for origin in part.columns.get(name, {})}


def _called(projection: Any) -> list[str]:
    """What the columns of a projection are called: several, where a function gives several."""
    if isinstance(projection, exp.Aliases):
        return [each.name for each in projection.aliases]
    if isinstance(projection, exp.QueryTransform):
        schema = projection.args.get("schema")
        return [each.name for each in schema.expressions] if schema else ["key", "value"]
    return [projection.alias_or_name]


def _chain(node: Any) -> list[exp.Pivot]:
    return node.args.get("pivots") or []


def _rows_of(source: Any) -> exp.Expr | None:
    """What a source makes rows of, where it is a function and neither a table nor a query."""
    if isinstance(source, exp.Table):
        return source.this if isinstance(source.this, exp.Func) else None
    made: Any = source.expression if isinstance(source, Scope) else None
    return made if isinstance(made, exp.UDTF) and not isinstance(made.this, exp.Query) else None


def _only_joined(scope: Scope, query: Any) -> Iterator[Any]:
    """Sources that only decide which rows stay (SEMI and ANTI joins): no column can be of them."""
    for join in query.args.get("joins") or ():
        if (name := join.alias_or_name) not in scope.selected_sources:
            yield scope.sources.get(name)


def _ways(node: Any) -> dict[int, str]:
    """The columns of an expression that say only which rows or which case count, by id."""
    found: dict[int, str] = {}
    for window in node.find_all(exp.Window):
        for part in (*(window.args.get("partition_by") or ()), window.args.get("order")):
            if part is not None:
                found |= {id(column): "WINDOW" for column in part.find_all(exp.Column)}
    for case in node.find_all(exp.If):
        found |= {id(column): "CONDITIONAL" for column in case.this.find_all(exp.Column)}
    return found


def _how(made: Any) -> str:
    if isinstance(made, exp.Column):
        return IDENTITY
    if made.find(exp.AggFunc):
        return "AGGREGATION"
    return "TRANSFORMATION"
