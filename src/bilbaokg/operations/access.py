"""Tokens, the state of the catalogue, and its audit."""

from __future__ import annotations

from datetime import date
from typing import Any

from bilbaokg.errors import BadInput, BilbaokgError
from bilbaokg.operations.base import Progress, tell
from bilbaokg.webhooks.outbox import Outbox
from bilbaokg.workspace import Workspace

__all__ = [
    "audit_list",
    "audit_verify",
    "status",
    "token_create",
    "token_list",
    "token_revoke",
]


def token_create(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Make an API token, shown this once. params: name, scope, expires (YYYY-MM-DD), actor."""
    expires = params.get("expires")
    try:
        day = date.fromisoformat(expires) if expires else None
    except ValueError:
        raise BadInput(f"--expires {expires!r} is no date", hint="write YYYY-MM-DD") from None
    name, scope = params["name"], params["scope"]
    with workspace.mutex:
        workspace.accounts.check(name, scope, expires=day)
        # The audit comes first: no token ever works that it does not know of.
        tell(workspace, params, "token.create", name, {"scope": scope})
        return workspace.accounts.create(name, scope, expires=day)


def token_list(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """All tokens, without their secrets."""
    return {"tokens": workspace.accounts.list()}


def token_revoke(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Revoke a token by name or id. params: name, actor."""
    with workspace.mutex:
        token = workspace.accounts.get(params["name"])
        # What the audit tells is done when the workspace opens again, if it is not done now.
        tell(workspace, params, "token.revoke", token["name"], {"id": token["id"]})
        return workspace.accounts.revoke(token["id"])


def status(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """What the catalogue holds and what is published."""
    with workspace.mutex:
        kinds: dict[str, int] = {}
        for id in workspace.records.ids():
            kind = id.partition("/")[0]
            kinds[kind] = kinds.get(kind, 0) + 1
        last = workspace.records.audit.last()
        return {
            "data": str(workspace.data),
            "base": workspace.settings.base,
            "records": kinds,
            "releases": workspace.releases.ids(),
            "current": workspace.releases.current_id(),
            "audit_entries": last.seq if last else 0,
            "webhooks": _webhooks(workspace),
        }


def _webhooks(workspace: Workspace) -> dict[str, Any] | None:
    """How many addresses are told of releases, and deliveries by state; None without any.

    `error` in place of deliveries that cannot be read.
    """
    outbox = Outbox(workspace.data)
    addresses = len(workspace.settings.webhooks)
    if not addresses and not outbox.exists:
        return None
    try:
        return {"addresses": addresses, **outbox.counts()}
    except BilbaokgError as error:
        return {"addresses": addresses, "error": str(error)}


def audit_verify(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Check the audit chain and every record's revision. Raises CorruptStore naming the entry."""
    with workspace.mutex:
        return {"entries": workspace.records.audit.verify(), "records": workspace.records.verify()}


def audit_list(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """The newest audit entries, newest first. params: limit."""
    with workspace.mutex:
        events = workspace.records.audit.events()[-(params.get("limit") or 20) :]
    return {"entries": [_event(event) for event in reversed(events)]}


def _event(event: Any) -> dict[str, Any]:
    return {
        name: getattr(event, name)
        for name in ("seq", "at", "actor", "kind", "subject", "detail", "hash")
    }
