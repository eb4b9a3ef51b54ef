"""Verbs on lineage: take in, and correct the names of tables."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any, Final

import click

from bilbaokg import gaps
from bilbaokg.cli import provenance, scripts, titles
from bilbaokg.cli.asking import lineage_group
from bilbaokg.cli.base import DONE, FINDINGS, verb
from bilbaokg.cli.loading import counted
from bilbaokg.cli.operating import operate
from bilbaokg.console import Console
from bilbaokg.lineage.names import Name, shown

__all__: list[str] = []

_SHOWN: Final = 20
_AGE: Final = re.compile(r"([1-9]\d{0,4})d?")


@verb(lineage_group, "openlineage")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--why", default="", help="Reason, kept in the audit.")
def openlineage(console: Console, files: tuple[Path, ...], why: str) -> int:
    """Take in recorded OpenLineage events, out of files and folders: JSON objects, a line each or
    over several lines, or an array; also gzip.

    Events may come again and in any order. Some refused: exit 1.

    Example: bilbaokg lineage openlineage events.ndjson --why "the archive of last year"
    """
    paths = [str(path.absolute()) for path in files]
    done = operate(console, "lineage.load", {"paths": paths, "why": why})
    several = len(files) > 1 or files[0].is_dir()
    console.result(done, lambda: _tell(console, done, several=several))
    return FINDINGS if done["refused"] else DONE


# The name that it had first, which scripts may use.
lineage_group.add_command(former := copy.copy(openlineage), "load")
former.hidden = True


@verb(lineage_group, "dbt")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--namespace", help="Of the tables, as OpenLineage names it [the adapter].")
@click.option("--jobs", default="dbt", show_default=True, help="The namespace of the jobs.")
@click.option("--why", default="", help="Reason, kept in the audit.")
def dbt(console: Console, target: Path, namespace: str | None, jobs: str, why: str) -> int:
    """Take in what a dbt project left in its target folder: manifest, catalog, results.

    What the project no longer lists stays, and is told. Some not usable: exit 1.

    Example: bilbaokg lineage dbt target --namespace postgres://db:5432
    """
    given = {"path": str(target.absolute()), "namespace": namespace, "jobs": jobs, "why": why}
    done = operate(console, "lineage.dbt", given)

    def tell() -> None:
        _tell_project(console, done)
        if namespace is None:
            scripts.tell_namespace(console, done["namespace"])

    console.result(done, tell)
    unusable = any(problem["severity"] == "warning" for problem in done["problems"])
    return FINDINGS if unusable else DONE


lineage_group.add_command(scripts.sql)
lineage_group.add_command(provenance.export)
lineage_group.add_command(scripts.scan)
lineage_group.add_command(titles.titles)


@verb(lineage_group, "forget")
@click.argument("iri")
@click.option("--why", default="", help="Reason, kept in the audit.")
def forget(console: Console, iri: str, why: str) -> int:
    """Delete a job, and take back what it said of tables. What others say of them stays.

    Example: bilbaokg lineage forget https://data.example.org/id/job/trips-1b2c --why "replaced"
    """
    done = operate(console, "lineage.forget", {"iri": iri, "why": why})
    console.result(done, lambda: console.say(f"Forgotten: {iri}; {counted(done['records'])}."))
    return DONE


def _days(_context: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise click.BadParameter(f"{text!r} is no number of days; give it as 90d")
    return int(found[1])


@verb(lineage_group, "prune")
@click.option(
    "--older-than", "days", callback=_days, help="So many days, as 90d [setting run_days]."
)
@click.option("--dry-run", is_flag=True, help="Tell what would go, and let it stay.")
@click.option("--why", default="", help="Reason, kept in the audit.")
def prune(console: Console, days: int | None, *, dry_run: bool, why: str) -> int:
    """Remove old runs. What jobs read and write stays as it is.

    Of each job the last run of each outcome stays, and so do runs that something points to.

    Example: bilbaokg lineage prune --older-than 90d --dry-run
    """
    done = operate(console, "lineage.prune", {"days": days, "dry_run": dry_run, "why": why})
    console.result(done, lambda: _tell_pruned(console, done))
    return DONE


def _tell_pruned(console: Console, done: dict[str, Any]) -> None:
    verb = "would go" if done["dry_run"] else "removed"
    runs, kept = gaps.counted(done["removed"], "run"), done["kept"]
    console.say(f"{runs} {verb}: nothing was told of them since {done['before'][:10]}.")
    console.say(
        f"As old and kept: {kept['last_of_job']:,} as the last of a job with its outcome, "
        f"{kept['pointed_to']:,} that something points to."
    )


def _spelt(identifier: str) -> list[str]:
    """The namespace and the name of an identifier, as `same` and `apart` take them."""
    return [shown(part) for part in Name.of(identifier) if part]


@verb(lineage_group, "names")
def names(console: Console) -> int:
    """List names that lead to another table's: as pipelines link them, as stewards corrected it.

    Example: bilbaokg lineage names
    """
    done = operate(console, "lineage.names", {})
    rows = [
        [
            *_spelt(row["identifier"]),
            " ".join(_spelt(row["same_as"] or "")) or "apart",
            row["said_by"],
        ]
        for row in done["names"]
    ]
    console.result(done, lambda: console.table(["namespace", "name", "same as", "said by"], rows))
    return DONE


_NAME = (
    click.argument("namespace"),
    click.argument("name"),
    click.option("--why", default="", help="Reason, kept in the audit."),
)


def _about_a_name(function: Any) -> Any:
    for decorate in reversed(_NAME):
        function = decorate(function)
    return function


@verb(lineage_group, "same")
@_about_a_name
@click.argument("iri")
def same(console: Console, **params: Any) -> int:
    """Say that a name which pipelines use is one more name of the table IRI.

    It stands, whatever pipelines say later. What was known under the name goes to the table, which
    keeps this IRI.

    Example: bilbaokg lineage same hive city.trips https://data.example.org/id/table/trips-1b2c
    """
    return _decided(console, operate(console, "lineage.same", params))


@verb(lineage_group, "apart")
@_about_a_name
def apart(console: Console, **params: Any) -> int:
    """Say that a name is a table of its own, though pipelines link it with another.

    What was told under the name goes there, and what is told from now on.

    Example: bilbaokg lineage apart hive city.trips --why "another table since May"
    """
    return _decided(console, operate(console, "lineage.apart", params))


def _decided(console: Console, done: dict[str, Any]) -> int:
    called = " ".join(_spelt(done["identifier"]))
    console.result(done, lambda: console.say(f"{called} is {done['iri']}."))
    return DONE


def _tell(console: Console, done: dict[str, Any], *, several: bool) -> None:
    saved = counted({kind: done[kind] for kind in ("new", "changed")})
    console.say(f"{gaps.counted(done['events'], 'event')} taken in; records: {saved}.")
    if done["refused"]:
        console.say(f"{done['refused']:,} refused:")
    for found in done["problems"][:_SHOWN]:
        file, line = found["source"]["file"], found["source"]["line"]
        places = (file if several else "", f"line {line}" if line else "", found["path"])
        hint = f"; {found['hint']}" if found["hint"] else ""
        console.say(f"  {' '.join(filter(None, places)) or file}: {found['message']}{hint}")
    if more := done["refused"] - len(done["problems"][:_SHOWN]):
        console.say(f"  ... and {more:,} more (--json tells up to 100)")


def _tell_project(console: Console, done: dict[str, Any]) -> None:
    told = ", ".join(
        gaps.counted(done[kind], kind.removesuffix("s"))
        for kind in ("tables", "jobs", "measurements", "exposures")
    )
    console.say(f"{done['project']}: {told}; records: {counted(done['records'])}.")
    for found in done["problems"]:
        place = found["title"] or found["focus"] or found["path"]
        hint = f"; {found['hint']}" if found["hint"] else ""
        console.say(f"  {place}: {found['message']}{hint}")
