"""The command line: verbs of a few lines over the operations.

A new verb is a function in a module of this package, and its name in base.VERBS.
"""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from bilbaokg import reports
from bilbaokg.cli.base import DONE, FAILED, INTERRUPTED, group
from bilbaokg.console import Console
from bilbaokg.errors import BadInput, BilbaokgError, GateRefused, StorageFault, StorageFull
from bilbaokg.model import Report

__all__ = ["main"]

_TRACE: Final = "BILBAOKG_TRACE"


def main(arguments: list[str] | None = None) -> None:
    """Run a verb and exit with its code; no user's error shows a traceback.

    Nor does a fault of ours, unless BILBAOKG_TRACE is set: Python would exit with 1, and that means
    findings.
    """
    logging.getLogger("bilbaokg").addHandler(logging.NullHandler())
    _open_streams()
    given = sys.argv[1:] if arguments is None else arguments
    shared: dict[str, Any] = {}
    try:
        code = _run(given, shared)
        sys.stdout.flush()
    except (KeyboardInterrupt, click.exceptions.Abort):
        sys.stderr.write("interrupted\n")
        code = INTERRUPTED
    except BrokenPipeError:
        code = FAILED
    except click.ClickException as error:
        code = _tell_usage(error, as_json="--json" in given)
    except Exception as error:
        if _TRACE in os.environ:
            raise
        code = _tell(shared.get("console") or Console(Path()), _told(error))
    _let_go_of_output()
    sys.exit(code)


def _run(given: list[str], shared: dict[str, Any]) -> int:
    """Run the verb; it leaves its console in `shared`."""
    try:
        with group.make_context("bilbaokg", list(given), obj=shared) as context:
            return int(group.invoke(context) or DONE)
    except click.exceptions.Exit as done:
        return done.exit_code


# ---- standard streams


def _open_streams() -> None:
    """Stand in for standard streams that are closed, so that no file of ours becomes one."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _let_go_of_output() -> None:
    """Python flushes at its end and complains; what cannot be written was told by now."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# ---- errors


def _told(error: Exception) -> BilbaokgError:
    """Any exception as an error that says what, where and how to mend it."""
    if isinstance(error, BilbaokgError):
        return error
    if isinstance(error, OSError):
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        where = "output" if error.filename is None else os.fsdecode(error.filename)
        return (StorageFull if full else StorageFault)(error.strerror or str(error), where=where)
    hint = f"this is a fault of bilbaokg: {_TRACE}=1 shows where, for a report"
    return BilbaokgError(f"internal error: {error!r}", hint=hint)


def _tell(console: Console, error: BilbaokgError) -> int:
    with contextlib.suppress(OSError):  # the output may be what failed
        if isinstance(error, GateRefused) and not console.as_json and not console.quiet:
            report = Report.of(error.extra["report"])
            report = replace(
                report, results=tuple(r for r in report.results if r.severity in report.gate)
            )
            console.say(reports.render(report, "text", console.lang, width=console.width))
        console.error(error)
    return error.exit_code


def _tell_usage(error: click.ClickException, *, as_json: bool) -> int:
    if as_json:
        command = getattr(getattr(error, "ctx", None), "command_path", "bilbaokg")
        problem = BadInput(error.format_message(), hint=f"see: {command} --help")
        return _tell(Console(Path(), as_json=True), problem)
    error.show()
    return FAILED
