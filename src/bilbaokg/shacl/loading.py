"""Reading data to be validated: into memory, or onto disk where it is too much for that.

Blank nodes keep being blank nodes, named in the order they come; they are named for good only when
records are made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from operator import attrgetter
from pathlib import Path
from typing import Final

from bilbaokg.model import Source
from bilbaokg.settings import Settings
from bilbaokg.shacl.context import Lines
from bilbaokg.shacl.graph import Graph
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.shacl.spool import Spool, SpoolWriter, read_whole
from bilbaokg.workers import Pool, stream

__all__ = ["IN_MEMORY", "Loaded", "hold", "load"]

# Bytes of N-Triples up to which data are held in memory (some ten times as much).
IN_MEMORY: Final = 16 << 20
_SECONDS: Final = 60.0
_SLOWEST: Final = 50_000
_BATCH: Final = 10_000


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
    shapes: Shapes,
    *,
    on_source: Callable[[int, Source], None] = lambda _number, _source: None,
    called: Callable[[Source], str] = attrgetter("label"),
) -> Loaded:
    """Parse sources in a worker. folder: an empty one, for what is too much for memory.

    shapes: what data on disk are indexed for. called: how findings name a source. Raises what
    workers.stream raises, Invalid for the shapes.
    """
    with SpoolWriter(folder) as writer:
        for number, source in enumerate(sources):
            on_source(number, source)
            writer.begin(called(source))
            blank = f"b{number}x" if len(sources) > 1 else "b"
            _write(writer, source, settings, pool, blank)
    if writer.size > IN_MEMORY:
        return _indexed(writer, pool, shapes)
    lines, places = read_whole(folder)
    return Loaded(Graph(dict.fromkeys(lines)), len(lines), places)


def _write(writer: SpoolWriter, source: Source, settings: Settings, pool: Pool, blank: str) -> None:
    text, statements = b"", 0
    with stream(source, settings, pool=pool, locate=True, blank=blank) as frames:
        for header, content in frames:
            if "lines" in header:
                text, statements = content, header["lines"]
            elif "numbers" in header:
                writer.add(text, content, statements)


def hold(
    lines: Iterable[str],
    pool: Pool,
    folder: Path,
    shapes: Shapes,
    *,
    in_memory: int | None = None,
) -> Loaded:
    """Take statements (N-Triples lines) that are at hand already; otherwise as `load`.

    in_memory: bytes of N-Triples that may be held.
    """
    most = IN_MEMORY if in_memory is None else in_memory
    waiting = iter(lines)
    first: list[str] = []
    size = 0
    for line in waiting:
        first.append(line)
        size += len(line)
        if size > most:
            break
    else:
        return Loaded(Graph(dict.fromkeys(first)), len(first), {})
    waiting = chain(first, waiting)
    with SpoolWriter(folder) as writer:
        while batch := list(islice(waiting, _BATCH)):
            writer.add("\n".join(batch).encode(), b"", len(batch))
    return _indexed(writer, pool, shapes)


def _indexed(writer: SpoolWriter, pool: Pool, shapes: Shapes) -> Loaded:
    params = {"folder": str(writer.folder.absolute())}
    deadline = _SECONDS + writer.statements / _SLOWEST
    for _ in pool.run("spool", params, deadline, body=shapes.packed(), label="index"):
        pass
    spool = Spool(writer.folder)
    return Loaded(spool, writer.statements, spool.places())
