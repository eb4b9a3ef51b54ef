"""Verbs that say how to make a catalogue better: quality, lint, probe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import click

from bilbaokg import lint, material, probing, profiles, quality, release
from bilbaokg.cli.base import DONE, FINDINGS, group, put_out, put_report, verb
from bilbaokg.cli.operating import configuration_of, known_settings
from bilbaokg.cli.options import (
    base_option,
    fail_on_option,
    input_format_option,
    output_option,
    paths_argument,
    release_option,
    report_format_option,
)
from bilbaokg.cli.subject import Subject, of_release, subject
from bilbaokg.console import Console
from bilbaokg.gaps import counted
from bilbaokg.model import Problem, Profile
from bilbaokg.probing import ANSWERS, DEAD, Link, Probe, Probes
from bilbaokg.quality.assessment import BY
from bilbaokg.reports import quality as telling
from bilbaokg.terms import ref
from bilbaokg.workspace import is_initialised

__all__: list[str] = []

_CONFORMANCE: Final = "dcat-ap"
"""The profile that MQA means."""

_SAVED_AT_ONCE: Final = 50


@verb(group, "quality")
@paths_argument
@click.option(
    "--by", type=click.Choice(BY), default="area", show_default=True, help="What a line is about."
)
@click.option("--todo", is_flag=True, help="Add what to improve first, for each line.")
@click.option("--history", is_flag=True, help="Add a line for every release.")
@release_option
@click.option(
    "--unvalidated",
    is_flag=True,
    help="Do not validate: whether datasets conform stays unknown.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(sorted(telling.FORMATS)),
    default="text",
    show_default=True,
    help="Format of the result.",
)
@output_option
@input_format_option
@base_option
def quality_of(
    console: Console,
    paths: tuple[str, ...],
    by: str,
    todo: bool,
    history: bool,
    release_id: str | None,
    unvalidated: bool,
    format_: str,
    output: Path | None,
    input_format: str | None,
    base: str | None,
) -> int:
    """Say how good the metadata are: of files, a release, or without PATH the working store.

    Example: bilbaokg quality --by steward --todo --format html --output quality.html
    """
    format_ = "json" if console.as_json else format_
    chosen = subject(console, paths, release_id, input_format, base, history=True)
    found = _assessed(console, chosen, None if unvalidated else profiles.load(_CONFORMANCE))
    past = _history(console) if history else []
    told = telling.Quality(found, by, todo, known_settings(console).base, past)
    put_out(console, telling.render(told, format_, console.lang), format_, output)
    return DONE


def _assessed(
    console: Console, chosen: Subject, profile: Profile | None, *, probed: bool = True
) -> quality.Assessment:
    with console.progress() as progress:
        report = None
        if profile:
            progress(0, None, f"validating against {profile.label}")
            report = chosen.report(profile)
        progress(0, None, "assessing")
        answers = {url: p.state == ANSWERS for url, p in _known(_probes(console) if probed else {})}
        return quality.assess(
            chosen.material.graph,
            source=chosen.name,
            at=chosen.material.at or _today(),
            language=console.lang,
            evidence=quality.Evidence(_failing(report.results) if report else None, answers),
            drifts=chosen.material.drifts,
        )


def _failing(results: Iterable[Problem]) -> frozenset[str]:
    """The datasets (terms) with a violation."""
    found = (p.dataset for p in results if p.severity == "violation" and p.dataset)
    return frozenset(iri if iri.startswith("_:") else ref(iri) for iri in found)


def _history(console: Console) -> list[tuple[str, str, quality.Assessment]]:
    """Every release as it was on its day, oldest first; which links answered then is not known."""
    releases = release.Releases(console.data, configuration_of(console))
    profile = profiles.load(_CONFORMANCE)
    return [
        (
            found.id,
            found.created_at,
            _assessed(console, of_release(found, releases, console.lang), profile, probed=False),
        )
        for found in releases.list()
    ]


def _today() -> date:
    return datetime.now(UTC).date()


def _probes(console: Console) -> dict[str, Probe]:
    """What came of probing, if there is a data directory."""
    return Probes(console.data).all() if is_initialised(console.data) else {}


def _known(probes: dict[str, Probe]) -> Iterable[tuple[str, Probe]]:
    return ((url, probe) for url, probe in probes.items() if probe.state in (ANSWERS, DEAD))


# ---- lint


@verb(group, "lint")
@paths_argument
@release_option
@report_format_option
@output_option
@fail_on_option
@input_format_option
@base_option
def lint_of(
    console: Console,
    paths: tuple[str, ...],
    release_id: str | None,
    format_: str,
    output: Path | None,
    fail_on: str,
    input_format: str | None,
    base: str | None,
) -> int:
    """Find what shapes do not: keywords, dates, titles, formats, dead links.

    Example: bilbaokg lint catalogue.ttl --format sarif --output lint.sarif
    """
    format_ = "json" if console.as_json else format_
    chosen = subject(console, paths, release_id, input_format, base)
    report = lint.lint(
        chosen.material.graph,
        today=_today(),
        language=console.lang,
        places=chosen.material.places,
        released=_released(console),
        probes=_probes(console),
    )
    put_report(console, report, format_, output)
    return FINDINGS if report.at_or_over(fail_on) else DONE


def _released(console: Console) -> dict[str, frozenset[str]]:
    """The identifiers of datasets in the current release, if there is one."""
    if not is_initialised(console.data):
        return {}
    current = release.Releases(console.data, known_settings(console)).current()
    return lint.identifiers(material.of_release(current).graph) if current else {}


# ---- probe


@verb(group, "probe")
@paths_argument
@release_option
@click.option(
    "--limit", type=click.IntRange(1), help="Ask at most so many links, the longest unasked first."
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, 600, min_open=True),
    default=10.0,
    show_default=True,
    help="Seconds for one answer.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    help="Hosts asked at the same time; each gets one request after the other.",
)
@click.option(
    "--pause",
    type=click.FloatRange(0, 60),
    default=0.5,
    show_default=True,
    help="Seconds between two requests to a host; its robots.txt may ask for more.",
)
@input_format_option
@base_option
def probe(
    console: Console,
    paths: tuple[str, ...],
    release_id: str | None,
    limit: int | None,
    timeout: float,
    concurrency: int,
    pause: float,
    input_format: str | None,
    base: str | None,
) -> int:
    """Ask the links of a catalogue whether they answer; quality and lint use the results.

    Example: bilbaokg probe --limit 200
    """
    from bilbaokg.probing.prober import Prober

    configuration_of(console)
    chosen = subject(console, paths, release_id, input_format, base)
    kept = Probes(console.data)
    known = kept.all()
    links = _due(probing.links(chosen.material.graph), known, limit)
    states: Counter[str] = Counter()
    waiting: list[Probe] = []
    with console.progress() as progress:

        def on_probe(found: Probe) -> None:
            states[found.state] += 1
            waiting.append(found)
            progress(states.total(), len(links), found.url[:80])
            if len(waiting) >= _SAVED_AT_ONCE:
                kept.save(waiting)
                waiting.clear()

        try:
            Prober(timeout=timeout, concurrency=concurrency, pause=pause).run(
                links, known, on_probe
            )
        finally:
            kept.save(waiting)
    told = {state: states[state] for state in (ANSWERS, DEAD, probing.UNKNOWN)}
    console.result({"links": len(links), **told}, lambda: _tell_probe(console, len(links), told))
    return DONE


def _due(links: list[Link], known: dict[str, Probe], limit: int | None) -> list[Link]:
    """The links to ask: those never asked first, then the longest unasked."""
    ordered = sorted(links, key=lambda link: known[link.url].at if link.url in known else "")
    return ordered[:limit]


def _tell_probe(console: Console, links: int, states: dict[str, int]) -> None:
    counts = ", ".join(f"{number:,} {state}" for state, number in states.items())
    console.say(f"Asked {counted(links, 'link')}: {counts}.")
    if states[DEAD]:
        console.say("bilbaokg lint lists those that are dead, and what is wrong behind the others.")
