"""The shortest way of a small query: from the connection to a worker and back.

What a GET means beside its query stands in its other bytes. Once the application has answered one,
another one of the same client that differs in its query alone needs none of it: the query goes to a
worker, and what comes back whole and soon is sent. All else (an error, a long answer, a long wait,
a client that sends more meanwhile) goes to the application with what was begun: it goes on with
that instead of beginning anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

from bilbaokg.model import Release
from bilbaokg.server.answering import (
    HELD_BACK,
    KEEPS,
    Asked,
    Begun,
    release_store,
    unquoted,
    validator,
)
from bilbaokg.server.context import Context
from bilbaokg.server.draining import Drain
from bilbaokg.server.envelope import HEADERS, IDENTITY, SHARED, identity, raw
from bilbaokg.server.evaluation import Stopped
from bilbaokg.server.kept import Given, Kept
from bilbaokg.server.replays import Repeatable, is_plain
from bilbaokg.server.usage import Asking

__all__ = ["Express", "learn"]

_BEFORE: Final = b"?query="
_AFTER: Final = b" HTTP/1.1\r\n"
# A query without another parameter or a fragment, in the characters of a URI (RFC 3986).
_QUERY: Final = re.compile(rb"[!$%'-;=?-Z_a-z~]+")
_OK: Final = b"HTTP/1.1 200 OK\r\n"
_COUNTED: Final = ("sparql.query", 200)
_WAYS_BYTES: Final = 4 << 20
_BEFORE_ID: Final = raw(HEADERS) + IDENTITY + b": "
_AFTER_ID: Final = b"\r\n" + raw(SHARED) + b"\r\n"


@dataclass(slots=True)
class _Way:
    """What queries with the same bytes around them have in common; `job` and `tag` of a release."""

    like: Asked
    client: str
    store: str | None = None
    release: Release | None = None
    job: bytes = b""
    tag: bytes = b""


def learn(scope: Any, asked: Asked) -> None:
    """Say that what a request means beside its query stands in its other bytes."""
    if scope["method"] == "GET" and is_plain(scope) and not _is_conditional(scope):
        scope["bilbaokg.asked"] = asked


def _is_conditional(scope: Any) -> bool:
    return any(name == b"if-none-match" for name, _ in scope["headers"])


class Express:
    """The short way over the current release. drain: told of each query on it.

    replays: answers that were sent before, for requests that are the same to the last byte.
    """

    def __init__(self, context: Context, drain: Drain) -> None:
        self._context, self._drain = context, drain
        self.replays = context.replays
        self._ways = Kept[tuple[str, bytes, bytes], _Way](_WAYS_BYTES)

    def keep(self, peer: str, request: bytes, scope: Any) -> None:
        """Remember how the application answered a request. peer: the address it came from."""
        asked: Asked | None = scope.get("bilbaokg.asked")
        if asked and (found := _split(request)):
            before, _, after = found
            way = _Way(asked, self._context.usage.clients.of(scope))
            self._ways.put((peer, before, after), way, len(before) + len(after))

    def begin(
        self, peer: str, request: bytes, told: Callable[[], None], on_wait: Callable[[], None]
    ) -> Begun | Repeatable | None:
        """Begin a query, or give its answer if it is there; None: the application must look at it.

        told: called when something of the answer has come. on_wait: when it lets wait for long.
        """
        found = _split(request)
        way = self._ways.get((peer, found[0], found[2])) if found else None
        if found is None or way is None or self._drain.begun:
            return None
        text = unquoted(found[1])
        self._prepare(way)
        etag = validator(text, way.tag)
        if etag is None or not _is_utf8(text) or not self._context.usage.admits(way.client):
            return None
        if given := self._context.kept.get(etag):
            answer = _repeatable(given, etag)
            self.replays.put(request, way.release.id if way.release else "", answer)
            return answer
        return self._begin(way, text, etag, told, on_wait)

    def _prepare(self, way: _Way) -> None:
        """Make a way one of the current release."""
        store, release = release_store(self._context)
        if way.release is not release or not way.job:
            way.store, way.release = store, release
            way.job = way.like.job(self._context, store)
            way.tag = way.like.tag(release)

    def _begin(
        self, way: _Way, text: bytes, etag: str, told: Callable[[], None],
        on_wait: Callable[[], None],
    ) -> Begun:  # fmt: skip
        context = self._context
        asking = Asking(context.usage, way.client, "sparql", identity(), text)
        seconds = context.settings.query_seconds
        answer = context.lanes.begin(way.job, text, seconds, way.client, asking.begin)
        answer.told, answer.on_wait = told, on_wait
        self._drain.enter()
        return Begun(answer, asking, (way.store, way.release), etag)

    @staticmethod
    def is_usual(begun: Begun) -> bool:
        """Whether what has come is no error, and not too much to be held back."""
        return not begun.answer.failed and begun.answer.size <= HELD_BACK

    def whole(self, begun: Begun) -> Repeatable:
        """The answer of a query that has ended."""
        answer, asking, context = begun.answer, begun.asking, self._context
        given = Given(answer.header, answer.take())
        with asking:
            asking.bytes = len(given.body)
        self._drain.leave()
        context.usage.short += 1
        context.kept.put(begun.etag, given, len(given.body))
        return _repeatable(given, begun.etag)

    def count(self, answer: Repeatable) -> None:
        """One more is sent."""
        self._context.usage.repeated(answer.counted)

    def hand_over(self, begun: Begun) -> None:
        """The application goes on with it."""
        begun.answer.told = begun.answer.on_wait = None
        self._drain.leave()

    def leave(self, begun: Begun) -> None:
        """Its client went away: what is almost done may end, as no new worker is needed then."""
        begun.answer.told = partial(self._look_after, begun)
        begun.answer.on_wait = partial(self._cut, begun)

    def _look_after(self, begun: Begun) -> None:
        if begun.answer.ended or not self.is_usual(begun):
            self._cut(begun)

    def _cut(self, begun: Begun) -> None:
        self.hand_over(begun)
        self.stop(begun)

    def stop(self, begun: Begun) -> None:
        """The application was to go on with it, and did not."""
        self._context.lanes.end(begun.answer)
        begun.asking.cut = Stopped()
        with begun.asking:
            pass


def _split(request: bytes) -> tuple[bytes, bytes, bytes] | None:
    """A request up to its query, the query as it is written, and what follows; None without one."""
    start = request.find(_BEFORE) + len(_BEFORE)
    end = request.find(_AFTER)
    if not len(_BEFORE) <= start < end or not _QUERY.fullmatch(request, start, end):
        return None
    return request[:start], request[start:end], request[end:]


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _repeatable(given: Given, etag: str) -> Repeatable:
    """An answer with the headers that the application would give it, in their order."""
    told = given.header
    before, after = _around_etag(told["media_type"], told.get("encoding"))
    head = b"%b%b%b%d\r\n%b" % (before, etag.encode(), after, len(given.body), _BEFORE_ID)
    return Repeatable(_OK, head, _AFTER_ID, given.body, _COUNTED)


@lru_cache(100)
def _around_etag(media_type: str, encoding: str | None) -> tuple[bytes, bytes]:
    """The fields before an ETag, and those behind it up to the length of the body."""
    before = raw(((b"content-type", media_type.encode()), *KEEPS)) + b"etag: "
    coded = raw(((b"content-encoding", encoding.encode()),)) if encoding else b""
    return before, b"\r\n" + coded + b"content-length: "
