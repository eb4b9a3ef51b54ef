"""The page that asks the graph."""

from __future__ import annotations

from dataclasses import dataclass

from bilbaokg.index import Text
from bilbaokg.server.views.values import Action, Value

__all__ = [
    "SavedQuery",
    "SparqlPage",
]


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """An example to start from."""

    title: str
    description: str
    href: str


@dataclass(frozen=True, slots=True)
class SparqlPage:
    """The query form and what the last query gave.

    `boolean` answers ASK; `rows` are None before a run, and triples for a CONSTRUCT;
    `more` says that there are further rows; `error` comes with the line where it stands, and with
    its `detail` in English where it was put into other words.
    """

    query: str
    saved: list[SavedQuery]
    columns: list[str]
    rows: list[list[Value | None]] | None
    boolean: bool | None
    milliseconds: int
    more: bool
    downloads: list[Action]
    error: Text | None
    detail: str | None
    line: int | None
    excerpt: str | None
    hint: str | None
    endpoint: str
