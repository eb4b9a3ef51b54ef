"""What failed runs spoil: all that is made of what they were to write, until one goes well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from bilbaokg.errors import BadInput
from bilbaokg.lineage.ground import Ground
from bilbaokg.lineage.making import Makers, Making
from bilbaokg.lineage.owners import wholes
from bilbaokg.lineage.walking import Step
from bilbaokg.terms import PROV, RDF, SCHEMA, ref

__all__ = ["spoiled"]

_FAILED: Final = "failed"
_GOOD: Final = "done"


def spoiled(ground: Ground, iri: str = "", limit: int = 100_000) -> dict[str, Any]:
    """The failed runs after which no run of their job went well, and what is spoiled by each.

    iri: a run or a job, to ask for that alone. `writes` is what the run was to write: what it said
    and what its job writes. What is spoiled is as it was after the `last_good` run, or never was.
    Raises BadInput where it is neither a run nor a job, NotFound.
    """
    iri = ground.known(iri) if iri else ""
    found = [
        _told(ground, run, runs, limit)
        for runs in _by_job(ground, iri)
        if (run := _unmended(iri, runs))
    ]
    return {"iri": iri or None, "runs": sorted(found, key=lambda r: r["at"], reverse=True)}


def _by_job(ground: Ground, iri: str) -> Iterator[list[Making]]:
    """The runs of jobs, each job's oldest first; a run without a job stands alone."""
    makers = Makers(ground.store)
    if not iri:
        status = ref(SCHEMA.actionStatus), ref(SCHEMA.FailedActionStatus)
        asked = [s[1:-1] for s, *_ in ground.store.match(None, *status) if s.startswith("<")]
    elif _is(ground, iri, PROV.Plan):
        yield _runs(ground, makers, iri)
        return
    elif _is(ground, iri, PROV.Activity):
        asked = [iri]
    else:
        raise BadInput("neither a run nor a job", where=iri, hint="give the IRI of one of them")
    runs = [makers.made_by(run) for run in sorted(set(asked))]
    for job in sorted({run.job for run in runs if run.job}):
        yield _runs(ground, makers, job)
    yield from ([run] for run in runs if not run.job)


def _is(ground: Ground, iri: str, cls: str) -> bool:
    return any(ground.store.match(ref(iri), ref(RDF.type), ref(cls)))


def _runs(ground: Ground, makers: Makers, job: str) -> list[Making]:
    nodes = {node for node, *_ in ground.store.match(None, ref(PROV.hadPlan), ref(job))}
    runs = {
        run[1:-1]
        for node in nodes
        for run, *_ in ground.store.match(None, ref(PROV.qualifiedAssociation), node)
    }
    return sorted((makers.made_by(run) for run in runs), key=lambda run: (run.at, run.run))


def _unmended(iri: str, runs: list[Making]) -> Making | None:
    """The last failed run of a job, unless one went well since; `iri` where that is the run."""
    last = next((run for run in reversed(runs) if run.state in (_FAILED, _GOOD)), None)
    if last is None or last.state != _FAILED:
        return None
    asked = next((run for run in runs if run.run == iri), last)
    good = [run.at for run in runs if run.state == _GOOD]
    return asked if asked.state == _FAILED and asked.at > max(good, default="") else None


def _told(ground: Ground, run: Making, runs: Iterable[Making], limit: int) -> dict[str, Any]:
    good = [each for each in runs if each.state == _GOOD]
    writes = sorted(
        {
            edge.target
            for maker in (run.run, run.job)
            for edge in ground.graph.neighbours(maker, "downstream")
        }
    )
    steps = _downstream(ground, writes, limit)
    spoiled = [*writes, *steps]
    datasets = {whole for each in spoiled for whole in wholes(ground.store, each) if whole != each}
    return {
        **ground.named(run.run), "at": run.at,
        "job": ground.named(run.job) if run.job else None,
        "last_good": {**ground.named(good[-1].run), "at": good[-1].at} if good else None,
        "writes": [ground.told(each) for each in writes],
        "complete": len(steps) < limit,
        "spoiled": [
            {**ground.told(step.iri), "hops": step.hops, "via": step.via} for step in steps.values()
        ],
        "datasets": [ground.named(each) for each in sorted(datasets)],
    }  # fmt: skip


def _downstream(ground: Ground, begin: list[str], limit: int) -> dict[str, Step]:
    """What is made of any of some things, by the least number of hops."""
    found: dict[str, Step] = {}
    for iri in begin:
        for step in ground.graph.walk(iri, "downstream", limit=limit).steps:
            if step.iri not in begin and step.hops < getattr(found.get(step.iri), "hops", 1 << 30):
                found[step.iri] = step
    near = sorted(found.values(), key=lambda step: (step.hops, step.iri))
    return {step.iri: step for step in near[:limit]}
