"""What all verbs share: the group, its table, global options, files and pipes."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import IO, Any, Final

import click

from bilbaokg import reports
from bilbaokg.console import Console, emit
from bilbaokg.errors import BadInput, BilbaokgError, TooLarge, UnsupportedFormat
from bilbaokg.formats import by_name, sniff
from bilbaokg.model import Report, Source

__all__ = [
    "DONE",
    "FAILED",
    "FINDINGS",
    "INTERRUPTED",
    "LANGUAGES",
    "VERBS",
    "called",
    "global_options",
    "group",
    "hand_out",
    "put_out",
    "put_report",
    "spooled",
    "stdin_text",
    "verb",
    "write_output",
]

# Module of this package -> the verbs in it. A module is imported when one of them is asked for.
VERBS: Final = {
    "backups": ("backup",),
    "loading": ("init", "load"),
    "harvesting": ("harvest",),
    "lineage": ("lineage",),
    "validating": ("validate",),
    "improving": ("lint", "probe", "quality"),
    "releasing": ("release",),
    "reading": ("export", "queries", "query"),
    "searching": ("search",),
    "standing": ("dashboard",),
    "governing": ("audit", "delete", "history", "restore", "token", "visibility"),
    "examining": ("doctor",),
    "watching": ("status",),
    "profiles": ("profile",),
    "publishing": ("publish",),
    "telling": ("webhook",),
    "vocab": ("vocab",),
    "serving": ("demo", "serve"),
}  # fmt: skip
DONE, FINDINGS, FAILED, INTERRUPTED = 0, 1, 2, 130
LANGUAGES: Final = click.Choice(["es", "eu", "en"])
_STDIN: Final = "standard input"
_PIECE: Final = 1 << 20
_WRITTEN: Final = "Written to {}."


def global_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the global options, so that they may stand before or after its name."""

    @click.option(
        "--data",
        type=click.Path(path_type=Path),
        help="Data directory [BILBAOKG_DATA or ./bilbaokg-data].",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    @click.option("--quiet", is_flag=True, help="Print errors only.")
    @click.option("--lang", type=LANGUAGES, help="Language of messages from shapes, and of titles.")
    @click.pass_context
    @wraps(function)
    def with_options(
        context: click.Context,
        /,
        data: Path | None,
        as_json: bool,
        quiet: bool,
        lang: str | None,
        **rest: Any,
    ) -> Any:
        above: dict[str, Any] = context.meta.setdefault("bilbaokg", {})
        for name, value in (("data", data), ("as_json", as_json), ("quiet", quiet), ("lang", lang)):
            if value:
                above[name] = value
        if isinstance(context.command, click.Group):
            return function(**rest)
        console = Console(
            data=above.get("data") or Path(os.environ.get("BILBAOKG_DATA") or "bilbaokg-data"),
            as_json=above.get("as_json", False),
            quiet=above.get("quiet", False),
            lang=above.get("lang") or _language(),
        )
        context.ensure_object(dict)["console"] = console
        return function(console, **rest)

    return with_options


def _language() -> str:
    wanted = (
        os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    )
    return wanted[:2] if wanted[:2] in ("es", "eu", "en") else "en"


class _Verbs(click.Group):
    """The verbs of VERBS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(name for names in VERBS.values() for name in names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for module, names in VERBS.items():
            if cmd_name in names:
                importlib.import_module(f"{__package__}.{module}")
        return super().get_command(ctx, cmd_name)


@click.group(
    cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="bilbaokg", prog_name="bilbaokg")
@global_options
def group() -> None:
    """A city's metadata catalogue as a knowledge graph: DCAT-AP in, portals out.

    Example: bilbaokg demo, or for your own data: bilbaokg init --base https://data.example.org

    Exit codes: 0 done; 1 done, with findings; 2 could not be done; 130 interrupted.
    """


def verb(
    parent: click.Group, name: str, **options: Any
) -> Callable[[Callable[..., Any]], click.Command]:
    """Register a verb with the global options."""
    return lambda function: parent.command(name, **options)(global_options(function))


@contextlib.contextmanager
def spooled(paths: Sequence[str], format: str | None, limit: int) -> Iterator[list[Path]]:
    """The absolute paths of arguments; standard input (-) is copied to a file meanwhile.

    Raises BadInput for an empty path, TooLarge when standard input is over `limit` bytes,
    UnsupportedFormat when it comes without a format and looks like none.
    """
    if "" in paths:
        raise BadInput("a path is empty", hint="give . for the working directory")
    with tempfile.TemporaryDirectory(prefix="bilbaokg-") as folder:
        copies = {path: _copied(Path(folder), format, limit) for path in paths if path == "-"}
        try:
            yield [copies.get(path) or Path(path).absolute() for path in dict.fromkeys(paths)]
        except BilbaokgError as error:
            if error.where and error.where.startswith(folder):
                error.where = _STDIN
            raise


def _copied(folder: Path, format: str | None, limit: int) -> Path:
    head = sys.stdin.buffer.read(4096)
    packed = head.startswith(b"\x1f\x8b")
    found = by_name(format) if format else None if packed else sniff(head)
    if found is None:
        raise UnsupportedFormat("its format cannot be told", where=_STDIN, hint="give --format")
    file = folder / f"stdin.{found.name}{'.gz' if packed else ''}"
    with file.open("wb") as out:
        while head:
            out.write(head)
            if out.tell() > limit:
                raise TooLarge(
                    f"over the size limit of {limit:,} bytes",
                    where=_STDIN,
                    hint="split it, or raise file_limit in settings.toml",
                )
            head = sys.stdin.buffer.read(1 << 20)
    return file


def called(source: Source) -> str:
    """A file as people know it: from the working directory where it lies below it."""
    if source.location and source.location.is_relative_to(Path.cwd()):
        return str(source.location.relative_to(Path.cwd()))
    return source.label


def stdin_text(limit: int) -> str:
    """Standard input as text of at most `limit` bytes. Raises TooLarge, BadInput."""
    content = sys.stdin.buffer.read(limit + 1)
    if len(content) > limit:
        raise TooLarge(f"over {limit:,} bytes", where=_STDIN)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"byte {error.start} is not UTF-8", where=_STDIN) from None


def put_report(
    console: Console, report: Report, format: str, output: Path | None, *, written: str = _WRITTEN
) -> None:
    """Show a report, or write it to a file (see `put_out`)."""
    colour = not output and sys.stdout.isatty()
    rendered = reports.render(report, format, console.lang, width=console.width, colour=colour)
    put_out(console, rendered, format, output, written=written)


def put_out(
    console: Console, rendered: str, format: str, output: Path | None, *, written: str = _WRITTEN
) -> None:
    """Print a result, or write it to a file and say so with `written`. Raises BadInput."""
    if output:
        write_output(output, rendered)
        console.note(written.format(output))
    elif not console.quiet or format != "text":
        emit(rendered)


def hand_out(console: Console, content: IO[bytes], output: Path | None) -> None:
    """Give out what was written whole, up to where it is: to a file, else to standard output."""
    size = content.tell()
    content.seek(0)
    pieces = iter(lambda: content.read(_PIECE), b"")
    if output:
        write_output(output, pieces)
        console.note(f"Wrote {size:,} bytes to {output}.")
    else:
        for piece in pieces:
            emit(piece)


def write_output(path: Path, content: str | bytes | Iterator[bytes]) -> None:
    """Write a result, or its pieces, to a file. Raises BadInput."""
    whole = content.encode() if isinstance(content, str) else content
    try:
        with path.open("wb") as out:
            out.writelines([whole] if isinstance(whole, bytes) else whole)
    except OSError as error:
        raise BadInput(
            f"cannot be written: {error.strerror}",
            where=str(path),
            hint="choose a file in a folder that exists and that you may write to",
        ) from None
