"""A backup is made beside its place and renamed: it is whole or not there."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bilbaokg import integrity
from bilbaokg.backups.copying import alone, link, size_of
from bilbaokg.backups.manifest import FORMAT, Manifest, content_hash
from bilbaokg.backups.moment import STORE
from bilbaokg.errors import BadInput
from bilbaokg.exports.files import sync, sync_tree
from bilbaokg.records import Records
from bilbaokg.settings import Settings
from bilbaokg.store.embedded import EmbeddedStore, storage_errors

__all__ = ["LOG", "PART", "make"]

LOG: Final = Path("logs") / "backups.jsonl"
"""Where a data directory notes its backups: it is no part of them, nor of the audit."""
PART: Final = ".part"
_EMPTY: Final = ("cache", "logs", "scratch")


def make(
    data: Path,
    target: Path,
    take: Callable[[], dict[str, Any]],
    progress: Callable[[int, int | None, str], None] = lambda *_: None,
) -> Manifest:
    """Back up a data directory to one that is absent or empty.

    take: has the moment put aside (`moment.take`), in the process that holds the directory.
    Raises BadInput where the target cannot be one, Conflict while another backup is at work,
    StorageFull, StorageFault; then nothing is under the target's name.
    """
    data, target = data.resolve(), target.absolute()
    _check(data, target)
    cache = data / "cache"
    cache.mkdir(exist_ok=True)
    with storage_errors(target), alone(cache), _aside(target) as part:
        progress(0, None, "holding the moment")
        moment = take()
        try:
            progress(0, None, "copying")
            _fill(part, data, moment)
        finally:
            shutil.rmtree(moment["path"], ignore_errors=True)
        progress(0, None, "reading what was copied")
        manifest = _manifest(part, moment)
        manifest.write(part)
        progress(0, None, "writing to disk")
        sync_tree(part)
        part.rename(target)
        sync(target.parent)
    _note(data, target, manifest)
    return manifest


def _check(data: Path, target: Path) -> None:
    """Whether a directory can become a backup. Raises BadInput."""
    where = str(target)
    if target.resolve().is_relative_to(data):
        hint = "choose one outside of it, best on another disk"
        raise BadInput("it is in the data directory", where=where, hint=hint)
    if not target.parent.is_dir():
        hint = f"make {target.parent}, or see whether its disk is mounted"
        raise BadInput("the directory above it is missing", where=where, hint=hint)
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        hint = "give a new name, or --into DIRECTORY for one with the time in its name"
        raise BadInput("it is there, and is no empty directory", where=where, hint=hint)


@contextlib.contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """A directory beside the target for its owner alone, gone unless it was renamed."""
    part = target.with_name(f".{target.name}{PART}")
    if part.is_dir():
        with alone(part):  # what a kill left; nobody is at work in it
            shutil.rmtree(part)
    part.mkdir(mode=0o700)
    try:
        with alone(part):
            yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fill(part: Path, data: Path, moment: dict[str, Any]) -> None:
    aside = Path(moment["path"])
    for path in sorted(aside.iterdir()):
        if path.is_dir():
            link(path, part / path.name)
        else:
            shutil.copy2(path, part / path.name)
    for name in _EMPTY:
        (part / name).mkdir()
    releases = part / "releases"
    for id in moment["releases"]:
        link(data / "releases" / id, releases / id)
    if moment["current"]:
        (releases / "current").symlink_to(moment["current"])


def _manifest(part: Path, moment: dict[str, Any]) -> Manifest:
    """Read the copy, not what it was made of: what the backup says of itself is what it holds."""
    store = EmbeddedStore.read_only(part / STORE)
    try:
        sha256, statements = content_hash(store)
        records = len(Records(store, Settings(base=moment["base"])).ids())
    finally:
        store.close()
    rest = (p.name for p in part.iterdir() if p.name not in (STORE, "releases"))
    return Manifest(
        format=FORMAT,
        version=version("bilbaokg"),
        base=moment["base"],
        at=moment["at"],
        audit=moment["audit"],
        records=records,
        statements=statements,
        sha256=sha256,
        releases=moment["releases"],
        current=moment["current"],
        bytes=size_of(part),
        files=integrity.hashes(part, *sorted(rest), "releases/published.json"),
    )


def _note(data: Path, target: Path, manifest: Manifest) -> None:
    """Write down that the backup was made; where this fails, it was made all the same."""
    line = {"at": manifest.at, "directory": str(target), "sha256": manifest.sha256}
    with contextlib.suppress(OSError):
        (data / LOG).parent.mkdir(exist_ok=True)
        log = os.open(data / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(log, f"{json.dumps(line)}\n".encode())
        finally:
            os.close(log)
