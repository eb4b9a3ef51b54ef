"""Search from outside: the page, the lists, the API and the command line, over the demo release."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import demo_release
import httpx
import pytest
from serving import CATALOGUE, initialise, published, served

HOSTILE = [
    "AND", '"', "ruido*", "NEAR(a b)", "title:ruido", "a\x00b", "x" * 10_000, "\u202eodiur",
    "<script>alert(1)</script>", "' OR 1=1 --", "{", "^", "-", "🚲", "%", "\\",
]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_release.copied(tmp_path_factory)


@pytest.fixture(scope="module")
def site(data: Path) -> Iterator[httpx.Client]:
    with served(data) as server:
        yield server.client


def main_of(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", main_of(page))))


def found(site: httpx.Client, **params: Any) -> dict[str, Any]:
    answer = site.get("/api/search", params=params)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


# ---- the page


def test_search_page_groups_what_it_finds_and_leads_to_the_lists(site: httpx.Client) -> None:
    page = site.get("/es/search?q=aire").text
    kinds = re.findall(r'<section id="(\w+)"', page)
    assert kinds[:4] == ["dataset", "service", "concept", "table"]
    assert 'href="/es/datasets?q=aire"' in page
    assert 'href="/es/concept?q=aire"' in page
    assert "Calidad del <mark>aire</mark>: resumen diario</a>" in page
    assert "También se ha buscado: Air, Airea." in text_of(page)
    assert '<meta name="robots" content="noindex">' in page


@pytest.mark.parametrize(
    ("lang", "q", "expected"),
    [
        ("es", "aire", "Palabras clave: calidad del aire"),
        ("eu", "aire", "Gako-hitzak: airearen kalitatea"),
        ("en", "air", "Keywords: air quality"),
    ],
)
def test_page_says_where_the_hit_is_best_in_the_readers_language(
    site: httpx.Client, lang: str, q: str, expected: str
) -> None:
    assert expected in text_of(site.get(f"/{lang}/search?q={q}").text)


def test_search_page_without_words_offers_words_of_the_release(site: httpx.Client) -> None:
    page = main_of(site.get("/eu/search").text)
    links = re.findall(r'<a class="chip" href="(/eu/search\?q=[^"]+)"', page)
    assert len(links) > 10
    assert all("<article" in site.get(html.unescape(link)).text for link in links[:3])


def test_nothing_found_says_why_and_what_next(site: httpx.Client) -> None:
    page = site.get("/es/search?q=contaminasion+atmosferica").text
    assert "Nada de la versión r2 tiene todas esas palabras." in text_of(page)
    page = site.get("/es/datasets?q=contaminasion").text
    assert 'href="/es/datasets?q=contaminaci%C3%B3n"' in page
    page = site.get("/es/datasets?q=aire+presupuesto").text
    assert re.search(r'href="/es/datasets\?q=presupuesto">presupuesto <span class="mut">\d', page)
    page = site.get("/es/datasets?q=presupuesto&gap=contact").text
    assert re.search(r"Sin los filtros hay \d+ resultados", page)
    assert "ez ditu hitz horiek guztiak" in text_of(site.get("/eu/search?q=qqqq").text)


@pytest.mark.parametrize("q", HOSTILE)
@pytest.mark.parametrize("path", ["search", "datasets", "datasets.csv", "concept"])
def test_hostile_words_are_words(site: httpx.Client, path: str, q: str) -> None:
    answer = site.get(f"/es/{path}?q={quote(q)}")
    assert answer.status_code == 200
    assert "<script>" not in answer.text


def test_what_was_held_back_is_not_found(site: httpx.Client) -> None:
    assert found(site, q="fuentes agua potable")["kinds"].get("dataset") is None
    assert found(site, q="Etxebarria")["total"] == 0


def test_datasets_have_facets_for_owner_status_and_quality(site: httpx.Client) -> None:
    page = site.get("/es/datasets").text
    for name in ("owner", "steward", "status", "quality", "theme", "area", "format"):
        assert f'name="{name}"' in page, name
    good = site.get("/es/datasets?quality=good").text
    assert "Calidad de los metadatos: Bueno" in text_of(good)
    assert "67 conjuntos" in text_of(page)
    assert "67 conjuntos" not in text_of(good)


# ---- any IRI

SCHEME = "http://publications.europa.eu/resource/authority/file-type"
UNIT = "https://bilbaokg.example/id/unit/movilidad-sostenibilidad"


@pytest.mark.parametrize("path", ["search?q=", "iri?iri="])
def test_iri_that_is_described_leads_to_its_page(site: httpx.Client, path: str) -> None:
    answer = site.get(f"/eu/{path}{quote(UNIT)}")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/eu/unit/movilidad-sostenibilidad",
    )


def test_iri_that_is_only_named_has_a_page_of_what_points_to_it(site: httpx.Client) -> None:
    answer = site.get(f"/en/search?q={quote(SCHEME)}")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/en/iri?iri={quote(SCHEME, safe='')}",
    )
    page = site.get(answer.headers["location"]).text
    assert "What points here" in text_of(page)
    assert "GeoJSON" in text_of(page)
    assert f'<a href="{SCHEME}" rel="external">' in page


@pytest.mark.parametrize(
    "iri",
    ["", "x", "javascript:alert(1)", "https://nobody.example/x", "http://[", "https://a b",
     "urn:x:<script>", "\x00"],
)  # fmt: skip
def test_iri_that_is_not_named_is_not_found(site: httpx.Client, iri: str) -> None:
    answer = site.get("/es/iri", params={"iri": iri})
    assert answer.status_code == 404
    assert "<script>" not in answer.text
    assert site.get("/es/search", params={"q": iri}).status_code == 200


# ---- the API


def test_api_tells_what_fits_with_counts_and_places_of_hits(site: httpx.Client) -> None:
    told = found(site, q="aire", kind="dataset", lang="es")
    assert told["release"] == "r2"
    assert told["kinds"]["dataset"] == told["total"] == 3
    first = told["results"][0]
    title = first["title"]["text"]
    assert [title[a:b].lower() for a, b in first["title"]["marks"]] == ["aire"]
    excerpt = first["excerpt"]
    assert [excerpt["text"][a:b].lower() for a, b in excerpt["marks"]] == ["aire"]
    assert site.get(first["href"]).status_code == 200
    theme = told["facets"]["theme"][0]
    assert (theme["label"], theme["count"]) == ("Medio ambiente", 3)


def test_api_filters_pages_and_sorts(site: httpx.Client) -> None:
    whole = found(site, kind="dataset", sort="title", size=100)
    ids = [result["id"] for result in whole["results"]]
    paged = [
        result["id"]
        for page in range(1, 8)
        for result in found(site, kind="dataset", sort="title", page=page, size=10)["results"]
    ]
    assert paged == ids
    value = whole["facets"]["format"][0]
    assert found(site, kind="dataset", format=value["value"])["total"] == value["count"]


def test_api_finds_every_kind_unless_one_is_asked_for(site: httpx.Client) -> None:
    told = found(site, q="ruido")
    assert told["total"] == sum(told["kinds"].values())
    assert {result["kind"] for result in told["results"]} > {"dataset"}


@pytest.mark.parametrize("q", HOSTILE)
def test_api_takes_any_words(site: httpx.Client, q: str) -> None:
    assert found(site, q=q)["total"] >= 0
    assert site.get("/api/suggest", params={"q": q}).status_code == 200


@pytest.mark.parametrize(
    "query", ["kind=person", "sort=x", "page=0", "size=101", "lang=fr", "page=x"]
)
def test_api_refuses_nonsense_with_a_problem(site: httpx.Client, query: str) -> None:
    answer = site.get(f"/api/search?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_api_speaks_the_language_of_the_client_and_answers_from_its_cache(
    site: httpx.Client,
) -> None:
    answer = site.get("/api/search?q=bus", headers={"Accept-Language": "eu"})
    assert answer.json()["language"] == "eu"
    assert answer.headers["access-control-allow-origin"] == "*"
    again = {"Accept-Language": "eu", "If-None-Match": answer.headers["etag"]}
    assert site.get("/api/search?q=bus", headers=again).status_code == 304
    assert (
        site.get("/api/search?q=bus", headers={"Accept-Language": "es"}).headers["etag"]
        != (answer.headers["etag"])
    )
    assert site.head("/api/search?q=bus").status_code == 200


def test_suggestions_complete_what_is_typed(site: httpx.Client) -> None:
    told = site.get("/api/suggest?q=aire&lang=es").json()["suggestions"]
    assert "calidad del aire" in [suggestion["text"] for suggestion in told]
    assert all(suggestion["entries"] >= 0 for suggestion in told)


def test_search_stands_in_the_description_of_the_api(site: httpx.Client) -> None:
    paths = site.get("/api/openapi.json").json()["paths"]
    names = {p["name"] for p in paths["/api/search"]["get"]["parameters"]}
    assert {"q", "kind", "lang", "sort", "page", "size", "theme", "quality", "owner"} <= names
    assert "/api/suggest" in paths


def test_search_before_the_first_release_finds_nothing(tmp_path: Path) -> None:
    with served(initialise(tmp_path / "data")) as server:
        assert server.client.get("/api/search?q=x").json()["total"] == 0
        assert server.client.get("/api/suggest?q=x").json()["suggestions"] == []
        assert server.client.get("/es/search?q=x").status_code == 200


def test_markup_in_texts_stays_text(tmp_path: Path) -> None:
    evil = (
        CATALOGUE + '<https://data.example/id/dataset/noise> dct:title "<b>trees</b> &amp;"@en ;'
        ' dct:description "<img src=x onerror=alert(1)> trees"@en .'
    )
    with served(published(tmp_path / "data", evil), root_path="/datos") as server:
        page = server.client.get("/datos/en/search?q=trees").text
        assert "&lt;b&gt;<mark>trees</mark>&lt;/b&gt; &amp;amp;" in page
        assert "<img" not in page
        result = server.client.get("/datos/api/search?q=trees&lang=en").json()["results"][0]
        assert result["href"].startswith("/datos/en/")


# ---- the command line


def run(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bilbaokg", "--data", str(data), *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def test_command_line_finds_the_same_as_the_api(data: Path, site: httpx.Client) -> None:
    told = json.loads(run(data, "--json", "--lang", "es", "search", "aire").stdout)
    same = found(site, q="aire", lang="es")
    for result in same["results"]:
        del result["href"]
    assert told == same


def test_command_line_tells_people(data: Path) -> None:
    done = run(
        data, "--lang", "es", "search", "ruido", "--facet", "theme=TRAN", "--kind", "dataset"
    )
    assert done.returncode == 0
    assert "dataset/zona-bajas-emisiones-indicadores" in done.stdout
    assert done.stdout.endswith("1 result in r2.\n")
    assert "Did you mean: contaminación" in run(data, "search", "contaminasion").stdout


def test_command_line_refuses_an_unknown_facet(data: Path) -> None:
    done = run(data, "search", "--facet", "colour=red")
    assert done.returncode == 2
    assert "with one of theme, area" in done.stderr


def test_command_line_takes_bytes_that_are_no_text(data: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bilbaokg", "--data", str(data), "search", b"\xff\xfe bus"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
