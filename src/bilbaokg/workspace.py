"""The working store of a data directory, held by one process: its lock, its parts, its copies."""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import json
import os
import re
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from bilbaokg import profiles, release, settings
from bilbaokg.accounts import Accounts
from bilbaokg.audit import HEADS
from bilbaokg.errors import BadInput, Conflict, CorruptStore, NotFound, StoreBusy
from bilbaokg.lineage import LiveGraph, Scribe
from bilbaokg.model import Event
from bilbaokg.records import Records
from bilbaokg.scratch import Scratch
from bilbaokg.settings import Settings
from bilbaokg.store.embedded import EmbeddedStore, storage_errors
from bilbaokg.workers import Pool

__all__ = [
    "WAIT_SECONDS",
    "Workspace",
    "initialise",
    "is_initialised",
    "operator",
    "shelf",
    "verdicts_file",
]

_FOLDERS: Final = ("working", "scratch", "releases", "cache", "logs")
_VERDICTS: Final = "verdicts"
# What says itself what it is about: it is not of a release or a state of the store.
_KEPT: Final = frozenset({_VERDICTS, "harvest", "changes"})
# How long to wait for another process to let go of the directory.
WAIT_SECONDS: Final = 1.0


def operator() -> str:
    """The name under which the local operator acts."""
    try:
        return f"operator:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"operator:{os.getuid()}"


def shelf(data: Path, configuration: Settings) -> profiles.Shelf:
    """The profiles that a data directory knows, with the gates that its settings give them."""
    return profiles.Shelf(data / profiles.FOLDER, configuration.gates, data / profiles.TABLES)


def is_initialised(data: Path) -> bool:
    """Whether the directory is a bilbaokg data directory."""
    return (data / settings.FILE).is_file() and (data / "working").is_dir()


def initialise(data: Path, values: dict[str, Any]) -> bool:
    """Make a data directory; False when it already was one with the same base.

    Raises Conflict when it has another base, BadInput when it holds other things.
    """
    if is_initialised(data):
        present = settings.read(data).base
        if values.get("base", present) != present:
            raise Conflict(
                f"it already has the base {present}",
                where=str(data),
                hint="the base of a catalogue never changes: use another --data directory",
            )
        return False
    # What a killed init left is no obstacle: it ends with settings.toml.
    ours = {*_FOLDERS, Path(settings.FILE).with_suffix(".part").name}
    if data.is_dir() and any(path.name not in ours for path in data.iterdir()):
        raise BadInput("the directory is not empty", where=str(data), hint="choose another --data")
    settings.check(values)
    with storage_errors(data):
        for name in _FOLDERS:
            (data / name).mkdir(parents=True, exist_ok=True)
        data.chmod(0o700)
        settings.write(data, values)
    return True


def verdicts_file(data: Path, of: str, profile: str, language: str) -> Path:
    """Where verdicts are kept; of: what is validated, "store" or "release"."""
    name = re.sub(r"[^A-Za-z0-9.+-]+", "-", profile)
    return data / "cache" / _VERDICTS / f"{of}-{name}-{language}.db"


class Workspace:
    """The working store of a data directory, held by this process alone.

    `pool` is the pool of workers that reads foreign RDF; without one, each reading starts its own.
    Raises NotFound when there is no catalogue, StoreBusy naming the process that holds it and has
    not let go after `wait` seconds.
    """

    def __init__(
        self,
        data: Path,
        configuration: Settings,
        pool: Pool | None = None,
        *,
        wait: float = WAIT_SECONDS,
    ) -> None:
        if not is_initialised(data):
            raise NotFound("no catalogue here", where=str(data), hint="run: bilbaokg init")
        self.data, self.settings, self.pool = data, configuration, pool
        self.mutex = threading.RLock()
        with contextlib.ExitStack() as opened:
            opened.enter_context(_take_lock(data, wait))
            self.store = EmbeddedStore(data / "working")
            opened.callback(self.store.close)
            self.records = Records(self.store, configuration, data / HEADS)
            self._refuse_other_base()
            self.lineage, self.graph = Scribe(self.records), LiveGraph(self.store)
            self.records.audit.check_end()
            self.releases = release.Releases(data, configuration)
            self.builder = release.Builder(self.records, self.releases)
            self.shelf = shelf(data, configuration)
            self.scratch = Scratch(data, configuration)
            opened.callback(self.scratch.close)
            with self.mutex:
                told = self.records.audit.events()
                self.accounts = Accounts(_existing(data / "accounts.db", told))
                self.builder.recover(told)
                self._revoke(told)
            self._opened = opened.pop_all()

    def _refuse_other_base(self) -> None:
        """The base is part of every identity in the store, so it must be the one it began with."""
        graph = next(self.store.graphs(), None)
        if graph and not graph.startswith(f"{self.settings.base}/graph/"):
            began = graph.partition("/graph/")[0]
            raise Conflict(
                f"its records have the base {began}, the settings say {self.settings.base}",
                where=str(self.data),
                hint=f'set base = "{began}" in {settings.FILE}; the base never changes',
            )

    def _revoke(self, told: Iterable[Event]) -> None:
        """Revoke the tokens whose revocation was told and then cut off by a kill."""
        revoked = {e.detail["id"] for e in told if e.kind == "token.revoke" and "id" in e.detail}
        for token in self.accounts.list() if revoked else ():
            if token["id"] in revoked and token["state"] != "revoked":
                self.accounts.revoke(token["id"])

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store and let others have the directory."""
        self._opened.close()

    def checkpoint(self) -> Path:
        """A read-only copy of the working store as it is now, made once per state."""
        with self.mutex:
            last = self.records.audit.last()
            path = self.data / "cache" / f"working-{last.seq if last else 0}"
            if not path.is_dir():
                for old in self.data.glob("cache/working-*"):
                    shutil.rmtree(old, ignore_errors=True)
                part = path.with_suffix(".part")
                shutil.rmtree(part, ignore_errors=True)
                self.store.backup(part)
                part.rename(path)
        return path

    def clear_cache(self) -> None:
        """Remove what can be made again: what a kill left there, what belongs to old releases.

        Verdicts and harvested pages stay: they say themselves what they are about.
        """
        for path in self.data.glob("cache/*"):
            if path.name in _KEPT:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()


def _existing(accounts: Path, told: Iterable[Event]) -> Path:
    """The file of tokens. Raises CorruptStore where it is gone and tokens were made."""
    if not accounts.exists() and any(event.kind == "token.create" for event in told):
        raise CorruptStore(
            "the file is missing, and tokens were made",
            where=str(accounts),
            hint="restore it from a backup; or make an empty file there: then no token is valid",
        )
    return accounts


def _take_lock(data: Path, wait: float) -> Any:
    """Lock the directory for this process, or say who holds it."""
    file = (data / "lock").open("a+", encoding="utf-8")
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            if time.monotonic() < until:
                time.sleep(0.05)
                continue
            raise _busy(file, data) from None
    file.seek(0)
    file.truncate()
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    json.dump({"pid": os.getpid(), "host": socket.gethostname(), "command": command}, file)
    file.flush()
    return file


def _busy(file: Any, data: Path) -> StoreBusy:
    file.seek(0)
    try:
        holder = json.load(file)
        who = f"process {holder['pid']} on {holder['host']} ({holder['command']})"
    except (ValueError, KeyError):
        who = "another process"
    file.close()
    return StoreBusy(f"in use by {who}", where=str(data), hint="wait for it, or stop it")
