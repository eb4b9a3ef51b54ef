"""The SPARQL endpoints: SPARQL 1.1 Protocol, query only, and the Service Description.

`/sparql` asks the current release, `/working/sparql` a checkpoint of the working store. The
request is read here (section 2.1), answered by a worker (`evaluation.py`) and sent as it comes
(`answering.py`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bilbaokg import queries
from bilbaokg.errors import (
    BadInput,
    BilbaokgError,
    Forbidden,
    SyntaxFault,
    TooLarge,
    UnsupportedFormat,
)
from bilbaokg.model import Release
from bilbaokg.server import description, evaluation, negotiate
from bilbaokg.server.answering import (
    GRAPH_OFFERS,
    Asked,
    Begun,
    fields,
    formats,
    release_store,
    respond,
)
from bilbaokg.server.context import Context
from bilbaokg.server.description import Service
from bilbaokg.server.evaluation import Rows
from bilbaokg.server.express import learn
from bilbaokg.server.openapi import parameter, problems
from bilbaokg.server.replays import stamp
from bilbaokg.store.evaluate import GRAPHS, RESULTS
from bilbaokg.terms import is_iri
from bilbaokg.writing import to_bytes

__all__ = ["Rows", "check_charset", "endpoint", "paths", "routes", "run", "working_routes"]

log = logging.getLogger(__name__)

_FORM: Final = "application/x-www-form-urlencoded"
_DIRECT: Final = "application/sparql-query"
_UPDATE: Final = "application/sparql-update"
_SECONDS: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


def routes(context: Context) -> list[BaseRoute]:
    """The public endpoint."""
    public = _Endpoint(context, lambda: release_store(context), description.PUBLIC)
    return [Route("/sparql", public, methods=["GET", "HEAD", "POST", "OPTIONS"], name="sparql")]


def working_routes(context: Context) -> list[BaseRoute]:
    """The endpoint over the working store, for tokens; none where there is no working store."""
    workspace = context.workspace
    if workspace is None:
        return []
    working = _Endpoint(context, lambda: (str(workspace.checkpoint()), None), description.WORKING)
    return [Route("/working/sparql", working, methods=["GET", "HEAD", "POST"], name="working")]


def endpoint(
    context: Context, find: Callable[[], tuple[str | None, Release | None]], service: Service
) -> ASGIApp:
    """The queries of an endpoint over whatever store `find` names."""
    return _Endpoint(context, find, service)


async def run(
    context: Context, text: str, scope: Scope, *, deadline: float | None = None,
    limit_rows: int = 1000,
) -> Rows:  # fmt: skip
    """Ask the current release and keep the first rows, for a page (which may run in a thread).

    Raises what the endpoint answers as a problem: SyntaxFault (line, column, hint), Invalid,
    Forbidden, DeadlineExceeded, Overloaded, TooManyRequests...
    """
    _limit(len(text))
    store, _ = release_store(context)
    asked = Asked(text.encode("utf-8", "replace"), "json", "ttl")
    told = asked.job(context, store, limit_rows)
    seconds = deadline or context.settings.query_seconds
    with context.usage.query(scope, asked.text) as asking:
        return await evaluation.rows(
            context.lanes, told, asked.text, seconds, asking.client, asking.begin
        )


class _Endpoint:
    """A raw ASGI endpoint over whatever store `find` names at the time of the request."""

    def __init__(
        self,
        context: Context,
        find: Callable[[], tuple[str | None, Release | None]],
        service: Service,
    ) -> None:
        self.context, self.find, self.service = context, find, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        parameters = await _parameters(request)
        if "query" not in parameters and request.method != "POST":
            await self._describe(request)(scope, receive, send)
            return
        asked = _read(parameters, dict(scope["headers"]), union=self.service.union)
        begun: Begun | None = scope.get("bilbaokg.begun")
        store, release = begun.found if begun else await self._find()
        etag = None if self.service.private else asked.validator(release)
        if etag:
            stamp(scope, release)
        if etag and parameters.keys() == {"query"}:
            learn(scope, asked)
        await respond(self.context, asked, store, etag, scope, receive, send)

    async def _find(self) -> tuple[str | None, Release | None]:
        if self.service.private:  # a checkpoint is made on the disk
            return await anyio.to_thread.run_sync(self.find)
        return self.find()

    def _describe(self, request: Request) -> Response:
        """Without a query: the form for people, the Service Description for programs."""
        if "update" in request.query_params:
            raise _no_update()
        accept = request.headers.get("accept")
        if negotiate.accepts_html(accept) and not self.service.private:
            lang = negotiate.language(request.headers.get("accept-language"))
            root = request.scope.get("root_path", "")
            rest = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(
                f"{root}/{lang}/sparql{rest}", 303, {"Vary": "Accept, Accept-Language"}
            )
        name = negotiate.choose(accept, GRAPH_OFFERS)
        body = to_bytes(description.describe(self.context, self.service), name)
        headers = {"Vary": "Accept, Accept-Language", "Cache-Control": "no-cache"}
        return Response(body, headers=headers, media_type=GRAPHS[name])


# ---- reading the request


async def _parameters(request: Request) -> dict[str, list[str]]:
    """The protocol's parameters, from the address and from a form; `query` also from a body.

    Raises UnsupportedFormat (415), TooLarge, SyntaxFault.
    """
    found = fields(request.scope["query_string"])
    if request.method != "POST":
        return found
    header = request.headers.get("content-type", "")
    media_type = header.partition(";")[0].strip().lower()
    if media_type == _UPDATE:
        raise _no_update()
    if media_type not in (_FORM, _DIRECT):
        raise UnsupportedFormat(
            f"a query cannot be sent as {media_type or 'a body without Content-Type'}",
            hint=f"send {_DIRECT}, or a form ({_FORM})", accepted=[_DIRECT, _FORM],
        )  # fmt: skip
    check_charset(header)
    body = await _body(request)
    if media_type == _DIRECT:
        found.setdefault("query", []).append(body.decode("utf-8", "surrogateescape"))
    else:
        for name, values in fields(body).items():
            found.setdefault(name, []).extend(values)
    if "query" not in found:
        raise _no_update() if "update" in found else _no_query()
    return found


def check_charset(content_type: str) -> None:
    charset = re.search(r'charset\s*=\s*"?([^";\s]+)', content_type, re.IGNORECASE)
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedFormat(f"the encoding {charset[1]} is not read", hint="send UTF-8")


async def _body(request: Request) -> bytes:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedFormat("a compressed query is not read", hint="send it as it is")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        _limit(len(body))
    return bytes(body)


def _limit(size: int) -> None:
    if size > queries.LIMIT:
        raise TooLarge(
            f"the query is over {queries.LIMIT:,} bytes", hint="load data, then query it"
        )


def _read(
    parameters: Mapping[str, list[str]], headers: Mapping[bytes, bytes], *, union: bool
) -> Asked:
    texts = parameters.get("query", [])
    if "update" in parameters:
        raise _no_update()
    if len(texts) > 1:
        raise BadInput("more than one query", hint="send one `query` parameter, in one place")
    if any(name.startswith("using-") for name in parameters):
        raise BadInput("using-graph-uri belongs to updates", hint="use default-graph-uri")
    try:
        text = texts[0].encode("utf-8", "surrogateescape")
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SyntaxFault(f"byte {error.start} of the query is not UTF-8") from None
    _limit(len(text))
    accept, encoding = headers.get(b"accept"), headers.get(b"accept-encoding")
    results, graph = formats(parameters, accept.decode("latin-1") if accept else None)
    return Asked(
        text, results, graph,
        _graphs(parameters, "default-graph-uri"), _graphs(parameters, "named-graph-uri"),
        negotiate.accepts_gzip(encoding.decode("latin-1") if encoding else None),
        _timeout(parameters), union=union,
    )  # fmt: skip


def _timeout(parameters: Mapping[str, list[str]]) -> float | None:
    """`timeout=` in seconds: no part of the protocol, but known from other engines."""
    if "timeout" not in parameters:
        return None
    (text, *more) = parameters["timeout"]
    if not text and not more:
        return None
    if more or not _SECONDS.fullmatch(text) or float(text) <= 0:
        raise BadInput("timeout is no number of seconds over 0", hint="such as timeout=2.5")
    return float(text)


def _graphs(parameters: Mapping[str, list[str]], name: str) -> list[str] | None:
    iris = parameters.get(name)
    for iri in iris or ():
        if not is_iri(iri):
            raise BadInput(f"{name}={iri[:200]!r} is no absolute IRI")
    return iris


def _no_query() -> BilbaokgError:
    return BadInput("there is no query", hint="send it as the parameter `query`")


def _no_update() -> BilbaokgError:
    return Forbidden("this endpoint takes no update", hint="load data with POST /api/load")


# ---- the OpenAPI document


def paths(context: Context) -> dict[str, Any]:
    """Their part of the OpenAPI document: the SPARQL 1.1 Protocol, once for each store."""
    stores = {"/sparql": "the published release"}
    if context.workspace is not None:
        stores["/working/sparql"] = "the working store"
    return {
        path: _methods(path.strip("/").replace("/", "_"), about) for path, about in stores.items()
    }


def _methods(key: str, about: str) -> dict[str, Any]:
    texts: dict[str, Any] = {"type": "string"}
    iris = {"type": "array", "items": {"type": "string", "format": "iri"}}
    names = {"type": "string", "enum": [*RESULTS, *GRAPHS]}
    dataset = [parameter("default-graph-uri", iris), parameter("named-graph-uri", iris)]
    dataset.append(parameter("timeout", {"type": "number", "exclusiveMinimum": 0}))
    form = {"type": "object", "required": ["query"], "properties": {"query": texts}}
    media_types = [each.partition(";")[0] for each in (*RESULTS.values(), *GRAPHS.values())]
    common = {"tags": ["SPARQL"], "summary": f"Ask {about}"}
    answers = {
        "200": {"description": "the answer", "content": {each: {} for each in media_types}},
        **problems(400, 403, 406, 413, 415, 503),
    }
    moved = {"303": {"description": "people are led to the form"}}
    known = {"304": {"description": "the client has it already"}}
    return {
        "get": {
            **common, "operationId": f"{key}_get",
            "description": "Without a query: what the endpoint can (SPARQL Service Description).",
            "parameters": [parameter("query", texts), *dataset, parameter("format", names)],
            "responses": answers | moved | known,
        },
        "post": {
            **common, "operationId": f"{key}_post", "parameters": dataset,
            "description": "The query is the body, or a field of a form.",
            "requestBody": {
                "required": True, "content": {_DIRECT: {"schema": texts}, _FORM: {"schema": form}},
            },
            "responses": answers,
        },
    }  # fmt: skip
