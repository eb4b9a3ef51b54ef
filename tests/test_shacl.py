"""Validation: what a report says, about whom, in which language; engines, exactness, refusals."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib

import bilbaokg
from bilbaokg import profiles, shacl, validate
from bilbaokg.errors import BadInput, Invalid, NotFound, SyntaxFault
from bilbaokg.model import Problem
from bilbaokg.settings import Settings
from bilbaokg.shacl.reading import source_of
from bilbaokg.terms import SH

PREFIXES = """
@prefix : <http://example.org/> .
@prefix adms: <http://www.w3.org/ns/adms#> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
PROFILE = profiles.load("dcat-ap/3.0.1")
STEWARD = """
:d prov:qualifiedAttribution :a1, :a2, :a3 .
:a1 a prov:Attribution ; dcat:hadRole <http://x.example/roles/owner> ; prov:agent :owner ;
    adms:status :active .
:a2 a prov:Attribution ; dcat:hadRole <http://x.example/roles/steward> ; prov:agent :old ;
    adms:status <http://x.example/status/ended> .
:a3 a prov:Attribution ; dcat:hadRole <http://x.example/roles/steward> ; prov:agent :unit ;
    adms:status <http://x.example/status/active> .
:unit foaf:name "Movilidad"@es, "Mugikortasuna"@eu .
:owner foaf:name "Ayuntamiento"@es .
"""


def lines(turtle: str) -> list[str]:
    quads = ox.parse(PREFIXES + turtle, format=ox.RdfFormat.TURTLE)
    return [f"{q.subject} {q.predicate} {q.object} ." for q in quads]


def only(report: shacl.Report, path: str, severity: str = "violation") -> Problem:
    (found,) = (
        r for r in report.results if (r.path or "").endswith(path) and r.severity == severity
    )
    return found


def shapes_file(folder: Path, turtle: str) -> Path:
    file = folder / "shapes.ttl"
    file.write_text(PREFIXES + turtle)
    return file


def of(folder: Path, shapes: str, data: str) -> shacl.Report:
    return validate((PREFIXES + data).encode(), [shapes_file(folder, shapes)], format="ttl")


# ---- what a result says


def test_result_names_dataset_title_property_fix_and_steward() -> None:
    data = ':d a dcat:Dataset ; dct:title "Aforos"@es, "Neurketak"@eu .' + STEWARD
    found = only(shacl.check(lines(data), PROFILE), "description")
    assert found.as_dict() == {
        "severity": "violation",
        "message": "Al conjunto de datos le falta «descripción».",
        "focus": "http://example.org/d",
        "path": "http://purl.org/dc/terms/description",
        "component": "MinCountConstraintComponent",
        "value": None,
        "hint": "Añada dct:description: qué datos son, de dónde salen y para qué sirven.",
        "shape": "urn:bilbaokg:shapes:dcat-ap:3.0.1#dataset-description-required",
        "dataset": "http://example.org/d",
        "title": "Aforos",
        "steward": "Movilidad",
        "source": None,
        "label": "descripción",
        "allowed": None,
        "nearest": None,
        "detail": None,
        "owner": "Ayuntamiento",
    }


@pytest.mark.parametrize(
    ("language", "message", "title", "steward"),
    [
        ("eu", "Datu-multzoari «deskribapena» falta zaio.", "Neurketak", "Mugikortasuna"),
        ("en", "The dataset has no “description”.", "Aforos", "Movilidad"),
        ("fr", "Al conjunto de datos le falta «descripción».", "Aforos", "Movilidad"),
    ],
)
def test_texts_come_in_one_language(language: str, message: str, title: str, steward: str) -> None:
    data = ':d a dcat:Dataset ; dct:title "Aforos"@es, "Neurketak"@eu .' + STEWARD
    found = only(shacl.check(lines(data), PROFILE, language=language), "description")
    assert (found.message, found.title, found.steward) == (message, title, steward)


def test_part_belongs_to_the_dataset_that_leads_to_it() -> None:
    data = """:c a dcat:Catalog ; dcat:dataset :d . :d a dcat:Dataset ; dct:title "D" ;
        dcat:distribution [ a dcat:Distribution ] ; dct:temporal :t . :t a dct:PeriodOfTime ."""
    report = shacl.check(lines(data), PROFILE)
    assert only(report, "accessURL").dataset == "http://example.org/d"
    assert only(report, "startDate", "warning").dataset == "http://example.org/d"
    assert {r.dataset for r in report.results if r.focus == "http://example.org/c"} == {None}


def test_part_of_several_datasets_belongs_to_none() -> None:
    data = """:d a dcat:Dataset ; dct:publisher :p . :e a dcat:Dataset ; dct:publisher :p .
        :p a foaf:Agent ."""
    assert only(shacl.check(lines(data), PROFILE), "name").dataset is None


def test_results_do_not_depend_on_the_order_of_statements() -> None:
    data = lines(":d a dcat:Dataset . :e a dcat:DataService . :f a dcat:DatasetSeries .")
    reports = [shacl.check(order, PROFILE) for order in (data, data[::-1], [*data, *data])]
    assert reports[0] == reports[1] == reports[2]
    assert reports[0].turtle == reports[1].turtle == reports[2].turtle
    assert [r.severity for r in reports[0].results] == sorted(
        (r.severity for r in reports[0].results), key=("violation", "warning").index
    )


def test_focus_nodes_are_counted_without_the_background() -> None:
    report = shacl.check(
        lines(":d a dcat:Dataset . :a a foaf:Organization . :b a :Other ."), PROFILE
    )
    assert report.focus_nodes == 2


def test_known_statements_are_seen_and_not_reported() -> None:
    data = lines(":d a dcat:Dataset ; dct:publisher :p .")
    assert only(shacl.check(data, PROFILE), "publisher").component == "ClassConstraintComponent"
    report = shacl.check(data, PROFILE, known=lines(":p a foaf:Agent ."))
    assert {r.focus for r in report.results} == {"http://example.org/d"}
    assert not [
        r for r in report.results if r.severity == "violation" and r.path and "publisher" in r.path
    ]


# ---- nothing to look at


def test_empty_target_is_a_violation_never_a_conformance() -> None:
    report = shacl.check(lines(':d dct:title "Sin tipo"@es .'), PROFILE)
    (found,) = report.results
    assert (found.severity, found.component) == ("violation", "EmptyTarget")
    assert "no dcat:Dataset found" in found.message
    assert (report.conforms, report.blocks_release, report.focus_nodes) == (False, True, 0)
    assert "EmptyTarget" in report.turtle


def test_catalogue_without_datasets_is_something_to_look_at() -> None:
    report = shacl.check(lines(":c a dcat:Catalog ."), PROFILE)
    assert "EmptyTarget" not in {r.component for r in report.results}


def test_part_of_a_catalogue_may_hold_no_dataset() -> None:
    assert shacl.check(lines(":x a :Other ."), PROFILE, partial=True).conforms


def test_shapes_about_other_things_need_no_dataset(tmp_path: Path) -> None:
    assert of(
        tmp_path, ":S a sh:NodeShape ; sh:targetClass :C ; sh:nodeKind sh:IRI .", ":x a :C ."
    ).conforms


# ---- literals, blank nodes


@pytest.mark.parametrize(
    ("value", "passes"),
    [
        ('"1000"^^xsd:nonNegativeInteger', True),
        ('"01000"^^xsd:nonNegativeInteger', True),
        ('"1000"^^xsd:integer', False),
        ('"-1"^^xsd:nonNegativeInteger', False),
        ('"1000"', False),
    ],
)
def test_literals_are_judged_as_they_are_written(value: str, passes: bool) -> None:
    report = shacl.check(
        lines(f":d a dcat:Distribution ; dcat:byteSize {value} ."), PROFILE, partial=True
    )
    wrong = [r.value for r in report.results if (r.path or "").endswith("byteSize")]
    assert (wrong == []) == passes


def test_report_repeats_a_value_exactly() -> None:
    report = shacl.check(
        lines(':d a dcat:Distribution ; dcat:byteSize "001.50"^^xsd:decimal .'),
        PROFILE,
        partial=True,
    )
    assert only(report, "byteSize").value == "001.50"


def test_rdflib_is_left_as_it_was() -> None:
    log = logging.getLogger("rdflib.term")
    shacl.check(lines(":d a dcat:Dataset ."), PROFILE)
    assert (rdflib.NORMALIZE_LITERALS, log.disabled) == (True, False)


def test_rdflib_is_left_as_it_was_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        of(tmp_path, ':S a sh:NodeShape ; sh:targetClass :C ; sh:pattern "(" .', ":x a :C .")
    assert rdflib.NORMALIZE_LITERALS


def test_threads_do_not_disturb_each_other() -> None:
    data = lines(':d a dcat:Dataset ; dct:issued "2024"^^xsd:gYear, "x"^^xsd:date .')
    expected = shacl.check(data, PROFILE)
    reports: list[shacl.Report] = []
    threads = [
        threading.Thread(target=lambda: reports.append(shacl.check(data, PROFILE)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reports == [expected] * 4


def test_skolem_iris_are_blank_nodes_to_the_shapes_and_shown_as_they_are() -> None:
    skolem = "https://bilbaokg.example/.well-known/genid/0123456789abcdef01234567-0-0"
    report = shacl.check(
        lines(f":d a dcat:Dataset ; dcat:theme <{skolem}> . <{skolem}> a skos:Concept ."), PROFILE
    )
    kinds = [r for r in report.results if r.component == "NodeKindConstraintComponent"]
    assert [(r.value, r.path) for r in kinds] == [(skolem, "http://www.w3.org/ns/dcat#theme")]
    assert only(report, "prefLabel").focus == skolem


def test_blank_nodes_of_a_file_have_labels() -> None:
    report = validate((PREFIXES + "[] a dcat:Dataset .").encode(), format="ttl")
    assert {(r.focus or "")[:2] for r in report.results} == {"_:"}


# ---- the library's call


def test_importing_the_package_loads_nothing() -> None:
    heavy = ("rdflib", "pyoxigraph", "pyshacl")
    code = f"import bilbaokg, sys; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_package_tells_its_version_and_refuses_other_names() -> None:
    assert bilbaokg.__version__[0].isdigit()
    with pytest.raises(AttributeError):
        _ = bilbaokg.nothing


def test_file_bytes_and_dataset_give_the_same_results(tmp_path: Path) -> None:
    text = PREFIXES + ':d a dcat:Dataset ;\n    dct:title "Aforos"@es .\n'
    file = tmp_path / "data.ttl"
    file.write_text(text)
    dataset = ox.Dataset(ox.parse(text, format=ox.RdfFormat.TURTLE))
    reports = [
        validate(file),
        validate(str(file)),
        validate(text.encode(), format="ttl"),
        validate(dataset),
    ]
    seen = [[(r.focus, r.path, r.message) for r in report.results] for report in reports]
    assert seen[0] == seen[1] == seen[2] == seen[3]
    assert seen[0]


def test_source_names_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "data.ttl"
    file.write_text(
        PREFIXES + "\n:d a dcat:Dataset ;\n    dcat:distribution [ a dcat:Distribution ] .\n"
    )
    report = validate(file)
    first = PREFIXES.count("\n") + 2
    assert only(report, "description").source == {"file": str(file), "line": first}
    source = only(report, "accessURL").source
    assert source is not None
    assert source["line"] in (first, first + 1)


def test_lines_of_several_files_are_told_apart(tmp_path: Path) -> None:
    first, second = tmp_path / "a.ttl", tmp_path / "b.ttl"
    first.write_text(f"{PREFIXES}\n\n:d a dcat:Dataset .")
    second.write_text(f"\n{PREFIXES}:e a dcat:DataService .")
    line = PREFIXES.count("\n") + 1
    report = shacl.check_sources([source_of(first), source_of(second)], PROFILE, Settings())
    assert only(report, "description").source == {"file": str(first), "line": line + 2}
    assert only(report, "endpointURL").source == {"file": str(second), "line": line + 1}


def test_background_files_are_known(tmp_path: Path) -> None:
    file = tmp_path / "agents.ttl"
    file.write_text(PREFIXES + ":p a foaf:Agent .")
    data = (PREFIXES + ":d a dcat:Dataset ; dct:publisher :p .").encode()
    wrong = [r.path for r in validate(data, format="ttl").results if r.severity == "violation"]
    right = [
        r.path
        for r in validate(data, format="ttl", background=[file]).results
        if r.severity == "violation"
    ]
    assert set(wrong) - set(right) == {"http://purl.org/dc/terms/publisher"}


def test_report_graph_is_a_standard_validation_report(tmp_path: Path) -> None:
    path = "[ sh:path ( [ sh:inversePath :p ] [ sh:zeroOrMorePath :q ] ) ; sh:minCount 9 ]"
    report = of(
        tmp_path,
        f":S a sh:NodeShape ; sh:targetClass :C ; sh:property {path} .",
        ":x a :C ; :p :x .",
    )
    assert report.results[0].path == "(^<http://example.org/p>)/(<http://example.org/q>*)"
    graph = rdflib.Graph().parse(data=report.turtle, format="turtle")
    (node,) = graph.subjects(rdflib.RDF.type, rdflib.URIRef(SH.ValidationReport))
    assert graph.value(node, rdflib.URIRef(SH.conforms)).toPython() is False
    (result,) = graph.objects(node, rdflib.URIRef(SH.result))
    for member in (
        "focusNode",
        "resultSeverity",
        "sourceConstraintComponent",
        "sourceShape",
        "resultMessage",
    ):
        assert (result, rdflib.URIRef(SH[member]), None) in graph
    steps = rdflib.collection.Collection(graph, graph.value(result, rdflib.URIRef(SH.resultPath)))
    assert (steps[0], rdflib.URIRef(SH.inversePath), rdflib.URIRef("http://example.org/p")) in graph
    assert len(report.graph()) == len(graph)


def test_results_of_nested_shapes_appear_only_in_details(tmp_path: Path) -> None:
    report = of(
        tmp_path,
        ":S a sh:NodeShape ; sh:targetClass :C ; "
        "sh:node [ sh:property [ sh:path :q ; sh:minCount 1 ] ] .",
        ":x a :C .",
    )
    assert [r.component for r in report.results] == ["NodeConstraintComponent"]
    graph = rdflib.Graph().parse(data=report.turtle, format="turtle")
    (detail,) = graph.objects(None, rdflib.URIRef(SH.detail))
    assert graph.value(detail, rdflib.URIRef(SH.resultPath)) == rdflib.URIRef(
        "http://example.org/q"
    )


def test_shape_without_a_message_gets_a_sentence(tmp_path: Path) -> None:
    report = of(
        tmp_path,
        ":S a sh:NodeShape ; sh:targetClass :C ; "
        "sh:property [ sh:path dct:title ; sh:minCount 2 ] .",
        ":x a :C .",
    )
    assert report.results[0].message == "«Título» necesita al menos 2 valores."
    assert report.results[0].hint == "Añada dct:title."


# ---- refusals


def test_unknown_engine_lists_the_engines() -> None:
    with pytest.raises(BadInput, match="unknown engine 'quick'") as caught:
        shacl.check([], PROFILE, engine="quick")
    assert "pyshacl" in (caught.value.hint or "")


def test_file_without_shapes_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="there are no shapes in it") as caught:
        of(tmp_path, ":a :b :c .", ":d a dcat:Dataset .")
    assert caught.value.where == str(tmp_path / "shapes.ttl")


def test_unknown_profile_and_file_are_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no profile"):
        validate(b"", "no-such-profile", format="ttl")
    with pytest.raises(BadInput):
        validate(tmp_path / "missing.ttl")


def test_bytes_need_a_format_and_shapes_are_needed() -> None:
    with pytest.raises(BadInput, match="format"):
        validate(b"")
    with pytest.raises(BadInput, match="no shapes"):
        validate(b"", [], format="ttl")


def test_shapes_file_that_does_not_parse_is_named(tmp_path: Path) -> None:
    with pytest.raises(SyntaxFault) as caught:
        of(tmp_path, ":S a sh:NodeShape ; ; .  oops", "")
    assert caught.value.where == str(tmp_path / "shapes.ttl")
    assert caught.value.extra["line"] > 1


@pytest.mark.parametrize(
    "shape",
    [
        'sh:pattern "("',
        "sh:property [ sh:minCount 1 ]",
        'sh:property [ sh:path :p ; sh:minCount "many" ]',
        "sh:property [ sh:path :p, :q ; sh:minCount 1 ]",
        'sh:or "x"',
        'sh:sparql [ sh:select "SELECT nonsense" ]',
        "sh:property [ sh:path :p ; sh:in _:l ] . _:l rdf:rest _:l",
        "sh:property [ sh:path _:p ; sh:minCount 1 ] . _:p sh:inversePath _:p",
    ],
)
def test_malformed_shapes_are_refused_with_a_message(tmp_path: Path, shape: str) -> None:
    with pytest.raises(Invalid, match="the shapes cannot be used: "):
        of(tmp_path, f":S a sh:NodeShape ; sh:targetClass :C ; {shape} .", ":x a :C ; :p :x .")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT $this WHERE { SERVICE <http://localhost:9/> { $this ?p ?o } }",
        "SELECT $this WHERE { BIND(<http://localhost:9/> AS ?s) SERVICE?s { $this ?p ?o } }",
        "SELECT $this WHERE { \\\\u0053ERVICE <http://localhost:9/> { $this ?p ?o } }",
        "SELECT $this FROM <http://localhost:9/> WHERE { $this ?p ?o }",
    ],
)
def test_shapes_may_not_reach_the_network(tmp_path: Path, query: str) -> None:
    with pytest.raises(Invalid, match="another service"):
        of(
            tmp_path,
            f':S a sh:NodeShape ; sh:targetClass :C ; sh:sparql [ sh:select "{query}" ] .',
            ":x a :C .",
        )


def test_recursive_shapes_are_refused(tmp_path: Path) -> None:
    shapes = ":S a sh:NodeShape ; sh:targetClass :C ; sh:property [ sh:path :p ; sh:node :S ] ."
    with pytest.raises(Invalid, match="shapes are recursive"):
        of(tmp_path, shapes, ":x a :C ; :p :x .")
