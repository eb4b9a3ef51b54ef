"""Quality for people and for programs: text, HTML, CSV, JSON, Turtle."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bilbaokg import wording
from bilbaokg.quality import MAXIMUM, Assessment, Group, measurements
from bilbaokg.quality.assessment import MAXIMA, Summary
from bilbaokg.quality.mqa import BANDS, DIMENSIONS, band
from bilbaokg.quality.todo import Task
from bilbaokg.reports import tables
from bilbaokg.reports.people import templates
from bilbaokg.reports.printing import on_one_line
from bilbaokg.terms import LANGUAGES, plain

__all__ = ["FORMATS", "Quality", "render"]

_TASKS: Final = 10
_WORDS: Final = (
    "title", "mean", "points", "unknown", "maximum", "band", "dimension", "area",
    "steward", "dataset", "datasets", "filled", "bilingual", "behind", "late", "fair", "nobody",
    "todo", "fix", "effort", "history", "released", "note", "nothing",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quality:
    """What is to be told: an assessment, grouped (see assessment.BY), with to-do lists or not.

    history: id, time and assessment of each release, oldest first. base: of the terms in Turtle.
    """

    found: Assessment
    by: str
    todo: bool
    base: str
    history: Sequence[tuple[str, str, Assessment]] = ()


def render(quality: Quality, format: str, language: str = "es") -> str:
    """The assessment as text of one of FORMATS."""
    return FORMATS[format](quality, language if language in LANGUAGES else "es")


# ---- for programs


def _json(quality: Quality, _language: str) -> str:
    """One document; each group on a line of its own, as there may be thousands."""
    document = quality.found.as_dict()
    if quality.history:
        document["history"] = [
            {"release": id, "at": at, "summary": found.summary.as_dict()}
            for id, at, found in quality.history
        ]
    document["by"] = quality.by
    groups = quality.found.groups(quality.by)
    lines = ",\n".join(json.dumps(group.as_dict(), ensure_ascii=False) for group in groups)
    head = json.dumps(document, ensure_ascii=False, indent=2).removesuffix("\n}")
    return f'{head},\n  "groups": [\n{lines}\n]}}\n'


def _turtle(quality: Quality, _language: str) -> str:
    lines = measurements(quality.found, quality.base, quality.history)
    return "".join(f"{line}\n" for line in lines)


_FIGURES: Final = (
    "name", "iri", "datasets", "points_single", "unknown_single", "band_single",
    "points_average", "unknown_average", *DIMENSIONS, "filled", "expected", "texts",
    "texts_in_all", "drift_behind", "fresh", "late", "fair_f", "fair_a", "fair_i", "fair_r",
)  # fmt: skip
_TODO: Final = ("name", "iri", "fix", "what", "points", "effort", "datasets", "focus")


def _csv(quality: Quality, language: str) -> str:
    """One row a group, or with to-do lists one row a thing to do."""
    rows: list[Iterable[Any]] = [_TODO if quality.todo else _FIGURES]
    for group in quality.found.groups(quality.by):
        rows += _tasks(group, language) if quality.todo else [_figures(group)]
    return tables.as_csv(rows)


def _figures(group: Group) -> list[Any]:
    found = group.summary
    single, average = found.single[None], found.average[None]
    return [
        group.name, group.iri, found.datasets,
        f"{single.points:.1f}", f"{single.unknown:.1f}", found.band,
        f"{average.points:.1f}", f"{average.unknown:.1f}",
        *(f"{found.single[name].points:.1f}" for name in DIMENSIONS),
        *found.completeness, found.texts, found.complete, found.drift["behind"],
        found.freshness["fresh"], found.freshness["late"],
        *(f"{value:.3f}" for value in found.fair.values()),
    ]  # fmt: skip


def _tasks(group: Group, language: str) -> Iterable[list[Any]]:
    for task in group.todo:
        what = wording.say(f"fix.{task.fix}", language)
        focus = plain(task.focus) if task.focus else None
        yield [
            group.name, group.iri, task.fix, what, task.points, task.effort, task.datasets, focus,
        ]  # fmt: skip


# ---- for people


def _words(language: str) -> dict[str, str]:
    found = {name: wording.say(f"quality.{name}", language) for name in _WORDS}
    found["counting"] = wording.say("quality.counting", language, maximum=MAXIMUM)
    return found


def _head(found: Assessment, language: str) -> str:
    datasets = wording.counted("dataset", len(found.datasets), language)
    at = found.at.isoformat()
    return wording.say("quality.head", language, source=found.source, datasets=datasets, at=at)


def _decimal(value: float, language: str) -> str:
    text = f"{value:.1f}"
    return text if language == "en" else text.replace(".", ",")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _counts(found: Summary, language: str) -> list[list[str]]:
    """The points in both ways of counting: label, points, not known, band."""
    return [
        [
            wording.say(f"quality.{name}", language),
            _decimal(count.points, language),
            _decimal(count.unknown, language),
            wording.say(f"band.{band(count.points)}", language),
        ]
        for name, count in (("single", found.single[None]), ("average", found.average[None]))
    ]


def _dimensions(found: Summary, language: str) -> list[list[str]]:
    """Each dimension: label, points with the best distribution and with the average, not known,
    maximum."""
    return [
        [
            wording.say(f"dimension.{name}", language),
            _decimal(found.single[name].points, language),
            _decimal(found.average[name].points, language),
            _decimal(found.single[name].unknown, language),
            str(MAXIMA[name]),
        ]
        for name in DIMENSIONS
    ]


def _row(found: Summary, language: str) -> list[str]:
    """What the table of groups says of one, after its name."""
    return [
        str(found.datasets),
        _decimal(found.single[None].points, language),
        _decimal(found.average[None].points, language),
        _decimal(found.single[None].unknown, language),
        wording.say(f"band.{found.band}", language),
        _percent(found.filled),
        _percent(found.bilingual),
        str(found.drift["behind"]),
        str(found.freshness["late"]),
        " ".join(f"{value * 100:.0f}" for value in found.fair.values()),
    ]


def _titles(said: dict[str, str], first: str) -> list[str]:
    names = ("datasets", "points", "mean", "unknown", "band", "filled", "bilingual", "behind")
    return [said[first], *(said[name] for name in names), said["late"], said["fair"]]


def _name(group: Group, said: dict[str, str]) -> str:
    return group.name or group.iri or said["nobody"]


def _task(task: Task, language: str) -> list[str]:
    """What to do, the gain, the effort, for how many datasets or where."""
    return [
        wording.say(f"fix.{task.fix}", language),
        wording.say("quality.gain", language, points=task.points) if task.points else "-",
        wording.say(f"effort.{task.effort}", language),
        plain(task.focus) if task.focus else wording.counted("dataset", task.datasets, language),
    ]


def _text(quality: Quality, language: str) -> str:
    said, found = _words(language), quality.found
    lines = [_head(found, language), ""]
    if not found.datasets:
        return "\n".join([*lines, said["nothing"], ""])
    together = found.summary
    titles = [said["counting"], said["points"], said["unknown"], said["band"]]
    lines += [*_columns([titles, *_counts(together, language)]), ""]
    titles = [said["dimension"], said["points"], said["mean"], said["unknown"], said["maximum"]]
    lines += [*_columns([titles, *_dimensions(together, language)]), ""]
    groups = found.groups(quality.by)
    rows = [[_name(g, said), *_row(g.summary, language)] for g in groups]
    lines += _columns([_titles(said, quality.by), *rows])
    if quality.history:
        titles = [said["history"], *_titles(said, "released")]
        past = [[id, at[:10], *_row(f.summary, language)] for id, at, f in quality.history]
        lines += ["", *_columns([titles, *past])]
    if quality.todo:
        lines += ["", said["todo"]]
        for group in groups:
            tasks = [_task(task, language) for task in group.todo]
            lines += ["", on_one_line(_name(group, said)), *_columns(tasks[:_TASKS], "  ")]
            if len(tasks) > _TASKS:
                lines.append(f"  {wording.say('quality.more', language, n=len(tasks) - _TASKS)}")
    return "\n".join([*lines, "", said["note"], ""])


def _columns(rows: Sequence[Sequence[str]], indent: str = "") -> list[str]:
    """Rows as aligned lines: the first column to the left, figures to the right."""
    safe = [[on_one_line(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*safe, strict=True)]
    figures = [
        place > 0 and all(row[place][:1] in "0123456789-" for row in safe[1:])
        for place in range(len(widths))
    ]
    return [
        indent
        + "  ".join(
            value.rjust(width) if figure else value.ljust(width)
            for value, width, figure in zip(row, widths, figures, strict=True)
        ).rstrip()
        for row in safe
    ]


def _html(quality: Quality, language: str) -> str:
    """A page that loads nothing and can be printed. A row of a table is (name, IRI, cells)."""
    said, found = _words(language), quality.found
    groups = found.groups(quality.by)
    return templates().get_template("quality.html").render(
        language=language, words=said, head=_head(found, language), found=found,
        counts=_named(_counts(found.summary, language)),
        dimensions=_named(_dimensions(found.summary, language)),
        bands=[(wording.say(f"band.{name}", language), None, [found.summary.bands[name]])
               for name in BANDS],
        by=said[quality.by], titles=_titles(said, quality.by),
        rows=[(_name(g, said), g.iri, _row(g.summary, language)) for g in groups],
        past_titles=["", *_titles(said, "released")],
        past=[(id, None, [at[:10], *_row(f.summary, language)]) for id, at, f in quality.history],
        lists=[(_name(g, said), _named([_task(task, language) for task in g.todo]))
               for g in groups] if quality.todo else [],
    )  # fmt: skip


def _named(rows: Iterable[Sequence[str]]) -> list[tuple[str, None, Sequence[str]]]:
    return [(row[0], None, row[1:]) for row in rows]


FORMATS: Final[dict[str, Callable[[Quality, str], str]]] = {
    "text": _text,
    "json": _json,
    "csv": _csv,
    "ttl": _turtle,
    "html": _html,
}
