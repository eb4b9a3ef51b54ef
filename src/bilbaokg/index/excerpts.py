"""Why an entry was found: the place in its texts that holds what was looked for, marked.

FTS5 itself marks the words, in a small table of the texts of one page, so that what is marked is
exactly what matches, whatever its case, accents and script.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby, islice
from operator import itemgetter
from typing import Final, NamedTuple

from bilbaokg.index.content import RELATED, Field
from bilbaokg.index.reader import Index, Row
from bilbaokg.index.words import Words

__all__ = ["Excerpt", "Marked", "Piece", "marked", "spelling"]

_TOKENS: Final = 32
_LONGEST: Final = 20_000
_MOST_TEXTS: Final = 200
_BEGIN, _END = "\x02", "\x03"
# Where a hit tells most, the title itself set aside.
_TELLING: Final = (
    Field.DESCRIPTION, Field.KEYWORDS, Field.SUBJECTS, Field.TITLE, Field.PARTS, Field.PARTIES,
    Field.CODES,
)  # fmt: skip


class Piece(NamedTuple):
    """A part of a text; `hit` where it is what was looked for."""

    text: str
    hit: bool


class Excerpt(NamedTuple):
    """The part of a text around the hits; `field` says which text."""

    field: Field
    lang: str
    pieces: tuple[Piece, ...]


class Marked(NamedTuple):
    """A row's title with its hits, and another place that has some, if there is one."""

    title: tuple[Piece, ...]
    excerpt: Excerpt | None


class _Held(NamedTuple):
    entry: int
    field: Field
    lang: str
    text: str


def marked(index: Index, rows: Sequence[Row], words: Words, lang: str) -> dict[int, Marked]:
    """By the number of each row, where it holds the words, best in the reader's language.

    Nothing where there are no words.
    """
    if not words.phrases:
        return {}
    titles = [_Held(row.num, Field.TITLE, row.title.lang, row.title.text) for row in rows]
    shown = {(held.entry, held.text) for held in titles}
    others = [held for held in _texts(index, rows) if (held.entry, held.text) not in shown]
    texts = [*titles, *others]
    found = _mark([held.text for held in texts], words.any, len(titles))
    excerpts: dict[int, list[Excerpt]] = defaultdict(list)
    for place, pieces in found.items():
        if place >= len(titles):
            held = texts[place]
            excerpts[held.entry].append(Excerpt(held.field, held.lang, pieces))
    answers = {}
    for place, row in enumerate(rows):
        title = found.get(place, (Piece(row.title.text, hit=False),))
        best = min(excerpts[row.num], key=lambda e: _telling(e, lang), default=None)
        answers[row.num] = Marked(title, best if best and _is_news(best, title) else None)
    return answers


def _is_news(excerpt: Excerpt, title: Sequence[Piece]) -> bool:
    """Whether an excerpt tells more than the title: not the same in another language, nor less."""
    shown = _words(title)
    return 2 * _words(excerpt.pieces) > shown and (excerpt.field != Field.TITLE or not shown)


def spelling(index: Index, word: str) -> str:
    """A word of the index as a text of the release writes it, in lower case."""
    numbers = list(islice(index.hits(f'"{word}"'), 1))
    texts = [held.text for held in _texts(index, index.rows(numbers, "es"))]
    for pieces in _mark(texts, f'"{word}"', 0).values():
        return next(piece.text.lower() for piece in pieces if piece.hit)
    return word


def _telling(excerpt: Excerpt, lang: str) -> tuple[bool, bool, int, int]:
    """Sorts excerpts, the most telling first; a code tells people least."""
    field, foreign = excerpt.field, excerpt.lang not in (lang, "")
    return field == Field.CODES, foreign, -_words(excerpt.pieces), _TELLING.index(field)


def _words(pieces: Iterable[Piece]) -> int:
    """How many different words are marked."""
    return len({piece.text.casefold() for piece in pieces if piece.hit})


def _texts(index: Index, rows: Iterable[Row]) -> Iterator[_Held]:
    """The texts by which entries are found; of one with very many, the first."""
    numbers = [row.num for row in rows]
    marks = ",".join("?" * len(numbers))
    own = index.database.execute(
        f"SELECT entry, field, lang, substr(text, 1, {_LONGEST}) FROM passages"  # noqa: S608
        f" WHERE entry IN ({marks}) ORDER BY entry, field, lang, text",
        numbers,
    )
    for _, held in groupby(own, key=itemgetter(0)):
        for entry, field, lang, text in islice(held, _MOST_TEXTS):
            yield _Held(entry, Field(field), lang, text)
    related = index.database.execute(
        "SELECT DISTINCT f.entry, f.facet, n.lang, n.text FROM facets f"  # noqa: S608
        f" JOIN names n ON n.iri = f.value WHERE f.entry IN ({marks})",
        numbers,
    )
    for entry, facet, lang, text in related:
        if facet in RELATED:
            yield _Held(entry, RELATED[facet], lang, text)


def _mark(texts: Sequence[str], expression: str, whole: int) -> dict[int, tuple[Piece, ...]]:
    """By place, the texts that hold a hit; the first `whole` of them uncut, of others a part."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(
            "CREATE VIRTUAL TABLE held USING fts5(text, tokenize='unicode61 remove_diacritics 2')"
        )
        database.executemany("INSERT INTO held(rowid, text) VALUES(?,?)", enumerate(texts))
        sql = (
            "SELECT rowid, iif(rowid < ?, highlight(held, 0, char(2), char(3)),"
            " snippet(held, 0, char(2), char(3), '…', ?)) FROM held WHERE held MATCH ?"
        )
        return {
            place: tuple(_pieces(text))
            for place, text in database.execute(sql, (whole, _TOKENS, expression))
        }


def _pieces(text: str) -> Iterator[Piece]:
    hit = False
    for part in re.split(f"([{_BEGIN}{_END}])", text):
        if part in (_BEGIN, _END):
            hit = part == _BEGIN
        elif part:
            yield Piece(part, hit)
