"""Many queries at once, each of which makes one table: the SQL that dbt compiles.

They are read in workers with the columns of the tables that are known. A query that cannot be read
is told, and the others count; so is one that ends its worker, which is then asked query by query.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bilbaokg.errors import BilbaokgError
from bilbaokg.lineage.script import Edge, Fault, Indirect, Statement, TableName
from bilbaokg.workers import Pool, Put

if TYPE_CHECKING:
    from bilbaokg.lineage.statements import Reader

__all__ = ["Followed", "Query", "Relation", "follow", "job"]

_AT_ONCE: Final = 50
_SECONDS: Final = 60.0
_SECONDS_ALONE: Final = 10.0
_WORKERS: Final = 4
_LONGEST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Relation:
    """A table: as SQL writes it ("" where that is not known), its name, its columns with types."""

    written: str
    name: TableName
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """SQL that makes a table; `reads` are the keys of the relations that it may name."""

    id: str
    makes: str
    reads: Sequence[str]
    sql: str


@dataclass(frozen=True, slots=True)
class Followed:
    """What a query makes of the columns that it reads, as far as that is known, and why not all."""

    statement: Statement | None = None
    fault: Fault | None = None


def follow(
    queries: Sequence[Query], relations: Mapping[str, Relation], dialect: str, pool: Pool | None,
    within: tuple[str, str] = ("", ""),
) -> Iterator[tuple[str, Followed]]:  # fmt: skip
    """What each query (by its id) makes of the columns that it reads.

    Tables have the names, and columns the spelling, of the relations. In no order. within: catalog
    and schema of names that say none.
    """
    if pool is None:
        with Pool(min(_WORKERS, os.cpu_count() or 1)) as own:
            yield from follow(queries, relations, dialect, own, within)
        return
    ready = [query for query in queries if len(query.sql) <= _LONGEST]
    for query in queries:
        if len(query.sql) > _LONGEST:
            fault = Fault(f"its SQL is over {_LONGEST:,} characters", 1, 1)
            yield query.id, Followed(fault=fault)
    parts = [ready[start : start + _AT_ONCE] for start in range(0, len(ready), _AT_ONCE)]
    with ThreadPoolExecutor(min(_WORKERS, pool.size)) as threads:

        def asked(part: Sequence[Query]) -> list[tuple[str, Followed]]:
            return _asked(part, relations, {"dialect": dialect, "within": within}, pool)

        for found in threads.map(asked, parts):
            yield from found


def _asked(
    part: Sequence[Query], relations: Mapping[str, Relation], params: dict[str, Any], pool: Pool
) -> list[tuple[str, Followed]]:
    keys = dict.fromkeys(key for q in part for key in (q.makes, *q.reads) if key in relations)
    known = {key: _sent(relations[key]) for key in keys}
    told = [[query.id, query.makes, list(query.reads), query.sql] for query in part]
    body = json.dumps({"relations": known, "queries": told}).encode()
    seconds = _SECONDS if len(part) > 1 else _SECONDS_ALONE
    try:
        frames = list(pool.run("compiled", params, seconds, body=body, label="SQL"))
    except BilbaokgError as error:
        if len(part) == 1:
            fault = Fault(f"its SQL cannot be read: {error.message}", 1, 1)
            return [(part[0].id, Followed(fault=fault))]
        return [one for query in part for one in _asked([query], relations, params, pool)]
    found = json.loads(b"".join(content for _, content in frames))
    return [(id, _received(told, fault)) for id, told, fault in found]


def _sent(relation: Relation) -> list[Any]:
    return [relation.written, relation.name, dict(relation.columns)]


def _received(told: dict[str, Any] | None, fault: dict[str, Any] | None) -> Followed:
    return Followed(_statement(told) if told else None, Fault(**fault) if fault else None)


def _statement(told: dict[str, Any]) -> Statement:
    return Statement(
        "SELECT", 1, tuple(TableName(*name) for name in told["reads"]), (), tuple(told["columns"]),
        tuple(Edge(o, TableName(*t), c, how) for o, t, c, how in told["edges"]),
        tuple(Indirect(TableName(*t), c, how) for t, c, how in told["indirect"]),
    )  # fmt: skip


# ---- in the worker


def job(params: dict[str, Any], body: bytes, put: Put) -> None:
    """The worker's side of `follow`."""
    from bilbaokg.lineage import statements

    asked = json.loads(body)
    relations = {
        key: Relation(written, TableName(*name), columns)
        for key, (written, name, columns) in asked["relations"].items()
    }
    reader = statements.Reader(params["dialect"], {}, *params["within"])
    known = {key: _known(reader, relation) for key, relation in relations.items()}
    found = []
    for id, makes, reads, sql in asked["queries"]:
        tables = [known[key] for key in dict.fromkeys((makes, *reads)) if key in known]
        reader.begin({table: columns for table, columns, _ in tables})
        spellings = {table: spelling for table, _, spelling in tables}
        made = relations[makes].columns if makes in relations else {}
        told, fault = _one(reader, sql)
        spelled = _spelled(told, spellings, made) if told else None
        found.append((id, spelled, asdict(fault) if fault else None))
    put({"end": True}, json.dumps(found).encode())


def _known(reader: Reader, relation: Relation) -> tuple[TableName, Mapping[str, str], _Spelling]:
    """What SQL calls a relation, its columns as the dialect compares them, and its spelling."""
    table, columns = reader.known(relation.written, relation.name, relation.columns)
    return table, columns, _Spelling(relation.name, relation.columns)


def _one(reader: Reader, sql: str) -> tuple[Statement | None, Fault | None]:
    """What a query makes of its columns, and what is wrong with it."""
    for place, parsed in reader.parsed(sql):
        if isinstance(parsed, Fault):
            return None, parsed
        try:
            told, faults = reader.told(parsed, place)
        except RecursionError:
            return None, Fault("it is nested too deeply", *place)
        fault = faults[0] if faults else None
        if told and told[-1].reads and (told[-1].edges or not fault):
            return told[-1], fault
        if fault:
            return None, fault
    return Statement("SELECT", 1), None


class _Spelling:
    """How a table and its columns are called, whatever the case in which SQL names them."""

    def __init__(self, name: TableName, columns: Mapping[str, str]) -> None:
        self.name, self.columns = name, columns
        self._folded = {column.casefold(): column for column in columns}

    def of(self, column: str) -> str:
        return column if column in self.columns else self._folded.get(column.casefold(), column)


def _spelled(
    told: Statement, spellings: Mapping[TableName, _Spelling], columns: Mapping[str, str]
) -> dict[str, Any]:
    """A statement with the names and spellings of the relations, as the worker answers it; columns:
    those of what it makes."""
    made = _Spelling(TableName("", "", ""), columns)

    def origin(table: TableName, column: str) -> tuple[TableName, str]:
        known = spellings.get(table)
        return (known.name, known.of(column)) if known else (table, column)

    return {
        "reads": [spellings[t].name if t in spellings else t for t in told.reads],
        "columns": [made.of(column) for column in told.columns],
        "edges": [(made.of(e.output), *origin(e.table, e.column), e.how) for e in told.edges],
        "indirect": [(*origin(b.table, b.column), b.how) for b in told.indirect],
    }
