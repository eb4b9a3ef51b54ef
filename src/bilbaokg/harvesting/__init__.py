"""Harvesting what another portal lists: fetched whole, compared, and only then loaded.

    fetcher.py    one page: politely, within limits, again where that may help
    shelf.py      the pages of a source on disk: a harvest that was stopped goes on from them
    reading.py    what is read of a page, and whether all pages agree
    dcat.py ...   one kind of portal each: where its pages are and what they say
    harvester.py  the walk from page to page, and the table of kinds

Nothing here writes to the catalogue. Imported only by who harvests: the HTTP client takes its time
to load.
"""

from __future__ import annotations

__all__: list[str] = []
