"""A query and its answer over HTTP: formats, validators, and the bytes as they come.

The first 64 KiB are held back: until they are sent, a deadline or a failure is a proper answer;
afterwards the connection is cut without its final chunk, so that nobody takes a part for the whole.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from starlette.types import Receive, Scope, Send

from bilbaokg.errors import BadInput, BilbaokgError, NotAcceptable
from bilbaokg.model import Release
from bilbaokg.server import auth, evaluation, negotiate
from bilbaokg.server.context import Context
from bilbaokg.server.evaluation import Answer, Stopped
from bilbaokg.server.kept import Given
from bilbaokg.server.usage import Asking
from bilbaokg.server.validators import is_among
from bilbaokg.store.evaluate import GRAPHS, RESULTS

__all__ = [
    "GRAPH_OFFERS", "HELD_BACK", "KEEPS", "Asked", "Begun", "fields", "formats", "release_store",
    "respond", "unquoted", "validator",
]  # fmt: skip

log = logging.getLogger(__name__)

HELD_BACK: Final = 64 << 10
_ESCAPE: Final = b"\\u00"
_VARY: Final = (b"vary", b"Accept, Accept-Encoding")
KEEPS: Final = (_VARY, (b"cache-control", b"no-cache"))
_CHANGES: Final = (_VARY, (b"cache-control", b"no-store"))
# What clients write in Accept -> format name; the first of a name is how we call it.
_RESULT_OFFERS: Final = {
    "application/sparql-results+json": "json",
    "application/sparql-results+xml": "xml",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
}
GRAPH_OFFERS: Final = {
    "text/turtle": "ttl",
    "application/n-triples": "nt",
    "application/rdf+xml": "rdf",
    "application/ld+json": "jsonld",
    "application/x-turtle": "ttl",
    "text/plain": "nt",
    "application/xml": "rdf",
    "text/xml": "rdf",
    "application/json": "jsonld",
}
_RESULT_TYPES: Final = tuple(_RESULT_OFFERS)
_GRAPH_TYPES: Final = tuple(GRAPH_OFFERS)
# What clients write in `format=` -> format name.
_RESULT_NAMES: Final = {name: name for name in RESULTS}
_GRAPH_NAMES: Final = {name: name for name in GRAPHS} | {
    "json": "jsonld", "json-ld": "jsonld", "n3": "ttl", "ntriples": "nt", "rdf+xml": "rdf",
    "turtle": "ttl", "xml": "rdf",
}  # fmt: skip
# Functions that give another answer each time (SPARQL 1.1, section 17): no validator for these.
_CHANGING: Final = re.compile(rb"\b(?:RAND|NOW|UUID|STRUUID|BNODE)\s*\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """One query request, read: the text, the formats to answer in, the protocol's dataset.

    gzip: whether the answer may be compressed. seconds: how long it may take at most, None for as
    long as the client may ask for. page: its number, from 1, and how many rows a page has; None for
    all rows. union: whether the default graph is the union of all graphs.
    """

    text: bytes
    results: str | None
    graph: str | None
    default: list[str] | None = None
    named: list[str] | None = None
    gzip: bool = False
    seconds: float | None = None
    page: tuple[int, int] | None = None
    union: bool = True

    def job(self, context: Context, store: str | None, rows: int | None = None) -> bytes:
        """What the worker is told; rows: the first so many for people, instead of a format."""
        dataset = self.default is not None or self.named is not None
        told = (store, context.url("/sparql"), context.settings.query_bytes,
                self.results, self.graph, self.gzip, self.page, rows, self.union)  # fmt: skip
        if not dataset:
            return _job(*told)
        return _job.__wrapped__(*told, self.default, self.named)

    def tag(self, release: Release | None) -> bytes:
        """What the answer depends on beside the text: release, dataset and formats."""
        parts = (release and (release.id, release.sha256), self.results, self.graph, self.default,
                 self.named, self.gzip, self.page)  # fmt: skip
        return repr(parts).encode()

    def validator(self, release: Release | None) -> str | None:
        """The ETag of the answer; None where it may change."""
        return validator(self.text, self.tag(release))


def validator(text: bytes, tag: bytes) -> str | None:
    """The ETag of an answer; None where it may change. tag: see `Asked.tag`."""
    if b"(" in text and _CHANGING.search(text):
        return None
    return f'"{hashlib.sha256(tag + text).hexdigest()[:32]}"'


@dataclass(slots=True)
class Begun:
    """A query that the workers have. found: the store and the release that it asks."""

    answer: Answer
    asking: Asking
    found: tuple[str | None, Release | None]
    etag: str


@lru_cache(100)
def _job(
    store: str | None, base: str, limit: int, results: str | None, graph: str | None, gzip: bool,
    page: tuple[int, int] | None, rows: int | None, union: bool,
    default: list[str] | None = None, named: list[str] | None = None,
) -> bytes:  # fmt: skip
    """Most queries differ in their text alone."""
    return evaluation.job(
        store=store, base=base, limit=limit, results=results, graph=graph, gzip=gzip, page=page,
        rows=rows, union=union, default=default, named=named,
    )  # fmt: skip


def release_store(context: Context) -> tuple[str | None, Release | None]:
    """The store of the current release, and the release; None before the first."""
    release = context.current()
    return (f"{release.path}/store", release) if release else (None, None)


async def respond(
    context: Context,
    asked: Asked,
    store: str | None,
    etag: str | None,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    headers: Mapping[str, str] | None = None,
    further: Callable[[Mapping[str, Any]], Mapping[str, str]] = lambda _header: {},
) -> None:
    """Evaluate and send, or say that the client has it already.

    headers: beside those about caching. further: headers that depend on the answer's own header
    (see store.evaluate.job). Raises what a worker raises.
    """
    fields = [*_CHANGES, *_raw(headers)] if not etag else [
        *KEEPS, (b"etag", etag.encode()), *_raw(headers),
    ]  # fmt: skip
    if scope["method"] != "POST" and etag and _matches(scope, etag):
        await send({"type": "http.response.start", "status": 304, "headers": fields})
        await send({"type": "http.response.body", "body": b""})
        return
    transfer = _Transfer(fields, further, scope, receive, send)
    if etag and (given := context.kept.get(etag)):
        await transfer.whole(given)
        return
    begun: Begun | None = scope.pop("bilbaokg.begun", None)
    asking = begun.asking if begun else context.usage.query(scope, asked.text)
    with asking:
        answer = begun.answer if begun else context.lanes.begin(
            asked.job(context, store), asked.text, _seconds(context, asked, scope),
            asking.client, asking.begin,
        )  # fmt: skip
        asking.request_id = scope.get("bilbaokg.request_id")
        try:
            given = await transfer.run(answer, asking)
        finally:
            context.lanes.end(answer)
            asking.bytes = transfer.sent
    if etag and given:
        context.kept.put(etag, given, len(given.body))


def _seconds(context: Context, asked: Asked, scope: Scope) -> float:
    """How long it may take: what the client asks for, up to what it may ask for."""
    known = "read" in scope.get("bilbaokg.actor", auth.ANONYMOUS).scopes
    most = context.settings.query_seconds_token if known else context.settings.query_seconds
    return min(asked.seconds or most, most)


def fields(text: bytes, most: int = 1000) -> dict[str, list[str]]:
    """The values of each field of a query string or form, in their order. Raises BadInput.

    Bytes that are no UTF-8 come as surrogates (PEP 383).
    """
    found: dict[str, list[str]] = {}
    pairs = text.split(b"&")
    if len(pairs) > most:
        raise BadInput(f"more than {most:,} parameters")
    for pair in pairs:
        if pair:
            name, _, value = pair.partition(b"=")
            found.setdefault(_decoded(name), []).append(_decoded(value))
    return found


def _decoded(text: bytes) -> str:
    return unquoted(text).decode("utf-8", "surrogateescape")


def unquoted(text: bytes) -> bytes:
    """A value of a form, decoded. The decoder of JSON does it ten times as fast as urllib."""
    if b"%" in text:
        plain = text.replace(b"\\", b"%5C").replace(b'"', b"%22").replace(b"+", b" ")
        try:
            units: str = json.loads(f'"{plain.replace(b"%", _ESCAPE).decode("latin-1")}"')
            return units.encode("latin-1")
        except ValueError:  # not two hexadecimal digits after a %, or control characters
            return unquote_to_bytes(text.replace(b"+", b" "))
    return text.replace(b"+", b" ")


def formats(
    parameters: Mapping[str, list[str]], accept: str | None
) -> tuple[str | None, str | None]:
    """The formats for rows and for graphs: what `format=` names, else what Accept likes best.

    `format` is no part of the protocol, but clients send it in many spellings: unknown ones are
    left to Accept.
    """
    name = parameters.get("format", [""])[0].lower()
    results = negotiate.best(accept, _RESULT_TYPES)
    graph = negotiate.best(accept, _GRAPH_TYPES)
    found = (
        _RESULT_NAMES.get(name) or (_RESULT_OFFERS[results] if results else None),
        _GRAPH_NAMES.get(name) or (GRAPH_OFFERS[graph] if graph else None),
    )
    if found == (None, None):
        available = [*RESULTS.values(), *GRAPHS.values()]
        raise NotAcceptable(
            "none of the accepted types is available", hint="name one of `available`",
            available=[media_type.partition(";")[0] for media_type in available],
        )  # fmt: skip
    return found


def _matches(scope: Scope, etag: str) -> bool:
    """If-None-Match (RFC 9110, section 13.1.2), weak comparison."""
    found = [value for name, value in scope["headers"] if name == b"if-none-match"]
    return bool(found) and is_among(etag, found[0].decode("latin-1"))


def _raw(headers: Mapping[str, str] | None) -> list[tuple[bytes, bytes]]:
    """Headers as they are sent."""
    pairs = headers.items() if headers else ()
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs]


# ---- sending the answer


class _Transfer:
    """Sends an answer, whole or piece by piece, and notices when the client goes away."""

    def __init__(
        self,
        headers: list[tuple[bytes, bytes]],
        further: Callable[[Mapping[str, Any]], Mapping[str, str]],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        self.headers, self.further = headers, further
        self.head = scope["method"] == "HEAD"
        self.sent = 0
        self.receive, self.send = receive, send

    async def whole(self, given: Given) -> None:
        """Send an answer that is there."""
        await self._start(given.header, len(given.body))
        await self._body(b"" if self.head else given.body, last=True)

    async def run(self, answer: Answer, asking: Asking) -> Given | None:
        """Send an answer as it comes; give it back if it was there at once."""
        watches: list[asyncio.Future[None]] = []
        # Most answers come at once: no need to listen for the client meanwhile.
        answer.on_wait = lambda: watches.append(asyncio.ensure_future(self._watch(answer)))
        try:
            first = await answer.piece(HELD_BACK)
            if answer.done:
                given = Given(answer.header, first)
                await self.whole(given)
                return given
            await self._start(answer.header, None)
            await (self._body(b"", last=True) if self.head else self._stream(answer, asking, first))
        except Stopped as stopped:
            asking.cut = stopped
            log.info("the client went away; its query was stopped")
        finally:
            for watch in watches:
                watch.cancel()
        return None

    async def _stream(self, answer: Answer, asking: Asking, piece: bytes) -> None:
        try:
            while True:
                await self._body(piece, last=answer.done)
                if answer.done:
                    return
                piece = await answer.piece(HELD_BACK)
        except BilbaokgError as error:
            # No final chunk: the server closes the connection, and the client sees a cut answer.
            asking.cut = error
            log.warning("answer cut: %s", error)

    async def _watch(self, answer: Answer) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        answer.stop(Stopped())

    async def _start(self, told: Mapping[str, Any], length: int | None) -> None:
        headers = [(b"content-type", told["media_type"].encode()), *self.headers]
        headers += _raw(self.further(told))
        if "encoding" in told:
            headers.append((b"content-encoding", told["encoding"].encode()))
        if length is not None:
            headers.append((b"content-length", b"%d" % length))
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _body(self, content: bytes, *, last: bool) -> None:
        self.sent += len(content)
        await self.send({"type": "http.response.body", "body": content, "more_body": not last})
