"""The shape of an operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bilbaokg.workspace import Workspace, operator

__all__ = ["Operation", "Progress", "tell"]

Progress = Callable[[int, int | None, str], None]
Operation = Callable[[Workspace, dict[str, Any], Progress], dict[str, Any]]


def tell(
    workspace: Workspace, params: dict[str, Any], kind: str, subject: str, detail: dict[str, Any]
) -> None:
    """Write an audit entry of its own. The caller holds the write lock."""
    actor = params.get("actor") or operator()
    event, entry = workspace.records.audit.next(actor, kind, subject, detail)
    workspace.store.apply([entry])
    workspace.records.audit.written(event)
