"""Our own services in the feeds: listed where the settings ask for it, fit for each portal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from export_helpers import DATA, SETTINGS, Triple, about, public, released, triples, turtle, whole

from bilbaokg import validate
from bilbaokg.terms import DCAT, DCT, RDF, SCHEMA, ref

LISTING = replace(SETTINGS, list_services=True)
CITY = (DATA / "city.ttl").read_text(encoding="utf-8")
OURS = [
    f"{SETTINGS.public_url}{path}" for path in ("/sparql", "/catalog.rdf", "/feeds/changes.atom")
]
TARGETS = ["dcat-ap", "dcat-ap-es", "ckan", "schema.org"]


def feed(folder: Path, target: str, text: str = CITY, asked: bool = True) -> set[Triple]:
    held = public(turtle(text))
    release = released(folder / f"r{asked}", held, LISTING if asked else SETTINGS)
    return triples(whole(release, target, "nt"), "nt")


@pytest.mark.parametrize("target", TARGETS)
def test_services_are_listed_where_they_are_asked_for(tmp_path: Path, target: str) -> None:
    cls = SCHEMA.WebAPI if target == "schema.org" else DCAT.DataService
    listing = SCHEMA.hasPart if target == "schema.org" else DCAT.service
    found = feed(tmp_path, target)
    for iri in OURS:
        assert about(found, iri, RDF.type) == {ref(cls)}
        assert [t for t in found if t[1:] == (ref(listing), ref(iri))]
    without = feed(tmp_path, target, asked=False)
    assert not [t for t in without if t[0] in map(ref, OURS)]
    assert without <= found


def test_catalogue_without_a_publisher_lists_no_services(tmp_path: Path) -> None:
    bare = f"<{SETTINGS.base}/id/catalog/c> a <{DCAT.Catalog}> ; <{DCT.title}> 'C'@es ."
    found = feed(tmp_path, "dcat-ap", bare)
    assert not [t for t in found if t[2] == ref(DCAT.DataService)]


def test_what_the_catalogue_says_of_such_an_address_stays(tmp_path: Path) -> None:
    stated = f"\n<{OURS[0]}> a <{DCAT.DataService}> ; <{DCT.title}> 'Ours'@es ."
    found = feed(tmp_path, "dcat-ap", CITY + stated)
    assert about(found, OURS[0], DCT.title) == {'"Ours"@es'}


def test_feeds_differ_in_version_where_they_differ_in_services(tmp_path: Path) -> None:
    held = public(turtle(CITY))
    versions = set()
    for number, chosen in enumerate(
        (SETTINGS, LISTING, replace(LISTING, public_url="https://a.b"))
    ):
        release = released(tmp_path / f"r{number}", held, chosen)
        text = (release.path / "exports" / "ckan" / "pages.json").read_text()
        versions.add(text.partition('"version": ')[2][:18])
    assert len(versions) == 3


@pytest.mark.parametrize(
    ("target", "profile"), [("dcat-ap", "dcat-ap/3.0.1"), ("dcat-ap-es", "dcat-ap-es/1.0.0")]
)
def test_services_keep_the_rules_of_the_profile(tmp_path: Path, target: str, profile: str) -> None:
    council = f"<{SETTINGS.base}/id/agent/council> <{DCT.identifier}> 'L01480209' ."
    release = released(tmp_path / "r", public(turtle(f"{CITY}\n{council}")), LISTING)
    report = validate(whole(release, target, "ttl"), shapes=profile, format="ttl", language="en")
    found = [r for r in report.results if r.focus in OURS and r.severity == "violation"]
    assert [(r.focus, r.path, r.message) for r in found] == []
    assert report.focus_nodes > 0
