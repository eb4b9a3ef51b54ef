"""SHACL-SPARQL: constraints, components and targets that are queries; pre-binding; exact terms.

What both engines do is asked of both; where pySHACL differs from the specification, of ours alone.
"""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilbaokg import shacl, validate
from bilbaokg.errors import Invalid
from bilbaokg.model import Report
from bilbaokg.shacl import querying
from bilbaokg.shacl.context import Facts
from bilbaokg.shacl.encoding import decode, encode
from bilbaokg.shacl.explaining import Explainer
from bilbaokg.shacl.finding import Finding
from bilbaokg.shacl.graph import TYPE, Graph, Layers
from bilbaokg.shacl.prepared import Prepared
from bilbaokg.shacl.report import problems
from bilbaokg.shacl.run import Run
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.terms import SH, XSD, literal, plain, ref

pytestmark = pytest.mark.usefixtures("kept_workers")

PREFIXES = """
@prefix : <http://example.org/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
:names sh:declare [ sh:prefix "" ; sh:namespace "http://example.org/"^^xsd:anyURI ] ,
    [ sh:prefix "xsd" ; sh:namespace "http://www.w3.org/2001/XMLSchema#"^^xsd:anyURI ] .
"""
EX = "http://example.org/"
BOTH = pytest.mark.parametrize("engine", sorted(shacl.ENGINES))


def lines(turtle: str) -> list[str]:
    quads = ox.parse(PREFIXES + turtle, format=ox.RdfFormat.TURTLE)
    return [f"{q.subject} {q.predicate} {q.object} ." for q in quads]


def prepared(shapes: str) -> Prepared:
    return Prepared(Shapes(lines(shapes)), (), trusted=True)


def results(shapes: str, data: str, engine: str = "fast") -> list[Finding]:
    found = shacl.ENGINES[engine]()(Layers(Graph(lines(data))), prepared(shapes)).findings
    return sorted(found, key=lambda f: (f.focus, f.path or "", f.value or ""))


def report(
    folder: Path, shapes: str, data: str, engine: str = "fast", background: str = ""
) -> Report:
    for name, text in (("shapes", shapes), ("background", background)):
        (folder / f"{name}.ttl").write_text(PREFIXES + text)
    return validate(
        (PREFIXES + data).encode(),
        [folder / "shapes.ttl"],
        format="ttl",
        engine=engine,
        background=[folder / "background.ttl"],
    )


def constraint(query: str, more: str = "") -> str:
    return f':S sh:sparql [ sh:prefixes :names ; sh:select """{query}""" ; {more} ] .'


def node_shape(query: str, more: str = "") -> str:
    return f":S a sh:NodeShape ; sh:targetClass :C . {constraint(query, more)}"


def property_shape(query: str, path: str = ":p", more: str = "") -> str:
    shape = f":S a sh:PropertyShape ; sh:path {path} ; sh:targetClass :C ."
    return f"{shape} {constraint(query, more)}"


def local(term: str | None) -> str | None:
    return None if term is None else plain(term).removeprefix(EX)


def rows(found: list[Finding]) -> list[tuple[str | None, ...]]:
    """Focus, path and value of each result."""
    return [(local(f.focus), local(f.path), local(f.value)) for f in found]


def fails(condition: str, value: str, engine: str = "fast") -> bool:
    """Whether a value of :p makes a condition on ?v true."""
    shapes = node_shape(f"SELECT $this WHERE {{ $this :p ?v . FILTER({condition}) }}")
    return bool(results(shapes, f":x a :C ; :p {value} .", engine))


def exact(shapes: str, *statements: str) -> list[Finding]:
    """The results of ours about N-Triples statements, without their last stop."""
    data = Layers(Graph(f"{statement} ." for statement in statements))
    return list(Run(prepared(shapes).program, data).findings())


# ---- results of sh:sparql (section 5.3.2)


@BOTH
def test_solution_of_a_node_shape_is_a_result_about_its_focus(engine: str) -> None:
    shapes = node_shape("SELECT $this WHERE { $this :p ?any }")
    assert rows(results(shapes, ":x a :C ; :p 1 . :y a :C .", engine)) == [("x", None, "x")]


@BOTH
def test_solution_of_a_property_shape_has_its_path_and_no_value(engine: str) -> None:
    shapes = property_shape("SELECT $this WHERE { FILTER NOT EXISTS { $this :p ?any } }")
    assert rows(results(shapes, ":x a :C ; :p 1 . :y a :C .", engine)) == [("y", "p", None)]


@BOTH
def test_solution_binds_value_and_path_of_its_result(engine: str) -> None:
    shapes = node_shape(
        "SELECT $this ?path ?value WHERE { $this ?path ?value . FILTER(?value = 1) }"
    )
    assert rows(results(shapes, ":x a :C ; :p 1, 2 ; :q 1 .", engine)) == [
        ("x", "p", "1"),
        ("x", "q", "1"),
    ]


@BOTH
def test_equal_solutions_make_one_result(engine: str) -> None:
    shapes = node_shape("SELECT $this WHERE { $this :p ?any }")
    assert len(results(shapes, ":x a :C ; :p 1, 2, 3 .", engine)) == 1


def test_solution_with_failure_ends_the_validation() -> None:
    shapes = node_shape("SELECT $this ?failure WHERE { $this :p ?failure }")
    with pytest.raises(Invalid, match=r"reports a failure: <http://example\.org/S>"):
        results(shapes, ":x a :C ; :p true .")
    assert rows(results(shapes, ":x a :C ; :p false .")) == [("x", None, "x")]


def test_failure_that_is_not_true_is_a_result_as_any_other() -> None:
    shapes = node_shape("SELECT $this ?failure WHERE { $this :p ?failure }")
    assert len(results(shapes, ':x a :C ; :p "perhaps", "true", false .')) == 3


@BOTH
def test_report_graph_names_the_constraint(tmp_path: Path, engine: str) -> None:
    shapes = """:S a sh:NodeShape ; sh:targetClass :C ; sh:sparql :constraint ;
        sh:severity sh:Warning . :constraint sh:select "SELECT $this WHERE { }" ."""
    result = report(tmp_path, shapes, ":x a :C .", engine)
    sources = [str(q.object) for q in result.graph() if q.predicate.value == SH.sourceConstraint]
    assert sources == [ref(f"{EX}constraint")]
    assert [r.severity for r in result.results] == ["warning"]
    assert {r.component for r in result.results} == {"SPARQLConstraintComponent"}


@BOTH
def test_deactivated_constraint_is_not_asked(engine: str) -> None:
    shapes = node_shape("SELECT $this WHERE { }", "sh:deactivated true")
    assert results(shapes, ":x a :C .", engine) == []


@BOTH
def test_focus_node_may_be_a_literal(engine: str) -> None:
    shapes = ':S a sh:NodeShape ; sh:targetNode "a b", :x . ' + constraint(
        "SELECT $this WHERE { FILTER(isLiteral($this)) }"
    )
    assert rows(results(shapes, ":x a :C .", engine)) == [("a b", None, "a b")]


# ---- messages


def message(shapes: str, data: str = ":x a :C ; :p 1 .", engine: str = "fast") -> str:
    """What a Spanish reader is told about the only result."""
    graph, ready = Layers(Graph(lines(data))), prepared(shapes)
    found = shacl.ENGINES[engine]()(graph, ready).findings
    explainer = Explainer(ready, graph, "es")
    ((problem, _),) = problems([(f, Facts(), explainer.explain(f)) for f in found])
    return problem.message


@BOTH
def test_message_of_the_constraint_goes_before_that_of_the_shape(engine: str) -> None:
    query, above = "SELECT $this WHERE { }", ':S sh:message "shape" .'
    own = node_shape(query, 'sh:message "constraint"')
    assert message(own + above, engine=engine) == "constraint"
    assert message(node_shape(query) + above, engine=engine) == "shape"


def test_message_shows_what_the_solution_binds() -> None:
    shapes = node_shape(
        "SELECT $this ?value WHERE { $this :p ?value }",
        'sh:message "{$this} has {?value}, not {?other}"',
    )
    assert message(shapes) == f"{EX}x has 1, not {{?other}}"


def test_message_keeps_its_language() -> None:
    texts = 'sh:message "one {?value}"@en, "uno {?value}"@es, "bat {?value}"@eu'
    assert message(node_shape("SELECT $this (1 AS ?value) WHERE { }", texts)) == "uno 1"


def test_solution_may_bring_its_message() -> None:
    query = "SELECT $this ?message WHERE { BIND('from the query' AS ?message) }"
    assert message(node_shape(query, 'sh:message "constraint"')) == "from the query"


# ---- pre-binding


@BOTH
@pytest.mark.parametrize(
    "pattern",
    [
        "FILTER($this = :x)",
        "FILTER(?this = :x)",
        "{ { FILTER($this = :x) } FILTER bound($this) } FILTER(true)",
        "BIND($this AS ?that) FILTER(?that = :x)",
        "{ SELECT $this WHERE { FILTER($this = :x) } }",
        "FILTER EXISTS { $this :p ?any }",
        "OPTIONAL { $this :p ?any } FILTER(bound(?any))",
        '# $this "\n $this :p ?any',
        "$this :p ?a FILTER(STR($this) = CONCAT('http://example.org/', \"x\"))",
    ],
)
def test_this_is_bound_wherever_it_stands(engine: str, pattern: str) -> None:
    shapes = node_shape(f"SELECT $this WHERE {{ {pattern} }}".replace('"', '\\"'))
    data = ":x a :C ; :p 1 . :y a :C ."
    assert rows(results(shapes, data, engine)) == [("x", None, "x")]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT $this (COUNT(*) AS ?n) WHERE { $this :p ?v } GROUP BY $this HAVING (COUNT(*) > 1)",
        "SELECT * WHERE { $this :p 1, 2 }",
        "SELECT $this WHERE { { FILTER(false) } UNION { FILTER($this = :x) } }",
        "SELECT DISTINCT ?this WHERE { ?this :p 1, 2, ?v } ORDER BY $this DESC(?v) LIMIT 1",
        "SELECT $this (?w + 1 AS ?value) WHERE { $this :p ?w . FILTER(?w NOT IN (1, $this)) }",
        "SELECT $this WHERE { $this :p 2 . FILTER(STR(?text) != '$this') BIND('?this' AS ?text) }",
    ],
)
def test_this_is_bound_in_every_part_of_a_query(query: str) -> None:
    data = ":x a :C ; :p 1, 2 . :y a :C ; :p 1 ."
    assert {row[0] for row in rows(results(node_shape(query), data))} == {"x"}


@BOTH
@pytest.mark.parametrize(
    "path", [":p", "( :p :q )", "[ sh:inversePath :r ]", "[ sh:alternativePath ( :p :q ) ]"]
)
def test_path_of_the_shape_stands_for_path(engine: str, path: str) -> None:
    shapes = property_shape("SELECT $this ?value WHERE { $this $PATH ?value }", path)
    data = ":x a :C ; :p :y . :y :q 1 ; :r :x ."
    (only,) = results(shapes, data, engine)
    assert local(only.value) == ("1" if path == "( :p :q )" else "y")


def test_path_may_be_part_of_a_longer_one() -> None:
    shapes = property_shape(
        "SELECT $this ?value WHERE { $this $PATH/:q ?value }", "[ sh:alternativePath ( :p :r ) ]"
    )
    data = ":x a :C ; :p :y ; :r :z . :y :q 1 . :z :q 2 ."
    assert [local(f.value) for f in results(shapes, data)] == ["1", "2"]


def test_literal_where_only_an_iri_may_stand_matches_nothing() -> None:
    shapes = """:Used a sh:ConstraintComponent ; sh:parameter [ sh:path :used ] ; sh:validator [
            sh:ask "ASK { ?any $value ?other . FILTER(!isLiteral($value) && $used) }" ] .
        :S a sh:PropertyShape ; sh:targetClass :C ; sh:path :p ; :used true ."""
    data = ":x a :C ; :p :p, 1, [ ] ."
    assert [f.value == ref(f"{EX}p") for f in results(shapes, data)] == [False, False]


def test_value_of_a_constraint_is_no_pre_bound_variable() -> None:
    shapes = property_shape("SELECT $this ?value WHERE { FILTER(isLiteral($value)) }")
    assert results(shapes, ":x a :C ; :p 1 .") == []


def test_shapes_graph_and_current_shape_are_bound() -> None:
    shapes = """:S a sh:NodeShape ; sh:targetClass :C ; sh:node [ :limit 3 ; sh:sparql [
        sh:prefixes :names ; sh:select \"\"\"SELECT $this ?value WHERE { $this :p ?value
            GRAPH $shapesGraph { $currentShape :limit ?limit } FILTER(?value > ?limit)
        }\"\"\" ] ] ."""
    data = ":x a :C ; :p 3 . :y a :C ; :p 4 ."
    assert rows(results(shapes, data)) == [("y", None, "y")]


def test_shapes_are_not_among_the_data() -> None:
    shapes = node_shape("SELECT $this ?value WHERE { ?value a ?kind . FILTER(?value = :S) }")
    assert results(shapes, ":x a :C .") == []


# ---- what is refused, before any data


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT nonsense", "a query is not valid"),
        ("SELECT $this WHERE { $this :p ?v", "brackets"),
        ("SELECT $this WHERE { $this nobody:p ?v }", "a query is not valid"),
        ("SELECT $this WHERE { $this :p ?v FILTER", "brackets"),
        ("SELECT ?v WHERE { $this :p ?v }", r"does not project \$this"),
        ("ASK { $this :p ?v }", "of another form"),
        ("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }", "neither SELECT nor ASK"),
        ("LOAD <http://localhost:9/>", "neither SELECT nor ASK"),
        ("SELECT $this WHERE { $this :p ?v MINUS { $this :p 1 } }", "MINUS"),
        ("SELECT $this WHERE { VALUES ?v { 1 } }", "VALUES"),
        ("SELECT $this WHERE { SERVICE <http://localhost:9/> { ?s ?p ?o } }", "another service"),
        ("SELECT $this FROM <http://localhost:9/> WHERE { ?s ?p ?o }", "another service"),
        ("SELECT $this WHERE { GRAPH ?g { ?s ?p ?o } }", "shapesGraph"),
        ("SELECT $this WHERE { GRAPH <http://e.org/> { ?s ?p ?o } }", "shapesGraph"),
        ("SELECT $this WHERE { BIND(1 AS $this) }", "must not bind the pre-bound"),
        ("SELECT (1 AS $this) WHERE { }", "must not bind the pre-bound"),
        ("SELECT $this WHERE { { SELECT ?v WHERE { ?v :p 1 } } }", "sub-select"),
        ("SELECT $this WHERE { { SELECT * WHERE { $this :p 1 } } }", "sub-select"),
        ("SELECT $this WHERE { $this $PATH ?v }", "node shape"),
        ("SELECT $this WHERE { FILTER(:f($this)) }", "unknown function"),
        (f"SELECT $this WHERE {{ FILTER({'(' * 300}1{')' * 300}) }}", "levels of nesting"),
    ],
)
def test_query_that_must_not_be_is_refused(query: str, reason: str) -> None:
    with pytest.raises(Invalid, match=f"the shapes cannot be used: .*{reason}") as caught:
        results(node_shape(query), "")
    assert "under <http://example.org/S>" in str(caught.value)


@pytest.mark.parametrize(
    ("shapes", "reason"),
    [
        (":S sh:sparql [ sh:message 'x' ]", "sh:select is not one text"),
        (":S sh:sparql [ sh:select :q ]", "sh:select is not one text"),
        (":S sh:target [ a :Other ]", "sh:target is no sh:SPARQLTarget"),
        (":S sh:target [ a sh:SPARQLTarget ; sh:select 'SELECT ?x { }' ]", "does not project"),
        (":f a sh:SPARQLFunction", "functions"),
        (":S sh:expression [ ]", "node expressions"),
        ("[] a owl:Ontology ; owl:imports <http://localhost:9/>", "owl:imports"),
        (":K a sh:ConstraintComponent", "no mandatory parameter"),
        (":K a sh:ConstraintComponent ; sh:parameter [ sh:path :this ]", "cannot be called"),
        (":K a sh:ConstraintComponent ; sh:parameter [ ]", "not one IRI"),
        (
            ":S sh:sparql [ sh:prefixes :other, :names ; sh:select 'SELECT $this { }' ] ."
            ' :other sh:declare [ sh:prefix "" ; sh:namespace "http://other/" ]',
            "two namespaces",
        ),
    ],
)
def test_shapes_that_are_ill_formed_are_refused(shapes: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        results(f":S a sh:NodeShape ; sh:targetClass :C . {shapes} .", "")


def test_prefixes_follow_imports_within_the_shapes() -> None:
    shapes = """:S a sh:NodeShape ; sh:targetClass :C ; sh:sparql [
        sh:prefixes :mine ; sh:select "SELECT $this WHERE { $this :p ?v }" ] .
        :mine owl:imports :names . :names owl:imports :mine ."""
    assert rows(results(shapes, ":x a :C ; :p 1 .")) == [("x", None, "x")]


# ---- components (section 6)

WITHIN = """
:Within a sh:ConstraintComponent ; sh:labelTemplate "at most {$most}" ;
    sh:parameter [ sh:path :most ] , [ sh:path :least ; sh:optional true ] ;
    sh:validator [ a sh:SPARQLAskValidator ; sh:prefixes :names ; sh:ask
        "ASK { FILTER($value <= $most && $value >= COALESCE($least, 0)) }" ] .
"""


def component_shape(more: str) -> str:
    return f"{WITHIN} :S a sh:PropertyShape ; sh:targetClass :C ; sh:path :p ; {more} ."


@BOTH
def test_ask_validator_is_asked_for_each_value(engine: str) -> None:
    found = results(component_shape(":most 5"), ":x a :C ; :p 4, 5, 6, -1 .", engine)
    assert [(local(f.focus), local(f.path), local(f.component)) for f in found] == [
        ("x", "p", "Within")
    ] * 2
    if engine == "fast":  # pySHACL leaves the value out
        assert [local(f.value) for f in found] == ["-1", "6"]


def test_results_of_components_name_no_constraint() -> None:
    assert [f.source for f in results(component_shape(":most 5"), ":x a :C ; :p 6 .")] == [None]


@BOTH
def test_optional_parameter_is_bound_where_it_is_given(engine: str) -> None:
    shapes, data = component_shape(":most 5 ; :least 2"), ":x a :C ; :p 1, 2 ."
    assert len(results(shapes, data, engine)) == 1


@BOTH
def test_component_without_its_mandatory_parameters_is_no_constraint(engine: str) -> None:
    assert results(component_shape(":least 2"), ":x a :C ; :p 1 .", engine) == []


def test_component_of_several_parameters_takes_one_value_of_each() -> None:
    with pytest.raises(Invalid, match="more than one value"):
        results(component_shape(":most 5, 6 ; :least 2"), "")


def test_component_of_one_parameter_is_a_constraint_for_each_value() -> None:
    shapes = """:Not a sh:ConstraintComponent ; sh:parameter [ sh:path :not ] ;
        sh:validator [ sh:ask "ASK { FILTER($value != $not) }" ] .
        :S a sh:PropertyShape ; sh:targetClass :C ; sh:path :p ; :not 1, 2 ."""
    assert rows(results(shapes, ":x a :C ; :p 1, 2, 3 .")) == [
        ("x", "p", "1"),
        ("x", "p", "2"),
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", "at most 5"),
        (':Within sh:message "{?value} > {$most}" .', "6 > 5"),
        (':S sh:message "shape" . :Within sh:message "component" .', "shape"),
    ],
)
def test_message_of_a_component_comes_from_the_shape_the_component_or_its_label(
    more: str, expected: str
) -> None:
    assert message(component_shape(":most 5") + more, ":x a :C ; :p 6 .") == expected


KINDS = """
:Kind a sh:ConstraintComponent ; sh:parameter [ sh:path :kind ] ;
    sh:nodeValidator [ sh:prefixes :names ; sh:select
        "SELECT $this WHERE { FILTER NOT EXISTS { $this :p $kind } }" ] ;
    sh:propertyValidator [ sh:prefixes :names ; sh:select
        "SELECT $this ?value WHERE { $this $PATH ?value . FILTER(?value != $kind) }" ] .
:N a sh:NodeShape ; sh:targetClass :C ; :kind 1 .
:P a sh:PropertyShape ; sh:targetClass :C ; sh:path :p ; :kind 1 .
"""


def test_validator_fits_the_kind_of_shape() -> None:
    data = ":x a :C ; :p 1 . :y a :C ; :p 2 . :z a :C ."
    assert rows(results(KINDS, data)) == [
        ("y", None, "y"),
        ("y", "p", "2"),
        ("z", None, "z"),
    ]


def test_component_without_a_validator_for_the_shape_is_ignored() -> None:
    shapes = KINDS.replace("sh:propertyValidator", ":other")
    assert rows(results(shapes, ":x a :C ; :p 2, 1 .")) == []


def test_declarations_of_the_components_of_shacl_change_nothing() -> None:
    shapes = """sh:ClassConstraintComponent a sh:ConstraintComponent ;
        sh:parameter [ sh:path sh:class ] ; sh:validator [ sh:ask "ASK { FILTER(false) }" ] .
        :S a sh:PropertyShape ; sh:targetClass :C ; sh:path :p ; sh:class :C ."""
    assert results(shapes, ":x a :C ; :p :x .") == []


# ---- SPARQL-based targets (SHACL-AF, section 3.1)


@BOTH
def test_target_selects_focus_nodes_of_the_data_alone(tmp_path: Path, engine: str) -> None:
    shapes = """:S a sh:NodeShape ; sh:property [ sh:path :q ; sh:minCount 1 ] ;
        sh:target [ a sh:SPARQLTarget ; sh:prefixes :names ;
            sh:select "SELECT ?this WHERE { ?this :p ?v . FILTER(?v > 1) }" ] ."""
    data, background = ":x :p 1 . :y :p 2 . :z :p 3 ; :q 1 .", ":b :p 2 ."
    result = report(tmp_path, shapes, data, engine, background)
    assert [r.focus for r in result.results] == [f"{EX}y"]
    assert result.focus_nodes == 2


def test_target_may_use_what_pre_binding_forbids() -> None:
    shapes = """:S a sh:NodeShape ; sh:nodeKind sh:BlankNode ;
        sh:target [ a sh:SPARQLTarget ; sh:prefixes :names ; sh:select
            "SELECT ?this WHERE { VALUES ?v { 1 } ?this :p ?v MINUS { ?this :q ?v } }" ] ."""
    assert rows(results(shapes, ":x :p 1 . :y :p 1 ; :q 1 .")) == [("x", None, "x")]


# ---- blank nodes


def test_blank_nodes_are_blank_nodes_to_queries() -> None:
    shapes = node_shape("""SELECT $this ?value WHERE { $this :p ?value
        FILTER(isBlank($this) && isBlank(?value) && !isIRI(?value)) }""")
    data = "_:a a :C ; :p [ ] , :iri . :x a :C ; :p [ ] ."
    (only,) = results(shapes, data)
    assert (only.focus or "")[:2] == (only.value or "")[:2] == "_:"
    assert only.focus != only.value


@BOTH
def test_blank_node_has_a_text_that_is_no_iri(engine: str) -> None:
    shapes = node_shape("SELECT $this WHERE { FILTER(!STRSTARTS(STR($this), 'http')) }")
    (only,) = results(shapes, "[] a :C . :x a :C .", engine)
    assert only.focus.startswith("_:")


def test_text_of_a_skolem_iri_is_that_of_its_blank_node() -> None:
    shapes = node_shape("SELECT $this WHERE { FILTER(STR($this) = '_:x-0-0') }")
    assert len(exact(shapes, f"<https://e.org/.well-known/genid/x-0-0> {TYPE} <{EX}C>")) == 1


def test_skolem_iris_are_blank_nodes_to_queries_and_come_back_as_they_are() -> None:
    skolem = "<https://example.org/.well-known/genid/0123456789abcdef01234567-0-0>"
    shapes = node_shape(
        "SELECT $this ?value WHERE { $this :p ?value . FILTER(isBlank(?value) && isBlank($this)) }"
    )
    (only,) = exact(shapes, f"{skolem} {TYPE} <{EX}C>", f"{skolem} <{EX}p> {skolem}")
    assert (only.focus, only.value) == (skolem, skolem)


def test_iri_that_no_query_could_hold_is_seen_as_it_is() -> None:
    shapes = node_shape("SELECT $this WHERE { FILTER(isIRI($this) && STR($this) = 'http://e/%z') }")
    (only,) = exact(shapes, f"<http://e/%z> {TYPE} <{EX}C>")
    assert only.value == "<http://e/%z>"


# ---- exact literals

EXACT = [
    '"1000"^^xsd:nonNegativeInteger',
    '"007"^^xsd:integer',
    '"1.50"^^xsd:decimal',
    '"1"^^xsd:boolean',
    '"2024-01-01T00:00:00+00:00"^^xsd:dateTime',
    '"2024-01-01T24:00:00Z"^^xsd:dateTime',
    '"PT60S"^^xsd:duration',
    '"1e3"^^xsd:double',
    '"x"^^xsd:integer',
]


@pytest.mark.parametrize("value", EXACT)
def test_queries_see_literals_as_they_are_written(value: str) -> None:
    lexical, _, datatype = value.partition("^^")
    text = lexical.replace('"', "'")
    assert fails(f"STR(?v) = {text}", value)
    assert fails(f"DATATYPE(?v) = {datatype}", value)
    assert fails(f"sameTerm(?v, {text}^^{datatype})", value)
    assert fails(f"STRLEN(STR(COALESCE(?none, ?v))) = {len(text) - 2}", value)
    assert fails(f"EXISTS {{ $this :p {text}^^{datatype} }}", value)


@BOTH
@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("?v = 1000", EXACT[0]),
        ("?v > 999 && ?v < 1001", EXACT[0]),
        ("isNumeric(?v)", EXACT[0]),
        ("?v + 1 = 8", EXACT[1]),
        ("ABS(-?v) = 7", EXACT[1]),
        ("xsd:decimal(?v) = 1.5", EXACT[2]),
        ("IF(?v > 1, 1, 2) = 1", EXACT[2]),
        ("?v", EXACT[3]),
        ("?v && STR(?v) = '1'", EXACT[3]),
        ("YEAR(?v) = 2024", EXACT[4]),
        ("?v = '2024-01-01T00:00:00Z'^^xsd:dateTime", EXACT[4]),
        ("?v >= 1000.0", EXACT[7]),
    ],
)
def test_operators_see_what_literals_stand_for(engine: str, condition: str, value: str) -> None:
    assert fails(condition, value, engine)


@pytest.mark.parametrize(
    ("condition", "value"),
    [("?v IN (6, 7)", EXACT[1]), ("!!?v", EXACT[3]), ("!isNumeric(?v)", EXACT[8])],
)
def test_operators_see_values_where_rdflib_does_not(condition: str, value: str) -> None:
    assert fails(condition, value)


def test_value_of_a_result_is_as_it_is_written() -> None:
    shapes = node_shape("SELECT $this ?value WHERE { $this :p ?value }")
    term = literal("01.50", datatype=XSD.decimal)
    found = exact(shapes, f"<{EX}x> {TYPE} <{EX}C>", f"<{EX}x> <{EX}p> {term}")
    assert [f.value for f in found] == [term]


def test_pre_bound_values_are_exact() -> None:
    shapes = """:Form a sh:ConstraintComponent ; sh:parameter [ sh:path :form ] ; sh:validator [
            sh:ask "ASK { FILTER(STR($value) = STR($form) && $value = $form) }" ] .
        :S a sh:PropertyShape ; sh:targetClass :C ; sh:path :p ; :form "1.0"^^xsd:decimal ."""
    data = ':x a :C ; :p "1.00"^^xsd:decimal, "1.0"^^xsd:decimal, "1"^^xsd:integer .'
    assert [local(f.value) for f in results(shapes, data)] == ["1", "1.00"]


KINDS_OF_TEXT = st.one_of(
    st.from_regex(r"[+-]?[0-9]{0,4}\.?[0-9]{0,3}", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})?)?"
                  r"(Z|[+-][0-9]{2}:[0-9]{2})?", fullmatch=True),
    st.sampled_from(["true", "1", "INF", "PT60S", "P1Y", "", " a", 'q"uote', "\\", "\n"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)  # fmt: skip
DATATYPES = (
    "string boolean integer decimal double float date time dateTime dateTimeStamp gYear gYearMonth"
    " duration dayTimeDuration byte nonNegativeInteger anyURI hexBinary language token"
)


@given(KINDS_OF_TEXT, st.sampled_from(DATATYPES.split()))
def test_every_literal_comes_out_of_the_store_as_it_went_in(text: str, datatype: str) -> None:
    term = literal(text, datatype=XSD[datatype])
    store = ox.Store()
    store.load(f"<urn:s> <urn:p> {encode(term)} .".encode(), format=ox.RdfFormat.N_TRIPLES)
    assert [decode(str(quad.object)) for quad in store] == [term]


@pytest.mark.parametrize(
    "term", ["_:b", "<http://e/.well-known/genid/x>", "<http://e/a b>", "<e>", "<http://e/%zz>"]
)
def test_every_node_comes_back_as_it_was(term: str) -> None:
    assert decode(str(ox.NamedNode(encode(term)[1:-1]))) == term
    assert encode(term) != encode(term, of_shapes=True)


# ---- when it is done


def test_store_is_made_once_and_only_where_a_query_has_a_focus_node(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[object] = []

    class Counted(querying.Asked):
        def __init__(self, *given: object) -> None:
            made.append(given)
            super().__init__(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(querying, "Asked", Counted)
    shapes = node_shape("SELECT $this WHERE { }") + constraint("SELECT $this WHERE { $this :p 1 }")
    assert (results(shapes, ":x a :D ."), made) == ([], [])
    data = Layers(Graph(lines(":x a :C . :y a :C . :z a :C .")))
    evaluation = Run(prepared(shapes).program, data)
    assert (len(list(evaluation.findings())), len(made)) == (3, 1)
    assert Run(evaluation.program, data).asked is evaluation.asked


def test_watcher_is_told_the_shape_before_each_query() -> None:
    told: list[str] = []
    program = prepared(node_shape("SELECT $this WHERE { FILTER(false) }")).program
    data = Layers(Graph(lines(":x a :C . :y a :C .")))
    assert list(Run(program, data, entering=told.append).findings()) == []
    assert told == [ref(f"{EX}S")] * 2
