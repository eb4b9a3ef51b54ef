"""What is gone from a feed, for programs: ActivityStreams 2.0 as RDF and as JSON.

Each removal is an as:Delete of an as:Tombstone. `as:published` is when the feed no longer had it;
`as:deleted` what the catalogue says of the thing itself, where it says that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from bilbaokg.exports.catalogue import TYPE
from bilbaokg.exports.members import CLASSES
from bilbaokg.exports.paging import Paging
from bilbaokg.server.snapshot import Removal, Snapshot
from bilbaokg.terms import AS, DCT, XSD, literal, plain, ref

__all__ = ["as_json", "as_lines"]

_CONTEXT: Final = [
    "https://www.w3.org/ns/activitystreams",
    {"isReplacedBy": {"@id": DCT.isReplacedBy, "@type": "@id"}},
]


def as_lines(snapshot: Snapshot, removals: Iterable[Removal]) -> list[str]:
    """The statements about removals."""
    return [line for removal in removals for line in _lines(snapshot, removal)]


def _lines(snapshot: Snapshot, removal: Removal) -> Iterator[str]:
    event, at = ref(snapshot.id(removal.iri, removal.at)), _moment(removal.at)
    yield f"{event} {TYPE} {ref(AS.Delete)} ."
    yield f"{event} {ref(AS.object)} {removal.term} ."
    yield f"{event} {ref(AS.published)} {at} ."
    yield f"{removal.term} {TYPE} {ref(AS.Tombstone)} ."
    if removal.successor:
        yield f"{removal.term} {ref(DCT.isReplacedBy)} {ref(removal.successor)} ."
    yield f"{removal.term} {ref(AS.deleted)} {removal.deleted or at} ."
    yield f"{removal.term} {ref(AS.formerType)} {ref(CLASSES[removal.kind])} ."


def as_json(snapshot: Snapshot, removals: Sequence[Removal], paging: Paging, page: int) -> bytes:
    """A page of an ordered collection of activities (ActivityStreams 2.0, section 5.2)."""
    links = {"first": 1, "last": paging.pages, "prev": page - 1, "next": page + 1}
    body: dict[str, Any] = {
        "@context": _CONTEXT,
        "id": paging.url(page),
        "type": "OrderedCollectionPage",
        "partOf": paging.address,
        "updated": snapshot.ledger.at,
        "totalItems": paging.total,
        **{name: paging.url(to) for name, to in links.items() if 1 <= to <= paging.pages},
        "orderedItems": [_item(snapshot, removal) for removal in removals],
    }
    return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()


def _item(snapshot: Snapshot, removal: Removal) -> dict[str, Any]:
    tombstone = {
        "id": plain(removal.term),
        "type": "Tombstone",
        "formerType": CLASSES[removal.kind],
        "deleted": plain(removal.deleted) if removal.deleted else removal.at,
    }
    if removal.successor:
        tombstone["isReplacedBy"] = removal.successor
    return {
        "id": snapshot.id(removal.iri, removal.at),
        "type": "Delete",
        "published": removal.at,
        "object": tombstone,
    }


def _moment(at: str) -> str:
    return literal(at, datatype=XSD.dateTime)
