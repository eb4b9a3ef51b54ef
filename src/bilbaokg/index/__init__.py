"""The index of a release: lists, facets, search, labels and exact texts in one SQLite file.

SPARQL answers these slowly (a facet over 100,000 datasets takes seconds), SQLite in milliseconds.
The file is made from the records of a release and never changes after. Tables:

    entries    one row a record: number, id, IRI, kind, dates, whether it is a tombstone, exact text
    columns    columns that a record describes as its parts: they are numbered and found as entries
    resources  every subject of every record: its record and the id of the page that shows it
    labels     what a subject is called, by language ("" without a tag)
    texts      title and summary of an entry as they read in each language, fallback applied
    facets     entry, facet, value (an IRI or a text)
    sets       the entries that have a value of a facet, or are of a kind, as a bitmap
    superiors  units with the units that they are part of
    orders     the entries of a kind, sorted
    passages   the texts by which an entry is found, by field and language
    names      what the values of facets are called, synonyms too: entries are found by them
    search     full text over the passages and the names that go with them, in all languages
    words      each word of the search table with how many entries hold it
    terms      full text over keywords and names, to complete what is typed and for synonyms
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bilbaokg import lazy

if TYPE_CHECKING:
    from bilbaokg.index.excerpts import Excerpt, Marked, Piece, marked
    from bilbaokg.index.found import KINDS, SORTS, Found, Listing, find
    from bilbaokg.index.hints import Suggestion, corrected, popular, suggest
    from bilbaokg.index.opening import of
    from bilbaokg.index.reader import FACETS, Index, Row, Where
    from bilbaokg.index.standings import Checks
    from bilbaokg.index.texts import Text, choose
    from bilbaokg.index.words import Words
    from bilbaokg.index.writer import FORMAT, build

__all__ = [
    "FACETS",
    "FORMAT",
    "KINDS",
    "SORTS",
    "Checks",
    "Excerpt",
    "Found",
    "Index",
    "Listing",
    "Marked",
    "Piece",
    "Row",
    "Suggestion",
    "Text",
    "Where",
    "Words",
    "build",
    "choose",
    "corrected",
    "find",
    "marked",
    "of",
    "popular",
    "suggest",
]

__getattr__ = lazy.names_of(
    __name__,
    {
        "excerpts": "Excerpt Marked Piece marked",
        "found": "KINDS SORTS Found Listing find",
        "hints": "Suggestion corrected popular suggest",
        "opening": "of",
        "reader": "FACETS Index Row Where",
        "standings": "Checks",
        "texts": "Text choose",
        "words": "Words",
        "writer": "FORMAT build",
    },
)
