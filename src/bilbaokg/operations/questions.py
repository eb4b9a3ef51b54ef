"""Questions to the lineage of the working store; the answers are those of `lineage`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bilbaokg.lineage import answers, coverage, differences, duties, failures
from bilbaokg.lineage.ground import Ground
from bilbaokg.operations.base import Operation, Progress
from bilbaokg.workspace import Workspace

__all__ = [
    "ANSWERS",
    "ground_of",
    "lineage_agree",
    "lineage_changed",
    "lineage_circles",
    "lineage_coverage",
    "lineage_dead_ends",
    "lineage_duties",
    "lineage_ends",
    "lineage_path",
    "lineage_spoiled",
    "lineage_walk",
]

_LANGUAGE: Final = "es"


def _limit(params: Mapping[str, Any]) -> int:
    return int(params.get("limit") or answers.MOST)


def _walked(ground: Ground, params: Mapping[str, Any]) -> dict[str, Any]:
    return answers.walked(
        ground, params["iri"], params["direction"], params.get("hops"),
        exactly=bool(params.get("exactly")), limit=_limit(params),
    )  # fmt: skip


ANSWERS: Final[Mapping[str, Callable[[Ground, Mapping[str, Any]], dict[str, Any]]]] = {
    "walk": _walked,
    "path": lambda ground, params: answers.path(ground, params["iri"], params["to"]),
    "ends": lambda ground, params: answers.ends(ground, params["direction"], _limit(params)),
    "circles": lambda ground, params: answers.circles(ground, _limit(params)),
    "dead-ends": lambda ground, params: answers.dead_ends(ground, _limit(params)),
    "agree": lambda ground, params: answers.agree(ground, params["iri"]),
    "spoiled": lambda ground, params: failures.spoiled(
        ground, params.get("iri") or "", _limit(params)
    ),
    "coverage": lambda ground, params: coverage.coverage(ground),
    "duties": lambda ground, params: duties.duties(ground, params.get("iri") or "", _limit(params)),
}
"""Question -> what answers it, of its parameters: iri, to, direction, hops, exactly, limit."""


def ground_of(workspace: Workspace, params: Mapping[str, Any]) -> Ground:
    """Where the questions are asked. params: lang, that of the labels."""
    live, language = workspace.graph, params.get("lang") or _LANGUAGE
    return Ground(workspace.store, workspace.settings.base, live.now, live.is_made, language)


def _operation(question: str) -> Operation:
    def operation(
        workspace: Workspace, params: dict[str, Any], progress: Progress
    ) -> dict[str, Any]:
        return ANSWERS[question](ground_of(workspace, params), params)

    return operation


lineage_walk = _operation("walk")
lineage_path = _operation("path")
lineage_ends = _operation("ends")
lineage_circles = _operation("circles")
lineage_dead_ends = _operation("dead-ends")
lineage_agree = _operation("agree")
lineage_spoiled = _operation("spoiled")
lineage_coverage = _operation("coverage")
lineage_duties = _operation("duties")


def lineage_changed(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """What came and went in the lineage between two moments. params: since, until, lang, limit.

    Moments are dates or xsd:dateTime; a date means its beginning as `since`, its end as `until`
    (UTC). Raises BadInput.
    """
    begin, end = differences.span(params["since"], params.get("until") or "")
    ground = ground_of(workspace, params)
    with workspace.mutex:
        found = differences.since(workspace.records, begin, end)
    told = differences.telling(ground, found, _limit(params))
    return {"since": begin, "until": end, **told}
