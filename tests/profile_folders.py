"""Folders that are profiles, written down quickly."""

from __future__ import annotations

from pathlib import Path

__all__ = ["SHAPE", "put"]

SHAPE = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
<urn:s> a sh:NodeShape ; sh:targetClass <urn:C> ;
    sh:property [ sh:path <urn:p> ; sh:minCount 1 ; sh:message "Falta"@es ] .
"""


def put(folder: Path, toml: str = "", **files: str) -> Path:
    """A folder with a profile.toml and files of shapes, one unless they are given by name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "profile.toml").write_text(toml)
    for name, text in (files or {"shapes": SHAPE}).items():
        (folder / f"{name}.ttl").write_text(text)
    return folder
