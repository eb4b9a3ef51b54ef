"""What the server's parts are given: the data directory, its settings, and what works on them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bilbaokg.accounts import Accounts
from bilbaokg.model import Release
from bilbaokg.release import Releases
from bilbaokg.server.kept import Given, Kept
from bilbaokg.server.lanes import LANES, Lanes
from bilbaokg.server.reading import Catalogue
from bilbaokg.server.replays import Replays
from bilbaokg.server.usage import Usage
from bilbaokg.settings import Settings
from bilbaokg.workers import Pool

if TYPE_CHECKING:
    from bilbaokg.workspace import Workspace

__all__ = ["Context"]


@dataclass(frozen=True)
class Context:
    """Everything that a request may need; made once by whoever starts the server.

    `workspace` is None where only the public side is served.
    """

    data: Path
    settings: Settings
    releases: Releases
    pool: Pool
    accounts: Accounts
    workspace: Workspace | None = None
    usage: Usage = field(default_factory=Usage)
    catalogue: Catalogue = field(init=False)
    lanes: Lanes = field(init=False)
    kept: Kept[str, Given] = field(init=False)
    replays: Replays = field(init=False)
    # How many records were new, changed and gone, by the ids of two releases.
    counted: dict[tuple[str, str], tuple[int, int, int]] = field(default_factory=dict, init=False)
    _link: str = field(init=False, repr=False)
    _seen: dict[str, Release] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_link", str(self.data / "releases" / "current"))
        catalogue = Catalogue(self.releases, self.cache, self.settings.base)
        object.__setattr__(self, "catalogue", catalogue)
        lanes = Lanes(LANES * self.settings.workers, self.settings.memory_limit)
        object.__setattr__(self, "lanes", lanes)
        limit = self.settings.cache_bytes
        object.__setattr__(self, "kept", Kept[str, Given](limit))
        replays = Replays(self.current_id, limit, self.usage.repeated)
        object.__setattr__(self, "replays", replays)

    @property
    def cache(self) -> Path:
        """Where what can be made again is kept."""
        return self.data / "cache"

    def current_id(self) -> str:
        """The id of the published release, "" before the first; read from the link every time."""
        try:
            # Asked for with every query: a Path would take longer than the link.
            return os.readlink(self._link).rpartition("/")[2]  # noqa: PTH115
        except OSError:
            return ""

    def current(self) -> Release | None:
        """The published release; its manifest is read once."""
        name = self.current_id()
        if not name:
            return None
        if name not in self._seen:
            release = self.releases.get(name)
            self._seen.clear()
            self._seen[name] = release
        return self._seen[name]

    def public_releases(self) -> list[Release]:
        """The releases of `public_ids`. Raises CorruptStore."""
        return [self.releases.get(id) for id in self.public_ids()]

    def public_ids(self) -> list[str]:
        """The ids of the releases that were public and were not taken back, oldest first.

        What was removed from the disk is left out.
        """
        kept = set(self.releases.ids())
        return [id for id in self.releases.standing() if id in kept]

    def url(self, path: str) -> str:
        """The absolute address of one of our paths."""
        return f"{self.settings.public_url}{path}"
