"""Errors become HTTP answers here and nowhere else.

`respond` maps an exception to a status by its class, and writes `application/problem+json`
(RFC 9457), or a page for those who ask for HTML. What nobody foresaw is a 500 with a request id
that the log line repeats; no trace ever leaves the process.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bilbaokg import render
from bilbaokg.errors import BilbaokgError
from bilbaokg.server import negotiate

__all__ = ["HANDLERS", "Unexpected", "headers_of", "problem_of", "respond"]

log = logging.getLogger(__name__)

_RETRY_SECONDS: Final = 5


def problem_of(error: Exception, request_id: str | None = None) -> dict[str, Any]:
    """The problem document of any exception."""
    if isinstance(error, BilbaokgError):
        body = error.problem()
    elif isinstance(error, RequestValidationError):
        body = _plain(HTTPStatus.UNPROCESSABLE_ENTITY, _complaints(error))
    elif isinstance(error, HTTPException):
        body = _plain(HTTPStatus(error.status_code), error.detail)
    else:
        text = "an unexpected error; the log holds its cause under the request id"
        body = _plain(HTTPStatus.INTERNAL_SERVER_ERROR, text)
    return body | ({"request_id": request_id} if request_id else {})


def _plain(status: HTTPStatus, detail: str) -> dict[str, Any]:
    title = status.phrase
    slug = title.lower().replace(" ", "-")
    return {
        "type": f"urn:bilbaokg:problem:{slug}",
        "title": title,
        "status": status.value,
        "detail": detail,
    }


def _complaints(error: RequestValidationError) -> str:
    parts = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:10])
    return "; ".join(parts)


def respond(error: Exception, request: Request) -> Response:
    """The answer for an exception: problem document or page, with the headers it needs."""
    problem = problem_of(error, request.scope.get("bilbaokg.request_id"))
    headers = {"Cache-Control": "no-store", "Vary": "Accept"} | headers_of(error, problem)
    if _wants_page(request):
        try:
            return _page(problem, headers, request)
        except Exception:
            # The page of an error must not hide the error.
            log.exception("an error page failed", extra={"path": request.scope["path"]})
    return JSONResponse(problem, problem["status"], headers, media_type="application/problem+json")


def _page(problem: dict[str, Any], headers: dict[str, str], request: Request) -> Response:
    root = request.scope.get("root_path", "")
    lang = _language(request, root)
    path = request.scope["path"].removeprefix(root).removeprefix(f"/{lang}") or "/"
    page = render.error_page(problem, lang, root=root, path=path)
    return HTMLResponse(page, problem["status"], headers | {"Content-Language": lang})


def headers_of(error: Exception, problem: dict[str, Any]) -> dict[str, str]:
    """The headers that an error brings, beside its problem document."""
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if problem["status"] == HTTPStatus.UNAUTHORIZED:
        wrong = ', error="invalid_token"' if problem.get("invalid_token") else ""
        headers["WWW-Authenticate"] = f'Bearer realm="bilbaokg"{wrong}'
    if problem["status"] in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers["Retry-After"] = str(problem.get("retry_after", _RETRY_SECONDS))
    if problem["status"] == HTTPStatus.METHOD_NOT_ALLOWED and "allow" in problem:
        headers["Allow"] = problem["allow"]
    return headers


def _wants_page(request: Request) -> bool:
    return negotiate.accepts_html(request.headers.get("accept"))


def _language(request: Request, root: str) -> str:
    """The language of the path, else what the client asks for."""
    first = request.scope["path"].removeprefix(root).strip("/").partition("/")[0]
    return negotiate.language(first or request.headers.get("accept-language"))


async def _handle(request: Request, error: Exception) -> Response:
    return respond(error, request)


Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]
HANDLERS: Final[dict[int | type[Exception], Handler]] = {
    BilbaokgError: _handle,
    HTTPException: _handle,
    RequestValidationError: _handle,
}


class Unexpected:
    """The last net: what no handler took becomes a 500, or a cut connection if it had begun."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except ClientDisconnect:
            return
        except Exception as error:
            place = {"request_id": scope.get("bilbaokg.request_id"), "path": scope.get("path")}
            log.exception("unexpected error", extra=place)
            if started or scope["type"] != "http":
                return
            await respond(error, Request(scope))(scope, receive, send)
