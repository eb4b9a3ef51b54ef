"""What somebody typed into a search box, and the same as an expression of FTS5.

Nothing typed is an operator of FTS5: a word is letters and digits, and always stands in quotes.
What stands between two quotation marks is looked for as it stands, side by side; any other word is
a beginning ("calid" finds "calidad"), but a single letter or digit stands for itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final, NamedTuple

__all__ = ["Phrase", "Words", "folded"]

_LONGEST: Final = 200
_MOST: Final = 16
_TOKEN: Final = re.compile(r"[^\W_]+")
_PIECES: Final = re.compile(r'"([^"]*)"|“([^”]*)”|«([^»]*)»|([^"“«]+|["“«])')


class Phrase(NamedTuple):
    """Words side by side; `open` where the last may go on, `free` where no quotes stood around.

    `text` is a synonym as it is written.
    """

    words: tuple[str, ...]
    open: bool
    free: bool = False
    text: str = ""

    @property
    def expression(self) -> str:
        """As FTS5 reads it (section 3.2 of its documentation, "FTS5 Phrases")."""
        return f'"{" ".join(self.words)}"{"*" if self.open else ""}'


class Words(NamedTuple):
    """What is looked for: all `phrases`, or one of the `synonyms` of the whole instead."""

    phrases: tuple[Phrase, ...]
    synonyms: tuple[Phrase, ...] = ()

    @classmethod
    def of(cls, text: str) -> Words:
        """The words of a text: at most 16, of its first 200 characters; none where it has none."""
        found: list[Phrase] = []
        for *quoted, free in _PIECES.findall(unicodedata.normalize("NFC", text[:_LONGEST])):
            if free:
                found += [
                    Phrase((word,), len(word) > 1, free=True) for word in _TOKEN.findall(free)
                ]
            elif words := _TOKEN.findall("".join(quoted)):
                found.append(Phrase(tuple(words), open=False))
        return cls(tuple(dict.fromkeys(found))[:_MOST])

    @staticmethod
    def tokens(text: str) -> tuple[str, ...]:
        """The words of a text, one by one."""
        return tuple(_TOKEN.findall(unicodedata.normalize("NFC", text)))

    @property
    def expression(self) -> str:
        """Matches what holds all of it; "" where there is nothing to look for."""
        all_of_it = " AND ".join(phrase.expression for phrase in self.phrases)
        if not self.synonyms:
            return all_of_it
        return " OR ".join([f"({all_of_it})", *(s.expression for s in self.synonyms)])

    @property
    def any(self) -> str:
        """Matches what holds any part of it."""
        return " OR ".join(phrase.expression for phrase in (*self.phrases, *self.synonyms))

    def or_as(self, texts: Iterable[str]) -> Words:
        """The same, or what these texts say as they stand."""
        found = {self.tokens(text): text for text in texts}
        same = folded(word for phrase in self.phrases for word in phrase.words)
        phrases = tuple(
            Phrase(words, open=False, text=text)
            for words, text in found.items()
            if words and folded(words) != same
        )
        return self._replace(synonyms=phrases[:_MOST])


def folded(words: Iterable[str]) -> str:
    """Words as the index keeps them: without case and accents, one space between."""
    decomposed = unicodedata.normalize("NFD", " ".join(words).casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))
