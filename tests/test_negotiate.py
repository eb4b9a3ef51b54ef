"""Content negotiation (RFC 9110, section 12.5)."""

from __future__ import annotations

import pytest

from bilbaokg.errors import NotAcceptable
from bilbaokg.server import negotiate

DATA = ["text/turtle", "application/rdf+xml", "application/ld+json", "application/n-triples"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "text/turtle"),
        ("", "text/turtle"),
        ("*/*", "text/turtle"),
        ("application/rdf+xml", "application/rdf+xml"),
        ("APPLICATION/RDF+XML", "application/rdf+xml"),
        ("application/*", "application/rdf+xml"),
        ("text/html", None),
        ("text/html, */*;q=0.1", "text/turtle"),
        ("text/turtle;q=0.5, application/ld+json;q=0.7", "application/ld+json"),
        ("text/turtle;q=0.5,application/ld+json; q=0.50", "text/turtle"),
        ("text/turtle;q=0, */*", "application/rdf+xml"),
        ("text/turtle;q=0", None),
        ("*/*;q=0", None),
        ("*/*, application/n-triples", "application/n-triples"),
        ("*/*;q=0.8, application/*;q=0.9, application/rdf+xml;q=0.1", "application/ld+json"),
        ("text/turtle; charset=utf-8", "text/turtle"),
        ("text/turtle;version=1.2, application/rdf+xml;q=0.1", "application/rdf+xml"),
        ('application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"', None),
        ('text/turtle;x="a,b;q=0.1"', None),
        ("text/turtle;q=1.5, application/rdf+xml;q=0.1", "application/rdf+xml"),
        ("text/turtle;q=banana", "text/turtle"),
        ("nonsense", "text/turtle"),
        (",,, ,", "text/turtle"),
        ("text/turtle" + ",x/y" * 5000, "text/turtle"),
    ],
)
def test_best_media_type(accept: str | None, expected: str | None) -> None:
    assert negotiate.best(accept, DATA) == expected


def test_offers_may_carry_parameters() -> None:
    offers = ['application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"']
    assert negotiate.best(
        'application/ld+json; profile="http://www.w3.org/ns/json-ld#compacted"', offers
    )
    assert negotiate.best("application/ld+json", offers)
    assert not negotiate.best('application/ld+json; profile="http://x.example/"', offers)


def test_nothing_to_offer_is_nothing() -> None:
    assert negotiate.best("*/*", []) is None


def test_choose_lists_what_is_available() -> None:
    with pytest.raises(NotAcceptable) as caught:
        negotiate.choose("image/png", dict.fromkeys(DATA, "x"))
    assert caught.value.extra["available"] == DATA


def test_choose_names_the_offer() -> None:
    assert (
        negotiate.choose("application/json", {"text/turtle": "ttl", "application/json": "jsonld"})
        == "jsonld"
    )


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("text/html", True),
        ("application/xhtml+xml, text/turtle;q=0.9", True),
        ("text/turtle, text/html;q=0.9", False),
        ("*/*", False),
        ("text/*", False),
        ("text/html;q=0", False),
        (None, False),
    ],
)
def test_html_is_for_those_who_name_it(accept: str | None, expected: bool) -> None:
    assert negotiate.accepts_html(accept) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "es"),
        ("", "es"),
        ("eu", "eu"),
        ("eu-ES, es;q=0.9", "eu"),
        ("EN-gb", "en"),
        ("fr, de", "es"),
        ("fr, en;q=0.1", "en"),
        ("*", "es"),
        ("es;q=0, *", "eu"),
        ("en;q=0.3, eu;q=0.7", "eu"),
        ("es;q=0.5, eu;q=0.5", "es"),
        ("en;q=x", "es"),
        ("../../etc/passwd", "es"),
    ],
)
def test_language(header: str | None, expected: str) -> None:
    assert negotiate.language(header) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, False),
        ("gzip", True),
        ("x-gzip", True),
        ("br, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("*", True),
        ("*, gzip;q=0", False),
        ("identity", False),
    ],
)
def test_gzip(header: str | None, expected: bool) -> None:
    assert negotiate.accepts_gzip(header) is expected
