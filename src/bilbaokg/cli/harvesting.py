"""The verb that adopts what another portal lists: harvest."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click

from bilbaokg.cli.base import DONE, FINDINGS, group, verb
from bilbaokg.cli.loading import tell_load
from bilbaokg.cli.operating import operate
from bilbaokg.cli.options import portal_options
from bilbaokg.console import Console
from bilbaokg.errors import BadInput
from bilbaokg.gaps import counted

__all__: list[str] = []

_SHOWN = 20


@verb(group, "harvest")
@click.argument("url")
@click.option(
    "--source", help="Name of the source; harvesting it again replaces what it said [the URL]."
)
@portal_options
@click.option("--language", metavar="TAG", help="Language of texts that say none.")
@click.option(
    "--map",
    "mapping",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file that says which column of a CSV is what.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--allow-shrink", is_flag=True, help="Take it though a fifth or more is gone.")
@click.option("--ignore-total", is_flag=True, help="Take it though its pages and total disagree.")
@click.option("--restart", is_flag=True, help="Begin anew, and ask for all of it.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 600, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds for one page.",
)
@click.option("--max-pages", type=click.IntRange(1), help="Refuse it with more pages [10,000].")
@click.option("--max-seconds", type=click.FloatRange(1), help="Stop after so long [6 hours].")
@click.option("--why", default="", help="Reason, kept in the audit.")
def harvest(console: Console, url: str, mapping: Path | None, **options: Any) -> int:
    """Take in what another portal lists, as drafts; its IRIs stay as they are.

    Example: bilbaokg harvest https://portal.example/catalog.ttl --source portal --dry-run
    """
    columns = _columns(mapping) if mapping else None
    done = operate(console, "harvest", {"url": url, "columns": columns, **options})
    console.result(done, lambda: _tell(console, done))
    return FINDINGS if done["refused"] else DONE


def _columns(file: Path) -> dict[str, Any]:
    """What a mapping says. Raises BadInput."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=str(file)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not valid TOML: {error}", where=str(file)) from None


def _tell(console: Console, done: dict[str, Any]) -> None:
    known = [
        f"{done[name]:,} {words}"
        for name, words in (
            ("not_modified", "unchanged since the last time"),
            ("resumed", "fetched before"),
            ("retries", "asked for again"),
        )
        if done[name]
    ]
    console.say(
        f"Harvested {counted(done['pages'], 'page')} ({done['kind']}), {done['bytes']:,} bytes, "
        f"{done['seconds']:.1f} s{''.join(f'; {words}' for words in known)}."
    )
    tell_load(console, done)
    if refused := done["refused"]:
        console.say(f"{counted(len(refused), 'record')} refused:")
        rows = [[entry["record"], entry["reason"], entry["where"]] for entry in refused[:_SHOWN]]
        console.table(["record", "why", "where"], rows)
    if len(refused) > _SHOWN:
        console.say(f"... and {len(refused) - _SHOWN:,} more (--json lists them all)")
