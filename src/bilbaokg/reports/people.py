"""Reports for people: text for a terminal, and one HTML page."""

from __future__ import annotations

import textwrap
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from bilbaokg import assets, wording
from bilbaokg.model import Report
from bilbaokg.reports.printing import on_one_line
from bilbaokg.reports.words import (
    about,
    agreement,
    choice,
    difference,
    groups,
    one,
    place,
    summary,
    title,
    verdict,
    who,
    words,
)

if TYPE_CHECKING:
    import jinja2

__all__ = ["html", "templates", "text"]

_SHOWN: Final = 10
_COLOURS: Final = {"violation": "\x1b[31m", "warning": "\x1b[33m", "info": "\x1b[36m"}


def text(report: Report, language: str, width: int = 80, colour: bool = False) -> str:
    """A report as lines of at most `width` columns where words allow; colour: ANSI codes."""
    said = words(language)
    head = [verdict(report, language), summary(report, language), who(report, language)]
    lines = [line for part in head if part for line in _wrap(on_one_line(part), "", width)]
    if agreed := agreement(report, language):
        lines += ["", *_wrap(agreed, "", width)]
        for found in (report.differences or ())[: 2 * _SHOWN]:
            lines += _wrap(on_one_line(difference(found, language)), "  - ", width)
        lines += _rest(len(report.differences or ()) - 2 * _SHOWN, language)
    for group in groups(report):
        label = said[group.severity].upper()
        if colour:
            label = f"{_COLOURS[group.severity]}{label}\x1b[0m"
        what = f"[{on_one_line(about(group))}] " if group.path else ""
        heading = f"{label}  {on_one_line(group.message)} {what}({len(group.found)})"
        lines += ["", *_wrap(heading, "", width)]
        if listed := choice(group):
            lines += _wrap(f"{said['allowed']}: {on_one_line(listed)}", "  ", width)
        if group.hint:
            lines += _wrap(f"{said['hint']}: {on_one_line(group.hint)}", "  ", width)
        for problem in group.found[:_SHOWN]:
            lines += _wrap(on_one_line(one(problem, said)), "  - ", width)
            if problem.detail:
                lines += _wrap(on_one_line(problem.detail), "    ", width)
        lines += _rest(len(group.found) - _SHOWN, language)
    return "\n".join(lines) + "\n"


def _rest(number: int, language: str) -> list[str]:
    return [f"  {wording.say('report.more', language, n=number)}"] if number > 0 else []


def _wrap(text: str, indent: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        max(width, 40),
        initial_indent=indent,
        subsequent_indent=" " * max(len(indent), 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


@lru_cache(maxsize=1)
def templates() -> jinja2.Environment:
    """The templates of reports; all values are escaped."""
    import jinja2  # takes long, and is for pages alone

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(assets.folder("web") / "templates" / "reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def html(report: Report, language: str) -> str:
    """A report as a page that loads nothing."""
    return templates().get_template("report.html").render(
        report=report, language=language, title=title(report, language), words=words(language),
        groups=groups(report),
        verdict=verdict(report, language), summary=summary(report, language),
        who=who(report, language), agreement=agreement(report, language),
        difference=lambda found: difference(found, language),
        heading=about, choice=choice, place=place,
    )  # fmt: skip
