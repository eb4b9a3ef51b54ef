"""What a shapes graph says about its shapes: targets, severities, texts, paths."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

from bilbaokg.shacl.graph import TYPE, Graph
from bilbaokg.shacl.paths import Malformed, members, path_predicates, read_path
from bilbaokg.terms import OWL, RDFS, SH, language_of, plain, ref

__all__ = ["SEVERITY_NAMES", "Shapes", "choose", "local_name"]

SEVERITY_NAMES: Final = {
    ref(SH.Violation): "violation",
    ref(SH.Warning): "warning",
    ref(SH.Info): "info",
}
_ORDER: Final = ("es", "en", "eu")
_TARGETS: Final = ("targetClass", "targetNode", "targetSubjectsOf", "targetObjectsOf", "target")
_CLASSES: Final = (ref(RDFS.Class), ref(OWL.Class))


def choose(literals: Iterable[str], language: str) -> str | None:
    """The text in a language, else in Spanish, English, Basque, any; None without literals."""
    by_language: dict[str, str] = {}
    for term in literals:
        by_language.setdefault((language_of(term) or "").partition("-")[0], plain(term))
    wanted = (language, *_ORDER, "", *sorted(by_language))
    return next((by_language[tag] for tag in wanted if tag in by_language), None)


def local_name(iri: str) -> str:
    """The part of an IRI after its last `#`, `/` or `:`."""
    return iri.rstrip("#/").rpartition("#")[2].rpartition("/")[2].rpartition(":")[2]


class Shapes:
    """A shapes graph, read once. Shapes are N-Triples terms.

    origins: the file, or `file:line`, that describes a node.
    """

    def __init__(self, lines: Iterable[str], origins: Mapping[str, str] | None = None) -> None:
        self.lines = tuple(dict.fromkeys(lines))
        self.graph = Graph(self.lines)
        self.origins = dict(origins or {})

    def is_any(self) -> bool:
        """Whether anything is said in terms of SHACL at all."""
        said = self.graph.by_subject.values()
        names = (name for found in said for name in (*found, *found.get(TYPE, ())))
        return any(name.startswith(f"<{SH}") for name in names)

    def packed(self) -> bytes:
        """The shapes as a worker gets them."""
        return json.dumps([self.lines, self.origins]).encode()

    @classmethod
    def unpacked(cls, packed: bytes | str) -> Shapes:
        """The shapes again."""
        return cls(*json.loads(packed))

    def targets(self) -> Sequence[tuple[str, str, str]]:
        """Every (shape, kind, term): kind is targetClass, targetNode, targetSubjectsOf,
        targetObjectsOf (SHACL, section 2.1) or target (SHACL-AF, section 3); deactivated shapes
        have none."""
        return self._targets

    @cached_property
    def _targets(self) -> tuple[tuple[str, str, str], ...]:
        return tuple(self._find_targets())

    def _find_targets(self) -> Iterator[tuple[str, str, str]]:
        for kind in _TARGETS:
            predicate = ref(SH[kind])
            for shape, properties in self.graph.by_subject.items():
                if predicate in properties and not self._is_off(shape):
                    yield from ((shape, kind, term) for term in properties[predicate])
        for shape, properties in self.graph.by_subject.items():
            types = properties.get(TYPE, ())
            implicit = any(c in types for c in _CLASSES) and ref(SH.NodeShape) in types
            if implicit and not self._is_off(shape):
                yield shape, "targetClass", shape

    def _is_off(self, shape: str) -> bool:
        return any(plain(t) == "true" for t in self.graph.objects(shape, ref(SH.deactivated)))

    def texts(self, shape: str, name: str) -> list[str]:
        """The literals of sh:message, sh:description or sh:name of a shape."""
        return list(self.graph.objects(shape, ref(SH[name])))

    def members(self, head: str) -> list[str]:
        """The members of a list; none where it is broken."""
        try:
            return members(self.graph, head)
        except Malformed:
            return []

    def path_text(self, path: str) -> str:
        """A path as SPARQL writes it; a predicate path as its bare IRI."""
        if path.startswith("<"):
            return plain(path)
        try:
            return read_path(self.graph, path).text
        except Malformed:
            return path

    def origin(self, node: str) -> str | None:
        """The file, with the line where it is known, that says something of a node."""
        for name in (node, *self._above(node)):
            if place := self.origins.get(name):
                return place
        return None

    def describe(self, node: str) -> str:
        """A node as people find it in a file: its IRI, or which IRI leads to it."""
        if not node.startswith("_:"):
            return node
        named = self.named(node)
        path = self.graph.one(node, ref(SH.path))
        what = f"the node with sh:path {self.path_text(path)}" if path else "a blank node"
        return f"{what} under {named}" if named else what

    def named(self, node: str) -> str | None:
        """The IRI of a node, or the nearest that leads to it."""
        return next((n for n in (node, *self._above(node)) if n.startswith("<")), None)

    def _above(self, node: str) -> list[str]:
        """The nodes that lead to a node, the nearest first."""
        found: dict[str, None] = {}
        waiting = [node]
        while waiting:
            level = [s for pairs in self.graph.referrers(waiting).values() for s, _ in pairs]
            waiting = [n for n in dict.fromkeys(level) if n not in found]
            found.update(dict.fromkeys(waiting))
        return list(found)

    def copy(self, node: str) -> list[tuple[str, str, str]]:
        """The statements that make up the blank nodes of a path, for the report graph."""
        found: list[tuple[str, str, str]] = []
        waiting, seen = [node], set()
        while waiting:
            subject = waiting.pop()
            if subject in seen or not subject.startswith("_:"):
                continue
            seen.add(subject)
            for predicate in path_predicates(self.graph, subject):
                objects = self.graph.objects(subject, predicate)
                found += [(subject, predicate, o) for o in objects]
                waiting += objects
        return found
