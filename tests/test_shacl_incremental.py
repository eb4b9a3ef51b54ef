"""Incremental validation: the same report as a validation of everything, for less work."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import BASE, Catalogue
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from test_shacl import lines as shape_lines

from bilbaokg import profiles, shacl
from bilbaokg.holdings import Around, Holdings
from bilbaokg.merging import Change, Head, Plan
from bilbaokg.model import Report
from bilbaokg.records import Records
from bilbaokg.settings import Settings
from bilbaokg.shacl import evaluation
from bilbaokg.shacl.context import Context
from bilbaokg.shacl.explaining import Explainer
from bilbaokg.shacl.graph import Graph, Layers
from bilbaokg.shacl.incremental import Revalidation
from bilbaokg.shacl.prepared import Prepared
from bilbaokg.shacl.report import problems
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.shacl.texts import Texts
from bilbaokg.shacl.verdicts import Kept
from bilbaokg.shacl.watching import Watched
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import split_line, split_lines
from bilbaokg.workers import Pool

E = "http://example.org/"
PROFILE = profiles.load("dcat-ap/3.0.1")
TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
SUBCLASS = "<http://www.w3.org/2000/01/rdf-schema#subClassOf>"

SHAPES = """
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:DatasetShape a sh:NodeShape ; sh:targetClass dcat:Dataset ;
    sh:property [ sh:path dct:title ; sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:string ] ,
        [ sh:path dct:publisher ; sh:class foaf:Agent ; sh:node :AgentShape ; sh:minCount 1 ] ,
        [ sh:path dcat:theme ; sh:class skos:Concept ;
            sh:qualifiedValueShape [ sh:class :Main ] ; sh:qualifiedMinCount 1 ] ,
        [ sh:path ( dcat:distribution dct:format ) ; sh:in ( :CSV :XML ) ] ,
        [ sh:path [ sh:inversePath dcat:dataset ] ; sh:maxCount 1 ; sh:class dcat:Catalog ] ,
        [ sh:path dcat:distribution ; sh:or ( [ sh:class dcat:Distribution ]
            [ sh:property [ sh:path dct:title ; sh:minCount 1 ] ] ) ; sh:node :ClosedShape ] ,
        [ sh:path ( dcat:inSeries dct:title ) ; sh:maxCount 1 ; sh:equals dct:title ] .
:AgentShape a sh:NodeShape ; sh:targetObjectsOf dct:publisher ;
    sh:property [ sh:path foaf:name ; sh:minCount 1 ; sh:languageIn ( "es" "eu" ) ] ,
        [ sh:path foaf:based_near ; sh:not [ sh:class dcat:Dataset ] ] .
:SeriesShape a sh:NodeShape ; sh:targetClass dcat:DatasetSeries ;
    sh:property [ sh:path [ sh:inversePath dcat:inSeries ] ; sh:minCount 1 ;
        sh:class dcat:Dataset ; sh:node [ sh:property [ sh:path dct:title ; sh:maxCount 1 ] ] ] ,
        [ sh:path ( [ sh:zeroOrMorePath dcat:prev ] dct:title ) ; sh:minCount 1 ] .
:ClosedShape a sh:NodeShape ; sh:targetClass dcat:Distribution ; sh:closed true ;
    sh:ignoredProperties ( rdf:type dct:title ) ;
    sh:property [ sh:path dct:format ; sh:minCount 1 ; sh:nodeKind sh:IRI ] .
:Named a sh:NodeShape ; sh:targetNode :x0, :c0 ; sh:targetSubjectsOf foaf:based_near ;
    sh:property [ sh:path [ sh:alternativePath ( dct:title foaf:name ) ] ; sh:minCount 1 ] .
"""
SPARQL = """
:Asks a sh:NodeShape ; sh:targetClass dcat:Dataset ; sh:property [ sh:path dct:publisher ;
    sh:node [ sh:sparql [ sh:message "{?other} as well" ; sh:select
        "SELECT $this ?other WHERE { ?other <http://xmlns.com/foaf/0.1/based_near> $this }" ] ] ] .
:Chosen a sh:NodeShape ; sh:property [ sh:path dct:title ; sh:minCount 1 ] ;
    sh:target [ a sh:SPARQLTarget ;
        sh:select "SELECT ?this WHERE { ?this <http://www.w3.org/ns/dcat#prev> ?any }" ] .
"""
BACKGROUND = """
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:Company rdfs:subClassOf foaf:Agent . :t0 a :Main ; skos:prefLabel "zero"@es . :Main rdfs:subClassOf
skos:Concept . :CSV skos:prefLabel "CSV" .
"""


DCAT, DCT, FOAF = (
    "http://www.w3.org/ns/dcat#",
    "http://purl.org/dc/terms/",
    "http://xmlns.com/foaf/0.1/",
)


def n_triples(table: str) -> list[str]:
    """Statements of words: subject, predicate, and its objects."""
    return shape_lines("\n".join(f"{line} ." for line in table.strip().splitlines()))


# A catalogue, each record with what belongs to it; d0 and d1 share much, x0 is in two records.
CATALOGUE = {
    "c": n_triples(""":c0 a dcat:Catalog ; dct:title "all" ; dcat:dataset :d0 , :d1"""),
    "d0": n_triples(
        """:d0 a dcat:Dataset ; dct:title "uno" ; dct:publisher :p0 ; dcat:theme :t0 , :t1
        :d0 dcat:distribution :x0 ; dcat:inSeries :s0
        :x0 a dcat:Distribution ; dct:format :CSV ; dct:title "file\"""".replace('\\"', '"')
    ),
    "d1": n_triples(
        """:d1 a dcat:Dataset ; dct:title "two" ; dct:publisher :p0 , :p1 ; dcat:theme :t1
        :d1 dcat:distribution :x0 , :x1 ; dcat:inSeries :s0
        :x0 dct:format :XML
        :x1 a dcat:Distribution ; dct:format "csv" """
    ),
    "p": n_triples(
        """:p0 a :Company ; foaf:name "uno"@es ; foaf:based_near :p1
        :p1 a foaf:Agent ; foaf:name "one"@en ; foaf:based_near :d0 """
    ),
    "s": n_triples(
        """:s0 a dcat:DatasetSeries ; dct:title "uno" ; dcat:prev :s1
        :s1 a dcat:DatasetSeries
        :t1 a :Main ; skos:prefLabel "one"@en """
    ),
}
# What may come: for each kind of node what can be said of it, right and wrong.
_SAYS = {
    "d0 d1 d2": """a dcat:Dataset|a :Other|dct:title "uno"|dct:title "two"@en|dct:publisher :p0
        |dct:publisher :p1|dct:publisher "csv"|dct:publisher :CSV|dcat:theme :t0|dcat:theme :t1
        |dcat:theme :d0|dcat:distribution :x0|dcat:distribution :x1|dcat:inSeries :s0
        |dcat:inSeries :s1|dcat:prev :d0""",
    "x0 x1": """a dcat:Distribution|a :Other|dct:format :CSV|dct:format "csv"|dct:format :none
        |dct:title "file"|foaf:name "file"|dct:publisher :p1""",
    "p0 p1": """a :Company|a foaf:Agent|a dcat:Dataset|foaf:name "uno"@es|foaf:name "one"@en
        |foaf:based_near :d0|foaf:based_near :p0|foaf:based_near :p1""",
    "s0 s1": """a dcat:DatasetSeries|a :Other|dct:title "uno"|dct:title "two"|dcat:prev :s0
        |dcat:prev :s1""",
    "c0 c1": """a dcat:Catalog|a :Other|dcat:dataset :d0|dcat:dataset :d1|dct:title "all\"""",
    "t1 CSV none": """a :Main|a skos:Concept|a foaf:Agent|skos:prefLabel "CSV"
        |foaf:name "csv"@eu""",
}
SENSIBLE = [
    line
    for nodes, says in _SAYS.items()
    for node in nodes.split()
    for said in says.split("|")
    for line in n_triples(f":{node} {said}")
]
STATEMENTS = st.sampled_from(SENSIBLE)
AXIOMS = st.sampled_from(
    [
        f"<{E}Other> {SUBCLASS} <{DCAT}Dataset> .",
        f"<{E}Other> {SUBCLASS} <{FOAF}Agent> .",
        f"<{DCAT}DatasetSeries> {SUBCLASS} <{DCAT}Dataset> .",
        f"<{E}Main> {SUBCLASS} <{E}Other> .",
    ]
)
IDS = st.sampled_from(sorted(CATALOGUE))
EDITS = st.one_of(
    *[st.tuples(st.just("remove"), IDS, st.integers(0, 99))] * 3,
    *[st.tuples(st.just("add"), IDS, STATEMENTS)] * 3,
    st.tuples(st.just("drop"), IDS, st.just("")),
    st.tuples(st.just("add"), IDS, AXIOMS),
)
Edit = tuple[str, str, str | int]

Said = dict[str, set[str]]


def texts(records: Said) -> Texts:
    made = ((id, "".join(f"{x}\n" for x in sorted(found))) for id, found in sorted(records.items()))
    return Texts((id, hashlib.sha256(t.encode()).hexdigest(), t) for id, t in made)


def edit(records: Said, step: Edit) -> None:
    what, id, statement = step
    if what == "drop":
        records.pop(id, None)
    elif isinstance(statement, str):
        records.setdefault(id, set()).add(statement)
    elif present := sorted(records.get(id, ())):
        records[id].discard(present[statement % len(present)])


class Validator:
    """Validates small records both ways."""

    def __init__(self, shapes: str, pool: Pool, folder: Path) -> None:
        self.prepared = Prepared(
            Shapes(shape_lines(shapes), {}), shape_lines(BACKGROUND), trusted=True
        )
        self.pool, self.folder = pool, folder
        self.work: list[tuple[int | None, int]] = []

    def incrementally(self, records: Said, **options: int) -> list[object]:
        again = Revalidation(
            self.prepared,
            "es",
            self.folder / "verdicts.db",
            frozenset([f"<{DCAT}Dataset>"]),
            lambda *told: self.work.append(told),
            **options,
        )
        with tempfile.TemporaryDirectory() as spool:
            found = again.run(texts(records), self.pool, Path(spool))
        return [problems(found.found), found.focus_nodes, found.heads]

    def wholly(self, records: Said) -> list[object]:
        """By the ordinary way, which shares nothing with the other but the evaluation."""
        data = Layers(Graph(texts(records).lines()), self.prepared.background)
        outcome = evaluation.in_process("fast", data, self.prepared, Context(data, "es"))
        explainer = Explainer(self.prepared, data, "es")
        found = problems((f, facts, explainer.explain(f)) for f, facts in outcome.findings)
        heads = sum(line.endswith(f" {TYPE} <{DCAT}Dataset> .") for line in texts(records).lines())
        return [found, outcome.focus_nodes, heads]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2) as made:
        yield made


@pytest.mark.parametrize("shapes", [SHAPES, SHAPES + SPARQL], ids=["core", "with queries"])
@limits(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    begin=st.lists(EDITS, max_size=5),
    edits=st.lists(st.lists(EDITS, min_size=1, max_size=2), min_size=1, max_size=8),
)
def test_incremental_and_full_reports_are_equal_after_random_edits(
    pool: Pool, shapes: str, begin: list[Edit], edits: list[list[Edit]]
) -> None:
    records = {id: set(found) for id, found in CATALOGUE.items()}
    for step in begin:
        edit(records, step)
    with tempfile.TemporaryDirectory() as folder:
        validator = Validator(shapes, pool, Path(folder))
        assert validator.incrementally(records) == validator.wholly(records)
        for steps in edits:
            for step in steps:
                edit(records, step)
            assert validator.incrementally(records) == validator.wholly(records)
            # What was written is what the next one reads.
            assert validator.incrementally(records) == validator.wholly(records)


# ---- what is looked at

TITLE = f"<{E}d0> <{DCT}title>"


def test_an_edit_of_a_title_looks_at_the_dataset_and_at_what_looks_at_titles(
    pool: Pool, tmp_path: Path
) -> None:
    records = {id: set(found) for id, found in CATALOGUE.items()}
    validator = Validator(SHAPES, pool, tmp_path)
    validator.incrementally(records)
    records["d0"] = {x.replace('"uno"', '"dos"') for x in records["d0"]}
    assert validator.incrementally(records) == validator.wholly(records)
    # d0, and its series, which asks for the titles of what is in it; the others stand.
    looked_at, standing = validator.work[-1]
    assert (looked_at, standing) == (2, validator.incrementally(records)[1] - 2)


@pytest.mark.parametrize("size", [10, 100])
def test_an_edit_looks_at_as_much_in_a_large_catalogue_as_in_a_small_one(
    pool: Pool, tmp_path: Path, size: int
) -> None:
    said = ["a dcat:Dataset", 'dct:title "uno"', "dct:publisher :p0", "dcat:theme :t1"]
    records = {f"e{n}": set(n_triples("\n".join(f":e{n} {x}" for x in said))) for n in range(size)}
    # Every dataset asks for its catalogue, to which each of them adds a statement.
    for n in range(size):
        records[f"e{n}"] |= set(n_triples(f":c0 dcat:dataset :e{n}"))
    records |= {id: set(CATALOGUE[id]) for id in "cps"}
    validator = Validator(SHAPES, pool, tmp_path)
    validator.incrementally(records)
    records["e3"] |= set(n_triples(':e3 dct:title "dos"'))
    assert validator.incrementally(records) == validator.wholly(records)
    assert validator.work[-1][0] == 1
    records["new"] = set(n_triples(":new a dcat:Dataset\n:c0 dcat:dataset :new"))
    assert validator.incrementally(records) == validator.wholly(records)
    # The new one and the catalogue, where a statement was added.
    assert validator.work[-1][0] == 2


@pytest.mark.parametrize(
    ("id", "statement"),
    [
        ("s", ':x0 foaf:name "file"'),  # what a closed shape of another node must not have
        ("p", ":p0 a :Other"),  # the class of a value
        ("p", ':p0 foaf:name "new"@en'),  # a property of a value
        ("c", ":c1 dcat:dataset :d0"),  # who points to the node
        ("d0", ":d1 dcat:distribution :x9"),  # a value of which nothing is said
        ("s", ":x9 a dcat:Distribution"),  # something about a value of which nothing was said
        ("p", f":Other {SUBCLASS} foaf:Agent"),  # an axiom
        ("s", ':s1 dct:title "deep"'),  # the end of a long path
    ],
)
def test_verdict_follows_what_is_said_elsewhere(
    pool: Pool, tmp_path: Path, id: str, statement: str
) -> None:
    records = {name: set(found) for name, found in CATALOGUE.items()}
    validator = Validator(SHAPES, pool, tmp_path)
    validator.incrementally(records)
    (line,) = n_triples(statement)
    for change in (records[id].add, records[id].discard):
        change(line)
        assert validator.incrementally(records) == validator.wholly(records)


def test_nothing_is_looked_at_where_nothing_changed(pool: Pool, tmp_path: Path) -> None:
    validator = Validator(SHAPES, pool, tmp_path)
    first = validator.incrementally(CATALOGUE)  # type: ignore[arg-type]
    assert validator.incrementally(CATALOGUE) == first  # type: ignore[arg-type]
    assert validator.work == [(None, 0), (0, first[1])]


@pytest.mark.parametrize("shapes", [SHAPES, SHAPES + SPARQL], ids=["core", "with queries"])
def test_large_data_are_judged_in_parts_with_the_same_verdicts(
    pool: Pool, tmp_path: Path, shapes: str
) -> None:
    records = {id: set(found) for id, found in CATALOGUE.items()}
    validator = Validator(shapes, pool, tmp_path)
    whole = validator.wholly(records)
    assert validator.incrementally(records, in_memory=100) == whole
    assert validator.incrementally(records, in_memory=100) == whole
    records["d0"].discard(f'{TITLE} "uno" .')
    assert validator.incrementally(records, in_memory=100) == validator.wholly(records)
    assert validator.work[-1][0] is not None


def test_what_is_read_is_noted_and_queries_are_refused_it(tmp_path: Path) -> None:
    watched = Watched(Graph(shape_lines(":a :p :b . :b a :C .")))
    watched.turn(f"<{E}a>")
    with pytest.raises(NotImplementedError):
        list(watched.lines())
    assert watched.is_instance(f"<{E}b>", f"<{E}C>")
    first = watched.noted(f"<{E}a>")
    watched.turn(f"<{E}c>")
    # The answer is remembered, that it was asked for is noted all the same.
    assert watched.is_instance(f"<{E}b>", f"<{E}C>")
    assert watched.noted(f"<{E}c>") == first != b""


# ---- the file


@pytest.mark.parametrize("damage", ["text", "cut", "rows", "empty", "folder", "older"])
def test_file_that_cannot_be_used_is_made_again(pool: Pool, tmp_path: Path, damage: str) -> None:
    records = {id: set(found) for id, found in CATALOGUE.items()}
    validator = Validator(SHAPES, pool, tmp_path)
    file = tmp_path / "verdicts.db"
    expected = validator.incrementally(records)
    content = file.read_bytes()
    if damage == "rows":
        with sqlite3.connect(file) as database:
            database.execute("UPDATE verdicts SET told = ''")
        database.close()
    elif damage == "older":
        with sqlite3.connect(file) as database:
            database.execute("ALTER TABLE meta RENAME COLUMN heads TO other")
            database.execute("ALTER TABLE verdicts DROP COLUMN checksum")
        database.close()
    elif damage == "folder":
        file.unlink()
        file.mkdir()
    else:
        file.write_bytes(
            {"text": b"no database" * 500, "cut": content[:5000], "empty": b""}[damage]
        )
    assert validator.incrementally(records) == expected
    assert validator.work[-1] == (None, 0)
    if damage != "folder":
        assert validator.incrementally(records) == expected
        assert validator.work[-1] == (0, expected[1])
    assert [path.name for path in tmp_path.iterdir()] == ["verdicts.db"]


def test_folder_that_cannot_be_written_to_is_no_failure(pool: Pool, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    validator = Validator(SHAPES, pool, blocked)
    records = {id: set(found) for id, found in CATALOGUE.items()}
    assert validator.incrementally(records) == validator.wholly(records)


def test_of_two_that_read_the_same_state_one_writes(pool: Pool, tmp_path: Path) -> None:
    records = {id: set(found) for id, found in CATALOGUE.items()}
    validator = Validator(SHAPES, pool, tmp_path)
    validator.incrementally(records)
    with sqlite3.connect(tmp_path / "verdicts.db") as database:
        ((made_with,),) = database.execute("SELECT made_with FROM meta")
    database.close()
    file = tmp_path / "verdicts.db"
    first, second = (Kept.read(file, made_with) for _ in range(2))
    assert first
    assert second
    first.update(1, ["c"], {}, [], [])
    second.update(2, ["p"], {}, [], [])
    kept = Kept.read(file, made_with)
    assert kept
    assert (kept.heads, sorted(kept.revisions)) == (1, ["d0", "d1", "p", "s"])
    # What the other does not know any more cannot be compared with.
    assert second.texts(["c"]) is None


# ---- the working store and releases

DATASETS = """
:one a dcat:Dataset ; dct:title "Uno"@es ; dct:publisher agent:a ; dcat:theme x:theme ;
    dcat:distribution :file ; dct:identifier "1" ; dcat:inSeries :series .
:file a dcat:Distribution ; dcat:byteSize "01000"^^xsd:nonNegativeInteger ; dct:format "csv" .
:two a dcat:Dataset ; dct:title "Dos"@es ; dct:description "Todo"@es ; dct:publisher agent:a .
:series a dcat:DatasetSeries ; dct:title "Serie"@es .
agent:a a foaf:Agent ; foaf:name "Ayuntamiento"@es ; dct:type x:wrong .
x:catalogue a dcat:Catalog ; dcat:dataset :one , :two ; dct:title "Todo"@es .
"""


def whole(catalogue: Catalogue) -> Report:
    """The ordinary report on all records."""
    found = (record.text for record in catalogue.records.all())
    return shacl.check([line for text in found for line in split_lines(text)], PROFILE)


def again(catalogue: Catalogue, file: Path) -> tuple[Report, tuple[int | None, int]]:
    told: list[tuple[int | None, int]] = []
    report = shacl.check_records(
        Holdings(catalogue.records), PROFILE, file, on_work=lambda *work: told.append(work)
    )
    return report, told[-1]


def test_after_an_edit_of_a_file_only_its_record_and_what_depends_on_it_are_looked_at(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    catalogue.load(DATASETS)
    file = tmp_path / "verdicts.db"
    assert again(catalogue, file) == (whole(catalogue), (None, 0))
    for old, new, looked_at in [
        ("Dos", "Doce", 1),  # the title of two
        ('"csv"', '"xml"', 1),  # the format of the file of one
        ("Ayuntamiento", "Concejo", 1),  # a name that no shape asks about elsewhere
        ("agent:a a foaf:Agent", "agent:a a foaf:Document", 3),  # the agent and both datasets
        ("a dcat:DatasetSeries", "a dcat:Catalog", 2),  # the series, and one, which is in it
    ]:
        changed = DATASETS.replace(old, new)
        assert changed != DATASETS
        catalogue.load(changed)
        report, work = again(catalogue, file)
        assert report == whole(catalogue)
        assert report.turtle == whole(catalogue).turtle
        assert work[0] == looked_at, (new, work)
        catalogue.load(DATASETS)
        assert again(catalogue, file)[0] == whole(catalogue)


VALUES = n_triples(
    """:d0 dct:extent "1.50"^^xsd:decimal , "1.5"^^xsd:decimal , "x"@es , "x"
    :d0 dcat:byteSize "01000"^^xsd:nonNegativeInteger , "1000"^^xsd:nonNegativeInteger
    :d1 dct:extent "1.5"^^xsd:decimal
    :d1 dct:issued "2024-01-01T24:00:00"^^xsd:dateTime
    :c0 dcat:dataset :d2 """
)
PLACES = st.lists(st.tuples(IDS, st.sampled_from([*SENSIBLE, *VALUES * 3])), max_size=40)


@pytest.mark.peers
@limits(max_examples=40, deadline=None)
@given(said=PLACES)
def test_store_answers_questions_as_the_exact_texts_do(said: list[tuple[str, str]]) -> None:
    made = {id: {line for name, line in said if name == id} for id in CATALOGUE}
    expected = texts({id: found for id, found in made.items() if found})
    store = EmbeddedStore()
    records = Records(store, Settings(base=BASE))
    changes = [
        Change(Head(id, f"{BASE}/id/{id}"), expected.text(id), []) for id in expected.revisions()
    ]
    records.commit(Plan(changes=changes), actor="a", kind="load", subject="s", why="w")
    holdings = Holdings(records)
    assert dict(holdings.revisions()) == dict(expected.revisions())
    assert list(holdings.lines()) == list(expected.lines())
    statements = [split_line(line) for line in expected.lines()]
    predicates = sorted({statement.predicate for statement in statements})
    for node in sorted({term for s in statements for term in s} | {f"<{E}nobody>"}):
        properties, wanted = holdings.properties(node), expected.properties(node)
        for predicate in predicates:
            assert properties.get(predicate, ()) == wanted.get(predicate, ())
            subjects, others = (x.subjects(predicate, node) for x in (holdings, expected))
            assert sorted(subjects) == sorted(others)
        assert bool(properties) == bool(wanted)
        assert dict(properties.items()) == wanted
        pairs, others = (x.referrers([node])[node] for x in (holdings, expected))
        assert sorted(pairs) == sorted(others)
    store.close()


def test_store_without_datasets_never_passes(catalogue: Catalogue, tmp_path: Path) -> None:
    file = tmp_path / "verdicts.db"
    for content in ('agent:a a foaf:Agent ; foaf:name "A"@es .', ":d a dcat:Dataset ."):
        catalogue.load(content)
        for _ in range(2):
            assert again(catalogue, file)[0] == whole(catalogue)
    catalogue.do("delete", iri=f"{BASE}/id/dataset/d")
    assert again(catalogue, file)[0] == whole(catalogue)


def test_record_alone_is_reported_on_as_among_all_others(catalogue: Catalogue) -> None:
    catalogue.load(DATASETS)
    full = whole(catalogue)
    seen = 0
    for record in catalogue.records.all():
        around = Around(catalogue.records, record.id)
        lines = around.own()
        alone = shacl.check_record(lines, around, PROFILE)
        subjects = {line.partition(" ")[0][1:-1] for line in lines}
        assert alone.results == tuple(r for r in full.results if r.focus in subjects)
        seen += len(alone.results)
    assert seen == len(full.results) > 5


def test_release_is_validated_as_if_for_the_first_time(catalogue: Catalogue) -> None:
    catalogue.load(DATASETS)
    catalogue.do("release.build", waive="so be it")
    (file,) = (catalogue.workspace.data / "cache" / "verdicts").iterdir()
    for content in (DATASETS.replace("Dos", "Doce"), DATASETS.replace("Todo", "Nada")):
        catalogue.load(content)
        built = catalogue.do("release.build", waive="so be it")
        report = (catalogue.workspace.releases.get(built["id"]).path / "report.json").read_text()
        file.unlink()
        other = catalogue.do("release.build", waive="so be it")
        assert (
            catalogue.workspace.releases.get(other["id"]).path / "report.json"
        ).read_text() == report
