"""Verbs that begin a catalogue, fill it and check it: init, load, validate."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from bilbaokg import profiles, quality, reports, settings, shacl
from bilbaokg.cli.base import (
    DONE,
    FINDINGS,
    configuration_of,
    group,
    operate,
    spooled,
    verb,
    write_output,
)
from bilbaokg.console import Console
from bilbaokg.errors import BadInput
from bilbaokg.importers.rdf import discover
from bilbaokg.model import Report
from bilbaokg.skolem import GENID
from bilbaokg.terms import DEFAULT_BASE, split_lines
from bilbaokg.workers import Pool, parse
from bilbaokg.workspace import initialise, is_initialised

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
    with tempfile.TemporaryDirectory(prefix="bilbaokg-") as spool:
        given = [str(spooled(path, Path(spool), options["format"])) for path in paths]
        if "-" in paths:
            if len(paths) > 1:
                raise BadInput("- is loaded alone", hint="load the files in a command of their own")
            options["source"] = options["source"] or "stdin"
        done = operate(console, "load", {"paths": given, **options})
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
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to a file."
)
@click.option(
    "--fail-on",
    type=click.Choice(["violation", "warning", "info", "never"]),
    default="violation",
    show_default=True,
)
@click.option("--engine", default=None, help="fast, pyshacl or both, as far as installed.")
@click.option("--input-format", help="Format of the files [by extension].")
@click.option("--base", help="Base IRI for relative IRIs in the files.")
def validate(
    console: Console,
    paths: tuple[str, ...],
    profile: str | None,
    format_: str,
    output: Path | None,
    fail_on: str,
    engine: str | None,
    input_format: str | None,
    base: str | None,
) -> int:
    """Validate files, or without PATH the working store.

    Example: bilbaokg validate catalogue.ttl --profile dcat-ap --format html --output report.html
    """
    if console.as_json:
        format_ = "json"
    report = (
        _validate_files(console, paths, profile, engine, input_format, base)
        if paths
        else _validate_store(console, profile, engine)
    )
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
        sys.stdout.write(rendered)
    return FINDINGS if report.at_or_over(fail_on) else DONE


def _validate_files(
    console: Console,
    paths: tuple[str, ...],
    profile: str | None,
    engine: str | None,
    input_format: str | None,
    base: str | None,
) -> Report:
    configuration = settings.read(console.data if is_initialised(console.data) else None)
    with (
        tempfile.TemporaryDirectory(prefix="bilbaokg-") as spool,
        console.progress() as progress,
        Pool(1) as pool,
    ):
        given = [spooled(path, Path(spool), input_format) for path in paths]
        sources = discover(given, configuration, format=input_format, base=base)
        lines: dict[str, None] = {}
        line_of: dict[str, int] = {}
        for number, source in enumerate(sources):
            progress(number, len(sources), f"reading {source.name}")
            parsed = parse(source, configuration, pool=pool, locate=True)
            lines.update(dict.fromkeys(parsed.lines))
            line_of.update(parsed.line_of)
        progress(0, None, f"validating {len(lines):,} statements")
        file = paths[0] if len(sources) == 1 else None
        return _check(
            console,
            list(lines),
            profile or configuration.profile,
            engine,
            line_of=line_of,
            file=file,
        )


def _validate_store(console: Console, profile: str | None, engine: str | None) -> Report:
    configuration = configuration_of(console)
    with tempfile.TemporaryDirectory(prefix="bilbaokg-") as spool:
        dumped = operate(console, "dump", {"path": str(Path(spool) / "records.nt")})
        lines = split_lines(Path(dumped["path"]).read_text(encoding="utf-8"))
    with console.progress() as progress:
        progress(0, None, f"validating {len(lines):,} statements")
        return _check(console, lines, profile or configuration.profile, engine)


def _check(
    console: Console, lines: list[str], profile: str, engine: str | None, **options: Any
) -> Report:
    return shacl.check(
        lines,
        profiles.load(profile),
        engine=engine or shacl.DEFAULT_ENGINE,
        language=console.lang,
        **options,
    )
