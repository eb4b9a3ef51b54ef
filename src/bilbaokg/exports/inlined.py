"""Nodes that harvesters want described where they are linked: formats and licences.

The release names such a concept by its IRI alone; its words come from the catalogue, else from the
bundled tables, else from the IRI.
"""

from __future__ import annotations

from typing import Final

from bilbaokg.exports import vocabulary
from bilbaokg.exports.catalogue import TYPE, Catalogue, Pair
from bilbaokg.quality.tables import file_type, media_type
from bilbaokg.terms import DCT, RDF, RDFS, SKOS, literal, plain, ref

__all__ = ["format_node", "names_of", "title_of"]

_IMT, _EXTENT = ref(DCT.IMT), ref(DCT.MediaTypeOrExtent)
_LABEL, _VALUE = ref(RDFS.label), ref(RDF.value)
_NAMES: Final = tuple(map(ref, (SKOS.prefLabel, RDFS.label, DCT.title)))
_CODES: Final = tuple(map(ref, (SKOS.notation, DCT.identifier)))


def format_node(catalogue: Catalogue, node: str) -> list[Pair]:
    """A format as dct:IMT: its short name as label, its media type (else its name) as value."""
    if not node.startswith("<") and node not in catalogue.about:
        return []
    name = _short_name(catalogue, node)
    value = catalogue.values(node, _VALUE)[:1] or [_media_type(node) or name]
    return [(TYPE, _IMT), (TYPE, _EXTENT), (_LABEL, name), (_VALUE, value[0])]


def _media_type(node: str) -> str | None:
    known = file_type(node)
    found = known.media[0] if known and known.media else media_type(node)
    return literal(found) if found else None


def _short_name(catalogue: Catalogue, node: str) -> str:
    """A code, else a name, without a language; else the end of the IRI."""
    for predicate in (*_CODES, *_NAMES):
        if found := catalogue.values(node, predicate):
            return literal(plain(found[0]))
    named = vocabulary.code(node) or media_type(node)
    return literal(named or _end(node))


def _end(node: str) -> str:
    iri = plain(node).rstrip("/#")
    return iri[max(iri.rfind("/"), iri.rfind("#")) + 1 :] or iri


def names_of(catalogue: Catalogue, node: str) -> list[str]:
    """What a concept is called: in the catalogue, else in the tables."""
    found = (catalogue.values(node, predicate) for predicate in _NAMES)
    return next(filter(None, found), None) or vocabulary.names(node)


def title_of(catalogue: Catalogue, node: str) -> list[str]:
    """The names of a concept; the end of its IRI where it has none."""
    named = names_of(catalogue, node)
    return named if named or node.startswith("_:") else [literal(_end(node))]
