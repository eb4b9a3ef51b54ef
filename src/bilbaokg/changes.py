"""What changed in a feed from one public release to the next, as who harvests it sees it.

A member (a catalogue, dataset, series or service) is created, changed, deleted or restored when its
description in the feed is: what is internal, or cut from the target, is no change. The record date
is when the release that changed it became public; the data's own date is a statement of it.

The releases count in the order in which they were public: after a rollback, what differs between
the release that was taken back and the one before it has changed again. A ledger is the sum of that
up to one switch: every member of the feed with its last change, and all that is gone. Each is made
from the one before and from the members of its release, and kept in `cache/changes/`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from bilbaokg import exports
from bilbaokg.audit import instant
from bilbaokg.errors import Gone, NotFound, StorageFault
from bilbaokg.exports.feed import Feed
from bilbaokg.exports.files import replace_file
from bilbaokg.exports.members import Member, members
from bilbaokg.published import Switch, later
from bilbaokg.release import Releases

__all__ = ["FOLDER", "Changes", "Difference", "Ledger", "Lost", "Seen", "difference", "feed_of"]

FOLDER: Final = "changes"
_FORMAT: Final = 1
# Ledgers that are kept: whoever began to read one can go on while so many releases are published.
_KEPT: Final = 20
_IN_MEMORY: Final = 8


@dataclass(frozen=True, slots=True)
class Difference:
    """The terms of members by what happened between two releases, each sorted."""

    created: Sequence[str]
    changed: Sequence[str]
    deleted: Sequence[str]
    restored: Sequence[str]


def difference(
    before: Mapping[str, str], after: Mapping[str, str], gone: Collection[str] = ()
) -> Difference:
    """What happened to members, from their digests; `gone` were there at an earlier time."""
    fresh = sorted(after.keys() - before.keys())
    return Difference(
        created=[term for term in fresh if term not in gone],
        changed=sorted(t for t in after.keys() & before.keys() if after[t] != before[t]),
        deleted=sorted(before.keys() - after.keys()),
        restored=[term for term in fresh if term in gone],
    )


class Seen(NamedTuple):
    """A member that is there: when it first was, when it changed last, and how (`created`, ...)."""

    kind: str
    digest: str
    first: str
    at: str
    how: str


class Lost(NamedTuple):
    """A member that is gone: when it first was there, and when it went."""

    kind: str
    first: str
    at: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """A feed after one switch: `version` names it, `at` is when it was, `release` what is public.

    `times` are those of all switches up to it, oldest first.
    """

    version: str
    at: str
    release: str
    times: Sequence[str]
    members: Mapping[str, Seen]
    gone: Mapping[str, Lost]

    def since(self, moment: datetime | None) -> str:
        """The first switch at or after a moment: what changed from then on is at or after it.

        Without a moment, the very first; after the last switch, an instant later.
        """
        if moment is None:
            return self.times[0]
        wanted = instant(moment)
        return next((at for at in self.times if at >= wanted), later(self.at))

    def follow(self, switch: Switch, version: str, found: Mapping[str, Member] | None) -> Ledger:
        """The ledger after the next switch; found: the members then, None where nobody knows."""
        times = [*self.times, switch.at]
        if found is None:
            return Ledger(version, switch.at, switch.id, times, self.members, self.gone)
        told = difference(
            {term: seen.digest for term, seen in self.members.items()},
            {term: member.digest for term, member in found.items()},
            self.gone,
        )
        here, gone = dict(self.members), dict(self.gone)
        for term in told.deleted:
            seen = here.pop(term)
            gone[term] = Lost(seen.kind, seen.first, switch.at)
        for how in ("created", "changed", "restored"):
            for term in getattr(told, how):
                first = (here.get(term) or gone.pop(term, None) or Lost("", switch.at, "")).first
                kind, digest = found[term][:2]
                here[term] = Seen(kind, digest, first, switch.at, how)
        return Ledger(version, switch.at, switch.id, times, here, gone)


_NOTHING: Final = Ledger("", "", "", (), {}, {})


class Changes:
    """The ledgers of all feeds of a data directory; may be asked from many threads."""

    def __init__(self, releases: Releases) -> None:
        self.releases = releases
        self._making = threading.Lock()
        self._memory: OrderedDict[str, Ledger] = OrderedDict()

    def ledger(self, feed: Feed, version: str | None = None) -> Ledger:
        """The ledger of what is public now, or the one that a version names.

        Raises NotFound before the first release, Gone where nothing has the version any more or it
        was taken back, CorruptStore.
        """
        steps = list(_named(self.releases.history(), feed))
        if not steps:
            raise NotFound("nothing is published yet")
        names = [name for name, _ in steps]
        wanted = names[-1] if version is None else version
        if wanted not in names[-_KEPT:] or _was_taken_back(steps[names.index(wanted) :]):
            raise Gone("these pages are not served any more", hint="begin again without version")
        with self._making:
            return self._find(feed, steps, names.index(wanted) + 1)

    def _find(self, feed: Feed, steps: Sequence[tuple[str, Switch]], count: int) -> Ledger:
        """The ledger after so many steps, made from the nearest one before it that is kept."""
        for start in range(count, 0, -1):
            known = self._load(feed, steps[start - 1][0])
            if known:
                break
        else:
            start, known = 0, _NOTHING
        for name, switch in steps[start:count]:
            known = known.follow(switch, name, self._members(feed, switch, steps[-1][1]))
            self._keep(feed, known, {name for name, _ in steps[-_KEPT:]})
        return known

    def _members(self, feed: Feed, switch: Switch, last: Switch) -> Mapping[str, Member] | None:
        """The members of a release; None where an earlier one was removed, or had no such feed."""
        try:
            release = self.releases.get(switch.id)
            return members(release, feed, self.releases.cache).table
        except NotFound:
            if switch == last:
                raise
            return None

    def _load(self, feed: Feed, name: str) -> Ledger | None:
        key = f"{feed.name} {name}"
        if key not in self._memory:
            found = _read(self._path(feed, name))
            if found is None:
                return None
            self._remember(key, found)
        self._memory.move_to_end(key)
        return self._memory[key]

    def _remember(self, key: str, ledger: Ledger) -> None:
        self._memory[key] = ledger
        while len(self._memory) > _IN_MEMORY:
            self._memory.popitem(last=False)

    def _keep(self, feed: Feed, ledger: Ledger, names: Collection[str]) -> None:
        """Keep a ledger, and let go of those that nobody can ask for any more."""
        self._remember(f"{feed.name} {ledger.version}", ledger)
        path = self._path(feed, ledger.version)
        try:
            replace_file(path, lambda out: out.writelines([_text(ledger)]))
        except StorageFault:
            return  # a full disk: it is made again after the next start
        for old in path.parent.glob("*.json"):
            if old.stem not in names and old != path:
                old.unlink(missing_ok=True)

    def _path(self, feed: Feed, name: str) -> Path:
        return self.releases.cache / FOLDER / feed.name / f"{name}.json"


def feed_of(target: str) -> Feed:
    """The feed of a target. Raises NotFound where it has no members: unknown, or `full`."""
    found = exports.TARGETS.get(target)
    if not isinstance(found, Feed):
        known = ", ".join(feed.name for feed in exports.feeds())
        raise NotFound(f"no changes are told of {target!r}", hint=f"of these they are: {known}")
    return found


def _named(switches: Sequence[Switch], feed: Feed) -> Iterator[tuple[str, Switch]]:
    """The switches with the versions of their ledgers: each stands for all before it."""
    digest = hashlib.sha256(f"{_FORMAT} {feed.name}".encode())
    for switch in switches:
        digest.update(f"\n{switch.id} {switch.at}".encode())
        yield digest.hexdigest()[:16], switch


def _was_taken_back(steps: Sequence[tuple[str, Switch]]) -> bool:
    """Whether an earlier release was made public again after the first of these switches."""
    first, *after = (int(switch.id[1:]) for _, switch in steps)
    return any(number < first for number in after)


def _text(ledger: Ledger) -> bytes:
    body: dict[str, Any] = {
        "version": ledger.version,
        "at": ledger.at,
        "release": ledger.release,
        "times": ledger.times,
        "members": ledger.members,
        "gone": ledger.gone,
    }
    return json.dumps(body, ensure_ascii=False).encode()


def _read(path: Path) -> Ledger | None:
    """A ledger that was kept; None where there is none that can be read."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        body["members"] = {term: Seen(*row) for term, row in body["members"].items()}
        body["gone"] = {term: Lost(*row) for term, row in body["gone"].items()}
        return Ledger(**body)
    except (OSError, ValueError, KeyError, TypeError):
        return None
