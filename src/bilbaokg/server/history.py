"""Pages about the releases: their list, and what one of them changed.

What is not published yet is not public: these pages end at the current release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bilbaokg import release as releases
from bilbaokg import render
from bilbaokg.errors import NotFound
from bilbaokg.index import Text
from bilbaokg.model import Release
from bilbaokg.server import consequences
from bilbaokg.server.context import Context
from bilbaokg.server.reading import Opened, Reader
from bilbaokg.server.views import (
    Carried,
    ChangeGroup,
    Check,
    Cut,
    ReleasePage,
    ReleaseRow,
    ReleasesPage,
    Value,
)

__all__ = ["change_counts", "overview", "page", "previous", "warm"]

_SHOWN: Final = 50
_MOST_CUT: Final = 20


def overview(context: Context, reader: Reader) -> ReleasesPage:
    """All public releases, newest first."""
    line = _Line(context)
    known = (release for id in reversed(line.ids) if (release := line.get(id)))
    return ReleasesPage([_row(line, reader, release) for release in known])


def page(context: Context, reader: Reader, id: str) -> ReleasePage:
    """One release and its difference from the one before, by name. Raises NotFound."""
    line = _Line(context)
    release = line.get(id)
    if release is None:
        raise NotFound(f"no release {id[:50]!r}")
    before = line.before(release)
    found = releases.difference(before, release)
    iris = _iris(before, release)
    groups = [
        _group(reader, kind, ids, iris)
        for kind, ids in (("new", found.new), ("changed", found.changed), ("gone", found.gone))
        # Of the first release everything is new: its list would be the catalogue.
        if ids and (before or kind != "new")
    ]
    opened = context.catalogue.past(release.id)
    altered = _altered(found, iris) if before else set()
    # Duties are of the present: those of a release of the past are no longer anybody's.
    is_current = opened is reader.opened
    datasets, duties = consequences.obliged(reader) if is_current else ([], 0)
    return ReleasePage(
        row=_row(line, reader, release),
        previous=before.id if before else None,
        first=line.is_first(release),
        sha256=release.sha256,
        published=next(s.at for s in context.releases.history() if s.id == release.id),
        checks=_checks(reader, opened),
        shown=reader.site.at(release.id, reader.site.url("/datasets")),
        groups=groups,
        reach=consequences.reach(reader, opened, altered),
        duties=duties,
        obliged=datasets,
        carried=_carried(reader, release),
    )


def warm(context: Context, opened: Opened) -> None:
    """Reckon beforehand whom the changes of an opened release reach."""
    if before := previous(context, opened.release):
        iris = _iris(before, opened.release)
        opened.dependents(_altered(releases.difference(before, opened.release), iris))


def _iris(*held: Release | None) -> dict[str, str]:
    """The IRIs of records of these releases, by id."""
    told = (release.manifest["content"]["entries"] for release in held if release)
    return {entry["id"]: entry["iri"] for entries in told for entry in entries}


def _altered(found: releases.Difference, iris: Mapping[str, str]) -> set[str]:
    """What was there before and is no longer the same (IRIs)."""
    return {iris[id] for id in (*found.changed, *found.gone)}


def _checks(reader: Reader, opened: Opened) -> list[Check]:
    """The gate, condition by condition, as the release says that it was met."""
    release, report, site = opened.release, opened.report, reader.site
    content = release.manifest["content"]
    page = site.at(release.id, site.url("/validation"))

    def check(state: str, name: str, told: str, href: str = "", count: int | None = None) -> Check:
        text = render.translate(f"gate.{told}", site.lang, count, profile=content["profile"])
        return Check(state, render.translate(f"gate.{name}", site.lang), text, href)

    def counted(name: str, told: str, count: int, href: str = "") -> Check:
        return check("warn", name, told, href, count) if count else check("ok", name, "none")

    accepted = (release.manifest["build"].get("removals") or {}).get("accepted")
    found = [
        counted("held", "held_back", release.held_back),
        check("warn", "removals", "accepted") if accepted else check("ok", "removals", "few"),
    ]
    if report is None:
        return [check("bad", "validated", "unchecked"), *found]
    waived = "waived" if content["waived"] else "violations"
    return [
        check("ok", "validated", "checked", page),
        counted("violation", waived, report["counts"]["violation"], page),
        counted("warning", "warnings", report["counts"]["warning"], page),
        *found,
    ]


def _carried(reader: Reader, release: Release) -> list[Carried]:
    """What each feed leaves out; nothing where the release is too old to say it."""
    left = release.manifest["content"].get("not_carried", {})
    found = []
    for target, counts in left.items():
        most = sorted(counts.items(), key=lambda row: (-row[1], row[0]))[:_MOST_CUT]
        cuts = [Cut(Value(reader.name(iri), None, iri), count) for iri, count in most]
        href = f"{reader.site.root}/feeds/{target}/catalog.ttl"
        more = len(counts) - len(most)
        found.append(Carried(target, href, sum(counts.values()), cuts, more))
    return found


def change_counts(context: Context, release: Release) -> tuple[int, int, int]:
    """New, changed and gone records since the release before; none when that was removed."""
    return _Line(context).changes(release)


def previous(context: Context, release: Release) -> Release | None:
    """The release that was public before; None for the first, and where that was removed."""
    return _Line(context).before(release)


class _Line:
    """The public releases, each read once for a page. `ids` are in their order, oldest first."""

    def __init__(self, context: Context) -> None:
        self.ids = context.releases.standing()
        self._find, self._counted = context.releases.get, context.counted
        self._read: dict[str, Release | None] = {}

    def get(self, id: str) -> Release | None:
        """One of them; None for another one, and where it was removed."""
        if id not in self._read:
            try:
                self._read[id] = self._find(id) if id in self.ids else None
            except NotFound:
                self._read[id] = None
        return self._read[id]

    def before(self, release: Release) -> Release | None:
        """The release that was public before it; None for the first, and where it was removed."""
        earlier = [id for id in self.ids if int(id[1:]) < release.number]
        return self.get(earlier[-1]) if earlier else None

    def is_first(self, release: Release) -> bool:
        """Whether no release was public before it."""
        return self.ids[:1] == [release.id]

    def changes(self, release: Release) -> tuple[int, int, int]:
        """New, changed and gone records since the release before; none when that was removed.

        Reckoned once of two releases, since they stay as they are.
        """
        before = self.before(release)
        if before is None and not self.is_first(release):
            return (0, 0, 0)
        pair = before.id if before else "", release.id
        if pair not in self._counted:
            found = releases.difference(before, release)
            self._counted[pair] = len(found.new), len(found.changed), len(found.gone)
        return self._counted[pair]


def _row(line: _Line, reader: Reader, release: Release) -> ReleaseRow:
    content = release.manifest["content"]
    return ReleaseRow(
        id=release.id,
        href=reader.site.url(f"/releases/{release.id}"),
        created=release.created_at,
        current=release.id == reader.opened.release.id,
        records=len(content["entries"]),
        statements=sum(entry["statements"] for entry in content["entries"]),
        held_back=release.held_back,
        waived=content["waived"],
        accepted=(release.manifest["build"].get("removals") or {}).get("accepted"),
        changes=line.changes(release),
        note=release.manifest["build"]["note"],
    )


def _group(reader: Reader, kind: str, ids: list[str], iris: Mapping[str, str]) -> ChangeGroup:
    """Records by their names; what the current release does not hold is only counted."""
    there = reader.opened.index.resources(iris[id] for id in ids)
    named = [iris[id] for id in ids if iris[id] in there]
    reader.load(named[:_SHOWN])
    return ChangeGroup(
        kind=kind,
        count=len(ids),
        records=[_named(reader, iri) for iri in named[:_SHOWN]],
        more=max(0, len(named) - _SHOWN),
        unnamed=len(ids) - len(named),
    )


def _named(reader: Reader, iri: str) -> Value:
    """A record by its name; a tombstone, which has none, by its id."""
    value, place = reader.iri(iri), reader.place(iri)
    if place and value.text.text == iri:
        return replace(value, text=Text(place.record, ""))
    return value
