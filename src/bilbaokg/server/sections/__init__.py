"""The pages of the site, by the section of the navigation that they belong to.

Each module gives its pages: where they are, and what answers them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bilbaokg.server.sections import (
    catalogue,
    dashboards,
    guides,
    lineage,
    querying,
    releases,
    validation,
)
from bilbaokg.server.sections.page import Page

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["Page", "pages"]

# The first path that fits answers: those of the catalogue fit any kind of record.
_SECTIONS: Final = (querying, releases, guides, lineage, validation, dashboards, catalogue)


def pages(context: Context) -> list[Page]:
    """Every page of the site."""
    return [page for section in _SECTIONS for page in section.pages(context)]
