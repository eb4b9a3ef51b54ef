"""The bytes of exports: every literal in every syntax, the full release, and single resources."""

from __future__ import annotations

import hashlib
import os
import warnings
import xml.parsers.expat
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from export_helpers import (
    BASE,
    DATA,
    SETTINGS,
    TYPE,
    files,
    public,
    record,
    released,
    said,
    triples,
    turtle,
    whole,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bilbaokg import exports
from bilbaokg.errors import Invalid, NotFound, UnsupportedFormat
from bilbaokg.exports.catalogue import Blanks
from bilbaokg.model import Record, Release
from bilbaokg.settings import Settings
from bilbaokg.terms import DCAT, DCT, RDF, XSD, plain, ref
from bilbaokg.writing import to_bytes

SYNTAXES = ("ttl", "rdf", "nt", "jsonld")
RDFLIB = {"ttl": "turtle", "rdf": "xml", "nt": "nt", "jsonld": "json-ld"}
S, P = "<https://s.example/s>", "<https://s.example/p>"
# XML cannot carry these; nor does N-Triples carry surrogates.
XML_REFUSES = "".join(map(chr, [*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF]))


def read_by_rdflib(content: bytes, format: str) -> set[tuple[str, str | None, str | None]]:
    graph = rdflib.Graph()
    before, rdflib.NORMALIZE_LITERALS = rdflib.NORMALIZE_LITERALS, False
    try:
        with warnings.catch_warnings():
            # Its own JSON-LD parser uses what it deprecates.
            warnings.simplefilter("ignore", DeprecationWarning)
            graph.parse(data=content, format=RDFLIB[format])
    finally:
        rdflib.NORMALIZE_LITERALS = before
    return {
        (str(o), str(o.datatype) if o.datatype else None, o.language)
        for o in graph.objects()
        if isinstance(o, rdflib.Literal)
    }


def term(value: str, kind: str) -> str:
    """The canonical text of a literal, as the parser gives it."""
    if kind.startswith("@"):
        return str(ox.Literal(value, language=kind[1:]))
    return str(ox.Literal(value, datatype=ox.NamedNode(kind)))


# ---- literals

characters = st.characters(exclude_categories=["Cs"], exclude_characters=XML_REFUSES)
kinds = st.sampled_from(
    ["@es", "@eu", "@en-gb", XSD.string, XSD.integer, XSD.decimal, XSD.double, XSD.boolean,
     XSD.date, XSD.dateTime, XSD.nonNegativeInteger, XSD.hexBinary, RDF.XMLLiteral, RDF.HTML,
     "https://s.example/type#of", "urn:x:type:1"]
)  # fmt: skip


@pytest.mark.parametrize("format", SYNTAXES)
@given(value=st.text(characters), kind=kinds)
@example(value="01", kind=XSD.integer)
@example(value="1.50", kind=XSD.decimal)
@example(value="+1.0E0", kind=XSD.double)
@example(value="1", kind=XSD.boolean)
@example(value=" a\r\nb\rc\td ", kind="@es")
@example(value="]]> <&>\"' \\u0041 \\", kind=XSD.string)
@example(value="\x85\u2028\u2029\u00a0\ufeff", kind=XSD.string)
@settings(deadline=None, max_examples=60)
def test_literal_survives_with_its_form_and_type(format: str, value: str, kind: str) -> None:
    object_ = term(value, kind)
    content = to_bytes([f"{S} {P} {object_} ."], format, exact=True)
    assert triples(content, format) == {(S, P, object_)}


@pytest.mark.parametrize("format", SYNTAXES)
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("01", XSD.integer), ("1.50", XSD.decimal), ("+1.0E0", XSD.double), ("1", XSD.boolean),
        ("2024-02-30", XSD.date), (" a\r\nb\rc\td ", "@es"), ("]]> <&>\"' \\u0041 \\", XSD.string),
        ("\u2028\u00a0", XSD.string), ("0a", XSD.hexBinary), ("", "@eu"),
    ],
)  # fmt: skip
def test_literal_survives_in_rdflib_too(format: str, value: str, kind: str) -> None:
    content = to_bytes([f"{S} {P} {term(value, kind)} ."], format, exact=True)
    tag = kind[1:] if kind.startswith("@") else None
    datatype = None if tag or kind == XSD.string else kind
    assert read_by_rdflib(content, format) == {(value, datatype, tag)}


@pytest.mark.parametrize("format", [f for f in SYNTAXES if f != "rdf"])
@pytest.mark.parametrize("character", XML_REFUSES)
def test_other_syntaxes_carry_what_xml_cannot(format: str, character: str) -> None:
    object_ = term(f"a{character}b", XSD.string)
    content = to_bytes([f"{S} {P} {object_} ."], format, exact=True)
    assert triples(content, format) == {(S, P, object_)}


@pytest.mark.parametrize("character", XML_REFUSES)
def test_rdfxml_of_a_feed_writes_the_replacement_character(character: str) -> None:
    content = to_bytes([f"{S} {P} {term(f'a{character}b', XSD.string)} ."], "rdf")
    assert triples(content, "rdf") == {(S, P, '"a\ufffdb"')}
    assert read_by_rdflib(content, "rdf") == {("a\ufffdb", None, None)}


def test_exact_rdfxml_refuses_what_it_cannot_carry_and_names_others() -> None:
    with pytest.raises(Invalid) as refused:
        to_bytes([f"{S} {P} {term(chr(0), XSD.string)} ."], "rdf", exact=True)
    assert refused.value.where == S
    assert refused.value.hint == "ask for ttl, nt or jsonld"


def test_text_that_only_looks_like_an_escape_is_no_control_character() -> None:
    object_ = term("a\\u0007", XSD.string)
    assert triples(to_bytes([f"{S} {P} {object_} ."], "rdf", exact=True), "rdf") == {
        (S, P, object_)
    }


# ---- IRIs

iris = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc", "Cn", "Co", "Z"], exclude_characters='<>"{}|^`\\ '
    )
).map(lambda tail: f"<https://s.example/{tail}>")


def is_iri(text: str) -> bool:
    try:
        ox.parse(f"{S} {P} {text} .", format=ox.RdfFormat.N_TRIPLES).__next__()
    except SyntaxError:
        return False
    return True


def nameable(iri: str) -> bool:
    """Whether XML takes some end of the IRI, up to Cyrillic, as the name of an element."""
    if iri in (ref(RDF.li), ref(RDF.Description)):
        return False
    ends = (iri[n:-1] for n in range(len(iri) - 2, 0, -1))
    return any(":" not in end and max(end) <= "\u0481" and is_xml(f"<{end}/>") for end in ends)


def is_xml(text: str) -> bool:
    parser = xml.parsers.expat.ParserCreate()
    try:
        parser.Parse(text, True)
    except xml.parsers.expat.ExpatError:
        return False
    return True


@pytest.mark.parametrize("format", SYNTAXES)
@given(predicate=iris.filter(is_iri), cls=iris.filter(is_iri))
@example(predicate="<https://s.example/a&b'c>", cls="<https://s.example/1>")
@example(predicate="<urn:x:y>", cls="<urn:x:1>")
@example(predicate="<https://s.example/(1)x>", cls="<https://s.example/>")
@example(predicate=ref(RDF.li), cls=ref(RDF.Description))
@example(predicate=ref(RDF["_1"]), cls=ref(RDF.li))
@example(predicate=ref(DCT.title), cls=ref(f"{DCAT}Dataset.x"))
@example(predicate="<https://s.example/typ-úložiště>", cls="<https://s.example/Třída>")
@example(predicate="<https://s.example/τίτλος>", cls="<https://s.example/Дані>")
@settings(deadline=None, max_examples=60)
def test_any_predicate_and_class_is_written_or_refused(
    format: str, predicate: str, cls: str
) -> None:
    lines = [f"{S} {TYPE} {cls} .", f'{S} {predicate} "x" .', f"{S} {predicate} {cls} ."]
    if format == "rdf" and not nameable(predicate):
        with pytest.raises(Invalid, match="no name for the predicate"):
            to_bytes(lines, format, exact=True)
        return
    content = to_bytes(lines, format, exact=True)
    assert triples(content, format) == {(S, TYPE, cls), (S, predicate, '"x"'), (S, predicate, cls)}
    assert read_by_rdflib(content, format) == {("x", None, None)}


def test_rdfxml_names_properties_with_all_letters_up_to_cyrillic() -> None:
    letters = [chr(n) for n in range(0x80, 0x600) if is_xml(f"<a{chr(n)}/>")]
    taken = [letter for letter in letters if letter <= "\u0481"]
    assert len(taken) > 700
    lines = [f'{S} <https://s.example/a{letter}> "x" .' for letter in taken]
    found = triples(to_bytes(lines, "rdf", exact=True), "rdf")
    assert found == {(S, f"<https://s.example/a{letter}>", '"x"') for letter in taken}
    for letter in letters[len(taken) :]:
        with pytest.raises(Invalid):
            to_bytes([f'{S} <https://s.example/a{letter}> "x" .'], "rdf", exact=True)


def test_turtle_is_written_for_people() -> None:
    lines = [f"{ref(BASE)} {TYPE} {ref(DCAT.Dataset)} .", f'{ref(BASE)} {ref(DCT.title)} "A"@es .']
    lines.append(f'{ref(BASE)} {ref(DCT.title)} "B"@eu .')
    body = to_bytes(lines, "ttl").decode().partition("\n\n")[2]
    assert body == f'<{BASE}> a dcat:Dataset ;\n    dct:title "A"@es ,\n        "B"@eu .\n'


def test_rdfxml_names_nodes_by_their_class() -> None:
    text = to_bytes([f"{ref(BASE)} {TYPE} {ref(DCAT.Dataset)} ."], "rdf").decode()
    assert f'<dcat:Dataset rdf:about="{BASE}">' in text


@pytest.mark.parametrize("format", [*SYNTAXES, "nq", "trig"])
def test_nothing_is_a_document_too(format: str) -> None:
    assert triples(to_bytes([], format), format) == set()


# ---- the whole release


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return public(turtle((DATA / "city.ttl").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def city(records: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Release:
    return released(tmp_path_factory.mktemp("city") / "r1", records)


def blanked(records: list[Record]) -> set[tuple[str, str, str]]:
    blank = Blanks(BASE)
    return {(blank(s), p, blank(o)) for s, p, o in said(records)}


@pytest.mark.parametrize("ext", exports.TARGETS["full"].formats)
def test_full_says_every_statement_and_no_other(
    city: Release, records: list[Record], tmp_path: Path, ext: str
) -> None:
    path = exports.representation(city, SETTINGS, "full", ext, cache=tmp_path)
    assert triples(path, ext) == blanked(records)
    assert path.read_bytes() == whole(city, "full", ext)
    assert ("<https://city.example/nowhere>", ref(DCT.title), '"nothing reaches this"') in triples(
        path, ext
    )


@pytest.mark.parametrize("ext", ["nq", "trig"])
def test_full_keeps_the_graph_of_each_record(
    city: Release, records: list[Record], ext: str
) -> None:
    content = whole(city, "full", ext)
    kind = ox.RdfFormat.N_QUADS if ext == "nq" else ox.RdfFormat.TRIG
    found = {
        (str(q.graph_name), str(q.subject), str(q.predicate), str(q.object))
        for q in ox.parse(content, format=kind)
    }
    assert found == {
        (f"<{BASE}/graph/record/{r.id}>", *triple) for r in records for triple in blanked([r])
    }


def test_full_says_once_what_two_records_say(tmp_path: Path) -> None:
    line = f'{S} {ref(DCT.title)} "x" .'
    made = released(tmp_path / "r1", [record("shared/a", [line]), record("shared/b", [line])])
    assert whole(made, "full", "nt").decode() == f"{line}\n"
    assert whole(made, "full", "nq").decode().count("\n") == 2


def test_line_separators_inside_a_text_end_no_statement(tmp_path: Path) -> None:
    line = f'<{BASE}/id/dataset/x> {ref(DCT.title)} "a\u2028b\x85c\u2029d" .'
    made = released(tmp_path / "r1", [record("dataset/x", [line])])
    assert whole(made, "full", "nt").decode() == f"{line}\n"
    assert exports.resource(made, "dataset/x", "nt").decode() == f"{line}\n"


def test_full_rdfxml_refuses_a_predicate_without_a_name_and_leaves_no_file(tmp_path: Path) -> None:
    made = released(tmp_path / "r1", [record("shared/a", [f'{S} <https://s.example/1> "x" .'])])
    with pytest.raises(Invalid, match="no name for the predicate"):
        exports.representation(made, SETTINGS, "full", "rdf", cache=tmp_path / "cache")
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]


# ---- one resource


@pytest.mark.parametrize("key", ["dataset/noise", f"{BASE}/id/dataset/noise"])
@pytest.mark.parametrize("ext", SYNTAXES)
def test_resource_is_the_text_of_its_record(
    city: Release, records: list[Record], key: str, ext: str
) -> None:
    own = [r for r in records if r.id == "dataset/noise"]
    assert triples(exports.resource(city, key, ext), ext) == blanked(own)


def test_every_record_is_found_by_id_and_by_iri(city: Release, records: list[Record]) -> None:
    for r in records:
        by_id = exports.resource(city, r.id, "nt")
        assert by_id == exports.resource(city, r.iri, "nt")
        assert triples(by_id, "nt") >= blanked([r])


def test_distribution_has_its_own_statements_and_their_blank_nodes(city: Release) -> None:
    found = triples(exports.resource(city, "distribution/noise-csv", "ttl"))
    subjects = {s for s, _, _ in found}
    assert {s for s in subjects if s.startswith("<")} == {f"<{BASE}/id/distribution/noise-csv>"}
    assert any(p == "<http://spdx.org/rdf/terms#checksumValue>" for _, p, _ in found)


def test_part_with_a_foreign_iri_is_found_by_the_hash_of_it(tmp_path: Path) -> None:
    text = f"""@prefix dcat: <{DCAT}> .
    <https://f.example/d> a dcat:Dataset ; dcat:distribution <https://f.example/x> .
    <https://f.example/x> a dcat:Distribution ; dcat:accessURL <https://f.example/x.csv> ."""
    made = released(tmp_path / "r1", public(turtle(text)))
    by_iri = exports.resource(made, "https://f.example/x", "nt")
    key = f"distribution/{hashlib.sha256(b'https://f.example/x').hexdigest()[:16]}"
    assert by_iri == exports.resource(made, key, "nt")


def test_blank_node_that_two_records_lead_to_comes_with_each(tmp_path: Path) -> None:
    text = f"""@prefix dcat: <{DCAT}> . @prefix dct: <{DCT}> . @prefix d: <{BASE}/id/dataset/> .
    d:a a dcat:Dataset ; dct:spatial _:p . d:b a dcat:Dataset ; dct:spatial _:p .
    _:p a dct:Location ; dcat:bbox "POINT(0 0)" ."""
    made = released(tmp_path / "r1", public(turtle(text)))
    for name in "ab":
        found = triples(exports.resource(made, f"dataset/{name}", "ttl"))
        assert [o for _, p, o in found if p == ref(DCAT.bbox)] == ['"POINT(0 0)"']


@pytest.mark.parametrize("key", ["dataset/none", "", "dataset", "\n", "https://x.example/"])
def test_unknown_resource_is_not_found(city: Release, key: str) -> None:
    with pytest.raises(NotFound):
        exports.resource(city, key, "ttl")


def test_resource_in_an_unknown_syntax_is_refused_with_the_known(city: Release) -> None:
    with pytest.raises(UnsupportedFormat) as refused:
        exports.resource(city, "dataset/noise", "trig")
    assert refused.value.hint == "one of: ttl, jsonld, rdf, nt"


# ---- real catalogues


def reference() -> Path:
    default = Path(__file__).resolve().parents[2] / "shared"
    path = Path(os.environ.get("BILBAOKG_REFERENCE", default)) / "catalogues"
    if not path.is_dir():
        pytest.skip(f"no real catalogues at {path}; set BILBAOKG_REFERENCE")
    return path


@pytest.mark.parametrize("name", ["rostock.rdf", "brandenburg.ttl"])
def test_real_catalogue_leaves_with_all_of_its_datasets(name: str, tmp_path: Path) -> None:
    held = public(files([reference() / name]))
    small = Settings(base=BASE, page_size=10)
    made = released(tmp_path / "r1", held, small)
    pages = exports.page_count(made, "dcat-ap")
    found: list[str] = []
    for page in range(1, pages + 1):
        path = exports.representation(made, small, "dcat-ap", "rdf", page, cache=tmp_path)
        spoken = triples(path, "rdf")
        found += [s for s, p, o in spoken if p == TYPE and o == ref(DCAT.Dataset)]
    assert sorted(map(plain, found)) == sorted(r.iri for r in held if r.id.startswith("dataset/"))
    assert len(found) > 10 * (pages - 1) > 0
    assert triples(whole(made, "full", "ttl")) == blanked(held)
