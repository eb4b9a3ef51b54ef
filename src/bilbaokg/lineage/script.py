"""What a SQL script was understood to say: tables, their columns, and what could not be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

__all__ = ["Edge", "Fault", "Indirect", "Schema", "Script", "Statement", "TableName"]


_ADDRESS: Final = re.compile(r"(?:file:|[a-z][a-z0-9+.-]+:/)")
_BUCKETS: Final = frozenset({"abfs", "abfss", "gs", "s3", "wasb", "wasbs"})


class TableName(NamedTuple):
    """A table as SQL names it, by the case rules of its dialect; "" for a part that is not said.

    A file is named by its address alone: `s3://bucket/key`, `file:/path`.
    """

    catalog: str
    schema: str
    name: str

    @property
    def text(self) -> str:
        """The parts that are said, joined by dots: the name in OpenLineage."""
        return ".".join(part for part in self if part)

    @property
    def is_file(self) -> bool:
        """Whether it is a file outside of the database."""
        return _ADDRESS.match(self.name) is not None

    def placed(self, namespace: str) -> tuple[str, str]:
        """Its namespace and name as OpenLineage has them; namespace: that of the tables.

        A file has the namespace of its storage: `s3://bucket` and `key`, `file` and `/path`.
        """
        if not self.is_file:
            return namespace, self.text
        scheme, _, path = self.name.partition(":")
        if not path.startswith("//"):
            return scheme, path
        authority, slash, rest = path[2:].partition("/")
        # What buckets hold has keys, which begin with no slash.
        name = rest if scheme in _BUCKETS else slash + rest
        return f"{scheme}://{authority}", name or "/"


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
