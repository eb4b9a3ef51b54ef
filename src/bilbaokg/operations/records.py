"""What is done to single records, and what is read of all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bilbaokg.errors import Conflict, NotFound
from bilbaokg.operations.base import Progress
from bilbaokg.workspace import Workspace, operator

__all__ = ["checkpoint", "delete", "dump", "history", "restore", "visibility"]


def delete(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Replace a record by its tombstone. params: iri, replaced_by, force, actor, why.

    Records that still refer to it are listed first: Conflict unless `force`.
    """
    with workspace.mutex:
        home = workspace.records.home(f"<{params['iri']}>")
        if home is None or home.iri != params["iri"]:
            raise NotFound(f"no record has the IRI {params['iri']}")
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
        )
    return {"id": home.id, "iri": home.iri, "event": event.seq, "referring": referring}


def restore(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Bring a deleted record back as it was. params: iri, actor, why."""
    with workspace.mutex:
        home = workspace.records.home(f"<{params['iri']}>")
        if home is None or home.iri != params["iri"]:
            raise NotFound(f"no record has the IRI {params['iri']}")
        event = workspace.records.restore(
            home.id, actor=params.get("actor") or operator(), why=params.get("why") or ""
        )
    return {"id": home.id, "iri": home.iri, "event": event.seq}


def visibility(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Set a record public or internal. params: iri, to, actor, why."""
    with workspace.mutex:
        home = workspace.records.home(f"<{params['iri']}>")
        if home is None or home.iri != params["iri"]:
            raise NotFound(f"no record has the IRI {params['iri']}")
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
    return {"path": str(workspace.checkpoint())}


def history(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """The revisions of a record. params: iri."""
    with workspace.mutex:
        home = workspace.records.home(f"<{params['iri']}>")
        if home is None:
            raise NotFound(f"no record has the IRI {params['iri']}")
        return {"id": home.id, "revisions": workspace.records.revisions(home.id)}
