"""The ASGI application: the table of its parts, and what surrounds every request."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bilbaokg.errors import BadInput
from bilbaokg.server import api, auth, errors, feeds, metrics, pages, resources, saved, sparql
from bilbaokg.server.context import Context
from bilbaokg.server.draining import Drain, Gate

__all__ = ["CONTENT_SECURITY_POLICY", "PARTS", "create_app"]

# One line a part: its routes and the action under which they are declared. Order matters: the
# first route that fits answers.
PARTS: Final[tuple[tuple[Callable[[Context], list[BaseRoute]], str], ...]] = (
    (resources.health_routes, "status.read"),
    (metrics.open_routes, "metrics.public"),
    (metrics.routes, "metrics.read"),
    (sparql.routes, "sparql.query"),
    (sparql.working_routes, "working.query"),
    (saved.routes, "sparql.query"),
    (feeds.routes, "data.read"),
    (api.public_routes, "status.read"),
    (api.load_routes, "catalogue.load"),
    (api.build_routes, "release.build"),
    (api.publish_routes, "release.publish"),
    (resources.root_routes, "page.read"),
    (pages.routes, "page.read"),
    (resources.routes, "data.read"),
)
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_SHARED: Final = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Link, Retry-After, X-Request-Id"),
)


def create_app(
    context: Context, *, host: str = "127.0.0.1", root_path: str = "", drain: Drain | None = None
) -> FastAPI:
    """The application over a context.

    host: the address that the server is bound to. root_path: the path prefix under which a reverse
    proxy serves us (`/datos`), whether the proxy takes it away or not. drain: told of every
    request. Raises TypeError when a route has no action.
    """
    app = FastAPI(
        title="bilbaokg", version=_version(), docs_url=None, redoc_url=None, openapi_url=None,
        redirect_slashes=False, exception_handlers=errors.HANDLERS,
        middleware=[
            Middleware(_Envelope, answered=context.usage.answered),
            Middleware(Gate, drain=drain or Drain()),
            Middleware(errors.Unexpected),
            Middleware(_Prefix, root_path=root_path.rstrip("/")),
            Middleware(_Hosts, allowed=_hosts(context, host)),
        ],
    )  # fmt: skip
    for routes, action in PARTS:
        app.router.routes.extend(auth.declare(routes(context), action, context.accounts))
    app.router.routes.extend(
        auth.declare(
            [api.openapi_route(app, lambda: saved.paths(context))], "status.read", context.accounts
        )
    )
    undeclared = [route for route in app.router.routes if auth.action_of(route) is None]
    if undeclared:
        raise TypeError(f"routes without an action: {undeclared}")
    return app


def _version() -> str:
    from importlib.metadata import version

    return version("bilbaokg")


def _hosts(context: Context, host: str) -> frozenset[str]:
    """The names under which we may be asked for."""
    public = urlsplit(context.settings.public_url).hostname or ""
    return frozenset({public.lower(), host.lower().strip("[]"), "localhost"})


class _Envelope:
    """Gives every request an id, and every answer the headers that protect its reader.

    answered: told of each request and the status of its answer.
    """

    def __init__(self, app: ASGIApp, answered: Callable[[Scope, int], None]) -> None:
        self.app, self.answered = app, answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        if scope["type"] != "http":
            return
        request_id = scope["bilbaokg.request_id"] = secrets.token_hex(8)

        async def seal(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.answered(scope, message["status"])
                headers = list(message.get("headers", ()))
                headers += [*_HEADERS, (b"x-request-id", request_id.encode())]
                headers += _SHARED if scope.get("bilbaokg.shared") else ()
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, seal)


class _Prefix:
    """Tells the prefix of a reverse proxy from the path, whether it was taken away or not."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self.app, self.root = app, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._split(scope)
        await self.app(scope, receive, send)

    def _split(self, scope: Scope) -> None:
        path: str = scope["path"]
        if self.root:
            inside = path == self.root or path.startswith(f"{self.root}/")
            scope["path"] = path if inside else self.root + path
            if scope["path"] == self.root:
                scope["path"] += "/"
        scope["root_path"] = self.root


class _Hosts:
    """Refuses requests that are meant for a host that we are not (RFC 9110, section 7.4)."""

    def __init__(self, app: ASGIApp, allowed: frozenset[str]) -> None:
        self.app, self.allowed = app, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_asked_for(scope):
            await self.app(scope, receive, send)
            return
        error = BadInput("this host is not served here", hint="set public_url in settings.toml")
        await errors.respond(error, Request(scope))(scope, receive, send)

    def _is_asked_for(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"host"]
        return len(given) == 1 and self._is_ours(given[0].decode("latin-1"))

    def _is_ours(self, header: str) -> bool:
        try:
            name = urlsplit(f"//{header}").hostname or ""
            if any(c in header for c in "/@?#\\ "):
                return False
        except ValueError:
            return False
        if name in self.allowed:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False
