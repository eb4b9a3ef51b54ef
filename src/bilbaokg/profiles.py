"""Profiles: folders of shapes with a gate.

A profile is `shapes/<name>/<version>/` with a `profile.toml` and Turtle files:

    gate = ["violation"]                    severities that stop a release
    source = "https://..."                  the specification that the shapes express
    extends = ["dcat-ap/3.0.1"]             profiles whose shapes and background come first
    background = ["authority"]              files or folders below ontology/
    shapes = ["*.ttl"]                      patterns, all Turtle files unless given; `../` leads to
                                            shapes that another version of the profile holds
    targets = ["dcat-ap"]                   export targets that this profile is made for
    [title]
    es = "..."

Any other folder, or a single Turtle file, is a profile too: its shapes, gated on violations.
"""

from __future__ import annotations

import re
import tomllib
from os.path import normpath
from pathlib import Path
from typing import Any, Final

from bilbaokg import assets
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.model import SEVERITIES, Profile

__all__ = ["LOCAL", "available", "bundled", "combined", "load"]

LOCAL: Final = "local"
"""The version of a profile that is only a folder or a file."""

_FILE: Final = "profile.toml"
_KNOWN: Final = frozenset(
    {"title", "gate", "source", "extends", "background", "shapes", "targets"}
)  # fmt: skip


def available() -> list[Profile]:
    """All profiles that this installation brings, by name, the newest version of each last."""
    folders = sorted(assets.folder("shapes").glob(f"*/*/{_FILE}"), key=lambda f: _order(f.parent))
    return [_from_folder(file.parent, ()) for file in folders]


def load(name: str | Path) -> Profile:
    """The profile of a name (its newest version), a label `name/version`, or a path.

    Raises NotFound naming what is available, BadInput for a profile.toml that cannot be used.
    """
    return _load(str(name), ())


def bundled(name: str) -> Profile:
    """As `load`, but never a path: for names that come over the network. Raises NotFound."""
    if _bundled(name) is None:
        labels = ", ".join(profile.label for profile in available())
        raise NotFound(f"no profile {name[:100]!r}", hint=f"available: {labels}")
    return load(name)


def combined(profiles: list[Profile]) -> Profile:
    """One profile of several: all shapes and background, the union of the gates."""
    if len(profiles) == 1:
        return profiles[0]
    return Profile(
        name="+".join(p.name for p in profiles),
        version="+".join(p.version for p in profiles),
        title={},
        shapes=_distinct(f for p in profiles for f in p.shapes),
        background=_distinct(f for p in profiles for f in p.background),
        gate=frozenset[str]().union(*(p.gate for p in profiles)),
    )


def _load(name: str, above: tuple[str, ...]) -> Profile:
    if found := _bundled(name):
        return _from_folder(found, above)
    path = Path(name)
    if path.is_dir():
        return _from_folder(path, above) if (path / _FILE).is_file() else _bare(path, "*.ttl")
    if path.is_file():
        return _bare(path.parent, path.name, name=path.stem)
    labels = ", ".join(profile.label for profile in available()) if not above else ""
    raise NotFound(
        f"no profile {name!r}",
        where=above[-1] if above else None,
        hint=f"available: {labels}; or the path of a folder or a Turtle file" if labels else None,
    )


def _bundled(name: str) -> Path | None:
    """The folder of a bundled profile; a bare name means its newest version."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*(?:/[a-z0-9][a-z0-9.+-]*)?", name):
        return None
    place = assets.folder("shapes") / name
    if "/" in name:
        return place if (place / _FILE).is_file() else None
    versions = sorted((file.parent for file in place.glob(f"*/{_FILE}")), key=_order)
    return versions[-1] if versions else None


def _order(folder: Path) -> tuple[str, list[tuple[int, str]]]:
    """Name, then version: 3.0.10 is newer than 3.0.9."""
    parts = re.findall(r"\d+|[a-z]+", folder.name)
    return folder.parent.name, [(int(p), "") if p.isdigit() else (-1, p) for p in parts]


def _bare(folder: Path, pattern: str, *, name: str | None = None) -> Profile:
    shapes = _expand(folder, [pattern], str(folder))
    return Profile(name or folder.resolve().name, LOCAL, {}, shapes)


def _from_folder(folder: Path, above: tuple[str, ...]) -> Profile:
    where = str(folder / _FILE)
    table = _table(folder / _FILE)
    label = f"{folder.resolve().parent.name}/{folder.resolve().name}"
    if label in above:
        raise BadInput(f"profiles extend each other: {' > '.join((*above, label))}", where=where)
    extends = _strings(table, "extends", where)
    parents = [_load(parent, (*above, label)) for parent in extends]
    own = _expand(folder, _strings(table, "shapes", where) or ("*.ttl",), where)
    background = _background(_strings(table, "background", where), where)
    return Profile(
        name=folder.resolve().parent.name,
        version=folder.resolve().name,
        title=dict(table.get("title", {})),
        shapes=_distinct([*(f for p in parents for f in p.shapes), *own]),
        background=_distinct([*(f for p in parents for f in p.background), *background]),
        extends=extends,
        gate=_gate(table, where),
        targets=_strings(table, "targets", where),
    )


def _table(file: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not valid TOML: {error}", where=str(file)) from None
    if unknown := sorted(set(table) - _KNOWN):
        raise BadInput(
            f"unknown field {unknown[0]!r}",
            where=str(file),
            hint=f"known: {', '.join(sorted(_KNOWN))}",
        )
    return table


def _strings(table: dict[str, Any], field: str, where: str) -> tuple[str, ...]:
    value = table.get(field, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadInput(f"{field} is no list of texts", where=where)
    return tuple(value)


def _gate(table: dict[str, Any], where: str) -> frozenset[str]:
    gate = _strings(table, "gate", where) if "gate" in table else ("violation",)
    if wrong := sorted(set(gate) - set(SEVERITIES)):
        raise BadInput(
            f"unknown severity {wrong[0]!r} in gate",
            where=where,
            hint=f"known: {', '.join(SEVERITIES)}",
        )
    return frozenset(gate)


def _expand(folder: Path, patterns: list[str] | tuple[str, ...], where: str) -> tuple[Path, ...]:
    """The files that patterns name, each pattern's sorted."""
    found = []
    for pattern in patterns:
        files = sorted(Path(normpath(file)) for file in folder.glob(pattern))
        if not files:
            raise NotFound(f"no file matches {pattern!r} in {folder}", where=where)
        found += files
    return tuple(found)


def _background(names: tuple[str, ...], where: str) -> list[Path]:
    root = assets.folder("ontology")
    files: list[Path] = []
    for name in names:
        place = root / name
        files += (
            _expand(place, ["*.ttl"], where) if place.is_dir() else _expand(root, [name], where)
        )
    return files


def _distinct(files: Any) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(files))
