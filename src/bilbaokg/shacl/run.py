"""One evaluation of compiled shapes over data: which focus nodes, what fails, in which order.

How it is fast: shapes with the same targets are looked at together in one pass over the focus
nodes; a node's properties are fetched once; a property shape that cannot fail without values is
looked at only where its property is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Final

from bilbaokg.shacl.finding import Finding
from bilbaokg.shacl.graph import TYPE, Layers, Properties
from bilbaokg.shacl.paths import Predicate
from bilbaokg.shacl.program import Bad, Check, Compiled, Failure, Program
from bilbaokg.shacl.querying import Asked, asked
from bilbaokg.shacl.targets import Targets, targeted

__all__ = ["Run", "ignore"]

# Verdicts on nested shapes that are remembered at a time.
_REMEMBERED: Final = 200_000
_DETAILS_DEPTH: Final = 5


# Targets that a node's own statements tell.
_LOCAL: Final = frozenset({"targetClass", "targetSubjectsOf"})


def ignore(_shape: str) -> None:
    """What is told of a shape when nobody watches."""


class Run:
    """Compiled shapes over data.

    focus_nodes: how many focus nodes were looked at, once `findings` came to its end.

    entering: told the shape before a test that may take for ever (a pattern, a query), so that
    whoever ends the process knows which.
    """

    def __init__(
        self, program: Program, data: Layers, entering: Callable[[str], None] = ignore
    ) -> None:
        self.program, self.data, self._entering = program, data, entering
        self._verdicts: dict[tuple[int, str], bool] = {}
        self._by_types: dict[tuple[str, ...], list[_Plan]] = {}
        self.focus_nodes = 0
        self._chosen: dict[str, frozenset[str]] = {}
        self._local: dict[Targets, _Plan] = {}
        self._scattered: dict[Targets, _Plan] = {}
        for targets, plan in _plans(program).items():
            place = (
                self._local if _LOCAL.issuperset(kind for kind, _ in targets) else self._scattered
            )
            place[targets] = plan
        self._by_property = [
            (term, plan)
            for targets, plan in self._local.items()
            for kind, term in targets
            if kind == "targetSubjectsOf"
        ]

    # ---- all of it

    def findings(self) -> Iterator[Finding]:
        """What fails, node by node in the order of the data."""
        for _, found in self.units():
            yield from found

    def units(self) -> Iterator[tuple[str, Iterator[Finding]]]:
        """Each focus node with what fails there; one that several targets find may come twice."""
        for node, properties in self.data.own.nodes():
            if plans := self._plans_of(properties):
                self.focus_nodes += 1
                yield node, self._followed(plans, node)
        seen: set[str] = set()
        for targets, plan in self._scattered.items():
            for focus in filter(self.data.own.is_mine, self._scattered_nodes(targets)):
                seen.add(focus)
                yield focus, self._follow(plan, focus)
        own = self.data.own
        self.focus_nodes += sum(not self._plans_of(own.properties(node)) for node in seen)

    def units_of(self, nodes: Iterable[str]) -> Iterator[tuple[str, Iterator[Finding]]]:
        """As `units`, for those of some nodes that are focus nodes; nothing else is looked for."""
        for node in nodes:
            own = self.data.own.properties(node)
            plans = [
                *self._plans_of(own),
                *(plan for t, plan in self._scattered.items() if self._is_target(node, own, t)),
            ]
            if plans:
                self.focus_nodes += 1
                yield node, self._followed(plans, node)

    def forget(self) -> None:
        """Remember no verdict on nested shapes: what follows reads all that it depends on."""
        self._verdicts.clear()

    def _followed(self, plans: Iterable[_Plan], node: str) -> Iterator[Finding]:
        return chain.from_iterable(self._follow(plan, node) for plan in plans)

    def _is_target(self, node: str, own: Properties, targets: Targets) -> bool:
        for kind, term in targets:
            match kind:
                case "targetNode":
                    found = node == term
                case "targetClass":
                    found = not self.data.subclasses(term).isdisjoint(own.get(TYPE, ()))
                case "targetSubjectsOf":
                    found = term in own
                case "targetObjectsOf":
                    found = bool(self.data.own.subjects(term, node))
                case _:
                    if term not in self._chosen:
                        self._chosen[term] = frozenset(self._selected(term))
                    found = node in self._chosen[term]
            if found:
                return True
        return False

    def _plans_of(self, properties: Properties) -> Sequence[_Plan]:
        """The plans whose targets a node is, by its types and by which properties it has."""
        types = tuple(properties.get(TYPE, ()))
        plans = self._by_types.get(types)
        if plans is None:
            classes = {name for t in types for name in self.data.superclasses(t)}
            plans = self._by_types[types] = [
                plan
                for targets, plan in self._local.items()
                if any(kind == "targetClass" and term in classes for kind, term in targets)
            ]
        if not self._by_property:
            return plans
        more = [plan for term, plan in self._by_property if term in properties]
        return list({id(plan): plan for plan in (*plans, *more)}.values())

    def _scattered_nodes(self, targets: Targets) -> Iterable[str]:
        found = targeted(self.data, targets)
        for kind, term in targets:
            if kind == "target":
                found.update(dict.fromkeys(self._selected(term)))
        return found

    def _selected(self, target: str) -> Iterator[str]:
        """What a SPARQL-based target selects (SHACL-AF, section 3.1), of the data proper."""
        self.entering(target)
        for solution in self.asked.solutions(self.program.queries[target]):
            node = solution.get("this")
            if node is not None and self.data.is_own(node):
                yield node

    def _follow(self, plan: _Plan, focus: str) -> Iterator[Finding]:
        for shape in plan.whole:
            yield from self.validate(shape, focus)
        if not plan.by_predicate and not plan.required:
            return
        properties = self.data.properties(focus)
        for predicate in plan.required - properties.keys():
            for shape in plan.if_absent[predicate]:
                yield from self._checked(shape, focus, ())
        by_predicate = plan.by_predicate
        for predicate, values in properties.items():
            for shape in by_predicate.get(predicate, ()):
                for check in shape.checks:
                    if bad := check.test(self, focus, values):
                        yield from self._failures(shape, check, focus, bad)
                for inner in shape.properties:
                    for value in values:
                        yield from self.validate(inner, value)

    # ---- one shape

    @cached_property
    def asked(self) -> Asked:
        """The data, for queries; made when the first one is asked."""
        return asked(self.data, self.program.shapes.lines)

    def entering(self, shape: str) -> None:
        self._entering(shape)

    def validate(self, shape: Compiled, focus: str) -> Iterator[Finding]:
        """The results of one focus node against one shape (SHACL, section 3.4)."""
        if shape.active:
            values = (focus,) if shape.path is None else shape.path.values(self.data, focus)
            yield from self._checked(shape, focus, values)

    def _checked(self, shape: Compiled, focus: str, values: Sequence[str]) -> Iterator[Finding]:
        for check in shape.checks:
            yield from self._failures(shape, check, focus, check.test(self, focus, values))
        for inner in shape.properties:
            for value in values:
                yield from self.validate(inner, value)

    def conforms(self, shape: Compiled, node: str) -> bool:
        """Whether a node conforms to a shape; remembered."""
        key = (id(shape), node)
        verdict = self._verdicts.get(key)
        if verdict is None:
            verdict = next(self.validate(shape, node), None) is None
            if len(self._verdicts) > _REMEMBERED:
                self._verdicts.clear()
            self._verdicts[key] = verdict
        return verdict

    def _failures(
        self, shape: Compiled, check: Check, focus: str, bad: Iterable[Bad]
    ) -> Iterator[Finding]:
        for found in bad:
            failure = found if isinstance(found, Failure) else Failure(found)
            yield Finding(
                focus=focus,
                component=check.component,
                severity=shape.severity,
                shape=shape.node,
                path=failure.path or shape.path_node,
                value=failure.value,
                messages=failure.messages,
                details=self._details(check, failure.value) if check.nested else (),
                source=check.source,
            )

    def _details(self, check: Check, value: str | None) -> tuple[Finding, ...]:
        if value is None:
            return ()
        return tuple(f for shape in check.nested for f in self.validate(shape, value))


def _plans(program: Program) -> dict[Targets, _Plan]:
    """The shapes by their targets."""
    groups: dict[Targets, list[Compiled]] = {}
    for shape, targets in program.targets.items():
        groups.setdefault(tuple(sorted(targets)), []).append(shape)
    return {targets: _Plan.of(shapes) for targets, shapes in groups.items()}


@dataclass(slots=True)
class _Plan:
    """Shapes with the same targets, sorted by when they have to be looked at.

    whole: shapes run as they are. by_predicate: property shapes looked at where the property is.
    required, if_absent: property shapes that fail, or may fail, where it is not.
    """

    whole: list[Compiled] = field(default_factory=list)
    by_predicate: dict[str, list[Compiled]] = field(default_factory=dict)
    if_absent: dict[str, list[Compiled]] = field(default_factory=dict)
    required: frozenset[str] = frozenset()

    @classmethod
    def of(cls, shapes: Iterable[Compiled]) -> _Plan:
        plan = cls()
        for shape in (shape for shape in shapes if shape.active):
            if shape.path is not None:
                plan._place(shape)
                continue
            if shape.checks:
                plan.whole.append(_without_properties(shape))
            for inner in shape.properties:
                plan._place(inner)
        plan.required = frozenset(plan.if_absent)
        return plan

    def _place(self, shape: Compiled) -> None:
        if not shape.active or not (shape.checks or shape.properties):
            return
        if not isinstance(shape.path, Predicate):
            self.whole.append(shape)
            return
        self.by_predicate.setdefault(shape.path.iri, []).append(shape)
        if any(check.if_absent for check in shape.checks):
            self.if_absent.setdefault(shape.path.iri, []).append(shape)


def _without_properties(shape: Compiled) -> Compiled:
    return Compiled(shape.node, shape.severity, checks=shape.checks)
