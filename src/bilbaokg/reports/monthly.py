"""The monthly report of an area as a table: a row for each measure."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

from bilbaokg.reports.tools import cell

__all__ = ["as_csv"]

_MEASURE: Final = ("good", "lacking", "untold", "share", "share_before", "points")
_COLUMNS: Final = ("area", "area_label", "month", "release", "before", "measure", *_MEASURE)


def as_csv(told: dict[str, Any]) -> str:
    """A report (see `/api/dashboards/{slug}/report`) as CSV (RFC 4180), with no cell that a
    spreadsheet takes for a formula; `share` is in per cent, empty where it cannot be told."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    area = told["area"]
    names = [area["iri"], area["label"], told["month"], told["release"], told["before"] or ""]
    for held in told["measures"]:
        # Numbers may fall: their minus begins no formula.
        writer.writerow([*map(cell, names), held["name"], *(held[n] for n in _MEASURE)])
    return out.getvalue()
