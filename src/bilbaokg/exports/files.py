"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from bilbaokg.store.embedded import storage_errors

__all__ = ["replace_file", "sync", "sync_tree"]


def replace_file(path: Path, fill: Callable[[BinaryIO], None]) -> None:
    """Write a file beside its place, put it on disk and rename it: readers see all of it or none.

    Raises StorageFull, StorageFault.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
        part = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as out:
                fill(out)
                out.flush()
                os.fsync(out.fileno())
            part.chmod(0o644)
            part.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise


def sync(path: Path) -> None:
    """Put a file, or the names in a directory, on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(root: Path) -> None:
    """Put every file and directory below root on disk."""
    for directory, _, names in os.walk(root):
        for name in names:
            sync(Path(directory) / name)
        sync(Path(directory))
