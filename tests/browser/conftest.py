"""A real browser on a real server with the demo catalogue; skipped where there is no chromium."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import demo_release
from looking import Watched
from serving import Served, served

BROWSERS = [
    os.environ.get("BILBAOKG_BROWSER", ""),
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(demo_release.copied(tmp_path_factory)) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Chromium: BILBAOKG_BROWSER, or what the system has."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, (shutil.which(name) for name in BROWSERS if name)), None)
    if not path:
        pytest.skip("no chromium found; set BILBAOKG_BROWSER")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


Open = Callable[..., Watched]


@pytest.fixture
def open_page(browser: object, server: Served) -> Iterator[Open]:
    """Open a path of the site: width, with or without JavaScript, light or dark."""
    contexts = []

    def opened(
        path: str, width: int = 1280, *, script: bool = False, dark: bool = False
    ) -> Watched:
        context = browser.new_context(  # type: ignore[attr-defined]
            viewport={"width": width, "height": 900},
            java_script_enabled=script,
            color_scheme="dark" if dark else "light",
        )
        contexts.append(context)
        watched = Watched(context.new_page(), server.url)
        watched.tab.goto(server.url + path)  # type: ignore[attr-defined]
        return watched

    yield opened
    for context in contexts:
        context.close()
