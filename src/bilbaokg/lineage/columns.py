"""What columns are called in the end of a script that makes a table and renames columns of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bilbaokg.lineage.script import Statement, TableName

__all__ = ["finally_called"]

Names = dict[TableName, dict[str, str]]
"""Of tables by what they are called at a time: what their columns are called then and at last."""


def finally_called(statements: Sequence[Statement]) -> list[Statement]:
    """The statements with the last names of the columns of tables that they make.

    Columns of such a table never had another name outside of the script, so nothing else is left of
    the renaming. What others made keeps it: its columns come from those that they were.
    """
    made = _made(statements)
    later: Names = {}
    found = []
    for number in range(len(statements) - 1, -1, -1):
        told = statements[number]
        if told.renamed and number in made:
            names = later.setdefault(told.writes[0], {})
            names |= {old: names.pop(new, new) for old, new in told.renamed}
            continue
        found.append(_with_names(told, later))
        if told.was and told.writes[0] in later:
            later[told.was] = later.pop(told.writes[0])
        elif _makes(told):
            later.pop(told.writes[0], None)
    return found[::-1]


def _makes(told: Statement) -> bool:
    return bool(told.writes and told.columns) and told.kind.startswith(("CREATE", "SELECT"))


def _made(statements: Sequence[Statement]) -> set[int]:
    """The statements that rename columns of a table that one before them made, by number."""
    tables: set[TableName] = set()
    found = set()
    for number, told in enumerate(statements):
        if _makes(told) or (told.was and told.was in tables):
            tables.add(told.writes[0])
        elif told.renamed and told.writes[0] in tables:
            found.add(number)
        if told.was:
            tables.discard(told.was)
    return found


def _with_names(told: Statement, later: Mapping[TableName, Mapping[str, str]]) -> Statement:
    if not later:
        return told
    own = later.get(told.writes[0], {}) if told.writes else {}

    def called(table: TableName, column: str) -> str:
        return later.get(table, {}).get(column, column)

    return replace(
        told,
        columns=tuple(own.get(column, column) for column in told.columns),
        edges=tuple(
            e._replace(output=own.get(e.output, e.output), column=called(e.table, e.column))
            for e in told.edges
        ),
        indirect=tuple(b._replace(column=called(b.table, b.column)) for b in told.indirect),
        types=tuple((own.get(column, column), kind) for column, kind in told.types),
        comments=tuple((own.get(column, column), text) for column, text in told.comments),
    )  # fmt: skip
