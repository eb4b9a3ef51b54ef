"""How a server ends: new requests are told so, those at work may finish for a while."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from bilbaokg.errors import Overloaded
from bilbaokg.server import errors

__all__ = ["Drain", "Gate", "ending"]

_RETRY_SECONDS: Final = 5
_LOOK_SECONDS: Final = 0.05


def ending() -> Overloaded:
    """What is said to those who come too late."""
    return Overloaded("the server is ending", retry_after=_RETRY_SECONDS)


class Drain:
    """Counts what is at work, in any thread; `begin` refuses what comes after."""

    def __init__(self) -> None:
        self.begun = False
        self._lock = threading.Lock()
        self._working = 0

    def begin(self) -> None:
        """Let nothing more in."""
        self.begun = True

    def work(self) -> Drain:
        """Be at work within `with`."""
        return self

    def enter(self) -> None:
        """Something more is at work, until it is to `leave`."""
        with self._lock:
            self._working += 1

    def leave(self) -> None:
        """Something is at work no more."""
        with self._lock:
            self._working -= 1

    def __enter__(self) -> None:
        self.enter()

    def __exit__(self, *_: object) -> None:
        self.leave()

    @property
    def done(self) -> bool:
        """Whether nothing is at work."""
        return self._working == 0

    async def wait(self, seconds: float) -> None:
        """Wait until nothing is at work, or for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.done:
                    await asyncio.sleep(_LOOK_SECONDS)


class Gate:
    """Stands before an application: 503 for what comes too late or is not done at the end.

    `bilbaokg.started` of the scope tells whether the answer has begun, `bilbaokg.begun` is there
    where the query came before the end.
    """

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self.app, self.drain = app, drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.drain.begun and "bilbaokg.begun" not in scope:
            await _refuse(scope, receive, send)
            return
        try:
            with self.drain.work():
                await self.app(scope, receive, send)
        except asyncio.CancelledError:
            # The time to drain is over. An answer that began is cut, never ended well.
            if not scope["bilbaokg.started"]:
                await _refuse(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    answer = errors.respond(ending(), Request(scope))
    answer.headers["Connection"] = "close"
    await answer(scope, receive, send)
