"""Two sets of shapes for one profile, ours and the official one: where they differ, and why.

The reasons stand in a `differences.toml` beside our shapes, whose head explains its fields.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from records import short

from bilbaokg.model import Problem
from bilbaokg.shacl.graph import FIRST, REST, Graph
from bilbaokg.terms import SH, ref

__all__ = ["Differences", "Found", "Key", "results"]

Key = tuple[str, str, str]
"""Severity, focus and path of a result."""

Found = dict[Key, set[tuple[str, str]]]
"""What is reported, with the values and the shapes that say so."""

_SAME: Final = ("side", "severity")
_PATTERNS: Final = {"values": "value", "focus": "focus", "shapes": "shape"}
_OR, _PATH, _INVERSE = (ref(SH[name]) for name in ("or", "path", "inversePath"))


def results(reported: Iterable[Problem], shapes: Graph | None = None) -> Found:
    """What is reported.

    Results about the node itself have no path; with the shapes, a rule that holds of some nodes
    only (sh:or of a condition and one property) has the path of that property.
    """
    found: Found = defaultdict(set)
    for r in reported:
        path = "" if r.component == "OrConstraintComponent" and r.value == r.focus else r.path or ""
        if not path and shapes is not None and r.shape:
            path = _path_of_rule(shapes, ref(r.shape))
        key = r.severity, r.focus or "", path.replace("<", "").replace(">", "")
        found[key].add((r.value or "", short(r.shape)))
    return dict(found)


def _path_of_rule(shapes: Graph, shape: str) -> str:
    members = [m for head in shapes.objects(shape, _OR) for m in _members(shapes, head)]
    paths = [path for m in members for path in shapes.objects(m, _PATH)]
    if len(paths) != 1 or len(members) < 2:
        return ""
    inverse = shapes.one(paths[0], _INVERSE)
    return f"^{inverse}" if inverse else paths[0] if paths[0].startswith("<") else ""


def _members(shapes: Graph, head: str) -> Iterator[str]:
    while first := shapes.one(head, FIRST):
        yield first
        head = shapes.one(head, REST) or ""


class Differences:
    """The listed differences of a profile, and which of them occurred."""

    def __init__(self, file: Path) -> None:
        self.entries: list[dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))[
            "difference"
        ]
        self.used: set[int] = set()

    def between(self, lines: Iterable[str], ours: Found, theirs: Found) -> list[dict[str, str]]:
        """What one side alone reports and no entry explains."""
        graph = Graph(lines)
        sides = {"ours": ours, "official": theirs}
        found = []
        for side, other in (("official", "ours"), ("ours", "official")):
            for key in sorted(set(sides[side]) - set(sides[other])):
                for value, shape in sorted(sides[side][key]):
                    one = dict(
                        zip(("side", "severity", "focus", "path"), (side, *key), strict=True)
                    )
                    one |= {"value": value, "shape": shape}
                    if not self._explained(one, graph, sides[other]):
                        found.append(one)
        return found

    def unused(self, *, whole: bool) -> list[dict[str, Any]]:
        """Entries that did not occur; those marked with `only` count where whole."""
        return [
            entry
            for number, entry in enumerate(self.entries)
            if number not in self.used and (whole or "only" not in entry)
        ]

    def _explained(self, one: dict[str, str], graph: Graph, other: Found) -> bool:
        numbers = [n for n, e in enumerate(self.entries) if _covers(e, one, graph, other)]
        self.used.update(numbers[:1])
        return bool(numbers)


def _covers(entry: dict[str, Any], one: dict[str, str], graph: Graph, other: Found) -> bool:
    if any(entry[k] != one[k] for k in _SAME):
        return False
    paths = entry["path"] if isinstance(entry["path"], list) else [entry["path"]]
    if one["path"] not in paths:
        return False
    if any(not re.search(entry.get(k, ""), one[v]) for k, v in _PATTERNS.items()):
        return False
    said = entry.get("said")
    return said is None or _PLACES[said](one, graph, other)


def _at_value(one: dict[str, str], graph: Graph, other: Found) -> bool:
    return any(key[:2] == (one["severity"], one["value"]) for key in other)


def _at_referrer(one: dict[str, str], graph: Graph, other: Found) -> bool:
    focus = one["focus"] if one["focus"].startswith("_:") else ref(one["focus"])
    referrers = {s.strip("<>") for s, _ in graph.referrers([focus]).get(focus, ())}
    return any(key[0] == one["severity"] and key[1] in referrers for key in other)


def _at_focus(one: dict[str, str], graph: Graph, other: Found) -> bool:
    return any(key[:2] == (one["severity"], one["focus"]) for key in other)


def _milder(one: dict[str, str], graph: Graph, other: Found) -> bool:
    return any(key[1:] == (one["focus"], one["path"]) for key in other)


_PLACES: Final[dict[str, Callable[[dict[str, str], Graph, Found], bool]]] = {
    "at value": _at_value,
    "at referrer": _at_referrer,
    "at focus": _at_focus,
    "otherwise": _milder,
}
"""Where the other side says the same: at the value, at who refers to the focus, about the focus
with another path, or with another severity."""
