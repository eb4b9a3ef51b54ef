"""A data directory with the demo catalogue released, made once for all tests that read it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

__all__ = ["copied", "made"]


def made(factory: pytest.TempPathFactory) -> Path:
    """The directory; nobody may write to it."""
    return _made(factory.getbasetemp())


def copied(factory: pytest.TempPathFactory) -> Path:
    """A copy of its own, for a server: a data directory has one holder."""
    data = factory.mktemp("demo") / "data"
    return shutil.copytree(made(factory), data, symlinks=True)


@cache
def _made(base: Path) -> Path:
    data = base / "demo-release"
    command = [sys.executable, "-m", "bilbaokg", "--quiet", "--data", str(data), "demo"]
    done = subprocess.run([*command, "--no-serve"], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return data
