"""Removing old runs of pipelines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bilbaokg.errors import BadInput
from bilbaokg.lineage.events import stamp
from bilbaokg.lineage.pruning import Pruner, Run, select
from bilbaokg.operations.base import Progress
from bilbaokg.workspace import Workspace, operator

__all__ = ["lineage_prune"]

# Between so many the lock is let go, so that events are taken in meanwhile.
_READ: Final = 500
_REMOVED: Final = 100
_MOST_DAYS: Final = 36_500


def lineage_prune(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Remove the runs of which nothing was told for so many days. params: days (None: the setting
    run_days), dry_run, actor, why.

    Returns `before` (RFC 3339), `removed`, `kept` by reason, and `dry_run`.
    """
    days = workspace.settings.run_days if params.get("days") is None else params["days"]
    if not isinstance(days, int) or not 1 <= days <= _MOST_DAYS:
        raise BadInput(f"days must be between 1 and {_MOST_DAYS:,}", where="older-than")
    before = stamp(datetime.now(UTC) - timedelta(days=days))
    pruner = Pruner(workspace.lineage, workspace.records)

    def pointing(id: str) -> set[str]:
        with workspace.mutex:
            return pruner.pointing(id)

    selected = select(_runs(workspace, pruner, progress), before, pointing)
    removed = len(selected.gone)
    if removed and not params.get("dry_run"):
        detail = {"why": params.get("why") or "", "runs": removed, "before": before}
        actor = params.get("actor") or operator()
        removed = _remove(workspace, pruner, selected.gone, before, (actor, detail), progress)
    return {
        "before": before, "removed": removed, "dry_run": bool(params.get("dry_run")),
        "kept": {"last_of_job": selected.last_of_job, "pointed_to": selected.pointed_to},
    }  # fmt: skip


def _runs(workspace: Workspace, pruner: Pruner, progress: Progress) -> Iterator[Run]:
    with workspace.mutex:
        ids = pruner.ids()
    for start in range(0, len(ids), _READ):
        with workspace.mutex:
            found = list(pruner.read(ids[start : start + _READ]))
        yield from found
        progress(start, len(ids), "reading runs")


def _remove(
    workspace: Workspace, pruner: Pruner, ids: Sequence[str], before: str,
    said: tuple[str, dict[str, Any]], progress: Progress,
) -> int:  # fmt: skip
    """Remove runs, so many in a step that is done or not; the audit entry goes with the first."""
    audit, removed, among = workspace.records.audit, 0, set(ids)
    actor, detail = said
    for start in range(0, len(ids), _REMOVED):
        with workspace.mutex:
            try:
                count, changes = pruner.plan(ids[start : start + _REMOVED], before, among)
                event, entry = audit.next(actor, "lineage", "runs", detail)
                workspace.store.apply([*([] if start else [entry]), *changes])
            except BaseException:
                workspace.lineage.failed()
                raise
            if not start:
                audit.written(event)
            workspace.lineage.written()
        removed += count
        progress(start, len(ids), "removing runs")
    return removed
