"""Which nodes targets find (SHACL, section 2.1)."""

from __future__ import annotations

from collections.abc import Iterable

from bilbaokg.shacl.graph import TYPE, Layers

__all__ = ["Targets", "targeted"]

Targets = tuple[tuple[str, str], ...]
"""(kind, term): kind is targetClass, targetNode, targetSubjectsOf, targetObjectsOf or
target."""


def targeted(data: Layers, targets: Iterable[tuple[str, str]]) -> dict[str, None]:
    """The distinct nodes that targets find in the data proper, not in what is known beside.

    Those of SPARQL-based targets (kind target) are not among them: a query finds them.
    """
    found: dict[str, None] = {}
    own = data.own
    for kind, term in targets:
        if kind == "targetNode":
            found[term] = None
        elif kind == "targetClass":
            for name in data.subclasses(term):
                found.update(dict.fromkeys(own.subjects(TYPE, name)))
        elif kind != "target":
            place = 0 if kind == "targetSubjectsOf" else 1
            found.update((pair[place], None) for pair in own.pairs(term))
    return found
