"""What the command line says: results for people or as JSON, progress, and errors.

People get text without control characters, whatever a file or a record holds: what comes from
others may not move the cursor or retitle the window. Programs get the exact bytes, in UTF-8.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bilbaokg.errors import BilbaokgError
from bilbaokg.reports import printable

if TYPE_CHECKING:
    from rich.console import Console as Terminal

__all__ = ["Console", "emit"]

# With these, what is piped is coloured all the same.
_FORCING: Final = ("FORCE_COLOR", "TTY_COMPATIBLE")
_PLACES: Final = 5
_SEVERITY_STYLE: Final = {"violation": "bold red", "warning": "yellow", "info": "cyan"}


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


@dataclass
class Console:
    """Where a command writes. `data` is the data directory, `lang` the language of content."""

    data: Path
    as_json: bool = False
    quiet: bool = False
    lang: str = "es"

    @cached_property
    def out(self) -> Terminal:
        """Standard output, drawn on."""
        from bilbaokg.terminal import terminal  # takes its time to load

        return terminal(sys.stdout)

    @cached_property
    def err(self) -> Terminal:
        """Standard error, drawn on."""
        from bilbaokg.terminal import terminal

        return terminal(sys.stderr)

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
        self._line((text, style))

    def note(self, text: str) -> None:
        """One line on standard error, unless quiet."""
        if not self.quiet and not self.as_json:
            self._line((text, "dim"), error=True)

    def _line(self, *parts: tuple[str, str], error: bool = False) -> None:
        """A line of texts, each in a style; into a pipe without any."""
        stream = sys.stderr if error else sys.stdout
        safe = [(printable(text), style) for text, style in parts]
        if stream.isatty() or any(os.environ.get(name) for name in _FORCING):
            from rich.text import Text

            (self.err if error else self.out).print(Text.assemble(*safe))
        else:
            stream.write("".join(text for text, _ in safe) + "\n")
            stream.flush()

    def table(self, columns: list[str], rows: list[list[Any]]) -> None:
        """Rows under headings."""
        from bilbaokg.terminal import table

        cells = [[printable("" if cell is None else str(cell)) for cell in row] for row in rows]
        self.out.file.write(table(self.out, columns, cells))
        self.out.file.flush()  # before a note on standard error, which may go to the same file

    def problems(self, problems: list[dict[str, Any]]) -> None:
        """Findings, most severe first; those that say the same stand together."""
        grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for problem in problems:
            grouped.setdefault((problem["severity"], problem["message"]), []).append(problem)
        order = list(_SEVERITY_STYLE)
        for key in sorted(grouped, key=lambda key: order.index(key[0])):
            self._alike(*key, grouped[key])

    def _alike(self, severity: str, message: str, found: list[dict[str, Any]]) -> None:
        count = f" ({len(found):,})" if len(found) > 1 else ""
        self._line((f"{severity:>9}", _SEVERITY_STYLE[severity]), (f"  {message}{count}", ""))
        for problem in found[:_PLACES]:
            if about := " · ".join(filter(None, (problem["title"], problem["focus"]))):
                self.say(f"           {about}", "dim")
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
        self._line(("error:", "bold red"), (f" {text}", ""), error=True)
        if hint:
            self._line((" hint:", "bold"), (f" {hint}", ""), error=True)

    @contextlib.contextmanager
    def progress(self) -> Iterator[Callable[[int, int | None, str], None]]:
        """A function (done, total, text) that draws a bar on standard error, if a terminal."""
        if self.quiet or self.as_json or not sys.stderr.isatty():
            yield lambda *_: None
            return
        from bilbaokg.terminal import bar

        with bar(self.err) as update:
            yield update
