"""The files that a command is given, or that lie in the folders that it is given."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from bilbaokg.errors import BadInput, NotFound

__all__ = ["discover"]


def discover(
    paths: Sequence[Path], endings: tuple[str, ...], what: str, apart: str = ""
) -> dict[str, Path]:
    """The files of files and folders by what they are called: a file by its name, one of a folder
    by its path below it. In folders, names with these endings count; `what` they are, for messages,
    and how two of one name are told `apart` that are loaded one by one.

    Raises NotFound, BadInput.
    """
    found: dict[str, Path] = {}
    for path in paths:
        for label, file in _files(path, endings, what):
            if found.setdefault(label, file) != file:
                raise BadInput(
                    f"two files would be called {label!r}", where=str(file),
                    hint=f"give the folder above both, or load them one by one{apart}",
                )  # fmt: skip
    return found


def _files(path: Path, endings: tuple[str, ...], what: str) -> Iterator[tuple[str, Path]]:
    if path.is_file():
        yield path.name, path
        return
    if not path.is_dir():
        raise NotFound("no such file or folder", where=str(path))
    count = 0
    for directory, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(endings) and not name.startswith("."):
                file = Path(directory, name)
                count += 1
                yield file.relative_to(path).as_posix(), file
    if not count:
        raise BadInput(
            f"the folder holds no {what}", where=str(path), hint=f"looked for {', '.join(endings)}"
        )
