"""Dashboards and reports print on A4: nothing is cut off at the edge of the paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

# A4 less the margins of the style sheet (16 mm), in CSS pixels.
UPRIGHT, WIDE = (round((side - 2 * 16) / 25.4 * 96) for side in (210, 297))
CUT = """() => [...document.querySelectorAll('main *:not(.hidden, .hidden *)')].filter(e =>
  e.getBoundingClientRect().right > document.documentElement.clientWidth + 1
  || ['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX)
    && e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("lang", ["es", "eu", "en"])
@pytest.mark.parametrize("path", ["", "/cultura-gobernanza", "/cultura-gobernanza/report"])
def test_no_table_is_cut_on_paper(open_page: Callable[..., Any], lang: str, path: str) -> None:
    tab = open_page(f"/{lang}/dashboards{path}", UPRIGHT if "report" in path else WIDE).tab
    tab.emulate_media(media="print")
    assert tab.evaluate(CUT) == []
    printed = tab.pdf(prefer_css_page_size=True)
    sides = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert {float(width) > float(height) for width, height in sides} == {"report" not in path}
    assert 1 <= len(sides) <= 6
