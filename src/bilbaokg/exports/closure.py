"""The second wall: what is finished is read again before it leaves.

Whatever chose the statements, no text of a release and no page holds a person, a term that the
working store describes and the release does not (an internal dataset, system or post), or
something listed that was not released; and every file says exactly the statements that it was
given, whichever syntax it is in. What is made on first request is made of what stood this proof.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import pyoxigraph as ox

from bilbaokg.errors import Invalid
from bilbaokg.exports import json_ld
from bilbaokg.exports.catalogue import TYPE, Blanks, lines_of
from bilbaokg.terms import PERSONS, plain, ref, split_line
from bilbaokg.writing import as_written, read_back

__all__ = ["Tally", "Wall", "check", "check_quads", "check_texts", "path_to", "same"]

_END: Final = ".,;:!?)]'"
# Terms that are remembered as harmless: a catalogue repeats them.
_PASSED: Final = 100_000
_HINT: Final = "mend the statement that leads there, or make its record internal"


@dataclass(frozen=True, slots=True)
class Wall:
    """What may not leave in the exports of a catalogue with this base.

    `withheld` are terms that the working store describes and the release does not; `described`,
    where given, are those that it does: then no other IRI that we minted may be named. `coined` are
    terms that an export brings itself.
    """

    base: str
    withheld: Set[str] = frozenset()
    described: Collection[str] | None = None
    coined: Set[str] = frozenset()
    ours: str = field(init=False)
    _named: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        blank = Blanks(self.base)
        both = frozenset(self.withheld) | {blank(term) for term in self.withheld}
        ours = f"{self.base}/id/"
        object.__setattr__(self, "withheld", both)
        object.__setattr__(self, "ours", ours)
        object.__setattr__(self, "_named", re.compile(re.escape(ours) + r'[^\s<>"{}|\\^`]+'))

    def stops(self, term: str) -> str | None:
        """Why a term may not leave; None where it may."""
        if term in self.withheld:
            return None if term in self.coined else "is not released"
        if term.startswith(f"<{self.ours}"):
            if f"{term[:-1].partition('#')[0]}>" in self.withheld:
                return "is not released"
            known = self.described is None or term in self.described or term in self.coined
            return None if known else "is not in the release"
        if term.startswith('"') and (term.startswith('"http') or self.ours in term):
            return "is not released" if self.withheld & set(self._named_in(plain(term))) else None
        return None

    def _named_in(self, text: str) -> Iterator[str]:
        """The terms that a text names: the IRI that it is as a whole, and all IRIs of ours."""
        yield ref(text)
        for found in self._named.findall(text):
            for name in (found, found.rstrip(_END)):
                yield ref(name)
                yield ref(name.partition("#")[0])


def check(lines: list[str], wall: Wall, released: Mapping[str, Collection[str]]) -> None:
    """Check the statements of a page. `released` maps a listed class to the terms that may have it.

    Raises Invalid naming the path from the first subject to what may not leave.
    """
    guard = _Guard(wall)
    for line in lines:
        if guard.sees(line, lines):
            subject, _, class_ = split_line(line)
            if class_ in released and subject not in released[class_]:
                _refuse(f"the export would list a {class_} that is not released", lines, subject)


class _Guard:
    """Looks at statement after statement; a term that passed is not looked at again."""

    def __init__(self, wall: Wall) -> None:
        self.wall, self.passed = wall, set[str]()
        self.ours = wall.ours

    def sees(self, line: str, lines: Iterable[str]) -> bool:
        """Check one statement, and say whether it gives a class; `lines` are those around it, which
        show the way there. Raises Invalid."""
        subject, predicate, rest = line.split(" ", 2)
        object_ = rest[:-2]
        if subject not in self.passed:
            self._pass(subject, "speak of", lines, subject)
        if object_[0] == '"':
            if object_.startswith('"http') or self.ours in object_:
                self._pass(object_, "name", lines, subject, line[:-2])
        elif object_ not in self.passed:
            self._pass(object_, "name", lines, subject, line[:-2])
        if predicate != TYPE:
            return False
        if object_ in PERSONS:
            _refuse("the export would name a person", lines, subject)
        return True

    def _pass(
        self, term: str, verb: str, lines: Iterable[str], subject: str, last: str = ""
    ) -> None:
        if why := self.wall.stops(term):
            _refuse(f"the export would {verb} what {why}", lines, subject, last)
        if len(self.passed) >= _PASSED:
            self.passed.clear()
        self.passed.add(term)


def check_texts(texts: Iterable[tuple[str, str]], wall: Wall, heads: Mapping[str, str]) -> None:
    """Check the exact texts of records: (id, text). `heads` maps an id to the IRI of its record.

    Raises Invalid naming the path from the record to what may not leave.
    """
    guard = _Guard(wall)
    for id, text in texts:
        lines = lines_of(text)
        around = _Lines(lines, heads[id])
        for line in lines:
            guard.sees(line, around)


def check_quads(path: Path, wall: Wall, ids: Collection[str]) -> None:
    """Check a catalogue.nq, whose graphs are the records with these ids. Raises Invalid."""
    prefix = f" <{wall.base}/graph/record/"
    guard = _Guard(wall)
    with path.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            statement, _, graph = line.rpartition(prefix)
            id = graph.removesuffix("> .\n")
            if not statement or id not in ids:
                _refuse("the export would hold a graph that is no record of it", [], line.rstrip())
            guard.sees(f"{statement} .", ())


# ---- what was written is what was given


class Tally:
    """How many statements there are and which, whatever their order; in the memory of two numbers.

    Python's hash is keyed anew in each process, so that nobody can make two sets look the same.
    """

    def __init__(self, format: str) -> None:
        self.format, self.count, self._sum = format, 0, 0

    def of(self, lines: Iterable[str]) -> Iterator[str]:
        """The same lines, counted as they pass."""
        for line in lines:
            self.count += 1
            self._sum += hash(as_written(line, self.format)[:-2])
            yield line

    def read(self, quads: Iterable[ox.Quad]) -> None:
        """Count what was read again."""
        count, total, named = self.count, self._sum, self.format in ("nq", "trig")
        for quad in quads:
            count += 1
            total += hash(str(quad) if named else str(quad.triple))
        self.count, self._sum = count, total

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tally) and (self.count, self._sum) == (other.count, other._sum)

    __hash__ = None  # type: ignore[assignment]


def same(content: bytes | BinaryIO, format: str, given: Tally, *, flat: bool = False) -> None:
    """Raises Invalid unless a finished file says exactly what it was given.

    flat: it is JSON-LD as `json_ld.write` makes it, which is read in pieces.
    """
    found = Tally(format)
    found.read(json_ld.read(content) if flat else read_back(content, format))
    if found != given:
        what = f"{found.count:,} statements, not {given.count:,}"
        if found.count == given.count:
            what = "other statements than it was given"
        raise Invalid(
            f"the {format} file reads back as {what}",
            hint="this is a defect of the exporter: keep the release and report it",
        )


# ---- the way there


class _Lines:
    """The statements of a record, those of its head first: they are put in order where one is
    refused."""

    def __init__(self, lines: list[str], head: str) -> None:
        self.lines, self.head = lines, f"{ref(head)} "

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.lines, key=lambda line: not line.startswith(self.head)))


def _refuse(message: str, lines: Iterable[str], node: str, last: str = "") -> None:
    path = path_to(lines, node) + ([last] if last else [])
    raise Invalid(message, where=" ; ".join(path) or node, hint=_HINT)


def path_to(lines: Iterable[str], node: str) -> list[str]:
    """The shortest way from the first subject to a node, as statements; empty where none."""
    links: dict[str, list[tuple[str, str]]] = {}
    for subject, predicate, object_ in map(split_line, lines):
        links.setdefault(subject, []).append((predicate, object_))
    start = next(iter(links), node)
    came: dict[str, tuple[str, str]] = {start: ("", "")}
    queue = deque([start])
    while queue and node not in came:
        here = queue.popleft()
        for predicate, there in links.get(here, ()):
            if there not in came:
                came[there] = (here, predicate)
                queue.append(there)
    path: list[str] = []
    while node in came and came[node][0]:
        here, predicate = came[node]
        path.insert(0, f"{here} {predicate} {node}")
        node = here
    return path
