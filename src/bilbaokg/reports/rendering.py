"""A validation report in any of its formats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bilbaokg.errors import UnsupportedFormat
from bilbaokg.model import Report
from bilbaokg.reports.people import html, text
from bilbaokg.reports.tools import as_csv, as_json, junit, sarif, turtle
from bilbaokg.terms import LANGUAGES

__all__ = ["FORMATS", "render"]

FORMATS: Final[dict[str, Callable[[Report, str], str]]] = {
    "text": text,
    "json": as_json,
    "turtle": turtle,
    "junit": junit,
    "sarif": sarif,
    "html": html,
    "csv": as_csv,
}


def render(
    report: Report, format: str, language: str = "es", *, width: int = 80, colour: bool = False
) -> str:
    """A report as text of one of FORMATS.

    width and colour (ANSI codes) are for the text format. Raises UnsupportedFormat.
    """
    if format not in FORMATS:
        raise UnsupportedFormat(
            f"unknown report format {format!r}", hint=f"one of: {', '.join(FORMATS)}"
        )
    language = language if language in LANGUAGES else "es"
    if format == "text":
        written = text(report, language, width, colour)
    else:
        written = FORMATS[format](report, language)
    # File names may hold bytes that are no UTF-8: no output could be written with them.
    return written.encode("utf-8", "replace").decode()
