"""Importers: a source in, statements out. `planning.py` alone splits them into records.

A new import format is a file here and a line in IMPORTERS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from bilbaokg.importers import rdf
from bilbaokg.model import Source
from bilbaokg.settings import Settings
from bilbaokg.workers import Parsed, Pool

__all__ = ["IMPORTERS", "Importer", "importer_for"]


class Importer(Protocol):
    """Reads the sources of some media types."""

    def __call__(
        self,
        source: Source,
        settings: Settings,
        pool: Pool | None,
        on_lines: Callable[[int], None] | None,
    ) -> Parsed:
        """The statements of a source; raises BadInput and its kin."""


IMPORTERS: Final[dict[str, Importer]] = {
    **dict.fromkeys(rdf.MEDIA_TYPES, rdf.read),
}


def importer_for(source: Source) -> Importer:
    """The importer of a source's media type (`discover` gives only known ones)."""
    return IMPORTERS[source.media_type]
