"""Verbs that get data out: export, query."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bilbaokg import exports
from bilbaokg.cli.base import DONE, LANGUAGES, chosen_release, group, operate, verb, write_output
from bilbaokg.console import Console

__all__: list[str] = []


@verb(group, "export")
@click.argument("target")
@click.option("--release", "release_id", help="Release [the current one].")
@click.option(
    "--format",
    "extension",
    default="ttl",
    show_default=True,
    help="rdf, ttl, nt, jsonld; full also nq, trig.",
)
@click.option("--language", type=LANGUAGES, help="Only texts in this language, where there is one.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="File [standard output]."
)
def export(
    console: Console,
    target: str,
    release_id: str | None,
    extension: str,
    language: str | None,
    output: Path | None,
) -> int:
    """Write a release for a target, whole: dcat-ap, or full (every statement).

    Example: bilbaokg export dcat-ap --format rdf --output catalogue.rdf
    """
    shown, configuration = chosen_release(console, release_id)
    content = exports.whole(shown, configuration, target, extension.lstrip("."), language)
    if output:
        write_output(output, content)
        console.note(f"Wrote {len(content):,} bytes to {output}.")
    else:
        sys.stdout.buffer.write(content)
    return DONE


@verb(group, "query")
@click.argument("query")
@click.option(
    "--working", is_flag=True, help="Ask the working store instead of the current release."
)
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="K=V",
    help="Parameter of a saved query; repeatable.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["json", "csv", "tsv", "xml", "ttl", "table"]),
    default="table",
    show_default=True,
)
@click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds.")
def query(
    console: Console,
    query: str,
    working: bool,
    params: tuple[str, ...],
    format_: str,
    timeout: float,
) -> int:
    """Run a saved query, a file, or standard input (-). Without --working: the current release.

    Example: bilbaokg query datasets-without-steward --format csv
    """
    text, substitutions = _query_text(query, params)
    if working:
        store = Path(operate(console, "checkpoint", {})["path"])
    else:
        store = chosen_release(console, None)[0].path / "store"
    evaluate_to_console(console, store, text, substitutions, format_, timeout)
    return DONE
