"""Where pipelines tell what they do, by OpenLineage as its clients speak it.

Events that wait together are written together. An answer is sent when the event is on disk, not
before: a client that got none sends it again, and that changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bilbaokg.errors import BilbaokgError, Overloaded, TooLarge, UnsupportedFormat
from bilbaokg.importers import openlineage
from bilbaokg.lineage import Event
from bilbaokg.operations.lineage import take_in
from bilbaokg.server import bodies
from bilbaokg.server.context import Context
from bilbaokg.server.openapi import problems
from bilbaokg.workspace import Workspace

__all__ = ["paths", "routes"]

log = logging.getLogger(__name__)

_AT_ONCE: Final = 500
# What may wait: more than a second of work, and not much memory.
_MOST_WAITING: Final = 5000
_SUBJECT: Final = "OpenLineage"
_ONE, _BATCH = "/api/v1/lineage", "/api/v1/lineage/batch"
_JSON: Final = "application/json"
_ANSWER: Final = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"enum": ["success", "partial_success"]},
        "summary": {"type": "object", "additionalProperties": {"type": "integer"}},
        "failed_events": {"type": "array", "items": {"type": "object"}},
    },
}


def routes(context: Context) -> list[BaseRoute]:
    """The addresses of the receiver; none where there is no working store."""
    if context.workspace is None:
        return []
    desk, limit = _Desk(context.workspace), context.settings.body_limit

    async def one(request: Request) -> Response:
        _check_type(request)
        try:
            content = await bodies.read(request, openlineage.EVENT_LIMIT)
        except TooLarge as error:
            error.hint = openlineage.SMALLER
            raise
        await desk.save([openlineage.read(content)], _actor(request))
        return JSONResponse({"status": "success"})

    async def batch(request: Request) -> Response:
        _check_type(request)
        content = await bodies.read(request, limit)
        found = await anyio.to_thread.run_sync(openlineage.read_batch, content)
        events = [event for event in found if isinstance(event, Event)]
        wrong = {n: error for n, error in enumerate(found) if isinstance(error, BilbaokgError)}
        if wrong and not events:
            raise next(iter(wrong.values()))
        for start in range(0, len(events), _AT_ONCE):
            await desk.save(events[start : start + _AT_ONCE], _actor(request))
        return JSONResponse(_summary(len(found), wrong))

    # Not FastAPI's routes: what it does around each takes as long as reading an event.
    return [Route(_ONE, one, methods=["POST"]), Route(_BATCH, batch, methods=["POST"])]


def paths(context: Context) -> dict[str, Any]:
    """Their part of the OpenAPI document."""
    if context.workspace is None:
        return {}
    one = "Take in one OpenLineage event: of a run, of a job or of a dataset"
    batch = "Take in an array of OpenLineage events"
    partly = "Those that cannot be used are listed, and the others count; 422 where none can."
    return {
        _ONE: {"post": _described("lineage_event", one, "", {"type": "object"})},
        _BATCH: {
            "post": _described(
                "lineage_batch", batch, partly, {"type": "array", "items": {"type": "object"}}
            )
        },
    }


def _described(id: str, summary: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    answer = {"description": "what was taken in", "content": {_JSON: {"schema": _ANSWER}}}
    return {
        "operationId": id, "tags": ["lineage"], "summary": summary, "description": description,
        "requestBody": {"required": True, "content": {_JSON: {"schema": schema}}},
        "responses": {"200": answer, **problems(400, 413, 415, 422)},
    }  # fmt: skip


def _check_type(request: Request) -> None:
    """Raise UnsupportedFormat where the body says that it is something else than JSON."""
    given = request.headers.get("content-type", _JSON)
    name = given.partition(";")[0].strip().lower()
    if name != _JSON and not name.endswith("+json"):
        raise UnsupportedFormat(f"{name[:100]!r} is no OpenLineage", hint=f"send {_JSON}")


def _actor(request: Request) -> str:
    return str(request.scope["bilbaokg.actor"].name)


def _summary(received: int, wrong: dict[int, BilbaokgError]) -> dict[str, Any]:
    return {
        "status": "partial_success" if wrong else "success",
        "summary": {
            "received": received, "successful": received - len(wrong), "failed": len(wrong),
            "retriable": 0, "non_retriable": len(wrong),
        },
        "failed_events": [
            {"index": n, "reason": str(error), "hint": error.hint, "retriable": False}
            for n, error in wrong.items()
        ],
    }  # fmt: skip


@dataclass(eq=False)
class _Waiting:
    """Events of one request; `outcome` is None until they were tried."""

    events: Sequence[Event]
    actor: str
    outcome: BaseException | bool | None = field(default=None)


class _Desk:
    """Takes events from many requests and writes those that wait at once."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.turn = asyncio.Lock()
        self.line: list[_Waiting] = []

    async def save(self, events: Sequence[Event], actor: str) -> None:
        """Return when the events are on disk. Raises what saving raised; Overloaded when too many
        wait."""
        if sum(len(each.events) for each in self.line) > _MOST_WAITING:
            raise Overloaded("too many events wait", hint="send it again in a moment")
        own = _Waiting(events, actor)
        self.line.append(own)
        async with self.turn:
            # Whoever comes to the desk first writes for all that wait behind.
            while own.outcome is None:
                taken = self._next()
                await anyio.to_thread.run_sync(self._write, taken)
        if isinstance(own.outcome, BaseException):
            raise own.outcome

    def _next(self) -> list[_Waiting]:
        """Those at the head of the line that are written together: of one actor, not too many."""
        taken: list[_Waiting] = []
        count = 0
        for each in self.line:
            if taken and (each.actor != taken[0].actor or count + len(each.events) > _AT_ONCE):
                break
            taken.append(each)
            count += len(each.events)
        del self.line[: len(taken)]
        return taken

    def _write(self, taken: Iterable[_Waiting]) -> None:
        together = list(taken)
        try:
            self._take_in(together)
        except Exception as error:
            if len(together) > 1 and not isinstance(error, BilbaokgError):
                # What no one foresaw shall not be the fault of those who stood beside it.
                log.exception("events failed together; each is tried alone")
                for each in together:
                    self._write([each])
                return
            for each in together:
                each.outcome = error

    def _take_in(self, together: Sequence[_Waiting]) -> None:
        events = [event for each in together for event in each.events]
        take_in(self.workspace, events, together[0].actor, _SUBJECT)
        for each in together:
            each.outcome = True
