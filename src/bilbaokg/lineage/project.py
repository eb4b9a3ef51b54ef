"""The statements of a project or database that events cannot tell: which tables and jobs it has,
their keys, who uses them.

They are the words of one source a project, so that what it no longer lists is told as gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bilbaokg.lineage.measurements import DIGITS, digest
from bilbaokg.lineage.names import shown
from bilbaokg.terms import (
    CSVW,
    DCT,
    DUV,
    FOAF,
    PROV,
    RDF,
    is_iri,
    literal,
    mint,
    ref,
    slugify,
    split_line,
)

__all__ = [
    "job_line",
    "kept",
    "key_lines",
    "table_line",
    "test_mark",
    "usage",
    "usage_line",
]

_TYPE: Final = ref(RDF.type)
_MARK: Final = "#dbt-test-"


def table_line(iri: str) -> str:
    """That the project has a table."""
    return f"{ref(iri)} {_TYPE} {ref(CSVW.Table)} ."


def job_line(iri: str) -> str:
    """That the project has a job."""
    return f"{ref(iri)} {_TYPE} {ref(PROV.Plan)} ."


def key_lines(
    table: str, primary: Sequence[str], foreign: Iterable[tuple[Sequence[str], str, Sequence[str]]]
) -> Iterator[str]:
    """The keys of a table (an IRI) as CSV on the Web tells them in its schema: the columns of the
    primary key; of each foreign one its columns, the other table (an IRI), the columns there."""
    keys = sorted({(tuple(own), other, tuple(theirs)) for own, other, theirs in foreign})
    if not (primary or keys):
        return
    schema = f"<{table}#schema>"
    yield f"{ref(table)} {ref(CSVW.tableSchema)} {schema} ."
    yield f"{schema} {_TYPE} {ref(CSVW.Schema)} ."
    yield from (f"{schema} {ref(CSVW.primaryKey)} {literal(shown(name))} ." for name in primary)
    for own, other, theirs in keys:
        mark = digest(json.dumps([own, other, theirs]))
        key, there = f"<{table}#key-{mark}>", f"<{table}#key-{mark}-reference>"
        yield f"{schema} {ref(CSVW.foreignKey)} {key} ."
        yield f"{key} {_TYPE} {ref(CSVW.ForeignKey)} ."
        yield f"{key} {ref(CSVW.reference)} {there} ."
        yield f"{there} {_TYPE} {ref(CSVW.TableReference)} ."
        yield f"{there} {ref(CSVW.resource)} {ref(other)} ."
        for node, names in ((key, own), (there, theirs)):
            for name in names:
                yield f"{node} {ref(CSVW.columnReference)} {literal(shown(name))} ."


def test_mark(id: str) -> str:
    """What the IRIs of all that one test says begin with, after that of the table."""
    return f"{_MARK}{digest(id)}"


def kept(lines: Iterable[str], marks: set[str]) -> Iterator[str]:
    """Of what was said before: the lines of the tests with these marks (see test_mark)."""
    for line in lines:
        subject, _, object_ = split_line(line)
        node = subject if _MARK in subject else object_
        _, mark, rest = node.partition(_MARK)
        if mark and f"{_MARK}{rest[:DIGITS]}" in marks:
            yield line


def usage_line(table: str, use: str, *, is_tool: bool) -> str:
    """That a table has a use (both IRIs)."""
    return f"{ref(table)} {ref(DUV.hasUsageTool if is_tool else DUV.hasUsage)} {ref(use)} ."


def usage(
    base: str, id: str, title: str, description: str | None, url: str | None, *, is_tool: bool
) -> tuple[str, list[str]]:
    """The IRI of a use of tables, and its lines: a duv:UsageTool for a dashboard or another
    program, else a duv:Usage.

    A link that is no http or https is left out.
    """
    iri = mint(base, "shared", "-".join(filter(None, (slugify(title[:60]), digest(id)))))
    node = ref(iri)
    lines = [
        f"{node} {_TYPE} {ref(DUV.UsageTool if is_tool else DUV.Usage)} .",
        f"{node} {ref(DCT['title'])} {literal(shown(title))} .",
    ]
    if description:
        lines.append(f"{node} {ref(DCT.description)} {literal(description)} .")
    if url and url.startswith(("https://", "http://")) and is_iri(url):
        lines.append(f"{node} {ref(FOAF.page)} {ref(url)} .")
    return iri, lines
