"""A look at a data directory and all that it needs, for whoever is on call; it changes nothing.

Each check gives lines, whatever state the others are in: a broken directory is when they are
needed. `place` is where it is and who holds it, `content` what it holds, `surroundings` what it
runs on and how it was set up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from bilbaokg.checkup import content, place, surroundings
from bilbaokg.checkup.lines import OK, PROBLEM, STATES, UNSEEN, WARNING, Line, Said, lines_of
from bilbaokg.errors import NotFound, StorageFault
from bilbaokg.settings import Settings

__all__ = ["OK", "PROBLEM", "STATES", "UNSEEN", "WARNING", "Line", "examine"]


def examine(data: Path) -> Iterator[Line]:
    """Look at a data directory, a line at a time.

    Raises NotFound where there is none, StorageFault where it is closed to who runs this.
    """
    if not data.is_dir():
        hint = "give --data DIR, or set BILBAOKG_DATA"
        raise NotFound("there is no directory", where=str(data), hint=hint)
    try:
        holder, known = place.held(data), surroundings.usable(data)
    except OSError as error:
        hint = "run it as the user of the server"
        raise StorageFault(
            f"it cannot be read: {error.strerror}", where=str(data), hint=hint
        ) from None
    configuration = known or Settings()

    def with_settings(look: Callable[[], Said]) -> Callable[[], Said]:
        return look if known else _needs_settings

    checks: dict[str, Callable[[], Said]] = {
        "directory": lambda: place.directory(data),
        "disk": lambda: place.disk(data),
        "server": lambda: place.server(data, holder),
        "settings": lambda: surroundings.configured(data),
        "addresses": with_settings(lambda: surroundings.addresses(configuration, holder)),
        "store": with_settings(lambda: content.stored(data, configuration, holder)),
        "releases": with_settings(lambda: content.releases(data, configuration, holder)),
        "tokens": lambda: content.accounts(data),
        "webhooks": with_settings(lambda: content.webhooks(data, configuration)),
        "cache": lambda: content.cache(data),
        "backup": lambda: content.backed_up(data),
        "versions": surroundings.versions,
        "clock": lambda: surroundings.clock(data, known),
    }
    for check, look in checks.items():
        yield from lines_of(check, look)


def _needs_settings() -> Said:
    yield UNSEEN, "needs settings that can be used", "mend them first"
