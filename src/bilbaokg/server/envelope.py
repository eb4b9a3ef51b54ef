"""What surrounds every answer: its request id, and the headers that protect its reader."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = [
    "HEADERS",
    "IDENTITY",
    "SHARED",
    "Envelope",
    "identity",
    "raw",
]

_CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
Fields = Iterable[tuple[bytes, bytes]]
HEADERS: Final = (
    (b"content-security-policy", _CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""Those of every answer."""
SHARED: Final = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Link, Retry-After, X-Request-Id"),
)
"""Those of public data, which scripts of other sites may read."""
IDENTITY: Final = b"x-request-id"


_IDENTITY_LENGTH: Final = 16
_MADE_AT_ONCE: Final = 256
_identities: list[str] = []


def identity() -> str:
    """A new request id."""
    try:
        return _identities.pop()
    except IndexError:
        size = _IDENTITY_LENGTH
        text = secrets.token_hex(_MADE_AT_ONCE * size // 2)
        _identities.extend(text[i : i + size] for i in range(0, len(text), size))
        return identity()


def raw(fields: Fields) -> bytes:
    """Header fields as they are sent."""
    return b"".join(b"%b: %b\r\n" % field for field in fields)


class Envelope:
    """Gives every request an id, and every answer the headers that protect its reader.

    `bilbaokg.started` in the scope tells those within whether the answer has begun.
    answered: told of each request and the status of its answer.
    """

    def __init__(self, app: ASGIApp, answered: Callable[[Scope, int], None]) -> None:
        self.app, self.answered = app, answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = scope["bilbaokg.request_id"] = identity()
        scope["bilbaokg.started"] = False

        async def seal(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope["bilbaokg.started"] = True
                self.answered(scope, message["status"])
                shared = SHARED if scope.get("bilbaokg.shared") else ()
                own = (IDENTITY, request_id.encode())
                message["headers"] = [*message.get("headers", ()), *HEADERS, own, *shared]
            await send(message)

        await self.app(scope, receive, seal)
