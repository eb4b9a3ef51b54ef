"""The verb validate: files, the working store or one of its records against a profile."""

from __future__ import annotations

from pathlib import Path

import click

from bilbaokg import exports, profiles, shacl
from bilbaokg.cli.base import DONE, FAILED, FINDINGS, called, group, put_report, spooled, verb
from bilbaokg.cli.operating import configuration_of, known_settings, operate
from bilbaokg.cli.options import (
    base_option,
    fail_on_option,
    input_format_option,
    output_option,
    paths_argument,
    report_format_option,
)
from bilbaokg.console import Console
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.holdings import Around, Holdings
from bilbaokg.importers.rdf import discover
from bilbaokg.model import Profile, Report
from bilbaokg.records import Records
from bilbaokg.settings import Settings
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import is_iri, ref
from bilbaokg.workspace import shelf, verdicts_file

__all__: list[str] = []


@verb(group, "validate")
@paths_argument
@click.option(
    "--profile", help="Profile NAME[/VERSION], or a folder or file of shapes [dcat-ap/3.0.1]."
)
@click.option(
    "--target",
    type=click.Choice(list(exports.TARGETS)),
    help="Say what the gate of this export target alone would stop.",
)
@report_format_option
@output_option
@fail_on_option
@click.option(
    "--engine",
    type=click.Choice([*shacl.ENGINES, shacl.BOTH]),
    default=shacl.DEFAULT_ENGINE,
    show_default=True,
    help="both: run both and compare; exit with 2 when they disagree.",
)
@input_format_option
@base_option
@click.option("--record", metavar="IRI", help="Validate one record of the working store alone.")
def validate(
    console: Console,
    paths: tuple[str, ...],
    profile: str | None,
    target: str | None,
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
    configuration = known_settings(console) if paths else configuration_of(console)
    wanted = shelf(console.data, configuration).load(profile or configuration.profile)
    chosen = profiles.aimed(wanted, target)
    report = (
        _validate_files(console, configuration, paths, chosen, engine, input_format, base)
        if paths
        else _validate_store(console, configuration, chosen, engine, record)
    )
    for note in report.notes:
        console.note(f"note: {note}")
    if report.tables:
        console.note(f"with the imported tables {', '.join(report.tables)}")
    put_report(console, report, format_, output, written="Report written to {}.")
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
    configuration: Settings,
    paths: tuple[str, ...],
    profile: Profile,
    engine: str,
    input_format: str | None,
    base: str | None,
) -> Report:
    with (
        spooled(paths, input_format, configuration.file_limit) as given,
        console.progress() as progress,
    ):
        sources = discover(given, configuration, format=input_format, base=base)
        return shacl.check_sources(
            sources,
            profile,
            configuration,
            engine=engine,
            language=console.lang,
            on_source=lambda n, source: progress(n, len(sources), f"reading {source.name}"),
            on_loaded=lambda statements: progress(0, None, f"validating {statements:,} statements"),
            called=called,
        )


def _validate_store(
    console: Console, configuration: Settings, profile: Profile, engine: str, iri: str | None
) -> Report:
    """The report on all records, or on that of one IRI, in a copy that nobody writes to."""
    with console.progress() as progress:
        copy = EmbeddedStore.read_only(Path(operate(console, "checkpoint", {})["path"]))
        records = Records(copy, configuration)
        if iri:
            return _validate_record(records, iri, profile, console.lang)
        progress(0, None, "validating the working store")

        def on_work(looked_at: int | None, standing: int) -> None:
            if looked_at is not None:
                progress(0, None, f"looking at {looked_at:,} resources; {standing:,} are as before")

        return shacl.check_records(
            Holdings(records),
            profile,
            verdicts_file(console.data, "store", profile.label, console.lang),
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
