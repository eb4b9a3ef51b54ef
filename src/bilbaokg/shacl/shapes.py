"""What a shapes graph says about its shapes: targets, severities, texts, paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from bilbaokg.shacl.graph import TYPE, Graph, is_resource
from bilbaokg.terms import OWL, RDFS, SH, language_of, plain, ref

__all__ = ["SEVERITY_NAMES", "Shapes", "choose", "local_name"]

SEVERITY_NAMES: Final = {
    ref(SH.Violation): "violation",
    ref(SH.Warning): "warning",
    ref(SH.Info): "info",
}
_ORDER: Final = ("es", "en", "eu")
_CLASSES: Final = (ref(RDFS.Class), ref(OWL.Class))
_ONE: Final = {
    ref(SH.inversePath): "^{}",
    ref(SH.zeroOrMorePath): "{}*",
    ref(SH.oneOrMorePath): "{}+",
    ref(SH.zeroOrOnePath): "{}?",
}
_ALTERNATIVE: Final = ref(SH.alternativePath)


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
    """A shapes graph, read once. Shapes are N-Triples terms."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        self.graph = Graph(self.lines)

    def targets(self) -> Iterator[tuple[str, str, str]]:
        """Every (shape, kind, term): kind is targetClass, targetNode, targetSubjectsOf or
        targetObjectsOf (SHACL, section 2.1); deactivated shapes have none."""
        for kind in ("targetClass", "targetNode", "targetSubjectsOf", "targetObjectsOf"):
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

    def path_text(self, path: str) -> str:
        """A path as SPARQL writes it; a predicate path as its bare IRI."""
        return plain(path) if path.startswith("<") else self._complex(path)

    def _complex(self, path: str, depth: int = 0) -> str:
        if path.startswith("<") or depth > 20:
            return path
        for predicate, pattern in _ONE.items():
            if inner := self.graph.one(path, predicate):
                return pattern.format(self._grouped(inner, depth))
        if head := self.graph.one(path, _ALTERNATIVE):
            return "|".join(self._grouped(p, depth) for p in self.graph.items(head))
        return "/".join(self._grouped(p, depth) for p in self.graph.items(path))

    def _grouped(self, path: str, depth: int) -> str:
        text = self._complex(path, depth + 1)
        return text if path.startswith("<") else f"({text})"

    def copy(self, node: str) -> list[tuple[str, str, str]]:
        """The statements that make up a blank node (a path), for the report graph."""
        found, waiting, seen = [], [node], set()
        while waiting:
            subject = waiting.pop()
            if subject in seen or not subject.startswith("_:"):
                continue
            seen.add(subject)
            for predicate, objects in self.graph.by_subject.get(subject, {}).items():
                found += [(subject, predicate, o) for o in objects]
                waiting += [o for o in objects if is_resource(o)]
        return found
