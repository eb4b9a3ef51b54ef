"""What becomes of each member when a portal harvests: created, changed, deleted, or replaced.

A member whose key changed while its IRI or identifier stayed is replaced: the portal deletes the
page that people linked to and makes a new one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from bilbaokg.exports.feed import DATASET
from bilbaokg.harvesting.comparing import Datasets, differences
from bilbaokg.rehearsal.members import Members
from bilbaokg.terms import DCT, plain, ref

__all__ = ["Fate", "Outcome", "of_portal", "of_release"]

_IDENTIFIER: Final = ref(DCT.identifier)


@dataclass(frozen=True, slots=True)
class Fate:
    """One member. properties: what of it changes (IRIs, or names of what was compared); was, now:
    the key by which the portal knew it, and that by which it would."""

    iri: str
    title: str | None
    kind: str
    properties: list[str] = field(default_factory=list)
    was: str | None = None
    now: str | None = None


@dataclass(slots=True)
class Outcome:
    """What a portal would do. others: how many it shows that are not ours."""

    deleted: list[Fate] = field(default_factory=list)
    replaced: list[Fate] = field(default_factory=list)
    created: list[Fate] = field(default_factory=list)
    changed: list[Fate] = field(default_factory=list)
    unchanged: int = 0
    others: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many of each."""
        lists = ("deleted", "replaced", "created", "changed")
        counts = {name: len(getattr(self, name)) for name in lists}
        return {**counts, "unchanged": self.unchanged, "others": self.others}

    def as_dict(self) -> dict[str, Any]:
        """The JSON members."""
        lists = ("deleted", "replaced", "created", "changed")
        return {
            "counts": self.counts,
            **{name: [asdict(fate) for fate in getattr(self, name)] for name in lists},
        }


def of_release(before: Members, after: Members) -> Outcome:
    """What a portal that harvested `before` does when it harvests `after`."""
    found = Outcome()
    met: set[str] = set()
    for member in sorted(after.kinds):
        key = after.key(member)
        other = before.by_key.get(key)
        if other is None:
            found.created.append(_fate(after, member, now=key))
            continue
        met.add(other)
        if properties := _changed(before.said(other), after.said(member)):
            found.changed.append(_fate(after, member, properties))
        else:
            found.unchanged += 1
    for member in sorted(before.kinds.keys() - met):
        found.deleted.append(_fate(before, member, was=before.key(member)))
    _pair(found, before, after)
    return found


def _fate(
    members: Members,
    member: str,
    properties: list[str] | None = None,
    *,
    was: str | None = None,
    now: str | None = None,
) -> Fate:
    title, kind = members.title(member), members.kinds[member]
    return Fate(plain(member), title, kind, properties or [], was, now)


def _changed(old: dict[str, set[object]], new: dict[str, set[object]]) -> list[str]:
    ways = sorted(old.keys() | new.keys())
    return [plain(way) for way in ways if old.get(way) != new.get(way)]


def _pair(found: Outcome, before: Members, after: Members) -> None:
    """Take out what is deleted and created again: the same thing under another key."""
    gone = {fate.iri: fate for fate in found.deleted}
    called: dict[str, list[Fate]] = defaultdict(list)
    for fate in found.deleted:
        for identifier in before.values(ref(fate.iri), _IDENTIFIER):
            called[identifier].append(fate)
    taken: set[str] = set()
    again: set[str] = set()
    for fate in found.created:
        named = [f for i in after.values(ref(fate.iri), _IDENTIFIER) for f in called[i]]
        old = gone.get(fate.iri) or (named[0] if len(named) == 1 else None)
        if old and old.iri not in taken:
            taken.add(old.iri)
            again.add(fate.iri)
            found.replaced.append(Fate(fate.iri, fate.title, fate.kind, [], old.was, fate.now))
    found.deleted = [fate for fate in found.deleted if fate.iri not in taken]
    found.created = [fate for fate in found.created if fate.iri not in again]


def of_portal(shown: Datasets, released: Datasets, offered: Datasets, base: str) -> Outcome:
    """What a portal that shows some datasets would do with those that it is offered.

    A portal's dataset is ours, and would be deleted, where its IRI is below `base` or it is one of
    what was released; all others belong to somebody else's feed.
    """
    found = Outcome()
    met: set[str] = set()
    for dataset in sorted(offered.members):
        other = shown.same_as(dataset, offered)
        if other is None:
            found.created.append(_shown(offered, dataset))
            continue
        met.add(other)
        names = [d.property for d in differences(dataset, offered, other, shown)]
        if names:
            found.changed.append(_shown(offered, dataset, names))
        else:
            found.unchanged += 1
    ours = {shown.same_as(dataset, released) for dataset in released.members}
    for dataset in sorted(shown.members - met):
        if dataset in ours or dataset.startswith(f"<{base}/"):
            found.deleted.append(_shown(shown, dataset))
        else:
            found.others += 1
    return found


def _shown(datasets: Datasets, dataset: str, names: list[str] | None = None) -> Fate:
    return Fate(plain(dataset), datasets.title(dataset), DATASET, names or [])
