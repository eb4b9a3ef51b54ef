"""A feed member by member: what it says of each catalogue, dataset, series and service.

The description of a member is what the feed says on the way from it up to other members: the node
itself, its parts, its catalogue records, and the statements that list it. All descriptions together
are the feed without its paging nodes. So whoever keeps one description a member, and replaces it
as a whole, has the feed; and what the pages are cut into does not matter.

They are made from the pages of a release and kept in its cache: `members.nt` has the lines of all,
`members.tsv` says where (`term, kind, digest, offset, length`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from bilbaokg.errors import CorruptStore
from bilbaokg.exports import pages
from bilbaokg.exports.catalogue import TYPE
from bilbaokg.exports.feed import Feed
from bilbaokg.exports.files import replace_file
from bilbaokg.model import Release
from bilbaokg.terms import DCAT, FOAF, LISTINGS, SCHEMA, ref, split_line, split_lines

__all__ = ["CATALOG", "CLASSES", "DATASET", "Member", "Members", "document", "members", "together"]

CATALOG, SERIES, DATASET, SERVICE = "catalog", "series", "dataset", "service"
_KINDS: Final = {
    ref(DCAT.Catalog): CATALOG,
    ref(SCHEMA.DataCatalog): CATALOG,
    ref(DCAT.DatasetSeries): SERIES,
    ref(DCAT.Dataset): DATASET,
    ref(SCHEMA.Dataset): DATASET,
    ref(DCAT.DataService): SERVICE,
    ref(SCHEMA.WebAPI): SERVICE,
}
CLASSES: Final = {
    CATALOG: DCAT.Catalog,
    SERIES: DCAT.DatasetSeries,
    DATASET: DCAT.Dataset,
    SERVICE: DCAT.DataService,
}
"""The class of each kind of member."""
_TOPIC: Final = ref(FOAF.primaryTopic)
_LINES, _TABLE = "members.nt", "members.tsv"


class Member(NamedTuple):
    """What is kept of a member: its kind, the SHA-256 of its lines, and where these stand."""

    kind: str
    digest: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a feed in a release: `table` by term, lines on disk."""

    lines_at: Path
    table: Mapping[str, Member]

    def lines(self, terms: Iterable[str]) -> Iterator[list[str]]:
        """The lines of each of these members, sorted. Raises CorruptStore."""
        try:
            with self.lines_at.open("rb") as file:
                for term in terms:
                    member = self.table[term]
                    file.seek(member.offset)
                    yield split_lines(file.read(member.length).decode())
        except OSError as error:
            raise CorruptStore(
                f"cannot be read: {error.strerror}", where=str(self.lines_at)
            ) from None


def members(release: Release, feed: Feed, cache: Path) -> Members:
    """The members of a feed in a release, made in its cache where they are missing.

    Raises CorruptStore, StorageFault, and NotFound for a feed that there was not yet.
    """
    place = cache / release.id / feed.name
    if not (place / _TABLE).is_file():
        _write(place, _whole(release, feed))
    try:
        rows = (place / _TABLE).read_text(encoding="utf-8").split("\n")[:-1]
    except OSError as error:
        raise CorruptStore(f"cannot be read: {error.strerror}", where=str(place)) from None
    table = {}
    for row in rows:
        term, kind, digest, offset, length = row.split("\t")
        table[term] = Member(kind, digest, int(offset), int(length))
    return Members(place / _LINES, table)


def document(known: Members, chosen: Iterable[str]) -> list[str]:
    """The lines of a catalogue that lists these members alone, complete by itself.

    With them come all catalogues, and the series and services that they name.
    """
    catalogues = [term for term, member in known.table.items() if member.kind == CATALOG]
    wanted = list(dict.fromkeys([*catalogues, *chosen]))
    seen = set(wanted)
    found: list[list[str]] = []
    while wanted:
        found += (described := list(known.lines(wanted)))
        named = dict.fromkeys(split_line(line).object for lines in described for line in lines)
        wanted = [
            term
            for term in named
            if term in known.table and known.table[term].kind != DATASET and term not in seen
        ]
        seen.update(wanted)
    return together(found)


def together(descriptions: Iterable[Iterable[str]]) -> list[str]:
    """One document of several descriptions: subject by subject, each statement once."""
    by_subject: dict[str, dict[str, None]] = {}
    for lines in descriptions:
        for line in lines:
            by_subject.setdefault(line.partition(" ")[0], {})[line] = None
    return [line for lines in by_subject.values() for line in sorted(lines, key=_typed_first)]


def _typed_first(line: str) -> tuple[bool, str]:
    return line.split(" ", 2)[1] != TYPE, line


# ---- making them


@dataclass(slots=True)
class _Whole:
    """All pages of a feed as one graph: lines by subject, those that list a member by member."""

    listings: frozenset[str]
    about: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    listed: dict[str, dict[str, None]] = field(default_factory=dict)
    records: dict[str, dict[str, None]] = field(default_factory=dict)

    def add(self, lines: Iterable[str]) -> None:
        """Take in a page."""
        for subject, group in groupby(lines, key=lambda line: line.partition(" ")[0]):
            own = []
            for line in group:
                _, predicate, object_ = split_line(line)
                if predicate in self.listings:
                    self.listed.setdefault(object_, {})[line] = None
                    continue
                own.append(line)
                if predicate == TYPE and object_ in _KINDS:
                    self.kinds[subject] = _KINDS[object_]
                elif predicate == _TOPIC:
                    self.records.setdefault(object_, {})[subject] = None
            self._keep(subject, own)

    def _keep(self, subject: str, lines: list[str]) -> None:
        """Remember what a page says of a subject; another page may say more of a shared one."""
        said, before = "\n".join(sorted(lines)), self.about.get(subject)
        if before is None:
            self.about[subject] = said
        elif before != said and said:
            self.about[subject] = "\n".join(sorted({*before.split("\n"), *lines} - {""}))

    def description(self, member: str) -> list[str]:
        """The lines of a member, sorted."""
        found: dict[str, None] = {}
        wanted = [member, *self.records.get(member, ())]
        seen = set(wanted)
        while wanted:
            subject = wanted.pop()
            found.update(self.listed.get(subject, {}))
            for line in filter(None, self.about.get(subject, "").split("\n")):
                found[line] = None
                object_ = line.split(" ", 2)[2][:-2]
                if object_ in self.about and object_ not in self.kinds and object_ not in seen:
                    seen.add(object_)
                    wanted.append(object_)
        return sorted(found)


def _whole(release: Release, feed: Feed) -> _Whole:
    whole = _Whole(frozenset(feed.lists.get(p, p) for p in LISTINGS))
    for number in range(1, pages.about(release, feed).pages + 1):
        whole.add(pages.statements(release, feed, number))
    return whole


def _write(place: Path, whole: _Whole) -> None:
    """Keep the members; the table comes last, so where it is, the lines are."""
    rows: list[str] = []

    def fill(out: BinaryIO) -> None:
        offset = 0
        for term in sorted(whole.kinds):
            text = "".join(f"{line}\n" for line in whole.description(term)).encode()
            digest = hashlib.sha256(text).hexdigest()[:32]
            rows.append(f"{term}\t{whole.kinds[term]}\t{digest}\t{offset}\t{len(text)}\n")
            offset += out.write(text)

    replace_file(place / _LINES, fill)
    replace_file(place / _TABLE, lambda out: out.writelines(row.encode() for row in rows))
