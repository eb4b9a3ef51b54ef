"""Old runs go, and nothing else changes: neither by their going nor when they are told of again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from helpers import BASE, Catalogue
from pipelines import content, dataset, event, lineage_of, run_id
from serving import initialise, served

from bilbaokg import settings
from bilbaokg.cli import main
from bilbaokg.errors import BadInput
from bilbaokg.importers import openlineage
from bilbaokg.lineage import pruning
from bilbaokg.lineage.names import run_iri
from bilbaokg.lineage.pruning import Run
from bilbaokg.operations.lineage import take_in
from bilbaokg.workspace import Workspace


def old(state: str, hour: int, run: int, job: str = "daily", **more: Any) -> Any:
    return event(state, f"2020-03-01T{hour:02}:00:00Z", run=run_id(run), job=job, **more)


def now(state: str, run: int, job: str = "daily", **more: Any) -> Any:
    return event(state, datetime.now(UTC).isoformat(), run=run_id(run), job=job, **more)


A_TO_B: dict[str, Any] = {
    "inputs": [dataset("a")], "outputs": [dataset("b", columnLineage=lineage_of(x="a:y"))],
}  # fmt: skip
WITHIN = {"run": {"runId": run_id(20)}, "job": {"namespace": "airflow", "name": "dag"}}
TOLD = [
    old("COMPLETE", 1, 1, **A_TO_B),  # goes
    old("COMPLETE", 2, 2, **A_TO_B),  # the last that was completed and did something
    old("COMPLETE", 3, 3),  # the last that was completed
    old("FAIL", 4, 4),  # goes
    old("FAIL", 5, 5, inputs=[dataset("a")]),
    old("ABORT", 6, 6),
    old("RUNNING", 1, 7, job="never-ended", inputs=[dataset("b")]),
    old("RUNNING", 2, 8, job="never-ended", inputs=[dataset("b")], outputs=[dataset("c")]),
    old("COMPLETE", 1, 20, job="dag"),  # goes with its part
    old("COMPLETE", 1, 21, run_facets={"parent": WITHIN}),
    old("COMPLETE", 2, 22, job="dag"),
    old("COMPLETE", 1, 23, job="dag"),  # what people point to
    old("COMPLETE", 1, 24, job="dag"),  # people say something of it
    now("COMPLETE", 30, job="fresh", **A_TO_B),
    old("COMPLETE", 1, 31, job="fresh", **A_TO_B),  # goes
]  # fmt: skip
GONE = (1, 4, 7, 20, 21, 31)


def tell(workspace: Workspace, *events: Any) -> dict[str, int]:
    return take_in(workspace, [openlineage.read(content(told)) for told in events], "t", "x")


def texts(workspace: Workspace) -> dict[str, str]:
    return {record.id: record.text for record in workspace.records.all()}


def people(catalogue: Catalogue) -> None:
    catalogue.load(f":d a dcat:Dataset ; prov:wasGeneratedBy <{run_iri(BASE, run_id(23))}> .")
    catalogue.load(f'<{run_iri(BASE, run_id(24))}> dct:description "x"@es .', source="steward")


def test_runs_go_and_what_jobs_do_stays(catalogue: Catalogue) -> None:
    workspace = catalogue.workspace
    tell(workspace, *TOLD)
    people(catalogue)
    before = texts(workspace)
    tried = catalogue.do("lineage.prune", days=30, dry_run=True)
    assert texts(workspace) == before
    done = catalogue.do("lineage.prune", days=30, actor="ana", why="enough")
    assert tried | {"dry_run": False, "before": done["before"]} == done
    assert done["removed"] == len(GONE)
    assert done["kept"] == {"last_of_job": 6, "pointed_to": 2}
    gone = {f"run/{run_id(run)}" for run in GONE}
    assert texts(workspace) == {id: x for id, x in before.items() if id not in gone}
    assert not [*workspace.store.match(graph=workspace.records.history_graph(f"run/{run_id(1)}"))]
    last = catalogue.records.audit.last()
    assert last is not None
    assert (last.actor, last.detail["why"], last.detail["runs"]) == ("ana", "enough", len(GONE))
    assert catalogue.records.audit.verify()
    assert catalogue.records.verify()
    # Again there is nothing to do, and events that come late or again bring nothing back.
    assert catalogue.do("lineage.prune", days=30)["removed"] == 0
    after = texts(workspace)
    assert tell(workspace, *TOLD) == {"new": 0, "changed": 0}
    assert tell(workspace, old("FAIL", 9, 1), now("RUNNING", 4)) == {"new": 0, "changed": 0}
    workspace.lineage.failed()
    assert tell(workspace, *TOLD) == {"new": 0, "changed": 0}
    # What such an event tells of tables counts; a run that names one as its parent has none.
    told = dataset("b", documentation={"description": "de b"})
    assert tell(workspace, old("COMPLETE", 9, 1, outputs=[told]))["changed"] == 1
    tell(workspace, now("COMPLETE", 40, run_facets={"parent": WITHIN}))
    assert "isPartOf" not in texts(workspace)[f"run/{run_id(40)}"]
    assert after.keys() < texts(workspace).keys()


def test_run_that_is_told_of_while_others_go_stays(catalogue: Catalogue) -> None:
    tell(catalogue.workspace, *TOLD)
    pruner = pruning.Pruner(catalogue.workspace.lineage, catalogue.records)
    ids = [f"run/{run_id(run)}" for run in (1, 4)]
    tell(catalogue.workspace, now("FAIL", 4))
    count, _ = pruner.plan(ids, "2021-01-01T00:00:00.000000Z", set(ids))
    catalogue.workspace.lineage.failed()
    assert count == 1


def test_what_stays_keeps_what_it_is_part_of() -> None:
    day = "2020-01-01"
    runs = [Run(f"run/{n}", "", "", day, day, moves=False) for n in range(4)]
    above = {"run/1": {"run/0"}, "run/2": {"run/1"}, "run/0": {"dataset/x"}}
    found = pruning.select(runs, "2021", lambda id: above.get(id, set()))
    assert (found.gone, found.pointed_to) == (["run/3"], 3)


@pytest.mark.parametrize("days", [0, -1, 40_000, "x"])
def test_days_that_are_none_are_refused(catalogue: Catalogue, days: Any) -> None:
    with pytest.raises(BadInput, match="between 1 and"):
        catalogue.do("lineage.prune", days=days)


def test_command_prunes_with_a_server_and_without(
    tmp_path: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    data = initialise(tmp_path / "data")
    with Workspace(data, settings.read(data)) as workspace:
        tell(workspace, *TOLD)

    def said(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["--data", str(data), *words])
        return int(ended.value.code or 0), capfd.readouterr().out

    # One more goes than where people spoke of one and point to another.
    with served(data):
        code, out = said("--json", "lineage", "prune", "--older-than", "30d", "--dry-run")
        assert (code, json.loads(out)["removed"]) == (0, len(GONE) + 2)
        code, out = said("lineage", "prune", "--older-than", "30d")
        assert code == 0
        assert out.startswith(f"{len(GONE) + 2} runs removed: nothing was told")
    code, out = said("--json", "lineage", "prune")
    assert (code, json.loads(out)["removed"]) == (0, 0)
    assert said("lineage", "prune", "--older-than", "0d")[0] == 2
