"""What a feed lists, as a portal reads it: by what a member is known, and what is said of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from bilbaokg.terms import DCT, RDF, SCHEMA, plain, ref, split_line

__all__ = ["IRI", "Members"]

IRI: Final = ""
"""In place of a property: what a portal knows by its IRI."""

_TYPE: Final = ref(RDF.type)
_TITLES: Final = (ref(DCT["title"]), ref(SCHEMA.name))


class Members:
    """The members of a feed, from its statements (N-Triples lines).

    kinds: listed class -> what the members of it are; known_by: properties (terms) by which the
    portal knows a member, the first that it has, or IRI; ends: classes of things that stand for
    themselves, where what is said of a member ends; language: that of titles.
    """

    def __init__(
        self,
        lines: Iterable[str],
        kinds: Mapping[str, str],
        known_by: Sequence[str],
        ends: Collection[str] = (),
        language: str = "es",
    ) -> None:
        self.known_by, self.language = known_by, language
        self.nodes: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for subject, predicate, object_ in map(split_line, lines):
            self.nodes[subject][predicate].add(object_)
        self.kinds = {
            node: kinds[cls]
            for node, said in self.nodes.items()
            for cls in sorted(said.get(_TYPE, ()) & kinds.keys())
        }
        self.by_key: dict[str, str] = {}
        for member in sorted(self.kinds):
            self.by_key.setdefault(self.key(member), member)
        classes = frozenset(ends)
        self._ends = {node for node, said in self.nodes.items() if classes & said.get(_TYPE, set())}
        self._closures: dict[str, int] = {}

    def values(self, node: str, predicate: str) -> set[str]:
        """The objects (terms) of a property of a node."""
        said = self.nodes.get(node)
        return said.get(predicate, set()) if said else set()

    def key(self, member: str) -> str:
        """By what the portal knows a member (text); its own term where it has nothing of that."""
        for way in self.known_by:
            if way == IRI:
                found = {member} if member.startswith("<") else set()
            else:
                found = self.values(member, way)
            if found:
                return plain(min(found))
        return member

    def title(self, member: str) -> str | None:
        """One of its titles, in our language where it has one, else in Spanish."""
        titles = {title for way in _TITLES for title in self.values(member, way)}
        tags = (f"@{self.language}", "@es")
        found = min(titles, key=lambda t: (*(not t.endswith(tag) for tag in tags), t), default=None)
        return plain(found) if found else None

    def said(self, member: str) -> dict[str, set[object]]:
        """What is said of a member, by property: its values, each with all that it leads to."""
        return {
            predicate: {(value, self._closure(value)) for value in values}
            for predicate, values in self.nodes[member].items()
        }

    def _closure(self, node: str) -> int:
        """A mark of all that is said of a node and of what it leads to."""
        if node not in self._closures:
            seen, waiting = {node}, [node]
            found: set[tuple[str, str, str]] = set()
            while waiting:
                here = waiting.pop()
                if here in self._ends or here not in self.nodes:
                    continue
                for predicate, values in self.nodes[here].items():
                    found.update((here, predicate, value) for value in values)
                    waiting += values - seen
                    seen |= values
            self._closures[node] = hash(frozenset(found))
        return self._closures[node]
