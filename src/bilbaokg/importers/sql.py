"""SQL scripts: files found, read in workers, and told as lineage events.

What a file makes of one table is one job, `{file}#{table}`; what it only reads is the job `{file}`.
Tables have the names that other pipelines give them: the parts joined by dots, in a namespace.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from bilbaokg.errors import BadInput, BilbaokgError
from bilbaokg.importers import files
from bilbaokg.lineage import Event, Name, Table, facets
from bilbaokg.lineage.columns import finally_called
from bilbaokg.lineage.script import Schema, Script, Statement, TableName
from bilbaokg.lineage.sql import read
from bilbaokg.workers import Pool

__all__ = ["Keys", "Read", "Told", "column_lineage", "discover", "read_all", "tell"]

_PRODUCER: Final = "bilbaokg"
_DIRECT: Final = frozenset({"IDENTITY", "TRANSFORMATION", "AGGREGATION"})
_ENDINGS: Final = (".sql", ".ddl")

Known = Callable[[Iterable[TableName]], Schema]
"""Gives the columns of those tables that are known."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says, or why it could not be read."""

    script: Script
    error: BilbaokgError | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of it was understood."""
        return self.error is None and not self.script.faults


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a table: its primary one, and those that lead to others: its columns, the other
    table, the columns of that."""

    primary: Sequence[str] = ()
    foreign: Sequence[tuple[Sequence[str], Name, Sequence[str]]] = ()


@dataclass(slots=True)
class Told:
    """What a source tells: events, the names of its tables and jobs, and what only it can say."""

    events: list[Event] = field(default_factory=list)
    tables: dict[Name, None] = field(default_factory=dict)
    jobs: dict[Name, None] = field(default_factory=dict)
    keys: dict[Name, Keys] = field(default_factory=dict)


# ---- files


def discover(paths: Sequence[Path]) -> dict[str, Path]:
    """The SQL files among paths and in folders, by what they are called. Raises NotFound,
    BadInput."""
    return files.discover(paths, _ENDINGS, "SQL file", " with other --jobs")


def read_all(
    files: Mapping[str, Path], dialect: str, within: tuple[str, str], known: Known,
    pool: Pool | None, progress: Callable[[int], None],
) -> dict[str, Read]:  # fmt: skip
    """Read files, twice where the columns of tables are known elsewhere: in another of the files,
    or by `known`. within: catalog and database of names that say none."""
    found = {}
    for number, (label, file) in enumerate(files.items()):
        progress(number)
        found[label] = _read(label, file, dialect, {}, within, pool)
    names = {table for each in found.values() for s in each.script.statements for table in s.reads}
    schema = {**known(names), **_made(found.values())}
    for label, each in found.items():
        own = _made([each])
        reads = {table for s in each.script.statements for table in s.reads}
        if beside := {t: schema[t] for t in reads & schema.keys() if t not in own}:
            found[label] = _read(label, files[label], dialect, beside, within, pool)
    return found


def _made(found: Iterable[Read]) -> dict[TableName, dict[str, str]]:
    """The tables that statements make with all of their columns."""
    made: dict[TableName, dict[str, str]] = {}
    for each in found:
        for told in each.script.statements:
            is_new = told.kind.startswith(("CREATE", "SELECT")) and told.is_whole
            if is_new and told.columns and not told.temporary:
                columns = {**dict.fromkeys(told.columns, ""), **dict(told.types)}
                made |= dict.fromkeys(told.writes, columns)
            elif told.renamed and told.writes[0] in made:
                names, known = dict(told.renamed), made[told.writes[0]]
                columns = {names.get(column, column): kind for column, kind in known.items()}
                made[told.writes[0]] = columns
    return made


def _read(
    label: str, file: Path, dialect: str, schema: Schema, within: tuple[str, str], pool: Pool | None
) -> Read:
    try:
        content = file.read_bytes()
        catalog, database = within
        return Read(
            read(
                content, dialect, schema, catalog=catalog, database=database, pool=pool, label=label
            )
        )
    except OSError as error:
        return Read(Script(), BadInput(f"cannot be read: {error.strerror}", where=label))
    except BilbaokgError as error:
        error.where = error.where or label
        return Read(Script(), error)


# ---- events


def tell(
    script: Script, label: str, namespace: str, jobs: str, at: str,
    beside: Mapping[TableName, Sequence[Mapping[str, Any]]] = MappingProxyType({}),
) -> Told:  # fmt: skip
    """What a script tells, as events at a time (as Event.at). beside: the columns, as fields of the
    schema facet, of tables that the script speaks of and does not make."""
    out, now = Told(), _final_names(script)

    def named(table: TableName) -> Name | None:
        space, called = now.get(table, table).placed(namespace)
        return facets.name({"namespace": space, "name": called})

    by_target: dict[Name | None, list[Statement]] = {}
    declared: dict[Name, _Declared] = {}
    for told in finally_called(script.statements):
        target = named(told.writes[0]) if told.writes else None
        swapped = told.was is not None and told.was not in now
        if told.temporary or swapped or (told.writes and target is None):
            continue
        if target:
            known = beside.get(told.writes[0], ())
            declared.setdefault(target, _Declared(known)).take(told, namespace)
            out.tables[target] = None
        if told.reads:
            by_target.setdefault(target, []).append(told)
    for name, each in declared.items():
        if given := each.facets():
            out.events.append(Event(at, _PRODUCER, tables=[Table(name, given)]))
    for target, group in by_target.items():
        job = Name(jobs, f"{label}#{target.name}" if target else label)
        out.jobs[job] = None
        out.events.append(_event(job, target, group, named, at))
    return out


def _final_names(script: Script) -> dict[TableName, TableName]:
    """What tables are called in the end that the script renames.

    A name that is given to another table later is none that the first one had: as when a new
    table takes the place of an old one, whose copy then is a table of its own.
    """
    now: dict[TableName, TableName] = {}
    for told in script.statements:
        [new] = told.writes if len(told.writes) == 1 else [None]
        if new is None:
            continue
        if told.was:
            now |= {name: new for name, last in now.items() if last == told.was}
            now[told.was] = new
        if told.was or told.kind.startswith(("CREATE", "SELECT")):
            now.pop(new, None)
    return now


class _Declared:
    """What the statements of a script say of one table without reading: columns, comments, and
    what it was called before."""

    def __init__(self, known: Iterable[Mapping[str, Any]]) -> None:
        self.columns = {str(each["name"]): dict(each) for each in known}
        self.comment: str | None = None
        self.before: dict[str, str] = {}
        self.is_new = self._is_declared = False

    def take(self, told: Statement, namespace: str) -> None:
        """Take in one more statement."""
        if told.types or (told.columns and told.kind.startswith(("CREATE", "SELECT"))):
            self.is_new = True
            types = told.types or [(column, "") for column in told.columns]
            self.columns = {name: _column(name, kind) for name, kind in types}
            self._is_declared = self._is_declared or bool(told.types)
        for column, text in told.comments:
            self.columns.setdefault(column, _column(column, ""))["description"] = text
            self._is_declared = True
        for old, new in told.renamed:
            if old in self.columns and new not in self.columns:
                self._rename(old, new)
        self.comment = self.comment if told.comment is None else told.comment
        if told.was and not self.is_new and not self.before:
            # A table that the script made itself had no other name outside of it.
            self.before = {"namespace": namespace, "name": told.was.text}

    def _rename(self, old: str, new: str) -> None:
        """Its place and what is known of it stay."""
        self.columns = {
            new if name == old else name: {**told, "name": new} if name == old else told
            for name, told in self.columns.items()
        }
        self._is_declared = True

    def facets(self) -> dict[str, str]:
        """The facets that say so."""
        found: dict[str, Any] = {}
        if self._is_declared:
            found["schema"] = {"fields": list(self.columns.values())}
        if self.comment is not None:
            told = {"description": self.comment}
            found["documentation"] = told if self.comment else {"_deleted": True}
        if self.before:
            found["lifecycleStateChange"] = {
                "lifecycleStateChange": "RENAME", "previousIdentifier": self.before
            }  # fmt: skip
        return {name: json.dumps(value) for name, value in found.items()}


def _column(name: str, kind: str) -> dict[str, str]:
    return {"name": name, "type": kind} if kind else {"name": name}


def _event(
    job: Name, target: Name | None, group: Sequence[Statement],
    named: Callable[[TableName], Name | None], at: str,
) -> Event:  # fmt: skip
    read = dict.fromkeys(name for s in group for t in s.reads if (name := named(t)))
    kinds = ", ".join(dict.fromkeys(told.kind for told in group))
    kind = {"processingType": "BATCH", "integration": "SQL", "jobType": kinds}
    outputs = [Table(target, {"columnLineage": column_lineage(group, named)})] if target else []
    return Event(
        at, _PRODUCER, job=job, job_facets={"jobType": json.dumps(kind)},
        inputs=[Table(name) for name in read], outputs=outputs,
    )  # fmt: skip


def column_lineage(
    statements: Iterable[Statement], named: Callable[[TableName], Name | None]
) -> str:
    """The columnLineage facet of what statements make of one table. named: a table's whole name,
    None for one that cannot be told."""
    columns: dict[str, dict[tuple[Name, str], dict[str, None]]] = {}
    whole: dict[tuple[Name, str], dict[str, None]] = {}
    for told in statements:
        for output in told.columns:
            columns.setdefault(output, {})
        for edge in told.edges:
            if name := named(edge.table):
                columns[edge.output].setdefault((name, edge.column), {})[edge.how] = None
        for bears in told.indirect:
            if name := named(bears.table):
                whole.setdefault((name, bears.column), {})[bears.how] = None
    fields = {name: {"inputFields": list(_inputs(told))} for name, told in columns.items()}
    return json.dumps({"fields": fields, "dataset": list(_inputs(whole))})


def _inputs(told: Mapping[tuple[Name, str], Iterable[str]]) -> Iterator[dict[str, Any]]:
    for (table, column), ways in sorted(told.items()):
        yield {
            "namespace": table.namespace, "name": table.name, "field": column,
            "transformations": [
                {"type": "DIRECT" if how in _DIRECT else "INDIRECT", "subtype": how}
                for how in sorted(ways)
            ],
        }  # fmt: skip
