"""What people and jobs do to a catalogue: one table of operations over one workspace.

The command line, the control socket and the HTTP API call the same functions: parameters and
results are plain JSON. A new operation is a function in one of these modules and a line below. Its
module is imported when it is first asked for: few verbs need the validation that others do.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

from bilbaokg.operations.base import Operation, Progress
from bilbaokg.workspace import Workspace

__all__ = ["OPERATIONS", "Operation", "Progress"]


def _in(module: str, name: str) -> Operation:
    def operation(
        workspace: Workspace, params: dict[str, Any], progress: Progress
    ) -> dict[str, Any]:
        found: Operation = getattr(importlib.import_module(f"{__name__}.{module}"), name)
        return found(workspace, params, progress)

    return operation


OPERATIONS: Final[dict[str, Operation]] = {
    "load": _in("loading", "load"),
    "harvest": _in("harvesting", "harvest"),
    "lineage.load": _in("lineage", "lineage_load"),
    "lineage.dbt": _in("dbt", "lineage_dbt"),
    "lineage.sql": _in("sql", "lineage_sql"),
    "lineage.scan": _in("scanning", "lineage_scan"),
    "lineage.names": _in("lineage", "lineage_names"),
    "lineage.same": _in("lineage", "lineage_same"),
    "lineage.walk": _in("questions", "lineage_walk"),
    "lineage.path": _in("questions", "lineage_path"),
    "lineage.ends": _in("questions", "lineage_ends"),
    "lineage.agree": _in("questions", "lineage_agree"),
    "lineage.circles": _in("questions", "lineage_circles"),
    "lineage.dead-ends": _in("questions", "lineage_dead_ends"),
    "lineage.spoiled": _in("questions", "lineage_spoiled"),
    "lineage.coverage": _in("questions", "lineage_coverage"),
    "lineage.duties": _in("questions", "lineage_duties"),
    "lineage.changed": _in("questions", "lineage_changed"),
    "lineage.titles": _in("titles", "lineage_titles"),
    "lineage.prune": _in("pruning", "lineage_prune"),
    "lineage.forget": _in("lineage", "lineage_forget"),
    "lineage.apart": _in("lineage", "lineage_apart"),
    "delete": _in("records", "delete"),
    "restore": _in("records", "restore"),
    "visibility": _in("records", "visibility"),
    "dump": _in("records", "dump"),
    "checkpoint": _in("records", "checkpoint"),
    "history": _in("records", "history"),
    "profile.add": _in("profiles", "profile_add"),
    "vocab.import": _in("tables", "vocab_import"),
    "release.build": _in("releasing", "release_build"),
    "release.publish": _in("releasing", "release_publish"),
    "release.rollback": _in("releasing", "release_rollback"),
    "publish.rehearse": _in("rehearsing", "publish_rehearse"),
    "token.create": _in("access", "token_create"),
    "token.list": _in("access", "token_list"),
    "token.revoke": _in("access", "token_revoke"),
    "status": _in("access", "status"),
    "backup": _in("backing", "backup"),
    "audit.verify": _in("access", "audit_verify"),
    "audit.list": _in("access", "audit_list"),
}
