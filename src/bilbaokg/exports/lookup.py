"""The data of one resource: exact record texts with random access.

`records.nt` holds the texts of all records, one after the other, by id; `records.idx` says where.
Its lines are `key TAB offset TAB length TAB subject`, sorted by the bytes of the key, so that a
binary search finds one without reading the rest. A key is a record's id or IRI, or the id or IRI of
a part (a distribution, a column, a run ...): `subject` then is its term, and empty otherwise.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, BinaryIO, Final, NamedTuple

from bilbaokg.errors import CorruptStore, NotFound, UnsupportedFormat
from bilbaokg.exports import closure
from bilbaokg.exports.catalogue import TYPE, Blanks, lines_of
from bilbaokg.exports.closure import Tally
from bilbaokg.exports.files import replace_file
from bilbaokg.model import Record, Release
from bilbaokg.sorting import sorted_lines
from bilbaokg.terms import CSVW, DCAT, LISTINGS, PROV, plain, record_id, ref, split_line
from bilbaokg.writing import to_bytes

__all__ = ["FORMATS", "build", "record_texts", "resource"]

TEXTS: Final = "records.nt"
INDEX: Final = "records.idx"
_LAST: Final = 999_999_999  # more records than a release holds
FORMATS: Final = ("ttl", "jsonld", "rdf", "nt")
# Parts with an id of their own, by class.
_PARTS: Final = {
    ref(DCAT.Distribution): "distribution",
    ref(CSVW.Column): "column",
    ref(PROV.Activity): "run",
}


class _Place(NamedTuple):
    offset: int
    length: int
    subject: str = ""


def build(directory: Path, records: Iterable[Record], base: str) -> None:
    """Write the texts and their index; the records come by id."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory) as rows:
        replace_file(directory / TEXTS, lambda out: _write_texts(out, rows, records, base))
        rows.seek(0)
        replace_file(
            directory / INDEX, lambda out: _write_index(out, sorted_lines(rows, directory))
        )


def _write_texts(out: BinaryIO, rows: IO[bytes], records: Iterable[Record], base: str) -> None:
    """Write the texts, and unsorted rows of the index: before its place each has its rank.

    A record is before a part of the same key, the last record of a key and its first part.
    """
    offset = 0
    for number, record in enumerate(records):
        text = record.text.encode()
        out.write(text)
        place = b"%d\t%d" % (offset, len(text))
        for key in {record.id, record.iri}:
            rows.write(b"%s\t0%09d\t%s\t\n" % (key.encode(), _LAST - number, place))
        for key, subject in _parts(record, base):
            names = key.encode(), number, place, subject.encode()
            rows.write(b"%s\t1%09d\t%s\t%s\n" % names)
        offset += len(text)


def _write_index(out: BinaryIO, rows: Iterable[bytes]) -> None:
    before = None
    for row in rows:
        key, _, place = row.split(b"\t", 2)
        if key != before:
            out.write(b"%s\t%s" % (key, place))
        before = key


def _parts(record: Record, base: str) -> Iterator[tuple[str, str]]:
    """The keys of a record's parts; blank nodes have none, nor has a catalogue in its members."""
    types: dict[str, list[str]] = {}
    for subject, predicate, object_ in map(split_line, lines_of(record.text)):
        if predicate not in LISTINGS:
            found = types.setdefault(subject, [])
            if predicate == TYPE:
                found.append(object_)
    blank = Blanks(base)
    for subject, classes in types.items():
        iri = plain(subject)
        if iri == record.iri or blank(subject) != subject:
            continue
        yield iri, subject
        kind = next((_PARTS[c] for c in classes if c in _PARTS), None)
        if kind:
            yield record_id(base, kind, iri), subject


def record_texts(directory: Path) -> Iterator[tuple[str, str]]:
    """(id, text) of every record, by id. Raises CorruptStore."""
    heads: list[tuple[int, int, str]] = []
    with _opened(directory / INDEX) as rows:
        for row in rows:
            key, offset, length, subject = row[:-1].decode().split("\t")
            if not subject and ":" not in key:
                heads.append((int(offset), int(length), key))
    with _opened(directory / TEXTS) as content:
        for start, size, id in sorted(heads):
            content.seek(start)
            yield id, content.read(size).decode()


def resource(release: Release, id_or_iri: str, ext: str) -> bytes:
    """The data of one resource: a record's statements, or those of a part of one.

    Blank nodes that it leads to come with it. Raises NotFound, UnsupportedFormat.
    """
    if ext not in FORMATS:
        raise UnsupportedFormat(f"no data as {ext!r}", hint=f"one of: {', '.join(FORMATS)}")
    reader = _Reader(release.path / "exports", release.manifest["content"]["base"])
    given = Tally(ext)
    content = to_bytes(given.of(reader.lines(id_or_iri)), ext, exact=True)
    closure.same(content, ext, given)
    return content


class _Reader:
    def __init__(self, directory: Path, base: str) -> None:
        self.directory, self.blank = directory, Blanks(base)

    def lines(self, key: str) -> list[str]:
        """The lines of a resource, blank nodes described. Raises NotFound."""
        place = _find(self.directory / INDEX, key)
        if place is None:
            raise NotFound(f"no resource {key!r} in this release")
        text = self._text(place)
        wanted = [place.subject] if place.subject else list(dict.fromkeys(_subjects(text)))
        by_subject: dict[str, list[str]] = {}
        _group(by_subject, text)
        chosen: dict[str, list[str]] = {}
        while wanted:
            subject = wanted.pop(0)
            if subject in chosen:
                continue
            if subject not in by_subject and (elsewhere := self._shared(subject)):
                _group(by_subject, elsewhere)
            chosen[subject] = by_subject.get(subject, [])
            objects = (split_line(line).object for line in chosen[subject])
            wanted += [o for o in objects if o.startswith(self.blank.prefix)]
        lines = [line for found in chosen.values() for line in found]
        described = {s for s, found in chosen.items() if found}
        return [self._blanked(line, described) for line in lines]

    def _blanked(self, line: str, described: set[str]) -> str:
        """Skolem terms become blank nodes where this document describes them."""
        subject, predicate, object_ = split_line(line)
        object_ = self.blank(object_) if object_ in described else object_
        return f"{self.blank(subject)} {predicate} {object_} ."

    def _shared(self, subject: str) -> str | None:
        """The text of the record of a blank node that several records lead to."""
        place = _find(self.directory / INDEX, plain(subject))
        return self._text(place) if place else None

    def _text(self, place: _Place) -> str:
        path = self.directory / TEXTS
        try:
            with path.open("rb") as file:
                file.seek(place.offset)
                return file.read(place.length).decode()
        except OSError as error:
            raise CorruptStore(f"cannot be read: {error.strerror}", where=str(path)) from None


def _subjects(text: str) -> Iterator[str]:
    return (line.partition(" ")[0] for line in lines_of(text))


def _group(by_subject: dict[str, list[str]], text: str) -> None:
    for line in lines_of(text):
        by_subject.setdefault(line.partition(" ")[0], []).append(line)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise CorruptStore(f"cannot be read: {error.strerror}", where=str(path)) from None


def _find(path: Path, key: str) -> _Place | None:
    """Binary search for a line of the index."""
    wanted = key.encode()
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as rows:
            low, high = 0, len(rows)
            while low < high:
                start = rows.rfind(b"\n", low, (low + high) // 2) + 1 or low
                end = rows.find(b"\n", start)
                found, offset, length, subject = rows[start:end].split(b"\t")
                if found == wanted:
                    return _Place(int(offset), int(length), subject.decode())
                low, high = (end + 1, high) if found < wanted else (low, start)
    except ValueError:  # an empty file cannot be mapped
        return None
    except OSError as error:
        raise CorruptStore(f"cannot be read: {error.strerror}", where=str(path)) from None
    return None
