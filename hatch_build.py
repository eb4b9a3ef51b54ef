"""Hatch's hook: the script of the SPARQL page is made when the wheel and the sdist are.

A wheel that is made of the sdist finds it there and needs no npm. An editable installation leaves
it alone: `python3 tasks.py` makes it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontendHook(BuildHookInterface[Any]):
    """Runs web/frontend/build.py, which tells what it cannot do and never fails the build."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the files are gathered."""
        script = Path(self.root, "web", "frontend", "build.py")
        if version != "editable" and script.is_file():
            subprocess.run([sys.executable, str(script)], check=True)  # noqa: S603
