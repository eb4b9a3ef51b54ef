"""Figures are counts of facets: of a generated catalogue they are what was put into it."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from helpers import BASE, lines

from bilbaokg import index
from bilbaokg.index import Checks, find
from bilbaokg.index.figures import STATES, Figure, areas, figures
from bilbaokg.merging import text_of
from bilbaokg.model import Record

CREATED = "2026-06-01T00:00:00Z"
PRINCIPLES = [f"{BASE}/id/principle/p{n}" for n in range(3)]
AREAS = [f"{BASE}/id/unit/a{n}" for n in range(4)]
EU = "http://publications.europa.eu/resource/authority/frequency"
# How a dataset may stand: measure, state, and what it then says.
SAID: dict[str, dict[str, str]] = {
    "contact": {"good": ":{0} dcat:contactPoint x:desk .", "lacking": ""},
    "licence": {"good": ":{0} dct:license x:ccby .", "lacking": ""},
    "fresh": {
        "good": f":{{0}} dct:accrualPeriodicity <{EU}/MONTHLY> ; dct:modified '2026-05-20' .",
        "lacking": f":{{0}} dct:accrualPeriodicity <{EU}/MONTHLY> ; dct:modified '2025-05-20' .",
        "untold": ":{0} dct:modified '2026-05-20' .",
    },
    "lineage": {
        "good": ":{0} prov:wasDerivedFrom x:source .",
        "lacking": "",
        "untold": ":{0} dct:provenance <http://www.opengis.net/def/nil/OGC/0/unknown> .",
    },
}
Stand = dict[str, str]


def record(id: str, turtle: str) -> Record:
    earl = "@prefix earl: <http://www.w3.org/ns/earl#> . "
    return Record(id, f"{BASE}/id/{id}", text_of(lines(earl + turtle)), "", 1, "public")


def assertions(number: int, outcomes: dict[str, str]) -> str:
    return "\n".join(
        f""":{number}-{n} a earl:Assertion ; earl:subject :{number} ; earl:test <{iri}> ;
        earl:result :{number}-{n}-r . :{number}-{n}-r earl:outcome earl:{outcome} ."""
        for n, (iri, outcome) in enumerate(outcomes.items())
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[index.Index, list[dict[str, Any]]]:
    """An index of 300 datasets, and how each of them was made to stand."""
    draw = random.Random(7)  # noqa: S311
    stands: list[dict[str, Any]] = []
    records, results = [], []
    for number in range(300):
        state = {name: draw.choice(list(said)) for name, said in SAID.items()}
        outcomes = {
            iri: outcome
            for iri in PRINCIPLES
            if (outcome := draw.choice(["passed", "failed", "cantTell", ""]))
        }
        area = draw.choice(AREAS)
        told = " ".join(SAID[name][how].format(number) for name, how in state.items())
        turtle = f":{number} a dcat:Dataset ; dct:creator <{area}> . {told}"
        records.append(record(f"dataset/{number}", turtle))
        records.append(record(f"rest/{number}", assertions(number, outcomes) or ":r a x:r ."))
        worst = draw.choice(["violation", "warning", "info", ""])
        iri = f"{BASE}/id/dataset/{number}"
        if worst:
            results.append({"severity": worst, "dataset": iri, "focus": iri})
        state["valid"] = "lacking" if worst == "violation" else "good"
        decided = {o for o in outcomes.values() if o != "cantTell"}
        state["principles"] = (
            "untold" if not decided else "lacking" if "failed" in decided else "good"
        )
        stands.append({"area": area, "outcomes": outcomes, **state})
    records += [
        record(f"unit/a{n}", f"<{AREAS[n]}> a org:OrganizationalUnit ; org:unitOf <{AREAS[0]}> .")
        for n in range(4)
    ]
    path = tmp_path_factory.mktemp("figures") / "index.db"
    checks = Checks.of(CREATED, {"results": results}, waived=False)
    index.build(path, sorted(records, key=lambda r: r.id), BASE, checks=checks)
    return index.Index(path), stands


def numbers(figure: Figure) -> dict[str, int]:
    return {"good": figure.good, "lacking": figure.lacking, "untold": figure.untold}


@pytest.mark.parametrize("area", ["", *AREAS])
def test_a_figure_counts_the_datasets_that_stand_so(made: Any, area: str) -> None:
    built, stands = made
    # The first area is above the others.
    mine = [s for s in stands if area in ("", AREAS[0], s["area"])]
    held = figures(built, area)
    assert held.count == len(mine)
    for name in (*SAID, "valid", "principles"):
        expected = Counter(s[name] for s in mine)
        assert numbers(held.measures[name]) == {state: expected[state] for state in STATES}, name
    for figure in held.principles:
        ends = Counter(s["outcomes"].get(figure.principle, "") for s in mine)
        good, lacking = ends["passed"], ends["failed"]
        assert (figure.good, figure.lacking) == (good, lacking)
        assert figure.untold == len(mine) - good - lacking


@pytest.mark.parametrize("area", ["", *AREAS])
def test_each_figure_has_a_list_of_just_what_it_counts(made: Any, area: str) -> None:
    built, _ = made
    held = figures(built, area)
    for figure in (*held.measures.values(), *held.principles):
        for state, number in numbers(figure).items():
            facet, _ = list(figure.filters(state).items())[-1]
            if facet:
                assert find(built, filters=figure.filters(state)).total == number
            else:
                assert number == 0


def test_only_areas_that_are_part_of_no_other_stand_beside_each_other(made: Any) -> None:
    assert areas(made[0]) == AREAS[:1]


def test_violations_that_the_release_was_told_to_carry_are_told_apart() -> None:
    report = {"results": [{"severity": "violation", "dataset": "d", "focus": "f"}]}
    assert Checks.of(CREATED, report, waived=True).validity == {"d": "waived"}
    assert Checks.of(CREATED, report, waived=False).validity == {"d": "violations"}
    assert Checks.of(CREATED, None, waived=False).validity is None
