"""Knots of a graph: nodes that all lead to each other (strongly connected components)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

__all__ = ["knots"]


def knots(nodes: Iterable[int], near: Callable[[int], Iterable[int]]) -> Iterator[set[int]]:
    """The knots of more than one node, and the nodes that lead to themselves.

    By Tarjan's algorithm (SIAM J. Comput. 1(2), 1972), without recursion: lineage may be deep.
    """
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    pending: list[int] = []
    waiting: set[int] = set()
    for root in nodes:
        work = [] if root in order else [(root, iter(near(root)))]
        if work:
            _reach(root, order, low, pending, waiting)
        while work:
            node, others = work[-1]
            ahead = next(others, None)
            if ahead is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    knot = _untied(node, pending, waiting)
                    if len(knot) > 1 or node in near(node):
                        yield knot
            elif ahead not in order:
                _reach(ahead, order, low, pending, waiting)
                work.append((ahead, iter(near(ahead))))
            elif ahead in waiting:
                low[node] = min(low[node], order[ahead])


def _reach(
    node: int, order: dict[int, int], low: dict[int, int], pending: list[int], waiting: set[int]
) -> None:
    order[node] = low[node] = len(order)
    pending.append(node)
    waiting.add(node)


def _untied(node: int, pending: list[int], waiting: set[int]) -> set[int]:
    """What was reached since a node and is not part of a knot yet."""
    knot = set()
    while node not in knot:
        knot.add(pending.pop())
    waiting -= knot
    return knot
