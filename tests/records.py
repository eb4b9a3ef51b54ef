"""A base record that meets all shapes of a profile, and one mutation of it for each shape.

A folder holds `base.ttl` and `mutations.txt`, whose head explains its lines. A mutation is made on
a copy of one node, under an IRI of its own, so that one validation answers for all shapes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Final

from official import statements

from bilbaokg.model import Profile
from bilbaokg.shacl import check
from bilbaokg.shacl.graph import Graph
from bilbaokg.shacl.prepared import prepare
from bilbaokg.terms import SH, plain, ref

__all__ = ["Records", "own_shapes", "short"]

_SHAPES: Final = "urn:bilbaokg:shapes:"


def own_shapes(shapes: Graph) -> list[str]:
    """The shapes with a severity: those that make results."""
    severity = ref(SH.severity)
    return sorted(plain(s) for s, said in shapes.by_subject.items() if severity in said)


def short(shape: str | None) -> str:
    """The name of a bundled shape without its profile."""
    return (shape or "").removeprefix(_SHAPES).rpartition("#")[2]


class Records:
    """The base record and mutations of a folder, for a profile.

    followed: properties by which shapes look back; who refers to the node so refers to a copy.
    of: only shapes whose IRIs begin so count, where the profile extends one that has records.
    """

    def __init__(
        self, folder: Path, profile: Profile, followed: Iterable[str], *, of: str = _SHAPES
    ) -> None:
        base = (folder / "base.ttl").read_text(encoding="utf-8")
        self.profile = profile
        self.shapes = prepare(profile).shapes
        self.own = [s for s in own_shapes(self.shapes.graph) if s.startswith(of)]
        self.prefixes = "".join(re.findall(r"^@prefix.*\n", base, re.MULTILINE))
        self.base = statements(base)
        self.followed = {ref(iri) for iri in followed}
        text = (folder / "mutations.txt").read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        self.mutations = [line.partition(": ")[::2] for line in lines]

    def term(self, name: str) -> str:
        """The full IRI of a prefixed name."""
        return statements(f"{self.prefixes}<urn:s> {name} <urn:o> .")[0][1]

    def mutated(self, number: int) -> tuple[str, list[str]]:
        """A copy of the node that a mutation is about: its IRI and the statements."""
        kind, subject, rest = self.mutations[number][1].split(" ", 2)
        node = self.term(subject)
        added, lost = self._changes(kind, subject, rest)
        gone = lost | ({s[1] for s in added if s[0] == node} if kind == "=" else set())
        kept = [s for s in self.base if s[0] == node and s[1] not in gone]
        inverse = self.followed - {p.removeprefix("^") for p in lost if p.startswith("^")}
        kept += [s for s in self.base if s[2] == node and s[1] in inverse]
        copy = f"{node[:-1]}-{number}>"
        if kind == "*":
            copy = re.sub("^<[a-z]+:", f"<{rest}:", copy)
        lines = [" ".join((*s, ".")) for s in (*kept, *added)]
        return copy[1:-1], [re.sub(re.escape(node), copy, line) for line in lines]

    def _changes(
        self, kind: str, subject: str, rest: str
    ) -> tuple[list[tuple[str, str, str]], set[str]]:
        """Statements that come, and properties that go (with ^, those that lead to the node)."""
        if kind == "*":
            return [], set()
        if kind == "-":
            names = [(n.startswith("^"), n.removeprefix("^")) for n in rest.split(", ")]
            return [], {f"{'^' * back}{self.term(name)}" for back, name in names}
        if rest.startswith("^"):
            predicate, object_ = rest[1:].split(" ")
            return statements(f"{self.prefixes}{object_} {predicate} {subject} ."), set()
        return statements(f"{self.prefixes}{subject} {rest} ."), set()

    def lines(self) -> list[str]:
        """The statements of the base and all mutations."""
        lines = [" ".join((*s, ".")) for s in self.base]
        for number in range(len(self.mutations)):
            lines += self.mutated(number)[1]
        return list(dict.fromkeys(lines))

    @cached_property
    def failures(self) -> dict[str, set[str]]:
        """The shapes that each node fails, of the base and all mutations at once; no others."""
        found: dict[str, set[str]] = defaultdict(set)
        own = set(self.own)
        for result in check(self.lines(), self.profile).results:
            if result.shape in own:
                found[result.focus or ""].add(short(result.shape))
        return dict(found)

    def failing_base(self) -> dict[str, set[str]]:
        """What the base fails, by node: nothing, if it is as it should be."""
        copies = {self.mutated(number)[0] for number in range(len(self.mutations))}
        return {focus: shapes for focus, shapes in self.failures.items() if focus not in copies}

    def unmutated(self) -> set[str]:
        """Shapes that stand first in no line or in several, and first names that are no shape."""
        named = sorted(names.split(", ")[0] for names, _ in self.mutations)
        return set(named) ^ {short(s) for s in self.own} | {
            name for name in named if named.count(name) > 1
        }
