"""From a shapes graph to a program; what is ill-formed or not run is refused by name."""

from __future__ import annotations

from typing import Final

from bilbaokg.errors import Invalid
from bilbaokg.shacl import components, constraints
from bilbaokg.shacl.graph import SUBCLASS, TYPE
from bilbaokg.shacl.paths import Malformed
from bilbaokg.shacl.program import Builder, Compiled, Program
from bilbaokg.shacl.querying import Query
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.shacl.targets import Targets
from bilbaokg.terms import OWL, SH, ref

__all__ = ["compile_shapes"]

_IMPORTS: Final = ref(OWL.imports)
_REFUSED: Final = {
    ref(SH.js): "JavaScript constraints (sh:js) are not run",
    ref(SH.jsLibrary): "JavaScript libraries (sh:jsLibrary) are not run",
    ref(SH.rule): "rules (sh:rule) are not run: validation changes no data",
    ref(SH.entailment): "entailment (sh:entailment) is not done: nothing is inferred",
    ref(SH.expression): "node expressions (sh:expression) are not evaluated",
}
_FUNCTION: Final = ref(SH.SPARQLFunction)
_INSTEAD: Final = "write it with SHACL Core or sh:sparql, or remove it"
_NO_IMPORTS: Final = "remove it, or give the imported shapes together with these"
_RULES: Final = "see https://www.w3.org/TR/shacl/#syntax-rules"


def compile_shapes(shapes: Shapes) -> Program:
    """Compile a shapes graph.

    Raises Invalid naming the node, and its file where that is known, for shapes that are ill-formed
    (SHACL, section 3.4.3 and Appendix A), recursive, or need what is not run.
    """
    try:
        _refuse(shapes)
        factories = {**components.FACTORIES, **constraints.factories(shapes.graph)}
        builder = Builder(shapes, factories)
        for node in builder.nodes():
            builder.shape(node)
        targets: dict[Compiled, Targets] = {}
        queries: dict[str, Query] = {}
        for node, kind, term in shapes.targets():
            shape = builder.shape(node)
            targets[shape] = (*targets.get(shape, ()), (kind, term))
            if kind == "target" and term not in queries:
                queries[term] = constraints.target(shapes.graph, term)
        properties = {term for _, kind, term in shapes.targets() if kind.endswith("Of")}
        return Program(
            targets={shape: found for shape, found in targets.items() if shape.active},
            shapes=shapes,
            compiled=builder.made,
            backwards=builder.backwards() | properties | {TYPE, SUBCLASS},
            queries=queries,
            asking=builder.asking(node for node, kind, _ in shapes.targets() if kind == "target"),
            bounded=builder.is_bounded() and not queries,
        )
    except Malformed as fault:
        raise Invalid(
            f"the shapes cannot be used: {fault.message}: {shapes.describe(fault.node)}",
            where=shapes.origin(fault.node),
            hint=fault.hint or _RULES,
        ) from None


def _refuse(shapes: Shapes) -> None:
    known = shapes.graph.by_subject
    for node, properties in known.items():
        for predicate, reason in _REFUSED.items():
            if predicate in properties:
                raise Malformed(node, reason, _INSTEAD)
        if not known.keys() >= set(properties.get(_IMPORTS, ())):
            raise Malformed(node, "owl:imports is not followed: nothing is fetched", _NO_IMPORTS)
        if _FUNCTION in properties.get(TYPE, ()):
            raise Malformed(node, "functions (sh:SPARQLFunction) are not run", _INSTEAD)
