"""The order of RDF literals: `<` of SPARQL 1.1 (section 17.3), widened as Oxigraph widens it to
dates, times, parts of dates and durations (XML Schema 1.1 Part 2).

Where SPARQL would raise a type error nothing is compared: IRIs and blank nodes, ill-typed
literals, values of different kinds (a date and a dateTime), NaN, language-tagged strings, datatypes
that are not named here (xsd:token among them: subtypes stand in for their base only in numbers).

Differences from Oxigraph 0.5: booleans are ordered, as SPARQL 1.1 says; strings of one language are
not; numbers may have any size; the 29th of February is a gMonthDay; ill-typed values (`300` as
xsd:byte) are no values.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, TypeAlias

from bilbaokg.shacl.values.lexical import is_well_formed
from bilbaokg.terms import XSD, split_literal

__all__ = ["compare"]

_Seconds: TypeAlias = int | Fraction

# Longer dates, times and durations are not compared: XML Schema 1.1 Part 2, section 5.4, lets
# implementations stop well before, and arithmetic on their digits could take minutes.
_LONGEST: Final = 256
_HALF_DAY: Final = 14 * 3600
_DAY: Final = 86400


def compare(left: str, right: str) -> int | None:
    """-1, 0 or 1 as the left N-Triples term is less than, equal to or greater than the right one.

    None where they cannot be compared.
    """
    one, other = _value(left), _value(right)
    if one is None or type(one) is not type(other):
        return None
    return one.order(other)


def _order(left: Any, right: Any) -> int | None:
    """NaN, which is neither less nor greater nor equal, gives None."""
    if left < right:
        return -1
    if left > right:
        return 1
    return 0 if left == right else None


# -- values --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Text:
    value: str

    def order(self, other: Any) -> int | None:
        return _order(self.value, other.value)


@dataclass(frozen=True, slots=True)
class _Truth:
    value: bool

    def order(self, other: Any) -> int | None:
        return _order(self.value, other.value)


@dataclass(frozen=True, slots=True)
class _Number:
    """An exact number, a single or a double; the larger type of two compares them (17.2)."""

    lexical: str
    type: int

    def order(self, other: Any) -> int | None:
        convert = _NUMBERS[max(self.type, other.type)]
        return _order(convert(self), convert(other))


_EXACT, _SINGLE, _DOUBLE = range(3)


def _exact(number: _Number) -> Decimal:
    return Decimal(number.lexical)


def _single(number: _Number) -> float:
    return array("f", (float(number.lexical),))[0]


def _double(number: _Number) -> float:
    return _single(number) if number.type == _SINGLE else float(number.lexical)


_NUMBERS: Final[tuple[Callable[[_Number], Decimal | float], ...]] = (_exact, _single, _double)


@dataclass(frozen=True, slots=True)
class _Instant:
    """Seconds on the time line (XML Schema 1.1 Part 2, E.3.4): local ones where no zone is said."""

    kind: str
    seconds: _Seconds
    zoned: bool

    def order(self, other: Any) -> int | None:
        if self.kind != other.kind:
            return None
        # A local time may mean any zone from +14:00 to -14:00 (D.2.1).
        if self.zoned != other.zoned and abs(self.seconds - other.seconds) <= _HALF_DAY:
            return None
        return _order(self.seconds, other.seconds)


@dataclass(frozen=True, slots=True)
class _Duration:
    months: int
    seconds: _Seconds

    def order(self, other: Any) -> int | None:
        """Their order, if it is the same from all four reference instants (3.3.6.1)."""
        if self.months == other.months:
            return _order(self.seconds, other.seconds)
        found = {_order(self._after(*start), other._after(*start)) for start in _STARTS}
        return found.pop() if len(found) == 1 else None

    def _after(self, year: int, month: int) -> _Seconds:
        years, months = divmod(month - 1 + self.months, 12)
        return _days(year + years, months + 1, 1) * _DAY + self.seconds


_STARTS: Final = ((1696, 9), (1697, 2), (1903, 3), (1903, 7))
_Value: TypeAlias = _Text | _Truth | _Number | _Instant | _Duration


# -- reading them --------------------------------------------------------------------------------


def _value(term: str) -> _Value | None:
    """What a term means. Bounds and dates come again and again; long texts are not remembered."""
    return _remembered(term) if len(term) <= _LONGEST else _read(term)


def _read(term: str) -> _Value | None:
    if not term.startswith('"'):
        return None
    lexical, datatype, _ = split_literal(term)
    reader = _READERS.get(datatype)
    return reader(lexical) if reader and is_well_formed(lexical, datatype) else None


_remembered: Final = lru_cache(maxsize=8192)(_read)


def _truth(lexical: str) -> _Truth:
    return _Truth(lexical in ("true", "1"))


def _number(type_: int) -> Callable[[str], _Number]:
    return lambda lexical: _Number(lexical, type_)


_YEAR: Final = r"(?P<year>-?[0-9]{4,})"
_MONTH: Final = "(?P<month>..)"
_DATE: Final = f"{_YEAR}-{_MONTH}-(?P<day>..)"
_TIME: Final = r"(?P<hour>..):(?P<minute>..):(?P<second>[0-9.]+)"
_SHAPES: Final = {
    "dateTime": f"{_DATE}T{_TIME}",
    "date": _DATE,
    "time": _TIME,
    "gYear": _YEAR,
    "gYearMonth": f"{_YEAR}-{_MONTH}",
    "gMonth": f"--{_MONTH}",
    "gMonthDay": f"--{_MONTH}-(?P<day>..)",
    "gDay": "---(?P<day>..)",
}


def _instant(kind: str) -> Callable[[str], _Instant | None]:
    shape = re.compile(rf"{_SHAPES[kind]}(?P<zone>Z|[+-]..:..)?")

    def read(lexical: str) -> _Instant | None:
        found = shape.fullmatch(lexical) if len(lexical) <= _LONGEST else None
        if found is None:
            return None
        parts = found.groupdict()
        # Parts that are missing are those of the last day of 1972 (E.3.4).
        year, month = int(parts.get("year") or 1972), int(parts.get("month") or 12)
        day = int(parts.get("day") or _last_day(year, month))
        # Of a time alone, 24:00:00 is another form of 00:00:00.
        hour = int(parts.get("hour") or 0) % (24 if kind == "time" else 25)
        minutes = hour * 60 + int(parts.get("minute") or 0) - _offset(parts["zone"])
        seconds = _days(year, month, day) * _DAY + minutes * 60 + _number_of(parts.get("second"))
        return _Instant(kind, seconds, parts["zone"] is not None)

    return read


def _days(year: int, month: int, day: int) -> int:
    """Days from the first of the year 1 of the Gregorian calendar, which runs both ways."""
    before = year - 1
    leap = month > 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    whole = 365 * before + before // 4 - before // 100 + before // 400
    return whole + _BEFORE[month - 1] + leap + day - 1


_BEFORE: Final = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


def _last_day(year: int, month: int) -> int:
    return _days(year + month // 12, month % 12 + 1, 1) - _days(year, month, 1)


def _offset(zone: str | None) -> int:
    """A time zone in minutes."""
    if zone is None or zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:])
    return -minutes if zone[0] == "-" else minutes


def _number_of(digits: str | None) -> _Seconds:
    return Fraction(digits) if digits and "." in digits else int(digits or 0)


_LENGTHS: Final = re.compile(
    "(-?)P(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)D)?"
    "(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9.]+)S)?)?"
)


def _duration(lexical: str) -> _Duration | None:
    found = _LENGTHS.fullmatch(lexical) if len(lexical) <= _LONGEST else None
    if found is None:
        return None
    years, months, days, hours, minutes = (int(part or 0) for part in found.groups()[1:6])
    seconds = days * _DAY + hours * 3600 + minutes * 60 + _number_of(found[7])
    sign = -1 if found[1] else 1
    return _Duration(sign * (12 * years + months), sign * seconds)


_EXACT_TYPES: Final = (
    "decimal integer long int short byte nonNegativeInteger positiveInteger nonPositiveInteger "
    "negativeInteger unsignedLong unsignedInt unsignedShort unsignedByte"
)
_READERS: Final[dict[str, Callable[[str], _Value | None]]] = {
    XSD.string: _Text,
    XSD.boolean: _truth,
    **{XSD[name]: _number(_EXACT) for name in _EXACT_TYPES.split()},
    XSD.float: _number(_SINGLE),
    XSD.double: _number(_DOUBLE),
    **{XSD[kind]: _instant(kind) for kind in _SHAPES},
    XSD.dateTimeStamp: _instant("dateTime"),
    **dict.fromkeys((XSD.duration, XSD.yearMonthDuration, XSD.dayTimeDuration), _duration),
}
