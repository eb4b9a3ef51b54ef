"""Reading RDF that strangers wrote: the job that a worker runs.

Nothing here may run in the owner process on foreign bytes: inputs of a few kilobytes crash or hang
parsers. The job streams N-Triples lines, so a large file does not need large memory twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bilbaokg.parsing.reading import Reading
from bilbaokg.parsing.sifting import NO_BASE, Frame, Relabel, blank_groups, is_strange, sift
from bilbaokg.terms import Statement

__all__ = ["NO_BASE", "Put", "frames", "job"]

Put = Callable[[dict[str, Any], bytes], None]


def job(params: dict[str, Any], body: bytes, put: Put) -> None:
    """Put out what `frames` gives."""
    for header, content in frames(params, body):
        put(header, content)


def frames(params: dict[str, Any], body: bytes) -> Iterator[Frame]:
    """Parse `params["path"]` or the body, and stream distinct blank-node-free N-Triples.

    params: path, label, format (a name of FORMATS), base (ours, for skolem IRIs), base_iri (for
    relative IRIs), limit (bytes, inflated), group_seconds, locate, blank (a prefix: blank nodes
    stay, `_:<prefix><number>` in the order they come, and each frame of text is followed by
    `{"numbers": n}` with the source lines of its statements, 4 bytes each). Frames: many
    `{"lines": n}` with text, then one `{"done": {parsed, graphs_dropped, line_of}}`. Raises
    SyntaxFault, TooLarge, Invalid, BadInput.
    """
    reading = Reading(params, body)
    held: list[Statement] = []
    parsed = 0
    relabel = Relabel(params["blank"]) if params.get("blank") else None
    for chunk in reading.chunks():
        if relabel:
            count = chunk.count("\n") + 1
            parsed += count
            reading.refuse_strange(chunk)
            yield {"lines": count}, relabel(chunk).encode()
            yield {"numbers": len(reading.numbers)}, reading.take_numbers()
            continue
        lines = chunk.split("\n")
        parsed += len(lines)
        reading.refuse_long(chunk)
        if "_:" in chunk or is_strange(chunk):
            lines = sift(lines, held, reading.refused)
        yield {"lines": len(lines)}, "\n".join(lines).encode()
    yield from blank_groups(held, params)
    done = {
        "parsed": parsed,
        "graphs_dropped": len(reading.graphs),
        "line_of": reading.line_of,
    }
    yield {"done": done}, b""
