"""Verbs that get data out: export, query, queries."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bilbaokg import exports, integrity, queries
from bilbaokg.cli.base import (
    DONE,
    LANGUAGES,
    chosen_release,
    configuration_of,
    group,
    operate,
    verb,
    write_output,
)
from bilbaokg.console import Console
from bilbaokg.errors import BadInput, NotAcceptable, NotFound
from bilbaokg.model import Query
from bilbaokg.terms import PREFIXES, plain
from bilbaokg.workers import Pool

__all__: list[str] = []

_EXAMPLES = "examples/"
_TABLE_ROWS = 1000


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
    integrity.check(shown)
    content = exports.whole(shown, configuration, target, extension.lstrip("."), language)
    if output:
        write_output(output, content)
        console.note(f"Wrote {len(content):,} bytes to {output}.")
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    return DONE


@verb(group, "query")
@click.argument("query")
@click.option("--working", is_flag=True, help="Ask the working store, not the current release.")
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
    help="[table; json with --json]",
)
@click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds.")
def query(
    console: Console,
    query: str,
    working: bool,
    params: tuple[str, ...],
    format_: str | None,
    timeout: float,
) -> int:
    """Run a saved query (see: bilbaokg queries), a file, or standard input (-).

    Example: bilbaokg query datasets-without-steward --format csv
    """
    text = _bound(_saved(query), params, console.lang)
    if working:
        store = operate(console, "checkpoint", {})["path"]
    else:
        store = str(chosen_release(console, None)[0].path / "store")
    limit = configuration_of(console).query_bytes
    wanted = format_ or ("json" if console.as_json else "table")
    with Pool(1) as pool:
        asked = {"store": store, "default": None, "named": None, "limit": limit}
        if wanted == "table":
            asked["rows"] = _TABLE_ROWS
        else:
            asked |= {"results": wanted, "graph": None} if wanted != "ttl" else {"graph": "ttl"}
        frames = pool.run("query", asked, timeout, body=text.encode(), label=query)
        try:
            (_tell_table if wanted == "table" else _pass_on)(console, frames)
        except NotAcceptable:
            other = "--format ttl" if wanted != "ttl" else "--format json, csv, tsv, xml or table"
            raise BadInput(
                f"this query cannot be answered as {wanted}", where=query, hint=f"use {other}"
            ) from None
    return DONE


def _saved(name: str) -> Query:
    """The query of a name, a file or standard input. Raises NotFound, BadInput."""
    if name == "-":
        return queries.parse("standard input", sys.stdin.read())
    file = Path(name)
    if file.suffix in (".rq", ".sparql") or file.is_file():
        try:
            return queries.parse(name, file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"cannot be read: {error}", where=name) from None
    if "/" in name:
        return queries.load(name)
    try:
        return queries.load(f"{_EXAMPLES}{name}")
    except NotFound as error:
        near = (error.hint or "see: bilbaokg queries").replace(_EXAMPLES, "")
        raise NotFound(f"no saved query {name!r}", hint=near) from None


def _bound(saved: Query, params: tuple[str, ...], language: str) -> str:
    """The text of a query with its parameters; `language` is ours unless given."""
    pairs = [param.partition("=") for param in params]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise BadInput(f"--param {wrong[0]!r} has no value", hint="write --param name=value")
    given = {"language": language} if saved.params.get("language") == "lang" else {}
    return queries.bind(saved, **given | {name: value for name, _, value in pairs})


def _pass_on(_console: Console, frames: Iterator[tuple[dict[str, Any], bytes]]) -> None:
    for _, piece in frames:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.write(b"\n" if sys.stdout.isatty() else b"")
    sys.stdout.buffer.flush()


def _tell_table(console: Console, frames: Iterator[tuple[dict[str, Any], bytes]]) -> None:
    variables: list[str] = []
    held = bytearray()
    more = False
    for header, piece in frames:
        if "boolean" in header:
            console.say("yes" if header["boolean"] else "no")
            return
        variables = header.get("variables", variables)
        more = more or bool(header.get("truncated"))
        held += piece
    rows = [json.loads(line) for line in held.splitlines()]
    if rows:
        console.table(variables, [[_cell(term) for term in row] for row in rows])
    note = (
        f"The first {len(rows):,} rows; --format csv gives all." if more else f"{len(rows):,} rows."
    )
    console.note(note)


def _cell(term: str | None) -> str:
    if term is None:
        return ""
    value = plain(term)
    for prefix, namespace in PREFIXES.items():
        if term.startswith("<") and value.startswith(namespace):
            return f"{prefix}:{value[len(namespace) :]}"
    return value


@verb(group, "queries")
def list_queries(console: Console) -> int:
    """List the saved queries with their parameters.

    Example: bilbaokg queries --lang es
    """
    found: list[dict[str, Any]] = [
        {"name": q.name.removeprefix(_EXAMPLES), "title": q.title, "params": q.params}
        for q in queries.available("examples")
    ]
    rows = [
        [
            q["name"],
            q["title"].get(console.lang) or next(iter(q["title"].values())),
            " ".join(f"{name}={kind}" for name, kind in q["params"].items()),
        ]
        for q in found
    ]
    console.result({"queries": found}, lambda: console.table(["name", "what", "parameters"], rows))
    return DONE
