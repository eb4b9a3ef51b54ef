"""Which statements are kept as they come: those with blank nodes wait, and what RDF 1.1 has not is
refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from bilbaokg import skolem
from bilbaokg.errors import Invalid
from bilbaokg.parsing.streams import BASE_DIRECTION, TRIPLE_TERM
from bilbaokg.terms import Statement, split_line

__all__ = ["NO_BASE", "Frame", "Relabel", "blank_groups", "is_strange", "refusal", "sift"]

# JSON-LD drops what has a relative IRI; against this base it shows, and is refused.
NO_BASE: Final = "http://relative-iri.invalid/"
# Up to so many statements, no group takes long.
_LARGE_GROUP: Final = 8
# What may be a blank node: only as subject or object is it one (see Relabel).
_BLANK: Final = re.compile(r"_:[\w.-]+(?= )")
_DIRECTED: Final = re.compile(r'"@[A-Za-z0-9-]+--(?:ltr|rtl)$')


Frame = tuple[dict[str, Any], bytes]


class Relabel:
    """Names blank nodes by the order in which they come."""

    def __init__(self, prefix: str) -> None:
        self.prefix, self.names = f"_:{prefix}", dict[str, str]()

    def __call__(self, chunk: str) -> str:
        return _BLANK.sub(self._name, f"{chunk}\n")[:-1] if "_:" in chunk else chunk

    def _name(self, match: re.Match[str]) -> str:
        label, text, start, end = match[0], match.string, match.start(), match.end()
        # A subject begins a line, and an object ends one: no literal ends in a label.
        if start and text[start - 1] != "\n" and not text.startswith(" .\n", end):
            return label
        name = self.names.get(label)
        if name is None:
            name = self.names[label] = f"{self.prefix}{len(self.names)}"
        return name


def sift(
    lines: list[str], held: list[Statement], refused: Callable[[Statement, str, str], Invalid]
) -> list[str]:
    """Keep statements without blank nodes; hold the others back; refuse what RDF 1.1 has not."""
    free = []
    for line in lines:
        statement = split_line(line)
        if unkept := refusal(statement):
            raise refused(statement, *unkept)
        if statement.subject.startswith("_:") or statement.object.startswith("_:"):
            held.append(statement)
        else:
            free.append(line)
    return free


def is_strange(chunk: str) -> bool:
    """Whether there may be what `refusal` refuses."""
    return any(sign in chunk for sign in ("<<(", "--ltr", "--rtl", NO_BASE))


def refusal(statement: Statement) -> tuple[str, str] | None:
    """Why a statement cannot be kept and how to mend it, or None where it can."""
    if statement.object.startswith("<<("):
        return TRIPLE_TERM
    if _DIRECTED.search(statement.object):
        return BASE_DIRECTION
    if f"<{NO_BASE}" in statement.line:
        return "a relative IRI without a base", "give --base IRI or write absolute IRIs"
    return None


def blank_groups(held: list[Statement], params: dict[str, Any]) -> Iterator[Frame]:
    """Canonicalise the groups, telling before each large one how long it may take."""
    canonical: list[list[Statement]] = []
    kept, aside = skolem.unlisted(held)
    for group in skolem.groups(kept):
        large = len(group) > _LARGE_GROUP
        if large:
            yield {"next_within": params["group_seconds"], "group": skolem.example(group)}, b""
        canonical.append(skolem.canonical_group(group))
        if large:
            # An empty frame stops the clock of this group.
            yield {}, b""
    named = skolem.skolemise(canonical, params["base"])
    if lines := [s.line for s in skolem.listed(named, aside)]:
        yield {"lines": len(lines)}, "\n".join(lines).encode()
