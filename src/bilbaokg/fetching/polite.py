"""Requests as other people's servers want them.

One request at a time goes to a host, with a pause between two; robots.txt is kept (RFC 9309).
Every redirect is a request like any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Final
from urllib.robotparser import RobotFileParser

import httpx

from bilbaokg.fetching.guard import Refused

__all__ = ["AGENT", "Polite", "body", "retry_after", "user_agent"]

AGENT: Final = "bilbaokg"
_HOPS: Final = 5
_ROBOTS_BYTES: Final = 500 << 10
_LONGEST_PAUSE: Final = 10.0


def user_agent(about: str) -> str:
    """How we call ourselves; about: why we ask, and where to find us."""
    return f"{AGENT}/{version('bilbaokg')} ({about})"


@dataclass(slots=True)
class _Host:
    """What is known of a host: whose turn it is, when the next request may go, its robots.txt."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0
    pause: float = 0.0
    robots: RobotFileParser | None = None
    failed: bool = False


class Polite:
    """One run over a client, and what it learnt of hosts.

    timeout: seconds for one answer, its body and all; pause: seconds between two requests to a
    host, robots.txt may ask for up to ten; ask_robots: False for a portal of our own.
    """

    def __init__(
        self, client: httpx.AsyncClient, *, timeout: float, pause: float, ask_robots: bool = True
    ) -> None:
        self.client, self.timeout, self.pause = client, timeout, pause
        self.ask_robots = ask_robots
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def answer(
        self, method: str, url: str, headers: Mapping[str, str], *, ask_robots: bool = True
    ) -> AsyncIterator[httpx.Response]:
        """The answer at the end of redirects. Raises Refused, TimeoutError, httpx.HTTPError."""
        request = self.client.build_request(method, url, headers=headers)
        for _ in range(_HOPS + 1):
            if ask_robots and self.ask_robots:
                await self._may(request.url)
            host = self._at(request.url)
            async with host.turn:
                await self._wait(host)
                async with asyncio.timeout(self.timeout):
                    response = await self.client.send(request, stream=True)
                    try:
                        following = response.next_request
                        if following is None:
                            yield response
                            return
                    finally:
                        await response.aclose()
            request = following
        raise httpx.TooManyRedirects(f"over {_HOPS} redirects", request=request)

    def _at(self, url: httpx.URL) -> _Host:
        key = f"{url.scheme}://{url.netloc.decode('ascii')}"
        return self._hosts.setdefault(key, _Host(pause=self.pause))

    async def _wait(self, host: _Host) -> None:
        """Wait until the host had its pause."""
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(max(host.free_at - now, 0))
        host.free_at = asyncio.get_running_loop().time() + host.pause

    async def _may(self, url: httpx.URL) -> None:
        """Raises Refused where robots.txt says so."""
        if not url.host:
            raise httpx.InvalidURL("no host")
        if url.scheme not in ("http", "https"):
            raise Refused(f"scheme {url.scheme}")
        host = self._at(url)
        if host.robots is None:
            host.robots = await self._robots(host, url.copy_with(raw_path=b"/robots.txt"))
            asked = host.robots.crawl_delay(AGENT)
            host.pause = max(host.pause, min(float(asked or 0), _LONGEST_PAUSE))
        if not host.robots.can_fetch(AGENT, str(url)):
            raise Refused("robots.txt")

    def forget_failures(self) -> bool:
        """Let robots.txt be asked for again where it failed; whether it did anywhere."""
        failed = [host for host in self._hosts.values() if host.failed]
        for host in failed:
            host.robots, host.failed = None, False
        return bool(failed)

    async def _robots(self, host: _Host, url: httpx.URL) -> RobotFileParser:
        """The rules of a host: none where there is no such file, all closed where it fails (RFC
        9309, section 2.3.1). A host that cannot be reached has none: its links tell that."""
        rules = RobotFileParser()
        text = ""
        try:
            async with self.answer("GET", str(url), {}, ask_robots=False) as response:
                if response.status_code >= 500:
                    text = "User-agent: *\nDisallow: /"
                    host.failed = True
                elif response.is_success:
                    text = (await body(response, _ROBOTS_BYTES) or b"").decode("utf-8", "replace")
        except (httpx.HTTPError, TimeoutError, OSError):
            pass
        rules.parse(text.splitlines())
        return rules


async def body(response: httpx.Response, most: int) -> bytes | None:
    """The bytes as they came; None when there are more than may be."""
    held = bytearray()
    async for piece in response.aiter_raw():
        held += piece
        if len(held) > most:
            return None
    return bytes(held)


def retry_after(value: str) -> float:
    """Seconds to wait (RFC 9110, section 10.2.3: a number of them, or a date)."""
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
