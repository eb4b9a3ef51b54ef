"""The site in a real browser: forms without JavaScript, the keyboard, print."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from gallery import DEMO

pytestmark = [pytest.mark.browser]

Open = Callable[..., Any]


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
    tab.locator("input[type=checkbox][value$=TRAN]").check()
    with tab.expect_navigation():
        tab.get_by_role("button", name="Aplicar").first.click()
    assert "theme=" in tab.url
    assert tab.inner_text("#results") != everything
    assert tab.locator("input[type=checkbox][value$=TRAN]").is_checked()
    with tab.expect_navigation():
        tab.get_by_role("link", name="Tema: Transporte").click()
    assert tab.inner_text("#results") == everything


def test_query_is_edited_and_run(open_page: Open) -> None:
    tab = open_page("/es/sparql").tab
    tab.get_by_label("Consulta SPARQL").fill("ASK { ?s ?p ?o }")
    tab.get_by_role("button", name="Ejecutar").click()
    assert tab.inner_text("#answer .figure") == "Sí"


def test_language_switch_keeps_the_page(open_page: Open) -> None:
    tab = open_page("/es/datasets?q=bus").tab
    with tab.expect_navigation():
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
    tab.wait_for_url("**#main")


@pytest.mark.parametrize("name", ["home", "datasets", "dataset", "answer"])
def test_keyboard_passes_every_control_and_leaves(open_page: Open, name: str) -> None:
    tab = open_page(f"/es{DEMO[name].path}", script=True).tab
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
