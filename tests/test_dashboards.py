"""Dashboards: figures are what the release says, by area, and each leads to what it counts."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterator
from pathlib import Path

import demo_release
import httpx
import pytest
from serving import CATALOGUE, Served, published, served

AREA = "https://bilbaokg.example/id/unit/movilidad-sostenibilidad"
ACTIVE = """PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX adms: <http://www.w3.org/ns/adms#> PREFIX dct: <http://purl.org/dc/terms/>
SELECT (COUNT(DISTINCT ?d) AS ?n) {{ ?d a dcat:Dataset {} ; prov:qualifiedAttribution ?a .
  ?a dcat:hadRole <https://bilbaokg.example/ns#{}> ; adms:status ?s
  FILTER(STRENDS(STR(?s), "#active")) }}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(demo_release.copied(tmp_path_factory)) as server:
        yield server


@pytest.fixture
def site(server: Served) -> httpx.Client:
    return server.client


def page(site: httpx.Client, path: str) -> str:
    answer = site.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    return answer.text


def figures(text: str) -> dict[str, tuple[int, int]]:
    """How many of how many, by the name of the measure."""
    found = re.findall(
        r"<li>\s*<h3>([^<]+)</h3>.*?[> ](\d+) of (\d+)<", text.partition('id="figures"')[2], re.S
    )
    return {name: (int(good), int(total)) for name, good, total in found}


def counted(site: httpx.Client, query: str) -> int:
    answer = site.get("/sparql", params={"query": query}, headers={"Accept": "text/csv"})
    return int(answer.text.splitlines()[1])


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/en/dashboards", ""),
        ("/en/dashboards/movilidad-sostenibilidad", f"; dct:creator <{AREA}>"),
    ],
)
def test_ownership_and_stewardship_are_what_a_query_counts(
    site: httpx.Client, path: str, pattern: str
) -> None:
    told = figures(page(site, path))
    assert told["With an owner"][0] == counted(site, ACTIVE.format(pattern, "owner"))
    assert told["With a steward"][0] == counted(site, ACTIVE.format(pattern, "steward"))


def counts(text: str) -> list[tuple[str, int]]:
    """Every link to a list of datasets, with the number that the page tells for it."""
    main = text.partition("<main")[2]
    told = re.findall(r'<a href="([^"]*/datasets\?[^"]*)">([^<]*)</a>', main)
    found = []
    for href, words in told:
        if "%" not in words:
            number = re.search(r"\d+", words)
            assert number, words
            found.append((html.unescape(href), int(number[0])))
    return found


def test_every_figure_is_as_long_as_the_list_that_it_leads_to(site: httpx.Client) -> None:
    city = page(site, "/en/dashboards")
    areas = re.findall(r'href="(/en/dashboards/[^"]+)"', city)
    assert len(areas) >= 10
    told = dict(n for text in (city, *(page(site, a) for a in areas)) for n in counts(text))
    assert len(told) > 200
    for href, number in told.items():
        listed = site.get(href.replace("/datasets?", "/datasets.csv?")).text
        assert len(list(csv.reader(listed.splitlines()))) - 1 == number, href


def test_lineage_is_known_where_the_question_about_its_coverage_says_so(site: httpx.Client) -> None:
    told = site.get("/api/releases/r2/lineage/coverage").json()
    assert figures(page(site, "/en/dashboards"))["With lineage"] == (
        told["known"], told["known"] + told["missing"],
    )  # fmt: skip


def test_areas_are_compared_and_add_up(site: httpx.Client) -> None:
    text = page(site, "/en/dashboards").partition('id="areas"')[2].partition("</table>")[0]
    rows = re.findall(r'<a href="/en/datasets\?within=[^"&]+">(\d+)</a>', text)
    created = "PREFIX dct: <http://purl.org/dc/terms/> PREFIX dcat: <http://www.w3.org/ns/dcat#>"
    query = f"{created} SELECT (COUNT(*) AS ?n) {{ ?d a dcat:Dataset ; dct:creator ?area }}"
    assert sum(map(int, rows)) == counted(site, query)
    links = re.findall(r'href="([^"]*/dashboards/[^"]+)"', text)
    assert links
    assert all(page(site, link.partition("#")[0]) for link in links[:20])


def test_trend_tells_each_public_release(site: httpx.Client) -> None:
    text = page(site, "/en/dashboards").partition('id="trend"')[2].partition("</table>")[0]
    assert re.findall(r'href="/en/releases/(r\d+)"', text) == ["r1", "r2"]


def test_trend_tells_every_measure_of_each_release(site: httpx.Client) -> None:
    text = page(site, "/en/dashboards").partition('id="trend"')[2].partition("</table>")[0]
    heads = re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', text)
    assert set(figures(page(site, "/en/dashboards"))) < set(heads)
    assert "–" not in text


@pytest.mark.parametrize("lang", ["es", "eu", "en"])
def test_languages_have_the_same_figures(site: httpx.Client, lang: str) -> None:
    text = page(site, f"/{lang}/dashboards")
    assert len(re.findall(r'class="share-text"', text)) == 10


@pytest.mark.parametrize("slug", ["nada", "%00", "..%2f", "a" * 3000])
def test_an_area_that_there_is_not_is_404(site: httpx.Client, slug: str) -> None:
    assert site.get(f"/es/dashboards/{slug}", headers={"Accept": "text/html"}).status_code == 404


def test_a_catalogue_without_areas_has_figures_all_the_same(tmp_path: Path) -> None:
    with served(published(tmp_path / "data", CATALOGUE)) as server:
        text = page(server.client, "/en/dashboards")
        assert figures(text)["With an owner"] == (0, figures(text)["With a steward"][1])
        # What cannot be told has no figure: nothing was validated, and there is no lineage.
        assert "Without validation errors" not in text
        assert "With lineage" not in text


TESTED = (
    CATALOGUE
    + """
@prefix earl: <http://www.w3.org/ns/earl#> .
<https://data.example/id/unit/empty> a <http://www.w3.org/ns/org#OrganizationalUnit> .
<https://data.example/id/assertion/a> a earl:Assertion ; earl:test <https://data.example/id/p> ;
    earl:subject <https://data.example/id/dataset/noise> ; dct:date "2026-01-01" ;
    earl:result [ earl:outcome earl:failed ] .
<https://data.example/id/assertion/b> a earl:Assertion ; earl:test <https://data.example/id/p> ;
    earl:subject <https://data.example/id/dataset/noise> ; dct:date "2026-02-01" ;
    earl:result [ earl:outcome earl:passed ] .
"""
)


def test_of_several_tests_of_a_principle_the_last_counts(tmp_path: Path) -> None:
    with served(published(tmp_path / "data", TESTED)) as server:
        assert figures(page(server.client, "/en/dashboards"))["Principles met"] == (1, 1)
        assert "no datasets of this area" in page(server.client, "/en/dashboards/empty")


UNITS = (
    CATALOGUE
    + """
@prefix org: <http://www.w3.org/ns/org#> .
@prefix unit: <https://data.example/id/unit/> .
unit:parks a org:OrganizationalUnit ; org:hasUnit unit:gardens .
unit:gardens a org:OrganizationalUnit ; org:hasUnit unit:trees .
unit:trees a org:OrganizationalUnit .
unit:a a org:OrganizationalUnit ; org:unitOf unit:b .
unit:b a org:OrganizationalUnit ; org:unitOf unit:a .
<https://data.example/id/dataset/trees> dct:creator unit:trees .
<https://data.example/id/dataset/noise> dct:creator unit:b .
<https://data.example/id/dataset/parks> a dcat:Dataset ; dct:creator unit:parks .
"""
)


def compared(text: str) -> list[str]:
    """The slugs of the areas or units that a dashboard compares, in their order."""
    table = text.partition('id="areas"')[2].partition("</table>")[0]
    return re.findall(r'href="/en/dashboards/(\w+)"', table)


def test_an_area_counts_the_units_below_it_and_tells_them_one_by_one(tmp_path: Path) -> None:
    with served(published(tmp_path / "data", UNITS)) as server:
        parks = page(server.client, "/en/dashboards/parks")
        assert figures(parks)["With an owner"] == (0, 2)
        assert compared(parks) == ["gardens"]
        assert compared(page(server.client, "/en/dashboards/gardens")) == ["trees"]


def test_units_in_a_circle_are_told_all_the_same(tmp_path: Path) -> None:
    with served(published(tmp_path / "data", UNITS)) as server:
        city = page(server.client, "/en/dashboards")
        assert sorted(compared(city)) == ["a", "b", "parks"]
        assert figures(page(server.client, "/en/dashboards/a"))["With an owner"] == (0, 1)


def test_a_catalogue_without_datasets_says_so(tmp_path: Path) -> None:
    only = "<https://data.example/id/unit/u> a <http://www.w3.org/ns/org#OrganizationalUnit> ."
    with served(published(tmp_path / "data", only)) as server:
        assert "has no datasets" in page(server.client, "/en/dashboards")
