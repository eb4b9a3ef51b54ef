"""Validation reports for people and for tools: text, HTML, CSV; JSON, Turtle, JUnit, SARIF.

Values come from foreign data: each format is escaped by its own rules, terminals and spreadsheets
included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bilbaokg import lazy

if TYPE_CHECKING:
    from bilbaokg.reports.printing import printable
    from bilbaokg.reports.rendering import FORMATS, render

__all__ = ["FORMATS", "printable", "render"]

__getattr__ = lazy.names_of(__name__, {"printing": "printable", "rendering": "FORMATS render"})
