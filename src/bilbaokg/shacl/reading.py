"""Reading shapes, background and data files into statements (N-Triples lines)."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from bilbaokg import assets
from bilbaokg.errors import BadInput, CorruptStore, SyntaxFault
from bilbaokg.formats import by_extension, by_name
from bilbaokg.model import Source
from bilbaokg.settings import Settings
from bilbaokg.terms import DEFAULT_BASE, split_line, split_lines
from bilbaokg.workers import Pool, stream

__all__ = [
    "is_ours",
    "read_file",
    "read_files",
    "read_numbered",
    "read_sealed",
    "read_source",
    "sealed",
    "source_of",
]

_SEAL: Final = "# sha256 "


def source_of(data: str | Path | bytes, format: str | None = None) -> Source:
    """The source that a path is, or bytes in a format. Raises BadInput for an unknown format."""
    if isinstance(data, bytes):
        if not format:
            raise BadInput("bytes need a format", hint='for example format="ttl"')
        return Source("input", None, by_name(format).media_type, content=data)
    path = Path(data)
    found = by_name(format) if format else by_extension(path.name)
    if found is None:
        raise BadInput("unknown file extension", where=str(path), hint="give a format")
    return Source(str(path), path, found.media_type, base=path.resolve().as_uri())


def read_source(
    source: Source, pool: Pool | None = None, *, blank: str = "b"
) -> tuple[list[str], dict[str, int]]:
    """The statements of a source, read in a worker, and the line of each subject.

    blank: how the names of blank nodes begin. Raises what workers.stream raises.
    """
    lines, numbers = read_numbered(source, pool, blank=blank)
    places: dict[str, int] = {}
    for line, number in zip(lines, numbers, strict=False):
        places.setdefault(line.partition(" ")[0], number)
    return lines, places


def read_numbered(
    source: Source,
    pool: Pool | None = None,
    *,
    blank: str = "b",
    settings: Settings | None = None,
) -> tuple[list[str], array[int]]:
    """As `read_source`, with the line of each statement; none where a syntax has no lines."""
    lines: list[str] = []
    numbers = array("I")
    with stream(source, settings or Settings(), pool=pool, locate=True, blank=blank) as frames:
        for header, content in frames:
            if "numbers" in header:
                numbers.frombytes(content)
            elif content:
                lines += content.decode().split("\n")
    return lines, numbers


def read_file(file: Path, pool: Pool | None = None) -> tuple[list[str], dict[str, str]]:
    """The statements of an RDF file, and where it describes each subject (`file:line`).

    Ours are read in process, without lines; others in a worker. Blank nodes are named apart from
    those of other files. Raises SyntaxFault naming the file.
    """
    if is_ours(file):
        lines = _own(file)
        return lines, dict.fromkeys((split_line(line).subject for line in lines), file.name)
    mark = _mark(file)
    lines, places = read_source(source_of(file), pool, blank=f"f{mark}b")
    return lines, {subject: f"{file}:{line}" for subject, line in places.items()}


def read_files(files: Iterable[Path], pool: Pool | None = None) -> list[str]:
    """The statements of several files (see `read_file`)."""
    return [line for file in files for line in read_file(file, pool)[0]]


def sealed(lines: Iterable[str]) -> bytes:
    """Canonical lines as a file that `read_sealed` reads again."""
    content = "".join(f"{line}\n" for line in lines).encode()
    return f"{_SEAL}{hashlib.sha256(content).hexdigest()}\n".encode() + content


def read_sealed(file: Path) -> list[str]:
    """The lines of a file that this program wrote: without parsing them, once their hash is right.

    Raises CorruptStore.
    """
    seal, _, content = file.read_bytes().partition(b"\n")
    if seal.decode(errors="replace") != f"{_SEAL}{hashlib.sha256(content).hexdigest()}":
        raise CorruptStore(
            "the table is not what was imported",
            where=str(file),
            hint="import it again, or remove the file",
        )
    return split_lines(content.decode())


def is_ours(file: Path) -> bool:
    """Whether a file came with the product."""
    resolved = file.resolve()
    return any(resolved.is_relative_to(assets.folder(name)) for name in ("shapes", "ontology"))


def _mark(file: Path) -> str:
    return hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:8]


def _own(file: Path) -> list[str]:
    """Blank nodes are named by the order in which they come: the same at every reading."""
    base, turtle, mark = f"{DEFAULT_BASE}/", ox.RdfFormat.TURTLE, _mark(file)
    names: dict[str, str] = {}

    def name(term: object) -> str:
        text = str(term)
        return names.setdefault(text, f"_:o{mark}b{len(names)}") if text[0] == "_" else text

    try:
        quads = ox.parse(path=str(file), format=turtle, base_iri=base)
        return [f"{name(q.subject)} {q.predicate} {name(q.object)} ." for q in quads]
    except SyntaxError as error:
        line, column = error.lineno, error.offset
        raise SyntaxFault(error.msg, where=str(file), line=line, column=column) from None
