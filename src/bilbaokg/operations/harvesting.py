"""Harvesting: fetched whole and compared first, then loaded like a file."""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Final

from bilbaokg.errors import BadInput, BilbaokgError, Conflict
from bilbaokg.harvesting.fetcher import Limits
from bilbaokg.harvesting.harvester import KINDS, Asked, Harvester
from bilbaokg.harvesting.reading import Harvested
from bilbaokg.harvesting.shelf import Shelf
from bilbaokg.importers.table import FIELDS
from bilbaokg.merging import Plan
from bilbaokg.operations.base import Progress, tell
from bilbaokg.operations.loading import check_name, take_in
from bilbaokg.store.embedded import storage_errors
from bilbaokg.workers import Parsed, Pool
from bilbaokg.workspace import Workspace

__all__ = ["harvest"]

_LISTED: Final = ("dataset/", "series/", "service/")
# The share of what a source listed that may be gone without a word from a person.
_MOST_GONE: Final = 0.2


def harvest(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Fetch what a portal lists, compare it with the last time, and save it.

    params: url, source (default: the URL), kind, language, columns, dry_run, allow_shrink,
    ignore_total, ignore_robots, allow_private, restart, pause, timeout, max_pages, max_seconds,
    actor, why. Nothing is saved unless everything came. The result is that of `load` with
    `source`, `url`, `kind`, `changes` (IRIs), `refused`, `seconds` and the members of Tally. Raises
    UpstreamFault, Conflict, and what parsing raises.
    """
    source = params.get("source") or params["url"]
    check_name(source)
    asked = _asked(workspace, params)
    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        stack.enter_context(storage_errors(workspace.data))
        shelf = stack.enter_context(Shelf.opened(workspace.data, source))
        pool = workspace.pool or stack.enter_context(Pool(1, workspace.settings.memory_limit))
        harvester = Harvester(asked, shelf, workspace.settings, pool, progress)

        def took() -> dict[str, Any]:
            seconds = round(time.monotonic() - start, 3)
            return {**asdict(harvester.tally), "seconds": seconds}

        try:
            harvested = harvester.run()
            shelf.finish()
            with workspace.mutex:
                done = _saved(workspace, params, source, harvested, progress)
        except BilbaokgError as error:
            _told(workspace, params, shelf, source, {"error": str(error), **took()})
            raise
        done |= {"source": source, "url": asked.url, "kind": shelf.found["kind"], **took()}
        done["files"] = done["pages"]
        brief = {"records": done["records"], "refused": len(done["refused"])}
        _told(workspace, params, shelf, source, {**brief, **took()})
    return done


def _saved(
    workspace: Workspace,
    params: dict[str, Any],
    source: str,
    harvested: Harvested,
    progress: Progress,
) -> dict[str, Any]:
    """Load what was harvested. The caller holds the write lock."""
    before = {id for id in workspace.records.described(source) if id.startswith(_LISTED)}

    changes: dict[str, list[str]] = {"new": [], "changed": []}

    def check(plan: Plan) -> None:
        _refuse_loss(source, len(before), len(before.intersection(plan.gone)), harvested, params)
        for change in plan.changes:
            changes.get(change.kind, []).append(change.head.iri)

    parsed = Parsed(list(harvested.lines), harvested.parsed, harvested.graphs_dropped)
    done = take_in(workspace, {source: parsed}, params, progress, check=check)
    done["changes"] = {kind: sorted(iris) for kind, iris in changes.items()}
    done["refused"] = [asdict(refusal) for refusal in harvested.refused]
    done["problems"] = [problem.as_dict() for problem in harvested.notes] + done["problems"]
    return done


def _refuse_loss(
    source: str, before: int, gone: int, harvested: Harvested, params: dict[str, Any]
) -> None:
    """Raises Conflict where what is gone may be a fault of the portal."""
    if not gone or params.get("allow_shrink"):
        return
    hint = "look at the portal; where it is right, give --allow-shrink"
    if harvested.refused:
        words = f"{gone:,} would be gone, and {len(harvested.refused):,} could not be read"
        raise Conflict(f"{words}: they may be the same", where=source, hint=hint)
    if gone > _MOST_GONE * before:
        share = f"{gone:,} of {before:,} would be gone, more than {_MOST_GONE:.0%}"
        raise Conflict(share, where=source, hint=hint)


def _told(
    workspace: Workspace,
    params: dict[str, Any],
    shelf: Shelf,
    source: str,
    what: dict[str, Any],
) -> None:
    """Keep what came of a harvest: with the source, and in the audit unless nothing was to be."""
    dry_run = bool(params.get("dry_run"))
    at = datetime.now(UTC).isoformat(timespec="seconds")
    shelf.tell({"at": at, "url": params["url"], "dry_run": dry_run, **what})
    if not dry_run:
        kind = "harvest.failed" if "error" in what else "harvest"
        with workspace.mutex:
            tell(workspace, params, kind, source, {"url": params["url"], **what})


def _columns(given: dict[str, Any] | None) -> dict[str, str] | None:
    """The mapping of columns. Raises BadInput for what is none."""
    for field, header in (given or {}).items():
        if field.partition("@")[0] not in FIELDS or not isinstance(header, str):
            raise BadInput(
                f"{field!r} = {header!r} maps no column", hint=f"fields: {', '.join(FIELDS)}"
            )
    return given


def _asked(workspace: Workspace, params: dict[str, Any]) -> Asked:
    kind = params.get("kind")
    if kind and kind not in KINDS:
        raise BadInput(f"no kind {kind!r}", hint=f"one of: {', '.join(KINDS)}")
    given = {name: params[name] for name in ("pause", "timeout") if params.get(name) is not None}
    language = params.get("language")
    if language and not re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", language):
        raise BadInput(f"{language!r} is no language tag", hint="such as es")
    limits = Limits(
        page_bytes=workspace.settings.body_limit, total_bytes=workspace.settings.file_limit
    )
    named = {"pages": params.get("max_pages"), "seconds": params.get("max_seconds")}
    return Asked(
        params["url"],
        kind,
        language=language,
        columns=_columns(params.get("columns")),
        ignore_robots=bool(params.get("ignore_robots")),
        allow_private=bool(params.get("allow_private")),
        ignore_total=bool(params.get("ignore_total")),
        anew=bool(params.get("restart")),
        limits=replace(limits, **{name: value for name, value in named.items() if value}),
        **given,
    )
