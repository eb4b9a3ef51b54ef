"""CKAN by its API: `package_search` in pages, or `package_list` and each `package_show`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from bilbaokg.errors import BadInput, SyntaxFault
from bilbaokg.gaps import counted
from bilbaokg.harvesting.dcat import is_page
from bilbaokg.harvesting.fetcher import Page, Trouble
from bilbaokg.harvesting.reading import Kind, Reading, Refusal
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
_HEAD: Final = 4096
_DATASET: Final = ref(DCAT.Dataset)
_NAMED: Final = 10


class Ckan(Kind):
    """A CKAN. Its address is that of the portal, of its API or of one of the actions above.

    The order is that of ids, which stays the same while datasets are edited.
    """

    def __init__(
        self,
        first: str,
        language: str | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(first, language, columns)
        address = first.partition("?")[0].rstrip("/")
        self.site, found, rest = address.partition("/api/")
        version = rest.partition("/")[0] if found and rest[:1].isdecimal() else "3"
        self.action = f"{self.site}/api/{version}/action/"
        self.lists = rest.endswith("package_list")
        self._unplaced: Counter[str] = Counter()
        self._passed: list[str] = []

    @staticmethod
    def fits(page: Page, head: bytes) -> bool:
        """Whether it is an answer of the API."""
        return head.lstrip()[:1] == b"{" and b'"success"' in head

    def start(self) -> list[str]:
        first = f"{self.action}package_list" if self.lists else self._search(0)
        return [f"{self.action}status_show", first]

    def is_optional(self, address: str) -> bool:
        return address.endswith("/status_show")

    def _search(self, start: int) -> str:
        return f"{self.action}package_search?rows={_ROWS}&start={start}&sort=id+asc"

    def read(self, page: Page, file: Path, settings: Settings, pool: Pool) -> Reading:
        """The datasets of an answer, and what to ask next."""
        options = {"site": self.site, "language": self.language}
        try:
            parsed, about = translated(page, file, "ckan", options, settings, pool)
        except (SyntaxFault, BadInput) as error:
            with file.open("rb") as opened:
                if is_page(opened.read(_HEAD)):
                    words = "a web page came in place of JSON"
                    raise Trouble(words, where=page.address, again=True) from error
            raise
        if facts := about["facts"]:
            self.site, self.language = facts["site"], facts["language"] or None
        self._unplaced.update(about["unplaced"])
        self._passed += about["passed"]
        return Reading(
            parsed,
            self._following(page.address, about),
            about["total"],
            {_DATASET: about["listed"], "passed": about["passed"]},
            [
                Refusal(name, reason, f"{page.address} {at}")
                for name, reason, at in about["refused"]
            ],
        )

    def _following(self, address: str, about: dict[str, Any]) -> list[str]:
        if about["names"]:
            return [f"{self.action}package_show?id={quote(n, safe='')}" for n in about["names"]]
        start = parse_qs(urlsplit(address).query).get("start")
        if start is None or not about["count"]:
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
