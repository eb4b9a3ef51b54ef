"""The control socket: how the command line reaches the process that holds the data directory.

`<data>/control.sock` belongs to the operator alone (0600, in a directory of 0700). It speaks HTTP:
`POST /{operation}` with the parameters as JSON; the answer is a line of JSON for each step of
progress and a last one with `result` or `problem`. What answers is in `operate.py`; this module is
light, because every command asks it first.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bilbaokg.errors import BadInput, Overloaded, from_problem

__all__ = ["NAME", "available", "bind", "call", "remove"]

NAME: Final = "control.sock"
_LONGEST_ADDRESS: Final = 100  # of 108 bytes in sockaddr_un, 104 on some systems
_PING_SECONDS: Final = 1.0


def bind(data: Path) -> socket.socket:
    """A listening socket at `<data>/control.sock`, in place of a stale one.

    The caller holds the lock of the data directory, so whatever is there is stale.
    """
    remove(data)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with _address(data) as address:
            listening.bind(address)
    except OSError as error:
        listening.close()
        raise BadInput(
            f"no control socket can be made: {error.strerror or error}", where=str(data),
            hint="use a directory on a local disk, with a shorter path",
        ) from None  # fmt: skip
    finally:
        os.umask(before)
    listening.listen(16)
    return listening


def remove(data: Path) -> None:
    """Take the socket away."""
    path = data / NAME
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()


@contextlib.contextmanager
def _address(data: Path) -> Iterator[str]:
    """The socket's address; a path that is too long for one goes round through /proc."""
    path = str(data / NAME)
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        yield path
        return
    descriptor = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)


# ---- the command line's side


class _Connection(http.client.HTTPConnection):
    """HTTP over the socket of a data directory."""

    def __init__(self, data: Path, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self.data = data

    def connect(self) -> None:
        """Connect to the socket instead of a port."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with _address(self.data) as address:
            self.sock.connect(address)


def available(data: Path) -> bool:
    """Whether a server answers on the directory's control socket."""
    try:
        connection = _Connection(data, _PING_SECONDS)
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def call(
    data: Path,
    operation: str,
    params: Mapping[str, Any],
    on_progress: Callable[[int, int | None, str], None] = lambda *_: None,
) -> dict[str, Any]:
    """Have the running server do an operation, and return its result.

    Raises what the operation raised, Overloaded when the server is gone or goes away meanwhile.
    """
    connection = _Connection(data, None)
    try:
        connection.request("POST", f"/{operation}", json.dumps(dict(params)))
        for line in connection.getresponse():
            message = json.loads(line)
            if "progress" in message:
                on_progress(*message["progress"])
            elif "problem" in message:
                raise from_problem(message["problem"])
            else:
                result: dict[str, Any] = message["result"]
                return result
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _gone(data) from error
    finally:
        connection.close()
    raise _gone(data)


def _gone(data: Path) -> Overloaded:
    return Overloaded(
        "the server did not finish", where=str(data / NAME),
        hint="see whether it still runs (bilbaokg status), then repeat the command",
    )  # fmt: skip
