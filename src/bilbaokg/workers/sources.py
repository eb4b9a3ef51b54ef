"""Reading a source through a worker."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bilbaokg.errors import BadInput, DeadlineExceeded, MemoryExceeded, TooLarge, WorkerCrashed
from bilbaokg.formats import by_media_type
from bilbaokg.model import Source
from bilbaokg.settings import MIB, Settings
from bilbaokg.workers.frames import Frame
from bilbaokg.workers.pool import Pool

__all__ = ["Parsed", "parse", "stream"]


@dataclass(slots=True)
class Parsed:
    """What a source says: distinct N-Triples lines without blank nodes, unsorted.

    `line_of` maps a subject term to the source line where it first stands (when located).
    """

    lines: list[str]
    parsed: int
    graphs_dropped: int
    line_of: dict[str, int] = field(default_factory=dict)

    @property
    def distinct(self) -> int:
        """The number of distinct statements."""
        return len(self.lines)


def _deadline(size: int) -> float:
    """Seconds that a well-meant input of this many bytes may take; ten times what was measured."""
    return 10.0 + size / MIB * 2.0


def parse(
    source: Source,
    settings: Settings,
    *,
    pool: Pool | None = None,
    locate: bool = False,
    seconds: float | None = None,
    on_lines: Callable[[int], None] | None = None,
) -> Parsed:
    """Parse a source in a worker (one of the pool, or one of its own).

    Raises what `stream` raises.
    """
    lines: dict[str, None] = {}
    done: dict[str, Any] = {}
    with stream(source, settings, pool=pool, locate=locate, seconds=seconds) as frames:
        for header, content in frames:
            done = header.get("done", done)
            if content:
                lines.update(dict.fromkeys(content.decode().split("\n")))
            if on_lines:
                on_lines(header.get("lines", 0))
    return Parsed(list(lines), done["parsed"], done["graphs_dropped"], done["line_of"])


@contextlib.contextmanager
def stream(
    source: Source,
    settings: Settings,
    *,
    pool: Pool | None = None,
    locate: bool = False,
    blank: str | None = None,
    seconds: float | None = None,
) -> Iterator[Iterator[Frame]]:
    """The frames of the job "parse" (see parsing.job) on a source, the last one with `done`.

    Raises BadInput for what cannot be opened, TooLarge before reading when the file is over the
    limit, SyntaxFault with line, column and excerpt, Invalid for RDF 1.2 terms and DOCTYPE,
    DeadlineExceeded, MemoryExceeded, WorkerCrashed.
    """
    found = by_media_type(source.media_type)
    if found is None:
        raise BadInput(f"no parser for {source.media_type}", where=source.label)
    size = _size(source, settings)
    params = {
        "path": str(source.location.absolute()) if source.location else None,
        "label": source.label,
        "format": found.name,
        "base": settings.base,
        "base_iri": source.base,
        "limit": settings.file_limit,
        "group_seconds": settings.group_seconds,
        "locate": locate,
        "blank": blank,
    }
    own = Pool(1, settings.memory_limit) if pool is None else None
    limit, body = seconds or _deadline(size), source.content or b""
    try:
        frames = (pool or own).run("parse", params, limit, body=body, label=source.label)  # type: ignore[union-attr]
        with contextlib.closing(frames):
            yield _explained(frames, source)
    finally:
        if own:
            own.close()


def _size(source: Source, settings: Settings) -> int:
    try:
        size = source.location.stat().st_size if source.location else len(source.content or b"")
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=source.label) from None
    if size > settings.file_limit:
        raise TooLarge(
            f"{size:,} bytes, over the size limit of {settings.file_limit:,}",
            where=source.label,
            hint="split the file, or raise file_limit in settings.toml",
        )
    return size * 10 if source.label.endswith(".gz") else size


def _explained(frames: Iterator[Frame], source: Source) -> Iterator[Frame]:
    """The frames; what stops them is said in terms of the source."""
    group = ""
    done = False
    try:
        for header, content in frames:
            group = header.get("group", "")
            done = "done" in header
            yield header, content
    except (DeadlineExceeded, MemoryExceeded, WorkerCrashed) as error:
        if group:
            raise BadInput(
                f"a group of blank nodes could not be named: {error.message}",
                where=source.label,
                hint=f"give IRIs to the blank nodes around: {group}",
            ) from None
        error.hint = error.hint or (
            "split the file; if it is small, it is nested too deeply or built to do harm"
        )
        raise
    if not done:
        raise WorkerCrashed("the worker ended without an answer", where=source.label)
