"""What to mend first: points gained for the effort that it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from bilbaokg.quality.catalogue import Described
from bilbaokg.quality.freshness import Freshness
from bilbaokg.quality.mqa import RULES, Score
from bilbaokg.quality.parity import Parity

__all__ = ["EFFORTS", "FIXES", "Task", "summed", "todo"]

EFFORTS: Final = {"minutes": 1, "hour": 4, "days": 24}
"""What a class of effort weighs: to fill in a field, to ask somebody, to work on the data."""

FIXES: Final[dict[str, str]] = {
    "keyword": "minutes",
    "theme": "minutes",
    "spatial": "minutes",
    "temporal": "minutes",
    "distribution": "days",
    "access-url": "hour",
    "download-url": "hour",
    "format": "minutes",
    "media-type": "minutes",
    "format-vocabulary": "minutes",
    "open-format": "days",
    "conformance": "hour",
    "licence": "hour",
    "access-rights": "minutes",
    "contact-point": "minutes",
    "publisher": "minutes",
    "rights": "hour",
    "byte-size": "minutes",
    "issued": "minutes",
    "modified": "minutes",
    "translation": "hour",
    "drift": "hour",
    "freshness": "days",
}
"""Every kind of fix, and the class of its effort."""


class Task(NamedTuple):
    """One thing to do: the points that it gains, the node (a term) where it is done, None where
    that is done for several datasets, and how many these are."""

    fix: str
    points: int
    focus: str | None
    datasets: int = 1

    @property
    def effort(self) -> str:
        """The class of its effort for one dataset."""
        return FIXES[self.fix]


def todo(
    dataset: Described, score: Score, parity: Parity, freshness: Freshness
) -> tuple[Task, ...]:
    """What would improve a dataset, the most points for the effort first.

    Points are those of data.europa.eu's count: a fix on files is told of the best one. What gains
    no points there (translations, freshness) comes last.
    """
    points: dict[str, int] = {}
    for fix, gained in _gains(score):
        points[fix] = points.get(fix, 0) + gained
    file = dataset.node if score.best is None else dataset.distributions[score.best][0]
    on_file = {rule.fix for rule in RULES if rule.distribution}
    tasks = [
        Task(fix, gained, file if fix in on_file else dataset.node)
        for fix, gained in points.items()
    ]
    more = {
        "translation": bool(parity.lacking),
        "drift": bool(parity.behind),
        "freshness": freshness.state == "late",
    }
    tasks += [Task(fix, 0, dataset.node) for fix, needed in more.items() if needed]
    return tuple(sorted(tasks, key=_order))


def _gains(score: Score) -> Iterator[tuple[str, int]]:
    """The fix and the points of each rule that is not met."""
    files = {} if score.best is None else score.distributions[score.best]
    for rule in RULES:
        if rule.distribution and score.best is None:
            yield "distribution", rule.points
        elif (files if rule.distribution else score.dataset)[rule.code] is False:
            yield rule.fix, rule.points


def _order(task: Task) -> tuple[float, float, int]:
    """The most points for the effort first; of a sum, those of one dataset."""
    points = task.points / task.datasets
    return -points / EFFORTS[task.effort], -points, list(FIXES).index(task.fix)


def summed(lists: Iterable[tuple[Task, ...]]) -> tuple[Task, ...]:
    """The to-do lists of several datasets as one."""
    points: dict[str, int] = {}
    datasets: dict[str, int] = {}
    for task in (task for tasks in lists for task in tasks):
        points[task.fix] = points.get(task.fix, 0) + task.points
        datasets[task.fix] = datasets.get(task.fix, 0) + 1
    sums = (Task(fix, gained, None, datasets[fix]) for fix, gained in points.items())
    return tuple(sorted(sums, key=_order))
