"""What a portal shows, held against what was released."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ckan_portal import Ckan, package
from harvests import portal
from serving import published
from sites import Site

from bilbaokg.harvesting.comparing import compare

BASE = "https://data.example"
DCAT, DCT = "http://www.w3.org/ns/dcat#", "http://purl.org/dc/terms/"
TURTLE = f"""
@prefix dcat: <{DCAT}> .
@prefix dct: <{DCT}> .
<{BASE}/id/catalog/main> a dcat:Catalog ; dct:title "Datos"@es ;
    dcat:dataset <{BASE}/id/dataset/trees> , <{BASE}/id/dataset/noise> .
<{BASE}/id/dataset/trees> a dcat:Dataset ; dct:identifier "trees" ;
    dct:title "Árboles"@es , "Zuhaitzak"@eu ; dct:modified "2026-01-02T10:00:00"^^<http://www.w3.org/2001/XMLSchema#dateTime> ;
    dcat:distribution <{BASE}/id/distribution/trees> .
<{BASE}/id/distribution/trees> a dcat:Distribution ; dcat:accessURL <{BASE}/trees.csv> ;
    dct:license <https://licence.example/by> .
<{BASE}/id/dataset/noise> a dcat:Dataset ; dct:identifier "noise" ; dct:title "Ruido"@es .
"""  # noqa: E501


def run(data: Path, *words: str, code: int = 0) -> Any:
    command = [sys.executable, "-m", "bilbaokg", "--data", str(data), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout) if "--json" in words else done.stdout


def check(data: Path, url: str, *words: str, code: int = 0) -> Any:
    options = ("--url", url, "--allow-private", "--pause", "0", *words)
    return run(data, "publish", "check", "dcat-ap", *options, code=code)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return published(tmp_path / "data", TURTLE, public_url="http://localhost:8000")


@pytest.fixture
def feed(data: Path, tmp_path: Path) -> str:
    """What was released, as a portal may show it."""
    run(data, "export", "dcat-ap", "--format", "nt", "--output", str(tmp_path / "feed.nt"))
    return (tmp_path / "feed.nt").read_text(encoding="utf-8")


def show(site: Site, text: str) -> str:
    site.pages["/feed.nt"] = (200, {"Content-Type": "application/n-triples"}, text.encode())
    return site.url("/feed.nt")


def test_a_portal_that_shows_what_was_released_agrees(data: Path, feed: str, site: Site) -> None:
    told = check(data, show(site, feed), "--json")
    assert (told["agrees"], told["released"], told["shown"]) == (True, 2, 2)
    assert "It shows what was released." in check(data, show(site, feed))


def test_what_is_missing_extra_and_different_is_told(data: Path, feed: str, site: Site) -> None:
    old = f"<{BASE}/id/dataset/old>"
    lines = [line for line in feed.splitlines() if "/dataset/noise>" not in line.split(" ")[0]]
    text = "\n".join([*lines, ""]).replace("trees.csv", "other.csv").replace("2026-01", "2025-01")
    text = text.replace("<https://licence.example/by>", "<https://licence.example/nc>")
    text += f"{old} <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{DCAT}Dataset> .\n"
    text += text.splitlines()[-1].replace(old, "<https://others.example/d>") + "\n"
    told = check(data, show(site, text), "--json", code=1)
    assert told["missing"] == [{"iri": f"{BASE}/id/dataset/noise", "title": "Ruido"}]
    assert told["extra"] == [{"iri": f"{BASE}/id/dataset/old", "title": None}]
    assert told["others"] == 1
    found = {d["property"]: (d["released"], d["shown"]) for d in told["differing"]}
    assert found == {
        "modified": (["2026-01-02"], ["2025-01-02"]),
        "licence": (["https://licence.example/by"], ["https://licence.example/nc"]),
        "distributions": ([f"{BASE}/trees.csv"], [f"{BASE}/other.csv"]),
    }
    said = check(data, show(site, text), code=1)
    for words in ("Missing at the portal: 1", "Shown, not released: 1", "Shown otherwise: 3"):
        assert words in said


def test_a_ckan_that_gives_iris_of_its_own_is_compared_by_identifiers(
    data: Path, site: Site
) -> None:
    file = {"id": "r", "url": f"{BASE}/trees.csv", "license": "https://licence.example/by"}
    trees = package(1, title="Árboles", resources=[file], extras=[
        {"key": "identifier", "value": "trees"}, {"key": "modified", "value": "2026-01-02"},
    ])  # fmt: skip
    noise = package(2, title="Otro", resources=[], metadata_modified="", extras=[
        {"key": "identifier", "value": "noise"},
    ])  # fmt: skip
    told = check(data, Ckan(site, [trees, noise, package(3)]).url, "--json", code=1)
    assert (told["missing"], told["extra"], told["others"]) == ([], [], 1)
    (found,) = told["differing"]
    assert (found["iri"], found["property"], found["shown"]) == (
        f"{BASE}/id/dataset/noise", "title", ["Otro"],
    )  # fmt: skip


def test_a_portal_that_cannot_be_read_is_no_difference(data: Path, site: Site) -> None:
    site.pages["/feed.nt"] = (200, {}, b"<!DOCTYPE html>")
    check(data, site.url("/feed.nt"), "--kind", "dcat", code=2)


def test_an_identifier_that_two_have_tells_nothing() -> None:
    def dataset(iri: str) -> list[str]:
        return [
            f"<{iri}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{DCAT}Dataset> .",
            f'<{iri}> <{DCT}identifier> "1" .',
        ]

    shown = [*dataset("x:1"), *dataset("x:2")]
    assert compare(dataset(f"{BASE}/a"), shown, BASE).missing == [(f"{BASE}/a", None)]


@pytest.mark.parametrize("target", ["dcat-ap", "dcat-ap-es", "ckan"])
def test_each_feed_of_ours_shows_what_was_released(data: Path, target: str) -> None:
    with portal(data) as url:
        feed = f"{url}catalog.rdf" if target == "dcat-ap" else f"{url}feeds/{target}/catalog.rdf"
        words = ("publish", "check", target, "--url", feed, "--allow-private", "--pause", "0")
        told = run(data, *words, "--json")
    assert (told["agrees"], told["shown"]) == (True, 2)
