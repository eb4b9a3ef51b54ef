"""Dashboards and reports print on A4: nothing is cut off, and tables are tables there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from looking import faults_of_print


@pytest.mark.parametrize("lang", ["es", "eu", "en"])
@pytest.mark.parametrize("path", ["", "/cultura-gobernanza", "/cultura-gobernanza/report"])
def test_no_table_is_cut_on_paper(open_page: Callable[..., Any], lang: str, path: str) -> None:
    tab = open_page(f"/{lang}/dashboards{path}").tab
    assert faults_of_print(tab) == []
    tab.emulate_media(media="print")
    assert tab.locator("table.stack thead").first.bounding_box()["height"] > 10
    printed = tab.pdf(prefer_css_page_size=True)
    sides = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert {float(width) > float(height) for width, height in sides} == {"report" not in path}
    assert 1 <= len(sides) <= 6
