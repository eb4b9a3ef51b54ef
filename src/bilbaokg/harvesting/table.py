"""A portal's list of datasets as CSV: one page, a line a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bilbaokg.harvesting.dcat import is_page
from bilbaokg.harvesting.fetcher import Page, Trouble
from bilbaokg.harvesting.reading import Kind, Reading, Refusal
from bilbaokg.harvesting.translating import translated
from bilbaokg.model import Problem
from bilbaokg.settings import Settings
from bilbaokg.terms import DCAT, ref
from bilbaokg.workers import Pool

__all__ = ["Table"]

_TYPES: Final = frozenset({"text/csv", "application/csv", "text/tab-separated-values"})
_HEAD: Final = 4096


class Table(Kind):
    """A table; its columns are known by their headers, or by the mapping of the operator."""

    @staticmethod
    def fits(page: Page, head: bytes) -> bool:
        """Whether it is said to be CSV, by its media type or its name, and is no web page."""
        named = urlsplit(page.url).path.lower().endswith((".csv", ".tsv"))
        return (page.media_type in _TYPES or named) and not is_page(head)

    def read(self, page: Page, file: Path, settings: Settings, pool: Pool) -> Reading:
        """The datasets of the table, and the lines that were refused."""
        with file.open("rb") as opened:
            if is_page(opened.read(_HEAD)):
                words = "a web page came in place of CSV"
                raise Trouble(words, where=page.address, again=True)
        options = {
            "place": page.address.partition("#")[0],
            "charset": page.charset,
            "language": self.language,
            "columns": dict(self.begin.columns or {}),
        }
        parsed, about = translated(page, file, "csv", options, settings, pool)
        notes = [Problem("warning", words, focus=page.address) for words in about["notes"]]
        if unplaced := sorted(about["unplaced"]):
            notes.append(Problem("info", f"columns left out: {', '.join(unplaced)}"))
        return Reading(
            parsed,
            total=about["count"],
            listed={ref(DCAT.Dataset): about["listed"]},
            refused=[Refusal(*refused) for refused in about["refused"]],
            notes=notes,
        )
