"""The titles of a web page: the job that a worker runs.

Datasets that it describes as schema.org does, in JSON-LD, count before the page itself.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

from bilbaokg.terms import DCAT
from bilbaokg.workers.frames import Put

__all__ = ["job"]

_MOST_BLOCKS: Final = 20
_MOST_NODES: Final = 10_000


def job(params: dict[str, Any], body: bytes, put: Put) -> None:
    """Read the page at `params["path"]`: a frame `{"page": {"titles": [[tag, text]], "kind"}}`."""
    content = Path(params["path"]).read_bytes()
    try:
        text = content.decode(params["charset"] or "utf-8-sig", "replace")
    except LookupError:
        text = content.decode("utf-8-sig", "replace")
    if text.lstrip()[:1] in ("{", "["):
        language, titles, blocks = "", [], [text]
    else:
        reader = _Reader()
        reader.feed(text)
        reader.close()
        language, titles, blocks = reader.language, reader.titles(), reader.blocks
    kind = ""
    for node in _nodes(blocks):
        told = list(_named(node, language))
        if told and _is_dataset(node):
            titles, kind = told, DCAT.Dataset
            if params["iri"] in (node.get("@id"), node.get("url")):
                break
    put({"page": {"titles": [(tag, _whole(text)) for tag, text in titles], "kind": kind}}, b"")


def _whole(text: str) -> str:
    """A text without half characters, which JSON can hold and UTF-8 cannot."""
    return text.encode(errors="replace").decode()


class _Reader(HTMLParser):
    """Collects the language of a page, its titles, and its blocks of JSON-LD."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.language, self.shared, self.blocks = "", "", list[str]()
        self._title: list[str] = []
        self._held: list[str] | None = None
        self._is_block = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in reversed(attrs)}
        if tag == "html":
            self.language = self.language or given.get("lang", given.get("xml:lang", ""))
        elif tag == "meta" and given.get("property") == "og:title":
            self.shared = self.shared or given.get("content", "")
        elif tag == "title" and not self._title:
            self._held, self._is_block = self._title, False
        elif tag == "script" and given.get("type", "").strip().lower() == "application/ld+json":
            self._held, self._is_block = [], True

    def handle_data(self, data: str) -> None:
        if self._held is not None:
            self._held.append(data)

    def handle_endtag(self, tag: str) -> None:
        if self._held is None or tag not in ("title", "script"):
            return
        if self._is_block and len(self.blocks) < _MOST_BLOCKS:
            self.blocks.append("".join(self._held))
        self._held = None

    def titles(self) -> list[tuple[str, str]]:
        """What the page calls itself: to those who share it, where it says so."""
        told = self.shared.strip() or "".join(self._title).strip()
        return [(self.language, told)] if told else []


def _nodes(blocks: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The objects in some JSON, the outer ones first."""
    for block in blocks:
        try:
            waiting = deque([json.loads(block)])
        except (ValueError, RecursionError):
            continue
        for _ in range(_MOST_NODES):
            if not waiting:
                break
            node = waiting.popleft()
            if isinstance(node, dict):
                yield node
                waiting += node.values()
            elif isinstance(node, list):
                waiting += node


def _is_dataset(node: Mapping[str, Any]) -> bool:
    said = node.get("@type")
    types = said if isinstance(said, list) else [said]
    return any(re.split(r"[/#:]", each)[-1] == "Dataset" for each in types if isinstance(each, str))


def _named(node: Mapping[str, Any], language: str) -> Iterator[tuple[str, str]]:
    """The names of an object of schema.org, by language."""
    said = node.get("name", node.get("schema:name"))
    for name in said if isinstance(said, list) else [said]:
        if isinstance(name, str):
            yield language, name
        elif isinstance(name, dict) and isinstance(name.get("@value"), str):
            tag = name.get("@language")
            yield (tag if isinstance(tag, str) else language), name["@value"]
