"""Reads the index of a release: lists, facets, labels, exact texts."""

from __future__ import annotations

import re
import sqlite3
import threading
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from bilbaokg.errors import NotFound
from bilbaokg.index.texts import Text, choose

__all__ = ["FACETS", "SORTS", "Index", "Listing", "Row", "Where"]

# Facets that lists may be filtered by. "gap" names what a dataset lacks.
FACETS: Final = (
    "theme", "area", "publisher", "format", "access", "hvd", "licence", "frequency", "status",
    "steward", "subject", "series", "scheme", "gap",
)  # fmt: skip
SORTS: Final = ("relevance", "modified", "issued", "title")


class Where(NamedTuple):
    """A subject of the release: its IRI, the id of its record, the id of the page that shows it.

    `whole` says that the subject is the record itself, not a part of it.
    """

    iri: str
    record: str
    page: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a list, as it reads in the language asked for."""

    id: str
    iri: str
    kind: str
    title: Text
    summary: Text
    issued: str | None
    modified: str | None
    facets: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list; `total` counts the entries of all pages, `size` those of a full one."""

    rows: list[Row]
    total: int
    page: int
    pages: int
    size: int


class Index:
    """A finished index, opened read-only; may be used from many threads.

    `memory` is a database that holds what no file at `path` could.
    """

    def __init__(self, path: Path, memory: sqlite3.Connection | None = None) -> None:
        self.path, self._memory = path, memory
        self._local = threading.local()

    @property
    def database(self) -> sqlite3.Connection:
        """This thread's connection."""
        if self._memory:
            return self._memory
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            uri = f"{self.path.resolve().as_uri()}?mode=ro&immutable=1"
            found = self._local.connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        return found

    def _all(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
        return self.database.execute(sql, values).fetchall()

    @property
    def format(self) -> int:
        """The number of the format that the file was written in."""
        return int(self._all("PRAGMA user_version")[0][0])

    def counts(self) -> dict[str, int]:
        """Entries by kind, tombstones left out."""
        return dict(self._all("SELECT kind, count(*) FROM entries WHERE NOT gone GROUP BY kind"))

    def text(self, id: str) -> str:
        """The exact released text of a record. Raises NotFound."""
        found = self._all("SELECT text FROM entries WHERE id = ?", (id,))
        if not found:
            raise NotFound(f"no record {id!r} in this release")
        return zlib.decompress(found[0][0]).decode()

    def iri(self, id: str) -> str:
        """The IRI of a record. Raises NotFound."""
        found = self._all("SELECT iri FROM entries WHERE id = ?", (id,))
        if not found:
            raise NotFound(f"no record {id!r} in this release")
        return str(found[0][0])

    def uses(self, value: str, kind: str = "dataset") -> dict[str, int]:
        """For how many entries of a kind a value is something: facet -> count."""
        marks = ",".join("?" * len(FACETS))
        sql = (
            "SELECT f.facet, count(*) FROM facets f JOIN entries e ON e.num = f.entry"  # noqa: S608
            f" WHERE f.facet IN ({marks}) AND f.value = ? AND e.kind = ? GROUP BY f.facet"
        )
        return dict(self._all(sql, (*FACETS, value, kind)))

    def pages(self) -> list[str]:
        """The pages of all records that are there, in their order."""
        sql = (
            "SELECT r.page FROM entries e JOIN resources r ON r.iri = e.iri AND r.entry = e.num"
            " WHERE NOT e.gone AND e.kind != 'rest' ORDER BY r.page"
        )
        return [row[0] for row in self._all(sql)]

    def is_gone(self, id: str) -> bool:
        """Whether a record was deleted and is a tombstone."""
        return bool(self._all("SELECT 1 FROM entries WHERE id = ? AND gone", (id,)))

    def resource(self, iri: str) -> Where | None:
        """Where a subject is shown."""
        return self.resources([iri]).get(iri)

    def resources(self, iris: Iterable[str]) -> dict[str, Where]:
        """Where subjects are shown; IRIs that the release does not describe are left out."""
        sql = (
            "SELECT r.iri, e.id, r.page, e.iri = r.iri"
            " FROM resources r JOIN entries e ON e.num = r.entry WHERE r.iri IN ({})"
        )
        return {row[0]: _place(row) for row in self._in(sql, iris)}

    def by_id(self, id: str) -> Where | None:
        """The resource whose page is `type/slug`: a record, or a part with a page of its own."""
        sql = (
            "SELECT r.iri, e.id, r.page, e.iri = r.iri"
            " FROM resources r JOIN entries e ON e.num = r.entry WHERE r.page = ?"
            " ORDER BY e.id != r.page, e.iri != r.iri, r.iri LIMIT 1"
        )
        found = self._all(sql, (id,))
        return _place(found[0]) if found else None

    def facets_of(self, id: str) -> dict[str, list[str]]:
        """The facets of one record."""
        found = self._all("SELECT num FROM entries WHERE id = ?", (id,))
        return self._facets_of([row[0] for row in found]).get(found[0][0], {}) if found else {}

    def near(self, kind: str, slug: str, limit: int = 5) -> list[str]:
        """Ids of records whose title or slug is like the one asked for."""
        words = re.findall(r"\w{3,}", slug.replace("-", " "))
        match = " OR ".join(f'"{word}"*' for word in words[:8])
        if not match:
            return []
        sql = (
            "SELECT e.id FROM search JOIN entries e ON e.num = search.rowid WHERE search MATCH ?"
            " ORDER BY e.kind != ?, bm25(search, 8, 4, 1), e.id LIMIT ?"
        )
        titles = f"{{title keywords}} : ({match})"
        return [row[0] for row in self._all(sql, (titles, kind, limit))]

    def labels(self, iris: Iterable[str], lang: str) -> dict[str, Text]:
        """What these subjects are called, for a reader of this language."""
        texts: dict[str, dict[str, str]] = defaultdict(dict)
        for iri, tag, text in self._in(
            "SELECT iri, lang, text FROM labels WHERE iri IN ({})", iris
        ):
            texts[iri][tag] = text
        return {iri: choose(held, lang) for iri, held in texts.items()}

    def _in(self, sql: str, values: Iterable[str]) -> Iterator[Any]:
        for batch in _batches(values, 500):
            yield from self._all(sql.format(",".join("?" * len(batch))), batch)

    # ---- lists

    def datasets(
        self, lang: str, filters: Mapping[str, Sequence[str]] | None = None, q: str = "",
        sort: str = "modified", page: int = 1, size: int = 20, kind: str = "dataset",
    ) -> Listing:  # fmt: skip
        """One page of the entries of a kind that fit all filters and the words of `q`.

        `filters` maps a facet to values of which one must fit; `sort` is one of SORTS; pages are
        counted from 1, and a page beyond the last is the last.
        """
        where, values = _where(kind, filters or {}, q)
        total = self._all(f"SELECT count(*) FROM entries e {where}", values)[0][0]  # noqa: S608
        pages = max(1, -(-total // size))
        page = min(max(page, 1), pages)
        order = {
            "relevance": "hits.rank, t.sort" if q else "t.sort",
            "modified": "e.modified IS NULL, e.modified DESC, t.sort",
            "issued": "e.issued IS NULL, e.issued DESC, t.sort",
            "title": "t.sort",
        }[sort]
        sql = (
            "SELECT e.num, e.id, e.iri, e.kind, t.title, t.title_lang, t.summary,"  # noqa: S608
            " t.summary_lang, e.issued, e.modified"
            " FROM entries e JOIN texts t ON t.entry = e.num AND t.lang = :lang"
            f" {where} ORDER BY {order}, e.id LIMIT :size OFFSET :skip"
        )
        found = self._all(sql, values | {"lang": lang, "size": size, "skip": (page - 1) * size})
        facets = self._facets_of([row[0] for row in found])
        rows = [
            Row(r[1], r[2], r[3], Text(r[4], r[5]), Text(r[6], r[7]), r[8], r[9], facets[r[0]])
            for r in found
        ]
        return Listing(rows, total, page, pages, size)

    def _facets_of(self, numbers: Sequence[int]) -> dict[int, dict[str, list[str]]]:
        facets: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        marks = ",".join("?" * len(numbers))
        sql = (
            f"SELECT entry, facet, value FROM facets WHERE entry IN ({marks}) ORDER BY facet, value"  # noqa: S608
        )
        for entry, facet, value in self._all(sql, numbers):
            facets[entry][facet].append(value)
        return {number: dict(facets[number]) for number in numbers}

    def facets(
        self, filters: Mapping[str, Sequence[str]] | None = None, q: str = "",
        names: Sequence[str] = FACETS, kind: str = "dataset",
    ) -> dict[str, list[tuple[str, int]]]:  # fmt: skip
        """For each facet its values with counts, most first.

        A facet's counts leave its own filter aside: they say what another choice would give.
        """
        held = {facet: values for facet, values in (filters or {}).items() if values}
        found: dict[str, list[tuple[str, int]]] = {}
        free = [name for name in names if name not in held]
        for group in ([free] if free else []) + [[name] for name in names if name in held]:
            others = {f: v for f, v in held.items() if f not in group}
            where, values = _where(kind, others, q)
            marks = ",".join(f":name{n}" for n in range(len(group)))
            sql = (
                "SELECT f.facet, f.value, count(*) AS n FROM entries e"  # noqa: S608
                f" JOIN facets f ON f.entry = e.num AND f.facet IN ({marks})"
                f" {where} GROUP BY f.facet, f.value ORDER BY f.facet, n DESC, f.value"
            )
            values |= {f"name{n}": name for n, name in enumerate(group)}
            for name, rows in groupby(self._all(sql, values), key=lambda row: str(row[0])):
                found[name] = [(row[1], row[2]) for row in rows]
        return {name: found.get(name, []) for name in names}

    def matches(self, q: str) -> dict[str, int]:
        """How many entries of each kind fit the words of `q`."""
        where, values = _where(None, {}, q)
        sql = f"SELECT e.kind, count(*) FROM entries e {where} GROUP BY e.kind ORDER BY e.kind"  # noqa: S608
        return dict(self._all(sql, values)) if q else {}


def _where(
    kind: str | None, filters: Mapping[str, Sequence[str]], q: str
) -> tuple[str, dict[str, Any]]:
    """The join with the words' hits and the condition, with named values."""
    values: dict[str, Any] = {}
    join, conditions = "", ["NOT e.gone"]
    if q:
        # A word is always quoted, so that it cannot be an operator of the search language.
        words = re.findall(r"\w+", q)[:16]
        values["match"] = " AND ".join(f'"{word}"*' for word in words) or '""'
        join = (
            "JOIN (SELECT rowid AS num, bm25(search, 8, 4, 1) AS rank FROM search"
            " WHERE search MATCH :match) hits ON hits.num = e.num"
        )
    if kind:
        values["kind"] = kind
        conditions.append("e.kind = :kind")
    for number, (facet, wanted) in enumerate(sorted(filters.items())):
        if not wanted:
            continue
        marks = ",".join(f":v{number}_{n}" for n in range(len(wanted)))
        values |= {f"v{number}_{n}": value for n, value in enumerate(wanted)}
        values[f"f{number}"] = facet
        conditions.append(
            f"e.num IN (SELECT entry FROM facets WHERE facet = :f{number} AND value IN ({marks}))"  # noqa: S608
        )
    return f"{join} WHERE {' AND '.join(conditions)}", values


def _batches(values: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    distinct = iter(dict.fromkeys(values))
    while batch := tuple(islice(distinct, size)):
        yield batch


def _place(row: Sequence[Any]) -> Where:
    return Where(row[0], row[1], row[2], bool(row[3]))
