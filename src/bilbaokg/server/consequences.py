"""What lineage says of a release: which sources ask for care, and whom its changes reach."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from bilbaokg.lineage import duties
from bilbaokg.server.reading import Opened, Reader
from bilbaokg.server.views import Dependent, Duty, Obliged, Reach

__all__ = ["duties_of", "obliged", "reach"]

_SHOWN: Final = 50


def duties_of(reader: Reader, iri: str) -> list[Duty]:
    """What the sources of a dataset ask of it."""
    return _told(reader, reader.opened.duties_of(iri))


def obliged(reader: Reader) -> tuple[list[Obliged], int]:
    """The datasets of the reader's release whose sources ask something of them, the first of them,
    and how many there are."""
    found = [(iri, held) for iri, held in reader.opened.duties.items() if held]
    shown = found[:_SHOWN]
    reader.load(iri for _, held in shown for duty in held for iri in _named(duty))
    return [Obliged(reader.iri(iri), _told(reader, held)) for iri, held in shown], len(found)


def reach(reader: Reader, opened: Opened, changed: Collection[str]) -> Reach | None:
    """The datasets of a release that depend on what it changed or withdrew (IRIs); None where
    nothing does. reader: gives the names."""
    held = opened.dependents(changed)
    if not held:
        return None
    shown = list(held)[:_SHOWN]
    agents = {agent for each in held.values() for agent in each}
    reader.load([*shown, *(agent for iri in shown for agent in held[iri])])
    rows = [Dependent(reader.iri(iri), [reader.iri(agent) for agent in held[iri]]) for iri in shown]
    return Reach(len(held), len(agents), rows)


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
