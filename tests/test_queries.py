"""Saved queries: the header, the binding of parameters, and every bundled query on the demo."""

from __future__ import annotations

from pathlib import Path

import demo_release
import pyoxigraph as ox
import pytest

from bilbaokg import queries, settings
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.model import Query
from bilbaokg.release import Releases
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import PREFIXES

DATASET = "https://bilbaokg.example/id/dataset/bilbobus-gtfs"
NAMES = [query.name for query in queries.available()]
# The demo is in order here: these queries are for catalogues that are not.
MAY_BE_EMPTY = {
    "examples/texts-without-basque", "examples/datasets-without-licence",
    "examples/lineage-circles", "examples/lineage-dead-ends", "examples/runs-failed",
}  # fmt: skip


def query(text: str) -> Query:
    return queries.parse("test", text)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedStore:
    data = demo_release.made(tmp_path_factory)
    release = Releases(data, settings.read(data, {})).current()
    assert release
    return EmbeddedStore.read_only(release.path / "store")


# ---- the header


def test_header_names_title_description_and_parameters() -> None:
    head = queries.header(
        "# title@es: Uno\n# title@en: One\n# description@es: Cosas.\n"
        "# param theme: iri\n# param since: date optional\n# param limit: integer = 10\n\nASK {}"
    )
    assert head.title == {"es": "Uno", "en": "One"}
    assert head.description == {"es": "Cosas."}
    assert head.params == {
        "theme": queries.Param("iri"),
        "since": queries.Param("date", optional=True),
        "limit": queries.Param("integer", default="10"),
    }


def test_header_ends_at_the_first_line_that_is_no_comment() -> None:
    assert queries.header("ASK {}\n# param late: iri").params == {}


def test_parameter_of_unknown_type_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match="colour") as caught:
        queries.header("# param x: colour")
    assert "iri" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SELECT * {}", "select"),
        ("PREFIX select: <http://a/ask> construct {} WHERE {}", "construct"),
        ("# ask\nDESCRIBE <http://a/select>", "describe"),
        ("ask {}", "ask"),
    ],
)
def test_kind_is_the_first_keyword_outside_names_and_comments(text: str, kind: str) -> None:
    assert query(text.replace("PREFIX select:", "PREFIX s:")).kind == kind


def test_text_without_a_query_form_is_refused() -> None:
    with pytest.raises(BadInput, match="SELECT"):
        query("# nothing\nINSERT DATA {}")


# ---- loading


@pytest.mark.parametrize("name", ["../settings", "examples/../../x", "/etc/passwd", "a b", "", "X"])
def test_load_refuses_names_that_are_no_plain_path(name: str) -> None:
    with pytest.raises(NotFound):
        queries.load(name)


def test_load_of_an_unknown_name_says_the_nearest() -> None:
    with pytest.raises(NotFound) as caught:
        queries.load("examples/high-value-dataset")
    assert "examples/high-value-datasets" in str(caught.value.hint)


def test_available_lists_a_folder_by_name() -> None:
    examples = [q.name for q in queries.available("examples")]
    assert len(examples) >= 12
    assert examples == sorted(examples)
    assert all(name.startswith("examples/") for name in examples)
    assert queries.available("../src") == []


# ---- binding


@pytest.mark.parametrize(
    ("type_", "value", "term"),
    [
        ("iri", "http://a.example/ñ", "<http://a.example/ñ>"),
        ("string", 'a "b" \\ c\n', '"a \\"b\\" \\\\ c\\n"'),
        ("lang", "EU", '"eu"'),
        ("integer", "-7", "-7"),
        ("date", "2026-01-31", '"2026-01-31"^^<http://www.w3.org/2001/XMLSchema#date>'),
        ("boolean", "true", "true"),
    ],
)
def test_bind_serialises_a_value_by_its_type(type_: str, value: str, term: str) -> None:
    text = queries.bind(query(f"# param x: {type_}\nSELECT * {{ ?s ?p ?x }}"), x=value)
    assert text.endswith(f"{{ ?s ?p {term} }}")


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("iri", "http://a.example/> } ; DROP ALL #"),
        ("iri", "relative"),
        ("lang", "es)"),
        ("integer", "1 OFFSET 5"),
        ("integer", "9" * 30),
        ("date", "2026-13-01"),
        ("boolean", "yes"),
        ("string", "\ud800"),
    ],
)
def test_bind_refuses_ill_typed_values_naming_the_parameter(type_: str, value: str) -> None:
    with pytest.raises(BadInput, match="x = ") as caught:
        queries.bind(query(f"# param x: {type_}\nSELECT * {{ ?s ?p ?x }}"), x=value)
    assert caught.value.hint
    str(caught.value).encode()


def test_bind_leaves_strings_iris_comments_and_longer_names_alone() -> None:
    text = (
        "# param x: string\nSELECT * { ?s ?p \"?x\", '''?x''' ; <http://a/?x> ?xy . } # ?x\n"
        "VALUES ?y { $x }"
    )
    bound = queries.bind(query(text), x="v")
    assert bound == text.replace("$x", '"v"')


def test_bind_names_missing_and_unknown_parameters() -> None:
    wanted = query("# param theme: iri\nSELECT * { ?s ?p ?theme }")
    with pytest.raises(BadInput, match="needs the parameter 'theme'"):
        queries.bind(wanted)
    with pytest.raises(BadInput, match="no parameter 'topic'") as caught:
        queries.bind(wanted, topic="x")
    assert "theme" in str(caught.value.hint)


def test_bind_takes_defaults_and_leaves_optional_parameters_free() -> None:
    text = queries.bind(
        query("# param n: integer = 3\n# param s: iri optional\nSELECT ?s { } LIMIT ?n")
    )
    assert text.endswith("SELECT ?s { } LIMIT 3")


# ---- what is bundled


@pytest.mark.parametrize("name", NAMES)
def test_bundled_query_says_what_it_is_for_in_three_languages(name: str) -> None:
    head = queries.header(queries.load(name).text)
    assert head.title.keys() == {"es", "eu", "en"}
    assert head.description.keys() == {"es", "eu", "en"}


@pytest.mark.parametrize("name", NAMES)
def test_bundled_query_runs_on_the_demo(name: str, store: EmbeddedStore) -> None:
    found = queries.load(name)
    given = {
        param: DATASET
        for param, spec in queries.header(found.text).params.items()
        if spec.type == "iri" and not spec.optional and spec.default is None
    }
    rows = list(store.query(queries.bind(found, **given)))
    assert rows or name in MAY_BE_EMPTY


VALUES = {
    "iri": DATASET, "string": "a", "lang": "eu", "integer": "3", "date": "2026-01-01",
    "boolean": "true",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_bundled_query_runs_with_a_value_for_each_of_its_parameters(
    name: str, store: EmbeddedStore
) -> None:
    found = queries.load(name)
    given = {param: VALUES[spec.type] for param, spec in queries.header(found.text).params.items()}
    assert list(store.query(queries.bind(found, **given))) is not None


@pytest.mark.parametrize("name", NAMES)
def test_bundled_query_declares_every_prefix_and_parameter_it_uses(name: str) -> None:
    found = queries.load(name)
    body = "\n".join(line for line in found.text.splitlines() if not line.startswith("#"))
    for param in found.params:
        assert f"?{param}" in body
    for line in body.splitlines():
        if line.startswith("PREFIX "):
            prefix = line.split()[1]
            assert body.count(prefix) > 1, f"{prefix} is declared and not used"


def test_data_folder_holds_only_queries() -> None:
    from bilbaokg import assets

    files = [p for p in assets.folder("queries").rglob("*") if p.is_file()]
    assert {p.suffix for p in files if p.name != ".gitkeep"} == {".rq"}
    assert {Path(q.name).parts[0] for q in queries.available()} >= {"examples", "pages"}


# ---- what each finds when something is so, and not when it is not

SEED = "http://seed.example/"
SEED_PREFIXES = (
    f"@prefix : <{SEED}> . "
    + " ".join(
        f"@prefix {prefix}: <{PREFIXES[prefix]}> ."
        for prefix in (
            "adms",
            "csvw",
            "dcat",
            "dcatap",
            "dct",
            "earl",
            "foaf",
            "prov",
            "skos",
            "vcard",
            "xsd",
        )
    )
    + " @prefix schema: <https://schema.org/> . "
    + " @prefix right: <http://publications.europa.eu/resource/authority/access-right/> . "
)
HELD = "prov:qualifiedAttribution [ dcat:hadRole <urn:x/ns#{}> ; prov:agent :{} ]"
OWNED, KEPT = HELD.format("owner", "unit"), HELD.format("steward", "unit")
# Name -> what is said, and of its resources those that come in the answer.
SEEDED: dict[str, tuple[str, set[str]]] = {
    "classes-in-use": (":a a :Used . :b a :Used , :Other . :c :p :Unused .", {"Used", "Other"}),
    "data-not-open": (
        ":a a dcat:Dataset ; dct:title 'A'@es ; dct:accessRights right:PUBLIC . "
        ":b a dcat:Dataset ; dct:title 'B'@es ; dct:accessRights right:RESTRICTED .",
        {"b"},
    ),
    "datasets-by-theme": (
        ":a a dcat:Dataset ; dcat:theme :one . :b a dcat:Dataset ; dcat:theme :one , :two . "
        ":c a dcat:Dataset . :d dcat:theme :three .",
        {"one", "two"},
    ),
    "datasets-newest": (
        ":a a dcat:Dataset ; dct:title 'A'@es ; dct:creator :u ; "
        "dct:modified '2026-01-01'^^xsd:date . :u foaf:name 'U'@es . "
        ":b a dcat:Dataset ; dct:title 'B'@es ; dct:creator :u . "
        ":c a dcat:Dataset ; dct:title 'C'@eu ; dct:creator :u ; "
        "dct:modified '2026-01-01'^^xsd:date .",
        {"a"},
    ),
    "datasets-of-a-theme": (
        ":a a dcat:Dataset ; dct:title 'A'@es ; dcat:theme :wanted ; "
        "dct:modified '2026-01-01'^^xsd:date . "
        ":b a dcat:Dataset ; dct:title 'B'@es ; dcat:theme :other ; "
        "dct:modified '2026-01-01'^^xsd:date .",
        {"a"},
    ),
    "datasets-overdue": (
        ":a a dcat:Dataset ; dct:title 'A'@es ; dct:accrualPeriodicity <urn:f/DAILY> ; "
        "dct:modified '2026-06-29'^^xsd:date . "
        ":b a dcat:Dataset ; dct:title 'B'@es ; dct:accrualPeriodicity <urn:f/DAILY> ; "
        "dct:modified '2026-06-30'^^xsd:date . "
        ":c a dcat:Dataset ; dct:title 'C'@es ; dct:accrualPeriodicity <urn:f/NEVER> ; "
        "dct:modified '2020-01-01'^^xsd:date .",
        {"a"},
    ),
    "datasets-without-licence": (
        ":a a dcat:Dataset ; dct:title 'A'@es ; dcat:distribution :a1 , :a2 . "
        ":a1 dct:license :l . :b a dcat:Dataset ; dct:title 'B'@es ; dcat:distribution :b1 . "
        ":b1 dct:license :l .",
        {"a", "a2"},
    ),
    "datasets-without-owner": (
        f":a a dcat:Dataset ; dct:title 'A'@es ; dct:publisher :p ; {KEPT} . "
        f":b a dcat:Dataset ; dct:title 'B'@es ; dct:publisher :p ; {OWNED} .",
        {"a", "p"},
    ),
    "datasets-without-steward": (
        f":a a dcat:Dataset ; dct:title 'A'@es ; dct:creator :p ; {OWNED} . "
        f":b a dcat:Dataset ; dct:title 'B'@es ; dct:creator :p ; {KEPT} .",
        {"a", "p"},
    ),
    "downstream": (
        ":near a dcat:Dataset ; prov:wasDerivedFrom :wanted . "
        ":far a dcat:Dataset ; prov:wasDerivedFrom :near . "
        ":wanted a dcat:Dataset ; prov:wasDerivedFrom :before . :before a dcat:Dataset .",
        {"near", "far"},
    ),
    "formats-in-use": (
        ":a a dcat:Dataset ; dcat:distribution :a1 . :a1 dct:format :csv . :lost dct:format :xml .",
        {"csv"},
    ),
    "high-value-datasets": (
        ":a a dcat:Dataset ; dct:title 'A'@es ; dcatap:hvdCategory :c . "
        ":b a dcat:Dataset ; dct:title 'B'@es .",
        {"a", "c"},
    ),
    "lineage-circles": (
        ":a prov:wasDerivedFrom :b . :b prov:wasDerivedFrom :a , :c . :d prov:wasDerivedFrom :a .",
        {"a", "b"},
    ),
    "lineage-dead-ends": (
        ":dead a csvw:Table ; prov:wasDerivedFrom :raw . :raw a csvw:Table . "
        ":read a csvw:Table ; prov:wasDerivedFrom :raw . :j schema:object :read . "
        ":part a csvw:Table ; prov:wasDerivedFrom :raw ; dct:isPartOf :d .",
        {"dead"},
    ),
    "lineage-ends": (
        ":leaf prov:wasDerivedFrom :middle . :middle prov:wasDerivedFrom :root . :lone a :Thing .",
        {"leaf", "root"},
    ),
    "lineage-of-each-unit": (
        ":a a dcat:Dataset ; dct:creator :unit . :t dct:isPartOf :a ; prov:wasDerivedFrom :raw . "
        ":b dct:creator :other .",
        {"unit"},
    ),
    "load-of-each-unit": (
        f":a a dcat:Dataset ; {OWNED} . :b a dcat:Dataset ; dct:creator :other . "
        f":t a csvw:Table ; {HELD.format('owner', 'third')} .",
        {"unit"},
    ),
    "principles-failed": (
        ":x a earl:Assertion ; earl:subject :a ; earl:test :p ; "
        "dct:date '2026-01-01'^^xsd:date ; earl:result [ earl:outcome earl:failed ] . "
        ":y a earl:Assertion ; earl:subject :b ; earl:test :q ; "
        "dct:date '2026-01-01'^^xsd:date ; earl:result [ earl:outcome earl:passed ] .",
        {"a", "p"},
    ),
    "runs-failed": (
        ":r schema:actionStatus schema:FailedActionStatus ; "
        "prov:endedAtTime '2026-01-02T00:00:00Z'^^xsd:dateTime ; prov:generated :t ; "
        "prov:qualifiedAssociation [ prov:hadPlan :j ] . :u prov:wasDerivedFrom :t . "
        ":mended schema:actionStatus schema:FailedActionStatus ; prov:generated :x ; "
        "prov:endedAtTime '2026-01-02T00:00:00Z'^^xsd:dateTime ; "
        "prov:qualifiedAssociation [ prov:hadPlan :k ] . "
        ":good schema:actionStatus schema:CompletedActionStatus ; "
        "prov:endedAtTime '2026-01-03T00:00:00Z'^^xsd:dateTime ; "
        "prov:qualifiedAssociation [ prov:hadPlan :k ] .",
        {"r", "j", "t", "u"},
    ),
    "terms-never-used": (
        ":a a skos:Concept ; skos:prefLabel 'A'@es ; skos:inScheme :s . "
        ":b a skos:Concept ; skos:prefLabel 'B'@es ; skos:inScheme :s . "
        ":d a dcat:Dataset ; dcat:theme :b .",
        {"a", "s"},
    ),
    "texts-without-basque": (
        ":a a dcat:Dataset ; dct:title 'A'@es . :b a dcat:Dataset ; dct:title 'B'@es , 'B'@eu . "
        ":c a dcat:Dataset ; dct:title 'C'@eu .",
        {"a"},
    ),
    "upstream": (
        ":wanted prov:wasDerivedFrom :near . :near a dcat:Dataset ; prov:wasDerivedFrom :far . "
        ":far a dcat:Dataset . :after a dcat:Dataset ; prov:wasDerivedFrom :wanted .",
        {"near", "far"},
    ),
    "who-answers-for-what": (
        f":a a dcat:Dataset ; dct:title 'A'@es ; {OWNED} . "
        ":b a dcat:Dataset ; dct:title 'B'@es ; dct:creator :other .",
        {"a", "unit"},
    ),
    "upstream-of-a-column": (
        ":c a csvw:Column ; csvw:name 'c' ; dct:isPartOf :t ; prov:wasDerivedFrom :d . "
        ":d a csvw:Column ; csvw:name 'd' ; dct:isPartOf :u ; prov:wasDerivedFrom :e . "
        ":e a csvw:Column ; csvw:name 'e' ; dct:isPartOf :u . :x prov:wasDerivedFrom :e .",
        {"c", "d", "e", "u"},
    ),
    "owners-to-agree": (
        ":b a dcat:Dataset ; prov:wasDerivedFrom :a ; prov:qualifiedAttribution "
        "[ dcat:hadRole <urn:x/ns#owner> ; prov:agent :unit ] , "
        "[ dcat:hadRole <urn:x/ns#steward> ; prov:agent :other ] .",
        {"a", "unit", "b"},
    ),
    "datasets-changed-since": (
        ":new a dcat:Dataset ; dct:title 'N'@es ; dct:modified '2026-01-01'^^xsd:date . "
        ":late a dcat:Dataset ; dct:title 'L'@es ; "
        "dct:modified '2026-05-01T10:00:00'^^xsd:dateTime . "
        ":old a dcat:Dataset ; dct:title 'O'@es ; dct:modified '2025-12-31'^^xsd:date .",
        {"new", "late"},
    ),
    "contact-of-each-dataset": (
        ":a a dcat:Dataset ; dct:title 'A'@es ; dcat:contactPoint [ vcard:fn 'Buzón'@es ] . "
        ":b a dcat:Dataset ; dct:title 'B'@es .",
        {"a"},
    ),
    "coverage-of-each-unit": (
        ":a a dcat:Dataset ; dct:creator :unit ; prov:qualifiedAttribution [ dcat:hadRole "
        "<urn:x/ns#owner> ; adms:status <urn:x#active> ; prov:agent :p ] .",
        {"unit"},
    ),
    "lineage-between": (
        ":m prov:wasDerivedFrom :wanted . :n prov:wasDerivedFrom :m . :m prov:wasDerivedFrom :x .",
        {"wanted", "m", "n"},
    ),
    "licences-along-lineage": (
        ":a a dcat:Dataset ; prov:wasDerivedFrom :b , :c ; "
        "dcat:distribution [ dct:license :one ] . "
        ":b dcat:distribution [ dct:license :two ] . :c dcat:distribution [ dct:license :one ] .",
        {"a", "one", "b", "two"},
    ),
    "restricted-sources-of-public-data": (
        ":a a dcat:Dataset ; dct:title 'A'@es ; dct:accessRights right:PUBLIC ; "
        "prov:wasDerivedFrom :b . :b prov:wasDerivedFrom :c ; dct:accessRights right:PUBLIC . "
        ":c dct:accessRights :closed .",
        {"a", "c", "closed"},
    ),
    "services-and-their-data": (
        ":s a dcat:DataService ; dct:title 'S'@es ; dcat:endpointURL :e ; dcat:servesDataset :a . "
        ":t a dcat:DataService ; dct:title 'T'@es ; dcat:endpointURL :e .",
        {"s", "e", "a"},
    ),
}


def test_every_saved_query_is_held_against_what_is_known() -> None:
    assert {query.name.removeprefix("examples/") for query in queries.available("examples")} == {
        *SEEDED
    }


@pytest.mark.parametrize("name", SEEDED)
def test_query_finds_what_is_so_and_nothing_else(name: str) -> None:
    seeded, expected = SEEDED[name]
    store = ox.Store()
    store.load(f"{SEED_PREFIXES}{seeded}".encode(), ox.RdfFormat.TURTLE)
    query = queries.load(f"examples/{name}")
    params = queries.header(query.text).params
    asked = {"theme", "resource"} & params.keys() if "wanted" in seeded else set()
    rows = store.query(queries.bind(query, **dict.fromkeys(asked, f"{SEED}wanted")))
    found = {str(term) for row in rows for term in row if str(term).startswith(f"<{SEED}")}
    assert {iri[len(SEED) + 1 : -1] for iri in found} == expected
