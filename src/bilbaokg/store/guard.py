"""The first wall before a stranger's SPARQL query: limits that are checked before any parse.

A tokeniser that knows strings, IRIs and comments walks over the text once and refuses what is
known to crash or hang parser and planner: deep nesting, long chains of operators, hundreds of
triple patterns or path steps, thousands of described resources, federation. It does not replace
the grammar: what passes is parsed by the engine, in a worker. A text that is too short to hold any
of this is told by counting alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from bilbaokg.errors import BadInput, Forbidden, SyntaxFault

__all__ = [
    "MAX_DESCRIBED",
    "MAX_NESTING",
    "MAX_OPERATORS",
    "MAX_PATTERNS",
    "MAX_STEPS",
    "Facts",
    "Token",
    "check",
    "is_slight",
    "place",
    "tokens",
]

MAX_NESTING: Final = 200
MAX_PATTERNS: Final = 100
MAX_STEPS: Final = 100
MAX_OPERATORS: Final = 1000
MAX_DESCRIBED: Final = 1000

_NAME: Final = r"[^\W_](?:[\w.·-]*[\w·-])?"
_LOCAL: Final = r"(?:[\w:·-]|%[0-9A-Fa-f]{2}|\\.|\.(?=[\w:.%\\·-]))*"
_TOKEN: Final = re.compile(
    r"(?P<space>[ \t\r\n]+|\#[^\r\n]*)"
    r"|(?P<iri><(?:[^<>\"{}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*>)"
    r'|(?P<string>"""(?:[^"\\]|\\.|"(?!""))*"""|' + r"'''(?:[^'\\]|\\.|'(?!''))*'''"
    r'|"(?!"")(?:[^"\\\n\r]|\\.)*"' + r"|'(?!'')(?:[^'\\\n\r]|\\.)*')"
    r"|(?P<variable>[?$]\w+)"
    r"|(?P<blank>_:[\w.·-]*[\w·-])"
    rf"|(?P<name>(?:{_NAME})?:{_LOCAL})"
    r"|(?P<tag>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<mark>\|\||&&|\^\^|!=|<=|>=|<<\(?|\)?>>|\{\||\|\}|[{}()\[\].,;=<>!+\-*/|^?~])",
    re.DOTALL,
)
_OPEN: Final = {"(": ")", "{": "}", "[": "]", "<<": ">>", "<<(": ")>>", "{|": "|}"}
_CLOSE: Final = frozenset(_OPEN.values())
_STEPS: Final = frozenset("/|^")
_OPERATORS: Final = frozenset(
    {"||", "&&", "!=", "<=", ">=", "=", "<", ">", "!", "+", "-", "*", "?"}
)
_OPERATOR_WORDS: Final = frozenset(
    {"UNION", "MINUS", "OPTIONAL", "FILTER", "BIND", "IN", "NOT", "EXISTS", "SELECT", "LATERAL"}
)
_TERMS: Final = frozenset({"iri", "string", "variable", "blank", "name", "number"})
# What may stand before `<` when it means "less than".
_OPERAND_MARKS: Final = frozenset({")", "]", "}"})
# Words after which terms are no triple: projections, groupings, datasets.
_HEAD_WORDS: Final = frozenset(
    {"SELECT", "DESCRIBE", "FROM", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "PREFIX", "BASE"}
)


# Fewer characters than operators are allowed.
_SLIGHT: Final = MAX_OPERATORS
_TERM_START: Final = re.compile(r"[?$.<\"':+-]|\s+|\d\D")
_AMBIGUOUS: Final = re.compile(r"<[^<>\s]*['()#]")


@dataclass(slots=True)
class _Bracket:
    """An open bracket, what it holds (group, list, path, expression, data), its terms so far."""

    mark: str
    holds: str
    terms: int = 0


class Token(NamedTuple):
    """One token: its group in `_TOKEN`, its text, and where it starts."""

    kind: str
    text: str
    start: int


@dataclass(slots=True)
class Facts:
    """What the walk learned: whether the text names its own dataset, and prefixes by first use."""

    dataset: bool = False
    declared: set[str] = field(default_factory=set)
    used: dict[str, int] = field(default_factory=dict)


def place(text: str, offset: int) -> dict[str, int]:
    """Line and column (from 1, in characters) of an offset."""
    before = text.count("\n", 0, offset)
    return {"line": before + 1, "column": offset - text.rfind("\n", 0, offset)}


def check(text: str) -> Facts:
    """Walk over a query. Raises SyntaxFault, BadInput (a limit) or Forbidden (federation).

    Each names line and column.
    """
    return _Walk(text).run()


def is_slight(text: str) -> bool:
    """Whether counting characters shows that `check` would find no limit passed, and no dataset.

    Each count is an upper bound, whatever stands in strings, IRIs and comments: brackets for
    nesting, separators and terms for patterns, characters for operators.
    """
    if len(text) > _SLIGHT or "\\" in text:
        return False
    words = text.lower()
    if "service" in words or "from" in words:
        return False
    count = text.count
    brackets = count("{") + count("(") + count("[") + count("<<")
    patterns = count(".") + count(";") + count(",") + 2 * brackets
    if "(" in text:
        # It may open a list, each member of which is two triples; `<` may mean "less than".
        patterns += 2 * len(_TERM_START.findall(text))
        if _AMBIGUOUS.search(text):
            return False
    steps = count("/") + count("|") + count("^")
    return brackets <= MAX_NESTING and patterns <= MAX_PATTERNS and steps <= MAX_STEPS


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a query, without spaces and comments. Raises SyntaxFault."""
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _unreadable(text, position)
        kind = found.lastgroup or ""
        if kind != "space":
            yield Token(kind, found[0], position)
        position = found.end()


def _unreadable(text: str, position: int) -> SyntaxFault:
    if text[position] in "\"'":
        message, hint = "a string does not end", "close it with the quotation mark that opens it"
    else:
        message, hint = f"unexpected character {text[position]!r}", "see SPARQL 1.1, section 19.8"
    return SyntaxFault(message, where="query", hint=hint, **place(text, position))


class _Walk:
    """The state of one walk: open brackets with what they hold, and the counts."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.facts = Facts()
        self.open = [_Bracket("", "")]
        self.patterns = self.steps = self.operators = self.described = 0
        self.expect = ""  # what the next bracket holds: expression, data, or nothing special
        self.head = False  # within a projection, grouping or dataset clause
        self.describes = False  # that clause is the one of DESCRIBE
        self.before = Token("", "", 0)

    def run(self) -> Facts:
        for token in tokens(self.text):
            getattr(self, f"_{token.kind}", self._term)(token)
            self.before = token
        return self.facts

    # ---- tokens

    def _term(self, token: Token) -> None:
        inner = self.open[-1]
        loose = inner.holds == "group" and not self.head and self.expect != "expression"
        if loose or inner.holds == "list":
            inner.terms += 1
        if self.head and self.describes:
            self.described += 1
            self._limit(self.described, MAX_DESCRIBED, "described resources", token)

    def _iri(self, token: Token) -> None:
        """`<` may also be "less than": what could be read both ways is refused."""
        operand = self.before.kind in _TERMS or self.before.text in _OPERAND_MARKS
        ambiguous = any(c in token.text for c in "'()#") and "://" not in token.text
        if operand and ambiguous and any(bracket.mark == "(" for bracket in self.open):
            raise SyntaxFault(
                "this can be read as an IRI and as 'less than'", where="query",
                hint="write a space after '<', or a full IRI", **place(self.text, token.start),
            )  # fmt: skip
        self._term(token)

    def _name(self, token: Token) -> None:
        prefix = token.text.partition(":")[0]
        self._federation(prefix, token)
        if self.before.text.upper() == "PREFIX":
            self.facts.declared.add(prefix)
        else:
            self.facts.used.setdefault(prefix, token.start)
        self._term(token)

    def _word(self, token: Token) -> None:
        self._federation(token.text, token)
        word = token.text.upper()
        if word in _OPERATOR_WORDS:
            self._operator(token)
        if word == "FROM":
            self.facts.dataset = True
        if word in ("FILTER", "BIND", "HAVING"):
            self._flush(token)
            self.expect = "expression"
        elif word in ("EXISTS", "GRAPH"):
            self.expect = ""
        elif word == "VALUES":
            self._flush(token)
            self.expect = "data"
        if word in _HEAD_WORDS:
            self._flush(token)
            self.head, self.describes = True, word == "DESCRIBE"
        elif word in ("WHERE", "CONSTRUCT", "ASK"):
            self.head = False
        elif word == "A":
            self._term(token)

    def _federation(self, word: str, token: Token) -> None:
        if "service" in word.lower():
            raise Forbidden(
                "SERVICE is not allowed here: this endpoint asks no other one", where="query",
                hint="ask the other endpoint yourself, or rename a prefix that contains the word",
                **place(self.text, token.start),
            )  # fmt: skip

    def _mark(self, token: Token) -> None:
        mark = token.text
        if mark == "^^" and self.before.kind != "string":
            mark = "^"  # an inverse path, twice: as good as one for the count
        if mark in _OPEN:
            self._enter(token)
        elif mark in _CLOSE:
            self._leave(token)
        elif mark in (".", ";", ","):
            self._flush(token)
        elif mark in _STEPS or mark in _OPERATORS:
            if self.open[-1].holds == "list":
                self.open[-1].holds = "path"
            self.steps += mark in _STEPS
            self._limit(self.steps, MAX_STEPS, "path steps", token)
            self._operator(token)

    # ---- brackets

    def _enter(self, token: Token) -> None:
        holds = self._what(token.text)
        if token.text == "{":
            self._flush(token)
            self.head = False
        if not (self.expect == "data" and token.text == "("):
            self.expect = ""
        self.open.append(_Bracket(token.text, holds))
        self._limit(len(self.open) - 1, MAX_NESTING, "levels of nesting", token)

    def _what(self, mark: str) -> str:
        """What a bracket that opens here holds."""
        around = self.open[-1].holds
        if around == "data" or (self.expect == "data" and mark == "{"):
            return "data"
        if mark == "{":
            return "group"
        if mark == "(":
            if self.expect or self.head or around in ("expression", ""):
                return "expression"
            return "list"  # until an operator in it shows that it is a path
        return around if around == "expression" else "group"

    def _leave(self, token: Token) -> None:
        if len(self.open) == 1:
            return
        inner = self.open[-1]
        if inner.holds == "list":
            # Each member of a list is two triples: rdf:first and rdf:rest.
            self._pattern(token, 2 * inner.terms)
        self._flush(token)
        self.open.pop()
        if token.text == "}":
            self.head = False
        elif inner.holds in ("list", "group"):
            self._term(token)

    # ---- counts

    def _flush(self, token: Token) -> None:
        """A separator: what stood since the last one is one triple pattern."""
        inner = self.open[-1]
        if inner.terms and inner.holds == "group":
            self._pattern(token, 1)
            inner.terms = 0

    def _pattern(self, token: Token, count: int) -> None:
        self.patterns += count
        self._limit(self.patterns, MAX_PATTERNS, "triple patterns", token)

    def _operator(self, token: Token) -> None:
        self.operators += 1
        self._limit(self.operators, MAX_OPERATORS, "operators", token)

    def _limit(self, count: int, limit: int, what: str, token: Token) -> None:
        if count > limit:
            raise BadInput(
                f"more than {limit:,} {what}", where="query",
                hint="split the query, or give long lists of terms with VALUES",
                **place(self.text, token.start),
            )  # fmt: skip
