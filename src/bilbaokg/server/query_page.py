"""The SPARQL page: a query from the form, run like any stranger's, and its answer as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import anyio.from_thread
from starlette.requests import Request

from bilbaokg import queries, render
from bilbaokg.errors import BilbaokgError
from bilbaokg.index import Text
from bilbaokg.model import Query
from bilbaokg.server import errors, sparql
from bilbaokg.server.evaluation import Rows
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import Action, SavedQuery, SparqlPage, Value
from bilbaokg.terms import plain

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["answer"]

# The language of the messages of errors.
_MESSAGES: Final = "en"
_START: Final = "examples/datasets-newest"
_DOWNLOADS: Final = {
    "select": (("CSV", "csv"), ("TSV", "tsv"), ("JSON", "json"), ("XML", "xml")),
    "graph": (("Turtle", "ttl"), ("JSON-LD", "jsonld"), ("N-Triples", "nt")),
}


def answer(
    context: Context, request: Request, reader: Reader
) -> tuple[SparqlPage, int, dict[str, str]]:
    """The page, its status and headers: `?query=` fills the form, `&run=1` runs it."""
    given = request.query_params
    text = given.get("query", "").replace("\r\n", "\n")
    outcome: Rows | BilbaokgError | None = None
    if given.get("run") and text.strip():
        try:
            # This handler runs in a thread; the query is served by the event loop and a worker.
            outcome = anyio.from_thread.run(sparql.run, context, text, request.scope)
        except BilbaokgError as error:
            outcome = error
    page = _fill(text, outcome, reader, context.url("/sparql"))
    if isinstance(outcome, BilbaokgError):
        return page, outcome.status, errors.headers_of(outcome, outcome.problem())
    return page, 200, {}


def _fill(
    text: str, outcome: Rows | BilbaokgError | None, reader: Reader, endpoint: str
) -> SparqlPage:
    """The page with a query and what it gave (None: it was not run)."""
    answer = outcome if isinstance(outcome, Rows) else None
    error = outcome if isinstance(outcome, BilbaokgError) else None
    held = answer.rows if answer else []
    reader.load(plain(term) for row in held for term in row if term and term.startswith("<"))
    has_rows = answer is not None and answer.kind != "ask"
    return SparqlPage(
        query=text or _text(queries.load(_START), reader),
        saved=[_saved(query, reader) for query in queries.available("examples")],
        columns=answer.variables if answer else [],
        rows=[[_cell(term, reader) for term in row] for row in held] if has_rows else None,
        boolean=answer.boolean if answer else None,
        milliseconds=round(answer.seconds * 1000) if answer else 0,
        more=bool(answer and answer.truncated),
        downloads=_downloads(answer.kind, text, reader) if answer else [],
        error=_fault(error, reader.lang) if error else None,
        detail=error.message if error and reader.lang != _MESSAGES else None,
        line=error.extra.get("line") if error else None,
        excerpt=error.extra.get("excerpt") if error else None,
        hint=error.hint if error else None,
        endpoint=endpoint,
    )


def _fault(error: BilbaokgError, lang: str) -> Text:
    """What went wrong, in the reader's language where we have words for it."""
    key = f"fault.{error.code}"
    if lang == _MESSAGES or not render.has_text(key):
        return Text(error.message, _MESSAGES)
    return Text(render.translate(key, lang), lang)


def _cell(term: str | None, reader: Reader) -> Value | None:
    return reader.value(term) if term else None


def _downloads(kind: str, text: str, reader: Reader) -> list[Action]:
    """The whole answer from the endpoint, in other formats."""
    return [
        Action(name, f"{reader.site.root}/sparql?{urlencode({'query': text, 'format': format})}")
        for name, format in _DOWNLOADS.get(kind, ())
    ]


def _saved(query: Query, reader: Reader) -> SavedQuery:
    head = queries.header(query.text)
    text = _text(query, reader)
    return SavedQuery(
        title=_in(head.title, reader.lang) or query.name,
        description=_in(head.description, reader.lang),
        href=reader.site.url(f"/sparql?{urlencode({'query': text, 'run': 1})}"),
    )


def _text(query: Query, reader: Reader) -> str:
    """A saved query as a start: without its header, with its defaults in the reader's language."""
    return queries.body(queries.bound(query, reader.lang, {}))


def _in(texts: dict[str, str], lang: str) -> str:
    return texts.get(lang) or texts.get(render.DEFAULT_LANGUAGE) or next(iter(texts.values()), "")
