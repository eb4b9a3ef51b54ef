"""How the parts of a data directory get into its backup."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bilbaokg.errors import Conflict
from bilbaokg.store.embedded import storage_errors

__all__ = ["alone", "copy", "copy_database", "link", "size_of"]

# What link(2) says where only a copy can be made.
_NO_LINK: Final = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP})


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder with its modes and times; nothing where there is none."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    elif source.exists():
        shutil.copy2(source, target)


def link(source: Path, target: Path) -> None:
    """Put the files of a folder, which nobody changes, in another: by hard links on one disk."""
    shutil.copytree(source, target, symlinks=True, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        shutil.copy2(source, target)


def copy_database(source: Path, target: Path) -> None:
    """Copy a database of SQLite while others write to it; nothing where there is none.

    Raises StorageFull, StorageFault, CorruptStore.
    """
    if not source.exists():
        return
    # Made by us first, so that SQLite never makes it readable to others.
    os.close(os.open(target, os.O_CREAT | os.O_RDWR, source.stat().st_mode & 0o777))
    with (
        storage_errors(source),
        contextlib.closing(
            sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
        ) as old,
        contextlib.closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Keep other backups from a directory meanwhile. Raises Conflict where one is at work."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                "another backup is at work", where=str(directory), hint="wait for its end"
            ) from None
        yield
    finally:
        os.close(descriptor)


def size_of(directory: Path) -> int:
    """The bytes of all files below a directory."""
    files = (Path(folder) / name for folder, _, names in os.walk(directory) for name in names)
    return sum(file.lstat().st_size for file in files)
