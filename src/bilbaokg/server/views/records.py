"""Pages of one resource: a dataset, anything else, what is left of what was deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bilbaokg.index import Text
from bilbaokg.server.views.findings import Finding
from bilbaokg.server.views.lists import Listed
from bilbaokg.server.views.values import Action, Group, Incoming, Node, Pager, Value

__all__ = [
    "Assertion",
    "Column",
    "DatasetPage",
    "Distribution",
    "Duty",
    "LineageStep",
    "MentionPage",
    "ResourcePage",
    "Responsible",
    "TombstonePage",
]


@dataclass(frozen=True, slots=True)
class Distribution:
    """One way to get the data."""

    title: Value
    format: str
    size: str
    modified: str | None
    licence: Value | None
    download: str | None
    access: str | None
    availability: Value | None


@dataclass(frozen=True, slots=True)
class Responsible:
    """Who answers for a dataset in one role; `since` is a date or None."""

    role: Text
    agent: Value
    since: str | None = None


@dataclass(frozen=True, slots=True)
class LineageStep:
    """A neighbour in the lineage and what lies one step further."""

    near: Value
    far: list[Value]


@dataclass(frozen=True, slots=True)
class Assertion:
    """Whether a principle is met: outcome is passed, failed, untested or another EARL name."""

    principle: Value
    outcome: str
    automatic: bool
    date: str | None


@dataclass(frozen=True, slots=True)
class Duty:
    """Why a dataset asks for care: the kind, its source, what that says, and the way from there."""

    kind: str
    source: Value
    values: list[Value]
    path: list[Value]


@dataclass(frozen=True, slots=True)
class DatasetPage:
    """A dataset: how to get it, who answers for it, where it comes from, what it lacks.

    `island` is the dataset in JSON-LD, for search engines.
    """

    id: str
    iri: str
    title: Text
    summary: Text
    tags: list[Value]
    facts: list[Group]
    keywords: list[Value]
    distributions: list[Distribution]
    files: Pager
    upstream: list[LineageStep]
    downstream: list[LineageStep]
    tables: list[Value]
    duties: list[Duty]
    questions: list[Action]
    assertions: list[Assertion]
    responsible: list[Responsible]
    missing: list[str]
    contact: list[Value]
    series: list[Value]
    services: list[Value]
    usages: list[Value]
    gaps: list[str]
    findings: list[Finding]
    formats: list[Action]
    sparql: str
    nodes: list[Node]
    island: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: what it is called there (`name`; empty where that is its title), its
    type as the database says it (`native`) and as XML Schema does, what it comes from."""

    column: Value
    name: str
    summary: Text
    native: str
    datatype: Value | None
    sources: list[Value]


@dataclass(frozen=True, slots=True)
class ResourcePage:
    """Any other resource: what is said of it and what points to it, names first. Of a table,
    `columns`."""

    id: str
    iri: str
    kind: str
    title: Text
    summary: Text
    record: Value | None
    questions: list[Action]
    columns: list[Column]
    groups: list[Group]
    listed: list[Listed]
    incoming: Incoming
    formats: list[Action]
    sparql: str
    nodes: list[Node]


@dataclass(frozen=True, slots=True)
class MentionPage:
    """What the release names and does not describe: a licence, a format, a thing of others.

    `href` leads to it, None where a browser should not follow. Of what is elsewhere `kind` says
    what it is there, `mark` where that is, `fetched` when its title came.
    """

    iri: str
    title: Text
    href: str | None
    kind: Text | None
    mark: str
    fetched: str
    listed: list[Listed]
    incoming: Incoming
    sparql: str


@dataclass(frozen=True, slots=True)
class TombstonePage:
    """What is left of a record that was deleted; `successor` replaces it."""

    id: str
    iri: str
    title: Text
    former: Value | None
    deleted: str | None
    successor: Value | None
