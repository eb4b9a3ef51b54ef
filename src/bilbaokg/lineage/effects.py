"""What changes reach: the datasets downstream of things that changed or went."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bilbaokg.lineage.edges import Kind
from bilbaokg.lineage.ground import Ground
from bilbaokg.lineage.owners import owning, wholes, within
from bilbaokg.lineage.walking import spread
from bilbaokg.terms import DCAT, RDF, ref

__all__ = ["dependents", "reached"]


def reached(ground: Ground, changed: Collection[str]) -> list[str]:
    """The datasets that depend on things (all IRIs) and are none of them, the nearest first.

    A thing reaches what is made of it, of its files and of its tables and columns.
    """
    graph = ground.graph

    def near(node: str) -> Iterable[str]:
        if node == "":
            return {part: None for thing in changed for part in within(ground.store, thing)}
        edges = graph.neighbours(node, "downstream")
        return (edge.target for edge in edges if edge.kind in (Kind.DERIVED, Kind.INFLUENCED))

    found: dict[str, None] = {}
    for via, _, fresh in spread("", near):
        for node in fresh if via else ():
            found |= dict.fromkeys(wholes(ground.store, node))
    dataset = ref(RDF.type), ref(DCAT.Dataset)
    return [
        iri for iri in found if iri not in changed and any(ground.store.match(ref(iri), *dataset))
    ]


def dependents(ground: Ground, changed: Collection[str]) -> dict[str, list[str]]:
    """What `reached` gives, each with its present owners (IRIs); nothing where nothing changed."""
    found = reached(ground, changed) if changed else []
    return {iri: owning(ground.store, ground.base, iri) for iri in found}
