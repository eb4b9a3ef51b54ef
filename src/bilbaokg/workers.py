"""Processes that can be killed: the only place where foreign RDF and SPARQL are worked on.

A worker is this module started anew (`python -m bilbaokg.workers`), so it inherits no open store
and never runs the caller's script again. It takes jobs over a socket pair, does one after the other
and answers in frames: the lengths of header and body and a number, 4 bytes each, a JSON header, the
body. The last frame's header has `end`, or a `problem`. A job that has not begun can be taken back
by a frame with `drop`, the numbers of such jobs; it then ends at once. A worker has a memory limit,
no network where the kernel allows it, and dies with its parent. On a deadline it is killed and
replaced.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import logging
import os
import queue
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import IO, Any, Final

from bilbaokg.errors import (
    BadInput,
    BilbaokgError,
    DeadlineExceeded,
    MemoryExceeded,
    Overloaded,
    TooLarge,
    WorkerCrashed,
    from_problem,
)
from bilbaokg.formats import by_media_type
from bilbaokg.model import Source
from bilbaokg.settings import MIB, Settings

__all__ = [
    "JOBS",
    "Frame",
    "Parsed",
    "Pool",
    "Put",
    "Starter",
    "Worker",
    "pack",
    "parse",
    "stream",
    "unpack",
]

log = logging.getLogger(__name__)

# A job is `function(params, body, put)`, imported in the worker; it puts frames out.
JOBS: Final[dict[str, str]] = {
    "parse": "bilbaokg.parsing:job",
    "portal": "bilbaokg.importers.portal:job",
    "query": "bilbaokg.store.evaluate:job",
    "scratch": "bilbaokg.store.sandbox:job",
    "shacl": "bilbaokg.shacl.evaluation:job",
    "verdicts": "bilbaokg.shacl.judging:job",
}

Frame = tuple[dict[str, Any], bytes]
Put = Callable[[dict[str, Any], bytes], None]
_HEAD: Final = struct.Struct("<III")
_SHORT: Final = 1000
_START_SECONDS: Final = 30.0
_RECEIVED: Final = 1 << 18
_CLONE_NEWUSER, _CLONE_NEWNET, _PR_SET_PDEATHSIG = 0x10000000, 0x40000000, 1


def pack(header: dict[str, Any] | bytes, body: bytes = b"", number: int = 0) -> bytes:
    """A frame as it is sent; the header may be JSON already."""
    return _opening(header, len(body), number) + body


def _opening(header: dict[str, Any] | bytes, size: int, number: int = 0) -> bytes:
    """A frame up to its body, which has so many bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return _HEAD.pack(len(text), size, number) + text


def unpack(held: bytes | bytearray, start: int) -> tuple[Frame, int, int] | None:
    """The frame that begins at an offset, its number, and where it ends; None before it is whole.

    The header may be shared by many frames.
    """
    begin = start + _HEAD.size
    if len(held) < begin:
        return None
    head, body, number = _HEAD.unpack_from(held, start)
    middle, end = begin + head, begin + head + body
    if len(held) < end:
        return None
    read = _header if head < _SHORT else json.loads
    with memoryview(held) as view:
        return (read(bytes(view[begin:middle])), bytes(view[middle:end])), number, end


@lru_cache(100)
def _header(text: bytes) -> dict[str, Any]:
    """Most headers are the same again and again."""
    found: dict[str, Any] = json.loads(text)
    return found


def _set_timeout(link: socket.socket, until: float | None) -> None:
    """Let the next call wait until a moment of time.monotonic(), or for ever."""
    link.settimeout(None if until is None else max(until - time.monotonic(), 0.001))


def _receive_exactly(link: socket.socket, size: int, until: float | None) -> bytes:
    pieces = bytearray()
    while len(pieces) < size:
        _set_timeout(link, until)
        piece = link.recv(min(size - len(pieces), 1 << 20))
        if not piece:
            raise EOFError
        pieces += piece
    return bytes(pieces)


def _receive(link: socket.socket, until: float | None = None) -> Frame:
    head, body, _ = _HEAD.unpack(_receive_exactly(link, _HEAD.size, until))
    header: dict[str, Any] = json.loads(_receive_exactly(link, head, until))
    return header, _receive_exactly(link, body, until)


class Worker:
    """One child process and the socket to it."""

    def __init__(self, memory_limit: int) -> None:
        self.link, theirs = socket.socketpair()
        self.errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 -- closed by kill()
        environment = {
            **os.environ,
            "RUST_BACKTRACE": "0",
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        }
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
                [
                    sys.executable,
                    "-P",  # what lies in the working directory is data, never a module
                    "-m",
                    __name__,
                    str(theirs.fileno()),
                    str(memory_limit),
                    str(os.getpid()),
                ],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.errors,
                env=environment,
            )
        self.ready = False

    def wait_ready(self) -> None:
        """Wait until it takes jobs. Raises WorkerCrashed when it does not come to that."""
        if not self.ready:
            try:
                _receive(self.link, time.monotonic() + _START_SECONDS)
            except (EOFError, OSError):
                raise WorkerCrashed(f"a worker did not start: {self._last_words()}") from None
            self.ready = True

    def kill(self) -> None:
        """End it and let go of all that it holds."""
        self.link.close()
        self.process.kill()
        self.process.wait()
        self.errors.close()

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def _last_words(self) -> str:
        self.errors.seek(0)
        return self.errors.read(4000).decode("utf-8", "replace").strip()[-400:]

    def obituary(self, label: str) -> BilbaokgError:
        """Why the process ended, as the error to raise."""
        code = self.process.wait()
        words = self._last_words()
        log.warning("worker ended with %s: %s", code, words)
        if code == -signal.SIGKILL or ("memory allocation" in words) or "MemoryError" in words:
            return MemoryExceeded("stopped at the memory limit", where=label)
        return WorkerCrashed(
            "it ended the process that read it, most likely by nesting too deeply",
            where=label,
            hint="check how deeply brackets, elements or lists are nested",
        )


class Starter:
    """Starts workers from a thread that lasts: a worker dies with its thread (prctl(2))."""

    def __init__(self, memory_limit: int) -> None:
        self.memory_limit = memory_limit
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="workers")

    def start(self) -> Future[Worker]:
        """A new worker, which may not be ready yet."""
        return self._thread.submit(Worker, self.memory_limit)

    def close(self) -> None:
        """Start none any more."""
        self._thread.shutdown(wait=False)


class Pool:
    """A fixed number of workers; each serves one caller at a time.

    Start it before any store is opened. `run` blocks, so servers call it from a thread.
    """

    def __init__(self, size: int, memory_limit: int = 2048 * MIB) -> None:
        self.size = size
        self._free: queue.LifoQueue[Worker | None] = queue.LifoQueue()
        self._all: set[Worker] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._starter = Starter(memory_limit)
        for _ in range(size):
            self._free.put(None)

    def start(self) -> None:
        """Start all workers now and wait until they are ready; else they start at need."""
        workers = [self._free.get() or self._spawn() for _ in range(self.size)]
        for worker in workers:
            self._free.put(worker)
            worker.wait_ready()

    def close(self) -> None:
        """Kill all workers; jobs still running end with Overloaded."""
        with self._lock:
            self._closed = True
            workers = list(self._all)
        with contextlib.suppress(queue.Empty):
            while True:
                if idle := self._free.get_nowait():
                    self._forget(idle)
        for worker in workers:
            # Who runs a job on it clears it away.
            worker.process.kill()
        self._starter.close()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(
        self,
        job: str,
        params: dict[str, Any],
        deadline: float,
        *,
        body: bytes = b"",
        label: str = "input",
    ) -> Generator[Frame, None, None]:
        """Do a job and yield its frames.

        deadline: seconds for the whole job; a frame whose header has `next_within` sets a shorter
        limit for the next one. Closing the generator early kills the worker. Raises
        DeadlineExceeded, MemoryExceeded, WorkerCrashed, Overloaded when no worker came free in
        time, or the BilbaokgError that the job raised.
        """
        until = limit = time.monotonic() + deadline
        worker = self._acquire(deadline)
        clean = False
        try:
            worker.wait_ready()
            _set_timeout(worker.link, until)
            # A body may be large: it is not copied to be sent.
            worker.link.sendall(_opening({"job": job, "params": params}, len(body)))
            worker.link.sendall(body)
            while True:
                header, content = _receive(worker.link, limit)
                if "end" in header:
                    clean = True
                    if content or len(header) > 1:
                        yield header, content
                    return
                if "problem" in header:
                    clean = True
                    raise from_problem(header["problem"])
                limit = min(until, time.monotonic() + header.get("next_within", deadline))
                yield header, content
        except TimeoutError:
            seconds = min(deadline, limit - until + deadline)
            raise DeadlineExceeded(f"stopped after {seconds:.3g} s", where=label) from None
        except (EOFError, ConnectionError):
            raise self._stopped() if self._closed else worker.obituary(label) from None
        finally:
            self._release(worker, clean)

    def _acquire(self, seconds: float) -> Worker:
        if self._closed:
            raise self._stopped()
        try:
            worker = self._free.get(timeout=seconds)
        except queue.Empty:
            raise Overloaded("all workers are busy", retry_after=5) from None
        if worker is not None and not worker.alive():
            self._forget(worker)
            worker = None
        return worker or self._spawn()

    def _spawn(self) -> Worker:
        with self._lock:
            if self._closed:
                raise self._stopped()
            worker = self._starter.start().result()
            self._all.add(worker)
        return worker

    def _stopped(self) -> Overloaded:
        return Overloaded("the workers were stopped", hint="the program is ending")

    def _forget(self, worker: Worker) -> None:
        with self._lock:
            self._all.discard(worker)
        worker.kill()

    def _release(self, worker: Worker, clean: bool) -> None:
        if clean and not self._closed:
            self._free.put(worker)
            return
        self._forget(worker)
        self._free.put(None)


# ---- reading a source through a worker


@dataclass(slots=True)
class Parsed:
    """What a source says: distinct N-Triples lines without blank nodes, unsorted.

    `line_of` maps a subject term to the source line where it first stands (when located).
    """

    lines: list[str]
    parsed: int
    graphs_dropped: int
    line_of: dict[str, int] = field(default_factory=dict)

    @property
    def distinct(self) -> int:
        """The number of distinct statements."""
        return len(self.lines)


def _deadline(size: int) -> float:
    """Seconds that a well-meant input of this many bytes may take; ten times what was measured."""
    return 10.0 + size / MIB * 2.0


def parse(
    source: Source,
    settings: Settings,
    *,
    pool: Pool | None = None,
    locate: bool = False,
    seconds: float | None = None,
    on_lines: Callable[[int], None] | None = None,
) -> Parsed:
    """Parse a source in a worker (one of the pool, or one of its own).

    Raises what `stream` raises.
    """
    lines: dict[str, None] = {}
    done: dict[str, Any] = {}
    with stream(source, settings, pool=pool, locate=locate, seconds=seconds) as frames:
        for header, content in frames:
            done = header.get("done", done)
            if content:
                lines.update(dict.fromkeys(content.decode().split("\n")))
            if on_lines:
                on_lines(header.get("lines", 0))
    return Parsed(list(lines), done["parsed"], done["graphs_dropped"], done["line_of"])


@contextlib.contextmanager
def stream(
    source: Source,
    settings: Settings,
    *,
    pool: Pool | None = None,
    locate: bool = False,
    blank: str | None = None,
    seconds: float | None = None,
) -> Iterator[Iterator[Frame]]:
    """The frames of the job "parse" (see parsing.job) on a source, the last one with `done`.

    Raises BadInput for what cannot be opened, TooLarge before reading when the file is over the
    limit, SyntaxFault with line, column and excerpt, Invalid for RDF 1.2 terms and DOCTYPE,
    DeadlineExceeded, MemoryExceeded, WorkerCrashed.
    """
    found = by_media_type(source.media_type)
    if found is None:
        raise BadInput(f"no parser for {source.media_type}", where=source.label)
    size = _size(source, settings)
    params = {
        "path": str(source.location.absolute()) if source.location else None,
        "label": source.label,
        "format": found.name,
        "base": settings.base,
        "base_iri": source.base,
        "limit": settings.file_limit,
        "group_seconds": settings.group_seconds,
        "locate": locate,
        "blank": blank,
    }
    own = Pool(1, settings.memory_limit) if pool is None else None
    limit, body = seconds or _deadline(size), source.content or b""
    try:
        frames = (pool or own).run("parse", params, limit, body=body, label=source.label)  # type: ignore[union-attr]
        with contextlib.closing(frames):
            yield _explained(frames, source)
    finally:
        if own:
            own.close()


def _size(source: Source, settings: Settings) -> int:
    try:
        size = source.location.stat().st_size if source.location else len(source.content or b"")
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=source.label) from None
    if size > settings.file_limit:
        raise TooLarge(
            f"{size:,} bytes, over the size limit of {settings.file_limit:,}",
            where=source.label,
            hint="split the file, or raise file_limit in settings.toml",
        )
    return size * 10 if source.label.endswith(".gz") else size


def _explained(frames: Iterator[Frame], source: Source) -> Iterator[Frame]:
    """The frames; what stops them is said in terms of the source."""
    group = ""
    done = False
    try:
        for header, content in frames:
            group = header.get("group", "")
            done = "done" in header
            yield header, content
    except (DeadlineExceeded, MemoryExceeded, WorkerCrashed) as error:
        if group:
            raise BadInput(
                f"a group of blank nodes could not be named: {error.message}",
                where=source.label,
                hint=f"give IRIs to the blank nodes around: {group}",
            ) from None
        error.hint = error.hint or (
            "split the file; if it is small, it is nested too deeply or built to do harm"
        )
        raise
    if not done:
        raise WorkerCrashed("the worker ended without an answer", where=source.label)


# ---- the child's side


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
        self._piece = memoryview(bytearray(_RECEIVED))
        self._held = bytearray()
        self._jobs: deque[tuple[int, Frame]] = deque()
        self._dropped: set[int] = set()

    def next(self) -> Frame | None:
        """The next job, waiting for one; None where it was taken back. Raises EOFError."""
        while True:
            self._take(0 if not self._jobs else socket.MSG_DONTWAIT)
            if self._jobs:
                number, job = self._jobs.popleft()
                if number not in self._dropped:
                    return job
                self._dropped.remove(number)
                return None

    def _take(self, flags: int) -> None:
        try:
            size = self._link.recv_into(self._piece, 0, flags)
        except BlockingIOError:
            return
        if not size:
            raise EOFError
        self._held += self._piece[:size]
        start = 0
        while found := unpack(self._held, start):
            frame, number, start = found
            if "drop" in frame[0]:
                self._dropped |= set(frame[0]["drop"]) & {known for known, _ in self._jobs}
            else:
                self._jobs.append((number, frame))
        del self._held[:start]


def _serve(link: socket.socket) -> None:
    known: dict[str, Callable[[dict[str, Any], bytes, Put], None]] = {}
    inbox = _Inbox(link)
    ended = False

    def put(header: dict[str, Any], body: bytes) -> None:
        nonlocal ended
        ended = "end" in header
        link.sendall(pack(header, body))

    put({"ready": os.getpid()}, b"")
    while True:
        job = inbox.next()
        ended = False
        try:
            if job:
                _do(job, known, put)
            if not ended:
                put({"end": True}, b"")
        except BilbaokgError as error:
            put({"problem": error.problem()}, b"")
        except MemoryError:
            os.write(2, b"MemoryError")
            os._exit(1)
        except ConnectionError:
            raise
        except Exception as error:
            log.exception("job failed")
            put({"problem": BilbaokgError(f"internal error: {error!r}").problem()}, b"")


def _do(
    job: Frame, known: dict[str, Callable[[dict[str, Any], bytes, Put], None]], put: Put
) -> None:
    header, body = job
    name = header["job"]
    if name not in known:
        module, _, function = JOBS[name].partition(":")
        known[name] = getattr(importlib.import_module(module), function)
    known[name](header["params"], body, put)


def _main() -> None:
    descriptor, memory_limit, parent = (int(word) for word in sys.argv[1:4])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _confine(memory_limit, parent)
    importlib.import_module("pyoxigraph")
    with contextlib.suppress(EOFError, ConnectionError):
        _serve(socket.socket(fileno=descriptor))


if __name__ == "__main__":
    _main()
