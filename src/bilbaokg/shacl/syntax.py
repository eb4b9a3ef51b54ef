"""What well-formed shapes are made of (SHACL, Appendix A), and terms that no shape is made of.

One table says of each parameter what its values are, whether there is at most one, and whether it
stands in property shapes alone. What needs more than a look at the values (paths, regular
expressions, queries, recursion) is checked where it is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from bilbaokg.shacl.graph import TYPE, Graph, is_blank, is_resource
from bilbaokg.shacl.paths import Malformed, members
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.terms import RDF, SH, XSD, datatype_of, plain, ref

__all__ = ["NODE_KINDS", "NO_PATH", "boolean", "check", "integer", "notes"]

NODE_KINDS: Final = {
    ref(SH[name]): tuple(kind in name for kind in ("IRI", "Blank", "Literal"))
    for name in (
        "IRI",
        "BlankNode",
        "Literal",
        "IRIOrLiteral",
        "BlankNodeOrIRI",
        "BlankNodeOrLiteral",
    )
}
"""Whether each value of sh:nodeKind takes IRIs, blank nodes, literals."""

NO_PATH: Final = "a property shape has no sh:path"

_PATH: Final = ref(SH.path)
_NODE_SHAPE: Final = ref(SH.NodeShape)
_PROPERTY_SHAPE: Final = ref(SH.PropertyShape)
_STRINGS: Final = frozenset({XSD.string, RDF.langString})
_TRUE: Final = frozenset({"true", "1"})
_BOOLEANS: Final = _TRUE | {"false", "0"}
_SHOWN: Final = 80
# Of a larger number, only that it is large counts.
_DIGITS: Final = 18


# ---- what values are


class _Kind(NamedTuple):
    """What a value may be, and how to say that it is not."""

    allows: Callable[[str], bool]
    unlike: str


def _is_literal(term: str, *datatypes: str) -> bool:
    return not is_resource(term) and (not datatypes or datatype_of(term) in datatypes)


def _is_integer(term: str) -> bool:
    value = plain(term)
    return _is_literal(term, XSD.integer) and value.isascii() and value.isdigit()


def _is_boolean(term: str) -> bool:
    return _is_literal(term, XSD.boolean) and plain(term) in _BOOLEANS


_ANY: Final = _Kind(lambda _term: True, "")
_IRI: Final = _Kind(lambda term: term.startswith("<"), "is no IRI")
_LITERAL: Final = _Kind(_is_literal, "is no literal")
_NAMED: Final = _Kind(lambda term: not is_blank(term), "is a blank node")
_SHAPE: Final = _Kind(is_resource, "is no shape")
_RESOURCE: Final = _Kind(is_resource, "is a literal")
_STRING: Final = _Kind(lambda term: _is_literal(term, XSD.string), "is no xsd:string")
_TEXT: Final = _Kind(lambda term: _is_literal(term, *_STRINGS), "is no text")
_INTEGER: Final = _Kind(_is_integer, "is no whole number (xsd:integer)")
_BOOLEAN: Final = _Kind(_is_boolean, "is neither true nor false")
_NODE_KIND: Final = _Kind(NODE_KINDS.__contains__, "is no kind of node")


def integer(term: str) -> int:
    """The value of a counting parameter."""
    return int(plain(term)[:_DIGITS])


def boolean(term: str) -> bool:
    """Whether a term is the boolean true."""
    return _is_boolean(term) and plain(term) in _TRUE


# ---- the table


@dataclass(frozen=True, slots=True)
class _Rule:
    """The rules of one parameter. members: what is in the list that each value is."""

    kind: _Kind = _RESOURCE
    once: bool = False
    in_properties: bool = False
    members: _Kind | None = None


_RULES: Final = {
    # Shapes and targets (sections 2.1 to 2.3).
    "targetClass": _Rule(_IRI),
    "targetNode": _Rule(_NAMED),
    "targetSubjectsOf": _Rule(_IRI),
    "targetObjectsOf": _Rule(_IRI),
    "target": _Rule(_RESOURCE),
    "severity": _Rule(_IRI, once=True),
    "message": _Rule(_TEXT),
    "deactivated": _Rule(_BOOLEAN, once=True),
    "path": _Rule(_RESOURCE, once=True),
    # Constraints (section 4). Those of several parameters take one value of each.
    "class": _Rule(_IRI),
    "datatype": _Rule(_IRI, once=True),
    "nodeKind": _Rule(_NODE_KIND, once=True),
    "minCount": _Rule(_INTEGER, once=True, in_properties=True),
    "maxCount": _Rule(_INTEGER, once=True, in_properties=True),
    "minExclusive": _Rule(_LITERAL, once=True),
    "minInclusive": _Rule(_LITERAL, once=True),
    "maxExclusive": _Rule(_LITERAL, once=True),
    "maxInclusive": _Rule(_LITERAL, once=True),
    "minLength": _Rule(_INTEGER, once=True),
    "maxLength": _Rule(_INTEGER, once=True),
    "pattern": _Rule(_STRING, once=True),
    "flags": _Rule(_STRING, once=True),
    "languageIn": _Rule(once=True, members=_STRING),
    "uniqueLang": _Rule(_BOOLEAN, once=True, in_properties=True),
    "equals": _Rule(_IRI),
    "disjoint": _Rule(_IRI),
    "lessThan": _Rule(_IRI, in_properties=True),
    "lessThanOrEquals": _Rule(_IRI, in_properties=True),
    "not": _Rule(_SHAPE),
    "and": _Rule(members=_SHAPE),
    "or": _Rule(members=_SHAPE),
    "xone": _Rule(members=_SHAPE),
    "node": _Rule(_SHAPE),
    "property": _Rule(_SHAPE),
    "qualifiedValueShape": _Rule(_SHAPE, once=True, in_properties=True),
    "qualifiedMinCount": _Rule(_INTEGER, once=True),
    "qualifiedMaxCount": _Rule(_INTEGER, once=True),
    "qualifiedValueShapesDisjoint": _Rule(_BOOLEAN, once=True),
    "closed": _Rule(_BOOLEAN, once=True),
    "ignoredProperties": _Rule(once=True, members=_IRI),
    "hasValue": _Rule(_ANY),
    "in": _Rule(once=True, members=_ANY),
    # Queries (sections 5 and 6).
    "sparql": _Rule(_RESOURCE),
    "optional": _Rule(_BOOLEAN, once=True),
}
_BY_TERM: Final = {ref(SH[name]): (f"sh:{name}", rule) for name, rule in _RULES.items()}


def check(graph: Graph, node: str) -> None:
    """Hold what is said of a shape, or of a constraint that is a node, against the table.

    Raises Malformed naming the node.
    """
    properties = graph.properties(node)
    has_path = _PATH in properties
    types = properties.get(TYPE, ())
    if has_path and _NODE_SHAPE in types:
        raise Malformed(node, "a node shape has a sh:path")
    if not has_path and _PROPERTY_SHAPE in types:
        raise Malformed(node, NO_PATH)
    for predicate, values in properties.items():
        if predicate not in _BY_TERM:
            continue
        name, rule = _BY_TERM[predicate]
        if rule.once and len(values) > 1:
            raise Malformed(node, f"{name} has more than one value")
        if rule.in_properties and not has_path:
            raise Malformed(node, f"{name} stands in a node shape")
        for value in values:
            if problem := _problem(graph, rule, value):
                raise Malformed(node, f"{name}{problem}")


def _problem(graph: Graph, rule: _Rule, value: str) -> str | None:
    if not rule.kind.allows(value):
        return f" {rule.kind.unlike}: {value[:_SHOWN]}"
    if rule.members is None:
        return None
    try:
        listed = members(graph, value)
    except Malformed as fault:
        return f": {fault.message}"
    bad = next((item for item in listed if not rule.members.allows(item)), None)
    return None if bad is None else f": a member {rule.members.unlike}: {bad[:_SHOWN]}"


# ---- terms that mean nothing

# What SHACL (sections 2 to 6), its reports and SHACL Advanced Features say beside the table.
_OTHERS: Final = """
alternativePath inversePath oneOrMorePath zeroOrMorePath zeroOrOnePath
defaultValue description entailment group name order
shapesGraph shapesGraphWellFormed suggestedShapesGraph
ask construct declare labelTemplate namespace nodeValidator parameter
prefix prefixes propertyValidator select update validator
annotationProperty annotationValue annotationVarName resultAnnotation
conforms detail focusNode result resultMessage resultPath resultSeverity
sourceConstraint sourceConstraintComponent sourceShape value
condition expression filterShape intersection nodes object predicate
returnType rule subject union
js jsFunctionName jsLibrary jsLibraryURL
"""
_PROPERTIES: Final = frozenset(ref(SH[name]) for name in (*_RULES, *_OTHERS.split()))


def _unknown(graph: Graph) -> Iterator[tuple[str, str]]:
    """(node, predicate) of what a shapes graph says in SHACL's namespace with no term of SHACL."""
    for node, properties in graph.by_subject.items():
        for predicate, values in properties.items():
            if predicate.startswith(f"<{SH}") and predicate not in _PROPERTIES:
                yield from ((node, predicate) for _ in values)


def notes(shapes: Shapes) -> tuple[str, ...]:
    """What people should know of shapes that can be used: a line for each term of no meaning."""
    found = list(_unknown(shapes.graph))
    first = {predicate: node for node, predicate in reversed(found)}
    return tuple(
        _note(shapes.origin(first[predicate]), plain(predicate).removeprefix(SH), count)
        for predicate, count in Counter(predicate for _, predicate in found).items()
    )


def _note(place: str | None, name: str, count: int) -> str:
    where = f"{place}: " if place else ""
    times = f" ({count:,} times)" if count > 1 else ""
    return f"{where}sh:{name} is not SHACL and is ignored{times}"
