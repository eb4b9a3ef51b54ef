"""What shapes do not say about metadata: rules that look across records, at dates and at files.

Findings are those of validation (model.Problem), so every report format tells them. A link is
only found dead, and a file wrong, after it was probed.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import date

from bilbaokg import wording
from bilbaokg.lint.linted import Hit, Linted
from bilbaokg.lint.rules import RULES, Rule
from bilbaokg.model import SEVERITIES, Problem, Report
from bilbaokg.probing import Probe
from bilbaokg.shacl.context import Context, Facts
from bilbaokg.shacl.graph import Graph, Layers
from bilbaokg.shacl.report import standard
from bilbaokg.terms import DCT, plain, ref

__all__ = ["RULES", "identifiers", "lint"]


def lint(
    graph: Graph,
    *,
    today: date,
    language: str = "es",
    places: Mapping[str, tuple[str, int]] | None = None,
    released: Mapping[str, Set[str]] | None = None,
    probes: Mapping[str, Probe] | None = None,
) -> Report:
    """Apply every rule to a catalogue.

    places: file and line of subjects. released: the identifiers of each dataset (a term) in the
    last release (see identifiers). probes: what came of links, by address.
    """
    linted = Linted(graph, today, released or {}, probes or {})
    hits = [(rule, hit) for rule in RULES for hit in rule.test(linted)]
    facts = Context(Layers(graph), language, places).facts(hit.focus for _, hit in hits)
    problems = [_problem(rule, hit, facts[hit.focus], language) for rule, hit in hits]
    found = tuple(sorted(problems, key=_key))
    return Report(
        "lint",
        "lint",
        found,
        len(linted.datasets) + len(linted.distributions),
        standard=standard(found),
        kind="lint",
    )


def identifiers(graph: Graph) -> dict[str, frozenset[str]]:
    """The identifiers (terms) of each dataset that has any."""
    datasets = Linted(graph, date.min, {}, {}).datasets
    found = {node: frozenset(graph.objects(node, ref(DCT.identifier))) for node in datasets}
    return {node: held for node, held in found.items() if held}


def _problem(rule: Rule, hit: Hit, facts: Facts, language: str) -> Problem:
    detail = hit.detail and wording.say(f"lint-detail.{hit.detail}", language, **hit.words)
    return Problem(
        rule.severity,
        wording.say(f"lint-message.{rule.code}", language),
        focus=plain(hit.focus),
        path=hit.path,
        component=rule.code,
        value=None if hit.value is None else plain(hit.value),
        hint=wording.say(f"lint-hint.{rule.code}", language),
        dataset=plain(facts.dataset) if facts.dataset else None,
        title=facts.title,
        steward=facts.steward,
        source=facts.source,
        detail=detail,
        owner=facts.owner,
    )


def _key(problem: Problem) -> tuple[int | str, ...]:
    names = ("component", "dataset", "focus", "path", "value", "detail")
    texts = (getattr(problem, name) or "" for name in names)
    return (SEVERITIES.index(problem.severity), *texts)
