"""Pages about the releases: their list, and what one of them changed.

What is not published yet is not public: these pages end at the current release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bilbaokg import release as releases
from bilbaokg.errors import NotFound
from bilbaokg.index import Text
from bilbaokg.model import Release
from bilbaokg.server.context import Context
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import (
    Carried,
    ChangeGroup,
    Cut,
    ReleasePage,
    ReleaseRow,
    ReleasesPage,
    Value,
)

__all__ = ["change_counts", "overview", "page"]

_SHOWN: Final = 200
_MOST_CUT: Final = 20


def overview(context: Context, reader: Reader) -> ReleasesPage:
    """All public releases, newest first."""
    return ReleasesPage([_row(context, reader, r) for r in reversed(context.public_releases())])


def page(context: Context, reader: Reader, id: str) -> ReleasePage:
    """One release and its difference from the one before, by name. Raises NotFound."""
    release = next((r for r in context.public_releases() if r.id == id), None)
    if release is None:
        raise NotFound(f"no release {id[:50]!r}")
    before = _before(context, release)
    found = releases.difference(before, release)
    iris = {e.id: e.iri for r in (before, release) if r for e in r.entries}
    groups = [
        _group(reader, kind, ids, iris)
        for kind, ids in (("new", found.new), ("changed", found.changed), ("gone", found.gone))
        # Of the first release everything is new: its list would be the catalogue.
        if ids and (before or kind != "new")
    ]
    return ReleasePage(
        row=_row(context, reader, release),
        previous=before.id if before else None,
        first=_is_first(context, release),
        sha256=release.sha256,
        groups=groups,
        carried=_carried(reader, release),
    )


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
    before = _before(context, release)
    if before is None and not _is_first(context, release):
        return (0, 0, 0)
    found = releases.difference(before, release)
    return (len(found.new), len(found.changed), len(found.gone))


def _before(context: Context, release: Release) -> Release | None:
    """The release that was public before it; None for the first, and where it was removed."""
    ids = [id for id in context.releases.standing() if int(id[1:]) < release.number]
    try:
        return context.releases.get(ids[-1]) if ids else None
    except NotFound:
        return None


def _is_first(context: Context, release: Release) -> bool:
    """Whether no release was public before it."""
    return context.releases.standing()[:1] == [release.id]


def _row(context: Context, reader: Reader, release: Release) -> ReleaseRow:
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
        changes=change_counts(context, release),
        note=release.manifest["build"]["note"],
    )


def _group(reader: Reader, kind: str, ids: list[str], iris: Mapping[str, str]) -> ChangeGroup:
    """Records by their names; what the current release does not hold is only counted."""
    reader.load(iris[id] for id in ids)
    named = [iris[id] for id in ids if reader.place(iris[id])]
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
