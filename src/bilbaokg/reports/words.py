"""What all report formats say alike: the verdict, counts, groups of findings, their parts."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from os.path import commonprefix
from typing import Final, NamedTuple

from bilbaokg import wording
from bilbaokg.model import SEVERITIES, Difference, Problem, Report
from bilbaokg.terms import PREFIXES

__all__ = [
    "Group",
    "about",
    "agreement",
    "choice",
    "compact",
    "difference",
    "groups",
    "one",
    "place",
    "summary",
    "title",
    "verdict",
    "who",
    "words",
]

_WORDS: Final = (
    "hint", "allowed", "value", "who", "nobody", "where", "property", "steward", "owner",
)  # fmt: skip
# People named above the findings, and how many allowed values a finding lists at most.
_PEOPLE: Final = 5
_MOST: Final = 10


_Key = tuple[str, str, str | None, str | None, tuple[str, ...] | None]


class Group(NamedTuple):
    """Findings that say the same; what they have in common is that of the first."""

    severity: str
    message: str
    path: str | None
    hint: str | None
    allowed: tuple[str, ...] | None
    found: list[Problem]


def words(language: str) -> dict[str, str]:
    """The words around findings; a severity has its own name."""
    found = {name: wording.say(f"report.{name}", language) for name in _WORDS}
    return found | {s: wording.say(f"{s}.label", language) for s in SEVERITIES}


def title(report: Report, language: str) -> str:
    """What a report of its kind is called."""
    return wording.say(f"{report.kind}.title", language)


def verdict(report: Report, language: str) -> str:
    """What the gate says, in one line."""
    outcome = "blocks" if report.blocks_release else "passes" if report.results else "conforms"
    return wording.say(f"{report.kind}.{outcome}", language, profile=report.profile)


def summary(report: Report, language: str) -> str:
    """How many results there are, of how many resources."""
    counts = {s: wording.counted(s, number, language) for s, number in report.counts.items()}
    focus = wording.counted("focus", report.focus_nodes, language)
    return wording.say("report.counts", language, **counts, focus=focus, engine=report.engine)


def who(report: Report, language: str) -> str | None:
    """Who has how many findings to mend; None where no dataset has any."""
    found = Counter(p.steward or p.owner or "" for p in report.results if p.dataset)
    unnamed = found.pop("", 0)
    if not found and not unnamed:
        return None
    said = [f"{name} ({count})" for name, count in found.most_common(_PEOPLE)]
    if rest := found.total() - sum(count for _, count in found.most_common(_PEOPLE)):
        said.append(f"{wording.say('report.others', language)} ({rest})")
    if unnamed:
        said.append(f"{wording.say('report.nobody', language)} ({unnamed})")
    return f"{wording.say('report.who', language)}: {', '.join(said)}."


def agreement(report: Report, language: str) -> str | None:
    """Whether two engines agree; None where one ran alone."""
    if report.differences is None:
        return None
    if not report.differences:
        return wording.say("report.agree", language)
    return wording.say("report.disagree", language, n=sum(d.count for d in report.differences))


def difference(found: Difference, language: str) -> str:
    """One disagreement, on one line."""
    parts = [
        wording.say("report.only", language, engine=found.engine),
        found.focus,
        compact(found.path),
        found.component,
        found.severity,
        f"× {found.count}" if found.count > 1 else "",
    ]
    return " · ".join(part for part in parts if part)


def groups(report: Report) -> list[Group]:
    """Results that say the same of the same property, the worst and most frequent first."""
    grouped: dict[_Key, list[Problem]] = defaultdict(list)
    for p in report.results:
        grouped[p.severity, p.message, p.path, p.hint, p.allowed].append(p)
    made = [Group(*key, found) for key, found in grouped.items()]
    return sorted(
        made, key=lambda g: (SEVERITIES.index(g.severity), -len(g.found), g.message, g.path or "")
    )


def about(group: Group) -> str:
    """The property in brackets; with what it is called, unless the message says that."""
    label, short = group.found[0].label, compact(group.path)
    if label and label.casefold() not in group.message.casefold():
        return f"{label}, {short}"
    return short


def choice(group: Group) -> str | None:
    """What is allowed, IRIs with their common beginning once; None where it is one thing."""
    allowed = group.allowed or ()
    if len(allowed) < 2:
        return None
    start = re.sub(r"[^/#]*$", "", commonprefix(allowed))  # noqa: RUF071 -- IRIs are no paths
    shown = [item.removeprefix(start) for item in allowed] if "://" in start else list(allowed)
    listed = ", ".join(shown) + (", …" if len(allowed) == _MOST else "")
    return f"{start}… {listed}" if "://" in start else listed


def compact(iri: str | None) -> str:
    """An IRI with its known prefix."""
    for prefix, namespace in PREFIXES.items():
        if iri and iri.startswith(namespace) and not set("/#") & set(iri[len(namespace) :]):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri or ""


def place(problem: Problem) -> str:
    """`file:line`, or an empty text."""
    source = problem.source or {}
    return ":".join(str(source[k]) for k in ("file", "line") if source.get(k) is not None)


def one(problem: Problem, said: dict[str, str]) -> str:
    """Where and what: dataset, resource, place, value, who."""
    parts = [problem.title or "", problem.focus or "", place(problem)]
    if problem.value is not None and problem.value != problem.focus:
        parts.append(f"{said['value']}: {problem.value[:200]}")
    if name := problem.steward or problem.owner:
        parts.append(f"{said['steward' if problem.steward else 'owner']}: {name}")
    return " · ".join(part for part in parts if part)
