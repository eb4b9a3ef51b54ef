"""The pages of a harvested source, on disk: `<data>/cache/harvest/{source}/`.

    now/    the harvest under way: pages.jsonl and one file a page, written in this order
    last/   the last one that was read whole: its pages are asked for only if they changed
    history.jsonl   one line a harvest: what came of it

`pages.jsonl` has a line about the harvest, a line about what was found at its address, then one a
page. A line is written when its file is whole, so a harvest that was killed goes on from there.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bilbaokg.errors import Conflict
from bilbaokg.harvesting.fetcher import Page
from bilbaokg.terms import slugify

__all__ = ["FOLDER", "Shelf"]

FOLDER: Final = "harvest"
_NOW, _LAST, _OLD = "now", "last", "old"
_INDEX: Final = "pages.jsonl"
_HISTORY: Final = "history.jsonl"
# What was fetched longer ago says too little of the portal of today.
_OLDEST: Final = timedelta(days=1)


class Shelf:
    """The pages of one source, in their order.

    pages, found: those of the harvest under way, and what was found at its address; before, known:
    the same of the last one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pages: dict[str, Page] = {}
        self.found: dict[str, str] = {}
        _, self.known, self.before = _read(folder / _LAST)

    @classmethod
    @contextmanager
    def opened(cls, data: Path, source: str) -> Iterator[Shelf]:
        """The shelf of a source, held by one harvest at a time. Raises Conflict."""
        name = f"{slugify(source)[:60]}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"
        folder = data / "cache" / FOLDER / name
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Conflict("it is being harvested", where=source, hint="wait for it") from None
            yield cls(folder)

    def begin(self, asked: dict[str, Any], *, anew: bool) -> None:
        """Go on with the harvest that was stopped if it asked the same, else start one."""
        head, self.found, self.pages = _read(self.folder / _NOW)
        young = head.get("at", "") >= (datetime.now(UTC) - _OLDEST).isoformat()
        if not anew and young and head == {**asked, "at": head["at"]}:
            self._mend(head)
            return
        self.discard()
        (self.folder / _NOW).mkdir()
        self._append({**asked, "at": datetime.now(UTC).isoformat()})

    def _mend(self, head: dict[str, Any]) -> None:
        """Write the index again, without a line that a kill cut: the next one would go on in it."""
        file = self.folder / _NOW / _INDEX
        part = file.with_suffix(".part")
        lines = [head, *([{"found": self.found}] if self.found else [])]
        lines += [asdict(page) for page in self.pages.values()]
        text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
        part.write_text(text, encoding="utf-8")
        part.replace(file)

    def find(self, found: dict[str, str]) -> None:
        """Remember what was found at the address of the source."""
        self.found = found
        self._append({"found": found})

    def target(self) -> Path:
        """Where the next page is to be written: never over one that is kept."""
        last = next(reversed(self.pages.values()), None)
        return self.folder / _NOW / f"{int(last.file) + 1 if last else 1:05}"

    def path(self, page: Page) -> Path:
        """The file of a page of the harvest under way."""
        return self.folder / _NOW / page.file

    def keep(self, page: Page) -> None:
        """Take in a page that was written and is good."""
        self.pages[page.address] = page
        self._append(asdict(page))

    def copy(self, before: Page) -> Page:
        """Take a page of the last harvest, which has not changed; it is kept with `keep`."""
        target = self.target()
        target.unlink(missing_ok=True)
        shutil.copyfile(self.folder / _LAST / before.file, target)
        return Page(**{**asdict(before), "file": target.name})

    def finish(self) -> None:
        """The pages are whole: they are what the next harvest compares with."""
        last, old = self.folder / _LAST, self.folder / _OLD
        shutil.rmtree(old, ignore_errors=True)
        if last.is_dir():
            last.rename(old)
        (self.folder / _NOW).rename(last)
        shutil.rmtree(old, ignore_errors=True)

    def discard(self) -> None:
        """Forget the harvest under way."""
        shutil.rmtree(self.folder / _NOW, ignore_errors=True)
        self.pages, self.found = {}, {}

    def tell(self, entry: dict[str, Any]) -> None:
        """Add a line to the history."""
        with (self.folder / _HISTORY).open("a", encoding="utf-8") as out:
            out.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def _append(self, line: dict[str, Any]) -> None:
        with (self.folder / _NOW / _INDEX).open("a", encoding="utf-8") as out:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
            out.flush()
            os.fsync(out.fileno())


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, str], dict[str, Page]]:
    """What was asked, what was found, and the pages whose files are as they were written."""
    lines = _lines(folder / _INDEX)
    head = next(lines, {})
    found: dict[str, str] = {}
    pages: dict[str, Page] = {}
    for line in lines:
        if "found" in line:
            found = line["found"]
            continue
        try:
            page = Page(**line)
        except TypeError:  # another version wrote it
            continue
        if _is_whole(folder / page.file, page):
            pages[page.address] = page
    return head, found, pages


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """The lines of an index up to one that a kill cut."""
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return
    for line in text.split("\n")[:-1]:
        try:
            yield json.loads(line)
        except ValueError:
            return


def _is_whole(file: Path, page: Page) -> bool:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == page.sha256
    except OSError:
        return False
