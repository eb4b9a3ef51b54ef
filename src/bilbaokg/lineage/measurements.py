"""What tests of data found, as quality measurements (Data Quality Vocabulary, W3C Note of 15
December 2016): those of a dbt project, and the assertions that pipelines tell in a facet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bilbaokg.lineage import facets
from bilbaokg.lineage.names import column_iri, shown
from bilbaokg.lineage.states import State
from bilbaokg.merging import digest as whole_digest
from bilbaokg.terms import DCT, DQV, PROV, RDF, RDFS, SCHEMA, SKOS, XSD, literal, mint, ref

__all__ = ["ASSERTIONS", "DIGITS", "assertion_lines", "digest", "measurement_lines"]

ASSERTIONS: Final = "dataQualityAssertions"
"""The facet that tells what a run found of a table that it tested."""
DIGITS: Final = 16
"""Of a digest as it stands in IRIs."""
_TYPE: Final = ref(RDF.type)
_STATUS: Final = {True: SCHEMA.CompletedActionStatus, False: SCHEMA.FailedActionStatus}
_DATATYPES: Final = {bool: XSD.boolean, int: XSD.integer, float: XSD.decimal}


def measurement_lines(
    base: str, table: str, mark: str, called: str, column: str, definition: str,
    value: bool | int | float, *, passed: bool, at: str = "", by: str = "",
    language: str | None = "en",
) -> Iterator[str]:  # fmt: skip
    """One dqv:QualityMeasurement of a table (an IRI), or of its column; `mark` is what its IRI adds
    to that of the table.

    passed: whether the test accepts the value; at: when, as of Event.at, where that is told; by:
    the IRI of the job that tested; language: of the definition.
    """
    node, metric = (ref(f"{table}{mark}{end}") for end in ("", "-metric"))
    of = column_iri(base, table, column) if column else table
    kind = ref(_DATATYPES[type(value)])
    figure = f"{value:.3f}" if isinstance(value, float) else str(value).lower()
    yield f"{ref(table)} {ref(DQV.hasQualityMeasurement)} {node} ."
    yield f"{node} {_TYPE} {ref(DQV.QualityMeasurement)} ."
    yield f"{node} {ref(RDFS.label)} {literal(shown(called))} ."
    yield f"{node} {ref(DQV.computedOn)} {ref(of)} ."
    yield f"{node} {ref(DQV.isMeasurementOf)} {metric} ."
    yield f'{node} {ref(DQV.value)} "{figure}"^^{kind} .'
    yield f"{node} {ref(SCHEMA.actionStatus)} {ref(_STATUS[passed])} ."
    if at:
        yield f'{node} {ref(PROV.generatedAtTime)} "{at}"^^{ref(XSD.dateTime)} .'
    if by:
        yield f"{node} {ref(DCT.source)} {ref(by)} ."
    yield f"{metric} {_TYPE} {ref(DQV.Metric)} ."
    yield f"{metric} {ref(DQV.expectedDataType)} {kind} ."
    yield f"{metric} {ref(SKOS.definition)} {literal(definition, language=language)} ."


def assertion_lines(base: str, iri: str, state: State) -> Iterator[str]:
    """What the jobs that tested a table (an IRI) said last that its data hold, and do not.

    Without the time, which the facet of the run tells: that the same is found again is no news.
    """
    for job, told in state.under("quality/"):
        by = mint(base, *job.split("/", 1)) if job else ""
        seen = set()
        for each in facets.items(facets.parsed(told.text).get("assertions")):
            kind, passed = facets.text(each.get("assertion")), each.get("success")
            if kind is None or not isinstance(passed, bool):
                continue
            column = facets.text(each.get("column")) or ""
            called = facets.text(each.get("name")) or (f"{kind} ({column})" if column else kind)
            mark = f"#test-{digest(' '.join((job, called, kind, column)))}"
            if mark not in seen:
                seen.add(mark)
                text = facets.text(each.get("description"))
                yield from measurement_lines(
                    base, iri, mark, called, column,
                    text or f"Whether the data hold the assertion {shown(kind)}.",
                    passed, passed=passed, by=by, language=None if text else "en",
                )  # fmt: skip


def digest(text: str) -> str:
    """A short mark of a text, as it stands in IRIs."""
    return whole_digest(text)[:DIGITS]
