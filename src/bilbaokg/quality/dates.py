"""Dates as catalogues write them: a day, a time, a month, a year, each a stretch of days."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

from bilbaokg.terms import plain

__all__ = ["Days", "days", "latest"]

_DATE: Final = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T.*)?)?)?(?:Z|[+-]\d\d:\d\d)?")


class Days(NamedTuple):
    """The first and last day that a date may mean: both the same, unless it is a month or year."""

    first: date
    last: date


def days(term: str) -> Days | None:
    """The days that a literal means; None for what is no date (XSD 1.1 part 2, sections 3.3.7-11).

    Zones are not minded: the day is the one that is written.
    """
    found = _DATE.fullmatch(plain(term).strip()) if term.startswith('"') else None
    if not found:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
        if day:
            return Days(first, first)
        end = month or 12
        return Days(first, date(first.year, end, calendar.monthrange(first.year, end)[1]))
    except ValueError:
        return None


def latest(terms: Iterable[str]) -> date | None:
    """The last day that some dates may mean, or None."""
    return max((found.last for found in map(days, terms) if found), default=None)
