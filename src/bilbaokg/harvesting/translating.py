"""Pages that are no RDF, read by importers.portal in a worker."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Final

from bilbaokg.errors import WorkerCrashed
from bilbaokg.harvesting.fetcher import Page
from bilbaokg.settings import MIB, Settings
from bilbaokg.workers import Parsed, Pool

__all__ = ["translated"]

_SECONDS: Final = 10.0
_SECONDS_A_MIB: Final = 2.0


def translated(
    page: Page, file: Path, reader: str, options: dict[str, Any], settings: Settings, pool: Pool
) -> tuple[Parsed, dict[str, Any]]:
    """The statements of a page, and what importers.translation.Translation.about says of it.

    Raises what the reader and the parser raise, DeadlineExceeded, MemoryExceeded, WorkerCrashed.
    """
    params = {
        "reader": reader,
        "options": options,
        "path": str(file.absolute()),
        "label": page.address,
        "base": settings.base,
        "base_iri": None,
        "limit": settings.file_limit,
        "group_seconds": settings.group_seconds,
    }
    lines: dict[str, None] = {}
    about: dict[str, Any] = {}
    done: dict[str, Any] = {}
    seconds = _SECONDS + page.size / MIB * _SECONDS_A_MIB
    frames = pool.run("portal", params, seconds, label=page.address)
    with contextlib.closing(frames):
        for header, content in frames:
            about = header.get("portal", about)
            done = header.get("done", done)
            if content:
                lines.update(dict.fromkeys(content.decode().split("\n")))
    if not done:
        raise WorkerCrashed("the worker ended without an answer", where=page.address)
    return Parsed(list(lines), done["parsed"], done["graphs_dropped"]), about
