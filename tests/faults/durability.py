"""What a power cut would take: a command's writes that were not on disk when it said "done".

strace tells the order of writes, renames and syncs in the data directory and of the last write to
standard output. A file is on disk when it was synced after its last write, a name when its
directory was synced after the rename or creation.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from faults.killing import environment

__all__ = ["lost_by_a_power_cut"]

_WRITES: Final = ("write", "pwrite64", "writev", "pwritev")
_SYNCS: Final = ("fsync", "fdatasync")
_RENAMES: Final = ("rename", "renameat", "renameat2")
_OPENS: Final = ("openat", "open", "creat")
_CALL: Final = re.compile(r"(\d+) +(\w+)\((.*)")
_RESUMED: Final = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>")
_DESCRIPTOR: Final = re.compile(r"\d+<([^>]*)>")
_NAME: Final = re.compile(r'"([^"]*)"')
# What nobody reads again: logs of doings, locks, and what RocksDB compacts in the background:
# a table is synced before the manifest names it.
_CHATTER: Final = re.compile(r"/(LOG(\.old\.\d+)?|LOCK|lock|working/(\d+\.sst|MANIFEST-\d+))$")


def lost_by_a_power_cut(data: Path, module: str, *arguments: str) -> list[str]:
    """Run a module of Python; what below `data` (absolute) was not on disk at its last word.

    Raises AssertionError when it fails or says nothing.
    """
    calls = ",".join((*_WRITES, *_SYNCS, *_RENAMES, *_OPENS))
    with tempfile.TemporaryDirectory() as folder:
        log, output = Path(folder) / "log", Path(folder) / "output"
        command = ["strace", "-f", "-y", "-qq", "-s", "0", "--seccomp-bpf", "-o", str(log)]
        command += ["-e", f"trace={calls}", sys.executable, "-m", module, *arguments]
        before = {str(path) for path in data.resolve().rglob("*")}
        # -s 0 leaves out what is written, not the names of files.
        with output.open("w") as out:
            done = subprocess.run(
                command, stdout=out, stderr=subprocess.PIPE, env=environment(), check=False
            )
        assert done.returncode == 0, done.stderr
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return _Disk(str(data.resolve()), str(output.resolve()), before).read(lines)


class _Disk:
    """Which files and directories have changes that are not on disk."""

    def __init__(self, root: str, output: str, before: set[str]) -> None:
        self.root, self.output, self.before = root, output, before
        self.files: set[str] = set()
        self.names: dict[str, str] = {}
        self.pending: dict[str, str] = {}

    def read(self, lines: Iterable[str]) -> list[str]:
        """What is lost when the power goes at the last write to the output."""
        lost: list[str] | None = None
        for line in lines:
            if resumed := _RESUMED.match(line):
                if resumed[2] in _SYNCS:
                    self._synced(self.pending.pop(resumed[1], ""))
                continue
            if not (call := _CALL.match(line)):
                continue
            thread, name, rest = call.groups()
            if name in _WRITES and (found := _DESCRIPTOR.match(rest)):
                if found[1] == self.output:
                    lost = self._lost()
                self._written(found[1])
            elif name in _SYNCS and (found := _DESCRIPTOR.match(rest)):
                if "<unfinished" in rest:
                    self.pending[thread] = found[1]
                else:
                    self._synced(found[1])
            elif name in _RENAMES and " = 0" in rest:
                self._renamed(*_NAME.findall(rest)[:2])
            elif name in _OPENS and "O_CREAT" in rest and (path := _NAME.search(rest)):
                self._created(path[1])
        assert lost is not None, "the command said nothing"
        return lost

    def _inside(self, path: str) -> bool:
        return path.startswith(f"{self.root}/") and not _CHATTER.search(path)

    def _written(self, path: str) -> None:
        if self._inside(path):
            self.files.add(path)

    def _created(self, path: str) -> None:
        if self._inside(path) and path not in self.before:
            self.names.setdefault(path, str(Path(path).parent))

    def _renamed(self, old: str, new: str) -> None:
        below = {p for p in self.files if p == old or p.startswith(f"{old}/")}
        self.files = (self.files - below) | {new + p[len(old) :] for p in below}
        self.names.pop(old, None)
        if self._inside(new):
            self.names[new] = str(Path(new).parent)

    def _synced(self, path: str) -> None:
        self.files.discard(path)
        self.names = {name: folder for name, folder in self.names.items() if folder != path}

    def _lost(self) -> list[str]:
        """Without files that are gone by now, and without names of empty ones."""
        contents = [f"contents of {p}" for p in self.files if Path(p).exists()]
        names = [f"name of {p}" for p in self.names if _holds_bytes(Path(p))]
        return sorted(text.replace(f"{self.root}/", "") for text in contents + names)


def _holds_bytes(path: Path) -> bool:
    return path.is_symlink() or (path.exists() and path.stat().st_size > 0)
