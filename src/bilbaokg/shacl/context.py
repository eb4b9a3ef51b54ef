"""Whose problem it is: the dataset that a node belongs to, its title, its steward, its line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bilbaokg.shacl.graph import TYPE, Graph
from bilbaokg.shacl.shapes import choose, local_name
from bilbaokg.terms import ADMS, DCAT, DCT, FOAF, PROV, RDFS, SKOS, VCARD, plain, ref

__all__ = ["Context", "Lines"]

Lines = Mapping[str, int] | Mapping[str, tuple[str, int]]
"""The source line of a subject term; with its file where there are several."""

_OWNERS: Final = frozenset(ref(DCAT[n]) for n in ("Dataset", "DatasetSeries", "DataService"))
_STOPS: Final = frozenset({ref(DCAT.Catalog), ref(DCAT.CatalogRecord)})
_NAMES: Final = tuple(map(ref, (FOAF.name, SKOS.prefLabel, VCARD.fn, RDFS.label)))
_TITLE: Final = ref(DCT["title"])
_ATTRIBUTION: Final = ref(PROV.qualifiedAttribution)


class Context:
    """Answers about the nodes of one graph; results are remembered."""

    def __init__(
        self, graph: Graph, language: str, line_of: Lines | None = None, file: str | None = None
    ) -> None:
        self.graph, self.language, self.file = graph, language, file
        self.line_of: Mapping[str, Any] = line_of or {}
        self._owners: dict[str, str | None] = {}

    def dataset(self, node: str) -> str | None:
        """The dataset, series or service that a node is, or that alone reaches it nearest."""
        if node not in self._owners:
            self._owners[node] = self._search(node)
        return self._owners[node]

    def _search(self, node: str) -> str | None:
        level, seen = [node], {node}
        while level:
            owners = [n for n in level if self._types(n) & _OWNERS]
            if owners:
                return owners[0] if len(owners) == 1 else None
            above = [
                subject
                for n in level
                if not self._types(n) & _STOPS
                for subject, predicate in self.graph.by_object.get(n, ())
                if predicate != TYPE
            ]
            level = [n for n in dict.fromkeys(above) if n not in seen]
            seen.update(level)
        return None

    def _types(self, node: str) -> set[str]:
        return set(self.graph.objects(node, TYPE))

    def title(self, dataset: str) -> str | None:
        """The title in the language, or another."""
        return choose(self.graph.objects(dataset, _TITLE), self.language)

    def steward(self, dataset: str) -> str | None:
        """The name of who holds the steward's role at present, or None."""
        for attribution in sorted(self.graph.objects(dataset, _ATTRIBUTION)):
            roles = self.graph.objects(attribution, ref(DCAT.hadRole))
            status = self.graph.one(attribution, ref(ADMS.status))
            active = status is None or local_name(plain(status)) == "active"
            if active and any(local_name(plain(role)) == "steward" for role in roles):
                for agent in self.graph.objects(attribution, ref(PROV.agent)):
                    return self.name(agent)
        return None

    def name(self, agent: str) -> str:
        """How an agent is called, or its IRI."""
        found = (choose(self.graph.objects(agent, p), self.language) for p in _NAMES)
        return next((name for name in found if name), plain(agent))

    def source(self, node: str) -> dict[str, Any] | None:
        """File and line of a node, or of the nearest node that leads to it."""
        line = self._line(node)
        if isinstance(line, tuple):
            return {"file": line[0], "line": line[1]}
        return {"file": self.file, "line": line} if self.file or line else None

    def _line(self, node: str) -> Any:
        level, seen = [node], {node}
        while level and self.line_of:
            lines = [self.line_of[n] for n in level if n in self.line_of]
            if lines:
                return min(lines)
            above = [s for n in level for s, _ in self.graph.by_object.get(n, ())]
            level = [n for n in dict.fromkeys(above) if n not in seen]
            seen.update(level)
        return None
