"""Authority tables are listed and searched; official ones are taken in, checked and used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers import Catalogue

from bilbaokg import authority
from bilbaokg.authority import Tables
from bilbaokg.errors import BilbaokgError, CorruptStore, Invalid, SyntaxFault, TooLarge
from bilbaokg.profiles import Shelf
from bilbaokg.shacl import check
from bilbaokg.shacl.prepared import prepare
from bilbaokg.shacl.reading import source_of
from bilbaokg.terms import DCAT, DCT, RDF, ref
from bilbaokg.workers import Pool

TABLE = """
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
<urn:t/colours> a skos:ConceptScheme ; skos:prefLabel "Colores"@es .
<urn:t/colours/RED> a skos:Concept ; skos:inScheme <urn:t/colours> ;
    skos:prefLabel "Rojo"@es, "rouge"@fr ; skos:altLabel "Bermellón"@es .
"""
EU = "http://publications.europa.eu/resource/authority/"


@pytest.fixture(scope="module")
def bundled() -> Tables:
    return Tables(None)


# ---- looking into them


def test_bundled_tables_are_listed_by_name_with_counts(bundled: Tables) -> None:
    found = {table.name: table for table in bundled.all()}
    assert list(found) == sorted(found)
    assert found["data-theme"].concepts == 14
    assert found["licence"].deprecated == 31
    assert found["file-type"].title["es"] == "Tipos de fichero"
    assert {"licence-type", "publisher-type", "media-type", "frequency"} <= set(found)
    assert not any(table.imported for table in found.values())


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("ANNUAL", "frequency/ANNUAL"),
        ("anual", "frequency/ANNUAL"),
        ("urtekoa", "frequency/ANNUAL"),
        ("economia y finanzas", "data-theme/ECON"),
        ("ECONOMÍA Y FINANZAS", "data-theme/ECON"),
        ("cc by 4.0", "licence/CC_BY_4_0"),
        ("text/csv", "media-type/text/csv"),
        ("Economy and finanse", "data-theme/ECON"),
        ("quarterli", "frequency/QUARTERLY"),
    ],
)
def test_concept_is_found_by_code_or_label(bundled: Tables, text: str, first: str) -> None:
    found = bundled.search(text)[0]
    assert f"{found.table}/{found.code}" == first


def test_search_is_kept_to_a_table_and_a_number(bundled: Tables) -> None:
    assert {c.table for c in bundled.search("e", table="data-theme")} == {"data-theme"}
    assert len(bundled.search("e", limit=3)) == 3
    assert bundled.search("e", table=f"{EU}data-theme") == bundled.search("e", table="data-theme")


def test_what_is_like_nothing_is_not_found(bundled: Tables) -> None:
    assert bundled.search("xyzzyplugh") == []
    assert bundled.search("annual", table="none") == []


def test_deprecated_concept_says_so(bundled: Tables) -> None:
    found = {c.code: c.deprecated for c in bundled.search("NORMAL", table="access-right")}
    assert found == {"NORMAL": True}


# ---- taking one in


def put(folder: Path, text: str, name: str = "table.ttl") -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_table_of_ones_own_is_taken_in(catalogue: Catalogue) -> None:
    done = catalogue.do("vocab.import", path=str(put(catalogue.folder, TABLE)))
    assert (done["table"], done["concepts"]) == ("colours", 1)
    tables = Tables(catalogue.workspace.data / "vocab")
    (found,) = tables.search("bermellon")
    assert (found.iri, found.labels) == ("urn:t/colours/RED", {"es": "Rojo"})
    assert {t.name for t in tables.all() if t.imported} == {"colours"}
    last = catalogue.records.audit.last()
    assert last is not None
    assert (last.kind, last.subject) == ("vocab.import", "colours")


def test_importing_a_table_again_replaces_it(catalogue: Catalogue) -> None:
    for text in (TABLE, TABLE.replace("RED", "BLUE")):
        catalogue.do("vocab.import", path=str(put(catalogue.folder, text)))
    folder = catalogue.workspace.data / "vocab"
    assert [file.name for file in folder.iterdir()] == ["colours.nt"]
    assert [c.code for c in Tables(folder).search("rojo")] == ["BLUE"]


def test_tables_that_are_called_alike_stand_side_by_side(catalogue: Catalogue) -> None:
    other = TABLE.replace("urn:t/", "urn:other/")
    for text in (TABLE, other, TABLE, other):
        catalogue.do("vocab.import", path=str(put(catalogue.folder, text)))
    folder = catalogue.workspace.data / "vocab"
    assert len(list(folder.iterdir())) == 2
    assert len(Tables(folder).search("rojo")) == 2


def test_file_that_is_not_what_was_imported_is_named(catalogue: Catalogue) -> None:
    catalogue.do("vocab.import", path=str(put(catalogue.folder, TABLE)))
    file = catalogue.workspace.data / "vocab" / "colours.nt"
    file.write_text(file.read_text(encoding="utf-8").replace("Rojo", "Azul"), encoding="utf-8")
    profile = catalogue.workspace.shelf.load("dcat-ap")
    for read in (lambda: Tables(file.parent), lambda: prepare(profile)):
        with pytest.raises(CorruptStore, match="not what was imported") as caught:
            read()
        assert caught.value.where == str(file)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (TABLE.replace("skos:Concept ;", "<urn:Other> ;"), None, "there are no concepts in it"),
        (TABLE.replace("skos:inScheme", "skos:note"), None, "of no table"),
        (TABLE.replace('"rouge"@fr', '"rouge"@qq'), 5, "unknown language 'qq'"),
        (TABLE.replace("<urn:t/colours/RED>", "<urn:t/colours/DARK RED>"), 4, "Invalid IRI"),
        ("<a", 1, "."),
    ],
)
def test_table_that_cannot_be_used_is_refused_by_line_and_changes_nothing(
    catalogue: Catalogue, text: str, line: int | None, message: str
) -> None:
    file = put(catalogue.folder, text)
    before = catalogue.hash()
    with pytest.raises((Invalid, SyntaxFault), match=message) as caught:
        catalogue.do("vocab.import", path=str(file))
    assert caught.value.extra.get("line") == line
    assert str(file) in str(caught.value.where)
    assert catalogue.hash() == before
    assert not list(catalogue.workspace.data.glob("vocab/*"))


def test_table_is_read_within_the_limits_of_the_settings(catalogue: Catalogue) -> None:
    catalogue.workspace.settings = replace(catalogue.workspace.settings, file_limit=50)
    with pytest.raises(TooLarge, match="size limit of 50"):
        catalogue.do("vocab.import", path=str(put(catalogue.folder, TABLE)))


def test_table_comes_in_any_rdf_format(tmp_path: Path, pool: Pool) -> None:
    xml = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
        xmlns:skos="http://www.w3.org/2004/02/skos/core#">
      <skos:Concept rdf:about="urn:t/colours/RED">
        <skos:inScheme rdf:resource="urn:t/colours"/>
        <skos:prefLabel xml:lang="es">Rojo</skos:prefLabel>
      </skos:Concept></rdf:RDF>"""
    turtle = authority.read(source_of(put(tmp_path, TABLE)), pool)
    rdf_xml = authority.read(source_of(put(tmp_path, xml, "table.rdf")), pool)
    assert (rdf_xml.name, rdf_xml.concepts) == (turtle.name, turtle.concepts) == ("colours", 1)
    with pytest.raises(BilbaokgError, match="unknown language"):
        authority.read(source_of(put(tmp_path, xml.replace('"es"', '"qq"'), "bad.rdf")), pool)


# ---- official tables


OFFICIAL = ("access-right", "data-theme", "filetypes", "frequencies", "licences", "dataset-types")


@pytest.mark.parametrize("name", OFFICIAL)
def test_official_table_adds_to_the_bundled_one(
    reference: Path, tmp_path: Path, pool: Pool, bundled: Tables, name: str
) -> None:
    table = authority.read(source_of(reference / "vocab" / f"{name}.ttl"), pool)
    table.write(tmp_path)
    before = {t.name: t for t in bundled.all()}[table.name]
    after = {t.name: t for t in Tables(tmp_path).all()}[table.name]
    assert after.imported
    assert (after.scheme, after.deprecated) == (before.scheme, before.deprecated)
    assert after.concepts >= max(before.concepts, table.concepts)


def test_validation_knows_an_imported_table_and_says_so(
    reference: Path, catalogue: Catalogue, tmp_path: Path
) -> None:
    # A concept that came later: its table says that it is one, its class is that of the others.
    text = (reference / "vocab" / "frequencies.ttl").read_text(encoding="utf-8")
    newer = put(tmp_path, text.replace("frequency/ANNUAL>", "frequency/NEWER>"))
    catalogue.do("vocab.import", path=str(newer))
    value = ref(f"{EU}frequency/NEWER")
    lines = [
        f"<urn:d> {ref(RDF.type)} {ref(DCAT.Dataset)} .",
        f"<urn:d> {ref(DCT.accrualPeriodicity)} {value} .",
    ]
    without = check(lines, Shelf().load("dcat-ap/3.0.1"))
    report = check(lines, catalogue.workspace.shelf.load("dcat-ap/3.0.1"))
    about = f"{DCT.accrualPeriodicity}"
    assert [r.path for r in without.results if r.path == about] == [about]
    assert [r.path for r in report.results if r.path == about] == []
    assert report.tables == ("frequency",)
    assert report.as_dict()["tables"] == ["frequency"]
    assert "tables" not in without.as_dict()


def test_profile_without_authority_tables_takes_none(catalogue: Catalogue) -> None:
    catalogue.do("vocab.import", path=str(put(catalogue.folder, TABLE)))
    assert catalogue.workspace.shelf.load("bilbaokg/1").tables == ()
    assert [f.stem for f in catalogue.workspace.shelf.load("dcat-ap").tables] == ["colours"]
