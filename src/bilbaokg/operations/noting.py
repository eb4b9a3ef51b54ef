"""Noting for webhooks that another release is current; never in the way of it."""

from __future__ import annotations

import logging

from bilbaokg.errors import NotFound
from bilbaokg.model import Event, Release
from bilbaokg.webhooks.events import KINDS, of_switch
from bilbaokg.webhooks.outbox import Outbox
from bilbaokg.workspace import Workspace

__all__ = ["catch_up", "switched"]

log = logging.getLogger(__name__)


def switched(workspace: Workspace) -> None:
    """Note the switch that was just made. The caller holds the write lock.

    Whatever goes wrong is logged: the release is published, and the next start notes it.
    """
    outbox = Outbox(workspace.data)
    if not workspace.settings.webhooks and not outbox.exists:
        return
    try:
        last = _last_switch(workspace)
        if last:
            _note(workspace, outbox, last)
    except Exception:
        log.exception("the release is published, and its webhooks could not be noted")


def catch_up(workspace: Workspace) -> None:
    """Note the last switch where a kill came between it and its note.

    Where nothing was ever noted, webhooks are new: they are told of the releases from now on.
    """
    if not workspace.settings.webhooks:
        return
    outbox = Outbox(workspace.data)
    try:
        with workspace.mutex:
            last = _last_switch(workspace)
            mark = outbox.mark()
            if mark is None:
                outbox.note(None, (), last.seq if last else 0)
            elif last and last.seq > mark:
                _note(workspace, outbox, last)
    except Exception:
        log.exception("webhooks could not be noted")


def _last_switch(workspace: Workspace) -> Event | None:
    events = reversed(workspace.records.audit.events())
    return next((event for event in events if event.kind in KINDS), None)


def _note(workspace: Workspace, outbox: Outbox, event: Event) -> None:
    settings = workspace.settings
    after = workspace.releases.get(event.detail["id"])
    before = _known(workspace, event.detail.get("from"))
    message = of_switch(event, after, before, settings)
    outbox.note(message, settings.webhooks, event.seq)


def _known(workspace: Workspace, id: str | None) -> Release | None:
    try:
        return workspace.releases.get(id) if id else None
    except NotFound:
        return None
