"""What a search finds, as JSON: the same over HTTP and on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from bilbaokg.index import vocabulary
from bilbaokg.index.codes import code_name
from bilbaokg.index.excerpts import Marked, Piece, marked
from bilbaokg.index.found import Found
from bilbaokg.index.hints import corrected
from bilbaokg.index.reader import Index, Row
from bilbaokg.index.texts import Text, choose

__all__ = ["answer"]

_MOST_VALUES: Final = 100


def answer(
    found: Found, lang: str, sort: str, page: int, size: int, *, base: str
) -> dict[str, Any]:
    """One page of what was found, with counts by kind and facet.

    base: the base of the catalogue's own IRIs. `marks` are places in a text, from and to, in
    characters (code points). Of a facet the values that most entries have are told.
    """
    words = found.words
    listing = found.page(lang, sort, page, size)
    hits = marked(found.index, listing.rows, words, lang) if words else {}
    return {
        "language": lang,
        "total": listing.total,
        "page": listing.page,
        "pages": listing.pages,
        "size": size,
        "kinds": found.kinds(),
        "synonyms": [phrase.text for phrase in words.synonyms] if words else [],
        "corrected": corrected(found.index, words) if words and not listing.total else None,
        "facets": _facets(found, lang, base),
        "results": [_result(row, hits.get(row.num)) for row in listing.rows],
    }


def _facets(found: Found, lang: str, base: str) -> dict[str, list[dict[str, Any]]]:
    counted = {name: rows[:_MOST_VALUES] for name, rows in found.facets().items() if rows}
    names = _names(
        found.index, (value for rows in counted.values() for value, _ in rows), lang, base
    )
    return {
        facet: [
            {"value": v, "label": code_name(facet, v, lang) or names.get(v, v), "count": count}
            for v, count in rows
        ]
        for facet, rows in counted.items()
    }


def _names(index: Index, values: Iterable[str], lang: str, base: str) -> dict[str, str]:
    """What values are called, in the release or in the vocabularies that we bring."""
    held = list(values)
    known = vocabulary.names(base)
    ours = {value: choose(known[value], lang).text for value in held if value in known}
    return ours | {value: name.text for value, name in index.labels(held, lang).items()}


def _result(row: Row, hits: Marked | None) -> dict[str, Any]:
    excerpt = hits.excerpt if hits else None
    return {
        "id": row.id,
        "iri": row.iri,
        "kind": row.kind,
        "title": _text(row.title) | ({"marks": _marks(hits.title)} if hits else {}),
        "summary": _text(row.summary) if row.summary.text else None,
        "issued": row.issued,
        "modified": row.modified,
        "facets": row.facets,
        "excerpt": excerpt and {
            "field": excerpt.field.name.lower(),
            "text": "".join(piece.text for piece in excerpt.pieces),
            "language": excerpt.lang or None,
            "marks": _marks(excerpt.pieces),
        },
    }  # fmt: skip


def _text(text: Text) -> dict[str, Any]:
    return {"text": text.text, "language": text.lang or None}


def _marks(pieces: Iterable[Piece]) -> list[tuple[int, int]]:
    marks, place = [], 0
    for piece in pieces:
        if piece.hit:
            marks.append((place, place + len(piece.text)))
        place += len(piece.text)
    return marks
