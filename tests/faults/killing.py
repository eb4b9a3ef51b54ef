"""Commands that are killed with -9 at a chosen step, or at a chosen moment.

A step is a completed fsync, fdatasync or rename. `Strace` sees those of every thread, RocksDB's
and SQLite's too: it holds the thread for some milliseconds after each, time enough to kill the
process just there. Where strace is missing or may not trace, `Patched` sees Python's own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

__all__ = ["Ended", "Killer", "Patched", "Strace", "environment", "kill_after", "python"]

_CALLS: Final = "fsync,fdatasync,rename,renameat,renameat2"
_HOLD_MICROSECONDS: Final = 8_000
_LONGEST: Final = 300.0


@dataclass(frozen=True)
class Ended:
    """How a command ended: `killed`, or with a code; what it printed; how many steps it took."""

    code: int
    output: str
    errors: str
    steps: int = 0

    @property
    def killed(self) -> bool:
        """Whether SIGKILL ended it."""
        return self.code in (-signal.SIGKILL, 128 + signal.SIGKILL)

    @property
    def acknowledged(self) -> bool:
        """Whether it said that the work is done."""
        told = ('"result"', "Saved", "Built", "Published")
        return self.code == 0 or any(word in self.output for word in told)


def environment() -> dict[str, str]:
    """The environment in which `faults` can be imported and messages are English."""
    tests = str(Path(__file__).parents[1])
    paths = [tests, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "LC_ALL": "C.UTF-8"}


def python(module: str, *arguments: str) -> Ended:
    """Run a module of Python to its end."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        timeout=_LONGEST,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def kill_after(seconds: float, module: str, *arguments: str) -> Ended:
    """Run a module of Python and kill it at a moment, unless it has ended before."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment(),
    ) as process:
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
    return Ended(process.returncode, output, errors)


class Killer(Protocol):
    """Runs a module of Python, and kills it after its n-th step; with 0 it only counts."""

    def run(self, at: int, module: str, *arguments: str) -> Ended:
        """Raises subprocess.TimeoutExpired when it does not end."""


class Patched:
    """Steps are the calls that Python makes: a process of faults.stepping kills itself."""

    def run(self, at: int, module: str, *arguments: str) -> Ended:
        """See Killer."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "steps"
            ended = python("faults.stepping", str(at), str(report), module, *arguments)
            steps = len(report.read_text().splitlines()) if report.is_file() else 0
        return Ended(ended.code, ended.output, ended.errors, steps)


class Strace:
    """Steps are the system calls of all threads, in the order in which they end."""

    @staticmethod
    def available() -> bool:
        """Whether strace is there and may trace here."""
        if not shutil.which("strace"):
            return False
        command = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", f"trace={_CALLS}", "true"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def run(self, at: int, module: str, *arguments: str) -> Ended:
        """See Killer."""
        reading, writing = os.pipe()
        command = [
            *("strace", "-f", "-qq", "--seccomp-bpf", "-o", f"/dev/fd/{writing}"),
            *("-e", f"trace={_CALLS}", "-e", f"inject={_CALLS}:delay_exit={_HOLD_MICROSECONDS}"),
            *(sys.executable, "-m", module, *arguments),
        ]
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(
                command, stdout=output, stderr=errors, pass_fds=(writing,), env=environment()
            )
            os.close(writing)
            with os.fdopen(reading) as lines:
                steps = _watch(lines, at)
            code = process.wait(_LONGEST)
            output.seek(0)
            errors.seek(0)
            return Ended(code, output.read(), errors.read(), steps)


def _watch(lines: Iterable[str], at: int) -> int:
    """Count the calls that ended, and kill the process that ended the `at`-th."""
    steps = 0
    for line in lines:
        if " = " in line:
            steps += 1
            if steps == at:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(line.partition(" ")[0]), signal.SIGKILL)
    return steps
