"""The ASGI application: the table of its parts, and what surrounds every request."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bilbaokg.errors import BadInput
from bilbaokg.server import (
    api,
    auth,
    dashboards_api,
    description,
    discovery,
    errors,
    feeds,
    lineage,
    lineage_api,
    metrics,
    monthly_api,
    openapi,
    pages,
    rehearsals,
    released,
    resources,
    saved,
    scratch,
    search_api,
    sparql,
    working,
)
from bilbaokg.server.context import Context
from bilbaokg.server.draining import Drain, Gate
from bilbaokg.server.envelope import Envelope

__all__ = ["PARTS", "create_app"]

# One line a part: its routes and the action under which they are declared. Order matters: the
# first route that fits answers.
PARTS: Final[tuple[tuple[Callable[[Context], list[BaseRoute]], str], ...]] = (
    (resources.health_routes, "status.read"),
    (metrics.open_routes, "metrics.public"),
    (metrics.routes, "metrics.read"),
    (sparql.routes, "sparql.query"),
    (sparql.working_routes, "working.query"),
    (working.read_routes, "working.read"),
    (working.write_routes, "working.write"),
    (scratch.query_routes, "scratch.read"),
    (scratch.read_routes, "scratch.read"),
    (scratch.write_routes, "scratch.write"),
    (released.routes, "data.read"),
    (saved.routes, "sparql.query"),
    (description.routes, "data.read"),
    (search_api.routes, "data.read"),
    (dashboards_api.routes, "data.read"),
    (monthly_api.routes, "data.read"),
    (feeds.routes, "data.read"),
    (discovery.routes, "data.read"),
    (api.public_routes, "status.read"),
    (api.load_routes, "catalogue.load"),
    (lineage.routes, "lineage.write"),
    (lineage_api.working_routes, "lineage.read"),
    (lineage_api.public_routes, "data.read"),
    (api.build_routes, "release.build"),
    (api.publish_routes, "release.publish"),
    (rehearsals.routes, "release.rehearse"),
    (resources.root_routes, "page.read"),
    (pages.routes, "page.read"),
    (resources.routes, "data.read"),
)
_MOST_HOSTS: Final = 100


def create_app(
    context: Context, *, host: str = "127.0.0.1", root_path: str = "", drain: Drain | None = None
) -> FastAPI:
    """The application over a context.

    host: the address that the server is bound to. root_path: the path prefix under which a reverse
    proxy serves us (`/datos`), whether the proxy takes it away or not. drain: told of every
    request. Raises TypeError when a route has no action.
    """
    app = _Site(
        title="bilbaokg", version=_version(), docs_url=None, redoc_url=None, openapi_url=None,
        redirect_slashes=False, exception_handlers=errors.HANDLERS,
    )  # fmt: skip
    for routes, action in PARTS:
        app.router.routes.extend(auth.declare(routes(context), action, context.accounts))
    description = openapi.route(
        app,
        lambda: {**sparql.paths(context), **saved.paths(context), **lineage.paths(context)},
    )
    app.router.routes.extend(auth.declare([description], "status.read", context.accounts))
    undeclared = [route for route in app.router.routes if auth.action_of(route) is None]
    if undeclared:
        raise TypeError(f"routes without an action: {undeclared}")
    inside = _Hosts(_Direct(app), _hosts(context, host))
    guarded = Gate(errors.Unexpected(_Prefix(inside, root_path.rstrip("/"))), drain or Drain())
    app.surrounded = Envelope(guarded, context.usage.answered)
    return app


def _version() -> str:
    from importlib.metadata import version

    return version("bilbaokg")


def _hosts(context: Context, host: str) -> frozenset[str]:
    """The names under which we may be asked for."""
    public = urlsplit(context.settings.public_url).hostname or ""
    return frozenset({public.lower(), host.lower().strip("[]"), "localhost"})


class _Site(FastAPI):
    """The application; `surrounded` is all of it, with what stands around every request."""

    surrounded: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or what the server says at its start and end."""
        if scope["type"] == "lifespan":
            await self.within(scope, receive, send)
        elif scope["type"] == "http":
            await self.surrounded(scope, receive, send)

    async def within(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The framework's own layers."""
        await super().__call__(scope, receive, send)


class _Direct:
    """Takes a request for an address without parameters straight to its route.

    What the framework does between (matching one route after the other, scopes of dependencies) is
    most of the time that a small query takes. Errors are answered further out. An address may have
    several routes, each for methods of its own; a method that none has is left to the framework.
    """

    def __init__(self, app: _Site) -> None:
        self.app = app
        self.routes: dict[tuple[str, str], Route] = {}
        for route in reversed(app.router.routes):
            if type(route) is Route and "{" not in route.path:
                self.routes |= {(method, route.path): route for method in route.methods or ()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope["root_path"])
        route = self.routes.get((scope["method"], path))
        if route is None:
            await self.app.within(scope, receive, send)
        else:
            scope["app"] = self.app
            await route.handle(scope, receive, send)


class _Prefix:
    """Tells the prefix of a reverse proxy from the path, whether it was taken away or not."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self.app, self.root = app, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
        self.seen = lru_cache(_MOST_HOSTS)(self._is_ours)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = [value for name, value in scope["headers"] if name == b"host"]
        if len(given) != 1 or not self.seen(given[0]):
            raise BadInput("this host is not served here", hint="set public_url in settings.toml")
        await self.app(scope, receive, send)

    def _is_ours(self, given: bytes) -> bool:
        header = given.decode("latin-1")
        try:
            parts = urlsplit(f"//{header}")
            name, port = parts.hostname or "", parts.port
            if any(c in header for c in "/@?#\\ ") or port == 0:
                return False
        except ValueError:
            return False
        if name in self.allowed:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False
