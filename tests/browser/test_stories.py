"""The four uses as their users go through them, with and without scripts."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from looking import Watched
from serving import CATALOGUE, initialise, served

pytestmark = [pytest.mark.browser]
Open = Callable[..., Any]
scripts = pytest.mark.parametrize("script", [False, True], ids=["plain", "scripts"])


def follow(tab: Any, name: str, role: str = "link", *, exact: bool = False) -> None:
    """Press what leads to another page, and wait until that has been read whole."""
    with tab.expect_navigation():
        tab.get_by_role(role, name=name, exact=exact).first.click()


@scripts
def test_somebody_finds_a_dataset_and_who_looks_after_it(open_page: Open, script: bool) -> None:
    tab = open_page("/es/", script=script).tab
    tab.fill("#q", "calidad del aire")
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    follow(tab, "Calidad del aire: resumen diario")
    answers = tab.locator("aside, .cols").get_by_text("Responsable del cuidado").first
    assert answers.is_visible()
    follow(tab, "Área de Salud y Consumo")
    assert tab.inner_text("h1") == "Área de Salud y Consumo"
    assert tab.get_by_role("link", name="Calidad del aire: resumen diario").first.is_visible()


@scripts
def test_a_steward_asks_what_breaks_if_a_source_goes(open_page: Open, script: bool) -> None:
    tab = open_page("/es/lineage", script=script).tab
    tab.fill("main input[type=search]", "aire")
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    follow(tab, "Aire: lecturas recibidas (en bruto)")
    tab.select_option("#downstream", "all")
    follow(tab, "Mostrar", "button")
    rows = tab.locator("[aria-labelledby=side-downstream] tbody tr")
    assert rows.count() > 5
    # Each says who owns it, or that nobody does.
    owners = tab.locator("[aria-labelledby=side-downstream] td[data-label=Propietario]")
    assert all(text.strip() for text in owners.all_inner_texts())
    with tab.expect_download() as taken:
        tab.locator("[aria-labelledby=side-downstream] a[download]").click()
    with taken.value.path().open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == rows.count()


@scripts
def test_an_analyst_asks_keeps_and_downloads(open_page: Open, script: bool) -> None:
    tab = open_page("/en/sparql", script=script).tab
    follow(tab, "Datasets by theme")
    follow(tab, "Bars")
    kept = tab.get_by_role("link", name="a link to this query and its answer")
    # The link is that of the public address.
    path = kept.get_attribute("href").partition("/en/")[2]
    address = f"{tab.url.partition('/en/')[0]}/en/{path}"
    shown = tab.locator("table.answer tbody tr").count()
    assert shown > 5
    with tab.expect_download() as taken:
        # A browser shows text of its own; a person saves it.
        tab.locator("#answer").get_by_role("link", name="CSV").click(modifiers=["Alt"])
    assert len(taken.value.path().read_text().splitlines()) == shown + 1
    tab.goto(address)
    assert tab.locator("table.answer tbody tr").count() == shown


# Use: what is pressed from the home page on, three times at most, and what is then read.
USES = {
    "who looks after a dataset": (
        (
            ("link", "Intensidad de tráfico por punto de aforo"),
            ("link", "Área de Movilidad y Sostenibilidad"),
        ),
        "h1 >> text=Área de Movilidad y Sostenibilidad",
    ),
    "an answer to a query": (
        (
            ("link", "Hacer una consulta SPARQL"),
            ("link", "Conjuntos de datos por tema"),
        ),
        "#answer table.answer",
    ),
    "why something was held back": (
        (("link", "Validación de la versión"),),
        "#held >> text=le falta «descripción»",
    ),
    "what breaks if a source goes": (
        (("link", "Linaje"), ("link", "Aire: lecturas recibidas (en bruto)")),
        "[aria-labelledby=side-downstream] tbody tr >> nth=0",
    ),
}


@pytest.mark.parametrize("use", USES)
def test_each_use_is_three_clicks_from_the_home_page(open_page: Open, use: str) -> None:
    tab = open_page("/es/").tab
    clicks, read = USES[use]
    assert len(clicks) <= 3
    for role, name in clicks:
        follow(tab, name, role, exact=True)
    assert tab.is_visible(read)


def command(data: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "bilbaokg", "--data", data, "--lang", "en", *words],
        capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_publisher_sees_why_a_release_is_stopped_and_mends_it(
    browser: Any, tmp_path: Path
) -> None:
    data, file = initialise(tmp_path / "data"), tmp_path / "catalogue.ttl"
    file.write_text(CATALOGUE.replace('dct:title "Ruido"@es ; ', ""))
    assert command(data, "load", str(file))[0] == 0
    code, told = command(data, "release", "build")
    assert code == 1
    assert "title" in told
    assert command(data, "release", "build", "--waive", "to show it")[0] == 0
    assert command(data, "release", "publish")[0] == 0
    with served(data) as server:
        watched = Watched(browser.new_page(), server.url)
        tab = watched.tab
        tab.goto(f"{server.url}/en/validation")
        assert "to show it" in tab.inner_text("main")
        assert tab.locator("main").get_by_text("dct:title").first.is_visible()
        # Mended at the source, with the server running.
        file.write_text(CATALOGUE)
        for words in (("load", str(file)), ("release", "build"), ("release", "publish")):
            code, told = command(data, *words)
            assert code == 0, told
        tab.reload()
        assert tab.locator(".verdict.blocked, .verdict.waived").count() == 0
        tab.goto(f"{server.url}/en/releases/r2")
        assert "Ruido" in tab.inner_text("main")
        assert watched.messages == []
        assert watched.foreign == []
        tab.close()
