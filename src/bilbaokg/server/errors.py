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
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

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
        absent = any(e["loc"][:1] == ("path",) for e in error.errors())
        status = HTTPStatus.NOT_FOUND if absent else HTTPStatus.UNPROCESSABLE_ENTITY
        body = _plain(status, _complaints(error))
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
    headers |= _allow(problem, request)
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
    return headers


def _allow(problem: dict[str, Any], request: Request) -> dict[str, str]:
    """What all routes of an address take: the first one alone knows only its own methods."""
    if problem["status"] != HTTPStatus.METHOD_NOT_ALLOWED or not request.scope.get("app"):
        return {}
    routes = (route for route in request.app.router.routes if isinstance(route, Route))
    fitting = (route for route in routes if route.matches(request.scope)[0] != Match.NONE)
    allowed = set[str]().union(*(route.methods or () for route in fitting))
    return {"Allow": ", ".join(sorted(allowed))}


def _wants_page(request: Request) -> bool:
    return negotiate.accepts_html(request.headers.get("accept"))


def _language(request: Request, root: str) -> str:
    """The language of the path, else what the client asks for."""
    first = request.scope["path"].removeprefix(root).strip("/").partition("/")[0]
    return negotiate.language(first or request.headers.get("accept-language"))


async def _handle(request: Request, error: Exception) -> Response:
    return respond(error, request)


async def _unexpected(request: Request, error: Exception) -> Response:
    scope = request.scope
    place = {"request_id": scope.get("bilbaokg.request_id"), "path": scope.get("path")}
    log.error("unexpected error", exc_info=error, extra=place)
    scope["bilbaokg.logged"] = True
    return respond(error, request)


Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]
HANDLERS: Final[dict[int | type[Exception], Handler]] = {
    BilbaokgError: _handle,
    HTTPException: _handle,
    RequestValidationError: _handle,
    Exception: _unexpected,
}


class Unexpected:
    """The last net: what no handler took becomes an answer, or a cut connection if it had begun.

    The framework answers what is raised within it by `HANDLERS`, and hands on what is unexpected.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except ClientDisconnect:
            return
        except (BilbaokgError, HTTPException) as error:
            if scope["bilbaokg.started"]:
                log.warning("answer cut: %s", error)
                return
            await respond(error, Request(scope))(scope, receive, send)
        except Exception as error:
            if not scope.get("bilbaokg.logged"):
                answer = await _unexpected(Request(scope), error)
                if not scope["bilbaokg.started"]:
                    await answer(scope, receive, send)
