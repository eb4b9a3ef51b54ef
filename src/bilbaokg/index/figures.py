"""The figures of dashboards: how many datasets meet a measure, how many lack it, for each area.

They are counts of facets, so each is as long as the list of datasets that `Figure.filters` asks
for; and they stand in the index of a release, so that no store is opened for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from bilbaokg.index.found import Found, find
from bilbaokg.index.reader import Index
from bilbaokg.quality import BANDS

__all__ = ["MEASURES", "STATES", "Figure", "Figures", "areas", "children", "figures"]

STATES: Final = ("good", "lacking", "untold")
"""How a dataset may stand by a measure; `untold` where it cannot be told."""
_GOOD_BANDS: Final = ("excellent", "good")


class _Measure(NamedTuple):
    """Facets with those of their values that say that a dataset meets it, lacks it, or neither."""

    good: tuple[str, Sequence[str]]
    lacking: tuple[str, Sequence[str]]
    untold: tuple[str, Sequence[str]] | None = None

    def state(self, name: str) -> tuple[str, Sequence[str]]:
        return {"good": self.good, "lacking": self.lacking}.get(name) or self.untold or ("", ())


def _gap(name: str) -> _Measure:
    return _Measure(("has", [name]), ("gap", [name]))


def _states(facet: str, good: str, lacking: str, untold: str) -> _Measure:
    return _Measure((facet, [good]), (facet, [lacking]), (facet, [untold]))


_MEASURES: Final[Mapping[str, _Measure]] = {
    **{name: _gap(name) for name in ("owner", "steward", "contact", "licence", "translation")},
    "valid": _Measure(("validity", ["valid", "warnings"]), ("validity", ["violations", "waived"])),
    "quality": _Measure(
        ("quality", _GOOD_BANDS), ("quality", [band for band in BANDS if band not in _GOOD_BANDS])
    ),
    "fresh": _states("freshness", "fresh", "late", "unknown"),
    "lineage": _states("lineage", "known", "missing", "unknown"),
    "principles": _states("principles", "met", "failed", "unassessed"),
}
MEASURES: Final = tuple(_MEASURES)


@dataclass(frozen=True, slots=True)
class Figure:
    """How many datasets stand how by a measure; `principle` is an IRI where it is about one."""

    name: str
    good: int
    lacking: int
    untold: int
    area: str = ""
    principle: str = ""

    @property
    def total(self) -> int:
        """Of how many datasets it can be told."""
        return self.good + self.lacking

    @property
    def share(self) -> int | None:
        """Per cent, rounded down: 100 only where nothing lacks; None where it cannot be told."""
        return 100 * self.good // self.total if self.total else None

    def filters(self, state: str) -> dict[str, Sequence[str]]:
        """The filters of the list of just the datasets that are counted; state: of STATES."""
        facet, values = _MEASURES[self.name].state(state)
        if self.principle:
            facet, values = _PRINCIPLE[state], [self.principle]
        return {**({"within": [self.area]} if self.area else {}), facet: values}


_PRINCIPLE: Final = {"good": "meets", "lacking": "fails", "untold": "untested"}


@dataclass(frozen=True, slots=True)
class Figures:
    """How an area (an IRI; empty: all) stands: its datasets, each measure, each principle."""

    area: str
    count: int
    measures: Mapping[str, Figure]
    principles: Sequence[Figure]

    @property
    def score(self) -> int | None:
        """The mean of all shares, in per cent; None where there are none."""
        shares = [m.share for m in self.measures.values() if m.share is not None]
        return round(sum(shares) / len(shares)) if shares else None


def figures(index: Index, area: str = "") -> Figures:
    """How an area stands, with the units that are parts of it.

    A measure that cannot be told of any dataset of the release is left out.
    """
    found = find(index, filters={"within": [area]} if area else {})
    facets = {facet for m in _MEASURES.values() for facet, _ in filter(None, m)}
    counts = {facet: dict(rows) for facet, rows in found.facets(sorted(facets)).items()}

    def figure(name: str) -> Figure:
        held = [_MEASURES[name].state(state) for state in STATES]
        good, lacking, untold = (
            sum(counts[facet].get(value, 0) for value in values) if facet else 0
            for facet, values in held
        )
        return Figure(name, good, lacking, untold, area)

    told = {name: figure(name) for name in MEASURES if _is_told(index, name)}
    return Figures(area, found.total, told, _principles(index, found, area))


def _is_told(index: Index, name: str) -> bool:
    measure = _MEASURES[name]
    # Lineage is missing everywhere where nothing tells any: that is no figure.
    second = measure.untold if name == "lineage" else measure.lacking
    some = filter(None, (measure.good, second))
    return any(index.facet(facet).get(value) for facet, values in some for value in values)


def _principles(index: Index, found: Found, area: str) -> list[Figure]:
    """Each principle that some dataset of the release was held against, by its IRI."""
    facets = found.facets([*_PRINCIPLE.values()])
    good, lacking, untold = (dict(facets[_PRINCIPLE[state]]) for state in STATES)
    tested = sorted({*index.facet("meets"), *index.facet("fails")})
    return [
        Figure("principles", good.get(iri, 0), lacking.get(iri, 0), untold.get(iri, 0), area, iri)
        for iri in tested
    ]


def areas(index: Index) -> list[str]:
    """The areas (IRIs) that datasets belong to and that are not part of another such, by IRI."""
    held, superiors = index.facet("within"), index.superiors
    # In a circle every unit is above every other: none of them goes under.
    return [
        iri
        for iri in sorted(held)
        if all(iri in superiors.get(other, ()) for other in superiors.get(iri, ()))
    ]


def children(index: Index, area: str) -> list[str]:
    """The units right below an area that datasets belong to."""
    superiors, held = index.superiors, index.facet("within")
    below = [
        iri
        for iri, above in superiors.items()
        if area in above and iri != area and iri not in superiors.get(area, ()) and iri in held
    ]
    return [iri for iri in below if not any(other in superiors[iri] for other in below)]
