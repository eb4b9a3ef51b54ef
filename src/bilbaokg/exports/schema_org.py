"""The target `schema.org`: the catalogue in the words of schema.org, for search engines.

Datasets, their files and services are said as Dataset, DataDownload and WebAPI (the terms that
Google's dataset search names), all in https://schema.org/. A statement that has no word there is
cut, and counted as anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from bilbaokg.exports import closure, derived, json_ld, vocabulary
from bilbaokg.exports.catalogue import TYPE, Catalogue, Pair
from bilbaokg.exports.closure import Wall
from bilbaokg.exports.feed import RECORD, SERIES, Feed, kind
from bilbaokg.exports.inlined import names_of, title_of
from bilbaokg.exports.language import in_language
from bilbaokg.model import Record
from bilbaokg.quality.tables import file_type, media_type
from bilbaokg.settings import Settings
from bilbaokg.terms import (
    DCAT,
    DCT,
    FOAF,
    OWL,
    SCHEMA,
    XSD,
    Namespace,
    literal,
    plain,
    ref,
)

__all__ = ["SCHEMA_ORG", "island"]

_OLD: Final = Namespace("http://schema.org/")
_PUBLIC: Final = "<http://publications.europa.eu/resource/authority/access-right/PUBLIC>"
_LANGUAGES: Final = "<http://publications.europa.eu/resource/authority/language/"
# ISO 639-3, as the EU table writes it, to the tags that are in use (RFC 5646).
_TAGS: Final = {"SPA": "es", "EUS": "eu", "ENG": "en", "FRA": "fr", "CAT": "ca", "GLG": "gl"}

Word = Callable[[Catalogue, str, str], Iterable[Pair]]
"""What a value of a node's property is in schema.org: (catalogue, node, value) -> pairs."""


def _as(name: str) -> Word:
    """The same value under another name."""
    predicate = ref(SCHEMA[name])
    return lambda _, __, value: [(predicate, value)]


def _text(name: str) -> Word:
    """The value's own text where it is a literal, else what the thing is called."""
    predicate = ref(SCHEMA[name])

    def word(catalogue: Catalogue, _: str, value: str) -> Iterator[Pair]:
        texts = [value] if value.startswith('"') else title_of(catalogue, value)
        yield from ((predicate, text) for text in texts)

    return word


def _link(name: str) -> Word:
    """An address; a mailbox without its scheme."""
    predicate = ref(SCHEMA[name])

    def word(_: Catalogue, __: str, value: str) -> Iterator[Pair]:
        if value.startswith("<"):
            iri = plain(value)
            bare = iri.startswith(("mailto:", "tel:"))
            yield predicate, literal(iri.partition(":")[2]) if bare else value

    return word


def _language(_: Catalogue, __: str, value: str) -> Iterator[Pair]:
    tag = _TAGS.get(value.removeprefix(_LANGUAGES).rstrip(">"))
    if tag:
        yield ref(SCHEMA.inLanguage), literal(tag)


def _access(_: Catalogue, __: str, value: str) -> Iterator[Pair]:
    """Public data of a city cost nothing; of others nothing is said."""
    if value == _PUBLIC:
        yield ref(SCHEMA.isAccessibleForFree), literal("true", datatype=XSD.boolean)


def _period(catalogue: Catalogue, _: str, value: str) -> Iterator[Pair]:
    """An interval of ISO 8601; `..` where an end is open."""
    starts, ends = (
        [o for p in ways for o in catalogue.values(value, p)] for ways in (_STARTS, _ENDS)
    )
    if starts or ends:
        start, end = (plain(found[0]) if found else ".." for found in (starts, ends))
        yield ref(SCHEMA.temporalCoverage), literal(f"{start}/{end}")


def _format(catalogue: Catalogue, _: str, value: str) -> Iterator[Pair]:
    """A media type where there is one, else the name of the format."""
    known = file_type(value)
    found = media_type(value) or (known.media[0] if known and known.media else None)
    name = found or vocabulary.code(value) or next(map(plain, title_of(catalogue, value)), None)
    if name:
        yield ref(SCHEMA.encodingFormat), literal(name)


def _size(_: Catalogue, __: str, value: str) -> Iterator[Pair]:
    yield ref(SCHEMA.contentSize), literal(plain(value))


_STARTS: Final = (ref(DCAT.startDate), ref(_OLD.startDate))
_ENDS: Final = (ref(DCAT.endDate), ref(_OLD.endDate))


def _words(words: Mapping[str, Word]) -> dict[str, Word]:
    return {ref(iri): word for iri, word in words.items()}


_THING: Final = _words(
    {
        DCT.title: _as("name"),
        DCT.description: _as("description"),
        DCT.issued: _as("datePublished"),
        DCT.modified: _as("dateModified"),
        DCT.license: _link("license"),
        DCT.language: _language,
    }
)
_SOMETHING: Final = _THING | _words(
    {
        DCT.identifier: _as("identifier"),
        DCT.publisher: _as("publisher"),
        DCT.creator: _as("creator"),
        DCT.spatial: _as("spatialCoverage"),
        DCT.temporal: _period,
        DCT.accessRights: _access,
        DCAT.keyword: _as("keywords"),
        DCAT.theme: _text("keywords"),
        DCAT.landingPage: _link("url"),
    }
)
_WORDS: Final[dict[str, dict[str, Word]]] = {
    "Catalog": _SOMETHING | _words({FOAF.homepage: _link("url")}),
    "Dataset": _SOMETHING
    | _words(
        {
            DCAT.distribution: _as("distribution"),
            DCAT.version: _as("version"),
            OWL.versionInfo: _as("version"),
            DCT.isReferencedBy: _link("citation"),
        }
    ),
    "Service": _THING
    | _words(
        {
            DCT.publisher: _as("provider"),
            DCT.identifier: _as("identifier"),
            DCAT.endpointURL: _link("url"),
            DCAT.endpointDescription: _link("documentation"),
            FOAF.page: _link("documentation"),
        }
    ),
    "Distribution": _THING
    | _words(
        {
            DCAT.downloadURL: _link("contentUrl"),
            DCAT.accessURL: _link("url"),
            DCAT.mediaType: _format,
            DCT["format"]: _format,
            DCAT.byteSize: _size,
        }
    ),
    "Agent": _words(
        {
            FOAF.name: _as("name"),
            FOAF.homepage: _link("url"),
            FOAF.mbox: _link("email"),
            DCT.identifier: _as("identifier"),
        }
    ),
    "Place": {},
}


def says(catalogue: Catalogue, node: str, name: str) -> list[Pair]:
    """What schema.org can say of a node."""
    pairs: dict[Pair, None] = {}
    for predicate, value in derived.says(catalogue, node, name):
        if word := _WORDS[name].get(predicate):
            pairs.update(dict.fromkeys(word(catalogue, node, value)))
    return [*pairs, *_besides(catalogue, node, name, {predicate for predicate, _ in pairs})]


def _besides(catalogue: Catalogue, node: str, name: str, said: set[str]) -> Iterator[Pair]:
    """What search engines ask for and DCAT says elsewhere."""
    if name == "Place":
        yield from ((_NAME, title) for title in names_of(catalogue, node))
    elif name == "Distribution" and _CONTENT not in said:
        yield from ((_CONTENT, value) for value in catalogue.values(node, _ACCESS_URL))
    elif name == "Dataset":
        places = [c for c, _ in catalogue.listed.get(node, ())] or catalogue.roots[_CATALOG][:1]
        yield from ((_CATALOGUE, place) for place in dict.fromkeys(places))
        if _URL not in said and node.startswith("<"):
            yield _URL, node
        if _CREATOR not in said:
            yield from ((_CREATOR, agent) for agent in catalogue.values(node, _PUBLISHER))
        if _LICENCE not in said:
            spread = catalogue.values(node, _DISTRIBUTION)
            found = (o for d in spread for o in catalogue.values(d, ref(DCT.license)))
            yield from ((_LICENCE, licence) for licence in dict.fromkeys(found))


_NAME, _CREATOR, _LICENCE, _CONTENT, _CATALOGUE, _URL = (
    ref(SCHEMA[name])
    for name in ("name", "creator", "license", "contentUrl", "includedInDataCatalog", "url")
)
_CATALOG, _DISTRIBUTION, _PUBLISHER, _ACCESS_URL = map(
    ref, (DCAT.Catalog, DCAT.distribution, DCT.publisher, DCAT.accessURL)
)
_CLASSES: Final = {
    "Catalog": "DataCatalog",
    "Dataset": "Dataset",
    "Service": "WebAPI",
    "Distribution": "DataDownload",
    "Agent": "Organization",
    "Place": "Place",
}
# What the words are, with the kind of node that they lead to.
_CARRIES: Final[dict[str, str | None]] = {
    **dict.fromkeys(
        SCHEMA[name]
        for name in (
            "name", "description", "datePublished", "dateModified", "license", "inLanguage",
            "identifier", "temporalCoverage", "isAccessibleForFree", "keywords", "url", "version",
            "citation", "documentation", "contentUrl", "encodingFormat", "contentSize", "email",
        )
    ),
    SCHEMA.publisher: "Agent",
    SCHEMA.creator: "Agent",
    SCHEMA.provider: "Agent",
    SCHEMA.spatialCoverage: "Place",
    SCHEMA.distribution: "Distribution",
    SCHEMA.includedInDataCatalog: "Catalog",
}  # fmt: skip
_KINDS: Final = {
    name: replace(kind([SCHEMA[cls]], _CARRIES), turned=frozenset({TYPE, *_WORDS[name]}))
    for name, cls in _CLASSES.items()
}

SCHEMA_ORG: Final = Feed(
    name="schema.org",
    profile="",
    kinds=_KINDS,
    says=says,
    skips=derived.skips,
    leaves_out=frozenset({SERIES, RECORD}),
    lists={
        ref(DCAT.dataset): ref(SCHEMA.dataset),
        ref(DCAT.resource): ref(SCHEMA.dataset),
        ref(DCAT.service): ref(SCHEMA.hasPart),
        ref(DCAT.catalog): ref(SCHEMA.hasPart),
    },
    formats=("jsonld", "ttl", "rdf", "nt"),
    at_release=("jsonld", "ttl"),
    writers={"jsonld": json_ld.write},
)


def island(records: Iterable[Record], iri: str, base: str, language: str) -> dict[str, Any]:
    """One dataset as a tree, for a page in a language; from its record and those around it."""
    catalogue = Catalogue.of(records, base)
    walk = SCHEMA_ORG.walk(catalogue, Settings(base=base))
    lines = [line for page in walk.pages() for line in walk.write(page)]
    wall = Wall(base, described=catalogue.about, coined=walk.coined)
    closure.check(lines, wall, walk.released)
    return json_ld.tree(in_language(lines, language), ref(iri), language)
