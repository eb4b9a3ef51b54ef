"""Verbs on what portals make of a release: publish rehearse, publish check."""

from __future__ import annotations

import io
from typing import Any

import click

from bilbaokg import exports
from bilbaokg.cli import rehearsing
from bilbaokg.cli.base import DONE, FINDINGS, global_options, group, verb
from bilbaokg.cli.operating import operate
from bilbaokg.cli.options import fail_on_option, portal_options, release_option
from bilbaokg.cli.releasing import named_profile, named_release
from bilbaokg.console import Console
from bilbaokg.gaps import counted
from bilbaokg.model import SEVERITIES
from bilbaokg.terms import split_lines
from bilbaokg.workers import Pool

__all__: list[str] = []


@group.group("publish")
@global_options
def publish_group() -> None:
    """Look at what portals make of a release, before and after.

    Example: bilbaokg publish rehearse dcat-ap
    """


@verb(publish_group, "rehearse")
@click.argument("target", type=click.Choice([feed.name for feed in exports.feeds()]))
@click.option("--against", metavar="URL", help="A portal, as it is now: its feed or its API.")
@click.option("--release", metavar="ID", help="Compare with this release [the current one].")
@click.option("--profile", help="Profile whose gate holds records back [the setting profile].")
@portal_options
@fail_on_option
def rehearse(console: Console, fail_on: str, **options: Any) -> int:
    """Say what a portal would create, change, delete and drop, were a release made now.

    What would be deleted or replaced, and rules that would be broken: exit 1.

    Example: bilbaokg publish rehearse ckan --against https://portal.example/
    """
    options["profile"] = named_profile(console, options["profile"])
    done = operate(console, "publish.rehearse", options)
    console.result(done, lambda: rehearsing.tell(console, done))
    if fail_on == "never":
        return DONE
    lost = done["counts"]["deleted"] + done["counts"]["replaced"]
    graver = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return FINDINGS if lost or any(done["severities"][s] for s in graver) else DONE


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
    from bilbaokg.harvesting.harvester import Asked
    from bilbaokg.harvesting.showing import shown

    found, configuration = named_release(console, release_id)
    released = io.BytesIO()
    exports.write_whole(found, target, "nt", released)
    with console.progress() as progress, Pool(1, configuration.memory_limit) as pool:
        # Whether it is whole by its own word matters less here than what it shows.
        asked = Asked(url, ignore_total=True, **options)
        harvested = shown(asked, console.data, configuration, pool, progress)
    lines = split_lines(released.getvalue().decode())
    compared = compare(lines, harvested.lines, configuration.base)
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
            listed = [[row["iri"], row["title"]] for row in rows]
            rehearsing.table(console, ["dataset", "title"], listed)
    if rows := told["differing"]:
        console.say(f"Shown otherwise: {len(rows):,}")
        listed = [
            [r["title"] or r["iri"], r["property"], *map(", ".join, (r["released"], r["shown"]))]
            for r in rows
        ]
        rehearsing.table(console, ["dataset", "what", "released", "shown"], listed)
