"""Whether bytes are what they are said to be: JSON, CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Final

__all__ = ["fault"]

_ENCODINGS: Final = ("utf-8-sig", "cp1252")
_ROWS: Final = 100_000


def fault(content: bytes, kind: str) -> str | None:
    """Why bytes are not of a kind (json, csv, tsv); None where nothing is wrong with them."""
    if content[:512].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "it is a web page"
    return _json(content) if kind == "json" else _table(content, "\t" if kind == "tsv" else None)


def _json(content: bytes) -> str | None:
    try:
        # Numbers are not converted: one of a million digits takes minutes.
        json.loads(content, parse_int=str, parse_float=str)
    except UnicodeDecodeError as error:
        return f"byte {error.start} is not UTF-8"
    except json.JSONDecodeError as error:
        return f"{error.msg}: line {error.lineno}, column {error.colno}"
    except RecursionError:
        return "it is nested too deep"
    return None


def _table(content: bytes, delimiter: str | None) -> str | None:
    """Rows must have as many cells as the first; the delimiter is the most frequent in that."""
    if b"\0" in content:
        return f"byte {content.index(0)} is NUL: no text"
    text = _decoded(content)
    if text is None:
        return "its encoding is neither UTF-8 nor Windows-1252"
    head = text.lstrip().partition("\n")[0]
    if not head:
        return "it has no rows"
    chosen = delimiter or max(",;\t|", key=head.count)
    try:
        width = None
        for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=chosen, strict=True)):
            if not row:
                continue
            width = width or len(row)
            if len(row) != width:
                return f"row {number + 1} has {len(row)} cells, the first {width}"
            if number >= _ROWS:
                break
    except csv.Error as error:
        # A long cell is no fault: some hold a whole polygon.
        return None if "field limit" in str(error) else str(error)
    return None


def _decoded(content: bytes) -> str | None:
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
