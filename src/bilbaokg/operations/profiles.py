"""Taking in profiles of the city's own."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from bilbaokg import adoption, vetting
from bilbaokg.errors import Invalid
from bilbaokg.operations.base import Progress, tell
from bilbaokg.profiles import FOLDER
from bilbaokg.workers import Pool
from bilbaokg.workspace import Workspace

__all__ = ["profile_add"]


def profile_add(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Copy a folder or file of shapes as a profile. params: path (absolute), name, version, actor.

    Nothing happens where it is there already. Raises Invalid for one that cannot be used, Conflict
    where there is another of its label.
    """
    path, shelf = Path(params["path"]), workspace.shelf
    progress(0, None, "checking the shapes")
    with contextlib.ExitStack() as stack:
        pool = workspace.pool or stack.enter_context(Pool(1, workspace.settings.memory_limit))
        problems = vetting.faults(str(path), shelf, pool)
    if grave := [problem for problem in problems if problem.severity == "violation"]:
        raise Invalid(
            grave[0].message,
            where=grave[0].focus,
            hint=grave[0].hint or f"bilbaokg profile check {path} lists what is wrong",
        )
    taken = adoption.plan(path, shelf, name=params.get("name"), version=params.get("version"))
    with workspace.mutex:
        there = taken.find(shelf)
        if there is None:
            tell(workspace, params, "profile.add", taken.label, {"files": sorted(taken.files)})
        folder = there or taken.write(workspace.data / FOLDER)
    return {
        "profile": taken.label,
        "added": there is None,
        "folder": str(folder.absolute()),
        "problems": [problem.as_dict() for problem in problems],
    }
