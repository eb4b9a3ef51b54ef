"""RDF files, folders and pipes as sources."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from bilbaokg.errors import BadInput, TooLarge, UnsupportedFormat
from bilbaokg.formats import FORMATS, Format, by_extension, by_name, sniff
from bilbaokg.model import Source
from bilbaokg.settings import Settings
from bilbaokg.workers import Parsed, Pool, parse

__all__ = ["MEDIA_TYPES", "discover", "name_of", "read"]

MEDIA_TYPES: Final = tuple(f.media_type for f in FORMATS.values())
# In a folder, .json and .xml are seldom RDF: they are read only when named.
_IN_FOLDERS: Final = frozenset({"ttl", "trig", "nt", "nq", "jsonld", "rdf", "owl"})


def read(
    source: Source, settings: Settings, pool: Pool | None, on_lines: Callable[[int], None] | None
) -> Parsed:
    """The statements of an RDF source. Raises as workers.parse, BadInput when it holds none."""
    parsed = parse(source, settings, pool=pool, on_lines=on_lines)
    if not parsed.lines:
        raise BadInput(
            "it holds no statements", where=source.label, hint="an empty file is never an import"
        )
    return parsed


def name_of(path: Path) -> str:
    """The name of a source that is given none: its absolute path, without `..`."""
    return os.path.normpath(path.absolute())


def discover(
    paths: list[Path],
    settings: Settings,
    *,
    format: str | None = None,
    base: str | None = None,
    name: str | None = None,
) -> list[Source]:
    """The sources of files and folders, each named `name` or its absolute path.

    A file in a folder adds its path below it. Raises BadInput, UnsupportedFormat, TooLarge.
    """
    explicit = by_name(format) if format else None
    sources: list[Source] = []
    for path in paths:
        label = name or name_of(path)
        for file in _files(path):
            inner = label if file == path else f"{label}/{file.relative_to(path).as_posix()}"
            chosen = explicit or by_extension(file.name) or _guess(file)
            _refuse_large(file, settings.file_limit)
            sources.append(Source(inner, file, chosen.media_type, base=base))
    counted = Counter(source.name for source in sources)
    if doubled := [name for name, number in counted.items() if number > 1]:
        raise BadInput(
            f"several files would be the one source {min(doubled)!r}",
            hint="give --source for one file or folder at a time",
        )
    return sources


def _files(path: Path) -> list[Path]:
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            path.open("rb").close()
            return [path]
        found = sorted(_walk(path)) if stat.S_ISDIR(mode) else None
    except FileNotFoundError:
        raise BadInput("no such file or folder", where=str(path)) from None
    except OSError as error:
        where = str(error.filename or path)
        raise BadInput(f"cannot be read: {error.strerror}", where=where) from None
    if found is None:
        raise BadInput(
            "neither a file nor a folder",
            where=str(path),
            hint="give a pipe to standard input: ... | bilbaokg load -",
        )
    if not found:
        raise BadInput(
            "the folder holds no RDF file",
            where=str(path),
            hint=f"looked for .{', .'.join(sorted(_IN_FOLDERS))}, also with .gz",
        )
    return found


def _walk(folder: Path) -> Iterator[Path]:
    def stop(error: OSError) -> None:
        raise error

    for directory, folders, names in os.walk(folder, onerror=stop):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = Path(directory, name)
            suffixes = [s[1:].lower() for s in file.suffixes if s.lower() != ".gz"]
            if suffixes and suffixes[-1] in _IN_FOLDERS and not name.startswith("."):
                yield file


def _guess(file: Path) -> Format:
    with file.open("rb") as opened:
        guess = sniff(opened.read(4096))
    known = ", ".join(f".{e}" for f in FORMATS.values() for e in f.extensions)
    raise UnsupportedFormat(
        f"no RDF format has the extension {file.suffix!r}"
        if file.suffix
        else "it has no extension",
        where=str(file),
        hint=f"it looks like {guess.name}: give --format {guess.name}"
        if guess
        else f"give --format; extensions known: {known}",
    )


def _refuse_large(file: Path, limit: int) -> None:
    size = file.stat().st_size
    if size > limit:
        raise TooLarge(
            f"{size:,} bytes, over the size limit of {limit:,}",
            where=str(file),
            hint="split the file, or raise file_limit in settings.toml",
        )
