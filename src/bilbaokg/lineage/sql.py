"""SQL scripts read as lineage: which tables a statement reads and writes, which columns come from
which, and how.

`columns` works in this process: for SQL of our own and of tests. What strangers send goes through
`read`, a worker with a deadline. sqlglot parses; the ways in which a column is made are those of
OpenLineage's columnLineage facet. What cannot be read is told by line and column, and the rest
counts.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import asdict
from typing import Any, Final

from bilbaokg.errors import BadInput, DeadlineExceeded, Invalid, TooLarge
from bilbaokg.lineage.script import Edge, Fault, Indirect, Schema, Script, Statement, TableName
from bilbaokg.settings import MIB
from bilbaokg.workers import Pool, Put

__all__ = [
    "SIZE_LIMIT",
    "check_dialect",
    "columns",
    "job",
    "read",
]

SIZE_LIMIT: Final = 8 * MIB
"""Bytes that one script may have."""
_MOST_STATEMENTS: Final = 20_000
_SECONDS: Final = 30.0
_SECONDS_A_MIB: Final = 30.0


def check_dialect(name: str) -> str:
    """The name of a dialect as sqlglot writes it. Raises BadInput naming the nearest and all."""
    from sqlglot.dialects.dialect import Dialect, Dialects

    known = sorted(d.value for d in Dialects if d.value)
    wanted = {"postgresql": "postgres", "sqlserver": "tsql", "mssql": "tsql", "mariadb": "mysql"}
    lowered = wanted.get(name.strip().lower(), name.strip().lower())
    if lowered not in known or Dialect.get(lowered) is None:
        near = " or ".join(difflib.get_close_matches(lowered, known, 3, 0.6))
        raise BadInput(
            f"no SQL dialect {name!r} is known", where="dialect",
            hint=f"{f'{near} is meant? ' * bool(near)}one of: {', '.join(known)}",
        )  # fmt: skip
    return lowered


def read(
    sql: bytes, dialect: str, schema: Schema | None = None, *,
    catalog: str = "", database: str = "", pool: Pool | None = None, label: str = "SQL",
) -> Script:  # fmt: skip
    """What `columns` finds, read in a worker: one of the pool, or one of its own.

    Raises BadInput for bytes that are no text or an unknown dialect, TooLarge, DeadlineExceeded,
    MemoryExceeded, WorkerCrashed.
    """
    if len(sql) > SIZE_LIMIT:
        raise TooLarge(f"over {SIZE_LIMIT:,} bytes of SQL", where=label, hint="split the script")
    known = [[*table, dict(told)] for table, told in (schema or {}).items()]
    params = {
        "dialect": dialect, "schema": known, "catalog": catalog, "database": database,
        "label": label,
    }  # fmt: skip
    seconds = _SECONDS + _SECONDS_A_MIB * len(sql) / MIB
    if pool is None:
        with Pool(1) as own:
            return _received(own, params, sql, seconds, label)
    return _received(pool, params, sql, seconds, label)


def _received(pool: Pool, params: dict[str, Any], sql: bytes, seconds: float, label: str) -> Script:
    try:
        answers = list(pool.run("sql", params, seconds, body=sql, label=label))
    except DeadlineExceeded as error:
        error.hint = error.hint or "split the script, or leave out its largest statement"
        raise
    found = json.loads(b"".join(content for _, content in answers))
    return Script(
        [_statement(told) for told in found["statements"]],
        [Fault(**told) for told in found["faults"]],
    )


def _statement(told: dict[str, Any]) -> Statement:
    return Statement(
        told["kind"], told["line"],
        tuple(TableName(*name) for name in told["reads"]),
        tuple(TableName(*name) for name in told["writes"]),
        tuple(told["columns"]),
        tuple(Edge(o, TableName(*t), c, how) for o, t, c, how in told["edges"]),
        tuple(Indirect(TableName(*t), c, how) for t, c, how in told["indirect"]),
        told["temporary"], told["is_whole"], tuple((c, t) for c, t in told["types"]),
        told["comment"], tuple((c, t) for c, t in told["comments"]),
        TableName(*told["was"]) if told["was"] else None, tuple((o, n) for o, n in told["renamed"]),
    )  # fmt: skip


def job(params: dict[str, Any], body: bytes, put: Put) -> None:
    """The worker's side of `read`."""
    if (nul := body.find(b"\0")) >= 0:
        raise BadInput(f"byte {nul} is NUL", where=params["label"], hint="give SQL in UTF-8")
    try:
        sql = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"byte {error.start} is not UTF-8", where=params["label"], hint="give SQL in UTF-8"
        ) from None
    schema = {TableName(c, s, n): told for c, s, n, told in params["schema"]}
    found = columns(
        sql, params["dialect"], schema, catalog=params["catalog"], database=params["database"]
    )
    put({"end": True}, json.dumps(asdict(found)).encode())


def columns(
    sql: str, dialect: str, schema: Schema | None = None, *, catalog: str = "", database: str = ""
) -> Script:
    """What the statements of a script say of tables and columns.

    catalog and database (a schema in most dialects) are those of names that say none, written as in
    SQL. Raises BadInput for an unknown dialect, Invalid for too many statements.
    """
    from bilbaokg.lineage import statements

    dialect = check_dialect(dialect)
    home = [statements.as_compared(name, dialect) for name in (catalog, database)]
    reader = statements.Reader(dialect, schema or {}, *home)
    found = Script()
    for count, (place, parsed) in enumerate(reader.parsed(sql)):
        if count == _MOST_STATEMENTS:
            raise Invalid(f"over {_MOST_STATEMENTS:,} statements", hint="split the script")
        if isinstance(parsed, Fault):
            found.faults.append(parsed)
            continue
        try:
            told, faults = reader.told(parsed, place)
        except RecursionError:
            found.faults.append(Fault("it is nested too deeply", *place))
            continue
        except statements.BROKEN as error:
            if statements.is_ours(error):
                raise
            found.faults.append(Fault("it is not whole, or its parts do not fit", *place))
            continue
        found.faults.extend(faults)
        found.statements.extend(told)
    return found
