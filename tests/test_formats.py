"""Formats: one table of names, extensions and media types; serialising keeps literals exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilbaokg import formats
from bilbaokg.errors import UnsupportedFormat
from bilbaokg.formats import FORMATS, by_extension, by_media_type, by_name, sniff
from bilbaokg.terms import XSD, literal
from bilbaokg.writing import to_bytes

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a.ttl", "ttl"),
        ("a.b.TTL", "ttl"),
        ("a.turtle", "ttl"),
        ("a.ttl.gz", "ttl"),
        ("a.TTL.GZ", "ttl"),
        ("a.trig", "trig"),
        ("a.nt", "nt"),
        ("a.nq", "nq"),
        ("a.jsonld", "jsonld"),
        ("a.json", "jsonld"),
        ("a.rdf", "rdf"),
        ("a.xml", "rdf"),
        ("a.owl", "rdf"),
    ],
)
def test_extension_says_the_format(file: str, name: str) -> None:
    assert by_extension(file) is FORMATS[name]


@pytest.mark.parametrize("file", ["a", "ttl", ".ttl", "a.csv", "a.gz", "a.ttl.bz2", ""])
def test_extension_says_nothing(file: str) -> None:
    assert by_extension(file) is None


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("text/turtle", "ttl"),
        ("Text/Turtle; charset=utf-8", "ttl"),
        ("application/trig", "trig"),
        ("application/n-triples", "nt"),
        ("text/plain", "nt"),
        ("application/n-quads", "nq"),
        ('application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"', "jsonld"),
        ("application/json", "jsonld"),
        ("application/rdf+xml", "rdf"),
        ("text/xml", "rdf"),
    ],
)
def test_media_type_says_the_format(media_type: str, name: str) -> None:
    assert by_media_type(media_type) is FORMATS[name]


@pytest.mark.parametrize("media_type", ["", "text/csv", "*/*", "turtle"])
def test_media_type_says_nothing(media_type: str) -> None:
    assert by_media_type(media_type) is None


def test_no_extension_and_no_media_type_belongs_to_two_formats() -> None:
    extensions = [e for f in FORMATS.values() for e in f.extensions]
    media_types = [m for f in FORMATS.values() for m in (f.media_type, *f.aliases)]
    assert len(set(extensions)) == len(extensions)
    assert len(set(media_types)) == len(media_types)


@pytest.mark.parametrize("name", ["ttl", "TTL", ".ttl", "turtle", "text/turtle"])
def test_format_option_takes_names_extensions_and_media_types(name: str) -> None:
    assert by_name(name) is FORMATS["ttl"]


def test_unknown_format_is_refused_with_the_list() -> None:
    with pytest.raises(UnsupportedFormat, match="'csv'") as error:
        by_name("csv")
    assert error.value.hint == "one of: ttl, trig, nt, nq, jsonld, rdf"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"@prefix a: <urn:a> .", "ttl"),
        (b"# a comment\nPREFIX a: <urn:a>", "ttl"),
        (b"[] a <urn:b> .", "ttl"),
        (b"[ a <urn:b> ] .", "ttl"),
        (b'{"@id": "urn:a"}', "jsonld"),
        (b'\xef\xbb\xbf [ {"@id"', "jsonld"),
        (b"<?xml version='1.0'?>", "rdf"),
        (b"<!-- x --><rdf:RDF", "rdf"),
        (b"<urn:a> <urn:b> <urn:c> .", "nq"),
        (b"_:a <urn:b> <urn:c> .", "nq"),
    ],
)
def test_sniff_guesses(head: bytes, name: str) -> None:
    assert sniff(head) is FORMATS[name]


@pytest.mark.parametrize("head", [b"", b"PK\x03\x04", b"a;b;c\n1;2;3", b"<html><body>"])
def test_sniff_guesses_nothing(head: bytes) -> None:
    assert sniff(head) is None


LITERALS = [
    *(literal(v, datatype=XSD[d]) for d, v in (("integer", "01"), ("decimal", "1.50"))),
    *(literal(v, datatype=XSD[d]) for d, v in (("boolean", "1"), ("time", "24:00:00"))),
    *(literal(v, datatype=XSD[d]) for d, v in (("double", "1E0"), ("integer", "no number"))),
    *(literal(v, datatype=XSD[d]) for d, v in (("nonNegativeInteger", "7"), ("integer", "7"))),
    *(literal(v, datatype=XSD[d]) for d, v in (("boolean", "true"), ("decimal", "1.5"))),
    *(literal(v) for v in ("", " a  b ", 'a"b\\c', "\t\r\n", "é😀\u2028\u00a0", r"\u0041")),
    literal("x", language="es-es"),
]
LINES = sorted(f"<urn:s> <http://a.example/p> {value} ." for value in LITERALS)


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"trig"}))
def test_writing_keeps_every_literal_exact(name: str) -> None:
    written = to_bytes(LINES, name)
    assert sorted(f"{quad.triple} ." for quad in formats.quads(written, name)) == LINES
    assert to_bytes(LINES, name) == written


@given(TEXT)
def test_writing_keeps_any_text_exact_in_turtle(value: str) -> None:
    line = f"<urn:s> <urn:p> {literal(value)} ."
    (quad,) = formats.quads(to_bytes([line], "ttl"), "ttl")
    assert f"{quad.triple} ." == line


@pytest.mark.parametrize("name", FORMATS)
def test_writing_of_nothing_is_a_document(name: str) -> None:
    assert list(formats.quads(to_bytes([], name), name)) == []
