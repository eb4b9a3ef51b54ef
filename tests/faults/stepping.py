"""Run a module of Python, and kill this very process after its n-th step.

    python -m faults.stepping N REPORT MODULE ARGUMENT...

A step is a call from Python of fsync, fdatasync, rename or replace. With N = 0 nothing is killed
and REPORT gets one line a step. This is the stand-in for strace, which also sees RocksDB's calls.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__: list[str] = []


def _stepping(name: str, at: int, report: Path) -> Callable[..., Any]:
    original = getattr(os, name)

    def step(*arguments: Any, **options: Any) -> Any:
        result = original(*arguments, **options)
        _taken.append(name)
        if len(_taken) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        if not at:
            with report.open("a") as out:
                out.write(f"{name}\n")
        return result

    return step


_taken: list[str] = []


def _main() -> None:
    at, report, module = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    for name in ("fsync", "fdatasync", "rename", "replace"):
        setattr(os, name, _stepping(name, at, report))
    sys.argv[:] = sys.argv[3:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
