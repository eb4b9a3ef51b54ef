"""The lexical spaces of datatypes: XML Schema 1.1 Part 2, and those of RDF itself.

White space is never removed first: RDF 1.1 Concepts, section 3.3, wants the lexical form itself
in the lexical space, which XML Schema defines after its whiteSpace facet has done its work. So
`" 1"^^xsd:integer` is ill-typed.

pySHACL 0.40 differs. It accepts white space round numbers, `1_000`, digits of other scripts, `1e3`
and `NaN` as decimals, `infinity` and `nan`, longs of any size; a date alone, a space for the T and
other ISO 8601 forms as dateTimes, week dates, `10:00` as time, zones beyond 14:00; weeks, fractions
and nothing at all in durations; stray characters in base64Binary; and any text of xsd:gYear,
gYearMonth, gMonth, gMonthDay, gDay, dateTimeStamp, language, anyURI, string, token and the kinds
of names. It refuses 24:00:00 and years over 9999 or under 1.

XML Schema 1.0 differs from 1.1: it has no `+INF`, no year 0000, and dateTimeStamp,
yearMonthDuration and dayTimeDuration are new in 1.1.

Two choices are ours. xsd:anyURI is any text in 1.1; here it must be an IRI reference (RFC 3987),
as what is no IRI leads nowhere. Names follow the fifth edition of XML 1.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final, NoReturn
from xml.parsers import expat

from bilbaokg.shacl.characters import NAME_CHARS, NAME_STARTS, class_body
from bilbaokg.terms import RDF, XSD

__all__ = ["is_well_formed"]

# A check gives anything true for a form that it accepts: most are fullmatch of a pattern. All of
# them take time in proportion to the text, hence the possessive repeats.
_Check = Callable[[str], object]


def is_well_formed(lexical: str, datatype: str) -> bool:
    """Whether a lexical form, its escapes resolved, is one of the datatype (an IRI as plain text).

    True for datatypes that are not known, and for rdf:langString: there the tag decides.
    """
    check = _CHECKS.get(datatype)
    return check is None or bool(check(lexical))


def _matches(pattern: str) -> _Check:
    return re.compile(pattern).fullmatch


# -- text ----------------------------------------------------------------------------------------

_NO_CHAR: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def _is_string(lexical: str) -> bool:
    """Whether all are characters that XML can hold (XML 1.0, section 2.2)."""
    return lexical.isprintable() or _NO_CHAR.search(lexical) is None


_BREAK: Final = re.compile(r"[\t\n\r]")
_LOOSE: Final = re.compile(r"[\t\n\r]|\A | \Z|  ")


def _is_normalized(lexical: str) -> bool:
    return _is_string(lexical) and _BREAK.search(lexical) is None


def _is_token(lexical: str) -> bool:
    return _is_string(lexical) and _LOOSE.search(lexical) is None


_START: Final = class_body(NAME_STARTS)
_NEXT: Final = class_body(NAME_CHARS)
_NAME: Final = rf"[:{_START}][:{_NEXT}]*+"
_NC_NAME: Final = rf"[{_START}][{_NEXT}]*+"
_NMTOKEN: Final = rf"[:{_NEXT}]++"
_Q_NAME: Final = rf"{_NC_NAME}(?::{_NC_NAME})?"


# -- IRI references (RFC 3987, section 2.2) ------------------------------------------------------

_UCS: Final = "\xa0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef" + "".join(
    f"{chr(plane + (0x1000 if plane == 0xE0000 else 0))}-{chr(plane + 0xFFFD)}"
    for plane in range(0x10000, 0xF0000, 0x10000)
)
_PRIVATE: Final = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"


def _run(extra: str) -> str:
    """Any number of unreserved characters, escaped bytes, sub-delimiters and the extra ones."""
    return rf"(?:[A-Za-z0-9\-._~{_UCS}!$&'()*+,;={extra}]++|%[0-9A-Fa-f]{{2}})*+"


_HOST: Final = rf"(?:\[(?:[0-9A-Fa-f:.]++|v[0-9A-Fa-f]++\.{_run(':')})\]|{_run('')})"
_AUTHORITY: Final = rf"(?:{_run(':')}@)?{_HOST}(?::[0-9]*)?"
_PATH: Final = _run(":@/")
_IRI_REFERENCE: Final = (
    # Without a scheme the first segment of the path has no colon.
    r"(?:[A-Za-z][A-Za-z0-9+.\-]*+:|(?![^/?#]*:))"
    rf"(?://{_AUTHORITY}(?:/{_PATH})?|(?!//){_PATH})"
    rf"(?:\?{_run(f':@/?{_PRIVATE}')})?(?:\#{_run(':@/?')})?"
)


# -- numbers -------------------------------------------------------------------------------------

_DECIMAL: Final = r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)"


def _between(low: int, high: int) -> _Check:
    """Integers of a range. Only as many digits are read as its bounds have."""
    digits = len(str(high))
    shape = re.compile(rf"([+-]?)(?:0*+([1-9][0-9]{{0,{digits - 1}}})|0++)").fullmatch

    def check(lexical: str) -> bool:
        found = shape(lexical)
        return found is not None and low <= int(found[1] + (found[2] or "0")) <= high

    return check


# -- dates and times -----------------------------------------------------------------------------

_YEAR: Final = r"-?(?:[1-9][0-9]{3,}+|0[0-9]{3})"
_MONTH: Final = r"(?:0[1-9]|1[0-2])"
_DAY: Final = r"(?:0[1-9]|[12][0-9]|3[01])"
_LEAP_DAY: Final = "02-29"
_MONTH_DAY: Final = (
    r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31"
    rf"|({_LEAP_DAY}))"
)
_TIME: Final = r"(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]++)?|24:00:00(?:\.0++)?)"
_ZONE: Final = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"


def _dated(pattern: str) -> _Check:
    """A pattern that begins with the year and whose one group is the 29th of February."""
    shape = re.compile(pattern).fullmatch

    def check(lexical: str) -> bool:
        found = shape(lexical)
        if found is None or found[1] is None:
            return found is not None
        # The calendar repeats after 400 years, so the last four digits decide.
        year = int(lexical[found.start(1) - 5 : found.start(1) - 1])
        return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)

    return check


_YEARS_MONTHS: Final = r"(?:[0-9]++Y)?(?:[0-9]++M)?"
_DAYS_TIME: Final = (
    r"(?:[0-9]++D)?(?:T(?=[0-9])(?:[0-9]++H)?(?:[0-9]++M)?(?:[0-9]++(?:\.[0-9]++)?S)?)?"
)


# -- bytes and markup ----------------------------------------------------------------------------

_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*+(?:(?<=[AEIMQUYcgkosw048])=|(?<=[AQgw])==)?").fullmatch


def _is_base64(lexical: str) -> bool:
    """Fours of characters; single spaces may stand between them (section 3.3.16)."""
    packed = lexical
    if " " in lexical:
        packed = lexical.replace(" ", "")
        if lexical[0] == " " or lexical[-1] == " " or "  " in lexical:
            return False
    return len(packed) % 4 == 0 and _BASE64(packed) is not None


def _is_xml(lexical: str) -> bool:
    """Whether the text is well-balanced XML content (RDF 1.1 Concepts, section 5.3).

    Inside an element no document type can be declared, hence no entity either.
    """
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    try:
        parser.Parse(f"<x>{lexical}</x>".encode(errors="surrogatepass"), True)
    except expat.ExpatError:
        return False
    return True


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _is_json(lexical: str) -> bool:
    """Whether the text is JSON (RFC 8259); not where it is nested deeper than Python can read."""
    try:
        json.loads(lexical, parse_constant=_refuse, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


_CHECKS: Final[dict[str, _Check]] = {
    XSD.string: _is_string,
    XSD.normalizedString: _is_normalized,
    XSD.token: _is_token,
    XSD.language: _matches(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*+"),
    XSD.Name: _matches(_NAME),
    XSD.NMTOKEN: _matches(_NMTOKEN),
    XSD.NMTOKENS: _matches(rf"{_NMTOKEN}(?: {_NMTOKEN})*+"),
    **dict.fromkeys((XSD.NCName, XSD.ID, XSD.IDREF, XSD.ENTITY), _matches(_NC_NAME)),
    **dict.fromkeys((XSD.IDREFS, XSD.ENTITIES), _matches(rf"{_NC_NAME}(?: {_NC_NAME})*+")),
    **dict.fromkeys((XSD.QName, XSD.NOTATION), _matches(_Q_NAME)),
    XSD.anyURI: _matches(_IRI_REFERENCE),
    XSD.boolean: frozenset(("true", "false", "1", "0")).__contains__,
    XSD.decimal: _matches(_DECIMAL),
    **dict.fromkeys(
        (XSD.double, XSD.float), _matches(rf"{_DECIMAL}(?:[Ee][+-]?[0-9]++)?|[+-]?INF|NaN")
    ),
    XSD.integer: _matches(r"[+-]?[0-9]++"),
    XSD.nonNegativeInteger: _matches(r"\+?[0-9]++|-0++"),
    XSD.positiveInteger: _matches(r"\+?0*+[1-9][0-9]*+"),
    XSD.nonPositiveInteger: _matches(r"-[0-9]++|\+?0++"),
    XSD.negativeInteger: _matches(r"-0*+[1-9][0-9]*+"),
    XSD.long: _between(-(2**63), 2**63 - 1),
    XSD.int: _between(-(2**31), 2**31 - 1),
    XSD.short: _between(-(2**15), 2**15 - 1),
    XSD.byte: _between(-(2**7), 2**7 - 1),
    XSD.unsignedLong: _between(0, 2**64 - 1),
    XSD.unsignedInt: _between(0, 2**32 - 1),
    XSD.unsignedShort: _between(0, 2**16 - 1),
    XSD.unsignedByte: _between(0, 2**8 - 1),
    XSD.date: _dated(rf"{_YEAR}-{_MONTH_DAY}{_ZONE}?"),
    XSD.dateTime: _dated(rf"{_YEAR}-{_MONTH_DAY}T{_TIME}{_ZONE}?"),
    XSD.dateTimeStamp: _dated(rf"{_YEAR}-{_MONTH_DAY}T{_TIME}{_ZONE}"),
    XSD.time: _matches(rf"{_TIME}{_ZONE}?"),
    XSD.gYear: _matches(rf"{_YEAR}{_ZONE}?"),
    XSD.gYearMonth: _matches(rf"{_YEAR}-{_MONTH}{_ZONE}?"),
    XSD.gMonth: _matches(rf"--{_MONTH}{_ZONE}?"),
    XSD.gMonthDay: _matches(rf"--{_MONTH_DAY}{_ZONE}?"),
    XSD.gDay: _matches(rf"---{_DAY}{_ZONE}?"),
    XSD.duration: _matches(rf"-?P(?=[0-9]|T){_YEARS_MONTHS}{_DAYS_TIME}"),
    XSD.yearMonthDuration: _matches(rf"-?P(?=[0-9]){_YEARS_MONTHS}"),
    XSD.dayTimeDuration: _matches(rf"-?P(?=[0-9]|T){_DAYS_TIME}"),
    XSD.hexBinary: _matches(r"(?:[0-9A-Fa-f]{2})*+"),
    XSD.base64Binary: _is_base64,
    RDF.XMLLiteral: _is_xml,
    RDF.JSON: _is_json,
    # Reading HTML never fails, and rdf:HTML takes any text (RDF 1.1 Concepts, section 5.2).
}
