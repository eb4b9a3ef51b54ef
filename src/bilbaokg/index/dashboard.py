"""A dashboard as data: the same over HTTP and on the command line."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from bilbaokg.errors import NotFound
from bilbaokg.index.figures import STATES, Figure, Figures, areas, children, figures
from bilbaokg.index.reader import Index

__all__ = ["area_of", "dashboard"]

_KINDS: Final = ("unit", "agent")


def area_of(index: Index, name: str) -> str:
    """The IRI of an area: of its slug, or itself. Raises NotFound."""
    if urlsplit(name).scheme and index.resource(name):
        return name
    found = next((place for kind in _KINDS if (place := index.by_id(f"{kind}/{name}"))), None)
    if found is None:
        known = ", ".join(iri.rpartition("/")[2] for iri in areas(index)[:20])
        raise NotFound(f"no area {name[:100]!r} in this release", hint=f"areas: {known or 'none'}")
    return found.iri


def dashboard(index: Index, area: str, lang: str) -> dict[str, Any]:
    """How an area (an IRI; empty: all) stands, its principles, and the areas below it.

    {"area": {"iri", "label"} or null, "datasets", "score": mean of the shares in per cent,
    "measures": [{"name", "good", "lacking", "untold", "total", "share", "filters"}],
    "principles": [the same with "iri" and "label" for "name"],
    "areas": [{"area", "datasets", "score", "measures"}], best first}. `filters` are facets with
    values: those of the list of just the datasets that are counted.
    """
    held = figures(index, area)
    below = [figures(index, iri) for iri in (children(index, area) if area else areas(index))]
    iris = [f.principle for f in held.principles] + [f.area for f in (held, *below)]
    labels = {iri: text.text for iri, text in index.labels(iris, lang).items()}
    below.sort(key=lambda f: (-(f.score or 0), labels.get(f.area, f.area).casefold()))
    return {
        **_standing(held, labels),
        "principles": [
            {"iri": f.principle, "label": labels.get(f.principle, f.principle), **_figure(f)}
            for f in held.principles
        ],
        "areas": [_standing(f, labels) for f in below],
    }


def _standing(held: Figures, labels: dict[str, str]) -> dict[str, Any]:
    iri = held.area
    return {
        "area": {"iri": iri, "label": labels.get(iri, iri)} if iri else None,
        "datasets": held.count,
        "score": held.score,
        "measures": [{"name": f.name, **_figure(f)} for f in held.measures.values()],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "good": figure.good,
        "lacking": figure.lacking,
        "untold": figure.untold,
        "total": figure.total,
        "share": figure.share,
        "filters": {
            state: filters
            for state in STATES
            if "" not in (filters := {f: list(held) for f, held in figure.filters(state).items()})
        },
    }
