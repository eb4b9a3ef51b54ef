"""Every page of the table over a catalogue full of payloads: nothing runs, leads astray or sticks
out, and every page answers as it does over the demo."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import payloads
import pytest
from gallery import DEMO, Shown
from looking import Watched, faults_of_layout, faults_of_structure, picture
from serving import Served, served, token

from bilbaokg import render

pytestmark = [pytest.mark.browser]

PAGES = DEMO | {name: Shown("", path) for name, path in payloads.EXTRA.items()}

# The gate refuses such a release, so there is nothing to rehearse.
PAGES["rehearsal"] = DEMO["rehearsal"]._replace(state="error", status=409)


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(payloads.made(tmp_path_factory.mktemp("payloads") / "data")) as running:
        yield running


@pytest.fixture(scope="module")
def watched(browser: Any, spoiled: Served) -> Iterator[Watched]:
    with browser.new_context(extra_http_headers=token(spoiled.data, "read")) as context:
        yield Watched(context.new_page(), spoiled.url)


@pytest.mark.parametrize("name", [name for name in PAGES if PAGES[name].status != 401])
def test_nothing_of_a_payload_runs_leads_astray_or_sticks_out(watched: Watched, name: str) -> None:
    shown, tab, found = PAGES[name], watched.tab, []
    for lang, width in zip(render.languages(), (320, 1280, 320), strict=True):
        tab.set_viewport_size({"width": width, "height": 900})
        answer = tab.goto(f"{watched.home}/{lang}{shown.path}")
        wrong = [] if answer.status == shown.status else [f"status {answer.status}"]
        wrong += [*faults_of_structure(tab, lang), *faults_of_layout(tab)]
        if tab.evaluate(f"typeof {payloads.FLAG}") != "undefined":
            wrong.append("a payload ran")
        wrong += watched.taken(shown.status)
        found += [f"{lang} {width} px: {fault}" for fault in wrong]
    picture(tab, f"payloads/{name}", whole=False)
    assert found == []


def test_the_payloads_are_shown_and_not_left_out(watched: Watched) -> None:
    watched.tab.goto(f"{watched.home}/es/datasets")
    text = watched.tab.inner_text("main")
    assert sum(payload.strip() in text for payload in payloads.TEXTS if payload.isprintable()) > 5
