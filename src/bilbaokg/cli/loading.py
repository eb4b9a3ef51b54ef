"""Verbs that begin a catalogue, fill it and check it: init, load, validate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from bilbaokg import profiles, quality, reports, settings, shacl
from bilbaokg.cli.base import (
    DONE,
    FAILED,
    FINDINGS,
    called,
    configuration_of,
    group,
    operate,
    spooled,
    verb,
    write_output,
)
from bilbaokg.console import Console, emit
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.holdings import Around, Holdings
from bilbaokg.importers.rdf import discover
from bilbaokg.model import Profile, Report
from bilbaokg.records import Records
from bilbaokg.skolem import GENID
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import DEFAULT_BASE, is_iri, ref
from bilbaokg.workspace import initialise, is_initialised, verdicts_file

__all__ = ["counted"]

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
    console.result(done, lambda: _tell_load(console, done))
    return DONE


def _tell_load(console: Console, done: dict[str, Any]) -> None:
    records, statements = done["records"], done["statements"]
    if not (records["new"] or records["changed"] or records["gone"]):
        console.say(f"Nothing changed: {records['unchanged']:,} records are as they were.")
    else:
        console.say(f"{'Would save' if done['dry_run'] else 'Saved'}: {counted(records)} records.")
    console.say(
        f"{quality.counted(statements['parsed'], 'statement')} read, "
        f"{statements['distinct']:,} distinct, from {quality.counted(done['files'], 'file')}."
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


@verb(group, "validate")
@click.argument("paths", nargs=-1)
@click.option(
    "--profile", help="Profile NAME[/VERSION], or a folder or file of shapes [dcat-ap/3.0.1]."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(sorted(reports.FORMATS)),
    default="text",
    show_default=True,
    help="Format of the report.",
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to a file."
)
@click.option(
    "--fail-on",
    type=click.Choice(["violation", "warning", "info", "never"]),
    default="violation",
    show_default=True,
    help="Exit with 1 at a finding this severe, or more.",
)
@click.option(
    "--engine",
    type=click.Choice([*shacl.ENGINES, shacl.BOTH]),
    default=shacl.DEFAULT_ENGINE,
    show_default=True,
    help="both: run both and compare; exit with 2 when they disagree.",
)
@click.option("--input-format", help="Format of the files [by extension].")
@click.option("--base", help="Base IRI for relative IRIs in the files.")
@click.option("--record", metavar="IRI", help="Validate one record of the working store alone.")
def validate(
    console: Console,
    paths: tuple[str, ...],
    profile: str | None,
    format_: str,
    output: Path | None,
    fail_on: str,
    engine: str,
    input_format: str | None,
    base: str | None,
    record: str | None,
) -> int:
    """Validate files, or without PATH the working store.

    Example: bilbaokg validate catalogue.ttl --profile dcat-ap --format html --output report.html
    """
    if console.as_json:
        format_ = "json"
    if record and (paths or engine != shacl.DEFAULT_ENGINE):
        raise BadInput("--record is for the working store and the engine fast alone")
    report = (
        _validate_files(console, paths, profile, engine, input_format, base)
        if paths
        else _validate_store(console, profile, engine, record)
    )
    for note in report.notes:
        console.note(f"note: {note}")
    to_screen = not output and sys.stdout.isatty()
    rendered = reports.render(
        report,
        format_,
        console.lang,
        width=console.width,
        colour=to_screen,
    )
    if output:
        write_output(output, rendered)
        console.note(f"Report written to {output}.")
    elif not console.quiet or format_ != "text":
        emit(rendered)
    if report.differences:
        count = sum(difference.count for difference in report.differences)
        console.complain(
            f"the engines disagree ({count:,}): the verdict cannot be trusted",
            "please report it, with the data and the shapes",
        )
        return FAILED
    return FINDINGS if report.at_or_over(fail_on) else DONE


def _validate_files(
    console: Console,
    paths: tuple[str, ...],
    profile: str | None,
    engine: str,
    input_format: str | None,
    base: str | None,
) -> Report:
    configuration = settings.read(console.data if is_initialised(console.data) else None)
    with (
        spooled(paths, input_format, configuration.file_limit) as given,
        console.progress() as progress,
    ):
        sources = discover(given, configuration, format=input_format, base=base)
        return shacl.check_sources(
            sources,
            profiles.load(profile or configuration.profile),
            configuration,
            engine=engine,
            language=console.lang,
            on_source=lambda n, source: progress(n, len(sources), f"reading {source.name}"),
            on_loaded=lambda statements: progress(0, None, f"validating {statements:,} statements"),
            called=called,
        )


def _validate_store(console: Console, profile: str | None, engine: str, iri: str | None) -> Report:
    """The report on all records, or on that of one IRI, in a copy that nobody writes to."""
    configuration = configuration_of(console)
    chosen = profiles.load(profile or configuration.profile)
    with console.progress() as progress:
        copy = EmbeddedStore.read_only(Path(operate(console, "checkpoint", {})["path"]))
        records = Records(copy, configuration)
        if iri:
            return _validate_record(records, iri, chosen, console.lang)
        progress(0, None, "validating the working store")

        def on_work(looked_at: int | None, standing: int) -> None:
            if looked_at is not None:
                progress(0, None, f"looking at {looked_at:,} resources; {standing:,} are as before")

        return shacl.check_records(
            Holdings(records),
            chosen,
            verdicts_file(console.data, "store", chosen.label, console.lang),
            engine=engine,
            language=console.lang,
            on_work=on_work,
        )


def _validate_record(records: Records, iri: str, profile: Profile, language: str) -> Report:
    home = records.home(ref(iri)) if is_iri(iri) else None
    if home is None:
        raise NotFound(f"no record describes {iri}", hint="give the IRI of a resource, in full")
    around = Around(records, home.id)
    return shacl.check_record(around.own(), around, profile, language=language)
