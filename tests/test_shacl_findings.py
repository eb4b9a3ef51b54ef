"""What a finding says: what is asked, what is there, what was probably meant, who should act."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from string import Formatter

import pyoxigraph as ox
import pytest

from bilbaokg import profiles, shacl, wording
from bilbaokg.errors import BadInput
from bilbaokg.model import Problem, Profile
from bilbaokg.shacl import rules, vocabulary
from bilbaokg.shacl.components import FACTORIES
from bilbaokg.shacl.nearest import Index
from bilbaokg.shacl.prepared import prepare
from bilbaokg.terms import LANGUAGES

pytestmark = pytest.mark.usefixtures("kept_workers")

PREFIXES = """
@prefix : <http://example.org/> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
DCAT_AP = profiles.load("dcat-ap/3.0.1")
EU = "http://publications.europa.eu/resource/authority"


def lines(turtle: str) -> list[str]:
    quads = ox.parse(PREFIXES + turtle, format=ox.RdfFormat.TURTLE)
    return [f"{q.subject} {q.predicate} {q.object} ." for q in quads]


def profile(folder: Path, shapes: str) -> Profile:
    file = folder / "shapes.ttl"
    file.write_text(PREFIXES + shapes, encoding="utf-8")
    return profiles.load(file)


def found(folder: Path, shape: str, data: str, language: str = "es") -> Problem:
    """The one finding of a shape about every :C."""
    shapes = profile(folder, f":S a sh:NodeShape ; sh:targetClass :C ; {shape} .")
    (problem,) = shacl.check(lines(f":x a :C . {data}"), shapes, language=language).results
    return problem


def of(path: str, data: str, language: str = "es") -> Problem:
    """The finding of the bundled profile about the vocabulary or type of a property."""
    results = shacl.check(lines(data), DCAT_AP, language=language, partial=True).results
    (problem,) = (
        p
        for p in results
        if (p.path or "").endswith(path)
        and p.severity == "violation"
        and p.component != "ClassConstraintComponent"
        and p.value is not None
    )
    return problem


# ---- the sentence of each constraint, the way to mend it, and what is there

P = "sh:property [ sh:path dct:title ; {} ]"
SENTENCES = {
    "minCount": (
        P.format("sh:minCount 2"),
        ':x dct:title "a" .',
        ("«Título» necesita al menos 2 valores.", "Añada dct:title.", "Ahora: 1 valor."),
        (
            "«Izenburua» propietatearen gutxieneko balio kopurua 2 da.",
            "Gehitu dct:title.",
            "Orain: balio 1.",
        ),
        ("“Title” needs at least 2 values.", "Add dct:title.", "Now: 1 value."),
    ),
    "maxCount": (
        P.format("sh:maxCount 1"),
        ':x dct:title "a", "b", "c" .',
        (
            "«Título» admite como máximo 1 valor.",
            "Quite los valores de dct:title que sobran.",
            "Ahora: 3 valores.",
        ),
        (
            "«Izenburua» propietatearen gehieneko balio kopurua 1 da.",
            "Kendu dct:title propietatearen soberako balioak.",
            "Orain: 3 balio.",
        ),
        (
            "“Title” takes at most 1 value.",
            "Remove the surplus values of dct:title.",
            "Now: 3 values.",
        ),
    ),
    "class": (
        P.format("sh:class foaf:Agent"),
        ":x dct:title :y .",
        (
            "El valor de «Título» no es de la clase «Agente» (foaf:Agent).",
            "Declare el recurso como foaf:Agent (rdf:type), o enlace otro que lo sea.",
            None,
        ),
        (
            "«Izenburua» propietatearen balioa ez da «Agentea» (foaf:Agent) klasekoa.",
            "Adierazi baliabidea foaf:Agent dela (rdf:type), edo estekatu hala den beste bat.",
            None,
        ),
        (
            "The value of “Title” is not of the class “Agent” (foaf:Agent).",
            "Declare the resource as foaf:Agent (rdf:type), or link one that is.",
            None,
        ),
    ),
    "datatype": (
        P.format("sh:datatype xsd:date"),
        ':x dct:title "ayer" .',
        (
            "El valor de «Título» no está escrito como una fecha (xsd:date).",
            'Escríbalo así, por ejemplo: "2026-01-31"^^xsd:date',
            "Es de tipo xsd:string.",
        ),
        (
            "«Izenburua» propietatearen balioa ez dago data (xsd:date) gisa idatzita.",
            'Idatzi honela, adibidez: "2026-01-31"^^xsd:date',
            "xsd:string motakoa da.",
        ),
        (
            "The value of “Title” is not written as a date (xsd:date).",
            'Write it like this, for example: "2026-01-31"^^xsd:date',
            "It is of type xsd:string.",
        ),
    ),
    "nodeKind": (
        P.format("sh:nodeKind sh:IRI"),
        ':x dct:title "a" .',
        (
            "El valor de «Título» debe ser una IRI.",
            "Escriba una IRI entre < y >, por ejemplo <https://example.org/x>.",
            "Es un texto, no una IRI.",
        ),
        (
            "«Izenburua» propietatearen balioak IRI bat izan behar du.",
            "Idatzi IRI bat < eta > artean, adibidez <https://example.org/x>.",
            "Testu bat da, ez IRI bat.",
        ),
        (
            "The value of “Title” must be an IRI.",
            "Write an IRI between < and >, for example <https://example.org/x>.",
            "It is a text, not an IRI.",
        ),
    ),
    "pattern": (
        P.format('sh:pattern "^[A-Z]+$"'),
        ':x dct:title "a1" .',
        (
            "El valor de «Título» no sigue el patrón ^[A-Z]+$.",
            "Corrija el valor para que siga el patrón.",
            None,
        ),
        (
            "«Izenburua» propietatearen balioa ez dator bat ^[A-Z]+$ ereduarekin.",
            "Zuzendu balioa, ereduarekin bat etor dadin.",
            None,
        ),
        (
            "The value of “Title” does not match the pattern ^[A-Z]+$.",
            "Correct the value so that it matches the pattern.",
            None,
        ),
    ),
    "minLength": (
        P.format("sh:minLength 5"),
        ':x dct:title "abc" .',
        (
            "El valor de «Título» debe tener al menos 5 caracteres.",
            "Alargue el texto.",
            "Ahora: 3 caracteres.",
        ),
        (
            "«Izenburua» propietatearen balioaren gutxieneko luzera 5 karakterekoa da.",
            "Luzatu testua.",
            "Orain: 3 karaktere.",
        ),
        (
            "The value of “Title” must have at least 5 characters.",
            "Make the text longer.",
            "Now: 3 characters.",
        ),
    ),
    "maxLength": (
        P.format("sh:maxLength 1"),
        ':x dct:title "abc" .',
        (
            "El valor de «Título» debe tener como máximo 1 carácter.",
            "Acorte el texto.",
            "Ahora: 3 caracteres.",
        ),
        (
            "«Izenburua» propietatearen balioaren gehieneko luzera 1 karakterekoa da.",
            "Laburtu testua.",
            "Orain: 3 karaktere.",
        ),
        (
            "The value of “Title” must have at most 1 character.",
            "Shorten the text.",
            "Now: 3 characters.",
        ),
    ),
    "minInclusive": (
        P.format("sh:minInclusive 5"),
        ":x dct:title 3 .",
        (
            "El valor de «Título» debe ser 5 o mayor.",
            "Corrija el valor o su tipo de dato.",
            None,
        ),
        (
            "«Izenburua» propietatearen balioak 5 edo handiagoa izan behar du.",
            "Zuzendu balioa edo haren datu mota.",
            None,
        ),
        (
            "The value of “Title” must be 5 or more.",
            "Correct the value or its datatype.",
            None,
        ),
    ),
    "maxExclusive": (
        P.format("sh:maxExclusive 5"),
        ":x dct:title 5 .",
        ("El valor de «Título» debe ser menor que 5.", "Corrija el valor o su tipo de dato.", None),
        (
            "«Izenburua» propietatearen balioak 5 baino txikiagoa izan behar du.",
            "Zuzendu balioa edo haren datu mota.",
            None,
        ),
        ("The value of “Title” must be less than 5.", "Correct the value or its datatype.", None),
    ),
    "languageIn": (
        P.format('sh:languageIn ("es" "eu")'),
        ':x dct:title "a"@fr .',
        (
            "El valor de «Título» debe ser un texto en una de estas lenguas: es, eu.",
            'Añada o corrija la etiqueta de lengua, por ejemplo "texto"@es.',
            "Está en «fr».",
        ),
        (
            "«Izenburua» propietatearen balioak hizkuntza hauetako batean idatzitako testua "
            "izan behar du: es, eu.",
            'Gehitu edo zuzendu hizkuntza-etiketa, adibidez "testua"@es.',
            "Hizkuntza-etiketa: «fr».",
        ),
        (
            "The value of “Title” must be a text in one of these languages: es, eu.",
            'Add or correct the language tag, for example "text"@es.',
            "It is in “fr”.",
        ),
    ),
    "uniqueLang": (
        P.format("sh:uniqueLang true"),
        ':x dct:title "a"@es, "b"@es, "c"@eu .',
        (
            "«Título» tiene más de un texto en la misma lengua.",
            "Deje un solo texto de dct:title por lengua.",
            "Lenguas repetidas: es.",
        ),
        (
            "«Izenburua» propietateak testu bat baino gehiago du hizkuntza berean.",
            "Utzi dct:title propietatearen testu bakarra hizkuntza bakoitzeko.",
            "Errepikatutako hizkuntzak: es.",
        ),
        (
            "“Title” has more than one text in the same language.",
            "Keep one text of dct:title per language.",
            "Repeated languages: es.",
        ),
    ),
    "in": (
        P.format('sh:in ("rojo" "verde")'),
        ':x dct:title "azul" .',
        (
            "El valor de «Título» no está en la lista de valores admitidos.",
            "Use uno de los valores admitidos.",
            None,
        ),
        (
            "«Izenburua» propietatearen balioa ez dago onartutako balioen zerrendan.",
            "Erabili onartutako balioetako bat.",
            None,
        ),
        (
            "The value of “Title” is not in the list of allowed values.",
            "Use one of the allowed values.",
            None,
        ),
    ),
    "hasValue": (
        P.format('sh:hasValue "rojo"@es'),
        "",
        ('«Título» debe tener el valor "rojo"@es.', 'Añada "rojo"@es a dct:title.', None),
        (
            '«Izenburua» propietateak "rojo"@es balioa izan behar du.',
            'Gehitu "rojo"@es balioa dct:title propietateari.',
            None,
        ),
        ('“Title” must have the value "rojo"@es.', 'Add "rojo"@es to dct:title.', None),
    ),
    "equals": (
        P.format("sh:equals dct:description"),
        ':x dct:title "a" .',
        (
            "«Título» debe tener los mismos valores que «Descripción».",
            "Iguale los valores de las dos propiedades.",
            None,
        ),
        (
            "«Izenburua» propietateak «Deskribapena» propietatearen balio berberak "
            "izan behar ditu.",
            "Berdindu bi propietateen balioak.",
            None,
        ),
        (
            "“Title” must have the same values as “Description”.",
            "Make the values of the two properties equal.",
            None,
        ),
    ),
    "disjoint": (
        P.format("sh:disjoint dct:description"),
        ':x dct:title "a" ; dct:description "a" .',
        (
            "«Título» no puede compartir valores con «Descripción».",
            "Quite de una de las dos propiedades los valores repetidos.",
            None,
        ),
        (
            "«Izenburua» propietateak ezin du baliorik partekatu «Deskribapena» propietatearekin.",
            "Kendu bi propietateetako batetik balio errepikatuak.",
            None,
        ),
        (
            "“Title” must not share values with “Description”.",
            "Remove the repeated values from one of the two properties.",
            None,
        ),
    ),
    "lessThan": (
        P.format("sh:lessThan dct:description"),
        ":x dct:title 5 ; dct:description 3 .",
        (
            "El valor de «Título» debe ser menor que el de «Descripción».",
            "Corrija uno de los dos valores.",
            "Se compara con 3.",
        ),
        (
            "«Izenburua» propietatearen balioak «Deskribapena» propietatearena baino txikiagoa "
            "izan behar du.",
            "Zuzendu bi balioetako bat.",
            "Honekin alderatzen da: 3.",
        ),
        (
            "The value of “Title” must be less than that of “Description”.",
            "Correct one of the two values.",
            "Compared with 3.",
        ),
    ),
    "lessThanOrEquals": (
        P.format("sh:lessThanOrEquals dct:description"),
        ":x dct:title 5 ; dct:description 3 .",
        (
            "El valor de «Título» no puede ser mayor que el de «Descripción».",
            "Corrija uno de los dos valores.",
            "Se compara con 3.",
        ),
        (
            "«Izenburua» propietatearen balioa ezin da «Deskribapena» propietatearena baino "
            "handiagoa izan.",
            "Zuzendu bi balioetako bat.",
            "Honekin alderatzen da: 3.",
        ),
        (
            "The value of “Title” must not be more than that of “Description”.",
            "Correct one of the two values.",
            "Compared with 3.",
        ),
    ),
    "not": (
        P.format("sh:not [ sh:class foaf:Agent ]"),
        ":x dct:title :y . :y a foaf:Agent .",
        (
            "El valor de «Título» cumple una condición que no debe cumplir: sh:class foaf:Agent.",
            "Cambie el valor o quítelo.",
            None,
        ),
        (
            "«Izenburua» propietatearen balioak bete behar ez duen baldintza bat betetzen du: "
            "sh:class foaf:Agent.",
            "Aldatu edo kendu balioa.",
            None,
        ),
        (
            "The value of “Title” meets a condition that it must not meet: sh:class foaf:Agent.",
            "Change the value or remove it.",
            None,
        ),
    ),
    "and": (
        P.format("sh:and ([ sh:minLength 2 ] [ sh:maxLength 9 ])"),
        ':x dct:title "a" .',
        (
            "El valor de «Título» no cumple todas las condiciones (2).",
            "Corrija lo que se indica en cada caso.",
            "Motivo: debe tener al menos 2 caracteres.",
        ),
        (
            "«Izenburua» propietatearen balioak ez ditu baldintza guztiak betetzen (2).",
            "Zuzendu kasu bakoitzean adierazten dena.",
            "Arrazoia: haren gutxieneko luzera 2 karakterekoa da.",
        ),
        (
            "The value of “Title” does not meet all the conditions (2).",
            "Mend what is said in each case.",
            "Reason: it must have at least 2 characters.",
        ),
    ),
    "or": (
        P.format("sh:or ([ sh:minLength 9 ] [ sh:class foaf:Agent ])"),
        ':x dct:title "a" .',
        (
            "El valor de «Título» no cumple ninguna de las alternativas (2).",
            "Haga que cumpla una de las alternativas.",
            "Motivo: debe tener al menos 9 caracteres; no es de la clase «Agente» (foaf:Agent).",
        ),
        (
            "«Izenburua» propietatearen balioak ez du aukeretako bat ere betetzen (2).",
            "Zuzendu, aukeretako bat bete dezan.",
            "Arrazoia: haren gutxieneko luzera 9 karakterekoa da; "
            "ez da «Agentea» (foaf:Agent) klasekoa.",
        ),
        (
            "The value of “Title” meets none of the alternatives (2).",
            "Make it meet one of the alternatives.",
            "Reason: it must have at least 9 characters; "
            "it is not of the class “Agent” (foaf:Agent).",
        ),
    ),
    "xone": (
        P.format("sh:xone ([ sh:minLength 1 ] [ sh:maxLength 9 ] [ sh:minLength 5 ])"),
        ':x dct:title "a" .',
        (
            "El valor de «Título» debe cumplir exactamente una de las alternativas (3).",
            "Haga que cumpla una sola de las alternativas.",
            "Cumple 2 de las 3 alternativas.",
        ),
        (
            "«Izenburua» propietatearen balioak aukeretako bat bakarrik bete behar du (3).",
            "Zuzendu, aukeretako bat bakarrik bete dezan.",
            "3 aukeretatik 2 betetzen ditu.",
        ),
        (
            "The value of “Title” must meet exactly one of the alternatives (3).",
            "Make it meet just one of the alternatives.",
            "It meets 2 of the 3 alternatives.",
        ),
    ),
    "node": (
        P.format("sh:node [ sh:property [ sh:path foaf:name ; sh:minCount 1 ] ]"),
        ":x dct:title :y .",
        (
            "El valor de «Título» no cumple las condiciones que se le piden.",
            "Corrija lo que se indica en cada caso.",
            "Motivo: su «Nombre» necesita al menos 1 valor.",
        ),
        (
            "«Izenburua» propietatearen balioak ez ditu eskatzen zaizkion baldintzak betetzen.",
            "Zuzendu kasu bakoitzean adierazten dena.",
            "Arrazoia: haren «Izena» propietatearen gutxieneko balio kopurua 1 da.",
        ),
        (
            "The value of “Title” does not meet the conditions asked of it.",
            "Mend what is said in each case.",
            "Reason: its “Name” needs at least 1 value.",
        ),
    ),
    "qualifiedMinCount": (
        P.format("sh:qualifiedValueShape [ sh:class foaf:Agent ] ; sh:qualifiedMinCount 1"),
        ":x dct:title :y, :z .",
        (
            "«Título» no tiene bastantes valores que cumplan la condición: "
            "sh:class foaf:Agent (como mínimo 1).",
            "Añada a dct:title los valores que faltan.",
            "Valores en total: 2.",
        ),
        (
            "«Izenburua» propietateak ez du baldintza hau betetzen duen behar adina balio: "
            "sh:class foaf:Agent (gutxienez 1).",
            "Gehitu dct:title propietateari falta diren balioak.",
            "Balioak guztira: 2.",
        ),
        (
            "“Title” has too few values that meet the condition: sh:class foaf:Agent (at least 1).",
            "Add the missing values to dct:title.",
            "Values in all: 2.",
        ),
    ),
    "qualifiedMaxCount": (
        P.format('sh:qualifiedValueShape [ sh:hasValue "a" ] ; sh:qualifiedMaxCount 0'),
        ':x dct:title "a", "b" .',
        (
            "«Título» tiene demasiados valores que cumplen la condición: "
            'sh:hasValue "a" (como máximo 0).',
            "Quite los valores de dct:title que sobran.",
            "Valores en total: 2.",
        ),
        (
            "«Izenburua» propietateak baldintza hau betetzen duten balio gehiegi ditu: "
            'sh:hasValue "a" (gehienez 0).',
            "Kendu dct:title propietatearen soberako balioak.",
            "Balioak guztira: 2.",
        ),
        (
            '“Title” has too many values that meet the condition: sh:hasValue "a" (at most 0).',
            "Remove the surplus values of dct:title.",
            "Values in all: 2.",
        ),
    ),
    "closed": (
        "sh:closed true ; sh:ignoredProperties (rdf:type) ; sh:property [ sh:path dct:title ]",
        ':x dct:titel "a" .',
        (
            "«dct:titel» no se admite aquí.",
            "Quite dct:titel, o use una de las propiedades admitidas.",
            "¿Quería decir dct:title?",
        ),
        (
            "«dct:titel» propietatea ez da hemen onartzen.",
            "Kendu dct:titel, edo erabili onartutako propietateetako bat.",
            "dct:title esan nahi zenuen?",
        ),
        (
            "“dct:titel” is not allowed here.",
            "Remove dct:titel, or use one of the allowed properties.",
            "Did you mean dct:title?",
        ),
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SENTENCES)
def test_constraint_says_what_it_asks_how_to_mend_it_and_what_is_there(
    tmp_path: Path, name: str, language: str
) -> None:
    shape, data, *told = SENTENCES[name]
    problem = found(tmp_path, shape, data, language)
    expected = told[LANGUAGES.index(language)]
    assert (problem.message, problem.hint, problem.detail) == expected


def test_every_core_component_has_a_sentence() -> None:
    core = {name.rpartition("#")[2] for name in FACTORIES}
    # One parameter stands for two components, and one component has another parameter.
    names = {n[:1].upper() + n[1:].rstrip(">") for n in core} - {"QualifiedValueShape"}
    for name in (*names, "QualifiedMinCount", "QualifiedMaxCount"):
        assert wording.find(f"message.{name}", "es"), name


def test_resource_itself_is_called_so(tmp_path: Path) -> None:
    shape = "sh:nodeKind sh:BlankNode"
    assert found(tmp_path, shape, "").message == "Este recurso debe ser un nodo sin nombre."
    assert (
        found(tmp_path, shape, "", "eu").message
        == "Baliabide honek izenik gabeko nodo bat izan behar du."
    )
    assert (
        found(tmp_path, shape, "", "en").message == "This resource must be a node without a name."
    )


def test_long_pattern_is_not_shown(tmp_path: Path) -> None:
    problem = found(
        tmp_path, P.format(f'sh:pattern "^({"a|" * 60}b)$"'), ':x dct:title "z" .', "en"
    )
    assert problem.message == "The value of “Title” does not have the required form."
    assert problem.allowed is None


def test_property_is_called_by_the_shape_then_by_the_vocabulary_then_by_its_name(
    tmp_path: Path,
) -> None:
    named = P.format('sh:minCount 1 ; sh:name "rótulo"@es, "label"@en')
    assert found(tmp_path, named, "").label == "rótulo"
    assert found(tmp_path, named, "", "en").label == "label"
    assert found(tmp_path, P.format("sh:minCount 1"), "").label == "Título"
    other = found(tmp_path, "sh:property [ sh:path :p ; sh:minCount 1 ]", "")
    assert (other.label, other.message) == (
        None,
        "«http://example.org/p» necesita al menos 1 valor.",
    )
    inverse = "sh:property [ sh:path [ sh:inversePath dct:hasPart ] ; sh:minCount 1 ]"
    assert found(tmp_path, inverse, "").message == "«^dct:hasPart» necesita al menos 1 valor."


def test_named_shape_stands_for_its_conditions(tmp_path: Path) -> None:
    shape = 'sh:node :N . :N sh:name "Contacto"@es, "Contact"@en ; sh:nodeKind sh:BlankNode'
    problem = found(tmp_path, shape, "", "en")
    assert problem.message == "This resource does not meet the conditions of “Contact”."
    assert problem.detail == "Reason: it must be a node without a name."


def test_words_of_nested_shapes_are_their_own(tmp_path: Path) -> None:
    nested = 'sh:property [ sh:path :q ; sh:minCount 1 ; sh:message "Falta la cosa."@es ]'
    assert found(tmp_path, f"sh:node [ {nested} ]", "").detail == "Motivo: Falta la cosa."


# ---- what is allowed, and what was probably meant


@pytest.mark.parametrize(
    "written",
    [
        '"diario"',
        '"Diario"@es',
        '"egunerokoa"',
        '"daily"',
        '"DAILY"',
        '"dialy"',
        f"<{EU}/frequency/daily>",
        "<https://publications.europa.eu/resource/authority/frequency/DAILY>",
        f"<{EU}/frequency/DAILY/>",
        f"<{EU}/frequency/DAYLY>",
        "<http://purl.org/cld/freq/daily>",
        f'"{EU}/frequency/DAILY"',
        '[ rdfs:label "Diario"@es ]',
    ],
)
def test_slip_finds_the_concept_that_was_meant(written: str) -> None:
    problem = of("accrualPeriodicity", f":d a dcat:Dataset ; dct:accrualPeriodicity {written} .")
    assert problem.nearest == f"{EU}/frequency/DAILY"
    assert f"{EU}/frequency/DAILY" in (problem.detail or "")


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("es", f"¿Quería decir {EU}/frequency/DAILY (diario)?"),
        ("eu", f"{EU}/frequency/DAILY (egunekoa) esan nahi zenuen?"),
        ("en", f"Did you mean {EU}/frequency/DAILY (daily)?"),
    ],
)
def test_question_names_the_concept_in_the_language(language: str, question: str) -> None:
    data = f":d a dcat:Dataset ; dct:accrualPeriodicity <{EU}/frequency/daily> ."
    assert of("accrualPeriodicity", data, language).detail == question


@pytest.mark.parametrize("written", ['"a veces"', "<http://example.org/1>", '"x"', "[]"])
def test_what_is_like_nothing_gets_no_suggestion(written: str) -> None:
    problem = of("accrualPeriodicity", f":d a dcat:Dataset ; dct:accrualPeriodicity {written} .")
    assert problem.nearest is None


def test_at_most_ten_values_are_listed() -> None:
    problem = of("accrualPeriodicity", ':d a dcat:Dataset ; dct:accrualPeriodicity "x" .')
    assert problem.allowed is not None
    assert len(problem.allowed) == 10
    assert all(value.startswith(f"{EU}/frequency/") for value in problem.allowed)


def test_language_code_finds_its_language() -> None:
    problem = of("language", ':d a dcat:Dataset ; dct:language "eu" .')
    assert problem.nearest == f"{EU}/language/EUS"


def test_class_over_a_table_is_a_choice_and_over_several_is_none() -> None:
    data = ':e a dcat:Distribution ; dct:license "CC BY 4.0" . :d a dcat:Dataset ; dcat:theme :t .'
    results = shacl.check(lines(data), DCAT_AP, partial=True).results
    by_path = {
        p.path.rpartition("/")[2]: p
        for p in results
        if p.path and p.component == "ClassConstraintComponent"
    }
    licence, theme = by_path["license"], by_path["dcat#theme"]
    assert licence.nearest == f"{EU}/licence/CC_BY_4_0"
    assert licence.allowed is not None
    assert licence.allowed[0].startswith(f"{EU}/licence/")
    assert theme.allowed == ("skos:Concept",)


def test_table_of_a_shape_beside_helps_where_a_class_alone_does_not() -> None:
    data = lines(':d a dcat:Dataset ; dcat:theme "Transporte" .')
    results = shacl.check(data, DCAT_AP, partial=True).results
    themes = [p.nearest for p in results if p.path and p.path.endswith("theme") and p.value]
    assert set(themes) == {f"{EU}/data-theme/TRAN"}


@pytest.mark.parametrize(
    ("written", "iri"),
    [
        ('"http://example.org/x"', "http://example.org/x"),
        ('" https://example.org/x "', "https://example.org/x"),
        ('"www.bilbao.eus"', "http://www.bilbao.eus"),
        ('"mailto:datos@bilbao.eus"', "mailto:datos@bilbao.eus"),
    ],
)
def test_text_that_is_an_iri_is_said_to_be_a_text(tmp_path: Path, written: str, iri: str) -> None:
    problem = found(tmp_path, P.format("sh:nodeKind sh:IRI"), f":x dct:title {written} .", "en")
    assert problem.nearest == iri
    assert problem.detail == f"It is a text, not an IRI: write <{iri}>"


@pytest.mark.parametrize("written", ['"no es una IRI"', '"nota: algo"', '"http://a b"'])
def test_text_that_is_no_iri_gets_none(tmp_path: Path, written: str) -> None:
    problem = found(tmp_path, P.format("sh:nodeKind sh:IRI"), f":x dct:title {written} .", "en")
    assert (problem.nearest, problem.detail) == (None, "It is a text, not an IRI.")


@pytest.mark.parametrize(
    ("due", "written", "nearest"),
    [
        ("xsd:nonNegativeInteger", "1000", '"1000"^^xsd:nonNegativeInteger'),
        ("xsd:date", '"2026-01-31"', '"2026-01-31"^^xsd:date'),
        ("xsd:date", '"31/01/2026"', '"2026-01-31"^^xsd:date'),
        ("xsd:boolean", '"True"^^xsd:boolean', '"true"^^xsd:boolean'),
        ("xsd:string", '"hola"@es', '"hola"'),
        ("xsd:date", '"31/02/2026"', None),
        ("xsd:date", '"pronto"', None),
        ("xsd:date", "<http://example.org/x>", None),
        ("rdf:langString", '"hola"', None),
    ],
)
def test_text_of_another_type_is_written_with_the_one_that_is_due(
    tmp_path: Path, due: str, written: str, nearest: str | None
) -> None:
    problem = found(tmp_path, P.format(f"sh:datatype {due}"), f":x dct:title {written} .")
    assert problem.nearest == nearest


def test_alternatives_of_types_are_one_reason() -> None:
    problem = of("issued", ':d a dcat:Dataset ; dct:issued "2026" .', "en")
    assert problem.nearest == '"2026"^^xsd:gYear'
    assert problem.allowed == ("xsd:date", "xsd:dateTime", "xsd:gYearMonth", "xsd:gYear")
    assert problem.detail == (
        "Reason: it is not written as a date (xsd:date), a date and time (xsd:dateTime), "
        "a year and month (xsd:gYearMonth) or a year (xsd:gYear). "
        'Did you mean "2026"^^xsd:gYear?'
    )


def test_value_that_nearly_fits_a_pattern_of_ours_is_mended() -> None:
    iana = "http://www.iana.org/assignments/media-types/text/csv"
    problem = of("mediaType", f":e a dcat:Distribution ; dcat:mediaType <{iana}/> .")
    assert problem.nearest == iana


def test_patterns_of_others_are_not_tried(tmp_path: Path) -> None:
    problem = found(
        tmp_path, P.format('sh:pattern "^https:"'), ":x dct:title <http://a.example/> ."
    )
    assert problem.nearest is None


@pytest.mark.parametrize(
    ("constraint", "value", "allowed"),
    [
        ('sh:in ("a" "b")', '"c"', ("a", "b")),
        ("sh:in (:a :b)", ":c", ("http://example.org/a", "http://example.org/b")),
        ('sh:hasValue "a"', '"c"', ("a",)),
        ("sh:datatype xsd:date", '"c"', ("xsd:date",)),
        ("sh:nodeKind sh:IRI", '"c"', ("an IRI",)),
        ('sh:pattern "^a"', '"c"', ("^a",)),
        ('sh:languageIn ("es" "eu")', '"c"', ("es", "eu")),
        ("sh:minInclusive 5", "3", (">= 5",)),
        ("sh:class foaf:Agent", ":c", ("foaf:Agent",)),
        (
            "sh:or ([ sh:datatype xsd:date ] [ sh:in (:a) ])",
            '"c"',
            ("http://example.org/a", "xsd:date"),
        ),
        ("sh:node [ sh:in (:a) ; sh:nodeKind sh:IRI ]", '"c"', ("http://example.org/a",)),
        ("sh:minCount 3", '"c"', None),
    ],
)
def test_finding_says_what_is_allowed(
    tmp_path: Path, constraint: str, value: str, allowed: tuple[str, ...] | None
) -> None:
    assert found(tmp_path, P.format(constraint), f":x dct:title {value} .", "en").allowed == allowed


# ---- queries


def test_query_without_a_message_names_its_rule(tmp_path: Path) -> None:
    finding = shacl.Finding(
        focus="<http://example.org/x>",
        component="<http://www.w3.org/ns/shacl#SPARQLConstraintComponent>",
        severity="<http://www.w3.org/ns/shacl#Violation>",
        shape="<http://example.org/S>",
    )
    shapes = profile(tmp_path, ':S a sh:NodeShape ; rdfs:label "Sin duplicados"@es .')
    prepared = prepare(shapes)
    told = {lang: rules.Rules(prepared, lang).of(finding).message for lang in LANGUAGES}
    assert told == {
        "es": "Este recurso no cumple la regla «Sin duplicados».",
        "eu": "Baliabide honek ez du «Sin duplicados» araua betetzen.",
        "en": "This resource does not meet the rule “Sin duplicados”.",
    }


# ---- who


def test_owner_is_told_beside_the_steward() -> None:
    data = """:d a dcat:Dataset ; prov:qualifiedAttribution [ prov:agent :u ;
        dcat:hadRole <http://x.example/roles/owner> ] . :u foaf:name "Hacienda"@es ."""
    results = shacl.check(lines(data), DCAT_AP).results
    owners = {(p.steward, p.owner) for p in results if p.focus == "http://example.org/d"}
    assert owners == {(None, "Hacienda")}


# ---- no work without findings


def test_nothing_is_explained_where_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("made for data without findings")

    monkeypatch.setattr(vocabulary, "Index", fail)
    monkeypatch.setattr(rules.Rules, "_rule", fail)
    assert shacl.check(lines(":x a :Other ."), DCAT_AP, partial=True).conforms


def test_index_of_a_table_is_made_once_a_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    class Counted(Index):
        def __init__(self, names: dict[str, Iterable[str]]) -> None:
            made.append(1)
            super().__init__(names)

    monkeypatch.setattr(vocabulary, "Index", Counted)
    shapes = profile(
        tmp_path, f":S a sh:NodeShape ; sh:targetClass :C ; {P.format('sh:in (:ab1 :ab2)')} ."
    )
    data = lines("".join(f':x{n} a :C ; dct:title "{n}" .' for n in range(50)))
    for language in ("es", "en"):
        assert len(shacl.check(data, shapes, language=language).results) == 50
    assert made == [1]


@pytest.mark.parametrize("text", ["www." + "." * 200_000, "a" * 200_000, "a-" * 1000])
def test_long_texts_are_explained_without_a_search(tmp_path: Path, text: str) -> None:
    shape = P.format("sh:in (:alpha :beta)")
    problem = found(tmp_path, shape, f':x dct:title "{text}" .', "en")
    assert (problem.nearest, problem.detail) == (None, "It is a text, not an IRI.")


# ---- the index by itself

NAMES = {
    "<http://a.example/t/DAILY>": ["DAILY", "diario", "every day"],
    "<http://a.example/t/WEEKLY>": ["WEEKLY", "semanal"],
    "<http://a.example/t/CSV>": ["CSV"],
    "<http://a.example/t/TSV>": ["TSV"],
    "<http://a.example/t/X1>": ["twin"],
    "<http://a.example/t/X2>": ["twin"],
}


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("daily", "DAILY"),
        ("Every_Day", "DAILY"),
        ("daly", "DAILY"),
        ("semnaal", "WEEKLY"),
        ("cvs", "CSV"),
        ("https://www.a.example/T/daily#", "DAILY"),
        ("http://a.example/t/DAILLY", "DAILY"),
        ("http://b.example/daily", "DAILY"),
        ("http://b.example/dailly", None),
        ("svt", None),
        ("csx", None),
        ("twin", None),
        ("", None),
        ("///", None),
    ],
)
def test_index_finds_names_a_slip_or_two_away(text: str, term: str | None) -> None:
    assert Index(NAMES).find(text) == (term and f"<http://a.example/t/{term}>")


# ---- two engines


def test_both_engines_agree_on_the_bundled_profile() -> None:
    data = lines(':d a dcat:Dataset ; dct:accrualPeriodicity "diaria" ; dcat:theme [] .')
    report = shacl.check(data, DCAT_AP, engine="both")
    assert (report.engine, report.differences) == ("both", ())
    assert report.results == shacl.check(data, DCAT_AP).results


def test_what_only_one_engine_finds_is_a_difference(tmp_path: Path) -> None:
    shapes = profile(
        tmp_path,
        ":S a sh:NodeShape ; sh:targetClass :C ; "
        "sh:property [ sh:path dct:issued ; sh:datatype xsd:gYear ; sh:severity sh:Warning ] .",
    )
    report = shacl.check(
        lines(':x a :C ; dct:issued "zz"^^xsd:gYear, "yy"^^xsd:gYear .'), shapes, engine="both"
    )
    assert report.differences is not None
    (difference,) = report.differences
    assert (difference.engine, difference.focus) == ("fast", "http://example.org/x")
    assert difference.path == "http://purl.org/dc/terms/issued"
    assert (difference.component, difference.severity, difference.count) == (
        "DatatypeConstraintComponent",
        "warning",
        2,
    )


def test_one_engine_alone_has_no_differences_and_both_is_listed() -> None:
    assert shacl.check([], DCAT_AP, partial=True).differences is None
    with pytest.raises(BadInput) as caught:
        shacl.check([], DCAT_AP, engine="all")
    assert caught.value.hint == "engines: both, fast, pyshacl"


# ---- the texts


def test_every_text_is_there_in_every_language_with_the_same_places() -> None:
    cases = {"p": "p", "q": "p", "g": "p", "v": "v", "w": "v", "z": "v"}
    for key, texts in wording._findings().items():
        assert set(texts) == set(LANGUAGES), key
        named = {
            language: {n for _, n, _, _ in Formatter().parse(text) if n is not None}
            for language, text in texts.items()
        }
        subjects = {lang: {cases[n] for n in names if n in cases} for lang, names in named.items()}
        rest = {lang: names - set(cases) for lang, names in named.items()}
        if key.startswith("message."):
            assert all(len(found) <= 1 for found in subjects.values()), key
            # A number may stand with its noun or alone.
            rest = {lang: {re.sub("^n$", "x", n) for n in names} for lang, names in rest.items()}
        assert rest["es"] == rest["eu"] == rest["en"] or key.startswith(
            ("subject", "value", "resource")
        ), key
