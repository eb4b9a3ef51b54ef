"""How good the description of a catalogue is, and what to do about it first.

`assess` looks at a whole catalogue: the 405 points of data.europa.eu, completeness, texts in
Spanish and Basque, freshness, FAIR. `measurements` says the same as dqv:QualityMeasurement. `lacks`
and its companions count what a load lacks.
"""

from __future__ import annotations

from bilbaokg.quality.assessment import Assessed, Assessment, Group, assess
from bilbaokg.quality.gaps import (
    EXPECTED,
    LISTED,
    Expected,
    class_counts,
    counted,
    curie,
    lacks,
    nameless,
)
from bilbaokg.quality.measurements import measurements
from bilbaokg.quality.mqa import BANDS, MAXIMUM, RULES, Evidence, band
from bilbaokg.quality.parity import drift
from bilbaokg.quality.todo import EFFORTS, FIXES

__all__ = [
    "BANDS",
    "EFFORTS",
    "EXPECTED",
    "FIXES",
    "LISTED",
    "MAXIMUM",
    "RULES",
    "Assessed",
    "Assessment",
    "Evidence",
    "Expected",
    "Group",
    "assess",
    "band",
    "class_counts",
    "counted",
    "curie",
    "drift",
    "lacks",
    "measurements",
    "nameless",
]
