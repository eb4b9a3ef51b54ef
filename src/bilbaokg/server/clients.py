"""Who a client is, for limits and counts: its token, else the address that it asks from.

`X-Forwarded-For` is believed only where a trusted proxy wrote it. The chain is walked from its
right end, where our own proxy adds what it saw; what stands left of the first address that is not
trusted was sent by the client and may be anything. `Forwarded` (RFC 7239) is not read: a proxy that
sets one of the two headers passes the other on as the client sent it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from bilbaokg.server.auth import ANONYMOUS

__all__ = ["LOCAL", "Clients", "is_loopback"]

LOCAL: Final = "local"
"""The client without an address: one on a socket of this machine."""
_IPV6_PREFIX: Final = 64
_KEPT: Final = 1024
_LONGEST: Final = 1024
# What some proxies write: 192.0.2.1:4711, [2001:db8::1], [2001:db8::1]:4711.
_ENTRY: Final = re.compile(
    r"\s*(?:\[([0-9A-Fa-f:.]+)\](?::\d+)?|([\d.]+)(?::\d+)?|([^\s\[\]]+))\s*"
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host.lower() == "localhost":
        return True
    found = _address(host.strip("[]"))
    return found is not None and found.is_loopback


class Clients:
    """Tells clients apart; `trusted` are addresses and networks of proxies."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self.trusted: tuple[Network, ...] = tuple(map(ipaddress.ip_network, trusted))
        self._walked = lru_cache(_KEPT)(self._walk)

    def of(self, scope: Any) -> str:
        """The client of a request: `token:NAME`, an IPv4 address, an IPv6 network of /64."""
        actor = scope.get("bilbaokg.actor", ANONYMOUS)
        if actor != ANONYMOUS:
            return str(actor.name)
        peer = scope.get("client")
        if not peer:
            return LOCAL
        return self._walked(peer[0], _forwarded(scope) if self.trusted else "")

    def _walk(self, peer: str, chain: str) -> str:
        """The first address from the right that is not trusted; the peer when one is none."""
        address = first = _address(peer)
        if first is None:
            return peer
        entries = chain.split(",") if chain else []
        while entries and address is not None and self._is_trusted(address):
            address = _entry(entries.pop())
        return _named(first if address is None else address)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self.trusted)


def _forwarded(scope: Any) -> str:
    """All X-Forwarded-For of a request as one list (RFC 9110, section 5.2), its right end."""
    found = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return b",".join(found)[-_LONGEST:].decode("latin-1")


def _entry(text: str) -> Address | None:
    found = _ENTRY.fullmatch(text)
    return _address(found[1] or found[2] or found[3]) if found else None


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _named(address: Address) -> str:
    """One household or office is one client, however many IPv6 addresses it takes."""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    whole = ipaddress.IPv6Network((int(address), _IPV6_PREFIX), strict=False)
    return str(whole)
