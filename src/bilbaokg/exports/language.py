"""Texts for readers of one language."""

from __future__ import annotations

from bilbaokg.terms import language_of, split_line

__all__ = ["in_language"]


def in_language(lines: list[str], language: str | None) -> list[str]:
    """The lines without texts in other languages, where the same property has one in this one."""
    if language is None:
        return lines
    spoken = [(*split_line(line)[:2], language_of(line[:-2])) for line in lines]
    there = {(s, p) for s, p, tag in spoken if tag and _is(tag, language)}
    return [
        line
        for line, (s, p, tag) in zip(lines, spoken, strict=True)
        if not tag or _is(tag, language) or (s, p) not in there
    ]


def _is(tag: str, language: str) -> bool:
    """Basic filtering of language tags (RFC 4647, section 3.3.1)."""
    return tag == language or tag.startswith(f"{language}-")
