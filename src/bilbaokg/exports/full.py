"""The target `full`: every statement of a release, exact, nothing cut, in one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from bilbaokg.errors import CorruptStore, Invalid
from bilbaokg.exports.catalogue import TYPE, Blanks, lines_of
from bilbaokg.exports.lookup import record_texts
from bilbaokg.model import Record, Release
from bilbaokg.terms import PERSONS, plain, split_line, without_graph
from bilbaokg.writing import write

__all__ = ["FULL", "Full"]


@dataclass(frozen=True, slots=True)
class Full:
    """An export target without table or pages; trig and nq keep the graph of each record."""

    name: str = "full"
    profile: str = ""
    formats: tuple[str, ...] = ("nt", "nq", "ttl", "trig", "rdf", "jsonld")

    def lines(self, release: Release, ext: str) -> Iterator[str]:
        """All statements, in the order and with the graphs that a format needs."""
        return {"nq": _quads, "trig": _by_record}.get(ext, _triples)(release)

    def put(self, lines: Iterable[str], ext: str, out: BinaryIO) -> None:
        """Write them. Raises Invalid where RDF/XML cannot say a statement."""
        write(lines, ext, out, exact=True)

    def is_flat(self, ext: str) -> bool:
        """No format of it is written in a way of its own."""
        return False

    def check(self, records: Iterable[Record]) -> None:
        """Raises Invalid, naming the record and who points there, when a person would leave."""
        for record in records:
            if not any(person in record.text for person in PERSONS):
                continue
            for subject, predicate, object_ in map(split_line, lines_of(record.text)):
                if predicate == TYPE and object_ in PERSONS:
                    raise Invalid(
                        "the release would name a person",
                        where=_referrer(records, subject) or f"{record.id}: {plain(subject)}",
                        hint="make the record internal",
                    )


FULL: Final = Full()


def _referrer(records: Iterable[Record], node: str) -> str | None:
    """The first statement that leads to a node."""
    return next(
        (
            line.removesuffix(" .")
            for record in records
            if f" {node} .\n" in record.text
            for line in lines_of(record.text)
            if line.endswith(f" {node} .")
        ),
        None,
    )


def _quads(release: Release) -> Iterator[str]:
    """The lines of catalogue.nq, with blank nodes."""
    path = release.path / "catalogue.nq"
    blank = Blanks(release.manifest["content"]["base"])
    try:
        # Only line feeds end a line here: literals may hold other line separators.
        with path.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                yield blank.line(line.removesuffix("\n"))
    except OSError as error:
        raise CorruptStore(f"cannot be read: {error.strerror}", where=str(path)) from None


def _triples(release: Release) -> Iterator[str]:
    """The statements without their graphs; two records that say the same say it once."""
    before = ""
    for quad in _quads(release):
        line = without_graph(quad)
        if line != before:
            yield line
        before = line


def _by_record(release: Release) -> Iterator[str]:
    """N-Quads record by record, so that each graph is written in one piece."""
    base = release.manifest["content"]["base"]
    blank = Blanks(base)
    for id, text in record_texts(release.path / "exports"):
        for line in lines_of(text):
            yield f"{blank.line(line)[:-1]}<{base}/graph/record/{id}> ."
