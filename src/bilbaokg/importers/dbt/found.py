"""What the artefacts of a dbt project tell, as far as it is used here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bilbaokg.lineage import Event, Name
from bilbaokg.model import Problem

__all__ = ["Artefacts", "Exposure", "Measured", "Model", "Test"]


@dataclass(frozen=True, slots=True)
class Test:
    """A data test: on which tables, on which column of theirs ("" for the whole)."""

    id: str
    called: str
    kind: str
    tables: Sequence[Name]
    column: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a test, or a look at how fresh a source is, found: a number, at a time of Event.at."""

    test: Test
    value: int | float
    passed: bool
    at: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """A use of tables that the project tells of; `is_tool` of dashboards and other programs."""

    id: str
    title: str
    description: str | None
    url: str | None
    is_tool: bool
    tables: Sequence[Name]


@dataclass(frozen=True, slots=True)
class Model:
    """A table of a project: the place of its event; how SQL writes it, and by which parts; by which
    SQL it is made, of which tables (their ids)."""

    event: int
    written: str
    parts: tuple[str, str, str]
    sql: str | None
    reads: Sequence[str]


@dataclass(slots=True)
class Artefacts:
    """What the artefacts of one project tell. `tests` are all that it has, measured or not;
    `models` are all tables by their ids; `adapter` says which SQL they are written in."""

    project: str
    adapter: str = ""
    namespace: str = ""
    events: list[Event] = field(default_factory=list)
    models: dict[str, Model] = field(default_factory=dict)
    tests: dict[str, Test] = field(default_factory=dict)
    measured: list[Measured] = field(default_factory=list)
    exposures: list[Exposure] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
