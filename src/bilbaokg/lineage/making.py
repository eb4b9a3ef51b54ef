"""By which job something is made of something else, when last, and how that went.

Pipelines tell it of jobs and runs (schema:object, schema:result, prov:used, prov:generated), people
of runs and derivations (prov:wasGeneratedBy, prov:qualifiedDerivation with prov:hadActivity). All
of these are read; a job that nobody has seen run is told without a date.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import pyoxigraph as ox

from bilbaokg.store.embedded import EmbeddedStore, storage_errors
from bilbaokg.terms import CSVW, DCT, PROV, RDF, SCHEMA

__all__ = ["Makers", "Making"]

_STATES: Final = {
    SCHEMA.CompletedActionStatus: "done",
    SCHEMA.FailedActionStatus: "failed",
    SCHEMA.ActiveActionStatus: "active",
}


@dataclass(frozen=True, slots=True)
class Making:
    """One way that one thing was made of another.

    job: IRI of the prov:Plan, or ""; run: IRI of its last prov:Activity, or ""; at: when that
    ended, else began (xsd:dateTime), or ""; state: done, failed, active, or "" where it is not
    known; how: what was done to the values, each in the languages in which it is told, as pairs of
    language tag (or "") and text.
    """

    job: str = ""
    run: str = ""
    at: str = ""
    state: str = ""
    how: tuple[Mapping[str, str], ...] = ()


class Makers:
    """The jobs of a store, asked edge by edge; what was looked up for one serves the next."""

    def __init__(self, store: EmbeddedStore) -> None:
        self.store = store
        self._runs: dict[str, dict[str, Making]] = {}

    def of(self, source: str, target: str) -> list[Making]:
        """The jobs that make `target` of `source` (IRIs of one level), the latest first.

        When a column was made its table tells, and how a dataset was made its tables tell.
        """
        with storage_errors(self.store.path or "memory"):
            told = [*self._qualified(source, target), *self._moved(source, target)]
            if self._is(target, CSVW.Column):
                jobs = {making.job for making in told if making.job}
                wholes = (self._objects(iri, DCT.isPartOf) for iri in (source, target))
                told += (m for m in self._between(*wholes) if not jobs or m.job in jobs)
            elif not told:
                parts = (self._subjects(DCT.isPartOf, iri) for iri in (source, target))
                told += self._between(*parts)
        return _joined(told)

    def _between(self, sources: Collection[str], targets: Iterable[str]) -> Iterator[Making]:
        for target in targets:
            for source in self._objects(target, PROV.wasDerivedFrom):
                if source in sources:
                    yield from self._moved(source, target)

    def _qualified(self, source: str, target: str) -> Iterator[Making]:
        """What derivations say (PROV-O section 3.3)."""
        for node in self._objects(target, PROV.qualifiedDerivation):
            if source not in self._objects(node, PROV.entity):
                continue
            texts = self._transformation(node)
            how = (texts,) if texts else ()
            activities = self._objects(node, PROV.hadActivity)
            jobs = self._objects(node, DCT.source)
            for making in map(self.made_by, activities):
                yield replace(making, how=how)
            for job in jobs or [""] * (not activities):
                yield Making(job=job, how=how)

    def _transformation(self, node: str) -> dict[str, str]:
        quads = self.store.raw.quads_for_pattern(ox.NamedNode(node), None, None, None)
        return {
            quad.object.language or "": quad.object.value
            for quad in quads
            if quad.predicate.value.endswith("/ns#transformation")
            and isinstance(quad.object, ox.Literal)
        }

    def _moved(self, source: str, target: str) -> Iterator[Making]:
        """What jobs and runs say that read the one and write the other.

        A run that wrote both, or does not say what it read, made the one of the other, too.
        """
        reading = self._subjects(SCHEMA.object, source)
        for job in self._subjects(SCHEMA.result, target):
            if job in reading:
                yield Making(job=job)
        for run, making in self._generating(target).items():
            used = self._objects(run, PROV.used)
            if source in used or not used or run in self._generating(source):
                yield making

    def _generating(self, target: str) -> dict[str, Making]:
        """The runs that wrote a thing."""
        if target not in self._runs:
            runs = self._subjects(PROV.generated, target)
            runs |= set(self._objects(target, PROV.wasGeneratedBy))
            self._runs[target] = {run: self.made_by(run) for run in sorted(runs)}
        return self._runs[target]

    def made_by(self, activity: str) -> Making:
        """An activity as a making; a job that stands where a run should is one, too."""
        if self._is(activity, PROV.Plan):
            return Making(job=activity)
        associations = self._objects(activity, PROV.qualifiedAssociation)
        jobs = [job for node in associations for job in self._objects(node, PROV.hadPlan)]
        ended = self._value(activity, PROV.endedAtTime)
        status = self._objects(activity, SCHEMA.actionStatus)
        state = next((_STATES[each] for each in status if each in _STATES), "done" * bool(ended))
        at = ended or self._value(activity, PROV.startedAtTime)
        return Making(min(jobs, default=""), activity, at, state)

    # -- looking up

    def _is(self, iri: str, cls: str) -> bool:
        return self._has(iri, RDF.type, cls)

    def _has(self, subject: str, predicate: str, object_: str) -> bool:
        terms = ox.NamedNode(subject), ox.NamedNode(predicate), ox.NamedNode(object_)
        return next(iter(self.store.raw.quads_for_pattern(*terms, None)), None) is not None

    def _objects(self, subject: str, predicate: str) -> list[str]:
        found = self._said(subject, predicate)
        return sorted({o.value for o in found if isinstance(o, ox.NamedNode)})

    def _subjects(self, predicate: str, object_: str) -> set[str]:
        terms = ox.NamedNode(predicate), ox.NamedNode(object_)
        found = self.store.raw.quads_for_pattern(None, *terms, None)
        return {q.subject.value for q in found if isinstance(q.subject, ox.NamedNode)}

    def _value(self, subject: str, predicate: str) -> str:
        said = (o.value for o in self._said(subject, predicate) if isinstance(o, ox.Literal))
        return max(said, default="")

    def _said(self, subject: str, predicate: str) -> Iterator[Any]:
        terms = ox.NamedNode(subject), ox.NamedNode(predicate)
        return (quad.object for quad in self.store.raw.quads_for_pattern(*terms, None, None))


def _joined(told: Iterable[Making]) -> list[Making]:
    """One a job: its latest run, and all that is told of how."""
    latest: dict[str, Making] = {}
    for making in told:
        before = latest.get(making.job, making)
        how = (*before.how, *(texts for texts in making.how if texts not in before.how))
        latest[making.job] = replace(max(before, making, key=lambda m: (m.at, m.run)), how=how)
    if len(latest) > 1 and (nameless := latest.pop("", None)) and nameless.run:
        latest[""] = nameless
    return sorted(latest.values(), key=lambda m: (m.at, m.job), reverse=True)
