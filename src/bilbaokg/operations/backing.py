"""The part of a backup that the process does that holds the data directory."""

from __future__ import annotations

from typing import Any

from bilbaokg import backups
from bilbaokg.operations.base import Progress
from bilbaokg.workspace import Workspace

__all__ = ["backup"]


def backup(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Put aside what of a backup is of one moment; whoever asked copies it, without a lock."""
    return backups.take(workspace)
