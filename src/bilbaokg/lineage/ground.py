"""What questions to lineage are asked of: a store with its graph, the working one or a release."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bilbaokg import elsewhere
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.lineage.calling import called
from bilbaokg.lineage.edges import LEVELS, level
from bilbaokg.lineage.graph import Graph
from bilbaokg.lineage.walking import Walk, label, walk
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import PROV, is_iri, plain, ref

__all__ = ["Ground"]

_BESIDE = 200
_NEAREST = 3
_ALIKE = 0.9


@dataclass(frozen=True)
class Ground:
    """A store and its lineage. base: of the catalogue; lang: in which labels are told.

    make: gives the graph; is_made: whether that takes no time worth speaking of. Things are told as
    `{"iri", "label"}`, with `level` where it matters.
    """

    store: EmbeddedStore
    base: str
    make: Callable[[], Graph]
    is_made: bool = True
    lang: str = "es"

    @classmethod
    def released(cls, folder: Path, base: str, lang: str) -> Ground:
        """That of a release, whose folder is given. Raises CorruptStore, StorageFault."""
        return cls.over(EmbeddedStore.read_only(folder / "store"), base, lang)

    @classmethod
    def over(cls, store: EmbeddedStore, base: str, lang: str) -> Ground:
        """That of a store that nobody writes to; its graph is made when it is needed."""
        return cls(store, base, lambda: Graph.of(store), False, lang)

    @cached_property
    def graph(self) -> Graph:
        """The whole lineage, the same for all of an answer."""
        return self.make()

    def walk(self, iri: str, direction: str, hops: int | None, limit: int) -> Walk:
        """As Graph.walk. A few hops are gone in the store rather than making the graph for them."""
        if hops is not None and not self.is_made:
            return walk(self.store, iri, direction, hops, limit)
        return self.graph.walk(iri, direction, hops, limit)

    def known(self, thing: str) -> str:
        """The IRI of a thing that is given by it or by its name (as of `called`).

        Raises BadInput where no thing or several are called so, NotFound where the store lacks it.
        """
        iri = thing if is_iri(thing) else self._called(thing)
        store = self.store
        if any(store.match(ref(iri))) or any(store.match(object=ref(iri))):
            return iri
        # Identifiers of tables look like addresses.
        if len(found := called(store, iri)) == 1:
            return found[0]
        near = difflib.get_close_matches(iri, self.graph.beside(iri, _BESIDE), _NEAREST, _ALIKE)
        hint = f"did you mean {' or '.join(near)}?" if near else "check its spelling"
        raise NotFound("the catalogue does not know it", where=iri, hint=hint)

    def _called(self, name: str) -> str:
        found = called(self.store, name)
        if len(found) == 1:
            return found[0]
        if found:
            some = ", ".join(found[:_NEAREST]) + (", ..." if len(found) > _NEAREST else "")
            raise BadInput(
                f"{len(found)} things are called {name[:200]!r}",
                hint=f"give the IRI of one: {some}",
            )
        raise BadInput(
            f"{name[:200]!r} is no absolute IRI, and nothing is called so",
            hint="the IRI, the title or the identifier of a dataset, table, column, job or run",
        )

    def label(self, iri: str, language: str = "") -> str:
        """What a thing is called."""
        return label(self.store, iri, language or self.lang)

    def named(self, iri: str) -> dict[str, Any]:
        """A thing with what it is called."""
        return {"iri": iri, "label": self.label(iri)}

    def told(self, iri: str) -> dict[str, Any]:
        """A thing with what it is called, its level, and of what is elsewhere where that is and
        since when it is gone there."""
        found = self.graph.level(iri) if self.is_made else level(self.store, iri)
        return {**self.named(iri), "level": found, **self._away(iri, found)}

    def _away(self, iri: str, found: str | None) -> dict[str, Any]:
        if (
            found != LEVELS[0]
            or iri.startswith(f"{self.base}/")
            or not (host := elsewhere.host(iri))
        ):
            return {}
        gone = next(self.store.match(ref(iri), ref(PROV.invalidatedAtTime)), None)
        return {"elsewhere": host, "gone": plain(gone[2]) if gone else None}

    def all_told(self, iris: Iterable[str], limit: int) -> dict[str, Any]:
        """At most `limit` things, how many there are, and whether that is all of them."""
        every = list(iris)
        return {
            "count": len(every), "complete": len(every) <= limit,
            "found": [self.told(iri) for iri in every[:limit]],
        }  # fmt: skip
