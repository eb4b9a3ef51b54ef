"""What lineage has to say about a release: duties of its datasets, and what its changes reach."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from bilbaokg import release as releases
from bilbaokg.errors import BadInput, CorruptStore, DutyRefused
from bilbaokg.lineage.duties import KINDS, Duty, duties_of, told
from bilbaokg.lineage.effects import dependents, reached
from bilbaokg.model import Release
from bilbaokg.operations.questions import ground_of
from bilbaokg.selection import Content
from bilbaokg.workspace import Workspace

__all__ = ["check_duties", "effects", "foresee"]

_SHOWN: Final = 10


def check_duties(workspace: Workspace, content: Content, *, waived: bool) -> list[Duty]:
    """The duties of the datasets that a release would hold.

    Raises DutyRefused where the settings stop it for some of them and they are not waived.
    """
    stopping = workspace.settings.duties
    if wrong := [kind for kind in stopping if kind not in KINDS]:
        hint = f"known: {', '.join(KINDS)}"
        raise BadInput(f"the setting duties has the unknown kind {wrong[0]!r}", hint=hint)
    ground = ground_of(workspace, {})
    held = (record.iri for record in content.records if record.id.startswith("dataset/"))
    found = duties_of(ground, *held)
    stopped = [duty for duty in found if duty.kind in stopping]
    if stopped and not waived:
        told = [f"{d.dataset}: {d.kind}, from {d.source}" for d in stopped]
        more = f"; and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
        raise DutyRefused(
            f"{len(stopped):,} duties along lineage stop the release: "
            + "; ".join(told[:_SHOWN]) + more,
            hint="see: bilbaokg lineage duties; mend them, or build with --waive REASON",
            duties=[{"dataset": d.dataset, "kind": d.kind, "source": d.source} for d in stopped],
        )  # fmt: skip
    return found


def effects(workspace: Workspace, built: Release, duties: list[Duty]) -> dict[str, Any]:
    """`duties` of its datasets (how many, of how many), and how many others its changes reach."""
    previous = None
    # A damaged release is told when it is used, and does not stop the next.
    with contextlib.suppress(CorruptStore):
        previous = workspace.releases.get(built.previous) if built.previous else None
    change = releases.difference(previous, built)
    iris = {entry.id: entry.iri for each in (previous, built) if each for entry in each.entries}
    changed = {iris[id] for id in (*change.changed, *change.gone)}
    depend = reached(ground_of(workspace, {}), changed) if changed else []
    return {
        "duties": {"count": len(duties), "datasets": len({duty.dataset for duty in duties})},
        "reached": len(depend),
    }


def foresee(
    workspace: Workspace, content: Content, previous: Release | None, language: str
) -> dict[str, Any]:
    """What `effects` counts, thing by thing, of a release that is not made: the datasets of it that
    its changes reach, with their owners, the nearest first (`reached`), and its `duties`."""
    ground = ground_of(workspace, {"lang": language})
    iris = {entry.id: entry.iri for entry in previous.entries} if previous else {}
    iris |= {record.id: record.iri for record in content.records}
    change = releases.foreseen(previous, content.records)
    changed = {iris[id] for id in (*change.changed, *change.gone)}
    held = {record.iri for record in content.records if record.id.startswith("dataset/")}
    return {
        "reached": [
            {**ground.named(iri), "owners": list(map(ground.named, owners))}
            for iri, owners in dependents(ground, changed).items()
            if iri in held
        ],
        "duties": [told(ground, duty) for duty in duties_of(ground, *sorted(held))],
    }
