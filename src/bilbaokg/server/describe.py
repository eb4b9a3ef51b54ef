"""Pages of resources that have none of their own kind, and of what is only named or gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bilbaokg import queries, render
from bilbaokg.index import Text, Where
from bilbaokg.server import lists
from bilbaokg.server.described import (
    SUMMARIES,
    TITLES,
    Described,
    Writer,
    formats,
    open_in_sparql,
)
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import (
    Group,
    MentionPage,
    ResourcePage,
    TombstonePage,
    Value,
)
from bilbaokg.skolem import GENID
from bilbaokg.terms import (
    AS,
    DCT,
    plain,
    ref,
)

__all__ = ["incoming", "mention", "resource", "tombstone"]

_INCOMING: Final = 200


def incoming(reader: Reader, iri: str, listed: bool) -> tuple[list[Group], int]:
    """What points to a resource, by property; a record's several parts count once.

    With it how many statements were looked at where there are more, else 0. Where the datasets that
    use it are `listed`, they are not told again.
    """
    query, limit = queries.load("pages/incoming"), str(_INCOMING + 1)
    all_rows = reader.opened.select(query, resource=iri, limit=limit)
    rows = all_rows[:_INCOMING]
    reader.load(plain(term) for row in rows for term in row.values())
    found: dict[str, dict[tuple[Text, str], Value]] = {}
    for row in rows:
        subject = plain(row["subject"])
        place = reader.place(subject)
        record = place.record if place else subject
        if listed and record.startswith("dataset/"):
            continue
        value = reader.value(row["subject"])
        if place and not place.whole and GENID not in subject:
            # Columns and files often have the same name: their record tells them apart.
            whole = reader.name(reader.opened.index.iri(place.record)).text
            value = replace(value, text=Text(f"{value.text.text} · {whole}", value.text.lang))
        found.setdefault(row["predicate"], {}).setdefault((value.text, record), value)
    groups = [
        Group(reader.iri(plain(p)), sorted(held.values(), key=lambda v: v.text.text.casefold()))
        for p, held in found.items()
    ]
    return groups, _INCOMING if len(all_rows) > len(rows) else 0


def resource(place: Where, reader: Reader) -> ResourcePage:
    """The page of any resource that has none of its own kind."""
    record = Described(reader.opened.index.text(place.record))
    writer = Writer(record, reader)
    term = ref(place.iri)
    held = record.of(term)
    title = next((p for p in TITLES if p in held), "")
    summary = next((p for p in SUMMARIES if p in held), "")
    whole = reader.opened.index.iri(place.record)
    listed = lists.where_used(reader, place.iri)
    pointing, cut = incoming(reader, place.iri, bool(listed))
    return ResourcePage(
        id=place.record,
        iri=place.iri,
        kind=place.page.partition("/")[0],
        title=reader.name(place.iri),
        summary=writer.text(term, SUMMARIES),
        record=None if place.whole else reader.iri(whole),
        groups=writer.groups(term, skip=(title, summary)),
        listed=listed,
        incoming=pointing,
        cut=cut,
        formats=formats(reader, place.record),
        sparql=open_in_sparql(reader, place.iri),
        nodes=writer.nodes(term),
    )


def mention(iri: str, reader: Reader) -> MentionPage | None:
    """The page of what the release names and does not describe; None where it does not name it."""
    listed = lists.where_used(reader, iri)
    pointing, cut = incoming(reader, iri, bool(listed))
    if not listed and not pointing:
        return None
    return MentionPage(
        iri=iri,
        title=reader.name(iri),
        href=render.safe_href(iri),
        listed=listed,
        incoming=pointing,
        cut=cut,
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
