"""What a SQL script was understood to say: tables, their columns, and what could not be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Edge", "Fault", "Indirect", "Schema", "Script", "Statement", "TableName"]


class TableName(NamedTuple):
    """A table as SQL names it, by the case rules of its dialect; "" for a part that is not said."""

    catalog: str
    schema: str
    name: str

    @property
    def text(self) -> str:
        """The parts that are said, joined by dots: the name in OpenLineage."""
        return ".".join(part for part in self if part)


class Edge(NamedTuple):
    """A column of what is written comes from one that is read; `how` is IDENTITY, TRANSFORMATION or
    AGGREGATION; WINDOW or CONDITIONAL where it says only which rows or which case count."""

    output: str
    table: TableName
    column: str
    how: str


class Indirect(NamedTuple):
    """A column that bears on all that is written; `how` is FILTER, JOIN, GROUP_BY or
    SORT."""

    table: TableName
    column: str
    how: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What of a script does not count, and where (both from 1)."""

    message: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `kind` is its first words; `line` where it begins; `columns` what it gives the
    table that it writes, in order, as far as that is known; `is_whole` that no others are missing.

    `types` are the columns that it declares, with their types; a statement that only declares
    reads nothing. `comment` and `comments` are what it says of what it writes and of columns there:
    "" takes back what was said, None says nothing. `was` is what that was called before; `renamed`
    are old and new names of its columns. `temporary` says that what it writes ends with the script:
    who reads that reads, through it, what it was made of.
    """

    kind: str
    line: int
    reads: tuple[TableName, ...] = ()
    writes: tuple[TableName, ...] = ()
    columns: tuple[str, ...] = ()
    edges: tuple[Edge, ...] = ()
    indirect: tuple[Indirect, ...] = ()
    temporary: bool = False
    is_whole: bool = True
    types: tuple[tuple[str, str], ...] = ()
    comment: str | None = None
    comments: tuple[tuple[str, str], ...] = ()
    was: TableName | None = None
    renamed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """The statements of a script that were understood, in order, and what was not."""

    statements: list[Statement] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


Schema = Mapping[TableName, Mapping[str, str]]
"""The columns of the tables that are known, with their types."""
