"""Charts of an answer: what can be drawn of its rows, as bars or along time.

Bars where a column holds numbers, marks in time where one holds days, and others say what each row
is about; a line where one column holds each date once and one a number. A value has to be in every
row. The figures stand in the table of the answer too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from bilbaokg.server.views.charts import Bar, Chart, Mark, Point
from bilbaokg.server.views.values import Value
from bilbaokg.terms import XSD, plain

__all__ = ["HEIGHT", "VIEWS", "WIDTH", "chart"]

VIEWS: Final = ("bars", "time", "timeline")
_MOST_BARS: Final = 50
_MOST_POINTS: Final = 500
_MOST_MARKS: Final = 200
_MOST_NAMES: Final = 2
_NUMBERS: Final = frozenset(
    XSD + name
    for name in (
        "integer", "decimal", "double", "float", "int", "long", "short", "byte",
        "nonNegativeInteger", "positiveInteger", "unsignedInt", "unsignedLong",
    )
)  # fmt: skip
_DAYS: Final = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T.*|Z|[+-]\d\d:\d\d)?")
_TIMES: Final = frozenset(XSD + name for name in ("date", "dateTime", "gYear", "gYearMonth"))
WIDTH: Final = 720
HEIGHT: Final = 240
_LEFT: Final = 64
_RIGHT: Final = 16
_TOP: Final = 14
_BOTTOM: Final = 28


Columns = Sequence[Sequence[str | None]]
Cells = Sequence[Sequence[Value | None]]


def chart(
    variables: Sequence[str], terms: Sequence[Sequence[str | None]], values: Cells
) -> dict[tuple[str, str], Chart]:
    """What can be drawn, by view and the variable that is drawn, in the order of the variables.

    terms: the rows as N-Triples terms; values: the same as they are shown.
    """
    if len(terms) < 2:
        return {}
    columns = list(zip(*terms, strict=True))
    figures = [n for n, column in enumerate(columns) if all(map(_is_number, column))]
    days = [n for n, column in enumerate(columns) if _are_days(column)]
    names = _naming(values, [n for n in range(len(columns)) if n not in {*figures, *days}])
    found: dict[tuple[str, str], Chart] = {}
    for of in figures:
        if (names or days) and len(terms) <= _MOST_BARS and _have_length(columns[of]):
            bars = _bars(variables, columns, values, names or days, of)
            found["bars", variables[of]] = bars
        if days and not names and len(terms) <= _MOST_POINTS and _is_timeline(columns[days[0]]):
            found["time", variables[of]] = _line(variables, columns, values, days[0], of)
    for of in days:
        if names and len(terms) <= _MOST_MARKS:
            found["timeline", variables[of]] = _marks(variables, columns, values, names, of)
    return found


def _have_length(column: Sequence[str | None]) -> bool:
    numbers = [_number(term) for term in column]
    return min(numbers) >= 0 < max(numbers)


def _naming(values: Cells, names: Sequence[int]) -> list[int]:
    """The first columns that tell what rows are about; the title beside a thing tells nothing."""
    told: dict[tuple[str, ...], int] = {}
    for n in names:
        told.setdefault(tuple(cell.text.text if (cell := row[n]) else "" for row in values), n)
    return list(told.values())[:_MOST_NAMES]


def _named(row: Sequence[Value | None], names: Sequence[int]) -> list[Value]:
    return [value for n in names if (value := row[n])]


def _heads(variables: Sequence[str], names: Sequence[int]) -> str:
    return ", ".join(variables[n] for n in names)


def _bars(
    variables: Sequence[str], columns: Columns, values: Cells, names: Sequence[int], of: int
) -> Chart:
    numbers = [_number(term) for term in columns[of]]
    most = max(numbers)
    bars = [
        Bar(_named(row, names), figure, round(100 * number / most, 2))
        for row, number in zip(values, numbers, strict=True)
        if (figure := row[of])
    ]
    return Chart(_heads(variables, names), variables[of], bars=bars)


def _marks(
    variables: Sequence[str], columns: Columns, values: Cells, names: Sequence[int], of: int
) -> Chart:
    days = [_day(term) for term in columns[of]]
    first, span = min(days), max(max(days) - min(days), 1)
    rows = sorted(zip(values, days, strict=True), key=lambda each: each[1])
    marks = [
        Mark(_named(row, names), when, round(100 * (day - first) / span, 1))
        for row, day in rows
        if (when := row[of])
    ]
    return Chart(_heads(variables, names), variables[of], marks=marks)


def _line(variables: Sequence[str], columns: Columns, values: Cells, time: int, of: int) -> Chart:
    days = [_day(term) for term in columns[time]]
    numbers = [_number(term) for term in columns[of]]
    low, high, step = _scale(min(numbers), max(numbers))
    first, last = min(days), max(days)
    across, down = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

    def y(number: float) -> float:
        return _TOP + down * (high - number) / (high - low)

    points = [
        Point(_LEFT + across * (day - first) / (last - first), y(number), name, figure)
        for row, day, number in sorted(
            zip(values, days, numbers, strict=True), key=lambda each: each[1]
        )
        if (name := row[time]) and (figure := row[of])
    ]
    ticks = [(y(tick), tick) for n in range(round((high - low) / step) + 1)
             if (tick := low + n * step) <= high]  # fmt: skip
    return Chart(variables[time], variables[of], points=points, ticks=ticks, size=(WIDTH, HEIGHT))


def _scale(least: float, most: float) -> tuple[float, float, float]:
    """From where to where an axis goes that holds these and zero, and its round step."""
    low, high = min(least, 0.0), max(most, 0.0)
    span = (high - low) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(f * power for f in (1, 2, 2.5, 5, 10) if f * power * 4 >= span)
    return math.floor(low / step) * step, math.ceil((high or 1.0) / step) * step, step


def _datatype(term: str) -> str:
    return term.rpartition('"^^<')[2][:-1] if term.startswith('"') and term.endswith(">") else ""


def _is_number(term: str | None) -> bool:
    if term is None or _datatype(term) not in _NUMBERS:
        return False
    try:
        return math.isfinite(float(plain(term))) and abs(float(plain(term))) < 1e15
    except ValueError:
        return False


def _number(term: str | None) -> float:
    return float(plain(term or ""))


def _are_days(column: Sequence[str | None]) -> bool:
    """Whether a column holds nothing but days, months and years."""
    if not all(term and _datatype(term) in _TIMES for term in column):
        return False
    try:
        return bool([_day(term) for term in column])
    except ValueError:
        return False


def _is_timeline(column: Sequence[str | None]) -> bool:
    """Whether a column of days holds each once."""
    return len({_day(term) for term in column}) == len(column)


def _day(term: str | None) -> int:
    """The day of a moment as a number. Raises ValueError."""
    found = _DAYS.fullmatch(plain(term or ""))
    if found is None:
        raise ValueError(term)
    return date(int(found[1]), int(found[2] or 1), int(found[3] or 1)).toordinal()
