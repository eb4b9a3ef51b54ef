"""Harvesting CKAN by its API, from a server that answers as its API guide says."""

from __future__ import annotations

from typing import Any

import pytest
from ckan_portal import JSON, Ckan, package
from harvests import counts, fails, harvest, said
from helpers import Catalogue
from sites import Site

from bilbaokg.errors import BadInput, BilbaokgError, SyntaxFault, UpstreamFault

SET_1 = "https://portal.example/dataset/00000001-0000-4000-8000-000000000000"
DCAT, DCT = "http://www.w3.org/ns/dcat#", "http://purl.org/dc/terms/"


def test_all_packages_come_page_by_page(catalogue: Catalogue, site: Site) -> None:
    portal = Ckan(site, [package(n) for n in range(250)])
    done = harvest(catalogue, portal.url)
    assert (done["kind"], done["pages"]) == ("ckan", 4)
    assert done["classes"]["dcat:Dataset"] == 250
    assert counts(harvest(catalogue, portal.url))[:2] == (0, 0)
    searches = [path for path in site.paths() if "rows=100" in path]
    assert searches[:3] == [
        f"/api/3/action/package_search?rows=100&start={n}&sort=id+asc" for n in (0, 100, 200)
    ]


def test_a_portal_that_gives_fewer_rows_than_asked_loses_none(
    catalogue: Catalogue, site: Site
) -> None:
    portal = Ckan(site, [package(n) for n in range(25)], rows_max=10)
    assert harvest(catalogue, portal.url)["classes"]["dcat:Dataset"] == 25


@pytest.mark.parametrize("tail", ["", "api/3", "api/3/action", "api/3/action/package_search"])
def test_any_address_of_the_api_will_do(catalogue: Catalogue, site: Site, tail: str) -> None:
    portal = Ckan(site, [package(1)])
    done = harvest(catalogue, portal.url + tail, kind="ckan")
    assert done["classes"]["dcat:Dataset"] == 1


def test_where_there_is_no_search_packages_are_asked_one_by_one(
    catalogue: Catalogue, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Ckan, "_package_search")
    portal = Ckan(site, [package(n) for n in range(3)])
    done = harvest(catalogue, portal.url)
    assert (done["pages"], done["classes"]["dcat:Dataset"]) == (5, 3)


def test_a_feed_of_the_portal_comes_before_its_api(catalogue: Catalogue, site: Site) -> None:
    portal = Ckan(site, [package(1)])
    body = b"<https://portal.example/d> a <http://www.w3.org/ns/dcat#Dataset> ."
    site.pages["/catalog.ttl"] = (200, {"Content-Type": "text/turtle"}, body)
    assert harvest(catalogue, portal.url)["kind"] == "dcat"


# ---- what a package says


def test_a_package_keeps_the_iris_of_the_portal(catalogue: Catalogue, site: Site) -> None:
    harvest(catalogue, Ckan(site, [package(1)]).url)
    assert said(catalogue, SET_1, f"{DCT}publisher") == ["<https://portal.example/organization/o1>"]
    assert said(catalogue, SET_1, f"{DCAT}theme") == ["<https://portal.example/group/ambiente>"]
    (file,) = said(catalogue, SET_1, f"{DCAT}distribution")
    assert file == f"<{SET_1}/resource/r1>"
    assert said(catalogue, "https://portal.example", f"{DCT}title") == ['"El portal"@es']


def test_a_package_says_in_dcat_what_it_said(catalogue: Catalogue, site: Site) -> None:
    done = harvest(catalogue, Ckan(site, [package(1)]).url)
    expected = {
        f"{DCT}title": ['"Conjunto 1"@es'],
        f"{DCT}description": ['"Qué es."@es'],
        f"{DCT}identifier": ['"00000001-0000-4000-8000-000000000000"'],
        f"{DCAT}keyword": ['"ruido"@es'],
        f"{DCT}modified": [
            '"2021-01-02T03:04:05.678901"^^<http://www.w3.org/2001/XMLSchema#dateTime>'
        ],
        f"{DCT}accrualPeriodicity": [
            "<http://publications.europa.eu/resource/authority/frequency/DAILY>"
        ],
    }
    assert {term: said(catalogue, SET_1, term) for term in expected} == expected
    file = f"{SET_1}/resource/r1"
    expected = {
        f"{DCAT}accessURL": ["<https://portal.example/1.csv>"],
        f"{DCAT}downloadURL": ["<https://portal.example/1.csv>"],
        f"{DCT}format": ["<http://publications.europa.eu/resource/authority/file-type/CSV>"],
        f"{DCAT}mediaType": ["<http://www.iana.org/assignments/media-types/text/csv>"],
        f"{DCT}license": ["<http://www.opendefinition.org/licenses/cc-by>"],
        f"{DCAT}byteSize": ['"120"^^<http://www.w3.org/2001/XMLSchema#nonNegativeInteger>'],
    }
    assert {term: said(catalogue, file, term) for term in expected} == expected
    assert "<mailto:datos@portal.example>" in catalogue.text(SET_1)
    # What has no place is told, not dropped in silence.
    assert "1 field of CKAN left out: DCAT has no place for desk (1)" in [
        problem["message"] for problem in done["problems"]
    ]


def test_texts_in_several_languages_keep_them(catalogue: Catalogue, site: Site) -> None:
    titles = {"es": "Ruido", "eu": "Zarata", "not a tag": "x"}
    harvest(catalogue, Ckan(site, [package(1, title_translated=titles)]).url)
    assert said(catalogue, SET_1, f"{DCT}title") == ['"Ruido"@es', '"Zarata"@eu']


def test_extras_name_iris_places_and_periods(catalogue: Catalogue, site: Site) -> None:
    extras = {
        "uri": "https://portal.example/id/noise", "temporal_start": "2019", "temporal_end":
        "2020-12-31", "spatial_uri": "http://publications.europa.eu/resource/authority/place/ESP_BIO",
        "theme": '["http://publications.europa.eu/resource/authority/data-theme/ENVI"]',
        "publisher_uri": "https://portal.example/id/council", "publisher_name": "Ayuntamiento",
    }  # fmt: skip
    listed = [{"key": key, "value": value} for key, value in extras.items()]
    harvest(catalogue, Ckan(site, [package(1, extras=listed, groups=[])]).url)
    text = catalogue.text(extras["uri"])
    for part in (
        "startDate> \"2019\"^^<http://www.w3.org/2001/XMLSchema#gYear>",
        "endDate> \"2020-12-31\"^^<http://www.w3.org/2001/XMLSchema#date>",
        "data-theme/ENVI>", "place/ESP_BIO>", "<https://portal.example/id/council>",
    ):  # fmt: skip
        assert part in text


@pytest.mark.parametrize(
    "fields",
    [
        {"title": None, "notes": None, "resources": None, "tags": None, "extras": None,
         "organization": None, "groups": None, "license_url": "", "maintainer": None},
        {"url": "not a link", "tags": ["x"], "extras": {"a": 1}, "resources": [None, {}],
         "organization": "city", "license_url": 3, "title": {"es": None}},
        {"notes": "a\x00b\u2028\ud800", "metadata_modified": "yesterday", "spatial": {"type": "x"}},
    ],
)  # fmt: skip
def test_strange_packages_come_in_as_far_as_they_go(
    catalogue: Catalogue, site: Site, fields: dict[str, Any]
) -> None:
    done = harvest(catalogue, Ckan(site, [package(1, **fields), package(2)]).url)
    assert done["classes"]["dcat:Dataset"] == 2


def test_a_package_without_an_identity_is_refused_and_the_others_come(
    catalogue: Catalogue, site: Site
) -> None:
    bad = package(1) | {"id": None, "name": None}
    done = harvest(catalogue, Ckan(site, [bad, package(2)]).url)
    assert done["classes"]["dcat:Dataset"] == 1
    (refused,) = done["refused"]
    assert refused["reason"] == "it has no id"
    assert refused["where"].endswith("sort=id+asc result 2")


def test_packages_that_are_no_datasets_are_passed_over(catalogue: Catalogue, site: Site) -> None:
    others = [package(1, type="harvest"), package(2, private=True)]
    done = harvest(catalogue, Ckan(site, [*others, package(3)]).url)
    assert done["classes"]["dcat:Dataset"] == 1
    told = "2 packages passed over, private or no dataset: set-1, set-2"
    assert told in [problem["message"] for problem in done["problems"]]


# ---- the next harvest


def test_the_next_harvest_asks_for_changes_alone(catalogue: Catalogue, site: Site) -> None:
    dates = (f"2021-01-02T03:{n // 60:02}:{n % 60:02}.000000" for n in range(250))
    portal = Ckan(site, [package(n, metadata_modified=day) for n, day in enumerate(dates)])
    url = f"{portal.url}api/3/action/package_search"
    harvest(catalogue, url)
    later = "2026-02-03T04:05:06.000001"
    portal.packages[7] |= {"title": "Otro", "metadata_modified": later}
    portal.packages[8] |= {"title": "No dice que cambió"}
    del portal.packages[9]
    portal.packages.append(package(300, metadata_modified=later))
    site.asked.clear()
    done = harvest(catalogue, url)
    assert counts(done)[:2] == (1, 1)
    assert done["records"]["gone"] == 1
    assert site.paths()[1:] == [
        "/api/3/action/status_show",
        "/api/3/action/package_list",
        "/api/3/action/package_search?rows=100&fq=metadata_modified:%5B2021-01-02T03:04:09.000000Z"
        "+TO+*%5D&start=0&sort=id+asc",
    ]
    portal.packages[0] |= {"title": "Nuevo", "metadata_modified": "2026-03-01T00:00:00"}
    assert counts(harvest(catalogue, url))[:2] == (0, 1)
    # What leaves no date is seen when all is asked for.
    portal.packages[1] |= {"title": "Sin fecha"}
    assert counts(harvest(catalogue, url))[1] == 0
    assert counts(harvest(catalogue, url, restart=True))[1] == 2


def test_iris_stay_where_the_portal_does_not_say_once_what_it_is_called(
    catalogue: Catalogue, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = Ckan(site, [package(n) for n in range(5)])
    harvest(catalogue, portal.url)
    monkeypatch.delattr(Ckan, "_status_show")
    for options in ({}, {"restart": True}):
        assert counts(harvest(catalogue, portal.url, **options))[:2] == (0, 0)


def test_where_changes_do_not_make_a_whole_all_is_asked_for(
    catalogue: Catalogue, site: Site
) -> None:
    portal = Ckan(site, [package(n) for n in range(5)])
    url = f"{portal.url}api/3/action/package_search"
    harvest(catalogue, url)
    # New, and with an old date: the list has it, the changes do not.
    portal.packages.append(package(6, metadata_modified="2001-01-01T00:00:00"))
    done = harvest(catalogue, url)
    assert counts(done)[:2] == (1, 0)
    assert done["classes"]["dcat:Dataset"] == 6


# ---- portals that misbehave


@pytest.mark.parametrize(
    ("body", "words", "kind"),
    [
        (b'{"success": false, "error": {"message": "Search error"}}', "CKAN says: Search error",
         BadInput),
        (b'{"success": true, "result": "x"}', "no answer of CKAN's API that lists", BadInput),
        (b'{"success": true, "result": {"count": 1, "resul', "it is no JSON", SyntaxFault),
        (b'{"a": 1, "success"' + b"[" * 100_000, "JSON", BilbaokgError),
        (b"<!DOCTYPE html><p>Maintenance", "web page came in place of JSON", UpstreamFault),
    ],
)  # fmt: skip
def test_answers_that_are_none_are_named(
    catalogue: Catalogue, site: Site, body: bytes, words: str, kind: type[BilbaokgError]
) -> None:
    portal = Ckan(site, [package(1)])
    site.pages["/api/3/action/package_search?rows=100&start=0&sort=id+asc"] = (200, JSON, body)
    assert words in fails(catalogue, portal.url, kind)


def test_a_page_that_lacks_packages_is_refused(catalogue: Catalogue, site: Site) -> None:
    portal = Ckan(site, [package(n) for n in range(3)])
    short = portal.say({"count": 3, "results": [package(0), package(1)]})
    site.pages["/api/3/action/package_search?rows=100&start=0&sort=id+asc"] = short
    site.pages["/api/3/action/package_search?rows=100&start=2&sort=id+asc"] = portal.say(
        {"count": 3, "results": []}
    )
    said = fails(catalogue, portal.url)
    assert "it says that there are 3, and its pages list 2 records" in said


def test_a_closed_api_is_asked_only_with_a_word(catalogue: Catalogue, site: Site) -> None:
    portal = Ckan(site, [package(1)])
    site.pages["/robots.txt"] = (200, {}, b"User-agent: *\nDisallow: /api/\n")
    url = f"{portal.url}api/3/action/package_search"
    assert "robots.txt" in fails(catalogue, url)
    assert harvest(catalogue, url, ignore_robots=True)["classes"]["dcat:Dataset"] == 1


def test_texts_of_a_portal_that_says_no_language_have_the_given_one(
    catalogue: Catalogue, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Ckan, "_status_show")
    harvest(catalogue, Ckan(site, [package(1)]).url, language="eu")
    iri = f"{site.url('')}/dataset/00000001-0000-4000-8000-000000000000"
    assert said(catalogue, iri, f"{DCT}title") == ['"Conjunto 1"@eu']
