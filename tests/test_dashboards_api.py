"""Dashboards for programs: over HTTP and on the command line they tell what the pages tell."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import demo_release
import httpx
import pytest
from serving import CATALOGUE, Served, initialise, published, served

AREA = "movilidad-sostenibilidad"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(demo_release.copied(tmp_path_factory)) as server:
        yield server


@pytest.fixture
def site(server: Served) -> httpx.Client:
    return server.client


def command(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    given = [sys.executable, "-m", "bilbaokg", "--data", str(data), *arguments]
    return subprocess.run(given, capture_output=True, text=True)


def figures(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for standing in (told, *told["areas"]):
        yield from (*standing["measures"], *standing.get("principles", ()))


def test_filters_of_every_figure_find_as_many_datasets(site: httpx.Client) -> None:
    told = site.get("/api/dashboards").json()
    asked = {json.dumps(f["filters"][s]): f[s] for f in figures(told) for s in f["filters"]}
    assert len(asked) > 200
    for filters, number in list(asked.items())[::7]:
        params = {"kind": "dataset", **json.loads(filters)}
        assert site.get("/api/search", params=params).json()["total"] == number, filters


def test_an_area_is_told_as_in_the_table_of_all(site: httpx.Client) -> None:
    city = site.get("/api/dashboards?lang=en").json()
    area = site.get(f"/api/dashboards/{AREA}?lang=en").json()
    row = next(row for row in city["areas"] if row["area"] == area["area"])
    assert row == {key: area[key] for key in row}
    assert area["area"]["label"] == "Mobility and Sustainability Area"
    assert [each["release"] for each in area["trend"]] == ["r1", "r2"]
    assert area["trend"][-1]["shares"] == {m["name"]: m["share"] for m in area["measures"]}


def test_csv_has_a_row_for_each_figure(site: httpx.Client) -> None:
    told = site.get(f"/api/dashboards/{AREA}").json()
    answer = site.get(f"/api/dashboards/{AREA}", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert [int(row["good"]) for row in rows] == [f["good"] for f in figures(told)]
    assert site.get(f"/api/dashboards/{AREA}?format=csv").text == answer.text


def test_a_client_that_has_the_answer_is_not_sent_it_again(site: httpx.Client) -> None:
    tag = site.get("/api/dashboards").headers["etag"]
    assert site.get("/api/dashboards", headers={"If-None-Match": tag}).status_code == 304
    other = site.get("/api/dashboards?lang=eu", headers={"If-None-Match": tag})
    assert other.status_code == 200
    assert site.head("/api/dashboards").status_code == 200


@pytest.mark.parametrize("slug", ["nada", "%00", "a" * 3000, "urn:x", "https:%2f%2fx"])
def test_an_area_that_there_is_not_is_a_problem(site: httpx.Client, slug: str) -> None:
    answer = site.get(f"/api/dashboards/{slug}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "accept", "status"),
    [("lang=fr", "*/*", 422), ("format=xml", "*/*", 422), ("", "image/png", 406)],
)
def test_what_is_not_offered_is_refused(
    site: httpx.Client, query: str, accept: str, status: int
) -> None:
    answer = site.get(f"/api/dashboards?{query}", headers={"Accept": accept})
    assert answer.status_code == status


def test_both_are_in_the_description_of_the_api(site: httpx.Client) -> None:
    paths = site.get("/api/openapi.json").json()["paths"]
    assert {"/api/dashboards", "/api/dashboards/{slug}"} <= paths.keys()


@pytest.mark.parametrize("area", [[], [AREA], [f"https://bilbaokg.example/id/unit/{AREA}"]])
def test_the_command_tells_what_the_api_tells(
    server: Served, site: httpx.Client, area: list[str]
) -> None:
    done = command(server.data, "--json", "--lang", "es", "dashboard", *area)
    address = "/".join(["/api/dashboards", *(each.rpartition("/")[2] for each in area)])
    told = site.get(f"{address}?lang=es").json()
    assert json.loads(done.stdout) == {key: told[key] for key in told if key != "trend"}


def test_the_command_prints_tables_and_csv(server: Served, site: httpx.Client) -> None:
    text = command(server.data, "--lang", "en", "dashboard").stdout
    assert text.startswith("All areas: 67 datasets in r2, ")
    table = command(server.data, "--lang", "es", "dashboard", AREA, "--csv").stdout
    assert table.splitlines() == site.get(f"/api/dashboards/{AREA}?format=csv").text.splitlines()


def test_the_command_says_which_areas_there_are(server: Served) -> None:
    done = command(server.data, "dashboard", "nada")
    assert done.returncode == 2
    assert "no area 'nada' in this release" in done.stderr
    assert AREA in done.stderr


def test_before_the_first_release_both_say_so(tmp_path: Path) -> None:
    data = initialise(tmp_path / "data")
    assert command(data, "dashboard").returncode == 2
    with served(data) as server:
        assert server.client.get("/api/dashboards").status_code == 404


def test_a_catalogue_without_areas_is_told_all_the_same(tmp_path: Path) -> None:
    data = published(tmp_path / "data", CATALOGUE)
    done = command(data, "dashboard")
    assert done.returncode == 0
    assert "All areas: 2 datasets in r1" in done.stdout
