"""Constraints and targets that are queries (SHACL, sections 5 and 6; SHACL-AF, section 3.1).

`factories` gives what makes checks of sh:sparql and of the components that a shapes graph declares,
`target` the query of a target. Solutions that are equal make one result, as it would say the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bilbaokg.errors import Invalid
from bilbaokg.shacl import components, syntax
from bilbaokg.shacl.encoding import encode
from bilbaokg.shacl.graph import TYPE, Graph, Layers
from bilbaokg.shacl.paths import Malformed, Predicate
from bilbaokg.shacl.program import Bad, Builder, Check, Evaluation, Factory, Failure
from bilbaokg.shacl.querying import SHAPES_GRAPH, Query
from bilbaokg.shacl.shapes import local_name
from bilbaokg.shacl.templates import Names, Refused
from bilbaokg.terms import OWL, SH, is_iri, language_of, literal, plain, ref

__all__ = ["factories", "prefixes", "target"]

_COMPONENT: Final = ref(SH.SPARQLConstraintComponent)
_IMPORTS: Final = ref(OWL.imports)
_ALWAYS: Final = frozenset({"this", "shapesGraph", "currentShape"})
_TAKEN: Final = _ALWAYS | {"value", "path", "PATH"}


def factories(graph: Graph) -> dict[str, Factory]:
    """What makes the checks, by the parameter that asks for them. Raises Malformed."""
    found: dict[str, Factory] = {ref(SH.sparql): _sparql}
    for component in _declared(graph):
        path = component.first.path
        earlier = found.get(path) or components.FACTORIES.get(path)
        found[path] = _both(earlier, component.checks) if earlier else component.checks
    return found


def _both(first: Factory, second: Factory) -> Factory:
    def factory(builder: Builder, node: str, value: str) -> Iterator[Check]:
        yield from first(builder, node, value)
        yield from second(builder, node, value)

    return factory


# ---- reading queries


def prefixes(graph: Graph, node: str) -> dict[str, str]:
    """The namespaces that sh:prefixes of a node leads to (section 5.2.2). Raises Malformed."""
    found: dict[str, str] = {}
    waiting = list(graph.objects(node, ref(SH.prefixes)))
    seen = set(waiting)
    while waiting:
        where = waiting.pop()
        for declaration in graph.objects(where, ref(SH.declare)):
            prefix, namespace = (
                _text(graph, declaration, name) for name in ("prefix", "namespace")
            )
            if not is_iri(namespace):
                raise Malformed(declaration, f"sh:namespace is no IRI: {namespace[:80]!r}")
            if found.setdefault(prefix, namespace) != namespace:
                raise Malformed(node, f"the prefix {prefix}: stands for two namespaces")
        further = [n for n in graph.objects(where, _IMPORTS) if n not in seen]
        seen.update(further)
        waiting += further
    return found


def _text(graph: Graph, node: str, name: str) -> str:
    values = graph.objects(node, ref(SH[name]))
    if len(values) != 1 or not values[0].startswith('"'):
        raise Malformed(node, f"sh:{name} is not one text")
    return plain(values[0])


def _query(graph: Graph, node: str, form: str, names: Names) -> Query:
    """The query of a constraint, validator or target: its sh:select or sh:ask."""
    try:
        query = Query(_text(graph, node, form), names, prefixes(graph, node))
    except Refused as error:
        raise Malformed(node, str(error)) from None
    if query.template.form != form.upper():
        raise Malformed(node, f"the query of sh:{form} is of another form")
    if form == "select" and not query.template.projected & {"this", "*"}:
        raise Malformed(node, "a query of sh:select does not project $this")
    return query


def target(graph: Graph, node: str) -> Query:
    """The query of a SPARQL-based target. Raises Malformed, also for other kinds of targets."""
    if ref(SH.SPARQLTarget) not in graph.objects(node, TYPE):
        raise Malformed(node, "sh:target is no sh:SPARQLTarget")
    return _query(graph, node, "select", Names())


def _known(builder: Builder, node: str) -> dict[str, str]:
    """What is bound for all focus nodes of a shape."""
    known = {"shapesGraph": SHAPES_GRAPH, "currentShape": encode(node, of_shapes=True)}
    if path := builder.path(node):
        known["PATH"] = path.text if isinstance(path, Predicate) else f"({path.text})"
    return known


# ---- results

_HOLE: Final = re.compile(r"\{[?$](\w+)\}")


def _filled(messages: Iterable[str], bound: Mapping[str, str]) -> tuple[str, ...]:
    """Messages with {?name} and {$name} replaced by what is bound (section 5.3.2)."""

    def filled(message: str) -> str:
        if "{" not in message:
            return message
        text = _HOLE.sub(lambda m: plain(bound[m[1]]) if m[1] in bound else m[0], plain(message))
        return literal(text, language=language_of(message))

    return tuple(map(filled, messages))


@dataclass(frozen=True, slots=True)
class _Select:
    """A SELECT whose solutions are results. bound: the parameters of its component."""

    shape: str
    described: str
    query: Query
    messages: Sequence[str]
    of_node: bool
    bound: Mapping[str, str]

    def test(self, run: Evaluation, focus: str, _values: Sequence[str]) -> Iterator[Bad]:
        run.entering(self.shape)
        seen: set[frozenset[tuple[str, str]]] = set()
        for solution in run.asked.solutions(self.query, this=focus):
            key = frozenset(solution.items())
            if key not in seen:
                seen.add(key)
                yield self._result(focus, solution)

    def _result(self, focus: str, solution: Mapping[str, str]) -> Failure:
        if "failure" in solution and syntax.boolean(solution["failure"]):
            raise Invalid(f"a query of the shapes reports a failure: {self.described}")
        path, message = solution.get("path", ""), solution.get("message")
        bound = {**self.bound, "this": focus, **solution}
        return Failure(
            solution.get("value", focus if self.of_node else None),
            path if path.startswith("<") else None,
            (message,) if message else _filled(self.messages, bound),
        )


@dataclass(frozen=True, slots=True)
class _Ask:
    """An ASK that must be true for each value node."""

    shape: str
    query: Query
    messages: Sequence[str]
    bound: Mapping[str, str]

    def test(self, run: Evaluation, focus: str, values: Sequence[str]) -> Iterator[Bad]:
        for value in values:
            run.entering(self.shape)
            if not run.asked.holds(self.query, this=focus, value=value):
                bound = {**self.bound, "this": focus, "value": value}
                yield Failure(value, messages=_filled(self.messages, bound))


def _sparql(builder: Builder, node: str, term: str) -> Iterator[Check]:
    """A SPARQL-based constraint (section 5)."""
    syntax.check(builder.graph, term)
    if builder.flag(term, "deactivated"):
        return
    known = _known(builder, node)
    query = _query(builder.graph, term, "select", Names(known, ("this",), _ALWAYS))
    messages = builder.all(term, "message")
    described = builder.shapes.describe(node)
    select = _Select(node, described, query, messages, "PATH" not in known, {})
    yield Check(_COMPONENT, select.test, if_absent=True, source=term, asks=True)


# ---- components (section 6)


@dataclass(frozen=True, slots=True)
class _Parameter:
    path: str
    name: str
    optional: bool


@dataclass(frozen=True, slots=True)
class _Declared:
    """A SPARQL-based constraint component; its checks are asked for by its `first` parameter."""

    node: str
    parameters: tuple[_Parameter, ...]

    @property
    def first(self) -> _Parameter:
        return next(p for p in self.parameters if not p.optional)

    def checks(self, builder: Builder, node: str, value: str) -> Iterator[Check]:
        given = self._given(builder, node, value)
        validator = self._validator(builder, node)
        if given is None or validator is None:
            return
        form = "ask" if builder.all(validator, "ask") else "select"
        names = {p.name for p in self.parameters} | _ALWAYS
        known = _known(builder, node)
        bound = known | {name: encode(term, of_shapes=True) for name, term in given.items()}
        messages = self._messages(builder, validator)
        if form == "ask":
            wanted = Names(bound, ("this", "value"), names | {"value"})
            query = _query(builder.graph, validator, form, wanted)
            yield Check(self.node, _Ask(node, query, messages, given).test, asks=True)
        else:
            query = _query(builder.graph, validator, form, Names(bound, ("this",), names))
            described = builder.shapes.describe(node)
            select = _Select(node, described, query, messages, "PATH" not in known, given)
            yield Check(self.node, select.test, if_absent=True, asks=True)

    def _given(self, builder: Builder, node: str, first: str) -> dict[str, str] | None:
        """The parameters' values by name; None where a mandatory one is missing."""
        found = {self.first.name: first}
        for parameter in self.parameters:
            values = builder.graph.objects(node, parameter.path)
            if len(values) > 1 and len(self.parameters) > 1:
                raise Malformed(node, f"{parameter.path} has more than one value")
            if not values and not parameter.optional:
                return None
            if values:
                found.setdefault(parameter.name, values[0])
        return found

    def _validator(self, builder: Builder, node: str) -> str | None:
        """The validator for a kind of shape; without one the constraint is ignored."""
        special = "propertyValidator" if builder.one(node, "path") else "nodeValidator"
        found = builder.all(self.node, special) or builder.all(self.node, "validator")
        usable = (v for v in found if builder.all(v, "ask") or builder.all(v, "select"))
        return next(usable, None)

    def _messages(self, builder: Builder, validator: str) -> Sequence[str]:
        return (
            builder.all(validator, "message")
            or builder.all(self.node, "message")
            or builder.all(self.node, "labelTemplate")
        )


def _declared(graph: Graph) -> Iterator[_Declared]:
    """The components that a shapes graph declares; those of SHACL itself are built in."""
    kinds = Layers(graph).subclasses(ref(SH.ConstraintComponent))
    nodes = dict.fromkeys(node for kind in kinds for node in graph.subjects(TYPE, kind))
    for node in sorted(nodes):
        if not node.startswith(f"<{SH}"):
            yield _Declared(node, tuple(_parameters(graph, node)))


def _parameters(graph: Graph, component: str) -> Iterator[_Parameter]:
    found = [_parameter(graph, node) for node in graph.objects(component, ref(SH.parameter))]
    if all(parameter.optional for parameter in found):
        raise Malformed(component, "a constraint component has no mandatory parameter")
    if len({parameter.name for parameter in found}) < len(found):
        raise Malformed(component, "two parameters of a constraint component share a name")
    yield from sorted(found, key=lambda parameter: parameter.path)


def _parameter(graph: Graph, node: str) -> _Parameter:
    paths = graph.objects(node, ref(SH.path))
    if len(paths) != 1 or not paths[0].startswith("<"):
        raise Malformed(node, "the sh:path of a parameter is not one IRI")
    name = local_name(plain(paths[0]))
    if name in _TAKEN or not re.fullmatch(r"\w+", name):
        raise Malformed(node, f"a parameter cannot be called {name!r}")
    optional = graph.one(node, ref(SH.optional))
    return _Parameter(paths[0], name, optional is not None and syntax.boolean(optional))
