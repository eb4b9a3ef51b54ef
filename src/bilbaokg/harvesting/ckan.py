"""CKAN by its API: `package_search` in pages, or `package_list` and each `package_show`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from bilbaokg.errors import BadInput, SyntaxFault
from bilbaokg.gaps import counted
from bilbaokg.harvesting.dcat import is_page
from bilbaokg.harvesting.fetcher import Page, Trouble
from bilbaokg.harvesting.reading import Kind, Reading, Refusal, Start
from bilbaokg.harvesting.translating import translated
from bilbaokg.model import Problem
from bilbaokg.settings import Settings
from bilbaokg.terms import DCAT, ref
from bilbaokg.workers import Pool

__all__ = ["PROBES", "Ckan"]

_ACTION: Final = "api/3/action/"
PROBES: Final = (f"{_ACTION}package_search?rows=0", f"{_ACTION}package_list?limit=1")
"""What tells of a CKAN, below its address."""

_ROWS: Final = 100
# After so many pages of changes all is asked for again: some changes leave no date.
_MOST_CHANGES: Final = 20
_HEAD: Final = 4096
_DATASET: Final = ref(DCAT.Dataset)
_NAMED: Final = 10


class Ckan(Kind):
    """A CKAN. Its address is that of the portal, of its API or of one of the actions above.

    The order is that of ids, which stays the same while datasets are edited.
    """

    def __init__(self, start: Start) -> None:
        super().__init__(start)
        address = start.first.partition("?")[0].rstrip("/")
        self.site, found, rest = address.partition("/api/")
        version = rest.partition("/")[0] if found and rest[:1].isdecimal() else "3"
        self.action = f"{self.site}/api/{version}/action/"
        self.lists = rest.endswith("package_list")
        # IRIs are made of it: they must not change because it is not told once.
        self.site = start.known.get("site") or self.site
        self.language = self.language or start.known.get("language")
        self.since = start.known.get("newest") if start.before else None
        changes = sum("&fq=" in page for page in start.before)
        self.partial = bool(self.since) and not self.lists and changes < _MOST_CHANGES
        asked = self._search(0).partition("&start=")[0] + "&start="
        before = [page for page in start.before if "/package_search?" in page]
        # Of the last harvest, those that are not asked again now: the latest changes come first.
        self._kept = sorted(
            (page for page in before if self.partial and not page.startswith(asked)),
            key=lambda page: page.partition("&fq=")[2],
            reverse=True,
        )
        self._newest = self.since or ""
        self._names: list[str] | None = None
        self._taken: list[str] = []
        self._unplaced: Counter[str] = Counter()
        self._passed: list[str] = []

    @staticmethod
    def fits(page: Page, head: bytes) -> bool:
        """Whether it is an answer of the API."""
        return head.lstrip()[:1] == b"{" and b'"success"' in head

    def start(self) -> list[str]:
        """Where it is asked for changes alone: what there is, what changed, then what was known."""
        status, listing = f"{self.action}status_show", f"{self.action}package_list"
        if self.partial:
            return [status, listing, self._search(0), *self._kept]
        return [status, listing if self.lists else self._search(0)]

    def is_kept(self, address: str) -> bool:
        return address in self._kept

    def known(self) -> dict[str, str]:
        """What it calls itself, and when its newest dataset was changed, by its own clock."""
        found = {"site": self.site, "language": self.language, "newest": self._newest}
        return {name: value for name, value in found.items() if value}

    def is_optional(self, address: str) -> bool:
        return address.endswith("/status_show")

    def _search(self, start: int) -> str:
        changed = f"&fq=metadata_modified:%5B{self.since}Z+TO+*%5D" if self.partial else ""
        return f"{self.action}package_search?rows={_ROWS}{changed}&start={start}&sort=id+asc"

    def read(self, page: Page, file: Path, settings: Settings, pool: Pool) -> Reading:
        """The datasets of an answer, and what to ask next."""
        options = {
            "site": self.site,
            "language": self.language,
            "only": self._names,
            "skip": self._taken if self.partial else [],
        }
        try:
            parsed, about = translated(page, file, "ckan", options, settings, pool)
        except (SyntaxFault, BadInput) as error:
            with file.open("rb") as opened:
                if is_page(opened.read(_HEAD)):
                    words = "a web page came in place of JSON"
                    raise Trouble(words, where=page.address, again=True) from error
            raise
        facts = about["facts"]
        if "site" in facts:
            self.site, self.language = facts["site"], facts["language"] or None
        self._newest = max(self._newest, facts.get("newest", ""))
        self._taken += about["taken"]
        lists = "/package_list" in page.address
        if self.partial and lists:
            self._names = about["names"]
        self._unplaced.update(about["unplaced"])
        self._passed += about["passed"]
        return Reading(
            parsed,
            self._following(page.address, about),
            about["total"] if lists or not self.partial else None,
            {_DATASET: about["listed"], "passed": about["passed"]},
            [
                Refusal(name, reason, f"{page.address} {at}")
                for name, reason, at in about["refused"]
            ],
        )

    def _following(self, address: str, about: dict[str, Any]) -> list[str]:
        if about["names"] and not self.partial:
            return [f"{self.action}package_show?id={quote(n, safe='')}" for n in about["names"]]
        start = parse_qs(urlsplit(address).query).get("start")
        if start is None or not about["count"] or self.is_kept(address):
            return []
        # A portal may give fewer rows than it was asked for.
        reached = int(start[0]) + about["count"]
        return [self._search(reached)] if reached < (about["total"] or 0) else []

    def closing(self) -> list[Problem]:
        """What of the packages has no place in DCAT, and which are no datasets."""
        problems = []
        if self._unplaced:
            most = ", ".join(f"{name} ({n:,})" for name, n in self._unplaced.most_common(_NAMED))
            words = f"{counted(len(self._unplaced), 'field')} of CKAN left out"
            problems.append(Problem("warning", f"{words}: DCAT has no place for {most}"))
        if self._passed:
            words = f"{counted(len(self._passed), 'package')} passed over"
            names = ", ".join(sorted(self._passed)[:_NAMED])
            problems.append(Problem("info", f"{words}, private or no dataset: {names}"))
        return problems
