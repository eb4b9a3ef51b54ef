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
from serving import CATALOGUE, load, operate, published, served

from bilbaokg.importers import openlineage
from bilbaokg.server.drawing import draw
from bilbaokg.server.question_form import QUESTIONS

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


def test_a_table_lists_its_columns_with_type_and_origin(site: httpx.Client) -> None:
    page = site.get("/en/table/aire-mart-diario").text
    section = page.partition('id="columns"')[2].partition("</section>")[0]
    found = [
        [html.unescape(re.sub(r"<[^>]+>", " ", cell)).split() for cell in cells]
        for row in section.partition("<tbody>")[2].split("</tr>")
        if (cells := re.findall(r"<t[hd] .*?</t[hd]>", row, re.S))
    ]
    # Four of them have records of their own.
    names = ["barrio", "contaminante", "estacion", "fecha", "maximo", "media", "validado"]
    assert [row[0][-1] for row in found] == names
    assert all(len(row) == 3 for row in found)
    assert any("·" in row[2] for row in found)  # a column of another table
    # What the columns say of the table is not told a second time.
    before_raw = page.partition('<details class="all"')[0]
    assert before_raw.count("/en/column/") == section.count("/en/column/")


def test_what_has_no_name_is_shown_by_what_is_said_of_it(site: httpx.Client) -> None:
    def said(path: str) -> str:
        page = site.get(path).text.partition('<details class="all"')[0]
        return html.unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]))

    column = said("/en/column/aire-clean-estaciones-barrio")
    assert column.count("Neighbourhood of the nearest doorway") == 3
    assert "Atari hurbilenaren auzoa" not in column
    run, job = said("/en/run/aire-ingesta-2026-11-19"), said("/en/job/aire-ingesta")
    assert "Reception of air data" in run
    assert "Run: 2026-11-19" in job
    assert not any("(nameless)" in text for text in (column, run, job))


def test_lineage_is_handed_out_as_prov_and_as_openlineage(site: httpx.Client) -> None:
    start = site.get("/en/lineage").text
    found = dict(re.findall(r'<a href="(/api/releases/[^"]*)">([^<]*)</a>', start))
    assert list(found.values()) == ["PROV-O (Turtle)", "PROV-O (JSON-LD)", "OpenLineage"]
    for href, text in found.items():
        answer = site.get(html.unescape(href))
        assert answer.status_code == 200, text
    told = [openlineage.read(line) for line in answer.content.splitlines()]
    runs = [event for event in told if event.run]
    assert any(event.inputs and event.outputs for event in runs)
    assert any("columnLineage" in table.facets for event in told for table in event.tables)
    own = ask(site, AIR)
    assert f"lineage/prov?iri={quote(AIR, safe='')}&amp;format=ttl" in own


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("city.mart.trips", ["city.mart.trips"]),
        ("your-project.jaffle_shop.trips_a_day", ["…jaffle_shop", "trips_a_day"]),
        ("p.jaffle_shop.alerts_anomaly_detection", ["alerts_anomaly_", "detection"]),
        ("s3://warehouse/of/the/city/trips", ["…of/the/city", "trips"]),
        ("trip_id · p.jaffle_shop.trips_a_day", ["trip_id", "trips_a_day"]),
        ("Air: readings received (raw)", ["Air: readings received", "(raw)"]),
        ("x" * 60, ["x" * 22, "x" * 21 + "…"]),
    ],
)
def test_a_box_shows_what_tells_a_name_apart(name: str, lines: list[str]) -> None:
    [box] = draw({"a": 0}, [], {"a": name}).boxes
    assert box.lines == lines


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


# ---- questions


def question(site: httpx.Client, name: str, lang: str = "en", **asked: str) -> str:
    answer = site.get(f"/{lang}/lineage/{name}", params=asked)
    assert answer.status_code == 200
    return html.unescape(answer.text)


def verdict(page: str) -> str:
    found = re.search(r'<p class="count">(.*?)</p>', page)
    return found[1] if found else ""


def test_questions_are_offered_where_lineage_begins_and_answer_for_themselves(
    site: httpx.Client,
) -> None:
    start = site.get("/en/lineage").text
    offered = re.findall(r'href="/en/lineage/([a-z-]+)"', start)
    assert sorted(offered) == sorted(QUESTIONS)
    for name in offered:
        assert "<h1>" in question(site, name)


def test_owners_are_named_with_a_message_in_each_language_and_their_mailbox(
    site: httpx.Client,
) -> None:
    page = question(site, "agree", iri=MART)
    assert verdict(page).startswith("One owner must agree to a change of Bus: GTFS tables")
    letters = re.findall(r'<textarea [^>]*lang="(..)" readonly>(.*?)</textarea>', page, re.S)
    assert [lang for lang, _ in letters] == ["en", "es", "eu"]
    assert "de los que usted es responsable" in dict(letters)["es"]
    mails = re.findall(r'href="(mailto:[^"]+)"', page)
    assert len(mails) == 3
    assert mails[0].startswith("mailto:datos-movilidad@bilbao.example?subject=Planned%20change")
    assert "%0D%0A-%20Bilbobus" in mails[0]


def test_a_thing_may_be_asked_after_by_its_name(site: httpx.Client) -> None:
    page = question(site, "agree", iri="bus")
    assert "Several things are called so: choose one" in page
    chosen = re.findall(r'<li><a href="(/en/lineage/agree[?]iri=http[^"]+)"', page)
    assert len(chosen) > 1
    assert "must agree to a change of" in verdict(site.get(chosen[0]).text)
    assert "Nothing is called so" in question(site, "agree", iri="zzzz")


def test_an_answer_is_the_same_as_data(site: httpx.Client) -> None:
    page = question(site, "upstream", iri=MART, hops="2", exactly="true")
    assert verdict(page).endswith("comes from one thing.")
    ways = dict(re.findall(r'<a href="([^"]+)" rel="alternate nofollow">([^<]+)</a>', page))
    told = {text: site.get(href) for href, text in ways.items()}
    assert {answer.status_code for answer in told.values()} == {200}
    (found,) = told["JSON"].json()["found"]
    assert (found["hops"], found["label"] in page) == (2, True)
    assert told["PROV-O (Turtle)"].headers["content-type"].startswith("text/turtle")


@pytest.mark.parametrize(
    ("name", "asked", "status", "told"),
    [
        ("agree", {"iri": "urn:x"}, 404, "This release does not know that IRI"),
        ("path", {"iri": MART, "to": "urn:x"}, 404, "This release does not know that IRI"),
        ("spoiled", {"iri": MART}, 400, "That is neither a run nor a job"),
        ("duties", {"iri": MART}, 400, "That is no dataset"),
        ("upstream", {"iri": MART, "hops": "٣"}, 400, "Give the hops as a whole number"),
        ("upstream", {"iri": MART, "exactly": "true"}, 400, "Say how many hops"),
        ("changed", {"since": "2001-01-01"}, 404, "Nothing was published then"),
        ("changed", {"since": "yesterday"}, 400, "That is neither a release nor a day"),
        ("nada", {}, 404, ""),
    ],
)
def test_what_a_question_cannot_take_is_told_at_its_field(
    site: httpx.Client, name: str, asked: dict[str, str], status: int, told: str
) -> None:
    answer = site.get(f"/en/lineage/{name}", params=asked)
    assert (answer.status_code, told in answer.text) == (status, True)
    assert "<textarea" not in answer.text.partition("<main")[2]


def test_pages_of_things_lead_to_what_is_asked_of_them(site: httpx.Client) -> None:
    for page, name in (
        ("dataset/bilbobus-gtfs", "agree"), ("table/bus-mart-gtfs", "agree"),
        ("run/aire-ingesta-2026-11-19", "spoiled"), ("job/aire-ingesta", "spoiled"),
        ("unit/movilidad-sostenibilidad", "coverage"), ("releases", "changed"),
    ):  # fmt: skip
        found = re.search(rf'href="(/eu/lineage/{name}[^"]*)"', site.get(f"/eu/{page}").text)
        assert found, page
        answer = site.get(html.unescape(found[1]).partition("#")[0])
        assert answer.status_code == 200
        mark = found[1].partition("#")[2]
        assert not mark or f'id="{mark}"' in answer.text


def test_lineage_is_compared_between_releases_whichever_is_named_first(site: httpx.Client) -> None:
    one, other = (
        question(site, "changed", since=a, until=b) for a, b in (("r1", "r2"), ("r2", "r1"))
    )
    assert verdict(one) == verdict(other) == "Nothing came or went."
    assert 'value="r1"' in question(site, "changed")


FAILED = """
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix schema: <https://schema.org/> .
<https://data.example/id/job/j> a prov:Plan ; dct:title "Noche"@es ;
    schema:result <https://data.example/id/dataset/noise> .
<https://data.example/id/run/x> a prov:Activity ; dct:title "Ayer"@es ;
    schema:actionStatus schema:FailedActionStatus ;
    prov:endedAtTime "2026-11-20T05:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> ;
    prov:qualifiedAssociation [ prov:hadPlan <https://data.example/id/job/j> ] .
"""


def test_a_hub_of_thousands_is_listed_and_not_drawn(tmp_path: Path) -> None:
    hub = "https://data.example/id/dataset/noise"
    prov = "<http://www.w3.org/ns/prov#wasDerivedFrom>"
    many = "".join(
        f"<https://data.example/id/dataset/d{n}> a dcat:Dataset ; dct:title 'D{n}'@es ;"
        f" {prov} <{hub}> .\n"
        for n in range(2000)
    )
    circle = f"<{hub}> {prov} <https://data.example/id/dataset/d7> .\n"
    with served(published(tmp_path / "data", CATALOGUE + many + circle + FAILED)) as server:
        page = ask(server.client, hub, "&downstream=all")
        assert "(2,000)" in page
        assert "<svg" not in page.partition("<main")[2]
        assert "1 to 25 of 2,000" in page
        last = ask(server.client, hub, "&downstream=all&downstream_page=9999")
        assert "1,976 to 2,000 of 2,000" in last
        assert {row[0] for row in rows(page, "downstream")}.isdisjoint(
            row[0] for row in rows(last, "downstream")
        )
        assert len(table(server.client, page, "downstream")) == 2000
        client = server.client
        assert verdict(question(client, "circles")) == "There is one circle."
        page = question(client, "downstream", iri=hub)
        assert verdict(page).startswith("2,000 things depend on ")
        assert "1,800 more are in the CSV." in page
        # What a failed run was to write is spoiled, and all that is made of it.
        page = question(client, "spoiled", iri="https://data.example/id/job/j")
        assert verdict(page) == "One failed run was not mended yet."
        assert "Failed on 20 November 2026, 05:00 UTC." in page
        assert page.count('<th scope="row"') == 201


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


def test_what_came_and_went_between_releases_is_told_in_tables(tmp_path: Path) -> None:
    trees, noise, file = (
        f"<https://data.example/id/{each}>"
        for each in ("dataset/trees", "dataset/noise", "distribution/trees-csv")
    )
    derived = "<http://www.w3.org/ns/prov#wasDerivedFrom>"
    data = published(tmp_path / "data", f"{CATALOGUE}{trees} {derived} {noise} .\n")
    load(data, f"{CATALOGUE}{noise} {derived} {file} .\n")
    operate(data, "release.build", unchecked=True)
    operate(data, "release.publish", id="r2")
    with served(data) as server:
        page = question(server.client, "changed")
        same = question(server.client, "changed", since="r2", until="r2")
    added, removed = (
        re.findall(rf'<h3 id="{name}">.*?<tbody>(.*?)</tbody>', page, re.S)[0]
        for name in ("added", "removed")
    )
    assert added.count("<tr") == removed.count("<tr") == 1
    assert 'href="/en/dataset/noise"' in added.partition("</th>")[0]
    assert 'href="/en/dataset/trees"' in removed.partition("</th>")[0]
    assert 'id="added"' not in same
