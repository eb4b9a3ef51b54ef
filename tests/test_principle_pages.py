"""Pages of principles, areas and roles, over a real server on the demo catalogue."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import demo_release
import httpx
import pytest
from serving import BASE, CATALOGUE, published, served

EDUCATION = quote("https://bilbaokg.example/id/unit/educacion", safe="")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with served(demo_release.copied(tmp_path_factory)) as server:
        server.client.headers["Accept"] = "text/html"
        yield server.client


def words(page: str) -> str:
    main = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def test_scoreboard_counts_who_meets_each_principle_and_links_to_who_does_not(
    site: httpx.Client,
) -> None:
    page = site.get("/en/principle").text
    text = words(page)
    assert text.index("P1 Every dataset") < text.index("P2") < text.index("P8")
    assert "3/6 50 %" in text
    assert f"/en/principle/responsable?outcome=failed&amp;area={EDUCATION}#datasets" in page
    found = words(site.get("/en/principle?page=1").text)
    assert "13 records" in found


def test_principle_tells_its_test_who_fails_it_and_how_that_went(site: httpx.Client) -> None:
    text = words(site.get("/en/principle/responsable").text)
    assert "3 of the 6 datasets that were tested meet it (50 %)" in text
    assert "61 more were not tested" in text
    assert "Nobody owns these data today." in text
    assert "Schools and pupils by neighbourhood" in text
    assert re.search(r"Trend .* r1 .* 3/6 50 % r2 .* 3/6 50 %", text)


def test_principle_lists_those_that_meet_it_and_those_of_one_area(site: httpx.Client) -> None:
    met = words(site.get("/en/principle/responsable?outcome=passed").text)
    assert "Schools and pupils" not in met
    one = words(site.get(f"/en/principle/responsable?outcome=failed&area={EDUCATION}").text)
    assert "Schools and pupils" in one
    assert "Waste collection" not in one


@pytest.mark.parametrize("asked", ["outcome=x", "page=99", "area=x", "page=-1&outcome=passed"])
def test_nonsense_asked_of_a_principle_is_no_fault(site: httpx.Client, asked: str) -> None:
    assert site.get(f"/es/principle/responsable?{asked}").status_code == 200


def test_standard_of_others_has_no_score(site: httpx.Client) -> None:
    listed = site.get("/en/principle?page=1").text
    links = set(re.findall(r'href="(/en/principle/[^"?#]+)"', listed))
    scored = set(re.findall(r'href="(/en/principle/[^"?#]+)"', site.get("/en/principle").text))
    others = links - scored
    assert others
    for link in others:
        answer = site.get(link)
        assert answer.status_code == 200
        assert "How it is tested" not in answer.text


def test_area_page_tells_what_it_holds_what_lacks_and_what_to_do(site: httpx.Client) -> None:
    page = site.get("/en/unit/movilidad-sostenibilidad").text
    text = words(page)
    assert "9 datasets it answers for" in text
    assert "7 datasets it looks after" in text
    assert "Without a steward 2" in text
    assert "What validation found in its data" in text
    assert "Part of Bilbao City Council" in text
    assert 'href="/en/dashboards/movilidad-sostenibilidad"' in page


def test_council_page_names_its_areas_with_their_datasets(site: httpx.Client) -> None:
    text = words(site.get("/en/agent/ayuntamiento-bilbao").text)
    assert "Mobility and Sustainability Area 9 datasets" in text


def test_area_without_data_says_so(site: httpx.Client) -> None:
    listed = site.get("/en/unit").text
    pages = [site.get(link).text for link in set(re.findall(r'href="(/en/unit/[^"]+)"', listed))]
    assert all(
        "datasets it answers for" in words(p) or "It owns no data" in words(p) for p in pages
    )


def test_roles_count_holders_and_vacancies_and_link_to_their_datasets(site: httpx.Client) -> None:
    page = site.get("/en/roles").text
    text = words(page)
    assert "57 datasets have one. 10 have none." in text
    vacant = html.unescape(re.findall(r'href="([^"]*gap=owner)"', page)[0])
    assert "10 datasets" in words(site.get(vacant).text)


def test_technical_custodians_are_told_beside_owners_and_stewards(site: httpx.Client) -> None:
    page = site.get("/en/roles").text
    told = page.partition('id="custodian"')[2].partition('id="units"')[0]
    held = re.findall(r'href="([^"]*custodian=[^"]*)">([^<]+)</a>', told)
    counts = re.findall(r'<td class="n">(\d+)</td>', told)
    assert held
    for (href, name), count in zip(held, counts, strict=True):
        listed = site.get(html.unescape(href).replace("/datasets?", "/datasets.csv?")).text
        assert len(list(csv.reader(listed.splitlines()))) - 1 == int(count), name
    assert "gap=custodian" not in page
    # Each unit in one line, with a link for each role that it holds.
    units = page.partition('id="units"')[2].partition("</table>")[0]
    assert units.count("custodian=") == len(held)
    rows = [row for row in units.split("<tr>") if "custodian=" in row]
    unit = re.findall(r'<div><a href="([^"]+)"', rows[0])[0]
    assert "datasets whose systems it runs" in words(site.get(unit).text)


def test_no_page_about_roles_names_a_person(site: httpx.Client) -> None:
    for path in ("roles", "unit", "unit/movilidad-sostenibilidad", "agent/ayuntamiento-bilbao"):
        assert "Etxebarria" not in site.get(f"/es/{path}").text
        assert "Zubizarreta" not in site.get(f"/es/{path}").text


def test_catalogue_without_principles_or_roles_says_so(tmp_path: Path) -> None:
    with served(published(tmp_path / "data")) as server:
        server.client.headers["Accept"] = "text/html"
        assert "This release has none of these" in words(server.client.get("/en/principle").text)
        assert "Nobody holds this role." in words(server.client.get("/en/roles").text)


UNCLEAR = (
    CATALOGUE
    + f"""
@prefix earl: <http://www.w3.org/ns/earl#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
<{BASE}/id/principle/open> a dct:Standard, skos:Concept ; skos:prefLabel "<b>Open</b>"@en .
<{BASE}/id/dataset/trees> dct:relation [ a earl:Assertion ; earl:test <{BASE}/id/principle/open> ;
    earl:subject <{BASE}/id/dataset/trees> ; earl:result [ earl:outcome earl:cantTell ] ] .
"""
)


def test_verdict_that_is_not_clear_counts_for_neither_side(tmp_path: Path) -> None:
    with served(published(tmp_path / "data", UNCLEAR)) as server:
        server.client.headers["Accept"] = "text/html"
        page = server.client.get("/en/principle/open").text
        assert "No dataset was tested against it yet." in words(page)
        assert "Not clear 1" in words(page)
        assert "Unknown" in words(page)
        assert "By a person" in words(page)
        assert "<b>Open" not in page
