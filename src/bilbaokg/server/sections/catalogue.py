"""The pages of the catalogue: the entrance, search, lists, and the page of every record."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from bilbaokg.server import (
    dataset_page,
    describe,
    glossary,
    history,
    html,
    lists,
    moments,
    pointing,
    principles,
    search_page,
    units,
)
from bilbaokg.server.paging import page_number
from bilbaokg.server.reading import Reader
from bilbaokg.server.sections.page import Page
from bilbaokg.terms import KINDS, is_iri

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["pages"]


def pages(context: Context) -> list[Page]:
    """Lists have a path of one part, records of two."""
    return [
        Page("/", "home", partial(_home, context)),
        Page("/search", "search", _search),
        Page("/iri", "", _iri),
        Page("/datasets", "datasets", _datasets),
        Page("/datasets.csv", "datasets", _table),
        Page("/principle", "principle", _principles),
        Page("/concept", "concept", _glossary),
        Page("/roles", "unit", _roles),
        Page("/{kind}", "", _kind),
        Page("/{kind}/{slug}", "", partial(_record, context)),
    ]


# ---- lists


def _home(context: Context, request: Request, reader: Reader) -> Response:
    """The entrance."""
    changes = history.change_counts(context, reader.opened.release)
    return html.answer(lists.home(reader, changes), reader.site)


def _search(request: Request, reader: Reader) -> Response:
    """Everything that fits the words, by kind; an IRI leads to its page."""
    asked = request.query_params.get("q", "").strip()
    if "://" in asked and is_iri(asked) and html.is_named(reader, asked):
        return html.to(reader, asked)
    return html.answer(search_page.page(reader, lists.Form(request.query_params)), reader.site)


def _iri(request: Request, reader: Reader) -> Response:
    """The page of any IRI: its own, else what is said of it by others."""
    iri = request.query_params.get("iri", "")
    if reader.place(iri):
        return html.to(reader, iri)
    number = page_number(request.query_params.get(pointing.PARAMETER))
    content = describe.mention(iri, reader, number) if is_iri(iri) else None
    return html.answer(content, reader.site) if content else html.missing(reader, "iri", iri)


def _datasets(request: Request, reader: Reader) -> Response:
    """The datasets that fit the form."""
    return html.answer(lists.datasets(reader, lists.Form(request.query_params)), reader.site)


def _table(request: Request, reader: Reader) -> Response:
    """The same list as a table, all pages of it."""
    pieces = lists.table(reader, lists.Form(request.query_params))
    headers = {"Content-Disposition": 'attachment; filename="datasets.csv"'}
    return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=headers)


def _principles(request: Request, reader: Reader) -> Response:
    """The principles with the scoreboard; as a list where one was asked for."""
    asks = request.query_params.keys() - {moments.PARAMETER}
    content = None if asks else principles.scoreboard(reader)
    if content is None:
        form = lists.Form(request.query_params)
        return html.answer(lists.kind(reader, "principle", form), reader.site)
    return html.answer(content, reader.site)


def _glossary(request: Request, reader: Reader) -> Response:
    """The vocabularies as trees, or one of them; as a list where one was asked for."""
    if scheme := request.query_params.get(glossary.TREE):
        number = page_number(request.query_params.get("page"))
        return html.answer(glossary.vocabulary(reader, scheme, number), reader.site)
    if request.query_params.keys() - {moments.PARAMETER}:
        form = lists.Form(request.query_params)
        return html.answer(lists.kind(reader, "concept", form), reader.site)
    return html.answer(glossary.glossary(reader), reader.site)


def _roles(request: Request, reader: Reader) -> Response:
    """Who holds which role, and where nobody does."""
    return html.answer(units.roles(reader), reader.site)


def _kind(request: Request, reader: Reader) -> Response:
    """All records of one kind, also where there are none."""
    kind = request.path_params["kind"]
    if kind == "dataset":
        return RedirectResponse(reader.site.url("/datasets"), status_code=308)
    if kind not in KINDS:
        return html.missing(reader, kind, "")
    site = replace(reader.site, section=kind)
    return html.answer(lists.kind(reader, kind, lists.Form(request.query_params)), site)


# ---- one resource


def _record(context: Context, request: Request, reader: Reader) -> Response:
    """The page of a resource; a tombstone answers 410."""
    kind, slug = request.path_params["kind"], request.path_params["slug"]
    place = reader.opened.index.by_id(f"{kind}/{slug}")
    if place is None:
        return html.missing(reader, kind, slug)
    if reader.opened.index.is_gone(place.record):
        return html.answer(describe.tombstone(place, reader), reader.site, status=410)
    if kind == "dataset" and place.whole:
        files = page_number(request.query_params.get(dataset_page.PARAMETER))
        return html.answer(dataset_page.dataset(place, reader, files), reader.site)
    number = page_number(request.query_params.get(pointing.PARAMETER))
    if kind in ("unit", "agent") and place.whole:
        return html.answer(units.page(reader, place, number), reader.site)
    if kind == "concept" and place.whole:
        below = page_number(request.query_params.get(glossary.BELOW))
        return html.answer(glossary.concept(reader, place, number, below), reader.site)
    if kind == "principle" and principles.is_tested(reader, place.iri):
        content = principles.page(context, reader, place, request.query_params)
        return html.answer(content, reader.site)
    return html.answer(describe.resource(place, reader, number), reader.site)
