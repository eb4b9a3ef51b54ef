"""The table of export targets: what can be asked for, and in which syntaxes and languages."""

from __future__ import annotations

from typing import Final

from bilbaokg.errors import NotFound, UnsupportedFormat
from bilbaokg.exports.ckan import CKAN
from bilbaokg.exports.dcat_ap import DCAT_AP
from bilbaokg.exports.dcat_ap_es import DCAT_AP_ES
from bilbaokg.exports.feed import Feed
from bilbaokg.exports.full import FULL, Full
from bilbaokg.exports.schema_org import SCHEMA_ORG
from bilbaokg.terms import LANGUAGES

__all__ = ["MAIN", "TARGETS", "Exporter", "feeds", "find", "named"]

Exporter = Feed | Full
TARGETS: Final[dict[str, Exporter]] = {
    target.name: target for target in (DCAT_AP, DCAT_AP_ES, CKAN, SCHEMA_ORG, FULL)
}
MAIN: Final = DCAT_AP.name
"""The target that has the short address."""


def feeds() -> list[Feed]:
    """The targets that are cut into pages when a release is built."""
    return [target for target in TARGETS.values() if isinstance(target, Feed)]


def named(name: str) -> Exporter:
    """A target by name. Raises NotFound saying which there are."""
    if name not in TARGETS:
        raise NotFound(f"no export target {name!r}", hint=f"targets: {', '.join(TARGETS)}")
    return TARGETS[name]


def find(name: str, ext: str, language: str | None) -> Exporter:
    """A target that is written in a syntax and for a language.

    Raises NotFound (target, language) and UnsupportedFormat, saying what there is.
    """
    target = named(name)
    if ext not in target.formats:
        raise UnsupportedFormat(
            f"{name} is not written as {ext!r}", hint=f"one of: {', '.join(target.formats)}"
        )
    languages = LANGUAGES if isinstance(target, Feed) else ()
    if language is not None and language not in languages:
        raise NotFound(
            f"{name} is not written for the language {language!r}",
            hint=f"languages: {', '.join(languages) or 'all of them together'}",
        )
    return target
