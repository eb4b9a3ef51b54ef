"""How datasets stand against principles: the last verdict of each test in a release."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from bilbaokg.index import Index
from bilbaokg.quality.dates import latest
from bilbaokg.terms import plain

__all__ = ["DECIDED", "Compliance", "Verdict", "of"]

DECIDED: Final = ("passed", "failed")
"""The outcomes that say whether a principle is met."""


class Verdict(NamedTuple):
    """How a test of a dataset ended: `outcome` as EARL names it, `date` as it is written or None;
    `areas` are those that the dataset belongs to."""

    dataset: str
    outcome: str
    date: str | None
    automatic: bool
    areas: tuple[str, ...]


Compliance = Mapping[str, Sequence[Verdict]]
"""Principle (an IRI) -> the verdicts about the datasets of the release, by their IRI."""


def of(rows: Iterable[Mapping[str, str]], index: Index) -> Compliance:
    """The verdicts of a release; rows: those of the query pages/compliance.

    Of several tests of a dataset the last counts; of those of one day, one that failed. What did
    not end with a verdict counts only where no other did.
    """
    last: dict[tuple[str, str], tuple[bool, date, bool, dict[str, str]]] = {}
    for row in rows:
        outcome = plain(row["outcome"]).rpartition("#")[2]
        tested = (latest([row["date"]]) if "date" in row else None) or date.min
        rank = (outcome in DECIDED, tested, outcome == "failed")
        key = plain(row["principle"]), plain(row["dataset"])
        if key not in last or rank > last[key][:3]:
            last[key] = (*rank, {**row, "outcome": outcome})
    places = index.resources(dataset for _, dataset in last)
    areas = index.facets_by_id(place.record for place in places.values())
    found: dict[str, list[Verdict]] = defaultdict(list)
    for (principle, dataset), (*_, row) in sorted(last.items(), key=lambda entry: entry[0]):
        place = places.get(dataset)
        if place and place.whole and place.record in areas:
            held = tuple(areas[place.record].get("area", ()))
            day = plain(row["date"]) if "date" in row else None
            automatic = row.get("mode", "").endswith("#automatic>")
            found[principle].append(Verdict(dataset, row["outcome"], day, automatic, held))
    return dict(found)
