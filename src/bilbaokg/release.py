"""Releases: built from approved public records that pass the gate, then never changed.

A release is a directory: catalogue.nq (sorted), manifest.json, report.json, store/, index.db,
exports/, and held-back.json for the operator, which the public side never opens. It is built aside,
put on disk whole, told to the audit chain and then renamed into place; `current` is a symbolic link
that is swapped by rename. `recover` finishes or undoes what a kill interrupted.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from bilbaokg import exports, index, integrity, published, removals
from bilbaokg.audit import now
from bilbaokg.errors import CorruptStore, NotFound, StorageFault
from bilbaokg.exports import vocabulary
from bilbaokg.exports.closure import Wall, check_quads
from bilbaokg.exports.files import sync, sync_tree
from bilbaokg.model import Event, Profile, Record, Release, Report
from bilbaokg.published import Switch
from bilbaokg.records import Records
from bilbaokg.removals import Removals, Shown
from bilbaokg.selection import Content
from bilbaokg.settings import Settings
from bilbaokg.sorting import sorted_lines
from bilbaokg.store.embedded import EmbeddedStore, storage_errors
from bilbaokg.terms import AS, RDF, plain, ref, split_line, split_lines, without_graph

__all__ = ["Builder", "Difference", "Releases", "difference", "foreseen", "removed", "statements"]

FORMAT: Final = 1
_CURRENT: Final = "current"
_MANIFEST: Final = "manifest.json"
_BUILDING: Final = ".building-"
_HELD_BACK: Final = "held-back.json"
_PIECE: Final = 200_000
# Bytes of manifests that stay read; in memory each takes some times its file.
_KEPT: Final = 16 << 20
_TYPE: Final = ref(RDF.type)


class _Key(NamedTuple):
    """Tells one state of a manifest's file from another."""

    id: str
    inode: int
    size: int
    changed: int


class Releases:
    """The releases of a data directory, for readers. Looks at the disk at every call; of the
    manifests it has read the last stay known as long as their files are the same."""

    def __init__(self, data: Path, settings: Settings) -> None:
        self.path, self.settings = data / "releases", settings
        self.cache = data / "cache"
        self._read: OrderedDict[_Key, Release] = OrderedDict()
        self._lock = threading.Lock()

    def current(self) -> Release | None:
        """The published release, or None before the first. Raises as `get`."""
        id = self.current_id()
        return self.get(id) if id else None

    def current_id(self) -> str | None:
        """The id of the published release, whatever its state."""
        try:
            return (self.path / _CURRENT).readlink().name
        except OSError:
            return None

    def get(self, id: str) -> Release:
        """A release by id. Raises NotFound, CorruptStore when its manifest cannot be read."""
        path = self.path / id
        if "/" in id or id.startswith(".") or id == _CURRENT or not path.is_dir():
            known = ", ".join(self.ids()) or "none yet"
            raise NotFound(f"no release {id!r}", hint=f"releases: {known}")
        try:
            file = (path / _MANIFEST).stat()
            key = _Key(id, file.st_ino, file.st_size, file.st_mtime_ns)
            if read := self._known(key):
                return read
            manifest = json.loads((path / _MANIFEST).read_text(encoding="utf-8"))
            build, content = manifest["build"], manifest["content"]
            sha256 = content["files"]["catalogue.nq"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptStore(
                f"cannot be read: {error}",
                where=str(path / _MANIFEST),
                hint="restore it from a backup, or publish another release",
            ) from None
        release = Release(id, path, build["created_at"], build["previous"], sha256, manifest)
        return self._keep(key, release)

    def _known(self, key: _Key) -> Release | None:
        with self._lock:
            found = self._read.get(key)
            if found:
                self._read.move_to_end(key)
            return found

    def _keep(self, key: _Key, release: Release) -> Release:
        with self._lock:
            self._read[key] = release
            while len(self._read) > 1 and sum(held.size for held in self._read) > _KEPT:
                self._read.popitem(last=False)
        return release

    def list(self) -> list[Release]:
        """All releases, oldest first. Raises as `get`."""
        return [self.get(id) for id in self.ids()]

    def ids(self) -> Sequence[str]:
        """The ids of all releases, oldest first, whatever their state."""
        names = [p.name for p in self.path.glob("r*") if p.is_dir() and p.name[1:].isdigit()]
        return sorted(names, key=lambda name: int(name[1:]))

    def history(self) -> Sequence[Switch]:
        """Which release was public from when, oldest first, up to the current one."""
        current = self.current_id()
        if current is None:
            return []
        built = (Switch(r.id, r.created_at) for r in self.readable())
        return published.history(self.path, current, built)

    def standing(self) -> Sequence[str]:
        """The ids of the releases that were public and were not taken back, oldest first."""
        return published.standing(self.history())

    def readable(self) -> Iterator[Release]:
        """All releases whose manifest can be read, oldest first."""
        for id in self.ids():
            with contextlib.suppress(CorruptStore):
                yield self.get(id)

    def report(self, release: Release) -> Report | None:
        """The validation of what a release holds, None where it was not validated.

        Raises CorruptStore when it is not what was written with the release.
        """
        integrity.check(release, "report.json")
        document = json.loads((release.path / "report.json").read_text(encoding="utf-8"))
        return Report.of(document) if document else None

    def held_back(self, release: Release) -> Sequence[dict[str, str]]:
        """What was left out of a release: id, iri, title and reason of each; for the operator.

        Empty where the release was copied without that file. Raises CorruptStore.
        """
        file = release.path / _HELD_BACK
        try:
            held: list[dict[str, str]] = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise CorruptStore(f"cannot be read: {error}", where=str(file)) from None
        return held


@dataclass(frozen=True, slots=True)
class _Why:
    """Who builds a release, under which gate, and what was said for it."""

    profile: Profile
    actor: str
    note: str
    waive: str | None
    lost: dict[str, Any] | None


class Builder:
    """Builds, publishes and rolls back; the caller holds the write lock of the working store."""

    def __init__(self, records: Records, releases: Releases) -> None:
        self.records, self.releases, self.settings = records, releases, records.settings

    # ---- writing

    def build(
        self,
        content: Content,
        *,
        profile: Profile,
        actor: str,
        note: str = "",
        waive: str | None = None,
        accept: str | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> Release:
        """Write the release to disk and return it; it is not published yet.

        `accept` is the reason for which portals may lose much by it. Raises RemovalRefused.
        """
        lost = self._lost(lambda: removals.of_records(content.records), accept)
        why = _Why(profile, actor, note, waive, lost)
        id = self._next_id()
        aside = self.releases.path / f"{_BUILDING}{id}"
        with storage_errors(aside):
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
            try:
                manifest = self._write(aside, id, content, why, progress)
                progress("writing to disk")
                sync_tree(aside)
            except BaseException:
                shutil.rmtree(aside, ignore_errors=True)
                raise
        told = {"id": id, "manifest": _hash(manifest), "waived": waive, "why": note}
        self._tell(actor, "release.build", id, told | {"removals": lost})
        self._into_place(id)
        return self.releases.get(id)

    def _tell(self, actor: str, kind: str, id: str, detail: dict[str, Any]) -> None:
        """Write the audit entry that decides whether what is prepared happens."""
        audit = self.records.audit
        event, entry = audit.next(actor, kind, id, detail)
        try:
            self.records.store.apply([entry])
        except StorageFault:
            self.recover(audit.events())
            raise
        audit.written(event)

    def _write(
        self,
        aside: Path,
        id: str,
        content: Content,
        why: _Why,
        progress: Callable[[str], None],
    ) -> str:
        progress("writing the catalogue")
        self._write_catalogue(aside / "catalogue.nq", content.records)
        created, report = now(), content.report.as_dict() if content.report else None
        (aside / "report.json").write_text(_json(report), encoding="utf-8")
        held = [asdict(held) for held in content.held_back]
        (aside / _HELD_BACK).write_text(_json(held), encoding="utf-8")
        wall = Wall(self.settings.base, content.withheld - vocabulary.terms())
        check_quads(aside / "catalogue.nq", wall, {record.id for record in content.records})
        progress("loading the store")
        EmbeddedStore.build(aside / "store", aside / "catalogue.nq", piece=_PIECE)
        progress("building the index")
        checks = index.Checks.of(created, report, waived=why.waive is not None)
        index.build(aside / "index.db", content.records, self.settings.base, checks=checks)
        progress("writing the feeds")
        not_carried = exports.build(
            aside / "exports", content.records, self.settings, withheld=content.withheld
        )
        before = self.releases.ids()
        manifest = _json(
            {
                "format": FORMAT,
                "content": {
                    "base": self.settings.base,
                    "profile": why.profile.label,
                    "gate": sorted(why.profile.stops),
                    "files": integrity.hashes(aside, "catalogue.nq", "exports"),
                    "entries": [
                        {
                            "id": r.id,
                            "iri": r.iri,
                            "sha256": r.revision,
                            "statements": r.text.count("\n"),
                        }
                        for r in content.records
                    ],
                    "tombstones": [r.id for r in content.records if _is_buried(r)],
                    "held_back": content.rules(),
                    "waived": why.waive,
                    "cut": dict(sorted(content.cut.items())),
                    "not_carried": not_carried,
                    "counts": _classes(aside / "catalogue.nq"),
                },
                "build": {
                    "id": id,
                    "created_at": created,
                    "previous": before[-1] if before else None,
                    "actor": why.actor,
                    "note": why.note,
                    "removals": why.lost,
                    "files": integrity.hashes(aside, "report.json", "index.db", "store"),
                },
            }
        )
        (aside / _MANIFEST).write_text(manifest, encoding="utf-8")
        return manifest

    def _write_catalogue(self, path: Path, records: Iterable[Record]) -> None:
        def lines() -> Iterator[bytes]:
            for record in records:
                tail = f"{ref(self.records.graph(record.id))} .\n"
                yield from (f"{line[:-1]}{tail}".encode() for line in split_lines(record.text))

        with path.open("wb") as out:
            out.writelines(sorted_lines(lines(), path.parent))

    def _next_id(self) -> str:
        """Ids are never reused, not even those of releases that were removed by hand."""
        told = [e.detail["id"] for e in self.records.audit.events() if e.kind == "release.build"]
        return f"r{max((int(id[1:]) for id in [*told, *self.releases.ids()]), default=0) + 1}"

    def _into_place(self, id: str) -> None:
        with storage_errors(self.releases.path):
            (self.releases.path / f"{_BUILDING}{id}").rename(self.releases.path / id)
            sync(self.releases.path)

    # ---- switching

    def switch(
        self, id: str, *, actor: str, kind: str, why: str = "", accept: str | None = None
    ) -> Release:
        """Make a release the current one: `release.publish` or `release.rollback`.

        `accept` is the reason for which portals may lose much by it; one that was given when it
        was built holds while the same release is published. Raises RemovalRefused, CorruptStore.
        """
        release = self.releases.get(id)
        self.check(release)
        lost = self._told_at_build(release)
        if lost is None or accept:
            lost = self._lost(lambda: removals.of_release(release), accept)
        detail = {"id": id, "from": self.releases.current_id(), "why": why, "removals": lost}
        part = self._pointer(id)
        place = published.prepare(self.releases.path, id)
        self._tell(actor, kind, id, detail)
        place()
        self._swap(part)
        return release

    def _told_at_build(self, release: Release) -> dict[str, Any] | None:
        """What portals lose by a release, where it was built against what is published now."""
        told: dict[str, Any] | None = release.manifest["build"].get("removals")
        holds = (
            told is not None
            and told["published"] == self.releases.current_id()
            and (told["accepted"] or told["limit"] <= self.settings.removal_share)
        )
        return told if holds else None

    def _lost(self, shown: Callable[[], Shown], accept: str | None) -> dict[str, Any] | None:
        """What portals lose when this takes the place of what is published, in numbers.

        None before the first release is. Raises RemovalRefused without a reason that it needs.
        """
        if self.releases.current_id() is None:
            return None
        before, limit = self._published(), self.settings.removal_share
        found = (
            removals.between(removals.of_release(before), shown(), before.id, limit, accept)
            if before
            else removals.unknown(limit, accept)
        )
        removals.refuse(found)
        return found.brief()

    def _published(self) -> Release | None:
        """The release that is published, or where it is damaged the last one before it."""
        events = self.records.audit.events()
        switches = [e.detail["id"] for e in events if e.kind in published.SWITCHES]
        for id in dict.fromkeys([self.releases.current_id(), *reversed(switches)]):
            try:
                release = self.releases.get(str(id))
                self._check_manifest(release, events)
                integrity.check(release, "catalogue.nq")
            except (CorruptStore, NotFound):
                continue
            return release
        return None

    def check(self, release: Release) -> None:
        """Check all files of a release, its manifest by the audit. Raises CorruptStore."""
        self._check_manifest(release, self.records.audit.events())
        integrity.check(release)

    def _check_manifest(self, release: Release, events: Iterable[Event]) -> None:
        told = {e.detail["id"]: e.detail["manifest"] for e in events if e.kind == "release.build"}
        manifest = release.path / _MANIFEST
        if release.id in told and integrity.file_hash(manifest) != told[release.id]:
            raise CorruptStore(
                "the file is not what was released",
                where=str(manifest),
                hint="restore it from a backup, or publish another release",
            )

    def _pointer(self, id: str) -> Path:
        """A link to a release beside the current one: what may need space comes first."""
        part = self.releases.path / f".{_CURRENT}"
        with storage_errors(self.releases.path):
            part.unlink(missing_ok=True)
            part.symlink_to(id)
        return part

    def _swap(self, part: Path) -> None:
        with storage_errors(self.releases.path):
            part.rename(self.releases.path / _CURRENT)
            sync(self.releases.path)

    def recover(self, events: Sequence[Event]) -> None:
        """Finish what the audit chain tells, and undo what it does not (after a kill)."""
        (self.releases.path / f".{_CURRENT}").unlink(missing_ok=True)
        asides = list(self.releases.path.glob(f"{_BUILDING}*"))
        told = {e.detail["id"]: e.detail["manifest"] for e in events if e.kind == "release.build"}
        for aside in asides:
            id = aside.name[len(_BUILDING) :]
            manifest = aside / _MANIFEST
            if id in told and manifest.is_file() and integrity.file_hash(manifest) == told[id]:
                self._into_place(id)
            else:
                shutil.rmtree(aside, ignore_errors=True)
        published.recover(self.releases.path, events)
        switches = [e for e in events if e.kind in published.SWITCHES]
        if switches:
            id = switches[-1].detail["id"]
            if (self.releases.path / id).is_dir() and self.releases.current_id() != id:
                self._swap(self._pointer(id))


@dataclass(frozen=True, slots=True)
class Difference:
    """Ids of records by what happened between two releases."""

    new: list[str]
    changed: list[str]
    gone: list[str]


def difference(before: Release | None, after: Release) -> Difference:
    """What changed from one release to another, by the hashes in their manifests.

    What became a tombstone is gone.
    """
    return _compared(before, _hashes(after), _tombstones(after))


def foreseen(before: Release | None, records: Iterable[Record]) -> Difference:
    """What would change from a release to one of these records (see difference)."""
    held = list(records)
    buried = {record.id for record in held if _is_buried(record)}
    return _compared(before, {record.id: record.revision for record in held}, buried)


def _compared(before: Release | None, new: Mapping[str, str], tombstones: set[str]) -> Difference:
    old = _hashes(before) if before else {}
    buried = tombstones - (_tombstones(before) if before else set())
    both = new.keys() & old.keys()
    return Difference(
        new=sorted(new.keys() - old.keys() - buried),
        changed=sorted(id for id in both - buried if new[id] != old[id]),
        gone=sorted((old.keys() - new.keys()) | (buried & old.keys())),
    )


def removed(before: Release, after: Release, limit: float) -> Removals:
    """What portals would lose when one release takes the place of another. Raises CorruptStore."""
    for release in (before, after):
        integrity.check(release, "catalogue.nq")
    old, new = map(removals.of_release, (before, after))
    return removals.between(old, new, before.id, limit)


def _hashes(release: Release) -> dict[str, str]:
    return {entry["id"]: entry["sha256"] for entry in release.manifest["content"]["entries"]}


def _tombstones(release: Release) -> set[str]:
    return set(release.manifest["content"].get("tombstones", ()))


def _is_buried(record: Record) -> bool:
    return f"{ref(record.iri)} {_TYPE} {ref(AS.Tombstone)} ." in split_lines(record.text)


def statements(before: Release, after: Release) -> tuple[list[str], list[str]]:
    """The N-Quads lines that only the one, and only the other, release has. Raises CorruptStore."""
    for release in (before, after):
        integrity.check(release, "catalogue.nq")
    old, new = (
        set(split_lines((r.path / "catalogue.nq").read_text(encoding="utf-8")))
        for r in (before, after)
    )
    return sorted(old - new), sorted(new - old)


def _classes(catalogue: Path) -> dict[str, int]:
    """How many subjects of each class a catalogue.nq has; its lines are sorted."""
    found: Counter[str] = Counter()
    before: tuple[str, str] | None = None
    with catalogue.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            if f" {_TYPE} " in line:
                subject, predicate, class_ = split_line(without_graph(line[:-1]))
                if predicate == _TYPE and (subject, class_) != before:
                    found[plain(class_)] += 1
                    before = subject, class_
    return dict(sorted(found.items()))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
