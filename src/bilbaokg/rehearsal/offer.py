"""The feed that a portal would be given were a release made now, and what can be said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from bilbaokg import shacl, wording
from bilbaokg.exports.catalogue import Catalogue
from bilbaokg.exports.feed import CATALOG, DATASET, SERIES, SERVICE, Feed
from bilbaokg.harvesting.comparing import Datasets
from bilbaokg.model import SEVERITIES, Problem, Profile
from bilbaokg.rehearsal.members import Members
from bilbaokg.rehearsal.outcomes import Outcome, of_portal, of_release
from bilbaokg.rehearsal.portals import PORTALS, Broken, Demand, Offered
from bilbaokg.selection import Content
from bilbaokg.settings import Settings
from bilbaokg.terms import DCAT, plain, ref

__all__ = ["Offer"]

_LISTED: Final = {DATASET: DCAT.Dataset, SERIES: DCAT.DatasetSeries, SERVICE: DCAT.DataService}


class Offer:
    """The feed of a target, made in memory of what a release would hold.

    Raises Invalid, as a build does, where something would leave that may not.
    """

    def __init__(self, feed: Feed, content: Content, settings: Settings, language: str) -> None:
        self.feed, self.content, self.settings = feed, content, settings
        self.language = language
        self.portal = PORTALS[feed.name]
        catalogue = Catalogue.of(content.records, settings.base)
        self.walk = feed.walk(catalogue, settings)
        pages = (self.walk.write(page) for page in self.walk.pages())
        self.lines = list(dict.fromkeys(line for lines in pages for line in lines))
        self.members = self._members(self.lines)

    def _members(self, lines: Iterable[str]) -> Members:
        """The members of lines of this target, of which its portals make something."""
        classes = {name: self.feed.kinds[name].classes[0] for name in (CATALOG, *self._listed())}
        kinds = {classes[name]: name for name in self._listed() if name in self.portal.takes}
        return Members(lines, kinds, self.portal.known_by, classes.values(), self.language)

    def _listed(self) -> list[str]:
        """The kinds that the feed lists."""
        return [n for n in _LISTED if n in self.feed.kinds and n not in self.feed.leaves_out]

    # ---- what becomes of the members

    def against_release(self, released: Iterable[str]) -> Outcome:
        """What a portal does that harvested these statements of a release."""
        return of_release(self._members(released), self.members)

    def against_portal(self, shown: Iterable[str], released: Iterable[str]) -> Outcome:
        """What a portal does that shows these statements; `released` tells which of it is ours."""
        theirs, ours, offered = map(Datasets, (shown, released, self.lines))
        return of_portal(theirs, ours, offered, self.settings.base)

    def why_gone(self, visibility: dict[str, str]) -> dict[str, tuple[str, str | None]]:
        """Why records are not offered, by IRI: a word, and what those held back failed.

        visibility: of every record of the store, by IRI. What is not in the result is not there.
        """
        listed = "left-out"
        why: dict[str, tuple[str, str | None]] = {
            iri: ("internal" if seen != "public" else listed, None)
            for iri, seen in visibility.items()
        }
        gone = self.walk.catalogue.is_gone
        why |= {iri: ("deleted", None) for iri in visibility if gone(ref(iri))}
        return why | {held.iri: ("held-back", held.reason) for held in self.content.held_back}

    # ---- the rules

    def broken(self, profile: Profile | None) -> list[Problem]:
        """What the target's profile finds in the feed, and the demands of its portals; the gravest
        first."""
        offered = Offered(self.walk, self.members)
        found = [
            self._problem(demand, broken)
            for demand in self.portal.demands
            for broken in demand.check(offered)
        ]
        if profile:
            found += shacl.check(self.lines, profile, language=self.language).results
        return sorted(found, key=lambda problem: SEVERITIES.index(problem.severity))

    def _problem(self, demand: Demand, broken: Broken) -> Problem:
        about = plain(broken.member) if broken.member else None
        detail = wording.find(f"portal-detail.{demand.name}", self.language)
        words = {"v": plain(broken.value) if broken.value else "", "x": broken.words}
        return Problem(
            demand.severity,
            wording.say(f"portal-message.{demand.name}", self.language),
            focus=about,
            path=plain(broken.property) if broken.property else None,
            component=demand.name,
            value=broken.value,
            hint=wording.say(f"portal-hint.{demand.name}", self.language),
            dataset=about,
            title=self.members.title(broken.member) if broken.member else None,
            detail=detail.format(**words) if detail else None,
        )

    # ---- what is dropped

    def dropped(self) -> dict[str, dict[str, int]]:
        """What the release would hold and the portal not get, the most first.

        statements: by property; nodes: what the feed does not describe, by class; unused: what it
        lists and the portal makes nothing of, by class.
        """
        carried = {term for page in self.walk.pages() for term, _ in page.nodes}
        catalogue = self.walk.catalogue
        nodes: Counter[str] = Counter()
        for term in catalogue.about:
            if term not in carried and not catalogue.is_gone(term):
                nodes.update(map(plain, catalogue.types(term)))
        unused = Counter(
            {
                _LISTED[name]: len(catalogue.roots[ref(_LISTED[name])])
                for name in self._listed()
                if name not in self.portal.takes
            }
        )
        counters = {"statements": self.walk.cut(), "nodes": nodes, "unused": +unused}
        return {name: dict(counter.most_common()) for name, counter in counters.items()}

    def told(self) -> dict[str, Any]:
        """How much a release would hold, and what would be held back."""
        held = [
            {"id": r.id, "iri": r.iri, "title": r.title, "reason": r.reason}
            for r in self.content.held_back
        ]
        return {"records": len(self.content.records), "held_back": held}
