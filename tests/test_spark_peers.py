"""Apache Spark with the OpenLineage listener, told to send what it does to the real server."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import serving
from serving import initialise, served, token
from test_export_peers import environment

from bilbaokg.lineage.names import Name, column_iri, table_iri

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]
PACKAGES = ("pyspark==3.5.9", "setuptools<80")
SCRIPT = Path(__file__).parent / "data" / "spark" / "bikes.py"


def test_what_spark_does_is_told_to_the_server(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if not shutil.which("java"):
        pytest.skip("Java is not installed")
    python = environment(request, PACKAGES)
    data, place = initialise(tmp_path / "data"), tmp_path / "lake"
    place.mkdir()
    secret = token(data, "lineage")["Authorization"].removeprefix("Bearer ")
    table = table_iri(serving.BASE, Name("file", f"{place}/warehouse/by_district"))
    with served(data) as server:
        done = subprocess.run(
            [python, SCRIPT, place, server.url, secret], cwd=place, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
        reader = token(data, "read")

        def asked(direction: str, iri: str) -> dict[str, Any]:
            address = f"/api/lineage/{direction}"
            answer = server.client.get(address, params={"iri": iri}, headers=reader)
            return answer.raise_for_status().json()

        above, below = asked("upstream", table), asked("downstream", table)
        total = asked("upstream", column_iri(serving.BASE, table, "total"))
    # Its events name a folder; people call the table as Spark does.
    assert above["label"] == "default.by_district"
    files = {f"{place}/trips.csv", f"{place}/stations.csv"}
    assert files <= {step["label"] for step in above["found"]}
    assert [step["label"] for step in below["found"]] == [f"{place}/published"]
    assert [step["label"] for step in total["found"]] == [f"{place}/trips.csv.minutes"]
