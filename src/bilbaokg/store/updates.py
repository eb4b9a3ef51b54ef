"""A stranger's SPARQL update before it is evaluated: what it would do, limits, its dataset.

Data blocks (`INSERT DATA`, `DELETE DATA`) are as long as they like: nothing in them is planned. All
else has the limits of a query (`guard.py`). The engine takes no dataset of the protocol for an
update, so it is written into the text as USING clauses (SPARQL 1.1 Protocol, section 2.2.3).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from bilbaokg.errors import BadInput, Forbidden, SyntaxFault
from bilbaokg.store import guard
from bilbaokg.terms import is_iri, ref

__all__ = ["Update", "read"]

_OPEN: Final = frozenset("{([") | {"<<", "<<("}
_CLOSE: Final = frozenset("})]") | {">>", ")>>"}
_ADDING: Final = frozenset({"INSERT", "ADD", "COPY", "MOVE"})
_NOT_LINE_ENDS: Final = re.compile(r"[^\n]")


class _Where(NamedTuple):
    """A WHERE clause of an operation: of `DELETE WHERE {block}`, or one that may have USING."""

    start: int
    block: tuple[int, int]
    short: bool


@dataclass(slots=True)
class Update:
    """An update that was read. `adds`: it may put something into the store."""

    text: str
    adds: bool = False
    facts: guard.Facts = field(default_factory=guard.Facts)
    dataset: guard.Token | None = None
    wheres: list[_Where] = field(default_factory=list)

    def over(self, using: Sequence[str] | None, named: Sequence[str] | None) -> str:
        """The text with the protocol's dataset in it. Raises BadInput where it has its own."""
        if using is None and named is None:
            return self.text
        if self.dataset:
            raise BadInput(
                f"{self.dataset.text.upper()} stands beside the dataset of the request",
                where="update", hint="give the dataset in one place",
                **guard.place(self.text, self.dataset.start),
            )  # fmt: skip
        given = [f"USING {_term(iri)}" for iri in using or ()]
        given += [f"USING NAMED {_term(iri)}" for iri in named or ()]
        clauses = " ".join(given)
        pieces, done = [], 0
        for where in self.wheres:
            start, end = where.block
            block = self.text[start:end]
            # DELETE WHERE has no room for USING: it is DELETE {block} WHERE {block}.
            template = f"{block} " if where.short else ""
            pieces += [self.text[done : where.start], f"{template}{clauses} WHERE {block}"]
            done = end
        return "".join([*pieces, self.text[done:]])


def _term(iri: str) -> str:
    if not is_iri(iri):
        raise BadInput(f"{iri[:200]!r} is no absolute IRI", where="update")
    return ref(iri)


def read(text: str) -> Update:
    """Walk over an update. Raises SyntaxFault, BadInput (a limit) or Forbidden (LOAD, SERVICE).

    Each names line and column.
    """
    return _Walk(text).run()


class _Walk:
    """The state of one walk: how deep it is, what the operation is, where data blocks are."""

    def __init__(self, text: str) -> None:
        self.update = Update(text)
        self.depth = 0
        self.before = guard.Token("", "", 0)
        self.data: list[tuple[int, int]] = []
        self.used: dict[str, int] = {}
        self.in_data = False
        self.start = 0  # of the block that is open
        self.where: guard.Token | None = None  # the clause whose block is expected or open
        self.short = False

    def run(self) -> Update:
        for token in guard.tokens(self.update.text):
            if token.kind == "mark":
                self._mark(token)
            elif token.kind == "word":
                self._word(token)
            elif token.kind == "name" and self.in_data:
                self.used.setdefault(token.text.partition(":")[0], token.start)
            self.before = token
        facts = guard.check(_without(self.update.text, self.data))
        for prefix, start in self.used.items():
            facts.used[prefix] = min(start, facts.used.get(prefix, start))
        self.update.facts = facts
        return self.update

    def _word(self, token: guard.Token) -> None:
        word, before = token.text.upper(), self.before.text.upper()
        if self.in_data:
            return
        self.update.adds |= word in _ADDING
        if word == "LOAD":
            raise Forbidden(
                "LOAD is not allowed here: nothing is fetched from the network", where="update",
                hint="fetch it yourself and send it to /scratch/graph-store",
                **guard.place(self.update.text, token.start),
            )  # fmt: skip
        if self.depth:
            return
        if word in ("WITH", "USING"):
            self.update.dataset = self.update.dataset or token
        elif word == "DATA" and before in ("INSERT", "DELETE"):
            self.in_data = True
        elif word == "WHERE":
            self.where, self.short = token, before == "DELETE"

    def _mark(self, token: guard.Token) -> None:
        if token.text in _OPEN:
            if self.depth == 0:
                self.start = token.start
            self.depth += 1
            if self.depth > guard.MAX_NESTING:
                raise BadInput(
                    f"more than {guard.MAX_NESTING} levels of nesting", where="update",
                    hint="split the update", **guard.place(self.update.text, token.start),
                )  # fmt: skip
        elif token.text in _CLOSE:
            self.depth -= 1
            if self.depth < 0:
                raise SyntaxFault(
                    f"{token.text!r} closes nothing", where="update", hint="take it out",
                    **guard.place(self.update.text, token.start),
                )  # fmt: skip
            if self.depth == 0:
                self._end_block(token)

    def _end_block(self, token: guard.Token) -> None:
        block = self.start, token.start + len(token.text)
        if self.in_data:
            self.data.append((block[0] + 1, block[1] - 1))
            self.in_data = False
        elif self.where:
            self.update.wheres.append(_Where(self.where.start, block, self.short))
            self.where = None


def _without(text: str, blocks: Sequence[tuple[int, int]]) -> str:
    """The text with spaces in place of some blocks: every place in it stays where it is."""
    pieces, done = [], 0
    for start, end in blocks:
        pieces += [text[done:start], _NOT_LINE_ENDS.sub(" ", text[start:end])]
        done = end
    return "".join([*pieces, text[done:]])
