"""The constraint components of SHACL Core (SHACL, section 4), each made into a test once.

FACTORIES maps a parameter to what makes its check. Tests are closures over parsed parameters; they
get all value nodes of a focus node at once and return those that fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from bilbaokg.shacl.graph import is_blank, is_resource
from bilbaokg.shacl.paths import Malformed, Predicate, members
from bilbaokg.shacl.patterns import compile_pattern, is_linear
from bilbaokg.shacl.program import (
    Bad,
    Builder,
    Check,
    Compiled,
    Evaluation,
    Factory,
    Failure,
)
from bilbaokg.shacl.syntax import NODE_KINDS, boolean, integer
from bilbaokg.shacl.values import compare, is_well_formed
from bilbaokg.terms import RDF, SH, language_of, plain, ref, split_literal

__all__ = ["FACTORIES"]

_LANG_STRING: Final = RDF.langString


def _component(name: str) -> str:
    return ref(SH[f"{name[:1].upper()}{name[1:]}ConstraintComponent"])


def _each(name: str, holds: Callable[[str], bool]) -> Check:
    """A check of every value node by itself, without a look at the data."""
    return Check(_component(name), lambda _run, _focus, values: [v for v in values if not holds(v)])


# ---- value types (section 4.1)


def _class(builder: Builder, node: str, name: str) -> Iterator[Check]:
    def test(run: Evaluation, _focus: str, values: Sequence[str]) -> list[Bad]:
        return [v for v in values if not run.data.is_instance(v, name)]

    yield Check(_component("class"), test)


def _datatype(builder: Builder, node: str, term: str) -> Iterator[Check]:
    wanted = plain(term)

    def holds(value: str) -> bool:
        if is_resource(value):
            return False
        lexical, datatype, _ = split_literal(value)
        return datatype == wanted and is_well_formed(lexical, datatype)

    if wanted == _LANG_STRING:
        yield _each("datatype", lambda value: language_of(value) is not None)
    else:
        yield _each("datatype", holds)


def _node_kind(builder: Builder, node: str, term: str) -> Iterator[Check]:
    iri, blank, literal = NODE_KINDS[term]

    def holds(value: str) -> bool:
        if value[0] == '"':
            return literal
        return blank if is_blank(value) else iri

    yield _each("nodeKind", holds)


# ---- cardinality (section 4.2)


def _min_count(builder: Builder, node: str, term: str) -> Iterator[Check]:
    least = integer(term)

    def test(_run: Evaluation, _focus: str, values: Sequence[str]) -> Sequence[Bad]:
        return (None,) if len(values) < least else ()

    yield Check(_component("minCount"), test, if_absent=least > 0)


def _max_count(builder: Builder, node: str, term: str) -> Iterator[Check]:
    most = integer(term)

    def test(_run: Evaluation, _focus: str, values: Sequence[str]) -> Sequence[Bad]:
        return (None,) if len(values) > most else ()

    yield Check(_component("maxCount"), test)


# ---- value ranges (section 4.3)


def _range(name: str, allowed: frozenset[int]) -> Factory:
    """sh:minInclusive and its like: how a value may compare to the bound."""

    def factory(builder: Builder, node: str, bound: str) -> Iterator[Check]:
        yield _each(name, lambda value: not is_resource(value) and compare(value, bound) in allowed)

    return factory


# ---- strings (section 4.4)


def _text(value: str) -> str | None:
    """What string constraints look at; None for blank nodes, which fail them."""
    return None if is_blank(value) else plain(value)


def _length(name: str, holds: Callable[[int, int], bool]) -> Factory:
    def factory(builder: Builder, node: str, term: str) -> Iterator[Check]:
        bound = integer(term)

        def fits(value: str) -> bool:
            text = _text(value)
            return text is not None and holds(len(text), bound)

        yield _each(name, fits)

    return factory


def _pattern(builder: Builder, node: str, term: str) -> Iterator[Check]:
    found = builder.one(node, "flags")
    pattern, flags = plain(term), plain(found) if found else ""
    try:
        matches = compile_pattern(pattern, flags)
    except ValueError as error:
        raise Malformed(node, f"sh:pattern {pattern[:80]!r} is not valid: {error}") from None

    def test(run: Evaluation, _focus: str, values: Sequence[str]) -> list[Bad]:
        run.entering(node)
        texts = [(value, _text(value)) for value in values]
        return [value for value, text in texts if text is None or not matches(text)]

    yield Check(_component("pattern"), test, endless=not is_linear(pattern, flags))


def _language_in(builder: Builder, node: str, head: str) -> Iterator[Check]:
    ranges = [plain(item).lower() for item in members(builder.graph, head)]

    def holds(value: str) -> bool:
        tag = language_of(value) if value[0] == '"' else None
        return tag is not None and any(
            r == "*" or tag == r or tag.startswith(f"{r}-") for r in ranges
        )

    yield _each("languageIn", holds)


def _unique_lang(builder: Builder, node: str, term: str) -> Iterator[Check]:
    # Section 4.4.5 names the literal true, not the value: "1" is none.
    if plain(term) != "true":
        return

    def test(_run: Evaluation, _focus: str, values: Sequence[str]) -> list[Bad]:
        if len(values) < 2:
            return []
        tags = Counter(tag for v in values if v[0] == '"' and (tag := language_of(v)))
        return [None for count in tags.values() if count > 1]

    yield Check(_component("uniqueLang"), test)


# ---- pairs of properties (section 4.5)


def _equals(builder: Builder, node: str, predicate: str) -> Iterator[Check]:
    def test(run: Evaluation, focus: str, values: Sequence[str]) -> list[Bad]:
        others = run.data.properties(focus).get(predicate, ())
        mine, theirs = set(values), set(others)
        return [*(v for v in values if v not in theirs), *(o for o in others if o not in mine)]

    yield Check(_component("equals"), test, if_absent=True)


def _disjoint(builder: Builder, node: str, predicate: str) -> Iterator[Check]:
    def test(run: Evaluation, focus: str, values: Sequence[str]) -> list[Bad]:
        others = set(run.data.properties(focus).get(predicate, ()))
        return [v for v in values if v in others]

    yield Check(_component("disjoint"), test)


def _less_than(name: str, allowed: frozenset[int]) -> Factory:
    def factory(builder: Builder, node: str, predicate: str) -> Iterator[Check]:
        def test(run: Evaluation, focus: str, values: Sequence[str]) -> list[Bad]:
            others = run.data.properties(focus).get(predicate, ())
            return [v for v in values for other in others if not _ordered(v, other, allowed)]

        yield Check(_component(name), test)

    return factory


def _ordered(value: str, other: str, allowed: frozenset[int]) -> bool:
    if is_resource(value) or is_resource(other):
        return False
    return compare(value, other) in allowed


# ---- logic and shapes (sections 4.6 and 4.7)


def _conforming(
    name: str, shapes: Sequence[Compiled], holds: Callable[[Iterator[bool]], bool]
) -> Check:
    """A check of every value node by which of some shapes it conforms to."""

    def test(run: Evaluation, _focus: str, values: Sequence[str]) -> list[Bad]:
        return [v for v in values if not holds(run.conforms(shape, v) for shape in shapes)]

    return Check(_component(name), test, nested=() if name == "not" else tuple(shapes))


def _one_shape(name: str) -> Factory:
    def factory(builder: Builder, node: str, term: str) -> Iterator[Check]:
        shape, negative = builder.shape(term), name == "not"
        if name == "node" and shape.path:
            raise Malformed(node, "sh:node leads to a property shape")
        yield _conforming(name, [shape], lambda given: all(given) is not negative)

    return factory


def _shape_list(name: str, holds: Callable[[Iterator[bool]], bool]) -> Factory:
    def factory(builder: Builder, node: str, head: str) -> Iterator[Check]:
        shapes = [builder.shape(item) for item in members(builder.graph, head)]
        yield _conforming(name, shapes, holds)

    return factory


def _qualified(builder: Builder, node: str, term: str) -> Iterator[Check]:
    shape, siblings = builder.shape(term), _siblings(builder, node, term)

    def count(run: Evaluation, values: Sequence[str]) -> int:
        return sum(
            run.conforms(shape, v) and not any(run.conforms(other, v) for other in siblings)
            for v in values
        )

    def check(name: str, wrong: Callable[[int], bool], if_absent: bool) -> Check:
        def test(run: Evaluation, _focus: str, values: Sequence[str]) -> Sequence[Bad]:
            return (None,) if wrong(count(run, values)) else ()

        return Check(_component(name), test, if_absent)

    if least := builder.one(node, "qualifiedMinCount"):
        lowest = integer(least)
        yield check("qualifiedMinCount", lambda found: found < lowest, lowest > 0)
    if most := builder.one(node, "qualifiedMaxCount"):
        highest = integer(most)
        yield check("qualifiedMaxCount", lambda found: found > highest, False)


def _siblings(builder: Builder, node: str, shape: str) -> list[Compiled]:
    """The qualified shapes beside one that must be disjoint with it (section 4.7.3)."""
    if not builder.flag(node, "qualifiedValueShapesDisjoint"):
        return []
    found = dict.fromkeys(
        other
        for parent in builder.graph.subjects(ref(SH.property), node)
        for beside in builder.all(parent, "property")
        for other in builder.all(beside, "qualifiedValueShape")
    )
    return [builder.shape(other) for other in found if other != shape]


# ---- others (section 4.8)


def _closed(builder: Builder, node: str, term: str) -> Iterator[Check]:
    if not boolean(term):
        return
    ignored = builder.one(node, "ignoredProperties")
    allowed = set(members(builder.graph, ignored)) if ignored else set[str]()
    for shape in map(builder.shape, builder.all(node, "property")):
        if isinstance(shape.path, Predicate):
            allowed.add(shape.path.iri)

    def test(run: Evaluation, _focus: str, values: Sequence[str]) -> Iterable[Bad]:
        for value in values:
            for predicate, objects in run.data.properties(value).items():
                if predicate not in allowed:
                    yield from (Failure(o, predicate) for o in objects)

    yield Check(_component("closed"), test)


def _has_value(builder: Builder, node: str, wanted: str) -> Iterator[Check]:
    def test(_run: Evaluation, _focus: str, values: Sequence[str]) -> Sequence[Bad]:
        return () if wanted in values else (None,)

    yield Check(_component("hasValue"), test, if_absent=True)


def _in(builder: Builder, node: str, head: str) -> Iterator[Check]:
    allowed = frozenset(members(builder.graph, head))

    def test(_run: Evaluation, _focus: str, values: Sequence[str]) -> list[Bad]:
        return [v for v in values if v not in allowed]

    yield Check(_component("in"), test)


_LESS, _SAME, _MORE = frozenset({-1}), frozenset({-1, 0}), frozenset({1})

FACTORIES: Final[dict[str, Factory]] = {
    ref(SH[name]): factory
    for name, factory in {
        "class": _class,
        "datatype": _datatype,
        "nodeKind": _node_kind,
        "minCount": _min_count,
        "maxCount": _max_count,
        "minExclusive": _range("minExclusive", _MORE),
        "minInclusive": _range("minInclusive", frozenset({0, 1})),
        "maxExclusive": _range("maxExclusive", _LESS),
        "maxInclusive": _range("maxInclusive", _SAME),
        "minLength": _length("minLength", lambda length, bound: length >= bound),
        "maxLength": _length("maxLength", lambda length, bound: length <= bound),
        "pattern": _pattern,
        "languageIn": _language_in,
        "uniqueLang": _unique_lang,
        "equals": _equals,
        "disjoint": _disjoint,
        "lessThan": _less_than("lessThan", _LESS),
        "lessThanOrEquals": _less_than("lessThanOrEquals", _SAME),
        "not": _one_shape("not"),
        "node": _one_shape("node"),
        "and": _shape_list("and", all),
        "or": _shape_list("or", any),
        "xone": _shape_list("xone", lambda given: sum(given) == 1),
        "qualifiedValueShape": _qualified,
        "closed": _closed,
        "hasValue": _has_value,
        "in": _in,
    }.items()
}
