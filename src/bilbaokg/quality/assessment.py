"""A whole catalogue assessed: dataset by dataset, and summed by area and steward."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from bilbaokg.quality.catalogue import Catalogue, Described
from bilbaokg.quality.completeness import Completeness, completeness
from bilbaokg.quality.fair import LETTERS, fair
from bilbaokg.quality.freshness import Freshness, freshness
from bilbaokg.quality.mqa import BANDS, DIMENSIONS, MAXIMUM, RULES, Count, Evidence, band, score
from bilbaokg.quality.parity import Drift, Parity, parity
from bilbaokg.quality.todo import Task, summed, todo
from bilbaokg.shacl.context import Facts
from bilbaokg.shacl.graph import Graph
from bilbaokg.terms import plain

__all__ = ["BY", "MAXIMA", "Assessed", "Assessment", "Group", "Summary", "assess", "summary"]

BY: Final = ("area", "steward", "dataset")
"""What results can be grouped by."""
MAXIMA: Final = {
    dimension: sum(rule.points for rule in RULES if rule.dimension == dimension)
    for dimension in DIMENSIONS
}
"""The points of each dimension."""

_Counts = Mapping[str | None, Count]
"""Points by dimension, and all of them under None."""


@dataclass(frozen=True, slots=True)
class Assessed:
    """A dataset with what was found. area, steward: what they are called, None for nobody."""

    iri: str
    title: str | None
    area: str | None
    steward: str | None
    single: _Counts
    average: _Counts
    completeness: Completeness
    parity: Parity
    freshness: Freshness
    fair: Mapping[str, float]
    todo: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """Several datasets together: mean points, counts of the rest. Of one dataset: that one.

    bands: datasets by the band of their points (best distribution). parity: texts, those in all
    languages that are asked for; drift: datasets by state. freshness: datasets by state.
    """

    datasets: int
    single: _Counts
    average: _Counts
    bands: Mapping[str, int]
    completeness: Completeness
    texts: int
    complete: int
    drift: Mapping[str, int]
    freshness: Mapping[str, int]
    fair: Mapping[str, float]

    @property
    def band(self) -> str:
        """The band of the points that are known (best distribution)."""
        return band(self.single[None].points)

    @property
    def filled(self) -> float | None:
        """The share of properties that are filled in; None without a dataset."""
        return _share(*self.completeness)

    @property
    def bilingual(self) -> float | None:
        """The share of texts in all languages that are asked for; None without a text."""
        return _share(self.complete, self.texts)

    def as_dict(self) -> dict[str, Any]:
        """The JSON members."""
        return {
            "datasets": self.datasets,
            "points": {
                "single": _points(self.single[None]) | {"band": self.band},
                "average": _points(self.average[None]) | {"band": band(self.average[None].points)},
            },
            "dimensions": {
                name: {
                    "maximum": MAXIMA[name],
                    "single": _points(self.single[name]),
                    "average": _points(self.average[name]),
                }
                for name in DIMENSIONS
            },
            "bands": dict(self.bands),
            "completeness": self.completeness._asdict(),
            "parity": {
                "texts": self.texts,
                "complete": self.complete,
                "drift": dict(self.drift),
            },
            "freshness": dict(self.freshness),
            "fair": {letter: round(value, 3) for letter, value in self.fair.items()},
        }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _points(count: Count) -> dict[str, float]:
    return {"points": round(count.points, 1), "unknown": round(count.unknown, 1)}


@dataclass(frozen=True, slots=True)
class Group:
    """The datasets of one area or steward (name None: of nobody), or one dataset with its IRI."""

    name: str | None
    datasets: tuple[Assessed, ...]
    iri: str | None = None

    @property
    def summary(self) -> Summary:
        """The datasets together."""
        return summary(self.datasets)

    @property
    def todo(self) -> tuple[Task, ...]:
        """What to mend, the most points for the effort first."""
        if self.iri:
            return self.datasets[0].todo
        return summed(dataset.todo for dataset in self.datasets)

    def as_dict(self) -> dict[str, Any]:
        """The JSON members; of a dataset also what it has beside figures."""
        found = {"name": self.name, "iri": self.iri} | self.summary.as_dict()
        if self.iri:
            one = self.datasets[0]
            found |= {"area": one.area, "steward": one.steward}
            found["freshness"] = one.freshness._asdict()
            found["parity"] |= {
                "lacking": dict(one.parity.lacking),
                "drift": one.parity.state,
                "behind": [
                    {
                        "focus": plain(place.subject),
                        "path": plain(place.predicate),
                        "language": place.language,
                        "since": place.since,
                    }
                    for place in one.parity.behind
                ],
            }
        found["todo"] = [
            {
                "fix": task.fix,
                "points": task.points,
                "effort": task.effort,
                "datasets": task.datasets,
                "focus": plain(task.focus) if task.focus else None,
            }
            for task in self.todo
        ]
        return found


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was found. source: what was looked at, in words; at: the day for which it holds;
    catalogues: the IRIs of the catalogues that were in it."""

    source: str
    at: date
    catalogues: tuple[str, ...]
    datasets: tuple[Assessed, ...]

    @property
    def summary(self) -> Summary:
        """All datasets together."""
        return summary(self.datasets)

    def groups(self, by: str) -> list[Group]:
        """The datasets by area, steward (those of nobody last), or one by one (see BY)."""
        if by == "dataset":
            return [Group(one.title, (one,), one.iri) for one in self.datasets]
        found: dict[str | None, list[Assessed]] = {}
        for one in self.datasets:
            found.setdefault(getattr(one, by), []).append(one)
        names = sorted(found, key=lambda name: (name is None, name or ""))
        return [Group(name, tuple(found[name])) for name in names]

    def as_dict(self) -> dict[str, Any]:
        """The document of `quality --format json`, without its groups."""
        return {
            "source": self.source,
            "at": self.at.isoformat(),
            "maximum": MAXIMUM,
            "summary": self.summary.as_dict(),
        }


def summary(datasets: Sequence[Assessed]) -> Summary:
    """Several datasets together."""
    return Summary(
        len(datasets),
        _means([one.single for one in datasets]),
        _means([one.average for one in datasets]),
        _counted((band(one.single[None].points) for one in datasets), BANDS),
        Completeness(
            sum(one.completeness.filled for one in datasets),
            sum(one.completeness.expected for one in datasets),
        ),
        sum(one.parity.texts for one in datasets),
        sum(one.parity.complete for one in datasets),
        _counted((one.parity.state for one in datasets), ("in-step", "behind", "unknown")),
        _counted((one.freshness.state for one in datasets), ("fresh", "late", "unknown")),
        {
            letter: sum(one.fair[letter] for one in datasets) / max(len(datasets), 1)
            for letter in LETTERS
        },
    )


def _means(counts: Sequence[_Counts]) -> dict[str | None, Count]:
    size = max(len(counts), 1)
    return {
        name: Count(
            sum(count[name].points for count in counts) / size,
            sum(count[name].unknown for count in counts) / size,
        )
        for name in (None, *DIMENSIONS)
    }


def _counted(states: Iterable[str], names: Iterable[str]) -> dict[str, int]:
    found = Counter(states)
    return {name: found[name] for name in names}


def assess(
    graph: Graph,
    *,
    source: str,
    at: date,
    language: str = "es",
    evidence: Evidence | None = None,
    drifts: Mapping[str, Drift] | None = None,
) -> Assessment:
    """Assess the datasets of a graph.

    at: the day for which freshness is judged. language: of titles and names. drifts: what the
    history of a dataset (a term) tells of its texts (see parity.drift).
    """
    catalogue = Catalogue(graph, language)
    described = list(catalogue.datasets())
    facts = catalogue.facts([one.node for one in described])
    known = drifts or {}
    return Assessment(
        source,
        at,
        tuple(map(plain, catalogue.catalogues())),
        tuple(
            _assessed(
                catalogue, one, facts[one.node], evidence or Evidence(), known.get(one.node), at
            )
            for one in described
        ),
    )


def _assessed(
    catalogue: Catalogue,
    one: Described,
    facts: Facts,
    evidence: Evidence,
    drift: Drift | None,
    at: date,
) -> Assessed:
    scored, told, fresh = score(one, evidence), parity(one, drift), freshness(one, at)
    area = catalogue.area(one)
    return Assessed(
        plain(one.node),
        facts.title,
        catalogue.name(area) if area else None,
        facts.steward,
        scored.singles(),
        scored.averages(),
        completeness(one),
        told,
        fresh,
        fair(one),
        todo(one, scored, told, fresh),
    )
