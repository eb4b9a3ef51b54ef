"""What stands around the things of a walk: what they belong to, who answers, who made them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import pyoxigraph as ox

from bilbaokg.elsewhere import host
from bilbaokg.index import Text
from bilbaokg.lineage.edges import LEVELS
from bilbaokg.lineage.walking import part_of
from bilbaokg.server.jobs import Jobs
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import Value
from bilbaokg.terms import DCT

__all__ = ["Around"]

_FACETS: Final = ("area", "owner", "steward")
_PART_OF: Final = ox.NamedNode(DCT.isPartOf)


class Around:
    """Where the things of a walk belong: the dataset of a table or column, and who answers."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.store = reader, reader.opened.store
        self.graph = reader.opened.lineage
        self.jobs = Jobs(reader, self.value)
        self._wholes: dict[str, list[str]] = {}
        self._facets: dict[str, Mapping[str, list[str]]] = {}

    def load(self, iris: Iterable[str]) -> None:
        """Look up what these things belong to in a few queries, not in some for each."""
        wholes = {whole for iri in iris for whole in self.wholes(iri)}
        self.reader.load(sorted(wholes))
        records = {place.record for whole in wholes if (place := self.reader.place(whole))}
        fresh = records - self._facets.keys()
        self._facets |= self.reader.opened.index.facets_by_id(fresh, *_FACETS)

    def wholes(self, iri: str) -> list[str]:
        """A thing and what it is part of, from the inside to the outside."""
        if iri not in self._wholes:
            found = {iri: None}
            while (above := part_of(self.store, next(reversed(found)))) and above[0] not in found:
                found[above[0]] = None
            self._wholes[iri] = list(found)
        return self._wholes[iri]

    def parts(self, iri: str) -> list[str]:
        """What is part of a thing."""
        quads = self.store.raw.quads_for_pattern(None, _PART_OF, ox.NamedNode(iri), None)
        return sorted({q.subject.value for q in quads if isinstance(q.subject, ox.NamedNode)})

    def name(self, iri: str) -> Text:
        """What a thing is called; a column with the table that it stands in."""
        name = self.reader.name(iri)
        if self.graph.level(iri) != "column":
            return name
        tables = self.wholes(iri)[1:]
        return (
            Text(f"{name.text} · {self.reader.name(tables[0]).text}", name.lang) if tables else name
        )

    def value(self, iri: str) -> Value:
        """A thing by its name, with a link to its page."""
        return replace(self.reader.iri(iri), text=self.name(iri))

    def facet(self, iri: str, name: str) -> list[str]:
        """Who owns or cares for a loaded thing, or its area: what is said nearest to it."""
        for whole in self.wholes(iri):
            place = self.reader.place(whole)
            if place and (found := self._facets.get(place.record, {}).get(name)):
                return found
        return []

    def level(self, iri: str) -> str:
        """What a thing is, or "elsewhere"; empty where no class tells."""
        level = self.graph.level(iri)
        if level and level != LEVELS[0]:
            return level
        ours = iri.startswith(f"{self.reader.opened.base}/") or self.reader.place(iri)
        return "elsewhere" if host(iri) and not ours else ""
