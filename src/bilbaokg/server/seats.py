"""A worker process as the event loop sees it: jobs in their order, their frames as they come."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Collection
from itertools import islice
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar, cast

from bilbaokg.workers import Frame, Starter, Worker
from bilbaokg.workers.frames import RECEIVED, Splitter, pack

__all__ = ["Owner", "Receiver", "Seat", "seat"]

_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Receiver(Protocol):
    """Who takes the frames of a job."""

    def begin(self) -> None:
        """The jobs before have ended."""

    def feed(self, header: dict[str, Any], body: bytes) -> None:
        """One frame; the last one's header has `end` or `problem`."""


R = TypeVar("R", bound=Receiver)


class Owner(Protocol[R]):
    """Who gives the jobs."""

    def ended(self, place: Seat[R]) -> None:
        """A job has ended."""

    def gone(self, place: Seat[R]) -> None:
        """The process has ended; told once."""


class Seat(asyncio.Protocol, Generic[R]):
    """The socket to one worker, and who waits for its frames (None: nobody any more).

    since: when the job began that it is at work on (time.monotonic()).
    """

    transport: asyncio.Transport

    def __init__(self, worker: Worker, owner: Owner[R]) -> None:
        self.worker, self.owner = worker, owner
        self._jobs: deque[tuple[int, R | None]] = deque()
        self._last = 0
        self.since = time.monotonic()
        self._ready = asyncio.get_running_loop().create_future()
        self._link, self._aside = Splitter(), Splitter()
        self._laid: deque[tuple[Frame, int]] = deque()

    @property
    def load(self) -> int:
        """How many jobs it has."""
        return len(self._jobs)

    async def ready(self) -> None:
        """Wait until it takes jobs. Raises EOFError when it ends before."""
        await self._ready

    @property
    def first(self) -> R | None:
        """Whose job is being done."""
        return self._jobs[0][1] if self._jobs else None

    def ask(self, job: bytes, body: bytes, receiver: R) -> None:
        """Give it a job (JSON: its name and parameters); it begins when those before have ended."""
        self._last += 1
        self._jobs.append((self._last, receiver))
        self.transport.write(pack(job, body, self._last))
        if len(self._jobs) == 1:
            self._begin()

    @property
    def following(self) -> list[R]:
        """Whose jobs have not begun."""
        return [whose for _, whose in islice(self._jobs, 1, None) if whose is not None]

    def take_back(self, receivers: Collection[R]) -> None:
        """Take jobs back that have not begun."""
        numbers = []
        for place, (number, whose) in enumerate(self._jobs):
            if place and whose in receivers:
                numbers.append(number)
                self._jobs[place] = (number, None)
        if numbers:
            self.transport.write(pack({"drop": numbers}))

    def cpu(self) -> float:
        """Seconds of the processor that the process has used (proc(5)); 0 when it has ended."""
        try:
            stat = Path(f"/proc/{self.worker.process.pid}/stat").read_text(encoding="ascii")
        except OSError:
            return 0.0
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def kill(self) -> None:
        """End the process; the owner is told when it is gone."""
        self._jobs.clear()
        self.worker.process.kill()

    def close(self) -> None:
        """End the process now, and let go of the socket."""
        self.kill()
        self.transport.abort()
        self.worker.process.wait()

    # ---- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass on whole frames, after those before them that were laid aside."""
        for frame, number in self._link.split(data):
            if self._jobs and self._jobs[0][0] < number:
                self.collect()
            self._take(frame)
        self._settle()

    def collect(self) -> None:
        """Look at what was laid aside (see workers.child)."""
        with contextlib.suppress(OSError):  # there is nothing, or it ended
            while data := self.worker.aside.recv(RECEIVED):
                self._laid.extend(self._aside.split(data))
        self._settle()

    def _settle(self) -> None:
        while self._laid and self._jobs and self._laid[0][1] == self._jobs[0][0]:
            self._take(self._laid.popleft()[0])

    def _take(self, frame: Frame) -> None:
        header, body = frame
        if "ready" in header:
            self._ready.set_result(None)
            return
        if not self._jobs:
            return  # it is being killed
        _, receiver = self._jobs[0]
        if receiver:
            receiver.feed(header, body)
        if "end" in header or "problem" in header:
            self._jobs.popleft()
            self._begin()
            self.owner.ended(self)

    def _begin(self) -> None:
        self.since = time.monotonic()
        if first := self.first:
            first.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """The process has ended, or is about to."""
        if not self._ready.done():
            self._ready.set_exception(EOFError("the worker did not start"))
        self.collect()
        self.owner.gone(self)


async def seat(starter: Starter, owner: Owner[R]) -> Seat[R]:
    """A new worker that is ready. Raises EOFError when it does not come to that."""
    worker = await asyncio.wrap_future(starter.start())
    worker.link.setblocking(False)
    loop = asyncio.get_running_loop()
    _, made = await loop.create_unix_connection(lambda: Seat(worker, owner), sock=worker.link)
    try:
        await made.ready()
    except BaseException:
        made.close()
        raise
    return made
