"""Pages of the glossary and the themes: their trees, and single terms."""

from __future__ import annotations

from dataclasses import dataclass

from bilbaokg.index import Text
from bilbaokg.server.views.lists import Listed
from bilbaokg.server.views.values import Action, Group, Incoming, Node, Pager, Tile, Value

__all__ = ["Branch", "ConceptPage", "GlossaryPage", "Vocabulary"]


@dataclass(frozen=True, slots=True)
class Branch:
    """A term in a tree: how deep it stands, what it means, and the lists of what uses it.

    `opens` and `closes` are how many levels begin before it and end after it. `again` says that it
    stands further up, too, with what is below it. `below` counts the narrower terms that are not
    drawn: its page opens them.
    """

    term: Value
    summary: Text
    uses: list[Tile]
    depth: int
    opens: int
    closes: int
    again: bool
    below: int = 0


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A scheme with its terms as a tree; `scheme` is None for terms of none.

    `total` counts all terms; of a large one `branches` are the terms at the top, a page of them
    (`pager`), else the first.
    """

    anchor: str
    scheme: Value | None
    summary: Text
    total: int
    branches: list[Branch]
    href: str
    pager: Pager | None = None


@dataclass(frozen=True, slots=True)
class GlossaryPage:
    """The vocabularies of the release, each as a tree."""

    total: int
    vocabularies: list[Vocabulary]


@dataclass(frozen=True, slots=True)
class ConceptPage:
    """A term: what it means, its other names, what is broader and narrower, and who uses it.

    `ways` lead from the top of its vocabulary down to it, one for each broader term.
    """

    id: str
    iri: str
    title: Text
    notation: str
    summary: Text
    names: list[Value]
    schemes: list[Value]
    ways: list[list[Value]]
    narrower: list[Branch]
    below: Pager
    related: list[Value]
    listed: list[Listed]
    groups: list[Group]
    incoming: Incoming
    formats: list[Action]
    sparql: str
    nodes: list[Node]
