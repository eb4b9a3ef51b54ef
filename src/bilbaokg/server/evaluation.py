"""Strangers' queries on their way through the worker pool: lanes, pieces, giving up.

Half of the workers are the fast lane, where every query starts. One that is still at work after
`PATIENCE_SECONDS` moves to the slow lane and gives its place back; when the slow lane is full and
others wait, it is stopped when it used `LIMIT_SECONDS` of the processor (or four times that of the
clock, by a slow reader), and sooner the more wait. So cheap queries go on beside costly ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from bilbaokg.errors import BilbaokgError, Overloaded
from bilbaokg.workers import Frame, Pool

__all__ = [
    "LIMIT_SECONDS",
    "PATIENCE_SECONDS",
    "Answer",
    "Lanes",
    "Rows",
    "Stopped",
    "rows",
    "work",
]

PATIENCE_SECONDS: Final = 0.2
LIMIT_SECONDS: Final = 0.8
_LEAST_SECONDS: Final = 0.2
_AGAIN_SECONDS: Final = 0.1
_WAIT_SECONDS: Final = 10.0


class Stopped(Exception):
    """The client went away: there is nobody to answer."""


class Lanes:
    """The places of a pool of `size` workers, and the threads that wait for them."""

    def __init__(self, size: int) -> None:
        fast = (size + 1) // 2
        self.slow_free = size - fast
        self.waiting = 0
        self._fast = asyncio.Semaphore(fast)
        self.threads = ThreadPoolExecutor(size, thread_name_prefix="query")

    async def enter(self) -> _Place:
        """Wait for a place in the fast lane. Raises Overloaded."""
        self.waiting += 1
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._fast.acquire()
        except TimeoutError:
            raise Overloaded("too many queries at once", retry_after=5) from None
        finally:
            self.waiting -= 1
        return _Place(self)

    def leave_fast(self) -> None:
        """Let the next query in."""
        self._fast.release()

    def close(self) -> None:
        """Let go of the threads; those at work end with their workers."""
        self.threads.shutdown(wait=False, cancel_futures=True)


@dataclass(slots=True)
class _Place:
    """Where one query is: in the fast lane, or in the slow one."""

    lanes: Lanes
    slow: bool = False

    def move(self) -> bool:
        """Go to the slow lane; False when it is full."""
        if self.lanes.slow_free == 0:
            return False
        self.lanes.slow_free -= 1
        self.slow = True
        self.lanes.leave_fast()
        return True

    def leave(self) -> None:
        if self.slow:
            self.lanes.slow_free += 1
        else:
            self.lanes.leave_fast()


class Answer:
    """One query's answer as it arrives. `header` is known after the first piece."""

    def __init__(self, frames: Iterator[Frame], place: _Place) -> None:
        self.header: dict[str, Any] = {}
        self.done = False
        self._frames, self._place = frames, place
        self._reason: Exception | None = None
        self._used = 0.0
        self._started = time.monotonic()
        self._timer = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._hurry)

    async def piece(self, size: int) -> bytes:
        """The next bytes, `size` or a little more, fewer only at the end (`done`).

        Raises what the worker raised, Overloaded or Stopped after `stop`.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._place.lanes.threads, self._collect, size)

    def _collect(self, size: int) -> bytes:
        held = bytearray()
        for header, content in self._frames:
            if self._reason:
                self._frames.close()  # type: ignore[attr-defined]
                raise self._reason
            if "beat" in header:
                self._used = header["beat"]
            else:
                self.header |= header
                held += content
            if len(held) >= size:
                return bytes(held)
        self.done = True
        return bytes(held)

    def stop(self, reason: Exception) -> None:
        """Give up: the worker is killed at its next beat, and `piece` raises the reason."""
        self._reason = self._reason or reason

    def _hurry(self) -> None:
        if self._place.move():
            return
        waiting = self._place.lanes.waiting
        limit = max(LIMIT_SECONDS / max(waiting, 1), _LEAST_SECONDS)
        used = max(self._used, (time.monotonic() - self._started) / 4)
        if waiting and used > limit:
            self.stop(Overloaded("too many long queries at once", retry_after=10))
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_AGAIN_SECONDS, self._hurry)

    async def close(self) -> None:
        """Kill the worker if it is still at work, and give the place back."""
        self._timer.cancel()
        try:
            if not self.done:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._place.lanes.threads, self._end)
        finally:
            self._place.leave()

    def _end(self) -> None:
        # Another thread may be waiting for the next frame: then that one closes them.
        self.stop(Stopped())
        with contextlib.suppress(ValueError):
            self._frames.close()  # type: ignore[attr-defined]


@contextlib.asynccontextmanager
async def work(
    lanes: Lanes, pool: Pool, params: dict[str, Any], text: bytes, deadline: float,
    begin: Callable[[], None],
) -> AsyncIterator[Answer]:  # fmt: skip
    """Evaluate a query for at most `deadline` seconds; `store.evaluate.job` explains params.

    `begin` is called when it no longer waits for a worker.
    """
    place = await lanes.enter()
    begin()
    answer = Answer(pool.run("query", params, deadline, body=text, label="query"), place)
    try:
        yield answer
    except BilbaokgError:
        answer.done = True  # the pool has seen to the worker
        raise
    finally:
        await asyncio.shield(answer.close())


@dataclass(frozen=True, slots=True)
class Rows:
    """An answer for people: `rows` are N-Triples terms, None where unbound.

    `kind` is select, ask or graph (then the variables are subject, predicate, object);
    `truncated` says that there were more rows; `seconds` is the time that it took.
    """

    kind: str
    variables: list[str]
    rows: list[list[str | None]]
    boolean: bool | None
    truncated: bool
    seconds: float


async def rows(
    lanes: Lanes, pool: Pool, params: dict[str, Any], text: bytes, deadline: float,
    begin: Callable[[], None],
) -> Rows:  # fmt: skip
    """Evaluate and keep the first `params["rows"]` rows."""
    start = time.perf_counter()
    pieces = []
    async with work(lanes, pool, params, text, deadline, begin) as answer:
        while not answer.done:
            pieces.append(await answer.piece(1 << 20))
    header = answer.header
    return Rows(
        header["kind"],
        header.get("variables", []),
        [json.loads(line) for line in b"".join(pieces).splitlines()],
        header.get("boolean"),
        bool(header.get("truncated")),
        time.perf_counter() - start,
    )
