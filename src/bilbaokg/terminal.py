"""What is drawn on a terminal: colours, tables, bars. Loaded only where something is drawn."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["bar", "table", "terminal"]

_PIPED_WIDTH: Final = 4000


class _Terminal(Console):
    def on_broken_pipe(self) -> None:
        """Rich would exit with 1, which means findings."""
        raise BrokenPipeError


def terminal(stream: TextIO) -> Console:
    """A stream to draw on; what is piped on is not broken into lines."""
    width = None if stream.isatty() else _PIPED_WIDTH
    return _Terminal(file=stream, soft_wrap=True, highlight=False, emoji=False, width=width)


def table(on: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under headings, as lines; cells are taken literally."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*map(escape, row))
    with on.capture() as drawn:
        on.print(made)
    # The last column is filled up to its width; what is piped on need not be.
    return "".join(f"{line.rstrip(' ')}\n" for line in drawn.get().splitlines())


@contextlib.contextmanager
def bar(on: Console) -> Iterator[Callable[[int, int | None, str], None]]:
    """A function (done, total, text) that draws a bar."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=on, transient=True) as progress:
        task = progress.add_task("working", total=None)
        yield lambda done, total, text: progress.update(
            task, completed=done, total=total, description=text
        )
