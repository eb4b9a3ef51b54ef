"""Rows as CSV (RFC 4180), for spreadsheets too."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["as_csv"]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def as_csv(rows: Iterable[Iterable[Any]]) -> str:
    """Rows of texts, numbers and None (an empty cell), with no cell that a spreadsheet takes for a
    formula. Numbers stay as they are: their minus begins none."""
    out = io.StringIO()
    csv.writer(out).writerows(map(_cell, row) for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
