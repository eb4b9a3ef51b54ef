"""The shape of an operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bilbaokg.workspace import Workspace

__all__ = ["Operation", "Progress"]

Progress = Callable[[int, int | None, str], None]
Operation = Callable[[Workspace, dict[str, Any], Progress], dict[str, Any]]
