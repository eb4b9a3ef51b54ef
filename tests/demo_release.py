"""A data directory with the demo catalogue released, made once for all tests that read it, in
whatever process of a run they are."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

__all__ = ["copied", "made"]


def made(factory: pytest.TempPathFactory) -> Path:
    """The directory; nobody may write to it."""
    base = factory.getbasetemp()
    # The processes of one run have folders beside each other.
    return _made(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


def copied(factory: pytest.TempPathFactory) -> Path:
    """A copy of its own, for a server: a data directory has one holder."""
    data = factory.mktemp("demo") / "data"
    return shutil.copytree(made(factory), data, symlinks=True)


@cache
def _made(base: Path) -> Path:
    data = base / "demo-release"
    ready = data.with_suffix(".ready")
    with data.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            command = [sys.executable, "-m", "bilbaokg", "--quiet", "--data", str(data), "demo"]
            done = subprocess.run([*command, "--no-serve"], capture_output=True, text=True)
            assert done.returncode in (0, 1), done.stderr
            ready.touch()
    return data
