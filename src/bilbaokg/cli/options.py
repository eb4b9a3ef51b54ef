"""Options that several verbs have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from bilbaokg import reports

__all__ = [
    "base_option",
    "fail_on_option",
    "input_format_option",
    "output_option",
    "paths_argument",
    "portal_options",
    "release_option",
    "report_format_option",
]

paths_argument = click.argument("paths", nargs=-1)
release_option = click.option(
    "--release", "release_id", metavar="ID", help="Look at a release: its id, or current."
)
output_option = click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the result to a file."
)
input_format_option = click.option("--input-format", help="Format of the files [by extension].")
base_option = click.option("--base", help="Base IRI for relative IRIs in the files.")
report_format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(sorted(reports.FORMATS)),
    default="text",
    show_default=True,
    help="Format of the report.",
)
fail_on_option = click.option(
    "--fail-on",
    type=click.Choice(["violation", "warning", "info", "never"]),
    default="violation",
    show_default=True,
    help="Exit with 1 at a finding this severe, or more.",
)
_PORTAL_OPTIONS = (
    click.option("--kind", help="What is at the URL: dcat, ckan, csv [found out]."),
    click.option(
        "--allow-private", is_flag=True, help="Let the host of URL have a private or local address."
    ),
    click.option(
        "--ignore-robots", is_flag=True, help="Do not ask robots.txt: it is your own portal."
    ),
    click.option(
        "--pause",
        type=click.FloatRange(0, 60),
        default=0.5,
        show_default=True,
        help="Seconds between two requests; the host's robots.txt may ask for more.",
    ),
)
F = TypeVar("F", bound=Callable[..., Any])


def portal_options(verb: F) -> F:
    """How a portal is asked."""
    for option in reversed(_PORTAL_OPTIONS):
        verb = option(verb)
    return verb
