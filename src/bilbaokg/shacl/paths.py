"""Property paths (SHACL, section 2.3.1): read from a shapes graph, walked over data.

A path that is not well-formed raises Malformed, which names the node and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bilbaokg.shacl.graph import FIRST, NIL, REST, Graph, Walkable
from bilbaokg.terms import SH, ref

__all__ = ["Inverse", "Malformed", "Path", "Predicate", "members", "path_predicates", "read_path"]

_DEEPEST: Final = 50


class Malformed(Exception):
    """A node of a shapes graph breaks a rule of SHACL's syntax; `node` is its N-Triples term."""

    def __init__(self, node: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.node, self.message, self.hint = node, message, hint


class Path(Protocol):
    """A path: what it leads to, and how SPARQL writes it."""

    def values(self, data: Walkable, node: str) -> Sequence[str]:
        """The distinct nodes that the path leads to from a node."""
        ...

    def inverted(self) -> Path:
        """The same path, walked the other way."""
        ...

    @property
    def text(self) -> str:
        """The SPARQL 1.1 property path, with full IRIs."""
        ...

    @property
    def backwards(self) -> frozenset[str]:
        """The properties that are walked from object to subject."""
        ...


@dataclass(frozen=True, slots=True)
class Predicate:
    """One property, by its N-Triples term."""

    iri: str

    def values(self, data: Walkable, node: str) -> Sequence[str]:
        return data.properties(node).get(self.iri, ())

    def inverted(self) -> Path:
        return Inverse(self.iri)

    @property
    def text(self) -> str:
        return self.iri

    @property
    def backwards(self) -> frozenset[str]:
        return frozenset()


@dataclass(frozen=True, slots=True)
class Inverse:
    """One property, from its object to its subjects."""

    iri: str

    def values(self, data: Walkable, node: str) -> Sequence[str]:
        # In an order that does not depend on that of the statements.
        return sorted(data.subjects(self.iri, node))

    def inverted(self) -> Path:
        return Predicate(self.iri)

    @property
    def text(self) -> str:
        return f"^{self.iri}"

    @property
    def backwards(self) -> frozenset[str]:
        return frozenset({self.iri})


@dataclass(frozen=True, slots=True)
class _Sequence:
    parts: tuple[Path, ...]

    def values(self, data: Walkable, node: str) -> Sequence[str]:
        found: Sequence[str] = (node,)
        for part in self.parts:
            found = _distinct(value for start in found for value in part.values(data, start))
        return found

    def inverted(self) -> Path:
        return _Sequence(tuple(part.inverted() for part in reversed(self.parts)))

    @property
    def text(self) -> str:
        return "/".join(_grouped(part) for part in self.parts)

    @property
    def backwards(self) -> frozenset[str]:
        return frozenset[str]().union(*(part.backwards for part in self.parts))


@dataclass(frozen=True, slots=True)
class _Alternative:
    parts: tuple[Path, ...]

    def values(self, data: Walkable, node: str) -> Sequence[str]:
        return _distinct(value for part in self.parts for value in part.values(data, node))

    def inverted(self) -> Path:
        return _Alternative(tuple(part.inverted() for part in self.parts))

    @property
    def text(self) -> str:
        return "|".join(_grouped(part) for part in self.parts)

    @property
    def backwards(self) -> frozenset[str]:
        return frozenset[str]().union(*(part.backwards for part in self.parts))


@dataclass(frozen=True, slots=True)
class _Repeated:
    """`part` taken any number of times (`*`), at least once (`+`) or at most once (`?`)."""

    part: Path
    sign: str

    def values(self, data: Walkable, node: str) -> Sequence[str]:
        found: dict[str, None] = {} if self.sign == "+" else {node: None}
        waiting: Iterable[str] = (node,)
        while waiting:
            level = [v for start in waiting for v in self.part.values(data, start)]
            waiting = [v for v in dict.fromkeys(level) if v not in found]
            found.update(dict.fromkeys(waiting))
            if self.sign == "?":
                break
        return list(found)

    def inverted(self) -> Path:
        return _Repeated(self.part.inverted(), self.sign)

    @property
    def text(self) -> str:
        return f"{_grouped(self.part)}{self.sign}"

    @property
    def backwards(self) -> frozenset[str]:
        return self.part.backwards


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _grouped(path: Path) -> str:
    return path.text if isinstance(path, Predicate) else f"({path.text})"


# ---- reading


def read_path(graph: Graph, node: str) -> Path:
    """The path that a node of a shapes graph describes. Raises Malformed."""
    return _read(graph, node, _DEEPEST)


def _read(graph: Graph, node: str, depth: int) -> Path:
    if node == NIL:
        return _Sequence(_parts(graph, node, depth))
    if node.startswith("<"):
        return Predicate(node)
    if not depth:
        raise Malformed(node, "a path refers to itself or is nested too deeply")
    kinds = path_predicates(graph, node)
    if FIRST in kinds:
        return _Sequence(_parts(graph, node, depth))
    if len(kinds) != 1:
        raise Malformed(node, "a path is neither an IRI, a list nor one of SHACL's path forms")
    (objects, kind) = graph.objects(node, kinds[0]), kinds[0]
    if len(objects) != 1:
        raise Malformed(node, "a path has more than one value")
    return _KINDS[kind](graph, objects[0], depth - 1)


def path_predicates(graph: Graph, node: str) -> tuple[str, ...]:
    """The predicates of a node that make it a path; what else it says is no part of that."""
    properties = graph.properties(node)
    if FIRST in properties:
        return FIRST, REST
    return tuple(name for name in _KINDS if name in properties)


def _parts(graph: Graph, head: str, depth: int) -> tuple[Path, ...]:
    parts = tuple(_read(graph, item, depth - 1) for item in members(graph, head))
    if len(parts) < 2:
        raise Malformed(head, "a path's list has fewer than two members")
    return parts


def _inverse(graph: Graph, node: str, depth: int) -> Path:
    return _read(graph, node, depth).inverted()


def _alternative(graph: Graph, node: str, depth: int) -> Path:
    return _Alternative(_parts(graph, node, depth))


def _repeated(sign: str) -> Callable[[Graph, str, int], Path]:
    return lambda graph, node, depth: _Repeated(_read(graph, node, depth), sign)


_KINDS: Final[dict[str, Callable[[Graph, str, int], Path]]] = {
    ref(SH.inversePath): _inverse,
    ref(SH.alternativePath): _alternative,
    ref(SH.zeroOrMorePath): _repeated("*"),
    ref(SH.oneOrMorePath): _repeated("+"),
    ref(SH.zeroOrOnePath): _repeated("?"),
}


def members(graph: Graph, head: str) -> list[str]:
    """The members of an RDF list. Raises Malformed where it is broken or circular."""
    found: list[str] = []
    seen: set[str] = set()
    node = head
    while node != NIL:
        firsts = graph.objects(node, FIRST)
        rests = graph.objects(node, REST)
        if node in seen or len(firsts) != 1 or len(rests) != 1:
            problem = "is circular" if node in seen else "is broken"
            raise Malformed(head, f"a list {problem}")
        seen.add(node)
        found += firsts
        node = rests[0]
    return found
