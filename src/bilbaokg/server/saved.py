"""Saved queries as an API: `/api/queries`, and each at `/api/queries/{name}` with its parameters.

The answer is that of the SPARQL endpoint to the query with its parameters in place: in every format
that the endpoint has, whole or in pages; people are shown it on the SPARQL page.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from bilbaokg import queries
from bilbaokg.errors import BadInput, BilbaokgError
from bilbaokg.model import Query
from bilbaokg.server import negotiate
from bilbaokg.server.answering import Asked, fields, formats, release_store, respond
from bilbaokg.server.context import Context
from bilbaokg.server.openapi import parameter, problems
from bilbaokg.store.evaluate import GRAPHS, RESULTS

__all__ = ["known", "paths", "routes"]

log = logging.getLogger(__name__)

_ADDRESS: Final = "/api/queries"
_PAGE_SIZE: Final = 100
_LARGEST_PAGE: Final = 10_000
_LARGEST_NUMBER: Final = 1_000_000
_MOST_PARAMETERS: Final = 100
_VARY: Final = {"Vary": "Accept, Accept-Encoding, Accept-Language"}
# JSON Schema of each type of queries.TYPES.
_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "iri": {"type": "string", "format": "iri"},
    "string": {"type": "string"},
    "lang": {"type": "string", "pattern": "^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$"},
    "integer": {"type": "integer"},
    "date": {"type": "string", "format": "date"},
    "boolean": {"type": "boolean"},
}


def routes(context: Context) -> list[BaseRoute]:
    """The list of saved queries, and each of them."""
    endpoint = _Endpoint(context)
    listing = _Listing(context)
    return [
        Route(_ADDRESS, listing, methods=["GET", "HEAD"], name="queries"),
        Route(f"{_ADDRESS}/{{name}}", endpoint, methods=["GET", "HEAD"], name="query"),
    ]


def known(context: Context) -> dict[str, Query]:
    """The saved queries; a city's file that is none is told in the log, and costs only itself."""
    return queries.saved(context.data / queries.OWN, _tell)


def _tell(fault: BilbaokgError) -> None:
    log.warning("a query is left out: %s", fault)


class _Listing:
    """What there is to ask."""

    def __init__(self, context: Context) -> None:
        self.context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        held = await anyio.to_thread.run_sync(known, self.context)
        found = [_summary(query, scope.get("root_path", "")) for query in held.values()]
        answer = JSONResponse({"queries": found}, headers={"Cache-Control": "no-cache"})
        await answer(scope, receive, send)


def _summary(query: Query, root: str) -> dict[str, Any]:
    head = queries.header(query.text)
    params = [
        {"name": name, "type": spec.type, "optional": spec.optional, "default": spec.default}
        for name, spec in head.params.items()
    ]
    return {
        "name": query.name,
        "title": query.title,
        "description": head.description,
        "kind": query.kind,
        "params": params,
        "href": f"{root}{_ADDRESS}/{quote(query.name)}",
    }


class _Endpoint:
    """One saved query over the current release."""

    def __init__(self, context: Context) -> None:
        self.context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        query = await anyio.to_thread.run_sync(
            queries.find, request.path_params["name"], self.context.data / queries.OWN, _tell
        )
        given = _given(scope["query_string"])
        number, size = _page(given)
        wanted = given.pop("format", "")
        language = negotiate.language(request.headers.get("accept-language"))
        text = queries.bound(query, language, given)
        accept = request.headers.get("accept")
        if not wanted and negotiate.accepts_html(accept):
            await _shown(scope, text, language)(scope, receive, send)
            return
        results, graph = formats({"format": [wanted]}, accept)
        page = (number, size) if number else None
        gzip = negotiate.accepts_gzip(request.headers.get("accept-encoding"))
        asked = Asked(text.encode(), results, graph, gzip=gzip, page=page)
        store, release = release_store(self.context)

        def links(told: Mapping[str, Any]) -> Mapping[str, str]:
            return _links(scope, number, size, more=told.get("more", False)) if number else {}

        await respond(
            self.context, asked, store, asked.validator(release), scope, receive, send,
            headers={"Vary": "Accept-Language"}, further=links,
        )  # fmt: skip


def _given(query_string: bytes) -> dict[str, str]:
    """The parameters of the address, each once. Raises BadInput."""
    found: dict[str, str] = {}
    for name, values in fields(query_string, _MOST_PARAMETERS).items():
        if len(values) > 1:
            shown = name[:50].encode(errors="replace").decode()
            raise BadInput(f"the parameter {shown!r} is given twice", hint="give it once")
        found[name] = values[0]
    return found


def _page(given: dict[str, str]) -> tuple[int, int]:
    """Number and size of the page that is asked for, taken out; number 0 for all rows."""
    size = _whole(given.pop("page_size", None), "page_size", _PAGE_SIZE, _LARGEST_PAGE)
    return _whole(given.pop("page", None), "page", 0, _LARGEST_NUMBER), size


def _whole(text: str | None, name: str, default: int, most: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 0 < int(text) <= most):
        raise BadInput(f"{name} is no number from 1 to {most:,}")
    return int(text)


def _shown(scope: Scope, text: str, language: str) -> Response:
    """The way to the SPARQL page, where the query is in the form and its answer below."""
    address = f"/{language}/sparql?{urlencode({'query': queries.body(text), 'run': 1})}"
    return RedirectResponse(f"{scope.get('root_path', '')}{address}", 303, _VARY)


def _links(scope: Scope, number: int, size: int, *, more: bool) -> Mapping[str, str]:
    """Where the pages before and after are (RFC 8288)."""
    kept = [
        (name, value)
        for name, value in parse_qsl(scope["query_string"].decode("latin-1"))
        if name not in ("page", "page_size")
    ]
    place = f"{scope.get('root_path', '')}{_ADDRESS}/{quote(scope['path_params']['name'])}"

    def link(other: int, relation: str) -> str:
        found = urlencode([*kept, ("page", other), ("page_size", size)])
        return f'<{place}?{found}>; rel="{relation}"'

    found = [link(1, "first")]
    found += [link(number - 1, "prev")] if number > 1 else []
    found += [link(number + 1, "next")] if more else []
    return {"Link": ", ".join(found)}


# ---- the OpenAPI document


def paths(context: Context) -> dict[str, Any]:
    """Their part of the OpenAPI document: a path for each query, with its typed parameters."""
    listing = {
        "summary": "The saved queries",
        "description": "Each with its title, its parameters and its address.",
        "responses": {"200": {"description": "the list", "content": {"application/json": {}}}},
    }
    found: dict[str, Any] = {_ADDRESS: {"get": {"tags": ["queries"], **listing}}}
    for query in known(context).values():
        found[f"{_ADDRESS}/{query.name}"] = {"get": _operation(query)}
    return found


def _operation(query: Query) -> dict[str, Any]:
    head = queries.header(query.text)
    offered = GRAPHS if query.kind in ("construct", "describe") else RESULTS
    types = [media_type.partition(";")[0] for media_type in offered.values()]
    parameters = [
        parameter(
            name, _SCHEMAS[spec.type], _typed(spec.type, spec.default), required=_is_required(spec)
        )
        for name, spec in head.params.items()
    ]
    parameters.append(parameter("format", {"type": "string", "enum": list(offered)}))
    if query.kind == "select":
        for name, default, most in (
            ("page", None, _LARGEST_NUMBER),
            ("page_size", _PAGE_SIZE, _LARGEST_PAGE),
        ):
            schema = {"type": "integer", "minimum": 1, "maximum": most}
            parameters.append(parameter(name, schema, default))
    return {
        "tags": ["queries"],
        "operationId": f"query_{query.name.replace('-', '_')}",
        "summary": query.title.get("en") or next(iter(query.title.values())),
        "description": head.description.get("en", ""),
        "parameters": parameters,
        "responses": {
            "200": {"description": "the answer", "content": {name: {} for name in types}},
            "303": {"description": "people are led to the SPARQL page"},
            "304": {"description": "the client has it already"},
            **problems(400, 406, 429, 503),
        },
    }


def _is_required(spec: queries.Param) -> bool:
    return not spec.optional and spec.default is None


def _typed(type: str, text: str | None) -> Any:
    """A default as JSON has it."""
    if text is None or type not in ("integer", "boolean"):
        return text
    return int(text) if type == "integer" else text == "true"
