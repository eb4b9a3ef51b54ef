"""Query texts of shapes with places for the values that are pre-bound at each call (SHACL, section
5.3.1)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

__all__ = ["Names", "Refused", "Slot", "Template"]

_NOTHING: Final = "<urn:x-bilbaokg:nothing>"


class Refused(Exception):
    """A query text that may not be used in shapes; says why."""


class Slot(NamedTuple):
    """Where the value of a variable goes, and what stands around it there.

    predicate: whether no literal can stand there; in its place goes an IRI that matches nothing.
    """

    name: str
    before: str = ""
    after: str = ""
    predicate: bool = False

    def filled(self, term: str) -> str:
        """The piece of text with an encoded term in it."""
        fits = not (self.predicate and term.startswith('"'))
        return f"{self.before}{term if fits else _NOTHING}{self.after}"


@dataclass(frozen=True, slots=True)
class Names:
    """What a query's variables are.

    known: the encoded terms, or the path, that are bound once for all. open: those bound at each
    call. reserved: all that may be bound, so that the query must not bind them and sub-selects
    have to pass them on.
    """

    known: Mapping[str, str] = field(default_factory=dict)
    open: Collection[str] = ()
    reserved: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A query text in pieces, and whether it is a SELECT or an ASK."""

    pieces: tuple[str | Slot, ...]
    form: str
    projected: frozenset[str]
    of_shapes: bool

    def text(self, **values: str) -> str:
        """The text with encoded terms in place of the open variables."""
        return "".join(
            piece if isinstance(piece, str) else piece.filled(values[piece.name])
            for piece in self.pieces
        )

    def checked(self, parses: Callable[[str], object]) -> Template:
        """The same, having tried a literal in each place. Raises SyntaxError if none helps."""
        trial = [p if isinstance(p, str) else p.filled(_NOTHING) for p in self.pieces]
        parses("".join(trial))
        pieces = list(self.pieces)
        for index, piece in enumerate(pieces):
            if not isinstance(piece, str):
                try:
                    parses("".join((*trial[:index], piece.filled('""'), *trial[index + 1 :])))
                except SyntaxError:
                    pieces[index] = piece._replace(predicate=True)
        return replace(self, pieces=tuple(pieces))
