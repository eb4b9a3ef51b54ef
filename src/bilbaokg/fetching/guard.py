"""Connections that never lead into a private network.

A name is resolved first, every address that it has is judged, and the connection goes to one that
was judged: a name that changes its address in between (DNS rebinding) changes nothing. Redirects
are requests like any other and pass here too.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

import httpx

__all__ = ["GuardedTransport", "Refused", "hosts", "is_public"]

_PORTS: Final = {"http": 80, "https": 443}
# IPv6 addresses that carry an IPv4 address (RFC 6052, RFC 3056).
_NAT64: Final = ip_network("64:ff9b::/96")


class Refused(Exception):
    """A link that may not be asked; the text says why."""


def is_public(address: str) -> bool:
    """Whether an address can be reached by everybody, also the one that it carries."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found.teredo:
            return False
        if inner is None and found in _NAT64:
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast and not found.is_reserved


def hosts(texts: Iterable[str]) -> set[tuple[str, int]]:
    """Hosts with their ports, of texts such as `portal.internal` (both usual ports) or
    `10.0.0.7:8443`. Raises ValueError for what is none."""
    found: set[tuple[str, int]] = set()
    for text in texts:
        parts = urlsplit(f"//{text}")
        if not parts.hostname or parts.netloc != text or "@" in text or parts.port == 0:
            raise ValueError(text)
        found |= {
            (parts.hostname, port) for port in ([parts.port] if parts.port else _PORTS.values())
        }
    return found


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends requests to addresses that it resolved and judged itself.

    allow_private is for tests against a server on this machine; known are hosts with their ports
    that the operator named and whose addresses may be private. Raises Refused.
    """

    def __init__(
        self, *, allow_private: bool = False, known: Collection[tuple[str, int]] = ()
    ) -> None:
        self._allow_private, self._known = allow_private, known
        # A connection is named by its address alone, so it is never used for another host.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._inner = httpx.AsyncHTTPTransport(limits=limits, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        port = _PORTS.get(request.url.scheme)
        if port is None:
            raise Refused(f"scheme {request.url.scheme}")
        host = request.url.raw_host.decode("ascii").strip("[]")
        address = await self._resolved(host, request.url.port or port)
        guarded = httpx.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return await self._inner.handle_async_request(guarded)

    async def _resolved(self, host: str, port: int) -> str:
        """One address of a host. Raises Refused when any of them is private, or when it cannot be
        known: a machine without a name server says nothing about links."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            if error.errno == socket.EAI_AGAIN:
                raise Refused("no name server answers") from None
            raise httpx.ConnectError(f"no address: {error.strerror}") from None
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"no address: {error}") from None
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses:
            raise httpx.ConnectError("no address")
        allowed = self._allow_private or (host, port) in self._known
        if not allowed and not all(map(is_public, addresses)):
            raise Refused("private address")
        return addresses[0]

    async def aclose(self) -> None:
        await self._inner.aclose()
