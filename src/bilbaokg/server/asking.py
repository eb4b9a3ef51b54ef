"""What is asked of a feed: its target, page, language, version, and from when on."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request

from bilbaokg import exports
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.terms import LANGUAGES

__all__ = ["language_of", "moment_of", "page_of", "target_of", "version_of"]

_MOST_PAGES: Final = 1_000_000
_VERSION: Final = re.compile(r"[0-9a-f]{16,64}")
# RFC 3339, section 5.6, and xsd:date, xsd:dateTime; a `+` that was not quoted comes as a space.
_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d:\d\d)(\.\d+)?)?([Zz]|[+\- ]\d\d:\d\d)?", re.ASCII
)
_MICROSECONDS: Final = 6


def target_of(request: Request) -> str:
    """The target in the path, the main one where there is none. Raises NotFound."""
    target: str = request.path_params.get("target", exports.MAIN)
    if target not in exports.TARGETS:
        raise NotFound(f"no feed {target!r}", hint=f"feeds: {', '.join(exports.TARGETS)}")
    return target


def page_of(request: Request) -> int:
    """The number of the page, from 1. Raises BadInput."""
    text = request.query_params.get("page")
    if text is None:
        return 1
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= _MOST_PAGES):
        raise BadInput(f"page={text[:50]!r} is no page number", hint="pages begin with 1")
    return int(text)


def language_of(request: Request) -> str | None:
    """The language, None for all of them. Raises BadInput."""
    text = request.query_params.get("lang")
    if text is not None and text not in LANGUAGES:
        raise BadInput(
            f"lang={text[:50]!r} is not available", hint=f"one of: {', '.join(LANGUAGES)}"
        )
    return text


def version_of(request: Request) -> str | None:
    """What the first page names its others by. Raises BadInput."""
    text = request.query_params.get("version")
    if text is not None and not _VERSION.fullmatch(text):
        raise BadInput(f"version={text[:80]!r} is none", hint="follow the links of the first page")
    return text


def moment_of(request: Request) -> datetime | None:
    """From when on changes are wanted: a date, or a date with a time; UTC where none is said.

    A date stands for its first instant. Raises BadInput.
    """
    text = request.query_params.get("modified_since")
    if text is None:
        return None
    found = _MOMENT.fullmatch(text)
    try:
        if not found:
            raise ValueError
        day, time, fraction, zone = found.groups()
        written = f"{day}T{time or '00:00:00'}{(fraction or '')[: _MICROSECONDS + 1]}"
        zone = (zone or "Z").upper().replace(" ", "+")
        return datetime.fromisoformat(f"{written}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(
            f"modified_since={text[:50]!r} is neither a date nor a date with a time",
            hint="such as 2026-11-01 or 2026-11-01T09:30:00Z (RFC 3339; a + is written %2B)",
        ) from None
