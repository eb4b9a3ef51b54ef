"""The monthly report of an area as a table: a row for each measure."""

from __future__ import annotations

from typing import Any, Final

from bilbaokg.reports import tables

__all__ = ["as_csv"]

_MEASURE: Final = ("good", "lacking", "untold", "share", "share_before", "points")
_COLUMNS: Final = ("area", "area_label", "month", "release", "before", "measure", *_MEASURE)


def as_csv(told: dict[str, Any]) -> str:
    """A report (see `/api/dashboards/{slug}/report`) as CSV (RFC 4180), with no cell that a
    spreadsheet takes for a formula; `share` is in per cent, empty where it cannot be told."""
    area = told["area"]
    names = [area["iri"], area["label"], told["month"], told["release"], told["before"] or ""]
    rows = ([*names, held["name"], *(held[n] for n in _MEASURE)] for held in told["measures"])
    return tables.as_csv([_COLUMNS, *rows])
