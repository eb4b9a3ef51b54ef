"""Whether the files of a release are what was released, by the hashes in its manifest."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bilbaokg.errors import CorruptStore
from bilbaokg.model import Release

__all__ = ["check", "file_hash", "hashes"]


def file_hash(path: Path) -> str:
    """The SHA-256 of a file's bytes. Raises CorruptStore when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CorruptStore(
            f"cannot be read: {error.strerror}", where=str(path), hint="restore a backup"
        ) from None


def hashes(directory: Path, *names: str) -> dict[str, str]:
    """The hash of each file, and of each file below a directory, by its path from `directory`."""
    paths = [directory / name for name in names]
    files = [path for path in paths if path.is_file()]
    files += [below for path in paths for below in path.rglob("*") if below.is_file()]
    return {str(path.relative_to(directory)): file_hash(path) for path in sorted(files)}


def check(release: Release, *names: str) -> None:
    """Check files of a release, all where none is named. Raises CorruptStore naming the file."""
    expected = {
        **release.manifest["content"]["files"],
        **release.manifest["build"].get("files", {}),
    }
    for name in names or expected:
        path = release.path / name
        if file_hash(path) != expected[name]:
            raise CorruptStore(
                "the file is not what was released",
                where=str(path),
                hint="restore it from a backup, or publish another release",
            )
