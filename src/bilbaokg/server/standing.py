"""How the datasets stood against a principle, release by release.

Of each release only how many met each principle is kept, in `cache/<id>/compliance-1.json`: its
store need not be opened again.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bilbaokg.errors import StorageFault
from bilbaokg.exports.files import replace_file
from bilbaokg.quality.verdicts import DECIDED
from bilbaokg.server.compliance import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bilbaokg.server.context import Context

__all__ = ["Point", "trend"]

_RELEASES: Final = 12
_FILE: Final = "compliance-1.json"


@dataclass(frozen=True, slots=True)
class Point:
    """A release: how many datasets met a principle, of how many that were tested."""

    id: str
    created: str
    met: int
    tested: int


def trend(context: Context, principle: str) -> list[Point]:
    """The last releases that were public, oldest first."""
    found = []
    for release in context.public_releases()[-_RELEASES:]:
        met, tested = _tallies(context, release.id).get(principle, (0, 0))
        found.append(Point(release.id, release.created_at, met, tested))
    return found


def _tallies(context: Context, id: str) -> dict[str, tuple[int, int]]:
    """For each principle how many met it, of how many: as kept, else reckoned and kept."""
    path = context.cache / id / _FILE
    try:
        return {p: (met, all) for p, (met, all) in json.loads(path.read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        held = context.catalogue.past(id).compliance
    found = {principle: _counts(verdicts) for principle, verdicts in held.items()}
    # On a full disk it is reckoned again.
    with contextlib.suppress(StorageFault):
        replace_file(path, lambda out: out.writelines([json.dumps(found).encode()]))
    return found


def _counts(verdicts: Sequence[Verdict]) -> tuple[int, int]:
    decided = [verdict for verdict in verdicts if verdict.outcome in DECIDED]
    return sum(verdict.outcome == "passed" for verdict in decided), len(decided)
