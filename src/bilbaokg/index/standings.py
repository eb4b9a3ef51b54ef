"""How the datasets of a release stand: validity, freshness, lineage and principles, as facets.

    validity    valid, warnings, violations, waived (violations that the release was told to carry);
                none where the release was built without validation
    freshness   fresh, late, unknown, on the day that the release was built
    lineage     known, unknown (said to be), missing
    principles  met, failed, unassessed; none where nothing was tested
    meets, fails, untested   a principle (an IRI)

Derived of these and others, so that every count of a dashboard has its list:

    has         what a dataset does not lack, named as in "gap"
    within      the areas that it belongs to, with the units that these are part of
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from pyroaring import BitMap

from bilbaokg.index.content import GAPS, Content
from bilbaokg.quality.freshness import judge
from bilbaokg.quality.verdicts import last
from bilbaokg.terms import DCAT, DCT, EARL, ORG, PROV, RDF, SCHEMA, plain, ref

__all__ = ["UNCHECKED", "Checks", "Standings", "closed", "derived"]

_TYPE: Final = ref(RDF.type)
_ASSERTION: Final = ref(EARL.Assertion)
_MODIFIED: Final = ref(DCT.modified)
_FREQUENCY: Final = ref(DCT.accrualPeriodicity)
_DERIVED: Final = ref(PROV.wasDerivedFrom)
_GENERATED_BY: Final = ref(PROV.wasGeneratedBy)
_PART_OF: Final = ref(DCT.isPartOf)
_DISTRIBUTION: Final = ref(DCAT.distribution)
# What leads from a job or a run to what it makes.
_MAKES: Final = (ref(SCHEMA.result), ref(PROV.generated))
_SAID_UNKNOWN: Final = "<http://www.opengis.net/def/nil/OGC/0/unknown>"
_ABOVE: Final = (ref(ORG.unitOf), ref(ORG.subOrganizationOf))
_BELOW: Final = (ref(ORG.hasUnit), ref(ORG.hasSubOrganization))
_GRAVE: Final = {"violation": 2, "warning": 1}
_VALIDITY: Final = ("valid", "warnings", "violations")


@dataclass(frozen=True, slots=True)
class Checks:
    """What is known of a release beside its records.

    `day` is the one that it was built on, `validity` that of datasets (IRIs) with findings; each is
    None where it is not known.
    """

    day: date | None = None
    validity: Mapping[str, str] | None = None

    @classmethod
    def of(cls, created: str, report: Mapping[str, Any] | None, *, waived: bool) -> Checks:
        """created: when it was built; report: as `Report.as_dict` tells it; waived: whether it
        was told to carry what stops a release."""
        day = date.fromisoformat(created[:10])
        if report is None:
            return cls(day)
        worst: dict[str, int] = defaultdict(int)
        for result in report["results"]:
            about = result["dataset"] or result["focus"] or ""
            worst[about] = max(worst[about], _GRAVE.get(result["severity"], 0))
        named = (*_VALIDITY[:2], "waived" if waived else _VALIDITY[2])
        return cls(day, {iri: named[grade] for iri, grade in worst.items()})


UNCHECKED: Final = Checks()


@dataclass(slots=True)
class _Dataset:
    """What one dataset says; all are N-Triples terms."""

    term: str
    modified: list[str]
    frequency: list[str]
    files: list[str]
    has_lineage: bool
    is_unknown: bool


@dataclass(slots=True)
class Standings:
    """Gathers what records say, one after the other; what joins them is told at the end."""

    datasets: dict[int, _Dataset] = field(default_factory=dict)
    modified: dict[str, list[str]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    parts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    assertions: list[dict[str, list[str]]] = field(default_factory=list)
    outcomes: dict[str, list[str]] = field(default_factory=dict)
    units: set[str] = field(default_factory=set)
    orders: set[tuple[str, str]] = field(default_factory=set)

    def add(self, number: int, kind: str, content: Content) -> None:
        """Take in what a record says that is there; number: that of its entry."""
        if kind == "unit":
            self.units.add(plain(content.term))
        for subject, held in content.subjects.items():
            self._lineage(subject, held)
            self._tests(subject, held)
            self._units(subject, held)
            if _MODIFIED in held and subject != content.term:
                self.modified[subject] = held[_MODIFIED]
        root = content.root
        if kind == "distribution" and _MODIFIED in root:
            self.modified[content.term] = root[_MODIFIED]
        if kind == "dataset":
            self.datasets[number] = _Dataset(
                content.term,
                root.get(_MODIFIED, []),
                root.get(_FREQUENCY, []),
                root.get(_DISTRIBUTION, []),
                _GENERATED_BY in root,
                _SAID_UNKNOWN in root.get(ref(DCT.provenance), ()),
            )

    def _lineage(self, subject: str, held: Mapping[str, list[str]]) -> None:
        sources = (*held.get(_DERIVED, ()), *held.get(_GENERATED_BY, ()))
        if any(source.startswith("<") for source in sources):
            self.made.add(subject)
        for predicate in _MAKES:
            self.made.update(made for made in held.get(predicate, ()) if made.startswith("<"))
        for whole in held.get(_PART_OF, ()):
            self.parts[whole].append(subject)

    def _tests(self, subject: str, held: Mapping[str, list[str]]) -> None:
        if _ASSERTION in held.get(_TYPE, ()):
            self.assertions.append(dict(held))
        if ref(EARL.outcome) in held:
            self.outcomes[subject] = held[ref(EARL.outcome)]

    def _units(self, subject: str, held: Mapping[str, list[str]]) -> None:
        for predicate in _ABOVE:
            self.orders.update((plain(subject), plain(o)) for o in held.get(predicate, ()))
        for predicate in _BELOW:
            self.orders.update((plain(o), plain(subject)) for o in held.get(predicate, ()))

    # ---- when all are there

    def superiors(self) -> set[tuple[str, str]]:
        """Units with the units that they are part of; an organisation that has them is none."""
        return {pair for pair in self.orders if self.units.issuperset(pair)}

    def rows(self, checks: Checks) -> Iterator[tuple[int, str, str]]:
        """Number, facet and value of each dataset."""
        tested = self._tested()
        for number, dataset in self.datasets.items():
            iri = plain(dataset.term)
            if checks.validity is not None:
                yield number, "validity", checks.validity.get(iri, _VALIDITY[0])
            if checks.day:
                yield number, "freshness", self._freshness(dataset, checks.day)
            yield number, "lineage", self._known(dataset)
            verdicts = tested.get(iri, {})
            if tested:
                yield number, "principles", _standing(verdicts.values())
            for principle, outcome in verdicts.items():
                if outcome in _FACETS:
                    yield number, _FACETS[outcome], principle

    def _freshness(self, dataset: _Dataset, day: date) -> str:
        of_files = (term for file in dataset.files for term in self.modified.get(file, ()))
        return judge([*dataset.modified, *of_files], dataset.frequency, day).state

    def _known(self, dataset: _Dataset) -> str:
        things = (dataset.term, *dataset.files, *self.parts.get(dataset.term, ()))
        if dataset.has_lineage or not self.made.isdisjoint(things):
            return "known"
        return "unknown" if dataset.is_unknown else "missing"

    def _tested(self) -> dict[str, dict[str, str]]:
        """Dataset -> principle -> how the test ended that counts; of datasets alone."""
        iris = {plain(dataset.term) for dataset in self.datasets.values()}
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for (principle, dataset), row in last(self._verdicts()).items():
            if dataset in iris:
                found[dataset][principle] = row["outcome"]
        return dict(found)

    def _verdicts(self) -> Iterator[dict[str, str]]:
        for said in self.assertions:
            results = (o for r in said.get(ref(EARL.result), ()) for o in self.outcomes.get(r, ()))
            for outcome in results:
                for dataset in said.get(ref(EARL.subject), ()):
                    for principle in said.get(ref(EARL.test), ()):
                        row = {"dataset": dataset, "principle": principle, "outcome": outcome}
                        dates = said.get(ref(DCT.date), ())
                        yield from ({**row, "date": day} for day in dates)
                        if not dates:
                            yield row


_FACETS: Final = {"passed": "meets", "failed": "fails"}


def _standing(outcomes: Iterable[str]) -> str:
    decided = {outcome for outcome in outcomes if outcome in _FACETS}
    if not decided:
        return "unassessed"
    return "failed" if "failed" in decided else "met"


def closed(orders: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """Units with all that they are part of, at whatever distance; circles end where they begin."""
    near: dict[str, set[str]] = defaultdict(set)
    for unit, superior in orders:
        near[unit].add(superior)
    found = {}
    for unit in sorted(near):
        seen, ahead = set[str](), list(near[unit])
        while ahead:
            superior = ahead.pop()
            if superior not in seen:
                seen.add(superior)
                ahead += near.get(superior, ())
        found[unit] = frozenset(seen)
    return found


def derived(
    facet: Callable[[str], Mapping[str, BitMap]], orders: Iterable[tuple[str, str]]
) -> Iterator[tuple[tuple[str, str], BitMap]]:
    """Facet and value with the datasets that have it, of what other facets and units tell.

    facet: the sets of a facet; orders: units with those that they are part of.
    """
    datasets = facet("kind").get("dataset", BitMap())
    gaps = facet("gap")
    for name in GAPS:
        yield ("has", name), datasets - gaps.get(name, BitMap())
    meets, fails = facet("meets"), facet("fails")
    for iri in sorted({*meets, *fails}):
        tested = meets.get(iri, BitMap()) | fails.get(iri, BitMap())
        yield ("untested", iri), datasets - tested
    within: dict[str, BitMap] = defaultdict(BitMap)
    superiors = closed(orders)
    for area, held in facet("area").items():
        for iri in {area, *superiors.get(area, ())}:
            within[iri] |= held & datasets
    yield from ((("within", iri), within[iri]) for iri in sorted(within) if within[iri])
