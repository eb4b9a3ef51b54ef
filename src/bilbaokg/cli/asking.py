"""Verbs that ask lineage: of the working store, or of a release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import click

from bilbaokg.cli.base import DONE, FINDINGS, global_options, group, verb
from bilbaokg.cli.operating import operate
from bilbaokg.cli.releasing import CURRENT, named_release
from bilbaokg.console import Console, emit
from bilbaokg.errors import BadInput
from bilbaokg.lineage import differences
from bilbaokg.lineage.answers import MOST
from bilbaokg.lineage.ground import Ground
from bilbaokg.lineage.walking import DIRECTIONS
from bilbaokg.operations.questions import ANSWERS
from bilbaokg.reports import lineage as tables
from bilbaokg.terms import LANGUAGES

__all__ = ["lineage_group"]

_MORE: Final = "... and more than are told here"


@group.group("lineage")
@global_options
def lineage_group() -> None:
    """What pipelines tell: jobs, runs, tables, columns, and what comes from what.

    Example: bilbaokg lineage openlineage events.ndjson
    """


def _asking(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options that all questions have."""
    for option in (
        click.option("--csv", "as_csv", is_flag=True, help="Print the answer as CSV."),
        click.option("--release", metavar="ID", help="Ask a release, or the current one, instead."),
    ):
        function = option(function)
    return function


def _ask(
    console: Console, question: str, release: str | None, params: Mapping[str, Any]
) -> dict[str, Any]:
    """The answer of the working store, or of a release where one is named."""
    if release is None:
        return operate(console, f"lineage.{question}", dict(params))
    return ANSWERS[question](_ground(console, release), params)


def _ground(console: Console, release: str) -> Ground:
    found, configuration = named_release(console, release)
    return Ground.released(found.path, configuration.base, console.lang)


def _tell(
    console: Console, told: dict[str, Any], kind: str, nothing: str, *, as_csv: bool,
    further: Callable[[], None] = lambda: None,
) -> None:  # fmt: skip
    """Print an answer: as CSV, as JSON, or as a table with what is to be said beside it."""
    if as_csv:
        emit(tables.as_csv(kind, told))
        return
    rows = [list(row) for row in tables.TABLES[kind].rows(told)]

    def tell() -> None:
        if rows:
            console.table(list(tables.TABLES[kind].columns), rows)
        else:
            console.say(nothing)
        if not told.get("complete", True):
            console.say(_MORE)
        further()

    console.result(told, tell)


@verb(lineage_group, "upstream")
@click.argument("iri")
@click.option("--hops", type=click.IntRange(1), help="How far to go [all the way].")
@click.option("--exactly", is_flag=True, help="Only what is so many hops away, no nearer.")
@_asking
def upstream(console: Console, iri: str, **options: Any) -> int:
    """Tell what a dataset, table, column or job comes from: by its IRI, or as it is called.

    Example: bilbaokg lineage upstream city.mart.trips --hops 2
    """
    return _walked(console, iri, "upstream", **options)


@verb(lineage_group, "downstream")
@click.argument("iri")
@click.option("--hops", type=click.IntRange(1), help="How far to go [all the way].")
@click.option("--exactly", is_flag=True, help="Only what is so many hops away, no nearer.")
@_asking
def downstream(console: Console, iri: str, **options: Any) -> int:
    """Tell what is made of a dataset, table, column or job: by its IRI, or as it is called.

    Example: bilbaokg lineage downstream city.raw.bikes.free
    """
    return _walked(console, iri, "downstream", **options)


def _walked(
    console: Console, iri: str, direction: str, *, hops: int | None, exactly: bool,
    release: str | None, as_csv: bool,
) -> int:  # fmt: skip
    if exactly and hops is None:
        raise BadInput("exactly how many hops?", hint="give --hops N with --exactly")
    asked = {"iri": iri, "direction": direction, "hops": hops, "exactly": exactly}
    told = _ask(console, "walk", release, asked)
    nothing = f"Nothing {direction} of {told['label']}" + (f" at {hops} hops." * exactly or ".")
    _tell(console, told, "walk", nothing, as_csv=as_csv)
    return DONE


@verb(lineage_group, "path")
@click.argument("iri")
@click.argument("to")
@_asking
def path(console: Console, iri: str, to: str, release: str | None, as_csv: bool) -> int:
    """Tell a shortest way between two things, whichever of them lies upstream. None: exit 1.

    Example: bilbaokg lineage path https://data.example.org/id/table/a https://data.example.org/id/table/b
    """
    told = _ask(console, "path", release, {"iri": iri, "to": to})
    _tell(console, told, "path", "No way leads from one to the other.", as_csv=as_csv)
    return DONE if told["path"] else FINDINGS


@verb(lineage_group, "ends")
@click.argument("direction", type=click.Choice(DIRECTIONS))
@_asking
def ends(console: Console, direction: str, release: str | None, as_csv: bool) -> int:
    """List where lineage begins (upstream) or ends (downstream).

    Example: bilbaokg lineage ends upstream
    """
    told = _ask(console, "ends", release, {"direction": direction})
    _tell(console, told, "found", "There is no lineage yet.", as_csv=as_csv)
    return DONE


@verb(lineage_group, "circles")
@_asking
def circles(console: Console, release: str | None, as_csv: bool) -> int:
    """List things that come from themselves, of each knot a shortest circle. Some: exit 1.

    Example: bilbaokg lineage circles
    """
    told = _ask(console, "circles", release, {})
    _tell(console, told, "circles", "Nothing comes from itself.", as_csv=as_csv)
    return FINDINGS if told["circles"] else DONE


@verb(lineage_group, "dead-ends")
@_asking
def dead_ends(console: Console, release: str | None, as_csv: bool) -> int:
    """List tables that are made and not used, and jobs that read and write nothing.

    Example: bilbaokg lineage dead-ends --csv
    """
    told = _ask(console, "dead-ends", release, {})
    _tell(console, told, "found", "There are no dead ends.", as_csv=as_csv)
    return DONE


@verb(lineage_group, "agree")
@click.argument("iri")
@click.option("--message", type=click.Choice(LANGUAGES), help="Write to each owner, too.")
@_asking
def agree(
    console: Console, iri: str, message: str | None, release: str | None, as_csv: bool
) -> int:
    """Tell who must agree to a change: the active owners of all that depends on a thing.

    Datasets that nobody answers for: exit 1.

    Example: bilbaokg lineage agree https://data.example.org/id/column/free-1b2c --message en
    """
    told = _ask(console, "agree", release, {"iri": iri})

    def further() -> None:
        for owner in told["owners"] if message else []:
            console.say(f"\n{owner['label']}\n\n{owner['message'][message].strip()}")
        for dataset in told["unowned"]:
            console.say(f"Nobody answers for {dataset['label']} <{dataset['iri']}>.")
        for table in told["uncertain"]:
            console.say(
                f"Nobody tells which columns {table['label']} <{table['iri']}> is made of: "
                "it may depend on it, too."
            )

    _tell(console, told, "agree", "Nobody has to agree.", as_csv=as_csv, further=further)
    return FINDINGS if told["unowned"] else DONE


@verb(lineage_group, "spoiled")
@click.argument("iri", required=False)
@_asking
def spoiled(console: Console, iri: str | None, release: str | None, as_csv: bool) -> int:
    """Tell what failed runs spoil: all that is made of what they were to write. Some: exit 1.

    Runs after which one of the same job went well are mended. IRI: of one run or job.

    Example: bilbaokg lineage spoiled https://data.example.org/id/job/trips-1b2c
    """
    told = _ask(console, "spoiled", release, {"iri": iri or ""})

    def further() -> None:
        for run in told["runs"]:
            datasets = ", ".join(each["label"] for each in run["datasets"])
            if datasets:
                console.say(f"Concerns the datasets {datasets}.")

    _tell(console, told, "spoiled", "No failed run spoils anything.", as_csv=as_csv,
          further=further)  # fmt: skip
    return FINDINGS if told["runs"] else DONE


@verb(lineage_group, "coverage")
@_asking
def coverage(console: Console, release: str | None, as_csv: bool) -> int:
    """Tell of how many datasets lineage is known, said to be unknown, or missing; by area.

    Example: bilbaokg lineage coverage --release current
    """
    told = _ask(console, "coverage", release, {})
    _tell(console, told, "coverage", "There are no datasets.", as_csv=as_csv)
    return DONE


@verb(lineage_group, "duties")
@click.argument("iri", required=False)
@_asking
def duties(console: Console, iri: str | None, release: str | None, as_csv: bool) -> int:
    """List public datasets with sources that ask for care, and the way from there. Some: exit 1.

    Such sources are not public, hold personal data, are under another licence, or are classified
    by what travels along derivations. IRI: of one dataset.

    Example: bilbaokg lineage duties --release current
    """
    told = _ask(console, "duties", release, {"iri": iri or ""})
    nothing = "No public dataset has a source that asks for care."
    _tell(console, told, "duties", nothing, as_csv=as_csv)
    return FINDINGS if told["count"] else DONE


@verb(lineage_group, "changed")
@click.argument("since")
@click.argument("until", required=False)
@click.option("--csv", "as_csv", is_flag=True, help="Print the answer as CSV.")
def changed(console: Console, since: str, until: str | None, as_csv: bool) -> int:
    """Tell what came and went in the lineage: between two releases, or two dates.

    Dates (from the beginning of the first to the end of the second, now by default) ask the working
    store; releases are compared with the current one by default.

    Example: bilbaokg lineage changed r1 r2
    """
    if since[:1] == "r":
        before, after = _ground(console, since), _ground(console, until or CURRENT)
        found = differences.between(before.graph, after.graph)
        told = differences.telling(after, found, MOST)
        told = {"since": since, "until": until or CURRENT, **told}
    else:
        told = operate(console, "lineage.changed", {"since": since, "until": until})
    _tell(console, told, "changed", "Nothing came or went.", as_csv=as_csv)
    return DONE
