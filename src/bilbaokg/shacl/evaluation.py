"""Evaluation in processes that can be killed: of parts of large data, and of foreign shapes.

Each worker gets the prepared shapes and either the data or the folder of a spool with the number of
its part, and answers with findings and the facts about their focus nodes. A shape that never ends
is named: workers note before each test that may hang which shape it is for (see Mark).
"""

from __future__ import annotations

import json
import mmap
import struct
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import astuple, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from bilbaokg.errors import DeadlineExceeded
from bilbaokg.shacl.collecting import uncollected
from bilbaokg.shacl.context import Context, Facts, Lines
from bilbaokg.shacl.engine import load
from bilbaokg.shacl.finding import Finding
from bilbaokg.shacl.graph import Graph, Layers
from bilbaokg.shacl.judging import finding_of, one
from bilbaokg.shacl.loading import Loaded
from bilbaokg.shacl.prepared import Prepared
from bilbaokg.shacl.report import Unfinished
from bilbaokg.shacl.run import ignore
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.shacl.spool import Spool
from bilbaokg.workers import Pool, Put

__all__ = ["Outcome", "in_process", "in_workers", "job"]

_BATCH: Final = 2_000
_FOREIGN_SECONDS: Final = 30.0
_TRUSTED_SECONDS: Final = 600.0
# Statements a second that an engine checks at the least.
_SLOWEST: Final = {"fast": 10_000, "pyshacl": 20}
# A test that has run for so long did not end.
_HANGING_SECONDS: Final = 2.0


@dataclass(slots=True)
class Outcome:
    """What an evaluation found, and how many focus nodes it looked at."""

    findings: list[tuple[Finding, Facts]] = field(default_factory=list)
    focus_nodes: int = 0


def in_process(
    engine: str,
    data: Layers,
    prepared: Prepared,
    context: Context,
    entering: Callable[[str], None] = ignore,
) -> Outcome:
    """Evaluate here. Findings inside what is known beside the data are left out.

    Raises BadInput for an unknown engine, Invalid for shapes that cannot be used.
    """
    checked = load(engine)(data, prepared, entering)
    targets = prepared.shapes.targets()
    named = {term for _, kind, term in targets if kind == "targetNode"}
    findings = [f for f in checked.findings if f.focus in named or data.is_own(f.focus)]
    facts = context.facts(f.focus for f in findings)
    return Outcome([(f, facts[f.focus]) for f in findings], checked.focus_nodes)


def in_workers(
    engine: str,
    data: Layers,
    prepared: Prepared,
    pool: Pool,
    *,
    language: str,
    loaded: Loaded,
    file: str | None = None,
    without: Iterable[str] = (),
) -> Outcome:
    """Evaluate in the workers of a pool: a spool in as many parts as there are workers.

    The last of the layers is the background of the prepared shapes. without: shapes to leave out.
    Raises Unfinished naming the shape that did not end, DeadlineExceeded where none can be blamed,
    and what `in_process` and workers raise.
    """
    own = data.own
    folder = own.folder if isinstance(own, Spool) else None
    parts = pool.size if folder and engine == "fast" else 1
    body = {
        "shapes": prepared.shapes.packed().decode(),
        "background": list(prepared.background.lines()),
        "known": [line for layer in data.others[:-1] for line in layer.lines()],
        "data": None if folder else list(own.lines()),
        "places": None if folder else dict(loaded.places),
    }
    params = {
        "engine": engine,
        "folder": str(folder.absolute()) if folder else None,
        "language": language,
        "without": list(without),
        "file": file,
    }
    seconds = _TRUSTED_SECONDS if prepared.trusted else _FOREIGN_SECONDS
    deadline = seconds + loaded.statements / parts / _SLOWEST[engine]
    content = json.dumps(body).encode()
    with ThreadPoolExecutor(parts) as threads:
        jobs = [
            threads.submit(_collect, pool, {**params, "part": [n, parts]}, content, deadline)
            for n in range(parts)
        ]
        outcomes = [job.result() for job in jobs]
    findings = [pair for outcome in outcomes for pair in outcome.findings]
    return Outcome(findings, sum(outcome.focus_nodes for outcome in outcomes))


def _collect(pool: Pool, params: dict[str, Any], body: bytes, deadline: float) -> Outcome:
    outcome = Outcome()
    same: dict[str, str] = {}
    with tempfile.NamedTemporaryFile(prefix="bilbaokg-", suffix=".mark") as file:
        mark = Mark.make(Path(file.name))
        params = params | {"mark": file.name}
        try:
            for header, content in pool.run("shacl", params, deadline, body=body, label="shapes"):
                if content:
                    outcome.findings += (_pair(row, same) for row in json.loads(content))
                outcome.focus_nodes = header.get("focus_nodes", 0)
        except DeadlineExceeded:
            if node := mark.hanging():
                raise Unfinished(node, deadline) from None
            raise
    return outcome


def _pair(row: list[Any], same: dict[str, str]) -> tuple[Finding, Facts]:
    """A finding and its facts again; equal texts become one in memory."""
    finding, facts = row
    return finding_of(finding, same), Facts(*(one(value, same) for value in facts))


# ---- which shape a worker is at


class Mark:
    """A note that one process writes and another reads after its end: since when, which shape."""

    _HEAD: Final = struct.Struct("<dI")
    _SIZE: Final = 4096

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), self._SIZE)
        self._node = ""

    @classmethod
    def make(cls, path: Path) -> Mark:
        """A new mark in a file."""
        path.write_bytes(bytes(cls._SIZE))
        return cls(path)

    def __call__(self, node: str) -> None:
        text = node.encode()[: self._SIZE - self._HEAD.size]
        if node != self._node:
            self._map[self._HEAD.size : self._HEAD.size + len(text)] = text
            self._node = node
        self._HEAD.pack_into(self._map, 0, time.monotonic(), len(text))

    def hanging(self) -> str | None:
        """The shape whose test began long ago and was followed by no other."""
        since, length = self._HEAD.unpack_from(self._map)
        if not since or time.monotonic() - since < _HANGING_SECONDS:
            return None
        return self._map[self._HEAD.size : self._HEAD.size + length].decode(errors="replace")


# ---- the worker's side


def job(params: dict[str, Any], body: bytes, put: Put) -> None:
    """Evaluate one part (see `in_workers`). Frames: batches of findings with facts, as JSON."""
    with uncollected():
        outcome = _evaluate(params, json.loads(body))
    rows = ([astuple(finding), facts] for finding, facts in outcome.findings)
    while batch := list(islice(rows, _BATCH)):
        put({}, json.dumps(batch).encode())
    put({"focus_nodes": outcome.focus_nodes}, b"")


def _evaluate(params: dict[str, Any], given: dict[str, Any]) -> Outcome:
    prepared = Prepared(Shapes.unpacked(given["shapes"]), given["background"], trusted=False)
    for node in params["without"]:
        prepared.program.leave_out(node)
    known = [Graph(given["known"])] if given["known"] else []
    with ExitStack() as stack:
        own: Graph | Spool
        places: Lines
        if params["folder"]:
            number, parts = params["part"]
            own = stack.enter_context(closing(Spool(Path(params["folder"]), (number, parts))))
            places = own.places()
        else:
            own, places = Graph(given["data"]), _places(given["places"])
        data = Layers(own, *known, prepared.background)
        context = Context(data, params["language"], places, params["file"])
        return in_process(params["engine"], data, prepared, context, Mark(Path(params["mark"])))


def _places(given: dict[str, Any]) -> Lines:
    """Places as they were before they travelled as JSON, which has no tuples."""
    return {node: tuple(p) if isinstance(p, list) else p for node, p in given.items()}
