"""A rehearsal for a person: what would be lost first, then what comes, then what is dropped."""

from __future__ import annotations

from typing import Any, Final

from bilbaokg.console import Console
from bilbaokg.gaps import counted, curie
from bilbaokg.rehearsal.portals import grave
from bilbaokg.terms import PREFIXES

__all__ = ["table", "tell"]

_SHOWN: Final = 20
_FEW: Final = 8
_ALL: Final = "--json lists them all"
_WHY: Final = {
    "held-back": "held back",
    "deleted": "deleted here",
    "internal": "internal now",
    "left-out": "left out by this target",
    "gone": "no longer in the catalogue",
}


def tell(console: Console, done: dict[str, Any]) -> None:
    """Say what `publish.rehearse` found."""
    beside = done["url"] or done["release"] or "nothing published yet"
    held = done["held_back"]
    console.say(
        f"Were {counted(done['records'], 'record')} released now for {done['target']}, beside "
        f"{beside}, its portal would"
    )
    for name, count in done["counts"].items():
        if count or name == "deleted":
            console.say(f"  {count:>9,}  {_COUNTS[name]}", "red" if _is_loss(name, count) else "")
    if held:
        console.say(
            f"{counted(len(held), 'record')} would be held back under {done['profile']}: "
            "a build refuses without --hold-back"
        )
    _tell_members(console, done)
    _tell_consequences(console, done)
    _tell_rules(console, done)
    _tell_dropped(console, done)


_COUNTS: Final = {
    "deleted": "delete",
    "replaced": "delete and make anew, under another identifier",
    "created": "create",
    "changed": "change",
    "unchanged": "leave as they are",
    "others": "leave alone, as they are not ours",
}


def _is_loss(name: str, count: int) -> bool:
    return bool(count) and name in ("deleted", "replaced")


def _tell_members(console: Console, done: dict[str, Any]) -> None:
    if rows := done["deleted"]:
        console.say("")
        console.say(f"DELETED ({len(rows):,})", "bold red")
        listed = [[_name(r), r["iri"], r["reason"] or _WHY[r["why"]]] for r in rows]
        table(console, ["title", "what", "why"], listed)
    if rows := done["replaced"]:
        console.say("")
        console.say(f"DELETED AND MADE ANEW ({len(rows):,})", "bold red")
        listed = [[_name(r), r["was"], r["now"]] for r in rows]
        table(console, ["title", "known as", "would be"], listed)
    if rows := done["created"]:
        console.say("")
        console.say(f"Created ({len(rows):,})", "bold")
        table(console, ["title", "what"], [[_name(r), r["iri"]] for r in rows])
    if rows := done["changed"]:
        console.say("")
        console.say(f"Changed ({len(rows):,})", "bold")
        listed = [[_name(r), r["iri"], ", ".join(map(_short, r["properties"]))] for r in rows]
        table(console, ["title", "what", "in"], listed)


def _tell_consequences(console: Console, done: dict[str, Any]) -> None:
    """Whom the changes reach, and how many duties there are."""
    if rows := done["reached"]:
        console.say("")
        console.say(f"Datasets that come from what changes or goes ({len(rows):,})", "bold")
        owners = [", ".join(each["label"] for each in row["owners"]) or "nobody" for row in rows]
        listed = [[row["label"], row["iri"], who] for row, who in zip(rows, owners, strict=True)]
        table(console, ["title", "what", "owner"], listed)
    if duties := done["duties"]:
        console.say("")
        told = counted(len(duties), "reason")
        console.say(f"Sources ask for care of public datasets ({told}): bilbaokg lineage duties")


def _short(iri: str) -> str:
    return curie(iri, PREFIXES)


def _name(row: dict[str, Any]) -> str:
    return str(row["title"] or row["iri"])


def _tell_rules(console: Console, done: dict[str, Any]) -> None:
    """Violations, and what the portals themselves ask for; of other findings how many."""
    broken = done["broken"]
    console.say("")
    if not broken:
        console.say("No rule of the target would be broken.")
        return
    counts = [f"{done['severities'][s]:,} {word}" for s, word in _SEVERITIES.items()]
    console.say(f"Rules of the target that would be broken: {', '.join(counts)}", "bold")
    shown = grave(done["target"], broken)
    console.problems(shown)
    if rest := len(broken) - len(shown):
        console.say(f"... and {counted(rest, 'finding')} of its profile that lose nothing ({_ALL})")


_SEVERITIES: Final = {"violation": "violations", "warning": "warnings", "info": "notes"}


def _tell_dropped(console: Console, done: dict[str, Any]) -> None:
    dropped = done["dropped"]
    if dropped["unused"]:
        console.say("")
        kinds = ", ".join(f"{_short(cls)} ({n:,})" for cls, n in dropped["unused"].items())
        console.say(f"In the feed, and its portal makes nothing of it: {kinds}")
    for name, words in (
        ("statements", "Statements dropped: the target does not carry them"),
        ("nodes", "Described in the release, not for this target"),
    ):
        if rows := dropped[name]:
            console.say("")
            console.say(f"{words} ({sum(rows.values()):,})", "bold")
            column = "property" if name == "statements" else "class"
            listed = [[_short(iri), count] for iri, count in rows.items()]
            table(console, [column, "count"], listed, most=_FEW)


def table(console: Console, columns: list[str], rows: list[list[Any]], most: int = _SHOWN) -> None:
    """The first rows, and how many more there are."""
    console.table(columns, rows[:most])
    if len(rows) > most:
        console.say(f"... and {len(rows) - most:,} more ({_ALL})")
