"""What a data directory holds, read anew, and what must hold of it after a fault."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bilbaokg import integrity, settings
from bilbaokg.model import Release
from bilbaokg.operations import OPERATIONS
from bilbaokg.published import LOG, Switch
from bilbaokg.release import Releases
from bilbaokg.workspace import Workspace

__all__ = [
    "Records", "current", "half_built", "history", "operate", "records", "releases", "workspace",
]  # fmt: skip


@dataclass(frozen=True)
class Records:
    """Record id -> its exact text, and -> the statements that queries see; the audit's length."""

    texts: Mapping[str, str]
    graphs: Mapping[str, frozenset[str]]
    audited: int

    def whole(self, *states: Records) -> None:
        """Assert that each record is as in one of the states, and none of the first is lost."""
        assert states[0].texts.keys() <= self.texts.keys()
        for id, text in self.texts.items():
            pair = (text, self.graphs.get(id))
            known = [(r.texts[id], r.graphs[id]) for r in states if id in r.texts]
            assert pair in known, f"record {id} is half written"
        assert self.graphs.keys() == self.texts.keys()

    def count_as_in(self, other: Records) -> int:
        """How many records are as in the other state."""
        return len(self.texts.items() & other.texts.items())

    def same_as(self, other: Records) -> None:
        """Assert that both hold the same records, byte for byte."""
        assert self.texts == other.texts
        assert self.graphs == other.graphs


@contextlib.contextmanager
def workspace(data: Path) -> Iterator[Workspace]:
    """The workspace of a directory: opening it mends what a kill left."""
    with Workspace(data, settings.read(data)) as opened:
        yield opened


def operate(data: Path, name: str, **params: Any) -> dict[str, Any]:
    """One operation in this process."""
    with workspace(data) as opened:
        return OPERATIONS[name](opened, params, lambda *_: None)


def records(data: Path) -> Records:
    """All records, after the audit chain and every hash were verified."""
    with workspace(data) as opened:
        verified = OPERATIONS["audit.verify"](opened, {}, lambda *_: None)
        texts = {record.id: record.text for record in opened.records.all()}
        assert verified["records"] == len(texts)
        prefix = opened.records.graph("")
        graphs = {
            name[len(prefix) :]: frozenset(" ".join(q[:3]) for q in opened.store.match(graph=name))
            for name in opened.store.graphs()
            if name.startswith(prefix)
        }
    return Records(texts, graphs, verified["entries"])


def current(data: Path) -> Release | None:
    """What a reader sees without opening the store: the current release, verified."""
    found = Releases(data, settings.read(data))
    release = found.current()
    if release:
        integrity.check(release)
    return release


def releases(data: Path) -> list[Release]:
    """All releases that a reader sees, each verified."""
    found = Releases(data, settings.read(data))
    seen = found.list()
    for release in seen:
        integrity.check(release)
    return seen


def history(data: Path) -> Sequence[Switch]:
    """Which release was public from when, as the log says."""
    assert (data / "releases" / LOG).is_file()
    return Releases(data, settings.read(data)).history()


def half_built(data: Path) -> list[str]:
    """What lies in the folder of releases and is neither a release nor the link to one."""
    known = {release.id for release in releases(data)} | {"current", LOG}
    return sorted(path.name for path in (data / "releases").iterdir() if path.name not in known)
