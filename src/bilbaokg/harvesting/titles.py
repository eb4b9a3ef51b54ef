"""Asking for the titles of things elsewhere: each at its own address, a host at a time.

Hosts are asked side by side, and of each one thing after the other. A host that asks us to stay
away, or does not answer, is left alone for the rest of the run.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx

from bilbaokg.elsewhere import Words
from bilbaokg.errors import BilbaokgError, Overloaded
from bilbaokg.fetching.guard import GuardedTransport
from bilbaokg.fetching.polite import Polite, user_agent
from bilbaokg.harvesting.fetcher import Fetcher, Limits, Page, Trouble
from bilbaokg.harvesting.words import read
from bilbaokg.settings import MIB, Settings
from bilbaokg.workers import Pool

__all__ = ["Found", "Manner", "Titles", "Visit", "Visits"]

GONE: Final = frozenset({404, 410})
"""Answers which say that there is no such thing any more."""
_BUSY: Final = frozenset({429, 503})
_ACCEPT: Final = (
    "text/turtle, application/rdf+xml;q=0.9, application/ld+json;q=0.9,"
    " application/n-triples;q=0.8, text/html;q=0.5, application/xhtml+xml;q=0.5"
)
_LIMITS: Final = Limits(page_bytes=4 * MIB, total_bytes=1 << 40, wait=0.0)
_AT_ONCE: Final = 8
_BATCH: Final = 50
# Failures of one host after which it is not asked again in this run.
_PATIENCE: Final = 3


@dataclass(frozen=True, slots=True)
class Manner:
    """How to ask. pause, timeout: seconds between two requests to a host, and for an answer;
    seconds: for the run; private: hosts with their ports that may have private addresses."""

    pause: float = 0.5
    timeout: float = 20.0
    seconds: float = 3600.0
    private: Collection[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """When a thing was last asked for, whether that told anything, and the page with its
    validators."""

    at: str
    answered: bool
    page: Page | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What came of asking for a thing.

    words: None where nothing new is known of it; state: told, same, nameless, gone or failed.
    """

    iri: str
    state: str
    visit: Visit
    words: Words | None = None
    trouble: BilbaokgError | None = None


class Visits:
    """What is remembered from one run to the next, in a file; without it all is asked for anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.held: dict[str, Visit] = {}
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            for iri, visit in told.items():
                page = Page(**visit["page"]) if visit["page"] else None
                self.held[iri] = Visit(visit["at"], visit["answered"], page)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            self.held = {}

    def due(self, iris: Iterable[str], days: int) -> list[str]:
        """Those that were not asked for in so many days, or did not answer."""
        since = _stamp(datetime.now(UTC) - timedelta(days=days))
        visits = ((iri, self.held.get(iri)) for iri in iris)
        return [iri for iri, visit in visits if not (visit and visit.answered and visit.at > since)]

    def keep(self, found: Iterable[Found], among: Collection[str]) -> None:
        """Remember what was asked for now, and forget all that is not among these things."""
        self.held |= {each.iri: each.visit for each in found}
        told = {iri: asdict(visit) for iri, visit in self.held.items() if iri in among}
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        part.replace(self.path)


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _hint(trouble: Trouble) -> str | None:
    """The hint of a harvest in terms of this verb, which asks many hosts."""
    if "private address" in trouble.message:
        return "of your own network? give --private-host HOST:PORT"
    return "ask the portal to let in the agent bilbaokg" if "robots" in trouble.message else None


@dataclass(slots=True)
class _Host:
    """The things at one host that are still to be asked for, and how often it failed in a row."""

    iris: list[str] = field(default_factory=list)
    failures: int = 0

    def note(self, found: Found) -> None:
        """Count a failure to answer; one that asks us to stay away counts for all."""
        if found.state != "failed":
            self.failures = 0
        elif isinstance(found.trouble, Trouble) and found.trouble.answered in _BUSY:
            self.failures = _PATIENCE
        else:
            self.failures += 1


class Titles:
    """One run. `left` are the things that it did not come to."""

    def __init__(self, manner: Manner, folder: Path, settings: Settings, pool: Pool) -> None:
        self.manner, self.folder, self.settings, self.pool = manner, folder, settings, pool
        self.left: list[str] = []
        self._until = time.monotonic() + manner.seconds
        self._numbers = itertools.count()
        self._waiting: list[Found] = []

    def run(
        self,
        iris: Iterable[str],
        visits: Mapping[str, Visit],
        save: Callable[[list[Found]], None],
    ) -> None:
        """Ask for things, and hand over what came, some at a time. visits: those whose words are
        known, which need not come again."""
        asyncio.run(self._run(list(iris), visits, save))

    async def _run(
        self, iris: list[str], visits: Mapping[str, Visit], save: Callable[[list[Found]], None]
    ) -> None:
        about = "" if "//localhost" in self.settings.public_url else self.settings.public_url
        headers = {
            "User-Agent": user_agent(f"titles; +{about}" if about else "titles"),
            "Accept": _ACCEPT, "Accept-Encoding": "gzip",
        }  # fmt: skip
        hosts: dict[str, _Host] = {}
        for iri in iris:
            hosts.setdefault(iri.split("/")[2].lower(), _Host()).iris.append(iri)
        turns = asyncio.Semaphore(_AT_ONCE)
        transport = GuardedTransport(known=self.manner.private)
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            async with httpx.AsyncClient(
                transport=transport, headers=headers, timeout=self.manner.timeout, trust_env=False
            ) as client:
                polite = Polite(client, timeout=self.manner.timeout, pause=self.manner.pause)
                fetcher = Fetcher(polite, _LIMITS)

                async def ask(host: _Host) -> None:
                    async with turns:
                        await self._host(host, fetcher, Path(folder), visits, save)

                try:
                    await asyncio.gather(*map(ask, hosts.values()))
                finally:
                    save(self._waiting)

    async def _host(
        self,
        host: _Host,
        fetcher: Fetcher,
        folder: Path,
        visits: Mapping[str, Visit],
        save: Callable[[list[Found]], None],
    ) -> None:
        while host.iris:
            if host.failures >= _PATIENCE or time.monotonic() > self._until:
                self.left += host.iris
                return
            found = await self._one(host.iris.pop(0), fetcher, folder, visits)
            host.note(found)
            self._waiting.append(found)
            if len(self._waiting) >= _BATCH:
                ready, self._waiting = self._waiting, []
                save(ready)

    async def _one(
        self, iri: str, fetcher: Fetcher, folder: Path, visits: Mapping[str, Visit]
    ) -> Found:
        at = _stamp(datetime.now(UTC))
        before = visits[iri].page if iri in visits else None
        file = folder / str(next(self._numbers))
        try:
            page = await fetcher.fetch(iri, file, before)
        except Trouble as trouble:
            trouble.hint = _hint(trouble)
            if trouble.answered in GONE:
                return Found(iri, "gone", Visit(at, True), Words(at=at, gone=at))
            closed = 400 <= (trouble.answered or 0) < 500 and not trouble.again
            return Found(iri, "failed", Visit(at, closed), trouble=trouble)
        if page is None:
            return Found(iri, "same", Visit(at, True, before))
        try:
            words = await asyncio.to_thread(read, iri, page, file, self.settings, self.pool)
        except BilbaokgError as error:
            error.where = iri
            return Found(iri, "nameless", Visit(at, not isinstance(error, Overloaded)), None, error)
        finally:
            file.unlink(missing_ok=True)
        if not words.titles:
            return Found(iri, "nameless", Visit(at, True))
        return Found(iri, "told", Visit(at, True, page), Words(words.titles, words.kind, at))
