"""The Graph Store Protocol over the records of the working store.

Only the graphs of records, `<base>/graph/record/{id}`, can be named: a change is saved with a new
revision and an audit entry, as a load is. What surrounds them (history, audit, what sources said)
is kept by the store itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bilbaokg.errors import Forbidden, NotFound
from bilbaokg.model import Source
from bilbaokg.operations import editing
from bilbaokg.server import bodies, graphs, negotiate
from bilbaokg.server.answering import GRAPH_OFFERS, fields
from bilbaokg.server.context import Context
from bilbaokg.server.validators import media_type
from bilbaokg.terms import is_iri, split_lines
from bilbaokg.workspace import Workspace
from bilbaokg.writing import to_bytes

__all__ = ["read_routes", "write_routes"]

_ADDRESS: Final = "/working/graph-store"
_EDITS_AT_ONCE: Final = 2


def read_routes(context: Context) -> list[BaseRoute]:
    """Reading records; none where there is no working store."""
    return _routes(context, ["GET", "HEAD"], "read")


def write_routes(context: Context) -> list[BaseRoute]:
    """Changing records."""
    return _routes(context, ["PUT", "POST", "DELETE"], "write")


def _routes(context: Context, methods: list[str], name: str) -> list[BaseRoute]:
    if context.workspace is None:
        return []
    records = _Records(context.workspace)
    handler = records.read if name == "read" else records.write
    return [
        Route(_ADDRESS, handler, methods=methods, name=f"working-graphs.{name}"),
        Route(f"{_ADDRESS}/{{type}}/{{slug}}", handler, methods=methods, name=f"record.{name}"),
    ]


class _Records:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.base = workspace.settings.base
        self.places = anyio.CapacityLimiter(_EDITS_AT_ONCE)

    def read(self, request: Request) -> Response:
        """The exact text of a record (section 5.2)."""
        id = self._id(request)
        format = negotiate.choose(request.headers.get("accept"), GRAPH_OFFERS)
        head = editing.present(self.workspace, id)
        headers = {
            "Vary": "Accept", "Cache-Control": "private, no-cache",
            "ETag": graphs.etag(head.revision, format),
        }  # fmt: skip
        if graphs.is_known(request.headers, head.revision, format):
            return Response(status_code=304, headers=headers)
        content = to_bytes(split_lines(head.text), format, exact=True)
        return Response(content, headers=headers, media_type=media_type(format))

    async def write(self, request: Request) -> Response:
        """Replace (5.3), delete (5.4) or add to (5.5) a record."""
        id = self._id(request)
        params = {
            "id": id, "merge": request.method == "POST", "why": _why(request),
            "actor": request.scope["bilbaokg.actor"].name,
        }  # fmt: skip
        check = partial(graphs.check, request.headers)
        if request.method == "DELETE":
            await self._run(partial(editing.remove, self.workspace, params, check))
            return Response(status_code=204)
        graph = self.workspace.records.graph(id)
        sent = await bodies.documents(request, self.workspace.settings.body_limit)
        sources = [Source("body", None, type_, content, graph) for type_, content in sent]
        new = await self._run(partial(editing.edit, self.workspace, params, sources, check))
        return Response(status_code=201 if new else 204)

    async def _run(self, work: Callable[[], Any]) -> Any:
        return await anyio.to_thread.run_sync(work, limiter=self.places)

    def _id(self, request: Request) -> str:
        """The record whose graph a request names, or whose address it is."""
        if path := request.path_params:
            id = f"{path['type']}/{path['slug']}"
            if not is_iri(self.workspace.records.graph(id)):
                raise NotFound(f"no record {id!r}")
            return id
        graph = graphs.needed(graphs.graph_of(request))
        if graph == graphs.DEFAULT:
            raise Forbidden(
                "the working store has no default graph: every statement belongs to a record",
                hint=f"name the graph of one: {self.workspace.records.graph('{type}/{slug}')}",
            )
        return self._record(request, graph)

    def _record(self, request: Request, graph: str) -> str:
        prefix = self.workspace.records.graph("")
        if graph.startswith(prefix):
            return graph.removeprefix(prefix)
        if graph.startswith(f"{self.base}/graph/"):
            raise Forbidden(
                f"{graph} is kept by the store itself", hint="ask for it with /working/sparql"
            )
        if request.method in ("PUT", "POST"):
            raise Forbidden(
                "only the graphs of records are kept", hint=f"{prefix}{{type}}/{{slug}}"
            )
        raise NotFound(f"there is no graph {graph}", hint=f"{prefix}{{type}}/{{slug}}")


def _why(request: Request) -> str:
    return fields(request.scope["query_string"]).get("why", [""])[0][:1000]
