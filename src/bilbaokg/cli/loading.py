"""Verbs that begin a catalogue and fill it: init, load."""

from __future__ import annotations

from typing import Any

import click

from bilbaokg import gaps, settings
from bilbaokg.cli.base import DONE, group, spooled, verb
from bilbaokg.cli.operating import configuration_of, operate
from bilbaokg.console import Console
from bilbaokg.errors import BadInput
from bilbaokg.skolem import GENID
from bilbaokg.terms import DEFAULT_BASE
from bilbaokg.workspace import initialise, is_initialised

__all__ = ["counted", "tell_load"]

_CLASSES_SHOWN = 15


@verb(group, "init")
@click.option("--base", help=f"IRI under which this catalogue mints identities [{DEFAULT_BASE}].")
@click.option("--title", help="Title of the catalogue, in Spanish.")
def init(console: Console, base: str | None, title: str | None) -> int:
    """Make a data directory.

    Example: bilbaokg init --base https://datos.example.org --title "Datos de la ciudad"
    """
    values: dict[str, Any] = {}
    if base or not is_initialised(console.data):
        values["base"] = (base or DEFAULT_BASE).rstrip("/")
    if title:
        values["title"] = {"es": title}
    made = initialise(console.data, values)
    configuration = settings.read(console.data)
    console.result(
        {"data": str(console.data), "base": configuration.base, "created": made},
        lambda: console.say(
            f"{'Made' if made else 'Already there:'} {console.data}, base {configuration.base}"
        ),
    )
    if not base and made:
        console.note(
            "The base is an example host; it never changes later. "
            "For your own: bilbaokg --data DIR init --base IRI"
        )
    return DONE


def counted(counts: dict[str, int]) -> str:
    """`3 new, 1 changed`, for a person."""
    return ", ".join(f"{number:,} {name}" for name, number in counts.items() if number) or "nothing"


@verb(group, "load")
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "--format", help="Format of the files: ttl, trig, nt, nq, jsonld, rdf [by extension]."
)
@click.option("--base", help="Base IRI for relative IRIs in the files.")
@click.option(
    "--source", help="Name of the source; loading it again replaces what it said [the path]."
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--why", default="", help="Reason, kept in the audit.")
def load(console: Console, paths: tuple[str, ...], **options: Any) -> int:
    """Import RDF from files, folders or standard input (-), also gzip.

    Example: bilbaokg load catalogue.ttl exports/ --why "monthly delivery"
    """
    limit = configuration_of(console).file_limit
    if "-" in paths:
        if len(paths) > 1:
            raise BadInput("- is loaded alone", hint="load the files in a command of their own")
        options["source"] = options["source"] or "stdin"
    with spooled(paths, options["format"], limit) as given:
        done = operate(console, "load", {"paths": [str(path) for path in given], **options})
    console.result(done, lambda: tell_load(console, done))
    return DONE


def tell_load(console: Console, done: dict[str, Any]) -> None:
    """What loading did, for a person."""
    records, statements = done["records"], done["statements"]
    if not (records["new"] or records["changed"] or records["gone"]):
        console.say(f"Nothing changed: {records['unchanged']:,} records are as they were.")
    else:
        console.say(f"{'Would save' if done['dry_run'] else 'Saved'}: {counted(records)} records.")
    console.say(
        f"{gaps.counted(statements['parsed'], 'statement')} read, "
        f"{statements['distinct']:,} distinct, from {gaps.counted(done['files'], 'file')}."
    )
    classes = list(done["classes"].items())
    if classes:
        console.table(["class", "count"], [[c, f"{n:,}"] for c, n in classes[:_CLASSES_SHOWN]])
    if len(classes) > _CLASSES_SHOWN:
        console.say(f"... and {len(classes) - _CLASSES_SHOWN} more (--json lists them all)")
    console.problems(done["problems"])
    if any(problem["component"] for problem in done["problems"]):
        console.say("bilbaokg validate lists all that is missing, and how to mend it.")
    if any(GENID in (problem["focus"] or "") for problem in done["problems"]):
        console.say(f"{GENID} is in the names of nodes that have no IRI of their own.")
