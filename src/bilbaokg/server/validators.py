"""Whether a client has an answer already: ETag, Last-Modified (RFC 9110, sections 8.8 and 13)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.datastructures import Headers

from bilbaokg.formats import FORMATS
from bilbaokg.model import Release

__all__ = ["is_among", "is_known", "media_type", "validators"]


def validators(release: Release, representation: str) -> dict[str, str]:
    """ETag (strong: the release and the representation) and Last-Modified."""
    identity = f"{release.id} {release.sha256} {representation}"
    built = datetime.fromisoformat(release.created_at).astimezone(UTC)
    return {
        "ETag": f'"{release.id}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"',
        "Last-Modified": format_datetime(built.replace(microsecond=0), usegmt=True),
        "Cache-Control": "no-cache",
    }


def is_known(given: Headers, ours: Mapping[str, str]) -> bool:
    """Whether the client has it: If-None-Match, else If-Modified-Since (RFC 9110, 13.2.2).

    The date must be ours exactly: after a rollback a client has what is newer than the release.
    """
    if (tags := given.get("if-none-match")) is not None:
        return is_among(ours["ETag"], tags)
    try:
        since = parsedate_to_datetime(given.get("if-modified-since", ""))
        return since == parsedate_to_datetime(ours["Last-Modified"])
    except (OverflowError, TypeError, ValueError):
        return False


def is_among(etag: str, tags: str) -> bool:
    """Whether the value of If-None-Match names an ETag."""
    if tags == etag:
        return True
    known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    return etag in known or "*" in known


def media_type(ext: str) -> str:
    """What Content-Type says of an extension."""
    found = FORMATS[ext].media_type
    return f"{found}; charset=utf-8" if found.startswith("text/") else found
