"""Lineage as PROV-O: entities, the activities that used and generated them, the plans of these.

Only terms of PROV-O are written, with a label: what a job reads and writes without having run is no
statement of it. Runs are prov:Activity and jobs prov:Plan; everything else is prov:Entity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from bilbaokg.lineage.edges import Kind
from bilbaokg.lineage.ground import Ground
from bilbaokg.lineage.walking import DIRECTIONS
from bilbaokg.terms import PROV, RDF, RDFS, literal, ref

__all__ = ["around", "lines"]

_MOST: Final = 100_000
_TYPE: Final = ref(RDF.type)
_LABEL: Final = ref(RDFS.label)
_CLASSES: Final = {"run": ref(PROV.Activity), "job": ref(PROV.Plan)}
_ENTITY: Final = ref(PROV.Entity)
# What is said of a thing itself, by its class.
_TIMES: Final = frozenset(map(ref, (PROV.startedAtTime, PROV.endedAtTime, PROV.invalidatedAtTime)))
# Property that leads to a node of its own -> the class of that, and where it leads to.
_QUALIFIED: Final = {
    ref(PROV.qualifiedAssociation): (ref(PROV.Association), frozenset({ref(PROV.hadPlan)})),
    ref(PROV.qualifiedDerivation): (
        ref(PROV.Derivation),
        frozenset({ref(PROV.entity), ref(PROV.hadActivity)}),
    ),
}


def around(ground: Ground, iri: str, hops: int | None = None) -> set[str]:
    """A thing with all that it comes from and that is made of it, and the runs between them.

    Raises BadInput, NotFound.
    """
    iri = ground.known(iri)
    found = {iri}
    for direction in DIRECTIONS:
        walk = ground.graph.walk(iri, direction, hops, _MOST)
        found |= {step.iri for step in walk.steps}
    near = (edge for each in found for d in DIRECTIONS for edge in ground.graph.neighbours(each, d))
    runs = {
        edge.target if edge.kind == Kind.USED else edge.source
        for edge in near if edge.kind in (Kind.USED, Kind.GENERATED)
    }  # fmt: skip
    return found | runs


def lines(ground: Ground, among: Iterable[str] | None = None) -> Iterator[str]:
    """The N-Triples of all lineage, or of that among some things, sorted."""
    chosen = {iri for edge in ground.graph for iri in edge[:2]} if among is None else set(among)
    plans: set[str] = set()
    for iri in sorted(chosen):
        if ground.graph.level(iri) == "job":
            plans.add(iri)
        else:
            yield from sorted(set(_said(ground, iri, chosen, plans)))
    for plan in sorted(plans):
        yield f"{ref(plan)} {_TYPE} {_CLASSES['job']} ."
        yield f"{ref(plan)} {_LABEL} {literal(ground.label(plan))} ."


def _said(ground: Ground, iri: str, chosen: set[str], plans: set[str]) -> Iterator[str]:
    node, level = ref(iri), ground.graph.level(iri) or ""
    yield f"{node} {_TYPE} {_CLASSES.get(level, _ENTITY)} ."
    yield f"{node} {_LABEL} {literal(ground.label(iri))} ."
    for edge in ground.graph.neighbours(iri, "upstream"):
        if edge.source not in chosen:
            continue
        if edge.kind == Kind.DERIVED:
            yield f"{node} {ref(PROV.wasDerivedFrom)} {ref(edge.source)} ."
        elif edge.kind == Kind.INFLUENCED:
            yield f"{node} {ref(PROV.wasInfluencedBy)} {ref(edge.source)} ."
        elif edge.kind == Kind.USED:
            yield f"{node} {ref(PROV.used)} {ref(edge.source)} ."
        elif edge.kind == Kind.GENERATED:
            yield f"{node} {ref(PROV.wasGeneratedBy)} {ref(edge.source)} ."
    for _, predicate, value, _ in ground.store.match(node):
        if predicate in _TIMES:
            yield f"{node} {predicate} {value} ."
        elif predicate in _QUALIFIED and (found := _qualified(ground, predicate, value, chosen)):
            yield f"{node} {predicate} {value} ."
            yield from found
            if predicate == ref(PROV.qualifiedAssociation):
                plans |= {line.split()[2][1:-1] for line in found[1:]}


def _qualified(ground: Ground, predicate: str, node: str, chosen: set[str]) -> list[str]:
    """What a qualified influence says; nothing where it speaks of what is left out."""
    cls, wanted = _QUALIFIED[predicate]
    found = sorted({(p, o) for _, p, o, _ in ground.store.match(node) if p in wanted})
    # A job that stands where a run should is no activity.
    told = [(p, o) for p, o in found if p != ref(PROV.hadActivity) or o[1:-1] in chosen]
    about = [o for p, o in told if p == ref(PROV.entity)]
    if not told or any(o[1:-1] not in chosen for o in about):
        return []
    return [f"{node} {_TYPE} {cls} .", *(f"{node} {p} {o} ." for p, o in told)]
