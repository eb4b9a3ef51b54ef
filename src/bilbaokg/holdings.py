"""The statements of the working store, looked up one by one: what validation sees of records.

Questions are answered by the store's indexes, in a time that does not grow with the store. As
Oxigraph rewrites literals, they come from the exact texts of the records that hold them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from bilbaokg.records import Records
from bilbaokg.shacl.graph import Graph, Properties, is_resource
from bilbaokg.terms import split_line, split_lines

__all__ = ["Around", "Holdings"]


class Holdings:
    """All records of a store (see shacl.Versions and shacl.Statements), as long as none changes."""

    def __init__(self, records: Records) -> None:
        self._records, self._store = records, records.store
        self._prefix = records.graph("")
        self._texts: dict[str, Graph] = {}
        self._nodes: dict[str, _Described] = {}

    def revisions(self) -> Mapping[str, str]:
        return self._records.current()

    def text(self, id: str) -> str:
        return self._records.get(id).text

    def statements(self) -> Holdings:
        return self

    def exact(self, graph: str) -> Graph:
        """The exact statements of a record; remembered."""
        if graph not in self._texts:
            self._texts[graph] = Graph(split_lines(self.text(graph[len(self._prefix) :])))
        return self._texts[graph]

    def quads(self, node: str, predicate: str | None = None) -> list[tuple[str, str]]:
        """Graph and object of what the records' graphs say of a node, in the order of records."""
        found = self._store.match(node, predicate)
        return sorted((g, o) for _, _, o, g in found if g.startswith(self._prefix))

    def describes(self, node: str) -> bool:
        """Whether anything is said of a node."""
        return any(g.startswith(self._prefix) for *_, g in self._store.match(node))

    # ---- shacl.Statements

    def properties(self, node: str) -> Properties:
        if not node.startswith("<"):
            return {}
        if node not in self._nodes:
            self._nodes[node] = _Described(self, node)
        return self._nodes[node]

    def subjects(self, predicate: str, object_: str) -> Sequence[str]:
        found = self._store.match(predicate=predicate, object=object_)
        holders = sorted((g, s) for s, _, _, g in found if g.startswith(self._prefix))
        return list(
            dict.fromkeys(
                s
                for g, s in holders
                # The store knows a literal by its value alone.
                if is_resource(object_) or object_ in self.exact(g).objects(s, predicate)
            )
        )

    def referrers(self, nodes: Iterable[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        return {node: self._referrers(node) for node in nodes}

    def _referrers(self, node: str) -> list[tuple[str, str]]:
        if not is_resource(node):
            return []
        found = self._store.match(object=node)
        return sorted({(s, p) for s, p, _, g in found if g.startswith(self._prefix)})

    def pairs(self, predicate: str) -> Iterator[tuple[str, str]]:
        graphs = {g for *_, g in self._store.match(predicate=predicate)}
        for graph in sorted(g for g in graphs if g.startswith(self._prefix)):
            yield from self.exact(graph).pairs(predicate)

    def nodes(self) -> Iterator[tuple[str, Properties]]:
        subjects = dict.fromkeys(split_line(line).subject for line in self.lines())
        return ((subject, self.properties(subject)) for subject in subjects)

    def is_mine(self, node: str) -> bool:
        return True

    def lines(self) -> Iterator[str]:
        for id in self.revisions():
            yield from split_lines(self.text(id))


class Around(Holdings):
    """The same, seen from one record: all that is listed is that record and what it refers to."""

    def __init__(self, records: Records, id: str) -> None:
        super().__init__(records)
        self.id = id

    def lines(self) -> Iterator[str]:
        own = split_lines(self.text(self.id))
        yield from own
        objects = {split_line(line).object for line in own}
        homes = (self._records.home(o) for o in sorted(objects) if o.startswith("<"))
        for id in sorted({home.id for home in homes if home} - {self.id}):
            yield from split_lines(self.text(id))


class _Described(Mapping[str, Sequence[str]]):
    """What is said of a node, looked up by predicate; all of it when it is asked for."""

    def __init__(self, holdings: Holdings, node: str) -> None:
        self._holdings, self._node = holdings, node
        self._found: dict[str, Sequence[str]] = {}

    def get(self, key: str, default: Any = None) -> Any:
        if key not in self._found:
            self._found[key] = self._objects(key)
        return self._found[key] or default

    def _objects(self, predicate: str) -> Sequence[str]:
        quads = self._holdings.quads(self._node, predicate)
        if all(is_resource(o) for _, o in quads):
            return list(dict.fromkeys(o for _, o in quads))
        graphs = dict.fromkeys(g for g, _ in quads)
        exact = (self._holdings.exact(g).objects(self._node, predicate) for g in graphs)
        return list(dict.fromkeys(o for objects in exact for o in objects))

    @cached_property
    def _all(self) -> dict[str, list[str]]:
        found: dict[str, dict[str, None]] = {}
        for graph in dict.fromkeys(g for g, _ in self._holdings.quads(self._node)):
            for predicate, objects in self._holdings.exact(graph).properties(self._node).items():
                found.setdefault(predicate, {}).update(dict.fromkeys(objects))
        return {predicate: list(objects) for predicate, objects in found.items()}

    def __getitem__(self, key: str) -> Sequence[str]:
        return self._all[key]

    def __bool__(self) -> bool:
        return self._holdings.describes(self._node)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)
