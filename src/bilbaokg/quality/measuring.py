"""Quality as dqv:QualityMeasurement (Data Quality Vocabulary, W3C Note of 15 December 2016)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from bilbaokg.quality.assessment import MAXIMA, Assessment, Summary
from bilbaokg.quality.fair import LETTERS
from bilbaokg.quality.mqa import DIMENSIONS, MAXIMUM
from bilbaokg.terms import DQV, PROV, RDFS, SKOS, XSD, literal, ref

__all__ = ["METRICS", "Metric", "measurements"]


class Metric(NamedTuple):
    """A figure: its dimension, what it says, and how it is read; None where it is not known."""

    dimension: str
    definition: str
    value: Callable[[Summary], float | None]


def _of_dimension(name: str) -> Metric:
    return Metric(
        name,
        f"{name.capitalize()}: points of {MAXIMA[name]} with the best distribution (MQA).",
        lambda found: found.single[name].points,
    )


def _of_letter(letter: str) -> Metric:
    return Metric(
        "fair",
        f"{letter}: share of our questions on this FAIR principle that are answered with yes.",
        lambda found: found.fair[letter],
    )


def _fresh(found: Summary) -> float | None:
    known = found.freshness["fresh"] + found.freshness["late"]
    return found.freshness["fresh"] / known if known else None


METRICS: Final[dict[str, Metric]] = {
    "mqa-single": Metric(
        "mqa",
        f"Points of {MAXIMUM} with the best distribution standing for all (MQA).",
        lambda found: found.single[None].points,
    ),
    "mqa-single-unknown": Metric(
        "mqa",
        "Points of mqa-single that are not known: links not probed, data not validated.",
        lambda found: found.single[None].unknown,
    ),
    "mqa-average": Metric(
        "mqa",
        f"Points of {MAXIMUM} with the average over the distributions (MQA).",
        lambda found: found.average[None].points,
    ),
    "mqa-average-unknown": Metric(
        "mqa",
        "Points of mqa-average that are not known: links not probed, data not validated.",
        lambda found: found.average[None].unknown,
    ),
    **{f"mqa-{name}": _of_dimension(name) for name in DIMENSIONS},
    "completeness": Metric(
        "completeness",
        "Share of the properties that DCAT-AP asks for that have a value.",
        lambda found: found.filled,
    ),
    "parity": Metric(
        "parity",
        "Share of the texts that are there in Spanish and in Basque.",
        lambda found: found.bilingual,
    ),
    "freshness": Metric(
        "freshness",
        "Share of the datasets that are as fresh as declared, of those of which it is known.",
        _fresh,
    ),
    **{f"fair-{letter.lower()}": _of_letter(letter) for letter in LETTERS},
}
_DIMENSIONS: Final = tuple(dict.fromkeys(metric.dimension for metric in METRICS.values()))


def measurements(
    found: Assessment, base: str, history: Iterable[tuple[str, str, Assessment]] = ()
) -> Iterator[str]:
    """The lines of a Turtle document: the metrics, then one measurement a figure.

    Each dataset and, as the mean, each catalogue is measured; the base stands for a catalogue where
    there is none. history: id, time and assessment of each release, of which the catalogues are
    measured. The namespace is that of the base.
    """
    yield f"@prefix bkg: {ref(f'{base}/ns#')} ."
    for prefix, namespace in (("dqv", DQV), ("prov", PROV), ("rdfs", RDFS), ("skos", SKOS)):
        yield f"@prefix {prefix}: {ref(namespace)} ."
    yield f"@prefix xsd: {ref(XSD)} .\n"
    for dimension in _DIMENSIONS:
        yield f"bkg:quality-{dimension} a dqv:Dimension ."
    for code, metric in METRICS.items():
        yield (
            f"bkg:{code} a dqv:Metric ; dqv:inDimension bkg:quality-{metric.dimension} ; "
            f"dqv:expectedDataType xsd:decimal ; "
            f"skos:definition {literal(metric.definition, language='en')} ."
        )
    at = f'"{found.at.isoformat()}T00:00:00Z"^^xsd:dateTime'
    for catalogue in found.catalogues or (f"{base}/",):
        yield from _measured(catalogue, found.summary, at)
    for id, time, released in history:
        for catalogue in released.catalogues or (f"{base}/",):
            yield from _measured(catalogue, released.summary, f'"{time}"^^xsd:dateTime', id)
    for group in found.groups("dataset"):
        yield from _measured(group.iri or "", group.summary, at)


def _measured(iri: str, figures: Summary, at: str, release: str | None = None) -> Iterator[str]:
    note = f" ; rdfs:label {literal(release)}" if release else ""
    node = ref(iri) if not iri.startswith("_:") else f"[ rdfs:label {literal(iri)} ]"
    for code, metric in METRICS.items():
        value = metric.value(figures)
        if value is not None:
            yield (
                f"[] a dqv:QualityMeasurement ; dqv:computedOn {node} ; "
                f"dqv:isMeasurementOf bkg:{code} ; dqv:value {value:.3f} ; "
                f"prov:generatedAtTime {at}{note} ."
            )
