"""The second wall: finished bytes are read again before they leave.

Whatever chose the statements, a file holds no person, nothing listed that was not released, and
exactly the statements that it was given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from bilbaokg.errors import Invalid
from bilbaokg.exports.catalogue import TYPE
from bilbaokg.terms import PERSONS, plain, split_line
from bilbaokg.writing import read_back

__all__ = ["check", "path_to"]

_TYPE_IRI: Final = plain(TYPE)


def check(
    content: bytes, format: str, lines: list[str], released: Mapping[str, Iterable[str]]
) -> None:
    """Read a finished file. `released` maps a listed class to the terms that may have it.

    Raises Invalid naming the path from the first subject to what may not leave.
    """
    allowed = {cls: frozenset(terms) for cls, terms in released.items()}
    count = 0
    for quad in read_back(content, format):
        count += 1
        if quad.predicate.value != _TYPE_IRI:
            continue
        subject, cls = str(quad.subject), str(quad.object)
        if cls in PERSONS:
            _refuse("the export would name a person", lines, subject)
        if cls in allowed and subject not in allowed[cls]:
            _refuse(f"the export would list a {cls} that is not released", lines, subject)
    if count != len(lines):
        raise Invalid(
            f"the {format} file reads back as {count} statements, not {len(lines)}",
            where=lines[0] if lines else None,
            hint="this is a defect of the exporter: keep the release and report it",
        )


def _refuse(message: str, lines: list[str], node: str) -> None:
    raise Invalid(
        message,
        where=" ; ".join(path_to(lines, node)) or node,
        hint="mend the statement that leads there, or make its record internal",
    )


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
