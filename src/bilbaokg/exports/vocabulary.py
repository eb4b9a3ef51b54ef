"""The bundled authority tables, as exporters use them: names, codes and matches of concepts."""

from __future__ import annotations

from functools import cache
from typing import Final

import pyoxigraph as ox

from bilbaokg import assets
from bilbaokg.exports.catalogue import TYPE, Pair
from bilbaokg.formats import FORMATS
from bilbaokg.terms import SKOS, plain, ref

__all__ = ["EUROPEAN_THEMES", "SECTORS", "code", "concept", "names", "sector_of", "terms"]

SECTORS: Final = "http://datos.gob.es/kos/sector-publico/sector"
"""The scheme of the Spanish sectors (NTI-RISP)."""
EUROPEAN_THEMES: Final = "http://publications.europa.eu/resource/authority/data-theme"

_LABEL, _NOTATION, _BROAD, _SCHEME = map(
    ref, (SKOS.prefLabel, SKOS.notation, SKOS.broadMatch, SKOS.inScheme)
)
_SECTOR: Final = f"<{SECTORS}/"


@cache
def _tables() -> dict[str, list[Pair]]:
    """Term -> its statements, in the order of the tables."""
    found: dict[str, list[Pair]] = {}
    for file in sorted((assets.folder("ontology") / "authority").glob("*.ttl")):
        for quad in ox.parse(path=str(file), format=FORMATS["ttl"].rdf):
            pair = (str(quad.predicate), str(quad.object))
            found.setdefault(str(quad.subject), []).append(pair)
    return found


def concept(term: str) -> list[Pair]:
    """What the tables say of a concept; nothing where they do not know it."""
    return _tables().get(term, [])


@cache
def terms() -> frozenset[str]:
    """The terms of the tables and of their schemes: everybody knows them."""
    schemes = {o for pairs in _tables().values() for p, o in pairs if p == _SCHEME}
    return frozenset({*_tables(), *schemes, ref(SECTORS), ref(EUROPEAN_THEMES)})


def names(term: str) -> list[str]:
    """The labels of a concept, as terms, one a language."""
    return [o for p, o in concept(term) if p == _LABEL]


def code(term: str) -> str | None:
    """The code of a concept."""
    return next((plain(o) for p, o in concept(term) if p == _NOTATION), None)


@cache
def _sectors() -> dict[str, list[str]]:
    """European theme -> the Spanish sectors that it covers."""
    found: dict[str, list[str]] = {}
    for term, pairs in _tables().items():
        if term.startswith(_SECTOR) and any(p == TYPE for p, _ in pairs):
            for theme in (o for p, o in pairs if p == _BROAD):
                found.setdefault(theme, []).append(term)
    return found


def sector_of(theme: str) -> str | None:
    """The Spanish sector of a European theme; None where several fit, for who could choose?"""
    sectors = _sectors().get(theme, [])
    return sectors[0] if len(sectors) == 1 else None
