"""Verbs on what portals make of a release: publish check."""

from __future__ import annotations

import io
from typing import Any, Final

import click

from bilbaokg import exports
from bilbaokg.cli.base import DONE, FINDINGS, global_options, group, verb
from bilbaokg.cli.options import portal_options, release_option
from bilbaokg.cli.releasing import chosen_release
from bilbaokg.console import Console
from bilbaokg.gaps import counted
from bilbaokg.terms import split_lines
from bilbaokg.workers import Pool

__all__: list[str] = []

_SHOWN: Final = 20


@group.group("publish")
@global_options
def publish_group() -> None:
    """Look at what portals make of a release.

    Example: bilbaokg publish check dcat-ap --url https://portal.example/
    """


@verb(publish_group, "check")
@click.argument("target", type=click.Choice(sorted(exports.TARGETS)))
@click.option("--url", required=True, help="The portal: its feed, its API or its front page.")
@release_option
@portal_options
def check(console: Console, target: str, url: str, release_id: str | None, **options: Any) -> int:
    """Compare what a portal shows with what was released. Differences: exit 1.

    Example: bilbaokg publish check dcat-ap --url https://portal.example/
    """
    from bilbaokg.harvesting.comparing import compare
    from bilbaokg.harvesting.harvester import Asked, Harvester
    from bilbaokg.harvesting.shelf import Shelf

    chosen = None if release_id == "current" else release_id
    found, configuration = chosen_release(console, chosen)
    released = io.BytesIO()
    exports.write_whole(found, target, "nt", released)
    with (
        console.progress() as progress,
        Shelf.opened(console.data, f"check {url}") as shelf,
        Pool(1, configuration.memory_limit) as pool,
    ):
        # Whether it is whole by its own word matters less here than what it shows.
        asked = Asked(url, ignore_total=True, **options)
        shown = Harvester(asked, shelf, configuration, pool, progress).run()
        shelf.finish()
    compared = compare(split_lines(released.getvalue().decode()), shown.lines, configuration.base)
    told = {"release": found.id, "target": target, "url": url, **compared.as_dict()}
    console.result(told, lambda: _tell(console, told))
    return DONE if compared.agrees else FINDINGS


def _tell(console: Console, told: dict[str, Any]) -> None:
    console.say(
        f"{told['release']} has {counted(told['released'], 'dataset')} for {told['target']}; "
        f"the portal shows {told['shown']:,}, {told['others']:,} of them not ours."
    )
    if told["agrees"]:
        console.say("It shows what was released.")
    for name, words in (("missing", "Missing at the portal"), ("extra", "Shown, not released")):
        if rows := told[name]:
            console.say(f"{words}: {len(rows):,}")
            _table(console, ["dataset", "title"], [[row["iri"], row["title"]] for row in rows])
    if rows := told["differing"]:
        console.say(f"Shown otherwise: {len(rows):,}")
        listed = [
            [r["title"] or r["iri"], r["property"], *map(", ".join, (r["released"], r["shown"]))]
            for r in rows
        ]
        _table(console, ["dataset", "what", "released", "shown"], listed)


def _table(console: Console, columns: list[str], rows: list[list[Any]]) -> None:
    console.table(columns, rows[:_SHOWN])
    if len(rows) > _SHOWN:
        console.say(f"... and {len(rows) - _SHOWN:,} more (--json lists them all)")
