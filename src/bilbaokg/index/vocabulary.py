"""Names from the vocabularies that we bring: authority tables, roles, statuses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import pyoxigraph as ox

from bilbaokg import assets
from bilbaokg.terms import DCT, RDFS, SKOS

__all__ = ["names"]

_LABELS: Final = tuple(map(ox.NamedNode, (SKOS.prefLabel, RDFS.label, DCT["title"])))


@cache
def names(base: str) -> Mapping[str, Mapping[str, str]]:
    """IRI -> language -> text. `base` stands before the terms of our own."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted(assets.folder("ontology").rglob("*.ttl")):
        parsed = ox.parse(path=str(file), format=ox.RdfFormat.TURTLE, base_iri=f"{base}/")
        for quad in parsed:
            if quad.predicate in _LABELS and isinstance(quad.object, ox.Literal):
                subject = str(getattr(quad.subject, "value", ""))
                found.setdefault(subject, {})[quad.object.language or ""] = quad.object.value
    return found
