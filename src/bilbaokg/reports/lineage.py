"""Answers of lineage as tables, the same in the terminal, in files and over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from bilbaokg.reports import tables

__all__ = ["TABLES", "Table", "as_csv"]

Answer = Mapping[str, Any]


class Table(NamedTuple):
    """How an answer becomes rows."""

    columns: tuple[str, ...]
    rows: Callable[[Answer], Iterable[tuple[Any, ...]]]


def _level(thing: Mapping[str, Any]) -> str:
    """What a thing is; of what is elsewhere, that it is, and whether it is gone there."""
    if "elsewhere" not in thing:
        return str(thing["level"])
    return f"elsewhere, gone since {thing['gone'][:10]}" if thing["gone"] else "elsewhere"


def _walk(told: Answer) -> Iterator[tuple[Any, ...]]:
    for step in told["found"]:
        yield step["hops"], step["label"], _level(step), step["iri"], step["via"]


def _path(told: Answer) -> Iterator[tuple[Any, ...]]:
    for number, node in enumerate(told["path"]):
        yield number, node["label"], node["iri"]


def _found(told: Answer) -> Iterator[tuple[Any, ...]]:
    for node in told["found"]:
        yield _level(node), node["label"], node["iri"]


def _circles(told: Answer) -> Iterator[tuple[Any, ...]]:
    for number, circle in enumerate(told["circles"], 1):
        for node in circle:
            yield number, _level(node), node["label"], node["iri"]


def _agree(told: Answer) -> Iterator[tuple[Any, ...]]:
    nobody = {"label": "", "iri": "", "datasets": told["unowned"]}
    for owner in (*told["owners"], nobody):
        for dataset in owner["datasets"]:
            yield owner["label"], dataset["label"], owner["iri"], dataset["iri"]


def _spoiled(told: Answer) -> Iterator[tuple[Any, ...]]:
    for run in told["runs"]:
        job, good = run["job"] or {}, run["last_good"] or {}
        head = job.get("label", ""), run["at"], good.get("at", "")
        for hops, things in ((0, run["writes"]), (None, run["spoiled"])):
            for thing in things:
                far = thing["hops"] if hops is None else hops
                yield *head, far, thing["label"], _level(thing), thing["iri"], run["iri"]


def _coverage(told: Answer) -> Iterator[tuple[Any, ...]]:
    for area in (*told["areas"], {**told, "label": "all", "iri": ""}):
        counts = (area[name] for name in ("datasets", "known", "unknown", "missing", "share"))
        yield area["label"], *counts, area["iri"]


def _duties(told: Answer) -> Iterator[tuple[Any, ...]]:
    for duty in told["found"]:
        values = "; ".join(value["label"] for value in duty["values"])
        way = " > ".join(node["label"] for node in duty["path"])
        source, dataset = duty["source"], duty["dataset"]
        yield (
            dataset["label"],
            duty["kind"],
            source["label"],
            values,
            way,
            dataset["iri"],
            source["iri"],
        )


def _changed(told: Answer) -> Iterator[tuple[Any, ...]]:
    for name in ("added", "removed"):
        for edge in told[name]:
            ends = edge["source"], edge["target"]
            yield name, edge["kind"], *(e["label"] for e in ends), *(e["iri"] for e in ends)


TABLES: Final = {
    "walk": Table(("hops", "what", "level", "IRI", "via"), _walk),
    "path": Table(("hops", "what", "IRI"), _path),
    "found": Table(("level", "what", "IRI"), _found),
    "circles": Table(("circle", "level", "what", "IRI"), _circles),
    "agree": Table(("owner", "dataset", "owner IRI", "dataset IRI"), _agree),
    "spoiled": Table(
        ("job", "failed", "last good", "hops", "what", "level", "IRI", "run"), _spoiled
    ),
    "coverage": Table(
        ("area", "datasets", "known", "unknown", "missing", "share", "IRI"), _coverage
    ),
    "duties": Table(
        ("dataset", "kind", "source", "values", "path", "IRI", "source IRI"), _duties
    ),
    "changed": Table(("change", "kind", "from", "to", "from IRI", "to IRI"), _changed),
}  # fmt: skip
"""Kind of answer -> its table. In the last row of `coverage` stands the whole."""


def as_csv(kind: str, told: Answer) -> str:
    """An answer as CSV (RFC 4180), with no cell that a spreadsheet takes for a formula."""
    return tables.as_csv([TABLES[kind].columns, *TABLES[kind].rows(told)])
