"""Shapes compiled once: what the fast engine runs.

A compiled shape is a path, the checks of its constraints and its property shapes. A check's test
gets the run, the focus node and its value nodes and returns what fails. The tests of SHACL Core
stand in components.py, those with queries in constraints.py; compiling.py puts them together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, Protocol

from bilbaokg.shacl import syntax
from bilbaokg.shacl.graph import TYPE, Layers
from bilbaokg.shacl.paths import Malformed, Path, read_path
from bilbaokg.shacl.querying import Asked, Query
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.shacl.targets import Targets
from bilbaokg.terms import SH, ref

__all__ = [
    "Bad",
    "Builder",
    "Check",
    "Compiled",
    "Evaluation",
    "Factory",
    "Failure",
    "Program",
    "Test",
]


class Failure(NamedTuple):
    """A result that says more than which value node fails: its own path or messages."""

    value: str | None
    path: str | None = None
    messages: tuple[str, ...] = ()


class Evaluation(Protocol):
    """What tests ask of the run that they are part of."""

    data: Layers

    @property
    def asked(self) -> Asked:
        """The data, for queries."""
        ...

    def conforms(self, shape: Compiled, node: str) -> bool:
        """Whether a node conforms to a shape."""
        ...

    def entering(self, shape: str) -> None:
        """Say that what follows may take for ever, for which shape."""
        ...


Bad = str | None | Failure
"""A value node that fails, None where the set of them does, or a Failure."""

Test = Callable[["Evaluation", str, Sequence[str]], Iterable[Bad]]
Factory = Callable[["Builder", str, str], Iterable["Check"]]
"""Makes the checks of a shape node and one value of a parameter."""

_PATH: Final = ref(SH.path)
_PROPERTY: Final = ref(SH.property)
_VIOLATION: Final = ref(SH.Violation)
# Shapes that lead further from their focus node, or are more tests when each is counted wherever it
# is used, are not called bounded.
_STEPS: Final = 3
_TESTS: Final = 10_000
_SHAPES: Final = frozenset({ref(SH.NodeShape), ref(SH.PropertyShape)})


@dataclass(slots=True)
class Check:
    """One constraint of a shape.

    component: the sh:sourceConstraintComponent. if_absent: whether it can fail without a value
    node. nested: the shapes whose results become sh:detail. source: the sh:sourceConstraint. asks:
    whether the test asks queries. endless: whether it may never end, as with some patterns.
    """

    component: str
    test: Test
    if_absent: bool = False
    nested: tuple[Compiled, ...] = ()
    source: str | None = None
    asks: bool = False
    endless: bool = False


@dataclass(slots=True, eq=False)
class Compiled:
    """A shape, ready to run. `node` is its N-Triples term; `path_node` that of its path."""

    node: str
    severity: str = _VIOLATION
    path: Path | None = None
    path_node: str | None = None
    active: bool = True
    checks: list[Check] = field(default_factory=list)
    properties: list[Compiled] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Program:
    """Compiled shapes with the targets of each top shape.

    backwards: the predicates of which data are asked who has an object. queries: those of
    SPARQL-based targets, by the term of the target. asking: the shapes that queries have a part in,
    their own or those of shapes that they use. bounded: whether an evaluation takes a time that the
    size of the data bounds, to a small power.
    """

    targets: Mapping[Compiled, Targets]
    shapes: Shapes
    compiled: Mapping[str, Compiled]
    backwards: frozenset[str]
    queries: Mapping[str, Query]
    asking: frozenset[str] = frozenset()
    bounded: bool = False

    def part(self, *, asking: bool) -> Program:
        """The shapes that queries have a part in, or all others."""
        mine = {s: t for s, t in self.targets.items() if (s.node in self.asking) is asking}
        return replace(self, targets=mine)

    def leave_out(self, node: str) -> None:
        """Run no longer what a shape says."""
        self.compiled[node].active = False


class Builder:
    """Compiles the nodes of one shapes graph, each once."""

    def __init__(self, shapes: Shapes, factories: Mapping[str, Factory]) -> None:
        self.shapes, self.graph, self.factories = shapes, shapes.graph, factories
        self.made: dict[str, Compiled] = {}
        self.users: dict[str, set[str]] = {}
        self._open: list[str] = []

    def nodes(self) -> Iterator[str]:
        """The nodes that are shapes by what they say themselves."""
        for node, properties in self.graph.by_subject.items():
            if _PATH in properties or _SHAPES.intersection(properties.get(TYPE, ())):
                yield node

    def backwards(self) -> frozenset[str]:
        """The properties that the paths of all shapes walk from object to subject."""
        paths = (shape.path for shape in self.made.values() if shape.path)
        return frozenset[str]().union(*(path.backwards for path in paths))

    def asking(self, targeting: Iterable[str]) -> frozenset[str]:
        """The shapes that queries have a part in; targeting: those with a SPARQL-based target."""
        found = {*targeting, *(s.node for s in self.made.values() if any(c.asks for c in s.checks))}
        waiting = list(found)
        while waiting:
            further = self.users.get(waiting.pop(), set()) - found
            found |= further
            waiting += further
        return frozenset(found)

    def is_bounded(self) -> bool:
        """Whether no test asks a query or may be endless, and shapes are not nested too deeply."""
        known: dict[Compiled, tuple[int, int]] = {}
        for shape in self.made.values():
            if any(check.asks or check.endless for check in shape.checks):
                return False
            steps, tests = _extent(shape, known)
            if steps > _STEPS or tests > _TESTS:
                return False
        return True

    def shape(self, node: str) -> Compiled:
        """The compiled shape of a node. Raises Malformed, also where shapes are recursive."""
        if self._open:
            self.users.setdefault(node, set()).add(self._open[-1])
        if node in self._open:
            raise Malformed(node, "shapes are recursive, which SHACL does not define")
        if node not in self.made:
            self._open.append(node)
            self.made[node] = self._compile(node)
            self._open.pop()
        return self.made[node]

    def path(self, node: str) -> Path | None:
        """The path of a shape. Raises Malformed naming the shape."""
        path_node = self.one(node, "path")
        if path_node is None:
            return None
        try:
            return read_path(self.graph, path_node)
        except Malformed as fault:
            raise Malformed(node, f"sh:path: {fault.message}") from None

    def _compile(self, node: str) -> Compiled:
        syntax.check(self.graph, node)
        properties = self.graph.properties(node)
        shape = Compiled(
            node,
            severity=self.one(node, "severity") or _VIOLATION,
            path=self.path(node),
            path_node=self.one(node, "path"),
            active=not self.flag(node, "deactivated"),
        )
        for parameter, values in properties.items():
            if factory := self.factories.get(parameter):
                for value in values:
                    shape.checks += factory(self, node, value)
        for value in properties.get(_PROPERTY, ()):
            if not self.all(value, "path"):
                raise Malformed(value, syntax.NO_PATH)
            shape.properties.append(self.shape(value))
        return shape

    # ---- reading parameters

    def all(self, node: str, name: str) -> Sequence[str]:
        """The values of a SHACL property of a node."""
        return self.graph.objects(node, ref(SH[name]))

    def one(self, node: str, name: str) -> str | None:
        """The value of a SHACL property that occurs once, or None."""
        return next(iter(self.all(node, name)), None)

    def flag(self, node: str, name: str) -> bool:
        """A boolean parameter; false where absent."""
        value = self.one(node, name)
        return value is not None and syntax.boolean(value)


def _extent(shape: Compiled, known: dict[Compiled, tuple[int, int]]) -> tuple[int, int]:
    """How many steps a shape goes from its focus node at most, and how many tests it is."""
    if shape not in known:
        nested = (each for check in shape.checks for each in check.nested)
        inner = [_extent(each, known) for each in (*shape.properties, *nested)]
        steps = max((steps for steps, _ in inner), default=0) + (shape.path is not None)
        known[shape] = steps, len(shape.checks) + sum(tests for _, tests in inner)
    return known[shape]
