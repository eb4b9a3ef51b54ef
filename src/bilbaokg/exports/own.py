"""Our own services as members of the feeds: the SPARQL endpoint, the catalogue and its changes.

They stand in no record: a release that lists them (the setting `list_services`) takes them from the
settings that it is built with, as it does with its paging. What a portal must be told of a service
beside its address is what the main catalogue says of itself; without a publisher there they are not
listed, since portals refuse a service without one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from bilbaokg import wording
from bilbaokg.exports.catalogue import Catalogue, Pair
from bilbaokg.settings import Settings
from bilbaokg.terms import DCAT, DCATAP, DCT, LANGUAGES, literal, ref

__all__ = ["add"]

_AUTHORITY: Final = "http://publications.europa.eu/resource/authority/"
# Science and technology: the theme of such services that has one Spanish sector.
_THEME: Final = f"{_AUTHORITY}data-theme/TECH"
_SUBCATALOG: Final = ref(DCAT.catalog)
# What a service takes from the catalogue that lists it.
_SHARED: Final = tuple(map(ref, (DCT.publisher, DCAT.contactPoint, DCT.license)))


class _Service(NamedTuple):
    """One of ours: its texts by their section, its path, where it is described, its standard."""

    texts: str
    path: str
    description: str
    standard: str
    named: str


_SERVICES: Final = (
    _Service(
        "sparql", "/sparql", "/service.ttl",
        "http://www.w3.org/TR/sparql11-protocol/", "SPARQL 1.1 Protocol",
    ),
    _Service("catalogue_feed", "/catalog.rdf", "/.well-known/void", DCATAP, "DCAT-AP"),
    _Service(
        "changes_feed", "/feeds/changes.atom", "/.well-known/void",
        "https://www.rfc-editor.org/rfc/rfc4287", "Atom (RFC 4287)",
    ),
)  # fmt: skip


def add(catalogue: Catalogue, settings: Settings) -> None:
    """List our services in the main catalogue, where the settings ask for it."""
    known = catalogue.roots[ref(DCAT.Catalog)]
    above = {c for c in known if any(p == _SUBCATALOG for _, p in catalogue.listed.get(c, ()))}
    main = next((c for c in known if c not in above), None)
    if not settings.list_services or not main or not catalogue.values(main, _SHARED[0]):
        return
    for service in _SERVICES:
        term = ref(f"{settings.public_url}{service.path}")
        pairs = [*_says(service, term, settings), *_shared(catalogue, main)]
        catalogue.put(term, ref(DCAT.DataService), pairs, (main, ref(DCAT.service)))
        named = [(ref(DCT.title), literal(service.named))]
        catalogue.put(ref(service.standard), ref(DCT.Standard), named)


def _says(service: _Service, term: str, settings: Settings) -> Iterator[Pair]:
    for language in LANGUAGES:
        title = wording.say(f"{service.texts}.title", language)
        text = wording.say(f"{service.texts}.description", language)
        yield ref(DCT.title), literal(title, language=language)
        yield ref(DCT.description), literal(text, language=language)
    yield ref(DCAT.endpointURL), term
    yield ref(DCAT.endpointDescription), ref(f"{settings.public_url}{service.description}")
    yield ref(DCT.conformsTo), ref(service.standard)
    yield ref(DCT.accessRights), ref(f"{_AUTHORITY}access-right/PUBLIC")
    yield ref(DCAT.theme), ref(_THEME)


def _shared(catalogue: Catalogue, main: str) -> Iterator[Pair]:
    for predicate in _SHARED:
        yield from ((predicate, value) for value in catalogue.values(main, predicate)[:1])
