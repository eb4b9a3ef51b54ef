"""Literal values: the lexical space of every datatype, and the order of values."""

from __future__ import annotations

from datetime import date, time

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilbaokg.shacl.values import compare, is_well_formed
from bilbaokg.terms import RDF, XSD, literal

LONG = 1_000_000

# Datatype: (accepted forms, refused forms).
FORMS: dict[str, tuple[list[str], list[str]]] = {
    "string": (["", "a", "\t\n\r", "ñ😀", "\x7f\x85\u2028"], ["\x00", "a\x08", "\x1f", "\ufffe"]),
    "normalizedString": (["", " a  b "], ["a\tb", "a\n", "\r", "\x01"]),
    "token": (["", "a", "a b"], [" a", "a ", "a  b", "a\tb", "a\n", "\x01"]),
    "language": (
        ["es", "eu-ES", "x-klingon", "a-1x", "abcdefgh-12345678"],
        ["", "es_ES", "1a", "abcdefghi", "es-", "-es", "es-123456789", "es ", "ñ"],
    ),
    "Name": (["a", ":a", "_1", "a.b-c", "é:ñ"], ["", "1a", "-a", "a b", "a/b", "a\n"]),
    "NCName": (["a", "_", "a.b-1", "日本"], ["", "a:b", ":a", "1", ".a"]),
    "ID": (["a"], ["a:b", ""]),
    "IDREF": (["a"], ["a:b", ""]),
    "ENTITY": (["a"], ["a:b", ""]),
    "IDREFS": (["a", "a b"], ["", "a  b", " a", "a:b c"]),
    "ENTITIES": (["a", "a b"], ["", "a b "]),
    "NMTOKEN": (["1", "-.:", "a"], ["", "a b", "a/"]),
    "NMTOKENS": (["1", "1 -a"], ["", " 1", "1  2"]),
    "QName": (["a", "a:b"], ["", "a:", ":b", "a:b:c", "1:b"]),
    "NOTATION": (["a:b"], ["a:"]),
    "boolean": (["true", "false", "1", "0"], ["", "TRUE", "True", "yes", "10", " true", "true\n"]),
    "decimal": (
        ["0", "-0", "+1", "1.5", "1.", ".5", "-.5", "00.100", "9" * 40 + "." + "9" * 40],
        ["", ".", "+", "1e3", "1,5", "NaN", "INF", "1_0", "٣", " 1", "1\n", "--1", "1.2.3"],
    ),
    "integer": (
        ["0", "-0", "+00", "-12", "9" * 100],
        ["", "1.", "1.0", "1e3", "+-1", "1_000", "٣"],
    ),
    "nonNegativeInteger": (["0", "-0", "-000", "+1", "007"], ["-1", "-01", "", "1.0"]),
    "positiveInteger": (["1", "+1", "0010"], ["0", "-1", "+0", "00"]),
    "nonPositiveInteger": (["0", "+0", "-0", "-1"], ["1", "+1", "01"]),
    "negativeInteger": (["-1", "-01", "-10"], ["0", "-0", "1", "-"]),
    "long": (
        ["9223372036854775807", "-9223372036854775808", "0" * 50 + "1"],
        ["9223372036854775808", "-9223372036854775809", "99999999999999999999", "1.0"],
    ),
    "int": (["2147483647", "-2147483648", "-0"], ["2147483648", "-2147483649", ""]),
    "short": (["32767", "-32768", "+5"], ["32768", "-32769", "+"]),
    "byte": (["127", "-128", "000", "+0127"], ["128", "-129", "300", "1.0"]),
    "unsignedLong": (["18446744073709551615", "-0"], ["18446744073709551616", "-1"]),
    "unsignedInt": (["4294967295", "+0"], ["4294967296", "-1"]),
    "unsignedShort": (["65535"], ["65536", "-1"]),
    "unsignedByte": (["255", "0255"], ["256", "-1"]),
    "double": (
        ["1", "1.", ".5", "-1.5E-10", "1e400", "INF", "-INF", "+INF", "NaN", "-0.0e0"],
        ["", "nan", "inf", "Infinity", "+NaN", "-NaN", "1e", "e1", "1e1.5", "0x1", "1_0", "1f"],
    ),
    "float": (["1e50", "INF"], ["infinity", "1.e"]),
    "date": (
        [
            *("2024-02-29", "2000-02-29", "0000-02-29", "-0004-02-29", "12000-02-29"),
            *("2024-12-31Z", "2024-04-30+14:00", "2024-01-01-13:59", "2024-01-01-00:00"),
            *("-0001-01-01", "0000-01-01", "10000-01-01", "0001-01-01", "-0000-01-01"),
        ],
        [
            *("2023-02-29", "1900-02-29", "-0001-02-29", "10100-02-29", "2024-02-30"),
            *("2024-04-31", "2024-13-01", "2024-00-01", "2024-01-00", "2024-01-32", "24-01-01"),
            *("2024-1-1", "20240101", "2024-01-01+14:01", "2024-01-01+15:00", "2024-01-01z"),
            *(
                "02024-01-01",
                "+2024-01-01",
                "2024-01-01T00:00:00",
                "2024-01-01\n",
                "",
                "2024-W01-1",
            ),
            *("2024-01-01+1:00", "2024-01-01+0100", " 2024-01-01", "２０２４-01-01"),
        ],
    ),
    "dateTime": (
        [
            *("2024-02-29T23:59:59", "2024-12-31T24:00:00", "2024-01-01T24:00:00.000Z"),
            *("2024-01-01T00:00:00.123456789012345678901-14:00", "-0001-01-01T00:00:00"),
        ],
        [
            *("2024-01-01", "2023-02-29T00:00:00", "2024-01-01T24:00:01", "2024-01-01T24:00:00.1"),
            *("2024-01-01T25:00:00", "2024-01-01T00:60:00", "2024-01-01T23:59:60", "T00:00:00"),
            *("2024-01-01T00:00", "2024-01-01 00:00:00", "2024-01-01t00:00:00", "2024-01-01T0:0:0"),
            *("2024-01-01T00:00:00.", "2024-01-01T00:00:00+14:30", "2024-01-01T00:00:00ZZ"),
        ],
    ),
    "dateTimeStamp": (
        ["2024-01-01T00:00:00Z", "2024-02-29T00:00:00+01:00"],
        ["2024-01-01T00:00:00", "2023-02-29T00:00:00Z", "2024-01-01Z"],
    ),
    "time": (
        ["00:00:00", "23:59:59.999", "24:00:00", "24:00:00.00Z", "10:00:00-14:00"],
        ["10:00", "24:00:01", "24:01:00", "23:59:60", "1:00:00", "10:00:00+14:01", "T10:00:00"],
    ),
    "gYear": (
        ["2024", "0000", "-0001", "12024", "2024Z", "2024+14:00"],
        ["24", "02024", "+2024", "2024-01", "", "x", "2024+24:00", "2024\n"],
    ),
    "gYearMonth": (["2024-12", "-0001-01Z"], ["2024-13", "2024-00", "2024", "2024-1", "202401"]),
    "gMonth": (["--01", "--12Z"], ["01", "--13", "--00", "--1", "--12--", "-12"]),
    "gMonthDay": (
        ["--02-29", "--12-31Z", "--04-30"],
        ["--02-30", "--04-31", "--13-01", "02-28", "--0228", "--01-00"],
    ),
    "gDay": (["---01", "---31+01:00"], ["---00", "---32", "--01", "01", "---1"]),
    "duration": (
        ["P1Y", "P0M", "-P1Y2M3DT4H5M6.789S", "PT0S", "P13M", "PT36H", "P1MT1M", "P007D"],
        [
            *("", "P", "PT", "P1YT", "1Y", "P1M1Y", "P1W", "P1.5Y", "PT1.S", "PT.5S", "+P1D"),
            *("P-1D", "P1S", "PT1D", "p1d", "P1Y ", "-P", "P1H"),
        ],
    ),
    "yearMonthDuration": (["P1Y", "-P2M", "P1Y13M"], ["P", "P1D", "P1YT", "PT1M", "P1M1Y"]),
    "dayTimeDuration": (["P1D", "-PT1.5S", "P1DT1H"], ["P", "PT", "P1M", "P1Y", "P1DT"]),
    "hexBinary": (["", "0a", "0AfF"], ["0", "0g", "0a ", "0x0a", "a b"]),
    "base64Binary": (
        ["", "QQ==", "QUI=", "QUJD", "Q Q = =", "QUJD QUJD", "+/+/"],
        [
            "Q",
            "QQ",
            "QQ=",
            "QR==",
            "QUJ=",
            " QQ==",
            "QQ== ",
            "Q  Q==",
            "QQ=\n=",
            "Q===",
            "=",
            "-_-_",
        ],
    ),
    "anyURI": (
        [
            *(
                "http://example.org/",
                "",
                "#a",
                "../a?b=c",
                "//host:80/x",
                "urn:isbn:1",
                "mailto:a@b.c",
            ),
            *("http://ñandú.example/á?ñ#é", "http://[::1]/a", "http://u:p@h/%20", "a/b:c", "?a:b"),
            *("file:///a", "http://h:/", "x:", "http://[v1.a:b]/", "http://h/?\ue000"),
        ],
        [
            *("http://a b", " http://a", "http://a\n", "1a:b", ":a", "http://a/<b>", 'http://a/"'),
            *("http://a/%2", "http://a/%zz", "a#b#c", "http://a/{x}", "http://a|b", "http://a\\b"),
            *(
                "http://a/[1]",
                "http://h:x/",
                "http://[x]/",
                "a^b",
                "a`b",
                "http://h/\ue000",
                "a\x00",
            ),
        ],
    ),
}
RDF_FORMS: dict[str, tuple[list[str], list[str]]] = {
    "langString": (["", "a\x01"], []),
    "HTML": (["", "<p>a<br>", "</p>", "&"], []),
    "XMLLiteral": (
        ["", "a", "<a/>", "a<b xmlns='urn:x' c='&lt;'>d</b><!--e--><?f g?>", "<![CDATA[<]]>", "é"],
        [
            *(
                "<a>",
                "</a>",
                "</x><x>",
                "a & b",
                "<a b=c/>",
                "<p:a/>",
                "&nbsp;",
                "\x01",
                "<a><b></a>",
            ),
            *("<!DOCTYPE a>", "<?xml version='1.0'?><a/>", "]]>", "\ufffe", "<a b='1' b='2'/>"),
        ],
    ),
    "JSON": (
        ["null", " [1, 2.5e3] ", '{"a": {"b": []}}', '"a"', "1" * 5000, "[]\n"],
        [
            "",
            "NaN",
            "Infinity",
            "[-Infinity]",
            "{a: 1}",
            "[1,]",
            "'a'",
            "01",
            '"\t"',
            "1 2",
            "[" * 9**5,
        ],
    ),
}


def forms(accepted: bool) -> list[tuple[str, str]]:
    tables = (XSD, FORMS), (RDF, RDF_FORMS)
    return [
        (lexical, namespace[name])
        for namespace, table in tables
        for name, columns in table.items()
        for lexical in columns[0 if accepted else 1]
    ]


@pytest.mark.parametrize(("lexical", "datatype"), forms(True))
def test_form_is_accepted(lexical: str, datatype: str) -> None:
    assert is_well_formed(lexical, datatype)


@pytest.mark.parametrize(("lexical", "datatype"), forms(False))
def test_form_is_refused(lexical: str, datatype: str) -> None:
    assert not is_well_formed(lexical, datatype)


@pytest.mark.parametrize("datatype", ["urn:mine", XSD.anySimpleType, f"{XSD}Integer", ""])
def test_unknown_datatype_accepts_anything(datatype: str) -> None:
    assert is_well_formed("no\x00thing", datatype)


# What pySHACL, pyshifty or pyrudof took for well-formed when they were measured.
@pytest.mark.parametrize(
    ("lexical", "name"),
    [
        ("MMXXIV", "gYear"),
        ("2024-13", "gYearMonth"),
        ("http://example.org/a b", "anyURI"),
        ("español", "language"),
        ("0g", "hexBinary"),
        ("2023-02-29", "date"),
        ("P1W", "duration"),
        ("25:00:00", "time"),
        ("2024-01-01", "dateTime"),
    ],
)
def test_form_that_other_engines_accept_is_refused(lexical: str, name: str) -> None:
    assert not is_well_formed(lexical, XSD[name])


@pytest.mark.parametrize("datatype", [*(XSD[n] for n in FORMS), *(RDF[n] for n in RDF_FORMS)])
def test_giant_form_is_judged_without_arithmetic_on_it(datatype: str) -> None:
    one = literal("1", datatype=datatype)
    for lexical in ("1" * LONG, "0" * LONG, "a b" * LONG, f"P{'1' * LONG}", f"{'1' * LONG}-02-29"):
        is_well_formed(lexical, datatype)
        compare(literal(lexical, datatype=datatype), one)


IRI_PARTS = st.sampled_from(
    [*"/:?#@[]| 1aé\ue000\x7f", "//", "http:", "urn:", "%41", "%4", "[::1]", "80"]
)


@settings(deadline=None)
@given(st.lists(IRI_PARTS, max_size=8).map("".join))
def test_any_uri_agrees_with_oxigraph_on_absolute_iris(text: str) -> None:
    try:
        ox.NamedNode(f"x:{text}")
        expected = True
    except ValueError:
        expected = False
    assert is_well_formed(f"x:{text}", XSD.anyURI) == expected


# -- order ---------------------------------------------------------------------------------------


def typed(lexical: str, name: str) -> str:
    return literal(lexical, datatype=XSD[name])


LESS = [
    ("integer", "1", "integer", "2"),
    ("byte", "-1", "unsignedLong", "0"),
    ("integer", "1", "decimal", "1.5"),
    ("decimal", "0.1", "decimal", "0.10000000000000000001"),
    ("integer", "9" * 40, "integer", "1" + "0" * 40),
    ("integer", "9" * 40, "double", "1e41"),
    ("integer", "9" * 30, "float", "+INF"),
    ("double", "0.1", "float", "0.1"),
    ("string", "a", "string", "b"),
    ("string", "", "string", "a"),
    ("string", "Z", "string", "a"),
    ("string", "\ufffd", "string", "😀"),
    ("boolean", "false", "boolean", "1"),
    ("boolean", "0", "boolean", "true"),
    ("date", "2024-02-29", "date", "2024-03-01"),
    ("date", "-0001-12-31", "date", "0000-01-01"),
    ("date", "9999-12-31", "date", "10000-01-01"),
    ("date", "2024-01-01+14:00", "date", "2024-01-01Z"),
    ("date", "2024-01-01", "date", "2024-01-02Z"),
    ("dateTime", "2024-01-01T00:00:00", "dateTime", "2024-01-01T14:00:00.1Z"),
    ("dateTime", "2024-01-01T00:00:00+01:00", "dateTimeStamp", "2023-12-31T23:00:01Z"),
    ("time", "10:00:00", "time", "10:00:00.5"),
    ("time", "10:00:00+02:00", "time", "09:00:00Z"),
    ("gYear", "-0001", "gYear", "0000"),
    ("gYearMonth", "2023-12", "gYearMonth", "2024-01"),
    ("gMonth", "--02", "gMonth", "--03"),
    ("gMonthDay", "--02-28", "gMonthDay", "--02-29"),
    ("gDay", "---09", "gDay", "---10"),
    ("duration", "P1M", "duration", "P32D"),
    ("duration", "P27D", "duration", "P1M"),
    ("duration", "-P1M", "duration", "-P27D"),
    ("yearMonthDuration", "P11M", "yearMonthDuration", "P1Y"),
    ("dayTimeDuration", "PT23H59M59.9S", "duration", "P1D"),
    ("duration", "P1Y", "duration", "P367D"),
]
EQUAL = [
    ("integer", "1", "decimal", "1.0"),
    ("byte", "+01", "double", "1e0"),
    ("double", "-0", "float", "0"),
    ("decimal", "0.1", "float", "0.1"),
    ("integer", "9007199254740993", "double", "9007199254740992"),
    ("integer", "16777217", "float", "16777216"),
    ("double", "1e400", "double", "INF"),
    ("integer", "-" + "9" * 400, "float", "-INF"),
    ("boolean", "1", "boolean", "true"),
    ("date", "2024-01-01Z", "date", "2024-01-01-00:00"),
    ("dateTime", "2024-12-31T24:00:00", "dateTime", "2025-01-01T00:00:00.000"),
    ("dateTime", "2024-01-01T00:30:00+01:00", "dateTime", "2023-12-31T23:30:00Z"),
    ("time", "24:00:00", "time", "00:00:00"),
    ("duration", "P1Y", "yearMonthDuration", "P12M"),
    ("duration", "P1DT24H", "dayTimeDuration", "PT48H0.0S"),
    ("duration", "-PT0S", "duration", "P0Y"),
]
NOT_COMPARED = [
    ("double", "NaN", "double", "NaN"),
    ("float", "NaN", "integer", "1"),
    ("integer", "1", "string", "1"),
    ("integer", "1", "boolean", "true"),
    ("token", "a", "token", "b"),
    ("date", "2024-01-01", "dateTime", "2024-01-01T00:00:00"),
    ("gYear", "2024", "integer", "2024"),
    ("dateTime", "2024-01-01T00:00:00", "dateTime", "2024-01-01T14:00:00Z"),
    ("time", "10:00:00", "time", "11:00:00Z"),
    ("gYear", "2024", "gYear", "2024Z"),
    ("duration", "P1M", "duration", "P30D"),
    ("duration", "P1Y", "duration", "P365D"),
    ("integer", " 1", "integer", "2"),
    ("byte", "300", "integer", "1"),
    ("date", "2023-02-29", "date", "2024-01-01"),
    ("anyURI", "a", "anyURI", "b"),
    ("hexBinary", "00", "hexBinary", "01"),
    ("mine", "a", "mine", "b"),
    ("duration", f"P{'1' * 300}Y", "duration", "P1Y"),
    ("gYear", "1" * 300, "gYear", "2024"),
]


@pytest.mark.parametrize(("one", "left", "other", "right"), LESS)
def test_less(one: str, left: str, other: str, right: str) -> None:
    assert compare(typed(left, one), typed(right, other)) == -1
    assert compare(typed(right, other), typed(left, one)) == 1


@pytest.mark.parametrize(("one", "left", "other", "right"), EQUAL)
def test_equal(one: str, left: str, other: str, right: str) -> None:
    assert compare(typed(left, one), typed(right, other)) == 0
    assert compare(typed(right, other), typed(left, one)) == 0


@pytest.mark.parametrize(("one", "left", "other", "right"), NOT_COMPARED)
def test_not_compared(one: str, left: str, other: str, right: str) -> None:
    assert compare(typed(left, one), typed(right, other)) is None
    assert compare(typed(right, other), typed(left, one)) is None


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("<urn:a>", "<urn:b>"),
        ("_:a", "_:b"),
        ("<urn:a>", '"a"'),
        ('"a"@es', '"b"@es'),
        ('"a"@es', '"b"'),
    ],
)
def test_terms_without_an_order_are_not_compared(left: str, right: str) -> None:
    assert compare(left, right) is None
    assert compare(right, left) is None


def test_escapes_are_resolved_before_comparing() -> None:
    assert compare(r'"\u0061"', '"a"') == 0
    assert compare(r'"\n"', '"a"') == -1


# Inside the limits of Oxigraph: 64-bit integers, decimals of 18 places and 128 bits.
SMALL = st.integers(-99, 99).map(str)
DECIMALS = st.decimals(-(10**9), 10**9, places=9).map(lambda number: f"{number:f}")
FLOATS = st.floats(width=32).map(
    lambda number: repr(number).replace("inf", "INF").replace("nan", "NaN")
)
INTEGER_TYPES = ["integer", "long", "int", "short", "byte", "nonPositiveInteger"]
NUMBERS = st.one_of(
    st.builds(typed, SMALL.filter(lambda n: n.startswith("-")), st.sampled_from(INTEGER_TYPES)),
    st.builds(typed, st.integers(-(2**63), 2**63 - 1).map(str), st.just("integer")),
    st.builds(typed, SMALL | DECIMALS, st.sampled_from(["decimal", "double", "float"])),
    st.builds(typed, FLOATS, st.sampled_from(["double", "float"])),
)

ZONES = st.sampled_from(["", "Z", "+14:00", "-14:00", "+01:00", "-00:30"])
YEARS = st.integers(-9999, 12000).map(lambda year: f"{'-' if year < 0 else ''}{abs(year):04}")
NEAR = st.dates(date(2023, 12, 30), date(2024, 1, 2)) | st.dates(
    date(2024, 2, 27), date(2024, 3, 2)
)
DAYS = (NEAR | st.dates()).map(date.isoformat)
TIMES = st.times().map(time.isoformat) | st.sampled_from(["24:00:00", "00:00:00", "10:00:00.5"])
TEMPORAL = {
    "date": DAYS,
    "dateTime": st.builds("{}T{}".format, DAYS, TIMES),
    "time": TIMES,
    "gYear": YEARS | st.sampled_from(["2023", "2024"]),
    "gYearMonth": st.builds("{}-{:02}".format, YEARS, st.integers(1, 12)),
    "gMonth": st.integers(1, 12).map("--{:02}".format),
    "gMonthDay": st.dates().filter(lambda d: (d.month, d.day) != (2, 29)).map("--{:%m-%d}".format),
    "gDay": st.integers(1, 31).map("---{:02}".format),
}
PARTS = st.sampled_from([0, 1, 11, 12, 13, 28, 29, 30, 31, 59, 365, 366])
SIGNS = st.sampled_from(["", "-"])
DURATIONS = st.one_of(
    st.builds("{}P{}Y{}M".format, SIGNS, PARTS, PARTS).map(lambda d: typed(d, "yearMonthDuration")),
    st.builds("{}P{}DT{}H{}.5S".format, SIGNS, PARTS, PARTS, PARTS).map(
        lambda d: typed(d, "dayTimeDuration")
    ),
    st.builds("{}P{}M{}DT{}M".format, SIGNS, PARTS, PARTS, PARTS).map(
        lambda d: typed(d, "duration")
    ),
)
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cn", "Cs"]), max_size=5)
STORE = ox.Store()


def order_of_oxigraph(left: str, right: str) -> int | None:
    """What the Store answers to <, > and =; None where it knows no order."""
    query = (
        "SELECT (?a < ?b AS ?l) (?a > ?b AS ?g) (?a = ?b AS ?e) {{ VALUES (?a ?b) {{({} {})}} }}"
    )
    (found,) = STORE.query(query.format(left, right))
    less, greater, equal = (
        found[name] is not None and found[name].value == "true" for name in "lge"
    )
    return -1 if less else 1 if greater else 0 if equal else None


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
def test_numbers_are_ordered_as_in_oxigraph(left: str, right: str) -> None:
    assert compare(left, right) == order_of_oxigraph(left, right)


@pytest.mark.parametrize("name", TEMPORAL)
@settings(deadline=None)
@given(data=st.data())
def test_times_are_ordered_as_in_oxigraph(name: str, data: st.DataObject) -> None:
    forms = st.builds("{}{}".format, TEMPORAL[name], ZONES).map(lambda form: typed(form, name))
    left, right = data.draw(forms), data.draw(forms)
    assert compare(left, right) == order_of_oxigraph(left, right)


@settings(deadline=None)
@given(DURATIONS, DURATIONS)
def test_durations_are_ordered_as_in_oxigraph(left: str, right: str) -> None:
    assert compare(left, right) == order_of_oxigraph(left, right)


@settings(deadline=None)
@given(TEXT, TEXT)
def test_strings_are_ordered_as_in_oxigraph(left: str, right: str) -> None:
    one, other = literal(left), literal(right)
    assert compare(one, other) == order_of_oxigraph(one, other)


@settings(deadline=None)
@given(st.sampled_from([*FORMS, "other"]), st.text(max_size=8), st.text(max_size=8))
def test_order_is_turned_round_with_its_sides(name: str, left: str, right: str) -> None:
    one, other = typed(left, name), typed(right, name)
    forth, back = compare(one, other), compare(other, one)
    assert forth is None and back is None if forth is None or back is None else forth == -back
