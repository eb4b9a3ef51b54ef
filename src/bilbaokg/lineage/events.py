"""What a pipeline tells, in the words of no particular tool: the input of every lineage importer.

Facets are the aspects of a run, a job or a table as OpenLineage names them (schema, columnLineage,
ownership, ...), each the exact JSON text that was sent. An importer of other files makes events of
the same shape, so that all are merged by the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from bilbaokg.lineage.names import Name

__all__ = ["ENDS", "Event", "Facets", "Parent", "Table", "stamp"]

Facets = Mapping[str, str]
"""Facet name -> its JSON text."""

ENDS: Final = ("COMPLETE", "FAIL", "ABORT")
"""The states in which a run may end."""


def stamp(moment: datetime | None = None) -> str:
    """A moment, now by default, as Event.at."""
    told = (moment or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
    return f"{told.isoformat(timespec='microseconds')}Z"


@dataclass(frozen=True, slots=True)
class Table:
    """A table (a file, a topic) as one event tells of it.

    `facets` hold for the table; `own` only for this run's reading or writing of it.
    """

    name: Name
    facets: Facets = field(default_factory=dict)
    own: Facets = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parent:
    """The run that started a run, and its job; the one that all began with, where that is told."""

    run: str
    job: Name
    root: Parent | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One observation: of a run (`run` and `job`), of a job alone, or of tables alone (`tables`).

    `at` is UTC, `2026-11-27T05:06:07.080000Z`: always that long, so that texts compare as times.
    `state` is START, RUNNING, COMPLETE, FAIL, ABORT or OTHER, None where there is no run. Run ids
    are UUIDs in lower case. `producer` says which program tells it, "" where it does not.
    """

    at: str
    producer: str = ""
    state: str | None = None
    run: str | None = None
    run_facets: Facets = field(default_factory=dict)
    parent: Parent | None = None
    job: Name | None = None
    job_facets: Facets = field(default_factory=dict)
    inputs: Sequence[Table] = ()
    outputs: Sequence[Table] = ()
    tables: Sequence[Table] = ()
