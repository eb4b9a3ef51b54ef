"""What the benchmarks share: running a command and measuring all of it, and naming the machine."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Measured", "Moment", "cpu", "machine", "memory", "run", "table"]

_PAUSE: Final = 0.02
_PROC: Final = Path("/proc")


class Moment(NamedTuple):
    """What is known of a running command at a moment: seconds, processor seconds, bytes."""

    wall: float
    cpu: float
    pss: int


@dataclass(frozen=True)
class Measured:
    """One run of a command: seconds of the clock and of the processors, peak bytes, its output.

    `memory` adds the peak resident sizes (VmHWM) of the process and of all that it started, so it
    is an upper bound; 0 where /proc does not tell. `trail` has, where it was asked for, moments of
    the run: seconds since the start, processor seconds until then, and the sum of the proportional
    sizes (PSS) at that moment, which counts shared pages once.
    """

    wall: float
    cpu: float
    memory: int
    output: str
    trail: tuple[Moment, ...] = ()

    @property
    def pss(self) -> int:
        """The largest sum of proportional sizes that was seen, in bytes."""
        return max((moment.pss for moment in self.trail), default=0)

    def cpu_after(self, seconds: float) -> float:
        """Processor seconds from a moment of the run to its end."""
        return self.cpu - max((m.cpu for m in self.trail if m.wall <= seconds), default=0.0)


def run(command: Sequence[str], *, trail: bool = False, watched: bool = True) -> Measured:
    """Run a command to its end. Raises RuntimeError with its last words when it fails.

    watched: look at its memory, which slows short commands down.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    peaks: dict[int, int] = {}
    moments: list[Moment] = []
    watcher = threading.Thread(
        target=_watch, args=(process, peaks, moments if trail else None), daemon=True
    )
    if watched:
        watcher.start()
    before = os.times()
    output, errors = process.communicate()
    wall = time.perf_counter() - start
    after = os.times()
    if watched:
        watcher.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: {errors[-2000:]}")
    cpu = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )
    return Measured(wall, cpu, sum(peaks.values()), output, tuple(moments))


def _watch(
    process: subprocess.Popen[str], peaks: dict[int, int], moments: list[Moment] | None
) -> None:
    start = time.perf_counter()
    while process.returncode is None:
        sizes = _sizes(process.pid)
        for pid, size in sizes:
            peaks[pid] = max(size, peaks.get(pid, 0))
        if moments is not None:
            moments.append(
                Moment(
                    time.perf_counter() - start, cpu(process.pid), sum(_pss(p) for p, _ in sizes)
                )
            )
        time.sleep(_PAUSE if moments is None else 5 * _PAUSE)


def _pss(pid: int) -> int:
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in text.splitlines() if line.startswith("Pss:")]
    return int(found[0]) * 1024 if found else 0


def _sizes(root: int) -> list[tuple[int, int]]:
    """The peak resident sizes of a process and its descendants."""
    parents: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for status in _PROC.glob("[0-9]*/status"):
        try:
            fields = dict(
                line.split(":", 1) for line in status.read_text().splitlines() if ":" in line
            )
        except OSError:
            continue
        pid = int(status.parent.name)
        parents[pid] = int(fields["PPid"])
        sizes[pid] = int(fields.get("VmHWM", "0 kB").split()[0]) * 1024
    family = {root}
    for pid in sorted(parents):
        if parents[pid] in family:
            family.add(pid)
    return [(pid, sizes[pid]) for pid in family if pid in sizes]


def memory(root: int) -> int:
    """The sum of the peak resident sizes of a running process and its descendants, in bytes."""
    return sum(size for _, size in _sizes(root))


def cpu(root: int) -> float:
    """Processor seconds of a running process and its descendants, those that ended included."""
    ticks = 0
    for pid, _ in _sizes(root):
        with contextlib.suppress(OSError):
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def machine() -> str:
    """Date, processor, Python and Oxigraph in one line."""
    model = platform.processor() or platform.machine()
    cpuinfo = _PROC / "cpuinfo"
    if cpuinfo.is_file():
        names = [x for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return (
        f"{datetime.datetime.now(datetime.UTC).date()}, {os.cpu_count()} cores ({model}), "
        f"{platform.system()}, Python {platform.python_version()}, "
        f"pyoxigraph {version('pyoxigraph')}, load before {os.getloadavg()[0]:.1f}"
    )


def table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [titles, ["---"] + ["---:"] * (len(titles) - 1), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
