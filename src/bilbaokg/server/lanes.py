"""Whose query is evaluated next, and by which worker: two lanes, and who waits for them.

Half of the workers are the fast lane, where every query starts: a worker of it gets a few at a
time, and those that have not begun are taken back when the first one takes long. One that is still
at work after `PATIENCE_SECONDS` moves to the slow lane with its worker; when the slow lane is full
and others wait, it is stopped when it used `LIMIT_SECONDS` of the processor (or four times that of
the clock, by a slow reader), and sooner the more wait. A text like one that was slow before waits
for the slow lane from the start. So cheap queries go on beside costly ones. Who waits is served in
turn by client, so that one with many queries does not keep the others waiting.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from bilbaokg.errors import Overloaded
from bilbaokg.server.evaluation import PATIENCE_SECONDS, Answer
from bilbaokg.server.seats import Seat, seat
from bilbaokg.workers import Starter

__all__ = ["LANES", "LIMIT_SECONDS", "Lane", "Lanes"]

log = logging.getLogger(__name__)

# How many there are: for each worker of the fast lane one of the slow lane.
LANES: Final = 2
LIMIT_SECONDS: Final = 0.8
_LEAST_SECONDS: Final = 0.2
_LOOK_SECONDS: Final = 0.02
# How many queries a worker of the fast lane has at a time, and how long they stay with it.
_DEPTH: Final = 8
_FOLLOW_SECONDS: Final = 0.02
_MOST_KNOWN: Final = 1000
# Ready beside those at work, so that one that is killed has a successor at once.
_SPARE: Final = 1


class _Waiting:
    """Who waits for a lane: served in turn by client, each client's in their order."""

    def __init__(self) -> None:
        self._by_client: OrderedDict[str, deque[Answer]] = OrderedDict()
        self.size = 0

    def __iter__(self) -> Iterator[Answer]:
        return (answer for answers in self._by_client.values() for answer in answers)

    def add(self, answer: Answer) -> None:
        self._by_client.setdefault(answer.client, deque()).append(answer)
        self.size += 1

    def put_back(self, answer: Answer) -> None:
        """Let one be the next that had its turn already."""
        self._by_client.setdefault(answer.client, deque()).appendleft(answer)
        self._by_client.move_to_end(answer.client, last=False)
        self.size += 1

    def next(self) -> Answer:
        """Whose turn it is. Raises KeyError when nobody waits."""
        client, answers = self._by_client.popitem(last=False)
        answer = answers.popleft()
        if answers:
            self._by_client[client] = answers
        self.size -= 1
        return answer

    def leave(self, answer: Answer) -> None:
        """Wait no more."""
        answers = self._by_client[answer.client]
        answers.remove(answer)
        if not answers:
            del self._by_client[answer.client]
        self.size -= 1


@dataclass(slots=True)
class Lane:
    """How many workers it may have, which it has, and who waits for one."""

    size: int
    seats: set[Seat[Answer]] = field(default_factory=set)
    waiting: _Waiting = field(default_factory=_Waiting)


class Lanes:
    """`size` workers, and who may use them. It lives in one event loop."""

    def __init__(self, size: int, memory_limit: int) -> None:
        self.size = size
        fast = (size + 1) // 2
        self.fast, self.slow = Lane(fast), Lane(size - fast)
        self.replaced = 0
        self._starter = Starter(memory_limit)
        self._idle: list[Seat[Answer]] = []
        self._seats: set[Seat[Answer]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting = 0
        # Shapes of texts that were slow.
        self._known: OrderedDict[int, None] = OrderedDict()
        self._sweeping = self._closed = False

    @property
    def busy(self) -> int:
        """How many workers are at work."""
        return len(self.fast.seats) + len(self.slow.seats)

    @property
    def queued(self) -> int:
        """How many queries wait."""
        return self.fast.waiting.size + self.slow.waiting.size

    async def start(self) -> None:
        """Start all workers and wait until they are ready; else they start at need."""
        self._fill()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def close(self) -> None:
        """End all workers."""
        self._closed = True
        self._starter.close()
        for each in self._seats:
            each.close()

    def begin(
        self, job: bytes, text: bytes, deadline: float, client: str = "",
        begun: Callable[[], None] | None = None,
    ) -> Answer:  # fmt: skip
        """Ask for an answer, which comes when there is a place; `end` it in any case.

        begun: called when a worker begins with it, again when another one does.
        """
        answer = Answer(self, job, text, deadline, client, begun)
        if self._closed:
            answer.fail(_stopped())
            return answer
        answer.is_slow = bool(self._known and self.slow.size and answer.shape in self._known)
        lane = self._lane(answer)
        place = None if lane.waiting.size else self._free(lane)
        if place is None:
            lane.waiting.add(answer)
            self._fill()
        else:
            self._give(place, answer)
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._sweep)
        return answer

    def end(self, answer: Answer) -> None:
        """Nobody wants the answer any more; a worker that is still at work on it is killed."""
        answer.let_go()
        place = answer.place
        if place and not answer.ended:
            place.collect()
        if answer.ended:
            return
        if place is None:
            if answer.waits:
                self._lane(answer).waiting.leave(answer)
        elif place.first is answer:
            self.kill(place)
        else:
            place.take_back([answer])

    # ---- who gets which worker

    def _lane(self, answer: Answer) -> Lane:
        return self.slow if answer.is_slow else self.fast

    def _free(self, lane: Lane) -> Seat[Answer] | None:
        """A worker for a query of this lane."""
        if self._idle and len(lane.seats) < lane.size:
            place = self._idle.pop()
            lane.seats.add(place)
            return place
        least = min(lane.seats, key=_load, default=None) if lane is self.fast else None
        if least and least.first and least.load < _DEPTH and least.first.age < _FOLLOW_SECONDS:
            return least
        return None

    def _give(self, place: Seat[Answer], answer: Answer) -> None:
        answer.place = place
        place.ask(answer.job, answer.text, answer)

    def _admit(self) -> None:
        """Let in whose turn it is, while there are places."""
        for lane in (self.fast, self.slow):
            while lane.waiting.size and (place := self._free(lane)):
                self._give(place, lane.waiting.next())

    def ended(self, place: Seat[Answer]) -> None:
        """A worker has done a job."""
        if not place.load:
            self._leave(place)
            if place in self._seats:
                self._idle.append(place)
        if self.queued:
            self._admit()

    def _leave(self, place: Seat[Answer]) -> None:
        self.fast.seats.discard(place)
        self.slow.seats.discard(place)

    def _requeue(self, answers: list[Answer]) -> None:
        """Let those be next whom their worker did not come to."""
        for answer in reversed(answers):
            answer.place = None
            self._lane(answer).waiting.put_back(answer)

    # ---- workers

    def _fill(self) -> None:
        while not self._closed and len(self._seats) + self._starting < self.size + _SPARE:
            self._starting += 1
            self._spawn(self._start())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start(self) -> None:
        try:
            made = await seat(self._starter, self)
        except (EOFError, OSError, RuntimeError):
            log.error("a worker did not start")
            return
        finally:
            self._starting -= 1
        if self._closed:
            made.close()
            return
        self._seats.add(made)
        self._idle.append(made)
        self._admit()

    def kill(self, place: Seat[Answer]) -> None:
        """End a worker; who waits behind its first job gets another one."""
        self._seats.discard(place)
        self._leave(place)
        self._requeue(place.following)
        place.kill()

    def gone(self, place: Seat[Answer]) -> None:
        """A worker has ended: say why to whom it worked for, and start another."""
        first = place.first
        self.kill(place)
        if place in self._idle:
            self._idle.remove(place)
        if self._closed:
            if first:
                first.fail(_stopped())
            place.worker.kill()
            return
        self.replaced += 1
        self._spawn(self._bury(place, first))
        self._fill()

    async def _bury(self, place: Seat[Answer], answer: Answer | None) -> None:
        loop = asyncio.get_running_loop()
        if answer and not answer.failed:
            answer.fail(await loop.run_in_executor(None, place.worker.obituary, "query"))
        await loop.run_in_executor(None, place.worker.kill)

    # ---- looking after what takes long

    def _sweep(self) -> None:
        now = time.monotonic()
        for place in [*self.fast.seats, *self.slow.seats]:
            place.collect()
            if place.first:
                self._look(place, place.first, now)
            elif now - place.since > PATIENCE_SECONDS:
                self.kill(place)  # at work on what was taken back too late
        for lane in (self.fast, self.slow):
            for answer in list(lane.waiting):
                answer.wait(now)
        self._sweeping = bool(self.busy or self.queued)
        if self._sweeping:
            self._fill()
            self._admit()
            asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._sweep)

    def _look(self, place: Seat[Answer], answer: Answer, now: float) -> None:
        if answer.age > _FOLLOW_SECONDS and (following := place.following):
            place.take_back(following)
            self._requeue(following)
        answer.look(now)
        if answer.age > PATIENCE_SECONDS and place in self.fast.seats and not answer.failed:
            self._hurry(place, answer)

    def _hurry(self, place: Seat[Answer], answer: Answer) -> None:
        """A query of the fast lane takes long: to the slow lane, or away where others wait."""
        self._known[answer.shape] = None
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        if len(self.slow.seats) < self.slow.size and not self.slow.waiting.size:
            self.fast.seats.remove(place)
            self.slow.seats.add(place)
            answer.is_slow = True
            return
        waiting = self.fast.waiting.size
        limit = max(LIMIT_SECONDS / max(waiting, 1), _LEAST_SECONDS)
        if waiting and max(answer.used(), answer.age / 4) > limit:
            answer.stop(Overloaded("too many long queries at once", retry_after=10))

    def was_quick(self, answer: Answer) -> None:
        """Let those like it begin in the fast lane again."""
        self._known.pop(answer.shape, None)


def _load(place: Seat[Answer]) -> int:
    return place.load


def _stopped() -> Overloaded:
    return Overloaded("the workers were stopped", hint="the program is ending")
