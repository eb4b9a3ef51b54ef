"""What people read about data, by language: names of RDF terms, what validation says.

The texts stand in the files of `web/locale/`, in all languages each, and are read when first asked
for. A language without a text takes the Spanish one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from bilbaokg import assets
from bilbaokg.terms import DQV, DUV, EARL, PREFIXES, SCHEMA, SH

__all__ = ["counted", "find", "say", "term"]

_DEFAULT: Final = "es"
# What validation, quality, linter, status, services and rehearsals say; no section is in two.
_FILES: Final = (
    "findings",
    "quality",
    "lint",
    "status",
    "services",
    "portals",
    "questions",
    "standing",
)
_NAMESPACES: Final = {
    **PREFIXES,
    "bkg": "bkg:",
    "dqv": DQV,
    "duv": DUV,
    "earl": EARL,
    "eli": "http://data.europa.eu/eli/ontology#",
    "oa": "http://www.w3.org/ns/oa#",
    "schema": SCHEMA,
    "sh": SH,
}


def _read(name: str) -> dict[str, Any]:
    text = (assets.folder("web") / "locale" / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _terms() -> Mapping[str, Mapping[str, str]]:
    """Names of properties and classes by IRI and language."""
    return {
        f"{namespace}{name}": labels
        for prefix, names in _read("terms").items()
        for namespace in [_NAMESPACES[prefix]]
        for name, labels in names.items()
    }


@cache
def _findings() -> Mapping[str, Mapping[str, str]]:
    """Texts about findings by `section.name` and language."""
    return {
        f"{section}.{name}": texts
        for file in _FILES
        for section, entries in _read(file).items()
        for name, texts in entries.items()
    }


def term(iri: str, language: str) -> tuple[str, str] | None:
    """What a property or class of a vocabulary is called, and in which language; or None."""
    # schema.org says both addresses of its own.
    iri = re.sub(r"^http://schema\.org/", SCHEMA, iri)
    labels = _terms().get(iri) or _terms().get(re.sub(r"^.*/ns#", "bkg:", iri)) or {}
    for code in (language, _DEFAULT):
        if code in labels:
            return labels[code], code
    return None


def find(key: str, language: str) -> str | None:
    """The text of a key, or None for a key that there is not."""
    texts = _findings().get(key)
    return None if texts is None else texts.get(language, texts[_DEFAULT])


def say(key: str, language: str, **values: object) -> str:
    """The text of a key with its placeholders filled. Raises KeyError for an unknown key."""
    texts = _findings()[key]
    return texts.get(language, texts[_DEFAULT]).format(**values)


def counted(section: str, number: int, language: str) -> str:
    """A number with its noun: "1 value", "3 values", and "no values" where there is a form for it.

    Spanish, Basque and English have the same two plural forms.
    """
    form = {0: "zero", 1: "one"}.get(number, "other")
    if find(f"{section}.{form}", language) is None:
        form = "other"
    return say(f"{section}.{form}", language, n=number)
