"""A dashboard as a table: a row for each figure of the whole, its principles and its areas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

from bilbaokg.reports.tools import cell

__all__ = ["as_csv"]

_COLUMNS: Final = (
    "area", "area_label", "datasets", "measure", "measure_label", "good", "lacking", "untold",
    "share",
)  # fmt: skip


def as_csv(told: dict[str, Any]) -> str:
    """A dashboard (see `index.dashboard`) as CSV (RFC 4180), with no cell that a spreadsheet takes
    for a formula; `share` is in per cent, empty where it cannot be told."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    writer.writerows([cell(each) for each in row] for row in _rows(told))
    return out.getvalue()


def _rows(told: dict[str, Any]) -> Iterator[list[str]]:
    for standing in (told, *told["areas"]):
        area = standing["area"] or {"iri": "", "label": ""}
        begin = [area["iri"], area["label"], str(standing["datasets"])]
        for figure in (*standing["measures"], *standing.get("principles", ())):
            share = "" if figure["share"] is None else str(figure["share"])
            names = [figure.get("iri") or figure["name"], figure.get("label", "")]
            numbers = [str(figure[state]) for state in ("good", "lacking", "untold")]
            yield [*begin, *names, *numbers, share]
