"""What a screen reader makes of the main pages: landmarks in order, names for tables, regions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from gallery import DEMO
from serving import Served

from bilbaokg import render

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MAIN = (
    "home", "found", "datasets", "rows", "dataset", "unit", "term", "glossary", "principles",
    "roles", "lineage", "dashboards", "monthly", "validation", "release", "history", "query",
    "answer", "answer-bars", "help", "missing",
)  # fmt: skip


@pytest.fixture(scope="module")
def tab(browser: Any) -> Any:
    with browser.new_context() as context:
        yield context.new_page()


@pytest.mark.parametrize("name", MAIN)
def test_page_has_its_landmarks_one_heading_and_named_tables(
    tab: Any, server: Served, name: str
) -> None:
    for lang in render.languages():
        tab.goto(f"{server.url}/{lang}{DEMO[name].path}")
        told = tab.locator("body").aria_snapshot()
        skip = render.translate("site.skip", lang)
        outline = re.findall(r'^- (\w+(?: "[^"]*")?)', told, re.M)
        assert outline == [f'link "{skip}"', "banner", "main", "contentinfo"], lang
        banner = told.partition("- banner:")[2].partition("- main:")[0]
        for text in ("site.languages", "site.sections"):
            assert f'- navigation "{render.translate(text, lang)}"' in banner, lang
        assert len(re.findall(r"heading .*\[level=1\]", told)) == 1, lang
        unnamed = re.findall(r"^\s*- (table|navigation|region):?$", told, re.M)
        assert unnamed == [], lang
