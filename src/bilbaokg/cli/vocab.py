"""Verbs on authority tables: list, search, import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bilbaokg.authority import Concept, Tables
from bilbaokg.cli.base import DONE, global_options, group, verb
from bilbaokg.cli.operating import operate
from bilbaokg.console import Console
from bilbaokg.profiles import TABLES

__all__: list[str] = []


@group.group("vocab")
@global_options
def vocab_group() -> None:
    """Authority tables: the values that profiles know.

    Example: bilbaokg vocab search anual
    """


def _tables(console: Console) -> Tables:
    with console.progress() as progress:
        progress(0, None, "reading the tables")
        return Tables(console.data / TABLES)


@verb(vocab_group, "list")
def vocab_list(console: Console) -> int:
    """List the authority tables, bundled and imported, with how many concepts each has.

    Example: bilbaokg vocab list
    """
    found = _tables(console).all()
    rows = [
        [
            table.name,
            f"{table.concepts:,}",
            f"{table.deprecated:,}" if table.deprecated else "",
            "imported" if table.imported else "bundled",
            table.title.get(console.lang) or next(iter(table.title.values()), ""),
        ]
        for table in found
    ]
    heads = ["table", "concepts", "deprecated", "from", "title"]
    console.result(
        {"tables": [table.as_dict() for table in found]}, lambda: console.table(heads, rows)
    )
    return DONE


@verb(vocab_group, "search")
@click.argument("text")
@click.option("--table", help="Search in this table alone: its name or IRI.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many."
)
def vocab_search(console: Console, text: str, table: str | None, limit: int) -> int:
    """Find concepts by code or label in any language; the nearest where none has the text.

    Example: bilbaokg vocab search "medio ambiente" --table data-theme
    """
    found = _tables(console).search(text, table=table, limit=limit)
    rows = [_row(concept, console.lang) for concept in found]

    def tell() -> None:
        if rows:
            console.table(["table", "code", "label", "iri"], rows)
        else:
            console.say("Nothing like it in the tables. bilbaokg vocab list says which there are.")

    console.result({"concepts": [concept.as_dict() for concept in found]}, tell)
    return DONE


def _row(concept: Concept, language: str) -> list[str]:
    label = concept.labels.get(language) or next(iter(concept.labels.values()), "")
    note = " (deprecated)" if concept.deprecated else ""
    return [concept.table, concept.code, f"{label}{note}", concept.iri]


@verb(vocab_group, "import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--format", help="Format of the file: ttl, trig, nt, nq, jsonld, rdf [by extension].")
def vocab_import(console: Console, path: Path, **options: Any) -> int:
    """Take in a full official table (SKOS): validation knows its concepts from then on.

    Example: bilbaokg vocab import languages-skos.rdf
    """
    done = operate(console, "vocab.import", {"path": str(path.absolute()), **options})
    console.result(
        done,
        lambda: console.say(
            f"Imported {done['table']}: {done['concepts']:,} concepts of {done['scheme']}."
        ),
    )
    return DONE
