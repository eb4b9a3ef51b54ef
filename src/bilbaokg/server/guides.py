"""Pages of text: help, accessibility, legal notice, and the tour of the demonstration."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from bilbaokg import assets
from bilbaokg.render import translate
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import Action

__all__ = ["GUIDES", "GuidePage", "guide", "has_tour"]

# Guide -> its sections, each with the places that it leads to: a page of the reader's language,
# or, where it begins with two slashes, an address without a language.
_SECTIONS: Final[dict[str, dict[str, Sequence[str]]]] = {
    "help": {
        "search": ("/search", "/datasets"),
        "people": ("/unit", "/dashboards"),
        "lineage": ("/lineage",),
        "queries": ("/sparql",),
        "quality": ("/validation", "/releases"),
        "reuse": ("//catalog.ttl", "//feeds/changes.atom"),
        "api": ("//api/openapi.json",),
    },
    "accessibility": {"state": (), "tested": (), "known": (), "contact": ()},
    "legal": {"who": ("/catalog",), "reuse": ("/catalog",), "data": (), "privacy": ()},
}  # fmt: skip
_TOUR: Final = "tour"
GUIDES: Final = (*_SECTIONS, _TOUR)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with a paragraph and where to go from there."""

    id: str
    title: str
    text: str
    links: list[Action]


@dataclass(frozen=True, slots=True)
class GuidePage:
    """A page of text in sections."""

    title: str
    lede: str
    sections: list[Section]


@cache
def _tour() -> dict[str, Any]:
    """What the demonstration says of its tour: its base, a record, the steps of each use."""
    return tomllib.loads((assets.folder("demo") / "tour.toml").read_text(encoding="utf-8"))


def has_tour(reader: Reader) -> bool:
    """Whether what the tour shows is there: the demonstration's data."""
    tour, opened = _tour(), reader.opened
    return bool(opened.base == tour["base"] and opened.index.by_id(tour["record"]))


def guide(reader: Reader, name: str) -> GuidePage | None:
    """One of GUIDES in the reader's language; None for the tour of what is not there."""
    if name == _TOUR and not has_tour(reader):
        return None
    sections = _tour()["steps"] if name == _TOUR else _SECTIONS[name]

    def say(key: str) -> str:
        return translate(f"guide.{name}.{key}", reader.lang)

    return GuidePage(
        title=say("title"),
        lede=say("lede"),
        sections=[
            Section(id, say(f"{id}.title"), say(f"{id}.text"), _links(reader, name, id, places))
            for id, places in sections.items()
        ],
    )


def _links(reader: Reader, name: str, id: str, places: Sequence[str]) -> list[Action]:
    """The places, by the words of the guide."""
    site = reader.site
    return [
        Action(
            translate(f"guide.{name}.{id}.link{number}", reader.lang),
            f"{site.root}{place[1:]}" if place.startswith("//") else site.url(place),
        )
        for number, place in enumerate(places, 1)
    ]
