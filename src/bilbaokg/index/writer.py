"""Writes the index of a release: one pass over its records."""

from __future__ import annotations

import sqlite3
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from bilbaokg.index.texts import choose
from bilbaokg.model import Record
from bilbaokg.terms import (
    ADMS,
    AS,
    CSVW,
    DCAT,
    DCATAP,
    DCT,
    FOAF,
    LANGUAGES,
    PROV,
    RDF,
    RDFS,
    SCHEMA,
    SKOS,
    VCARD,
    language_of,
    plain,
    record_id,
    ref,
    split_line,
    split_lines,
)

__all__ = ["FORMAT", "NAMES", "build", "fill"]

# Raised whenever the tables or their content change: an index of another number is made again.
FORMAT: Final = 1

_SCHEMA: Final = """
CREATE TABLE entries(num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, iri TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL, gone INTEGER NOT NULL, issued TEXT, modified TEXT, text BLOB NOT NULL);
CREATE TABLE resources(iri TEXT PRIMARY KEY, entry INTEGER NOT NULL, page TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE labels(iri TEXT, lang TEXT, text TEXT NOT NULL, PRIMARY KEY(iri, lang)) WITHOUT ROWID;
CREATE TABLE texts(lang TEXT, entry INTEGER, title TEXT NOT NULL, title_lang TEXT NOT NULL,
    summary TEXT NOT NULL, summary_lang TEXT NOT NULL, sort TEXT NOT NULL, PRIMARY KEY(lang, entry))
    WITHOUT ROWID;
CREATE TABLE facets(facet TEXT, value TEXT, entry INTEGER, PRIMARY KEY(facet, value, entry))
    WITHOUT ROWID;
CREATE TABLE distributions(entry INTEGER, iri TEXT);
CREATE VIRTUAL TABLE search USING fts5(title, keywords, description, content='',
    tokenize='unicode61 remove_diacritics 2', prefix='2 3');
"""
_INDEXES: Final = """
CREATE INDEX entries_kind ON entries(kind, gone, modified);
CREATE INDEX resources_page ON resources(page);
CREATE INDEX texts_sort ON texts(lang, sort);
CREATE INDEX facets_entry ON facets(entry, facet);
-- A distribution that several datasets share is a record of its own: its formats are theirs too.
INSERT OR IGNORE INTO facets SELECT f.facet, f.value, d.entry FROM distributions d
    JOIN entries e ON e.iri = d.iri JOIN facets f ON f.entry = e.num
    WHERE f.facet IN ('format', 'licence');
DELETE FROM facets WHERE facet = 'gap' AND value IN ('format', 'licence')
    AND EXISTS (SELECT 1 FROM facets f WHERE f.entry = facets.entry AND f.facet = facets.value);
DROP TABLE distributions;
INSERT INTO search(search) VALUES('optimize');
ANALYZE;
"""
# What a thing is called, best first.
NAMES: Final = tuple(
    map(
        ref,
        (
            DCT["title"], SKOS.prefLabel, FOAF.name, VCARD.fn, RDFS.label, SCHEMA.name, CSVW.name,
            SKOS.notation, DCT.identifier,
        ),
    )
)  # fmt: skip
_RANK: Final = {name: rank for rank, name in enumerate(NAMES)}
_SUMMARIES: Final = tuple(map(ref, (DCT.description, SKOS.definition, RDFS.comment)))
_SUMMARY_LENGTH: Final = 280
_TYPE: Final = ref(RDF.type)
_TOMBSTONE: Final = ref(AS.Tombstone)
_EU_THEMES: Final = "http://publications.europa.eu/resource/authority/data-theme/"
# Parts of a record that have a page of their own, by class.
_PARTS: Final = {
    ref(DCAT.Distribution): "distribution",
    ref(CSVW.Column): "column",
    ref(PROV.Activity): "run",
}
_SIMPLE: Final = {
    "publisher": ref(DCT.publisher),
    "access": ref(DCT.accessRights),
    "hvd": ref(DCATAP.hvdCategory),
    "frequency": ref(DCT.accrualPeriodicity),
    "status": ref(ADMS.status),
    "subject": ref(DCT.subject),
    "series": ref(DCAT.inSeries),
    "scheme": ref(SKOS.inScheme),
}
_DISTRIBUTION: Final = ref(DCAT.distribution)
_LICENCE: Final = ref(DCT.license)
_FORMAT: Final = ref(DCT["format"])


def build(path: Path, records: Iterable[Record], languages: Sequence[str] = LANGUAGES) -> None:
    """Write the index of these records to a new file; the same records give the same rows."""
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path, isolation_level=None)
    try:
        fill(database, records, languages)
    finally:
        database.close()


def fill(
    database: sqlite3.Connection, records: Iterable[Record], languages: Sequence[str] = LANGUAGES
) -> None:
    """Write the index into an empty database that commits by itself."""
    database.executescript(
        f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA user_version={FORMAT};"
        f"{_SCHEMA}BEGIN"
    )
    builder = _Builder(database, languages)
    for record in records:
        builder.add(record)
    builder.finish()
    database.execute("COMMIT")
    database.executescript(f"BEGIN;{_INDEXES}COMMIT")


class _Builder:
    """Writes the rows of one record at a time."""

    def __init__(self, database: sqlite3.Connection, languages: Sequence[str]) -> None:
        self.database, self.languages = database, languages
        self.base = ""
        self.number = 0
        self.parts: list[tuple[str, int, str]] = []

    def add(self, record: Record) -> None:
        self.number += 1
        if not self.base and record.iri.endswith(f"/id/{record.id}"):
            self.base = record.iri.removesuffix(f"/id/{record.id}")
        content = _Content(record)
        kind = record.id.partition("/")[0]
        gone = _TOMBSTONE in content.root.get(_TYPE, ())
        insert = self.database.execute
        insert(
            "INSERT INTO entries VALUES(?,?,?,?,?,?,?,?)",
            (self.number, record.id, record.iri, kind, gone, content.latest(DCT.issued),
             content.latest(DCT.modified), zlib.compress(record.text.encode(), 1)),
        )  # fmt: skip
        self._subjects(record, content)
        names, summaries = content.names(content.term), content.texts(_SUMMARIES)
        self._texts(names or {"": record.iri}, summaries)
        if not gone:
            words = " ".join(plain(k) for k in content.root.get(ref(DCAT.keyword), ()))
            other = " ".join(plain(k) for k in content.root.get(ref(SKOS.altLabel), ()))
            row = (
                self.number,
                " ".join(names.values()),
                f"{words} {other}",
                " ".join(summaries.values()),
            )
            insert("INSERT INTO search(rowid, title, keywords, description) VALUES(?,?,?,?)", row)
            self._facets(kind, content)

    def _subjects(self, record: Record, content: _Content) -> None:
        for subject, values in content.subjects.items():
            iri = plain(subject)
            if subject != content.term:
                kinds = [_PARTS[t] for t in values.get(_TYPE, ()) if t in _PARTS]
                self.parts.append((iri, self.number, kinds[0] if kinds else record.id))
            rows = [(iri, lang, text) for lang, text in content.names(subject).items()]
            self.database.executemany("INSERT OR IGNORE INTO labels VALUES(?,?,?)", rows)
        row = (record.iri, self.number, record.id)
        self.database.execute("INSERT OR REPLACE INTO resources VALUES(?,?,?)", row)

    def _texts(self, names: Mapping[str, str], summaries: Mapping[str, str]) -> None:
        for lang in self.languages:
            title, summary = choose(names, lang), choose(summaries, lang)
            row = (
                lang,
                self.number,
                *title,
                _shorten(summary.text),
                summary.lang,
                _sort_key(title.text),
            )
            self.database.execute("INSERT INTO texts VALUES(?,?,?,?,?,?,?)", row)

    def _facets(self, kind: str, content: _Content) -> None:
        rows = [(f, v, self.number) for f, values in content.facets(kind).items() for v in values]
        self.database.executemany("INSERT OR IGNORE INTO facets VALUES(?,?,?)", rows)
        outside = [
            (self.number, plain(d))
            for d in content.root.get(_DISTRIBUTION, ())
            if d not in content.subjects
        ]
        self.database.executemany("INSERT INTO distributions VALUES(?,?)", outside)

    def finish(self) -> None:
        """Give the parts their pages: their own where they have one, else that of their record."""
        own = set(_PARTS.values())
        rows = (
            (iri, entry, record_id(self.base, kind, iri) if kind in own else kind)
            for iri, entry, kind in self.parts
        )
        # A root that another record also speaks of keeps its own row.
        self.database.executemany("INSERT OR IGNORE INTO resources VALUES(?,?,?)", rows)


class _Content:
    """The statements of one record, by subject and predicate (N-Triples terms)."""

    def __init__(self, record: Record) -> None:
        self.term = ref(record.iri)
        self.subjects: dict[str, dict[str, list[str]]] = {}
        for s, p, o in map(split_line, split_lines(record.text)):
            self.subjects.setdefault(s, {}).setdefault(p, []).append(o)
        self.root = self.subjects.get(self.term, {})

    def names(self, subject: str) -> dict[str, str]:
        """What a subject is called, by language; of its best naming property only."""
        held = self.subjects.get(subject, {})
        best = min((p for p in held if p in _RANK), key=_RANK.__getitem__, default=None)
        return _by_language(held[best]) if best else {}

    def texts(self, predicates: Iterable[str]) -> dict[str, str]:
        """The texts of the first of these properties that the record's root has, by language."""
        return next((_by_language(self.root[p]) for p in predicates if p in self.root), {})

    def latest(self, predicate: str) -> str | None:
        """The last of the root's dates."""
        return max(map(plain, self.root.get(ref(predicate), ())), default=None)

    def facets(self, kind: str) -> dict[str, set[str]]:
        """Facet -> values of the root."""
        found = {name: set(map(self._value, self.root.get(p, ()))) for name, p in _SIMPLE.items()}
        themes = set(map(plain, self.root.get(ref(DCAT.theme), ())))
        official = {theme for theme in themes if theme.startswith(_EU_THEMES)}
        found["theme"] = official or themes
        found["subject"] |= themes - official
        described = [
            self.root,
            *(self.subjects.get(d, {}) for d in self.root.get(_DISTRIBUTION, ())),
        ]
        for name, predicate in (("format", _FORMAT), ("licence", _LICENCE)):
            found[name] = {self._value(o) for held in described for o in held.get(predicate, ())}
        found["area"] = self._agents("owner") or set(
            map(plain, self.root.get(ref(DCT.creator), ()))
        )
        found["steward"] = self._agents("steward")
        if kind == "dataset":
            found["gap"] = set(self._gaps(found))
        return found

    def _value(self, term: str) -> str:
        """An IRI or a text; a nameless node of this record is known by its label."""
        if term in self.subjects and "/.well-known/genid/" in term:
            return choose(self.names(term), LANGUAGES[0]).text or plain(term)
        return plain(term)

    def _agents(self, role: str) -> set[str]:
        """Who holds a role (owner, steward) over the root."""
        held = [self.subjects.get(a, {}) for a in self.root.get(ref(PROV.qualifiedAttribution), ())]
        return {
            plain(agent)
            for attribution in held
            if any(r.endswith(f"/ns#{role}>") for r in attribution.get(ref(DCAT.hadRole), ()))
            for agent in attribution.get(ref(PROV.agent), ())
        }

    def _gaps(self, found: Mapping[str, set[str]]) -> Iterator[str]:
        """What a dataset lacks, as a steward would list it."""
        if not self._agents("owner"):
            yield "owner"
        for name in ("steward", "licence", "theme", "format"):
            if not found[name]:
                yield name
        for name, predicate in (("contact", DCAT.contactPoint), ("modified", DCT.modified)):
            if ref(predicate) not in self.root:
                yield name
        if not {"es", "eu"} <= self.names(self.term).keys() & self.texts(_SUMMARIES).keys():
            yield "translation"


def _by_language(values: Iterable[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for term in values:
        texts.setdefault(language_of(term) or "", plain(term))
    return texts


def _shorten(text: str) -> str:
    if len(text) <= _SUMMARY_LENGTH:
        return text
    return f"{text[:_SUMMARY_LENGTH].rpartition(' ')[0] or text[:_SUMMARY_LENGTH]}…"


def _sort_key(text: str) -> str:
    """The text without case and accents; ñ sorts after n, as in Spanish."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("ñ", "n\uffff"))
    return "".join(c for c in folded if not unicodedata.combining(c))
