"""Dashboards: figures are what the release says, by area, and each leads to what it counts."""

from __future__ import annotations

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


def test_every_figure_leads_to_as_many_datasets_as_lack_it(site: httpx.Client) -> None:
    text = page(site, "/en/dashboards")
    told = re.findall(
        r'<a href="([^"]+)">See those that lack it \((\d+)\)', text.partition('id="figures"')[2]
    )
    assert len(told) >= 6
    for href, number in told:
        target = html.unescape(href)
        if "#lacking-" in target:
            name = target.partition("#")[2]
            section = text.partition(f'id="{name}"')[2].partition("</section>")[0]
            assert "<a href=" in section
        else:
            assert f">{number} " in page(site, target).partition('id="results"')[2]


def test_areas_are_compared_and_add_up(site: httpx.Client) -> None:
    text = page(site, "/en/dashboards").partition('id="areas"')[2].partition("</table>")[0]
    rows = re.findall(r'<th scope="row">.*?</th>\s*<td class="n">(\d+)</td>', text, re.S)
    created = "PREFIX dct: <http://purl.org/dc/terms/> PREFIX dcat: <http://www.w3.org/ns/dcat#>"
    query = f"{created} SELECT (COUNT(*) AS ?n) {{ ?d a dcat:Dataset ; dct:creator ?area }}"
    assert sum(map(int, rows)) == counted(site, query)
    links = re.findall(r'href="([^"]*/dashboards/[^"]+)"', text)
    assert links
    assert all(page(site, link.partition("#")[0]) for link in links[:20])


def test_trend_tells_each_public_release(site: httpx.Client) -> None:
    text = page(site, "/en/dashboards").partition('id="trend"')[2].partition("</table>")[0]
    assert re.findall(r'href="/en/releases/(r\d+)"', text) == ["r1", "r2"]


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


def test_a_catalogue_without_datasets_says_so(tmp_path: Path) -> None:
    only = "<https://data.example/id/unit/u> a <http://www.w3.org/ns/org#OrganizationalUnit> ."
    with served(published(tmp_path / "data", only)) as server:
        assert "has no datasets" in page(server.client, "/en/dashboards")
