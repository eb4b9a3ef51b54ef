"""What one record says, as the index needs it: names, texts, facets, what is found by words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Final, NamedTuple

from bilbaokg.index.texts import choose
from bilbaokg.model import Record
from bilbaokg.quality.catalogue import Described
from bilbaokg.quality.mqa import Evidence, band, score
from bilbaokg.terms import (
    ADMS,
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
    ref,
    split_line,
    split_lines,
)

__all__ = [
    "BELONGING",
    "GAPS",
    "NAMES",
    "PARTS",
    "RELATED",
    "Content",
    "Field",
    "Passage",
    "shorten",
    "sort_key",
]


class Field(IntEnum):
    """Where words are looked for, in the order of the columns of the search table."""

    TITLE = 0
    KEYWORDS = 1
    SUBJECTS = 2
    DESCRIPTION = 3
    PARTS = 4
    PARTIES = 5
    CODES = 6


class Passage(NamedTuple):
    """A text that words are found in, with its language ("" without a tag)."""

    field: Field
    lang: str
    text: str


RELATED: Final = {
    "theme": Field.SUBJECTS, "subject": Field.SUBJECTS, "hvd": Field.SUBJECTS,
    "area": Field.PARTIES, "owner": Field.PARTIES, "steward": Field.PARTIES,
    "custodian": Field.PARTIES, "publisher": Field.PARTIES, "series": Field.PARTIES,
    "format": Field.PARTIES,
}  # fmt: skip
"""Facets by the names of whose values an entry is found, with the field that they count for."""
BELONGING: Final = frozenset({"column", "table"})
"""Kinds of records by which what they are part of is found too: see the facet "part"."""
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
_EU_THEMES: Final = "http://publications.europa.eu/resource/authority/data-theme/"
# Parts of a record that have a page of their own, by class.
PARTS: Final = {
    ref(DCAT.Distribution): "distribution",
    ref(CSVW.Column): "column",
    ref(PROV.Activity): "run",
}
_SIMPLE: Final = {
    "publisher": ref(DCT.publisher),
    "access": ref(DCT.accessRights),
    "hvd": ref(DCATAP.hvdCategory),
    "frequency": ref(DCT.accrualPeriodicity),
    "subject": ref(DCT.subject),
    "series": ref(DCAT.inSeries),
    "scheme": ref(SKOS.inScheme),
}
_DISTRIBUTION: Final = ref(DCAT.distribution)
# What is said of a dataset or of its distributions.
_OF_DISTRIBUTIONS: Final = {
    "format": ref(DCT["format"]),
    "licence": ref(DCT.license),
    "status": ref(ADMS.status),
}


_TOLD_BY_FACETS: Final = ("owner", "steward", "licence", "theme", "format")
_TOLD_BY_PROPERTIES: Final = {"contact": ref(DCAT.contactPoint), "modified": ref(DCT.modified)}
GAPS: Final = (*_TOLD_BY_FACETS, *_TOLD_BY_PROPERTIES, "translation")
"""What a dataset may lack."""
_KEYWORD: Final = ref(DCAT.keyword)
_KEYWORDS: Final = tuple(
    map(
        ref,
        (
            DCAT.keyword, SKOS.altLabel, SKOS.hiddenLabel, DCT["alternative"],
        ),
    )
)  # fmt: skip
_CODES: Final = tuple(map(ref, (SKOS.notation, DCT.identifier, CSVW.name)))
_SYNONYMS: Final = tuple(map(ref, (SKOS.prefLabel, SKOS.altLabel, SKOS.hiddenLabel)))
_CSVW_NAME: Final = (ref(CSVW.name),)
_COLUMN: Final = ref(CSVW.Column)
_SUBJECT: Final = ref(DCT.subject)
_PART_OF: Final = ref(DCT.isPartOf)
# Characters that are no text: marks of hits would be taken for them, and the other way round.
_CONTROLS: Final = dict.fromkeys([*range(32), 127], " ")


class Content:
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

    def summaries(self, subject: str) -> dict[str, str]:
        """What describes a subject, by language; of its best describing property only."""
        held = self.subjects.get(subject, {})
        return next((_by_language(held[p]) for p in _SUMMARIES if p in held), {})

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
        for name, predicate in _OF_DISTRIBUTIONS.items():
            found[name] = {self._value(o) for held in described for o in held.get(predicate, ())}
        found["owner"] = self._agents("owner")
        found["area"] = found["owner"] or set(map(plain, self.root.get(ref(DCT.creator), ())))
        found["steward"] = self._agents("steward")
        found["custodian"] = self._agents("technical-custodian")
        if kind in BELONGING:
            found["part"] = self.wholes()
        if kind == "dataset":
            found["quality"] = {self.quality()}
            found["gap"] = set(self._gaps(found))
        return found

    def _value(self, term: str) -> str:
        """An IRI or a text; a nameless node of this record is known by its label."""
        if term in self.subjects and "/.well-known/genid/" in term:
            return choose(self.names(term), LANGUAGES[0]).text or plain(term)
        return plain(term)

    def _agents(self, role: str) -> set[str]:
        """Who holds a role over the root."""
        held = [self.subjects.get(a, {}) for a in self.root.get(ref(PROV.qualifiedAttribution), ())]
        return {
            plain(agent)
            for attribution in held
            if any(r.endswith(f"/ns#{role}>") for r in attribution.get(ref(DCAT.hadRole), ()))
            for agent in attribution.get(ref(PROV.agent), ())
        }

    def _gaps(self, found: Mapping[str, set[str]]) -> Iterator[str]:
        """What a dataset lacks, as a steward would list it."""
        yield from (name for name in _TOLD_BY_FACETS if not found[name])
        yield from (name for name, said in _TOLD_BY_PROPERTIES.items() if said not in self.root)
        if not {"es", "eu"} <= self.names(self.term).keys() & self.summaries(self.term).keys():
            yield "translation"

    def quality(self) -> str:
        """The band of the points of data.europa.eu that a dataset earns, as far as they are known.

        Whether links answer and whether it conforms is not known here.
        """
        files = sorted(self.root.get(_DISTRIBUTION, ()))
        told = tuple((file, self.subjects.get(file, {})) for file in files)
        return band(score(Described(self.term, self.root, told), Evidence()).single().points)

    # ---- what joins it with other records

    def distributions_outside(self) -> list[str]:
        """The distributions that other records describe."""
        return [plain(d) for d in self.root.get(_DISTRIBUTION, ()) if d not in self.subjects]

    def wholes(self) -> set[str]:
        """What the root is part of."""
        return set(map(plain, self.root.get(_PART_OF, ())))

    def all_names(self) -> Iterator[tuple[str, str]]:
        """All that the root is called, synonyms too: language, text."""
        yield from self.names(self.term).items()
        for passage in self._texts(self.term, _SYNONYMS, Field.TITLE):
            yield passage.lang, passage.text

    def keywords(self) -> Iterator[tuple[str, str]]:
        """The keywords of the root: text, language."""
        for passage in self._texts(self.term, (_KEYWORD,), Field.KEYWORDS):
            yield passage.text, passage.lang

    # ---- what words find

    def passages(self) -> Iterator[Passage]:
        """The texts of the root by which it is found, and the names of its parts."""
        yield from self._said(self.term)
        for subject in self.subjects:
            if subject != self.term and self.is_part(subject):
                for lang, text in self.names(subject).items():
                    yield Passage(Field.PARTS, lang, _clean(text))
                yield from self._texts(subject, _CSVW_NAME, Field.PARTS)

    def passages_of(self, column: str) -> Iterator[Passage]:
        """The texts by which a column is found."""
        return self._said(column)

    def _said(self, subject: str) -> Iterator[Passage]:
        for lang, text in self.names(subject).items():
            yield Passage(Field.TITLE, lang, _clean(text))
        yield from self._texts(subject, _KEYWORDS, Field.KEYWORDS)
        yield from self._texts(subject, _CODES, Field.CODES)
        yield from self._texts(subject, _SUMMARIES, Field.DESCRIPTION)

    def _texts(self, subject: str, predicates: Iterable[str], field: Field) -> Iterator[Passage]:
        held = self.subjects.get(subject, {})
        for predicate in predicates:
            for term in held.get(predicate, ()):
                yield Passage(field, language_of(term) or "", _clean(plain(term)))

    def is_part(self, subject: str) -> bool:
        """Whether a subject is a distribution, a column or a run of the root."""
        return any(kind in PARTS for kind in self.subjects[subject].get(_TYPE, ()))

    def columns(self) -> list[str]:
        """The columns among the parts (terms)."""
        found = (s for s, held in self.subjects.items() if _COLUMN in held.get(_TYPE, ()))
        return [subject for subject in found if subject != self.term]

    def subjects_of(self, subject: str) -> set[str]:
        """The terms of a glossary that a subject is about."""
        return set(map(plain, self.subjects.get(subject, {}).get(_SUBJECT, ())))


def _clean(text: str) -> str:
    return text.translate(_CONTROLS)


def _by_language(values: Iterable[str]) -> dict[str, str]:
    """The first text of each language that shows anything."""
    texts: dict[str, str] = {}
    for term in values:
        if _is_seen(text := plain(term)):
            texts.setdefault(language_of(term) or "", text)
    return texts


def _is_seen(text: str) -> bool:
    """Whether a text has more than spaces, controls and marks without width."""
    return any(unicodedata.category(c)[0] not in "CZ" for c in text)


def shorten(text: str) -> str:
    """The beginning of a text, up to a space."""
    if len(text) <= _SUMMARY_LENGTH:
        return text
    return f"{text[:_SUMMARY_LENGTH].rpartition(' ')[0] or text[:_SUMMARY_LENGTH]}…"


def sort_key(text: str) -> str:
    """The text without case and accents; ñ sorts after n, as in Spanish."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("ñ", "n\uffff"))
    if folded.isascii():
        return folded
    return "".join(c for c in folded if not unicodedata.combining(c))
