"""What points to a resource: the statements whose object it is, a page of them at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import quote, urlencode

from bilbaokg.index import Text, Where
from bilbaokg.server.paging import pager
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import Group, Incoming, Value
from bilbaokg.skolem import GENID
from bilbaokg.terms import mint, plain, ref

__all__ = ["PARAMETER", "incoming"]

PARAMETER: Final = "incoming"
_SIZE: Final = 200
_MOST: Final = 10_000


def incoming(
    reader: Reader, iri: str, listed: bool, number: int = 1, without: Collection[str] = ()
) -> Incoming:
    """Page `number` of what points to a resource, by property; nameless parts of a record count
    once.

    Where the datasets that use it are `listed`, they are not told again, nor are the properties
    (IRIs) of `without`.
    """
    rows = _rows(reader, iri)
    places = reader.opened.index.resources(subject for _, subject in rows[:_MOST])
    found: dict[tuple[str, str], str] = {}
    rests = mint(reader.opened.base, "rest", "")
    for predicate, subject in rows[:_MOST]:
        if subject.startswith(rests):  # the words about a thing elsewhere, shown as its name
            continue
        place = places.get(subject)
        record = place.record if place else subject
        if predicate in without or (listed and record.startswith("dataset/")):
            continue
        nameless = GENID in subject or _is_fragment(subject, place)
        if GENID in subject and record.startswith("shared/"):
            # What several records share stands for those that point to it.
            subject = record = next(_holders(reader, subject), subject)
        found.setdefault((predicate, record if nameless else subject), subject)
    place_in = pager(number, _SIZE, len(found), lambda page: _address(reader, iri, page))
    shown = list(found.items())[max(0, place_in.first - 1) : place_in.last]
    reader.load(term for (p, _), subject in shown for term in (p, subject))
    groups: dict[str, list[Value]] = {}
    for (predicate, _), subject in shown:
        groups.setdefault(predicate, []).append(_value(reader, subject))
    return Incoming(
        groups=[
            Group(reader.iri(p), sorted(held, key=lambda v: v.text.text.casefold()))
            for p, held in groups.items()
        ],
        pager=place_in,
        cut=_MOST if len(rows) > _MOST else 0,
    )


def _rows(reader: Reader, iri: str) -> list[tuple[str, str]]:
    """What points to it, one more than are looked at: properties and subjects, each once."""
    found: dict[tuple[str, str], None] = {}
    for subject, predicate, *_ in reader.opened.store.match(object=ref(iri)):
        found[plain(predicate), plain(subject)] = None
        if len(found) > _MOST:
            break
    return sorted(found)


def _holders(reader: Reader, node: str) -> Iterator[str]:
    for subject, *_ in reader.opened.store.match(object=ref(node)):
        if GENID not in subject:
            yield plain(subject)


def _is_fragment(subject: str, place: Where | None) -> bool:
    """Whether a subject only says how a thing of the release is made or called."""
    return "#" in subject and place is not None and place.page == place.record and not place.whole


def _address(reader: Reader, iri: str, page: int) -> str:
    place = reader.place(iri)
    asked = {PARAMETER: page} if place else {"iri": iri, PARAMETER: page}
    path = quote(place.page) if place else "iri"
    return reader.site.url(f"/{path}?{urlencode(asked)}#{PARAMETER}")


def _value(reader: Reader, subject: str) -> Value:
    """A subject by its name; a part with its record, for columns and files often have one name."""
    value, place = reader.iri(subject), reader.place(subject)
    if place is None or place.whole or GENID in subject:
        return value
    whole = reader.name(reader.opened.index.iri(place.record)).text
    if whole == value.text.text:
        return value
    return replace(value, text=Text(f"{value.text.text} · {whole}", value.text.lang))
