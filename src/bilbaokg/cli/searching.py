"""The verb that searches: search."""

from __future__ import annotations

from typing import Any

import click

from bilbaokg import index
from bilbaokg.cli.base import DONE, group, verb
from bilbaokg.cli.releasing import chosen_release
from bilbaokg.console import Console
from bilbaokg.errors import BadInput
from bilbaokg.index import FACETS, KINDS, SORTS, Index
from bilbaokg.index.answers import answer

__all__: list[str] = []

_EXCERPT = 100


@verb(group, "search")
@click.argument("words", nargs=-1)
@click.option("--kind", type=click.Choice(KINDS), help="One kind of record [every kind].")
@click.option(
    "--facet",
    "facets",
    multiple=True,
    metavar="NAME=VALUE",
    help="Only what has this value; repeatable, see docs/reference/search.md.",
)
@click.option("--sort", type=click.Choice(SORTS), help="[relevance; modified without words]")
@click.option(
    "--page", type=click.IntRange(1), default=1, show_default=True, help="Which page of results."
)
@click.option(
    "--size",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="How many results a page has.",
)
@click.option("--release", "release_id", help="Release [the current one].")
def search(
    console: Console,
    words: tuple[str, ...],
    kind: str | None,
    facets: tuple[str, ...],
    sort: str | None,
    page: int,
    size: int,
    release_id: str | None,
) -> int:
    """Search a release: titles, keywords, descriptions, columns, synonyms, in all languages.

    Example: bilbaokg search air quality --kind dataset --facet quality=good
    """
    release, settings = chosen_release(console, release_id)
    opened = index.of(release, console.data / "cache")
    found = index.find(opened, " ".join(words), _filters(opened, facets), kind)
    order = sort or ("relevance" if found.words else "modified")
    told = answer(found, console.lang, order, page, size, base=settings.base)
    asked = {"release": release.id, "q": " ".join(words), "kind": kind, "sort": order}
    console.result(asked | told, lambda: _tell(console, told, release.id))
    return DONE


def _filters(opened: Index, facets: tuple[str, ...]) -> dict[str, list[str]]:
    """Facet -> values; of an IRI its last part will do. Raises BadInput."""
    filters: dict[str, list[str]] = {}
    for facet in facets:
        name, equals, wanted = facet.partition("=")
        if name not in FACETS or not equals:
            hint = f"write NAME=VALUE, with one of {', '.join(FACETS)}"
            raise BadInput(f"--facet {facet!r} is none", hint=hint)
        ends = (f"/{wanted}", f"#{wanted}")
        meant = [value for value in opened.facet(name) if value == wanted or value.endswith(ends)]
        filters.setdefault(name, []).extend(meant or [wanted])
    return filters


def _tell(console: Console, told: dict[str, Any], release: str) -> None:
    if told["synonyms"]:
        console.note(f"Also searched: {', '.join(told['synonyms'])}.")
    if told["corrected"]:
        console.say(f"Nothing in {release} fits. Did you mean: {told['corrected']}")
        return
    rows = [
        [found["title"]["text"], found["kind"], found["id"], _excerpt(found)]
        for found in told["results"]
    ]
    if rows:
        console.table(["title", "kind", "record", "found in"], rows)
    where = f", page {told['page']} of {told['pages']}" if told["pages"] > 1 else ""
    noun = "result" if told["total"] == 1 else "results"
    console.say(f"{told['total']:,} {noun} in {release}{where}.")


def _excerpt(found: dict[str, Any]) -> str:
    excerpt = found["excerpt"]
    if excerpt is None:
        return "title" if found["title"].get("marks") else ""
    text = excerpt["text"]
    return f"{excerpt['field']}: {text[:_EXCERPT]}{'…' if len(text) > _EXCERPT else ''}"
