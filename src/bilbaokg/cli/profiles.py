"""Verbs on profiles: list, show, check, add."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bilbaokg import vetting
from bilbaokg.cli.base import DONE, FINDINGS, global_options, group, verb
from bilbaokg.cli.operating import known_settings, operate
from bilbaokg.console import Console
from bilbaokg.errors import BilbaokgError
from bilbaokg.profiles import Shelf
from bilbaokg.settings import Settings
from bilbaokg.shacl.messages import compact_path
from bilbaokg.shacl.shapes import local_name
from bilbaokg.workers import Pool
from bilbaokg.workspace import shelf

__all__: list[str] = []


@group.group("profile")
@global_options
def profile_group() -> None:
    """Profiles: what a catalogue is validated against.

    Example: bilbaokg profile list
    """


def _shelf(console: Console) -> Shelf:
    """The bundled profiles and those of the data directory, if there is one."""
    return shelf(console.data, known_settings(console))


@contextlib.contextmanager
def _reading(console: Console) -> Iterator[Pool]:
    """A worker that reads foreign shapes, which starts when there are any."""
    with console.progress() as progress, Pool(1, Settings().memory_limit) as pool:
        progress(0, None, "reading the shapes")
        yield pool


@verb(profile_group, "list")
def profile_list(console: Console) -> int:
    """List the profiles that are there: the bundled ones and your own.

    Example: bilbaokg profile list
    """
    known = _shelf(console)
    rows: list[dict[str, Any]] = []
    for label in known.labels():
        name, _, version = label.partition("/")
        row: dict[str, Any] = {"name": name, "version": version}
        try:
            profile = known.load(label)
        except BilbaokgError as error:
            row |= {"title": {}, "gate": [], "own": True, "fault": str(error)}
        else:
            own = known.own is not None and (known.own / label) == profile.folder
            row |= {"title": profile.title, "gate": sorted(profile.stops), "own": own}
        rows.append(row)

    def tell() -> None:
        cells = [
            [
                f"{row['name']}/{row['version']}",
                row.get("fault") or row["title"].get(console.lang, ""),
                ", ".join(row["gate"]),
                "your own" if row["own"] else "bundled",
            ]
            for row in rows
        ]
        console.table(["profile", "title", "gate", "from"], cells)

    console.result({"profiles": rows}, tell)
    return DONE


@verb(profile_group, "show")
@click.argument("name")
def profile_show(console: Console, name: str) -> int:
    """Show a profile: what it extends, what stops a release, and its shapes.

    Example: bilbaokg profile show dcat-ap/3.0.1
    """
    with _reading(console) as pool:
        shown = vetting.describe(_shelf(console).load(name), console.lang, pool)
    console.result(shown, lambda: _tell_profile(console, shown))
    return DONE


def _tell_profile(console: Console, shown: dict[str, Any]) -> None:
    console.say(f"{shown['name']}/{shown['version']}  {shown['title'].get(console.lang, '')}")
    counts, files = shown["counts"], shown["files"]
    background = ", ".join(Path(file).name for file in files["background"])
    for label, value in (
        ("source", shown["source"]),
        ("extends", ", ".join(shown["extends"])),
        ("gate", ", ".join(shown["gate"]) or "nothing stops a release"),
        *((f"gate of {t}", ", ".join(gate) or "nothing") for t, gate in shown["gates"].items()),
        ("targets", ", ".join(shown["targets"]) or "all"),
        ("background", f"{background} ({counts['concepts']:,} concepts)" if background else ""),
        ("shapes", f"{counts['shapes']:,} in {len(files['shapes']):,} files: "
                   f"{counts['violation']:,} violations, {counts['warning']:,} warnings, "
                   f"{counts['info']:,} notes"),
    ):  # fmt: skip
        if value:
            console.say(f"{label:>12}  {value}")
    rows = [
        [
            shape["severity"],
            local_name(shape["shape"]).rstrip(">"),
            compact_path(shape["path"]) if shape["path"] else "",
            shape["message"] or shape["name"],
        ]
        for shape in shown["shapes"]
    ]
    console.table(["severity", "shape", "path", "message"], rows)


@verb(profile_group, "check")
@click.argument("name")
def profile_check(console: Console, name: str) -> int:
    """Say what is wrong with a profile, of a name or at a path (exit 1), or that it is sound.

    Example: bilbaokg profile check my-profile/
    """
    with _reading(console) as pool:
        problems = [problem.as_dict() for problem in vetting.faults(name, _shelf(console), pool)]

    def tell() -> None:
        console.problems(problems)
        if not problems:
            console.say(f"{name} is sound.")

    console.result({"profile": name, "sound": not problems, "problems": problems}, tell)
    return FINDINGS if problems else DONE


@verb(profile_group, "add")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", help="Its name [from the profile.toml, else the folder or file].")
@click.option("--version", help="Its version [from the profile.toml, else the folder, else 1].")
def profile_add(console: Console, path: Path, **options: Any) -> int:
    """Copy a folder or a file of shapes into the catalogue as a profile.

    Example: bilbaokg profile add my-shapes.ttl --name my-city --version 1
    """
    done = operate(console, "profile.add", {"path": str(path.absolute()), **options})

    def tell() -> None:
        console.problems(done["problems"])
        if done["added"]:
            console.say(f"Added {done['profile']}. Use it: validate --profile {done['profile']}")
        else:
            console.say(f"Nothing changed: {done['profile']} is there with the same files.")

    console.result(done, tell)
    return DONE
