"""Duties along lineage: what public datasets come from that asks for care.

A source asks for care when it is not public, when it holds personal data (DPV), when it is under
another licence, or when it is classified by something that travels along derivations
(bkg:travelsAlong prov:wasDerivedFrom). What follows is reckoned when asked for and never stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from bilbaokg.errors import BadInput
from bilbaokg.lineage.edges import Kind
from bilbaokg.lineage.ground import Ground
from bilbaokg.lineage.owners import wholes, within
from bilbaokg.lineage.walking import spread
from bilbaokg.terms import DCAT, DCT, DPV, PROV, RDF, SKOS, ref

__all__ = ["KINDS", "Duty", "duties", "duties_of", "told"]

KINDS: Final = ("restricted", "personal", "licence", "inherited")
"""What a source is, other than what is made of it: in the order in which it matters."""
_PUBLIC: Final = "http://publications.europa.eu/resource/authority/access-right/PUBLIC"
_CLASSIFYING: Final = (DCAT.theme, DCT.subject, DCT.conformsTo)


@dataclass(frozen=True, slots=True)
class Duty:
    """Why a dataset asks for care: its source, what that says, and the way from there (IRIs)."""

    dataset: str
    kind: str
    source: str
    values: tuple[str, ...]
    path: tuple[str, ...]


def duties(ground: Ground, iri: str = "", limit: int = 100_000) -> dict[str, Any]:
    """The public datasets with sources that ask for care; of one dataset where `iri` names it.

    `found` are at most `limit` of them: dataset, kind (of KINDS), source, values (access right,
    categories of personal data, licences, classification) and path, from the source on. Raises
    BadInput where it is no dataset, NotFound.
    """
    look = _Look(ground)
    if iri:
        iri = ground.known(iri)
        if not look.has(iri, RDF.type, DCAT.Dataset):
            raise BadInput("no dataset", where=iri, hint="ask for the dataset that it is part of")
        asked = [iri]
    else:
        found = ground.store.match(None, ref(RDF.type), ref(DCAT.Dataset))
        asked = sorted({s[1:-1] for s, *_ in found if s.startswith("<")})
    every = [duty for dataset in asked for duty in look.of(dataset)]
    return {
        "iri": iri or None, "count": len(every), "complete": len(every) <= limit,
        "datasets": len({duty.dataset for duty in every}),
        "found": [told(ground, duty) for duty in every[:limit]],
    }  # fmt: skip


def duties_of(ground: Ground, *datasets: str) -> list[Duty]:
    """Those of datasets (IRIs), dataset by dataset; what is looked up for one serves the next."""
    look = _Look(ground)
    return [duty for dataset in datasets for duty in look.of(dataset)]


def told(ground: Ground, duty: Duty) -> dict[str, Any]:
    """A duty as answers tell it."""
    return {
        "dataset": ground.named(duty.dataset), "kind": duty.kind,
        "source": ground.named(duty.source),
        "values": [ground.named(value) for value in duty.values],
        "path": [ground.told(iri) for iri in duty.path],
    }  # fmt: skip


@dataclass
class _Look:
    """What is said of things, each looked up once."""

    ground: Ground
    _wholes: dict[str, list[str]] = field(default_factory=dict)
    _licences: dict[str, frozenset[str]] = field(default_factory=dict)

    def of(self, dataset: str) -> list[Duty]:
        """The duties of a dataset, in the order of KINDS, the nearest source first."""
        if not self.has(dataset, DCT.accessRights, _PUBLIC):
            return []
        told = [*self._said(dataset, self._reached(dataset))]
        if self._has_personal and not self._is_clean(dataset):
            told += self._personal(dataset, self._reached(dataset, personal=True))
        return sorted(told, key=lambda duty: (KINDS.index(duty.kind), len(duty.path)))

    def _said(self, dataset: str, via: dict[str, str]) -> Iterator[Duty]:
        own, carried = self.licences(dataset), self._classified(dataset)
        seen: set[str] = set()
        for node in (node for node, before in via.items() if before):
            for source in self.wholes(node):
                if source == dataset or source in seen:
                    continue
                seen.add(source)
                way = _way(via, node)
                rights = tuple(r for r in self.values(source, DCT.accessRights) if r != _PUBLIC)
                if rights:
                    yield Duty(dataset, "restricted", source, rights, way)
                others = self.licences(source) - own
                if own and others:
                    yield Duty(dataset, "licence", source, tuple(sorted(others)), way)
                for concept in self._classified(source):
                    if concept not in carried:
                        yield Duty(dataset, "inherited", source, (concept,), way)

    def _personal(self, dataset: str, via: dict[str, str]) -> Iterator[Duty]:
        seen: set[str] = set()
        for node in via:
            for thing in (node, *self.wholes(node)):
                data = self.values(thing, DPV.hasPersonalData)
                if data and thing not in seen:
                    seen.add(thing)
                    yield Duty(dataset, "personal", thing, tuple(data), _way(via, node))

    def _reached(self, dataset: str, *, personal: bool = False) -> dict[str, str]:
        """A dataset with its parts and what they come from, nearest first -> through what ("" for
        its own parts).

        personal: not beyond what was made anonymous.
        """
        graph, parts = self.ground.graph, within(self.ground.store, dataset)

        def near(node: str) -> Iterable[str]:
            if node == "":
                return parts
            if personal and self._is_clean(node):
                return ()
            edges = graph.neighbours(node, "upstream")
            return [edge.source for edge in edges if edge.kind == Kind.DERIVED]

        return {node: via for via, _, fresh in spread("", near) for node in fresh}

    @cached_property
    def _has_personal(self) -> bool:
        return any(self.ground.store.match(None, ref(DPV.hasPersonalData)))

    def _is_clean(self, iri: str) -> bool:
        """Whether something was made anonymous, or is part of what was."""
        things = (iri, *self.wholes(iri))
        return any(self.has(t, DPV.hasTechnicalMeasure, DPV.Anonymisation) for t in things)

    @cached_property
    def _travelling(self) -> frozenset[str]:
        travels = ref(f"{self.ground.base}/ns#travelsAlong")
        found = self.ground.store.match(None, travels, ref(PROV.wasDerivedFrom))
        return frozenset(s[1:-1] for s, *_ in found if s.startswith("<"))

    def _classified(self, iri: str) -> list[str]:
        """The travelling concepts that a thing is classified by, itself or by a narrower one."""
        if not self._travelling:
            return []
        said = {c for p in _CLASSIFYING for c in self.values(iri, p)}
        said |= {above for c in said for above in self.values(c, SKOS.broader)}
        return sorted(said & self._travelling)

    def licences(self, iri: str) -> frozenset[str]:
        """The licences of a dataset and of its files."""
        if iri not in self._licences:
            things = (iri, *self.values(iri, DCAT.distribution))
            self._licences[iri] = frozenset(
                licence for thing in things for licence in self.values(thing, DCT.license)
            )
        return self._licences[iri]

    def wholes(self, iri: str) -> list[str]:
        """What a thing is part of, outermost; itself where it is part of nothing."""
        if iri not in self._wholes:
            self._wholes[iri] = wholes(self.ground.store, iri)
        return self._wholes[iri]

    def has(self, iri: str, predicate: str, value: str) -> bool:
        """Whether something is said."""
        return any(self.ground.store.match(ref(iri), ref(predicate), ref(value)))

    def values(self, iri: str, predicate: str) -> list[str]:
        """The IRIs that are said."""
        found = self.ground.store.match(ref(iri), ref(predicate))
        return sorted({o[1:-1] for *_, o, _ in found if o.startswith("<")})


def _way(via: dict[str, str], node: str) -> tuple[str, ...]:
    """From a source to the part of the dataset that it reaches."""
    way = [node]
    while before := via.get(way[-1]):
        way.append(before)
    return tuple(way)
