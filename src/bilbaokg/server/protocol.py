"""HTTP/1.1 on one connection: how long and how large a request may be, and what is none.

uvicorn reads and writes HTTP; this adds what it leaves open. A client that neither sends nor takes
is not waited for: the head of a request must be there after `seconds`, of its body `_LEAST_BYTES`
in each such time, and what is answered must be taken as fast. Heads have a size limit (RFC 6585,
section 5). Each refusal is a problem document, and ends the connection.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Callable
from math import inf
from typing import Any, Final

from starlette.exceptions import HTTPException
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from bilbaokg.server import errors
from bilbaokg.server.answering import Begun
from bilbaokg.server.envelope import identity, raw
from bilbaokg.server.express import Express
from bilbaokg.server.replays import Cork, Repeatable, whole_request

__all__ = ["Protocol"]

_MOST_TARGET: Final = 64 << 10
_MOST_FIELDS: Final = 100
_MOST_HEAD: Final = 64 << 10
_LEAST_BYTES: Final = 1 << 10
# After a refusal: so that the client reads it before it learns that the connection is gone.
_LINGER_SECONDS: Final = 1.0
_LINGER_BYTES: Final = 4 << 20
_MOST_CONNECTIONS: Final = 10_000
_IDLE, _HEAD, _BODY = "idle", "head", "body"


class _Refused(Exception):
    """Raised inside the parser, to end its reading: a status and what is wrong."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class _Clock:
    """Calls once, unless it is stopped before; starting one that runs changes nothing."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def start(self, seconds: float, call: Callable[[], None]) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._ring, call)

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _ring(self, call: Callable[[], None]) -> None:
        self._timer = None
        call()


class Protocol(HttpToolsProtocol):
    """One connection. seconds: how long to wait for a client that does nothing.

    express: answers requests that are like earlier ones, without the application.
    """

    def __init__(self, *, seconds: float, express: Express | None = None, **given: Any) -> None:
        super().__init__(**given)
        self._seconds, self._express = seconds, express
        self._request: bytes | None = None  # that alone is being answered
        self._begun: Begun | None = None  # on the short way
        self._handed: Begun | None = None  # and from there to the application
        self._dated: tuple[list[tuple[bytes, bytes]], bytes] = [], b""
        self._shortly = 0.0  # when the last request came that the parser did not see
        self._stage = _IDLE
        self._working: RequestResponseCycle | None = None
        self._refused = False
        self._read = 0  # bytes since the clock was set
        self._silent = 0  # bytes since the parser last had something to tell
        self._reading, self._writing = _Clock(), _Clock()

    # ---- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait, or say that there are too many already."""
        super().connection_made(transport)
        self.transport = self._cork = Cork(transport, self._take)  # type: ignore[assignment]
        if len(self.connections) > _room():
            self._refuse(503, "too many connections at once")
        else:
            self._await()

    def data_received(self, data: bytes) -> None:
        """Read on; what follows a refusal is thrown away."""
        self._read += len(data)
        if self._refused:
            if self._read > _LINGER_BYTES:
                self.transport.abort()
            return
        if self._begun:
            self._hand_over()
        elif self._is_free and self._answer(data):
            return
        self._read_on(data)

    def _read_on(self, data: bytes) -> None:
        self._silent += len(data)
        super().data_received(data)
        if self._silent > _MOST_TARGET + _MOST_HEAD:
            what = "trailer" if self._stage == _BODY else "head"
            self._refuse(431, f"the {what} of the request is over {_MOST_HEAD:,} bytes")
        self._await()

    @property
    def _is_free(self) -> bool:
        """Whether all that came was answered, and the client takes what it is sent."""
        cycle = self._current
        answered = cycle is None or cycle.response_complete
        return self._stage == _IDLE and answered and not self.flow.write_paused

    def _answer(self, data: bytes) -> bool:
        """Answer without the application, if this is one request that can be answered so."""
        express = self._express
        if express is None:
            return False
        if answer := express.replays.find(data, self._date):
            self._shortly = self.loop.time()
            self._cork.send(answer)
            return True
        self._request = whole_request(data)
        if not (self._request and self.client):
            return False
        found = express.begin(self.client[0], data, self._look, self._hand_over)
        if found is None:
            return False
        self._shortly = self.loop.time()
        if isinstance(found, Begun):
            self._begun = found
            if found.answer.failed:
                self._hand_over()
        else:
            self._send(express, found, identity())
        return True

    def _send(self, express: Express, answer: Repeatable, request_id: str) -> None:
        express.count(answer)
        self._request = None
        self._cork.send(answer.pieces(self._date, request_id))

    def _look(self) -> None:
        """Something came of the answer to the query that was begun."""
        begun, express = self._begun, self._express
        if not (begun and express and self._request):
            return
        if not express.is_usual(begun):
            self._hand_over()
        elif begun.answer.ended:
            self._begun = None
            self._send(express, express.whole(begun), begun.asking.request_id or "")

    def _hand_over(self) -> None:
        """Let the application go on with the query that was begun."""
        begun, express = self._begun, self._express
        if begun and express and self._request:
            self._begun, self._handed = None, begun
            express.hand_over(begun)
            self._read_on(self._request)

    @property
    def _date(self) -> bytes:
        """What the server's own header says now."""
        fields = self.server_state.default_headers
        if fields is not self._dated[0]:
            self._dated = fields, next(value for name, value in fields if name == b"date")
        return self._dated[1]

    def eof_received(self) -> None:
        """Tell a client that will send no more that this is no whole request."""
        if self._stage != _IDLE and not self._refused:
            self._refuse(400, "the request ends too early")

    def shutdown(self) -> None:
        """Finish what is at work, then close."""
        self._hand_over()
        super().shutdown()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._handed:
            scope: Any = cycle.scope
            scope["bilbaokg.begun"], self._handed = self._handed, None
        super()._start_asgi_task(cycle, app)
        self._working = cycle
        self._cork.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop both clocks, and tell whoever is at work: uvicorn tells the last request alone."""
        if self._begun and self._express:
            self._express.leave(self._begun)
            self._begun = None
        super().connection_lost(exc)
        if self._working is not None:
            self._working.disconnected = True
            self._working.message_event.set()
        self._reading.stop()
        self._writing.stop()

    # ---- the parser's calls

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._stage, self._silent = _HEAD, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of the head; one of the trailer is none (RFC 9110, section 6.5.1)."""
        if self._stage == _HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Look at the head as a whole before anybody acts on it."""
        self._check()
        self._stage, self._read, self._silent = _BODY, 0, 0
        self._reading.stop()
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """A chunk of the body begins, or the trailer."""
        self._silent = 0

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._silent = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole: what comes next is another one."""
        self._stage, self._silent = _IDLE, 0
        super().on_message_complete()

    def _check(self) -> None:
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise _Refused(400, f"HTTP/{version} is not spoken here; HTTP/1.1 is")
        if len(self.url) > _MOST_TARGET:
            raise _Refused(
                414, f"the address is over {_MOST_TARGET:,} bytes; send a long query with POST"
            )
        size = sum(len(name) + len(value) for name, value in self.headers)
        if size > _MOST_HEAD or len(self.headers) > _MOST_FIELDS:
            limits = f"{_MOST_FIELDS} fields and {_MOST_HEAD:,} bytes"
            raise _Refused(431, f"the head of the request is over {limits}")
        codings = [v.lower() for name, v in self.headers if name == b"transfer-encoding"]
        if codings not in ([], [b"chunked"]):
            raise _Refused(400, "the only transfer coding that is read is `chunked`")
        self._check_target()

    def _check_target(self) -> None:
        """A path; `*`; or a whole address, whose host then is the one asked for (RFC 9112, 3.2)."""
        scheme, found, rest = self.url.partition(b"://")
        if self.url.startswith(b"/") or (self.url, self.parser.get_method()) == (b"*", b"OPTIONS"):
            return
        if not found or scheme.lower() not in (b"http", b"https"):
            raise _Refused(400, "the target of the request is no path")
        host = rest
        for mark in (b"/", b"?", b"#"):
            host = host.partition(mark)[0]
        self.url = rest[len(host) :] or b"/"
        if not self.url.startswith(b"/"):
            self.url = b"/" + self.url
        self.headers[:] = [field for field in self.headers if field[0] != b"host"]
        self.headers.append((b"host", host))

    @property
    def _current(self) -> RequestResponseCycle | None:
        """The last request whose head was whole."""
        return self.cycle

    # ---- waiting for the client

    def _await(self) -> None:
        """Set the clock while the client is to send something, stop it while it is to wait."""
        cycle = self._current
        answered = cycle is None or cycle.response_complete
        if self._refused or not (self._stage == _BODY or answered):
            self._reading.stop()
        else:
            self._reading.start(self._seconds, self._late)

    def _late(self) -> None:
        comes = self._stage == _BODY and self._read >= _LEAST_BYTES
        shortly = self._stage == _IDLE and self._since_shortly < self._seconds
        if self.flow.read_paused or comes or shortly:
            self._read = 0
            self._await()
        elif self._stage == _IDLE:
            self.transport.close()
        else:
            what = "head" if self._stage == _HEAD else "body"
            self._refuse(408, f"the {what} of the request did not come in {self._seconds:g} s")

    def on_response_complete(self) -> None:
        """The next request may have begun to come, and the answer must be taken."""
        if self._working:
            self._keep(self._working)
        self._request = None
        super().on_response_complete()
        if self._stage != _IDLE:
            self._await()

    def _keep(self, answered: RequestResponseCycle) -> None:
        """Remember how a request was answered, for those that are like it."""
        scope: Any = answered.scope
        express = self._express
        if express is None:
            return
        if begun := scope.pop("bilbaokg.begun", None):
            express.stop(begun)
        if self._request and answered.keep_alive:
            express.replays.keep(self._request, scope, self._cork.answer)
            if self.client:
                express.keep(self.client[0], self._request, scope)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection."""
        left = self.timeout_keep_alive - self._since_shortly
        if left > 0:
            again = self.loop.call_later(left, self.timeout_keep_alive_handler)
            self.timeout_keep_alive_task = again
            return
        super().timeout_keep_alive_handler()

    @property
    def _since_shortly(self) -> float:
        return self.loop.time() - self._shortly if self._shortly else inf

    def pause_writing(self) -> None:
        """The client takes too slowly: begin to wait."""
        super().pause_writing()
        self._writing.start(self._seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has taken most of it."""
        super().resume_writing()
        self._writing.stop()
        if self.transport.is_closing():
            self._take()

    def _take(self) -> None:
        """A connection that closes still waits for what is not taken yet: not for ever."""
        self._writing.start(self._seconds, self.transport.abort)

    # ---- refusing

    def send_400_response(self, msg: str) -> None:
        """Say why a request is none; called while the parser's error is handled."""
        error = sys.exception()
        cause = error.__context__ if error else None
        if isinstance(cause, _Refused):
            self._refuse(cause.status, cause.detail)
        else:
            self._refuse(400, f"this is no HTTP/1.1: {error or msg}")

    def _refuse(self, status: int, detail: str) -> None:
        """Answer in place of the application, and read no further."""
        cycle = self._current
        if cycle is not None and not cycle.response_complete and self._stage != _BODY:
            # An answer to what was asked before is on its way; the connection ends with it.
            cycle.keep_alive = False
            self.flow.pause_reading()
            return
        self._refused, self._read = True, 0
        self._reading.stop()
        self._unset_keepalive_if_required()
        if self._stage == _BODY and cycle is not None:
            if self.pipeline or cycle.response_started:
                # There is no place for another answer.
                self.transport.close()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.write(self._problem(status, detail))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._writing.start(_LINGER_SECONDS, self.transport.abort)

    def _problem(self, status: int, detail: str) -> bytes:
        error = HTTPException(status, detail)
        body = json.dumps(errors.problem_of(error)).encode()
        fields = [
            *self.server_state.default_headers,
            (b"content-type", b"application/problem+json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"connection", b"close"),
        ]
        fields += [(b"retry-after", b"5")] if status == 503 else []
        return STATUS_LINE[status] + raw(fields) + b"\r\n" + body


def _room() -> int:
    """How many connections leave descriptors enough for files and workers."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_CONNECTIONS if descriptors < 0 else min(descriptors // 2, _MOST_CONNECTIONS)
