"""What a portal would do with a release, said before there is one."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ckan_portal import Ckan, package
from serving import initialise, load, operate, published, served
from sites import Site

from bilbaokg import exports, settings, wording
from bilbaokg.errors import BadInput, GateRefused, NotFound, Overloaded
from bilbaokg.rehearsal.portals import PORTALS
from bilbaokg.server.rehearsals import Rehearsals
from bilbaokg.terms import LANGUAGES
from bilbaokg.workspace import Workspace

BASE = "https://data.example"
PREFIXES = f"""
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix d: <{BASE}/id/dataset/> .
@prefix f: <{BASE}/id/distribution/> .
<{BASE}/id/catalog/main> a dcat:Catalog ; dct:title "Datos"@es ; dct:description "Los datos."@es ;
    dct:publisher <{BASE}/id/agent/city> .
<{BASE}/id/agent/city> a foaf:Agent ; foaf:name "La ciudad"@es .
"""
CC_BY = "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0"
LONG = "Cada árbol de la ciudad, con su especie, su altura y su lugar."
TREES = f"""
d:trees a dcat:Dataset ; dct:title "Árboles"@es , "Zuhaitzak"@eu ; dct:description "{LONG}"@es ;
    dct:identifier "trees" ; dct:publisher <{BASE}/id/agent/city> ; dcat:keyword "verde"@es ;
    dcat:distribution f:trees .
f:trees a dcat:Distribution ; dcat:accessURL <{BASE}/trees.csv> ;
    dct:license <{CC_BY}> ;
    dct:format <http://publications.europa.eu/resource/authority/file-type/CSV> .
"""
NOISE = f"""
d:noise a dcat:Dataset ; dct:title "Ruido"@es ; dct:identifier "noise" ;
    dct:publisher <{BASE}/id/agent/city> ; dct:description "{LONG}"@es .
"""
BOTH = PREFIXES + TREES + NOISE


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two datasets, published."""
    return published(tmp_path / "data", BOTH)


def rehearse(data: Path, target: str = "dcat-ap", **params: Any) -> dict[str, Any]:
    return operate(data, "publish.rehearse", target=target, **params)


def cli(data: Path, *words: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "bilbaokg", "--data", str(data), "publish", "rehearse"]
    done = subprocess.run([*command, *words], capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def counts(done: dict[str, Any]) -> dict[str, int]:
    """The counts that are not 0."""
    return {name: count for name, count in done["counts"].items() if count}


def broken(done: dict[str, Any], component: str) -> list[tuple[str, str | None]]:
    """Who breaks a rule of the portal, and by which value."""
    found = [p for p in done["broken"] if p["component"] == component]
    return [(p["focus"], p["value"]) for p in found]


# ---- what becomes of the members


def test_before_the_first_release_everything_is_created(tmp_path: Path) -> None:
    data = initialise(tmp_path / "data")
    load(data, BOTH)
    done = rehearse(data)
    assert (done["release"], counts(done)) == (None, {"created": 2})


def test_what_is_as_it_was_released_is_left(data: Path) -> None:
    done = rehearse(data)
    assert (done["release"], counts(done)) == ("r1", {"unchanged": 2})


@pytest.mark.parametrize("target", [feed.name for feed in exports.feeds()])
def test_a_portal_of_each_target_creates_changes_and_deletes(data: Path, target: str) -> None:
    new = NOISE.replace("d:noise", "d:air").replace('"noise"', '"air"').replace("Ruido", "Aire")
    load(data, PREFIXES + TREES.replace("Árboles", "Arbolado") + NOISE + new)
    operate(data, "visibility", iri=f"{BASE}/id/dataset/noise", to="internal")
    done = rehearse(data, target)
    assert counts(done) == {"deleted": 1, "created": 1, "changed": 1}
    assert [row["iri"] for row in done["created"]] == [f"{BASE}/id/dataset/air"]
    (changed,) = done["changed"]
    assert (changed["iri"], changed["title"]) == (f"{BASE}/id/dataset/trees", "Arbolado")
    assert changed["properties"][0].endswith(("#title", "/title", "/name"))
    (deleted,) = done["deleted"]
    assert (deleted["iri"], deleted["why"]) == (f"{BASE}/id/dataset/noise", "internal")


def test_a_change_of_a_part_is_a_change_of_the_dataset(data: Path) -> None:
    load(data, BOTH.replace("trees.csv", "arboles.csv"))
    done = rehearse(data)
    assert counts(done) == {"changed": 1, "unchanged": 1}
    assert done["changed"][0]["properties"] == ["http://www.w3.org/ns/dcat#distribution"]


def test_what_the_gate_holds_back_is_deleted_and_says_why(data: Path) -> None:
    load(data, PREFIXES + TREES + NOISE.replace(f'dct:description "{LONG}"@es', "dct:type <x:y>"))
    done = rehearse(data, lang="en")
    (deleted,) = done["deleted"]
    assert (deleted["why"], deleted["reason"]) == (
        "held-back", "The dataset has no “description”.",
    )  # fmt: skip
    assert [row["id"] for row in done["held_back"]] == ["dataset/noise"]


@pytest.mark.parametrize(
    ("lang", "reason"),
    [
        ("es", "Remite con «Serie» a algo que la versión no contiene"),
        ("eu", "bidez bertsioak ez daukan zerbaitera jotzen du"),
        ("en", "to something that the release does not hold"),
    ],
)
def test_what_points_to_what_stays_inside_is_held_back_and_says_so_in_the_language(
    data: Path, lang: str, reason: str
) -> None:
    series = f"{BASE}/id/series/city"
    load(
        data,
        BOTH
        + f"""<{series}> a dcat:DatasetSeries ; dct:title "Ciudad"@es .
        d:noise dcat:inSeries <{series}> .""",
    )
    operate(data, "visibility", iri=series, to="internal", why="tested")
    (held,) = rehearse(data, lang=lang)["held_back"]
    assert reason in held["reason"]
    assert held["reason"].endswith(f": {series}")


def test_what_was_deleted_here_is_deleted_there(data: Path) -> None:
    operate(data, "delete", iri=f"{BASE}/id/dataset/noise")
    assert [row["why"] for row in rehearse(data)["deleted"]] == ["deleted"]


@pytest.mark.parametrize(("target", "key"), [("dcat-ap", "replaced"), ("ckan", "changed")])
def test_another_identifier_is_another_dataset_where_portals_know_it_by_that(
    tmp_path: Path, target: str, key: str
) -> None:
    data = published(tmp_path / "data", BOTH.replace('dct:identifier "noise" ;', ""))
    load(data, BOTH)
    done = rehearse(data, target)
    assert counts(done) == {key: 1, "unchanged": 1}
    if key == "replaced":
        (found,) = done["replaced"]
        assert (found["was"], found["now"]) == (f"{BASE}/id/dataset/noise", "noise")


def test_whom_the_changes_reach_is_told_with_what_sources_ask(data: Path) -> None:
    assert (rehearse(data)["reached"], rehearse(data)["duties"]) == ([], [])
    right = "http://publications.europa.eu/resource/authority/access-right"
    load(data, BOTH.replace("Árboles", "Arbolado") + f"""
        d:noise <http://www.w3.org/ns/prov#wasDerivedFrom> d:trees ;
            dct:accessRights <{right}/PUBLIC> ; dct:license <{BASE}/own> .
        d:made a dcat:Dataset ; dct:title "Hecho"@es ; dct:publisher <{BASE}/id/agent/city> ;
            dct:description "Hecho de ruido."@es ; dct:identifier "made" ;
            <http://www.w3.org/ns/prov#wasDerivedFrom> d:noise .
    """)  # fmt: skip
    done = rehearse(data)
    assert [(each["label"], each["owners"]) for each in done["reached"]] == [("Hecho", [])]
    (duty,) = done["duties"]
    assert (duty["kind"], duty["source"]["label"]) == ("licence", "Arbolado")


def test_nothing_of_the_catalogue_changes(data: Path) -> None:
    load(data, PREFIXES + TREES)
    before = operate(data, "audit.list", limit=100), sorted((data / "releases").iterdir())
    rehearse(data)
    assert (operate(data, "audit.list", limit=100), sorted((data / "releases").iterdir())) == before


def test_it_is_compared_with_the_release_that_is_named(data: Path) -> None:
    load(data, BOTH.replace("Ruido", "Sonido"))
    operate(data, "release.publish", id=operate(data, "release.build", unchecked=True)["id"])
    assert counts(rehearse(data)) == {"unchanged": 2}
    assert counts(rehearse(data, release="r1")) == {"changed": 1, "unchanged": 1}
    with pytest.raises(NotFound):
        rehearse(data, release="r9")


def test_what_would_leave_nothing_is_refused_as_a_build_is(tmp_path: Path) -> None:
    data = initialise(tmp_path / "data")
    load(data, "@prefix dcat: <http://www.w3.org/ns/dcat#> . <x:d> a dcat:Dataset .")
    with pytest.raises(GateRefused):
        rehearse(data)


def test_full_is_no_feed(data: Path) -> None:
    with pytest.raises(BadInput, match="no feed"):
        rehearse(data, "full")


# ---- the rules


def test_the_profile_of_the_target_judges_the_feed(data: Path) -> None:
    done = rehearse(data, "dcat-ap-es", lang="en")
    said = {(p["focus"], p["message"]) for p in done["broken"] if p["severity"] == "violation"}
    assert (f"{BASE}/id/dataset/noise", "The dataset has no “distribution”.") in said


def test_ckan_says_what_becomes_of_keywords(data: Path) -> None:
    load(data, BOTH.replace('"verde"@es', '"verde"@es , "C/ Mayor"@es , "¿?"@es'))
    done = rehearse(data, "ckan", lang="en")
    trees = f"{BASE}/id/dataset/trees"
    assert broken(done, "keyword-lost") == [(trees, '"¿?"@es')]
    assert broken(done, "keyword-changed") == [(trees, '"C/ Mayor"@es')]
    told = next(p for p in done["broken"] if p["component"] == "keyword-changed")
    assert told["detail"] == "“C/ Mayor” becomes “C Mayor”."


def test_ckan_shows_no_licence_that_it_does_not_know(data: Path) -> None:
    assert broken(rehearse(data, "ckan"), "licence-unknown") == []
    mine = "https://licence.example/mine"
    load(data, f"{BOTH.replace(CC_BY, mine)} <{mine}> a dct:LicenseDocument .")
    found = broken(rehearse(data, "ckan"), "licence-unknown")
    assert [focus for focus, _ in found] == [f"{BASE}/id/dataset/trees"]


def test_ckan_shows_no_format_and_no_files_where_there_are_none(data: Path) -> None:
    load(data, BOTH.replace("dct:format", "dct:type"))
    done = rehearse(data, "ckan")
    assert broken(done, "format-missing") == [
        (f"{BASE}/id/dataset/trees", f"<{BASE}/id/distribution/trees>")
    ]
    assert [focus for focus, _ in broken(done, "files-missing")] == [f"{BASE}/id/dataset/noise"]


def test_a_page_that_ckan_does_not_read_to_its_end_is_told(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert broken(rehearse(data, "ckan"), "page-too-large") == []
    monkeypatch.setattr("bilbaokg.rehearsal.portals._LARGEST_PAGE", 1000)
    (page,) = (p for p in rehearse(data, "ckan")["broken"] if p["component"] == "page-too-large")
    assert (page["severity"], page["value"], page["dataset"]) == ("violation", "1", None)


def test_an_identifier_that_two_have_breaks_a_rule(data: Path) -> None:
    load(data, BOTH + NOISE.replace("d:noise", "d:sound"), "another")
    done = rehearse(data, lang="en")
    assert broken(done, "identifier-doubled") == [(f"{BASE}/id/dataset/sound", '"noise"')]


def test_a_dataset_without_identifier_is_passed_over_by_some(tmp_path: Path) -> None:
    data = initialise(tmp_path / "data")
    load(data, BOTH.replace('dct:identifier "noise" ;', ""))
    found = broken(rehearse(data), "identifier-missing")
    assert found == [(f"{BASE}/id/dataset/noise", None)]


def test_search_engines_want_descriptions_of_some_length(data: Path) -> None:
    assert broken(rehearse(data, "schema.org"), "description-length") == []
    load(data, PREFIXES + TREES + NOISE.replace(LONG, "Sonómetros."))
    found = broken(rehearse(data, "schema.org"), "description-length")
    assert found == [(f"{BASE}/id/dataset/noise", '"Sonómetros."@es')]


def test_every_feed_has_its_portals_and_every_rule_its_words() -> None:
    assert PORTALS.keys() == {feed.name for feed in exports.feeds()}
    for demand in {d.name for portal in PORTALS.values() for d in portal.demands}:
        for language in LANGUAGES:
            assert wording.find(f"portal-message.{demand}", language)
            assert wording.find(f"portal-hint.{demand}", language)


# ---- what is dropped


def test_what_a_target_does_not_carry_is_counted(data: Path) -> None:
    series = f'<{BASE}/id/series/s> a dcat:DatasetSeries ; dct:title "Serie"@es ; dct:description'
    more = f'{series} "Una serie."@es . d:noise dcat:inSeries <{BASE}/id/series/s> .'
    service = f'<{BASE}/id/service/s> a dcat:DataService ; dct:title "API"@es ; dcat:endpointURL'
    load(data, f"{BOTH} {more} {service} <{BASE}/api> .")
    dropped = rehearse(data, "ckan")["dropped"]
    assert dropped["statements"]["http://www.w3.org/ns/dcat#inSeries"] == 1
    assert dropped["nodes"] == {"http://www.w3.org/ns/dcat#DatasetSeries": 1}
    assert dropped["unused"] == {"http://www.w3.org/ns/dcat#DataService": 1}
    assert rehearse(data)["dropped"] == {"statements": {}, "nodes": {}, "unused": {}}


# ---- against the portal itself


def against(data: Path, url: str, target: str = "ckan", **params: Any) -> dict[str, Any]:
    return rehearse(data, target, against=url, allow_private=True, pause=0.0, **params)


def test_a_feed_of_ours_at_the_portal_is_left_as_it_is(data: Path, site: Site) -> None:
    feed = exported(data, "ckan")
    site.pages["/feed.nt"] = (200, {"Content-Type": "application/n-triples"}, feed.encode())
    assert counts(against(data, site.url("/feed.nt"))) == {"unchanged": 2}


def exported(data: Path, target: str) -> str:
    command = [sys.executable, "-m", "bilbaokg", "--data", str(data), "export", target]
    done = subprocess.run([*command, "--format", "nt"], capture_output=True, text=True, check=True)
    return done.stdout


def test_what_a_ckan_would_delete_is_what_is_ours_and_no_longer_offered(
    data: Path, site: Site
) -> None:
    operate(data, "delete", iri=f"{BASE}/id/dataset/noise")
    trees = package(1, title="Otros", resources=[], extras=[
        {"key": "identifier", "value": "trees"},
        {"key": "uri", "value": f"{BASE}/id/dataset/trees"},
    ])  # fmt: skip
    noise = package(2, title="Ruido", extras=[{"key": "identifier", "value": "noise"}])
    old = package(4, title="Antes", extras=[{"key": "uri", "value": f"{BASE}/id/dataset/old"}])
    done = against(data, Ckan(site, [trees, noise, package(3), old]).url)
    assert counts(done) == {"deleted": 2, "changed": 1, "others": 1}
    assert {row["title"] for row in done["deleted"]} == {"Ruido", "Antes"}
    assert done["changed"][0]["properties"] == ["title", "modified", "licence", "distributions"]


def test_schema_org_cannot_be_held_against_a_portal(data: Path) -> None:
    with pytest.raises(BadInput, match="cannot be held"):
        against(data, "https://portal.example/", "schema.org")


# ---- the command


def test_the_command_fears_what_is_lost_and_rules_that_break(data: Path) -> None:
    assert "No rule" not in cli(data, "ckan")
    operate(data, "visibility", iri=f"{BASE}/id/dataset/noise", to="internal")
    said = cli(data, "ckan", code=1)
    assert "internal now" in said
    assert said.index("DELETED (1)") < said.index("Rules of the target")
    cli(data, "ckan", "--fail-on", "never")
    told = json.loads(cli(data, "ckan", "--json", code=1))
    assert told["counts"]["deleted"] == 1


def test_the_command_compares_with_a_portal(data: Path, site: Site) -> None:
    site.pages["/feed.nt"] = (
        200, {"Content-Type": "application/n-triples"}, exported(data, "dcat-ap").encode(),
    )  # fmt: skip
    words = ("--against", site.url("/feed.nt"), "--allow-private", "--pause", "0")
    assert f"beside {site.url('/feed.nt')}" in cli(data, "dcat-ap", *words)


def test_a_rule_that_breaks_is_a_finding_and_a_warning_is_one_where_it_is_asked(
    data: Path,
) -> None:
    cli(data, "dcat-ap-es", code=1)
    cli(data, "ckan", code=0)
    cli(data, "ckan", "--fail-on", "warning", code=1)


# ---- pages, for signed-in people


def test_the_page_says_it_in_three_languages_to_those_who_may_read_drafts(data: Path) -> None:
    load(data, BOTH.replace("Árboles", "Arbolado"))
    operate(data, "visibility", iri=f"{BASE}/id/dataset/noise", to="internal")
    token = operate(data, "token.create", name="reader", scope="read")["token"]
    with served(data) as server:
        for lang, words in (("es", "ahora es interno"), ("eu", "barnekoa"), ("en", "internal now")):
            path = f"/{lang}/rehearsal/ckan"
            assert server.client.get(path).status_code == 401
            headers = {"Authorization": f"Bearer {token}"}
            page = server.client.get(path, headers=headers)
            assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
            assert words in page.text
            assert f"{BASE}/id/dataset/trees" in page.text
            assert ("Arbolado" in page.text) is (lang != "eu")
            for public in (f"/{lang}/", f"/{lang}/releases", f"/{lang}/releases/r1"):
                assert "Arbolado" not in server.client.get(public).text


def test_the_api_says_the_same_as_json_until_something_changes(data: Path) -> None:
    token = operate(data, "token.create", name="writer", scope="write")["token"]
    with served(data) as server:
        headers = {"Authorization": f"Bearer {token}"}
        ask = partial(server.client.get, "/api/rehearsal/dcat-ap", headers=headers)
        assert counts(ask().json()) == {"unchanged": 2}
        turtle = BOTH.replace("Árboles", "Arbolado").encode()
        sent = {**headers, "Content-Type": "text/turtle"}
        loaded = server.client.post("/api/load?source=test", content=turtle, headers=sent)
        assert loaded.status_code == 200
        assert counts(ask().json()) == {"changed": 1, "unchanged": 1}
        unknown = server.client.get("/api/rehearsal/full", headers=headers)
        assert unknown.status_code == 404
        first = server.client.get("/en/rehearsal", headers=headers)
        assert (first.status_code, first.headers["location"]) == (307, "/en/rehearsal/dcat-ap")


def test_one_rehearsal_is_made_at_a_time_and_the_others_are_asked_to_come_again(
    data: Path,
) -> None:
    with Workspace(data, settings.read(data)) as workspace:
        rehearsals = Rehearsals(workspace)
        made = rehearsals.of("ckan", "en")
        with rehearsals.lock:
            assert rehearsals.of("ckan", "en") is made
            with pytest.raises(Overloaded):
                rehearsals.of("ckan", "es")


def test_the_page_of_a_release_counts_what_its_feeds_do_not_carry(data: Path) -> None:
    more = "d:noise <https://data.example/ns#odd> 1 ."
    load(data, BOTH + more)
    operate(data, "release.publish", id=operate(data, "release.build", unchecked=True)["id"])
    with served(data) as server:
        text = server.client.get("/en/releases/r2").text
    assert "What the feeds do not carry" in text
    assert ">https://data.example/ns#odd</code>" in text
