"""Nonsense asked of every page: a right status, a page in its language, nothing of our inside."""

from __future__ import annotations

import re

import httpx
import pytest
from gallery import DEMO, Shown
from serving import Served

from bilbaokg.terms import LANGUAGES

NONSENSE = (
    "page=-1", "page=999999999999", "page=%D9%A3", "q=" + "a" * 4000, "q=%00", "q=%ff%fe",
    "as_of=2026-99-99", "as_of=%3Cscript%3E", "as_of=r999", "incoming=x", "files=0",
    "iri=" + "x" * 3000, "view=%00", "month=13", "run=1&saved=..%2F..%2Fetc", "lang=xx",
    "sort=;drop", "upstream=-1&downstream=x", "expand_upstream=%00", "severity=%27", "%00=%ff",
)  # fmt: skip
FINE = {200, 303, 307, 308, 400, 401, 403, 404, 409, 410, 413, 414, 422}
# One page of every route.
PAGES = {shown.route: shown for shown in reversed(DEMO.values()) if not shown.signed}


def asked(server: Served, path: str) -> httpx.Response:
    return server.client.get(path, headers={"Accept": "text/html"})


@pytest.mark.parametrize("shown", PAGES.values(), ids=list(PAGES))
def test_page_bears_nonsense(server: Served, shown: Shown) -> None:
    path = shown.path.partition("?")[0]
    for number, words in enumerate(NONSENSE):
        lang = LANGUAGES[number % len(LANGUAGES)]
        answer = asked(server, f"/{lang}{path}?{words}")
        assert answer.status_code in FINE, words
        if answer.headers.get("content-type", "").startswith("text/html"):
            assert f'<html lang="{lang}"' in answer.text, words
            assert not re.search(r"Traceback|site-packages|\.py\b|<script>", answer.text), words


@pytest.mark.parametrize("path", ["/xx/", "/ES/datasets", "/fr/dataset/x", "/es/%2e%2e/%2e%2e/etc"])
def test_unknown_languages_and_places_are_not_found(server: Served, path: str) -> None:
    assert asked(server, path).status_code in (400, 404)


def test_absurd_addresses_are_refused_and_the_server_goes_on(server: Served) -> None:
    assert asked(server, "/es/" + "a/" * 3000).status_code in (404, 414, 431)
    assert asked(server, "/es/dataset/" + "a" * 7000).status_code in (404, 414, 431)
    assert asked(server, "/es/").status_code == 200
