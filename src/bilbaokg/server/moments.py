"""As of a date: which release a reader means by a day, or by the id of a release.

A day means the release that was public at its end (UTC). One that was taken back was never meant to
be read: the release that stood before it answers for its days.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final, Literal

from bilbaokg.errors import BadInput, BilbaokgError, Gone, NotFound
from bilbaokg.published import Switch, standing
from bilbaokg.release import Releases
from bilbaokg.render import Moment

__all__ = ["PARAMETER", "Absent", "find", "release"]

PARAMETER: Final = "as_of"
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LONGEST: Final = 30
_ERRORS: Final[dict[str, tuple[type[BilbaokgError], str]]] = {
    "invalid": (BadInput, "is neither a day (2026-03-01) nor the id of a release that was public"),
    "ahead": (BadInput, "is a day that has not come yet"),
    "before": (NotFound, "is before anything was published"),
    "removed": (Gone, "is a time whose release is not kept any more"),
}

Reason = Literal["invalid", "ahead", "before", "removed"]


class Absent(Exception):
    """There is no state to show: what was asked for, why not, and when the first release came."""

    def __init__(self, asked: str, reason: Reason, first: str) -> None:
        super().__init__(reason)
        self.asked, self.first = asked, first
        self.reason: Reason = reason

    @property
    def status(self) -> int:
        """The HTTP status that says so."""
        return _ERRORS[self.reason][0].status

    def error(self) -> BilbaokgError:
        """The same for programs."""
        kind, text = _ERRORS[self.reason]
        return kind(f"{PARAMETER}={self.asked} {text}", hint=f"the first release came {self.first}")


def find(releases: Releases, asked: str) -> Moment:
    """What was public then. Raises Absent, NotFound before the first release."""
    switches = releases.history()
    if not switches:
        raise NotFound("nothing is published yet")
    asked, first = asked.strip()[:_LONGEST], switches[0].at
    known = set(standing(switches))
    held = [switch for switch in switches if switch.id in known]
    meant = next((s for s in held if s.id == asked), None) or _on(held, asked, first)
    if meant.id not in releases.ids():
        raise Absent(asked, "removed", first)
    return Moment(asked, meant.id, meant.at)


def release(releases: Releases, asked: str) -> str:
    """The same for programs: its id. Raises BadInput, NotFound, Gone."""
    try:
        return find(releases, asked).release
    except Absent as absent:
        raise absent.error() from None


def _on(switches: Sequence[Switch], asked: str, first: str) -> Switch:
    """The last switch up to the end of a day."""
    day = _day(asked)
    if day is None:
        raise Absent(asked, "invalid", first)
    if day > datetime.now(UTC).date():
        raise Absent(asked, "ahead", first)
    before = [switch for switch in switches if switch.at[:10] <= day.isoformat()]
    if not before:
        raise Absent(asked, "before", first)
    return before[-1]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
