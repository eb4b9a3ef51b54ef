"""The SPARQL page: a query from the form, run like any stranger's, and its answer as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import anyio.from_thread
from starlette.datastructures import QueryParams
from starlette.requests import Request

from bilbaokg import render
from bilbaokg.errors import BilbaokgError
from bilbaokg.index import Text
from bilbaokg.server import errors, saved_queries, sparql
from bilbaokg.server.charts import VIEWS, chart
from bilbaokg.server.evaluation import Rows
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import Action, Chart, Field, SparqlPage, Value, Way
from bilbaokg.terms import plain

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["answer"]

# The language of the messages of errors.
_MESSAGES: Final = "en"
_DOWNLOADS: Final = {
    "select": (("CSV", "csv"), ("TSV", "tsv"), ("JSON", "json"), ("XML", "xml")),
    "graph": (("Turtle", "ttl"), ("JSON-LD", "jsonld"), ("N-Triples", "nt")),
}


def answer(
    context: Context, request: Request, reader: Reader
) -> tuple[SparqlPage, int, dict[str, str]]:
    """The page, its status and headers.

    `?query=` fills the form and `?saved=` takes a saved query with its parameters as `p.{name}`;
    `&run=1` runs it, `&view=` and `&of=` draw what it gave.
    """
    given = request.query_params
    asked = saved_queries.read(context, given, reader.lang)
    outcome: Rows | BilbaokgError | None = asked.fault
    if given.get("run") and asked.text.strip() and not asked.fault:
        try:
            # This handler runs in a thread; the query is served by the event loop and a worker.
            outcome = anyio.from_thread.run(sparql.run, context, asked.text, request.scope)
        except BilbaokgError as error:
            outcome = error
    page = _fill(asked, given, outcome, reader, context)
    if isinstance(outcome, BilbaokgError):
        return page, outcome.status, errors.headers_of(outcome, outcome.problem())
    return page, 200, {}


def _fill(
    asked: saved_queries.Asked, given: QueryParams, outcome: Rows | BilbaokgError | None,
    reader: Reader, context: Context,
) -> SparqlPage:  # fmt: skip
    """The page with a query and what it gave (None: it was not run)."""
    answer = outcome if isinstance(outcome, Rows) else None
    error = outcome if isinstance(outcome, BilbaokgError) else None
    held = answer.rows if answer else []
    reader.load(plain(term) for row in held for term in row if term and term.startswith("<"))
    has_rows = answer is not None and answer.kind != "ask"
    rows = [[_cell(term, reader) for term in row] for row in held]
    charts = chart(answer.variables, held, rows) if answer and answer.kind == "select" else {}
    drawn = _drawn(given, charts)
    wrong = next((f for f in asked.chosen.fields if f.error), None) if asked.chosen else None
    fault, detail = _fault(error, reader.lang, wrong) if error else (None, None)
    return SparqlPage(
        query=asked.text or saved_queries.start(reader.lang),
        chosen=asked.chosen,
        saved=saved_queries.listed(context, reader),
        columns=answer.variables if answer else [],
        rows=rows if has_rows else None,
        boolean=answer.boolean if answer else None,
        milliseconds=round(answer.seconds * 1000) if answer else 0,
        more=bool(answer and answer.truncated),
        views=_views(given, charts, drawn, reader),
        chart=charts[drawn] if drawn else None,
        link=reader.site.url(f"/sparql?{urlencode(given.multi_items())}"),
        downloads=_downloads(answer.kind, asked.text, reader) if answer else [],
        error=fault,
        detail=detail,
        line=error.extra.get("line") if error else None,
        column=error.extra.get("column") if error else None,
        excerpt=error.extra.get("excerpt") if error else None,
        hint=error.hint if error and not wrong else None,
        endpoint=context.url("/sparql"),
    )


Drawn = tuple[str, str]


def _drawn(given: QueryParams, charts: Mapping[Drawn, Chart]) -> Drawn | None:
    """The drawing that is asked for; without a variable the last that the view draws."""
    view, of = given.get("view", ""), given.get("of", "")
    fit = [each for each in charts if each[0] == view and of in ("", each[1])]
    return fit[-1] if fit else None


def _views(
    given: QueryParams, charts: Mapping[Drawn, Chart], drawn: Drawn | None, reader: Reader
) -> list[Way]:
    """The table and what can be drawn, where something can."""
    held = [(name, value) for name, value in given.multi_items() if name not in ("view", "of")]

    def way(view: str, of: str) -> Way:
        pairs = [*held, ("view", view), ("of", of)] if view else held
        href = reader.site.url(f"/sparql?{urlencode(pairs)}#answer")
        return Way(view, of, href, (view, of) == (drawn or ("", "")))

    ordered = sorted(charts, key=lambda each: VIEWS.index(each[0]))
    return [way("", ""), *(way(*each) for each in ordered)] if charts else []


def _fault(error: BilbaokgError, lang: str, wrong: Field | None) -> tuple[Text, str | None]:
    """What went wrong, in the reader's language where we have words for it, then in ours too.

    wrong: the field of a saved query that it is about.
    """
    if wrong:
        return Text(render.translate(f"sparql.expected.{wrong.type}", lang), lang), None
    key = f"fault.{error.code}"
    if lang == _MESSAGES or not render.has_text(key):
        return Text(error.message, _MESSAGES), None
    return Text(render.translate(key, lang), lang), error.message


def _cell(term: str | None, reader: Reader) -> Value | None:
    return reader.value(term) if term else None


def _downloads(kind: str, text: str, reader: Reader) -> list[Action]:
    """The whole answer from the endpoint, in other formats."""
    return [
        Action(name, f"{reader.site.root}/sparql?{urlencode({'query': text, 'format': format})}")
        for name, format in _DOWNLOADS.get(kind, ())
    ]
