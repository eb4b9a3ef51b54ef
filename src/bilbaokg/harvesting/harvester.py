"""The walk from page to page: finding out what a portal offers, fetching it whole, reading it.

A page is fetched, read, and only then kept: what cannot be read is asked for again, as half a page
may be whole the next time.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, TypeVar

import httpx

from bilbaokg.errors import BadInput, BilbaokgError, Overloaded, SyntaxFault, UpstreamFault
from bilbaokg.fetching.guard import GuardedTransport
from bilbaokg.fetching.polite import Polite, user_agent
from bilbaokg.gaps import counted
from bilbaokg.harvesting.ckan import PROBES, Ckan
from bilbaokg.harvesting.dcat import Dcat
from bilbaokg.harvesting.fetcher import Fetcher, Limits, Page, Trouble
from bilbaokg.harvesting.reading import Disagreement, Harvested, Kind, Reading, Start
from bilbaokg.harvesting.shelf import Shelf
from bilbaokg.harvesting.table import Table
from bilbaokg.settings import Settings
from bilbaokg.workers import Pool

__all__ = ["KINDS", "Asked", "Harvester", "Tally"]

KINDS: Final[dict[str, type[Kind]]] = {"dcat": Dcat, "ckan": Ckan, "csv": Table}
"""Kinds of portals. A new one is a module here and a line."""

_TRIES: Final = 4
_PORTS: Final = {"http": 80, "https": 443}
# Where portals keep their feed or their API, below the address that people know.
_PLACES: Final = ("catalog.ttl", "catalog.rdf", *PROBES)
_NOT_THERE: Final = frozenset({401, 403, 404, 405, 410})
_HEAD: Final = 4096
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """What to harvest and how.

    kind: a name of KINDS, or None to find out; language: that of texts which say none; columns:
    what is where in a table; pause, timeout: seconds between two requests, and for one answer.
    """

    url: str
    kind: str | None = None
    language: str | None = None
    columns: Mapping[str, str] | None = None
    allow_private: bool = False
    ignore_robots: bool = False
    ignore_total: bool = False
    anew: bool = False
    pause: float = 0.5
    timeout: float = 60.0
    limits: Limits = field(default_factory=Limits)


@dataclass(slots=True)
class Tally:
    """What a harvest took. pages: read in all; not_modified: known already; resumed: fetched by a
    harvest that was stopped; bytes: as they came; retries: requests made again."""

    pages: int = 0
    not_modified: int = 0
    resumed: int = 0
    requests: int = 0
    retries: int = 0
    bytes: int = 0


class Harvester:
    """One harvest; its `tally` is right also where it failed."""

    def __init__(
        self,
        asked: Asked,
        shelf: Shelf,
        settings: Settings,
        pool: Pool,
        tell: Callable[[int, int | None, str], None],
    ) -> None:
        self.asked, self.shelf, self.settings, self.pool, self.tell = (
            asked, shelf, settings, pool, tell,
        )  # fmt: skip
        self.tally = Tally()
        # What was fetched to find out what it is, and is not read yet.
        self._fresh: dict[str, Page] = {}
        self._until = time.monotonic() + asked.limits.seconds

    def run(self) -> Harvested:
        """Everything that the portal lists. Raises UpstreamFault, and what parsing raises."""
        try:
            url = httpx.URL(self.asked.url)
        except httpx.InvalidURL as error:
            raise BadInput(f"it is no address: {error}", where=self.asked.url) from None
        if url.scheme not in _PORTS or not url.host:
            raise BadInput("it is no http(s) address", where=self.asked.url)
        if url.userinfo:
            # The address is kept: in the audit, with the source, in messages.
            raise BadInput("it holds a name or a password", where=url.host, hint="leave them out")
        return asyncio.run(self._run(url))

    async def _run(self, url: httpx.URL) -> Harvested:
        home = (url.raw_host.decode("ascii").strip("[]"), url.port or _PORTS[url.scheme])
        transport = GuardedTransport(known={home} if self.asked.allow_private else ())
        about = "" if "//localhost" in self.settings.public_url else self.settings.public_url
        headers = {
            "User-Agent": user_agent(f"harvest; +{about}" if about else "harvest"),
            "Accept": "text/turtle, application/rdf+xml;q=0.9, */*;q=0.5",
            "Accept-Encoding": "gzip",
        }
        wanted = {"url": self.asked.url, "kind": self.asked.kind}
        self.shelf.begin(wanted, anew=self.asked.anew)
        async with httpx.AsyncClient(
            transport=transport, headers=headers, timeout=self.asked.timeout, trust_env=False
        ) as client:
            polite = Polite(
                client, timeout=self.asked.timeout, pause=self.asked.pause,
                ask_robots=not self.asked.ignore_robots,
            )  # fmt: skip
            self.fetcher = Fetcher(polite, self.asked.limits)
            try:
                return await self._whole(wanted)
            finally:
                self.tally.requests = self.fetcher.requests
                self.tally.bytes = self.fetcher.bytes

    async def _whole(self, wanted: dict[str, Any]) -> Harvested:
        """Everything; where changes alone do not make a whole, all is asked for anew."""
        if not self.shelf.found:
            self.shelf.find(await self._found())
        kind = self._begun(anew=self.asked.anew)
        try:
            return await self._walked(kind)
        except UpstreamFault as error:
            if isinstance(error, Disagreement):
                self.shelf.discard()
            if not kind.partial or getattr(error, "again", False):
                raise
        found = {name: self.shelf.known[name] for name in ("kind", "first")}
        self.shelf.begin(wanted, anew=True)
        self.shelf.find(found)
        self.tally.pages = self.tally.not_modified = self.tally.resumed = 0
        return await self._walked(self._begun(anew=True))

    def _begun(self, *, anew: bool) -> Kind:
        """The portal, with what the last harvest knew of it where it is the same one."""
        found, known = self.shelf.found, self.shelf.known
        asked = Start(found["first"], self.asked.language, self.asked.columns)
        if found.items() <= known.items():
            asked = replace(asked, known=known, before={} if anew else self.shelf.before)
        return KINDS[found["kind"]](asked)

    async def _walked(self, kind: Kind) -> Harvested:
        """The walk from page to page. Raises Disagreement, and what a page raises."""
        harvested = Harvested()
        queue = deque(kind.start())
        seen: set[str] = set()
        bodies: set[str] = set()
        hosts = {_host(self.asked.url), _host(kind.begin.first)}
        while queue:
            address = queue.popleft()
            self._refuse_strange(address, seen, hosts)
            try:
                page, reading = await self._page(address, kind)
            except Trouble as trouble:
                if kind.is_optional(address) and trouble.answered in _NOT_THERE:
                    continue
                raise
            if page.sha256 in bodies:
                raise Disagreement("it is the same as a page before it", where=address)
            seen.add(address)
            bodies.add(page.sha256)
            self.fetcher.kept += page.size
            hosts.add(_host(page.url))
            harvested.add(reading)
            queue.extendleft(reversed(reading.following))
            if len(seen) + len(queue) > self.asked.limits.pages:
                words = f"over {counted(self.asked.limits.pages, 'page')}"
                raise Disagreement(words, where=address, hint="raise it with --max-pages")
            self.tally.pages += 1
            self.tell(self.tally.pages, None, f"page {self.tally.pages}: {address[:80]}")
        harvested.notes += kind.closing()
        harvested.agree(self.asked.url, ignore_total=self.asked.ignore_total)
        self.shelf.find({**self.shelf.found, **kind.known()})
        return harvested

    def _refuse_strange(self, address: str, seen: set[str], hosts: set[str]) -> None:
        """Raises Disagreement for a page that leads nowhere good."""
        if address in seen:
            raise Disagreement("its pages lead in a circle", where=address)
        if _host(address) not in hosts:
            raise Disagreement(
                f"the next page is at another host, {_host(address) or 'none'}", where=address,
                hint="the portal writes wrong links: harvest it at the address that it names",
            )  # fmt: skip

    # ---- one page

    async def _page(self, address: str, kind: Kind) -> tuple[Page, Reading]:
        """A page and what it says; asked for again while that may help. Raises BilbaokgError."""
        if kept := self.shelf.pages.get(address):
            self.tally.resumed += 1
            return kept, self._read(kept, kind)
        if kind.is_kept(address):
            self.tally.not_modified += 1
            page = self.shelf.copy(self.shelf.before[address])
            self.shelf.keep(page)
            return page, self._read(page, kind)

        async def once() -> tuple[Page, Reading]:
            page = self._fresh.pop(address, None) or await self._fetched(address)
            reading = self._read(page, kind)
            self.shelf.keep(page)
            return page, reading

        return await self._again(once)

    async def _fetched(self, address: str) -> Page:
        before = self.shelf.before.get(address)
        page = await self.fetcher.fetch(address, self.shelf.target(), before)
        if page is None and before:
            self.tally.not_modified += 1
            page = self.shelf.copy(before)
        if page is None:
            raise Trouble("it says that what we never had is unchanged", where=address)
        return page

    def _read(self, page: Page, kind: Kind) -> Reading:
        """What a page says; errors name its address instead of our file."""
        file = self.shelf.path(page)
        try:
            return kind.read(page, file, self.settings, self.pool)
        except BilbaokgError as error:
            error.where = (error.where or page.address).replace(str(file.absolute()), page.address)
            raise

    async def _again(self, once: Callable[[], Awaitable[T]]) -> T:
        """Do something up to four times, with longer and longer pauses in between."""
        for attempt in itertools.count(1):
            if time.monotonic() > self._until:
                raise Trouble(
                    f"it was not done in {self.asked.limits.seconds:,.0f} s",
                    where=self.asked.url, hint="start it again: it goes on where it stopped",
                )  # fmt: skip
            try:
                return await once()
            except BilbaokgError as error:
                wait = _wait(error)
                if wait is None or attempt == _TRIES:
                    raise
                self.tally.retries += 1
                self.tell(self.tally.pages, None, f"again: {error.message[:80]}")
                await asyncio.sleep(max(wait, self.asked.pause * 2**attempt))
        raise AssertionError  # the count has no end

    # ---- what is at an address

    async def _found(self) -> dict[str, str]:
        """The kind of the portal and where it begins. Raises Trouble."""
        url = self.asked.url
        if self.asked.kind:
            return {"kind": self.asked.kind, "first": url}
        said = "it is a page for people"
        for address in dict.fromkeys([url, *_places(url)]):
            try:
                page = await self._again(partial(self._fetched, address))
            except Trouble as trouble:
                absent = trouble.answered in _NOT_THERE
                if address == url and not absent:
                    raise
                # That it is nowhere else is no news; that it may not be asked there is.
                said = trouble.message if address == url or not absent else said
                continue
            if kind := self._kind(page):
                self._fresh[address] = page
                return {"kind": kind, "first": address}
        raise Trouble(
            f"{said}, and no feed is where portals mostly have one",
            where=url, hint="give the address of the feed itself, or say what it is with --kind",
        )  # fmt: skip

    def _kind(self, page: Page) -> str | None:
        """What a page looks like: a name of KINDS."""
        with self.shelf.path(page).open("rb") as opened:
            head = opened.read(_HEAD)
        return next((name for name, kind in KINDS.items() if kind.fits(page, head)), None)


def _places(url: str) -> list[str]:
    """Where a portal may have what is no page: below an address, and below its host."""
    below = f"{url.partition('?')[0].partition('#')[0].rstrip('/')}/"
    root = str(httpx.URL(url).copy_with(raw_path=b"/", fragment=None))
    return [f"{place}{path}" for place in (below, root) for path in _PLACES]


def _wait(error: BilbaokgError) -> float | None:
    """Seconds to wait before a page is asked for again; None where that does not help."""
    if isinstance(error, Trouble):
        return error.wait if error.again else None
    if type(error) is Overloaded and "retry_after" in error.extra:
        # No worker was free to read it.
        return float(error.extra["retry_after"])
    # Half a page is a fault of syntax.
    return 0.0 if isinstance(error, SyntaxFault) else None


def _host(url: str) -> str:
    """The host of an address, with its port where that is not the usual one."""
    try:
        return httpx.URL(url).netloc.decode("ascii").lower()
    except (httpx.InvalidURL, UnicodeError):
        return ""
