"""The pages of a feed in a release: what is written about them, and what they say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from bilbaokg.errors import CorruptStore, NotFound
from bilbaokg.exports.feed import Feed
from bilbaokg.exports.paging import Paging
from bilbaokg.exports.targets import MAIN
from bilbaokg.model import Release
from bilbaokg.settings import Settings
from bilbaokg.terms import HYDRA, RDF
from bilbaokg.writing import read_back

__all__ = ["ABOUT", "About", "about", "address", "directory", "statements"]

ABOUT: Final = "pages.json"


class About(NamedTuple):
    """What a release keeps about the pages of one feed.

    `version` names what they are made of: two releases with the same records have the same. `cut`
    says how many statements the target does not carry, by property.
    """

    public_url: str
    version: str
    pages: int
    page_size: int
    datasets: int
    cut: dict[str, int]

    def paging(
        self, settings: Settings, target: str, ext: str, language: str | None = None
    ) -> Paging:
        """How the pages point to each other in a syntax and perhaps one language."""
        return Paging(
            address(settings, target, ext),
            self.pages,
            self.datasets,
            self.page_size,
            self.version,
            language,
        )


def address(settings: Settings, target: str, ext: str) -> str:
    """The public address of a target's feed."""
    place = "" if target == MAIN else f"/feeds/{target}"
    return f"{settings.public_url}{place}/catalog.{ext}"


def directory(release: Release, feed: Feed) -> Path:
    """Where a release keeps the pages of a feed."""
    return release.path / "exports" / feed.name


def about(release: Release, feed: Feed) -> About:
    """What a release keeps about a feed.

    Raises CorruptStore, and NotFound for a feed that there was not yet when it was built.
    """
    path = directory(release, feed) / ABOUT
    files = release.manifest["content"].get("files")
    if files is not None and f"exports/{feed.name}/{ABOUT}" not in files:
        raise NotFound(
            f"{release.id} was built without {feed.name}", hint="build and publish a new release"
        )
    try:
        # Releases of before did not name what their pages are made of.
        return About(**{"version": "", **json.loads(path.read_text(encoding="utf-8"))})
    except (OSError, ValueError, TypeError) as error:
        raise CorruptStore(f"cannot be read: {error}", where=str(path)) from None


def statements(release: Release, feed: Feed, page: int) -> Iterator[str]:
    """The lines of a page as it was released, without its paging node. Raises CorruptStore."""
    path = directory(release, feed) / f"page-{page}.ttl"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorruptStore(f"cannot be read: {error.strerror}", where=str(path)) from None
    return (f"{q.triple} ." for q in read_back(content, "ttl") if not _is_paging(q))


def _is_paging(quad: Any) -> bool:
    """Whether a statement is about the paging node: no other has a property or class of hydra."""
    term = quad.object if quad.predicate.value == RDF.type else quad.predicate
    return str(term).startswith(f"<{HYDRA}")
