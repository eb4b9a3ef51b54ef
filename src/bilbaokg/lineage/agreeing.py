"""The levels of lineage agree: what tables come from, their datasets come from.

Whoever says that a table is part of a dataset (dct:isPartOf) says with it that the dataset comes
from those of the tables that it is made of. That is written in the same step, in the words of the
source `lineage of datasets`: it goes when the tables no longer say it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bilbaokg.merging import Change, Plan
from bilbaokg.records import Records
from bilbaokg.terms import DCT, PROV, ref, split_line, split_lines

__all__ = ["agree"]

_SOURCE: Final = "lineage of datasets"
_PART_OF: Final = ref(DCT.isPartOf)
_DERIVED: Final = ref(PROV.wasDerivedFrom)


def agree(records: Records, plan: Plan) -> None:
    """Add to a plan what changes for the datasets whose tables it changes.

    Tables that no pipeline told of are left as people describe them. The caller holds the write
    lock.
    """
    view = _View(records, plan)
    affected = {dataset for table in view.texts for dataset in view.affected(table)}
    planned = {change.head.id for change in plan.changes}
    said = {}
    for dataset in sorted(affected):
        home = records.home(dataset)
        if home is None or home.iri != dataset[1:-1] or not home.id.startswith("dataset/"):
            continue
        if home.id not in planned:
            lines = [f"{dataset} {_DERIVED} {source} ." for source in view.sources(dataset)]
            said[home.id] = (home.iri, {_SOURCE: lines})
    plan.changes += records.plan_known(said, {}).changes


class _View:
    """The tables as they will be: those of the plan, and the others as they are. All are terms."""

    def __init__(self, records: Records, plan: Plan) -> None:
        self.records = records
        tables = [c for c in plan.changes if c.head.id.startswith("table/") and _is_told(c)]
        self.texts = {ref(change.head.iri): change.text for change in tables}
        self.before = {ref(change.head.iri): change.head.text for change in tables}

    def affected(self, table: str) -> set[str]:
        """The datasets for which it matters that a table changes."""
        old, new = (
            _objects(text, table, _PART_OF) for text in (self.before[table], self.texts[table])
        )
        if old == new:
            same = _DERIVED in self.texts[table] or _DERIVED in self.before[table]
            return new if same else set()
        below = self._subjects(_DERIVED, table)
        return {*old, *new, *(each for made in below for each in self._of(made, _PART_OF))}

    def sources(self, dataset: str) -> list[str]:
        """The other datasets whose tables those of a dataset are made of."""
        made_of = {
            s for table in self._subjects(_PART_OF, dataset) for s in self._of(table, _DERIVED)
        }
        found = {each for source in made_of for each in self._of(source, _PART_OF)}
        return sorted(found - {dataset})

    def _of(self, table: str, predicate: str) -> set[str]:
        if table in self.texts:
            return _objects(self.texts[table], table, predicate)
        return {o for _, _, o, _ in self._match(table, predicate, None)}

    def _subjects(self, predicate: str, object_: str) -> set[str]:
        there = {s for s, *_ in self._match(None, predicate, object_)} - self.texts.keys()
        here = {t for t, text in self.texts.items() if object_ in _objects(text, t, predicate)}
        return there | here

    def _match(
        self, subject: str | None, predicate: str, object_: str | None
    ) -> Iterator[tuple[str, str, str, str]]:
        prefix = self.records.graph("")
        found = self.records.store.match(subject, predicate, object_)
        return (quad for quad in found if quad[3].startswith(prefix))


def _is_told(change: Change) -> bool:
    """Whether pipelines told of a table, or do so in this step."""
    sources = {*change.head.said, *(said.source for said in change.said)}
    return any(source.startswith("lineage") for source in sources)


def _objects(text: str, subject: str, predicate: str) -> set[str]:
    start = f"{subject} {predicate} "
    return {split_line(line).object for line in split_lines(text) if line.startswith(start)}
