"""Query texts of shapes, made ready for pre-binding (SHACL, sections 5.2.1 and 5.3.1, Appendix A).

Pre-bound variables become constants in the text, wherever they stand as tokens: Oxigraph's
`substitutions=` reaches only what a query projects, and lets BOUND be false. On the way, what looks
at a term's form gets the real term back (see encoding.py): STR, DATATYPE, isBlank and isIRI become
functions of ours, operands of operators are decoded. What SHACL forbids raises Refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bilbaokg.errors import BilbaokgError, Forbidden
from bilbaokg.shacl.encoding import DATATYPE, IS_BLANK, IS_IRI, STR, VALUE, encode
from bilbaokg.shacl.templates import Names, Refused, Slot, Template
from bilbaokg.store import guard
from bilbaokg.store.guard import Token
from bilbaokg.terms import XSD, literal, unescape

__all__ = ["template"]


def template(text: str, names: Names, prefixes: Mapping[str, str]) -> Template:
    """Read a query text. Raises Refused."""
    code = _CODEPOINT.sub(lambda m: chr(int(m[1] or m[2], 16)) if m[1] or m[2] else m[0], text)
    try:
        facts = guard.check(code)
        if facts.dataset:
            raise Refused("a query names its own data (FROM), as if it asked another service")
        return _Reader(code, names, prefixes).read()
    except Forbidden:
        raise Refused("a query asks another service") from None
    except BilbaokgError as error:
        raise Refused(f"a query is not valid: {error.message}") from None


# Outside strings Oxigraph does not read these, and inside IRIs it does (SPARQL 1.1, section 19.2).
_CODEPOINT: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|\\)")
_FORBIDDEN: Final = frozenset({"MINUS", "VALUES"})
# Words that conditions follow, and how many words each is.
_MODIFIERS: Final = {"GROUP": 2, "ORDER": 2, "HAVING": 1}
_HEAD_ENDS: Final = frozenset({"WHERE", "FROM"})
_OURS: Final = {
    "STR": STR,
    "DATATYPE": DATATYPE,
    "ISBLANK": IS_BLANK,
    "ISIRI": IS_IRI,
    "ISURI": IS_IRI,
}
# Functions to which an argument's encoded form is as good as its own, or better.
_AS_IT_IS: Final = frozenset(
    {
        "STR",
        "DATATYPE",
        "ISBLANK",
        "ISIRI",
        "ISURI",
        "BOUND",
        "LANG",
        "SAMETERM",
        "ISLITERAL",
        "COUNT",
        "SAMPLE",
        "GROUP_CONCAT",
        "COALESCE",
        "IF",
        "STRLEN",
        "UCASE",
        "LCASE",
        "CONTAINS",
        "STRSTARTS",
        "STRENDS",
        "STRBEFORE",
        "STRAFTER",
        "REGEX",
        "REPLACE",
        "LANGMATCHES",
        "ENCODE_FOR_URI",
        "CONCAT",
    }
)
# Functions that hand on an argument.
_PASSING: Final = frozenset({"COALESCE", "IF", "SAMPLE"})
# Where functions come from that Oxigraph has; others would be errors in silence.
_FUNCTIONS: Final = (XSD, "http://www.opengis.net/def/function/geosparql/")
_LOGICAL: Final = frozenset({"&&", "||", "!"})
_EQUAL: Final = frozenset({"=", "!="})
_OPERATORS: Final = frozenset(
    {*_LOGICAL, *_EQUAL, "<", ">", "<=", ">=", "+", "-", "*", "/", "IN", "NOT"}
)
_NUMBERS: Final = ((re.compile(r"\d+"), XSD.integer), (re.compile(r"[\d.]+"), XSD.decimal))


@dataclass(slots=True)
class _Part:
    """An operand or an operator of an expression: tokens from `start` to `end`.

    kind: variable, literal, iri, call, group, exists, operator or word.
    """

    kind: str
    start: int
    end: int


class _Reader:
    """One walk over the tokens of a query; the output is its text with replacements."""

    def __init__(self, text: str, names: Names, prefixes: Mapping[str, str]) -> None:
        self.source, self.names, self.prefixes = text, names, dict(prefixes)
        self.tokens = list(guard.tokens(text))
        self.match = _matches(self.tokens)
        self.out: list[str | Slot] = []
        self.copied = 0  # how far the source is in the output
        self.form = ""
        self.projected: frozenset[str] = frozenset()
        self.of_shapes = False

    def read(self) -> Template:
        self.group(0, len(self.tokens))
        self.out.append(self.source[self.copied :])
        if not self.form:
            raise Refused("a query is neither SELECT nor ASK")
        return Template(tuple(self.out), self.form, self.projected, self.of_shapes)

    # ---- output

    def replace(self, token: Token, *pieces: str | Slot) -> None:
        """Put something in place of a token."""
        self.insert(token.start)
        self.out += pieces
        self.copied = token.start + len(token.text)

    def insert(self, place: int, *pieces: str | Slot) -> None:
        """Copy the source up to a place, then put something there."""
        self.out.append(self.source[self.copied : place])
        self.copied = place
        self.out += pieces

    def end(self, index: int) -> int:
        """Where a token ends in the source."""
        return self.tokens[index].start + len(self.tokens[index].text)

    def word(self, index: int) -> str:
        """A keyword or mark in upper case; empty after the last token."""
        if index >= len(self.tokens):
            return ""
        token = self.tokens[index]
        return token.text.upper() if token.kind in ("word", "mark") else ""

    # ---- graph patterns

    def group(self, at: int, end: int, inner: bool = False) -> None:
        """Walk over a query, the content of a group, a path or a collection."""
        modifier = ""
        while at < end:
            word = self.word(at)
            if word in _FORBIDDEN and self.names.reserved:
                raise Refused(f"a query of shapes must not use {word}")
            if word in ("PREFIX", "BASE"):
                at = self.declaration(at)
            elif word in ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE"):
                at = self.start(at, end, inner)
            elif word == "FILTER":
                at = self.condition(at + 1)
            elif word == "BIND" and self.word(at + 1) == "(":
                at = self.arguments(at + 1, value=False)
            elif word == "GRAPH":
                at = self.graph(at + 1)
            elif word == "{":
                self.group(at + 1, self.match[at], inner=True)
                at, modifier = self.match[at] + 1, ""
            elif word in _MODIFIERS:
                at, modifier = at + _MODIFIERS[word], word
            elif modifier:
                at = self.modified(at, modifier)
            else:
                at = self.node(at)

    def declaration(self, at: int) -> int:
        if self.word(at) == "BASE":
            return at + 2
        if at + 2 < len(self.tokens):
            name, iri = self.tokens[at + 1 : at + 3]
            self.prefixes[name.text.rstrip(":")] = iri.text[1:-1]
        return at + 3

    def start(self, at: int, end: int, inner: bool) -> int:
        """The head of a query or of a sub-select, up to its group."""
        word = self.word(at)
        if not inner:
            if word not in ("SELECT", "ASK"):
                raise Refused("a query is neither SELECT nor ASK")
            self.form = word
            if word == "ASK":  # as a SELECT its evaluation can be left for later
                self.replace(self.tokens[at], "SELECT (1 AS ?bilbaokg_holds)")
        projected: set[str] = set()
        at += 1
        while at < end and self.word(at) != "{" and self.word(at) not in _HEAD_ENDS:
            token = self.tokens[at]
            if self.word(at) == "(":
                close = self.match[at]
                projected.add(self.tokens[close - 1].text[1:])
                at = self.arguments(at, value=False)
                continue
            if token.kind == "variable" or token.text == "*":
                projected.add(token.text.lstrip("?$"))
            at += 1
        if inner:
            self.passes_on(projected)
        else:
            self.projected = frozenset(projected)
        return at

    def passes_on(self, projected: Collection[str]) -> None:
        missing = sorted({*self.names.reserved} - {*projected, "shapesGraph", "currentShape"})
        if missing:
            raise Refused(f"a sub-select does not project the pre-bound ${missing[0]}")

    def graph(self, at: int) -> int:
        if at < len(self.tokens) and self.tokens[at].text[1:] == "shapesGraph":
            return self.node(at)
        raise Refused("a query of shapes may only name $shapesGraph after GRAPH")

    def condition(self, at: int) -> int:
        """What follows FILTER."""
        if self.word(at) in ("NOT", "EXISTS"):
            return at + (2 if self.word(at) == "NOT" else 1)
        return self.primary(self.part(at), value=True)

    def modified(self, at: int, modifier: str) -> int:
        """One condition of GROUP BY, ORDER BY or HAVING."""
        token, word = self.tokens[at], self.word(at)
        if token.kind == "variable" and (found := self.bound(token)) is not None:
            naming = f" AS ?{found.name})" if modifier == "GROUP" else ")"
            self.put(token, found._replace(before="(", after=naming))
            return at + 1
        if word == "(":
            return self.arguments(at, value=modifier != "GROUP")
        if self.word(at + 1) == "(":
            if word in ("ASC", "DESC"):
                return self.arguments(at + 1, value=True)
            return self.primary(self.part(at), value=modifier != "GROUP")
        return self.primary(self.part(at), value=modifier == "ORDER")

    def node(self, at: int) -> int:
        """A token of a triple pattern: a constant is written as the store has it."""
        token = self.tokens[at]
        if token.kind == "variable":
            self.variable(token)
        elif token.kind in ("string", "number"):
            return self.constant(at)
        return at + 1

    # ---- terms

    def bound(self, token: Token) -> Slot | None:
        name = token.text[1:]
        if name == "shapesGraph":
            self.of_shapes = True
        return Slot(name) if name in self.names.known or name in self.names.open else None

    def variable(self, token: Token) -> None:
        if (found := self.bound(token)) is not None:
            self.put(token, found)
        elif token.text == "$PATH":
            raise Refused("$PATH is used in a query of a node shape")

    def put(self, token: Token, slot: Slot) -> None:
        """Fill a slot if its value is known by now."""
        known = self.names.known.get(slot.name)
        self.replace(token, slot if known is None else f"{slot.before}{known}{slot.after}")

    def constant(self, at: int) -> int:
        """A literal in the text, where it is compared as a term."""
        after, term = self.literal(at)
        start = self.tokens[at].start
        if self.tokens[at].kind == "number" and self.end(at - 1) == start:
            sign = self.tokens[at - 1].text
            if term is not None and sign in ("+", "-"):
                start, term = start - 1, f'"{sign}{term[1:]}'
        if term is not None and (encoded := encode(term)) != term:
            self.insert(start, encoded)
            self.copied = self.end(after - 1)
        return after

    def literal(self, at: int) -> tuple[int, str | None]:
        """Where a literal ends, and its N-Triples term if it has a datatype."""
        token = self.tokens[at]
        if token.kind == "number":
            kinds = (name for form, name in _NUMBERS if form.fullmatch(token.text))
            return at + 1, literal(token.text, datatype=next(kinds, XSD.double))
        if self.word(at + 1) == "^^":
            quotes = 3 if token.text[:3] in (3 * '"', 3 * "'") else 1
            lexical = unescape(token.text[quotes:-quotes])
            return at + 3, literal(lexical, datatype=self.iri(at + 2))
        tagged = at + 1 < len(self.tokens) and self.tokens[at + 1].kind == "tag"
        return at + 1 + tagged, None

    def iri(self, at: int) -> str:
        if at >= len(self.tokens):
            raise Refused("a query ends too early")
        token = self.tokens[at]
        prefix, _, local = token.text.partition(":")
        if token.kind == "name":
            return f"{self.prefixes.get(prefix, prefix)}{local}"
        return token.text[1:-1]

    # ---- expressions

    def arguments(self, at: int, value: bool, first: bool = False) -> int:
        """A bracket of expressions; value: whether they, or the first one, have to be what they
        stand for."""
        close, start = self.match[at], at + 1
        for index in (*self.commas(start, close), close):
            self.expression(start, index, value or first)
            start, first = index + 1, False
        return close + 1

    def commas(self, at: int, end: int) -> Iterator[int]:
        while at < end:
            if self.word(at) in (",", ";"):
                yield at
            at = self.match.get(at, at) + 1

    def expression(self, at: int, end: int, value: bool) -> None:
        parts: list[_Part] = []
        while at < end:
            if self.word(at) == "AS":
                self.naming(at + 1)
                break
            parts.append(self.part(at))
            at = parts[-1].end
        for index, part in enumerate(parts):
            self.primary(part, self.needs_value(parts, index, value))

    def needs_value(self, parts: list[_Part], index: int, value: bool) -> bool:
        """Whether an operand is looked at for its value; `=` with an IRI or a text is not that."""
        beside = [
            (self.word(parts[place].start), parts[other].kind if 0 <= other < len(parts) else "")
            for place, other in ((index - 1, index - 2), (index + 1, index + 2))
            if 0 <= place < len(parts) and parts[place].kind == "operator"
        ]
        if not beside:
            return value
        # An operand of `=` beside `&&` is one of `=` alone.
        closer = [(word, other) for word, other in beside if word not in _LOGICAL]
        return any(
            word not in _EQUAL or other not in ("iri", "text") for word, other in closer or beside
        )

    def naming(self, at: int) -> None:
        if at < len(self.tokens) and self.tokens[at].text[1:] in self.names.reserved:
            raise Refused(f"a query must not bind the pre-bound {self.tokens[at].text}")

    def part(self, at: int) -> _Part:
        """The operand or operator that begins at a token."""
        if at >= len(self.tokens):
            raise Refused("a query ends too early")
        token, word = self.tokens[at], self.word(at)
        if word == "(":
            return _Part("group", at, self.match[at] + 1)
        if word == "EXISTS" and self.word(at + 1) == "{":
            return _Part("exists", at, self.match[at + 1] + 1)
        if word in _OPERATORS:
            return _Part("operator", at, at + 1)
        if token.kind in ("word", "name", "iri") and self.word(at + 1) == "(":
            return _Part("call", at, self.match[at + 1] + 1)
        if token.kind in ("string", "number"):
            end, _ = self.literal(at)
            typed = token.kind == "number" or self.word(at + 1) == "^^"
            return _Part("literal" if typed else "text", at, end)
        if token.kind in ("name", "iri"):
            return _Part("iri", at, at + 1)
        return _Part("variable" if token.kind == "variable" else "word", at, at + 1)

    def primary(self, part: _Part, value: bool) -> int:
        """Write one operand; value: whether it has to be what it stands for."""
        at = part.start
        if part.kind == "group":
            self.arguments(at, value)
        elif part.kind == "exists":
            self.group(at + 1, part.end)
        elif part.kind == "call":
            self.call(part, value)
        elif part.kind == "literal" and not value:
            self.constant(at)
        elif part.kind == "variable":
            if value:
                self.insert(self.tokens[at].start, f"{VALUE}(")
            self.variable(self.tokens[at])
            if value:
                self.insert(self.end(at), ")")
        return part.end

    def call(self, part: _Part, value: bool) -> None:
        token, name = self.tokens[part.start], self.word(part.start)
        if name == "BOUND" and self.bound(self.tokens[part.start + 2]) is not None:
            self.insert(token.start, "(true)")
            self.copied = self.end(part.end - 1)
            return
        passing = value and name in _PASSING
        if passing:
            self.insert(token.start, f"{VALUE}(")
        if name in _OURS:
            self.replace(token, _OURS[name])
        elif not name and not self.iri(part.start).startswith(_FUNCTIONS):
            raise Refused(f"a query calls the unknown function {token.text}")
        self.arguments(part.start + 1, value=name not in _AS_IT_IS, first=name == "IF")
        if passing:
            self.insert(self.end(part.end - 1), ")")


def _matches(tokens: list[Token]) -> dict[int, int]:
    """The index of the bracket that closes each opening one."""
    found: dict[int, int] = {}
    waiting: list[int] = []
    for index, token in enumerate(tokens):
        if token.kind == "mark" and token.text in _BRACKETS:
            waiting.append(index)
        elif token.kind == "mark" and token.text in _BRACKETS.values():
            if not waiting or _BRACKETS[tokens[waiting[-1]].text] != token.text:
                raise Refused("a query's brackets do not fit")
            found[waiting.pop()] = index
    if waiting:
        raise Refused("a query's brackets do not fit")
    return found


_BRACKETS: Final = {"(": ")", "{": "}", "[": "]"}
