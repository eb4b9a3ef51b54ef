"""What lineage says of a release: which sources ask for care, and whom its changes reach."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import groupby
from typing import Final

from bilbaokg.lineage import duties
from bilbaokg.lineage.effects import reached
from bilbaokg.lineage.owners import owning
from bilbaokg.server.reading import Opened, Reader
from bilbaokg.server.views import Dependent, Duty, Obliged, Reach

__all__ = ["duties_of", "obliged", "reach"]

_SHOWN: Final = 50


def duties_of(reader: Reader, iri: str) -> list[Duty]:
    """What the sources of a dataset ask of it."""
    return _told(reader, duties.duties_of(reader.opened.ground(reader.lang), iri))


def obliged(reader: Reader, opened: Opened) -> tuple[list[Obliged], int]:
    """The datasets of a release whose sources ask something of them, the first of them, and how
    many there are. reader: gives the names."""
    found = [(iri, list(held)) for iri, held in groupby(opened.duties, lambda d: d.dataset)]
    shown = found[:_SHOWN]
    reader.load(iri for _, held in shown for duty in held for iri in _named(duty))
    return [Obliged(reader.iri(iri), _told(reader, held)) for iri, held in shown], len(found)


def reach(reader: Reader, opened: Opened, changed: Collection[str]) -> Reach | None:
    """The datasets of a release that depend on what it changed or withdrew (IRIs); None where
    nothing does. reader: gives the names."""
    found = reached(opened.ground(reader.lang), changed) if changed else []
    if not found:
        return None
    held = {iri: owning(opened.store, opened.base, iri) for iri in found}
    agents = {agent for each in held.values() for agent in each}
    reader.load([*found[:_SHOWN], *agents])
    rows = [
        Dependent(reader.iri(iri), [reader.iri(agent) for agent in held[iri]])
        for iri in found[:_SHOWN]
    ]
    return Reach(len(found), len(agents), rows)


def _told(reader: Reader, found: Iterable[duties.Duty]) -> list[Duty]:
    return [
        Duty(
            duty.kind,
            reader.iri(duty.source),
            [reader.iri(value) for value in duty.values],
            [reader.iri(step) for step in duty.path],
        )
        for duty in found
    ]


def _named(duty: duties.Duty) -> Iterable[str]:
    return (duty.dataset, duty.source, *duty.values, *duty.path)
