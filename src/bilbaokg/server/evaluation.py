"""Strangers' queries as they are answered: pieces as they come from a worker, and giving up."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

from bilbaokg.errors import DeadlineExceeded, Overloaded, from_problem
from bilbaokg.server.seats import Seat

__all__ = ["PATIENCE_SECONDS", "Answer", "Rows", "Stopped", "job", "rows"]

PATIENCE_SECONDS: Final = 0.2
_WAIT_SECONDS: Final = 10.0
_SOON_SECONDS: Final = 0.05
# Comments and numbers; a `#` within an IRI has no space before it.
_PASSING: Final = re.compile(rb"(?:^|(?<=\s))#[^\r\n]*|\d+|\s+")
# A reader that is slow holds its worker, not our memory.
_MOST_HELD: Final = 256 << 10


class Stopped(Exception):
    """The client went away: there is nobody to answer."""


class Owner(Protocol):
    """Who has the workers."""

    def begin(
        self, job: bytes, text: bytes, deadline: float, client: str = "",
        begun: Callable[[], None] | None = None,
    ) -> Answer:  # fmt: skip
        """Ask for an answer."""

    def end(self, answer: Answer) -> None:
        """Nobody wants it any more."""

    def was_quick(self, answer: Answer) -> None:
        """One that waited with the slow ones came quickly."""


class Answer:
    """One query's answer as it arrives. `header` is known after the first piece.

    is_slow: whether it is in the slow lane. place: the worker that has it, None while it waits.
    ended: the worker has said all of it. on_wait: called once when the answer lets wait for long.
    told: called when something has come, or no more will. size: bytes that have come.
    """

    def __init__(
        self, lanes: Owner, job: bytes, text: bytes, deadline: float, client: str,
        begun: Callable[[], None] | None,
    ) -> None:  # fmt: skip
        self.job, self.text, self.deadline, self.client = job, text, deadline, client
        self.header: dict[str, Any] = {}
        self.done = self.ended = self.is_slow = False
        self.place: Seat[Answer] | None = None
        self.on_wait: Callable[[], None] | None = None
        self.told: Callable[[], None] | None = None
        self._lanes, self._begun = lanes, begun
        self._pieces: list[bytes] = []
        self.size = 0
        self._reason: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._paused = False
        self._before: float | None = None
        self._came = self._started = time.monotonic()

    @property
    def failed(self) -> bool:
        """Whether there is a reason for which no more will come."""
        return self._reason is not None

    @property
    def waits(self) -> bool:
        """Whether it waits for a worker."""
        return self.place is None and self._reason is None

    @cached_property
    def shape(self) -> int:
        """What it has in common with queries that differ in numbers and comments alone."""
        return hash(_PASSING.sub(b"", self.text))

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._started

    def used(self) -> float:
        """Seconds of the processor that it took since the first look at it."""
        return self.place.cpu() - (self._before or 0.0) if self.place else 0.0

    async def piece(self, size: int) -> bytes:
        """The next bytes, `size` or a little more, fewer only at the end (`done`).

        Raises what the worker raised, DeadlineExceeded, Overloaded, or what `stop` was given.
        """
        while not (self._reason or self.ended or self.size >= size):
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self._reason:
            raise self._reason
        content = self.take()
        self.let_go()
        return content

    def take(self) -> bytes:
        """The bytes that have come."""
        content = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        self.done = self.ended
        return content

    def let_go(self) -> None:
        """Let the worker go on that waited for a slow reader."""
        if self._paused and self.place:
            self._paused = False
            self.place.transport.resume_reading()

    def stop(self, reason: Exception) -> None:
        """Give up: `piece` raises the reason, a worker at work on it is killed."""
        if not self.ended:
            self._lanes.end(self)
        self.fail(reason)

    def fail(self, reason: Exception) -> None:
        """No more will come."""
        self._reason = self._reason or reason
        self.place = None
        self._tell()

    # ---- what the worker says

    def begin(self) -> None:
        """The worker is at work on it."""
        self._started = time.monotonic()
        if self._begun:
            self._begun()

    def feed(self, header: dict[str, Any], body: bytes) -> None:
        """A frame of the worker."""
        if "problem" in header:
            self._reason = self._reason or from_problem(header["problem"])
            self._end()
        else:
            self.header |= header
            if body:
                self._pieces.append(body)
                self.size += len(body)
            if "end" in header:
                self._end()
            elif self.size > _MOST_HELD and self.place:
                self._paused = True
                self.place.transport.pause_reading()
        self._tell()

    def _end(self) -> None:
        self.ended = True
        if self.is_slow and self.age < PATIENCE_SECONDS:
            self._lanes.was_quick(self)

    def _tell(self) -> None:
        if self.told:
            self.told()
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    # ---- what comes with time

    def wait(self, now: float) -> None:
        """It waits for a worker."""
        self._say_that_it_waits(now)
        if now - self._came > _WAIT_SECONDS:
            self.stop(Overloaded("too many queries at once", retry_after=5))

    def look(self, now: float) -> None:
        """A worker is at work on it."""
        if self._before is None and self.place:
            self._before = self.place.cpu()
        self._say_that_it_waits(now)
        if now - self._started > self.deadline:
            text = f"stopped after {self.deadline:.3g} s"
            self.stop(DeadlineExceeded(text, where="query"))

    def _say_that_it_waits(self, now: float) -> None:
        if self.on_wait and now - self._came > _SOON_SECONDS:
            self.on_wait()
            self.on_wait = None


def job(**params: Any) -> bytes:
    """The job of a query, as workers take it; `store.evaluate.job` explains params."""
    return json.dumps({"job": "query", "params": params}).encode()


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
    lanes: Owner, asked: bytes, text: bytes, deadline: float, client: str = "",
    begin: Callable[[], None] | None = None,
) -> Rows:  # fmt: skip
    """Evaluate and keep the first `rows` rows that the job asks for."""
    start = time.perf_counter()
    pieces = []
    answer = lanes.begin(asked, text, deadline, client, begin)
    try:
        while not answer.done:
            pieces.append(await answer.piece(1 << 20))
    finally:
        lanes.end(answer)
    header = answer.header
    return Rows(
        header["kind"],
        header.get("variables", []),
        [json.loads(line) for line in b"".join(pieces).splitlines()],
        header.get("boolean"),
        bool(header.get("truncated")),
        time.perf_counter() - start,
    )
