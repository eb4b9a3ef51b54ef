"""Updates before they are evaluated: what is refused, and where the protocol's dataset goes."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from bilbaokg.errors import BadInput, BilbaokgError, Forbidden, SyntaxFault
from bilbaokg.store import updates

TRIPLES = " . ".join(f"<x:s{n}> <x:p> {n}" for n in range(2000))
PATTERNS = " . ".join(f"?s{n} ?p{n} ?o{n}" for n in range(101))


@pytest.mark.parametrize(
    ("text", "adds"),
    [
        ("", False),
        ("CLEAR ALL ; DROP SILENT GRAPH <x:g>", False),
        ("DELETE WHERE { ?insert ?p ?o }", False),
        ("DELETE DATA { <x:insert> <x:p> 'INSERT' }", False),
        ("INSERT DATA { <x:s> <x:p> <x:o> }", True),
        ("insert { ?s ?p 1 } where { ?s ?p 2 }", True),
        ("DELETE { ?s ?p 2 } INSERT { ?s ?p 1 } WHERE { ?s ?p 2 }", True),
        ("COPY <x:a> TO <x:b>", True),
        ("ADD DEFAULT TO <x:b>", True),
        ("MOVE <x:a> TO <x:b>", True),
        ("# INSERT\nCLEAR DEFAULT", False),
    ],
)
def test_it_is_known_whether_an_update_adds(text: str, adds: bool) -> None:
    assert updates.read(text).adds is adds


@pytest.mark.parametrize(
    ("text", "error", "place"),
    [
        ("LOAD <http://localhost/>", Forbidden, (1, 1)),
        ("CLEAR ALL ;\n load SILENT <file:///etc/passwd> INTO GRAPH <x:g>", Forbidden, (2, 2)),
        ("INSERT {} WHERE {\n SERVICE <http://localhost/> { ?s ?p ?o } }", Forbidden, (2, 2)),
        ("INSERT DATA { <x:s> <x:p> '''a\n''' } ; LOAD <x:y>", Forbidden, (2, 9)),
        ("\\u004C\\u004F\\u0041\\u0044 <http://localhost/>", SyntaxFault, (1, 1)),
        ("INSERT DATA { <x:s> <x:p> 1 } }", SyntaxFault, (1, 31)),
        ("INSERT DATA { <x:s> <x:p> 'a", SyntaxFault, (1, 27)),
        (f"INSERT DATA {{ <x:s> <x:p> {'(' * 201}", BadInput, (1, 226)),
        (f"INSERT {{ ?s0 ?p0 ?o0 }} WHERE {{ {PATTERNS} }}", BadInput, None),
    ],
)  # fmt: skip
def test_what_could_do_harm_is_refused_with_its_place(
    text: str, error: type[BilbaokgError], place: tuple[int, int] | None
) -> None:
    with pytest.raises(error) as caught:
        updates.read(text)
    if place:
        assert (caught.value.extra["line"], caught.value.extra["column"]) == place


@pytest.mark.parametrize("verb", ["INSERT", "DELETE"])
def test_data_is_as_long_as_it_likes(verb: str) -> None:
    text = f"PREFIX x: <x:> {verb} DATA {{ {TRIPLES} . x:load x:service ( 1 2 3 ) }}"
    assert "x" in updates.read(text).facts.used


def test_without_a_dataset_of_the_protocol_the_text_stays() -> None:
    text = "DELETE WHERE { ?s ?p ?o } # nothing else"
    assert updates.read(text).over(None, None) == text


@pytest.mark.parametrize(
    "update",
    [
        "INSERT { GRAPH <x:to> { ?s ?p ?o } } WHERE { ?s ?p ?o }",
        "DELETE { ?s ?p 0 } INSERT { GRAPH <x:to> { ?s ?p ?o } } WHERE { ?s ?p ?o }",
        "CLEAR DEFAULT ; INSERT { GRAPH <x:to> { ?s ?p ?o } } WHERE {{ SELECT * { ?s ?p ?o } }}",
        "INSERT DATA { <x:where> a 'x' } ; insert { graph <x:to> { ?s ?p ?o }} where { ?s ?p ?o}",
    ],
)  # fmt: skip
def test_the_protocols_dataset_is_where_an_update_looks(update: str) -> None:
    store = ox.Store()
    store.update(
        "INSERT DATA { <x:d> <x:p> 0 GRAPH <x:a> { <x:s> <x:p> 1 } GRAPH <x:b> { <x:s> <x:p> 2 } }"
    )
    store.update(updates.read(update).over(["x:b"], None))
    found = store.quads_for_pattern(None, None, None, ox.NamedNode("x:to"))
    assert [str(quad.object) for quad in found] == [
        '"2"^^<http://www.w3.org/2001/XMLSchema#integer>'
    ]


def test_delete_where_has_the_protocols_dataset_too() -> None:
    store = ox.Store()
    store.update("INSERT DATA { <x:d> <x:p> 0 GRAPH <x:a> { <x:s> <x:p> 1 } }")
    text = "DELETE WHERE { GRAPH <x:a> { ?s ?p ?o } } ; DELETE WHERE { ?s ?p ?o }"
    store.update(updates.read(text).over([], ["x:a"]))
    assert [str(quad.graph_name) for quad in store] == ["DEFAULT"]


@pytest.mark.parametrize(
    "text",
    [
        "WITH <x:g> DELETE { ?s ?p 1 } WHERE { ?s ?p 1 }",
        "DELETE { ?s ?p 1 } USING <x:g> WHERE { ?s ?p 1 }",
        "CLEAR ALL ; INSERT { ?s ?p 1 } USING NAMED <x:g> WHERE { ?s ?p 1 }",
    ],
)
def test_two_datasets_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="stands beside the dataset"):
        updates.read(text).over(["x:a"], None)
    assert updates.read(text).over(None, None) == text


def test_the_protocols_dataset_holds_no_other_text() -> None:
    with pytest.raises(BadInput):
        updates.read("DELETE WHERE { ?s ?p ?o }").over(["x:a> WHERE {} ; CLEAR ALL ; #"], None)
