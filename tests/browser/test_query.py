"""The SPARQL page in a browser: written with completion, run, mended, kept, downloaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from looking import Examined

from bilbaokg import render

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not render.has_asset("dist/sparql.js"), reason="npm did not build the editor"
    ),
]
Open = Callable[..., Any]
CONTENT = ".editor .cm-content"
FAULT = "/en/sparql?run=1&query=" + quote("SELECT * WHERE {\n  ?d dct:title\n}")
SELECTED = ".editor .cm-tooltip-autocomplete li[aria-selected=true]"


@pytest.fixture
def watched(open_page: Open) -> Any:
    page = open_page("/en/sparql", script=True)
    page.tab.wait_for_selector(CONTENT)
    return page


def write(tab: Any, text: str) -> None:
    """Type over what is in the editor."""
    tab.click(CONTENT)
    tab.keyboard.press("Control+a")
    tab.keyboard.type(text)


def complete(tab: Any, text: str, option: str) -> None:
    """Type a word and take the option, once the list for the whole of the word selects it."""
    tab.keyboard.type(text)
    tab.wait_for_selector(f"{SELECTED} >> text={option}")
    # What is pressed as soon as the list opens counts as typed, not as a choice.
    tab.wait_for_timeout(300)
    tab.keyboard.press("Enter")


def run(tab: Any) -> None:
    """Run the query by its keys; the page with the answer has then been read whole."""
    with tab.expect_navigation():
        tab.keyboard.press("Control+Enter")


def test_query_is_written_with_completion_run_by_keys_kept_and_downloaded(watched: Any) -> None:
    tab = watched.tab
    write(tab, "SELECT (COUNT(?s) AS ?n) { ?s a ")
    complete(tab, "dcat:Dataset", "dcat:Dataset")
    # The declaration that the taken term needs was written, too.
    assert tab.input_value("#query").startswith("PREFIX dcat: <http://www.w3.org/ns/dcat#>\n")
    run(tab)
    address, count = tab.url, tab.inner_text("#answer tbody td")
    assert int(count) > 20
    with tab.expect_download() as taken:
        tab.evaluate("document.querySelector('#answer a[href*=csv]').setAttribute('download', '')")
        tab.click("#answer a[href*=csv]")
    assert taken.value.path().read_text().split() == ["n", count]
    # The address gives the same again, and the browser remembers the query.
    tab.goto(address)
    assert tab.inner_text("#answer tbody td") == count
    tab.goto(address.partition("?")[0])
    tab.wait_for_selector(CONTENT)
    tab.click("#past button.past-query")
    assert "dcat:Dataset" in tab.input_value("#query")
    tab.click("#past button.clear")
    assert not tab.is_visible("#past")
    assert watched.messages == []
    assert watched.foreign == []


def test_what_was_typed_over_a_word_has_no_style_of_its_own(watched: Any) -> None:
    tab = watched.tab
    write(tab, "SELECT * { ?s ?p ?o }")
    tab.keyboard.press("Home")
    tab.keyboard.press("Control+Shift+ArrowRight")
    tab.keyboard.type("ASK ")
    assert tab.input_value("#query").startswith("ASK ")
    assert watched.messages == []


def test_terms_are_found_by_their_name_in_the_language_of_the_page(open_page: Open) -> None:
    tab = open_page("/es/sparql", script=True).tab
    tab.wait_for_selector(CONTENT)
    write(tab, "SELECT * { ?d ")
    complete(tab, "títul", "dct:title")
    assert "?d dct:title" in tab.input_value("#query")


def test_variables_of_the_query_are_completed(watched: Any) -> None:
    write(watched.tab, "SELECT ?dataset { ")
    complete(watched.tab, "?d", "?dataset")
    assert watched.tab.input_value("#query").startswith("SELECT ?dataset { ?dataset")


def test_after_prefix_the_declaration_is_written(watched: Any) -> None:
    write(watched.tab, "PREFIX ")
    complete(watched.tab, "sko", "skos")
    text = watched.tab.input_value("#query")
    assert text == "PREFIX skos: <http://www.w3.org/2004/02/skos/core#>"


def test_f8_goes_to_the_fault_and_tells_it(open_page: Open) -> None:
    tab = open_page(FAULT, script=True).tab
    tab.wait_for_selector(CONTENT)
    assert tab.get_by_role("link", name="Line 2, column 6").count() == 1
    tab.locator(CONTENT).focus()
    tab.keyboard.press("F8")
    tab.wait_for_selector(".cm-tooltip >> text=the prefix dct: is not declared")
    tab.keyboard.type("?p ?o")
    assert "  ?d ?p ?o\n" in tab.input_value("#query")


def test_editor_has_the_name_of_its_field(open_page: Open) -> None:
    tab = open_page("/eu/sparql", script=True).tab
    tab.wait_for_selector(CONTENT)
    assert tab.get_by_role("textbox", name="SPARQL kontsulta").count() == 1
    tab.click("label[for=query]")
    assert tab.evaluate("document.activeElement.className") == "editor"


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("state", ["completing", "fault"])
def test_axe_finds_nothing_in_the_editor(open_page: Open, state: str, width: int) -> None:
    page = open_page(FAULT if state == "fault" else "/es/sparql", width, script=True)
    page.tab.wait_for_selector(CONTENT)
    if state == "completing":
        write(page.tab, "SELECT * { ?d a dc")
        page.tab.wait_for_selector(SELECTED)
        assert page.messages == []
    assert Examined().faults(page.tab) == []
    assert page.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_fault_is_shown_at_its_place_and_the_summary_leads_there(watched: Any) -> None:
    tab = watched.tab
    write(tab, "SELECT ?s {\n?s a dcat:Nothing .\n?s ?p ?o")
    tab.keyboard.press("Escape")
    run(tab)
    assert tab.inner_text(".editor .cm-lintRange-error") == "dcat:Nothing"
    tab.click('.verdict a[href="#query"]')
    assert tab.evaluate("document.activeElement.className") == "editor"


def test_keyboard_leaves_the_editor(watched: Any) -> None:
    tab = watched.tab
    tab.click(CONTENT)
    assert tab.evaluate("document.activeElement.className") == "editor"
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.name") == "run"
    for _ in range(2):
        tab.keyboard.press("Shift+Tab")
    assert tab.evaluate("document.activeElement.className") != "editor"


def test_a_parameter_is_found_by_its_name(open_page: Open) -> None:
    tab = open_page("/es/sparql?saved=downstream&run=1", script=True).tab
    tab.get_by_label("Conjunto de datos, tabla o columna").press_sequentially("aire")
    tab.wait_for_selector("#p-resource-names option", state="attached")
    value = tab.get_attribute("#p-resource-names option", "value")
    tab.fill("#p-resource", value)
    with tab.expect_navigation():
        tab.click("form.fields button")
    assert f"<{value}>" in tab.input_value("#query")


def test_without_scripts_the_form_does_all_of_it(open_page: Open) -> None:
    tab = open_page("/es/sparql?saved=datasets-changed-since&run=1").tab
    tab.get_by_role("textbox", name="Desde").fill("2026-11-01")
    with tab.expect_navigation():
        tab.click("form.fields button")
    assert '"2026-11-01"' in tab.input_value("#query")
    tab.goto(tab.url.partition("?")[0] + "?saved=datasets-by-theme&run=1")
    with tab.expect_navigation():
        tab.get_by_role("link", name="Barras").click()
    assert (
        tab.locator("figure.chart tbody tr").count() == tab.locator("table.answer tbody tr").count()
    )
