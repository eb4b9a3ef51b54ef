"""How good the description of a catalogue is, and what to do about it first.

`assess` looks at a whole catalogue: the 405 points of data.europa.eu, completeness, texts in
Spanish and Basque, freshness, FAIR. `measurements` says the same as dqv:QualityMeasurement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bilbaokg import lazy

if TYPE_CHECKING:
    from bilbaokg.quality.assessment import Assessed, Assessment, Group, assess
    from bilbaokg.quality.measuring import measurements
    from bilbaokg.quality.mqa import BANDS, MAXIMUM, RULES, Evidence, band
    from bilbaokg.quality.parity import drift
    from bilbaokg.quality.todo import EFFORTS, FIXES

__all__ = [
    "BANDS",
    "EFFORTS",
    "FIXES",
    "MAXIMUM",
    "RULES",
    "Assessed",
    "Assessment",
    "Evidence",
    "Group",
    "assess",
    "band",
    "drift",
    "measurements",
]

__getattr__ = lazy.names_of(
    __name__,
    {
        "assessment": "Assessed Assessment Group assess",
        "measuring": "measurements",
        "mqa": "BANDS MAXIMUM RULES Evidence band",
        "parity": "drift",
        "todo": "EFFORTS FIXES",
    },
)
