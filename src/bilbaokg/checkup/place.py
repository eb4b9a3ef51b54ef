"""Where a data directory is, whose it is, and who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bilbaokg import settings
from bilbaokg.checkup.lines import OK, PROBLEM, UNSEEN, WARNING, Said
from bilbaokg.server import control
from bilbaokg.settings import MIB

__all__ = ["Holder", "directory", "disk", "held", "server"]

_SECRET: Final = ("accounts.db", "webhook.secret", "webhooks.db")
# File systems of other machines: their locks and their syncs do not hold what a store needs.
_REMOTE: Final = frozenset({"9p", "afs", "ceph", "cifs", "nfs", "nfs4", "smb3", "smbfs"})
_LITTLE, _TOO_LITTLE = 2048 * MIB, 256 * MIB
_FEW_FILES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a data directory: a server that answers, or another process (its command)."""

    server: bool
    command: str | None

    @property
    def reads(self) -> bool:
        """Whether the working store can be read by others: nobody holds it."""
        return not self.server and self.command is None


def directory(data: Path) -> Said:
    """Whose it is, who may read it, and whether what makes it one is there."""
    found = data.stat()
    owner = _name(found.st_uid)
    if os.geteuid() not in (0, found.st_uid):
        yield WARNING, f"it belongs to {owner}", "run bilbaokg as that user"
    if found.st_mode & 0o077:
        mode = stat.filemode(found.st_mode)
        yield WARNING, f"others may look into it ({mode})", f"chmod 700 {data}"
    for name in _SECRET:
        file = data / name
        if file.exists() and file.stat().st_mode & 0o077:
            yield WARNING, f"others may read {name}", f"chmod 600 {file}"
    for name in (settings.FILE, "working", "releases"):
        if not (data / name).exists():
            yield PROBLEM, f"{name} is missing", "restore a backup"
    strangers = sorted({_name(path.lstat().st_uid) for path in data.iterdir()})
    if set(strangers) - {owner}:
        hint = f"chown -R {owner} {data}"
        yield WARNING, f"what is in it belongs to {', '.join(strangers)}", hint
    yield OK, f"{data}, of {owner}", None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def disk(data: Path) -> Said:
    """Whether it is local, can be written to, and has room."""
    kind = _file_system(data.resolve())
    if kind in _REMOTE:
        hint = "move the data directory to a local disk"
        yield PROBLEM, f"it is on another machine's disk ({kind})", hint
    told = os.statvfs(data)
    if told.f_flag & os.ST_RDONLY:
        yield PROBLEM, "it can only be read", "look why the system mounted it so (dmesg)"
    usage = shutil.disk_usage(data)
    text = f"{usage.free / (1024 * MIB):,.1f} GiB free of {usage.total / (1024 * MIB):,.1f}"
    state = PROBLEM if usage.free < _TOO_LITTLE else WARNING if usage.free < _LITTLE else OK
    hint = "free some space: old releases and backups may go"
    yield state, f"{text} ({kind})", hint if state != OK else None
    # Some file systems have no table of files, and say 0 of 0.
    if told.f_files and told.f_favail < _FEW_FILES:
        yield WARNING, f"only {told.f_favail:,} files more can be made", "remove small files"


def _file_system(path: Path) -> str:
    """The kind of file system that a path is on, as the kernel calls it; "unknown" elsewhere."""
    device = path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return "unknown"
    for line in mounts.splitlines():
        mount, _, source = line.partition(" - ")
        if mount.split()[2] == number:
            return source.split()[0]
    return "unknown"


def held(data: Path) -> Holder:
    """Who holds it. Takes no lock for longer than it needs to see that it could."""
    command = _locked_by(data)
    return Holder(command is not None and control.available(data), command)


def _locked_by(data: Path) -> str | None:
    try:
        file = (data / "lock").open(encoding="utf-8")
    except FileNotFoundError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            return None
        try:
            told = json.load(file)
            return f"process {told['pid']} on {told['host']} ({told['command']})"
        except (ValueError, KeyError, TypeError):
            return "another process"


def server(data: Path, holder: Holder) -> Said:
    """Whether one runs and what it serves."""
    if holder.server:
        told = control.call(data, "usage", {})
        release, hours = told["release"] or "no release", told["uptime_seconds"] / 3600
        yield OK, f"{holder.command} serves {release}, since {hours:,.1f} hours", None
    elif holder.command:
        hint = "wait for it and look again; a server that never answers: stop it and start it"
        yield UNSEEN, f"the directory is held by {holder.command}, which does not answer", hint
    else:
        yield OK, "none runs", None
