"""What lists and search share: entries as cards, names of values, help for who searches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final
from urllib.parse import quote

from bilbaokg import render
from bilbaokg.index import Excerpt, Found, Row, Text, Words, corrected, find, marked
from bilbaokg.index.codes import code_name
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import Action, Card, Hints, Passage, Tile, Value

__all__ = ["cards", "hints", "names", "text"]

_PUBLIC: Final = "http://publications.europa.eu/resource/authority/access-right/PUBLIC"
# Portals that give no IRI write the word.
_OPEN: Final = (_PUBLIC, "public", "PUBLIC")
_CONTEXT: Final = ("area", "scheme", "part")
_MOST_WORDS: Final = 8


def text(reader: Reader, key: str, count: int | None = None) -> str:
    """A text of our own in the reader's language."""
    return render.translate(key, reader.lang, count)


def names(reader: Reader, facet: str, values: Sequence[str]) -> dict[str, Text]:
    """What the values of a facet are called."""
    if facet == "gap":
        known = {value: f"gap.{value}" for value in values}
        return {
            value: Text(text(reader, key) if render.has_text(key) else value, "")
            for value, key in known.items()
        }
    codes = {value: code_name(facet, value, reader.lang) for value in values}
    if codes and all(codes.values()):
        return {value: Text(_capital(name or value), "") for value, name in codes.items()}
    reader.load(values)
    return {value: reader.name(value) for value in values}


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def cards(reader: Reader, rows: Sequence[Row], words: Words | None = None) -> list[Card]:
    """Rows of the index as cards, with the words that were looked for marked."""
    shown = (*_CONTEXT, "format", "access")
    reader.load(value for row in rows for name in shown for value in row.facets.get(name, ()))
    hits = marked(reader.opened.index, rows, words, reader.lang) if words and rows else {}
    return [
        Card(
            href=reader.site.url(f"/{quote(row.id)}"),
            title=row.title,
            summary=row.summary,
            context=[
                Value(reader.name(iri)) for facet in _CONTEXT for iri in row.facets.get(facet, ())
            ],
            formats=sorted(reader.name(v).text for v in row.facets.get("format", ())),
            modified=row.modified,
            # Public is the rule: only the exception is worth a mark.
            access=next(
                (Value(reader.name(v)) for v in row.facets.get("access", ()) if v not in _OPEN),
                None,
            ),
            marked=hits[row.num].title if row.num in hits else (),
            passage=_passage(reader, row, hits[row.num].excerpt) if row.num in hits else None,
        )
        for row in rows
    ]


def _passage(reader: Reader, row: Row, excerpt: Excerpt | None) -> Passage | None:
    if excerpt is None:
        return None
    name = excerpt.field.name.lower()
    is_summary = name == "description" and excerpt.lang == row.summary.lang
    told = None if is_summary else text(reader, f"field.{name}")
    return Passage(told, excerpt.lang, excerpt.pieces)


def hints(reader: Reader, found: Found, q: str, address: Callable[[str, bool], str]) -> Hints:
    """Help for a search; `address` gives the list for other words, with its filters or without."""
    index, words = reader.opened.index, found.words
    synonyms = [phrase.text for phrase in words.synonyms] if words else []
    if found.total:
        return Hints(synonyms, None, None, [])
    spelt = corrected(index, words) if words else None
    wide = find(index, q, {}, found.kind).total if any(found.filters.values()) else 0
    unfiltered = Tile(wide, text(reader, "search.unfiltered", wide), address(q, False))
    return Hints(
        synonyms,
        Action(spelt, address(spelt, True)) if spelt else None,
        unfiltered if wide else None,
        list(_alone(found, words, address)) if words and len(words.phrases) > 1 else [],
    )


def _alone(found: Found, words: Words, address: Callable[[str, bool], str]) -> Iterable[Tile]:
    """Each of several words by itself, with how much it finds."""
    for phrase in words.phrases[:_MOST_WORDS]:
        said = " ".join(phrase.words)
        typed = said if phrase.free else f'"{said}"'
        total = find(found.index, typed, {}, found.kind).total
        yield Tile(total, said, address(typed, False))
