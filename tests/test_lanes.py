"""Queries and the workers that take them: who waits, who is passed on, what ends with whom."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Awaitable, Callable

import pytest
from helpers import eventually

from bilbaokg.errors import BilbaokgError, MemoryExceeded
from bilbaokg.server import evaluation
from bilbaokg.server.evaluation import Answer
from bilbaokg.server.lanes import Lanes
from bilbaokg.settings import MIB
from bilbaokg.workers import Worker

NUMBERS = " ".join(map(str, range(400)))
LONG = f"""SELECT (COUNT(*) AS ?n) {{
    VALUES ?a {{ {NUMBERS} }} VALUES ?b {{ {NUMBERS} }} VALUES ?c {{ {NUMBERS} }} }}""".encode()
JOB = evaluation.job(
    store=None, base="http://localhost/", limit=MIB, results="json", graph="nt", gzip=False,
    page=None, rows=None, union=True, default=None, named=None,
)  # fmt: skip
TRUE = b'{"head":{},"boolean":true}'


def with_lanes(work: Callable[[Lanes], Awaitable[None]]) -> None:
    async def run() -> None:
        lanes = Lanes(2, 2048 * MIB)
        await lanes.start()
        try:
            await work(lanes)
        finally:
            lanes.close()
            while lanes._tasks:  # those that were starting
                await asyncio.wait(lanes._tasks)
            await asyncio.sleep(0.1)  # the loop hears that they are gone

    asyncio.run(run())


def begin(lanes: Lanes, text: bytes) -> Answer:
    return lanes.begin(JOB, text, 60.0)


def unread(worker: Worker) -> bytes:
    """What a worker has sent and nobody has taken."""
    found = b""
    for end in (worker.link, worker.aside):
        with contextlib.suppress(BlockingIOError):
            found += end.recv(MIB, socket.MSG_PEEK)
    return found


async def whole(answer: Answer) -> bytes:
    async with asyncio.timeout(60):
        return await answer.piece(MIB)


def test_those_behind_a_worker_that_dies_are_answered_by_another() -> None:
    async def work(lanes: Lanes) -> None:
        first = begin(lanes, LONG)
        others = [begin(lanes, b"ASK {}") for _ in range(4)]
        place = first.place
        assert place
        assert place.following == others
        os.kill(place.worker.process.pid, signal.SIGKILL)
        with pytest.raises(MemoryExceeded):
            await whole(first)
        assert [await whole(each) for each in others] == [TRUE] * 4

    with_lanes(work)


def test_one_that_nobody_wants_any_more_leaves_the_others_where_they_are() -> None:
    async def work(lanes: Lanes) -> None:
        answers = [begin(lanes, b"ASK {}") for _ in range(4)]
        lanes.end(answers[2])
        assert [await whole(each) for each in (*answers[:2], answers[3])] == [TRUE] * 3
        assert lanes.replaced == 0

    with_lanes(work)


def test_answers_before_a_long_query_come_although_it_goes_on() -> None:
    async def work(lanes: Lanes) -> None:
        quick = [begin(lanes, b"ASK {}") for _ in range(3)]
        long = begin(lanes, LONG)
        assert long.place is quick[0].place, "one worker has them all"
        assert [await whole(each) for each in quick] == [TRUE] * 3
        assert not long.ended
        lanes.end(long)

    with_lanes(work)


def test_answers_of_a_worker_that_dies_count_if_they_were_given_before() -> None:
    async def work(lanes: Lanes) -> None:
        quick = [begin(lanes, b"ASK {}") for _ in range(2)]
        long = begin(lanes, LONG)
        place = long.place
        assert place
        await asyncio.sleep(0)  # all of them are sent
        # Both come, and nobody looks at them.
        assert eventually(lambda: unread(place.worker).count(TRUE) == 2)
        os.kill(place.worker.process.pid, signal.SIGKILL)
        with pytest.raises(MemoryExceeded):
            await whole(long)
        assert [await whole(each) for each in quick] == [TRUE] * 2

    with_lanes(work)


def test_what_waits_is_served_in_turn_by_client() -> None:
    async def work(lanes: Lanes) -> None:
        greedy = [lanes.begin(JOB, b"ASK {}", 60.0, "greedy") for _ in range(30)]
        modest = lanes.begin(JOB, b"ASK {}", 60.0, "modest")
        assert await whole(modest) == TRUE
        assert not greedy[-1].ended
        for each in greedy:
            await whole(each)

    with_lanes(work)


def test_lanes_that_are_closed_say_so() -> None:
    async def work(lanes: Lanes) -> None:
        lanes.close()
        with pytest.raises(BilbaokgError, match="stopped"):
            await whole(begin(lanes, b"ASK {}"))

    with_lanes(work)
