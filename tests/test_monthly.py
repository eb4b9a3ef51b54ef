"""The monthly report: how an area stood at the end of a month, and what the month changed."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest
from serving import CATALOGUE, Served, load, operate, published, served

from bilbaokg.published import LOG
from bilbaokg.server.monthly import month_of

PARKS = "/en/dashboards/parks/report"
FIRST = (
    CATALOGUE
    + """
@prefix org: <http://www.w3.org/ns/org#> .
@prefix unit: <https://data.example/id/unit/> .
unit:parks a org:OrganizationalUnit ; <http://www.w3.org/2004/02/skos/core#prefLabel> "Parks"@en .
unit:gardens a org:OrganizationalUnit ; org:unitOf unit:parks .
unit:health a org:OrganizationalUnit .
<https://data.example/id/dataset/trees> dct:creator unit:gardens .
<https://data.example/id/dataset/noise> dct:creator unit:health .
<https://data.example/id/dataset/benches> a dcat:Dataset ; dct:title "Bancos"@es ;
    dct:creator unit:parks .
"""
)
SECOND = (
    FIRST.partition("<https://data.example/id/dataset/benches>")[0]
    + """
<https://data.example/id/dataset/trees> dct:license <https://data.example/ccby> .
<https://data.example/id/dataset/ponds> a dcat:Dataset ; dct:title "Estanques"@es ;
    dct:creator unit:parks .
"""
)


def dated(data: Path, times: dict[str, str]) -> None:
    """Let the releases have become public at other times."""
    log = data / "releases" / LOG
    rows = json.loads(log.read_text())
    log.write_text(json.dumps([row | {"at": times[row["id"]]} for row in rows]))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = published(tmp_path_factory.mktemp("monthly") / "data", FIRST)
    load(data, SECOND)
    operate(data, "delete", iri="https://data.example/id/dataset/benches", why="test")
    release = operate(data, "release.build", unchecked=True, accept_removals="test")
    operate(data, "release.publish", id=release["id"], accept_removals="test")
    dated(data, {"r1": "2026-01-10T00:00:00.000Z", "r2": "2026-03-05T00:00:00.000Z"})
    with served(data) as server:
        yield server


@pytest.fixture
def site(server: Served) -> httpx.Client:
    return server.client


def page(site: httpx.Client, month: str) -> str:
    answer = site.get(f"{PARKS}?month={month}", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    return answer.text


def section(text: str, name: str) -> str:
    return text.partition(f'id="{name}"')[2].partition("</section>")[0]


def test_what_came_changed_and_went_in_the_month_is_named(site: httpx.Client) -> None:
    told = section(page(site, "2026-03"), "changes")
    groups = dict(re.findall(r"<h3>([A-Z][a-z]+ datasets)[^(]*\((\d+)\)", told))
    assert groups == {"New datasets": "1", "Changed datasets": "1"}
    assert [*re.findall(r">(Estanques|Árboles|Bancos|Ruido)<", told)] == [
        "Estanques", "Árboles", "Bancos",
    ]  # fmt: skip
    assert re.findall(r'href="/en/releases/(r\d)"', told) == ["r2"]


def test_shares_are_compared_with_the_release_before_the_month(site: httpx.Client) -> None:
    rows = dict(
        re.findall(
            r'<th scope="row"[^>]*><div>([^<]+)</div></th>.*?<td class="n"[^>]*><div>([+−]?\d+|–)',
            section(page(site, "2026-03"), "stand").replace("&nbsp;", ""),
            re.S,
        )
    )
    assert rows["With a licence"]
    assert "+50" in section(page(site, "2026-03"), "stand")


def test_a_month_without_a_release_says_so_and_stands_as_before(site: httpx.Client) -> None:
    text = page(site, "2026-02")
    assert "Nothing was released in the month" in text
    assert ">Bancos<" not in section(text, "changes")
    # Its links lead to the lists of that time.
    assert "as_of=r1" in section(text, "stand")


def test_the_first_month_has_nothing_to_be_compared_with(site: httpx.Client) -> None:
    assert "nothing to compare with" in page(site, "2026-01")


def test_every_figure_of_a_month_has_its_list_in_that_time(site: httpx.Client) -> None:
    for month in ("2026-01", "2026-03"):
        text = page(site, month).partition("<main")[2]
        told = re.findall(r'<a href="([^"]*/datasets\?[^"]*)">(\d+)</a>', text)
        assert len(told) > 8
        for href, number in told:
            address = href.replace("&amp;", "&").replace("/datasets?", "/datasets.csv?")
            assert len(site.get(address).text.splitlines()) - 1 == int(number), href


def test_units_below_are_told_one_by_one_and_nobody_is_named(site: httpx.Client) -> None:
    text = page(site, "2026-03")
    assert "/en/dashboards/gardens" in section(text, "units")
    assert "Nobody yet" in section(text, "open")
    assert "Place 1 of 2" in section(text, "short") or "Place 2 of 2" in section(text, "short")


def test_without_a_month_the_last_is_told(site: httpx.Client) -> None:
    answer = site.get(PARKS, headers={"Accept": "text/html"})
    assert answer.status_code == 303
    today = datetime.now(UTC).date()
    last = date(today.year - (today.month == 1), (today.month - 2) % 12 + 1, 1)
    assert answer.headers["location"].endswith(f"report?month={last.isoformat()[:7]}")
    assert site.get(answer.headers["location"]).status_code == 200


@pytest.mark.parametrize(
    ("month", "status", "text"),
    [
        ("", 400, "is no month"), ("2026-13", 400, "is no month"), ("0000-01", 400, "is no month"),
        ("<script>", 400, "&lt;script&gt;"), ("9999-12", 400, "not come yet"),
        ("2025-12", 404, "no release was public"), ("1" * 3000, 400, "is no month"),
    ],
)  # fmt: skip
def test_a_month_that_there_is_not_has_a_page_that_says_why(
    site: httpx.Client, month: str, status: int, text: str
) -> None:
    answer = site.get(PARKS, params={"month": month}, headers={"Accept": "text/html"})
    assert (answer.status_code, text in answer.text) == (status, True)
    assert "Report of" in answer.text


def test_an_area_that_there_is_not_is_404(site: httpx.Client) -> None:
    assert site.get("/es/dashboards/nada/report?month=2026-03").status_code == 404


@pytest.mark.parametrize("text", ["2026-1", "2026-00", "२०२६-01", "2026-01\n", "26-01"])
def test_what_is_no_month_is_none(text: str) -> None:
    assert month_of(text) is None


# ---- as of a time of the past


def test_dashboards_tell_the_time_that_was_asked_for(site: httpx.Client) -> None:
    for path in ("dashboards", "dashboards/parks"):
        past, now = (site.get(f"/en/{path}{asked}").text for asked in ("?as_of=2026-02-01", ""))
        assert "Release r1" in past
        assert "Release r2" in now
        assert re.findall(r'href="/en/releases/(r\d)"', section(past, "trend")) == []
        assert re.findall(r'href="/en/releases/(r\d)"', section(now, "trend")) == ["r1", "r2"]
        assert f'href="/en/{path}?as_of=r1"' in now
        main = past.partition("</section>")[2].partition("</main>")[0]
        assert "/datasets?" in main
        assert all(
            "as_of=2026-02-01" in link for link in re.findall(r'"(/en/datasets[^"]*)"', main)
        )
    assert f'href="{PARKS}?as_of=2026-02-01"' in past
    assert site.get("/en/dashboards?as_of=2025-01-01").status_code == 404


def test_report_as_of_a_day_tells_what_was_known_then(site: httpx.Client) -> None:
    early = site.get(f"{PARKS}?month=2026-03&as_of=2026-03-04").text
    assert "the month has not ended" in early
    assert "Nothing was released in the month" in early
    assert f'href="{PARKS}?month=2026-02&amp;as_of=2026-03-04"' in early
    assert "Nothing was released" not in site.get(f"{PARKS}?month=2026-03&as_of=2026-03-05").text
    assert site.get(f"{PARKS}?month=2026-04&as_of=2026-03-05").status_code == 400
    last = site.get(f"{PARKS}?as_of=2026-03-04")
    assert last.headers["location"] == f"{PARKS}?month=2026-02&as_of=2026-03-04"


def test_programs_are_told_the_same_of_a_time(site: httpx.Client) -> None:
    told = site.get("/api/dashboards/parks?as_of=r1").json()
    assert (told["release"], [each["release"] for each in told["trend"]]) == ("r1", ["r1"])
    assert site.get("/api/dashboards?as_of=2026-02-01").json()["release"] == "r1"
    assert site.get("/api/dashboards?as_of=2025-01-01").status_code == 404
    assert site.get("/api/dashboards?as_of=never").status_code == 400


def test_report_is_given_to_programs(site: httpx.Client) -> None:
    told = site.get("/api/dashboards/parks/report?month=2026-03&lang=en").json()
    assert (told["month"], told["release"], told["before"]) == ("2026-03", "r2", "r1")
    changes = {row["kind"]: [each["label"] for each in row["datasets"]] for row in told["changes"]}
    assert changes == {"new": ["Estanques"], "changed": ["Árboles"], "gone": ["Bancos"]}
    licence = next(row for row in told["measures"] if row["name"] == "licence")
    assert (licence["share_before"], licence["points"]) == (0, 50)
    text = site.get("/api/dashboards/parks/report?month=2026-03&format=csv").text
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["measure"] for row in rows] == [row["name"] for row in told["measures"]]
    assert next(row["points"] for row in rows if row["measure"] == "licence") == "50"
    early = site.get("/api/dashboards/parks/report?month=2026-03&as_of=2026-03-04").json()
    assert (early["partial"], early["release"], early["releases"]) == (True, "r1", [])
    link = "/api/dashboards/parks/report?month=2026-03&amp;lang=en&amp;format=csv"
    assert f'href="{link}"' in page(site, "2026-03")


@pytest.mark.parametrize(
    ("asked", "status"),
    [("month=enero", 400), ("month=9999-01", 400), ("month=2001-01", 404), ("as_of=nie", 400)],
)
def test_report_for_programs_that_there_is_not_is_a_problem(
    site: httpx.Client, asked: str, status: int
) -> None:
    answer = site.get(f"/api/dashboards/parks/report?{asked}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert site.get("/api/dashboards/nada/report").status_code == 404
