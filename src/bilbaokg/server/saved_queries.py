"""Saved queries on the SPARQL page: the list, and the chosen one with its parameters as fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from bilbaokg import queries, render
from bilbaokg.errors import BadInput, BilbaokgError
from bilbaokg.model import Query
from bilbaokg.server.reading import Reader
from bilbaokg.server.saved import known
from bilbaokg.server.views import Chosen, Field, SavedQuery

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["PREFIX", "Asked", "listed", "read", "start"]

PREFIX: Final = "p."
"""What stands before the name of a parameter in an address of the page."""
_START: Final = "datasets-newest"
# It follows the language of the page.
_LANGUAGE: Final = "language"


@dataclass(frozen=True, slots=True)
class Asked:
    """The query of a request: its text, the saved query that it is, and what is wrong with it."""

    text: str
    chosen: Chosen | None = None
    fault: BilbaokgError | None = None


def read(context: Context, given: QueryParams, lang: str) -> Asked:
    """The query that an address asks for: a text of its own, or a saved one with parameters."""
    name = given.get("saved", "")
    if not name or given.get("query"):
        return Asked(given.get("query", "").replace("\r\n", "\n"))
    try:
        query = queries.find(name, context.data / queries.OWN)
    except BilbaokgError as fault:
        return Asked("", fault=fault)
    values = {
        key.removeprefix(PREFIX): value.strip()
        for key, value in given.items()
        if key.startswith(PREFIX) and value.strip()
    }
    try:
        text = queries.bound(query, lang, values)
    except BadInput as fault:
        # Without a run nothing was asked yet: the form waits for what it needs.
        told = fault if given.get("run") else None
        chosen = _chosen(query, lang, values, is_run=told is not None)
        return Asked(queries.body(query.text), chosen, told)
    return Asked(queries.body(text), _chosen(query, lang, values))


def start(lang: str) -> str:
    """The text that the form begins with."""
    return queries.body(queries.bound(queries.find(_START), lang, {}))


def listed(context: Context, reader: Reader) -> list[SavedQuery]:
    """All saved queries by title, a city's own among them; each link runs it, or leads to its
    fields."""
    found = [
        SavedQuery(
            title=_in(query.title, reader.lang) or query.name,
            description=_in(queries.header(query.text).description, reader.lang),
            href=reader.site.url(f"/sparql?{urlencode({'saved': query.name, 'run': 1})}"),
        )
        for query in known(context).values()
    ]
    return sorted(found, key=lambda each: each.title.casefold())


def _chosen(query: Query, lang: str, values: Mapping[str, str], *, is_run: bool = False) -> Chosen:
    head = queries.header(query.text)
    return Chosen(
        name=query.name,
        title=_in(head.title, lang) or query.name,
        description=_in(head.description, lang),
        fields=[
            _field(name, spec, _in(head.labels.get(name, {}), lang), values.get(name), is_run)
            for name, spec in head.params.items()
            if (name, spec.type) != (_LANGUAGE, "lang")
        ],
    )


def _field(name: str, spec: queries.Param, label: str, given: str | None, is_run: bool) -> Field:
    """is_run: whether it was to run, so that what is missing is wrong."""
    value = spec.default or "" if given is None else given
    is_missing = is_run and not value and not spec.optional
    return Field(
        name=name,
        label=label or name,
        type=spec.type,
        value=value,
        required=not spec.optional,
        error="a value" if is_missing else queries.expected(spec, value) if value else None,
    )


def _in(texts: Mapping[str, str], lang: str) -> str:
    return texts.get(lang) or texts.get(render.DEFAULT_LANGUAGE) or next(iter(texts.values()), "")
