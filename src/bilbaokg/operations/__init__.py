"""What people and jobs do to a catalogue: one table of operations over one workspace.

The command line, the control socket and the HTTP API call the same functions: parameters and
results are plain JSON. A new operation is a function in one of these modules and a line below.
"""

from __future__ import annotations

from typing import Final

from bilbaokg.operations import access, loading, profiles, records, releasing, tables
from bilbaokg.operations.base import Operation, Progress
from bilbaokg.operations.loading import load_content

__all__ = ["OPERATIONS", "Operation", "Progress", "load_content"]

OPERATIONS: Final[dict[str, Operation]] = {
    "load": loading.load,
    "delete": records.delete,
    "restore": records.restore,
    "visibility": records.visibility,
    "dump": records.dump,
    "checkpoint": records.checkpoint,
    "history": records.history,
    "profile.add": profiles.profile_add,
    "vocab.import": tables.vocab_import,
    "release.build": releasing.release_build,
    "release.publish": releasing.release_publish,
    "release.rollback": releasing.release_rollback,
    "token.create": access.token_create,
    "token.list": access.token_list,
    "token.revoke": access.token_revoke,
    "status": access.status,
    "audit.verify": access.audit_verify,
    "audit.list": access.audit_list,
}
