"""Sentences about constraints in one language; the texts stand in web/locale/findings.toml."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from bilbaokg import wording
from bilbaokg.terms import LANGUAGES, PREFIXES, SH, XSD, plain

__all__ = ["Phrases", "compact", "compact_path", "written"]

_NAMESPACES: Final = (*PREFIXES.items(), ("sh", SH))
_CASES: Final = ("p", "q", "g", "v", "w", "z")
_IN_PATH: Final = re.compile("<[^>]*>")
_EXAMPLES: Final = {
    "boolean": "true",
    "integer": "12",
    "int": "12",
    "long": "12",
    "nonNegativeInteger": "12",
    "positiveInteger": "12",
    "decimal": "12.5",
    "double": "12.5",
    "float": "12.5",
    "date": "2026-01-31",
    "dateTime": "2026-01-31T10:30:00Z",
    "time": "10:30:00",
    "gYear": "2026",
    "gYearMonth": "2026-01",
    "duration": "P1Y",
    "hexBinary": "0a1b2c",
    "anyURI": "https://example.org/x",
}


def compact(term: str) -> str:
    """A term as people read it: `dct:title` for an IRI with a known prefix, the plain text else."""
    text = plain(term)
    for prefix, namespace in _NAMESPACES:
        rest = text.removeprefix(namespace)
        if rest != text and rest and "/" not in rest and "#" not in rest:
            return f"{prefix}:{rest}"
    return text


def compact_path(text: str) -> str:
    """The text of a property path with its IRIs made short; a bare IRI is a path."""
    if text.startswith("_:"):
        return ""
    if "<" not in text:
        return compact(f"<{text}>")
    return _IN_PATH.sub(lambda found: compact(found[0]), text)


def written(term: str) -> str:
    """A term as Turtle writes it, an IRI without its angle brackets."""
    if term.startswith('"^^', term.rfind('"')):
        lexical, _, datatype = term.rpartition("^^")
        short = compact(datatype)
        return lexical if datatype == f"<{XSD.string}>" else f"{lexical}^^{short}"
    return term if term.startswith('"') else plain(term)


class Phrases:
    """How findings are spoken of in one of LANGUAGES, in Spanish for others."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "es"

    def say(self, key: str, **values: object) -> str:
        """The text of a key with its placeholders filled."""
        return wording.say(key, self.language, **values)

    def hint(self, name: str, **values: object) -> str | None:
        """How to mend what a constraint finds, or None where nothing general can be said."""
        text = wording.find(f"hint.{name}", self.language)
        return text.format(**values) if text else None

    def detail(self, name: str, **values: object) -> str:
        """A sentence about one finding."""
        return self.say(f"detail.{name}", **values)

    def counted(self, section: str, number: int) -> str:
        """A number with its noun."""
        return wording.counted(section, number, self.language)

    # ---- sentences of constraints

    def message(self, name: str, label: str | None, **values: object) -> str:
        """The sentence of a constraint about a property, or about a resource where label is None.

        Raises KeyError for a constraint that has none.
        """
        subjects = self._subjects("resource" if label is None else "subject", label)
        text = self.say(f"message.{name}", **subjects, **values)
        is_short_name = label is not None and ":" in label and not text[0].isalpha()
        return text if is_short_name else _capitalised(text)

    def clause(self, name: str, label: str | None, **values: object) -> str:
        """The same as part of a sentence about a value, or about a property of the value."""
        subjects = self._subjects("value" if label is None else "nested", label)
        return self.say(f"message.{name}", **subjects, **values).strip().rstrip(".")

    def _subjects(self, section: str, label: str | None) -> dict[str, str]:
        return {case: self._text(f"{section}.{case}").format(label) for case in _CASES}

    def _text(self, key: str) -> str:
        return wording.find(key, self.language) or ""

    # ---- parts of sentences

    def joined(self, parts: Iterable[str]) -> str:
        """`a, b or c`."""
        *most, last = dict.fromkeys(parts)
        return self._text("words.or").format(", ".join(most), last) if most else last

    def quoted(self, text: str) -> str:
        """A name in the quotation marks of the language."""
        return self._text("words.quoted").format(text)

    def kind(self, name: str) -> str:
        """What a sh:nodeKind is called."""
        return wording.find(f"kind.{name}", self.language) or name

    def datatype(self, iri: str) -> str:
        """A datatype with what it is called: `a date (xsd:date)`."""
        short = compact(f"<{iri}>")
        called = wording.find(f"datatype.{short.rpartition(':')[2]}", self.language)
        return f"{called} ({short})" if called else short

    def example(self, iri: str) -> str:
        """A literal of a datatype, in Turtle."""
        short = compact(f"<{iri}>")
        name = short.rpartition(":")[2]
        if name == "langString":
            return f'"..."@{self.language}'
        return '"..."' if name == "string" else f'"{_EXAMPLES.get(name, "...")}"^^{short}'

    def named(self, iri: str) -> str:
        """A property or class with what it is called: `«Agente» (foaf:Agent)`."""
        found = wording.term(iri, self.language)
        short = compact(f"<{iri}>")
        return f"{self.quoted(found[0])} ({short})" if found else short

    def label(self, iri: str) -> str:
        """What a property is called, else its short name."""
        found = wording.term(iri, self.language)
        return found[0] if found else compact(f"<{iri}>")


def _capitalised(text: str) -> str:
    at = next((i for i, letter in enumerate(text) if letter.isalpha()), 0)
    return text[:at] + text[at : at + 1].upper() + text[at + 1 :]
