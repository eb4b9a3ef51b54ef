"""Asking links: politely, with a deadline, never into a private network.

One request at a time goes to a host, with a pause between two; robots.txt is kept (RFC 9309). An
access address is asked with HEAD, a file is fetched up to a limit of bytes, and only if it changed
since the last time.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final
from urllib.robotparser import RobotFileParser

import httpx

from bilbaokg.probing.content import fault
from bilbaokg.probing.guard import GuardedTransport, Refused
from bilbaokg.probing.links import Link
from bilbaokg.probing.results import ANSWERS, DEAD, UNKNOWN, Probe

__all__ = ["AGENT", "Prober"]

AGENT: Final = "bilbaokg"
_HOPS: Final = 5
_ROBOTS_BYTES: Final = 500 << 10
# What JSON takes in memory is some thirty times its size at worst.
_MOST_BYTES: Final = 8 << 20
_LONGEST_PAUSE: Final = 10.0
_ALGORITHMS: Final = ("md5", "sha1", "sha256", "sha512")
# Answers of a server that does not take HEAD, or says that it has enough of us.
_NO_HEAD: Final = frozenset({400, 403, 404, 405, 500, 501})
_LATER: Final = frozenset({429, 503})


@dataclass(slots=True)
class _Host:
    """What is known of a host: whose turn it is, when the next request may go, its robots.txt."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0
    pause: float = 0.0
    robots: RobotFileParser | None = None


class Prober:
    """Asks links.

    timeout: seconds for one answer, its body and all; concurrency: hosts at a time; pause: seconds
    between two requests to a host, robots.txt may ask for up to ten; most_bytes: of a file.
    allow_private is for tests against a server on this machine.
    """

    def __init__(
        self,
        *,
        timeout: float = 10.0,
        concurrency: int = 8,
        pause: float = 0.5,
        most_bytes: int = _MOST_BYTES,
        allow_private: bool = False,
    ) -> None:
        self.timeout, self.concurrency, self.pause = timeout, concurrency, pause
        self.most_bytes, self.allow_private = most_bytes, allow_private

    def run(
        self,
        links: Sequence[Link],
        known: Mapping[str, Probe],
        on_probe: Callable[[Probe], None] = lambda _probe: None,
    ) -> None:
        """Ask links; on_probe is told each result. known: those of the last time, by address."""
        asyncio.run(self._run(links, known, on_probe))

    async def _run(
        self,
        links: Sequence[Link],
        known: Mapping[str, Probe],
        on_probe: Callable[[Probe], None],
    ) -> None:
        by_host: dict[str, list[Link]] = {}
        for link in links:
            by_host.setdefault(_host(link.url), []).append(link)
        transport = GuardedTransport(allow_private=self.allow_private)
        headers = {
            "User-Agent": f"{AGENT}/{version('bilbaokg')} (link check)",
            "Accept-Encoding": "identity",
        }
        hosts = asyncio.Semaphore(self.concurrency)
        async with httpx.AsyncClient(
            transport=transport, headers=headers, timeout=self.timeout, trust_env=False
        ) as client:
            asking = _Asking(self, client)

            async def ask(part: Iterable[Link]) -> None:
                async with hosts:
                    for link in part:
                        on_probe(await asking.probe(link, known.get(link.url)))

            async with asyncio.TaskGroup() as tasks:
                for part in by_host.values():
                    tasks.create_task(ask(part))


def _host(url: str) -> str:
    try:
        return httpx.URL(url).netloc.decode("ascii")
    except (httpx.InvalidURL, UnicodeError):
        return ""


class _Asking:
    """One run: the client, and what it learnt of hosts."""

    def __init__(self, prober: Prober, client: httpx.AsyncClient) -> None:
        self.prober, self.client = prober, client
        self._hosts: dict[str, _Host] = {}

    async def probe(self, link: Link, before: Probe | None) -> Probe:
        """What comes of a link; whatever goes wrong is a result."""
        at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        found = Probe(link.url, at, DEAD)
        try:
            return await self._asked(link, found, before)
        except Refused as refused:
            return replace(found, state=UNKNOWN, reason=str(refused))
        except (TimeoutError, httpx.TimeoutException):
            return replace(found, reason=f"no answer in {self.prober.timeout:g} s")
        except (httpx.InvalidURL, UnicodeError):
            return replace(found, reason="no address")
        except (httpx.HTTPError, OSError, ValueError) as error:
            return replace(found, reason=str(error)[:200] or type(error).__name__)

    async def _asked(self, link: Link, found: Probe, before: Probe | None) -> Probe:
        if not link.download:
            async with self._answer("HEAD", link.url, {}) as response:
                if response.status_code not in _NO_HEAD:
                    return await self._judged(link, found, response)
        async with self._answer("GET", link.url, _validators(link, before)) as response:
            if response.status_code == 304 and before:
                return replace(before, at=found.at)
            return await self._judged(link, found, response)

    async def _judged(self, link: Link, found: Probe, response: httpx.Response) -> Probe:
        status = response.status_code
        found = replace(
            found,
            status=status,
            media_type=response.headers.get("content-type", "").partition(";")[0].strip().lower()
            or None,
        )
        if not response.is_success:
            state = UNKNOWN if status in _LATER else DEAD
            return replace(found, state=state, reason=f"HTTP {status}")
        found = replace(found, state=ANSWERS)
        # What comes packed though we asked it not to be is not the file as it is declared.
        plain = response.headers.get("content-encoding", "identity") == "identity"
        content = await self._body(response) if link.download and plain else None
        if content is None:
            return found
        return replace(
            found,
            size=len(content),
            digests={
                name: hashlib.new(name, content, usedforsecurity=False).hexdigest()
                for name in _ALGORITHMS
            },
            content=link.content,
            invalid=fault(content, link.content) if content and link.content else None,
            etag=response.headers.get("etag"),
            modified=response.headers.get("last-modified"),
        )

    async def _body(self, response: httpx.Response, most: int | None = None) -> bytes | None:
        """The bytes as they came; None when there are more than may be."""
        limit = self.prober.most_bytes if most is None else most
        held = bytearray()
        async for piece in response.aiter_raw():
            held += piece
            if len(held) > limit:
                return None
        return bytes(held)

    # ---- one answer, after redirects

    @asynccontextmanager
    async def _answer(
        self, method: str, url: str, headers: Mapping[str, str], *, ask_robots: bool = True
    ) -> AsyncIterator[httpx.Response]:
        """The answer at the end of redirects. Raises Refused, TimeoutError, httpx.HTTPError."""
        request = self.client.build_request(method, url, headers=headers)
        for _ in range(_HOPS + 1):
            if ask_robots:
                await self._may(request.url)
            host = self._at(request.url)
            async with host.turn:
                await self._wait(host)
                async with asyncio.timeout(self.prober.timeout):
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
        return self._hosts.setdefault(key, _Host(pause=self.prober.pause))

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
            host.robots = await self._robots(url.copy_with(raw_path=b"/robots.txt"))
            asked = host.robots.crawl_delay(AGENT)
            host.pause = max(host.pause, min(float(asked or 0), _LONGEST_PAUSE))
        if not host.robots.can_fetch(AGENT, str(url)):
            raise Refused("robots.txt")

    async def _robots(self, url: httpx.URL) -> RobotFileParser:
        """The rules of a host: none where there is no such file, all closed where it fails (RFC
        9309, section 2.3.1). A host that cannot be reached has none: its links tell that."""
        rules = RobotFileParser()
        text = ""
        try:
            async with self._answer("GET", str(url), {}, ask_robots=False) as response:
                if response.status_code >= 500:
                    text = "User-agent: *\nDisallow: /"
                elif response.is_success:
                    content = await self._body(response, _ROBOTS_BYTES)
                    text = (content or b"").decode("utf-8", "replace")
        except (httpx.HTTPError, TimeoutError, OSError):
            pass
        rules.parse(text.splitlines())
        return rules


def _validators(link: Link, before: Probe | None) -> dict[str, str]:
    """What asks for a body only if it changed (RFC 9110, section 13.1)."""
    if before is None or not link.download or not before.size or before.content != link.content:
        return {}
    found = {"If-None-Match": before.etag, "If-Modified-Since": before.modified}
    return {name: value for name, value in found.items() if value}
