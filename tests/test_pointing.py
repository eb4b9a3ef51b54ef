"""What points to a resource, and the menu of narrow screens, over a real server."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from serving import BASE, CATALOGUE, published, served

MANY = 1200
CITY = (
    CATALOGUE
    + "".join(
        f'<{BASE}/id/service/s{n}> a dcat:DataService ; dct:title "Service {n:04}"@en ;'
        f" dcat:endpointURL <https://s.example/{n}> ; dct:creator <{BASE}/id/agent/hub> .\n"
        for n in range(MANY)
    )
    + f'<{BASE}/id/agent/hub> a foaf:Agent ; foaf:name "Hub"@en .\n'
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with served(published(tmp_path_factory.mktemp("many") / "data", CITY)) as server:
        server.client.headers["Accept"] = "text/html"
        yield server.client


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_thousands_that_point_to_a_resource_come_in_pages(site: httpx.Client) -> None:
    seen: set[str] = set()
    path = "/en/agent/hub"
    for _ in range(MANY // 200):
        page = site.get(path).text
        assert len(page) < 60_000
        found = set(re.findall(r'href="/en/service/(s\d+)"', page))
        assert not found & seen
        seen |= found
        following = re.findall(r'rel="next" href="([^"]*)"', page)
        path = html.unescape(following[0]) if following else ""
    assert not path
    assert len(seen) == MANY
    assert "What points here 1,200" in words(site.get("/en/agent/hub").text)


def test_what_is_only_named_has_pages_too(site: httpx.Client) -> None:
    service = quote("http://www.w3.org/ns/dcat#DataService", safe="")
    page = site.get(f"/en/iri?iri={service}&incoming=2").text
    assert f"iri={service}&amp;incoming=3#incoming" in page
    assert "Page 2 of 6" in words(page)


@pytest.mark.parametrize("number", ["0", "-1", "x", "999999", "1e3"])
def test_page_beyond_the_end_is_the_last_and_nonsense_the_first(
    site: httpx.Client, number: str
) -> None:
    page = words(site.get(f"/en/agent/hub?incoming={number}").text)
    assert ("Page 6 of 6" if number == "999999" else "Page 1 of 6") in page


def test_menu_of_a_narrow_screen_has_the_same_sections(site: httpx.Client) -> None:
    page = site.get(f"/es/iri?iri={BASE}/id/agent/hub", follow_redirects=True).text
    wide = page.partition('<nav class="wrap main"')[2].partition("</nav>")[0]
    narrow = page.partition('<details class="wrap menu">')[2].partition("</details>")[0]
    sections = re.findall(r'href="([^"]*)"', wide)
    assert len(sections) == 9
    assert re.findall(r'href="([^"]*)"', narrow) == sections
