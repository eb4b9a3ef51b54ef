"""Pages of text: help, accessibility, legal notice, and the tour of the demonstration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bilbaokg.render import has_text, translate
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import Action

__all__ = ["GUIDES", "GuidePage", "guide", "has_tour"]

# Guide -> its sections, each with the places that it leads to: a page of the reader's language,
# or, where it begins with two slashes, an address without a language.
_SECTIONS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
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
    "tour": {
        "publish": (
            "/dataset/bilbobus-gtfs", "//dataset/bilbobus-gtfs.ttl", "//catalog.ttl",
        ),
        "care": (
            "/dashboards/movilidad-sostenibilidad", "/datasets?gap=steward", "/lineage",
        ),
        "ask": ("/sparql", "/concept", "/search?q=ruido"),
        "validate": ("/validation", "/releases", "/releases/r2"),
    },
}  # fmt: skip
GUIDES: Final = tuple(_SECTIONS)
_OF_DEMO: Final = "dataset/bilbobus-gtfs"


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


def has_tour(reader: Reader) -> bool:
    """Whether what the tour shows is there: the demonstration's data."""
    demo = reader.opened.base == "https://bilbaokg.example"
    return demo and reader.opened.index.by_id(_OF_DEMO) is not None


def guide(reader: Reader, name: str) -> GuidePage | None:
    """One of GUIDES in the reader's language; None for the tour of what is not there."""
    if name == "tour" and not has_tour(reader):
        return None

    def say(key: str) -> str:
        return translate(f"guide.{name}.{key}", reader.lang)

    return GuidePage(
        title=say("title"),
        lede=say("lede"),
        sections=[
            Section(id, say(f"{id}.title"), say(f"{id}.text"), _links(reader, name, id, places))
            for id, places in _SECTIONS[name].items()
        ],
    )


def _links(reader: Reader, name: str, id: str, places: tuple[str, ...]) -> list[Action]:
    """The places that there are, by the words of the guide."""
    site, found = reader.site, []
    for number, place in enumerate(places, 1):
        href = f"{site.root}{place[1:]}" if place.startswith("//") else site.url(place)
        key = f"guide.{name}.{id}.link{number}"
        if has_text(key):
            found.append(Action(translate(key, reader.lang), href))
    return found
