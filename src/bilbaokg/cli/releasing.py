"""Verbs on releases: build, publish, rollback, list, show, diff."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from bilbaokg import exports, release, settings
from bilbaokg.cli.base import DONE, global_options, group, verb
from bilbaokg.cli.operating import configuration_of, operate
from bilbaokg.cli.telling import send_noted
from bilbaokg.console import Console
from bilbaokg.errors import NotFound
from bilbaokg.model import Release
from bilbaokg.workspace import shelf

__all__ = ["CURRENT", "chosen_release", "named_profile", "named_release"]

CURRENT: Final = "current"
"""What the release that is published now is called."""

_ACCEPT: Final = click.option(
    "--accept-removals",
    metavar="REASON",
    help="Go on though portals would delete much, or see other identifiers; the reason is kept.",
)


def chosen_release(console: Console, id: str | None) -> tuple[Release, settings.Settings]:
    """A release by id, else the current one, with the settings. Raises NotFound."""
    configuration = configuration_of(console)
    releases = release.Releases(console.data, configuration)
    found = releases.get(id) if id else releases.current()
    if found is None:
        raise NotFound(
            "nothing is published yet",
            hint="run: bilbaokg release build, then: bilbaokg release publish",
        )
    return found, configuration


def named_release(console: Console, name: str | None) -> tuple[Release, settings.Settings]:
    """As chosen_release, where the current one has a name, too. Raises NotFound."""
    return chosen_release(console, None if name == CURRENT else name)


def named_profile(console: Console, profile: str | None) -> str | None:
    """A profile as a server finds it, which has a working directory of its own."""
    if profile and shelf(console.data, configuration_of(console)).folder(profile) is None:
        return str(Path(profile).absolute())
    return profile


@group.group("release")
@global_options
def release_group() -> None:
    """Build, publish and compare releases.

    Example: bilbaokg release build --hold-back
    """


@verb(release_group, "build")
@click.option("--profile", help="Profile whose gate decides [dcat-ap/3.0.1].")
@click.option("--hold-back", is_flag=True, help="Leave failing records out.")
@click.option(
    "--waive", metavar="REASON", help="Take failing records in; the manifest keeps the reason."
)
@_ACCEPT
@click.option("--note", default="", help="One line on this release.")
def release_build(console: Console, **options: Any) -> int:
    """Build a release of the approved public records; findings of the gate refuse it (exit 1),
    and so does too much that would be gone from what is published.

    Example: bilbaokg release build --hold-back --note "November"
    """
    options["profile"] = named_profile(console, options["profile"])
    done = operate(console, "release.build", options)
    console.result(done, lambda: _tell_release(console, done, "Built"))
    return DONE


def _tell_release(console: Console, done: dict[str, Any], verb: str) -> None:
    console.say(
        f"{verb} {done['id']}: {done['records']:,} records, {done['datasets']:,} datasets, "
        f"sha256 {done['sha256'][:16]}."
    )
    if done["waived"]:
        console.say(f"Findings waived: {done['waived']}")
    _tell_accepted(console, done["removals"])
    _tell_lineage(console, done)
    if done["held_back"]:
        console.say(f"{len(done['held_back'])} records held back:")
        console.table(["record", "why"], [[h["title"], h["reason"]] for h in done["held_back"]])


def _tell_lineage(console: Console, done: dict[str, Any]) -> None:
    """What lineage says of a release that was built."""
    if done.get("reached"):
        console.say(f"{done['reached']:,} datasets that did not change depend on what did.")
    if count := done.get("duties", {}).get("count"):
        console.say(
            f"Sources ask for care of {done['duties']['datasets']:,} public datasets "
            f"({count:,} reasons): bilbaokg lineage duties"
        )


def _tell_accepted(console: Console, removals: dict[str, Any] | None) -> None:
    """For what reason portals may delete something; earlier releases do not say it."""
    if removals and removals["accepted"]:
        console.say(f"Removals accepted: {removals['accepted']}")


@verb(release_group, "publish")
@click.argument("id", required=False)
@_ACCEPT
@click.option("--why", default="", help="Reason, kept in the audit.")
def release_publish(console: Console, **options: Any) -> int:
    """Make a release the current one [the newest].

    Example: bilbaokg release publish r2
    """
    done = operate(console, "release.publish", options)
    console.result(done, lambda: _tell_release(console, done, "Published"))
    send_noted(console)
    return DONE


@verb(release_group, "rollback")
@click.argument("id", required=False)
@_ACCEPT
@click.option("--why", default="", help="Reason, kept in the audit.")
def release_rollback(console: Console, **options: Any) -> int:
    """Make the release before the current one current again.

    Example: bilbaokg release rollback --why "wrong licence in r2"
    """
    done = operate(console, "release.rollback", options)
    console.result(done, lambda: _tell_release(console, done, "Current again"))
    send_noted(console)
    return DONE


@verb(release_group, "list")
def release_list(console: Console) -> int:
    """List all releases.

    Example: bilbaokg release list
    """
    releases = release.Releases(console.data, configuration_of(console))
    current = releases.current()
    rows = [
        {
            "id": r.id,
            "created_at": r.created_at,
            "records": len(list(r.entries)),
            "sha256": r.sha256,
            "current": current is not None and r.id == current.id,
            "note": r.manifest["build"]["note"],
        }
        for r in releases.list()
    ]
    console.result(
        {"releases": rows},
        lambda: (
            console.table(
                ["", "id", "made", "records", "sha256", "note"],
                [
                    [
                        "*" if r["current"] else "",
                        r["id"],
                        r["created_at"],
                        r["records"],
                        str(r["sha256"])[:12],
                        r["note"],
                    ]
                    for r in rows
                ],
            )
            if rows
            else console.say("No release yet. Build one: bilbaokg release build")
        ),
    )
    return DONE


@verb(release_group, "show")
@click.argument("id", required=False)
@click.option(
    "--target",
    type=click.Choice([feed.name for feed in exports.feeds()]),
    help="Show by property what this export target does not carry.",
)
def release_show(console: Console, id: str | None, target: str | None) -> int:
    """Show a release [the current one]: what it holds, what was held back or cut.

    Example: bilbaokg release show r2 --target dcat-ap-es
    """
    shown, configuration = chosen_release(console, id)
    held = release.Releases(console.data, configuration).held_back(shown)

    def tell() -> None:
        _tell_manifest(console, shown, held)
        _tell_not_carried(console, shown, target)

    console.result(shown.manifest | {"held_back": held}, tell)
    return DONE


def _tell_not_carried(console: Console, shown: Release, target: str | None) -> None:
    """What the feeds leave out: in sum, and of one target by property."""
    left = shown.manifest["content"].get("not_carried", {})  # earlier releases do not say it
    if left:
        console.say("Statements that export targets do not carry:")
        console.table(["target", "statements"], [[t, sum(c.values())] for t, c in left.items()])
    if rows := sorted(left.get(target, {}).items(), key=lambda row: -row[1]):
        console.table([f"{target}: property", "statements"], [[p, n] for p, n in rows])


def _tell_manifest(console: Console, shown: Release, held: Sequence[dict[str, str]]) -> None:
    content, build = shown.manifest["content"], shown.manifest["build"]
    console.say(
        f"{shown.id}, made {shown.created_at} by {build['actor']}, "
        f"after {shown.previous or 'none'}. {build['note']}"
    )
    gate = content.get("gate")  # earlier releases do not say it
    stopped = f" (gate: {', '.join(gate) or 'nothing'})" if gate is not None else ""
    console.say(
        f"{len(content['entries']):,} records, profile {content['profile']}{stopped}, "
        f"sha256 {shown.sha256}"
    )
    console.table(["class", "count"], [[c, n] for c, n in content["counts"].items()])
    if content["cut"]:
        console.say("Left out because it may not be public:")
        console.table(["property", "statements"], [[p, n] for p, n in content["cut"].items()])
    _tell_accepted(console, build.get("removals"))
    for record in held:
        console.say(f"held back: {record['title']} ({record['reason']})", "yellow")


@verb(release_group, "diff")
@click.argument("before")
@click.argument("after")
@click.option("--statements", is_flag=True, help="Show the statements that differ.")
def release_diff(console: Console, before: str, after: str, statements: bool) -> int:
    """Compare two releases, record by record, and say what portals would lose by the second.

    Example: bilbaokg release diff r1 r2 --statements
    """
    old, configuration = chosen_release(console, before)
    new = chosen_release(console, after)[0]
    changes = release.difference(old, new)
    removed = release.removed(old, new, configuration.removal_share)
    value: dict[str, Any] = {
        "before": old.id,
        "after": new.id,
        "new": changes.new,
        "changed": changes.changed,
        "gone": changes.gone,
        "removals": removed.as_dict(),
    }
    if statements:
        with console.progress() as progress:
            progress(0, None, "comparing")
            value["removed"], value["added"] = release.statements(old, new)

    def tell() -> None:
        for kind in ("new", "changed", "gone"):
            for id in value[kind]:
                console.say(f"{kind:>8}  {id}")
        for sign, kind, style in (("-", "removed", "red"), ("+", "added", "green")):
            for line in value.get(kind, []):
                console.say(f"{sign} {line}", style)
        if not (changes.new or changes.changed or changes.gone):
            console.say("The two releases hold the same.")
        if removed.stops:
            console.say(f"Needs --accept-removals REASON: {removed.text()}.", "yellow")

    console.result(value, tell)
    return DONE
