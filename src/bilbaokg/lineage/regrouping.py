"""What follows where names prove to be of another table than before: all that points there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bilbaokg.lineage.batch import Batch
from bilbaokg.lineage.following import SOURCE, source_of
from bilbaokg.lineage.names import table_id, table_iri
from bilbaokg.lineage.tables import Tables
from bilbaokg.merging import Head
from bilbaokg.records import Records
from bilbaokg.terms import ref

__all__ = ["regroup"]

_COLUMNS: Final = "columns/"


def regroup(batch: Batch, tables: Tables, records: Records) -> None:
    """Note in a batch what is to be said anew, as names of `batch.before` have another table now.

    The old record leads to the new one where nothing is kept under it any more; one that nothing
    was kept under comes back. Callers hold the write lock.
    """
    tables.forget()
    moved = set()
    for name, old in batch.before.items():
        main = tables.aliases.main(name)
        batch.again.add(main)
        if main != old:
            moved.add(old)
            batch.moved.add((table_id(tables.base, old), tables.id(name)))
    for old in sorted(moved):
        id, main = table_id(tables.base, old), tables.aliases.main(old)
        batch.again.add(main)
        if main != old:
            batch.replaced[id] = tables.iri(old)
        _regard_referrers(table_iri(tables.base, old), batch, records)
    for main in sorted(batch.again):
        id = tables.id(main)
        batch.names[main] = None
        head = records.head(id)
        told = [key for key in tables.told(main).registers if key.startswith(_COLUMNS)]
        jobs = {key.removeprefix(_COLUMNS) for key in told}
        batch.outputs.update(dict.fromkeys((id, job) for job in sorted(jobs | _speakers(head))))
        batch.back.add(id)


def _regard_referrers(iri: str, batch: Batch, records: Records) -> None:
    """Let the records of pipelines that point to a table be said anew."""
    for id in _referrers(iri, records):
        kind = id.partition("/")[0]
        if kind == "run":
            batch.runs[id] = True
        elif kind == "job":
            batch.jobs[id] = True
        elif kind == "table":
            jobs = _speakers(records.head(id))
            batch.outputs.update(dict.fromkeys((id, job) for job in sorted(jobs)))


def _referrers(iri: str, records: Records) -> list[str]:
    prefix = records.graph("")
    found = {graph for *_, graph in records.store.match(object=ref(iri))}
    return sorted(graph[len(prefix) :] for graph in found if graph.startswith(prefix))


def _speakers(head: Head | None) -> set[str]:
    """The jobs (ids, "" for none) that say what a table is made of."""
    return set(_jobs(head)) if head else set()


def _jobs(head: Head) -> Iterator[str]:
    for source in head.said:
        if source == source_of(""):
            yield ""
        elif source.startswith(f"{SOURCE} job/"):
            yield source.removeprefix(f"{SOURCE} ")
