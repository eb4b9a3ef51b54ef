"""What is told of a switch: which release is current now, and what changed by it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from bilbaokg import exports
from bilbaokg.model import Event, Release
from bilbaokg.release import difference
from bilbaokg.settings import Settings
from bilbaokg.terms import DCAT

__all__ = ["KINDS", "Message", "of_switch", "of_test"]

KINDS: Final = {"release.publish": "release.published", "release.rollback": "release.rolled_back"}
"""Audit entry -> the type of what is told of it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One event as it is sent: its id (the same whenever it is sent again), its type, the bytes."""

    id: str
    type: str
    at: str
    body: str


def of_switch(event: Event, after: Release, before: Release | None, settings: Settings) -> Message:
    """What is told of an audit entry of KINDS. before: what was current, None where unknown."""
    content = after.manifest["content"]
    changes = difference(before, after)
    named = event.detail.get("from")
    known = before is not None or not named
    data = {
        "release": after.id,
        "previous": named,
        # Of a release that is gone nobody knows what changed since.
        "new": len(changes.new) if known else None,
        "changed": len(changes.changed) if known else None,
        "gone": len(changes.gone) if known else None,
        "records": len(content["entries"]),
        "datasets": content["counts"].get(DCAT.Dataset, 0),
        "sha256": after.sha256,
        "catalogue": settings.public_url,
        "feeds": {
            feed.name: exports.address(settings, feed.name, feed.at_release[0])
            for feed in exports.feeds()
        },
    }
    id = f"msg_{event.seq}_{event.hash[:16]}"
    return _message(id, KINDS[event.kind], event.at, data)


def of_test(number: str, at: str, settings: Settings) -> Message:
    """What tries whether a receiver answers."""
    return _message(f"msg_test_{number}", "webhook.test", at, {"catalogue": settings.public_url})


def _message(id: str, type: str, at: str, data: dict[str, Any]) -> Message:
    body = {"type": type, "timestamp": at, "data": data}
    return Message(id, type, at, json.dumps(body, ensure_ascii=False, separators=(",", ":")))
