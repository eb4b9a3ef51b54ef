"""The store protocol and its engines; `ENGINES` names them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = ["GraphChange", "Store"]


@dataclass(frozen=True, slots=True)
class GraphChange:
    """What to do with one named graph: first `delete`, then `insert`.

    `graph` is an IRI; `delete` and `insert` are N-Triples lines; `drop` empties the graph first.
    """

    graph: str
    insert: Sequence[str] = ()
    delete: Sequence[str] = ()
    drop: bool = False

    @property
    def only_adds(self) -> bool:
        """Whether nothing is taken away."""
        return not (self.delete or self.drop)


class Store(Protocol):
    """A quad store with named graphs. Texts are trusted: strangers' queries run in workers."""

    def apply(self, changes: Sequence[GraphChange]) -> None:
        """Do all changes or none, and return when they are on disk."""

    def query(
        self, text: str, *, union: bool = True, substitutions: dict[Any, Any] | None = None
    ) -> Any:
        """Evaluate a query of our own."""

    def match(
        self,
        subject: str | None = None,
        predicate: str | None = None,
        object: str | None = None,
        graph: str | None = None,
    ) -> Iterator[tuple[str, str, str, str]]:
        """The quads that fit, as N-Triples terms (graph as an IRI)."""

    def graphs(self) -> Iterator[str]:
        """The IRIs of the named graphs."""

    def backup(self, directory: Path) -> None:
        """Write a consistent copy that other processes may open."""

    def close(self) -> None:
        """Let go of the files."""
