"""Fetching one page into a file: only if it changed, unpacked, and within limits."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from bilbaokg.errors import UpstreamFault
from bilbaokg.fetching.guard import Refused
from bilbaokg.fetching.polite import Polite, retry_after

__all__ = ["Fetcher", "Limits", "Page", "Trouble"]

# Answers after which the same question may get another one.
_TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_PIECE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What one harvest may cost: pages, bytes of a page and of all (unpacked), seconds in all, and
    the seconds that a server may ask us to stay away."""

    pages: int = 10_000
    page_bytes: int = 64 << 20
    total_bytes: int = 1 << 30
    seconds: float = 6 * 3600.0
    wait: float = 300.0


@dataclass(frozen=True, slots=True)
class Page:
    """One page on disk: the address that was asked, and the one that answered after redirects.

    following: the next page by its Link header (RFC 8288). etag, modified: the validators for the
    next time.
    """

    address: str
    url: str
    file: str
    size: int
    sha256: str
    at: str
    media_type: str | None = None
    charset: str | None = None
    following: str | None = None
    etag: str | None = None
    modified: str | None = None


class Trouble(UpstreamFault):
    """A page that did not come; `again` says whether to ask once more, after `wait` seconds.

    status: of the answer, where there was one.
    """

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        again: bool = False,
        wait: float = 0.0,
        answered: int | None = None,
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.again, self.wait, self.answered = again, wait, answered


class Fetcher:
    """Fetches pages; counts requests, and bytes as they came. kept: unpacked bytes of the pages
    that the harvest has already, also of those that it need not fetch."""

    def __init__(self, polite: Polite, limits: Limits) -> None:
        self.polite, self.limits = polite, limits
        self.requests = self.bytes = self.kept = 0

    async def fetch(self, address: str, target: Path, before: Page | None) -> Page | None:
        """The page at an address, written to `target`; None when it is as it was `before`.

        Raises Trouble.
        """
        self.requests += 1
        try:
            headers = _validators(before)
            async with self.polite.answer("GET", address, headers) as response:
                if response.status_code == 304 and before:
                    return None
                _judge(response, self.limits.wait)
                return await self._written(address, target, response)
        except Refused as refused:
            raise Trouble(
                _WORDS.get(str(refused), f"it may not be asked: {refused}"), where=address,
                hint=_HINTS.get(str(refused)), again=self.polite.forget_failures(),
            ) from None  # fmt: skip
        except (TimeoutError, httpx.TimeoutException):
            words = f"no whole answer in {self.polite.timeout:g} s"
            raise Trouble(words, where=address, again=True) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):
            raise Trouble("it is no address that can be asked", where=address) from None
        except httpx.TooManyRedirects as error:
            raise Trouble(str(error), where=address) from None
        except httpx.HTTPError as error:
            words = str(error)[:200] or type(error).__name__
            raise Trouble(f"the connection failed: {words}", where=address, again=True) from None
        except Trouble as trouble:
            trouble.where = address
            raise

    async def _written(self, address: str, target: Path, response: httpx.Response) -> Page:
        digest, size = hashlib.sha256(), 0
        with target.open("wb") as out:
            async for piece in self._pieces(response):
                size += len(piece)
                if size > self.limits.page_bytes:
                    raise Trouble(f"the page is over {self.limits.page_bytes:,} bytes")
                if self.kept + size > self.limits.total_bytes:
                    raise Trouble(f"the pages are over {self.limits.total_bytes:,} bytes together")
                digest.update(piece)
                out.write(piece)
        if not size:
            raise Trouble("the page is empty", again=True)
        headers = response.headers
        return Page(
            address,
            str(response.url),
            target.name,
            size,
            digest.hexdigest(),
            datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            headers.get("content-type", "").partition(";")[0].strip().lower() or None,
            response.charset_encoding,
            response.links.get("next", {}).get("url"),
            headers.get("etag"),
            headers.get("last-modified"),
        )

    async def _pieces(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """The body, unpacked piece by piece: a bomb never becomes larger than one of them."""
        packing = response.headers.get("content-encoding", "identity").strip().lower()
        if packing not in ("identity", "gzip", "x-gzip", ""):
            raise Trouble(f"it is packed as {packing!r}, which was not asked for")
        inflate = zlib.decompressobj(31) if "gzip" in packing else None
        async for piece in response.aiter_raw(_PIECE):
            self.bytes += len(piece)
            if inflate is None:
                yield piece
                continue
            try:
                while piece:
                    yield inflate.decompress(piece, _PIECE)
                    piece = inflate.unconsumed_tail
            except zlib.error as error:
                raise Trouble(f"damaged gzip: {error}", again=True) from None
        if inflate and not inflate.eof:
            raise Trouble("its gzip stops half way", again=True)


_WORDS: Final = {
    "robots.txt": "the host's robots.txt closes it, or cannot be read",
    "private address": "it is at a private address",
}
_HINTS: Final = {
    "robots.txt": "ask the portal to let in the agent bilbaokg; is it your own: --ignore-robots",
    "private address": "of your own network? give --allow-private: it opens the host of URL alone",
}


def _validators(before: Page | None) -> dict[str, str]:
    """What asks for a body only if it changed (RFC 9110, section 13.1)."""
    if before is None:
        return {}
    found = {"If-None-Match": before.etag, "If-Modified-Since": before.modified}
    return {name: value for name, value in found.items() if value}


def _judge(response: httpx.Response, longest: float) -> None:
    """Raises Trouble for an answer that is no success."""
    status = response.status_code
    if status == 200:
        return
    wait = retry_after(response.headers.get("retry-after", ""))
    again = status in _TRANSIENT
    if again and wait > longest:
        raise Trouble(
            f"HTTP {status}: it asks to come again in {wait:,.0f} s",
            hint="start the harvest again then: it goes on where it stopped", answered=status,
        )  # fmt: skip
    raise Trouble(f"HTTP {status}", again=again, wait=wait, answered=status)
