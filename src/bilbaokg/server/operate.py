"""What answers behind the control socket: the operations, in the local operator's name."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bilbaokg.errors import BadInput, BilbaokgError, NotFound
from bilbaokg.operations import OPERATIONS, Operation, Progress
from bilbaokg.server.draining import Drain, ending
from bilbaokg.workspace import Workspace, operator

__all__ = ["control_app"]

log = logging.getLogger(__name__)

_TELL_SECONDS: Final = 0.1


def control_app(
    workspace: Workspace, drain: Drain, further: Mapping[str, Operation] | None = None
) -> Starlette:
    """The application behind the socket: every operation, in the local operator's name.

    further: operations that only a running server has.
    """
    table = {**OPERATIONS, **(further or {})}

    async def ping(request: Request) -> Response:
        status = 503 if drain.begun else 200
        return JSONResponse({"pid": os.getpid(), "operations": sorted(table)}, status)

    async def operate(request: Request) -> Response:
        name = request.path_params["operation"]
        try:
            if drain.begun:
                raise ending()
            params = _params(table, name, await request.body())
        except BilbaokgError as error:
            return JSONResponse({"problem": error.problem()}, error.status)
        lines = _work(partial(table[name], workspace, params), drain, name)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    return Starlette(routes=[Route("/", ping), Route("/{operation}", operate, methods=["POST"])])


def _params(table: Mapping[str, Operation], name: str, body: bytes) -> dict[str, Any]:
    if name not in table:
        raise NotFound(f"no operation {name!r}", hint=f"operations: {', '.join(table)}")
    try:
        params = json.loads(body or b"{}")
    except ValueError as error:
        raise BadInput(f"the parameters are not JSON: {error}") from None
    if not isinstance(params, dict):
        raise BadInput("the parameters are no JSON object")
    return params | {"actor": params.get("actor") or operator()}


async def _work(
    operation: Callable[[Progress], dict[str, Any]], drain: Drain, name: str
) -> AsyncIterator[bytes]:
    """Do the operation in a thread; it goes on to its end even when the caller goes away."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    told = 0.0

    def progress(done: int, total: int | None, text: str) -> None:
        nonlocal told
        if time.monotonic() - told >= _TELL_SECONDS:
            told = time.monotonic()
            loop.call_soon_threadsafe(lines.put_nowait, {"progress": [done, total, text]})

    def do() -> None:
        with drain.work():
            line = _outcome(operation, name, progress)
            loop.call_soon_threadsafe(lines.put_nowait, line)

    loop.run_in_executor(None, do)
    while True:
        line = await lines.get()
        yield json.dumps(line).encode() + b"\n"
        if "progress" not in line:
            return


def _outcome(
    operation: Callable[[Progress], dict[str, Any]], name: str, progress: Progress
) -> dict[str, Any]:
    try:
        return {"result": operation(progress)}
    except BilbaokgError as error:
        return {"problem": error.problem()}
    except Exception as error:
        log.exception("operation failed", extra={"operation": name})
        return {"problem": BilbaokgError(f"internal error: {error!r}").problem()}
