"""Every page in every state, language and width: nothing is wrong with any of them.

A page is opened once a language; what it says is then looked at in both widths and, where it looks
otherwise than before, in light and dark; in the first language on paper, too.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gallery import AWAY, BARE, DEMO, NO_PAGES, Shown, page_routes
from looking import (
    Examined,
    Watched,
    faults_of_layout,
    faults_of_outline,
    faults_of_print,
    faults_of_structure,
    picture,
)
from serving import CATALOGUE, Served, initialise, load, operate, published, served, token
from sites import Site

from bilbaokg import render, settings
from bilbaokg.server import create_app
from bilbaokg.server.context import Context
from bilbaokg.workers import Pool
from bilbaokg.workspace import Workspace

pytestmark = [pytest.mark.browser]

PHONE, DESK = 320, 1280
# What a screen reader makes of these is asked, too.
OUTLINED = frozenset((
    "home", "found", "datasets", "rows", "dataset", "unit", "term", "glossary", "principles",
    "roles", "lineage", "dashboards", "monthly", "validation", "release", "history", "query",
    "answer", "answer-bars", "help", "missing",
))  # fmt: skip


@pytest.fixture(scope="module")
def examined() -> Examined:
    return Examined()


@pytest.fixture(scope="module")
def tabs(browser: Any, server: Served) -> Iterator[dict[bool, Watched]]:
    """Two tabs for all pages: that of everybody, and that of a reader with a token."""
    signed = browser.new_context(extra_http_headers=token(server.data, "read"))
    contexts = {False: browser.new_context(), True: signed}
    yield {who: Watched(context.new_page(), server.url) for who, context in contexts.items()}
    for context in contexts.values():
        context.close()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(initialise(tmp_path_factory.mktemp("bare") / "data")) as running:
        yield running


@pytest.fixture(scope="module")
def portal() -> Iterator[Site]:
    """Another portal, which tells the title of one thing and has forgotten the other."""
    made = Site()
    turtle = f"<{made.url('/air')}> <http://purl.org/dc/terms/title> 'Aire'@es, 'Air'@en ."
    made.pages |= {
        "/air": (200, {"Content-Type": "text/turtle"}, turtle.encode()),
        "/gone": (410, {}, b""),
    }
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory, portal: Site) -> Iterator[Served]:
    """A catalogue with a dataset that comes from the other portal."""
    data = initialise(tmp_path_factory.mktemp("derived") / "data")
    ends = ", ".join(f"<{portal.url(path)}>" for path in portal.pages)
    noise = "<https://data.example/id/dataset/noise>"
    load(data, f"{CATALOGUE} {noise} <http://www.w3.org/ns/prov#wasDerivedFrom> {ends} .")
    # A command, as the browser's event loop lets no other begin here.
    here = ("--private-host", f"127.0.0.1:{portal.port}", "--pause", "0")
    command = [sys.executable, "-m", "bilbaokg", "--quiet", "--data", data, "lineage", "titles"]
    subprocess.run([*command, *here], check=True)
    operate(data, "release.publish", id=operate(data, "release.build", unchecked=True)["id"])
    with served(data) as running:
        yield running


def faults(watched: Watched, shown: Shown, examined: Examined, name: str) -> list[str]:
    """What is wrong with a page, in each language and width."""
    tab, found = watched.tab, []
    for lang in render.languages():
        first = lang == render.DEFAULT_LANGUAGE
        answer = tab.goto(f"{watched.home}/{lang}{shown.path}")
        wrong = [] if answer.status == shown.status else [f"status {answer.status}"]
        wrong += faults_of_structure(tab, lang)
        if shown.state == "empty" and not tab.locator("main :is(a[href], code)").count():
            wrong.append("it does not say what next")
        # Opened as wide as it was left, then in the other width.
        opened = tab.viewport_size["width"]
        for turn, width in enumerate(sorted((DESK, PHONE), key=lambda each: each != opened)):
            tab.set_viewport_size({"width": width, "height": 900})
            around = [*faults_of_layout(tab), *examined.faults(tab, again=turn > 0)]
            if width == DESK and name in OUTLINED:
                around += faults_of_outline(tab, lang)
            if first:
                picture(tab, f"pages/{name}-{width}")
            wrong += [f"{width} px: {fault}" for fault in around]
        wrong += faults_of_print(tab) if first else []
        wrong += watched.taken(shown.status)
        found += [f"{lang}: {fault}" for fault in wrong]
    return found


@pytest.mark.parametrize("name", DEMO)
def test_page_is_sound_in_every_language_and_width(
    tabs: dict[bool, Watched], examined: Examined, name: str
) -> None:
    assert faults(tabs[DEMO[name].signed], DEMO[name], examined, name) == []


@pytest.mark.parametrize("name", BARE)
def test_page_without_a_release_is_sound(
    browser: Any, bare: Served, examined: Examined, name: str
) -> None:
    with browser.new_context() as context:
        watched = Watched(context.new_page(), bare.url)
        assert faults(watched, BARE[name], examined, name) == []


@pytest.mark.parametrize("name", AWAY)
def test_page_of_what_is_elsewhere_is_sound(
    browser: Any, derived: Served, portal: Site, examined: Examined, name: str
) -> None:
    shown = AWAY[name]._replace(path=AWAY[name].path.replace("{portal}", portal.url("")))
    with browser.new_context() as context:
        watched = Watched(context.new_page(), derived.url)
        assert faults(watched, shown, examined, name) == []


BAD = """<html lang="xx"><head><title>x</title></head><body text="#aaa" bgcolor="#fff">
<nav class="langs"><a hreflang="es" href="javascript:alert(1)">a</a></nav>
<h1></h1><img src="x" onerror=""><p lang="??">grey words</p><p><input></p>
<img width="2000" alt="c"><script>console.log('ran')</script></body></html>"""


def test_what_is_wrong_is_found(tabs: dict[bool, Watched]) -> None:
    watched = tabs[False]
    watched.tab.goto(watched.home)
    watched.tab.evaluate("text => { document.open(); document.write(text); document.close() }", BAD)
    told = [
        fault
        for faults in (faults_of_structure(watched.tab, "es"), faults_of_layout(watched.tab),
                       faults_of_outline(watched.tab, "es"))
        for fault in faults
    ]  # fmt: skip
    watched.tab.wait_for_load_state()
    found = "\n".join([*told, *Examined().faults(watched.tab), *watched.taken()])
    for fault in (
        "its language is xx", "not one heading", "title: x", "does not skip", "skips to nothing",
        "leads to <a", "does not belong here: <img", "an attribute that runs", "no address in es",
        "its landmarks are", "lacks a navigation", "too wide",
        "axe: image-alt", "axe: label", "light: axe: color-contrast",
    ):  # fmt: skip
        assert fault in found, fault
    # The policy of the page still stands: the script did not run, and that was noted.
    assert "Content Security Policy" in found
    assert "ran" not in found.split()


def test_one_faint_word_is_found_on_a_page_that_is_known(tabs: dict[bool, Watched]) -> None:
    tab, examined = tabs[False].tab, Examined()
    tab.goto(f"{tabs[False].home}/es/help")
    assert examined.faults(tab) == examined.faults(tab, again=True) == []
    tab.evaluate("[...document.querySelectorAll('main p')].at(-1).style.color = '#888'")
    found = " ".join(examined.faults(tab, again=True))
    assert "light: axe: color-contrast: <p style" in found


# ---- the table is complete


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The routes of the application below each language."""
    data: Path = published(tmp_path_factory.mktemp("routes") / "data")
    known = settings.read(data)
    with Pool(1) as pool, Workspace(data, known) as workspace:
        context = Context(data, known, workspace.releases, pool, workspace.accounts, workspace)
        app = create_app(context)
        return {lang: page_routes(app, lang) for lang in render.languages()}


def test_every_route_of_the_application_is_shown(routes: dict[str, set[str]]) -> None:
    shown = {each.route for each in DEMO.values()}
    for lang, known in routes.items():
        assert known == shown | NO_PAGES.keys(), lang


def test_every_route_is_shown_as_it_should_be_and_with_what_may_be_wrong_of_its_address() -> None:
    states = {each.route: {e.state for e in DEMO.values() if e.route == each.route}
              for each in DEMO.values()}  # fmt: skip
    assert [route for route, found in states.items() if "normal" not in found] == []
    named = {route: found for route, found in states.items() if "{" in route}
    assert [route for route, found in named.items() if "error" not in found] == []


def test_what_is_outlined_is_in_the_table() -> None:
    assert DEMO.keys() >= OUTLINED


def test_the_state_of_a_page_goes_with_its_status() -> None:
    fitting = {"normal": {200}, "empty": {200}, "gone": {410}, "error": set(range(400, 600))}
    for name, each in (DEMO | BARE | AWAY).items():
        assert each.status in fitting[each.state], name
