"""The command line: verbs of a few lines over the operations.

A new verb is a function in one of MODULES, or a new module and its name there.
"""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from bilbaokg import reports
from bilbaokg.cli import governing, loading, reading, releasing, serving
from bilbaokg.cli.base import DONE, FAILED, INTERRUPTED, group
from bilbaokg.console import Console
from bilbaokg.errors import BilbaokgError, GateRefused
from bilbaokg.model import Report

__all__ = ["MODULES", "main"]

MODULES: Final = (loading, releasing, reading, governing, serving)


def main(arguments: list[str] | None = None) -> None:
    """Run a verb and exit with its code; no user's error shows a traceback."""
    logging.getLogger("bilbaokg").addHandler(logging.NullHandler())
    meta: dict[str, Any] = {}
    try:
        with group.make_context(
            "bilbaokg", sys.argv[1:] if arguments is None else arguments
        ) as context:
            meta = context.meta
            code = group.invoke(context)
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.ClickException as error:
        error.show()
        code = FAILED
    except (KeyboardInterrupt, click.exceptions.Abort):
        sys.stderr.write("interrupted\n")
        code = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    except BilbaokgError as error:
        console = meta.get("console") or Console(Path())
        _tell_error(console, error)
        code = error.exit_code
    sys.exit(code or DONE)


def _tell_error(console: Console, error: BilbaokgError) -> None:
    if isinstance(error, GateRefused) and not console.as_json and not console.quiet:
        report = Report.of(error.extra["report"])
        report = replace(
            report, results=tuple(r for r in report.results if r.severity in report.gate)
        )
        console.say(reports.render(report, "text", console.lang, width=console.width))
    console.error(error)
