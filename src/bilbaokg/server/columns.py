"""The columns of a table, in their order: what they are, of what type, and where they come from."""

from __future__ import annotations

from bilbaokg.index import Where
from bilbaokg.lineage.describing import position
from bilbaokg.lineage.walking import columns_of
from bilbaokg.server.around import Around
from bilbaokg.server.described import SUMMARIES, Described, Writer
from bilbaokg.server.views import Column
from bilbaokg.terms import CSVW, PROV, SCHEMA, plain, ref

__all__ = ["columns"]


def columns(table: Where, writer: Writer) -> list[Column]:
    """The columns of a table, by position, then by IRI; writer: of its record, in which they may
    stand, as they may in records of their own."""
    reader = writer.reader
    iris = columns_of(reader.opened.store, table.iri)
    reader.load(iris)
    homes = {iri: place.record for iri in iris if (place := reader.place(iri))}
    texts = reader.opened.index.texts(set(homes.values()) - {table.record})
    writers = {id: Writer(Described(text), reader) for id, (_, text) in texts.items()}
    held = {iri: writers.get(home, writer) for iri, home in homes.items()}
    ordered = sorted(held, key=lambda iri: (_place(held[iri].record, iri), iri))
    sources = {iri: _sources(held[iri].record, iri) for iri in ordered}
    reader.load(source for found in sources.values() for source in found)
    around = Around(reader)
    return [_column(held[iri], around, iri, sources[iri]) for iri in ordered]


def _place(record: Described, iri: str) -> float:
    return position(record.first(ref(iri), SCHEMA.position) or "")


def _sources(record: Described, iri: str) -> list[str]:
    return list(map(plain, record.all(ref(iri), PROV.wasDerivedFrom)))


def _column(writer: Writer, around: Around, iri: str, sources: list[str]) -> Column:
    record, reader, term = writer.record, writer.reader, ref(iri)
    column, name = reader.iri(iri), record.first(term, CSVW.name) or ""
    return Column(
        column=column,
        name=name if name != column.text.text else "",
        summary=writer.text(term, SUMMARIES),
        native=record.first(term, SCHEMA.additionalType) or "",
        datatype=writer.one(term, CSVW.datatype),
        sources=list(map(around.value, sources)),
    )
