"""The datasets of a catalogue as quality looks at them: with their files, area and steward."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bilbaokg import governance
from bilbaokg.shacl.context import Context, Facts
from bilbaokg.shacl.graph import TYPE, Graph, Layers, Properties
from bilbaokg.terms import DCAT, DCT, ORG, ref

__all__ = ["Catalogue", "Described"]

_CATALOG: Final = ref(DCAT.Catalog)
_DATASET: Final = ref(DCAT.Dataset)
_DISTRIBUTION: Final = ref(DCAT.distribution)
_BY: Final = (ref(DCT.creator), ref(DCT.publisher))


@dataclass(frozen=True, slots=True)
class Described:
    """A dataset (a term) with what is said of it and of its distributions, sorted by term."""

    node: str
    said: Properties
    distributions: tuple[tuple[str, Properties], ...]


class Catalogue:
    """Statements, looked at as a catalogue; names are in one language."""

    def __init__(self, graph: Graph, language: str) -> None:
        self.graph = graph
        self._context = Context(Layers(graph), language)
        self._units: dict[str, str] | None = None
        self._names: dict[str, str] = {}

    def datasets(self) -> Iterator[Described]:
        """Every dcat:Dataset, by its term."""
        for node in sorted(self.graph.subjects(TYPE, _DATASET)):
            said = self.graph.properties(node)
            files = sorted(said.get(_DISTRIBUTION, ()))
            yield Described(node, said, tuple((f, self.graph.properties(f)) for f in files))

    def catalogues(self) -> list[str]:
        """Every dcat:Catalog (terms), sorted."""
        return sorted(self.graph.subjects(TYPE, _CATALOG))

    def facts(self, nodes: list[str]) -> dict[str, Facts]:
        """Title, steward and owner of each dataset."""
        return self._context.facts(nodes)

    def name(self, agent: str) -> str:
        """How an agent is called, or its IRI."""
        if agent not in self._names:
            self._names[agent] = self._context.name(agent)
        return self._names[agent]

    def area(self, dataset: Described) -> str | None:
        """Who answers for a dataset (a term): its owner's unit, else its creator or publisher."""
        if owner := self._context.holder(dataset.node, "owner"):
            return self._unit(owner)
        agents = (agent for p in _BY for agent in sorted(dataset.said.get(p, ())))
        return next(agents, None)

    def _unit(self, agent: str) -> str:
        """The unit that an agent works for at present, or the agent."""
        if self._units is None:
            one, pairs = self.graph.one, self.graph.pairs
            member = dict(pairs(ref(ORG.member)))
            posts = {post: one(post, ref(ORG.organization)) for post in member}
            during = {post: one(post, ref(ORG.memberDuring)) for post in member}
            self._units = governance.units(
                member,
                {post: unit for post, unit in posts.items() if unit},
                {post: time for post, time in during.items() if time},
                {t for t in during.values() if t and self._is_over(t)},
            )
        return self._units.get(agent, agent)

    def _is_over(self, time: str) -> bool:
        return any(map(governance.is_end, self.graph.properties(time)))
