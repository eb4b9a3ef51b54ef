"""What of a data directory must be of one moment, put aside while nobody writes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

from bilbaokg import profiles, settings
from bilbaokg.audit import HEADS, now
from bilbaokg.backups.copying import copy, copy_database
from bilbaokg.published import LOG
from bilbaokg.store.embedded import storage_errors
from bilbaokg.webhooks import outbox
from bilbaokg.workspace import Workspace

__all__ = ["STORE", "take"]

STORE: Final = "working"
_ASIDE: Final = "backup"
_DATABASES: Final = ("accounts.db", outbox.FILE)
_FILES: Final = (settings.FILE, HEADS, profiles.FOLDER, profiles.TABLES, "queries")


def take(workspace: Workspace) -> dict[str, Any]:
    """Put the moment aside, below the cache; the caller of the operation moves it and removes it.

    Returns path: where; base, at (xsd:dateTime), audit: number of entries and hash of the last,
    releases: their ids, current: the published one or None. Raises StorageFull, StorageFault.
    """
    aside = workspace.data.absolute() / "cache" / _ASIDE
    with workspace.mutex, storage_errors(aside):
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True, mode=0o700)
        try:
            _fill(workspace, aside)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        last = workspace.records.audit.last()
        return {
            "path": str(aside),
            "base": workspace.settings.base,
            "at": now(),
            "audit": {"entries": last.seq if last else 0, "hash": last.hash if last else None},
            "releases": list(workspace.releases.ids()),
            "current": workspace.releases.current_id(),
        }


def _fill(workspace: Workspace, aside: Path) -> None:
    data = workspace.data
    for name in (*_FILES, *_secret(workspace)):
        copy(data / name, aside / name)
    for name in _DATABASES:
        copy_database(data / name, aside / name)
    (aside / "releases").mkdir()
    copy(data / "releases" / LOG, aside / "releases" / LOG)
    workspace.store.backup(aside / STORE)


def _secret(workspace: Workspace) -> list[str]:
    """The name of the secret of webhooks, where it is kept in the data directory."""
    name = workspace.settings.webhook_secret_file
    return [name] if (workspace.data / name).parent == workspace.data else []
