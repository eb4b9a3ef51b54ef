"""Verdicts on focus nodes that can be kept: what fails there, and what that depends on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import astuple
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from bilbaokg.shacl.collecting import uncollected
from bilbaokg.shacl.context import Context, Facts
from bilbaokg.shacl.explaining import Explainer, Said
from bilbaokg.shacl.finding import Finding
from bilbaokg.shacl.graph import Layers
from bilbaokg.shacl.loading import Loaded
from bilbaokg.shacl.prepared import Prepared
from bilbaokg.shacl.run import Run
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.shacl.spool import Spool
from bilbaokg.shacl.watching import Watched
from bilbaokg.workers import Pool, Put

__all__ = ["Told", "Verdict", "finding_of", "job", "judge", "judge_all", "one", "read_told"]

_BATCH: Final = 2_000
_SECONDS: Final = 600.0
_SLOWEST: Final = 5_000

Told = tuple[Finding, Facts, Said]
"""A finding with all that the data say of it."""


class Verdict(NamedTuple):
    """What was found at one focus node. A node that several targets find may have several.

    asked: the questions that it depends on (see watching.py), four bytes each. told: a JSON list
    for `read_told`; empty text where nothing fails.
    """

    focus: str
    asked: bytes
    told: str


def judge(
    data: Layers, prepared: Prepared, language: str, nodes: Iterable[str] | None = None
) -> Iterator[Verdict]:
    """The verdicts on all focus nodes, or on those of some nodes that are focus nodes.

    Over other layers than Watched it is not noted what they depend on. Raises Invalid for shapes
    that cannot be used.
    """
    watched = data if isinstance(data, Watched) else None
    run = Run(prepared.program, data)
    named = {term for _, kind, term in prepared.shapes.targets() if kind == "targetNode"}
    failing: dict[str, list[Finding]] = {}
    for focus, found in run.units() if nodes is None else run.units_of(nodes):
        if watched:
            watched.turn(focus)
            run.forget()
        findings = [f for f in found if f.focus in named or data.is_own(f.focus)]
        if findings:
            failing.setdefault(focus, []).extend(findings)
        else:
            yield Verdict(focus, watched.noted(focus) if watched else b"", "")
    turn = watched.turn if watched else None
    facts = Context(data, language, turn=turn).facts(failing)
    explainer = Explainer(prepared, data, language)
    for focus, findings in failing.items():
        if turn:
            turn(focus)
        rows = [(astuple(f), facts[focus][:4], explainer.look(f)) for f in findings]
        told = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        yield Verdict(focus, watched.noted(focus) if watched else b"", told)


def judge_all(
    loaded: Loaded, prepared: Prepared, language: str, pool: Pool, *, asking: bool
) -> Iterator[Verdict]:
    """The verdicts of shapes that end on all data; a spool is judged in parts by the workers.

    asking: of the shapes that queries have a part in; otherwise of all others, and what they depend
    on is noted. Raises what `judge` and workers raise.
    """
    if not isinstance(loaded.data, Spool):
        layers = Layers if asking else Watched
        data = layers(loaded.data, prepared.background)
        yield from judge(data, prepared.part(asking=asking), language)
        return
    params = {
        "folder": str(loaded.data.folder.absolute()),
        "language": language,
        "asking": asking,
    }
    given = {
        "shapes": prepared.shapes.packed().decode(),
        "background": list(prepared.background.lines()),
    }
    # Queries see all data in every worker: one alone is quicker and smaller.
    parts = 1 if asking else pool.size
    body = json.dumps(given).encode()
    deadline = _SECONDS + loaded.statements / parts / _SLOWEST

    def collect(number: int) -> list[Verdict]:
        part = {**params, "part": [number, parts]}
        frames = pool.run("verdicts", part, deadline, body=body, label="shapes")
        rows = (row for _, content in frames for row in json.loads(content))
        return [Verdict(focus, bytes.fromhex(asked), told) for focus, asked, told in rows]

    with ThreadPoolExecutor(parts) as threads:
        for verdicts in threads.map(collect, range(parts)):
            yield from verdicts


def job(params: dict[str, Any], body: bytes, put: Put) -> None:
    """Judge one part of a spool (see `judge_all`). Frames: batches of verdicts as JSON."""
    given = json.loads(body)
    shapes = Shapes.unpacked(given["shapes"])
    prepared = Prepared(shapes, given["background"], trusted=True).part(asking=params["asking"])
    number, parts = params["part"]
    layers = Layers if params["asking"] else Watched
    with uncollected(), closing(Spool(Path(params["folder"]), (number, parts))) as own:
        verdicts = judge(layers(own, prepared.background), prepared, params["language"])
        rows = ([focus, asked.hex(), told] for focus, asked, told in verdicts)
        while batch := list(islice(rows, _BATCH)):
            put({}, json.dumps(batch).encode())


def read_told(text: str, same: dict[str, str]) -> Iterator[Told]:
    """What a verdict tells; equal texts become one in memory, kept in `same`."""
    for finding, facts, said in json.loads(text) if text else ():
        yield (
            finding_of(finding, same),
            Facts(*(one(value, same) for value in facts)),
            Said(*(one(value, same) for value in said)),
        )


def finding_of(row: list[Any], same: dict[str, str]) -> Finding:
    """The finding of a row of JSON; equal texts become one in memory."""
    focus, component, severity, shape, path, value = (one(text, same) for text in row[:6])
    messages = tuple(one(message, same) for message in row[6])
    details = tuple(finding_of(detail, same) for detail in row[7])
    source = one(row[8], same)
    return Finding(focus, component, severity, shape, path, value, messages, details, source)


def one(value: Any, same: dict[str, str]) -> Any:
    """A value of JSON; equal texts become one in memory."""
    return same.setdefault(value, value) if isinstance(value, str) else value
