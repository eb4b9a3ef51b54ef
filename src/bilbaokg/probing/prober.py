"""Asking links: politely, with a deadline, never into a private network.

An access address is asked with HEAD, a file is fetched up to a limit of bytes, and only if it
changed since the last time.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import httpx

from bilbaokg.fetching.guard import GuardedTransport, Refused
from bilbaokg.fetching.polite import Polite, body, user_agent
from bilbaokg.probing.content import fault
from bilbaokg.probing.links import Link
from bilbaokg.probing.results import ANSWERS, DEAD, UNKNOWN, Probe

__all__ = ["Prober"]

# What JSON takes in memory is some thirty times its size at worst.
_MOST_BYTES: Final = 8 << 20
_ALGORITHMS: Final = ("md5", "sha1", "sha256", "sha512")
# Answers of a server that does not take HEAD, or says that it has enough of us.
_NO_HEAD: Final = frozenset({400, 403, 404, 405, 500, 501})
_LATER: Final = frozenset({429, 503})


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
            "User-Agent": user_agent("link check"),
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
    """One run over a client."""

    def __init__(self, prober: Prober, client: httpx.AsyncClient) -> None:
        self.prober = prober
        self._polite = Polite(client, timeout=prober.timeout, pause=prober.pause)

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
            async with self._polite.answer("HEAD", link.url, {}) as response:
                if response.status_code not in _NO_HEAD:
                    return await self._judged(link, found, response)
        async with self._polite.answer("GET", link.url, _validators(link, before)) as response:
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
        most = self.prober.most_bytes
        content = await body(response, most) if link.download and plain else None
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


def _validators(link: Link, before: Probe | None) -> dict[str, str]:
    """What asks for a body only if it changed (RFC 9110, section 13.1)."""
    if before is None or not link.download or not before.size or before.content != link.content:
        return {}
    found = {"If-None-Match": before.etag, "If-Modified-Since": before.modified}
    return {name: value for name, value in found.items() if value}
