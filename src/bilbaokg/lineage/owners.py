"""Who answers for things of the lineage: the present owners of the datasets they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from bilbaokg.lineage.walking import part_of
from bilbaokg.store.embedded import EmbeddedStore, storage_errors
from bilbaokg.terms import ADMS, DCAT, DCT, PROV, in_force

__all__ = ["owners", "owning", "wholes", "within"]

_ATTRIBUTION, _AGENT, _ROLE, _STATUS, _DISTRIBUTION, _PART_OF = map(
    ox.NamedNode,
    (
        PROV.qualifiedAttribution, PROV.agent, DCAT.hadRole, ADMS.status, DCAT.distribution,
        DCT.isPartOf,
    ),
)  # fmt: skip


def owners(store: EmbeddedStore, base: str, iris: Iterable[str]) -> dict[str, list[str]]:
    """Agent -> the datasets that the things belong to and that it owns now (model.md).

    Under "" those that nobody owns. A table or column belongs to what it is part of, a file to the
    dataset that it distributes.
    """
    found: dict[str, set[str]] = {}
    with storage_errors(store.path or "memory"):
        for iri in iris:
            for dataset in wholes(store, iri):
                for agent in owning(store, base, dataset) or [""]:
                    found.setdefault(agent, set()).add(dataset)
    return {agent: sorted(held) for agent, held in sorted(found.items())}


def wholes(store: EmbeddedStore, iri: str) -> list[str]:
    """What a thing is part of, outermost; itself where it is part of nothing."""
    seen: set[str] = set()
    outer, frontier = [], [iri]
    while frontier:
        node = frontier.pop()
        if node in seen:
            continue
        seen.add(node)
        quads = store.raw.quads_for_pattern(None, _DISTRIBUTION, ox.NamedNode(node), None)
        holding = [q.subject.value for q in quads if isinstance(q.subject, ox.NamedNode)]
        above = [*part_of(store, node), *holding]
        frontier += above
        if not above:
            outer.append(node)
    return outer


def within(store: EmbeddedStore, iri: str) -> list[str]:
    """A thing with its files, and what is part of it at any depth."""
    found = {iri: None}
    frontier = [iri]
    while frontier:
        node = ox.NamedNode(frontier.pop())
        below = [q.object for q in store.raw.quads_for_pattern(node, _DISTRIBUTION, None, None)]
        below += [q.subject for q in store.raw.quads_for_pattern(None, _PART_OF, node, None)]
        for part in (term.value for term in below if isinstance(term, ox.NamedNode)):
            if part not in found:
                found[part] = None
                frontier.append(part)
    return list(found)


def owning(store: EmbeddedStore, base: str, iri: str) -> list[str]:
    """The agents of the attributions as owner that are in force."""
    quads = store.raw.quads_for_pattern(ox.NamedNode(iri), _ATTRIBUTION, None, None)
    return sorted(
        agent
        for quad in quads
        if f"{base}/ns#owner" in _values(store, quad.object, _ROLE)
        and in_force(_values(store, quad.object, _STATUS))
        for agent in _values(store, quad.object, _AGENT)
    )


def _values(store: EmbeddedStore, node: object, predicate: ox.NamedNode) -> Iterator[str]:
    if isinstance(node, (ox.NamedNode, ox.BlankNode)):
        for quad in store.raw.quads_for_pattern(node, predicate, None, None):
            if isinstance(quad.object, ox.NamedNode):
                yield quad.object.value
