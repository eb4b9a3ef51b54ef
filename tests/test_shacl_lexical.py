"""Lexical forms of the XSD datatypes: what sh:datatype takes for well formed and what it does not.

The forms are from XML Schema 1.1, part 2 (white space is not taken away in RDF: RDF 1.1 Concepts,
section 5.1). What an engine misjudges stands in KNOWN, and fails the test when it is judged right.
"""

from __future__ import annotations

from typing import Final

import pytest

from bilbaokg.model import Profile
from bilbaokg.shacl import ENGINES, check
from bilbaokg.terms import RDF, SH, XSD, literal, ref

# Datatype -> well-formed, ill-formed.
FORMS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "boolean": (("true", "false", "1", "0"), ("TRUE", "yes", "sí", "", " true", "2")),
    "decimal": (
        ("1.50", "-0", "+1", "1.", ".5", "007.10"),
        ("1,5", "1e5", "", ".", "NaN", "INF", "1_0", " 1", "1 "),
    ),
    "integer": (
        ("12", "-12", "+0", "007", "99999999999999999999999999"),
        ("1.0", "1_000", "", "-", "٣", "0x1F", " 1", "1\n", "1e3"),
    ),
    "double": (
        ("1e3", "1.5E-7", "INF", "-INF", "NaN", "1.", ".5", "+1"),
        ("nan", "inf", "Infinity", "1e", "e5", "", "1_0", "1,5", " 1"),
    ),
    "float": (("1e3", "INF", "NaN", "-0"), ("nan", "1e", "", "1f")),
    "nonNegativeInteger": (("0", "-0", "+1", "01000"), ("-1", "1.0", "", "mil")),
    "positiveInteger": (("1", "+1", "001"), ("0", "-1", "")),
    "nonPositiveInteger": (("0", "-1"), ("1", "")),
    "negativeInteger": (("-1", "-001"), ("0", "1")),
    "byte": (("127", "-128", "+1"), ("128", "-129", "1.0")),
    "short": (("32767", "-32768"), ("32768", "-32769")),
    "int": (("2147483647", "-2147483648"), ("2147483648", "-2147483649")),
    "long": (
        ("9223372036854775807", "-9223372036854775808"),
        ("9223372036854775808", "-9223372036854775809"),
    ),
    "unsignedByte": (("255", "0"), ("256", "-1")),
    "unsignedShort": (("65535",), ("65536", "-1")),
    "unsignedInt": (("4294967295",), ("4294967296", "-1")),
    "unsignedLong": (("18446744073709551615",), ("18446744073709551616", "-1")),
    "date": (
        ("2024-02-29", "2024-02-29Z", "2024-02-29+14:00", "-0044-03-15", "12024-01-01"),
        (
            "2023-02-29", "2024-02-30", "2024-2-9", "2024-13-01", "2024-00-01", "2024-01-00",
            "2024-02-29T00:00:00", "20240229", "2024-02", "2024", "31/05/2024", "02024-01-01",
            "2024-02-29+14:01", "2024-02-29+2", "+2024-01-01", "", " 2024-02-29", "2024-W05-1",
            "2024-060", "٢٠٢٤-02-29",
        ),
    ),
    "dateTime": (
        (
            "2024-05-31T10:00:00", "2024-05-31T10:00:00Z", "2024-05-31T10:00:00.123+02:00",
            "2024-05-31T24:00:00", "2024-05-31T24:00:00.0Z", "-0044-03-15T00:00:00",
        ),
        (
            "2024-05-31", "2024-05-31T10:00", "2024-05-31 10:00:00", "2024-05-31T24:00:01",
            "2024-05-31T25:00:00", "2024-05-31T10:60:00", "2024-05-31T10:00:60", "",
            "2024-02-30T10:00:00", "20240531T100000", "2024-05-31T10:00:00,5",
            "2024-05-31T10:00:00+0200", "2024-05-31T10:00:00.",
        ),
    ),
    "dateTimeStamp": (
        ("2024-05-31T10:00:00Z", "2024-05-31T10:00:00-05:30"),
        ("2024-05-31T10:00:00", "2024-05-31Z", ""),
    ),
    "time": (
        ("10:00:00", "24:00:00", "10:00:00.5Z", "23:59:59-01:00"),
        ("10:00", "25:00:00", "24:00:01", "10:00:60", "10:60:00", "T10:00:00", "100000", ""),
    ),
    "gYear": (
        ("2024", "2024Z", "-0044", "12024", "2024+02:00"),
        ("24", "2024-05", "año 2024", "02024", "", "+2024", " 2024"),
    ),
    "gYearMonth": (("2024-05", "2024-05Z"), ("2024-13", "2024-00", "2024-5", "2024", "202405", "")),
    "gMonth": (("--05", "--12Z"), ("05", "--13", "--00", "--5", "--05--", "")),
    "gMonthDay": (("--02-29", "--05-31Z"), ("--02-30", "--04-31", "05-31", "--5-31", "")),
    "gDay": (("---31", "---01Z"), ("---32", "---00", "31", "---1", "")),
    "duration": (
        ("P1Y", "P1Y2M3DT4H5M6.7S", "PT15M", "-P1D", "P0D", "PT1.5S"),
        ("P", "PT", "1Y", "P1S", "P1.5Y", "P-1Y", "P1YT", "P1M2Y", "", "+P1Y", "P1W", "PT1M1H"),
    ),
    "yearMonthDuration": (("P1Y2M", "-P1M"), ("P1D", "P", "PT1M", "P1Y1D")),
    "dayTimeDuration": (("P1DT2H", "PT1.5S", "-P1D"), ("P1Y", "P1M", "P", "PT", "P1DT")),
    "hexBinary": (("", "0A1b", "ff"), ("0a1", "0g", "0x1F", "a b")),
    "base64Binary": (("", "YQ==", "YWJj", "YW I="), ("YQ=", "YQ", "Y*==", "=")),
    "anyURI": (
        ("https://example.org/a?b=c#d", "", "a/b", "mailto:a@example.org", "https://ñ.example/ñ"),
        ("http://example.org/a b", "http://example.org/<a>"),
    ),
    "language": (
        ("es", "en-GB", "x-klingon", "es-419", "zh-Hant-TW"),
        ("español", "e s", "abcdefghi", "", "es_ES", "es-", "1a"),
    ),
    "string": (("", " x ", "a\nb", "ñ"), ()),
    "normalizedString": (("a b", " a "), ("a\nb", "a\tb")),
    "token": (("a b", ""), (" a", "a ", "a  b", "a\nb")),
    "Name": (("a", "a:b", "_x", "ñ"), ("1a", "a b", "", "-a")),
    "NCName": (("a", "_x-1.2", "ñ"), ("a:b", "1a", "", "a b")),
    "NMTOKEN": (("1a", "a:b", "-a"), ("a b", "", "a/b")),
}  # fmt: skip

CASES: Final = [
    (datatype, form, good)
    for datatype, both in FORMS.items()
    for good, forms in zip((True, False), both, strict=True)
    for form in forms
]

# Engine -> datatype -> forms that it misjudges.
KNOWN: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "fast": {},
    "pyshacl": {
        "decimal": ("1e5", "NaN", "INF", "1_0", " 1", "1 "),
        "integer": ("1_000", "٣", " 1", "1\n"),
        "double": ("nan", "inf", "Infinity", "1_0", " 1"),
        "float": ("nan",),
        "long": ("9223372036854775808", "-9223372036854775809"),
        "unsignedLong": ("18446744073709551616",),
        "date": (
            "-0044-03-15",
            "12024-01-01",
            "2024-02-29T00:00:00",
            "2024-02-29+14:01",
            "2024-02-29+2",
            "2024-W05-1",
        ),
        "dateTime": (
            "2024-05-31T24:00:00",
            "2024-05-31T24:00:00.0Z",
            "-0044-03-15T00:00:00",
            "2024-05-31",
            "2024-05-31T10:00",
            "2024-05-31 10:00:00",
            "20240531T100000",
            "2024-05-31T10:00:00,5",
            "2024-05-31T10:00:00+0200",
        ),
        "dateTimeStamp": ("2024-05-31T10:00:00", "2024-05-31Z", ""),
        "time": ("24:00:00", "10:00", "T10:00:00", "100000"),
        "gYear": ("24", "2024-05", "año 2024", "02024", "", "+2024", " 2024"),
        "gYearMonth": ("2024-13", "2024-00", "2024-5", "2024", "202405", ""),
        "gMonth": ("05", "--13", "--00", "--5", "--05--", ""),
        "gMonthDay": ("--02-30", "--04-31", "05-31", "--5-31", ""),
        "gDay": ("---32", "---00", "31", "---1", ""),
        "duration": ("PT", "P1.5Y", "P1YT", "+P1Y", "P1W"),
        "yearMonthDuration": ("P1D", "PT1M", "P1Y1D"),
        "dayTimeDuration": ("P1Y", "P1M", "PT", "P1DT"),
        "base64Binary": ("=",),
        "anyURI": ("http://example.org/a b", "http://example.org/<a>"),
        "language": ("español", "e s", "abcdefghi", "", "es_ES", "es-", "1a"),
        "normalizedString": ("a\nb", "a\tb"),
        "token": (" a", "a ", "a  b", "a\nb"),
        "Name": ("1a", "a b", "", "-a"),
        "NCName": ("a:b", "1a", "", "a b"),
        "NMTOKEN": ("a b", "", "a/b"),
    },
}


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    """A property a datatype, whose values must be of it."""
    file = tmp_path_factory.mktemp("lexical") / "shapes.ttl"
    lines = [f"<urn:S> a {ref(SH.NodeShape)} ; {ref(SH.targetClass)} <urn:C> ."]
    for name in FORMS:
        path = f"{ref(SH.path)} <urn:{name}> ; {ref(SH.datatype)} {ref(XSD[name])}"
        lines.append(f"<urn:S> {ref(SH.property)} [ {path} ] .")
    file.write_text("\n".join(lines), encoding="utf-8")
    return Profile("lexical", "local", {}, (file,))


@pytest.mark.filterwarnings("ignore:Parsing weird boolean")
@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_lexical_forms_are_judged_as_xml_schema_does(engine: str, profile: Profile) -> None:
    lines = []
    for number, (datatype, form, _) in enumerate(CASES):
        lines.append(f"<urn:{number}> {ref(RDF.type)} <urn:C> .")
        value = literal(form, datatype=XSD[datatype])
        lines.append(f"<urn:{number}> <urn:{datatype}> {value} .")
    refused = {int((r.focus or "")[4:]) for r in check(lines, profile, engine=engine).results}
    misjudged = {
        (datatype, form)
        for number, (datatype, form, good) in enumerate(CASES)
        if (number in refused) == good
    }
    known = KNOWN.get(engine, {})
    assert misjudged == {(datatype, form) for datatype in known for form in known[datatype]}


def test_a_literal_of_another_datatype_is_refused_however_well_formed(profile: Profile) -> None:
    for engine in sorted(ENGINES):
        lines = [
            f"<urn:x> {ref(RDF.type)} <urn:C> .",
            f"<urn:x> <urn:integer> {literal('1', datatype=XSD.int)} .",
            f"<urn:x> <urn:string> {literal('x', language='es')} .",
            "<urn:x> <urn:anyURI> <https://example.org/> .",
        ]
        results = check(lines, profile, engine=engine).results
        assert sorted(r.path or "" for r in results) == ["urn:anyURI", "urn:integer", "urn:string"]
