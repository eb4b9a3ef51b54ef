r"""Regular expressions of sh:pattern: those of SPARQL's REGEX, which are those of XPath (XPath and
XQuery Functions and Operators 3.1, section 5.6), translated into Python's.

Constructs that only Python has (look-around, `\b`, `\/`, named groups, `(?i)` in front) keep their
meaning there, as real shapes use them and pySHACL takes them. A text is searched, not matched as a
whole. Time is not bounded: `^(a+)+$` can hang, so shapes of strangers run where they can be killed,
unless `is_linear` vouches for their patterns.

pySHACL hands patterns to Python as they are, so verdicts differ where the dialects do:

- `\s` is space, tab, line feed and carriage return alone. (`\w` is Python's, letters, digits and
  `_`, as in every other engine; XML Schema's leaves `_` out and takes `+` in);
- `$` without the flag m matches at the very end only, not before a last line feed; `^` with the
  flag m not after it;
- `.` without the flag s matches no carriage return;
- `\p{L}`, `\i`, `\c` and class subtraction `[a-z-[aeiou]]` are understood (blocks of the Basic
  Multilingual Plane, as in `\p{IsGreek}`); case-insensitive matching leaves such classes as they
  are;
- `\12` is the first group and a 2 where there are not twelve groups, and a group that took no part
  counts as empty text;
- the flags s, x and q work, and an unknown flag is an error.

Oxigraph 0.5 differs too: there `\s` is all white space, `.` a carriage
return; `^` with the flag m matches after a last line feed, the flag i reaches into `\p{Lu}`,
subtraction adds, and back-references, `\i` and `\c` are errors.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final

from bilbaokg.shacl.characters import (
    NAME_CHARS,
    NAME_STARTS,
    SPACES,
    Characters,
    class_body,
    complement,
    property_of,
)

__all__ = ["compile_pattern", "is_linear"]

_FLAGS: Final = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.NOFLAG}


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str, flags: str = "") -> Callable[[str], bool]:
    """A function that says whether a text matches the pattern anywhere.

    flags: any of s, m, i, x and q. Raises ValueError, with the reason, for other flags and for a
    pattern that is a regular expression neither of XPath nor of Python.
    """
    search = _compile(pattern, flags).search
    return lambda text: search(text) is not None


# Escapes, character classes and what a lazy repeat adds say nothing about time.
_SINGLE: Final = re.compile(r"\\[^0-9]|\[\^?\]?(?:\\.|[^\]\\])*\]|(?<=[*+?}])\?")


def is_linear(pattern: str, flags: str = "") -> bool:
    """Whether a pattern surely takes a time in proportion to the text.

    So do those without groups or alternatives that repeat nothing, or, fixed to the start of the
    text, one thing; `false` says nothing of others.
    """
    if "q" in flags:
        return True
    rest = _SINGLE.sub("x", pattern)
    repeats = sum(rest.count(sign) for sign in "*+{")
    fixed = rest.startswith("^") and "m" not in flags
    return not set(rest) & set("(|\\") and rest.count("?") <= 2 and repeats <= fixed


def _compile(pattern: str, flags: str) -> re.Pattern[str]:
    if unknown := set(flags) - {*_FLAGS, "q"}:
        raise ValueError(f"unknown flags {''.join(sorted(unknown))!r}; there are s, m, i, x and q")
    if "q" in flags:
        return re.compile(re.escape(pattern), re.IGNORECASE if "i" in flags else re.NOFLAG)
    if inline := re.match(r"\(\?([ims]+)\)", pattern):
        pattern, flags = pattern[inline.end() :], flags + inline[1]
    options = re.NOFLAG
    for flag in flags:
        options |= _FLAGS[flag]
    try:
        return re.compile(_Translation(pattern, flags).text(), options)
    except (re.error, *_FAULTS) as error:
        ours = error
    try:
        # Python warns of brackets that a later version may read otherwise.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(pattern, options | (re.VERBOSE if "x" in flags else re.NOFLAG))
    except (re.error, *_FAULTS) as error:
        raise ValueError(_reason(ours, error)) from None


# What Python raises for absurd repeats and for brackets nested too deeply.
_FAULTS: Final = (ValueError, OverflowError, RecursionError)


def _reason(ours: Exception, raw: Exception) -> str:
    """Why neither was possible. Positions in the translation would mean nothing to the author."""
    if isinstance(ours, RecursionError):
        return "brackets are nested too deeply"
    if isinstance(ours, re.error):
        return str(raw) if isinstance(raw, re.error) and raw.msg == ours.msg else ours.msg
    return str(ours)


class _Translation:
    """One pattern on its way into Python's dialect; `at` is the next character to read.

    What is not known here goes over as it is, and Python judges it.
    """

    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern = pattern
        self.flags = flags
        self.at = 0
        self.groups = 0

    def text(self) -> str:
        pieces = []
        while self.at < len(self.pattern):
            pieces.append(self._piece())
        return "".join(pieces)

    def _piece(self) -> str:
        char = self._next()
        if char == "\\":
            return self._escape(self._next())
        if char == "[":
            return self._class()
        if char == "(":
            return self._group()
        if char in "^$":
            return self._anchor(char)
        if char == "." and "s" not in self.flags:
            return r"[^\n\r]"
        return "" if char in _SPACE and "x" in self.flags else char

    def _next(self) -> str:
        if self.at == len(self.pattern):
            raise ValueError(f"the pattern ends too early, at position {self.at}")
        self.at += 1
        return self.pattern[self.at - 1]

    def _follows(self, *texts: str) -> bool:
        return self.pattern.startswith(texts, self.at)

    def _group(self) -> str:
        if self._follows("?P<") or not self._follows("?"):
            self.groups += 1
        elif self._follows("?"):
            self.at += 1
            return "(?"
        return "("

    def _anchor(self, char: str) -> str:
        if "m" in self.flags:
            text = r"(?:\A|(?<=\n)(?!\Z))" if char == "^" else "$"
        else:
            text = "^" if char == "^" else r"\Z"
        # XPath repeats anchors, Python does not.
        return f"(?:{text})" if self._follows(*"*+?{") else text

    def _escape(self, char: str) -> str:
        if char in _SET_LETTERS:
            return self._fixed(f"[{self._set(char)}]")
        return self._reference(char) if char in "123456789" else f"\\{char}"

    def _fixed(self, text: str) -> str:
        """Sets that have a name know no flag i (section 5.6.2)."""
        return f"(?-i:{text})" if "i" in self.flags else text

    def _set(self, char: str) -> str:
        """The inside of a character class for an escape that stands for many characters."""
        if char not in "pP":
            return rf"\{char}" if char in "dDwW" else _named(char)
        name = _PROPERTY.match(self.pattern, self.at)
        if name is None:
            raise ValueError(f"\\{char} without {{name}} at position {self.at - 2}")
        self.at = name.end()
        return _property(name[1], char == "P")

    def _reference(self, char: str) -> str:
        """A back-reference takes as many digits as name a group that was opened before."""
        if int(char) > self.groups:
            return f"\\{char}"
        while self._follows(*"0123456789") and int(char + self.pattern[self.at]) <= self.groups:
            char += self._next()
        return rf"(?({char})\{char})"

    # -- character classes -----------------------------------------------------------------------

    def _class(self) -> str:
        negated = self._follows("^")
        self.at += negated
        first, plain, fixed, minus = self.at, "", "", ""
        # A bracket that comes first is a character of the class, as in Python.
        while (char := self._next()) != "]" or self.at == first + 1:
            if char == "-" and self._follows("[") and self.at > first + 1:
                minus = self._subtrahend()
                break
            if char == "\\" and self._follows(*_SET_LETTERS):
                fixed += self._set(self._next())
            else:
                plain += self._range(self._code(char))
        return self._assembled("^" if negated else "", plain, fixed, minus)

    def _subtrahend(self) -> str:
        self.at += 1
        found = self._class()
        if self._next() != "]":
            raise ValueError(f"a subtraction does not end its class, at position {self.at - 1}")
        return found

    def _assembled(self, negated: str, plain: str, fixed: str, minus: str) -> str:
        if "i" in self.flags and plain and fixed:
            text = f"(?:[{plain}]|{self._fixed(f'[{fixed}]')})"
            text = f"(?:(?!{text})(?s:.))" if negated else text
        elif fixed and not plain:
            text = self._fixed(f"[{negated}{fixed}]")
        else:
            text = f"[{negated}{plain}{fixed}]"
        return f"(?:(?!{minus}){text})" if minus else text

    def _range(self, low: int) -> str:
        if not self._follows("-") or self._follows("-]", "-["):
            return class_body([(low, low)])
        start = self.at - 1
        self.at += 1
        high = self._code(self._next())
        if high < low:
            raise ValueError(f"a range that runs backwards, at position {start}")
        return class_body([(low, high)])

    def _code(self, char: str) -> int:
        """The code point of a character of a class, which may be escaped."""
        if char != "\\":
            return ord(char)
        char = self._next()
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char in _HEX:
            digits = self.pattern[self.at : self.at + _HEX[char]]
            self.at += len(digits)
            return int(digits, 16)
        if char.isascii() and char.isalnum():
            raise ValueError(f"\\{char} cannot stand in a class, at position {self.at - 2}")
        return ord(char)


_SPACE: Final = " \t\n\r"
_SET_LETTERS: Final = "sSdDwWiIcCpP"
_PROPERTY: Final = re.compile(r"\{([A-Za-z0-9-]+)\}")
_CONTROLS: Final = {"n": 10, "r": 13, "t": 9, "a": 7, "b": 8, "f": 12, "v": 11}
# What only Python has: characters by their number.
_HEX: Final = {"x": 2, "u": 4, "U": 8}


_COLON: Final = (ord(":"), ord(":"))
_SETS: Final[dict[str, Callable[[], Characters]]] = {
    "s": lambda: SPACES,
    "i": lambda: (*NAME_STARTS, _COLON),
    "c": lambda: (*NAME_CHARS, _COLON),
}


@cache
def _named(letter: str) -> str:
    r"""The inside of a class for `\s`, `\i`, `\c`; of a capital for all other characters."""
    found = _SETS[letter.lower()]()
    return class_body(complement(found) if letter.isupper() else found)


@cache
def _property(name: str, negated: bool) -> str:
    found = property_of(name)
    if found is None:
        raise ValueError(f"unknown category or block {name!r}")
    return class_body(complement(found) if negated else found)
