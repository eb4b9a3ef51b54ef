"""Validating records again: only what can have changed since the last time is looked at.

The last time is a file of verdicts (verdicts.py). Which records changed is told by their revisions;
the statements that came or went are questions with a new answer, and verdicts that depend on one of
these are made anew, over statements that are looked up one by one. Everything is made anew where
too many are, where class axioms came or went, and where shapes, background or this program are
others. Shapes that queries have a part in are always evaluated, over everything.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Final, Protocol

from bilbaokg import assets
from bilbaokg.shacl.context import Facts
from bilbaokg.shacl.explaining import Explainer, Explanation
from bilbaokg.shacl.finding import Finding
from bilbaokg.shacl.graph import SUBCLASS, TYPE, Layers, Statements
from bilbaokg.shacl.judging import Verdict, judge, judge_all, read_told
from bilbaokg.shacl.loading import IN_MEMORY, hold
from bilbaokg.shacl.prepared import Prepared
from bilbaokg.shacl.verdicts import Draft, Kept
from bilbaokg.shacl.watching import Watched, questions
from bilbaokg.terms import Statement, split_line, split_lines
from bilbaokg.workers import Pool

__all__ = ["Revalidated", "Revalidation", "Versions", "Work"]

# So many focus nodes, and one in so many, are looked at one by one rather than all at once.
_FEW: Final = 200
_SHARE: Final = 20

Work = Callable[[int | None, int], None]
"""Told how many focus nodes are looked at (None for all), and how many verdicts stand."""


class Versions(Protocol):
    """Records that are validated: each an exact text with a revision that names it."""

    def revisions(self) -> Mapping[str, str]:
        """The revision of each record by its id, in the order of the ids."""
        ...

    def text(self, id: str) -> str:
        """The N-Triples text of a record."""
        ...

    def statements(self) -> Statements:
        """All their statements, to look some of them up."""
        ...


@dataclass(frozen=True, slots=True)
class Revalidated:
    """What is found now. heads: how many statements say that something is of a wanted class."""

    found: list[tuple[Finding, Facts, Explanation]]
    focus_nodes: int
    heads: int


@dataclass(slots=True)
class _Changes:
    """What is new since the last time. records: (revision, text) by id."""

    gone: set[str]
    records: dict[str, tuple[str, str]] = field(default_factory=dict)
    come: set[Statement] = field(default_factory=set)
    went: set[Statement] = field(default_factory=set)
    heads: int = 0

    @property
    def statements(self) -> Iterator[Statement]:
        return chain(self.come, self.went)


@dataclass(frozen=True, slots=True)
class Revalidation:
    """A way to validate records with shapes that end (see Prepared.ends).

    file: where verdicts are kept. heads: the classes of which data should have an instance.
    in_memory: bytes of N-Triples that may be held.
    """

    prepared: Prepared
    language: str
    file: Path
    heads: frozenset[str]
    on_work: Work = lambda _looked_at, _standing: None
    in_memory: int = IN_MEMORY

    def run(self, versions: Versions, pool: Pool, folder: Path) -> Revalidated:
        """Validate. folder: an empty one, for what is too much for memory.

        Raises Invalid for shapes that cannot be used, and what workers raise.
        """
        revisions = versions.revisions()
        kept = Kept.read(self.file, self._made_with)
        again = self._again(versions, revisions, kept) if kept else None
        asking = self.prepared.part(asking=True).program.targets
        if again and not asking:
            return self._explained(*again)
        with nullcontext() if again else Draft(self.file, self._made_with) as draft:
            return self._explained(*self._all(versions, revisions, again, draft, pool, folder))

    @property
    def _made_with(self) -> str:
        made = "\n".join([_program(), self.prepared.digest, self.language, *sorted(self.heads)])
        return hashlib.sha256(made.encode()).hexdigest()

    # ---- what changed

    def _again(
        self, versions: Versions, revisions: Mapping[str, str], kept: Kept
    ) -> tuple[list[Verdict], int] | None:
        """All verdicts after a look at what changed; None where everything has to be looked at."""
        changes = self._changes(versions, revisions, kept)
        if changes is None or any(s.predicate == SUBCLASS for s in changes.statements):
            return None
        nodes = self._affected(kept.verdicts, changes)
        if len(nodes) > _FEW + len(kept.verdicts) // _SHARE:
            return None
        standing = [verdict for verdict in kept.verdicts if verdict.focus not in nodes]
        made: list[Verdict] = []
        self.on_work(len(nodes), len({verdict.focus for verdict in standing}))
        if nodes:
            data = Watched(versions.statements(), self.prepared.background)
            prepared = self.prepared.part(asking=False)
            made += judge(data, prepared, self.language, sorted(nodes))
        heads = kept.heads + changes.heads
        if changes.gone or changes.records:
            kept.update(heads, changes.gone, changes.records, nodes, made)
        return [*standing, *made], heads

    def _changes(
        self, versions: Versions, revisions: Mapping[str, str], kept: Kept
    ) -> _Changes | None:
        """What came and went; None where it cannot be told."""
        new = [id for id, revision in revisions.items() if kept.revisions.get(id) != revision]
        changes = _Changes(kept.revisions.keys() - revisions.keys())
        before = kept.texts([*changes.gone, *new])
        if before is None:
            return None
        for id in (*changes.gone, *new):
            text = "" if id in changes.gone else versions.text(id)
            if id not in changes.gone:
                changes.records[id] = revisions[id], text
            old, now = set(split_lines(before.get(id, ""))), set(split_lines(text))
            changes.come.update(map(split_line, now - old))
            changes.went.update(map(split_line, old - now))
            changes.heads += self._count_heads(text) - self._count_heads(before.get(id, ""))
        return changes

    def _affected(self, verdicts: Iterable[Verdict], changes: _Changes) -> set[str]:
        """The nodes whose verdict may be another now; also those that may be focus nodes now."""
        targets = self.prepared.shapes.targets()
        by_object = {term for _, kind, term in targets if kind == "targetObjectsOf"}
        nodes: set[str] = set()
        asked: set[int] = set()
        for statement in changes.statements:
            nodes.add(statement.subject)
            asked.update(questions(statement))
            if statement.predicate in by_object:
                nodes.add(statement.object)
        if asked:
            nodes.update(v.focus for v in verdicts if not asked.isdisjoint(array("I", v.asked)))
        return nodes

    def _count_heads(self, text: str) -> int:
        return sum(text.count(f" {TYPE} {head} .\n") for head in self.heads)

    # ---- all of it

    def _all(
        self,
        versions: Versions,
        revisions: Mapping[str, str],
        again: tuple[list[Verdict], int] | None,
        draft: Draft | None,
        pool: Pool,
        folder: Path,
    ) -> tuple[list[Verdict], int]:
        """All verdicts, with those of shapes that ask queries; again: what stands of the others."""
        heads = 0

        def lines() -> Iterator[str]:
            nonlocal heads
            for id, revision in revisions.items():
                text = versions.text(id)
                if draft:
                    draft.record(id, revision, text)
                heads += self._count_heads(text)
                yield from split_lines(text)

        with hold(lines(), folder, self.prepared, in_memory=self.in_memory) as loaded:
            if again:
                verdicts = again[0]
            else:
                judged = judge_all(loaded, self.prepared, self.language, pool, asking=False)
                verdicts = list(judged)
                self.on_work(None, 0)
            if draft:
                draft.finish(heads, verdicts)
            if self.prepared.part(asking=True).program.targets:
                asking = judge_all(loaded, self.prepared, self.language, pool, asking=True)
                verdicts = [*verdicts, *asking]
        return verdicts, heads

    def _explained(self, verdicts: list[Verdict], heads: int) -> Revalidated:
        explainer = Explainer(self.prepared, Layers(self.prepared.background), self.language)
        same: dict[str, str] = {}
        found = [
            (finding, facts, explainer.explain(finding, said))
            for verdict in verdicts
            for finding, facts, said in read_told(verdict.told, same)
        ]
        return Revalidated(found, len({verdict.focus for verdict in verdicts}), heads)


@cache
def _program() -> str:
    """The SHA-256 of this program and its texts: others may find and say something else."""
    whole = hashlib.sha256()
    files = chain(
        Path(__file__).parents[1].rglob("*.py"), (assets.folder("web") / "locale").glob("*.toml")
    )
    for file in sorted(files):
        whole.update(file.name.encode() + file.read_bytes())
    return whole.hexdigest()
