"""The page that asks the graph."""

from __future__ import annotations

from dataclasses import dataclass

from bilbaokg.index import Text
from bilbaokg.server.views.charts import Chart
from bilbaokg.server.views.values import Action, Value

__all__ = [
    "Chosen",
    "Field",
    "SavedQuery",
    "SparqlPage",
    "Way",
]


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """An example to start from."""

    title: str
    description: str
    href: str


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of a saved query as a field of its form: the parameter's type and what it holds.

    `label` is what people call it; `error` says in English what was expected instead.
    """

    name: str
    label: str
    type: str
    value: str
    required: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The saved query that was chosen, with the fields of its parameters."""

    name: str
    title: str
    description: str
    fields: list[Field]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to see an answer: as the table (`view` empty), or a variable drawn in a view."""

    view: str
    of: str
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class SparqlPage:
    """The query form and what the last query gave.

    `boolean` answers ASK; `rows` are None before a run, and triples for a CONSTRUCT;
    `more` says that there are further rows; `views` are the ways to draw them beside the table, and
    `chart` the one that was asked for; `error` comes with the line and column (from 1) where it
    stands, and with its `detail` in English where it was put into other words.
    """

    query: str
    chosen: Chosen | None
    saved: list[SavedQuery]
    columns: list[str]
    rows: list[list[Value | None]] | None
    boolean: bool | None
    milliseconds: int
    more: bool
    views: list[Way]
    chart: Chart | None
    link: str
    downloads: list[Action]
    error: Text | None
    detail: str | None
    line: int | None
    column: int | None
    excerpt: str | None
    hint: str | None
    endpoint: str
