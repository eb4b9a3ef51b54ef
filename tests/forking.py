"""Processes of the product that begin with its modules loaded.

Loading them is most of the work of a short run, and the tests have hundreds. `start` and `run` ask
a process that has loaded them, and holds nothing else (no store, no thread, no file of a test), to
fork. That process is this module as a program; what it forks goes on as `python -c` would: with
arguments, an environment, a folder and standard streams of its own, to the usual end of an
interpreter. `offered` does the same for shells.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import marshal
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

__all__ = ["Forked", "offered", "run", "start"]

# What a server loads, mostly when it is called.
_LOADED: Final = (
    *("bilbaokg.cli.loading", "bilbaokg.cli.reading", "bilbaokg.cli.validating"),
    *("bilbaokg.operations.loading", "bilbaokg.operations.releasing", "rich.table", "rich.text"),
    "bilbaokg.operations.noting",
    "bilbaokg.server.app",
    "bilbaokg.server.query_log",
    "bilbaokg.server.running",
    "bilbaokg.server.serving",
    "bilbaokg.webhooks.sending",
    "pydantic.v1",  # which FastAPI loads to see that we do not use it
)
_FORKS: Final = "linux"  # it alone forks safely and hands on messages whole
_MESSAGE: Final = 1 << 17
_STREAMS: Final = 3
# The program of a shell. It loads next to nothing, and hands on what it was given and its streams.
_OFFERED: Final = """#!{python} -IS
import _socket, marshal, os, sys
if {but!r} in sys.argv:
    os.execv({real!r}, [{real!r}, *sys.argv[1:]])
link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
link.connect({address!r})
order = marshal.dumps([sys.argv[1:], dict(os.environ), os.getcwd()])
streams = b"".join(each.to_bytes(4, sys.byteorder) for each in range(3))
link.sendmsg([order], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
os._exit(int(link.recv(20)))
"""


class Forked:
    """A process, with what tests ask of subprocess.Popen."""

    def __init__(self, pid: int, status: int, stdout: IO[bytes]) -> None:
        self.pid, self.stdout = pid, stdout
        self.returncode: int | None = None
        self._status = status

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, minus the signal that ended it. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            self.returncode = int(os.read(self._status, 20))
            os.close(self._status)
        return self.returncode

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(
    code: str, arguments: Sequence[str], *, stderr: IO[bytes], env: Mapping[str, str]
) -> Forked | subprocess.Popen[bytes]:
    """Run code, which finds `arguments` in sys.argv; what it prints is read from `stdout`."""
    if sys.platform != _FORKS:
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=env)
    output, theirs = os.pipe()
    with Path(os.devnull).open("rb") as nothing, os.fdopen(theirs, "wb") as out:
        streams = [each.fileno() for each in (nothing, out, stderr)]
        pid, status = _forked(code, arguments, streams, env, Path.cwd())
    return Forked(pid, status, os.fdopen(output, "rb"))


def run(
    code: str, arguments: Sequence[str], *, given: bytes, env: Mapping[str, str], cwd: Path
) -> subprocess.CompletedProcess[bytes]:
    """Run code to its end, with what it is given on standard input."""
    if sys.platform != _FORKS:
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, input=given, capture_output=True, env=env, cwd=cwd)
    with contextlib.ExitStack() as opened:
        stdin, *told = (opened.enter_context(tempfile.TemporaryFile()) for _ in range(_STREAMS))
        stdin.write(given)
        stdin.seek(0)
        streams = [each.fileno() for each in (stdin, *told)]
        pid, status = _forked(code, arguments, streams, env, cwd)
        ended = Forked(pid, status, told[0]).wait()
        for file in told:
            file.seek(0)
        return subprocess.CompletedProcess(arguments, ended, *(file.read() for file in told))


@contextlib.contextmanager
def offered(code: str, real: Path, *, but: str) -> Iterator[Path]:
    """A folder for the path of a shell, with a program of the name of `real` that runs code.

    but: the verb for which it becomes the real one, as for what must be sent signals.
    """
    with tempfile.TemporaryDirectory(prefix="bilbaokg-tests-") as made:
        folder = Path(made)
        if sys.platform != _FORKS:
            yield folder
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
            address = str(folder / ".door")
            door.bind(address)
            door.listen()
            names = {"python": sys.executable, "but": but, "real": str(real), "address": address}
            program = folder / real.name
            program.write_text(_OFFERED.format(**names), encoding="utf-8")
            program.chmod(0o700)
            threading.Thread(target=_let_in, args=(door, code), daemon=True).start()
            yield folder
            door.shutdown(socket.SHUT_RDWR)


def _let_in(door: socket.socket, code: str) -> None:
    """Serve each program that comes, some at a time as in a pipe, until the door is shut."""
    with contextlib.suppress(OSError):
        while True:
            threading.Thread(target=_serve, args=(door.accept()[0], code), daemon=True).start()


def _serve(link: socket.socket, code: str) -> None:
    with link:
        message, streams, _, _ = socket.recv_fds(link, _MESSAGE, _STREAMS)
        arguments, env, folder = marshal.loads(message)  # noqa: S302 -- of our own program
        pid, status = _forked(code, arguments, streams, env, Path(folder))
        for descriptor in streams:
            os.close(descriptor)
        with Path(os.devnull).open("rb") as nothing:
            link.send(str(Forked(pid, status, nothing).wait()).encode())


def _forked(
    code: str, arguments: Sequence[str], streams: Sequence[int], env: Mapping[str, str],
    cwd: Path,
) -> tuple[int, int]:  # fmt: skip
    """The number of a new process, and a descriptor that will tell its exit code."""
    ended, telling = os.pipe()
    link, lock = _parent()
    order = json.dumps([code, list(arguments), dict(env), str(cwd)]).encode()
    with lock:
        socket.send_fds(link, [order], [*streams, telling])
        pid = int(link.recv(20))
    os.close(telling)
    return pid, ended


@functools.cache
def _parent() -> tuple[socket.socket, threading.Lock]:
    """The way to the process that forks; it ends with this one."""
    link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()]
        )
    atexit.register(process.wait)
    atexit.register(link.close)
    return link, threading.Lock()


# ---- the program


def _forks(link: socket.socket) -> str:
    """Fork whenever asked; the code to run, in each process that this makes."""
    awake, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes)
    telling: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([link, awake], [], [])
        if awake in ready:
            os.read(awake, 1 << 10)
            _tell_ends(telling)
        if link not in ready:
            continue
        message, given, _, _ = socket.recv_fds(link, _MESSAGE, _STREAMS + 1)
        if not message:
            sys.exit()
        *streams, status = given
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            link.close()
            for descriptor in (awake, wakes, status, *telling.values()):
                os.close(descriptor)
            return _take_up(message, streams)
        telling[pid] = status
        for descriptor in streams:
            os.close(descriptor)
        link.send(str(pid).encode())


def _tell_ends(telling: dict[int, int]) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            # Who asked may be gone.
            with contextlib.suppress(BrokenPipeError):
                os.write(telling[pid], str(os.waitstatus_to_exitcode(status)).encode())
            os.close(telling.pop(pid))


def _take_up(message: bytes, streams: Sequence[int]) -> str:
    """Become the process that was ordered; the code that it runs."""
    code, arguments, env, folder = json.loads(message)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["-c", *arguments]
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, "utf-8", "backslashreplace", closefd=False)
    return str(code)


if __name__ == "__main__":
    del sys.path[0]  # of this folder, which the product does not know
    for name in _LOADED:
        importlib.import_module(name)
    gc.freeze()  # or the first collection of each process would copy all of it
    exec(_forks(socket.socket(fileno=int(sys.argv[1]))), {"__name__": "__main__"})  # noqa: S102
