"""Building, publishing and rolling back releases."""

from __future__ import annotations

from typing import Any

from bilbaokg import selection, shacl
from bilbaokg.errors import BadInput, Invalid, NotFound
from bilbaokg.model import Profile, Release, Report
from bilbaokg.operations import noting
from bilbaokg.operations.base import Progress
from bilbaokg.operations.duties import check_duties, effects
from bilbaokg.selection import Check, Content
from bilbaokg.shacl.texts import Texts
from bilbaokg.store.embedded import storage_errors
from bilbaokg.terms import PREFIXES
from bilbaokg.workspace import Workspace, operator, verdicts_file

__all__ = ["gate", "release_build", "release_publish", "release_rollback"]


def release_build(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Build a release. params: profile, hold_back, waive, accept_removals, note, actor.

    Raises GateRefused, DutyRefused, RemovalRefused.
    """
    profile = workspace.shelf.load(params.get("profile") or workspace.settings.profile)
    waive = params.get("waive")
    accept = _accepted(params)
    if waive is not None and not waive.strip():
        raise BadInput("to waive needs a reason")
    if waive is not None and params.get("hold_back"):
        raise BadInput("to hold back and to waive exclude each other")

    language = params.get("lang") or "es"
    check = gate(workspace, profile, language, progress)
    with workspace.mutex:
        progress(0, None, "choosing records")
        aside = workspace.releases.path
        with storage_errors(aside):
            content = selection.choose(
                workspace.records.all(),
                None if params.get("unchecked") else check,
                workspace.settings,
                hold_back=bool(params.get("hold_back")),
                waive=waive,
                directory=aside,
                language=language,
            )
        duties = check_duties(workspace, content, waived=waive is not None)
        blocking = (content.report is not None and content.report.blocks_release) or any(
            duty.kind in workspace.settings.duties for duty in duties
        )
        built = workspace.builder.build(
            content,
            profile=profile,
            actor=params.get("actor") or operator(),
            note=params.get("note") or "",
            waive=waive if blocking else None,
            accept=accept,
            progress=lambda text: progress(0, None, text),
        )
        summary = _summary(workspace, built) | effects(workspace, built, duties)
    return summary | {"report": content.report.counts if content.report else None}


def _accepted(params: dict[str, Any]) -> str | None:
    """The reason for which portals may lose much. Raises BadInput for an empty one."""
    reason: str | None = params.get("accept_removals")
    if reason is not None and not reason.strip():
        raise BadInput("to accept removals needs a reason")
    return reason


def gate(
    workspace: Workspace, profile: Profile, language: str, progress: Progress, of: str = "release"
) -> Check:
    """What validates the content of a release. of: whose verdicts it goes on from."""
    verdicts = verdicts_file(workspace.data, of, profile.label, language)

    def check(content: Content) -> Report:
        progress(0, None, f"validating against {profile.label}")
        texts = Texts((record.id, record.revision, record.text) for record in content.records)
        return shacl.check_records(texts, profile, verdicts, language=language)

    return check


def _summary(workspace: Workspace, built: Release) -> dict[str, Any]:
    content = built.manifest["content"]
    return {
        "id": built.id,
        "created_at": built.created_at,
        "previous": built.previous,
        "sha256": built.sha256,
        "records": len(content["entries"]),
        "datasets": content["counts"].get(f"{PREFIXES['dcat']}Dataset", 0),
        "held_back": workspace.releases.held_back(built),
        "waived": content["waived"],
        "removals": built.manifest["build"].get("removals"),
        "note": built.manifest["build"]["note"],
    }


def release_publish(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Make a release current. params: id (default: the newest), accept_removals, why, actor.

    Raises RemovalRefused.
    """
    accept = _accepted(params)
    with workspace.mutex:
        ids = workspace.releases.ids()
        if not ids:
            raise NotFound("there is no release yet", hint="run: bilbaokg release build")
        chosen = params.get("id") or ids[-1]
        published = workspace.builder.switch(
            chosen,
            actor=params.get("actor") or operator(),
            kind="release.publish",
            why=params.get("why") or "",
            accept=accept,
        )
        noting.switched(workspace)
    return _summary(workspace, published)


def release_rollback(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Make the release that was public before the current one current again, else the one before.

    params: id, accept_removals, why, actor. Raises RemovalRefused.
    """
    accept = _accepted(params)
    with workspace.mutex:
        current = workspace.releases.current_id()
        if current is None:
            raise NotFound("nothing is published yet")
        earlier = [id for id in workspace.releases.ids() if int(id[1:]) < int(current[1:])]
        known = [id for id in workspace.releases.standing() if id in earlier]
        target = params.get("id") or next(reversed(known or earlier), None)
        if target is None:
            raise Invalid(f"there is no release before {current}")
        restored = workspace.builder.switch(
            target,
            actor=params.get("actor") or operator(),
            kind="release.rollback",
            why=params.get("why") or "",
            accept=accept,
        )
        noting.switched(workspace)
    return _summary(workspace, restored)
