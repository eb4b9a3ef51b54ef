"""The verb that asks other portals what the things are called that our data come from."""

from __future__ import annotations

from typing import Any

import click

from bilbaokg.cli.asking import lineage_group
from bilbaokg.cli.base import DONE, FINDINGS, verb
from bilbaokg.cli.operating import operate
from bilbaokg.console import Console
from bilbaokg.gaps import counted

__all__ = ["titles"]

_SHOWN = 50
_WORDS = {
    "told": "with a title", "same": "unchanged", "nameless": "without a title", "gone": "gone",
    "failed": "failed",
}  # fmt: skip


@verb(lineage_group, "titles")
@click.option(
    "--days", type=click.IntRange(0), help="Ask again after so many days [setting title_days]."
)
@click.option("--limit", type=click.IntRange(1), help="Ask for so many things at most.")
@click.option("--dry-run", is_flag=True, help="Tell what would be asked for, and ask nobody.")
@click.option(
    "--private-host", "private_hosts", multiple=True, metavar="HOST[:PORT]",
    help="A host that may have a private or local address. May be repeated.",
)  # fmt: skip
@click.option(
    "--pause", type=click.FloatRange(0, 60), default=0.5, show_default=True,
    help="Seconds between two requests to a host; its robots.txt may ask for more.",
)  # fmt: skip
@click.option(
    "--timeout", type=click.FloatRange(0, 600, min_open=True), default=20.0, show_default=True,
    help="Seconds for one answer.",
)  # fmt: skip
@click.option("--max-seconds", type=click.FloatRange(1), help="Stop after so long [1 hour].")
@click.option("--why", default="", help="Reason, kept in the audit.")
def titles(console: Console, private_hosts: tuple[str, ...], **options: Any) -> int:
    """Ask other portals what the things are called that lineage leads to there.

    They stay links; the titles are kept apart from our own words. Some could not be asked: exit 1.

    Example: bilbaokg lineage titles --dry-run
    """
    given = {"private_hosts": list(private_hosts), **options}
    done = operate(console, "lineage.titles", given)
    console.result(done, lambda: _tell(console, done))
    return FINDINGS if done["failed"] else DONE


def _tell(console: Console, done: dict[str, Any]) -> None:
    there = counted(done["elsewhere"], "thing")
    if done["dry_run"]:
        console.say(f"{there} elsewhere; {done['due']:,} to be asked for.")
    else:
        told = [f"{done[state]:,} {words}" for state, words in _WORDS.items() if done[state]]
        asked = f"{there} elsewhere, {done['asked']:,} asked for"
        console.say(": ".join(filter(None, (asked, ", ".join(told)))) + ".")
    rows = [[each["state"], each["label"] or "", each["iri"]] for each in done["things"]]
    if rows:
        console.table(["state", "title", "IRI"], rows[:_SHOWN])
    if len(rows) > _SHOWN:
        console.say(f"... and {len(rows) - _SHOWN:,} more (--json lists them)")
    for problem in done["problems"]:
        hint = f"; {problem['hint']}" if problem["hint"] else ""
        console.say(f"  {problem['focus']}: {problem['message']}{hint}")
    if done["left"]:
        console.say(f"{counted(done['left'], 'thing')} left for the next time.")
