"""What is done to single records, and what is read of all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bilbaokg.errors import BadInput, Conflict, NotFound
from bilbaokg.lineage import agree
from bilbaokg.operations.base import Progress
from bilbaokg.partition import Home
from bilbaokg.terms import is_iri
from bilbaokg.workspace import Workspace, operator

__all__ = ["checkpoint", "delete", "dump", "history", "restore", "visibility"]


def delete(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Replace a record by its tombstone. params: iri, replaced_by, force, actor, why.

    Records that still refer to it are listed first: Conflict unless `force`.
    """
    if params.get("replaced_by"):
        _check_iri(params["replaced_by"])
    with workspace.mutex:
        home = _home(workspace, params["iri"])
        referring = [h.iri for h in workspace.records.referrers(f"<{home.iri}>") if h.id != home.id]
        if referring and not params.get("force"):
            raise Conflict(
                f"{len(referring)} records still refer to it: {', '.join(referring[:5])}",
                where=home.iri,
                hint="mend them first, or repeat with --force",
            )
        event = workspace.records.delete(
            home.id,
            replaced_by=params.get("replaced_by"),
            actor=params.get("actor") or operator(),
            why=params.get("why") or "",
            also=lambda plan: agree(workspace.records, plan),
        )
    return {"id": home.id, "iri": home.iri, "event": event.seq, "referring": referring}


def restore(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Bring a deleted record back as it was. params: iri, actor, why."""
    with workspace.mutex:
        home = _home(workspace, params["iri"])
        event = workspace.records.restore(
            home.id,
            actor=params.get("actor") or operator(),
            why=params.get("why") or "",
            also=lambda plan: agree(workspace.records, plan),
        )
    return {"id": home.id, "iri": home.iri, "event": event.seq}


def visibility(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Set a record public or internal. params: iri, to, actor, why."""
    with workspace.mutex:
        home = _home(workspace, params["iri"])
        workspace.records.set_visibility(
            home.id,
            params["to"],
            actor=params.get("actor") or operator(),
            why=params.get("why") or "",
        )
    return {"id": home.id, "iri": home.iri, "visibility": params["to"]}


def dump(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the exact text of all records to a file. params: path."""
    count = 0
    with workspace.mutex, Path(params["path"]).open("w", encoding="utf-8", newline="\n") as out:
        for record in workspace.records.all():
            out.write(record.text)
            count += 1
    return {"path": params["path"], "records": count}


def checkpoint(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """A read-only copy of the working store that queries may open."""
    return {"path": str(workspace.checkpoint().absolute())}


def history(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """The revisions of a record, or of the one that holds a part. params: iri."""
    with workspace.mutex:
        home = _home(workspace, params["iri"], part=True)
        return {"id": home.id, "revisions": workspace.records.revisions(home.id)}


def _home(workspace: Workspace, iri: str, *, part: bool = False) -> Home:
    """The record of an IRI; with `part` also the one that only holds it. Raises NotFound."""
    _check_iri(iri)
    home = workspace.records.home(f"<{iri}>")
    if home is None or (home.iri != iri and not part):
        raise NotFound(
            f"no record has the IRI {iri}",
            hint=f"it is a part of {home.iri}" if home else "check its spelling",
        )
    return home


def _check_iri(iri: str) -> None:
    if not is_iri(iri):
        raise BadInput(
            f"{iri!r} is no absolute IRI", hint="such as https://data.example.org/id/dataset/noise"
        )
