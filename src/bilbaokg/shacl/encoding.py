"""Terms in the store that queries run over, so that queries see them exactly.

Oxigraph's Store rewrites literals (`1.50` becomes `1.5`, a byteSize an integer), and no query text
can name a blank node. So what would not survive goes in under another name: such a literal with a
datatype of ours, which the store leaves alone, and such a node under an IRI of ours. FUNCTIONS give
queries the real terms back where they look at them (see prebinding.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, unquote

import pyoxigraph as ox

from bilbaokg.shacl.graph import is_blank
from bilbaokg.skolem import GENID
from bilbaokg.terms import RDF, XSD, plain, ref

__all__ = ["DATATYPE", "FUNCTIONS", "IS_BLANK", "IS_IRI", "STR", "VALUE", "decode", "encode"]

_OURS: Final = "urn:x-bilbaokg:"
_NODE: Final = f"{_OURS}node:"
_SHAPE: Final = f"{_OURS}shape:"
_EXACT: Final = f"{_OURS}exact:"
STR, DATATYPE, VALUE, IS_BLANK, IS_IRI = (
    ref(f"{_OURS}function:{name}") for name in ("str", "datatype", "value", "isBlank", "isIRI")
)

_ZONE: Final = r"(?:Z|(?![+-]00:00)[+-]\d\d:\d\d)?"
# Literals of the datatypes of XSD that the store keeps as they are written.
_KEPT: Final = re.compile(
    r'"[^"]*"\^\^<http://www\.w3\.org/2001/XMLSchema#(?:anyURI|language|token|hexBinary)>'
    r'|"(?:true|false)"\^\^<http://www\.w3\.org/2001/XMLSchema#boolean>'
    r'|"(?:0|-?[1-9]\d{0,17})"\^\^<http://www\.w3\.org/2001/XMLSchema#integer>'
    r'|"-?[1-9]\d{0,8}(?:\.\d{0,8}[1-9])?"\^\^<http://www\.w3\.org/2001/XMLSchema#decimal>'
    r'|"[1-9]\d{3}"\^\^<http://www\.w3\.org/2001/XMLSchema#gYear>'
    rf'|"[1-9]\d{{3}}-\d\d-\d\d{_ZONE}"\^\^<http://www\.w3\.org/2001/XMLSchema#date>'
    rf'|"[1-9]\d{{3}}-\d\d-\d\dT(?!24)\d\d:\d\d:\d\d{_ZONE}"'
    r"\^\^<http://www\.w3\.org/2001/XMLSchema#dateTime>",
    re.ASCII,
)
_OF_XSD: Final = f'"^^<{XSD}'


def encode(term: str, *, of_shapes: bool = False) -> str:
    """The N-Triples term that stands for a term in the store and in query texts.

    of_shapes: a blank node is one of the shapes graph; the data may have the same label.
    """
    if term.startswith('"'):
        if not term.endswith(">") or _OF_XSD not in term or _KEPT.fullmatch(term):
            return term
        lexical, _, datatype = term.rpartition('"^^<')
        return f'{lexical}"^^<{_EXACT}{datatype}'
    if not is_blank(term) and _is_writable(term):
        return term
    return f"<{_SHAPE if of_shapes else _NODE}{quote(term, safe='')}>"


def _is_writable(iri: str) -> bool:
    """Whether the grammar of SPARQL takes an IRI; lenient readers take more."""
    try:
        ox.NamedNode(iri[1:-1])
    except ValueError:
        return False
    return True


def decode(term: str) -> str:
    """The term that an encoded one stands for; others as they are."""
    if _OURS not in term:
        return term
    if term.startswith('"'):
        lexical, mark, datatype = term.rpartition('"^^<')
        return f"{lexical}{mark}{datatype.removeprefix(_EXACT)}"
    for prefix in (_NODE, _SHAPE):
        if term.startswith(f"<{prefix}"):
            return unquote(term[len(prefix) + 1 : -1])
    return term


# ---- what queries call

_Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


def _str(term: _Term) -> ox.Literal:
    """STR. That of a blank node is its label, as Jena and rdflib have it: profiles count on it
    (DCAT-AP-ES finds frequencies without the prefix of the authority table)."""
    if isinstance(term, ox.NamedNode):
        return ox.Literal(plain(_label(decode(str(term)))))
    return ox.Literal(term.value if isinstance(term, ox.Literal) else str(term))


def _label(node: str) -> str:
    """A node; a blank node under its label also where it has an IRI."""
    return f"_:{plain(node).partition(GENID)[2]}" if is_blank(node) and node[0] == "<" else node


def _datatype(term: _Term) -> ox.NamedNode | None:
    if not isinstance(term, ox.Literal):
        return None
    if term.language:
        return ox.NamedNode(RDF.langString)
    return ox.NamedNode(term.datatype.value.removeprefix(_EXACT))


def _value(term: _Term) -> _Term:
    """A term for operators: a literal with its own datatype."""
    if isinstance(term, ox.Literal) and term.datatype.value.startswith(_EXACT):
        return ox.Literal(term.value, datatype=_datatype(term))
    return term


def _is_blank(term: _Term) -> ox.Literal:
    return ox.Literal(isinstance(term, ox.BlankNode) or is_blank(decode(str(term))))


def _is_iri(term: _Term) -> ox.Literal:
    return ox.Literal(isinstance(term, ox.NamedNode) and not is_blank(decode(str(term))))


FUNCTIONS: Final[dict[ox.NamedNode, Callable[..., _Term | None]]] = {
    ox.NamedNode(plain(name)): function
    for name, function in (
        (STR, _str),
        (DATATYPE, _datatype),
        (VALUE, _value),
        (IS_BLANK, _is_blank),
        (IS_IRI, _is_iri),
    )
}
