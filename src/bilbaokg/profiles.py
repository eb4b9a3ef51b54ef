"""Profiles: folders of shapes with a gate.

A profile is `<name>/<version>/` with a `profile.toml` and files of shapes. The bundled ones stand
in `shapes/`, the city's own in the data directory. All fields may be left out:

    gate = ["violation"]                    severities that stop a release
    source = "https://..."                  the specification that the shapes express
    extends = ["dcat-ap/3.0.1"]             profiles whose shapes and background come first
    background = ["authority"]              files or folders, its own or below ontology/
    shapes = ["*.ttl"]                      patterns of its files, all Turtle files unless given; in
                                            bundled ones `../` leads to those of another version
    targets = ["dcat-ap"]                   export targets that this profile is made for, else all
    name = "..." and version = "..."        what it is called where its folders do not say it
    [title]
    es = "..."
    [gates]                                 where a target has a gate of its own
    dcat-ap = ["violation", "warning"]

Any other folder, or a single file of shapes, is a profile too: its shapes, gated on violations.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from os.path import normpath
from pathlib import Path
from typing import Any, Final

from bilbaokg import assets
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.model import SEVERITIES, Profile

__all__ = [
    "AUTHORITY",
    "FILE",
    "FOLDER",
    "LOCAL",
    "NAME",
    "TABLES",
    "VERSION",
    "Shelf",
    "aimed",
    "available",
    "combined",
    "load",
    "table_of",
]

FILE: Final = "profile.toml"
FOLDER: Final = "profiles"
"""Where a data directory keeps the city's own."""
TABLES: Final = "vocab"
"""Where a data directory keeps authority tables that were imported."""
AUTHORITY: Final = "authority"
"""The background that is the bundled authority tables, with those that were imported."""
LOCAL: Final = "local"
"""The version of a profile that is only a folder or a file."""
NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]*")
VERSION: Final = re.compile(r"[a-z0-9][a-z0-9.+-]*")

_KNOWN: Final = frozenset(
    {"title", "gate", "gates", "source", "extends", "background", "shapes", "targets", "name",
     "version"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where names of profiles are looked up: what the product brings, and what a city added.

    own: the folder of the city's profiles, None for the bundled ones alone. gates: what the
    settings say of profiles, by name or label, and target ("" is every target). tables: the folder
    of the authority tables that were imported.
    """

    own: Path | None = None
    gates: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    tables: Path | None = None

    def folders(self) -> list[Path]:
        """The folders of all profiles, by name, the newest version of each last."""
        found = [file.parent for place in self._places() for file in place.glob(f"*/*/{FILE}")]
        return sorted((folder for folder in found if _is_named(folder)), key=_order)

    def labels(self) -> list[str]:
        """`name/version` of all profiles, whether or not they can be used."""
        return list(dict.fromkeys(map(_label, self.folders())))

    def available(self) -> list[Profile]:
        """All profiles. Raises as `load`."""
        return [self.load(label) for label in self.labels()]

    def load(self, name: str | Path) -> Profile:
        """The profile of a name (its newest version), a label `name/version`, or a path.

        Raises NotFound naming what is available, BadInput for a profile.toml or a setting that
        cannot be used.
        """
        return self._gated(self._load(str(name), ()))

    def named(self, name: str) -> Profile:
        """As `load`, but never a path: for names that come over the network. Raises NotFound."""
        if self.folder(name) is None:
            labels = ", ".join(self.labels())
            raise NotFound(f"no profile {name[:100]!r}", hint=f"available: {labels}")
        return self.load(name)

    def folder(self, name: str) -> Path | None:
        """The folder of a name or label; a bare name means its newest version."""
        first, slash, version = name.partition("/")
        if not NAME.fullmatch(first) or (slash and not VERSION.fullmatch(version)):
            return None
        pattern = f"{name}/{FILE}" if slash else f"{name}/*/{FILE}"
        found = (file.parent for place in self._places() for file in place.glob(pattern))
        # Of two with one label the bundled one, which comes first, is the greatest.
        return max(filter(_is_named, found), key=_order, default=None)

    # ---- inside

    def _places(self) -> Iterator[Path]:
        yield assets.folder("shapes")
        if self.own is not None:
            yield self.own

    def _load(self, name: str, above: tuple[str, ...], where: str | None = None) -> Profile:
        if found := self.folder(name):
            return self._read(found, _label(found), above)
        path = Path(name)
        if path.is_dir():
            if (path / FILE).is_file():
                return self._read(path, "/".join(_called(path, table_of(path / FILE))), above)
            return _bare(path, "*.ttl")
        if path.is_file():
            return _bare(path.parent, path.name, name=path.stem)
        labels = ", ".join(self.labels())
        raise NotFound(
            f"no profile {name!r}",
            where=where,
            hint=f"available: {labels}; or the path of a folder or a file of shapes",
        )

    def _read(self, folder: Path, label: str, above: tuple[str, ...]) -> Profile:
        where = str(folder / FILE)
        table = table_of(folder / FILE)
        if label in above:
            chain = " > ".join((*above, label))
            raise BadInput(f"profiles extend each other: {chain}", where=where)
        extends = _strings(table, "extends", where)
        parents = [self._load(parent, (*above, label), where) for parent in extends]
        own = _expand(folder, _strings(table, "shapes", where) or ("*.ttl",), where)
        names = _strings(table, "background", where)
        background = _background(folder, names, where)
        tables = self._imported() if AUTHORITY in names else ()
        name, _, version = label.partition("/")
        return Profile(
            name=name,
            version=version,
            title=_title(table, where),
            shapes=_distinct([*(f for p in parents for f in p.shapes), *own]),
            background=_distinct(
                [*(f for p in parents for f in p.background), *background, *tables]
            ),
            tables=_distinct([*(f for p in parents for f in p.tables), *tables]),
            extends=extends,
            gate=_severities(table.get("gate", ["violation"]), "gate", where),
            gates=_gates(table, where),
            targets=_strings(table, "targets", where),
            source=_text(table, "source", where),
            folder=folder,
        )

    def _imported(self) -> list[Path]:
        return sorted(self.tables.glob("*.nt")) if self.tables else []

    def _gated(self, profile: Profile) -> Profile:
        """The profile with the gates that the settings give it."""
        if not self.gates:
            return profile
        known = {name for label in self.labels() for name in (label, label.partition("/")[0])}
        if unknown := sorted(set(self.gates) - known):
            raise BadInput(
                f"gates names the unknown profile {unknown[0]!r}",
                where="settings",
                hint=f"known: {', '.join(self.labels())}",
            )
        said = self.gates.get(profile.label) or self.gates.get(profile.name)
        if said is None:
            return profile
        own = {target: frozenset(found) for target, found in said.items()}
        if "" in own:
            return replace(profile, gate=own[""], gates={})
        _check_targets(own, profile.targets, f"settings, gates of {profile.label}")
        return replace(profile, gates={**profile.gates, **own})


def available() -> list[Profile]:
    """All profiles that this installation brings, by name, the newest version of each last."""
    return Shelf().available()


def load(name: str | Path) -> Profile:
    """A bundled profile or that of a path, as `Shelf.load`."""
    return Shelf().load(name)


def aimed(profile: Profile, target: str | None) -> Profile:
    """A profile with the gate of one export target; as it is where target is None.

    Raises BadInput for a target that the profile is not made for.
    """
    if target is None:
        return profile
    _check_targets([target], profile.targets, profile.label)
    return replace(
        profile, gate=profile.gates.get(target, profile.gate), gates={}, targets=(target,)
    )


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
        tables=_distinct(f for p in profiles for f in p.tables),
        gate=frozenset[str]().union(*(p.stops for p in profiles)),
    )


# ---- names


def _label(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


def _is_named(folder: Path) -> bool:
    return bool(NAME.fullmatch(folder.parent.name) and VERSION.fullmatch(folder.name))


def _called(folder: Path, table: Mapping[str, Any]) -> tuple[str, str]:
    """Name and version of a profile that stands anywhere: as it says, else as its folders say."""
    resolved, where = folder.resolve(), str(folder / FILE)
    name, version = _text(table, "name", where), _text(table, "version", where)
    for field_, value, form in (("name", name, NAME), ("version", version, VERSION)):
        if value is not None and not form.fullmatch(value):
            raise BadInput(
                f"{value!r} cannot be its {field_}",
                where=where,
                hint="small letters, digits, . and -",
            )
    if name is None and version is None and resolved.name[:1].isdigit():
        return resolved.parent.name, resolved.name
    return name or resolved.name, version or LOCAL


def _order(folder: Path) -> tuple[str, list[tuple[int, str]]]:
    """Name, then version: 3.0.10 is newer than 3.0.9."""
    parts = re.findall(r"\d+|[a-z]+", folder.name)
    return folder.parent.name, [(int(p), "") if p.isdigit() else (-1, p) for p in parts]


# ---- reading profile.toml


def table_of(file: Path) -> dict[str, Any]:
    """What a profile.toml holds. Raises BadInput where it is not TOML or has unknown fields."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not valid TOML: {error}", where=str(file)) from None
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=str(file)) from None
    if unknown := sorted(set(table) - _KNOWN):
        raise BadInput(
            f"unknown field {unknown[0]!r}",
            where=str(file),
            hint=f"known: {', '.join(sorted(_KNOWN))}",
        )
    return table


def _text(table: Mapping[str, Any], name: str, where: str) -> str | None:
    value = table.get(name)
    if value is not None and not isinstance(value, str):
        raise BadInput(f"{name} is no text", where=where)
    return value


def _title(table: Mapping[str, Any], where: str) -> dict[str, str]:
    title = table.get("title", {})
    if not isinstance(title, dict) or not all(isinstance(text, str) for text in title.values()):
        raise BadInput("title is no table of texts by language", where=where)
    return title


def _strings(table: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    value = table.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadInput(f"{name} is no list of texts", where=where)
    return tuple(value)


def _severities(value: object, name: str, where: str) -> frozenset[str]:
    gate = _strings({name: value}, name, where)
    if wrong := sorted(set(gate) - set(SEVERITIES)):
        raise BadInput(
            f"unknown severity {wrong[0]!r} in {name}",
            where=where,
            hint=f"known: {', '.join(SEVERITIES)}",
        )
    return frozenset(gate)


def _gates(table: Mapping[str, Any], where: str) -> dict[str, frozenset[str]]:
    said = table.get("gates", {})
    if not isinstance(said, dict):
        raise BadInput("gates is no table of lists by target", where=where)
    gates = {target: _severities(v, f"gates.{target}", where) for target, v in said.items()}
    _check_targets(gates, _strings(table, "targets", where), where)
    return gates


def _check_targets(gates: Iterable[str], targets: tuple[str, ...], where: str) -> None:
    """A gate of a target that the profile is not made for would stop nothing."""
    if targets and (unknown := sorted(set(gates) - set(targets))):
        raise BadInput(
            f"the profile is not made for the target {unknown[0]!r}",
            where=where,
            hint=f"its targets: {', '.join(targets)}",
        )


# ---- files


def _bare(folder: Path, pattern: str, *, name: str | None = None) -> Profile:
    # The name of a file may hold what means something in a pattern.
    shapes = (folder / pattern,) if name else _expand(folder, [pattern], str(folder))
    return Profile(name or folder.resolve().name, LOCAL, {}, shapes)


def _expand(folder: Path, patterns: Iterable[str], where: str) -> tuple[Path, ...]:
    """The files that patterns name, each pattern's sorted; none stands outside the folder.

    Bundled profiles may share what stands in the folder of all.
    """
    ours = assets.folder("shapes")
    root = ours if folder.is_relative_to(ours) else folder
    found: list[Path] = []
    for pattern in patterns:
        if not (wanted := Path(normpath(folder / pattern))).is_relative_to(root) or wanted == root:
            raise BadInput(f"{pattern!r} leads out of the folder", where=where)
        files = sorted(Path(normpath(file)) for file in folder.glob(pattern) if file.is_file())
        if not files:
            raise NotFound(f"no file matches {pattern!r} in {folder}", where=where)
        found += files
    return tuple(found)


def _background(folder: Path, names: tuple[str, ...], where: str) -> list[Path]:
    """The files of the profile's own, else those of ours, that names stand for."""
    files: list[Path] = []
    for name in names:
        root = assets.folder("ontology")
        try:
            files += _expand(folder, [name], where)
            continue
        except NotFound:
            place = root / name
        files += (
            _expand(place, ["*.ttl"], where) if place.is_dir() else _expand(root, [name], where)
        )
    return files


def _distinct(files: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(files))
