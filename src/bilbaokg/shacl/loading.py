"""Reading data to be validated: into memory, or onto disk where it is too much for that.

Blank nodes keep being blank nodes, named in the order they come; they are named for good only when
records are made of them. What a worker has parsed is taken in while it parses on.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Final, NamedTuple

from bilbaokg.model import Source
from bilbaokg.settings import Settings
from bilbaokg.shacl.collecting import uncollected
from bilbaokg.shacl.context import Lines
from bilbaokg.shacl.graph import Graph, Nodes, take_apart
from bilbaokg.shacl.prepared import Prepared
from bilbaokg.shacl.spool import Spool
from bilbaokg.shacl.spooling import SpoolWriter
from bilbaokg.workers import Pool, stream

__all__ = ["IN_MEMORY", "Loaded", "Part", "PartPlaces", "hold", "load", "parts"]

# Characters of N-Triples up to which data are held in memory (some ten times as much).
IN_MEMORY: Final = 16 << 20
_BATCH: Final = 10_000


class Part(NamedTuple):
    """Statements that came together, with their lines in the file, four bytes each."""

    file: str
    text: str
    numbers: bytes
    statements: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """Data ready to be looked at. places: file and line where a node is first described."""

    data: Graph | Spool
    statements: int
    places: Lines

    def __enter__(self) -> Loaded:
        return self

    def __exit__(self, *_: object) -> None:
        if isinstance(self.data, Spool):
            self.data.close()


def load(
    sources: Sequence[Source],
    settings: Settings,
    pool: Pool,
    folder: Path,
    prepared: Prepared,
    *,
    on_source: Callable[[int, Source], None] = lambda _number, _source: None,
    called: Callable[[Source], str] = attrgetter("label"),
) -> Loaded:
    """Parse sources in a worker. folder: an empty one, for what is too much for memory.

    prepared: the shapes that data on disk are indexed for. called: how findings name a source.
    Raises what workers.stream raises, Invalid for the shapes.
    """
    intake = _Intake(folder, prepared, IN_MEMORY)
    with uncollected():
        for part in parts(sources, settings, pool, on_source=on_source, called=called):
            intake.add(part)
    return intake.loaded()


def parts(
    sources: Sequence[Source],
    settings: Settings,
    pool: Pool,
    *,
    on_source: Callable[[int, Source], None] = lambda _number, _source: None,
    called: Callable[[Source], str] = attrgetter("label"),
) -> Iterator[Part]:
    """The statements of sources, while a worker parses them; otherwise as `load`."""
    for number, source in enumerate(sources):
        on_source(number, source)
        file, text, statements = called(source), b"", 0
        blank = f"b{number}x" if len(sources) > 1 else "b"
        with stream(source, settings, pool=pool, locate=True, blank=blank) as frames:
            for header, content in frames:
                if "lines" in header:
                    text, statements = content, header["lines"]
                elif "numbers" in header and statements:
                    yield Part(file, f"{text.decode()}\n", content, statements)


def hold(
    lines: Iterable[str],
    folder: Path,
    prepared: Prepared,
    *,
    in_memory: int | None = None,
) -> Loaded:
    """Take statements (N-Triples lines) that are at hand already; otherwise as `load`.

    in_memory: characters of N-Triples that may be held.
    """
    intake = _Intake(folder, prepared, IN_MEMORY if in_memory is None else in_memory)
    waiting = iter(lines)
    while batch := list(islice(waiting, _BATCH)):
        intake.add(Part("", "\n".join([*batch, ""]), b"", len(batch)))
    return intake.loaded()


class _Intake:
    """Statements on their way: into memory, and onto disk once they are too many."""

    def __init__(self, folder: Path, prepared: Prepared, most: int) -> None:
        self._folder, self._prepared, self._most = folder, prepared, most
        self._nodes: Nodes = {}
        self._held: list[Part] = []
        self._writer: SpoolWriter | None = None
        self._size = self._statements = 0

    def add(self, part: Part) -> None:
        """Take N-Triples lines."""
        self._size += len(part.text)
        self._statements += part.statements
        if self._size <= self._most:
            take_apart(part.text, self._nodes)
            self._held.append(part)
            return
        if self._writer is None:
            self._writer = self._to_disk()
        self._writer.add(*part)

    def _to_disk(self) -> SpoolWriter:
        writer = SpoolWriter(self._folder, self._prepared.program.backwards)
        for held in self._held:
            writer.add(*held)
        self._held.clear()
        self._nodes = {}
        return writer

    def loaded(self) -> Loaded:
        """All that was taken."""
        if self._writer is None:
            return Loaded(Graph.of(self._nodes), self._statements, PartPlaces(self._held))
        self._writer.finish()
        spool = Spool(self._folder)
        return Loaded(spool, self._statements, spool.places())


class PartPlaces(Mapping[str, tuple[str, int]]):
    """File and line where nodes of parts are first described, worked out when one is asked for."""

    def __init__(self, held: Sequence[Part]) -> None:
        self._held = held

    @cached_property
    def _known(self) -> dict[str, tuple[str, int]]:
        known: dict[str, tuple[str, int]] = {}
        for held in self._held if self else ():
            for line, number in zip(held.text.split("\n"), array("I", held.numbers), strict=False):
                if number:
                    known.setdefault(line.partition(" ")[0], (held.file, number))
        return known

    def __getitem__(self, node: str) -> tuple[str, int]:
        return self._known[node]

    def __bool__(self) -> bool:
        return any(held.numbers.strip(b"\0") for held in self._held)

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
