"""Verbs on lineage that SQL and databases tell: commands that the group `lineage` takes up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import click

from bilbaokg import gaps
from bilbaokg.cli.base import DONE, FINDINGS, global_options
from bilbaokg.cli.loading import counted
from bilbaokg.cli.operating import configuration_of, operate
from bilbaokg.console import Console
from bilbaokg.errors import BadInput

__all__ = ["scan", "sql", "tell_namespace"]


# The namespace of every table of BigQuery, as OpenLineage names it.
_ALL_THERE_IS: Final = "bigquery"


@click.command("sql")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dialect", required=True, help="Of the SQL: postgres, snowflake, tsql, ...")
@click.option("--namespace", help="Of the tables, as OpenLineage names it [the dialect].")
@click.option(
    "--within", default="", help="Where tables are whose names say less: SCHEMA or DB.SCHEMA."
)
@click.option("--jobs", default="sql", show_default=True, help="The namespace of the jobs.")
@click.option("--dry-run", is_flag=True, help="Tell what would be taken in; write nothing.")
@click.option("--why", default="", help="Reason, kept in the audit.")
@global_options
def sql(console: Console, files: tuple[Path, ...], **options: Any) -> int:
    """Take in what SQL files and folders of them say: which columns are made of which.

    Views, CREATE ... AS, INSERT, MERGE, UPDATE; also scripts of many. What cannot be read is told,
    the rest counts: exit 1.

    Example: bilbaokg lineage sql views.sql --dialect postgres --namespace postgres://db:5432
    """
    paths = [str(path.absolute()) for path in files]
    done = operate(console, "lineage.sql", {"paths": paths, **options})

    def tell() -> None:
        _tell(console, done)
        if options["namespace"] is None:
            tell_namespace(console, done["namespace"])

    console.result(done, tell)
    return FINDINGS if any(p["severity"] == "warning" for p in done["problems"]) else DONE


def tell_namespace(console: Console, taken: str) -> None:
    """Say which namespace the tables got that was not given, and when that is not enough."""
    if taken == _ALL_THERE_IS:
        return
    console.say(
        f"The tables are in the namespace {taken}. Where pipelines tell of "
        "them, too, give theirs: --namespace postgres://HOST:PORT, ..."
    )


def _tell(console: Console, done: dict[str, Any]) -> None:
    told = ", ".join(
        gaps.counted(done[kind], noun)
        for kind, noun in (
            ("statements", "statement"), ("tables", "table"), ("jobs", "job"),
            ("edges", "column edge"),
        )
    )  # fmt: skip
    files = gaps.counted(done["files"], "file")
    if done["records"] is None:
        console.say(f"{files}: {told}; nothing written.")
        console.table(["line", "column", "how", "comes from"], _rows(done))
    else:
        console.say(f"{files}: {told}; records: {counted(done['records'])}.")
    for found in done["problems"]:
        console.say(f"  {_place(found)}: {found['message']}{_hint(found)}")


def _rows(done: dict[str, Any]) -> list[list[Any]]:
    return [
        [
            f"{told['file']}:{told['line']}",
            f"{'.'.join(told['writes'])}.{made['column']}",
            origin["how"].lower(),
            f"{origin['table']}.{origin['column']}",
        ]
        for told in done["lineage"]
        if told["writes"] and not told["temporary"]
        for made in told["columns"]
        for origin in made["from"]
    ]


def _place(found: dict[str, Any]) -> str:
    source = found["source"]
    if not source:
        return str(found["title"] or found["focus"] or found["path"])
    told = [source["file"], *(source[key] for key in ("line", "column") if key in source)]
    return ":".join(map(str, told))


def _hint(found: dict[str, Any]) -> str:
    return f"; {found['hint']}" if found["hint"] else ""


@click.command("scan")
@global_options
@click.argument("url", default="")
@click.option("--url-from", metavar="VARIABLE", help="Environment variable that holds it.")
@click.option("--schema", "schemas", multiple=True, help="This schema only; may be repeated [all].")
@click.option("--namespace", help="Of the tables [by the address, as OpenLineage names it].")
@click.option("--jobs", default="scan", show_default=True, help="The namespace of views as jobs.")
@click.option("--why", default="", help="Reason, kept in the audit.")
def scan(console: Console, url: str, url_from: str | None, **options: Any) -> int:
    """Take in the structure of a database: tables, columns, types, comments, keys, views.

    URL is an address of SQLAlchemy; its user and password are used here and kept nowhere. New
    tables are internal. A view that cannot be followed: exit 1.

    Example: bilbaokg lineage scan --url-from DATABASE_URL --schema mart
    """
    from bilbaokg.importers import database

    configuration_of(console)
    found = database.scan(_url(url, url_from), options.pop("schemas"))
    done = operate(console, "lineage.scan", {"found": found, **options})

    def tell() -> None:
        told = ", ".join(
            gaps.counted(done[kind], noun)
            for kind, noun in (
                ("tables", "table"), ("columns", "column"), ("foreign_keys", "foreign key"),
                ("views", "view"),
            )
        )  # fmt: skip
        console.say(f"{done['namespace']}: {told}; records: {counted(done['records'])}.")
        for problem in done["problems"]:
            console.say(f"  {_place(problem)}: {problem['message']}{_hint(problem)}")

    console.result(done, tell)
    return FINDINGS if any(p["severity"] == "warning" for p in done["problems"]) else DONE


def _url(url: str, variable: str | None) -> str:
    """The address, given in one of two ways. Raises BadInput."""
    if bool(url) == bool(variable):
        raise BadInput("give the address of a database", hint="as URL, or --url-from VARIABLE")
    if not variable:
        return url
    found = os.environ.get(variable)
    if not found:
        raise BadInput("the variable is not set", where=variable, hint=f"export {variable}=...")
    return found
