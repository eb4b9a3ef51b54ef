"""Noting what a verdict depends on: every question that its evaluation asks of the data proper.

A question is the properties of a node, all of them or by one predicate, or who points to a node, by
any predicate or by one. It is noted also where the answer is that there is nothing. A statement
answers four questions; a verdict stands while no statement that answers one of its questions comes
or goes. Two things need no note, as what evaluates again looks at them itself: what is said of the
focus node, and the class axioms of the data, which all verdicts depend on.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from zlib import crc32

from bilbaokg.shacl.graph import TYPE, Layers, Properties, Statements
from bilbaokg.terms import Statement

__all__ = ["Watched", "questions"]

Value = TypeVar("Value")


def _asked(text: str) -> int:
    """A question as a number. Two that share one only make a verdict anew without need."""
    return crc32(text.encode())


def _all(node: str) -> int:
    return _asked(f"{node} *")


def _about(node: str, predicate: str) -> int:
    return _asked(f"{node} {predicate}")


def _pointing(node: str) -> int:
    return _asked(f"* {node}")


def _having(predicate: str, object_: str) -> int:
    return _asked(f"^{predicate} {object_}")


def questions(statement: Statement) -> tuple[int, ...]:
    """The questions that a statement answers."""
    subject, predicate, object_ = statement
    return (
        _all(subject),
        _about(subject, predicate),
        _pointing(object_),
        _having(predicate, object_),
    )


class Watched(Layers):
    """Layers that note which questions are asked for which focus node."""

    def __init__(self, own: Statements, *others: Statements) -> None:
        super().__init__(own, *others)
        self._focus = ""
        self._noted: set[int] = set()
        self._by_focus: dict[str, set[int]] = {}

    def turn(self, focus: str) -> None:
        """What is read next is for this focus node."""
        self._focus = focus
        self._noted = self._by_focus.setdefault(focus, set())

    def noted(self, focus: str) -> bytes:
        """The questions asked for a focus node so far, four bytes each; no longer remembered."""
        return array("I", self._by_focus.pop(focus, ())).tobytes()

    def properties(self, node: str) -> Properties:
        found = super().properties(node)
        if node == self._focus:
            return found
        noted = self._noted
        return _Answers(found, lambda p: noted.add(_about(node, p)), lambda: noted.add(_all(node)))

    def subjects(self, predicate: str, object_: str) -> Sequence[str]:
        self._noted.add(_having(predicate, object_))
        return super().subjects(predicate, object_)

    def pairs(self, predicate: str) -> Iterator[tuple[str, str]]:
        raise NotImplementedError("all statements of a predicate are no question of one node")

    def lines(self) -> Iterator[str]:
        raise NotImplementedError("what queries read cannot be noted")

    def referrers(self, nodes: Iterable[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Noted for a focus node when it looks at the answer: many are asked for at once."""
        found = super().referrers(nodes)

        def note(node: str) -> None:
            if node in found:
                self._noted.add(_pointing(node))

        return _Answers(found, note, lambda: self._noted.update(map(_pointing, found)))

    def is_own(self, node: str) -> bool:
        if node != self._focus:
            self._noted.add(_all(node))
        return super().is_own(node)

    def is_instance(self, node: str, name: str) -> bool:
        # Before the answer that may be remembered.
        if node != self._focus:
            self._noted.add(_about(node, TYPE))
        return super().is_instance(node, name)


class _Answers(Mapping[str, Value]):
    """A mapping that tells which keys are looked up, and when all of it is."""

    def __init__(
        self, found: Mapping[str, Value], one: Callable[[str], object], all_: Callable[[], object]
    ) -> None:
        self._found, self._one, self._all = found, one, all_

    def __getitem__(self, key: str) -> Value:
        self._one(key)
        return self._found[key]

    def get(self, key: str, default: Any = None) -> Any:
        self._one(key)
        return self._found.get(key, default)

    def __contains__(self, key: object) -> bool:
        self._one(str(key))
        return key in self._found

    def __iter__(self) -> Iterator[str]:
        self._all()
        return iter(self._found)

    def __len__(self) -> int:
        self._all()
        return len(self._found)
