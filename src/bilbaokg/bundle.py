"""Many records, as often as they are asked for, with their texts in a file and not in memory."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from bilbaokg.model import Record

__all__ = ["Bundle"]

_IN_MEMORY: Final = 16 << 20


class Bundle(Collection[Record]):
    """Records in the order in which they came; each pass reads their texts one by one.

    The file is nameless, in `directory` or where the system keeps such, and goes with the bundle.
    """

    def __init__(self, records: Iterable[Record], directory: Path | None = None) -> None:
        self._file = tempfile.SpooledTemporaryFile(  # noqa: SIM115 -- closed with the bundle
            _IN_MEMORY, dir=str(directory) if directory else None
        )
        weakref.finalize(self, self._file.close)
        self._heads: list[tuple[Record, int, int]] = []
        offset = 0
        for record in records:
            text = record.text.encode()
            self._file.write(text)
            self._heads.append((replace(record, text=""), offset, len(text)))
            offset += len(text)

    def __iter__(self) -> Iterator[Record]:
        for head, offset, length in self._heads:
            self._file.seek(offset)
            yield replace(head, text=self._file.read(length).decode())

    def __len__(self) -> int:
        return len(self._heads)

    def __contains__(self, record: object) -> bool:
        return any(record == each for each in self)
