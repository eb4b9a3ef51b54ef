"""Terms as text: escapes, IRIs that we mint, ids of records, language tags."""

from __future__ import annotations

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilbaokg.terms import (
    DCAT,
    DCT,
    PREFIXES,
    RDF,
    XSD,
    Statement,
    datatype_of,
    is_iri,
    language_of,
    literal,
    mint,
    plain,
    record_id,
    ref,
    slugify,
    split_line,
    split_lines,
    split_literal,
    unescape,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
TAG = st.from_regex(r"[a-z]{2,3}(-[a-z0-9]{5,8})?", fullmatch=True)
BASE = "https://datos.example.org"


@given(TEXT)
def test_literal_is_canonical_as_oxigraph_writes_it(value: str) -> None:
    assert literal(value) == str(ox.Literal(value))


@given(TEXT, TAG)
def test_literal_with_language_is_canonical(value: str, tag: str) -> None:
    assert literal(value, language=tag.upper()) == str(ox.Literal(value, language=tag))


@given(TEXT)
def test_plain_gives_back_what_literal_took(value: str) -> None:
    assert plain(literal(value)) == value
    assert plain(literal(value, language="eu")) == value
    assert plain(literal(value, datatype=XSD.token)) == value


@given(TEXT, TEXT)
def test_lines_of_a_text_are_split_at_line_feeds_alone(one: str, two: str) -> None:
    statements = [f"<urn:a> <urn:b> {literal(value)} ." for value in (one, two)]
    text = "".join(f"{line}\n" for line in statements)
    assert split_lines(text) == statements
    assert [split_line(line).line for line in statements] == statements


def test_no_lines_are_no_lines() -> None:
    assert split_lines("") == []
    assert split_lines("a\nb") == ["a", "b"]


def test_split_line_keeps_spaces_inside_literals() -> None:
    line = '<urn:s> <urn:p> "a  b . <urn:x> "@es .'
    assert split_line(line) == Statement("<urn:s>", "<urn:p>", '"a  b . <urn:x> "@es')


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (r"\t\b\n\r\f\"\'\\", "\t\b\n\r\f\"'\\"),
        (r"\u00e1\U0001F600", "á😀"),
        (r"\\u00e1", r"\u00e1"),
        (r"\\\u00e1", r"\á"),
    ],
)
def test_unescape(escaped: str, text: str) -> None:
    assert unescape(escaped) == text


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("<urn:a>", "urn:a"),
        ("_:b0", "_:b0"),
        ('"a"', "a"),
        ('"a\\"@en"', 'a"@en'),
        ('"1"^^<http://www.w3.org/2001/XMLSchema#integer>', "1"),
    ],
)
def test_plain(term: str, text: str) -> None:
    assert plain(term) == text


@pytest.mark.parametrize(
    ("term", "tag"),
    [
        ('"a"@es', "es"),
        ('"a"@ES-es', "es-es"),
        ('"a"', None),
        ('"a@es"', None),
        ('"\\"@es"', None),
        ("<urn:a@es>", None),
    ],
)
def test_language_of(term: str, tag: str | None) -> None:
    assert language_of(term) == tag


@pytest.mark.parametrize(
    ("term", "lexical", "datatype", "tag"),
    [
        ('""', "", XSD.string, None),
        ('"a"', "a", XSD.string, None),
        ('"a"@eu-ES', "a", RDF.langString, "eu-ES"),
        (f'"1"^^<{XSD}byte>', "1", XSD.byte, None),
        ('"\\"@en"^^<urn:d>', '"@en', "urn:d", None),
        ('"a\\"^^<urn:d>"', 'a"^^<urn:d>', XSD.string, None),
        ('"\\""@en', '"', RDF.langString, "en"),
    ],
)
def test_split_literal(term: str, lexical: str, datatype: str, tag: str | None) -> None:
    assert split_literal(term) == (lexical, datatype, tag)
    assert datatype_of(term) == datatype


@given(TEXT, st.sampled_from([None, "urn:d", XSD.string]), st.none() | TAG)
def test_split_literal_gives_back_what_literal_took(
    value: str, datatype: str | None, tag: str | None
) -> None:
    term = literal(value, language=tag, datatype=datatype)
    expected = RDF.langString if tag else datatype or XSD.string
    assert split_literal(term) == (value, expected, tag)
    assert datatype_of(term) == expected


def test_string_datatype_is_left_out() -> None:
    assert literal("a", datatype=XSD.string) == '"a"'
    assert literal("1", datatype=XSD.integer) == f'"1"^^<{XSD}integer>'


def test_namespace_gives_terms_also_where_str_has_a_method() -> None:
    assert DCT.title == DCT["title"] == "http://purl.org/dc/terms/title"
    assert DCT.format == "http://purl.org/dc/terms/format"
    assert DCAT.Dataset == "http://www.w3.org/ns/dcat#Dataset"
    assert DCAT[:4] == "http"
    with pytest.raises(AttributeError):
        _ = DCAT.__wrapped__


def test_namespaces_easily_got_wrong() -> None:
    assert PREFIXES["as"] == "https://www.w3.org/ns/activitystreams#"
    assert PREFIXES["odrl"] == "http://www.w3.org/ns/odrl/2/"
    assert PREFIXES["dcatap"] == "http://data.europa.eu/r5r/"
    assert PREFIXES["duv"] == "http://www.w3.org/ns/duv#"


@pytest.mark.parametrize("text", ["http://a.example/é", "urn:x", "mailto:a@b.c", "x-y+z.1:"])
def test_is_iri(text: str) -> None:
    assert is_iri(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "/a",
        "//a/b",
        "1a:b",
        "http://a b",
        "urn:<a>",
        "urn:a\n",
        'u:"',
        "u:{x}",
        "http://[bad",
        "http://a:port/",
        "http://a/%zz",
        "http://a/\ud800",
    ],
)
def test_is_no_iri(text: str) -> None:
    assert not is_iri(text)


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Áreas Verdes (2024)", "areas-verdes-2024"),
        ("  ñ—ñ ", "n-n"),
        ("日本", ""),
        ("a--b", "a-b"),
    ],
)
def test_slugify(text: str, slug: str) -> None:
    assert slugify(text) == slug


@given(TEXT)
def test_slug_is_safe_anywhere(text: str) -> None:
    slug = slugify(text)
    assert slug == slugify(slug)
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_id_of_a_minted_iri_is_type_and_slug() -> None:
    assert record_id(BASE, "dataset", mint(BASE, "dataset", "ruido-2024")) == "dataset/ruido-2024"


@pytest.mark.parametrize(
    "iri",
    [
        "https://other.example/id/dataset/a",
        f"{BASE}/id/series/a",
        f"{BASE}/id/dataset/",
        f"{BASE}/id/dataset/a/b",
        f"{BASE}/id/dataset/a%2Fb",
        f"{BASE}/id/dataset/ñ",
        f"{BASE}/id/dataset/..",
        f"{BASE}/id/dataset/.",
        f"{BASE}/dataset/a",
    ],
)
def test_id_of_any_other_iri_is_a_hash(iri: str) -> None:
    kind, _, slug = record_id(BASE, "dataset", iri).partition("/")
    assert kind == "dataset"
    assert len(slug) == 16
    assert set(slug) <= set("0123456789abcdef")


def test_ref() -> None:
    assert ref("urn:a") == "<urn:a>"
