"""The page of a validation: what differs from the release before, its pages, the downloads."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving import BASE, CATALOGUE, initialise, load, operate, served

MANY = "".join(
    f'<{BASE}/id/dataset/d{n:03}> a dcat:Dataset ; dct:title "D{n:03}"@es ;'
    f' dct:description "x"@es ; dct:publisher <{BASE}/id/agent/city> .\n'
    for n in range(150)
)
OWNED = f"""
@prefix prov: <http://www.w3.org/ns/prov#> .
<{BASE}/id/agent/ana> a foaf:Person ; foaf:name "Ana Secreta" .
<{BASE}/id/dataset/d000> prov:qualifiedAttribution [ a prov:Attribution ;
    prov:agent <{BASE}/id/agent/ana> ; dcat:hadRole <{BASE}/ns#steward> ] .
"""


def released(data: Path) -> None:
    made = operate(data, "release.build", waive="tested", accept_removals="tested")
    operate(data, "release.publish", id=made["id"], accept_removals="tested")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    data = initialise(tmp_path_factory.mktemp("validation") / "data")
    load(data, CATALOGUE + MANY + OWNED)
    released(data)
    mended = CATALOGUE.replace(
        'dct:description "Sonómetros."@es ;',
        'dct:description "Sonómetros."@es ; dcat:keyword "ruido"@es ;',
    )
    load(data, mended + MANY.replace(' dct:description "x"@es ;', "", 1) + OWNED)
    released(data)
    with served(data) as server:
        server.client.headers["Accept"] = "text/html"
        yield server.client


def words(page: str) -> str:
    main = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def test_page_tells_what_is_new_and_what_is_gone_since_the_release_before(
    site: httpx.Client,
) -> None:
    text = words(site.get("/en/validation").text)
    assert "Since release r1" in text
    assert "1 finding is new" in text
    assert "1 finding is gone" in text
    assert "Since release" not in words(site.get("/en/validation?as_of=r1").text)


def test_results_come_in_pages_of_datasets(site: httpx.Client) -> None:
    first, last = (site.get(f"/en/validation?page={n}").text for n in (1, 99))
    assert first.count('<details class="group"') == 15
    assert 'rel="next" href="/en/validation?page=2#results"' in first
    assert 0 < last.count('<details class="group"') <= 15
    only = site.get("/en/validation?severity=warning").text
    assert "/en/validation?severity=warning&amp;page=2#results" in only


def test_report_is_downloaded_in_the_language_of_the_page(site: httpx.Client) -> None:
    answer = site.get("/es/validation.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="validation-r2.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert any("descripción" in row["message"] for row in rows)
    body = site.get("/en/validation.json").json()
    assert len(body["results"]) == len(rows)
    past = list(csv.DictReader(io.StringIO(site.get("/es/validation.csv?as_of=r1").text)))
    assert past != rows


@pytest.mark.parametrize("extension", ["csv", "json"])
def test_report_names_no_person_and_no_file_of_ours(site: httpx.Client, extension: str) -> None:
    text = site.get(f"/en/validation.{extension}").text
    assert "Secreta" not in text
    assert "agent/ana" not in text
    assert '"file": "' not in text
    assert ".ttl" not in text


def test_release_without_validation_has_no_report_to_download(tmp_path: Path) -> None:
    data = initialise(tmp_path / "data")
    load(data, CATALOGUE)
    made = operate(data, "release.build", unchecked=True)
    operate(data, "release.publish", id=made["id"])
    with served(data) as server:
        server.client.headers["Accept"] = "text/html"
        assert "validation.csv" not in server.client.get("/en/validation").text
        assert server.client.get("/en/validation.csv").status_code == 404
