"""The scratch area over HTTP: SPARQL query and update, and the whole Graph Store Protocol.

Only here is an update taken. Its default graph is a graph of its own, not the union: what a query
sees is what an update sees.
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from bilbaokg.errors import BadInput, NotFound, TooLarge
from bilbaokg.formats import by_name
from bilbaokg.scratch import Scratch
from bilbaokg.server import bodies, evaluation, graphs, negotiate, sparql
from bilbaokg.server.answering import GRAPH_OFFERS, Asked, fields, respond
from bilbaokg.server.auth import authorize
from bilbaokg.server.context import Context
from bilbaokg.server.description import SCRATCH
from bilbaokg.server.released import EVERYTHING
from bilbaokg.store.embedded import UPDATE_LIMIT
from bilbaokg.terms import is_iri

__all__ = ["query_routes", "read_routes", "write_routes"]

_SPARQL: Final = "/scratch/sparql"
_GRAPHS: Final = "/scratch/graph-store"
_UPDATE: Final = "application/sparql-update"
_FORM: Final = "application/x-www-form-urlencoded"
# A form may write each byte of an update as three.
_FORM_LIMIT: Final = 3 * UPDATE_LIMIT + 100_000
_ANYTHING: Final = b"ASK { ?s ?p ?o }"
# They go one after the other: more threads would only wait.
_CHANGES_AT_ONCE: Final = 4


def query_routes(context: Context) -> list[BaseRoute]:
    """The endpoint; that an update needs more than a query does is seen when it is read."""
    if context.workspace is None:
        return []
    endpoint = _Endpoint(context, context.workspace.scratch)
    return [Route(_SPARQL, endpoint, methods=["GET", "HEAD", "POST"], name="scratch")]


def read_routes(context: Context) -> list[BaseRoute]:
    """Reading graphs."""
    if context.workspace is None:
        return []
    reader = _Reader(context, context.workspace.scratch)
    return _graph_routes(reader, ["GET", "HEAD"], "read")


def write_routes(context: Context) -> list[BaseRoute]:
    """Changing graphs."""
    if context.workspace is None:
        return []
    writer = _Writer(context, context.workspace.scratch)
    return _graph_routes(writer.handle, ["PUT", "POST", "DELETE"], "write")


def _graph_routes(endpoint: Any, methods: list[str], name: str) -> list[BaseRoute]:
    return [
        Route(_GRAPHS, endpoint, methods=methods, name=f"scratch-graphs.{name}"),
        Route(f"{_GRAPHS}/{{name:path}}", endpoint, methods=methods, name=f"scratch-graph.{name}"),
    ]


def _find(scratch: Scratch) -> tuple[str | None, None]:
    path = scratch.checkpoint()
    return (str(path) if path else None), None


# ---- SPARQL


class _Endpoint:
    """Takes updates; what is none goes to the endpoint for queries."""

    def __init__(self, context: Context, scratch: Scratch) -> None:
        self.context, self.scratch = context, scratch
        self.query = sparql.endpoint(context, partial(_find, scratch), SCRATCH)
        self.places = anyio.CapacityLimiter(_CHANGES_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        found = fields(scope["query_string"])
        if request.method != "POST":
            if "update" in found:
                raise BadInput("an update is not sent in the address", hint=f"POST it as {_UPDATE}")
            await self.query(scope, receive, send)
            return
        header = request.headers.get("content-type", "")
        kind = header.partition(";")[0].strip().lower()
        if kind == _UPDATE:
            sparql.check_charset(header)
            text = await _body(request, UPDATE_LIMIT)
            answer = await self._answer(request, text, found)
            await answer(scope, receive, send)
        elif kind == _FORM:
            await self._form(request, found, send)
        else:
            await self.query(scope, receive, send)

    async def _form(self, request: Request, found: dict[str, list[str]], send: Send) -> None:
        sparql.check_charset(request.headers.get("content-type", ""))
        body = await _body(request, _FORM_LIMIT)
        given = await anyio.to_thread.run_sync(fields, body)
        if "update" not in given:
            await self.query(request.scope, _again(body, request.receive), send)
            return
        if "query" in given or "query" in found:
            raise BadInput("a query and an update", hint="send one of them at a time")
        if len(given["update"]) > 1:
            raise BadInput("more than one update", hint="put `;` between the operations of one")
        for name, values in given.items():
            found.setdefault(name, []).extend(values)
        text = given["update"][0].encode("utf-8", "surrogateescape")
        if len(text) > UPDATE_LIMIT:
            raise _too_long()
        answer = await self._answer(request, text, found)
        await answer(request.scope, request.receive, send)

    async def _answer(self, request: Request, text: bytes, found: dict[str, list[str]]) -> Response:
        """Evaluate an update (SPARQL 1.1 Protocol, section 2.2)."""
        authorize(request.scope["bilbaokg.actor"], "scratch.write")
        if {"default-graph-uri", "named-graph-uri"} & found.keys():
            raise BadInput("default-graph-uri belongs to queries", hint="use using-graph-uri")
        using, named = found.get("using-graph-uri"), found.get("using-named-graph-uri")
        for iri in (*(using or ()), *(named or ())):
            if not is_iri(iri):
                raise BadInput(f"{iri[:200]!r} is no absolute IRI")
        base = self.context.url(_SPARQL)
        with self.context.usage.query(request.scope, text) as asking:

            def update() -> None:
                asking.begin()
                self.scratch.update(text, base, using, named)

            await anyio.to_thread.run_sync(update, limiter=self.places)
        return Response(status_code=204)


async def _body(request: Request, limit: int) -> bytes:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise BadInput("a compressed update is not read", hint="send it as it is")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise _too_long()
    return bytes(body)


def _too_long() -> TooLarge:
    return TooLarge(
        f"the update is over {UPDATE_LIMIT:,} bytes", hint=f"send RDF to {_GRAPHS}, or split it"
    )


def _again(body: bytes, receive: Receive) -> Receive:
    """A body that was read already, for somebody else to read."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


# ---- graphs


def _graph(context: Context, request: Request) -> str | None:
    """The graph that a request names, or that its own address is (sections 4.1 and 4.2)."""
    if name := request.path_params.get("name"):
        return _own(context, name)
    return graphs.graph_of(request)


def _own(context: Context, name: str) -> str:
    """The graph of an address below the store."""
    return context.url(f"{_GRAPHS}/{quote(name, safe=_PATH)}")


_PATH: Final = "/:@!$&'()*+,;=~-._"  # what a path may hold beside letters and digits (RFC 3986)


class _Reader:
    """Reads from a copy, as queries do."""

    def __init__(self, context: Context, scratch: Scratch) -> None:
        self.context, self.scratch = context, scratch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        graph = graphs.needed(_graph(self.context, request))
        name = negotiate.choose(request.headers.get("accept"), GRAPH_OFFERS)
        store, _ = await anyio.to_thread.run_sync(_find, self.scratch)
        default = [graph] if graph else None
        if graph:
            await self._find(store, graph)
        asked = Asked(EVERYTHING, None, name, default, union=False)
        await respond(self.context, asked, store, None, scope, receive, send)

    async def _find(self, store: str | None, graph: str) -> None:
        """Raise NotFound where the graph has no statement."""
        context = self.context
        job = Asked(_ANYTHING, "json", None, [graph]).job(context, store, 1)
        seconds = context.settings.query_seconds_token
        found = await evaluation.rows(context.lanes, job, _ANYTHING, seconds)
        if not found.boolean:
            raise _absent(graph)


def _absent(graph: str) -> NotFound:
    return NotFound(f"there is no graph {graph}", hint="an empty graph is none")


class _Writer:
    def __init__(self, context: Context, scratch: Scratch) -> None:
        self.context, self.scratch = context, scratch
        self.places = anyio.CapacityLimiter(_CHANGES_AT_ONCE)

    async def handle(self, request: Request) -> Response:
        """PUT, DELETE and POST (sections 5.3, 5.4 and 5.5)."""
        graph = _graph(self.context, request)
        if request.method == "DELETE":
            graph = graphs.needed(graph)
            delete = partial(self.scratch.delete, graph)
            existed = await anyio.to_thread.run_sync(delete, limiter=self.places)
            if graph and not existed:
                raise _absent(graph)
            return Response(status_code=204)
        headers = {}
        if graph is None and request.method == "POST":
            graph = headers["Location"] = _own(self.context, secrets.token_hex(16))
        graph = graphs.needed(graph)
        new = await self._put(request, graph)
        return Response(status_code=201 if new else 204, headers=headers)

    async def _put(self, request: Request, graph: str) -> bool:
        sent = await bodies.documents(request, self.context.settings.body_limit)
        documents = [(by_name(media_type).name, content) for media_type, content in sent]
        base = graph or self.context.url(_GRAPHS)
        put = partial(self.scratch.put, graph, documents, base=base, merge=request.method == "POST")
        return await anyio.to_thread.run_sync(put, limiter=self.places)
