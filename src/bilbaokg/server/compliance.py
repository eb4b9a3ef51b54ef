"""How datasets stand against principles: the last verdict of each test in a release."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bilbaokg.index import Index
from bilbaokg.quality import verdicts
from bilbaokg.terms import plain

__all__ = ["Compliance", "Verdict", "of"]


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
    """The verdicts that count in a release; rows: those of the query pages/compliance."""
    last = verdicts.last(rows)
    places = index.resources(dataset for _, dataset in last)
    areas = index.facets_by_id((place.record for place in places.values()), "area")
    found: dict[str, list[Verdict]] = defaultdict(list)
    for (principle, dataset), row in sorted(last.items(), key=lambda entry: entry[0]):
        place = places.get(dataset)
        if place and place.whole and place.record in areas:
            held = tuple(areas[place.record].get("area", ()))
            day = plain(row["date"]) if "date" in row else None
            automatic = row.get("mode", "").endswith("#automatic>")
            found[principle].append(Verdict(dataset, row["outcome"], day, automatic, held))
    return dict(found)
