"""OpenLineage events that were recorded in files: one a line, over several lines, or an array.

That is how clients write them (their file transport: a line each, or a file each), and how people
keep them. Files may be gzip.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Final, cast

from bilbaokg.errors import BadInput, BilbaokgError, NotFound, TooLarge
from bilbaokg.importers import files, openlineage
from bilbaokg.lineage import Event

__all__ = ["discover", "read"]

_PLAIN: Final = (".json", ".jsonl", ".ndjson")
_ENDINGS: Final = (*_PLAIN, *(f"{ending}.gz" for ending in _PLAIN))
# What is longer is no event; the rest of it is passed over.
_LONGEST: Final = 2 * openlineage.EVENT_LIMIT
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
_BOM: Final = b"\xef\xbb\xbf"


def discover(paths: Sequence[Path]) -> dict[str, Path]:
    """The files among paths and in folders, by what they are called. Raises NotFound, BadInput."""
    return files.discover(paths, _ENDINGS, "file of events")


def read(path: Path, limit: int) -> Iterator[tuple[int, Event | BilbaokgError]]:
    """The events of a file, or what is wrong with them, by the line on which each begins; of an
    array, which has at most `limit` bytes, its first. Raises NotFound, BadInput, TooLarge."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with path.open("rb") as file:
            content = cast(IO[bytes], gzip.GzipFile(fileobj=file)) if packed else file
            yield from _events(content, limit)
    except FileNotFoundError:
        raise NotFound("no such file", where=str(path)) from None
    except (OSError, EOFError, zlib.error) as error:
        words = getattr(error, "strerror", None) or error
        raise BadInput(f"cannot be read: {words}", where=str(path)) from None


def _events(file: IO[bytes], limit: int) -> Iterator[tuple[int, Event | BilbaokgError]]:
    lines = _lines(file)
    first = next(((number, line) for number, line in lines if line.strip()), (0, b""))
    if first[1].lstrip().startswith(b"["):
        number, line = first
        whole = line + file.read(max(limit + 1 - len(line), 0))
        if len(whole) > limit:
            raise TooLarge(f"an array of over {limit:,} bytes", hint="write an event a line")
        yield from ((number, event) for event in openlineage.read_batch(whole))
        return
    for begin, text in _values(chain([first], lines)):
        try:
            yield begin, openlineage.read(text)
        except BilbaokgError as error:
            yield begin, error


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines by their number; of one that is too long its beginning."""
    number = 0
    while line := file.readline(_LONGEST):
        number += 1
        rest = line
        while len(rest) == _LONGEST and not rest.endswith(b"\n"):
            rest = file.readline(_LONGEST)
        yield number, line.removeprefix(_BOM) if number == 1 else line


def _values(lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """The texts of JSON objects, each by the line on which it begins.

    One goes on until its brackets are closed, or until a line begins with another: so one that was
    cut short takes no other with it. What belongs to one that is too long is passed over.
    """
    held, begin, depth, passing = bytearray(), 0, 0, False
    for number, line in lines:
        if line.startswith(b"{"):
            if held:
                yield begin, bytes(held)
                held.clear()
            depth, passing = 0, False
        if not passing and (held or line.strip()):
            begin = begin if held else number
            held += line
            depth += _depth(line)
            passing = len(held) >= _LONGEST and depth > 0
            if depth <= 0 or passing:
                yield begin, bytes(held)
                held.clear()
                depth = 0
    if held:
        yield begin, bytes(held)


def _depth(line: bytes) -> int:
    """How many more brackets a line opens than it closes, outside of texts."""
    bare = _STRING.sub(b"", line)
    return bare.count(b"{") + bare.count(b"[") - bare.count(b"}") - bare.count(b"]")
