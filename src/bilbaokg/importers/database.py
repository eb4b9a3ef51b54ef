"""Databases: their structure read by SQLAlchemy, on the side of whoever can reach them.

What is read is plain data, without the address's user and password. Tables get the
names that OpenLineage gives them, so that what pipelines tell of the same tables is one record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from bilbaokg.errors import BadInput, BilbaokgError, NotFound

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, Engine
    from sqlalchemy.engine.reflection import Inspector

__all__ = ["scan"]

# Dialect of SQLAlchemy -> namespace in OpenLineage, its usual port, dialect of sqlglot.
_KINDS: Final = {
    "postgresql": ("postgres", 5432, "postgres"),
    "mysql": ("mysql", 3306, "mysql"),
    "mariadb": ("mysql", 3306, "mysql"),
    "mssql": ("mssql", 1433, "tsql"),
    "oracle": ("oracle", 1521, "oracle"),
    "sqlite": ("sqlite", None, "sqlite"),
    "duckdb": ("duckdb", None, "duckdb"),
}
_SYSTEM: Final = frozenset(
    {"information_schema", "pg_catalog", "pg_toast", "sys", "mysql", "performance_schema", "guest"}
)
_INSTALL: Final = "pip install 'bilbaokg[scan]'"
_MOST_TABLES: Final = 20_000


def scan(url: str, schemas: Iterable[str] = ()) -> dict[str, Any]:
    """The structure of a database, of some schemas or of all that are its users'.

    Returns `{"namespace", "dialect", "catalog", "schema", "schemas": {name: [table, ...]}}`; a
    table is `{"name", "kind", "comment", "columns", "primary_key", "foreign_keys", "sql"}`. Raises
    BadInput and NotFound, which never show the password.
    """
    try:
        from sqlalchemy import create_engine, exc, inspect
    except ImportError:
        raise BadInput("a scan needs SQLAlchemy", hint=_INSTALL) from None
    address = _address(url)
    shown = _shown(address)
    try:
        engine = create_engine(_read_only(address))
    except exc.NoSuchModuleError:
        raise BadInput(
            f"no database {address.drivername!r} is known", where=shown,
            hint="install its dialect for SQLAlchemy, or give postgresql://, mysql://, sqlite:///",
        ) from None  # fmt: skip
    except ImportError as error:
        raise BadInput(
            f"its driver is not installed: {error.name}", where=shown,
            hint=f"pip install {error.name}, or name another one: {_other(address)}",
        ) from None  # fmt: skip
    try:
        with engine.connect() as connection:
            return _scanned(engine, connection, inspect(connection), address, list(schemas))
    except exc.SQLAlchemyError as error:
        told = _masked(str(getattr(error, "orig", None) or error), address)
        raise BadInput(
            f"it cannot be read: {told}", where=shown, hint="check host, user and rights"
        ) from None
    except BilbaokgError as error:
        error.where = error.where or shown
        raise
    finally:
        engine.dispose()


def _address(url: str) -> URL:
    from sqlalchemy import exc, make_url

    try:
        return make_url(url)
    except (exc.ArgumentError, ValueError):
        raise BadInput(
            "it is no address of a database",
            hint="like postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, or sqlite:///FILE",
        ) from None


def _shown(address: URL) -> str:
    """The address without user, password and options."""
    host = f"{address.host or ''}:{address.port}" if address.port else address.host or ""
    return f"{address.drivername}://{host}/{address.database or ''}"


def _other(address: URL) -> str:
    return f"{address.get_backend_name()}+DRIVER://..."


def _masked(text: str, address: URL) -> str:
    """What a driver says, in one line, without the password."""
    words = " ".join(text.split())[:300]
    password = str(address.password) if address.password else ""
    for secret in filter(None, (password, quote(password, safe=""))):
        words = words.replace(secret, "***")
    return words


def _read_only(address: URL) -> URL:
    """The address with which nothing is written; a file must be there."""
    if address.get_backend_name() != "sqlite":
        return address
    file = Path(address.database or "")
    if not file.is_file():
        raise NotFound("no such database file", where=str(file), hint="give sqlite:///FILE")
    return address.set(
        database=f"file:{quote(str(file.absolute()))}", query={"mode": "ro", "uri": "true"}
    )


def _scanned(
    engine: Engine, connection: Connection, inspector: Inspector, address: URL, wanted: list[str]
) -> dict[str, Any]:
    kind = address.get_backend_name()
    scheme, port, dialect = _KINDS.get(kind, (kind, None, kind))
    there = [name for name in inspector.get_schema_names() if not _is_system(name)]
    if missing := [name for name in wanted if name not in inspector.get_schema_names()]:
        raise NotFound(
            f"there is no schema {missing[0]!r}", hint=f"there are: {', '.join(there[:20])}"
        )
    default = inspector.default_schema_name or ""
    # The one schema of a SQLite file is not part of names.
    called = {name: "" if kind == "sqlite" else name for name in wanted or there}
    found = {called[name]: list(_tables(engine, inspector, name, called)) for name in called}
    if sum(map(len, found.values())) > _MOST_TABLES:
        raise BadInput(f"over {_MOST_TABLES:,} tables", hint="scan some schemas: --schema")
    host = f"{address.host}:{address.port or port}" if port else _file(address)
    # Where a schema is a database of the server, tables are named by that; of a file by themselves.
    is_flat = scheme in ("mysql", "sqlite")
    return {
        "namespace": f"{scheme}://{host}",
        "dialect": dialect,
        "catalog": "" if is_flat else _catalog(connection, address),
        "schema": called.get(default, default),
        "schemas": found,
    }


def _file(address: URL) -> str:
    return str(Path(address.database or "").absolute()) if address.database else address.host or ""


def _catalog(connection: Connection, address: URL) -> str:
    if address.get_backend_name() in ("postgresql", "duckdb"):
        return str(connection.exec_driver_sql("SELECT current_database()").scalar())
    return address.database or str(address.query.get("service_name") or "")


def _is_system(name: str) -> bool:
    lowered = name.lower()
    return lowered in _SYSTEM or lowered.startswith(("pg_", "db_"))


def _tables(
    engine: Engine, inspector: Inspector, schema: str, called: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    from sqlalchemy.engine.reflection import ObjectKind, ObjectScope

    given: dict[str, Any] = {
        "schema": schema, "kind": ObjectKind.ANY, "scope": ObjectScope.DEFAULT
    }  # fmt: skip
    columns = inspector.get_multi_columns(**given)
    keys = inspector.get_multi_pk_constraint(**given)
    foreign = inspector.get_multi_foreign_keys(**given)
    comments = _comments(inspector, given)
    views = {*inspector.get_view_names(schema), *_materialized(inspector, schema)}
    for key in sorted(columns, key=lambda key: key[1]):
        name = key[1]
        yield {
            "name": name,
            "kind": "VIEW" if name in views else "BASE TABLE",
            "comment": comments[key].get("text") if key in comments else None,
            "columns": [
                {
                    "name": each["name"], "type": _type(each["type"], engine),
                    "comment": each.get("comment"), "nullable": each.get("nullable", True),
                }
                for each in columns[key]
            ],
            "primary_key": keys[key]["constrained_columns"] if key in keys else [],
            "foreign_keys": [
                {
                    "columns": each["constrained_columns"],
                    "schema": called.get(other := each.get("referred_schema") or schema, other),
                    "table": each["referred_table"], "referred": each["referred_columns"],
                }
                for each in foreign.get(key) or ()
            ],
            "sql": _definition(inspector, name, schema) if name in views else None,
        }  # fmt: skip


def _comments(inspector: Inspector, given: dict[str, Any]) -> Mapping[Any, Any]:
    try:
        return inspector.get_multi_table_comment(**given)
    except NotImplementedError:
        return {}


def _materialized(inspector: Inspector, schema: str) -> list[str]:
    try:
        return list(inspector.get_materialized_view_names(schema))
    except NotImplementedError:
        return []


def _definition(inspector: Inspector, name: str, schema: str) -> str | None:
    """The SQL of a view; None where the database does not show it."""
    from sqlalchemy import exc

    try:
        return inspector.get_view_definition(name, schema)
    except (NotImplementedError, exc.SQLAlchemyError):
        return None


def _type(kind: Any, engine: Engine) -> str:
    from sqlalchemy import exc

    try:
        return "" if str(kind) == "NULL" else str(kind.compile(dialect=engine.dialect))
    except exc.SQLAlchemyError:
        return str(kind)
