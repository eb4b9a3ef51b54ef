"""Verbs that keep a copy: backup, backup verify."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from bilbaokg import backups
from bilbaokg.backups import Manifest
from bilbaokg.cli.base import DONE, global_options, group, verb
from bilbaokg.cli.operating import configuration_of, operate
from bilbaokg.console import Console
from bilbaokg.errors import BadInput
from bilbaokg.settings import MIB

__all__: list[str] = []

_MAKE: Final = "make"
_FOLDER: Final = click.Path(path_type=Path)


class _Backup(click.Group):
    """`backup DIRECTORY` is `backup make DIRECTORY`."""

    ignore_unknown_options = True  # those of make, where its name is left out

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands:
            args = [_MAKE, *args]
        return super().resolve_command(ctx, args)


@group.group("backup", cls=_Backup)
@global_options
def backup_group() -> None:
    """Back up the data directory, also while a server runs, and check backups.

    Example: bilbaokg backup /backups/today
    """


@verb(backup_group, _MAKE)
@click.argument("directory", type=_FOLDER, required=False)
@click.option(
    "--into", type=_FOLDER, metavar="DIR", help="Make one in DIR, with the time in its name."
)
@click.option(
    "--keep", type=click.IntRange(min=1), metavar="N",
    help="Then remove all but the newest N of this catalogue in DIR.",
)  # fmt: skip
def make(console: Console, directory: Path | None, into: Path | None, keep: int | None) -> int:
    """Back up to a directory that is absent or empty. The word make can be left out.

    Example: bilbaokg backup make --into /backups --keep 14
    """
    if (directory is None) == (into is None) or (keep and not into):
        hint = "give a DIRECTORY, or --into DIR and perhaps --keep N"
        raise BadInput("it is not clear where to", hint=hint)
    configuration_of(console)
    target = backups.dated(into) if into else Path(directory or ".")
    if into:
        backups.tidy(into)
    with console.progress() as progress:
        done = backups.make(console.data, target, lambda: operate(console, "backup", {}), progress)
    removed = backups.prune(into, done.base, keep) if into and keep else []
    result = {"directory": str(target), **done.as_dict(), "removed": removed}

    def tell() -> None:
        console.say(f"Backed up to {target}: {_counted(done)}, {done.bytes / MIB:,.1f} MiB.")
        for name in removed:
            console.say(f"Removed {name}.")

    console.result(result, tell)
    return DONE


@verb(backup_group, "verify")
@click.argument("directory", type=_FOLDER)
def verify(console: Console, directory: Path) -> int:
    """Read all of a backup: hashes, the audit chain, every record and release. Changes nothing.

    Example: bilbaokg backup verify /backups/today
    """
    with console.progress() as progress:
        done = backups.verify(directory, progress)
    result: dict[str, Any] = {"directory": str(directory), **done.as_dict()}
    console.result(
        result, lambda: console.say(f"{directory} is whole, of {done.at}: {_counted(done)}.")
    )
    return DONE


def _counted(done: Manifest) -> str:
    counts = {
        "records": done.records,
        "statements": done.statements,
        "audit entries": done.audit["entries"],
        "releases": len(done.releases),
    }
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())
