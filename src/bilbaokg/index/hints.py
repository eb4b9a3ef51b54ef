"""What helps who searches: other words for the same, spelling, completion.

All of it is made of the words of the release itself, so that what is offered is there to be found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from bilbaokg.index.excerpts import spelling
from bilbaokg.index.reader import Index
from bilbaokg.index.words import Phrase, Words, folded

__all__ = ["Suggestion", "corrected", "popular", "suggest", "synonyms_of"]

_MOST_CONCEPTS: Final = 20
_MOST_UNKNOWN: Final = 3


class Suggestion(NamedTuple):
    """What could be searched for, with its language and how many entries it is said of.

    `iri` is that of the concept, area or the like that is called so, "" for a keyword.
    """

    text: str
    lang: str
    iri: str
    entries: int


def synonyms_of(index: Index, words: Words) -> list[str]:
    """What else concepts are called that are called exactly so, in all languages."""
    same = folded(word for phrase in words.phrases for word in phrase.words)
    sql = (
        "SELECT t.text, t.iri FROM terms t JOIN entries e ON e.iri = t.iri AND e.kind = 'concept'"
        " WHERE terms MATCH ? ORDER BY t.entries DESC, t.rowid LIMIT ?"
    )
    called = [
        iri
        for text, iri in index.database.execute(sql, (f'^"{same}"', _MOST_CONCEPTS))
        if folded(Words.tokens(text)) == same
    ]
    marks = ",".join("?" * len(called))
    names = f"SELECT DISTINCT text FROM names WHERE iri IN ({marks}) ORDER BY text"  # noqa: S608
    return [text for (text,) in index.database.execute(names, called)]


def suggest(index: Index, q: str, lang: str, limit: int = 10) -> list[Suggestion]:
    """Keywords and names that hold the words begun in `q`, those in the reader's language first.

    Of texts that differ in case or accents alone, the most used.
    """
    words = Words.of(q)
    if not words.phrases:
        return []
    sql = (
        "SELECT text, lang, iri, entries FROM terms WHERE terms MATCH ?"
        " ORDER BY lang NOT IN (?, ''), entries DESC, length(text), text, iri LIMIT ?"
    )
    found: dict[str, Suggestion] = {}
    for row in index.database.execute(sql, (words.expression, lang, 4 * limit)):
        found.setdefault(folded(Words.tokens(row[0])), Suggestion(*row))
    return list(found.values())[:limit]


def popular(index: Index, lang: str, limit: int) -> list[Suggestion]:
    """The keywords and names that most entries have, in the reader's language, by text."""
    sql = (
        "SELECT text, lang, iri, entries FROM terms WHERE lang = ? AND entries > 0"
        " ORDER BY entries DESC, text LIMIT ?"
    )
    found: dict[str, Suggestion] = {}
    for row in index.database.execute(sql, (lang, 2 * limit)):
        found.setdefault(folded(Words.tokens(row[0])), Suggestion(*row))
    return sorted(list(found.values())[:limit], key=lambda term: folded([term.text]))


def corrected(index: Index, words: Words) -> str | None:
    """The same words, those that nothing holds replaced by the nearest that the release has.

    None where each is there, where none is near, and where most is no word at all.
    """
    unknown = [p for p in words.phrases if not index.hits(p.expression)]
    if not 0 < len(unknown) <= _MOST_UNKNOWN:
        return None
    taken = [_nearest(index, phrase) if phrase in unknown else phrase for phrase in words.phrases]
    if None in taken:
        return None
    parts = (p for p in taken if p)
    return " ".join(" ".join(p.words) if p.open else f'"{" ".join(p.words)}"' for p in parts)


def _nearest(index: Index, phrase: Phrase) -> Phrase | None:
    """The phrase with its unknown words replaced."""
    found = []
    for word in phrase.words:
        plain = folded([word])
        if index.hits(f'"{plain}"'):
            found.append(word)
        elif near := next(_near(index, plain), None):
            found.append(spelling(index, near))
        else:
            return None
    made = Phrase(tuple(found), phrase.open)
    return made if index.hits(made.expression) else None


def _near(index: Index, word: str) -> Iterator[str]:
    """Words within two edits (one, for a short word), the nearest and most frequent first."""
    # Loaded where a word is misspelt: it takes its time.
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    edits = 1 if len(word) < 5 else 2
    known = index.words
    near = process.extract(word, list(known), scorer=OSA.distance, limit=None, score_cutoff=edits)
    # An error in the first letter is rare: of two words as near, the one that begins alike.
    ranked = sorted((edits, key[:1] != word[:1], -known[key], key) for key, edits, _ in near)
    return (key for _, _, _, key in ranked)
