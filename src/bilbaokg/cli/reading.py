"""Verbs that get data out: export, query, queries."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bilbaokg import exports, integrity, queries
from bilbaokg.cli.base import DONE, LANGUAGES, group, hand_out, stdin_text, verb
from bilbaokg.cli.operating import configuration_of, operate
from bilbaokg.cli.releasing import chosen_release
from bilbaokg.console import Console, emit
from bilbaokg.errors import (
    BadInput,
    BilbaokgError,
    DeadlineExceeded,
    NotAcceptable,
)
from bilbaokg.model import Query
from bilbaokg.terms import PREFIXES, plain
from bilbaokg.workers import Pool

__all__: list[str] = []

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
    """Write a release for a target, whole: dcat-ap, dcat-ap-es, ckan, schema.org, or full.

    Example: bilbaokg export dcat-ap --format rdf --output catalogue.rdf
    """
    shown, _ = chosen_release(console, release_id)
    integrity.check(shown)
    # Nothing goes out before all of it could be written.
    with tempfile.TemporaryFile() as content:
        with console.progress() as progress:
            progress(0, None, f"writing {target}")
            exports.write_whole(shown, target, extension.lstrip("."), content, language)
        hand_out(console, content, output)
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
    help="Format of the answer [table; json with --json].",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, 86400, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds.",
)
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
    if math.isnan(timeout):
        raise BadInput("--timeout nan is no number of seconds")
    text = _bound(_saved(query, console.data / queries.OWN), params, console.lang)
    if working:
        store = operate(console, "checkpoint", {})["path"]
    else:
        store = str(chosen_release(console, None)[0].path / "store")
    wanted = format_ or ("json" if console.as_json else "table")
    asked = {"store": store, "default": None, "named": None} | _wanted(wanted)
    asked["limit"] = configuration_of(console).query_bytes
    with Pool(1) as pool, _blaming("standard input" if query == "-" else query, wanted):
        frames = pool.run("query", asked, timeout, body=text.encode(), label=query)
        with console.progress() as progress:
            progress(0, None, "querying")
            pieces = (frame for frame in frames if "beat" not in frame[0])
            # A table is drawn when all of it is there; the rest goes out as it comes.
            ready = list(itertools.islice(pieces, None if wanted == "table" else 1))
        answer = itertools.chain(ready, pieces)
        (_tell_table if wanted == "table" else _pass_on)(console, answer)
    return DONE


def _wanted(format: str) -> dict[str, Any]:
    """What the worker is to answer with."""
    if format == "table":
        return {"rows": _TABLE_ROWS}
    return {"graph": "ttl"} if format == "ttl" else {"results": format, "graph": None}


@contextlib.contextmanager
def _blaming(name: str, wanted: str) -> Iterator[None]:
    """Say of which query an error is, and what can be done about it here."""
    try:
        yield
    except NotAcceptable:
        other = "--format ttl" if wanted != "ttl" else "--format json, csv, tsv, xml or table"
        raise BadInput(
            f"this query cannot be answered as {wanted}", where=name, hint=f"use {other}"
        ) from None
    except BilbaokgError as error:
        error.where = name
        if isinstance(error, DeadlineExceeded):
            error.hint = "give it more --timeout, or ask for less"
        raise


def _saved(name: str, own: Path) -> Query:
    """The query of a name, a file or standard input. Raises NotFound, BadInput."""
    if name == "-":
        return queries.parse("standard input", stdin_text(queries.LIMIT))
    if any(character in name for character in "{?\n"):
        hint = "write it to a file, or to standard input: echo QUERY | bilbaokg query -"
        raise BadInput("a query's text is no argument", hint=hint)
    if Path(name).suffix in (".rq", ".sparql") or Path(name).is_file():
        return replace(queries.read(Path(name)), name=name)
    if "/" in name:
        return queries.load(name)
    return queries.find(name, own, _refuse)


def _refuse(fault: BilbaokgError) -> None:
    raise fault


def _bound(saved: Query, params: tuple[str, ...], language: str) -> str:
    """The text of a query with its parameters; `language` is ours unless given."""
    pairs = [param.partition("=") for param in params]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise BadInput(f"--param {wrong[0]!r} has no value", hint="write --param name=value")
    return queries.bound(saved, language, {name: value for name, _, value in pairs})


def _pass_on(_console: Console, frames: Iterator[tuple[dict[str, Any], bytes]]) -> None:
    for _, piece in frames:
        emit(piece)
    if sys.stdout.isatty():
        emit("\n")


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
    known = queries.saved(
        console.data / queries.OWN, lambda fault: console.complain(str(fault), fault.hint)
    )
    found: list[dict[str, Any]] = [
        {"name": q.name, "title": q.title, "params": q.params} for q in known.values()
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
