"""Records in memory as validation sees them: nothing is taken apart before it is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from bilbaokg.shacl.graph import Graph, Properties
from bilbaokg.terms import split_line, split_lines

__all__ = ["Texts"]


class Texts:
    """Records given as (id, revision, text), sorted by id (see Versions and Statements)."""

    def __init__(self, records: Iterable[tuple[str, str, str]]) -> None:
        self._revisions: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        for id, revision, text in records:
            self._revisions[id], self._texts[id] = revision, text
        self._graphs: dict[str, Graph] = {}

    def revisions(self) -> Mapping[str, str]:
        return self._revisions

    def text(self, id: str) -> str:
        return self._texts[id]

    def statements(self) -> Texts:
        return self

    @cached_property
    def _describing(self) -> dict[str, list[str]]:
        """The ids of the records that describe a node."""
        found: dict[str, list[str]] = {}
        for id, text in self._texts.items():
            subject = ""
            for line in split_lines(text):
                if not subject or not line.startswith(subject):
                    subject = line[: line.index(" ") + 1]
                    found.setdefault(subject[:-1], []).append(id)
        return found

    @cached_property
    def _mentioning(self) -> dict[str, list[str]]:
        """The ids of the records that point to a node."""
        found: dict[str, dict[str, None]] = {}
        for id, text in self._texts.items():
            for line in split_lines(text):
                found.setdefault(split_line(line).object, {})[id] = None
        return {node: list(ids) for node, ids in found.items()}

    def _graph(self, id: str) -> Graph:
        if id not in self._graphs:
            self._graphs[id] = Graph(split_lines(self._texts[id]))
        return self._graphs[id]

    # ---- Statements

    def properties(self, node: str) -> Properties:
        ids = self._describing.get(node, ())
        if len(ids) == 1:
            return self._graph(ids[0]).properties(node)
        found: dict[str, dict[str, None]] = {}
        for id in ids:
            for predicate, objects in self._graph(id).properties(node).items():
                found.setdefault(predicate, {}).update(dict.fromkeys(objects))
        return {predicate: list(objects) for predicate, objects in found.items()}

    def subjects(self, predicate: str, object_: str) -> Sequence[str]:
        graphs = map(self._graph, self._mentioning.get(object_, ()))
        return list(
            dict.fromkeys(s for graph in graphs for s in graph.subjects(predicate, object_))
        )

    def referrers(self, nodes: Iterable[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        found: dict[str, list[tuple[str, str]]] = {}
        for node in nodes:
            graphs = map(self._graph, self._mentioning.get(node, ()))
            pairs = (pair for graph in graphs for pair in graph.referrers([node])[node])
            found[node] = list(dict.fromkeys(pairs))
        return found

    def pairs(self, predicate: str) -> Iterator[tuple[str, str]]:
        for id in self._texts:
            yield from self._graph(id).pairs(predicate)

    def nodes(self) -> Iterator[tuple[str, Properties]]:
        return ((node, self.properties(node)) for node in self._describing)

    def is_mine(self, node: str) -> bool:
        return True

    def lines(self) -> Iterator[str]:
        for text in self._texts.values():
            yield from split_lines(text)
