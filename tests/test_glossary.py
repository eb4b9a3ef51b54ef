"""The glossary over a real server: trees, circles, chains, and where terms are used."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import demo_release
import httpx
import pytest
from serving import BASE, CATALOGUE, published, served

ODD = (
    CATALOGUE
    + """
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix c: <https://data.example/id/concept/> .
<https://data.example/id/scheme/s> a skos:ConceptScheme ; dct:title "Odd"@en .
c:a a skos:Concept ; skos:prefLabel "A"@en ; skos:inScheme <https://data.example/id/scheme/s> ;
    skos:broader c:b .
c:b a skos:Concept ; skos:prefLabel "B"@en ; skos:inScheme <https://data.example/id/scheme/s> ;
    skos:broader c:a .
c:own a skos:Concept ; skos:prefLabel "Own"@en ; skos:inScheme <https://data.example/id/scheme/s> ;
    skos:broader c:own ; skos:related c:own .
c:top a skos:Concept ; skos:prefLabel "<i>Top</i>"@en ;
    skos:inScheme <https://data.example/id/scheme/s> ; skos:narrower c:two .
c:side a skos:Concept ; skos:prefLabel "Side"@en ;
    skos:inScheme <https://data.example/id/scheme/s> .
c:two a skos:Concept ; skos:prefLabel "Two"@en ; skos:inScheme <https://data.example/id/scheme/s> ;
    skos:broader c:side , c:missing .
c:free a skos:Concept ; skos:prefLabel "Free"@en .
<https://data.example/id/dataset/trees> dct:subject c:two .
"""
    + "".join(
        f'c:n{n} a skos:Concept ; skos:prefLabel "N{n}"@en ; skos:broader c:n{n - 1} .\n'
        for n in range(1, 300)
    )
    + 'c:n0 a skos:Concept ; skos:prefLabel "N0"@en .\n'
)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with served(published(tmp_path_factory.mktemp("odd") / "data", ODD)) as server:
        server.client.headers["Accept"] = "text/html"
        yield server.client


def words(page: str) -> str:
    main = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def depth_of(page: str, href: str) -> int:
    """How many lists are open where a term stands first."""
    before = page.partition('<ul class="tree">')[2].partition(f'href="{href}"')[0]
    return before.count("<ul>") - before.count("</ul>")


def test_terms_stand_below_their_broader_one_and_link_to_what_uses_them(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with served(demo_release.copied(tmp_path_factory)) as server:
        server.client.headers["Accept"] = "text/html"
        page = server.client.get("/en/concept").text
        assert "Pollutant" in words(page)
        glossary = page[page.index("Data glossary") :]
        assert depth_of(page, "/en/concept/no2") == 1
        assert "subject of 3 datasets" in glossary
        used = re.findall(r'href="([^"]*subject=[^"]*no2)"', page)
        assert "3 datasets" in words(server.client.get(html.unescape(used[0])).text)
        term = words(server.client.get("/en/concept/no2").text)
        assert "Broader Pollutant" in term
        assert "Datasets on this subject 3" in term


def test_tree_is_well_formed(odd: httpx.Client) -> None:
    page = odd.get("/en/concept").text
    assert page.count("<ul") == page.count("</ul>")
    assert len(re.findall(r"<li\b", page)) == page.count("</li>")


def test_terms_in_a_circle_are_shown_and_end(odd: httpx.Client) -> None:
    text = words(odd.get("/en/concept").text)
    assert re.search(r"\bA B A \(see above\)", text)
    assert "Own" in text
    for name in ("a", "b", "own"):
        assert odd.get(f"/en/concept/{name}").status_code == 200
    assert "Broader B" in words(odd.get("/en/concept/a").text)


def test_term_with_two_broader_ones_stands_below_both_and_names_both(odd: httpx.Client) -> None:
    page = odd.get("/en/concept").text
    assert page.count('href="/en/concept/two"') == 2
    text = words(odd.get("/en/concept/two").text)
    assert "<i>Top</i>" in text
    assert "Side" in text
    assert "missing" not in text.partition("What points here")[0]


def test_chain_of_any_depth_is_drawn_and_its_way_told(odd: httpx.Client) -> None:
    page = odd.get("/en/concept").text
    assert depth_of(page[page.index("In no vocabulary") :], "/en/concept/n200") <= 8
    text = words(odd.get("/en/concept/n299").text)
    assert "N0 › N1 › N2" in text


def test_labels_of_terms_stay_text(odd: httpx.Client) -> None:
    assert "<i>Top" not in odd.get("/en/concept").text
    assert "<i>Top" not in odd.get("/en/concept/two").text


def test_glossary_asked_for_words_is_a_list(odd: httpx.Client) -> None:
    text = words(odd.get("/en/concept?q=two").text)
    assert "1 record" in text
    assert f"{BASE}/id" not in text


# ---- more terms than fit a page

LARGE = (
    "@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n"
    f"<{BASE}/id/scheme/big> a skos:ConceptScheme ; dct:title 'Big'@en ."
    + "".join(
        f"<{BASE}/id/concept/{name}> a skos:Concept ; skos:prefLabel '{name.upper()}'@en ;"
        f" skos:inScheme <{BASE}/id/scheme/big> {above} .\n"
        for name, above in [
            *((f"top{n:03}", "") for n in range(250)),
            *((f"mid{n:04}", f"; skos:broader <{BASE}/id/concept/top000>") for n in range(1750)),
            ("leaf", f"; skos:broader <{BASE}/id/concept/mid1749>"),
        ]
    )
)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with served(published(tmp_path_factory.mktemp("large") / "data", CATALOGUE + LARGE)) as server:
        server.client.headers["Accept"] = "text/html"
        yield server.client


def test_large_vocabulary_opens_level_by_level_with_links_alone(large: httpx.Client) -> None:
    page = large.get("/en/concept").text
    assert "TOP000 1,750 narrower ones" in words(page)
    assert "MID" not in words(page)
    assert "/en/concept/top000" in page
    below = large.get("/en/concept/top000").text
    pages = re.findall(r'rel="next" href="([^"]+)"', below)
    assert pages == ["/en/concept/top000?narrower=2"]
    assert words(below).count("MID") == 200
    last = large.get("/en/concept/top000?narrower=999").text
    assert "MID1749 1 narrower" in words(last)
    assert "LEAF" in words(large.get("/en/concept/mid1749").text)


def test_terms_at_the_top_of_a_large_vocabulary_have_pages(large: httpx.Client) -> None:
    address = "/en/concept?tree=https%3A%2F%2Fdata.example%2Fid%2Fscheme%2Fbig"
    scheme = html.unescape(large.get("/en/scheme/big").text)
    found = re.findall(r'href="(/en/concept\?tree=[^"]+)"', scheme)
    first = large.get(found[0]).text
    assert words(first).count("TOP") == 200
    assert f'rel="next" href="{address}&amp;page=2"' in first
    assert words(large.get(f"{address}&page=2").text).count("TOP") == 50
    assert large.get("/en/concept?tree=nothing").status_code == 200
