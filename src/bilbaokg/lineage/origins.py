"""Where the columns of a query come from: from column to column through its subqueries.

The query is qualified by sqlglot: each column names its source, stars are written out where the
columns are known. Each scope (a SELECT or a set operation) is looked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from bilbaokg.lineage.script import TableName

__all__ = ["Found", "Origins"]

Origin = tuple[TableName, str, str]
"""A table, its column, and how."""

IDENTITY: Final = "IDENTITY"
# The later word covers the earlier one.
_ORDER: Final = (IDENTITY, "TRANSFORMATION", "AGGREGATION")
# Parts of a SELECT -> how the columns in them bear on all rows.
_PARTS: Final = {
    "where": "FILTER", "having": "FILTER", "qualify": "FILTER", "joins": "JOIN",
    "group": "GROUP_BY", "order": "SORT",
}  # fmt: skip


@dataclass(slots=True)
class Found:
    """What a query reads, its columns with their origins, and what bears on all of them."""

    reads: dict[TableName, None] = field(default_factory=dict)
    columns: dict[str, dict[Origin, None]] = field(default_factory=dict)
    indirect: dict[Origin, None] = field(default_factory=dict)

    def join(self, other: Found) -> None:
        """Take in what another query tells of the same table."""
        self.reads |= other.reads
        self.indirect |= other.indirect
        for name, origins in other.columns.items():
            self.columns[name] = self.columns.get(name, {}) | origins

    def renamed(self, names: list[str]) -> Found:
        """The same with its columns called otherwise, by position."""
        called = list(self.columns)
        if "*" in called or len(names) < len(called):
            return Found(self.reads, {}, self.indirect)
        columns = {new: self.columns[old] for old, new in zip(called, names, strict=False)}
        return Found(self.reads, columns, self.indirect)

    def through(self, made: Mapping[TableName, Found]) -> Found:
        """The same with the origins of some tables in their place."""
        found = Found()
        for table in self.reads:
            found.reads |= made[table].reads if table in made else {table: None}
        for table in self.reads.keys() & made.keys():
            found.indirect |= made[table].indirect
        for name, origins in self.columns.items():
            found.columns[name] = dict.fromkeys(_replaced(origins, made))
        found.indirect |= dict.fromkeys(_replaced(self.indirect, made))
        return found


def _replaced(origins: Mapping[Origin, None], made: Mapping[TableName, Found]) -> Iterator[Origin]:
    for table, column, how in origins:
        if table in made:
            yield from _composed(made[table].columns.get(column, {}), how)
        else:
            yield table, column, how


def _composed(origins: Mapping[Origin, None], how: str) -> Iterator[Origin]:
    """The origins of a column that is itself used in some way."""
    for table, column, before in origins:
        both = how in _ORDER and before in _ORDER
        yield table, column, max(how, before, key=_ORDER.index) if both else how


class Origins:
    """Looks through the scopes of one query. `name` gives the whole name of a table."""

    def __init__(self, name: Callable[[exp.Table], TableName]) -> None:
        self.name = name
        self._found: dict[int, Found] = {}

    def of(self, scope: Scope) -> Found:
        """What a scope gives. A query within itself gives nothing at its second look."""
        known = self._found.get(id(scope))
        if known is None:
            known = self._found[id(scope)] = Found()
            if isinstance(scope.expression, exp.SetOperation):
                self._of_union(scope, known)
            elif isinstance(scope.expression, exp.Select):
                self._of_select(scope, known)
        return known

    def _of_union(self, scope: Scope, found: Found) -> None:
        """By position, under the names of the first part."""
        parts = [self.of(part) for part in scope.set_operation_scopes]
        for part in parts:
            found.reads |= part.reads
            found.indirect |= part.indirect
        first = list(parts[0].columns) if parts else []
        for place, name in enumerate(first):
            each = [list(part.columns.values())[place] for part in parts
                    if place < len(part.columns)]  # fmt: skip
            found.columns[name] = {origin: None for told in each for origin in told}

    def _of_select(self, scope: Scope, found: Found) -> None:
        for source in scope.selected_sources.values():
            if isinstance(source[1], exp.Table):
                found.reads[self.name(source[1])] = None
            else:
                self._take(self.of(source[1]), found)
        for inner in scope.subquery_scopes:
            self._take(self.of(inner), found)
        query: Any = scope.expression
        for projection in query.selects:
            made = projection.unalias()
            called = "*" if projection.is_star else projection.alias_or_name
            if made.is_star and not isinstance(made, exp.Column | exp.Star):
                called = projection.alias_or_name
            for origin in self._made_of(made, scope, _how(made)):
                found.columns.setdefault(called, {})[origin] = None
            found.columns.setdefault(called, {})
            for window in made.find_all(exp.Window):
                for part in (*(window.args.get("partition_by") or ()), window.args.get("order")):
                    if part is not None:
                        self._bear(part, scope, "WINDOW", found)
        for key, how in _PARTS.items():
            told = scope.expression.args.get(key)
            for part in told if isinstance(told, list) else [told]:
                if part is not None:
                    on = part.args.get("on") if isinstance(part, exp.Join) else part
                    if on is not None:
                        self._bear(on, scope, how, found)

    def _take(self, inner: Found, found: Found) -> None:
        found.reads |= inner.reads
        found.indirect |= inner.indirect

    def _bear(self, part: Any, scope: Scope, how: str, found: Found) -> None:
        found.indirect |= dict.fromkeys(self._made_of(part, scope, how))

    def _made_of(self, node: Any, scope: Scope, how: str) -> Iterator[Origin]:
        """The origins of the columns in an expression, those of its subqueries among them."""
        inner = {id(each.expression): each for each in scope.subquery_scopes}
        for part in node.walk(prune=lambda n: isinstance(n, exp.Query) and n is not node):
            if isinstance(part, exp.Column) and not isinstance(part.this, exp.Star):
                yield from self._column(part, scope, how)
            elif isinstance(part, exp.Query):
                query = part.unnest() if isinstance(part, exp.Subquery) else part
                if (below := inner.get(id(query))) is not None:
                    for origins in self.of(below).columns.values():
                        yield from _composed(origins, how)

    def _column(self, column: exp.Column, scope: Scope, how: str) -> Iterator[Origin]:
        source: Any = None
        at: Scope | None = scope
        while at is not None and source is None:
            named = column.table or (next(iter(at.sources)) if len(at.sources) == 1 else "")
            source, at = at.sources.get(named), at.parent
        if isinstance(source, exp.Table):
            yield self.name(source), column.name, how
        elif isinstance(source, Scope):
            yield from _composed(self.of(source).columns.get(column.name, {}), how)


def _how(made: Any) -> str:
    if isinstance(made, exp.Column):
        return IDENTITY
    if made.find(exp.AggFunc):
        return "AGGREGATION"
    return "TRANSFORMATION"
