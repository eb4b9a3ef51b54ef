"""The artefacts of dbt itself, run on DuckDB; and its runs told by dbt-ol, beside them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import serving
from helpers import BASE, Catalogue
from serving import initialise, served, token
from test_export_peers import environment

from bilbaokg.lineage.names import Name, column_iri, table_iri

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]
PROJECT = Path(__file__).parent / "data" / "dbt"
NEWEST = ("dbt-core==1.11.16", "dbt-duckdb==1.11.1", "openlineage-dbt==1.54.0")
OLDEST = ("dbt-core==1.5.11", "dbt-duckdb==1.5.2", "duckdb==0.9.2", "setuptools<70")
STEPS = ("seed", "snapshot", "run", "source freshness", "docs generate", "test")


def run(python: Path, folder: Path, step: str, program: str = "dbt", **more: str) -> int:
    given = {
        **os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_PROFILES_DIR": str(folder),
        "BILBAO_DB": str(folder / "bilbao.duckdb"), **more,
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    command = [python.parent / program, *step.split()]
    done = subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True)
    # One of the tests of the project finds a row, as it shall.
    assert done.returncode == 0 or step in ("test", "build"), done.stdout[-2000:] + done.stderr
    return done.returncode


def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT, tmp_path / "project"))


def load(catalogue: Catalogue, folder: Path) -> dict[str, Any]:
    space = f"duckdb://{folder / 'bilbao.duckdb'}"
    return catalogue.do("lineage.dbt", path=str(folder / "target"), namespace=space)


def says(catalogue: Catalogue, subject: str, predicate: str) -> list[str]:
    found = catalogue.workspace.store.match(f"<{subject}>", f"<{predicate}>")
    return sorted({o for *_, o, g in found if "/graph/record/" in g})


@pytest.mark.parametrize("packages", [NEWEST, OLDEST], ids=["1.11", "1.5"])
def test_project_that_dbt_ran(
    request: pytest.FixtureRequest, catalogue: Catalogue, tmp_path: Path, packages: tuple[str, ...]
) -> None:
    python, folder = environment(request, packages), project(tmp_path)
    for step in STEPS:
        run(python, folder, step)
    done = load(catalogue, folder)
    assert [p for p in done["problems"] if p["severity"] == "warning"] == []
    assert (done["jobs"], done["measurements"], done["exposures"]) == (3, 5, 1)
    space = f"duckdb://{folder / 'bilbao.duckdb'}"
    name = table_iri(BASE, Name(space, "bilbao.main.noise_by_district"))
    sources = {
        table_iri(BASE, Name(space, f"bilbao.main.{t}")) for t in ("clean_measurements", "meters")
    }
    derived = says(catalogue, name, "http://www.w3.org/ns/prov#wasDerivedFrom")
    assert derived == sorted(f"<{each}>" for each in sources)
    column = column_iri(BASE, name, "loudest_db")
    assert says(catalogue, column, "https://schema.org/additionalType") == ['"DOUBLE"']
    for made, source in (
        ("noise_by_district loudest_db", "clean_measurements level_db"),
        ("noise_by_district district", "meters district"),
        ("clean_measurements meter", "measurements meter"),
    ):
        own, origin = (
            column_iri(BASE, table_iri(BASE, Name(space, f"bilbao.main.{table}")), field)
            for table, field in (made.split(), source.split())
        )
        assert says(catalogue, own, "http://www.w3.org/ns/prov#wasDerivedFrom") == [f"<{origin}>"]
    assert load(catalogue, folder)["records"] == {"new": 0, "changed": 0, "gone": 0}


def test_run_told_by_events_too_is_of_the_same_tables_and_jobs(
    request: pytest.FixtureRequest, catalogue: Catalogue, tmp_path: Path
) -> None:
    python, folder = environment(request, NEWEST), project(tmp_path)
    told = tmp_path / "events.ndjson"
    transport = {"type": "file", "log_file_path": str(told), "append": True}
    run(python, folder, "seed")
    run(
        python, folder, "run", "dbt-ol", OPENLINEAGE_NAMESPACE="dbt",
        OPENLINEAGE__TRANSPORT=json.dumps(transport),
    )  # fmt: skip
    run(python, folder, "docs generate")
    load(catalogue, folder)
    before = {record.id for record in catalogue.records.all()}
    done = catalogue.do("lineage.load", paths=[str(told)])
    assert done["events"]
    assert not done["refused"]
    added = {record.id for record in catalogue.records.all()} - before
    # The runs are new, and the command that ran the models; no table, no job of a model.
    assert [id for id in added if id.startswith("table/")] == []
    assert len([id for id in added if id.startswith("job/")]) <= 1


def test_run_is_told_to_the_server_while_it_goes(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    python, folder = environment(request, NEWEST), project(tmp_path)
    run(python, folder, "seed")
    data = initialise(tmp_path / "data")
    secret = token(data, "lineage")["Authorization"].removeprefix("Bearer ")
    with served(data) as server:
        run(
            python, folder, "run", "dbt-ol", OPENLINEAGE_NAMESPACE="dbt",
            OPENLINEAGE_URL=str(server.client.base_url), OPENLINEAGE_API_KEY=secret,
        )  # fmt: skip
        name = Name(f"duckdb://{folder / 'bilbao.duckdb'}", "bilbao.main.noise_by_district")
        asked = {"iri": table_iri(serving.BASE, name)}
        found = server.client.get(
            "/api/lineage/upstream", params=asked, headers=token(data, "read")
        ).json()
    assert {step["label"] for step in found["found"] if step["hops"] == 1} == {
        "bilbao.main.clean_measurements",
        "bilbao.main.meters",
    }
