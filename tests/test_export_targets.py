"""The targets beside dcat-ap: what each portal wants said otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from export_helpers import (
    BASE,
    SETTINGS,
    TYPE,
    Triple,
    about,
    public,
    record,
    released,
    triples,
    turtle,
    whole,
)

from bilbaokg import exports
from bilbaokg.errors import Invalid
from bilbaokg.terms import (
    DCAT,
    DCT,
    FOAF,
    RDF,
    RDFS,
    SCHEMA,
    SKOS,
    SPDX,
    ref,
)

PREFIXES = f"""
@prefix : <{BASE}/id/> . @prefix d: <{BASE}/id/dataset/> . @prefix c: <{BASE}/id/catalog/> .
@prefix dcat: <{DCAT}> . @prefix dct: <{DCT}> . @prefix foaf: <{FOAF}> . @prefix skos: <{SKOS}> .
@prefix org: <http://www.w3.org/ns/org#> . @prefix spdx: <{SPDX}> .
@prefix schema: <http://schema.org/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix eu: <http://publications.europa.eu/resource/authority/> .
@prefix nti: <http://datos.gob.es/kos/sector-publico/sector/> .
"""
D = f"{BASE}/id/dataset/x"
DIR3 = "http://datos.gob.es/recurso/sector-publico/org/Organismo/L01480209"
SECTOR = "http://datos.gob.es/kos/sector-publico/sector"
EU = "http://publications.europa.eu/resource/authority"
CSV = f"{EU}/file-type/CSV"


def exported(target: str, text: str, tmp_path: Path) -> set[Triple]:
    made = released(tmp_path / "r1", public(turtle(PREFIXES + text)))
    return triples(whole(made, target, "nt"), "nt")


def typed(found: set[Triple], cls: str) -> set[str]:
    return {s for s, p, o in found if p == TYPE and o == ref(cls)}


# ---- what targets share


SERIES = """
d:x a dcat:Dataset ; dcat:inSeries <https://city.example/id/series/s> .
<https://city.example/id/series/s> a dcat:DatasetSeries, dcat:Dataset ; dct:title "S"@es .
<https://city.example/id/service/api> a dcat:DataService ;
    dcat:servesDataset d:x, <https://city.example/id/series/s> .
"""


@pytest.mark.parametrize("target", ["dcat-ap-es", "ckan"])
def test_series_is_left_out_where_it_would_count_as_a_dataset(target: str, tmp_path: Path) -> None:
    found = exported(target, SERIES, tmp_path)
    assert typed(found, DCAT.Dataset) == {ref(D)}
    assert not typed(found, DCAT.DatasetSeries)
    assert not about(found, D, DCAT.inSeries)
    assert about(found, f"{BASE}/id/service/api", DCAT.servesDataset) == {ref(D)}


@pytest.mark.parametrize("target", ["dcat-ap-es", "ckan"])
def test_series_that_is_left_out_is_counted(target: str) -> None:
    cut = exports.cut(public(turtle(PREFIXES + SERIES)), SETTINGS, target)
    assert cut[DCAT.inSeries] == 1
    assert cut[DCT.title] == 1
    assert cut[RDF.type] == 2


FORMAT = f"""
d:x a dcat:Dataset ; dcat:distribution :f . :f a dcat:Distribution ; dct:format <{CSV}> .
"""


@pytest.mark.parametrize("target", ["dcat-ap-es", "ckan"])
def test_format_is_described_where_the_release_names_it_by_its_iri_alone(
    target: str, tmp_path: Path
) -> None:
    found = exported(target, FORMAT, tmp_path)
    types = {o for s, p, o in found if s == ref(CSV) and p == TYPE}
    assert types == {ref(DCT.IMT), ref(DCT.MediaTypeOrExtent)}
    assert about(found, CSV, RDFS.label) == {'"CSV"'}
    assert about(found, CSV, RDF.value) == {'"text/csv"'}


@pytest.mark.parametrize("target", ["dcat-ap-es", "ckan"])
def test_first_class_of_a_format_is_the_one_that_ckan_reads(target: str, tmp_path: Path) -> None:
    made = released(tmp_path / "r1", public(turtle(PREFIXES + FORMAT)))
    assert f'<dct:IMT rdf:about="{CSV}">' in whole(made, target, "rdf").decode()


def test_dcat_ap_links_a_format_that_the_release_does_not_describe(tmp_path: Path) -> None:
    found = exported("dcat-ap", FORMAT, tmp_path)
    assert about(found, f"{BASE}/id/f", DCT["format"]) == {ref(CSV)}
    assert not [t for t in found if t[0] == ref(CSV)]


# ---- dcat-ap-es


def test_publisher_is_known_by_its_dir3_code_and_named(tmp_path: Path) -> None:
    text = """<https://city.example/id/agent/c> a org:FormalOrganization ;
        foaf:name "Ayuntamiento"@es ; dct:identifier "L01480209" .
    d:x a dcat:Dataset ; dct:publisher <https://city.example/id/agent/c> ."""
    found = exported("dcat-ap-es", text, tmp_path)
    assert about(found, D, DCT.publisher) == {ref(DIR3)}
    assert about(found, DIR3, FOAF.name) == {'"Ayuntamiento"@es'}
    assert not [t for t in found if f"<{BASE}/id/agent/c>" in t]


def test_unit_without_a_code_publishes_as_the_body_above_it(tmp_path: Path) -> None:
    text = f"""<https://city.example/id/agent/c> a org:FormalOrganization ; foaf:name "A"@es ;
        <http://www.w3.org/2002/07/owl#sameAs> <{DIR3}> .
    <https://city.example/id/unit/u> a org:OrganizationalUnit ; foaf:name "U"@es ;
        org:unitOf <https://city.example/id/agent/c> .
    d:x a dcat:Dataset ; dct:publisher <https://city.example/id/unit/u> ."""
    found = exported("dcat-ap-es", text, tmp_path)
    assert about(found, D, DCT.publisher) == {ref(DIR3)}
    assert about(found, DIR3, FOAF.name) == {'"A"@es'}


def test_publisher_without_any_code_stays_as_it_is(tmp_path: Path) -> None:
    text = """<https://city.example/id/agent/c> a foaf:Agent ; dct:identifier "7" .
    d:x a dcat:Dataset ; dct:publisher <https://city.example/id/agent/c> ."""
    found = exported("dcat-ap-es", text, tmp_path)
    assert about(found, D, DCT.publisher) == {f"<{BASE}/id/agent/c>"}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("eu:data-theme\\/ENVI", {f"{EU}/data-theme/ENVI", f"{SECTOR}/medio-ambiente"}),
        ("eu:data-theme\\/ECON", {f"{EU}/data-theme/ECON"}),
        ("nti:comercio", {f"{SECTOR}/comercio"}),
        ("<https://city.example/id/concept/t>", {f"{SECTOR}/turismo"}),
        ("<https://elsewhere.example/theme>", set()),
    ],
)
def test_themes_are_those_that_the_profile_knows(said: str, told: set[str], tmp_path: Path) -> None:
    text = f"""<https://city.example/id/concept/t> a skos:Concept ; skos:exactMatch nti:turismo .
    d:x a dcat:Dataset ; dcat:theme {said} ."""
    found = exported("dcat-ap-es", text, tmp_path)
    assert about(found, D, DCAT.theme) == set(map(ref, told))


def test_catalogue_names_the_spanish_sectors_and_no_scheme_of_its_own(tmp_path: Path) -> None:
    text = f"""c:a a dcat:Catalog ; dcat:themeTaxonomy <{EU}/data-theme>, <{BASE}/id/scheme/own> ;
        dcat:dataset d:x . d:x a dcat:Dataset ."""
    found = exported("dcat-ap-es", text, tmp_path)
    assert about(found, f"{BASE}/id/catalog/a", DCAT.themeTaxonomy) == {
        ref(SECTOR),
        f"<{EU}/data-theme>",
    }


def test_one_catalogue_lists_everything(tmp_path: Path) -> None:
    text = """c:a a dcat:Catalog ; dcat:catalog c:b ; dcat:dataset d:x .
    c:b a dcat:Catalog ; dcat:dataset d:y . d:x a dcat:Dataset . d:y a dcat:Dataset ."""
    found = exported("dcat-ap-es", text, tmp_path)
    assert typed(found, DCAT.Catalog) == {f"<{BASE}/id/catalog/a>"}
    listed = {ref(D), f"<{BASE}/id/dataset/y>"}
    assert about(found, f"{BASE}/id/catalog/a", DCAT.dataset) == listed
    assert not [t for t in found if t[1] == ref(DCAT.catalog)]


def test_checksum_is_sha1_as_spdx_2_wrote_it_and_no_other(tmp_path: Path) -> None:
    text = """d:x a dcat:Dataset ; dcat:distribution :f, :g .
    :f a dcat:Distribution ; spdx:checksum [ a spdx:Checksum ; spdx:checksumValue "aa" ;
        spdx:algorithm <https://spdx.org/rdf/terms#checksumAlgorithm_sha1> ] .
    :g a dcat:Distribution ; spdx:checksum [ a spdx:Checksum ; spdx:checksumValue "bb" ;
        spdx:algorithm <https://spdx.org/rdf/terms#checksumAlgorithm_sha256> ] ."""
    found = exported("dcat-ap-es", text, tmp_path)
    algorithms = {o for _, p, o in found if p == ref(SPDX.algorithm)}
    assert algorithms == {"<http://spdx.org/rdf/terms#checksumAlgorithm_sha1>"}
    assert {o for _, p, o in found if p == ref(SPDX.checksumValue)} == {'"aa"'}
    assert not about(found, f"{BASE}/id/g", SPDX.checksum)


def test_period_of_schema_org_becomes_one_of_dcat(tmp_path: Path) -> None:
    text = """d:x a dcat:Dataset ; dct:temporal [ a dct:PeriodOfTime ;
        schema:startDate "2020-01-01"^^xsd:date ; schema:endDate "2021-01-01"^^xsd:date ] ."""
    found = exported("dcat-ap-es", text, tmp_path)
    told = {(p, o[1:11]) for _, p, o in found if p in (ref(DCAT.startDate), ref(DCAT.endDate))}
    assert told == {(ref(DCAT.startDate), "2020-01-01"), (ref(DCAT.endDate), "2021-01-01")}


def test_place_is_described_only_where_it_has_a_geometry(tmp_path: Path) -> None:
    text = """d:x a dcat:Dataset ; dct:spatial eu:place\\/ESP_BIO, [ a dct:Location ;
        dcat:bbox "POINT(0 0)" ] , [ a dct:Location ; skos:prefLabel "Somewhere"@en ] .
    eu:place\\/ESP_BIO a dct:Location ; skos:prefLabel "Bilbao"@es ."""
    found = exported("dcat-ap-es", text, tmp_path)
    (blank,) = typed(found, DCT.Location)
    assert about(found, D, DCT.spatial) == {blank, f"<{EU}/place/ESP_BIO>"}


# ---- ckan


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("aire limpio", '"aire limpio"@es'),
        ("Zarata_2.0-a", '"Zarata_2.0-a"@es'),
        ("niños y niñas", '"niños y niñas"@es'),
        ("CO₂ (gas), €", '"CO₂ gas"@es'),
        ("a/b: c", '"a b c"@es'),
        ("x", None),
        ("€", None),
        ("y" * 120, f'"{"y" * 100}"@es'),
    ],
)
def test_keyword_is_in_the_characters_that_ckan_takes(
    said: str, told: str | None, tmp_path: Path
) -> None:
    found = exported("ckan", f'd:x a dcat:Dataset ; dcat:keyword "{said}"@es .', tmp_path)
    assert about(found, D, DCAT.keyword) == ({told} if told else set())


def test_licence_has_a_title(tmp_path: Path) -> None:
    licences = {
        f"{EU}/licence/CC_BY_4_0": '"Creative Commons Attribution"',
        f"{EU}/licence/CC_BYND_4_0": "4.0",
        "https://creativecommons.org/licenses/by-sa/4.0/": "Creative Commons Attribution Share-",
        "https://opendatacommons.org/licenses/odbl/1-0/": "(ODbL)",
        "https://city.example/terms": "Our terms",
        "https://elsewhere.example/licences/odbl": "odbl",
    }
    parts = "".join(
        f"d:x dcat:distribution :{n} . :{n} a dcat:Distribution ; dct:license <{licence}> .\n"
        for n, licence in enumerate(licences)
    )
    text = f"""d:x a dcat:Dataset . {parts}
    <https://city.example/terms> a dct:LicenseDocument ; skos:prefLabel "Our terms" ."""
    found = exported("ckan", text, tmp_path)
    for licence, title in licences.items():
        assert any(title in o for o in about(found, licence, DCT.title))
    assert typed(found, DCT.LicenseDocument) == set(map(ref, licences))


# ---- schema.org


def schema(found: set[Triple], subject: str, name: str) -> set[str]:
    return about(found, subject, SCHEMA[name])


FULL = """
c:a a dcat:Catalog ; dct:title "Todo"@es ; dcat:dataset d:x .
<https://city.example/id/agent/c> a foaf:Agent ; foaf:name "Ciudad"@es .
<https://city.example/id/concept/t> a skos:Concept ; skos:prefLabel "Tráfico"@es .
d:x a dcat:Dataset ; dct:title "Aforos"@es, "Counts"@en ; dct:description "Coches."@es ;
    dct:identifier "x" ; dct:publisher <https://city.example/id/agent/c> ;
    dcat:keyword "coches"@es ; dcat:theme <https://city.example/id/concept/t> ;
    dct:issued "2020-01-01"^^xsd:date ; dct:language eu:language\\/SPA ;
    dct:accessRights eu:access-right\\/PUBLIC ; dct:spatial eu:place\\/ESP_BIO ;
    dct:temporal [ a dct:PeriodOfTime ; dcat:startDate "2020-01-01"^^xsd:date ] ;
    dcat:distribution :f .
eu:place\\/ESP_BIO a dct:Location ; skos:prefLabel "Bilbao"@es .
:f a dcat:Distribution ; dcat:accessURL <https://city.example/f> ; dcat:byteSize 12 ;
    dct:format eu:file-type\\/CSV ; dct:license eu:licence\\/CC_BY_4_0 .
<https://city.example/id/service/api> a dcat:DataService ; dct:title "API"@en ;
    dcat:endpointURL <https://city.example/api> .
"""
S = "https://schema.org/"


def test_dataset_is_said_in_schema_org(tmp_path: Path) -> None:
    found = exported("schema.org", FULL, tmp_path)
    told = {
        "name": {'"Aforos"@es', '"Counts"@en'},
        "description": {'"Coches."@es'},
        "identifier": {'"x"'},
        "keywords": {'"coches"@es', '"Tráfico"@es'},
        "publisher": {f"<{BASE}/id/agent/c>"},
        "creator": {f"<{BASE}/id/agent/c>"},
        "license": {f"<{EU}/licence/CC_BY_4_0>"},
        "inLanguage": {'"es"'},
        "isAccessibleForFree": {'"true"^^<http://www.w3.org/2001/XMLSchema#boolean>'},
        "temporalCoverage": {'"2020-01-01/.."'},
        "spatialCoverage": {f"<{EU}/place/ESP_BIO>"},
        "includedInDataCatalog": {f"<{BASE}/id/catalog/a>"},
        "url": {ref(D)},
        "distribution": {f"<{BASE}/id/f>"},
    }
    assert {name: schema(found, D, name) for name in told} == told
    file = {"contentUrl": {"<https://city.example/f>"}, "encodingFormat": {'"text/csv"'}}
    assert {name: schema(found, f"{BASE}/id/f", name) for name in file} == file
    assert schema(found, f"{EU}/place/ESP_BIO", "name") == {'"Bilbao"@es'}
    assert typed(found, SCHEMA.WebAPI) == {f"<{BASE}/id/service/api>"}


def test_schema_org_has_one_form_and_no_word_of_others(tmp_path: Path) -> None:
    found = exported("schema.org", FULL, tmp_path)
    words = {p for _, p, _ in found if p != TYPE} | {o for _, p, o in found if p == TYPE}
    assert {word for word in words if not word.startswith(f"<{S}")} == set()


def test_catalogue_of_schema_org_lists_its_datasets(tmp_path: Path) -> None:
    found = exported("schema.org", FULL, tmp_path)
    assert schema(found, f"{BASE}/id/catalog/a", "dataset") == {ref(D)}
    assert typed(found, SCHEMA.DataCatalog) == {f"<{BASE}/id/catalog/a>"}


def test_what_schema_org_says_in_other_words_is_not_counted_as_cut() -> None:
    cut = exports.cut(public(turtle(PREFIXES + FULL)), SETTINGS, "schema.org")
    for said in (DCT.title, DCT.publisher, DCAT.accessURL, DCAT.keyword):
        assert cut[said] == 0
    assert cut[SKOS.prefLabel] > 0


@pytest.mark.parametrize("language", [None, "en"])
def test_json_ld_of_schema_org_says_what_turtle_says(language: str | None, tmp_path: Path) -> None:
    made = released(tmp_path / "r1", public(turtle(PREFIXES + FULL)))
    said = [triples(whole(made, "schema.org", ext, language), ext) for ext in ("jsonld", "ttl")]
    assert said[0] == said[1]
    document = json.loads(whole(made, "schema.org", "jsonld", language))
    assert document["@context"]["@vocab"] == S
    assert {"Dataset", "DataDownload", "DataCatalog"} <= {n["@type"] for n in document["@graph"]}


def test_person_stops_the_build_of_schema_org_too(tmp_path: Path) -> None:
    person = record("agent/p", [f"<{BASE}/id/agent/p> {TYPE} <{S}Person> ."])
    held = [record("dataset/x", [
        f"{ref(D)} {TYPE} {ref(DCAT.Dataset)} .",
        f"{ref(D)} {ref(DCT.creator)} <{BASE}/id/agent/p> .",
    ]), person]  # fmt: skip
    with pytest.raises(Invalid, match="person"):
        exports.cut(held, SETTINGS, "schema.org")


def test_island_is_the_dataset_as_a_tree_in_one_language() -> None:
    told = exports.island(public(turtle(PREFIXES + FULL)), D, BASE, "es")
    assert told["@context"] == {"@vocab": S, "@language": "es"}
    assert (told["@id"], told["@type"], told["name"]) == (D, "Dataset", "Aforos")
    assert told["publisher"] == told["creator"]
    assert told["publisher"]["name"] == "Ciudad"
    assert told["datePublished"] == "2020-01-01"
    assert told["license"] == f"{EU}/licence/CC_BY_4_0"
    assert told["distribution"]["contentUrl"] == "https://city.example/f"
    catalogue = told["includedInDataCatalog"]
    assert catalogue["dataset"] == {"@id": D}, "what is above is only named"
    english = exports.island(public(turtle(PREFIXES + FULL)), D, BASE, "en")
    assert english["name"] == "Counts"
    assert english["description"] == {"@language": "es", "@value": "Coches."}


def test_island_of_what_is_no_dataset_any_more_is_its_name() -> None:
    held = [record("dataset/x", [f'{ref(D)} {ref(DCT.title)} "X"@es .'])]
    assert exports.island(held, D, BASE, "es")["@id"] == D
