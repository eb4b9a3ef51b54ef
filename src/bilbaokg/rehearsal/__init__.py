"""Rehearsing a release for a portal: what its harvester would create, change, delete and drop.

    portals.py    how the harvesters of each target know what they hold, and what they refuse
    members.py    what a feed lists, and what is said of it
    outcomes.py   two states held against each other, as the portal would
    offer.py      the feed of what a release would hold, with all of the above

Nothing here is written anywhere: a rehearsal reads what a release would hold, makes the feed of it
in memory and looks at both.
"""

from __future__ import annotations

__all__: list[str] = []
