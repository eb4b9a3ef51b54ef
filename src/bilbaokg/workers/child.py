"""The worker's own side: a process that takes jobs and answers in frames.

It is started anew (`python -m bilbaokg.workers.child`), so it inherits no open store and never runs
the caller's script again. It does one job after the other. The last frame of each has `end` in its
header, or a `problem`. A job that has not begun can be taken back by a frame with `drop`, the
numbers of such jobs; it then ends at once. Where more jobs wait, a short answer is laid aside: into
a second socket, at which the caller looks when the first one wakes it, or after a while. It has a
memory limit, no network where the kernel allows it, and dies with its parent.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import logging
import os
import resource
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from bilbaokg.errors import BilbaokgError
from bilbaokg.workers.frames import RECEIVED, Frame, Put, Splitter, pack

__all__: list[str] = []

log = logging.getLogger(__name__)

# A job is `function(params, body, put)`, imported in the worker; it puts frames out.
_JOBS: Final[dict[str, str]] = {
    "compiled": "bilbaokg.lineage.compiled:job",
    "page": "bilbaokg.harvesting.markup:job",
    "parse": "bilbaokg.parsing:job",
    "portal": "bilbaokg.importers.portal:job",
    "query": "bilbaokg.store.evaluate:job",
    "scratch": "bilbaokg.store.sandbox:job",
    "shacl": "bilbaokg.shacl.evaluation:job",
    "sql": "bilbaokg.lineage.sql:job",
    "verdicts": "bilbaokg.shacl.judging:job",
}

# Bytes of an answer that is laid aside, and how many are in a row.
_SHORT: Final = 8 << 10
_MOST_ASIDE: Final = 3
_CLONE_NEWUSER, _CLONE_NEWNET, _PR_SET_PDEATHSIG = 0x10000000, 0x40000000, 1


def _confine(memory_limit: int, parent: int) -> None:
    """No network if the kernel allows, no core files, a memory limit, death with the parent."""
    libc = ctypes.CDLL(None, use_errno=True)
    with contextlib.suppress(AttributeError):
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if libc.unshare(_CLONE_NEWNET) != 0:
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_limit, memory_limit))
    if os.getppid() != parent:
        os._exit(0)


class _Inbox:
    """The jobs that have come, in their order, without those that were taken back."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        # One buffer for all that comes: large blocks that come and go make malloc slow.
        self._piece = memoryview(bytearray(RECEIVED))
        self._frames = Splitter()
        self._jobs: deque[tuple[int, Frame]] = deque()
        self._dropped: set[int] = set()

    @property
    def waiting(self) -> bool:
        """Whether more jobs have come."""
        return bool(self._jobs)

    def next(self) -> tuple[int, Frame | None]:
        """The next job and its number, waiting for one; None where it was taken back.

        Raises EOFError.
        """
        while True:
            self._take(0 if not self._jobs else socket.MSG_DONTWAIT)
            if self._jobs:
                number, job = self._jobs.popleft()
                if number not in self._dropped:
                    return number, job
                self._dropped.remove(number)
                return number, None

    def _take(self, flags: int) -> None:
        try:
            size = self._link.recv_into(self._piece, 0, flags)
        except BlockingIOError:
            return
        if not size:
            raise EOFError
        for frame, number in self._frames.split(bytes(self._piece[:size])):
            if "drop" in frame[0]:
                self._dropped |= set(frame[0]["drop"]) & {known for known, _ in self._jobs}
            else:
                self._jobs.append((number, frame))


class _Outbox:
    """The frames of the job at work: out they go at once, or aside where the caller has time."""

    def __init__(self, link: socket.socket, aside: socket.socket, inbox: _Inbox) -> None:
        self._link, self._aside, self._inbox = link, aside, inbox
        aside.setblocking(False)
        self._in_a_row = 0
        self.begin(0)

    def begin(self, number: int) -> None:
        """What follows is about this job."""
        self._number = number
        self._begun = self.ended = False

    def put(self, header: dict[str, Any], body: bytes) -> None:
        """One frame."""
        frame = pack(header, body, self._number)
        self.ended = "end" in header or "problem" in header
        alone, self._begun = self.ended and not self._begun, True
        if not (alone and self._inbox.waiting and self._lay_aside(frame)):
            self._in_a_row = 0
            self._link.sendall(frame)

    def _lay_aside(self, frame: bytes) -> bool:
        if len(frame) > _SHORT or self._in_a_row == _MOST_ASIDE:
            return False
        try:
            sent = self._aside.send(frame)
        except BlockingIOError:
            return False
        if sent < len(frame):
            self._aside.setblocking(True)
            self._aside.sendall(frame[sent:])
            self._aside.setblocking(False)
        self._in_a_row += 1
        return True


def _serve(link: socket.socket, aside: socket.socket) -> None:
    known: dict[str, Callable[[dict[str, Any], bytes, Put], None]] = {}
    inbox = _Inbox(link)
    out = _Outbox(link, aside, inbox)
    out.put({"ready": os.getpid()}, b"")
    while True:
        number, job = inbox.next()
        out.begin(number)
        try:
            if job:
                _do(job, known, out.put)
            if not out.ended:
                out.put({"end": True}, b"")
        except BilbaokgError as error:
            out.put({"problem": error.problem()}, b"")
        except MemoryError:
            os.write(2, b"MemoryError")
            os._exit(1)
        except ConnectionError:
            raise
        except Exception as error:
            log.exception("job failed")
            out.put({"problem": BilbaokgError(f"internal error: {error!r}").problem()}, b"")


def _do(
    job: Frame, known: dict[str, Callable[[dict[str, Any], bytes, Put], None]], put: Put
) -> None:
    header, body = job
    name = header["job"]
    if name not in known:
        module, _, function = _JOBS[name].partition(":")
        known[name] = getattr(importlib.import_module(module), function)
    known[name](header["params"], body, put)


def _main() -> None:
    link, aside, memory_limit, parent = (int(word) for word in sys.argv[1:5])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _confine(memory_limit, parent)
    importlib.import_module("pyoxigraph")
    with contextlib.suppress(EOFError, ConnectionError):
        _serve(socket.socket(fileno=link), socket.socket(fileno=aside))


if __name__ == "__main__":
    _main()
