"""Which edges of lineage came and went, between two releases or two moments."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from typing import Any, Final

from bilbaokg.audit import instant
from bilbaokg.errors import BadInput
from bilbaokg.lineage.edges import Edge, Kind, told
from bilbaokg.lineage.graph import Graph
from bilbaokg.lineage.ground import Ground
from bilbaokg.records import Records
from bilbaokg.terms import PROV, ref, split_lines

__all__ = ["between", "since", "span", "telling"]

# Runs come with every day; what they read and wrote is no change of what comes from what.
_LASTING: Final = frozenset({Kind.DERIVED, Kind.INFLUENCED, Kind.READS, Kind.WRITES})
_AHEAD: Final = (1, "added"), (-1, "removed")


def between(before: Graph, after: Graph) -> Iterator[tuple[int, Edge]]:
    """The edges that only one of two graphs has, by IRI: with -1 the first, with 1 the other.

    Both are gone through once, side by side.
    """
    sides = _signed(before, -1), _signed(after, 1)
    for edge, same in itertools.groupby(heapq.merge(*sides), key=itemgetter(0)):
        signs = [sign for _, sign in same]
        if len(signs) == 1:
            yield signs[0], edge


def _signed(graph: Graph, sign: int) -> Iterator[tuple[Edge, int]]:
    return ((edge, sign) for edge in graph if edge.kind in _LASTING)


def span(begin: str, end: str = "") -> tuple[str, str]:
    """Two moments as the audit tells moments; a date is its beginning, or as the end its end.

    end: now by default. Raises BadInput.
    """
    first = _moment(begin, timedelta(0))
    last = _moment(end, timedelta(days=1)) if end else datetime.now(UTC)
    if first > last:
        raise BadInput("the span ends before it begins", hint="give the earlier moment first")
    return instant(first), instant(last)


def _moment(text: str, day: timedelta) -> datetime:
    try:
        if len(text) == len("2026-11-27"):
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC) + day
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        found = None
    if found is None or found.tzinfo is None:
        raise BadInput(
            f"{text[:100]!r} is no moment",
            hint="a date, or a time with its zone: 2026-11-27T05:00:00Z",
        )
    return found.astimezone(UTC)


def since(records: Records, begin: str, end: str) -> list[tuple[int, Edge]]:
    """The edges that came (1) and went (-1) in the working store after one moment, up to another.

    begin, end: xsd:dateTime in UTC, as the audit tells them. Only records are read that changed.
    """
    found: Counter[Edge] = Counter()
    for id in _changed(records, begin, end):
        for text, sign in zip(_texts(records, id, begin, end), (-1, 1), strict=True):
            for edge in _edges(text):
                found[edge] += sign
    # An edge that another record says, too, did not come or go.
    return [(1 if n > 0 else -1, edge) for edge, n in sorted(found.items()) if n]


def _changed(records: Records, begin: str, end: str) -> list[str]:
    """The ids of the records with a revision between two moments."""
    prefix, found = records.history_graph(""), set()
    for event in records.audit.events():
        if begin < event.at <= end:
            entry = ref(records.audit.iri(event.seq))
            made = records.store.match(None, ref(PROV.wasGeneratedBy), entry)
            found |= {graph[len(prefix) :] for *_, graph in made if graph.startswith(prefix)}
    return sorted(found)


def _texts(records: Records, id: str, begin: str, end: str) -> tuple[str, str]:
    """What a record said at two moments; nothing before it was."""
    revisions = records.revisions(id)
    at = ([r["text"] for r in revisions if r["at"] <= moment] for moment in (begin, end))
    before, after = (texts[-1] if texts else "" for texts in at)
    return before, after


def _edges(text: str) -> Iterator[Edge]:
    for line in split_lines(text):
        said = told(line)
        if isinstance(said, Edge) and said.kind in _LASTING:
            yield said


def telling(ground: Ground, found: Iterable[tuple[int, Edge]], limit: int) -> dict[str, Any]:
    """Differences as plain JSON: `added` and `removed`, each with how it is said."""
    every = list(found)
    return {
        **{name: _told(ground, every, sign, limit) for sign, name in _AHEAD},
        "counts": {name: sum(s == sign for s, _ in every) for sign, name in _AHEAD},
        "complete": all(sum(s == sign for s, _ in every) <= limit for sign, _ in _AHEAD),
    }


def _told(
    ground: Ground, every: list[tuple[int, Edge]], sign: int, limit: int
) -> list[dict[str, Any]]:
    edges = [edge for each, edge in every if each == sign][:limit]
    return [
        {
            "kind": edge.kind.name.lower(),
            "source": ground.named(edge.source),
            "target": ground.named(edge.target),
        }
        for edge in edges
    ]
