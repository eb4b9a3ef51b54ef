"""A profile made ready: its shapes read and compiled, its background in memory, once a process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Final

from bilbaokg.errors import Invalid
from bilbaokg.model import Profile
from bilbaokg.shacl import syntax
from bilbaokg.shacl.compiling import compile_shapes
from bilbaokg.shacl.graph import Graph
from bilbaokg.shacl.program import Program
from bilbaokg.shacl.reading import is_ours, read_file, read_files, read_sealed
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.shacl.vocabulary import Vocabulary
from bilbaokg.workers import Pool

__all__ = ["Prepared", "prepare"]


class Prepared:
    """Shapes and the background that they are used with.

    trusted: whether all shapes came with the product; others may hold patterns and queries that
    never end, unless `ends` says that they do not.
    """

    def __init__(self, shapes: Shapes, background: Iterable[str], *, trusted: bool) -> None:
        self.shapes, self.trusted = shapes, trusted
        self.background = Graph(background)

    @cached_property
    def program(self) -> Program:
        """The compiled shapes. Raises Invalid for shapes that cannot be used."""
        return compile_shapes(self.shapes)

    @property
    def ends(self) -> bool:
        """Whether the fast engine comes to an end with them in the time that the data deserve.

        Raises Invalid for shapes that cannot be used.
        """
        return self.trusted or self.program.bounded

    def part(self, *, asking: bool) -> Prepared:
        """The same with those shapes alone that queries have a part in, or with all others."""
        made = copy(self)
        made.program = self.program.part(asking=asking)
        return made

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the shapes and the background."""
        whole = hashlib.sha256()
        for lines in (self.shapes.lines, self.background.lines()):
            whole.update("\n".join(lines).encode() + b"\n\n")
        return whole.hexdigest()

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Lines about what the shapes say in vain."""
        return syntax.notes(self.shapes)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The values that the background offers."""
        return Vocabulary(self.background)


def prepare(profile: Profile, pool: Pool | None = None) -> Prepared:
    """A profile, ready; read again only when one of its files changed.

    pool: of workers that read foreign files. Raises SyntaxFault and Invalid for shapes that cannot
    be used.
    """
    key = _stamped(profile.shapes), _stamped(profile.background)
    if key not in _READY:
        if len(_READY) >= _KEPT:
            _READY.clear()
        _READY[key] = _read(profile, pool)
    return _READY[key]


_Stamped = tuple[tuple[Path, int, int], ...]
_READY: Final[dict[tuple[_Stamped, _Stamped], Prepared]] = {}
_KEPT: Final = 8


def _stamped(files: Iterable[Path]) -> _Stamped:
    stats = [(file, file.stat()) for file in files]
    return tuple((file, stat.st_mtime_ns, stat.st_size) for file, stat in stats)


def _read(profile: Profile, pool: Pool | None) -> Prepared:
    lines: list[str] = []
    origins: dict[str, str] = {}
    for file in profile.shapes:
        found, places = read_file(file, pool)
        lines += found
        origins |= places
    background = read_files((f for f in profile.background if f not in profile.tables), pool)
    background += [line for file in profile.tables for line in read_sealed(file)]
    shapes = Shapes(lines, origins)
    if not shapes.is_any():
        raise Invalid(
            "there are no shapes in it",
            where=", ".join(map(str, profile.shapes)) or profile.label,
            hint="a profile is a folder or file with SHACL shapes",
        )
    return Prepared(shapes, background, trusted=all(map(is_ours, profile.shapes)))
