"""A feed with its changes as they were after one switch: what documents about it are made of."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bilbaokg import index
from bilbaokg.changes import Changes, Ledger
from bilbaokg.exports.catalogue import Blanks
from bilbaokg.exports.feed import Feed
from bilbaokg.exports.members import CATALOG, Members, members
from bilbaokg.model import Release
from bilbaokg.server.context import Context
from bilbaokg.terms import AS, DCT, ref, split_line, split_lines

__all__ = ["Removal", "Snapshot"]


@dataclass(frozen=True, slots=True)
class Removal:
    """A member that is gone: from the feed `at`, in the data `deleted` (a literal), if they say.

    `page` is that of its tombstone, `successor` the IRI of what replaces it.
    """

    term: str
    iri: str
    kind: str
    at: str
    deleted: str | None = None
    successor: str | None = None
    page: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """A ledger of a feed with the release that was public then."""

    context: Context
    feed: Feed
    ledger: Ledger
    release: Release

    @classmethod
    def of(cls, context: Context, changes: Changes, feed: Feed, version: str | None) -> Snapshot:
        """What is public now, or was when a version was. Raises as Changes.ledger."""
        ledger = changes.ledger(feed, version)
        return cls(context, feed, ledger, context.releases.get(ledger.release))

    @cached_property
    def known(self) -> Members:
        """The descriptions of the members."""
        return members(self.release, self.feed, self.context.cache)

    @cached_property
    def _blanks(self) -> Blanks:
        return Blanks(self.context.settings.base)

    def iri(self, term: str) -> str:
        """The IRI of a member; of one without a name, that under which we keep it."""
        return self._blanks.skolem(term) if term.startswith("_:") else term[1:-1]

    def id(self, *what: str) -> str:
        """A name for something of this feed, the same each time (RFC 9562, section 5.5)."""
        text = " ".join((self.context.settings.base, self.feed.name, *what))
        return uuid.uuid5(uuid.NAMESPACE_URL, text).urn

    def changed(self, since: str) -> list[str]:
        """The members that changed at or after a switch, but catalogues: these are always told."""
        found = self.ledger.members.items()
        return sorted(t for t, seen in found if seen.at >= since and seen.kind != CATALOG)

    def gone(self, since: str) -> list[str]:
        """The members that went at or after a switch, the last first."""
        lost = self.ledger.gone
        found = sorted(term for term in lost if lost[term].at >= since)
        return sorted(found, key=lambda term: lost[term].at, reverse=True)

    def places(self, terms: Iterable[str]) -> Mapping[str, index.Where]:
        """Where members have their pages, by IRI."""
        return index.of(self.release, self.context.cache).resources(map(self.iri, terms))

    def removals(self, terms: Sequence[str]) -> list[Removal]:
        """What there is to say of members that are gone."""
        places = self.places(terms)
        return [self._removal(term, places.get(self.iri(term))) for term in terms]

    def _removal(self, term: str, place: index.Where | None) -> Removal:
        lost, iri = self.ledger.gone[term], self.iri(term)
        found = index.of(self.release, self.context.cache)
        if place is None or not found.is_gone(place.record):
            return Removal(term, iri, lost.kind, lost.at)
        said: dict[str, str] = {}
        for subject, predicate, object_ in map(split_line, split_lines(found.text(place.record))):
            if subject == ref(iri):
                said.setdefault(predicate, object_)
        successor = said.get(ref(DCT.isReplacedBy), "")
        return Removal(
            term=term,
            iri=iri,
            kind=lost.kind,
            at=lost.at,
            deleted=said.get(ref(AS.deleted)),
            successor=successor[1:-1] if successor.startswith("<") else None,
            page=place.page,
        )
