"""The statements of the working store, looked up one by one: what validation sees of records.

Questions are answered by the store's indexes, in a time that does not grow with the store. As
Oxigraph rewrites literals, they come from the exact texts of the records that hold them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from bilbaokg.partition import MEMBERSHIP
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

    def quads(self, node: str, predicate: str | None = None) -> list[tuple[str, str, str]]:
        """Graph, predicate and object of what is said of a node, in the order of the records."""
        found = self._store.match(node, predicate)
        return sorted((g, p, o) for _, p, o, g in found if g.startswith(self._prefix))

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
        return list(dict.fromkeys(s for s, _ in self._pointing(object_, predicate)))

    def referrers(self, nodes: Iterable[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        return {node: self._pointing(node) for node in nodes}

    def _pointing(self, object_: str, predicate: str | None = None) -> list[tuple[str, str]]:
        """Subject and predicate of what points to a term, in the order of the records."""
        quads = self._store.match(predicate=predicate, object=object_)
        found = sorted((g, s, p) for s, p, _, g in quads if g.startswith(self._prefix))
        if not is_resource(object_):
            # The store knows a literal by its value alone.
            found = [(g, s, p) for g, s, p in found if object_ in self.exact(g).objects(s, p)]
        return list(dict.fromkeys((s, p) for _, s, p in found))

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

    def own(self) -> list[str]:
        """The record's lines, without those about wholes whose part it is: they have their own."""
        lines = split_lines(self.text(self.id))
        statements = list(map(split_line, lines))
        described = {s.subject for s in statements if s.predicate not in MEMBERSHIP}
        return [x for x, s in zip(lines, statements, strict=True) if s.subject in described]

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
            self._found[key] = self._objects(self._holdings.quads(self._node, key))
        return self._found[key] or default

    def _objects(self, quads: Sequence[tuple[str, str, str]]) -> Sequence[str]:
        """The objects of quads with one predicate; those of literals from the exact texts."""
        if all(is_resource(o) for *_, o in quads):
            return list(dict.fromkeys(o for *_, o in quads))
        exact = self._holdings.exact
        holders = dict.fromkeys((g, p) for g, p, _ in quads)
        objects = (o for g, p in holders for o in exact(g).objects(self._node, p))
        return list(dict.fromkeys(objects))

    @cached_property
    def _all(self) -> dict[str, Sequence[str]]:
        quads: dict[str, list[tuple[str, str, str]]] = {}
        for quad in self._holdings.quads(self._node):
            quads.setdefault(quad[1], []).append(quad)
        return {predicate: self._objects(found) for predicate, found in quads.items()}

    def __getitem__(self, key: str) -> Sequence[str]:
        return self._all[key]

    def __bool__(self) -> bool:
        return self._holdings.describes(self._node)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)
