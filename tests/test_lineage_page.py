"""The lineage page: exact hops, who answers for what is reached, filters, paths, drawing."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import demo_release
import httpx
import pytest
from serving import CATALOGUE, published, served

from bilbaokg.server.drawing import draw

BASE = "https://bilbaokg.example/id"
AIR = f"{BASE}/table/aire-mart-diario"
MART, RAW = f"{BASE}/table/bus-mart-gtfs", f"{BASE}/table/bus-raw-gtfs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with served(demo_release.copied(tmp_path_factory)) as server:
        server.client.headers["Accept"] = "text/html"
        yield server.client


def ask(site: httpx.Client, iri: str, more: str = "", lang: str = "en") -> str:
    answer = site.get(f"/{lang}/lineage?iri={quote(iri, safe='')}{more}")
    assert answer.status_code == 200
    return answer.text


def rows(page: str, side: str) -> list[list[str]]:
    """The cells of one side's table as texts."""
    section = page.partition(f'id="side-{side}"')[2].partition("</section>")[0]
    cells = [
        re.findall(r"<t[hd] [^>]*data-label[^>]*>(.*?)</t[hd]>", row, re.S)
        for row in section.partition("<tbody>")[2].split("</tr>")
    ]
    plain = [[html.unescape(re.sub(r"<[^>]+>", "", c)).strip() for c in row] for row in cells]
    return [row for row in plain if row]


def table(site: httpx.Client, page: str, direction: str) -> list[dict[str, str]]:
    href = next(
        h
        for h in re.findall(r'href="([^"]*lineage\.csv[^"]*)"', page)
        if f"direction={direction}" in h
    )
    answer = site.get(html.unescape(href))
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.parametrize(("hops", "names"), [(0, 0), (1, 1), (2, 2), ("all", 2)])
def test_depth_is_exactly_so_many_hops(site: httpx.Client, hops: object, names: int) -> None:
    page = ask(site, MART, f"&upstream={hops}")
    assert len(rows(page, "upstream")) == names
    assert [row[2] for row in rows(page, "upstream")] == ["1", "2"][:names]


def test_what_is_affected_is_listed_with_who_answers_for_it(site: httpx.Client) -> None:
    page = ask(site, MART)
    affected = rows(page, "downstream")
    assert {row[0] for row in affected} == {"Shapefile layer", "GTFS archive"}
    assert {row[4] for row in affected} == {"Mobility and Sustainability Area"}
    # What nobody answers for is said, not left empty.
    assert "nobody" in rows(page, "upstream")[1][4:6]


def test_the_table_to_download_holds_what_the_page_shows(site: httpx.Client) -> None:
    page = ask(site, MART)
    for side in ("upstream", "downstream"):
        held = table(site, page, side)
        assert [row["title"] for row in held] == [row[0] for row in rows(page, side)]
        assert [row["hops"] for row in held] == [row[2] for row in rows(page, side)]


def test_filters_leave_out_what_is_of_another_kind(site: httpx.Client) -> None:
    page = ask(site, MART, "&level=table")
    assert [row[1] for row in rows(page, "upstream")] == ["table"]
    assert "Nothing fits the filters; without them there are 2." in page
    assert "Remove the filter: table" in page


def test_path_between_two_things_is_told_from_either_end(site: httpx.Client) -> None:
    first = next(row for row in table(site, ask(site, MART), "upstream") if row["hops"] == "2")
    for one, other in ((MART, first["iri"]), (first["iri"], MART)):
        page = ask(site, one, f"&to={quote(other, safe='')}")
        way = re.search(r'<ol class="way">(.*?)</ol>', page, re.S)
        assert way
        assert way[1].count("<li>") == 3
    page = ask(site, MART, f"&to={quote(f'{BASE}/dataset/nada', safe='')}")
    assert "There is no path between the two." in page


def test_drawing_leads_to_the_lineage_of_each_thing(site: httpx.Client) -> None:
    svg = re.search(r"<svg.*?</svg>", ask(site, MART), re.S)
    assert svg
    links = [html.unescape(h) for h in re.findall(r'<a href="([^"]+)"', svg[0])]
    assert len(links) == 5
    assert all(site.get(link).status_code == 200 for link in links)
    assert "style=" not in svg[0]


def test_edges_carry_the_job_and_its_last_run(site: httpx.Client) -> None:
    page = ask(site, AIR, "&upstream=all")
    reading = next(row for row in rows(page, "upstream") if row[2] == "3")
    assert "Reception of air data 20 November 2026, 03:12 UTC" in " ".join(reading[3].split())
    # The numbers of the drawing are those of the list of jobs.
    svg = re.search(r"<svg.*?</svg>", page, re.S)
    assert svg
    numbers = set(re.findall(r'href="#job-(\d+)"', svg[0]))
    assert numbers == set(re.findall(r'<tr id="job-(\d+)">', page)) == {"1", "2", "3"}
    held = next(row for row in table(site, page, "upstream") if row["hops"] == "3")
    assert (held["job"], held["last_run"], held["state"]) == (
        "Reception of air data", "2026-11-20T03:12:40Z", "done",
    )  # fmt: skip


def handles(page: str) -> list[str]:
    return [html.unescape(h) for h in re.findall(r'<a class="handle" href="([^"]+)"', page)]


def test_a_box_opens_by_one_hop_and_folds_again(site: httpx.Client) -> None:
    page = ask(site, AIR, "&upstream=1&downstream=0")
    assert len(rows(page, "upstream")) == 2
    # One for each of the two sources, one for what is made of it.
    assert len(handles(page)) == 3
    opened = site.get(handles(page)[0]).text
    more = rows(opened, "upstream")[2:]
    assert more
    assert {row[2] for row in more} == {"2"}
    assert [r["title"] for r in table(site, opened, "upstream")] == [
        row[0] for row in rows(opened, "upstream")
    ]
    folded = next(h for h in handles(opened) if "expand_upstream" not in h)
    assert rows(site.get(folded).text, "upstream") == rows(page, "upstream")


def test_nothing_opens_that_is_not_there(site: httpx.Client) -> None:
    other = quote(f"{BASE}/dataset/nada", safe="")
    page = ask(site, AIR, f"&upstream=1&expand_upstream={other}&expand_downstream={other}")
    assert len(rows(page, "upstream")) == 2


def test_what_was_done_to_a_column_is_told_in_the_language_of_the_page(site: httpx.Client) -> None:
    mean = f"{BASE}/column/aire-mart-diario-media"
    for lang, text in (("en", "Mean of the valid values"), ("eu", "Eguneko balio baliozkoen")):
        assert text in rows(ask(site, mean, lang=lang), "upstream")[0][3]


def test_a_column_is_called_with_its_table(site: httpx.Client) -> None:
    found = site.get("/en/lineage?q=bus").text
    assert "Bus: GTFS tables (for publication)" in found
    assert "Nothing that is called so" in site.get("/en/lineage?q=zzzz").text


@pytest.mark.parametrize(
    "more",
    [
        "&upstream=-1&downstream=x",
        "&upstream=99",
        "&level=zzz&area=zzz",
        "&to=%00",
        "&downstream=%D9%A3",
    ],
)
def test_nonsense_parameters_count_as_not_said(site: httpx.Client, more: str) -> None:
    assert "Bus: GTFS tables" in ask(site, MART, more)


@pytest.mark.parametrize("iri", [f"{BASE}/table/nada", "javascript:alert(1)", "%00", "x y<z>"])
def test_what_the_release_does_not_know_is_404(site: httpx.Client, iri: str) -> None:
    assert site.get(f"/es/lineage?iri={quote(iri, safe='')}").status_code == 404
    assert site.get(f"/es/lineage.csv?iri={quote(iri, safe='')}&direction=x").status_code == 200


def test_a_hub_of_thousands_is_listed_and_not_drawn(tmp_path: Path) -> None:
    hub = "https://data.example/id/dataset/noise"
    prov = "<http://www.w3.org/ns/prov#wasDerivedFrom>"
    many = "".join(
        f"<https://data.example/id/dataset/d{n}> a dcat:Dataset ; dct:title 'D{n}'@es ;"
        f" {prov} <{hub}> .\n"
        for n in range(2000)
    )
    circle = f"<{hub}> {prov} <https://data.example/id/dataset/d7> .\n"
    with served(published(tmp_path / "data", CATALOGUE + many + circle)) as server:
        page = ask(server.client, hub, "&downstream=all")
        assert "(2,000)" in page
        assert "<svg" not in page.partition("<main")[2]
        assert "1 to 50 of 2,000" in page
        last = ask(server.client, hub, "&downstream=all&downstream_page=9999")
        assert "1,951 to 2,000 of 2,000" in last
        assert {row[0] for row in rows(page, "downstream")}.isdisjoint(
            row[0] for row in rows(last, "downstream")
        )
        assert len(table(server.client, page, "downstream")) == 2000


def test_what_is_folded_leads_to_the_list_of_its_side(tmp_path: Path) -> None:
    data = "https://data.example/id/dataset"
    prov = "<http://www.w3.org/ns/prov#wasDerivedFrom>"
    many = "".join(f"<{data}/noise> {prov} <{data}/up{n}> .\n" for n in range(20))
    with served(published(tmp_path / "data", CATALOGUE + many)) as server:
        svg = re.search(r"<svg.*?</svg>", ask(server.client, f"{data}/noise"), re.S)
    assert svg
    assert re.findall(r'<a href="(#[^"]+)"', svg[0]) == ["#side-upstream"]


def test_layers_fold_what_is_beyond_their_limit() -> None:
    layers = {"a": 0, **{f"b{n:02}": 1 for n in range(30)}}
    drawing = draw(layers, [("a", b) for b in layers if b != "a"] + [("b00", "a")], {}, most=12)
    assert [box.folded for box in drawing.boxes if not box.iri] == [19]
    assert len(drawing.boxes) == 13
    places = [(box.x, box.y) for box in drawing.boxes]
    assert len(set(places)) == len(places)
    assert [line.back for line in drawing.lines].count(True) == 1
    assert all(0 <= b.x < drawing.width and 0 <= b.y < drawing.height for b in drawing.boxes)
