"""Answers kept in memory: files of a release that are asked for again, sent without the disk.

A release never changes, so what was sent once may be sent again as long as it is the current one.
Only plain requests are answered here; ranges and dates go the long way.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from bilbaokg.server.validators import is_among

__all__ = ["Kept", "Quick"]

Headers = list[tuple[bytes, bytes]]
_ASKED: Final = 4096
"""How many ways of asking are remembered."""
_LARGEST: Final = 16 << 20
_LIMIT: Final = 128 << 20
_VALIDATING: Final = frozenset({b"etag", b"last-modified", b"cache-control", b"vary"})


class Answer(NamedTuple):
    """A whole answer, and what of it is sent to a client that has it."""

    headers: Headers
    short: Headers
    etag: bytes
    body: bytes


class Asked(NamedTuple):
    """What of a request decides the answer."""

    path: str
    query: bytes
    encoding: bytes


class Kept:
    """Answers made of the files of one release; those not used for longest go first."""

    def __init__(self, current: Path, limit: int = _LIMIT) -> None:
        """`current` is the link to the published release, `limit` in bytes of bodies."""
        self.current, self.limit = str(current), limit
        self._release = ""
        self._asked: dict[Asked, str] = {}
        self._files: OrderedDict[str, Answer] = OrderedDict()
        self._size = 0

    def find(self, asked: Asked) -> Answer | None:
        """The answer, if it is kept and of the current release."""
        self._look()
        file = self._asked.get(asked)
        if file is None or file not in self._files:
            return None
        self._files.move_to_end(file)
        return self._files[file]

    async def keep(self, asked: Asked, response: FileResponse) -> None:
        """Keep the answer that a response would send."""
        release, file = self._release, str(response.path)
        if file not in self._files:
            body = await run_in_threadpool(_read, file)
            if body is None or release != self._release:
                return
            self._files[file] = _answer(response, body)
            self._size += len(body)
            while self._size > self.limit:
                _, gone = self._files.popitem(last=False)
                self._size -= len(gone.body)
        if len(self._asked) >= _ASKED:
            self._asked.clear()
        self._asked[asked] = file

    def _look(self) -> None:
        """Begin anew when another release was published."""
        try:
            release = os.readlink(self.current)  # noqa: PTH115 -- Path costs more than the rest
        except OSError:
            release = ""
        if release != self._release:
            self._release, self._size = release, 0
            self._asked.clear()
            self._files.clear()


def _read(file: str) -> bytes | None:
    path = Path(file)
    try:
        return path.read_bytes() if path.stat().st_size <= _LARGEST else None
    except OSError:
        return None


def _answer(response: FileResponse, body: bytes) -> Answer:
    headers = [*response.raw_headers, (b"content-length", str(len(body)).encode())]
    short = [(name, value) for name, value in headers if name in _VALIDATING]
    return Answer(headers, short, dict(headers)[b"etag"], body)


class Quick:
    """An endpoint that answers from memory where it can, else from a handler of its own."""

    def __init__(self, kept: Kept, handler: Callable[[Request], Response]) -> None:
        self.kept, self.handler = kept, handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked, tags = _asked(scope)
        answer = (self.kept.find(asked) or await self._first(scope, asked)) if asked else None
        if isinstance(answer, Answer):
            known = tags is not None and is_among(answer.etag.decode(), tags.decode("latin-1"))
            await _send(answer, known=known, send=send)
            return
        if answer is None or tags is not None:
            answer = await run_in_threadpool(self.handler, Request(scope, receive))
        await answer(scope, receive, send)

    async def _first(self, scope: Scope, asked: Asked) -> Answer | Response:
        """The answer to a client that has nothing yet; kept, where it can be."""
        headers = [pair for pair in scope["headers"] if pair[0] != b"if-none-match"]
        response = await run_in_threadpool(self.handler, Request({**scope, "headers": headers}))
        if isinstance(response, FileResponse):
            await self.kept.keep(asked, response)
        return self.kept.find(asked) or response


def _asked(scope: Scope) -> tuple[Asked | None, bytes | None]:
    """What is asked for, and If-None-Match; None for what is answered the long way."""
    encoding, tags = b"", None
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            encoding = value
        elif name == b"if-none-match":
            tags = value
        elif name == b"range" or name == b"if-modified-since":
            return None, None
    return Asked(scope["path"], scope["query_string"], encoding), tags


async def _send(answer: Answer, *, known: bool, send: Send) -> None:
    # A copy: those around us add headers of their own.
    headers = list(answer.short if known else answer.headers)
    status, body = (304, b"") if known else (200, answer.body)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
