"""Pages of resources that have none of their own kind, and of what is only named or gone."""

from __future__ import annotations

from bilbaokg import render
from bilbaokg.index import Where
from bilbaokg.server import lists, question_page
from bilbaokg.server.columns import columns
from bilbaokg.server.described import (
    SUMMARIES,
    TITLES,
    Described,
    Writer,
    formats,
    open_in_sparql,
)
from bilbaokg.server.pointing import incoming
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import (
    MentionPage,
    ResourcePage,
    TombstonePage,
)
from bilbaokg.terms import (
    AS,
    DCT,
    ref,
)

__all__ = ["mention", "resource", "tombstone"]


def resource(place: Where, reader: Reader, number: int = 1) -> ResourcePage:
    """The page of any resource that has none of its own kind; `number` is the page of what points
    to it."""
    record = Described(reader.opened.index.text(place.record))
    writer = Writer(record, reader)
    term = ref(place.iri)
    held = record.of(term)
    title = next((p for p in TITLES if p in held), "")
    summary = next((p for p in SUMMARIES if p in held), "")
    whole = reader.opened.index.iri(place.record)
    listed = lists.where_used(reader, place.iri)
    kind = place.page.partition("/")[0]
    held_columns = columns(place, writer) if kind == "table" else []
    # A table and its columns say of each other what the other says, too: told once.
    all_told = set(record.all(term, DCT.hasPart)) <= {ref(c.column.term) for c in held_columns}
    told = {title, summary, *((ref(DCT.hasPart),) if all_told else ())}
    other = {"table": (DCT.isPartOf,), "column": (DCT.hasPart,)}.get(kind, ())
    return ResourcePage(
        id=place.record,
        iri=place.iri,
        kind=kind,
        title=reader.name(place.iri),
        summary=writer.text(term, SUMMARIES),
        record=None if place.whole else reader.iri(whole),
        questions=question_page.about(reader, place.iri, kind),
        columns=held_columns,
        groups=writer.groups(term, skip=told),
        listed=listed,
        incoming=incoming(reader, place.iri, bool(listed), number, without=other),
        formats=formats(reader, place.record),
        sparql=open_in_sparql(reader, place.iri),
        nodes=writer.nodes(term),
    )


def mention(iri: str, reader: Reader, number: int = 1) -> MentionPage | None:
    """The page of what the release names and does not describe; None where it does not name it."""
    listed = lists.where_used(reader, iri)
    pointing = incoming(reader, iri, bool(listed), number)
    if not listed and not pointing.groups:
        return None
    words = reader.words(iri)
    return MentionPage(
        iri=iri,
        title=reader.name(iri),
        href=render.safe_href(iri),
        kind=reader.name(words.kind) if words and words.kind else None,
        mark=reader.mark(iri),
        fetched=words.at if words and words.titles else "",
        listed=listed,
        incoming=pointing,
        sparql=open_in_sparql(reader, iri, pattern="?resource ?property <{}>"),
    )


def tombstone(place: Where, reader: Reader) -> TombstonePage:
    """The page of a deleted record."""
    record = Described(reader.opened.index.text(place.record))
    writer = Writer(record, reader)
    term = ref(place.iri)
    return TombstonePage(
        id=place.record,
        iri=place.iri,
        title=reader.name(place.iri),
        former=writer.one(term, AS.formerType),
        deleted=record.first(term, AS.deleted),
        successor=writer.one(term, DCT.isReplacedBy),
    )
