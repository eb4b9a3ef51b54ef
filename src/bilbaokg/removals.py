"""What portals would lose by another release: the brake on deletions.

Portals delete what a feed no longer lists, and take a thing with another identifier for another
thing. So what they list is compared with the release that is published now: datasets, series,
services and catalogues by their IRI, files (distributions) by how many each record has, as many
have no IRI that lasts. A tombstone is not listed: what was deleted on purpose counts too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from bilbaokg.errors import RemovalRefused
from bilbaokg.model import Record, Release
from bilbaokg.terms import AS, DCAT, DCT, RDF, plain, ref, split_line, split_lines

__all__ = [
    "Change",
    "Gone",
    "Removals",
    "Shown",
    "between",
    "of_records",
    "of_release",
    "refuse",
    "unknown",
]

_CLASSES: Final = {
    "dataset": ref(DCAT.Dataset),
    "series": ref(DCAT.DatasetSeries),
    "service": ref(DCAT.DataService),
    "catalog": ref(DCAT.Catalog),
}
_FILE: Final = "distribution"
# How people call one and several of what is listed.
_WORDS: Final = {
    "dataset": ("dataset", "datasets"),
    "series": ("series", "series"),
    "service": ("service", "services"),
    "catalog": ("catalogue", "catalogues"),
    _FILE: ("distribution", "distributions"),
}
_TYPE, _IDENTIFIER, _TITLE = map(ref, (RDF.type, DCT.identifier, DCT["title"]))
_WANTED: Final = frozenset((_TYPE, _IDENTIFIER, _TITLE))
_DISTRIBUTION, _TOMBSTONE = ref(DCAT.Distribution), ref(AS.Tombstone)
_NAMED: Final = 5


class Member(NamedTuple):
    """One listed thing: the id of its record, its dct:identifiers and its title (Spanish first) as
    terms."""

    record: str
    identifiers: tuple[str, ...] = ()
    title: str = ""


@dataclass(slots=True)
class Shown:
    """What portals see of a release.

    `members` are the listed things by kind and IRI (as a term); `files` is how many distributions
    a record (by id) has.
    """

    members: dict[str, dict[str, Member]] = field(
        default_factory=lambda: {kind: {} for kind in _CLASSES}
    )
    files: Counter[str] = field(default_factory=Counter)

    def count(self, kind: str) -> int:
        """How many of a kind there are."""
        return self.files.total() if kind == _FILE else len(self.members[kind])


class Gone(NamedTuple):
    """A listed thing that is listed no more."""

    kind: str
    iri: str
    title: str | None

    @property
    def text(self) -> str:
        """By its title, where it has one, and its IRI."""
        return f"{self.title} ({self.iri})" if self.title else self.iri


class Change(NamedTuple):
    """An identifier that would change; `property` is None where it is the IRI itself."""

    iri: str
    property: str | None
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Removals:
    """What would be lost against the release `published`; "" where none could be read.

    `published_counts` and `gone_counts` are by kind; `limit` is the share of a kind that may go
    without a reason. `accepted` is the reason for which it may go all the same.
    """

    published: str
    limit: float
    published_counts: Mapping[str, int]
    gone_counts: Mapping[str, int]
    gone: tuple[Gone, ...] = ()
    identifiers: tuple[Change, ...] = ()
    accepted: str | None = None

    @property
    def too_many(self) -> list[str]:
        """The kinds of which more would go than may."""
        return [
            kind
            for kind, count in self.gone_counts.items()
            if count > self.limit * self.published_counts[kind]
        ]

    @property
    def stops(self) -> bool:
        """Whether it needs a reason."""
        return bool(self.too_many or self.identifiers or not self.published)

    def as_dict(self) -> dict[str, Any]:
        """All of it, for people and programs that decide."""
        return {
            **self.brief(),
            "stops": self.stops,
            "too_many": self.too_many,
            "removed": [gone._asdict() for gone in self.gone],
            "changes": [change._asdict() for change in self.identifiers],
        }

    def brief(self) -> dict[str, Any]:
        """In numbers and without a name, as the manifest and the audit keep it."""
        return {
            "published": self.published or None,
            "limit": self.limit,
            "of": dict(self.published_counts),
            "gone": {kind: count for kind, count in self.gone_counts.items() if count},
            "identifiers": len(self.identifiers),
            "accepted": self.accepted if self.stops else None,
        }

    def text(self) -> str:
        """What stops it, in a line: counts with their share, and the first few by name."""
        if not self.published:
            return "no release that was published can be read: what would be gone is unknown"
        parts = [self._loss(kind) for kind in self.too_many]
        if self.identifiers:
            rows = [
                f"{change.iri} ({plain(change.before)} becomes {plain(change.after) or 'none'})"
                if change.property
                else f"{change.before} becomes {change.after}"
                for change in self.identifiers
            ]
            words = "identifier" if len(rows) == 1 else "identifiers"
            parts.append(f"{len(rows):,} {words} would change: {_few(rows)}")
        return "; ".join(parts)

    def _loss(self, kind: str) -> str:
        count, all_ = self.gone_counts[kind], self.published_counts[kind]
        names = [gone.text for gone in self.gone if gone.kind == kind]
        verb = f"{count:,} of {all_:,} {_WORDS[kind][all_ != 1]} would be gone"
        share = f"{verb} ({count / all_:.1%}, over {self.limit * 100:g}%)"
        return f"{share}: {_few(names)}" if names else share


def _few(rows: list[str]) -> str:
    more = len(rows) - _NAMED
    return ", ".join(rows[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


# ---- what a release shows


def of_records(records: Iterable[Record]) -> Shown:
    """What a release of these records would show."""
    heads: dict[str, str] = {}

    def statements() -> Iterator[tuple[str, str, str, str]]:
        for record in records:
            heads[ref(record.iri)] = record.id
            for line in split_lines(record.text):
                if line.split(" ", 2)[1] in _WANTED:
                    yield (*split_line(line), record.id)

    return _shown(statements, heads)


def of_release(release: Release) -> Shown:
    """What a release shows. The caller has checked its files."""
    heads = {ref(entry.iri): entry.id for entry in release.entries}
    prefix = f" <{release.manifest['content']['base']}/graph/record/"
    return _shown(lambda: _quads(release.path / "catalogue.nq", prefix), heads)


def _quads(path: Path, prefix: str) -> Iterator[tuple[str, str, str, str]]:
    """Subject, predicate, object and record of what matters here in a catalogue.nq."""
    with path.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            subject, predicate, rest = line.split(" ", 2)
            if predicate in _WANTED:
                object_, _, graph = rest.rpartition(prefix)
                yield subject, predicate, object_, graph.removesuffix("> .\n")


def _shown(
    statements: Callable[[], Iterable[tuple[str, str, str, str]]], heads: Mapping[str, str]
) -> Shown:
    """A thing is listed when it is the head of its record and still has the class of its kind."""
    shown = Shown()
    identifiers: dict[str, list[str]] = {}
    titles: dict[str, str] = {}
    listed: dict[str, str] = {}
    buried: set[str] = set()
    for subject, predicate, object_, record in statements():
        if predicate == _TYPE:
            if object_ == _DISTRIBUTION:
                shown.files[record] += 1
            elif object_ == _TOMBSTONE:
                buried.add(subject)
            elif subject in heads:
                kind = heads[subject].partition("/")[0]
                if _CLASSES.get(kind) == object_:
                    listed[subject] = kind
        elif subject not in heads or heads[subject].partition("/")[0] not in _CLASSES:
            continue
        elif predicate == _IDENTIFIER:
            identifiers.setdefault(subject, []).append(object_)
        elif subject not in titles or _rank(object_) < _rank(titles[subject]):
            titles[subject] = object_
    for term in sorted(listed.keys() - buried):
        found = tuple(sorted(identifiers.get(term, ())))
        shown.members[listed[term]][term] = Member(heads[term], found, titles.get(term, ""))
    return shown


def _rank(title: str) -> tuple[bool, str]:
    return not title.endswith("@es"), title


# ---- what would be lost


def unknown(limit: float, accepted: str | None) -> Removals:
    """What would be lost where nothing that was published can be read."""
    return Removals("", limit, {}, {}, accepted=accepted)


def between(
    before: Shown, after: Shown, published: str, limit: float, accepted: str | None = None
) -> Removals:
    """What portals lose when `after` takes the place of `before`, the release `published`."""
    gone: list[Gone] = []
    changes: list[Change] = []
    for kind, old in before.members.items():
        new = after.members[kind]
        left = sorted(old.keys() - new.keys())
        gone += [Gone(kind, plain(t), plain(old[t].title) or None) for t in left]
        changes += _moved(
            {term: old[term] for term in left},
            {term: new[term] for term in sorted(new.keys() - old.keys())},
        )
        changes += [
            Change(plain(t), DCT.identifier, _said(old[t]), _said(new[t]))
            for t in sorted(old.keys() & new.keys())
            if old[t].identifiers and old[t].identifiers != new[t].identifiers
        ]
    counts = Counter(loss.kind for loss in gone)
    # With a dataset go its files: those are counted where the dataset stays.
    whole = {old[ref(iri)].record for kind, iri, _ in gone for old in (before.members[kind],)}
    kept = {record: n for record, n in before.files.items() if record not in whole}
    fewer = sum(max(0, n - after.files[record]) for record, n in kept.items())
    kinds = (*_CLASSES, _FILE)
    return Removals(
        published,
        limit,
        {kind: before.count(kind) for kind in kinds},
        {kind: fewer if kind == _FILE else counts[kind] for kind in kinds},
        tuple(gone),
        tuple(changes),
        accepted,
    )


def _moved(gone: Mapping[str, Member], new: Mapping[str, Member]) -> Iterator[Change]:
    """What is there again under another IRI: with an identifier of it, else with its title."""
    known: dict[str, str] = {}
    for term, member in new.items():
        for mark in (*member.identifiers, member.title):
            known.setdefault(mark, term)
    for term, member in gone.items():
        marks = (*member.identifiers, member.title)
        again = next((known[mark] for mark in marks if mark and mark in known), None)
        if again:
            yield Change(plain(term), None, plain(term), plain(again))


def _said(member: Member) -> str:
    return ", ".join(map(plain, member.identifiers))


def refuse(found: Removals) -> None:
    """Raises RemovalRefused where it needs a reason and has none."""
    if found.stops and not found.accepted:
        raise RemovalRefused(
            f"portals would delete what is published: {found.text()}",
            hint="mend it; if it is meant, repeat with --accept-removals REASON",
            removals=found.as_dict(),
        )
