"""The columns of a table, in their order: what they are, of what type, and where they come from."""

from __future__ import annotations

from typing import Final

from bilbaokg.lineage.describing import position
from bilbaokg.server.around import Around
from bilbaokg.server.described import SUMMARIES, Described, Writer
from bilbaokg.server.views import Column
from bilbaokg.terms import CSVW, DCT, PROV, RDF, SCHEMA, plain, ref

__all__ = ["columns"]

_TYPE: Final = ref(RDF.type)
_COLUMN: Final = ref(CSVW.Column)
_PART_OF: Final = ref(DCT.isPartOf)


def columns(table: str, writer: Writer) -> list[Column]:
    """The columns that the record of a table (an IRI) describes, by position, then by IRI."""
    record, reader = writer.record, writer.reader
    parts = [
        term
        for term, held in record.subjects.items()
        if _COLUMN in held.get(_TYPE, ()) and ref(table) in held.get(_PART_OF, ())
    ]
    if not parts:
        return []
    sources = {part: [plain(o) for o in record.all(part, PROV.wasDerivedFrom)] for part in parts}
    reader.load({plain(part) for part in parts} | {o for held in sources.values() for o in held})
    ordered = sorted(parts, key=lambda part: (_place(record, part), part))
    around = Around(reader)
    return [_column(writer, around, part, sources[part]) for part in ordered]


def _column(writer: Writer, around: Around, part: str, sources: list[str]) -> Column:
    record = writer.record
    column, name = writer.reader.iri(plain(part)), record.first(part, CSVW.name) or ""
    return Column(
        column=column,
        name=name if name != column.text.text else "",
        summary=writer.text(part, SUMMARIES),
        native=record.first(part, SCHEMA.additionalType) or "",
        datatype=writer.one(part, CSVW.datatype),
        sources=list(map(around.value, sources)),
    )


def _place(record: Described, part: str) -> float:
    return position(record.first(part, SCHEMA.position) or "")
