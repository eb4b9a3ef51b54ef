"""Who is asking, and whether they may: one function decides, and it denies by default.

Every route is declared with an action of `ACTIONS`; `declare` puts the check in front of the
route's own code, so that none can forget it. An application with a route that was not declared
does not start.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import anyio.to_thread
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bilbaokg.accounts import Accounts, Token, scopes_of
from bilbaokg.errors import Forbidden, Unauthorized
from bilbaokg.model import Record

__all__ = ["ACTIONS", "ANONYMOUS", "Actor", "action_of", "actor_of", "authorize", "declare"]

# Action -> the scope it asks for; None: open to everyone. What is not here is denied.
ACTIONS: Final[dict[str, str | None]] = {
    "page.read": None,
    "data.read": None,
    "sparql.query": None,
    "status.read": None,
    "metrics.public": None,
    "metrics.read": "read",
    "working.query": "read",
    "working.read": "read",
    "working.write": "write",
    "scratch.read": "read",
    "scratch.write": "write",
    "catalogue.load": "write",
    "lineage.read": "read",
    "lineage.write": "lineage",
    "release.rehearse": "read",
    "release.build": "publish",
    "release.publish": "publish",
}
# Public data that scripts of other sites may read (no credentials involved).
_SHARED: Final = frozenset({"data.read", "sparql.query", "status.read"})
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `anonymous`, or the name under which the audit knows them, with their scopes."""

    name: str
    scopes: frozenset[str] = frozenset()


ANONYMOUS: Final = Actor("anonymous")


def authorize(actor: Actor, action: str, record: Record | None = None) -> None:
    """Let the actor do it, or raise Unauthorized (who are you?) or Forbidden (not you).

    `record` is what it would be done to, where the action is about one. Unknown actions are denied
    to everyone.
    """
    if action not in ACTIONS:
        raise Forbidden(f"nobody may do {action!r}")
    scope = ACTIONS[action]
    if scope is None:
        if record is not None and record.visibility != "public":
            raise Forbidden("this record is internal")
        return
    if actor == ANONYMOUS:
        raise Unauthorized(
            "this needs a token", hint="send Authorization: Bearer bkg_... (bilbaokg token create)"
        )
    if scope not in actor.scopes:
        raise Forbidden(
            f"this needs a token with the scope {scope!r}",
            hint=f"bilbaokg token create NAME --scope {scope}",
        )


def actor_of(header: str | None, accounts: Accounts) -> Actor:
    """The actor of an Authorization header (RFC 6750, section 2.1: the header alone is read).

    Raises Unauthorized for anything that is there and not valid. Reads the disk.
    """
    if header is None:
        return ANONYMOUS
    secret = _secret(header)
    token = accounts.find(secret) if secret else None
    if token is None:
        raise Unauthorized(
            "the token is unknown, expired or revoked", hint="see: bilbaokg token list",
            invalid_token=True,
        )  # fmt: skip
    return _owner(token)


def _secret(header: str) -> str:
    """The token that a header gives; empty where its scheme is another."""
    scheme, _, secret = header.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _owner(token: Token) -> Actor:
    return Actor(f"token:{token.name}", scopes_of(token.scope))


class _Guard:
    """Stands in front of a route: finds the actor, asks `authorize`, then lets the route work."""

    def __init__(
        self, app: ASGIApp, action: str, accounts: Accounts, methods: frozenset[str]
    ) -> None:
        self.app, self.action, self.accounts, self.methods = app, action, accounts, methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["bilbaokg.action"] = self.action
        scope["bilbaokg.shared"] = self.action in _SHARED
        if scope["method"] == "OPTIONS":
            await _preflight(scope, self.methods, send)
            return
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        actor = ANONYMOUS
        if given:
            header = given[0].decode("latin-1")
            token = self.accounts.recall(_secret(header))
            if token is None:
                actor = await anyio.to_thread.run_sync(actor_of, header, self.accounts)
            else:
                actor = _owner(token)
        authorize(actor, self.action)
        scope["bilbaokg.actor"] = actor
        await self.app(scope, receive, send)


async def _preflight(scope: Scope, methods: frozenset[str], send: Send) -> None:
    """What is allowed here; for other sites' scripts only where data are public."""
    allowed = ", ".join(sorted(methods)).encode()
    headers = [(b"allow", allowed), (b"content-length", b"0")]
    if scope["bilbaokg.shared"]:
        headers += [
            (b"access-control-allow-methods", allowed),
            (b"access-control-allow-headers", b"accept, content-type, if-none-match"),
            (b"access-control-max-age", b"86400"),
        ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def declare(routes: Iterable[BaseRoute], action: str, accounts: Accounts) -> list[BaseRoute]:
    """Put routes under an action. Raises TypeError for what cannot be guarded."""
    if action not in ACTIONS:
        raise TypeError(f"{action!r} is no action")
    declared: list[BaseRoute] = []
    for route in routes:
        if not isinstance(route, Route) or not route.methods:
            raise TypeError(f"{route!r} is no route with methods")
        if action == "page.read" and not route.methods <= _SAFE:
            raise TypeError(f"{route!r} changes something: give it an action of its own")
        if action in _SHARED and not isinstance(route, APIRoute):
            # The API's own routes are simple enough for scripts to read without asking first.
            route.methods.add("OPTIONS")
        route.app = _Guard(route.app, action, accounts, frozenset(route.methods))
        declared.append(route)
    return declared


def action_of(route: BaseRoute) -> str | None:
    """The action that a route was declared with."""
    guard: Any = getattr(route, "app", None)
    return guard.action if isinstance(guard, _Guard) else None
