"""What the tests of exports share: records and releases made of Turtle or of lines."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Iterable, Sequence, Set
from pathlib import Path

import pyoxigraph as ox

from bilbaokg import exports, selection, workers
from bilbaokg.importers import rdf
from bilbaokg.merging import text_of
from bilbaokg.model import Record, Release, Source
from bilbaokg.partition import partition
from bilbaokg.settings import Settings
from bilbaokg.terms import FOAF, RDF, ref, split_line

BASE = "https://city.example"
SETTINGS = Settings(base=BASE, public_url="https://data.city.example/kg", title={"es": "Todo"})
DATA = Path(__file__).parent / "data" / "exports"
TYPE = ref(RDF.type)

Triple = tuple[str, str, str]


def record(id: str, lines: Iterable[str], iri: str | None = None) -> Record:
    text = text_of(lines)
    digest = hashlib.sha256(text.encode()).hexdigest()
    person = f" {TYPE} {ref(FOAF.Person)} .\n" in text
    visibility = "internal" if person else "public"
    return Record(id, iri or f"{BASE}/id/{id}", text, digest, 1, visibility)


def split(lines_of: dict[str, list[str]], base: str = BASE) -> list[Record]:
    """The records of sources, as the program splits them."""
    assigned = partition(lines_of, base)
    return [
        record(id, [line for said in by_source.values() for line in said], assigned.iris[id])
        for id, by_source in assigned.records.items()
    ]


def turtle(text: str, configuration: Settings = SETTINGS) -> list[Record]:
    """The records of a Turtle document."""
    source = Source("test", None, "text/turtle", content=text.encode())
    return split({"test": workers.parse(source, configuration).lines}, configuration.base)


def files(paths: Sequence[Path], configuration: Settings = SETTINGS) -> list[Record]:
    """The records of files and folders."""
    sources = rdf.discover(list(paths), configuration, base=f"{configuration.base}/")
    said = {source.name: workers.parse(source, configuration).lines for source in sources}
    return split(said, configuration.base)


def public(records: Iterable[Record], configuration: Settings = SETTINGS) -> list[Record]:
    """What of these records a release would hold."""
    return list(selection.select(list(records), configuration).records)


def released(
    directory: Path,
    records: Collection[Record],
    configuration: Settings = SETTINGS,
    *,
    withheld: Set[str] = frozenset(),
) -> Release:
    """A release directory with what exports read."""
    directory.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{line[:-1]}<{configuration.base}/graph/record/{r.id}> .\n"
        for r in records
        for line in r.text.split("\n")[:-1]
    ]
    (directory / "catalogue.nq").write_text("".join(sorted(lines)), encoding="utf-8", newline="\n")
    exports.build(directory / "exports", records, configuration, withheld=withheld)
    manifest = {"content": {"base": configuration.base}}
    return Release(directory.name, directory, "", None, "0" * 64, manifest)


def whole(release: Release, target: str, ext: str, language: str | None = None) -> bytes:
    """All of a target as one document."""
    out = io.BytesIO()
    exports.write_whole(release, target, ext, out, language)
    return out.getvalue()


def triples(content: bytes | Path, format: str = "ttl") -> set[Triple]:
    """The statements of a document as N-Triples terms."""
    data = content.read_bytes() if isinstance(content, Path) else content
    kind = {
        "ttl": ox.RdfFormat.TURTLE,
        "rdf": ox.RdfFormat.RDF_XML,
        "nt": ox.RdfFormat.N_TRIPLES,
        "jsonld": ox.RdfFormat.JSON_LD,
        "nq": ox.RdfFormat.N_QUADS,
        "trig": ox.RdfFormat.TRIG,
    }[format]
    return {(str(q.subject), str(q.predicate), str(q.object)) for q in ox.parse(data, format=kind)}


def said(records: Iterable[Record]) -> set[Triple]:
    """The statements of records."""
    return {tuple(split_line(line)) for r in records for line in r.text.split("\n")[:-1]}


def about(found: set[Triple], subject: str, predicate: str) -> set[str]:
    """The objects of an IRI's property."""
    return {o for s, p, o in found if s == ref(subject) and p == ref(predicate)}
