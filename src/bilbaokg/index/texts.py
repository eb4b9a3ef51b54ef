"""Texts with their language, and which one a reader gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bilbaokg.terms import LANGUAGES

__all__ = ["Text", "choose"]


class Text(NamedTuple):
    """A text with the language that it is in ("" when untagged)."""

    text: str
    lang: str


def choose(texts: Mapping[str, str], lang: str) -> Text:
    """The text for a reader of this language, else the nearest there is; {} gives ("", "")."""
    for candidate in (lang, *LANGUAGES, ""):
        if candidate in texts:
            return Text(texts[candidate], candidate)
    other = min(texts, default="")
    return Text(texts.get(other, ""), other)
