"""What verbs look at: files, a release, or the working store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bilbaokg import material, release, shacl, wording
from bilbaokg.cli.base import called, spooled
from bilbaokg.cli.operating import configuration_of, known_settings, operate
from bilbaokg.cli.releasing import named_release
from bilbaokg.console import Console
from bilbaokg.errors import BadInput
from bilbaokg.holdings import Holdings
from bilbaokg.importers.rdf import discover
from bilbaokg.material import Material
from bilbaokg.model import Profile, Release, Report
from bilbaokg.records import Records
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.workspace import verdicts_file

__all__ = [
    "Subject",
    "of_release",
    "subject",
]


@dataclass(frozen=True, slots=True)
class Subject:
    """What it is called, its statements, and what gives the report of validating it."""

    name: str
    material: Material
    report: Callable[[Profile], Report | None]


def subject(
    console: Console,
    paths: Sequence[str],
    release_id: str | None,
    input_format: str | None,
    base: str | None,
    *,
    history: bool = False,
) -> Subject:
    """The files of arguments, a release, or without either the working store.

    history: also look at what was edited in the working store. Raises BadInput.
    """
    if paths and release_id:
        raise BadInput("files and --release exclude each other")
    if paths:
        return _of_files(console, paths, input_format, base)
    if release_id:
        shown, known = named_release(console, release_id)
        return of_release(shown, release.Releases(console.data, known), console.lang)
    return _of_store(console, history)


def _of_files(
    console: Console, paths: Sequence[str], input_format: str | None, base: str | None
) -> Subject:
    known = known_settings(console)
    with spooled(paths, input_format, known.file_limit) as given, console.progress() as progress:
        sources = discover(given, known, format=input_format, base=base)
        found = material.of_files(
            sources,
            known,
            on_source=lambda n, source: progress(n, len(sources), f"reading {source.name}"),
            called=called,
        )

    def report(profile: Profile) -> Report:
        return shacl.check(found.graph.lines(), profile, language=console.lang)

    return Subject(", ".join(paths[:3]) + (", …" if len(paths) > 3 else ""), found, report)


def _of_store(console: Console, history: bool) -> Subject:
    configuration = configuration_of(console)
    copy = EmbeddedStore.read_only(Path(operate(console, "checkpoint", {})["path"]))
    records = Records(copy, configuration)
    with console.progress() as progress:
        progress(0, None, "reading the working store")
        found = material.of_records(records, history=history)

    def report(profile: Profile) -> Report:
        verdicts = verdicts_file(console.data, "store", profile.label, console.lang)
        return shacl.check_records(Holdings(records), profile, verdicts, language=console.lang)

    return Subject(wording.say("quality.store", console.lang), found, report)


def of_release(shown: Release, releases: release.Releases, language: str) -> Subject:
    """A release; its report is the one that it carries, if that is of the profile."""

    def report(profile: Profile) -> Report | None:
        found = releases.report(shown)
        return found if found and found.profile.startswith(f"{profile.name}/") else None

    name = wording.say("quality.release", language, id=shown.id)
    return Subject(name, material.of_release(shown), report)
