"""The authority tables: whole, in three languages, and true to the official ones."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from official import statements

from bilbaokg import assets
from bilbaokg.shacl.graph import Graph
from bilbaokg.shacl.reading import read_files
from bilbaokg.terms import LANGUAGES, OWL, SKOS, language_of, plain, ref

AUTHORITY = "http://publications.europa.eu/resource/authority/"
FILES = sorted((assets.folder("ontology") / "authority").glob("*.ttl"))
TABLES = Graph(read_files(FILES))
IN_SCHEME, MEMBER, LABEL = ref(SKOS.inScheme), ref(SKOS.member), ref(SKOS.prefLabel)
DEPRECATED = ref(OWL.deprecated)
# Our table -> the official file. The languages are a choice of those there are.
OFFICIAL = {
    "access-right": "access-right",
    "data-theme": "data-theme",
    "dataset-type": "dataset-types",
    "distribution-status": "distribution-status",
    "file-type": "filetypes",
    "frequency": "frequencies",
    "licence": "licences",
    "planned-availability": "planned-availability",
}
# What official tables hold in Spanish and Basque is names of formats and licences.
NAMES_ALONE = {"file-type", "licence"}


def concepts(scheme: str) -> list[str]:
    return [plain(term) for term in TABLES.subjects(IN_SCHEME, ref(scheme))]


def rows(reference: Path, name: str) -> list[dict[str, str]]:
    with (reference / "vocab" / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("table", "official"), OFFICIAL.items())
def test_table_holds_the_official_codes(reference: Path, table: str, official: str) -> None:
    # By code: the official list of dataset types has one under a mistyped address.
    found = {iri.rpartition("/")[2] for iri in concepts(f"{AUTHORITY}{table}")}
    assert found >= {row["id"] for row in rows(reference, official)}


@pytest.mark.parametrize(("table", "official"), OFFICIAL.items())
def test_deprecated_is_what_the_official_table_calls_so(
    reference: Path, table: str, official: str
) -> None:
    wanted = {row["url"] for row in rows(reference, official) if row["deprecated"] == "true"}
    found = concepts(f"{AUTHORITY}{table}")
    assert {iri for iri in found if TABLES.objects(ref(iri), DEPRECATED)} == wanted


@pytest.mark.parametrize("table", sorted({*OFFICIAL, "language"} - NAMES_ALONE))
def test_concepts_have_labels_in_three_languages(table: str) -> None:
    for iri in concepts(f"{AUTHORITY}{table}"):
        tags = {language_of(label) for label in TABLES.objects(ref(iri), LABEL)}
        assert tags == set(LANGUAGES), iri


@pytest.mark.parametrize("flag", ["machine-readable", "non-proprietary"])
def test_flagged_file_types_are_in_the_table(flag: str) -> None:
    collection = ref(f"urn:bilbaokg:file-types#{flag}")
    members = {plain(term) for term in TABLES.objects(collection, MEMBER)}
    assert f"{AUTHORITY}file-type/CSV" in members
    assert members <= set(concepts(f"{AUTHORITY}file-type"))
    labels = TABLES.objects(collection, LABEL)
    assert {language_of(label) for label in labels} == set(LANGUAGES)


def test_media_types_are_named_by_their_address_and_match_file_types() -> None:
    iana = "https://www.iana.org/assignments/media-types"
    found = concepts(iana)
    assert len(found) > 40
    file_types = set(concepts(f"{AUTHORITY}file-type"))
    for iri in found:
        (code,) = TABLES.objects(ref(iri), ref(SKOS.notation))
        assert iri == f"{iana}/{plain(code)}"
        assert re.fullmatch(r"(application|audio|image|text|video)/[a-z0-9.+-]+", plain(code))
        assert {plain(t) for t in TABLES.objects(ref(iri), ref(SKOS.closeMatch))} <= file_types


def test_portal_themes_lead_to_a_european_theme_and_an_nti_sector(reference: Path) -> None:
    nti = "http://datos.gob.es/kos/sector-publico/sector/"
    file = reference / "vocab" / "nti-risp_vocab_sector.ttl"
    sectors = {plain(s) for s, _, _ in statements(file.read_text(encoding="utf-8"))}
    themes = Graph(read_files([assets.folder("ontology") / "themes.ttl"]))
    found = themes.subjects(ref(SKOS.topConceptOf), themes_of(themes))
    assert len(found) == 10
    known = {*sectors, *concepts(f"{AUTHORITY}data-theme")}
    for theme in found:
        kinds = ("exactMatch", "closeMatch", "broadMatch")
        matches = {plain(t) for kind in kinds for t in themes.objects(theme, ref(SKOS[kind]))}
        assert matches <= known
        assert len([iri for iri in matches if iri.startswith(nti)]) == 1
        assert len([iri for iri in matches if iri.startswith(AUTHORITY)]) == 1


def themes_of(themes: Graph) -> str:
    (scheme,) = themes.subjects("<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>", SCHEME)
    return scheme


SCHEME = ref(SKOS.ConceptScheme)
