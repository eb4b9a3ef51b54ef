"""Worker processes from outside: starting, ending, and a pool whose jobs have deadlines."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Any, Final

from bilbaokg.errors import (
    BilbaokgError,
    DeadlineExceeded,
    MemoryExceeded,
    Overloaded,
    WorkerCrashed,
    from_problem,
)
from bilbaokg.settings import MIB
from bilbaokg.workers.frames import Frame, opening, receive, set_timeout

__all__ = ["Pool", "Starter", "Worker"]

log = logging.getLogger(__name__)

_START_SECONDS: Final = 30.0
# The engine takes and frees many small blocks: glibc keeps them at hand (a fourth less time).
_MALLOC: Final = "glibc.malloc.tcache_count=2000:glibc.malloc.tcache_max=65536"
_CHILD: Final = "bilbaokg.workers.child"


class Worker:
    """One child process and the sockets to it: `link`, and `aside` for what has time (child.py)."""

    def __init__(self, memory_limit: int) -> None:
        self.link, theirs = socket.socketpair()
        self.aside, second = socket.socketpair()
        self.aside.setblocking(False)
        self.errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 -- closed by kill()
        environment = {
            **os.environ,
            "RUST_BACKTRACE": "0",
            "GLIBC_TUNABLES": os.environ.get("GLIBC_TUNABLES", _MALLOC),
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        }
        with theirs, second:
            self.process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
                [
                    sys.executable,
                    "-P",  # what lies in the working directory is data, never a module
                    "-m",
                    _CHILD,
                    str(theirs.fileno()),
                    str(second.fileno()),
                    str(memory_limit),
                    str(os.getpid()),
                ],
                pass_fds=(theirs.fileno(), second.fileno()),
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
                receive(self.link, time.monotonic() + _START_SECONDS)
            except (EOFError, OSError):
                raise WorkerCrashed(f"a worker did not start: {self._last_words()}") from None
            self.ready = True

    def kill(self) -> None:
        """End it and let go of all that it holds."""
        self.link.close()
        self.aside.close()
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
            set_timeout(worker.link, until)
            # A body may be large: it is not copied to be sent.
            worker.link.sendall(opening({"job": job, "params": params}, len(body)))
            worker.link.sendall(body)
            while True:
                header, content = receive(worker.link, limit)
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
