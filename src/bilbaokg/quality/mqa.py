"""The 405 points that data.europa.eu gives a dataset (MQA, Metadata Quality Assessment).

Each rule earns its points, does not, or is unknown: whether a link answers is not known before it
is probed, and whether a dataset conforms not before it is validated. What is unknown never counts
as points. A dataset has several files, and there are two ways to count them: the single best one
stands for all, as data.europa.eu does, or their average, as others do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from bilbaokg.quality.catalogue import Described
from bilbaokg.quality.tables import FileType, file_type, media_type, table
from bilbaokg.shacl.graph import Properties
from bilbaokg.terms import DCAT, DCT, plain, ref

__all__ = [
    "BANDS",
    "DIMENSIONS",
    "MAXIMUM",
    "RULES",
    "Count",
    "Evidence",
    "Outcomes",
    "Rule",
    "Score",
    "band",
    "score",
    "total",
]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What statements alone do not tell.

    failing: the datasets (terms) with a violation, None where nothing was validated; answers:
    whether an address (an IRI) answered, for those that were probed.
    """

    failing: frozenset[str] | None = None
    answers: Mapping[str, bool] = field(default_factory=dict)


Test = Callable[[str, Properties, Evidence], bool | None]
"""Whether a node earns the points; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One indicator: its points, whether it is about each distribution, and the fix that earns
    it (see todo.FIXES)."""

    code: str
    dimension: str
    points: int
    distribution: bool
    fix: str
    test: Test


# ---- tests


def _has(iri: str) -> Test:
    predicate = ref(iri)
    return lambda _node, said, _evidence: bool(said.get(predicate))


def _in_table(iri: str, name: str) -> Test:
    predicate = ref(iri)
    return lambda _node, said, _evidence: bool(table(name).intersection(said.get(predicate, ())))


def _answers(iri: str) -> Test:
    predicate = ref(iri)

    def test(_node: str, said: Properties, evidence: Evidence) -> bool | None:
        answered = [evidence.answers.get(plain(url)) for url in said.get(predicate, ())]
        if True in answered:
            return True
        return None if None in answered else False

    return test


def _format(wanted: Callable[[FileType], bool]) -> Test:
    predicate = ref(DCT["format"])

    def test(_node: str, said: Properties, _evidence: Evidence) -> bool:
        known = map(file_type, said.get(predicate, ()))
        return any(wanted(found) for found in known if found)

    return test


_FORMAT, _MEDIA_TYPE = ref(DCT["format"]), ref(DCAT.mediaType)


def _both_from_tables(_node: str, said: Properties, _evidence: Evidence) -> bool:
    formats, media = said.get(_FORMAT, ()), said.get(_MEDIA_TYPE, ())
    return bool(table("file-type").intersection(formats)) and any(map(media_type, media))


def _conforms(node: str, _said: Properties, evidence: Evidence) -> bool | None:
    return None if evidence.failing is None else node not in evidence.failing


# ---- the table

_F, _A, _I = "findability", "accessibility", "interoperability"
_R, _C = "reusability", "contextuality"
_OPEN: Final = _format(lambda known: known.open)
_MACHINE: Final = _format(lambda known: known.machine)
_LICENCE, _RIGHTS = (DCT.license, "licence"), (DCT.accessRights, "access-right")

RULES: Final[tuple[Rule, ...]] = (
    Rule("keyword", _F, 30, False, "keyword", _has(DCAT.keyword)),
    Rule("theme", _F, 30, False, "theme", _has(DCAT.theme)),
    Rule("spatial", _F, 20, False, "spatial", _has(DCT.spatial)),
    Rule("temporal", _F, 20, False, "temporal", _has(DCT.temporal)),
    Rule("access-url-answers", _A, 50, True, "access-url", _answers(DCAT.accessURL)),
    Rule("download-url", _A, 20, True, "download-url", _has(DCAT.downloadURL)),
    Rule("download-url-answers", _A, 30, True, "download-url", _answers(DCAT.downloadURL)),
    Rule("format", _I, 20, True, "format", _has(DCT["format"])),
    Rule("media-type", _I, 10, True, "media-type", _has(DCAT.mediaType)),
    Rule("format-vocabulary", _I, 10, True, "format-vocabulary", _both_from_tables),
    Rule("non-proprietary", _I, 20, True, "open-format", _OPEN),
    Rule("machine-readable", _I, 20, True, "open-format", _MACHINE),
    Rule("conformance", _I, 30, False, "conformance", _conforms),
    Rule("licence", _R, 20, True, "licence", _has(DCT.license)),
    Rule("licence-vocabulary", _R, 10, True, "licence", _in_table(*_LICENCE)),
    Rule("access-rights", _R, 10, False, "access-rights", _has(DCT.accessRights)),
    Rule("access-rights-vocabulary", _R, 5, False, "access-rights", _in_table(*_RIGHTS)),
    Rule("contact-point", _R, 20, False, "contact-point", _has(DCAT.contactPoint)),
    Rule("publisher", _R, 10, False, "publisher", _has(DCT.publisher)),
    Rule("rights", _C, 5, True, "rights", _has(DCT.rights)),
    Rule("byte-size", _C, 5, True, "byte-size", _has(DCAT.byteSize)),
    Rule("issued", _C, 5, False, "issued", _has(DCT.issued)),
    Rule("modified", _C, 5, False, "modified", _has(DCT.modified)),
)
DIMENSIONS: Final = (_F, _A, _I, _R, _C)
MAXIMUM: Final = sum(rule.points for rule in RULES)
BANDS: Final = {"excellent": 351, "good": 221, "sufficient": 121, "bad": 0}
"""The lowest points of each band."""

_OF_DATASET: Final = tuple(rule for rule in RULES if not rule.distribution)
_OF_DISTRIBUTION: Final = tuple(rule for rule in RULES if rule.distribution)


def band(points: float) -> str:
    """The name of the band that points fall into."""
    return next(name for name, lowest in BANDS.items() if points >= lowest)


# ---- counting


class Count(NamedTuple):
    """Points earned, and those not known."""

    points: float = 0
    unknown: float = 0


Outcomes = Mapping[str, bool | None]
"""What came of each rule, by its code."""


@dataclass(frozen=True, slots=True)
class Score:
    """What a dataset earns. best: the place of its best distribution, None without any."""

    dataset: Outcomes
    distributions: tuple[Outcomes, ...]
    best: int | None

    def single(self, dimension: str | None = None) -> Count:
        """With the best distribution standing for all, as data.europa.eu counts."""
        return self.singles()[dimension]

    def average(self, dimension: str | None = None) -> Count:
        """With the average over the distributions."""
        return self.averages()[dimension]

    def singles(self) -> dict[str | None, Count]:
        """Every dimension, and all of them under None, with the best distribution."""
        return self._counts(() if self.best is None else (self.distributions[self.best],))

    def averages(self) -> dict[str | None, Count]:
        """The same with the average over the distributions."""
        return self._counts(self.distributions)

    def _counts(self, files: Sequence[Outcomes]) -> dict[str | None, Count]:
        points: dict[str | None, float] = dict.fromkeys(DIMENSIONS, 0)
        unknown: dict[str | None, float] = dict.fromkeys(DIMENSIONS, 0)
        for rules, counted in ((_OF_DATASET, (self.dataset,)), (_OF_DISTRIBUTION, files)):
            for rule in rules if counted else ():
                outcomes = [outcome[rule.code] for outcome in counted]
                share = rule.points / len(outcomes)
                points[rule.dimension] += share * outcomes.count(True)
                unknown[rule.dimension] += share * outcomes.count(None)
        found = {name: Count(points[name], unknown[name]) for name in points}
        return {None: Count(sum(points.values()), sum(unknown.values())), **found}


def total(outcomes: Outcomes) -> Count:
    """The points of one distribution."""
    earned = sum(rule.points for rule in _OF_DISTRIBUTION if outcomes[rule.code])
    unknown = sum(rule.points for rule in _OF_DISTRIBUTION if outcomes[rule.code] is None)
    return Count(earned, unknown)


def score(dataset: Described, evidence: Evidence) -> Score:
    """What a dataset earns; of equally good distributions the first is the best."""
    own = {rule.code: rule.test(dataset.node, dataset.said, evidence) for rule in _OF_DATASET}
    files = tuple(
        {rule.code: rule.test(node, said, evidence) for rule in _OF_DISTRIBUTION}
        for node, said in dataset.distributions
    )
    best = max(range(len(files)), key=lambda place: (total(files[place]), -place), default=None)
    return Score(own, files, best)
