"""Changing one record as a whole: what is sent for its graph, checked and saved like a load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bilbaokg import editing
from bilbaokg.errors import Gone, Invalid, NotFound
from bilbaokg.lineage import agree
from bilbaokg.merging import Head, is_buried
from bilbaokg.model import Source
from bilbaokg.operations.records import delete
from bilbaokg.workers import parse
from bilbaokg.workspace import Workspace, operator

__all__ = ["Check", "edit", "present", "remove"]

Check = Callable[[str | None], None]
"""Told the revision that is there, None where there is none; raises where it is not the expected.

It runs under the write lock, so nobody comes between it and the change.
"""


def present(workspace: Workspace, id: str) -> Head:
    """A record as it is now. Raises NotFound, Gone for one that was deleted."""
    with workspace.mutex:
        head = workspace.records.head(id)
    if head is None:
        raise NotFound(f"no record {id!r}", hint="ids are type/slug")
    if is_buried(head.lines, head.iri):
        raise Gone("it was deleted", where=head.iri, hint="bring it back: bilbaokg restore IRI")
    return head


def edit(
    workspace: Workspace, params: dict[str, Any], sources: Sequence[Source], check: Check
) -> bool:
    """Replace the text of a record by what the sources say, or add it; whether it is new.

    params: id, merge, actor, why. Raises what `workers.parse` and `editing.plan` raise.
    """
    # A packed body counts as what it unpacks to.
    limited = replace(workspace.settings, file_limit=workspace.settings.body_limit)
    lines: set[str] = set()
    for source in sources:
        parsed = parse(source, limited, pool=workspace.pool)
        if parsed.graphs_dropped:
            raise Invalid("it names graphs of its own", where=source.name, hint="send triples")
        lines.update(parsed.lines)
    records, id = workspace.records, params["id"]
    with workspace.mutex:
        head = records.head(id)
        check(head.revision if head else None)
        plan = editing.plan(records, id, lines, merge=bool(params.get("merge")))
        agree(records, plan)
        records.commit(
            plan, actor=params.get("actor") or operator(), kind="edit",
            subject=head.iri if head else plan.changes[0].head.iri, why=params.get("why") or "",
        )  # fmt: skip
    return head is None


def remove(workspace: Workspace, params: dict[str, Any], check: Check) -> None:
    """Delete a record: it leaves a tombstone. params: id, actor, why.

    Raises NotFound, Gone, Conflict naming the records that still refer to it.
    """
    with workspace.mutex:
        head = present(workspace, params["id"])
        check(head.revision)
        delete(workspace, {**params, "iri": head.iri}, lambda *_: None)
