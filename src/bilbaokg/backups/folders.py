"""Backups with the time in their names, in one directory; of which the newest are kept."""

from __future__ import annotations

import contextlib
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bilbaokg.backups.copying import alone
from bilbaokg.backups.making import PART
from bilbaokg.backups.manifest import Manifest
from bilbaokg.errors import BilbaokgError, Conflict
from bilbaokg.exports.files import sync
from bilbaokg.store.embedded import storage_errors

__all__ = ["dated", "prune", "tidy"]

_NAME: Final = "bilbaokg-%Y%m%dT%H%M%SZ"
_OURS: Final = re.compile(r"bilbaokg-\d{8}T\d{6}Z")
_LEFT: Final = re.compile(rf"\.{_OURS.pattern}{re.escape(PART)}")


def dated(into: Path) -> Path:
    """Where a backup of now goes in a directory."""
    return into / datetime.now(UTC).strftime(_NAME)


def prune(into: Path, base: str, keep: int) -> list[str]:
    """Remove all but the newest `keep` backups of a base.

    Only what has a name that `dated` gives and says itself that it is a backup of the base; the
    names of what went, oldest first. Raises StorageFault.
    """
    with storage_errors(into):
        ours = sorted(path for path in into.iterdir() if _is_of(path, base))
        for path in ours[:-keep]:
            # Half of a backup is never under the name of one.
            path.rename(path.with_name(f".{path.name}{PART}"))
        sync(into)
    tidy(into)
    return [path.name for path in ours[:-keep]]


def tidy(into: Path) -> None:
    """Remove what killed backups left in a directory, so that it takes no room. Raises
    StorageFault."""
    with storage_errors(into):
        for left in [path for path in into.glob(f".*{PART}") if _LEFT.fullmatch(path.name)]:
            with contextlib.suppress(Conflict), alone(left):  # another one may be at work
                shutil.rmtree(left)


def _is_of(path: Path, base: str) -> bool:
    if not _OURS.fullmatch(path.name) or path.is_symlink() or not path.is_dir():
        return False
    try:
        return Manifest.read(path).base == base
    except BilbaokgError:
        return False
