"""Writes the index of a release: one pass over its records, then what joins them."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Mapping, Sequence
from heapq import merge
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from pyroaring import BitMap

from bilbaokg import elsewhere
from bilbaokg.index.content import (
    BELONGING,
    PARTS,
    RELATED,
    Content,
    Field,
    Passage,
    shorten,
    sort_key,
)
from bilbaokg.index.sets import packed, packed_order, size_of_union
from bilbaokg.index.standings import UNCHECKED, Checks, Standings, derived
from bilbaokg.index.texts import choose
from bilbaokg.index.vocabulary import names as vocabulary
from bilbaokg.model import Record
from bilbaokg.terms import AS, DCT, LANGUAGES, RDF, plain, record_id, ref

__all__ = ["FORMAT", "build", "fill"]

# Raised whenever the tables or their content change: an index of another number is made again.
FORMAT: Final = 5

_SCHEMA: Final = """
CREATE TABLE entries(num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, iri TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL, gone INTEGER NOT NULL, issued TEXT, modified TEXT, text BLOB NOT NULL);
CREATE TABLE columns(num INTEGER PRIMARY KEY, entry INTEGER NOT NULL, iri TEXT NOT NULL);
CREATE TABLE resources(iri TEXT PRIMARY KEY, entry INTEGER NOT NULL, page TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE labels(iri TEXT, lang TEXT, text TEXT NOT NULL, PRIMARY KEY(iri, lang)) WITHOUT ROWID;
CREATE TABLE texts(lang TEXT, entry INTEGER, title TEXT NOT NULL, title_lang TEXT NOT NULL,
    summary TEXT NOT NULL, summary_lang TEXT NOT NULL, sort TEXT NOT NULL, PRIMARY KEY(lang, entry))
    WITHOUT ROWID;
CREATE TABLE facets(entry INTEGER, facet TEXT, value TEXT, PRIMARY KEY(entry, facet, value))
    WITHOUT ROWID;
CREATE TABLE sets(facet TEXT, value TEXT, entries BLOB NOT NULL, PRIMARY KEY(facet, value))
    WITHOUT ROWID;
CREATE TABLE orders(kind TEXT, sort TEXT, lang TEXT, entries BLOB NOT NULL,
    PRIMARY KEY(kind, sort, lang)) WITHOUT ROWID;
CREATE TABLE passages(entry INTEGER, field INTEGER, lang TEXT, text TEXT,
    PRIMARY KEY(entry, field, lang, text)) WITHOUT ROWID;
CREATE TABLE names(iri TEXT, lang TEXT, text TEXT, PRIMARY KEY(iri, lang, text)) WITHOUT ROWID;
CREATE TABLE words(word TEXT PRIMARY KEY, entries INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE search USING fts5(title, keywords, subjects, description, parts, parties,
    codes, content='', tokenize='unicode61 remove_diacritics 2', prefix='2 3');
CREATE VIRTUAL TABLE terms USING fts5(text, lang UNINDEXED, iri UNINDEXED, entries UNINDEXED,
    tokenize='unicode61 remove_diacritics 2', prefix='2 3');
CREATE TABLE superiors(unit TEXT, superior TEXT, PRIMARY KEY(unit, superior)) WITHOUT ROWID;
CREATE TEMP TABLE distributions(entry INTEGER, iri TEXT);
CREATE TEMP TABLE belongs(entry INTEGER, iri TEXT);
CREATE TEMP TABLE keywords(text TEXT, lang TEXT, entries INTEGER, PRIMARY KEY(text, lang))
    WITHOUT ROWID;
"""
# A distribution that several datasets share is a record of its own: its formats are theirs too.
# A table and its columns are records of their own: their names are the dataset's parts
# (fields 0, 1, 4 and 6 are Field.TITLE, KEYWORDS, PARTS and CODES).
_JOINS: Final = """
CREATE INDEX resources_page ON resources(page);
CREATE INDEX sets_value ON sets(value);
CREATE TEMP TABLE shared AS SELECT d.entry AS entry, e.num AS part
    FROM distributions d JOIN entries e ON e.iri = d.iri WHERE NOT e.gone;
INSERT OR IGNORE INTO facets SELECT s.entry, f.facet, f.value FROM shared s
    JOIN facets f ON f.entry = s.part WHERE f.facet IN ('format', 'licence', 'status');
DELETE FROM facets WHERE facet = 'gap' AND value IN ('format', 'licence')
    AND EXISTS (SELECT 1 FROM facets f WHERE f.entry = facets.entry AND f.facet = facets.value);
CREATE TEMP TABLE inside AS
    WITH one(part, entry) AS (SELECT b.entry, e.num FROM belongs b JOIN entries e ON e.iri = b.iri)
    SELECT part, entry FROM one UNION SELECT a.part, b.entry FROM one a JOIN one b
    ON b.part = a.entry UNION SELECT part, entry FROM shared;
INSERT OR IGNORE INTO passages SELECT i.entry, 4, p.lang, p.text FROM inside i
    JOIN passages p ON p.entry = i.part
    WHERE p.field IN (0, 1, 4, 6);
INSERT OR IGNORE INTO passages SELECT i.entry, 4, n.lang, n.text FROM inside i
    JOIN facets f ON f.entry = i.part AND f.facet = 'subject' JOIN names n ON n.iri = f.value;
"""
_SETS: Final = """
SELECT facet, value, entry FROM facets UNION ALL
SELECT 'kind', kind, num FROM entries WHERE NOT gone UNION ALL
SELECT 'kind', 'column', num FROM columns ORDER BY 1, 2, 3
"""
_ORDERS: Final = {
    "modified": "e.modified IS NULL, e.modified DESC, t.sort, e.id",
    "issued": "e.issued IS NULL, e.issued DESC, t.sort, e.id",
    "title": "t.sort, e.id",
}
_DOCUMENTS: Final = """(SELECT num, id, kind, issued, modified FROM entries WHERE NOT gone UNION ALL
    SELECT num, iri, 'column', NULL, NULL FROM columns)"""
_TYPE: Final = ref(RDF.type)
_TOMBSTONE: Final = ref(AS.Tombstone)
# Kinds whose names other entries are found by.
_NAMED: Final = frozenset({"agent", "concept", "scheme", "series", "service", "unit", "principle"})


def build(
    path: Path, records: Iterable[Record], base: str, languages: Sequence[str] = LANGUAGES,
    checks: Checks = UNCHECKED,
) -> None:  # fmt: skip
    """Write the index of these records to a new file; the same records give the same rows.

    base: that of the catalogue, under which its IRIs are minted; checks: what else is known of
    the release.
    """
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path, isolation_level=None)
    try:
        fill(database, records, base, languages, checks)
    finally:
        database.close()


def fill(
    database: sqlite3.Connection, records: Iterable[Record], base: str,
    languages: Sequence[str] = LANGUAGES, checks: Checks = UNCHECKED,
) -> None:  # fmt: skip
    """Write the index into an empty database that commits by itself."""
    database.executescript(
        f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA user_version={FORMAT};"
        f"{_SCHEMA}BEGIN"
    )
    builder = _Builder(database, base, languages)
    for record in records:
        builder.add(record)
    builder.place_parts()
    builder.stand(checks)
    database.execute("COMMIT")
    database.executescript(f"BEGIN;{_JOINS}COMMIT;BEGIN")
    _Joiner(database, base, languages).join()
    database.execute("COMMIT")
    database.executescript(
        "INSERT INTO search(search) VALUES('optimize');"
        "INSERT INTO terms(terms) VALUES('optimize'); ANALYZE;"
    )


class _Builder:
    """Writes the rows of one record at a time."""

    def __init__(self, database: sqlite3.Connection, base: str, languages: Sequence[str]) -> None:
        self.database, self.base, self.languages = database, base, languages
        self.number = 0
        self.parts: list[tuple[str, int, str]] = []
        self.standings = Standings()

    def add(self, record: Record) -> None:
        """Write what one record says by itself."""
        self.number += 1
        number = self.number
        content = Content(record)
        kind = record.id.partition("/")[0]
        gone = _TOMBSTONE in content.root.get(_TYPE, ())
        self.database.execute(
            "INSERT INTO entries VALUES(?,?,?,?,?,?,?,?)",
            (number, record.id, record.iri, kind, gone, content.latest(DCT.issued),
             content.latest(DCT.modified), zlib.compress(record.text.encode(), 1)),
        )  # fmt: skip
        self._subjects(record, content)
        names, summaries = content.names(content.term), content.summaries(content.term)
        self._texts(number, names or {"": record.iri}, summaries)
        if not gone:
            self.standings.add(number, kind, content)
        if not gone and kind != "rest":
            self._passages(number, content.passages())
            self._facets(number, kind, content)
            self._joins(number, kind, content)
            for column in content.columns():
                self._column(number, column, content)

    def _subjects(self, record: Record, content: Content) -> None:
        outside = elsewhere.thing_of(record)
        for subject, values in content.subjects.items():
            iri = plain(subject)
            # What is elsewhere has a name here, and no page.
            if subject not in (content.term, outside):
                kinds = [PARTS[t] for t in values.get(_TYPE, ()) if t in PARTS]
                self.parts.append((iri, self.number, kinds[0] if kinds else record.id))
            rows = [(iri, lang, text) for lang, text in content.names(subject).items()]
            self.database.executemany("INSERT OR IGNORE INTO labels VALUES(?,?,?)", rows)
        row = (record.iri, self.number, record.id)
        self.database.execute("INSERT OR REPLACE INTO resources VALUES(?,?,?)", row)

    def _texts(self, number: int, names: Mapping[str, str], summaries: Mapping[str, str]) -> None:
        for lang in self.languages:
            title, summary = choose(names, lang), choose(summaries, lang)
            row = (
                lang,
                number,
                *title,
                shorten(summary.text),
                summary.lang,
                sort_key(title.text),
            )
            self.database.execute("INSERT INTO texts VALUES(?,?,?,?,?,?,?)", row)

    def _passages(self, number: int, passages: Iterable[Passage]) -> None:
        rows = [(number, *passage) for passage in passages]
        self.database.executemany("INSERT OR IGNORE INTO passages VALUES(?,?,?,?)", rows)

    def _facets(self, number: int, kind: str, content: Content) -> None:
        rows = [(number, f, v) for f, values in content.facets(kind).items() for v in values]
        self.database.executemany("INSERT OR IGNORE INTO facets VALUES(?,?,?)", rows)

    def _joins(self, number: int, kind: str, content: Content) -> None:
        """What is joined with other records when all are there."""
        many = self.database.executemany
        outside = [(number, iri) for iri in content.distributions_outside()]
        many("INSERT INTO distributions VALUES(?,?)", outside)
        if kind in BELONGING:
            many("INSERT INTO belongs VALUES(?,?)", [(number, iri) for iri in content.wholes()])
        if kind in _NAMED:
            names = [(plain(content.term), *pair) for pair in content.all_names()]
            many("INSERT OR IGNORE INTO names VALUES(?,?,?)", names)
        if kind == "dataset":
            many(
                "INSERT INTO keywords VALUES(?,?,1)"
                " ON CONFLICT(text, lang) DO UPDATE SET entries = entries + 1",
                content.keywords(),
            )

    def _column(self, entry: int, column: str, content: Content) -> None:
        """A column that its table's record describes is found by itself too."""
        self.number += 1
        row = (self.number, entry, plain(column))
        self.database.execute("INSERT INTO columns VALUES(?,?,?)", row)
        names = content.names(column) or {"": plain(column)}
        self._texts(self.number, names, content.summaries(column))
        self._passages(self.number, content.passages_of(column))
        rows = [(self.number, "subject", subject) for subject in content.subjects_of(column)]
        rows.append((self.number, "part", plain(content.term)))
        self.database.executemany("INSERT OR IGNORE INTO facets VALUES(?,?,?)", rows)
        self.database.execute(
            "INSERT INTO belongs SELECT ?, iri FROM entries WHERE num = ?", (self.number, entry)
        )

    def place_parts(self) -> None:
        """Give the parts their pages: their own where they have one, else that of their record."""
        own = set(PARTS.values())
        rows = (
            (iri, entry, record_id(self.base, kind, iri) if kind in own else kind)
            for iri, entry, kind in self.parts
        )
        # A root that another record also speaks of keeps its own row.
        self.database.executemany("INSERT OR IGNORE INTO resources VALUES(?,?,?)", rows)

    def stand(self, checks: Checks) -> None:
        """Write how the datasets stand, and which units are parts of which."""
        many = self.database.executemany
        many("INSERT INTO facets VALUES(?,?,?)", self.standings.rows(checks))
        many("INSERT INTO superiors VALUES(?,?)", sorted(self.standings.superiors()))


class _Joiner:
    """Writes what takes all records: the search table, sets, orders, the words to choose from."""

    def __init__(self, database: sqlite3.Connection, base: str, languages: Sequence[str]) -> None:
        self.database, self.base, self.languages = database, base, languages

    def join(self) -> None:
        """Write it; each step is linear in the number of records, but for sorting."""
        self._grades()
        self._authorities()
        self._search()
        self._sets()
        self._orders()
        self._words()

    def _grades(self) -> None:
        """The quality of datasets that have distributions outside of their own record."""
        sql = "SELECT DISTINCT entry FROM shared ORDER BY entry"
        for (entry,) in self.database.execute(sql).fetchall():
            dataset = self._content(entry)
            parts = "SELECT part FROM shared WHERE entry = ? ORDER BY part"
            for (part,) in self.database.execute(parts, (entry,)).fetchall():
                other = self._content(part)
                dataset.subjects[other.term] = other.root
            self.database.execute(
                "UPDATE facets SET value = ? WHERE entry = ? AND facet = 'quality'",
                (dataset.quality(), entry),
            )

    def _content(self, entry: int) -> Content:
        sql = "SELECT id, iri, text FROM entries WHERE num = ?"
        id, iri, text = self.database.execute(sql, (entry,)).fetchone()
        return Content(Record(id, iri, zlib.decompress(text).decode(), "", 0, "public"))

    def _authorities(self) -> None:
        """Names for values that the release uses and does not describe."""
        known = vocabulary(self.base)
        marks = ",".join("?" * len(RELATED))
        sql = (
            f"SELECT DISTINCT value, facet FROM facets WHERE facet IN ({marks})"  # noqa: S608
            " AND NOT EXISTS (SELECT 1 FROM names n WHERE n.iri = value) ORDER BY value, facet"
        )
        for value, facet in self.database.execute(sql, tuple(RELATED)).fetchall():
            short = unquote(value).rstrip("/#").rpartition("/")[2] if facet == "format" else ""
            names = known.get(value) or ({"": short} if short else {})
            rows = [(value, lang, text) for lang, text in names.items()]
            self.database.executemany("INSERT OR IGNORE INTO names VALUES(?,?,?)", rows)

    def _search(self) -> None:
        """The search table: an entry's own texts, and the names of what it is related to."""
        own = self.database.execute("SELECT entry, field, text FROM passages ORDER BY entry, field")
        marks = ",".join("?" * len(RELATED))
        related = self.database.execute(
            "SELECT f.entry, f.facet, n.text FROM facets f JOIN names n ON n.iri = f.value"  # noqa: S608
            f" WHERE f.facet IN ({marks}) ORDER BY f.entry",
            tuple(RELATED),
        )
        placed = ((entry, RELATED[facet], text) for entry, facet, text in related)
        texts = merge(own, placed, key=itemgetter(0))
        insert = "INSERT INTO search(rowid, {}) VALUES(?{})".format(
            ", ".join(field.name.lower() for field in Field), ",?" * len(Field)
        )
        self.database.executemany(
            insert, (_row(entry, held) for entry, held in groupby(texts, key=itemgetter(0)))
        )

    def _sets(self) -> None:
        found = groupby(self.database.execute(_SETS), key=itemgetter(0, 1))
        rows = ((*key, packed(row[2] for row in rows)) for key, rows in found)
        insert = "INSERT INTO sets VALUES(?,?,?)"
        self.database.executemany(insert, rows)
        self.database.executemany(
            insert, ((*key, packed(held)) for key, held in derived(self._held, self._superiors()))
        )

    def _held(self, facet: str) -> dict[str, BitMap]:
        rows = self.database.execute("SELECT value, entries FROM sets WHERE facet = ?", (facet,))
        return {value: BitMap.deserialize(held) for value, held in rows}

    def _superiors(self) -> list[tuple[str, str]]:
        return self.database.execute("SELECT unit, superior FROM superiors").fetchall()

    def _orders(self) -> None:
        kinds = "SELECT value FROM sets WHERE facet = 'kind' ORDER BY value"
        for (kind,) in self.database.execute(kinds).fetchall():
            for lang in self.languages:
                for sort, order in _ORDERS.items():
                    rows = self.database.execute(
                        f"SELECT e.num FROM {_DOCUMENTS} e JOIN texts t ON t.entry = e.num"  # noqa: S608
                        f" AND t.lang = ? WHERE e.kind = ? ORDER BY {order}",
                        (lang, kind),
                    )
                    row = (kind, sort, lang, packed_order(number for (number,) in rows))
                    self.database.execute("INSERT INTO orders VALUES(?,?,?,?)", row)

    def _words(self) -> None:
        """Words to take instead of a misspelt one, and terms to complete what is typed."""
        self.database.execute(
            "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, 'search', 'row')"
        )
        self.database.execute(
            "INSERT INTO words SELECT term, doc FROM vocabulary"
            " WHERE length(term) BETWEEN 3 AND 40 AND term NOT GLOB '*[0-9]*'"
        )
        self.database.execute("DROP TABLE temp.vocabulary")
        insert = "INSERT INTO terms(text, lang, iri, entries) VALUES(?,?,?,?)"
        keywords = "SELECT text, lang, '', entries FROM keywords ORDER BY text, lang"
        self.database.executemany(insert, self.database.execute(keywords))
        named = "SELECT n.text, n.lang, n.iri FROM names n JOIN entries e ON e.iri = n.iri"
        rows = self.database.execute(f"{named} ORDER BY n.iri, n.lang, n.text").fetchall()
        self.database.executemany(insert, ((*row, self._uses(row[2])) for row in rows))

    def _uses(self, iri: str) -> int:
        """How many entries are found by what a resource is called."""
        rows = self.database.execute("SELECT facet, entries FROM sets WHERE value = ?", (iri,))
        return size_of_union(held for facet, held in rows if facet in RELATED)


def _row(entry: int, texts: Iterable[tuple[int, int, str]]) -> tuple[int | str, ...]:
    """The columns of the search table for one entry."""
    columns: list[list[str]] = [[] for _ in Field]
    for _, field, text in texts:
        columns[field].append(text)
    return (entry, *("\n".join(column) for column in columns))
