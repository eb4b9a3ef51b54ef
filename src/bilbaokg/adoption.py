"""Taking a profile into the data directory: what it would be called, its files, their place."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tomli_w

from bilbaokg.errors import BadInput, Conflict, Invalid, UnsupportedFormat
from bilbaokg.exports.files import sync, sync_tree
from bilbaokg.formats import FORMATS, by_extension
from bilbaokg.model import Profile
from bilbaokg.profiles import FILE, LOCAL, NAME, VERSION, Shelf
from bilbaokg.store.embedded import storage_errors
from bilbaokg.terms import slugify
from bilbaokg.vetting import made_from

__all__ = ["Adoption", "plan"]

_FIRST: Final = "1"
_ADDING: Final = ".adding-"


@dataclass(frozen=True, slots=True)
class Adoption:
    """A profile to take in: its label and the bytes of its files by their path in its folder."""

    label: str
    files: dict[str, bytes]

    def find(self, shelf: Shelf) -> Path | None:
        """The folder of a profile of this label with the same files, if it is there.

        Raises Conflict where one is there with others.
        """
        folder = shelf.folder(self.label)
        if folder is None:
            return None
        held = {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in folder.rglob("*")
            if file.is_file()
        }
        if held != self.files:
            raise Conflict(
                f"there is another profile {self.label}",
                where=str(folder),
                hint="a profile never changes: give the new one another --version",
            )
        return folder

    def write(self, own: Path) -> Path:
        """Write it below the folder of the city's profiles, whole or not at all."""
        name, _, version = self.label.partition("/")
        aside, place = own / f"{_ADDING}{os.getpid()}", own / name / version
        with storage_errors(own):
            own.mkdir(parents=True, exist_ok=True)
            for left in own.glob(f"{_ADDING}*"):
                shutil.rmtree(left, ignore_errors=True)
            for path, content in self.files.items():
                file = aside / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            sync_tree(aside)
            place.parent.mkdir(exist_ok=True)
            aside.rename(place)
            sync(place.parent)
            sync(own)
        return place


def plan(path: Path, shelf: Shelf, *, name: str | None, version: str | None) -> Adoption:
    """What would be taken in from a folder or a file of shapes; nothing is written.

    Raises NotFound, BadInput and Invalid for what cannot be taken in.
    """
    profile = shelf.load(path)
    label = _label(profile, name, version)
    if profile.folder is None:
        return Adoption(label, _of_shapes(profile))
    _check_extends(profile, label, shelf)
    files = [profile.folder / FILE, *made_from(profile)]
    return Adoption(
        label, {file.relative_to(profile.folder).as_posix(): file.read_bytes() for file in files}
    )


def _label(profile: Profile, name: str | None, version: str | None) -> str:
    chosen = name or (profile.name if profile.folder else slugify(profile.name))
    given = version or (_FIRST if profile.version == LOCAL else profile.version)
    for option, value, form in (("name", chosen, NAME), ("version", given, VERSION)):
        if not form.fullmatch(value):
            raise BadInput(
                f"{value!r} cannot be the {option} of a profile",
                hint=f"give --{option} of small letters, digits, . and -",
            )
    return f"{chosen}/{given}"


def _of_shapes(profile: Profile) -> dict[str, bytes]:
    """The files of a profile that is only shapes, with a profile.toml that names them."""
    files = {file.name: file.read_bytes() for file in profile.shapes}
    if unknown := sorted(name for name in files if by_extension(name) is None):
        known = ", ".join(f".{e}" for f in FORMATS.values() for e in f.extensions)
        raise UnsupportedFormat(
            "no RDF format has its extension", where=unknown[0], hint=f"known: {known}"
        )
    if len(files) == 1:
        # The name of a lone file may hold what means something in a pattern.
        ((name, content),) = files.items()
        suffixes = "".join(Path(name).suffixes[-2:] if name.endswith(".gz") else Path(name).suffix)
        files = {f"shapes{suffixes}": content}
    table = {"gate": sorted(profile.gate), "shapes": sorted(files)}
    return {FILE: tomli_w.dumps(table).encode(), **files}


def _check_extends(profile: Profile, label: str, shelf: Shelf) -> None:
    """What is taken in builds on versions that are there: so it never changes, nor goes in circles.

    Raises Invalid.
    """
    for parent in profile.extends:
        if parent == label:
            reason = "which would be itself"
        elif shelf.folder(parent) is None:
            reason = "which is no profile of this catalogue"
        elif "/" not in parent:
            reason = "without a version"
        else:
            continue
        raise Invalid(
            f"it extends {parent!r}, {reason}",
            where=str(profile.folder),
            hint="name one that is there, as name/version",
        )
