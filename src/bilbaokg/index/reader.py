"""Reads the index of a release: records and their exact texts, labels, the rows of lists."""

from __future__ import annotations

import re
import sqlite3
import threading
import zlib
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from pyroaring import BitMap

from bilbaokg.errors import NotFound
from bilbaokg.index.sets import Sets
from bilbaokg.index.standings import closed
from bilbaokg.index.texts import Text, choose

__all__ = ["COUNTED", "FACETS", "WEIGHTS", "Index", "Row", "Where"]

# Facets that are told by others: of them there are sets alone, and lists only filter by them.
_DERIVED: Final = ("has", "within", "meets", "fails", "untested")
# Facets that lists may be filtered by. "gap" names what a dataset lacks, "quality" is the band of
# its points; how it stands otherwise is told in `standings`.
FACETS: Final = (
    "theme", "area", "owner", "steward", "custodian", "publisher", "format", "access", "hvd",
    "licence", "frequency", "status", "quality", "subject", "series", "scheme", "gap",
    "validity", "freshness", "lineage", "principles", *_DERIVED,
)  # fmt: skip
COUNTED: Final = tuple(facet for facet in FACETS if facet not in _DERIVED)
"""The facets whose values are told with their counts."""
WEIGHTS: Final = "10, 5, 4, 2, 1, 0.5, 5"
"""How much a hit counts in each Field, for bm25."""
_ROWS: Final = """
SELECT e.num, e.id, e.iri, e.kind, t.title, t.title_lang, t.summary, t.summary_lang, e.issued,
    e.modified FROM entries e JOIN texts t ON t.lang = ? AND t.entry = e.num WHERE e.num IN ({})
"""
_COLUMN_ROWS: Final = """
SELECT c.num, r.page, c.iri, 'column', t.title, t.title_lang, t.summary, t.summary_lang, NULL, NULL
    FROM columns c JOIN resources r ON r.iri = c.iri
    JOIN texts t ON t.lang = ? AND t.entry = c.num WHERE c.num IN ({})
"""


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
    """One entry of a list, as it reads in the language asked for; `num` is its number inside."""

    num: int
    id: str
    iri: str
    kind: str
    title: Text
    summary: Text
    issued: str | None
    modified: str | None
    facets: dict[str, list[str]]


class Index:
    """A finished index, opened read-only; may be used from many threads.

    `memory` is a database that holds what no file at `path` could.
    """

    def __init__(self, path: Path, memory: sqlite3.Connection | None = None) -> None:
        self.path, self._memory = path, memory
        self._local = threading.local()
        self._sets = Sets()

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

    @cached_property
    def superiors(self) -> Mapping[str, frozenset[str]]:
        """Units (IRIs) with those that they are part of, at whatever distance."""
        return closed(self._all("SELECT unit, superior FROM superiors"))

    def facet(self, name: str) -> Mapping[str, BitMap]:
        """The values of a facet, or kinds, with the entries that have them. Not to be changed."""
        return self._sets.facet(self.database, name)

    def order(self, kind: str, sort: str, lang: str) -> array[int]:
        """The entries of a kind, in an order."""
        return self._sets.order(self.database, kind, sort, lang)

    def hits(self, expression: str) -> BitMap:
        """The entries that fit an expression of FTS5. Not to be changed."""
        return self._sets.hits(self.database, expression)

    def ranked(self, expression: str) -> Sequence[int]:
        """The same, the best first."""
        return self._sets.ranked(self.database, expression, WEIGHTS)

    @cached_property
    def words(self) -> Mapping[str, int]:
        """The words of the release, as FTS5 folds them, with how many entries hold each."""
        return dict(self._all("SELECT word, entries FROM words"))

    def counts(self) -> dict[str, int]:
        """Entries by kind, tombstones left out."""
        return {kind: len(held) for kind, held in sorted(self.facet("kind").items())}

    def text(self, id: str) -> str:
        """The exact released text of a record. Raises NotFound."""
        found = self._all("SELECT text FROM entries WHERE id = ?", (id,))
        if not found:
            raise NotFound(f"no record {id!r} in this release")
        return zlib.decompress(found[0][0]).decode()

    def texts(self, ids: Iterable[str]) -> dict[str, tuple[str, str]]:
        """The IRIs and exact released texts of records, by id; those that the release lacks are
        left out."""
        rows = self._in("SELECT id, iri, text FROM entries WHERE id IN ({})", ids)
        return {id: (iri, zlib.decompress(packed).decode()) for id, iri, packed in rows}

    def iri(self, id: str) -> str:
        """The IRI of a record. Raises NotFound."""
        found = self._all("SELECT iri FROM entries WHERE id = ?", (id,))
        if not found:
            raise NotFound(f"no record {id!r} in this release")
        return str(found[0][0])

    def uses(self, value: str, kind: str = "dataset") -> dict[str, int]:
        """For how many entries of a kind a value is something: facet -> count."""
        those = self.facet("kind").get(kind, BitMap())
        rows = self._all("SELECT facet, entries FROM sets WHERE value = ?", (value,))
        found = {f: those.intersection_cardinality(BitMap.deserialize(b)) for f, b in rows}
        return {facet: count for facet, count in found.items() if count and facet in COUNTED}

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
        return self.facets_by_id([id]).get(id, {})

    def facets_by_id(self, ids: Iterable[str], *names: str) -> dict[str, dict[str, list[str]]]:
        """The facets of records, all where none is named; records that the release lacks are left
        out."""
        numbers = dict(self._in("SELECT id, num FROM entries WHERE id IN ({})", ids))
        facets = self._facets_of(list(numbers.values()), names)
        return {id: facets[number] for id, number in numbers.items()}

    def near(self, kind: str, slug: str, limit: int = 5) -> list[str]:
        """Ids of records whose title or slug is like the one asked for."""
        words = re.findall(r"\w{3,}", slug.replace("-", " "))
        match = " OR ".join(f'"{word}"*' for word in words[:8])
        if not match:
            return []
        sql = (
            "SELECT e.id FROM search JOIN entries e ON e.num = search.rowid WHERE search MATCH ?"  # noqa: S608
            f" ORDER BY e.kind != ?, bm25(search, {WEIGHTS}), e.id LIMIT ?"
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

    def _in(self, sql: str, values: Iterable[Any], *before: Any) -> Iterator[Any]:
        for batch in _batches(values, 500):
            yield from self._all(sql.format(",".join("?" * len(batch))), (*before, *batch))

    # ---- rows of lists

    def iris(self, numbers: Iterable[int]) -> set[str]:
        """The IRIs of entries."""
        return {row[0] for row in self._in("SELECT iri FROM entries WHERE num IN ({})", numbers)}

    def rows(self, numbers: Sequence[int], lang: str) -> list[Row]:
        """These entries, in their order, as they read in a language."""
        found = {
            row[0]: row for sql in (_ROWS, _COLUMN_ROWS) for row in self._in(sql, numbers, lang)
        }
        facets = self._facets_of(numbers)
        return [
            Row(n, id, iri, kind, Text(*told[:2]), Text(*told[2:]), issued, modified, facets[n])
            for n, id, iri, kind, *told, issued, modified in (found[n] for n in numbers)
        ]

    def _facets_of(
        self, numbers: Sequence[int], names: Sequence[str] = ()
    ) -> dict[int, dict[str, list[str]]]:
        facets: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        named = f"facet IN ({','.join('?' * len(names))}) AND " if names else ""
        sql = f"SELECT entry, facet, value FROM facets WHERE {named}entry IN ({{}})"  # noqa: S608
        for entry, facet, value in self._in(f"{sql} ORDER BY facet, value", numbers, *names):
            facets[entry][facet].append(value)
        return {number: dict(facets[number]) for number in numbers}


def _batches(values: Iterable[Any], size: int) -> Iterator[tuple[Any, ...]]:
    distinct = iter(dict.fromkeys(values))
    while batch := tuple(islice(distinct, size)):
        yield batch


def _place(row: Sequence[Any]) -> Where:
    return Where(row[0], row[1], row[2], bool(row[3]))
