"""The site in a real browser: layout, policy, accessibility, forms without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

RUN = "run=1&query=SELECT+*+%7B+%3Fs+%3Fp+%3Fo+%7D+LIMIT+20"
BUS = "https://bilbaokg.example/id/table/bus-mart-gtfs"
PATHS = {
    "home": "/es/",
    "search": "/es/search",
    "found": "/es/search?q=aire",
    "unfound": "/eu/search?q=contaminasion+xyz",
    "mention": "/es/iri?iri=http://publications.europa.eu/resource/authority/file-type",
    "datasets": "/es/datasets",
    "matches": "/en/datasets?q=district",
    "filtered": "/es/datasets?q=bus&gap=steward&area=x",
    "nothing": "/es/datasets?q=zzzz",
    "dataset": "/es/dataset/bilbobus-gtfs",
    "basque": "/eu/dataset/intensidad-trafico",
    "distribution": "/es/distribution/bilbobus-gtfs-zip",
    "unit": "/es/unit/movilidad-sostenibilidad",
    "principle": "/es/principle/responsable",
    "principles": "/eu/principle",
    "roles": "/en/roles",
    "council": "/eu/agent/ayuntamiento-bilbao",
    "table": "/es/table/bus-mart-gtfs",
    "help": "/eu/help",
    "accessibility": "/es/accessibility",
    "legal": "/en/legal",
    "tour": "/es/tour",
    "dashboards": "/es/dashboards",
    "dashboard": "/en/dashboards/movilidad-sostenibilidad",
    "lineage": "/es/lineage?q=bus",
    "impact": f"/en/lineage?iri={quote(BUS)}&downstream=all",
    "glossary": "/es/concept",
    "terms": "/en/concept?q=air",
    "term": "/eu/concept/contaminante",
    "validation": "/es/validation",
    "releases": "/es/releases",
    "release": "/es/releases/r2",
    "history": "/eu/dataset/intensidad-trafico/history",
    "past": "/en/dataset/intensidad-trafico?as_of=r1",
    "past-list": "/es/datasets?q=bus&as_of=r1",
    "none": "/es/unit?q=zzzz",
    "query": "/es/sparql",
    "answer": f"/es/sparql?{RUN}",
}
WRONG = {
    "before": "/eu/datasets?as_of=2001-01-01",
    "missing": "/es/dataset/nada",
    "fault": "/es/sparql?run=1&query=SELEC",
}
# What sticks out to the right, unless something around it scrolls by itself.
OVERFLOW = """() => {
  const limit = document.documentElement.clientWidth;
  const scrolls = e => e && (['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX)
    || scrolls(e.parentElement));
  const wide = [...document.querySelectorAll('body *')].filter(e =>
    e.getBoundingClientRect().right > limit + 1 && !scrolls(e.parentElement));
  const page = document.documentElement.scrollWidth > limit ? ['the page scrolls'] : [];
  return [...page, ...wide.map(e => e.outerHTML.slice(0, 120))];
}"""

Open = Callable[..., Any]


@pytest.fixture(params=[*PATHS, *WRONG])
def path(request: pytest.FixtureRequest) -> str:
    return (PATHS | WRONG)[request.param]


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_is_wider_than_the_screen(open_page: Open, path: str, width: int) -> None:
    assert open_page(path, width, script=True).tab.evaluate(OVERFLOW) == []


@pytest.mark.parametrize("name", PATHS)
def test_no_policy_error_and_no_foreign_request(open_page: Open, name: str) -> None:
    watched = open_page(PATHS[name], script=True)
    assert watched.messages == []
    assert watched.foreign == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing(open_page: Open, path: str, width: int, dark: bool) -> None:
    package = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    source = next(Path(package.__file__).parent.rglob("axe.min.js")).read_text("utf-8")
    tab = open_page(path, width, script=True, dark=dark).tab
    # The policy of the site forbids inline scripts, so axe is evaluated, not inserted.
    tab.evaluate(source)
    found = tab.evaluate("() => axe.run().then(result => result.violations)")
    assert [(v["id"], [n["html"][:150] for n in v["nodes"]][:5]) for v in found] == []


# ---- without JavaScript


def test_search_from_home_finds_datasets(open_page: Open) -> None:
    tab = open_page("/es/").tab
    tab.fill("#q", "ruido")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/es/search?q=ruido")
    tab.get_by_role("link", name="en la lista de conjuntos de datos").click()
    tab.wait_for_url("**/es/datasets?q=ruido")
    assert "ruido" in tab.inner_text("main").lower()


def test_filters_are_chosen_applied_and_taken_away(open_page: Open) -> None:
    tab = open_page("/es/datasets").tab
    everything = tab.inner_text("#results")
    tab.locator("input[name=theme][value$=TRAN]").check()
    tab.get_by_role("button", name="Aplicar").first.click()
    assert "theme=" in tab.url
    assert tab.inner_text("#results") != everything
    assert tab.locator("input[name=theme][value$=TRAN]").is_checked()
    tab.get_by_role("link", name="Tema: Transporte").click()
    assert tab.inner_text("#results") == everything


def test_query_is_edited_and_run(open_page: Open) -> None:
    tab = open_page("/es/sparql").tab
    tab.get_by_label("Consulta SPARQL").fill("ASK { ?s ?p ?o }")
    tab.get_by_role("button", name="Ejecutar").click()
    assert tab.inner_text("#answer .figure") == "Sí"


def test_language_switch_keeps_the_page(open_page: Open) -> None:
    tab = open_page("/es/datasets?q=bus").tab
    tab.get_by_role("link", name="English").click()
    assert tab.url.endswith("/en/datasets?q=bus")
    assert tab.inner_text("h1") == "Datasets"


def test_all_statements_open_without_javascript(open_page: Open) -> None:
    tab = open_page("/es/dataset/bilbobus-gtfs").tab
    assert not tab.is_visible("table.raw >> nth=0")
    tab.click("#statements > summary")
    assert tab.is_visible("table.raw >> nth=0")


def test_menu_of_a_narrow_screen_opens_without_javascript(open_page: Open) -> None:
    tab = open_page("/es/datasets", 320).tab
    assert not tab.is_visible("header nav.main")
    section = tab.locator(".menu nav").get_by_role("link", name="Glosario")
    assert not section.is_visible()
    tab.click(".menu summary")
    section.click()
    tab.wait_for_url("**/es/concept")
    assert not open_page("/es/datasets").tab.is_visible(".menu")


# ---- keyboard


def test_first_stop_of_the_keyboard_skips_to_the_content(open_page: Open) -> None:
    tab = open_page("/es/datasets", script=True).tab
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    tab.keyboard.press("Enter")
    assert tab.evaluate("location.hash") == "#main"


@pytest.mark.parametrize("name", ["home", "datasets", "dataset", "answer"])
def test_keyboard_passes_every_control_and_leaves(open_page: Open, name: str) -> None:
    tab = open_page(PATHS[name], script=True).tab
    stops = tab.evaluate(
        "() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, "
        "textarea, summary, [tabindex], .editor')].filter(e => e.checkVisibility()).length"
    )
    places = set()
    # A field of a date is several stops.
    for _ in range(2 * stops):
        tab.keyboard.press("Tab")
        if places and tab.evaluate("document.activeElement.matches('body, .skip')"):
            break
        places.add(tab.evaluate("[...document.all].indexOf(document.activeElement)"))
    else:
        pytest.fail("the keyboard does not leave the page")
    assert len(places) >= stops


def test_page_prints_without_its_controls(open_page: Open) -> None:
    tab = open_page("/es/dataset/bilbobus-gtfs", script=True).tab
    tab.emulate_media(media="print")
    assert not tab.is_visible("header.site nav.main")
    assert not tab.is_visible("form")
    assert tab.is_visible("h1")


def test_list_prints_its_results_and_not_its_filters(open_page: Open) -> None:
    tab = open_page("/es/datasets", script=True).tab
    tab.emulate_media(media="print")
    assert tab.is_visible("article.card >> nth=0")
    assert not tab.is_visible(".facets")


def test_footer_stands_at_the_foot_of_a_short_page(open_page: Open) -> None:
    tab = open_page("/es/releases/r1", script=True).tab
    foot = tab.evaluate("document.querySelector('footer').getBoundingClientRect().bottom")
    assert foot >= tab.evaluate("innerHeight") - 1
