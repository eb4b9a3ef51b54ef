"""Feeds: what they carry, how they are cut into pages, what they refuse, what requests make."""

from __future__ import annotations

import json
import random
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from export_helpers import (
    BASE,
    DATA,
    SETTINGS,
    TYPE,
    Triple,
    about,
    public,
    record,
    released,
    said,
    triples,
    turtle,
    whole,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bilbaokg import exports
from bilbaokg.errors import BilbaokgError, Invalid, NotFound, UnsupportedFormat
from bilbaokg.exports import closure
from bilbaokg.exports.catalogue import Blanks, Catalogue
from bilbaokg.exports.closure import Wall
from bilbaokg.exports.dcat_ap import CUSTODIAN, DCAT_AP
from bilbaokg.model import Record, Release
from bilbaokg.settings import Settings
from bilbaokg.terms import (
    DCAT,
    DCT,
    FOAF,
    HYDRA,
    PROV,
    SKOS,
    language_of,
    literal,
    ref,
)

CITY = (DATA / "city.ttl").read_text(encoding="utf-8")
NOISE, TREES = f"{BASE}/id/dataset/noise", f"{BASE}/id/dataset/trees"
CATALOG = f"{BASE}/id/catalog/city"
COUNCIL = f"{BASE}/id/agent/council"


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return public(turtle(CITY))


@pytest.fixture(scope="module")
def city(records: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Release:
    return released(tmp_path_factory.mktemp("city") / "r1", records)


@pytest.fixture(scope="module")
def feed(city: Release) -> set[Triple]:
    return triples(city.path / "exports" / "dcat-ap" / "page-1.ttl")


# ---- what is carried


def test_targets_are_one_a_portal_and_the_full_release() -> None:
    assert list(exports.TARGETS) == ["dcat-ap", "dcat-ap-es", "ckan", "schema.org", "full"]


def test_turtle_and_rdfxml_are_written_at_release_and_say_the_same(city: Release) -> None:
    folder = city.path / "exports" / "dcat-ap"
    assert {p.name for p in folder.iterdir()} == {"page-1.rdf", "page-1.ttl", "pages.json"}
    spoken = [
        {t for t in triples(folder / f"page-1.{ext}", ext) if HYDRA not in t[1] + t[2]}
        for ext in ("rdf", "ttl")
    ]
    assert spoken[0] == spoken[1]


@pytest.mark.parametrize(
    ("subject", "predicate", "expected"),
    [
        (NOISE, DCT.title, {'"Ruido"@es', '"Zarata"@eu', '"Noise"@en'}),
        (NOISE, DCAT.inSeries, {f"<{BASE}/id/series/noise>"}),
        (f"{BASE}/id/distribution/noise-csv", DCAT.byteSize, {
            '"01000"^^<http://www.w3.org/2001/XMLSchema#nonNegativeInteger>'
        }),
        (f"{BASE}/id/shared/desk", "http://www.w3.org/2006/vcard/ns#hasEmail",
         {"<mailto:datos@city.example>"}),
        ("https://creativecommons.org/licenses/by/4.0/", DCT.title, {'"CC BY 4.0"'}),
        (f"{BASE}/id/concept/air", SKOS.prefLabel, {'"Aire"@es'}),
        (f"{NOISE}#record", FOAF.primaryTopic, {ref(NOISE)}),
    ],
)  # fmt: skip
def test_properties_of_the_profile_are_carried(
    feed: set[Triple], subject: str, predicate: str, expected: set[str]
) -> None:
    assert about(feed, subject, predicate) == expected


@pytest.mark.parametrize(
    "predicate", [f"{BASE}/ns#secretNote", PROV.wasDerivedFrom, SKOS.definition, DCT.isPartOf]
)
def test_properties_outside_the_profile_are_cut_and_counted(
    feed: set[Triple], city: Release, records: list[Record], predicate: str
) -> None:
    assert not [t for t in feed if t[1] == ref(predicate)]
    total = sum(p == ref(predicate) for _, p, _ in said(records))
    assert exports.cut(records, SETTINGS)[predicate] == total > 0
    kept = json.loads((city.path / "exports" / "dcat-ap" / "pages.json").read_text())
    assert kept["cut"] == dict(sorted(exports.cut(records, SETTINGS).items()))


def test_what_is_cut_and_what_is_carried_are_all_there_is(
    feed: set[Triple], records: list[Record]
) -> None:
    blank = Blanks(BASE)
    all_of_it = {(blank(s), p, blank(o)) for s, p, o in said(records)}
    cut = sum(exports.cut(records, SETTINGS).values())
    assert len(all_of_it) - cut == len(all_of_it & feed)


def test_full_cuts_nothing(records: list[Record]) -> None:
    assert not exports.cut(records, SETTINGS, "full")


def test_link_to_what_is_not_in_the_release_is_cut(feed: set[Triple]) -> None:
    assert about(feed, NOISE, DCT.relation) == {"<https://elsewhere.example/d>"}


def test_things_of_others_are_linked_and_never_listed(feed: set[Triple]) -> None:
    assert about(feed, NOISE, DCT.source) == {"<https://upstream.example/meters>"}
    assert not [t for t in feed if t[0] == "<https://upstream.example/meters>"]


def test_only_released_records_have_a_class_that_portals_list(feed: set[Triple]) -> None:
    listed = {s for s, p, o in feed if p == TYPE and o == ref(DCAT.Dataset)}
    assert listed == {ref(NOISE), ref(TREES)}, "a series is not a second dataset"


def test_what_a_feed_never_shows(feed: set[Triple]) -> None:
    text = "\n".join(" ".join(t) for t in feed)
    for word in ("foreign.example", "nothing reaches this", "/id/table/", "/.well-known/genid/"):
        assert word not in text


def test_skolem_iris_become_blank_nodes_that_keep_their_names(
    feed: set[Triple], records: list[Record], tmp_path: Path
) -> None:
    periods = about(feed, NOISE, DCT.temporal)
    assert [p[:3] for p in periods] == ["_:b"]
    again = released(tmp_path / "r9", records[::-1])
    assert triples(again.path / "exports" / "dcat-ap" / "page-1.ttl") == feed


def test_iri_of_a_stranger_in_our_genid_space_stays_an_iri(tmp_path: Path) -> None:
    odd = f"<{BASE}/.well-known/genid/somebody-elses>"
    lines = [f"{ref(NOISE)} {TYPE} {ref(DCAT.Dataset)} .", f"{ref(NOISE)} {ref(FOAF.page)} {odd} ."]
    made = released(tmp_path / "r1", [record("dataset/noise", lines)])
    assert about(triples(whole(made, "dcat-ap", "ttl")), NOISE, FOAF.page) == {odd}


def test_agents_are_foaf_agents_with_a_name_beside_their_own_class(feed: set[Triple]) -> None:
    types = {o for s, p, o in feed if s == ref(COUNCIL) and p == TYPE}
    assert types == {"<http://www.w3.org/ns/org#FormalOrganization>", ref(FOAF.Agent)}
    assert about(feed, COUNCIL, FOAF.name) == {'"Ayuntamiento"@es', '"Udala"@eu'}


def test_parts_have_the_class_that_their_property_promises(feed: set[Triple]) -> None:
    types = {o for s, p, o in feed if s == f"<{BASE}/id/shared/desk>" and p == TYPE}
    assert "<http://www.w3.org/2006/vcard/ns#Kind>" in types


# ---- shortcuts


def test_rights_holder_is_the_legal_body_of_the_owners_unit(feed: set[Triple]) -> None:
    assert about(feed, NOISE, DCT.rightsHolder) == {ref(COUNCIL)}


def test_custodian_is_the_unit_of_the_active_steward(feed: set[Triple]) -> None:
    assert about(feed, NOISE, CUSTODIAN) == {f"<{BASE}/id/unit/noise-office>"}
    assert about(feed, f"{BASE}/id/unit/noise-office", FOAF.name)


def test_stated_rights_holder_stays(feed: set[Triple]) -> None:
    assert about(feed, TREES, DCT.rightsHolder) == {f"<{BASE}/id/unit/environment>"}


def test_roles_that_are_not_in_force_stay_out(feed: set[Triple]) -> None:
    assert about(feed, NOISE, PROV.qualifiedAttribution) == {
        f"<{NOISE}#owner>",
        f"<{NOISE}#steward>",
    }


def test_units_that_contain_each_other_have_no_legal_body() -> None:
    ring = """@prefix org: <http://www.w3.org/ns/org#> .
    @prefix dcat: <http://www.w3.org/ns/dcat#> .
    @prefix prov: <http://www.w3.org/ns/prov#> . @prefix : <https://city.example/id/unit/> .
    :a a org:OrganizationalUnit ; org:unitOf :b . :b a org:OrganizationalUnit ; org:unitOf :a .
    <https://city.example/id/dataset/x> a dcat:Dataset ; prov:qualifiedAttribution
      [ a prov:Attribution ; prov:agent :a ; dcat:hadRole <https://city.example/ns#owner> ] ."""
    walk = DCAT_AP.walk(Catalogue.of(turtle(ring), BASE), SETTINGS)
    assert not [line for line in walk.write(next(walk.pages())) if "rightsHolder" in line]


# ---- catalogues


def test_unlisted_members_are_listed_by_the_catalogue(feed: set[Triple]) -> None:
    assert about(feed, CATALOG, DCAT.dataset) == {ref(NOISE), ref(TREES)}
    assert about(feed, CATALOG, DCAT.service) == {
        f"<{BASE}/id/service/api>",
        f"<{BASE}/id/service/lonely>",
    }
    assert about(feed, CATALOG, DCAT.resource) == {f"<{BASE}/id/series/noise>"}
    assert about(feed, CATALOG, DCAT.record) == {f"<{NOISE}#record>"}


def test_without_a_catalogue_one_is_made_from_the_settings(tmp_path: Path) -> None:
    lines = [f"{ref(NOISE)} {TYPE} {ref(DCAT.Dataset)} ."]
    made = released(tmp_path / "r1", [record("dataset/noise", lines)])
    found = triples(whole(made, "dcat-ap", "ttl"))
    main = f"{BASE}/id/catalog/main"
    assert about(found, main, DCT.title) == {'"Todo"@es'}
    assert about(found, main, DCAT.dataset) == {ref(NOISE)}


def test_subcatalogue_stands_with_its_members_below_the_main_one(tmp_path: Path) -> None:
    text = f"""@prefix dcat: <{DCAT}> . @prefix c: <{BASE}/id/catalog/> .
    @prefix d: <{BASE}/id/dataset/> .
    c:a a dcat:Catalog ; dcat:dataset d:c . c:z a dcat:Catalog ; dcat:catalog c:a .
    d:b a dcat:Dataset . d:c a dcat:Dataset ."""
    small = Settings(base=BASE, page_size=1)
    made = released(tmp_path / "r1", public(turtle(text)), small)
    pages = [triples(made.path / "exports" / "dcat-ap" / f"page-{n}.ttl") for n in (1, 2)]
    assert [about(p, f"{BASE}/id/catalog/z", DCAT.catalog) for p in pages] == [
        set(),
        {f"<{BASE}/id/catalog/a>"},
    ]
    assert about(pages[0], f"{BASE}/id/catalog/z", DCAT.dataset) == {f"<{BASE}/id/dataset/b>"}
    assert about(pages[1], f"{BASE}/id/catalog/a", DCAT.dataset) == {f"<{BASE}/id/dataset/c>"}


def test_release_without_datasets_has_one_page_that_says_so(tmp_path: Path) -> None:
    made = released(tmp_path / "r1", [])
    found = triples(made.path / "exports" / "dcat-ap" / "page-1.ttl")
    assert exports.page_count(made, "dcat-ap") == 1
    assert {o for _, p, o in found if p == ref(HYDRA.totalItems)} == {
        '"0"^^<http://www.w3.org/2001/XMLSchema#integer>'
    }


# ---- what may not leave


@pytest.mark.parametrize("predicate", [DCT.publisher, DCAT.inSeries])
def test_dangling_publisher_or_series_is_refused_by_name(predicate: str) -> None:
    lines = [
        f"{ref(NOISE)} {TYPE} {ref(DCAT.Dataset)} .",
        f"{ref(NOISE)} {ref(predicate)} <{BASE}/id/agent/gone> .",
    ]
    with pytest.raises(Invalid) as refused:
        exports.cut([record("dataset/noise", lines)], SETTINGS)
    assert refused.value.where == f"{ref(NOISE)} {ref(predicate)} <{BASE}/id/agent/gone>"


def test_link_to_a_tombstone_is_cut(tmp_path: Path) -> None:
    gone = f"<{BASE}/id/dataset/old>"
    lines = [
        f"{ref(NOISE)} {TYPE} {ref(DCAT.Dataset)} .",
        f"{ref(NOISE)} {ref(DCT.relation)} {gone} .",
    ]
    tomb = [f"{gone} {TYPE} <https://www.w3.org/ns/activitystreams#Tombstone> ."]
    made = released(tmp_path / "r1", [record("dataset/noise", lines), record("dataset/old", tomb)])
    assert "old" not in whole(made, "dcat-ap", "ttl").decode()


PERSON = f"<{BASE}/id/agent/ane>"


@pytest.mark.parametrize("cls", [FOAF.Person, PROV.Person])
def test_person_in_the_release_stops_the_build_naming_the_path(cls: str, tmp_path: Path) -> None:
    lines = [
        f"{ref(NOISE)} {TYPE} {ref(DCAT.Dataset)} .",
        f"{ref(NOISE)} {ref(DCT.creator)} {PERSON} .",
    ]
    ane = [f"{PERSON} {TYPE} {ref(cls)} .", f'{PERSON} {ref(FOAF.name)} "Ane" .']
    held = [record("dataset/noise", lines), record("agent/ane", ane)]
    with pytest.raises(Invalid) as refused:
        exports.build(tmp_path / "exports", held, SETTINGS)
    assert refused.value.where == f"{ref(NOISE)} {ref(DCT.creator)} {PERSON}"
    with pytest.raises(Invalid, match="person"):
        exports.cut(held, SETTINGS)


LISTS_NOISE = f"{ref(CATALOG)} {ref(DCAT.dataset)} {ref(NOISE)} ."
NOISE_IS = f"{ref(NOISE)} {TYPE} {ref(DCAT.Dataset)} ."


def test_what_is_no_series_is_linked_and_not_described_as_one(tmp_path: Path) -> None:
    city = f"{BASE}/id/agent/city"
    noise = [NOISE_IS, f"{ref(NOISE)} {ref(DCAT.inSeries)} {ref(city)} ."]
    body = [f"{ref(city)} {TYPE} {ref(FOAF.Agent)} ."]
    made = released(tmp_path / "r1", [record("dataset/noise", noise), record("agent/city", body)])
    found = triples(made.path / "exports/dcat-ap/page-1.ttl")
    assert about(found, NOISE, DCAT.inSeries) == {ref(city)}
    assert not about(found, city, TYPE[1:-1])


def test_page_with_an_unreleased_dataset_is_refused_with_its_path() -> None:
    lines = [LISTS_NOISE, NOISE_IS]
    closure.check(lines, Wall(BASE), {ref(DCAT.Dataset): [ref(NOISE)]})
    with pytest.raises(Invalid) as refused:
        closure.check(lines, Wall(BASE), {ref(DCAT.Dataset): [ref(TREES)]})
    assert refused.value.where == LISTS_NOISE.removesuffix(" .")


def test_page_with_a_person_is_refused_with_its_path() -> None:
    lines = [
        LISTS_NOISE,
        f"{ref(NOISE)} {ref(DCT.creator)} {PERSON} .",
        f"{PERSON} {TYPE} {ref(FOAF.Person)} .",
    ]
    with pytest.raises(Invalid) as refused:
        closure.check(lines, Wall(BASE), {})
    assert refused.value.where == (
        f"{ref(CATALOG)} {ref(DCAT.dataset)} {ref(NOISE)} ; "
        f"{ref(NOISE)} {ref(DCT.creator)} {PERSON}"
    )


# ---- pages


@st.composite
def catalogues(draw: st.DrawFn) -> tuple[list[Record], Settings]:
    """Small random catalogues: datasets that share agents, series, services and distributions."""
    counts = {
        kind: draw(st.integers(low, high))
        for kind, low, high in (
            ("dataset", 0, 9), ("agent", 0, 3), ("series", 0, 3), ("service", 0, 3),
            ("catalog", 0, 2),
        )
    }  # fmt: skip
    lines: dict[str, list[str]] = {}

    def some(kind: str) -> list[str]:
        everyone = [f"{kind}/{n}" for n in range(counts[kind])]
        return draw(st.lists(st.sampled_from(everyone), unique=True)) if everyone else []

    classes = {
        "dataset": DCAT.Dataset, "agent": FOAF.Agent, "series": DCAT.DatasetSeries,
        "service": DCAT.DataService, "catalog": DCAT.Catalog,
    }  # fmt: skip
    for kind, count in counts.items():
        for n in range(count):
            node = f"<{BASE}/id/{kind}/{n}>"
            lines[f"{kind}/{n}"] = [
                f"{node} {TYPE} {ref(classes[kind])} .",
                f'{node} {ref(DCT.title)} "{kind} {n}"@es .',
                f'{node} {ref(DCT.title)} "{kind} {n}, English"@en .',
            ]
    for n in range(counts["dataset"]):
        own, node = lines[f"dataset/{n}"], f"<{BASE}/id/dataset/{n}>"
        spread = f"<{BASE}/id/distribution/{n}>"
        own.append(f"{node} {ref(DCAT.distribution)} {spread} .")
        own.append(f"{spread} {TYPE} {ref(DCAT.Distribution)} .")
        own += [f"{spread} {ref(DCAT.accessService)} <{BASE}/id/{s}> ." for s in some("service")]
        own += [f"{node} {ref(DCT.publisher)} <{BASE}/id/{a}> ." for a in some("agent")]
        own += [f"{node} {ref(DCAT.inSeries)} <{BASE}/id/{s}> ." for s in some("series")]
        own += [f"{node} {ref(DCT.relation)} <{BASE}/id/{d}> ." for d in some("dataset")]
        own += [f"<{BASE}/id/{c}> {ref(DCAT.dataset)} {node} ." for c in some("catalog")]
    for n in range(counts["service"]):
        served = (f"<{BASE}/id/{d}>" for d in some("dataset"))
        lines[f"service/{n}"] += [
            f"<{BASE}/id/service/{n}> {ref(DCAT.servesDataset)} {d} ." for d in served
        ]
    held = [record(id, said) for id, said in lines.items()]
    size = draw(st.integers(1, 4))
    return held, Settings(base=BASE, public_url=SETTINGS.public_url, page_size=size)


def pages_of(held: list[Record], configuration: Settings) -> list[list[str]]:
    walk = DCAT_AP.walk(Catalogue.of(held, BASE), configuration)
    return [walk.write(page) for page in walk.pages()]


def subjects(lines: list[str], cls: str) -> list[str]:
    return [line.split(" ")[0] for line in lines if line.endswith(f" {TYPE} {ref(cls)} .")]


many = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@given(catalogues())
@many
def test_pages_part_the_datasets_and_hold_no_more_than_their_size(
    drawn: tuple[list[Record], Settings],
) -> None:
    held, configuration = drawn
    pages = pages_of(held, configuration)
    each = [subjects(lines, DCAT.Dataset) for lines in pages]
    found = [d for page in each for d in page]
    assert sorted(found) == sorted(ref(r.iri) for r in held if r.id.startswith("dataset/"))
    assert len(set(found)) == len(found)
    assert all(len(page) <= configuration.page_size for page in each)


@given(catalogues())
@many
def test_every_listed_thing_is_listed_by_a_catalogue_on_its_page(
    drawn: tuple[list[Record], Settings],
) -> None:
    held, configuration = drawn
    pages = pages_of(held, configuration)
    for lines in pages:
        listed = {line.split(" ")[2] for line in lines if f" <{DCAT}dataset> " in line}
        assert listed == set(subjects(lines, DCAT.Dataset))
    everything = [line for lines in pages for line in lines]
    for kind, cls in (("series", DCAT.DatasetSeries), ("service", DCAT.DataService)):
        wanted = {ref(r.iri) for r in held if r.id.startswith(f"{kind}/")}
        assert set(subjects(everything, cls)) == wanted
        lists = [
            x for x in everything if f" <{DCAT}{'resource' if kind == 'series' else kind}> " in x
        ]
        assert sorted(line.split(" ")[2] for line in lists) == sorted(wanted), "listed just once"


@given(catalogues())
@many
def test_page_describes_all_that_its_datasets_reach(drawn: tuple[list[Record], Settings]) -> None:
    held, configuration = drawn
    follow = tuple(f" {ref(p)} " for p in (DCT.publisher, DCAT.inSeries, DCAT.accessService))
    for lines in pages_of(held, configuration):
        described = {line.split(" ")[0] for line in lines}
        reached = {line.split(" ")[2] for line in lines if any(p in line for p in follow)}
        assert reached <= described


@given(catalogues(), st.randoms(use_true_random=False))
@many
def test_pages_do_not_depend_on_the_order_of_the_records(
    drawn: tuple[list[Record], Settings], chance: random.Random
) -> None:
    held, configuration = drawn
    shuffled = chance.sample(held, len(held))
    assert pages_of(held, configuration) == pages_of(shuffled, configuration)


def test_build_gives_the_same_bytes_whatever_the_order(
    records: list[Record], city: Release, tmp_path: Path
) -> None:
    exports.build(tmp_path, records[::-1], SETTINGS)
    there = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert there == {name: (city.path / "exports" / name).read_bytes() for name in there}


@pytest.fixture(scope="module")
def paged(tmp_path_factory: pytest.TempPathFactory) -> Release:
    held = [
        record(f"dataset/{n}", [f"<{BASE}/id/dataset/{n}> {TYPE} {ref(DCAT.Dataset)} ."])
        for n in range(7)
    ]
    small = Settings(base=BASE, public_url=SETTINGS.public_url, page_size=3)
    return released(tmp_path_factory.mktemp("paged") / "r1", held, small)


@pytest.mark.parametrize("ext", ["rdf", "ttl", "jsonld", "nt"])
@pytest.mark.parametrize("language", [None, "es"])
def test_pages_are_walked_once_from_the_first_to_the_last(
    paged: Release, tmp_path: Path, ext: str, language: str | None
) -> None:
    start = f"{SETTINGS.public_url}/catalog.{ext}?page=1"
    version = exports.version(paged, "dcat-ap")
    url, seen, datasets = f"{start}&version={version}" + ("&lang=es" if language else ""), [], 0
    while url:
        assert url not in seen
        seen.append(url)
        number = int(url.partition("page=")[2].partition("&")[0])
        path = exports.representation(
            paged, SETTINGS, "dcat-ap", ext, number, language, cache=tmp_path
        )
        found = triples(path, ext)
        nodes = {s for s, p, o in found if p == TYPE and HYDRA in o}
        assert nodes == {ref(url)}, "one paging node, its name the address of the page"
        types = {o for s, p, o in found if s == ref(url) and p == TYPE}
        assert types == {ref(HYDRA.PagedCollection), ref(HYDRA.PartialCollectionView)}
        for name in ("next", "previous", "first", "last"):
            assert about(found, url, HYDRA[name]) == about(found, url, HYDRA[f"{name}Page"])
        assert about(found, url, HYDRA.totalItems) == {
            '"7"^^<http://www.w3.org/2001/XMLSchema#integer>'
        }
        datasets += sum(p == TYPE and o == ref(DCAT.Dataset) for _, p, o in found)
        url = next((o[1:-1] for o in about(found, url, HYDRA.next)), "")
    assert (len(seen), datasets) == (3, 7)
    assert about(found, seen[-1], HYDRA.previous) == {ref(seen[1])}


def test_first_page_has_no_previous_and_ends_are_named(paged: Release) -> None:
    found = triples(paged.path / "exports" / "dcat-ap" / "page-1.rdf", "rdf")
    start, version = f"{SETTINGS.public_url}/catalog.rdf", exports.version(paged, "dcat-ap")
    one, three = (f"{start}?page={n}&version={version}" for n in (1, 3))
    assert not about(found, one, HYDRA.previous)
    assert about(found, one, HYDRA.first) == {ref(one)}
    assert about(found, one, HYDRA.last) == {ref(three)}


def test_service_stands_on_the_first_page_that_it_serves_else_on_the_last(tmp_path: Path) -> None:
    lines = {
        f"dataset/{n}": [f"<{BASE}/id/dataset/{n}> {TYPE} {ref(DCAT.Dataset)} ."] for n in "abc"
    }
    for name, served in (("one", "bc"), ("two", "")):
        node = f"<{BASE}/id/service/{name}>"
        lines[f"service/{name}"] = [
            f"{node} {TYPE} {ref(DCAT.DataService)} .",
            *(f"{node} {ref(DCAT.servesDataset)} <{BASE}/id/dataset/{d}> ." for d in served),
        ]
    held = [record(id, text) for id, text in lines.items()]
    pages = pages_of(held, Settings(base=BASE, page_size=1))
    assert [subjects(page, DCAT.DataService) for page in pages] == [
        [], [f"<{BASE}/id/service/one>"], [f"<{BASE}/id/service/two>"],
    ]  # fmt: skip


def test_whole_feed_is_all_pages_without_paging(paged: Release) -> None:
    found = triples(whole(paged, "dcat-ap", "nt"), "nt")
    assert sum(p == TYPE and o == ref(DCAT.Dataset) for _, p, o in found) == 7
    assert not [t for t in found if HYDRA in "".join(t)]


def test_what_stands_on_several_pages_comes_once_in_the_whole(tmp_path: Path) -> None:
    agent, main = f"<{BASE}/id/agent/a>", f"<{BASE}/id/catalog/main>"
    held = [
        record(
            "agent/a", [f"{agent} {TYPE} {ref(FOAF.Agent)} .", f'{agent} {ref(FOAF.name)} "A" .']
        )
    ]
    held += [
        record(f"dataset/{n}", [
            f"<{BASE}/id/dataset/{n}> {TYPE} {ref(DCAT.Dataset)} .",
            f"<{BASE}/id/dataset/{n}> {ref(DCT.publisher)} {agent} .",
        ])
        for n in range(5)
    ]  # fmt: skip
    made = released(tmp_path / "r1", held, Settings(base=BASE, page_size=2))
    for target in ("dcat-ap", "schema.org"):
        lines = whole(made, target, "nt").decode().splitlines()
        assert len(set(lines)) == len(lines)
        assert sum(line.startswith(f"{main} ") and "/dataset/" in line for line in lines) == 5


def test_feed_that_there_was_not_yet_says_how_to_get_it(paged: Release) -> None:
    files = {"catalogue.nq": "", "exports/dcat-ap/pages.json": ""}
    older = replace(paged, manifest={"content": {"base": BASE, "files": files}})
    assert exports.page_count(older, "dcat-ap") == 3
    with pytest.raises(NotFound, match="built without ckan") as refused:
        exports.page_count(older, "ckan")
    assert refused.value.hint == "build and publish a new release"


def test_pages_of_releases_with_the_same_records_are_the_same(
    paged: Release, records: list[Record], tmp_path: Path
) -> None:
    held = [
        record(f"dataset/{n}", [f"<{BASE}/id/dataset/{n}> {TYPE} {ref(DCAT.Dataset)} ."])
        for n in range(7)
    ]
    small = Settings(base=BASE, public_url=SETTINGS.public_url, page_size=3)
    again = released(tmp_path / "r2", held[::-1], small)
    other = released(tmp_path / "r3", held[:-1], small)
    larger = released(tmp_path / "r4", held, SETTINGS)
    first, *others = (exports.version(r, "dcat-ap") for r in (paged, again, other, larger))
    assert [first == version for version in others] == [True, False, False]


# ---- one language


tags = st.sampled_from(["es", "es-es", "eu", "en", ""])
texts = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("pq"), st.sampled_from("xyz"), tags),
    unique=True,
)


@given(texts, st.sampled_from(["es", "eu", "en"]))
def test_language_drops_others_only_where_it_is_spoken(
    drawn: list[tuple[str, str, str, str]], wanted: str
) -> None:
    lines = [f"<x:{s}> <x:{p}> {literal(o, language=tag or None)} ." for s, p, o, tag in drawn]
    kept = exports.in_language(lines, wanted)
    assert [line for line in lines if line in kept] == kept
    pairs = {(s, p) for s, p, _, _ in drawn}
    for s, p in pairs:
        own = {tag for a, b, _, tag in drawn if (a, b) == (s, p)}
        left = [line for line in kept if line.startswith(f"<x:{s}> <x:{p}> ")]
        spoken = [t for t in own if t.partition("-")[0] == wanted]
        assert left, "no property loses all of its texts"
        found = {language_of(line[:-2]) or "" for line in left}
        assert found == ({*spoken, *({""} & own)} if spoken else own)


def test_feed_for_one_language(city: Release, tmp_path: Path) -> None:
    path = exports.representation(city, SETTINGS, "dcat-ap", "ttl", language="eu", cache=tmp_path)
    found = triples(path)
    assert about(found, NOISE, DCT.title) == {'"Zarata"@eu'}
    assert about(found, TREES, DCT.title) == {'"Árboles"@es'}


# ---- what is made on request


@pytest.mark.parametrize(
    ("target", "ext", "page", "language", "error", "hint"),
    [
        (
            "nobody",
            "rdf",
            1,
            None,
            NotFound,
            "targets: dcat-ap, dcat-ap-es, ckan, schema.org, full",
        ),
        ("dcat-ap", "xlsx", 1, None, UnsupportedFormat, "one of: rdf, ttl, jsonld, nt"),
        ("dcat-ap", "trig", 1, None, UnsupportedFormat, "one of: rdf, ttl, jsonld, nt"),
        ("dcat-ap", "../../manifest", 1, None, UnsupportedFormat, "one of"),
        ("dcat-ap", "rdf", 0, None, NotFound, "pages: 1 to 1"),
        ("dcat-ap", "nt", 2, None, NotFound, "pages: 1 to 1"),
        ("dcat-ap", "nt", 1, "fr", NotFound, "languages: es, eu, en"),
        ("dcat-ap", "nt", 1, "../es", NotFound, "languages: es, eu, en"),
        ("full", "nt", 1, "es", NotFound, "all of them together"),
        ("full", "nt", 2, None, NotFound, "pages: 1 to 1"),
        ("full", "csv", 1, None, UnsupportedFormat, "one of: nt, nq, ttl, trig, rdf, jsonld"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(
    city: Release, tmp_path: Path, target: str, ext: str, page: int, language: str | None,
    error: type[BilbaokgError], hint: str,
) -> None:  # fmt: skip
    with pytest.raises(error) as refused:
        exports.representation(city, SETTINGS, target, ext, page, language, cache=tmp_path)
    assert hint in (refused.value.hint or "")
    assert not list(tmp_path.iterdir())


def test_other_syntax_is_made_once_and_kept(city: Release, tmp_path: Path) -> None:
    path = exports.representation(city, SETTINGS, "dcat-ap", "jsonld", cache=tmp_path)
    assert path.is_relative_to(tmp_path / city.id)
    before = path.stat().st_mtime_ns
    assert exports.representation(city, SETTINGS, "dcat-ap", "jsonld", cache=tmp_path) == path
    assert path.stat().st_mtime_ns == before


def test_new_public_address_is_in_the_links_of_old_releases(city: Release, tmp_path: Path) -> None:
    moved = Settings(base=BASE, public_url="https://new.example")
    path = exports.representation(city, moved, "dcat-ap", "rdf", cache=tmp_path)
    text = path.read_text()
    assert "https://new.example/catalog.rdf?page=1" in text
    assert SETTINGS.public_url not in text


def test_readers_see_a_file_whole_or_not_at_all(
    city: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(ext: str = "nt") -> Path:
        return exports.representation(city, SETTINGS, "dcat-ap", ext, cache=tmp_path)

    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(BilbaokgError, match="no space left"):
            ask()
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(ask().read_bytes())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {ask().read_bytes()}
    assert len(found) == 8
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 1
