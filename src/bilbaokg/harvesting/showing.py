"""What a portal shows now: fetched as for a harvest, and kept in no catalogue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bilbaokg.harvesting.harvester import Asked, Harvester
from bilbaokg.harvesting.reading import Harvested
from bilbaokg.harvesting.shelf import Shelf
from bilbaokg.settings import Settings
from bilbaokg.workers import Pool

__all__ = ["shown"]


def shown(
    asked: Asked,
    data: Path,
    settings: Settings,
    pool: Pool,
    tell: Callable[[int, int | None, str], None],
) -> Harvested:
    """Everything that a portal lists. Raises as a harvest does."""
    with Shelf.opened(data, f"check {asked.url}") as shelf:
        found = Harvester(asked, shelf, settings, pool, tell).run()
        shelf.finish()
    return found
