"""Which release was public from when: the log beside the releases.

The audit tells who published what, but it stays inside. The public side needs the order and the
times alone, also after a rollback, and reads them in `releases/published.json`: `[{"id": "r1",
"at": "..."}, ...]`, oldest first. It is written with each switch and made again from the audit.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from bilbaokg.audit import instant, now
from bilbaokg.exports.files import sync
from bilbaokg.model import Event
from bilbaokg.store.embedded import storage_errors

__all__ = ["LOG", "SWITCHES", "Switch", "history", "later", "prepare", "recover", "standing"]

LOG: Final = "published.json"
SWITCHES: Final = frozenset({"release.publish", "release.rollback"})
"""The kinds of audit entries that make a release the current one."""
_INSTANT: Final = timedelta(milliseconds=1)


class Switch(NamedTuple):
    """A release became the public one: its id, and when (xsd:dateTime, UTC)."""

    id: str
    at: str


def prepare(releases: Path, id: str) -> Callable[[], None]:
    """Write the log with one more switch, now, beside its place; what is returned puts it there.

    Raises StorageFault, StorageFull.
    """
    return _write(releases, [*_read(releases / LOG), Switch(id, now())])


def recover(releases: Path, events: Iterable[Event]) -> None:
    """Make the log again where it does not tell what the audit does. Raises as `prepare`."""
    with storage_errors(releases):
        _part(releases).unlink(missing_ok=True)
    told = [Switch(e.detail["id"], e.at) for e in events if e.kind in SWITCHES]
    if [s.id for s in _read(releases / LOG)] != [s.id for s in told]:
        _write(releases, told)()


def _write(releases: Path, switches: Sequence[Switch]) -> Callable[[], None]:
    """Write a log under a name of its own, which a kill may leave and `recover` takes away."""
    part = _part(releases)
    with storage_errors(part), part.open("wb") as out:
        out.write((json.dumps([s._asdict() for s in switches], indent=1) + "\n").encode())
        out.flush()
        os.fsync(out.fileno())

    def place() -> None:
        with storage_errors(releases):
            part.replace(releases / LOG)
            sync(releases)

    return place


def history(releases: Path, current: str, built: Iterable[Switch]) -> list[Switch]:
    """The switches up to the one to the current release, oldest first; each later than the last.

    A switch that is told of and not done yet is left out. `built` are all releases with the times
    when they were made: where there is no log, each was public from then on. A clock that was put
    back changes the times, not the order.
    """
    told = _read(releases / LOG)
    while told and told[-1].id != current:
        told.pop()
    if not told:
        told = [s for s in built if int(s.id[1:]) <= int(current[1:])]
    found: list[Switch] = []
    for switch in told:
        if found and switch.id == found[-1].id:
            continue
        at = max(switch.at, later(found[-1].at)) if found else switch.at
        found.append(Switch(switch.id, at))
    return found


def standing(switches: Iterable[Switch]) -> list[str]:
    """The ids of the releases that were public and were not taken back, oldest first."""
    found: list[str] = []
    for switch in switches:
        number = int(switch.id[1:])
        found = [id for id in found if int(id[1:]) < number]
        found.append(switch.id)
    return found


def later(at: str) -> str:
    """The next instant that can be told from this one."""
    return instant(datetime.fromisoformat(at) + _INSTANT)


def _part(releases: Path) -> Path:
    return releases / f".{LOG}"


def _read(path: Path) -> list[Switch]:
    """The log as it stands; nothing where it is missing or damaged: the audit has it too."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [Switch(str(row["id"]), str(row["at"])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError):
        return []
