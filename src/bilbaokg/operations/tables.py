"""Taking in authority tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bilbaokg import authority
from bilbaokg.errors import BadInput
from bilbaokg.importers.rdf import discover
from bilbaokg.operations.base import Progress, tell
from bilbaokg.profiles import TABLES
from bilbaokg.workspace import Workspace

__all__ = ["vocab_import"]


def vocab_import(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Take in an official table, instead of what was imported of it before.

    params: path (absolute), format, actor. Raises what `authority.read` raises.
    """
    sources = discover([Path(params["path"])], workspace.settings, format=params.get("format"))
    if len(sources) != 1:
        raise BadInput("a table is one file", where=params["path"])
    progress(0, None, "reading the table")
    table = authority.read(sources[0], workspace.pool, workspace.settings)
    with workspace.mutex:
        detail = {"scheme": table.scheme, "concepts": table.concepts}
        tell(workspace, params, "vocab.import", table.name, detail)
        file = table.write(workspace.data / TABLES)
    return {
        "table": table.name,
        "statements": len(table.lines),
        "file": str(file.absolute()),
        **detail,
    }
