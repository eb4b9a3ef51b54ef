"""Reading foreign RDF in a worker: exact literals, lines and columns, and what is refused."""

from __future__ import annotations

import gzip
import tracemalloc
from array import array
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from helpers import BASE
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bilbaokg.errors import BadInput, BilbaokgError, Invalid, SyntaxFault, TooLarge
from bilbaokg.formats import FORMATS
from bilbaokg.model import Source
from bilbaokg.settings import Settings
from bilbaokg.terms import XSD, literal
from bilbaokg.workers import Parsed, Pool, parse, stream

DATA = Path(__file__).parent / "data" / "rdf"
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
RDF_XML = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="urn:e#" '
    'xmlns:its="http://www.w3.org/2005/11/its">\n{}\n</rdf:RDF>'
)


def read(
    pool: Pool,
    content: str | bytes,
    form: str = "ttl",
    base: str | None = None,
    locate: bool = False,
    **changes: Any,
) -> Parsed:
    """What a worker reads from a body."""
    body = content.encode() if isinstance(content, str) else content
    source = Source("given", None, FORMATS[form].media_type, body, base)
    return parse(source, Settings(base=BASE, **changes), pool=pool, locate=locate)


def lines(pool: Pool, content: str | bytes, form: str = "ttl", **more: Any) -> list[str]:
    """The statements that a worker reads, sorted."""
    return sorted(read(pool, content, form, **more).lines)


def fault(pool: Pool, content: str | bytes, form: str = "ttl", **more: Any) -> BilbaokgError:
    """The error that a body ends in."""
    with pytest.raises(BilbaokgError) as error:
        read(pool, content, form, **more)
    assert error.value.where
    assert error.value.where.startswith("given")
    return error.value


# ---- literals

LITERALS = sorted(
    f"{quad.triple} ."
    for quad in ox.parse((DATA / "literals.ttl").read_bytes(), ox.RdfFormat.TURTLE)
)
CONTROLS = [f"<urn:s> <urn:p> {literal(c)} ." for c in ("\x00", "\x01", "\x7f", "\ufffe", "\uffff")]


def test_literals_of_the_file_are_many_and_distinct() -> None:
    assert len(LITERALS) == len(set(LITERALS)) == 51


@pytest.mark.parametrize("form", FORMATS)
def test_literals_are_exact_in_every_format(pool: Pool, form: str) -> None:
    text = ox.serialize(
        ox.parse("\n".join(LITERALS), ox.RdfFormat.N_TRIPLES), None, FORMATS[form].rdf
    )
    assert text is not None
    assert lines(pool, text, form) == LITERALS


@pytest.mark.parametrize("form", [name for name in FORMATS if name != "rdf"])
def test_control_characters_are_exact_in_every_format_that_has_them(pool: Pool, form: str) -> None:
    text = ox.serialize(
        ox.parse("\n".join(CONTROLS), ox.RdfFormat.N_TRIPLES), None, FORMATS[form].rdf
    )
    assert text is not None
    assert lines(pool, text, form) == sorted(CONTROLS)


@hypothesis_settings(deadline=None, max_examples=50)
@given(st.lists(TEXT, max_size=20))
def test_any_text_is_exact_and_canonical(pool: Pool, values: list[str]) -> None:
    expected = sorted({f"<urn:s> <urn:p> {literal(value)} ." for value in values})
    assert lines(pool, "\n".join(expected)) == expected


def test_numbers_written_bare_keep_their_spelling(pool: Pool) -> None:
    found = lines(pool, "<urn:s> <urn:p> 01, 1.50, 1.5E0, true .")
    types = (("01", "integer"), ("1.50", "decimal"), ("1.5E0", "double"), ("true", "boolean"))
    assert found == [f"<urn:s> <urn:p> {literal(v, datatype=XSD[t])} ." for v, t in types]


def test_language_tags_are_kept_in_lower_case_and_counted_once(pool: Pool) -> None:
    parsed = read(pool, '<urn:s> <urn:p> "a"@ES, "a"@es, "a"@Es-ES .')
    assert sorted(parsed.lines) == ['<urn:s> <urn:p> "a"@es .', '<urn:s> <urn:p> "a"@es-es .']
    assert (parsed.parsed, parsed.distinct) == (3, 2)


# ---- graphs, blank nodes, bases


def test_graph_names_are_dropped_and_counted(pool: Pool) -> None:
    text = "<urn:s> <urn:p> 1 . <urn:g> { <urn:s> <urn:p> 2 } _:h { <urn:s> <urn:p> 2 }"
    parsed = read(pool, text, "trig")
    assert parsed.graphs_dropped == 2
    assert (parsed.parsed, parsed.distinct) == (3, 2)
    assert read(pool, "<urn:s> <urn:p> 1 .", "trig").graphs_dropped == 0


def test_blank_nodes_become_the_same_names_from_every_format(pool: Pool) -> None:
    text = '<urn:s> <urn:p> [ <urn:e#q> "a" ; <urn:e#r> [ <urn:e#q> "b" ] ] , [ <urn:e#q> "a" ] .'
    expected = lines(pool, text)
    assert len(expected) == 6
    assert not any("_:" in line for line in expected)
    for form in FORMATS:
        quads = ox.parse(text, ox.RdfFormat.TURTLE)
        written = ox.serialize((q.triple for q in quads), None, FORMATS[form].rdf)
        assert written is not None
        assert lines(pool, written, form) == expected


def test_labels_that_two_files_share_are_not_one_node(pool: Pool) -> None:
    one, two = (lines(pool, f"_:a <urn:p> {n} .") for n in (1, 2))
    assert one[0].split()[0] != two[0].split()[0]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("ttl", "<a> <b> <#c> ."),
        ("trig", "<g> { <a> <b> <#c> }"),
        ("jsonld", '{"@context": {"b": {"@id": "https://b.example/x/b", "@type": "@id"}}, '
         '"@id": "a", "b": "#c"}'),
        ("rdf", RDF_XML.format('<rdf:Description rdf:about="a"><b xmlns="https://b.example/x/" '
         'rdf:resource="#c"/></rdf:Description>')),
    ],
)  # fmt: skip
def test_base_option_resolves_relative_iris(pool: Pool, form: str, text: str) -> None:
    (line,) = lines(pool, text, form, base="https://b.example/x/")
    assert line.startswith("<https://b.example/x/a> <https://b.example/x/b> <https://b.example/x/")


# ---- lines


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("ttl", "<urn:a> <urn:p> 1 .\n\n<urn:b>\n  <urn:p>\n  1 .\n<urn:a> <urn:q> 2 .", (1, 5)),
        ("nt", "<urn:a> <urn:p> '' .\n# x\n<urn:b> <urn:p> '' .".replace("'", '"'), (1, 3)),
        ("rdf", RDF_XML.format('<e:x rdf:about="urn:a"/>\n\n<e:x rdf:about="urn:b"/>'), (2, 4)),
    ],
)
def test_lines_of_subjects_are_told(
    pool: Pool, form: str, text: str, expected: tuple[int, int]
) -> None:
    line_of = read(pool, text, form, locate=True).line_of
    assert (line_of["<urn:a>"], line_of["<urn:b>"]) == expected


def test_no_line_is_better_than_a_wrong_one_in_json(pool: Pool) -> None:
    text = '[{"@id": "urn:a", "urn:p": 1},\n{"@id": "urn:b", "urn:p": 1}\n]'
    assert read(pool, text, "jsonld", locate=True).line_of == {}


# ---- encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("form", ["ttl", "jsonld", "rdf"])
def test_unicode_encodings_are_told_by_their_mark(pool: Pool, form: str, encoding: str) -> None:
    text = {
        "ttl": '<urn:s> <urn:e#p> "Añorga" .',
        "jsonld": '{"@id": "urn:s", "urn:e#p": "Añorga"}',
        "rdf": RDF_XML.format('<rdf:Description rdf:about="urn:s" e:p="Añorga"/>'),
    }[form]
    assert lines(pool, text.encode(encoding), form) == ['<urn:s> <urn:e#p> "Añorga" .']


@pytest.mark.parametrize(
    "declaration",
    [
        "<?xml version='1.0' encoding='ISO-8859-1'?>",
        '<?xml version="1.0" encoding = "latin1" standalone="yes"?>',
        '<?xml version="1.0"\n encoding="windows-1252"?>',
    ],
)
def test_rdf_xml_in_another_declared_encoding_is_read(pool: Pool, declaration: str) -> None:
    text = declaration + RDF_XML.format('<rdf:Description rdf:about="urn:s" e:p="Añorga"/>')
    assert lines(pool, text.encode("latin-1"), "rdf") == ['<urn:s> <urn:e#p> "Añorga" .']


@pytest.mark.parametrize("name", ["klingon", "rot13", "hex", "utf-8x"])
def test_unknown_encoding_is_refused_by_name(pool: Pool, name: str) -> None:
    text = f"<?xml version='1.0' encoding='{name}'?>" + RDF_XML.format("")
    error = fault(pool, text, "rdf")
    assert type(error) is BadInput
    assert f"unknown encoding '{name}'" in error.message
    assert error.hint == "save the file as UTF-8"


@pytest.mark.parametrize("name", ["utf-16", "idna", "undefined", "ascii"])
def test_text_that_is_not_in_its_declared_encoding_is_refused(pool: Pool, name: str) -> None:
    text = f"<?xml version='1.0' encoding='{name}'?>" + RDF_XML.format('<e:x e:p="ñ.."/>')
    error = fault(pool, text.encode("latin-1") + b"x", "rdf")
    assert isinstance(error, BadInput)
    assert error.hint


@pytest.mark.parametrize("form", ["ttl", "nt", "jsonld"])
def test_latin_1_where_utf_8_is_due_is_refused_with_the_way_out(pool: Pool, form: str) -> None:
    text = {"jsonld": '{"@id": "urn:s",\n "urn:p": "ñ"}'}.get(form, '\n<urn:s> <urn:p> "ñ" .')
    error = fault(pool, text.encode("latin-1"), form)
    assert isinstance(error, SyntaxFault)
    assert error.extra["line"] == 2
    assert "iconv -f LATIN1 -t UTF-8" in str(error.hint)


# ---- gzip


def test_gzip_is_told_by_its_bytes(pool: Pool) -> None:
    packed = gzip.compress(b"<urn:s> <urn:p> 1 .") + gzip.compress(b"<urn:s> <urn:p> 2 .")
    assert len(lines(pool, packed)) == 2


@pytest.mark.parametrize("cut", [3, 12, -9, -1])
def test_truncated_gzip_is_refused(pool: Pool, cut: int) -> None:
    error = fault(pool, gzip.compress(b"<urn:s> <urn:p> 1 ." * 50)[:cut])
    assert type(error) is BadInput
    assert "damaged gzip file" in error.message
    assert "download it again" in str(error.hint)


def test_gzip_with_a_flipped_bit_is_refused(pool: Pool) -> None:
    packed = bytearray(gzip.compress(b"# harmless comment, followed by others\n" * 50))
    packed[-6] ^= 1
    assert "damaged gzip file" in fault(pool, bytes(packed)).message


def test_gzip_bomb_ends_at_the_size_limit(pool: Pool) -> None:
    bomb = gzip.compress(b" " * (50 << 20), 9)
    tracemalloc.start()
    error = fault(pool, bomb, file_limit=1 << 20)
    assert isinstance(error, TooLarge)
    assert "over the size limit of 1,048,576 bytes" in error.message
    assert "raise file_limit in settings.toml" in str(error.hint)
    assert tracemalloc.get_traced_memory()[1] < 5 << 20
    tracemalloc.stop()


# ---- syntax


@pytest.mark.parametrize(
    ("form", "text", "line", "column", "excerpt"),
    [
        ("ttl", "@prefix a: <urn:a> .\na:b a:c .", 2, 9, "a:b a:c ."),
        ("ttl", "<urn:a> <urn:p> 1 .\n\n\tb:c <urn:p> 1 .", 3, 2, "b:c <urn:p> 1 ."),
        ("trig", "<urn:g> {\n<urn:a> <urn:p> }", 2, 17, "<urn:a> <urn:p> }"),
        ("nt", "<urn:a> <urn:p> <urn:o> .\n<urn:a> <urn:p> .\n", 2, 17, "<urn:a> <urn:p> ."),
        ("nq", '<urn:a> <urn:p> "x" "g" .', 1, 21, '<urn:a> <urn:p> "x" "g" .'),
        ("jsonld", '{\n "@id": "urn:a",\n "urn:p": oops\n}', 3, 11, '"urn:p": oops'),
        ("jsonld", '{"@context": {\n"p": {"@id": 5}},\n"p": 1}', None, None, None),
        ("rdf", RDF_XML.format("<e:a>\n</e:b>"), 3, 3, "</e:b>"),
        ("rdf", RDF_XML.format('<e:a\n rdf:about="x y"/>'), 3, None, 'rdf:about="x y"/>'),
    ],
)
def test_wrong_syntax_is_told_with_line_column_and_excerpt(
    pool: Pool, form: str, text: str, line: int, column: int, excerpt: str
) -> None:
    error = fault(pool, text, form)
    assert type(error) is SyntaxFault
    assert error.extra.get("line") == line
    if column:
        assert error.extra["column"] == column
    assert error.extra.get("excerpt") == excerpt
    assert str(error).startswith(f"given:{line}" if line else "given: ")
    assert "Parser error" not in error.message


def test_excerpt_of_a_long_line_shows_the_place(pool: Pool) -> None:
    text = "<urn:a> <urn:p> " + ", ".join(f'"{n}"' for n in range(300)) + ", oops ."
    excerpt = fault(pool, text).extra["excerpt"]
    assert "oops" in excerpt
    assert len(excerpt) <= 120


@pytest.mark.parametrize(
    ("form", "text", "hint"),
    [
        ("ttl", RDF_XML.format(""), "it looks like rdf: give --format rdf"),
        ("rdf", "@prefix a: <urn:a> .", "it looks like ttl: give --format ttl"),
        ("nt", '{"@id": "urn:a"}', "it looks like jsonld: give --format jsonld"),
        ("jsonld", "<urn:a> <urn:p> <urn:o> .", "it looks like nq: give --format nq"),
    ],
)
def test_content_of_another_format_gets_a_hint(pool: Pool, form: str, text: str, hint: str) -> None:
    assert hint in str(fault(pool, text, form).hint)


RELATIVE = {
    "ttl": "<urn:a> <urn:p> <urn:o> .\n<a> <urn:p> 1 .",
    "trig": "\n<urn:g> { <a> <urn:p> 1 }",
    "nt": "\n<a> <urn:p> <urn:o> .",
    "nq": "\n<urn:a> <urn:p> <o> .",
    "rdf": RDF_XML.format('<e:x rdf:about="a"/>'),
    "jsonld": '{"urn:p": 1,\n "@id": "a"}',
}


@pytest.mark.parametrize("form", ["ttl", "rdf", "jsonld"])
@pytest.mark.parametrize(
    ("iri", "hint"),
    [
        ("http://a b", "' ' is %20"),
        ("http://a/?x[1]=y", "'[' is %5B"),
        ("http://a/{x}", "'{' is %7B"),
        ("http://a/%zz", "write a % that begins no code as %25"),
    ],
)
def test_what_an_iri_may_not_hold_gets_its_code(pool: Pool, form: str, iri: str, hint: str) -> None:
    text = {
        "ttl": f"<urn:a> <urn:p> <{iri}> .",
        "rdf": RDF_XML.format(f'<e:a rdf:about="{iri}"/>'),
        "jsonld": f'{{"@id": "{iri}", "urn:p": 1}}',
    }[form]
    assert hint in str(fault(pool, text, form).hint)


@pytest.mark.parametrize(
    "text", ["@prefix a: <urn:a>\n<urn:a> a a:b .", "<urn:a> a <urn:b>\n<urn:c> a <urn:b> ."]
)
def test_missing_dot_is_looked_for_before_the_place(pool: Pool, text: str) -> None:
    error = fault(pool, text)
    assert error.extra["line"] == 2
    assert "a dot is missing before this" in str(error.hint)


@pytest.mark.parametrize("form", RELATIVE)
def test_relative_iri_without_base_is_refused_with_its_line(pool: Pool, form: str) -> None:
    error = fault(pool, RELATIVE[form], form)
    assert isinstance(error, BadInput)
    assert error.extra["line"] == 2
    no_base_helps = form in ("nt", "nq")
    assert ("write them whole" if no_base_helps else "give --base IRI") in str(error.hint)
    assert "invalid/" not in str(error)


@pytest.mark.parametrize(
    "text",
    [
        '{"@id": "urn:a",\n "@type": "Dataset"}',
        '{"@id": "urn:a", "urn:p":\n {"@id": "Dataset"}}',
        '{"@id": "urn:a", "urn:p":\n {"@value": "x", "@type": "Dataset"}}',
        '{"@context": {"@base": null},\n "@id": "Dataset", "urn:p": 1}',
        '{"@context": {"@vocab": ""},\n "Dataset": "x", "@id": "urn:a"}',
    ],
)
def test_relative_names_that_json_parsers_drop_are_refused(pool: Pool, text: str) -> None:
    error = fault(pool, text, "jsonld")
    assert error.extra["line"] == 2
    assert "Dataset" in str(error)


def test_key_that_no_context_maps_means_nothing_in_json(pool: Pool) -> None:
    text = '{"@id": "urn:a", "urn:p": 1, "title": "x", "more": {"@id": "urn:b", "urn:p": 2}}'
    assert lines(pool, text, "jsonld") == [
        f"<urn:a> <urn:p> {literal('1', datatype=XSD.integer)} ."
    ]


NO_IRI = {
    "ttl": "\n<urn:a> <urn:p> <http://a b> .",
    "trig": "\n<urn:g> { <http://a b> <urn:p> 1 }",
    "nt": "\n<http://a b> <urn:p> <urn:o> .",
    "nq": "\n<urn:a> <urn:p> <urn:o> <http://a b> .",
    "rdf": RDF_XML.format('<e:x rdf:about="http://a b"/>'),
    "jsonld": '{"urn:p": 1,\n "@id": "http://a b"}',
}


@pytest.mark.parametrize("form", NO_IRI)
def test_iri_that_is_no_iri_is_refused_with_its_line(pool: Pool, form: str) -> None:
    error = fault(pool, NO_IRI[form], form)
    assert type(error) is SyntaxFault
    assert error.extra["line"] == 2
    assert "Invalid IRI" in error.message
    assert "%20" in str(error.hint)


@pytest.mark.parametrize(
    "text",
    [
        '{"@id": "urn:a", "urn:p":\n {"@value": "x", "@language": "not a tag"}}',
        '{"@id": "urn:a", "urn:p":\n {"@value": "x", "@type": "http://a b"}}',
        '{"@id": "urn:a",\n "http://a b": 1}',
    ],
)
def test_names_that_json_parsers_drop_are_refused(pool: Pool, text: str) -> None:
    error = fault(pool, text, "jsonld")
    assert type(error) is SyntaxFault
    assert error.extra["line"] == 2


# ---- RDF 1.2 and what else is refused


@pytest.mark.parametrize(
    ("form", "text", "line"),
    [
        ("ttl", "<urn:a> <urn:p> 1 .\n<urn:a> <urn:p> <<( <urn:a> <urn:p> 1 )>> .", 2),
        ("ttl", "<urn:a> <urn:p> 1 .\n\n<< <urn:a> <urn:p> 1 >> <urn:p> 2 .", 3),
        ("ttl", "<urn:a> <urn:p> 1 .\n<urn:a> <urn:p> 1 {| <urn:q> 2 |} .", 2),
        ("nt", "\n_:a <urn:p> <<( <urn:a> <urn:p> <urn:o> )>> .", 2),
        ("rdf", RDF_XML.format('<e:a><e:p rdf:parseType="Triple"><e:b/></e:p></e:a>'), 2),
        ("rdf", RDF_XML.format('<e:a>\n<e:p rdf:annotation="urn:x">1</e:p></e:a>'), 3),
    ],
)  # fmt: skip
def test_triple_terms_are_refused_by_line(pool: Pool, form: str, text: str, line: int) -> None:
    error = fault(pool, text, form)
    assert type(error) is Invalid
    assert "triple term" in error.message
    assert (error.extra["line"], error.where) == (line, f"given:{line}")
    assert error.hint == "write it as a resource"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("ttl", '<urn:a> <urn:p> 1 .\n<urn:a> <urn:p> "x"@ar--rtl .'),
        ("ttl", '<urn:a> <urn:p> 1 .\n[] <urn:p> "x"@ar--rtl .'),
        ("nq", '\n<urn:a> <urn:p> "x"@ar--ltr <urn:g> .'),
        ("rdf", RDF_XML.format('<e:a><e:p its:dir="rtl" xml:lang="ar">x</e:p></e:a>')),
        ("jsonld", '{"@id": "urn:a", "urn:p": {"@value": "x", "@language": "ar",\n'
         '"@direction": "rtl"}}'),
    ],
)  # fmt: skip
def test_strings_with_a_direction_are_refused_by_line(pool: Pool, form: str, text: str) -> None:
    error = fault(pool, text, form)
    assert type(error) is Invalid
    assert "base direction" in error.message
    assert error.extra["line"] == 2


def test_literal_that_only_looks_like_rdf_1_2_is_kept(pool: Pool) -> None:
    text = '<urn:s> <urn:p> "<<( a )>> @ar--rtl" .'
    assert lines(pool, text) == [text]


def test_document_type_is_refused_before_any_entity_is_read(pool: Pool) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<!DOCTYPE rdf:RDF [\n<!ENTITY e0 "x">{entities}]>\n' + RDF_XML.format("&e9;")
    error = fault(pool, text, "rdf")
    assert type(error) is Invalid
    assert "DOCTYPE" in error.message
    assert "write its entities out" in str(error.hint)


@pytest.mark.parametrize(
    "context", ['"http://a.example/context"', '{"@import": "http://a.example/"}']
)
def test_remote_context_is_never_fetched(pool: Pool, context: str) -> None:
    error = fault(pool, f'{{"@context": {context}, "@id": "urn:a"}}', "jsonld")
    assert type(error) is SyntaxFault
    assert error.message == "its @context is not in the file"
    assert error.extra["line"] == 1
    assert "put the @context inside the file" in str(error.hint)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("ttl", '<urn:a> <urn:p> 1 .\n<urn:a> <urn:p> "{}" .'),
        ("rdf", RDF_XML.format('<e:a rdf:about="urn:a"><e:p>{}</e:p></e:a>')),
        ("jsonld", '{{"@id": "urn:a", "urn:p": "{}"}}'),
    ],
)
@pytest.mark.parametrize("size", [2_000_000, 20_000_000])
def test_term_that_would_slow_every_query_down_is_refused(
    pool: Pool, form: str, text: str, size: int
) -> None:
    error = fault(pool, text.format("x" * size), form)
    assert type(error) is TooLarge
    assert "a term is over 2,000,000 bytes" in error.message
    assert len(str(error)) < 400


def test_term_of_a_megabyte_is_kept(pool: Pool) -> None:
    (line,) = lines(pool, f'<urn:a> <urn:p> "{"x" * 1_900_000}" .')
    assert len(line) > 1_900_000


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="the system has no /proc")
def test_file_that_fails_while_it_is_read_is_refused(pool: Pool) -> None:
    source = Source("m", Path("/proc/self/mem"), "text/turtle")
    with pytest.raises(BadInput, match="cannot be read") as error:
        parse(source, Settings(), pool=pool)
    assert error.value.where == "/proc/self/mem"


# ---- blank nodes that stay, for validation


def test_only_blank_nodes_are_renamed_and_each_has_one_name(pool: Pool) -> None:
    content = (
        '_:x <urn:p> "see _:x ." .\n<urn:_:x> <urn:p> _:x .\n'
        '<urn:a> <urn:_:p> "_:x"@en .\n_:x <urn:p> _:y .\n'
        '<urn:a> <urn:q> "_:x"^^<urn:_:x> .\n'
    )
    source = Source("given", None, FORMATS["nt"].media_type, content.encode())
    with stream(source, Settings(base=BASE), pool=pool, locate=True, blank="n") as frames:
        found = [(h, c) for h, c in frames if "done" not in h]
    assert found[0][1].decode() == content.replace("_:x <urn:p>", "_:n0 <urn:p>").replace(
        "<urn:p> _:x", "<urn:p> _:n0"
    ).replace("_:y", "_:n1").rstrip("\n")
    assert list(array("I", found[1][1])) == [1, 2, 3, 4, 5]
