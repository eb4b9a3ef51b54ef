"""The levels of lineage agree: what tables come from, their datasets come from.

Whoever says that a table is part of a dataset (dct:isPartOf) says with it that the dataset comes
from those of the tables that it is made of. That is written in the same step, in the words of the
source `lineage of datasets`: it goes when the tables no longer say it. It does not matter whether a
dataset, its tables or what pipelines tell of them is known first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from bilbaokg.merging import Change, Head, Plan, Said, bury, is_buried, merged, own_lines, text_of
from bilbaokg.planning import Planner
from bilbaokg.records import Records
from bilbaokg.terms import DCT, PROV, ref, split_line, split_lines

__all__ = ["agree"]

_SOURCE: Final = "lineage of datasets"
_PART_OF: Final = ref(DCT.isPartOf)
_DERIVED: Final = ref(PROV.wasDerivedFrom)


def agree(records: Records, plan: Plan) -> None:
    """Add to a plan what changes for the datasets whose tables it changes, and for those it adds.

    Tables that no pipeline told of are left as people describe them. The caller holds the write
    lock.
    """
    view = _View(records, plan)
    affected = {dataset for table in view.told for dataset in view.affected(table)}
    planned = {ref(c.head.iri): c for c in plan.changes if c.head.id.startswith("dataset/")}
    affected |= {term for term, change in planned.items() if _comes(change) and view.is_told(term)}
    said = {}
    for dataset in sorted(affected):
        lines = [f"{dataset} {_DERIVED} {source} ." for source in view.sources(dataset)]
        if dataset in planned:
            _say_too(plan, planned[dataset], lines)
            continue
        home = records.home(dataset)
        if home and home.iri == dataset[1:-1] and home.id.startswith("dataset/"):
            said[home.id] = (home.iri, {_SOURCE: lines})
    plan.changes += Planner(records).known(said, {}).changes


def _say_too(plan: Plan, change: Change, lines: list[str]) -> None:
    """Let a step that is planned for a dataset say also what it comes from."""
    head, said = change.head, {**change.head.said, **{s.source: s for s in change.said}}
    after = Head(head.id, head.iri, head.number, change.text, said=said)
    if is_buried(after.lines, head.iri) or not (lines or _SOURCE in said):
        return
    text = text_of(bury(after.lines, merged(after, {_SOURCE: lines}), head.iri))
    was, words = change.kind, Said(_SOURCE, text_of(lines))
    change.text = text
    change.said = [each for each in change.said if each.source != _SOURCE]
    if head.said.get(_SOURCE) != words:
        change.said.append(words)
    if was == "unchanged" != change.kind and head.id not in plan.gone:
        plan.unchanged -= 1


def _comes(change: Change) -> bool:
    """Whether a record is new with a step, or comes back."""
    return not change.head.number or is_buried(change.head.lines, change.head.iri)


class _View:
    """Who is part of what and comes from what once a plan is done. All are N-Triples terms."""

    def __init__(self, records: Records, plan: Plan) -> None:
        self.records = records
        # What is said of a table before it has a record of its own stands in a rest.
        changed = [c for c in plan.changes if c.head.id.startswith(("table/", "rest/"))]
        self.graphs = {records.graph(change.head.id) for change in changed}
        self.old = _Links((change.head, change.head.text) for change in changed)
        self.new = _Links((change.head, change.text) for change in changed)
        tables = (c for c in changed if c.head.id.startswith("table/"))
        self.told = {ref(c.head.iri) for c in tables if _is_told(c.head, c.said)}

    def affected(self, table: str) -> set[str]:
        """The datasets for which it matters that a table changes."""
        stays = {o for _, _, o, _ in self._unchanged(table, _PART_OF, None)}
        old, new = (
            stays | links.objects.get((table, _PART_OF), set()) for links in (self.old, self.new)
        )
        if not (old or new):
            return set()
        if old == new:
            derived = (self._objects(table, _DERIVED, links) for links in (self.old, self.new))
            return new if any(derived) else set()
        below = self._subjects(_DERIVED, table)
        return {*old, *new, *(each for made in below for each in self._objects(made, _PART_OF))}

    def is_told(self, dataset: str) -> bool:
        """Whether pipelines told of one of the tables of a dataset."""
        return any(self._is_told(table) for table in self._subjects(_PART_OF, dataset))

    def _is_told(self, table: str) -> bool:
        if table in self.told:
            return True
        home = self.records.home(table)
        head = self.records.head(home.id) if home and home.id.startswith("table/") else None
        return head is not None and _is_told(head)

    def sources(self, dataset: str) -> list[str]:
        """The other datasets whose tables those of a dataset are made of."""
        tables = self._subjects(_PART_OF, dataset)
        made_of = {source for table in tables for source in self._objects(table, _DERIVED)}
        found = {each for source in made_of for each in self._objects(source, _PART_OF)}
        return sorted(found - {dataset})

    def _objects(self, subject: str, predicate: str, links: _Links | None = None) -> set[str]:
        """What a subject leads to; `links`: those of the records that change, as they will be."""
        here = (links or self.new).objects.get((subject, predicate), set())
        return here | {o for _, _, o, _ in self._unchanged(subject, predicate, None)}

    def _subjects(self, predicate: str, object_: str) -> set[str]:
        here = self.new.subjects.get((object_, predicate), set())
        return here | {s for s, *_ in self._unchanged(None, predicate, object_)}

    def _unchanged(
        self, subject: str | None, predicate: str, object_: str | None
    ) -> Iterator[tuple[str, str, str, str]]:
        """What stands in the records that do not change."""
        prefix = self.records.graph("")
        found = self.records.store.match(subject, predicate, object_)
        return (q for q in found if q[3].startswith(prefix) and q[3] not in self.graphs)


class _Links:
    """The statements of texts that matter here, by both ends."""

    def __init__(self, texts: Iterable[tuple[Head, str]]) -> None:
        self.objects: dict[tuple[str, str], set[str]] = {}
        self.subjects: dict[tuple[str, str], set[str]] = {}
        for head, text in texts:
            # Of a table's record its own statements: columns are many, and none of theirs matters.
            is_table = head.id.startswith("table/")
            for line in own_lines(head.iri, text) if is_table else split_lines(text):
                s, p, o = split_line(line)
                if p in (_PART_OF, _DERIVED):
                    self.objects.setdefault((s, p), set()).add(o)
                    self.subjects.setdefault((o, p), set()).add(s)


def _is_told(head: Head, now_said: Iterable[Said] = ()) -> bool:
    """Whether pipelines told of a table, or do so in this step."""
    sources = {*head.said, *(said.source for said in now_said)}
    return any(source.startswith("lineage") for source in sources)
