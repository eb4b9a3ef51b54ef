"""What rules of the linter look at, and what they find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

from bilbaokg.probing import Probe
from bilbaokg.shacl.graph import TYPE, Graph
from bilbaokg.terms import DCAT, ref

__all__ = ["Hit", "Linted"]


class Hit(NamedTuple):
    """One finding: where, of which property (an IRI), the value (a term), and the text of
    lint-detail with its words."""

    focus: str
    path: str | None = None
    value: str | None = None
    detail: str | None = None
    words: Mapping[str, str] = {}


@dataclass(frozen=True)
class Linted:
    """What rules look at (see lint)."""

    graph: Graph
    today: date
    released: Mapping[str, Set[str]]
    probes: Mapping[str, Probe] = field(default_factory=dict)

    @cached_property
    def datasets(self) -> list[str]:
        """Every dcat:Dataset (terms), sorted."""
        return sorted(self.graph.subjects(TYPE, ref(DCAT.Dataset)))

    @cached_property
    def distributions(self) -> list[str]:
        """Everything that is a distribution of something (terms), sorted."""
        return sorted({file for _, file in self.graph.pairs(ref(DCAT.distribution))})

    def values(self, nodes: Iterable[str], iri: str) -> Iterator[tuple[str, str]]:
        """Each node with each of its values of a property."""
        predicate = ref(iri)
        return ((node, term) for node in nodes for term in self.graph.objects(node, predicate))
