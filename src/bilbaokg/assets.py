"""Finds the data folders: inside the installed package, or beside the sources."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["FOLDERS", "folder"]

FOLDERS: Final = ("ontology", "shapes", "queries", "web", "demo")
_PACKAGE: Final = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The path of one of FOLDERS.

    Raises FileNotFoundError when the installation lacks it.
    """
    for place in (_PACKAGE / "_data" / name, _PACKAGE.parents[1] / name):
        if name in FOLDERS and place.is_dir():
            return place
    raise FileNotFoundError(f"this installation of bilbaokg lacks its data folder {name!r}")
