"""Verbs on lineage: take in, walk, ask, and correct the names of tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bilbaokg import gaps
from bilbaokg.cli import scripts
from bilbaokg.cli.base import DONE, FINDINGS, global_options, group, verb
from bilbaokg.cli.loading import counted
from bilbaokg.cli.operating import operate
from bilbaokg.console import Console
from bilbaokg.lineage.walking import DIRECTIONS
from bilbaokg.terms import LANGUAGES

__all__: list[str] = []


@group.group("lineage")
@global_options
def lineage_group() -> None:
    """What pipelines tell: jobs, runs, tables, columns, and what comes from what.

    Example: bilbaokg lineage load events.ndjson
    """


@verb(lineage_group, "load")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--why", default="", help="Reason, kept in the audit.")
def load(console: Console, file: Path, why: str) -> int:
    """Take in recorded OpenLineage events: one JSON object a line, or an array; also gzip.

    Events may come again and in any order. Some refused: exit 1.

    Example: bilbaokg lineage load events.ndjson --why "the archive of last year"
    """
    done = operate(console, "lineage.load", {"path": str(file.absolute()), "why": why})
    console.result(done, lambda: _tell(console, done))
    return FINDINGS if done["refused"] else DONE


@verb(lineage_group, "dbt")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--namespace", help="Of the tables, as OpenLineage names the database.")
@click.option("--jobs", default="dbt", show_default=True, help="The namespace of the jobs.")
@click.option("--why", default="", help="Reason, kept in the audit.")
def dbt(console: Console, target: Path, namespace: str | None, jobs: str, why: str) -> int:
    """Take in what a dbt project left in its target folder: manifest, catalog, results.

    What the project no longer lists stays, and is told. Some not usable: exit 1.

    Example: bilbaokg lineage dbt target --namespace postgres://db:5432
    """
    given = {"path": str(target.absolute()), "namespace": namespace, "jobs": jobs, "why": why}
    done = operate(console, "lineage.dbt", given)
    console.result(done, lambda: _tell_project(console, done))
    unusable = any(problem["severity"] == "warning" for problem in done["problems"])
    return FINDINGS if unusable else DONE


lineage_group.add_command(scripts.sql)


@verb(lineage_group, "upstream")
@click.argument("iri")
@click.option("--hops", type=click.IntRange(1), help="How far to go [all the way].")
def upstream(console: Console, iri: str, hops: int | None) -> int:
    """Tell what a dataset, table, column or job of the working store comes from.

    Example: bilbaokg lineage upstream https://data.example.org/id/table/trips-1b2c --hops 2
    """
    return _walked(console, iri, "upstream", hops)


@verb(lineage_group, "downstream")
@click.argument("iri")
@click.option("--hops", type=click.IntRange(1), help="How far to go [all the way].")
def downstream(console: Console, iri: str, hops: int | None) -> int:
    """Tell what is made of a dataset, table, column or job of the working store.

    Example: bilbaokg lineage downstream https://data.example.org/id/column/free-1b2c
    """
    return _walked(console, iri, "downstream", hops)


def _walked(console: Console, iri: str, direction: str, hops: int | None) -> int:
    asked = {"iri": iri, "direction": direction, "hops": hops}
    done = operate(console, "lineage.walk", asked)
    rows = [[step["hops"], step["label"], step["iri"]] for step in done["found"]]

    def tell() -> None:
        if rows:
            console.table(["hops", "what", "IRI"], rows)
        else:
            console.say(f"Nothing {direction} of {done['label']}.")
        if not done["complete"]:
            console.say("... and more: give --hops")

    console.result(done, tell)
    return DONE


@verb(lineage_group, "path")
@click.argument("iri")
@click.argument("to")
def path(console: Console, iri: str, to: str) -> int:
    """Tell a shortest way between two things, whichever of them lies upstream. None: exit 1.

    Example: bilbaokg lineage path https://data.example.org/id/table/a https://data.example.org/id/table/b
    """
    done = operate(console, "lineage.path", {"iri": iri, "to": to})
    rows = [[number, step["label"], step["iri"]] for number, step in enumerate(done["path"])]

    def tell() -> None:
        if rows:
            console.table(["hops", "what", "IRI"], rows)
        else:
            console.say("No way leads from one to the other.")

    console.result(done, tell)
    return DONE if rows else FINDINGS


@verb(lineage_group, "ends")
@click.argument("direction", type=click.Choice(DIRECTIONS))
def ends(console: Console, direction: str) -> int:
    """List where lineage begins (upstream) or ends (downstream).

    Example: bilbaokg lineage ends upstream
    """
    done = operate(console, "lineage.ends", {"direction": direction})
    rows = [[found["level"], found["label"], found["iri"]] for found in done["found"]]
    console.result(done, lambda: console.table(["level", "what", "IRI"], rows))
    return DONE


@verb(lineage_group, "agree")
@click.argument("iri")
@click.option("--message", type=click.Choice(LANGUAGES), help="Write to each owner, too.")
def agree(console: Console, iri: str, message: str | None) -> int:
    """Tell who must agree to a change: the active owners of all that depends on a thing.

    Datasets that nobody answers for: exit 1.

    Example: bilbaokg lineage agree https://data.example.org/id/column/free-1b2c --message en
    """
    done = operate(console, "lineage.agree", {"iri": iri})

    def tell() -> None:
        rows = [[o["label"], len(o["datasets"]), o["iri"]] for o in done["owners"]]
        if rows:
            console.table(["owner", "datasets", "IRI"], rows)
        for owner in done["owners"] if message else []:
            console.say(f"\n{owner['label']}\n\n{owner['message'][message].strip()}")
        for dataset in done["unowned"]:
            console.say(f"Nobody answers for {dataset['label']} <{dataset['iri']}>.")

    console.result(done, tell)
    return FINDINGS if done["unowned"] else DONE


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


@verb(lineage_group, "names")
def names(console: Console) -> int:
    """List names that lead to another table's: as pipelines link them, as stewards corrected it.

    Example: bilbaokg lineage names
    """
    done = operate(console, "lineage.names", {})
    rows = [[row["identifier"], row["same_as"] or "apart", row["said_by"]] for row in done["names"]]
    console.result(done, lambda: console.table(["name", "same as", "said by"], rows))
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

    It stands, whatever pipelines say later. What was known under the name goes to the table.

    Example: bilbaokg lineage same hive city.trips https://data.example.org/id/table/trips-1b2c
    """
    return _decided(console, operate(console, "lineage.same", params))


@verb(lineage_group, "apart")
@_about_a_name
def apart(console: Console, **params: Any) -> int:
    """Say that a name is a table of its own, though pipelines link it with another.

    What is told under the name from now on goes there.

    Example: bilbaokg lineage apart hive city.trips --why "another table since May"
    """
    return _decided(console, operate(console, "lineage.apart", params))


def _decided(console: Console, done: dict[str, Any]) -> int:
    console.result(done, lambda: console.say(f"{done['identifier']} is {done['iri']}."))
    return DONE


def _tell(console: Console, done: dict[str, Any]) -> None:
    saved = counted({kind: done[kind] for kind in ("new", "changed")})
    console.say(f"{gaps.counted(done['events'], 'event')} taken in; records: {saved}.")
    if done["refused"]:
        console.say(f"{done['refused']:,} refused:")
    for found in done["problems"]:
        place = " ".join(filter(None, (f"line {found['source']['line']}", found["path"])))
        console.say(f"  {place}: {found['message']}; {found['hint']}")


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
