"""Importing: sources are parsed whole, planned, then committed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bilbaokg import gaps
from bilbaokg.errors import BadInput
from bilbaokg.importers import importer_for
from bilbaokg.importers.rdf import discover, name_of
from bilbaokg.lineage import agree
from bilbaokg.merging import Plan
from bilbaokg.model import Problem, Source
from bilbaokg.operations.base import Progress
from bilbaokg.planning import Planner
from bilbaokg.records import Records
from bilbaokg.settings import Settings
from bilbaokg.terms import PREFIXES, split_line
from bilbaokg.workers import Parsed, Pool
from bilbaokg.workspace import Workspace, operator

__all__ = ["check_name", "load", "load_content", "take_in"]


def load(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Import files and folders.

    params: paths (absolute), format, base, source, dry_run, actor, why. All files are parsed whole
    before the first commit. The result is the document of `load --json`.
    """
    check_name(params.get("source"))
    paths = [Path(p) for p in params["paths"]]
    sources = discover(
        paths,
        workspace.settings,
        format=params.get("format"),
        base=params.get("base"),
        name=params.get("source"),
    )
    return _import(workspace, sources, paths, params, progress)


def load_content(workspace: Workspace, params: dict[str, Any], content: bytes) -> dict[str, Any]:
    """Import one HTTP body. params: source, media_type, base, dry_run, actor, why."""
    check_name(params["source"])
    source = Source(params["source"], None, params["media_type"], content, params.get("base"))
    # A packed body counts as what it unpacks to.
    limited = replace(workspace.settings, file_limit=workspace.settings.body_limit)
    return _import(workspace, [source], [], params, lambda *_: None, limited)


def check_name(source: str | None) -> None:
    """Names of sources are shown to people and compared by machines."""
    if source is not None and not (source.isprintable() and source.strip()):
        raise BadInput(f"{source!r} is no name for a source", hint="printable characters")


def _import(
    workspace: Workspace,
    sources: list[Source],
    paths: list[Path],
    params: dict[str, Any],
    progress: Progress,
    configuration: Settings | None = None,
) -> dict[str, Any]:
    parsed = _parse_all(workspace, sources, progress, configuration or workspace.settings)
    with workspace.mutex:
        missing = _missing(workspace.records, sources, paths, params.get("source"))
        return take_in(workspace, parsed, params, progress, missing=missing)


def take_in(
    workspace: Workspace,
    parsed: dict[str, Parsed],
    params: dict[str, Any],
    progress: Progress,
    *,
    missing: Collection[str] = (),
    check: Callable[[Plan], None] = lambda _plan: None,
) -> dict[str, Any]:
    """Save what sources (by name) say now, and what it did as `load --json` tells it.

    params: dry_run, actor, why. `missing` names sources that are no more; `check` sees what would
    happen before anything does, and may raise. The caller holds the write lock.
    """
    progress(0, None, "comparing with the catalogue")
    plan = Planner(workspace.records).plan({n: p.lines for n, p in parsed.items()}, missing=missing)
    agree(workspace.records, plan)
    check(plan)
    if not params.get("dry_run"):
        _commit(workspace, plan, list(parsed), params, progress)
    return _outcome(parsed, plan, dry_run=bool(params.get("dry_run")))


def _parse_all(
    workspace: Workspace, sources: list[Source], progress: Progress, configuration: Settings
) -> dict[str, Parsed]:
    """Parse every source in one worker, in turn; nothing is written yet."""
    parsed: dict[str, Parsed] = {}
    count = 0

    def on_lines(lines: int) -> None:
        nonlocal count
        count += lines
        progress(len(parsed), len(sources), f"reading: {count:,} statements")

    with contextlib.ExitStack() as stack:
        pool = workspace.pool or stack.enter_context(Pool(1, configuration.memory_limit))
        for source in sources:
            parsed[source.name] = importer_for(source)(source, configuration, pool, on_lines)
    return parsed


def _missing(
    records: Records, sources: list[Source], paths: Iterable[Path], name: str | None
) -> set[str]:
    """Sources below a loaded folder that spoke before and whose file is not there any more."""
    folders = {f"{name or name_of(path)}/": path for path in paths if path.is_dir()}
    spoken = records.sources() - {source.name for source in sources} if folders else set()
    return {
        source
        for prefix, path in folders.items()
        for source in spoken
        if source.startswith(prefix) and not (path / source[len(prefix) :]).exists()
    }


def _commit(
    workspace: Workspace,
    plan: Plan,
    sources: list[str],
    params: dict[str, Any],
    progress: Progress,
) -> None:
    saved = 0

    def on_saved(records: int) -> None:
        nonlocal saved
        saved += records
        progress(saved, len(plan.changes), "saving records")

    subject = ", ".join(sources[:3])
    if len(sources) > 3:
        subject += f" and {len(sources) - 3} more"
    workspace.records.commit(
        plan,
        actor=params.get("actor") or operator(),
        kind="load",
        subject=subject,
        why=params.get("why") or "import",
        detail={"files": len(sources)},
        on_saved=on_saved,
    )
    if len(plan.changes) > 1000:
        workspace.store.flush()


def _outcome(parsed: dict[str, Parsed], plan: Plan, *, dry_run: bool) -> dict[str, Any]:
    distinct = set().union(*(p.lines for p in parsed.values()))
    statements = [split_line(line) for line in distinct]
    total = sum(p.parsed for p in parsed.values())
    dropped = sum(p.graphs_dropped for p in parsed.values())
    classes = gaps.class_counts(statements)
    problems = [*plan.problems, *_notes(total - len(distinct), dropped, plan.rest, classes)]
    problems += gaps.nameless(statements) + gaps.lacks(statements, PREFIXES)
    return {
        "files": len(parsed),
        "records": plan.counts,
        "statements": {"parsed": total, "distinct": len(distinct), "rest": plan.rest},
        "graphs_dropped": dropped,
        "classes": {gaps.curie(c, PREFIXES): n for c, n in classes.items()},
        "problems": [problem.as_dict() for problem in problems],
        "dry_run": dry_run,
    }


def _notes(doubled: int, dropped: int, rest: int, classes: Collection[str]) -> Iterator[Problem]:
    """What became of statements that are not simply held in a record."""
    if doubled:
        verb = "stood more than once and is" if doubled == 1 else "stood more than once and are"
        yield Problem("info", f"{gaps.counted(doubled, 'statement')} {verb} held once")
    if dropped:
        yield Problem(
            "info",
            f"{gaps.counted(dropped, 'graph name')} left out: every record has its own graph",
        )
    if rest:
        yield Problem(
            "info",
            f"{gaps.counted(rest, 'statement')} not reached from a dataset, catalogue, agent "
            "or other record: kept and exported in full, but on no page and in no feed",
        )
    if rest and not set(gaps.LISTED).intersection(classes):
        names = ", ".join(gaps.curie(cls, PREFIXES) for cls in gaps.LISTED)
        yield Problem(
            "warning",
            f"no dataset, series, service or catalogue found: none has a class of {names}",
        )
