"""What the command line says: results for people or as JSON, progress, and errors.

People get text without control characters, whatever a file or a record holds: what comes from
others may not move the cursor or retitle the window. Programs get the exact bytes, in UTF-8.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console as Terminal
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from bilbaokg.errors import BilbaokgError
from bilbaokg.reports import printable

__all__ = ["Console", "emit"]

_PIPED_WIDTH = 4000
_PLACES = 5
_SEVERITY_STYLE = {"violation": "bold red", "warning": "yellow", "info": "cyan"}


def emit(content: str | bytes) -> None:
    """Write to standard output exactly, in UTF-8, and all of it.

    Without a buffer (PYTHONUNBUFFERED) one write to a pipe may take a part only.
    """
    sys.stdout.flush()
    out = sys.stdout.buffer
    rest = memoryview(
        content.encode(errors="backslashreplace") if isinstance(content, str) else content
    )
    while rest:
        rest = rest[out.write(rest) :]
    out.flush()


class _Terminal(Terminal):
    def on_broken_pipe(self) -> None:
        """Rich would exit with 1, which means findings."""
        raise BrokenPipeError


@dataclass
class Console:
    """Where a command writes. `data` is the data directory, `lang` the language of content."""

    data: Path
    as_json: bool = False
    quiet: bool = False
    lang: str = "es"

    def __post_init__(self) -> None:
        # What is piped on is not broken into lines.
        width = None if sys.stdout.isatty() else _PIPED_WIDTH
        self.out = _Terminal(soft_wrap=True, highlight=False, width=width)
        self.err = _Terminal(stderr=True, soft_wrap=True, highlight=False)

    @property
    def width(self) -> int:
        """Columns to write reports in: those of the terminal, or 100 into a pipe."""
        return self.out.width if sys.stdout.isatty() else 100

    def result(
        self, value: dict[str, Any], tell: Callable[[], None], *, always: bool = False
    ) -> None:
        """Print the value as JSON, or let `tell` say it to a person (unless quiet)."""
        if self.as_json:
            emit(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
        elif always or not self.quiet:
            tell()

    def say(self, text: str, style: str = "") -> None:
        """One line for a person, taken literally."""
        self.out.print(escape(printable(text)), style=style or None)

    def note(self, text: str) -> None:
        """One line on standard error, unless quiet."""
        if not self.quiet and not self.as_json:
            self.err.print(escape(printable(text)), style="dim")

    def table(self, columns: list[str], rows: list[list[Any]]) -> None:
        """Rows under headings."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(escape(printable("" if cell is None else str(cell))) for cell in row))
        with self.out.capture() as drawn:
            self.out.print(table)
        # The last column is filled up to its width; what is piped on need not be.
        self.out.file.write("".join(f"{line.rstrip(' ')}\n" for line in drawn.get().splitlines()))

    def problems(self, problems: list[dict[str, Any]]) -> None:
        """Findings, most severe first; those that say the same stand together."""
        grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for problem in problems:
            grouped.setdefault((problem["severity"], problem["message"]), []).append(problem)
        order = list(_SEVERITY_STYLE)
        for key in sorted(grouped, key=lambda key: order.index(key[0])):
            self._alike(*key, grouped[key])

    def _alike(self, severity: str, message: str, found: list[dict[str, Any]]) -> None:
        label = f"[{_SEVERITY_STYLE[severity]}]{severity:>9}[/]"
        count = f" ({len(found):,})" if len(found) > 1 else ""
        self.out.print(f"{label}  {escape(printable(message))}{count}")
        for problem in found[:_PLACES]:
            if about := " · ".join(filter(None, (problem["title"], problem["focus"]))):
                self.out.print(f"           {escape(printable(about))}", style="dim")
        if len(found) > _PLACES:
            self.say(f"           ... and {len(found) - _PLACES:,} more (--json lists them all)")
        if found[0]["hint"]:
            self.say(f"           {found[0]['hint']}")

    def error(self, error: BilbaokgError) -> None:
        """What went wrong, where, and how to mend it."""
        self.complain(str(error), error.hint)
        if self.as_json:
            emit(json.dumps(error.problem(), ensure_ascii=False, indent=2) + "\n")

    def complain(self, text: str, hint: str | None = None) -> None:
        """An error and the way out on standard error alone, beside what is already printed."""
        self.err.print(f"[bold red]error:[/] {escape(printable(text))}")
        if hint:
            self.err.print(f"[bold] hint:[/] {escape(printable(hint))}")

    @contextlib.contextmanager
    def progress(self) -> Iterator[Callable[[int, int | None, str], None]]:
        """A function (done, total, text) that draws a bar on standard error, if a terminal."""
        if self.quiet or self.as_json or not self.err.is_terminal:
            yield lambda *_: None
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.err, transient=True) as bar:
            task = bar.add_task("working", total=None)
            yield lambda done, total, text: bar.update(
                task, completed=done, total=total, description=text
            )
