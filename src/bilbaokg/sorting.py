"""Sorting more lines than memory should hold: sorted runs on disk, merged as they are read."""

from __future__ import annotations

import contextlib
import heapq
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

__all__ = ["sorted_lines"]

# Bytes of lines that are sorted in memory; Python takes about twice as many for them.
_RUN: Final = 32 << 20


def sorted_lines(lines: Iterable[bytes], directory: Path, run_bytes: int = _RUN) -> Iterator[bytes]:
    """The lines in the order of their bytes, each with its line feed; equal lines all come.

    The runs are nameless files in `directory`, gone when the iterator is. A line is UTF-8 and ends
    in its only line feed: the order is that of its characters.
    """
    with contextlib.ExitStack() as opened:
        runs: list[BinaryIO] = []
        batch: list[bytes] = []
        size = 0
        for line in lines:
            batch.append(line)
            size += len(line)
            if size >= run_bytes:
                batch.sort()
                file = opened.enter_context(tempfile.TemporaryFile(dir=directory))
                runs.append(cast(BinaryIO, file))
                runs[-1].writelines(batch)
                runs[-1].seek(0)
                batch, size = [], 0
        batch.sort()
        yield from heapq.merge(*runs, batch) if runs else batch
