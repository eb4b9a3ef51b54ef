"""The past over a real server: pages as of a day or a release, and the history of a record."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving import BASE, CATALOGUE, Served, initialise, load, operate, published, served

TREES = f"{BASE}/id/dataset/trees"
NOISE = f"{BASE}/id/dataset/noise"
CHANGED = (
    CATALOGUE.replace('"Cada árbol."@es', '"Cada árbol de la calle."@es')
    .replace('"Jardines"@es', '"Parques y jardines"@es')
    .replace(
        "dcat:distribution <https://data.example/id/distribution/trees-csv> .",
        "dcat:distribution <https://data.example/id/distribution/trees-csv> ,"
        " <https://data.example/id/distribution/trees-json> .",
    )
    + """
<https://data.example/id/distribution/trees-json> a dcat:Distribution ;
    dct:title "Árboles en JSON"@es ; dcat:accessURL <https://data.example/trees.json> .
<https://data.example/id/dataset/benches> a dcat:Dataset ; dct:title "Bancos"@es ;
    dct:description "<script>alert(1)</script>"@es .
"""
)
# r2 was taken back on the day after it came.
TIMES = {
    0: ("r1", "2026-01-10T09:00:00.000Z"),
    1: ("r2", "2026-02-10T09:00:00.000Z"),
    2: ("r1", "2026-02-11T09:00:00.000Z"),
    3: ("r3", "2026-03-10T09:00:00.000Z"),
    4: ("r4", "2026-04-10T09:00:00.000Z"),
}


def release(data: Path) -> None:
    made = operate(data, "release.build", unchecked=True, accept_removals="tested")
    operate(data, "release.publish", id=made["id"], accept_removals="tested")


def told(data: Path) -> None:
    """Say that the releases came on other days than this one."""
    log = data / "releases" / "published.json"
    assert [row["id"] for row in json.loads(log.read_text())] == [id for id, _ in TIMES.values()]
    log.write_text(json.dumps([{"id": id, "at": at} for id, at in TIMES.values()]))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = published(initialise(tmp_path_factory.mktemp("past") / "data"))
    load(data, CATALOGUE.replace('"Ruido"@es', '"Retirado"@es'))
    release(data)
    operate(data, "release.rollback", id="r1")
    load(data, CHANGED)
    release(data)
    operate(data, "visibility", iri=NOISE, to="internal", why="checked")
    release(data)
    told(data)
    with served(data) as running:
        running.client.headers["Accept"] = "text/html"
        yield running


@pytest.fixture
def site(server: Served) -> httpx.Client:
    return server.client


def words(page: str) -> str:
    main = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


# ---- as of a day


def test_record_is_shown_as_it_was_on_a_day_with_the_way_back(site: httpx.Client) -> None:
    page = site.get("/es/dataset/trees?as_of=2026-01-31").text
    assert "Como estaba el 31 de enero de 2026" in words(page)
    assert "Cada árbol." in words(page)
    assert '<a href="/es/dataset/trees">Ver esta página como está ahora</a>' in page
    assert "Cada árbol de la calle." in words(site.get("/es/dataset/trees").text)


def test_a_day_counts_to_its_end(site: httpx.Client) -> None:
    assert "versión r1" in words(site.get("/es/datasets?as_of=2026-03-09").text)
    assert "versión r3" in words(site.get("/es/datasets?as_of=2026-03-10").text)
    assert "versión r4" in words(site.get("/es/datasets?as_of=2026-08-01").text)


def test_what_was_taken_back_is_not_shown_for_its_days(site: httpx.Client) -> None:
    page = words(site.get("/es/dataset/noise?as_of=2026-02-10").text)
    assert "versión r1" in page
    assert "Ruido" in page
    assert "Retirado" not in page
    assert site.get("/es/dataset/noise?as_of=r2").status_code == 400


def test_lists_lineage_and_validation_are_of_the_time_that_was_asked_for(
    site: httpx.Client,
) -> None:
    assert "Ruido" in words(site.get("/es/datasets?as_of=r1").text)
    assert "Ruido" not in words(site.get("/es/datasets").text)
    for path in ("search?q=ruido&", "agent?", "lineage?", "validation?", f"iri?iri={NOISE}&", "?"):
        answer = site.get(f"/es/{path}as_of=r1", follow_redirects=True)
        assert answer.status_code == 200, path
        assert "Como estaba en la versión r1" in words(answer.text), path
    assert "noise" in site.get("/es/datasets.csv?as_of=r1").text
    assert "noise" not in site.get("/es/datasets.csv").text


def test_links_and_forms_of_the_past_stay_in_it(site: httpx.Client) -> None:
    page = site.get("/es/datasets?q=a&as_of=r1").text
    main = page.partition("<main")[2].partition("</main>")[0].partition("</section>")[2]
    links = [html.unescape(link) for link in re.findall(r'href="(/es/[^"]*)"', main)]
    assert links
    assert [link for link in links if "as_of=r1" not in link] == []
    forms = re.findall(r"<form[^>]*>.*?</form>", main, re.DOTALL)
    assert forms
    assert all('<input type="hidden" name="as_of" value="r1">' in form for form in forms)


def test_every_page_of_the_catalogue_offers_another_day_and_keeps_what_was_asked(
    site: httpx.Client,
) -> None:
    page = site.get("/es/datasets?q=a&area=x").text
    form = page.partition('<form class="dating" action="/es/datasets">')[2].partition("</form>")[0]
    assert 'name="q" value="a"' in form
    assert 'name="area" value="x"' in form
    assert 'class="dating"' not in site.get("/es/releases").text


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ("2025-12-31", 404, "Aún no se había publicado nada"),
        ("2026-02-30", 400, "Eso no es una fecha"),
        ("yesterday", 400, "Eso no es una fecha"),
        ("r99", 400, "Eso no es una fecha"),
        ("../r1", 400, "Eso no es una fecha"),
        ("<script>x", 400, "Eso no es una fecha"),
        ("9999-12-31", 400, "Ese día aún no ha llegado"),
        ("٢٠٢٦-٠١-٠١", 400, "Eso no es una fecha"),
    ],
)
def test_time_without_a_state_is_explained(
    site: httpx.Client, asked: str, status: int, said: str
) -> None:
    answer = site.get("/es/dataset/trees", params={"as_of": asked})
    assert answer.status_code == status
    assert said in words(answer.text)
    assert "10 de enero de 2026" in words(answer.text)
    assert "<script>" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_data_of_a_record_are_those_of_the_time(site: httpx.Client) -> None:
    page = site.get("/es/dataset/trees?as_of=r1").text
    assert 'href="/dataset/trees.nt?as_of=r1"' in page
    assert "de la calle" not in site.get("/dataset/trees.nt?as_of=r1").text
    assert "de la calle" in site.get("/dataset/trees.nt").text
    asked = {"Accept": "application/json"}
    answer = site.get("/dataset/trees.nt?as_of=2001-01-01", headers=asked)
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("as_of=2001-01-01 is before")


def test_the_past_is_not_for_search_engines_and_has_its_own_etag(site: httpx.Client) -> None:
    past, now = site.get("/es/dataset/trees?as_of=r1"), site.get("/es/dataset/trees")
    assert '<meta name="robots" content="noindex">' in past.text
    assert "noindex" not in now.text
    assert past.headers["etag"] != now.headers["etag"]


def test_what_was_not_there_yet_is_404_with_the_way_to_the_present(site: httpx.Client) -> None:
    answer = site.get("/es/dataset/benches?as_of=r1")
    assert answer.status_code == 404
    assert 'href="/es/dataset/benches"' in answer.text


# ---- history


def test_history_tells_what_changed_with_both_values(site: httpx.Client) -> None:
    page = site.get("/es/dataset/trees/history").text
    text = words(page)
    assert text.index("10 de marzo de 2026") < text.index("10 de enero de 2026")
    assert "Se publica por primera vez" in text
    assert "Cada árbol<ins> de la calle</ins>." in page
    assert "Jardines" in text
    assert "Parques y jardines" in text
    assert "Parte nueva: Árboles en JSON" in text
    assert 'href="/es/dataset/trees?as_of=r1"' in page
    assert 'href="/es/releases/r3"' in page
    assert 'href="/es/dataset/trees/history"' in site.get("/es/dataset/trees").text


def test_history_leaves_out_releases_that_did_not_change_the_record_or_were_taken_back(
    site: httpx.Client,
) -> None:
    page = site.get("/es/dataset/trees/history").text
    assert re.findall(r'class="edition (\w+)"', page) == ["changed", "first"]
    assert "r2" not in words(site.get("/es/dataset/noise/history").text)
    assert "según 3 versiones" in words(page)


def test_history_of_what_is_not_published_any_more_says_so(site: httpx.Client) -> None:
    page = site.get("/en/dataset/noise/history").text
    assert re.findall(r'class="edition (\w+)"', page) == ["absent", "first"]
    assert "No longer published" in words(page)
    assert "Ruido" in words(page)


def test_history_of_a_part_is_that_of_its_record(site: httpx.Client) -> None:
    answer = site.get("/es/distribution/trees-csv/history")
    assert answer.status_code == 308
    assert answer.headers["location"] == "/es/dataset/trees/history"


@pytest.mark.parametrize("lang", ["es", "eu", "en"])
def test_history_of_nothing_is_404(site: httpx.Client, lang: str) -> None:
    assert site.get(f"/{lang}/dataset/nothing/history").status_code == 404


def test_values_in_a_history_stay_text(site: httpx.Client) -> None:
    assert "<script>alert" not in site.get("/es/dataset/benches/history").text


def test_nonsense_for_where_a_history_begins_counts_as_not_said(site: httpx.Client) -> None:
    usual = words(site.get("/es/dataset/trees/history").text)
    assert words(site.get("/es/dataset/trees/history?before=r2").text) == usual
    assert words(site.get("/es/dataset/trees/history?before=../x").text) == usual


# ---- releases that were removed, many releases


def test_release_that_was_removed_is_410_and_history_says_what_it_does_not_know(
    tmp_path: Path,
) -> None:
    data = published(initialise(tmp_path / "data"))
    load(data, CHANGED)
    release(data)
    shutil.rmtree(data / "releases" / "r1")
    with served(data) as server:
        server.client.headers["Accept"] = "text/html"
        answer = server.client.get("/en/dataset/trees?as_of=r1")
        assert answer.status_code == 410
        assert "That release is not kept any more" in words(answer.text)
        page = server.client.get("/en/dataset/trees/history").text
        assert re.findall(r'class="edition (\w+)"', page) == ["unknown"]


def test_deleted_record_keeps_its_history(tmp_path: Path) -> None:
    data = published(initialise(tmp_path / "data"))
    operate(data, "delete", iri=NOISE, force=True)
    release(data)
    with served(data) as server:
        server.client.headers["Accept"] = "text/html"
        page = server.client.get("/en/dataset/noise/history").text
        assert re.findall(r'class="edition (\w+)"', page) == ["withdrawn", "first"]
        gone = server.client.get("/en/dataset/noise")
        assert gone.status_code == 410
        assert 'href="/en/dataset/noise/history"' in gone.text
        assert server.client.get("/en/dataset/noise?as_of=r1").status_code == 200
