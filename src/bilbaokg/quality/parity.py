"""Whether what people read is there in Spanish and in Basque, and says the same.

That one text says what another does cannot be seen; that one was edited and the other was not can,
where the revisions of a record tell it. A text that is added later is taken for a translation of
the other one as it is then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from bilbaokg.quality.catalogue import Described
from bilbaokg.shacl.graph import Properties
from bilbaokg.terms import DCAT, DCT, language_of, ref, split_line, split_lines

__all__ = ["ASKED", "Behind", "Drift", "Parity", "drift", "parity"]

ASKED: Final = ("es", "eu")
"""The languages that every text should have."""

_TEXTS: Final = tuple(map(ref, (DCT["title"], DCT.description)))
_OF_DATASET: Final = (*_TEXTS, ref(DCAT.keyword))

Place = tuple[str, str]
"""A subject and a predicate (terms)."""


class Behind(NamedTuple):
    """A text that stayed as it was when its counterpart was edited: where, which, since when."""

    subject: str
    predicate: str
    language: str
    since: str


class Drift(NamedTuple):
    """What the history of a record tells: texts that are behind, and whether any was edited."""

    behind: tuple[Behind, ...] = ()
    edited: bool = False


class Parity(NamedTuple):
    """How many texts there are in any language, how many of them in all that are asked for.

    `lacking` counts what is missing by language; `state` is behind, in-step or unknown.
    """

    texts: int
    complete: int
    lacking: Mapping[str, int]
    state: str
    behind: tuple[Behind, ...] = ()


def parity(dataset: Described, drift: Drift | None = None) -> Parity:
    """What a dataset and its distributions have in which language."""
    places = [*_in(dataset.said, _OF_DATASET)]
    for _, said in dataset.distributions:
        places += _in(said, _TEXTS)
    lacking = {language: sum(language not in held for held in places) for language in ASKED}
    complete = sum(held.issuperset(ASKED) for held in places)
    told = drift or Drift()
    state = "behind" if told.behind else "in-step" if told.edited else "unknown"
    lacks = {language: count for language, count in lacking.items() if count}
    return Parity(len(places), complete, lacks, state, told.behind)


def _in(said: Properties, predicates: Iterable[str]) -> Iterator[set[str | None]]:
    """The languages of each property that a node has; `es-ES` is es."""
    for predicate in predicates:
        if texts := said.get(predicate):
            yield {(language_of(text) or "").partition("-")[0] for text in texts}


def drift(revisions: Iterable[tuple[str, str]]) -> Drift:
    """What the revisions of a record (time and text, oldest first) tell.

    An edit of a text that was behind catches up; any other leaves behind what stayed as it was.
    """
    before: dict[Place, dict[str, frozenset[str]]] = {}
    behind: dict[tuple[Place, str], str] = {}
    edited = False
    for number, (at, text) in enumerate(revisions):
        now = _texts(text)
        for place, held in now.items() if number else ():
            old = before.get(place, {})
            kept = [language for language in held if language in old]
            changed = [language for language in kept if held[language] != old[language]]
            edited = edited or bool(changed)
            leading = [language for language in changed if (place, language) not in behind]
            for language in kept:
                if language in changed:
                    behind.pop((place, language), None)
                elif leading:
                    behind.setdefault((place, language), at)
        behind = {k: at for k, at in behind.items() if len(now.get(k[0], {})) == len(ASKED)}
        before = now
    found = (Behind(*place, language, at) for (place, language), at in sorted(behind.items()))
    return Drift(tuple(found), edited)


def _texts(text: str) -> dict[Place, dict[str, frozenset[str]]]:
    """The texts that are asked for in several languages, by place and language."""
    found: dict[Place, dict[str, set[str]]] = {}
    lines: Sequence[str] = [line for line in split_lines(text) if '"@' in line]
    for subject, predicate, object_ in map(split_line, lines):
        language = (language_of(object_) or "").partition("-")[0]
        if predicate in _OF_DATASET and language in ASKED:
            found.setdefault((subject, predicate), {}).setdefault(language, set()).add(object_)
    return {
        place: {language: frozenset(values) for language, values in held.items()}
        for place, held in found.items()
    }
