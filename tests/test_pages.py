"""The HTML pages, over a real server on the demo catalogue: content, status, links, languages."""

from __future__ import annotations

import csv
import dataclasses
import html
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import demo_release
import httpx
import jinja2.nodes
import pytest
from serving import CATALOGUE, initialise, load, operate, published, served, token

from bilbaokg import assets, queries, render
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.server import dashboards, guides, lineage_page, views
from bilbaokg.server.reading import short
from bilbaokg.terms import literal

TRAN = quote("http://publications.europa.eu/resource/authority/data-theme/TRAN", safe="")
TEMPLATES = assets.folder("web") / "templates"
PAGES = [
    kind
    for kind in [
        *vars(views).values(),
        *vars(dashboards).values(),
        *vars(guides).values(),
        *vars(lineage_page).values(),
        render.ErrorPage,
    ]
    if isinstance(kind, type) and kind.__name__.endswith("Page")
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with served(demo_release.copied(tmp_path_factory)) as server:
        server.client.headers["Accept"] = "text/html"
        yield server.client


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def links(page: str, base: str) -> set[str]:
    found = (html.unescape(href) for href in re.findall(r'<a [^>]*href="([^"]*)"', page))
    return {urljoin(base, href).partition("#")[0] for href in found}


# ---- the contract between pages and templates


@pytest.mark.parametrize("kind", PAGES, ids=lambda kind: kind.__name__)
def test_template_uses_every_field_of_its_page_and_no_other(kind: type) -> None:
    source = (TEMPLATES / render.template_name(kind)).read_text(encoding="utf-8")
    macros = (TEMPLATES / "macros.html").read_text(encoding="utf-8")
    used = attributes_of_page(source)
    if "m.as_data(page" in source:
        used |= attributes_of_page(macros)
    assert used == {field.name for field in dataclasses.fields(kind)}


def attributes_of_page(source: str) -> set[str]:
    tree = render.environment().parse(source)
    return {
        node.attr
        for node in tree.find_all(jinja2.nodes.Getattr)
        if isinstance(node.node, jinja2.nodes.Name) and node.node.name == "page"
    }


@pytest.mark.parametrize("kind", PAGES, ids=lambda kind: kind.__name__)
def test_every_page_says_what_it_is(kind: type) -> None:
    assert kind.__doc__
    assert "(" not in kind.__doc__.partition("\n")[0][: len(kind.__name__) + 1]


def test_every_text_that_a_template_asks_for_exists() -> None:
    for path in TEMPLATES.glob("*.html"):
        for key in re.findall(r"""\bt\(["']([a-z_.]+)["']\s*[,)]""", path.read_text("utf-8")):
            assert render.has_text(key), f"{path.name}: {key}"


@pytest.mark.parametrize("lang", ["eu", "en"])
def test_every_text_is_translated_with_the_same_placeholders(lang: str) -> None:
    spanish, other = render.catalogue("es"), render.catalogue(lang)
    assert spanish.keys() == other.keys()
    for key, text in spanish.items():
        forms = text.values() if isinstance(text, dict) else [text]
        theirs = other[key].values() if isinstance(other[key], dict) else [other[key]]
        names = {n for form in forms for n in re.findall(r"{(\w+)}", form)} - {"count"}
        assert {n for form in theirs for n in re.findall(r"{(\w+)}", form)} - {"count"} == names, (
            key
        )


# Words that two of the languages share.
ALIKE = {
    ("en", "footer.api"), ("en", "guide.help.api.title"), ("en", "kind.series"),
    ("en", "kinds.series"), ("eu", "history.crumb"), ("eu", "kind.series"),
}  # fmt: skip


@pytest.mark.parametrize("pair", [("es", "eu"), ("es", "en"), ("eu", "en")])
def test_no_text_is_left_in_another_language(pair: tuple[str, str]) -> None:
    one, other = map(render.catalogue, pair)
    forms = {
        (key, form): text
        for key, held in one.items()
        for form, text in (held.items() if isinstance(held, dict) else [("", held)])
    }
    same = {
        (pair[1], key)
        for (key, form), text in forms.items()
        if text == (other[key][form] if isinstance(other[key], dict) else other[key])
        and re.search(r"[^\W\d_]{3}", re.sub(r"{\w+}", "", text))
    }
    assert same <= ALIKE


def test_every_macro_has_its_place_on_the_page_of_components() -> None:
    macros = (TEMPLATES / "macros.html").read_text("utf-8")
    shown = (TEMPLATES / "components.html").read_text("utf-8")
    for name in re.findall(r"{% macro (\w+)\(", macros):
        assert f"m.{name}(" in shown, name


def test_page_of_components_is_drawn_in_every_language_and_linked_from_nowhere(
    site: httpx.Client,
) -> None:
    for lang in ("es", "eu", "en"):
        page = site.get(f"/{lang}/components")
        assert page.status_code == 200
        assert "noindex" in page.text
    assert "/components" not in site.get("/en/help").text + site.get("/en/").text


ISLAND = '<script type="application/ld+json">'
# A script of our own, by its address.
MODULE = """<script type="module" src="{{ asset('dist/sparql.js') }}"></script>"""


def test_no_template_holds_a_style_or_a_script() -> None:
    for path in TEMPLATES.glob("*.html"):
        source = path.read_text("utf-8")
        source = source.replace(ISLAND, "").replace(MODULE, "")
        assert not re.search(r"<script|\sstyle=|\son[a-z]+=|<style", source), path.name
        assert "|safe" not in source.replace(" ", ""), path.name


# ---- values


@pytest.mark.parametrize(
    ("iri", "safe"),
    [
        ("https://a.example/x", True),
        ("HTTP://a.example", True),
        ("mailto:a@b.example", True),
        ("tel:+34", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False),
        ("vbscript:x", False),
        ("urn:x:y", False),
        ("http://[", False),
        ("http://a.example:99999/", False),
    ],
)
def test_only_four_schemes_become_links(iri: str, safe: bool) -> None:
    assert (render.safe_href(iri) is not None) is safe


@pytest.mark.parametrize(
    ("value", "lang", "shown"),
    [
        ("2026-11-23", "es", "23 de noviembre de 2026"),
        ("2026-11-23", "eu", "2026ko azaroaren 23a"),
        ("2025-03-31", "eu", "2025eko martxoaren 31"),
        ("2010-01-01", "eu", "2010eko urtarrilaren 1a"),
        ("2011-05-11", "eu", "2011ko maiatzaren 11"),
        ("2021-05-21", "eu", "2021eko maiatzaren 21a"),
        ("1900-05-02", "eu", "1900eko maiatzaren 2a"),
        ("2000-05-02", "eu", "2000ko maiatzaren 2a"),
        ("2026-11-23", "en", "23 November 2026"),
        ("2026-11-23T02:52:00Z", "es", "23 de noviembre de 2026, 02:52 UTC"),
        ("2026", "es", "2026"),
        ("soon", "es", "soon"),
        (None, "es", ""),
    ],
)
def test_dates_are_written_as_people_write_them(value: str | None, lang: str, shown: str) -> None:
    assert render.when(value, lang) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("880412", "880\u00a0kB"),
        ("4120331", "4,1\u00a0MB"),
        ("12", "12\u00a0B"),
        ("x", ""),
        (None, ""),
    ],
)
def test_sizes_take_the_unit_that_suits_them(value: str | None, shown: str) -> None:
    assert render.file_size(value, "es") == shown


def test_plurals_follow_the_language() -> None:
    assert render.translate("datasets.count", "es", 1) == "1 conjunto de datos"
    assert render.translate("datasets.count", "es", 1234) == "1.234 conjuntos de datos"
    assert render.translate("datasets.count", "eu", 1) == "Datu-multzo 1"


# ---- reading the site


def test_every_page_is_reached_by_links_and_no_link_is_broken(site: httpx.Client) -> None:
    pages = {urljoin(str(site.base_url), "/es/")}
    queue, others = list(pages), set()
    while queue:
        url = queue.pop(0)
        answer = site.get(url)
        # A release names what it withdrew, by what is left of it.
        expected = (410,) if url.endswith("/dataset/bilbobus-paradas") else (200, 303, 308)
        assert answer.status_code in expected, url
        found = {link for link in links(answer.text, url) if link.startswith(str(site.base_url))}
        for link in sorted(link for link in found if "?" not in link):
            if urlsplit(link).path.startswith("/es/") and link not in pages:
                pages.add(link)
                queue.append(link)
            elif not urlsplit(link).path.startswith(("/es/", "/eu/", "/en/")):
                others.add(link)
    kinds = {urlsplit(page).path.split("/")[2] for page in pages}
    assert kinds >= {
        "", "datasets", "dataset", "distribution", "series", "service", "unit", "principle",
        "concept", "table", "job", "run", "validation", "releases", "sparql", "column",
    }  # fmt: skip
    for link in sorted(others)[::40]:
        assert site.get(link).status_code == 200, link


@pytest.mark.parametrize("lang", ["es", "eu", "en"])
def test_page_is_in_the_language_of_its_path_and_offers_the_others(
    site: httpx.Client, lang: str
) -> None:
    page = site.get(f"/{lang}/datasets?q=bus&sort=title").text
    assert f'<html lang="{lang}">' in page
    for other in ("es", "eu", "en"):
        assert f'hreflang="{other}" href="/{other}/datasets?q=bus&amp;sort=title"' in page


def test_literal_in_another_language_says_so(site: httpx.Client) -> None:
    page = site.get("/eu/validation").text
    assert 'lang="es"' in page or 'lang="en"' in page
    dataset = site.get("/en/dataset/bilbobus-gtfs").text
    assert "Bilbobus: routes, stops and timetables (GTFS)" in dataset


def test_home_shows_counts_release_and_ways_in(site: httpx.Client) -> None:
    text = text_of(site.get("/es/").text)
    for expected in ("conjuntos de datos", "Busco datos", "Respondo de unos datos", "Versión r2"):
        assert expected in text


def test_datasets_are_filtered_counted_and_chips_take_filters_away(site: httpx.Client) -> None:
    page = site.get(f"/es/datasets?theme={TRAN}&format=x").text
    assert "0 conjuntos de datos" in text_of(page)
    assert f'href="/es/datasets?theme={TRAN}"' in page
    page = site.get(f"/es/datasets?theme={TRAN}").text
    assert "Bilbobus" in page
    assert "checked" in page


def folded(title: str) -> str:
    return title.casefold().translate(str.maketrans("áéíóú", "aeiou"))


def test_datasets_are_paged_and_sorted(site: httpx.Client) -> None:
    first = site.get("/es/datasets?sort=title").text
    assert 'rel="next" href="/es/datasets?sort=title&amp;page=2"' in first
    titles = re.findall(r"<h3><a[^>]*>([^<]+)", first)
    assert titles == sorted(titles, key=folded)
    assert site.get("/es/datasets?page=999999999999").status_code == 200


def test_datasets_are_told_in_a_table_that_keeps_filters_and_order(site: httpx.Client) -> None:
    cards = site.get("/en/datasets?gap=steward").text
    address = html.unescape(re.findall(r'<p class="views[^>]*><a href="([^"]+)"', cards)[0])
    table = site.get(address).text
    assert re.findall(r'<h2 class="count"[^>]*>([^<]+)', table) == re.findall(
        r'<h2 class="count"[^>]*>([^<]+)', cards
    )
    assert 'aria-sort="descending"' in table
    assert 'name="view" value="table"' in table
    by_title = html.unescape(re.findall(r'<th scope="col"><a href="([^"]+)"', table)[0])
    sorted_page = site.get(by_title).text
    titles = re.findall(r'<th scope="row"[^>]*><a[^>]*>(?:<span[^>]*>)?([^<]+)', sorted_page)
    assert len(titles) == 14
    assert titles == sorted(titles, key=folded)
    assert 'aria-sort="ascending"' in sorted_page
    assert "view=table" not in re.findall(r'class="download"><a href="([^"]+)"', sorted_page)[0]


def test_csv_holds_every_row_and_no_formula(site: httpx.Client) -> None:
    answer = site.get("/es/datasets.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) > 50
    assert rows[0]["title"]
    assert not any(value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values())


def test_dataset_shows_how_to_get_it_who_answers_and_where_it_comes_from(
    site: httpx.Client,
) -> None:
    page = site.get("/es/dataset/intensidad-trafico").text
    text = text_of(page)
    for expected in (
        "Cómo obtener los datos", "18,9\u00a0MB", "Propietaria de los datos",
        "Área de Movilidad y Sostenibilidad", "Zona de bajas emisiones", "Cada hora",
        "23 de noviembre de 2026", "Todos los enunciados",
    ):  # fmt: skip
        assert expected in text, expected
    for extension in ("ttl", "rdf", "jsonld", "nt"):
        assert f'href="/dataset/intensidad-trafico.{extension}"' in page
    assert "Etxebarria" not in page


def test_dataset_shows_what_is_one_and_two_steps_along_its_lineage(site: httpx.Client) -> None:
    iri = "https://bilbaokg.example/id/dataset/zona-bajas-emisiones-indicadores"
    derived = "<http://www.w3.org/ns/prov#wasDerivedFrom>"
    steps = f"SELECT ?near ?far {{ <{iri}> {derived} ?near OPTIONAL {{ ?near {derived} ?far }} }}"
    found = site.get("/sparql", params={"query": steps}, headers={"Accept": "text/csv"}).text
    rows = sorted({(row["near"], row["far"]) for row in csv.DictReader(io.StringIO(found))})
    assert any(far for _, far in rows)
    expected: dict[str, None] = dict.fromkeys(each for row in rows for each in row if each)
    page = site.get("/es/dataset/zona-bajas-emisiones-indicadores").text
    shown = page.partition('<ul class="lineage">')[2].partition("</section>")[0]
    paths = [each.replace("https://bilbaokg.example/id/", "/es/") for each in expected]
    assert re.findall(r'href="([^"]+)"', shown) == paths


def test_dataset_is_told_to_search_engines_in_the_language_of_the_page(site: httpx.Client) -> None:
    for lang, name in (("es", "Intensidad de tráfico"), ("en", "Traffic")):
        page = site.get(f"/{lang}/dataset/intensidad-trafico").text
        told = json.loads(page.partition(ISLAND)[2].partition("</script>")[0])
        assert told["@context"] == {"@vocab": "https://schema.org/", "@language": lang}
        assert told["@type"] == "Dataset"
        assert told["name"].startswith(name)
        assert told["publisher"]["@type"] == "Organization"
        assert told["isAccessibleForFree"] is True
        assert told["includedInDataCatalog"]["@type"] == "DataCatalog"
        files = told["distribution"]
        assert all(
            f["@type"] == "DataDownload" and f["contentUrl"].startswith("http") for f in files
        )


def test_data_links_of_a_page_lead_to_data(site: httpx.Client) -> None:
    page = site.get("/es/dataset/bilbobus-gtfs").text
    for href in re.findall(r'<link rel="alternate" type="[^"]+" href="([^"]+)"', page):
        assert site.get(href).status_code == 200


def test_open_in_sparql_gives_the_statements(site: httpx.Client) -> None:
    page = site.get("/es/dataset/bilbobus-gtfs").text
    href = re.search(r'href="(/es/sparql\?query=[^"]+)"', page)
    assert href
    assert "Bilbobus: líneas" in text_of(site.get(html.unescape(href[1])).text)


def test_exact_literals_stand_in_the_table_of_statements(site: httpx.Client) -> None:
    page = site.get("/es/distribution/bilbobus-gtfs-zip").text
    assert "nonNegativeInteger" in page
    assert "4120331" in page


def test_unit_page_lists_what_it_answers_for(site: httpx.Client) -> None:
    text = text_of(site.get("/es/unit/movilidad-sostenibilidad").text)
    assert "Responde de" in text
    assert "Cuida" in text
    assert "Intensidad de tráfico" in text


def test_validation_gives_the_verdict_first_then_how_much_was_held_back(
    site: httpx.Client,
) -> None:
    page = site.get("/es/validation").text
    assert page.index('class="verdict held"') < page.index('id="held"') < page.index('id="results"')
    text = text_of(page)
    assert "3 registros fuera" in re.sub(r"\s+", " ", text)
    assert "Al conjunto de datos le falta «descripción»" in text
    only = text_of(site.get("/es/validation?severity=violation").text)
    assert only.count("Aviso") < text.count("Aviso")


def test_findings_are_a_list_that_is_narrowed_sorted_and_downloaded(site: httpx.Client) -> None:
    whole = site.get("/en/validation/findings").text
    total = int(re.findall(r'id="results">(\d+) results', whole)[0])
    path = "http://www.w3.org/ns/dcat#endDate"
    asked = {"path": path, "sort": "resource", "severity": "warning"}
    some = site.get("/en/validation/findings", params=asked).text
    count = int(re.findall(r'id="results">(\d+) results', some)[0])
    assert 1 < count < total
    resources = re.findall(r'<th scope="row"[^>]*><span><a[^>]*>(?:<span[^>]*>)?([^<]+)', some)
    assert len(resources) > 1
    assert resources == sorted(resources, key=str.casefold)
    address = html.unescape(re.findall(r'href="([^"]*validation\.csv[^"]*)"', some)[0])
    rows = list(csv.DictReader(io.StringIO(site.get(address).text)))
    assert len(rows) == count
    assert {row["path"] for row in rows} == {path}
    assert site.get("/en/validation.json").json()["counts"]["warning"] == total
    # A word, in the language of the page, and the area of the dataset.
    worded = {**asked, "q": "“end date”"}
    assert (
        f'id="results">{count} results' in site.get("/en/validation/findings", params=worded).text
    )
    area = re.findall(r'<option value="([^"]+/unit/[^"]+)"', whole)[0]
    within = site.get("/en/validation/findings", params={"area": area}).text
    assert 0 < int(re.findall(r'id="results">(\d+) result', within)[0]) < total


def test_nothing_public_names_what_was_held_back(site: httpx.Client) -> None:
    query = quote("SELECT ?s ?o { ?s ?p ?o FILTER(CONTAINS(STR(?o), 'Fuentes de agua')) }")
    pages = ["", "datasets?q=agua", "datasets.csv", "validation", "releases", "shared"]
    pages += ["releases/r1", "releases/r2"]
    paths = [
        *(f"/{lang}/{page}" for lang in ("es", "eu", "en") for page in pages),
        *("/api/status", "/api/releases", "/api/releases/r2", "/catalog.nt", "/catalog.rdf"),
        *(f"/es/sparql?run=1&query={query}", f"/sparql?query={query}"),
    ]
    for path in paths:
        answer = site.get(path, headers={"Accept": "*/*"})
        assert answer.status_code == 200, path
        text = html.unescape(answer.text)
        assert not re.search("fuentes-agua|Fuentes de agua potable|Drinking fountains", text), path


def test_findings_are_told_in_the_language_of_the_page(site: httpx.Client) -> None:
    assert "The dataset has no “description”" in text_of(site.get("/en/validation").text)
    assert "Datu-multzoari «deskribapena» falta zaio" in text_of(site.get("/eu/validation").text)


def test_releases_lists_all_with_their_changes(site: httpx.Client) -> None:
    text = re.sub(r"\s+", " ", text_of(site.get("/es/releases").text))
    assert "Vigente" in text
    assert text.index("r2") < text.index("r1")
    assert "2 cambiados, 1 retirado" in text


def test_a_release_names_what_it_changed_and_withdrew(site: httpx.Client) -> None:
    page = site.get("/es/releases/r2").text
    text = re.sub(r"\s+", " ", text_of(page))
    assert text.index("Cambiados 2") < text.index("Retirados 1")
    assert 'href="/es/dataset/intensidad-trafico"' in page
    assert 'href="/es/dataset/bilbobus-paradas"' in page
    assert "todo en ella es nuevo" in text_of(site.get("/es/releases/r1").text)
    assert 'href="/es/releases/r1"' in site.get("/es/releases").text
    assert "El control Cumplido Validación: hecha con el perfil dcat-ap/3.0.1" in text
    assert "Nota Registros fuera: 3 hasta que se arreglen" in text
    assert 'href="/es/datasets?as_of=r2"' in page
    assert [site.get(f"/es/releases/{id}").status_code for id in ("r3", "r0", "x")] == [404] * 3


def test_a_release_says_whom_its_changes_reach_and_what_sources_ask(site: httpx.Client) -> None:
    page = site.get("/en/releases/r2").text
    reach, duties = (page.partition(f'id="{name}"')[2] for name in ("reach", "duties"))
    reach = reach.partition("</section>")[0]
    assert "Datasets of 1 owner" in reach
    assert 'href="/en/dataset/' in reach
    assert 'href="/en/unit/' in reach
    assert text_of(duties.partition("</summary>")[0]).strip().endswith("not public")
    # All of the first release is new, and nothing depended on it before.
    assert 'id="reach"' not in site.get("/en/releases/r1").text


def test_unknown_page_answers_404_with_what_is_near(site: httpx.Client) -> None:
    answer = site.get("/es/dataset/bilbobus")
    assert answer.status_code == 404
    assert 'href="/es/dataset/bilbobus-gtfs"' in answer.text
    assert site.get("/es/nothing").status_code == 404


# ---- SPARQL


def run(site: httpx.Client, query: str) -> httpx.Response:
    return site.get("/es/sparql", params={"query": query, "run": "1"})


def test_query_page_starts_with_an_example_and_lists_the_saved_ones(site: httpx.Client) -> None:
    page = site.get("/es/sparql").text
    assert "SELECT ?dataset ?title" in html.unescape(page)
    assert "Conjuntos de datos de alto valor" in page


def test_query_answers_as_a_table_with_linked_resources(site: httpx.Client) -> None:
    text = "SELECT ?d WHERE { ?d a <http://www.w3.org/ns/dcat#DatasetSeries> }"
    page = run(site, text).text
    assert "3 filas" in page
    assert 'href="/es/series/sonometros-mediciones"' in page
    csv_href = re.search(r'href="(/sparql\?[^"]+format=csv)"', page)
    assert csv_href
    assert site.get(html.unescape(csv_href[1])).text.startswith("d\r\n")


def test_saved_query_has_its_parameters_as_fields_and_takes_them(site: httpx.Client) -> None:
    page = site.get("/es/sparql?saved=datasets-changed-since&run=1").text
    # Its own address leads back by the host that the reader came by.
    assert 'href="/es/sparql?saved=datasets-changed-since&amp;run=1"' in page
    assert re.search(r'<label for="p-since">Desde', page)
    assert 'type="date" value="2026-01-01"' in page
    later = site.get("/eu/sparql?saved=datasets-changed-since&run=1&p.since=2026-11-01").text
    text = html.unescape(later)
    assert '"2026-11-01"^^<http://www.w3.org/2001/XMLSchema#date>' in text
    # The language is that of the page.
    assert '= "eu"' in text


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ("saved=datasets-changed-since&p.since=nunca", "p-since"),
        ("saved=datasets-newest&p.limit=1)}DROP ALL", "p-limit"),
        ("saved=downstream&p.resource=javascript alert", "p-resource"),
    ],
)
def test_parameter_that_does_not_fit_is_told_at_its_field(
    site: httpx.Client, params: str, field: str
) -> None:
    answer = site.get(f"/en/sparql?run=1&{params}")
    assert answer.status_code == 400
    assert f'<a href="#{field}">' in answer.text
    assert f'id="{field}-error"' in answer.text
    assert "DROP ALL" not in answer.text.partition("<textarea")[2]


def test_saved_query_that_there_is_not_is_404(site: httpx.Client) -> None:
    answer = site.get("/es/sparql?saved=nada&run=1")
    assert answer.status_code == 404
    assert "no saved query" in html.unescape(answer.text)


def test_answer_that_counts_is_drawn_as_bars_beside_its_table(site: httpx.Client) -> None:
    page = site.get("/es/sparql?saved=datasets-by-theme&run=1").text
    href = re.search(r'href="([^"]+view=bars[^"]*)"', page)
    assert href
    drawn = site.get(html.unescape(href[1])).text
    chart, table = drawn.partition("</figure>")[::2]
    figures = re.findall(r'<td class="n">([\d.]+)</td>', chart.partition("<figure")[2])
    assert figures
    assert len(figures) == table.partition("</table>")[0].count("<tr>") - 1
    # What does not fit is not offered, and a view that is none is the table.
    assert "view=bars" not in site.get("/es/sparql?saved=datasets-newest&run=1").text
    assert "<figure" not in site.get("/es/sparql?saved=datasets-by-theme&run=1&view=pie").text


def test_each_count_of_an_answer_has_its_bars_and_its_dates_a_timeline(site: httpx.Client) -> None:
    page = html.unescape(site.get("/en/sparql?saved=formats-in-use&run=1").text)
    assert "view=bars&of=distributions" in page
    assert "view=bars&of=datasets" in page
    both = [
        site.get(f"/en/sparql?saved=formats-in-use&run=1&view=bars&of={of}").text
        for of in ("distributions", "datasets")
    ]
    assert both[0] != both[1]
    dated = site.get("/en/sparql?saved=datasets-newest&run=1&view=timeline").text
    places = [float(x) for x in re.findall(r'<rect x="([-\d.]+)"', dated)]
    assert len(places) == 25
    assert (places[0], places[-1]) == (-1.5, 98.5)
    for wrong in ("view=bars&of=format", "view=timeline&of=x", "view=bars&of=<script>"):
        answer = site.get(f"/en/sparql?saved=formats-in-use&run=1&{wrong}")
        assert answer.status_code == 200
        assert "<figure" not in answer.text


def test_field_has_the_name_that_the_query_gives_it(site: httpx.Client) -> None:
    labels = queries.header(queries.load("examples/downstream").text).labels["resource"]
    for lang in ("es", "eu", "en"):
        page = site.get(f"/{lang}/sparql?saved=downstream").text
        assert f'<label for="p-resource">{labels[lang]} ' in html.unescape(page)


def test_words_to_complete_are_those_of_the_release(site: httpx.Client) -> None:
    answer = site.get("/eu/sparql/words.json")
    assert answer.headers["content-type"] == "application/json"
    words = answer.json()
    found = {each["term"]: each for each in words["terms"]}
    assert found["dcat:Dataset"]["kind"] == "class"
    assert found["dcat:Dataset"]["label"] == "Datu-multzoa"
    assert found["dct:title"]["kind"] == "property"
    assert {"prefix": "bkg", "iri": "https://bilbaokg.example/ns#"} in words["prefixes"]
    again = site.get("/eu/sparql/words.json", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_query_of_every_form_is_answered(site: httpx.Client) -> None:
    assert "Sí" in text_of(run(site, "ASK { ?s ?p ?o }").text)
    assert "Tiene" not in run(site, "ASK {}").text
    graph = run(site, "CONSTRUCT { ?s a <http://a.example/X> } WHERE { ?s a ?t } LIMIT 2")
    assert "2 filas" in graph.text
    assert "0 filas" in run(site, "SELECT * { <http://a> <http://b> <http://c> }").text


def test_long_answers_are_cut_with_a_note(site: httpx.Client) -> None:
    page = run(site, "SELECT * { ?s ?p ?o }").text
    assert "1.000 filas" in page
    assert "Hay más filas" in page


def test_wrong_query_answers_400_with_the_line(site: httpx.Client) -> None:
    answer = run(site, "SELECT * {\n ?s ?p\n}")
    assert answer.status_code == 400
    assert "Línea 3, columna 2: La consulta no sigue la gramática" in answer.text


def test_query_that_must_not_run_answers_its_status_on_the_page(site: httpx.Client) -> None:
    answer = run(site, "SELECT * { SERVICE <http://a.example/> { ?s ?p ?o } }")
    assert answer.status_code == 403
    assert "SERVICE" in answer.text


# ---- hostile input, caching


@pytest.mark.parametrize(
    "path",
    [
        "/es/datasets?q=<script>alert(1)</script>",
        "/es/datasets?theme=<script>alert(1)</script>",
        "/es/sparql?run=1&query=<script>alert(1)</script>",
        "/es/sparql?query=</textarea><script>alert(1)</script>",
        "/es/dataset/<script>alert(1)<script>",
        '/es/concept?scheme="><script>alert(1)</script>',
        "/es/validation?severity=<script>alert(1)</script>",
    ],
)
def test_what_visitors_send_never_becomes_markup(site: httpx.Client, path: str) -> None:
    page = site.get(path).text
    # The page's own module stands before all that visitors send.
    assert "<script" not in page.partition("</head>")[2]
    assert page.partition("</head>")[0].count("<script") <= 1


@pytest.mark.parametrize(
    "path",
    [
        "/es/datasets?q=%00",
        "/es/datasets?q=%ff%fe",
        "/es/datasets?page=٣",
        "/es/datasets?q=" + "a" * 5000,
        "/es/datasets?sort=x",
        "/es/dataset/%00",
        "/es/concept?page=-1",
        "/es/%2e%2e/x",
    ],
)
def test_odd_addresses_are_no_server_errors(site: httpx.Client, path: str) -> None:
    assert site.get(path).status_code < 500


@pytest.mark.parametrize("path", ["/es/datasets", "/es/releases", "/es/releases/r1"])
def test_page_goes_packed_to_those_who_take_it_under_an_etag_of_its_own(
    site: httpx.Client, path: str
) -> None:
    plain, packed, kept = (
        site.get(path, headers={"Accept-Encoding": coding})
        for coding in ("identity", "gzip", "gzip")
    )
    assert "content-encoding" not in plain.headers
    assert [a.headers["content-encoding"] for a in (packed, kept)] == ["gzip", "gzip"]
    assert plain.content == packed.content == kept.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert {a.headers["vary"] for a in (plain, packed, kept)} == {"Accept-Encoding"}
    assert plain.headers["etag"] != packed.headers["etag"] == kept.headers["etag"]
    for answer in (plain, packed):
        given = {"If-None-Match": answer.headers["etag"], "Accept-Encoding": "gzip"}
        again = site.get(path, headers=given)
        assert (again.status_code, again.headers["etag"]) == (304, answer.headers["etag"])


def test_static_file_goes_packed_to_those_who_take_it(site: httpx.Client) -> None:
    (sheet,) = re.findall(r'"(/static/[^"]*/site\.css)"', site.get("/es/").text)
    packed, plain = (
        site.get(sheet, headers={"Accept-Encoding": coding}) for coding in ("gzip", "identity")
    )
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert packed.headers["content-type"] == plain.headers["content-type"]


def test_page_is_answered_from_the_clients_cache(site: httpx.Client) -> None:
    first = site.get("/es/datasets?q=bus")
    again = site.get("/es/datasets?q=bus", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert site.get("/eu/datasets?q=bus").headers["etag"] != first.headers["etag"]


def test_a_page_is_drawn_once_and_is_the_same_again(site: httpx.Client) -> None:
    first, again = (site.get("/es/datasets?q=kept") for _ in range(2))
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    assert again.headers["content-type"] == first.headers["content-type"]
    other = site.get("/es/datasets?q=kept2")
    assert other.content != first.content


def test_static_files_are_kept_for_ever_under_the_hash_of_their_content(
    site: httpx.Client,
) -> None:
    href = re.search(r'<link rel="stylesheet" href="([^"]+)"', site.get("/es/").text)
    assert href
    answer = site.get(href[1])
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")
    assert site.get("/static/000000000000/site.css").status_code == 404
    assert site.get("/static/000000000000/../../locale/es/site.toml").status_code == 404


# ---- pages of text


@pytest.mark.parametrize("lang", ["es", "eu", "en"])
@pytest.mark.parametrize("name", ["help", "accessibility", "legal", "tour"])
def test_every_link_of_a_guide_leads_somewhere(site: httpx.Client, name: str, lang: str) -> None:
    answer = site.get(f"/{lang}/{name}")
    assert answer.status_code == 200
    for address in links(answer.text.partition("<main")[2], str(answer.url)):
        assert site.get(address).status_code == 200, address


def test_the_tour_takes_three_steps_to_each_use_and_begins_at_home(site: httpx.Client) -> None:
    assert 'href="/en/tour"' in site.get("/en/").text
    main = site.get("/en/tour").text.partition("<main")[2].partition("</main>")[0]
    sections = main.split("<section")[1:]
    assert [section.count("<li>") for section in sections] == [3, 3, 3, 3]


# ---- other catalogues


def test_query_of_a_city_is_listed_with_its_fields_and_takes_texts_as_terms(
    tmp_path: Path,
) -> None:
    data = published(tmp_path / "data", CATALOGUE)
    (data / queries.OWN).mkdir()
    (data / queries.OWN / "broken.rq").write_text("# nothing\n")
    (data / queries.OWN / "called.rq").write_text(
        "# title@en: Things called so\n# param name: string\n# label name@en: Its name\n"
        "SELECT ?thing { ?thing <http://purl.org/dc/terms/title> ?name }\n"
    )
    with served(data) as server:
        page = server.client.get("/en/sparql").text
        assert "Things called so" in page
        assert "broken" not in page
        text = 'x\' } DROP "quoted" \\ ñ'
        params = {"saved": "called", "p.name": text, "run": "1"}
        answer = server.client.get("/en/sparql", params=params)
        assert answer.status_code == 200
        assert literal(text) in html.unescape(answer.text)
        assert '<label for="p-name">Its name' in answer.text
        missing = server.client.get("/en/sparql", params={"saved": "called", "run": "1"})
        assert missing.status_code == 400
        assert '<a href="#p-name">Give a text.' in missing.text
        assert 'id="p-name-error"' in missing.text
        # Without a run nothing was asked yet.
        assert "p-name-error" not in server.client.get("/en/sparql?saved=called").text


def test_empty_catalogue_says_why_and_what_next(tmp_path: Path) -> None:
    with served(initialise(tmp_path / "data")) as server:
        for path in ("/es/", "/eu/datasets", "/en/dataset/x", "/es/sparql", "/es/dashboards"):
            answer = server.client.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == 200
            assert "bilbaokg " in answer.text


HOSTILE = (
    CATALOGUE
    + """
<https://data.example/id/dataset/noise> dct:title "<script>alert(1)</script>"@en ;
    dct:description "\\"><img src=x onerror=alert(1)>"@en ;
    dcat:landingPage <javascript:alert(1)> ; dct:source <data:text/html,x> ;
    dcat:distribution <https://data.example/id/distribution/evil> .
<https://data.example/id/distribution/evil> a dcat:Distribution ;
    dct:title "=cmd()"@en ; dcat:accessURL <javascript:alert(2)> .
<https://data.example/id/dataset/gone> a <https://www.w3.org/ns/activitystreams#Tombstone> ;
    <https://www.w3.org/ns/activitystreams#formerType> dcat:Dataset ;
    <https://www.w3.org/ns/activitystreams#deleted>
        "2026-01-02T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> ;
    dct:isReplacedBy <https://data.example/id/dataset/trees> .
<https://data.example/id/dataset/formula> a dcat:Dataset ; dct:title "=1+1"@es .
"""
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    data = published(tmp_path_factory.mktemp("hostile") / "data", HOSTILE)
    with served(data, root_path="/datos") as server:
        server.client.headers["Accept"] = "text/html"
        yield server.client


@pytest.mark.parametrize(
    "path", ["dataset/noise", "distribution/evil", "datasets", "", "agent/city"]
)
def test_literals_and_iris_of_the_catalogue_stay_text(hostile: httpx.Client, path: str) -> None:
    page = hostile.get(f"/datos/en/{path}").text
    head, mark, rest = page.partition(ISLAND)
    data, end, tail = rest.partition("</script>")
    assert (bool(mark), bool(end)) == (path.startswith("dataset/"),) * 2
    assert "<" not in data
    page = head + tail
    assert "<script" not in page
    assert "<img" not in page
    assert not re.search(r'href="\s*(javascript|data):', page, re.IGNORECASE)


def test_tombstone_is_410_and_leads_to_its_successor(hostile: httpx.Client) -> None:
    answer = hostile.get("/datos/es/dataset/gone")
    assert answer.status_code == 410
    assert 'href="/datos/es/dataset/trees"' in answer.text
    assert "2 de enero de 2026" in answer.text
    assert "gone" not in hostile.get("/datos/es/datasets").text


def test_every_link_carries_the_path_prefix(hostile: httpx.Client) -> None:
    for path in ("", "datasets", "dataset/noise", "sparql?run=1&query=ASK+{}", "validation", "x/y"):
        page = hostile.get(f"/datos/es/{path}").text
        local = re.findall(r'(?:href|action|src)="(/[^"]*)"', page)
        assert local
        assert all(href.startswith("/datos/") for href in local), path


def test_cell_that_looks_like_a_formula_is_escaped(hostile: httpx.Client) -> None:
    assert ",'=1+1," in hostile.get("/datos/es/datasets.csv").text


def test_catalogue_without_a_report_says_it_is_not_validated(hostile: httpx.Client) -> None:
    assert "Sin validar" in hostile.get("/datos/es/validation").text


# ---- errors


OWN_SHAPES = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    xmlns:sh="http://www.w3.org/ns/shacl#">
  <sh:NodeShape rdf:about="urn:keywords">
    <sh:targetClass rdf:resource="http://www.w3.org/ns/dcat#Dataset"/>
    <sh:property><sh:PropertyShape rdf:about="urn:keyword">
      <sh:path rdf:resource="http://www.w3.org/ns/dcat#keyword"/>
      <sh:minCount rdf:datatype="http://www.w3.org/2001/XMLSchema#integer">1</sh:minCount>
      <sh:severity rdf:resource="http://www.w3.org/ns/shacl#Warning"/>
      <sh:message xml:lang="es">Faltan palabras clave</sh:message>
      <sh:message xml:lang="eu">Gako-hitzak falta dira</sh:message>
    </sh:PropertyShape></sh:property>
  </sh:NodeShape>
</rdf:RDF>"""


def test_findings_of_a_profile_of_ones_own_are_told_in_the_language_of_the_page(
    tmp_path: Path,
) -> None:
    data = initialise(tmp_path / "data")
    (tmp_path / "own.rdf").write_text(OWN_SHAPES)
    load(data, CATALOGUE)
    operate(data, "profile.add", path=str(tmp_path / "own.rdf"))
    with served(data) as server:
        publisher = token(data, "publish")
        built = server.client.post("/api/releases", json={"profile": "own"}, headers=publisher)
        assert built.status_code == 201, built.text
        server.client.post(f"/api/releases/{built.json()['id']}/publish", headers=publisher)
        for lang, message in (("es", "Faltan palabras clave"), ("eu", "Gako-hitzak falta dira")):
            assert message in server.client.get(f"/{lang}/validation").text


def test_words_of_the_data_do_not_take_the_place_of_ours_in_another_language(
    tmp_path: Path,
) -> None:
    foreign = """
    <http://purl.org/dc/terms/modified> <http://www.w3.org/2000/01/rdf-schema#label> "Changed"@en .
    <https://data.example/id/dataset/trees> dct:modified "2026-01-31" ; dct:accessRights "public" .
    """
    with served(published(tmp_path / "data", CATALOGUE + foreign)) as server:
        page = server.client.get("/es/dataset/trees", headers={"Accept": "text/html"}).text
        named = re.search(r'<dt title="http://purl.org/dc/terms/modified">(.*?)</dt>', page)
        assert named
        assert named[1] == "Actualizado"
        found = server.client.get("/es/datasets", headers={"Accept": "text/html"}).text
        assert '<li class="tag warn">' not in found


def test_error_page_names_the_fault_in_the_language_and_keeps_the_inside() -> None:
    page = render.error_page(BadInput("<b>x</b>", hint="mend it"), "eu")
    assert "<b>x" not in page
    assert "Eskaera ez da ulertzen" in page
    assert "mend it" in page
    inside = {"status": 500, "type": "urn:x", "detail": "secret path /home"}
    assert "secret" not in render.error_page(inside, "es")
    assert "No se encuentra" in render.error_page(NotFound("x"), "xx")


def test_a_dataset_of_thousands_of_files_is_read_in_pages(tmp_path: Path) -> None:
    files = "".join(
        f"<https://data.example/id/dataset/trees> dcat:distribution <{iri}> .\n"
        f"<{iri}> a dcat:Distribution ; dct:title 'File {n}'@en ; dcat:accessURL <{iri}.csv> .\n"
        for n in range(3000)
        for iri in [f"https://data.example/id/distribution/f{n:04}"]
    )
    with served(published(tmp_path / "data", CATALOGUE + files)) as server:
        server.client.headers["Accept"] = "text/html"
        page = server.client.get("/en/dataset/trees").text
        assert len(page) < 200_000
        assert "3,001 distributions" in page
        assert re.search(r"\d more statements: they are in the data", page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        assert following
        second = server.client.get(html.unescape(following[1])).text
        assert "File 49" in page
        assert "File 49<" not in second.partition("</table>")[0]
        assert "Page 61 of 61" in server.client.get("/en/dataset/trees?files=999").text


@pytest.mark.parametrize(
    ("iri", "read"),
    [
        ("http://www.w3.org/ns/dcat#endDate", "dcat:endDate"),
        ("https://a.example/Bev%C3%B6lkerung%2C%20Bauen", "https://a.example/Bevölkerung, Bauen"),
        ("https://a.example/%FF", "https://a.example/%FF"),
        ("https://a.example/%E2%80%AEgnp", "https://a.example/%E2%80%AEgnp"),
    ],
)
def test_an_iri_without_a_name_is_spelt_as_far_as_it_can_be_read(iri: str, read: str) -> None:
    assert short(iri) == read
