"""What a backup says of itself: `backup.json`."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from bilbaokg.errors import CorruptStore, NotFound
from bilbaokg.sorting import sorted_lines
from bilbaokg.store.embedded import EmbeddedStore, storage_errors

__all__ = ["FILE", "FORMAT", "Manifest", "content_hash"]

FILE: Final = "backup.json"
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """at: the moment that it holds; audit: number of entries and hash of the last; sha256: of the
    content of the working store (see `content_hash`); files: the hashes of what is neither in the
    working store nor in a release; bytes: of all of it.
    """

    format: int
    version: str
    base: str
    at: str
    audit: dict[str, Any]
    records: int
    statements: int
    sha256: str
    releases: list[str]
    current: str | None
    bytes: int
    files: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """The members of the file."""
        return asdict(self)

    def write(self, directory: Path) -> None:
        """Write it into a backup, for its owner alone."""
        text = json.dumps(self.as_dict(), ensure_ascii=False, indent=1) + "\n"
        with storage_errors(directory / FILE):
            (directory / FILE).touch(0o600)
            (directory / FILE).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, directory: Path) -> Manifest:
        """That of a backup. Raises NotFound where it is none, CorruptStore."""
        file = directory / FILE
        try:
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            hint = "give the directory that bilbaokg backup made"
            raise NotFound("no backup here", where=str(directory), hint=hint) from None
        except (OSError, ValueError, TypeError) as error:
            raise CorruptStore(
                f"cannot be read: {error}", where=str(file), hint="take another backup"
            ) from None


def content_hash(store: EmbeddedStore) -> tuple[str, int]:
    """The SHA-256 of all statements of a store as N-Quads lines in the order of their bytes, and
    how many there are.

    Two stores with the same statements have the same, however their files differ: it is that of
    `sort` in the C locale over a dump, for the labels of blank nodes are kept.
    """
    digest, count = hashlib.sha256(), 0
    quads = store.raw.quads_for_pattern(None, None, None, None)
    lines = (f"{quad} .\n".encode() for quad in quads)
    with storage_errors(store.path or "memory"):
        for line in sorted_lines(lines, Path(tempfile.gettempdir())):
            digest.update(line)
            count += 1
    return digest.hexdigest(), count
