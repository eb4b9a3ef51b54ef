"""What a reader of portals gives: statements, and what is to be said about them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from bilbaokg.terms import RDF, XSD, is_iri, literal, ref

__all__ = ["Node", "Translation"]

_TYPE: Final = ref(RDF.type)
_DATES: Final = (
    (re.compile(r"[12]\d{3}"), XSD.gYear),
    (re.compile(r"\d{4}-\d\d-\d\d"), XSD.date),
    (
        re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?"),
        XSD.dateTime,
    ),
)


@dataclass(slots=True)
class Translation:
    """The statements of a page, as N-Triples lines.

    listed: the IRIs (terms) of its datasets; total: how many the portal says it has; names: what
    else is to be asked for, by name; refused: (record, reason, place); passed: what is no dataset;
    taken: the names of what was looked at;
    unplaced: fields that DCAT has no place for; facts: what it says of the portal itself; notes:
    warnings.
    """

    lines: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    total: int | None = None
    count: int = 0
    names: list[str] = field(default_factory=list)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    unplaced: Counter[str] = field(default_factory=Counter)
    facts: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    blank: int = 0

    def about(self) -> dict[str, Any]:
        """Everything but the statements, as JSON."""
        return {
            "listed": self.listed,
            "total": self.total,
            "count": self.count,
            "names": self.names,
            "refused": self.refused,
            "passed": self.passed,
            "taken": self.taken,
            "unplaced": dict(self.unplaced),
            "facts": self.facts,
            "notes": self.notes,
        }

    def node(self, iri: str | None = None, *classes: str) -> Node:
        """A node to say things of: an IRI, or a blank node."""
        self.blank += iri is None
        return Node(self, ref(iri) if iri else f"_:b{self.blank}", classes)


class Node:
    """One subject; what cannot be a term is left out."""

    def __init__(self, translation: Translation, term: str, classes: Iterable[str]) -> None:
        self.translation, self.term = translation, term
        for cls in classes:
            self.translation.lines.append(f"{term} {_TYPE} {ref(cls)} .")

    def say(self, predicate: str, term: str) -> None:
        """Say something of it with a term as it is."""
        self.translation.lines.append(f"{self.term} {ref(predicate)} {term} .")

    def text(self, predicate: str, value: object, language: str | None = None) -> bool:
        """Say a text; whether there was one."""
        written = str(value).strip() if isinstance(value, str | int | float) else ""
        if written:
            self.say(predicate, literal(written, language=language))
        return bool(written)

    def link(self, predicate: str, value: object) -> bool:
        """Say a link; whether it was an IRI."""
        iri = value.strip().replace(" ", "%20") if isinstance(value, str) else ""
        if not is_iri(iri):
            return False
        self.say(predicate, ref(iri))
        return True

    def either(self, predicate: str, value: object) -> bool:
        """Say a link where it is one, else a text."""
        return self.link(predicate, value) or self.text(predicate, value)

    def date(self, predicate: str, value: object) -> bool:
        """Say a year, a day or a moment as what it is, other text as it is."""
        text = value.strip().replace(" ", "T") if isinstance(value, str) else ""
        for pattern, kind in _DATES:
            if pattern.fullmatch(text) and _exists(text):
                self.say(predicate, literal(text, datatype=kind))
                return True
        return self.text(predicate, value)


def _exists(text: str) -> bool:
    """Whether a day or a moment is one of the calendar; of a year it always is."""
    try:
        return len(text) == 4 or bool(datetime.fromisoformat(text))
    except ValueError:
        return False
