"""Verbs on lineage that is read out of SQL: commands that the group `lineage` takes up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bilbaokg import gaps
from bilbaokg.cli.base import DONE, FINDINGS, global_options
from bilbaokg.cli.loading import counted
from bilbaokg.cli.operating import operate
from bilbaokg.console import Console

__all__ = ["sql"]


@click.command("sql")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dialect", required=True, help="Of the SQL: postgres, snowflake, tsql, ...")
@click.option("--namespace", required=True, help="Of the tables, as OpenLineage names it.")
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
    console.result(done, lambda: _tell(console, done))
    return FINDINGS if any(p["severity"] == "warning" for p in done["problems"]) else DONE


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
