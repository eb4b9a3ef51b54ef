"""A query and its answer over HTTP: formats, validators, and the bytes as they come.

The first 64 KiB are held back: until they are sent, a deadline or a failure is a proper answer;
afterwards the connection is cut without its final chunk, so that nobody takes a part for the whole.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bilbaokg.errors import BadInput, BilbaokgError, NotAcceptable
from bilbaokg.model import Release
from bilbaokg.server import auth, evaluation, negotiate
from bilbaokg.server.context import Context
from bilbaokg.server.evaluation import Answer, Stopped
from bilbaokg.server.usage import Asking
from bilbaokg.store.evaluate import GRAPHS, RESULTS

__all__ = ["GRAPH_OFFERS", "Asked", "fields", "formats", "release_store", "respond"]

log = logging.getLogger(__name__)

_HELD_BACK: Final = 64 << 10
_VARY: Final = "Accept, Accept-Encoding"
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
# What clients write in `format=` -> format name.
_RESULT_NAMES: Final = {name: name for name in RESULTS}
_GRAPH_NAMES: Final = {name: name for name in GRAPHS} | {
    "json": "jsonld", "json-ld": "jsonld", "n3": "ttl", "ntriples": "nt", "rdf+xml": "rdf",
    "turtle": "ttl", "xml": "rdf",
}  # fmt: skip
# Functions that give another answer each time (SPARQL 1.1, section 17): no validator for these.
_CHANGING: Final = re.compile(r"\b(?:RAND|NOW|UUID|STRUUID|BNODE)\s*\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """One query request, read: the text, the formats to answer in, the protocol's dataset.

    page: its number, from 1, and how many rows a page has; None for all rows.
    """

    text: bytes
    results: str | None
    graph: str | None
    default: list[str] | None = None
    named: list[str] | None = None
    page: tuple[int, int] | None = None

    def params(self, context: Context, store: str | None) -> dict[str, Any]:
        """What the worker needs."""
        return {
            "store": store, "default": self.default, "named": self.named,
            "results": self.results, "graph": self.graph, "base": context.url("/sparql"),
            "limit": context.settings.query_bytes, "page": self.page,
        }  # fmt: skip

    def validator(self, release: Release | None) -> str | None:
        """The ETag of the answer: release, query, dataset and formats; None where it may change."""
        if _CHANGING.search(self.text.decode("utf-8", "replace")):
            return None
        parts = [release.id if release else "", release.sha256 if release else "", self.results,
                 self.graph, self.default, self.named, self.page]  # fmt: skip
        digest = hashlib.sha256(repr(parts).encode() + b"\0" + self.text).hexdigest()
        return f'"{digest[:32]}"'


def release_store(context: Context) -> tuple[str | None, Release | None]:
    """The store of the current release, and the release; None before the first."""
    release = context.current()
    return (str(release.path / "store"), release) if release else (None, None)


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
    kept = {"Vary": _VARY, "Cache-Control": "no-cache" if etag else "no-store", **(headers or {})}
    if etag:
        kept["ETag"] = etag
    if scope["method"] != "POST" and etag and _matches(Headers(scope=scope), etag):
        await Response(status_code=304, headers=kept)(scope, receive, send)
        return
    with context.usage.query(scope, asked.text) as asking:
        async with evaluation.work(
            context.lanes, context.pool, asked.params(context, store), asked.text,
            _seconds(context, scope), asking.begin,
        ) as answer:  # fmt: skip
            is_head = scope["method"] == "HEAD"
            await _Transfer(answer, asking, kept, further, is_head, receive, send).run()


def _seconds(context: Context, scope: Scope) -> float:
    known = scope.get("bilbaokg.actor", auth.ANONYMOUS) != auth.ANONYMOUS
    return context.settings.query_seconds_token if known else context.settings.query_seconds


def fields(text: bytes, most: int = 1000) -> dict[str, list[str]]:
    """The values of each field of a query string or form, in their order. Raises BadInput."""
    found: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(
            text.decode("latin-1"), keep_blank_values=True, errors="surrogateescape",
            max_num_fields=most,
        )  # fmt: skip
    except ValueError:
        raise BadInput(f"more than {most:,} parameters") from None
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def formats(
    parameters: Mapping[str, list[str]], accept: str | None
) -> tuple[str | None, str | None]:
    """The formats for rows and for graphs: what `format=` names, else what Accept likes best.

    `format` is no part of the protocol, but clients send it in many spellings: unknown ones are
    left to Accept.
    """
    name = parameters.get("format", [""])[0].lower()
    results = negotiate.best(accept, list(_RESULT_OFFERS))
    graph = negotiate.best(accept, list(GRAPH_OFFERS))
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


def _matches(headers: Headers, etag: str) -> bool:
    """If-None-Match (RFC 9110, section 13.1.2), weak comparison."""
    given = headers.get("if-none-match", "")
    return given.strip() == "*" or etag in (t.strip().removeprefix("W/") for t in given.split(","))


# ---- sending the answer


class _Transfer:
    """Sends an answer piece by piece, and notices when the client goes away."""

    def __init__(
        self,
        answer: Answer,
        asking: Asking,
        headers: Mapping[str, str],
        further: Callable[[Mapping[str, Any]], Mapping[str, str]],
        head: bool,
        receive: Receive,
        send: Send,
    ) -> None:
        self.answer, self.asking = answer, asking
        self.headers, self.further, self.head = headers, further, head
        self.receive, self.send = receive, send

    async def run(self) -> None:
        watch = asyncio.ensure_future(self._watch())
        try:
            first = await self.answer.piece(_HELD_BACK)
            if self.head and not self.answer.done:
                await self._start(None)
                await self._body(b"", last=True)
            elif self.answer.done:
                await self._start(len(first))
                await self._body(b"" if self.head else first, last=True)
            else:
                await self._stream(first)
        except Stopped as stopped:
            self.asking.cut = stopped
            log.info("the client went away; its query was stopped")
        finally:
            watch.cancel()

    async def _stream(self, piece: bytes) -> None:
        await self._start(None)
        try:
            while True:
                await self._body(piece, last=self.answer.done)
                if self.answer.done:
                    return
                piece = await self.answer.piece(_HELD_BACK)
        except BilbaokgError as error:
            # No final chunk: the server closes the connection, and the client sees a cut answer.
            self.asking.cut = error
            log.warning("answer cut: %s", error)
            self.answer.done = True

    async def _watch(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self.answer.stop(Stopped())

    async def _start(self, length: int | None) -> None:
        told = self.answer.header
        headers = {"Content-Type": told["media_type"], **self.headers, **self.further(told)}
        if length is not None:
            headers["Content-Length"] = str(length)
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": 200, "headers": raw})

    async def _body(self, content: bytes, *, last: bool) -> None:
        self.asking.bytes += len(content)
        await self.send({"type": "http.response.body", "body": content, "more_body": not last})
