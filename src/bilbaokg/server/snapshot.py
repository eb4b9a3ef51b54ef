"""A feed with its changes as they were after one switch: what documents about it are made of."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bilbaokg import index
from bilbaokg.changes import Ledger
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
    _listed: dict[tuple[str, str], list[str]] = field(default_factory=dict, init=False, repr=False)

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

    def changed(self, since: str) -> Sequence[str]:
        """The members that changed at or after a switch, but catalogues: these are always told."""
        key = "changed", since
        if key not in self._listed:
            found = self.ledger.members.items()
            terms = (t for t, seen in found if seen.at >= since and seen.kind != CATALOG)
            self._listed[key] = sorted(terms)
        return self._listed[key]

    def gone(self, since: str) -> Sequence[str]:
        """The members that went at or after a switch, the last first."""
        key = "gone", since
        if key not in self._listed:
            lost = self.ledger.gone
            self._listed[key] = _last_first({t: lost[t].at for t in lost if lost[t].at >= since})
        return self._listed[key]

    @cached_property
    def dates(self) -> Mapping[str, str]:
        """When each member changed last, or went; the last first."""
        found = {term: seen.at for term, seen in self.ledger.members.items()}
        found |= {term: lost.at for term, lost in self.ledger.gone.items()}
        return {term: found[term] for term in _last_first(found)}

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


def _last_first(dates: Mapping[str, str]) -> list[str]:
    """Terms by their dates, those of one date in alphabetical order."""
    return sorted(sorted(dates), key=lambda term: dates[term], reverse=True)
