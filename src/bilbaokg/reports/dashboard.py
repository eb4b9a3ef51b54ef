"""A dashboard as a table: a row for each figure of the whole, its principles and its areas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bilbaokg.reports import tables

__all__ = ["as_csv"]

_NUMBERS: Final = ("good", "lacking", "untold", "share")
_COLUMNS: Final = ("area", "area_label", "datasets", "measure", "measure_label", *_NUMBERS)


def as_csv(told: dict[str, Any]) -> str:
    """A dashboard (see `index.dashboard`) as CSV (RFC 4180), with no cell that a spreadsheet takes
    for a formula; `share` is in per cent, empty where it cannot be told."""
    return tables.as_csv([_COLUMNS, *_rows(told)])


def _rows(told: dict[str, Any]) -> Iterator[list[Any]]:
    for standing in (told, *told["areas"]):
        area = standing["area"] or {"iri": "", "label": ""}
        begin = [area["iri"], area["label"], standing["datasets"]]
        for figure in (*standing["measures"], *standing.get("principles", ())):
            names = [figure.get("iri") or figure["name"], figure.get("label", "")]
            yield [*begin, *names, *(figure[name] for name in _NUMBERS)]
