"""Authority tables: the bundled ones, official ones that were imported, and how to search them.

A table is a SKOS concept scheme. Of an imported one that is kept which validation and search can
use: classes, schemes, codes, labels in our languages, matches and deprecation.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Final

from bilbaokg import assets, languages
from bilbaokg.errors import Invalid
from bilbaokg.exports.files import replace_file
from bilbaokg.model import Source
from bilbaokg.profiles import AUTHORITY
from bilbaokg.settings import Settings
from bilbaokg.shacl.graph import TYPE, Graph
from bilbaokg.shacl.reading import read_files, read_numbered, read_sealed, sealed
from bilbaokg.shacl.shapes import local_name
from bilbaokg.shacl.vocabulary import DEPRECATED, IN_SCHEME
from bilbaokg.terms import (
    DCT,
    LANGUAGES,
    RDF,
    RDFS,
    SKOS,
    XSD,
    Statement,
    language_of,
    literal,
    plain,
    ref,
    slugify,
    split_line,
)
from bilbaokg.workers import Pool

__all__ = ["Concept", "Imported", "Table", "Tables", "read"]

_CONCEPT: Final = ref(SKOS.Concept)
_LABEL: Final = ref(SKOS.prefLabel)
_OTHER_LABEL: Final = ref(SKOS.altLabel)
_NOTATION: Final = ref(SKOS.notation)
_TITLES: Final = (ref(DCT["title"]), _LABEL, ref(RDFS.label))
_TRUE: Final = literal("true", datatype=XSD.boolean)
# How tables of the EU write codes and deprecation -> what we keep.
_EU: Final = "http://publications.europa.eu/ontology/authority/"
_CODES: Final = frozenset(
    {ref("http://purl.org/dc/elements/1.1/identifier"), ref(f"{_EU}authority-code")}
)
_GONE: Final = frozenset({ref(f"{_EU}deprecated"), DEPRECATED})
_KEPT: Final = frozenset(
    map(
        ref,
        (RDF.type, SKOS.inScheme, SKOS.topConceptOf, SKOS.prefLabel, SKOS.altLabel, SKOS.notation,
         SKOS.broader, SKOS.exactMatch, SKOS.closeMatch, SKOS.broadMatch, SKOS.narrowMatch,
         DCT["title"], RDFS.label),
    )
)  # fmt: skip
_NEAR: Final = 0.7


# ---- taking one in


@dataclass(frozen=True, slots=True)
class Imported:
    """A table to keep: its name, the IRI of its scheme, how many concepts, its statements."""

    name: str
    scheme: str
    concepts: int
    lines: tuple[str, ...]

    def write(self, folder: Path) -> Path:
        """Write it in the place of what was imported of this table before."""
        file = self._place(folder)
        content = sealed(self.lines)

        def fill(out: BinaryIO) -> None:
            out.write(content)

        replace_file(file, fill)
        return file

    def _place(self, folder: Path) -> Path:
        """The file of this table: another one may be called alike."""
        file = folder / f"{self.name}.nt"
        mine = f" {IN_SCHEME} {ref(self.scheme)} ."
        if not file.is_file() or mine in file.read_text(encoding="utf-8"):
            return file
        mark = hashlib.sha256(self.scheme.encode()).hexdigest()[:8]
        return folder / f"{self.name}-{mark}.nt"


def read(source: Source, pool: Pool | None = None, settings: Settings | None = None) -> Imported:
    """What an RDF file says of a table.

    Raises SyntaxFault (as for IRIs with spaces) and Invalid, with the line, for texts in unknown
    languages, and Invalid for a file without concepts or with concepts of no scheme.
    """
    lines, numbers = read_numbered(source, pool, blank="v", settings=settings)
    _check_languages(source, lines, numbers)
    statements = [split_line(line) for line in lines]
    concepts = {s.subject for s in statements if s.predicate == TYPE and s.object == _CONCEPT}
    if not concepts:
        raise Invalid(
            "there are no concepts in it", where=source.label, hint="a table is SKOS: skos:Concept"
        )
    schemes = Counter(
        s.object for s in statements if s.predicate == IN_SCHEME and s.subject in concepts
    )
    if not schemes:
        raise Invalid(
            "its concepts say of no table that they are in it",
            where=source.label,
            hint="each concept needs skos:inScheme",
        )
    (scheme, count), *_ = schemes.most_common(1)
    about = {*concepts, *schemes}
    kept = set(_kept(s for s in statements if s.subject in about))
    kept |= _typed_as_ours(concepts, scheme)
    return Imported(_name(scheme), plain(scheme), count, tuple(sorted(kept)))


def _check_languages(source: Source, lines: list[str], numbers: Iterable[int]) -> None:
    known: dict[str, bool] = {}
    for line, number in zip(lines, [*numbers] or [0] * len(lines), strict=False):
        tag = language_of(line[:-2])
        if tag and not known.setdefault(tag, languages.is_known(tag)):
            raise Invalid(
                f"a text has the unknown language {tag!r}",
                where=f"{source.label}:{number}" if number else source.label,
                hint="give the code of ISO 639, such as @es or @eu",
                line=number or None,
            )


def _kept(statements: Iterable[Statement]) -> Iterator[str]:
    """What is kept of the statements about concepts and schemes, as lines."""
    for s, p, o in statements:
        if p in _CODES:
            yield Statement(s, _NOTATION, literal(plain(o))).line
        elif p in _GONE:
            if plain(o) == "true":
                yield Statement(s, DEPRECATED, _TRUE).line
        elif p in _KEPT and not o.startswith("_:") and _is_ours(language_of(o)):
            yield Statement(s, p, o).line


def _is_ours(tag: str | None) -> bool:
    """Whether a language, if there is one, is one of ours in whatever region."""
    return tag is None or tag.partition("-")[0] in LANGUAGES


def _typed_as_ours(concepts: Iterable[str], scheme: str) -> set[str]:
    """The classes that all of our own concepts of a scheme have, said of others: shapes ask."""
    ours = Graph(_bundled()[0])
    members = ours.subjects(IN_SCHEME, scheme)
    shared = [set(ours.objects(member, TYPE)) for member in members]
    classes = set.intersection(*shared) if shared else set()
    return {Statement(c, TYPE, class_).line for c in concepts for class_ in classes}


@cache
def _bundled() -> tuple[Sequence[str], Mapping[str, str]]:
    """The statements of the bundled tables, and the name of the file of each scheme."""
    lines: list[str] = []
    names: dict[str, str] = {}
    for file in sorted((assets.folder("ontology") / AUTHORITY).glob("*.ttl")):
        found = read_files([file])
        lines += found
        names |= {s.object: file.stem for s in map(split_line, found) if s.predicate == IN_SCHEME}
    return lines, names


def _name(scheme: str) -> str:
    """What a table is called: as its bundled file, else as its IRI ends."""
    ours = _bundled()[1].get(scheme)
    return ours or slugify(local_name(plain(scheme))) or "table"


# ---- looking into them


@dataclass(frozen=True, slots=True)
class Concept:
    """A value of a table: its IRI and code, its labels by language, whether it is out of use."""

    iri: str
    table: str
    code: str
    labels: Mapping[str, str]
    deprecated: bool

    def as_dict(self) -> dict[str, Any]:
        """The members of `vocab search --json`."""
        return {
            "iri": self.iri, "table": self.table, "code": self.code,
            "labels": dict(self.labels), "deprecated": self.deprecated,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its title by language, and how much of it is bundled and imported."""

    name: str
    scheme: str
    title: Mapping[str, str]
    concepts: int
    deprecated: int
    imported: bool

    def as_dict(self) -> dict[str, Any]:
        """The members of `vocab list --json`."""
        return {
            "name": self.name, "scheme": self.scheme, "title": dict(self.title),
            "concepts": self.concepts, "deprecated": self.deprecated, "imported": self.imported,
        }  # fmt: skip


class Tables:
    """The bundled tables and those in a folder, as one.

    Raises CorruptStore for a file that is not what was imported.
    """

    def __init__(self, folder: Path | None) -> None:
        files = sorted(folder.glob("*.nt")) if folder else []
        added = Graph(line for file in files for line in read_sealed(file))
        self._graph = Graph([*_bundled()[0], *added.lines()])
        self._imported = set(_objects(added, IN_SCHEME))

    def all(self) -> list[Table]:
        """All tables, by name."""
        found = [self._table(scheme) for scheme in set(_objects(self._graph, IN_SCHEME))]
        return sorted(found, key=lambda table: (table.name, table.scheme))

    def search(self, text: str, *, table: str | None = None, limit: int = 20) -> list[Concept]:
        """The concepts with a code or label that is, begins with or holds a text, in this order.

        Case and diacritics do not matter. Where none has it, those with the nearest names.
        """
        wanted = _fold(text)
        names = {c: self._names(c) for c in self._concepts(table)}
        ranked = [
            (rank, c) for c, held in names.items() if (rank := _rank(wanted, held)) is not None
        ]
        if not ranked:
            by_name = {name: c for c, held in names.items() for name in held}
            near = difflib.get_close_matches(wanted, by_name, limit, _NEAR)
            ranked = [(place, by_name[name]) for place, name in enumerate(near)]
        ordered = dict.fromkeys(concept for _, concept in sorted(ranked))
        return [self._concept(concept) for concept in list(ordered)[:limit]]

    # ---- inside

    def _concepts(self, table: str | None) -> Iterator[str]:
        for scheme in sorted(set(_objects(self._graph, IN_SCHEME))):
            if table in (None, plain(scheme), _name(scheme)):
                yield from self._graph.subjects(IN_SCHEME, scheme)

    def _names(self, concept: str) -> list[str]:
        held = [self._code(concept), local_name(plain(concept))]
        for predicate in (_LABEL, _OTHER_LABEL):
            held += map(plain, self._graph.objects(concept, predicate))
        return [*map(_fold, held)]

    def _code(self, concept: str) -> str:
        return plain(self._graph.one(concept, _NOTATION) or f"<{local_name(plain(concept))}>")

    def _concept(self, concept: str) -> Concept:
        schemes = self._graph.objects(concept, IN_SCHEME)
        return Concept(
            iri=plain(concept),
            table=_name(schemes[0]),
            code=self._code(concept),
            labels=_by_language(self._graph.objects(concept, _LABEL)),
            deprecated=bool(self._graph.objects(concept, DEPRECATED)),
        )

    def _table(self, scheme: str) -> Table:
        members = self._graph.subjects(IN_SCHEME, scheme)
        titles = (self._graph.objects(scheme, predicate) for predicate in _TITLES)
        return Table(
            name=_name(scheme),
            scheme=plain(scheme),
            title=_by_language(next(filter(None, titles), ())),
            concepts=len(members),
            deprecated=sum(bool(self._graph.objects(m, DEPRECATED)) for m in members),
            imported=scheme in self._imported,
        )


def _objects(graph: Graph, predicate: str) -> Iterator[str]:
    return (object_ for _, object_ in graph.pairs(predicate))


def _by_language(labels: Iterable[str]) -> dict[str, str]:
    return {language_of(label) or "": plain(label) for label in labels}


def _fold(text: str) -> str:
    """Without case, diacritics and what is no letter or digit."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in letters if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", " ", bare).strip()


def _rank(wanted: str, names: Iterable[str]) -> int | None:
    """0 for a name that is the text, 1 for one that begins with it, 2 for one that holds it."""
    ranks = [0 if n == wanted else 1 if n.startswith(wanted) else 2 for n in names if wanted in n]
    return min(ranks, default=None)
