"""Which of several tests of a dataset against a principle counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from bilbaokg.quality.dates import latest
from bilbaokg.terms import plain

__all__ = ["DECIDED", "last"]

DECIDED: Final = ("passed", "failed")
"""The outcomes that say whether a principle is met."""


def last(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, str], dict[str, str]]:
    """The row that counts, by principle and dataset (IRIs), its `outcome` as EARL names it.

    rows: the terms of principle, dataset, outcome and, where they are told, date and mode. Of
    several tests the last counts; of those of one day, one that failed. What did not end with a
    verdict counts only where no other did.
    """
    found: dict[tuple[str, str], tuple[bool, date, bool, dict[str, str]]] = {}
    for row in rows:
        outcome = plain(row["outcome"]).rpartition("#")[2]
        tested = (latest([row["date"]]) if "date" in row else None) or date.min
        rank = (outcome in DECIDED, tested, outcome == "failed")
        key = plain(row["principle"]), plain(row["dataset"])
        if key not in found or rank > found[key][:3]:
            found[key] = (*rank, {**row, "outcome": outcome})
    return {key: row for key, (*_, row) in found.items()}
