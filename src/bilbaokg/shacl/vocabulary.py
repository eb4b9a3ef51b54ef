"""The values that a profile's background offers: concepts of tables, instances of classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bilbaokg.shacl.graph import TYPE, Graph, Layers, Walkable
from bilbaokg.shacl.nearest import Index
from bilbaokg.shacl.shapes import choose, local_name
from bilbaokg.terms import DCT, OWL, RDF, RDFS, SKOS, plain, ref

__all__ = ["DEPRECATED", "IN_SCHEME", "Vocabulary", "names"]

IN_SCHEME: Final = ref(SKOS.inScheme)
DEPRECATED: Final = ref(OWL.deprecated)
_LABELS: Final = (ref(SKOS.prefLabel), ref(RDFS.label), ref(DCT["title"]))
_NAMES: Final = (
    *_LABELS,
    ref(SKOS.altLabel),
    ref(SKOS.notation),
    ref(DCT.identifier),
    ref(RDF.value),
)


def names(data: Walkable, node: str) -> list[str]:
    """What a resource is called in all languages, and its codes."""
    properties = data.properties(node)
    return [plain(o) for p in _NAMES for o in properties.get(p, ()) if o.startswith('"')]


class Vocabulary:
    """Background knowledge as a supply of values; indexes are made when first asked for."""

    def __init__(self, background: Graph) -> None:
        self._graph, self._classes = background, Layers(background)
        self._indexes: dict[tuple[str, ...], Index] = {}

    def concepts(self, scheme: str) -> list[str]:
        """The concepts of a scheme that are in use, in the order of its file."""
        return self._in_use(self._graph.subjects(IN_SCHEME, scheme))

    def instances(self, name: str) -> list[str]:
        """The instances of a class and its subclasses that are in use."""
        below = sorted(self._classes.subclasses(name))
        return self._in_use(s for c in below for s in self._graph.subjects(TYPE, c))

    def _in_use(self, terms: Iterable[str]) -> list[str]:
        """The terms that nobody has deprecated, each once."""
        return [t for t in dict.fromkeys(terms) if not self._graph.objects(t, DEPRECATED)]

    def is_table(self, terms: Iterable[str]) -> bool:
        """Whether terms belong together: those of several schemes are no choice to offer."""
        schemes = {s for term in terms for s in self._graph.objects(term, IN_SCHEME)}
        return len(schemes) <= 1

    def label(self, term: str, language: str) -> str | None:
        """What a concept or scheme is called in a language, or in another; None without a name."""
        found = (choose(self._graph.objects(term, p), language) for p in _LABELS)
        return next(filter(None, found), None)

    def index(self, terms: tuple[str, ...]) -> Index:
        """The index of some terms. Beside concepts of a table, others go by their IRI alone."""
        if terms not in self._indexes:
            listed = {term for term in terms if self._graph.objects(term, IN_SCHEME)}
            self._indexes[terms] = Index(
                {t: self._called(t) if not listed or t in listed else () for t in terms}
            )
        return self._indexes[terms]

    def _called(self, term: str) -> list[str]:
        own = local_name(plain(term)) if term.startswith("<") else plain(term)
        return [own, *names(self._graph, term)]
