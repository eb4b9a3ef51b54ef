"""Whether data are as fresh as their declared frequency promises."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

from bilbaokg.quality.catalogue import Described
from bilbaokg.quality.dates import latest
from bilbaokg.terms import DCT, ref

__all__ = ["PERIODS", "Freshness", "freshness", "judge"]

_MODIFIED: Final = ref(DCT.modified)
_PERIODICITY: Final = ref(DCT.accrualPeriodicity)
_FREQUENCY: Final = "<http://publications.europa.eu/resource/authority/frequency/"
# Days between two updates. Frequencies that promise no period are not here: IRREG, AS_NEEDED ...
PERIODS: Final[dict[str, float]] = {
    "1MIN": 1, "5MIN": 1, "10MIN": 1, "15MIN": 1, "30MIN": 1, "CONT": 1, "UPDATE_CONT": 1,
    "HOURLY": 1, "BIHOURLY": 1, "TRIHOURLY": 1, "12HRS": 1, "DAILY_2": 1, "DAILY": 1,
    "WEEKLY_3": 3, "WEEKLY_2": 4, "WEEKLY": 7, "BIWEEKLY": 14, "MONTHLY_3": 10, "MONTHLY_2": 16,
    "MONTHLY": 31, "BIMONTHLY": 62, "QUARTERLY": 92, "ANNUAL_3": 123, "ANNUAL_2": 184,
    "ANNUAL": 366, "BIENNIAL": 731, "TRIENNIAL": 1096, "QUADRENNIAL": 1461, "QUINQUENNIAL": 1827,
    "DECENNIAL": 3653, "BIDECENNIAL": 7305, "TRIDECENNIAL": 10958,
}  # fmt: skip
# An update may come late by so much of its period, and by a day at least.
_GRACE: Final = 0.5


class Freshness(NamedTuple):
    """`state` is fresh, late or unknown; `age` and `period` are days, None where not known."""

    state: str
    age: int | None = None
    period: float | None = None


def freshness(dataset: Described, today: date) -> Freshness:
    """How fresh a dataset is; unknown without a date or a frequency that promises a period.

    The date is the latest of the dataset and of its distributions.
    """
    said = [dataset.said, *(held for _, held in dataset.distributions)]
    modified = [term for held in said for term in held.get(_MODIFIED, ())]
    return judge(modified, dataset.said.get(_PERIODICITY, ()), today)


def judge(modified: Iterable[str], frequencies: Iterable[str], today: date) -> Freshness:
    """The same of dates and frequencies (N-Triples terms)."""
    last = latest(modified)
    age = max((today - last).days, 0) if last else None
    codes = (
        frequency[len(_FREQUENCY) : -1]
        for frequency in frequencies
        if frequency.startswith(_FREQUENCY)
    )
    period = min((PERIODS[code] for code in codes if code in PERIODS), default=None)
    if age is None or period is None:
        return Freshness("unknown", age, period)
    late = age > period + max(1.0, period * _GRACE)
    return Freshness("late" if late else "fresh", age, period)
