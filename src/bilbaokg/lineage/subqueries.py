"""Columns in subqueries over tables whose columns are not known: they are those of the subquery.

Such a column may as well be one of the query around it, so sqlglot refuses the whole statement. A
name is looked up from the inside out (SQL:2016 part 2, 6.6 and 7.6), and who means a column of the
query around it mostly says its table: `WHERE day > (SELECT max(day) FROM made)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

__all__ = ["settled"]

# Names no source: of several tables whose columns are not known, none can be told.
_NONE: Final = "\x01"


def settled(query: exp.Query, known: MappingSchema) -> exp.Query:
    """The query with such columns named after their table. known: the columns of tables."""
    found = query.copy()
    for scope in traverse_scope(found):
        if not scope.can_be_correlated:
            continue
        sources: dict[str, Any] = {
            name: source for name, (_, source) in scope.selected_sources.items()
        }
        unknown = [name for name, source in sources.items() if not _columns(source, known)]
        if not unknown:
            continue
        told = {name for source in sources.values() for name in _columns(source, known)}
        for column in _bare(scope):
            if column.name not in told:
                column.set("table", exp.to_identifier(unknown[0] if len(unknown) == 1 else _NONE))
    return found


def _bare(scope: Scope) -> Iterator[exp.Column]:
    """The columns of a scope that do not say their table."""
    return (column for column in scope.find_all(exp.Column) if not column.table)


def _columns(source: Any, known: MappingSchema) -> list[str]:
    """The columns of a source; none where they are not known."""
    if isinstance(source, exp.Table):
        return list(known.column_names(source))
    query: Any = source.expression
    return [] if query.is_star else list(query.named_selects)
