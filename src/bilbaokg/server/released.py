"""The Graph Store Protocol over the current release: reading alone.

A named graph is the record of `<base>/graph/record/{id}`, its literals exactly as they were
released; the default graph is the union of all, as it is for queries.
"""

from __future__ import annotations

from typing import Final

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from bilbaokg import index
from bilbaokg.errors import NotFound
from bilbaokg.server import graphs, negotiate
from bilbaokg.server.answering import GRAPH_OFFERS, Asked, release_store, respond
from bilbaokg.server.context import Context
from bilbaokg.server.validators import is_known, media_type, validators
from bilbaokg.terms import split_lines
from bilbaokg.writing import to_bytes

__all__ = ["EVERYTHING", "routes"]

EVERYTHING: Final = b"CONSTRUCT WHERE { ?s ?p ?o }"
"""The query for all of a graph, which the protocol's dataset names."""
_VARY: Final = {"Vary": "Accept"}


def routes(context: Context) -> list[BaseRoute]:
    """The graph store of the release."""
    return [Route("/graph-store", _Released(context), methods=["GET", "HEAD"], name="graph-store")]


class _Released:
    """A raw ASGI endpoint: all of a release is long, and is sent as it comes."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._records = f"{context.settings.base}/graph/record/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        graph = graphs.needed(graphs.graph_of(request))
        name = negotiate.choose(request.headers.get("accept"), GRAPH_OFFERS)
        if graph == graphs.DEFAULT:
            store, release = release_store(self.context)
            asked = Asked(EVERYTHING, None, name)
            etag = asked.validator(release)
            await respond(self.context, asked, store, etag, scope, receive, send)
            return
        answer = await anyio.to_thread.run_sync(self._record, request, graph, name)
        await answer(scope, receive, send)

    def _record(self, request: Request, graph: str, name: str) -> Response:
        release = self.context.current()
        if release is None or not graph.startswith(self._records):
            raise NotFound(f"the release has no graph {graph}", hint=f"{self._records}{{id}}")
        text = index.of(release, self.context.cache).text(graph.removeprefix(self._records))
        headers = validators(release, f"{graph} {name}") | _VARY
        if is_known(request.headers, headers):
            return Response(status_code=304, headers=headers)
        content = to_bytes(split_lines(text), name, exact=True)
        return Response(content, headers=headers, media_type=media_type(name))
