"""Answers sent again as they were: the same request to the same release gets the same bytes.

A release never changes, and a GET is all of its head. So where an answer is made of the release
alone (its part of the application says so by `stamp`), the bytes of a request are enough to find
it, before anybody reads what they mean. Only date and request id are new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from bilbaokg.model import Release
from bilbaokg.server.envelope import identity
from bilbaokg.server.kept import Kept

__all__ = ["Cork", "Repeatable", "Replays", "is_plain", "stamp", "whole_request"]

_MOST_REQUEST: Final = 8 << 10
_MOST_HELD: Final = 8 << 20
_BLANK: Final = b"\r\n\r\n"
# The first lines of answers that may be kept.
_KEPT: Final = frozenset({b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 304 Not Modified\r\n"})
# What makes a request one of its own, or one that is more than its head.
_SINGULAR: Final = frozenset({
    b"authorization", b"cookie", b"content-length", b"transfer-encoding", b"expect", b"upgrade",
})  # fmt: skip


def stamp(scope: Any, release: Release | None) -> None:
    """Say that the answer is made of a release alone, or of there being none yet."""
    scope["bilbaokg.release"] = release.id if release else ""


class Repeatable(NamedTuple):
    """An answer without its date and request id, which are new each time; and what it counts as."""

    status: bytes
    before: bytes
    after: bytes
    body: bytes
    counted: tuple[str, int]

    def pieces(self, date: bytes, request_id: str) -> list[bytes]:
        """Head and body as they are sent."""
        identity = request_id.encode()
        head = b"%bdate: %b\r\n%b%b%b" % (self.status, date, self.before, identity, self.after)
        return [head, self.body]

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.before) + len(self.after) + len(self.body)


class Replays:
    """The answers of one release, by request, up to `limit` bytes.

    current: the id of the release, "" before the first. counted: told of each answer that is sent
    again, by what it counts as.
    """

    def __init__(
        self, current: Callable[[], str], limit: int, counted: Callable[[tuple[str, int]], None]
    ) -> None:
        self.open = True
        self.hits = 0
        self._current, self._counted, self._release = current, counted, ""
        self._answers = Kept[bytes, Repeatable](limit)

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return self._answers.size

    def find(self, request: bytes, date: bytes) -> list[bytes] | None:
        """The answer to a request, in pieces."""
        found = self._answers.get(request)
        if found is None or not self.open or self._is_over():
            return None
        self.hits += 1
        self._counted(found.counted)
        return found.pieces(date, identity())

    def keep(self, request: bytes, scope: Any, answer: Sequence[bytes]) -> None:
        """Keep an answer (head and body as they are sent), if it is to be sent again."""
        release = scope.get("bilbaokg.release")
        if release is None or not answer or not is_plain(scope):
            return
        request_id = scope.get("bilbaokg.request_id", "").encode()
        head, end, body = b"".join(answer[:1]).partition(_BLANK)
        before, found, after = (head + end).partition(request_id)
        first, _, before = before.partition(b"date: ")
        if not (found and before and first in _KEPT):
            return
        whole = answer[1] if len(answer) == 2 and not body else b"".join([body, *answer[1:]])
        counted = scope.get("bilbaokg.action", "none"), int(first[9:12])
        kept = Repeatable(first, before.partition(b"\r\n")[2], after, whole, counted)
        self.put(request, release, kept)

    def put(self, request: bytes, release: str, answer: Repeatable) -> None:
        """Keep an answer that is made of a release alone (its id, "" before the first)."""
        self._is_over()
        if release == self._release:
            self._answers.put(request, answer, len(request) + answer.size)

    def _is_over(self) -> bool:
        """Whether another release was published; then all that is kept goes."""
        release = self._current()
        if release == self._release:
            return False
        self._release = release
        self._answers.clear()
        return True


def whole_request(data: bytes) -> bytes | None:
    """What came, if it is the head of one GET of HTTP/1.1 and nothing else."""
    line_end = data.find(b"\r\n")
    is_whole = len(data) <= _MOST_REQUEST and data.find(_BLANK) == len(data) - len(_BLANK)
    is_get = data.startswith(b"GET /") and data.startswith(b" HTTP/1.1", line_end - 9)
    return data if is_whole and is_get else None


def is_plain(scope: Any) -> bool:
    """Whether a request is its head alone, and nobody's in particular."""
    return not any(
        name in _SINGULAR or (name == b"connection" and value.lower() != b"keep-alive")
        for name, value in scope["headers"]
    )


class Cork:
    """A transport that sends what is written in one turn of the loop in one go.

    Head and body of an answer are written apart; each write would wake the client. closing: called
    when it closes, which lasts until the client has taken what was written.
    """

    def __init__(self, transport: asyncio.Transport, closing: Callable[[], None]) -> None:
        self._transport, self._closing = transport, closing
        self._loop = asyncio.get_running_loop()
        self._held: list[bytes] = []
        self._size = 0
        self._begun = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Hold back until the turn ends, or it is much."""
        if not self._held:
            self._loop.call_soon(self.flush)
        self._held.append(bytes(data))
        self._size += len(data)
        if self._size > _MOST_HELD:
            self.flush()

    def writelines(self, pieces: Sequence[bytes]) -> None:
        """Write several."""
        for piece in pieces:
            self.write(piece)

    def send(self, pieces: Sequence[bytes]) -> None:
        """Write a whole answer; at once, where nothing is held."""
        if self._held:
            self.writelines(pieces)
        else:
            self._transport.writelines(pieces)

    def begin(self) -> None:
        """An answer begins."""
        self._begun = len(self._held)

    @property
    def answer(self) -> Sequence[bytes]:
        """What was written since; empty when some of it is gone."""
        return self._held[self._begun :] if self._begun >= 0 else ()

    def flush(self) -> None:
        """Send now."""
        if not self._held:
            return
        held, self._held, self._size, self._begun = self._held, [], 0, -1
        if not self._transport.is_closing():
            self._transport.writelines(held)

    def close(self) -> None:
        """Send what is held, then close."""
        self.flush()
        self._transport.close()
        self._closing()

    def write_eof(self) -> None:
        """Send what is held, then end."""
        self.flush()
        self._transport.write_eof()
