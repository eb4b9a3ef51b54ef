"""Taking in what pipelines tell, and what stewards say about the names that they use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from itertools import islice
from pathlib import Path
from typing import Any, Final

from bilbaokg.errors import BadInput, BilbaokgError, NotFound
from bilbaokg.importers import recordings
from bilbaokg.lineage import Event, Name, Planned, Words
from bilbaokg.lineage.events import stamp
from bilbaokg.lineage.names import table_iri
from bilbaokg.model import Problem
from bilbaokg.operations.base import Progress
from bilbaokg.shacl.collecting import uncollected
from bilbaokg.terms import record_id
from bilbaokg.workspace import Workspace, operator

__all__ = [
    "lineage_apart",
    "lineage_forget",
    "lineage_load",
    "lineage_names",
    "lineage_same",
    "take_in",
]

_AT_ONCE: Final = 200
_PROBLEMS_SHOWN: Final = 100


def take_in(
    workspace: Workspace, events: Sequence[Event], actor: str, subject: str, why: str = "",
    beside: Callable[[], Words] = dict, drafts: Set[Name] = frozenset(),
) -> dict[str, int]:  # fmt: skip
    """Save what events tell, all of it or nothing; on disk when it returns. beside: as of
    Scribe.plan; drafts: tables that begin as internal where they are new.

    Returns how many records are new and changed.
    """
    detail: dict[str, Any] = {"events": len(events)}

    def plan() -> Planned:
        planned = workspace.lineage.plan(events, beside)
        if hidden := _hide(workspace, planned, _tables(events) & drafts):
            detail["internal"] = hidden
        return planned

    with workspace.mutex, uncollected():
        counts = _save(
            workspace, plan, actor=actor, subject=subject, why=why or "told by pipelines",
            detail=detail,
        )  # fmt: skip
    return {"new": counts["new"], "changed": counts["changed"]}


def _tables(events: Sequence[Event]) -> set[Name]:
    """The tables that events tell of."""
    return {
        table.name for event in events for table in (*event.inputs, *event.outputs, *event.tables)
    }


def _hide(workspace: Workspace, planned: Planned, drafts: Set[Name]) -> int:
    """Let the new ones of these tables begin as internal; returns how many those are."""
    ids = {workspace.lineage.tables.id(name) for name in drafts}
    hidden = [
        change
        for change in planned.plan.changes
        if change.head.id in ids
        and change.kind == "new"
        and workspace.records.visibility(change.head) != "internal"
    ]
    for change in hidden:
        change.internal = True
    return len(hidden)


def lineage_load(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Take in recorded events. params: paths (absolute; of files and folders), actor, why.

    A file holds JSON objects or one array of them; also gzip. What cannot be used is told by its
    file and line, and the others count.
    """
    files = recordings.discover([Path(path) for path in params["paths"]])
    actor = params.get("actor") or operator()
    done = {"events": 0, "refused": 0, "new": 0, "changed": 0}
    problems: list[Problem] = []
    for label, batch in _batches(files, workspace.settings.body_limit):
        events = [event for _, event in batch if isinstance(event, Event)]
        wrong = [(line, found) for line, found in batch if isinstance(found, BilbaokgError)]
        problems += [_problem(label, *found) for found in wrong[: _PROBLEMS_SHOWN - len(problems)]]
        done["refused"] += len(wrong)
        if events:
            saved = take_in(workspace, events, actor, label, params.get("why") or "")
            done["events"] += len(events)
            done = {**done, **{kind: done[kind] + n for kind, n in saved.items()}}
        progress(done["events"], None, "taking in events")
    return {**done, "problems": [problem.as_dict() for problem in problems]}


def lineage_forget(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Delete a job and take back what it said of tables, and nothing else. params: iri, actor, why.

    Its runs stay: they were. Raises NotFound where no pipeline told of such a job.
    """
    iri = params["iri"]

    def plan() -> Planned:
        planned = workspace.lineage.forget(record_id(workspace.settings.base, "job", iri))
        if planned is None:
            raise NotFound(
                "no pipeline told of this job", where=iri, hint="give the IRI of its page or record"
            )
        return planned

    with workspace.mutex:
        counts = _save(
            workspace, plan, actor=params.get("actor") or operator(), subject=iri,
            why=params.get("why") or "", detail={"forgotten": iri},
        )  # fmt: skip
    return {"iri": iri, "records": counts}


def lineage_names(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """The names that lead to another, and those that stewards decided about."""
    with workspace.mutex:
        found = workspace.lineage.aliases.all()
    return {
        "names": [
            {"identifier": name, "same_as": None if to == name else to, "said_by": who}
            for name, (to, who) in found.items()
        ]
    }


def lineage_same(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Say that a name is one more name of a table. params: namespace, name, iri, actor, why.

    Raises NotFound where no pipeline tells of a table with this IRI.
    """
    with workspace.mutex:
        called = _called(workspace, params["iri"])
        return _decide(workspace, params, called)


def lineage_apart(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Say that a name is that of a table of its own. params: namespace, name, actor, why."""
    with workspace.mutex:
        return _decide(workspace, params, _named(params))


def _named(params: dict[str, Any]) -> Name:
    name = Name(params["namespace"], params["name"])
    if not (name.namespace.strip() and name.name.strip()):
        raise BadInput("a namespace and a name are needed", hint="as the pipelines give them")
    return name


def _called(workspace: Workspace, iri: str) -> Name:
    """The name that an IRI was minted of."""
    base = workspace.settings.base
    name = workspace.lineage.tables.called(record_id(base, "table", iri))
    if name and table_iri(base, name) == iri:
        return name
    raise NotFound(
        "no pipeline tells of this table", where=iri, hint="give the IRI of its page or record"
    )


def _decide(workspace: Workspace, params: dict[str, Any], to: Name) -> dict[str, Any]:
    name, scribe = _named(params), workspace.lineage
    counts = _save(
        workspace, lambda: scribe.decide(name, to, stamp()),
        actor=params.get("actor") or operator(), subject=name.identifier,
        why=params.get("why") or "", detail={"same_as": to.identifier},
    )  # fmt: skip
    iri = scribe.tables.iri(name)
    return {"identifier": name.identifier, "iri": iri, "records": counts}


def _save(
    workspace: Workspace,
    plan: Callable[[], Planned],
    *,
    actor: str,
    subject: str,
    why: str,
    detail: dict[str, Any],
) -> dict[str, int]:
    """Plan and write; returns the counts of records. The caller holds the write lock."""
    try:
        planned = plan()
        workspace.records.commit(
            planned.plan, actor=actor, kind="lineage", subject=subject, why=why, detail=detail,
            beside=planned.states,
        )  # fmt: skip
    except BaseException:
        workspace.lineage.failed()
        raise
    workspace.lineage.written()
    return planned.plan.counts


def _batches(
    files: Mapping[str, Path], limit: int
) -> Iterator[tuple[str, list[tuple[int, Event | BilbaokgError]]]]:
    """What files hold, by their labels, some of it at a time; of one that cannot be read why."""
    for label, path in files.items():
        found = _read(path, limit)
        while batch := list(islice(found, _AT_ONCE)):
            yield label, batch


def _read(path: Path, limit: int) -> Iterator[tuple[int, Event | BilbaokgError]]:
    try:
        yield from recordings.read(path, limit)
    except BilbaokgError as error:
        yield 0, error


def _problem(label: str, line: int, error: BilbaokgError) -> Problem:
    return Problem(
        "warning", error.message, path=error.where, hint=error.hint,
        source={"file": label, "line": line},
    )  # fmt: skip
