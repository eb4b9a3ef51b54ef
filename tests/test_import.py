"""Importing: files, folders, pipes and bodies into a catalogue; bad input leaves it as it was."""

from __future__ import annotations

import gzip
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from helpers import BASE, PREFIXES, Catalogue, lines

from bilbaokg import settings
from bilbaokg.errors import (
    BadInput,
    BilbaokgError,
    Conflict,
    Gone,
    Invalid,
    MemoryExceeded,
    NotFound,
    StoreBusy,
    SyntaxFault,
    TooLarge,
    UnsupportedFormat,
    WorkerCrashed,
)
from bilbaokg.formats import FORMATS
from bilbaokg.importers import IMPORTERS, importer_for
from bilbaokg.importers.rdf import discover, name_of
from bilbaokg.merging import text_of
from bilbaokg.model import Source
from bilbaokg.operations import OPERATIONS
from bilbaokg.operations.loading import load_content
from bilbaokg.settings import MIB, Settings
from bilbaokg.terms import FOAF, RDF, ref, split_line, split_lines
from bilbaokg.workers import Pool
from bilbaokg.workspace import Workspace, initialise, is_initialised

A = f"{BASE}/id/dataset/a"
DATASET = ':a a dcat:Dataset ; dct:title "A"@es ; dcat:byteSize "01"^^xsd:nonNegativeInteger .'


# ---- the data directory


def test_directory_is_made_whole_and_private(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert not is_initialised(data)
    assert initialise(data, {"base": BASE})
    assert is_initialised(data)
    assert data.stat().st_mode & 0o777 == 0o700
    assert settings.read(data, {}).base == BASE
    assert not initialise(data, {"base": BASE}), "again is harmless"
    assert not initialise(data, {})


def test_base_never_changes(tmp_path: Path) -> None:
    initialise(tmp_path / "data", {"base": BASE})
    with pytest.raises(Conflict, match=BASE):
        initialise(tmp_path / "data", {"base": "https://other.example"})


def test_refused_base_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no http"):
        initialise(tmp_path / "data", {"base": "not an iri"})
    assert not (tmp_path / "data").exists()


def test_directory_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.odt").write_text("precious")
    with pytest.raises(BadInput, match="not empty"):
        initialise(tmp_path, {"base": BASE})
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.odt"]


def test_workspace_without_a_catalogue_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no catalogue here") as error:
        Workspace(tmp_path, Settings())
    assert error.value.hint == "run: bilbaokg init"


def test_second_workspace_is_told_who_holds_the_first(workspace: Workspace) -> None:
    with pytest.raises(StoreBusy, match=f"process {os.getpid()} on") as error:
        Workspace(workspace.data, workspace.settings)
    assert error.value.where == str(workspace.data)
    assert workspace.records.ids() == [], "the first goes on"


# ---- what a load says and does


def test_load_tells_what_it_read_and_saved(catalogue: Catalogue) -> None:
    text = DATASET + 'x:lost dct:title "lost" . x:c a dcat:Catalog ; dcat:dataset :a .'
    done = catalogue.load(text)
    assert done["files"] == 1
    assert done["records"] == {"new": 3, "changed": 0, "unchanged": 0, "gone": 0}
    assert done["statements"] == {"parsed": 6, "distinct": 6, "rest": 1}
    assert done["classes"] == {"dcat:Catalog": 1, "dcat:Dataset": 1}
    assert (done["graphs_dropped"], done["dry_run"]) == (0, False)
    assert json.loads(json.dumps(done)) == done


def test_same_file_twice_changes_nothing_and_says_so(catalogue: Catalogue) -> None:
    text = DATASET + ':a dcat:distribution [ dct:title "D" ] , [ dct:title "D" ] .'
    first = catalogue.load(text)
    before = catalogue.hash()
    again = catalogue.load(text)
    assert again["records"] == {"new": 0, "changed": 0, "unchanged": 1, "gone": 0}
    assert again["statements"] == first["statements"]
    assert catalogue.hash() == before
    assert len(catalogue.records.audit.events()) == 1


def test_corrected_file_corrects(catalogue: Catalogue) -> None:
    catalogue.load(DATASET)
    assert catalogue.load(DATASET.replace('"A"', '"B"'))["records"]["changed"] == 1
    assert catalogue.text(A) == text_of(lines(DATASET.replace('"A"', '"B"')))


def test_dry_run_says_the_same_and_writes_nothing(catalogue: Catalogue) -> None:
    before = catalogue.hash()
    dry = catalogue.load(DATASET, dry_run=True)
    assert catalogue.hash() == before
    assert dry.pop("dry_run")
    wet = catalogue.load(DATASET)
    assert not wet.pop("dry_run")
    assert dry == wet


def test_load_is_one_entry_with_who_and_why(catalogue: Catalogue) -> None:
    for name in "abcd":
        catalogue.file(f"in/{name}.ttl", f":{name} a dcat:Dataset .")
    catalogue.do("load", paths=[str(catalogue.folder / "in")], actor="ane", why="monthly")
    (event,) = catalogue.records.audit.events()
    assert (event.actor, event.kind, event.detail["why"]) == ("ane", "load", "monthly")
    assert event.detail["files"] == 4
    assert event.subject.endswith("and 1 more")
    history = catalogue.do("history", iri=A)["revisions"]
    assert [(r["actor"], r["why"]) for r in history] == [("ane", "monthly")]


def test_statements_said_twice_and_graph_names_are_reported(catalogue: Catalogue) -> None:
    text = PREFIXES + "x:g { :a a dcat:Dataset ; dct:title 'x'@ES } x:h { :a dct:title 'x'@es }"
    done = catalogue.load(text, name="a.trig")
    assert done["graphs_dropped"] == 2
    assert done["statements"] == {"parsed": 3, "distinct": 2, "rest": 0}
    told = " ".join(problem["message"] for problem in done["problems"])
    assert "1 statement stood more than once and is held once" in told
    assert "2 graph names left out" in told


def test_report_says_what_datasets_lack(catalogue: Catalogue) -> None:
    told = [problem["message"] for problem in catalogue.load(":a a dcat:Dataset .")["problems"]]
    assert "1 of 1 dataset has no title (dct:title, mandatory)" in told
    assert "1 of 1 dataset has no publisher (dct:publisher, recommended)" in told


def test_report_says_where_statements_are_that_no_record_leads_to(catalogue: Catalogue) -> None:
    done = catalogue.load("x:a a x:Thing . x:b dct:title 'b' .")
    told = {problem["severity"]: problem["message"] for problem in done["problems"]}
    assert told["info"].startswith("2 statements not reached from a dataset")
    assert told["warning"].startswith("no dataset, series, service or catalogue found")
    assert catalogue.load("x:a a skos:Concept .", "other")["problems"] == []


def test_progress_is_told(workspace: Workspace, catalogue: Catalogue) -> None:
    told: list[tuple[int, int | None, str]] = []
    path = catalogue.file("a.ttl", DATASET)
    OPERATIONS["load"](workspace, {"paths": [str(path)]}, lambda *step: told.append(step))
    assert [text.partition(":")[0] for _, _, text in told] == [
        "reading",
        "reading",
        "comparing with the catalogue",
        "saving records",
    ]


# ---- literals, from file to record

LITERALS = Path(__file__).parent / "data" / "rdf" / "literals.ttl"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_literals_are_exact_from_file_to_record(
    catalogue: Catalogue, form: str, packed: bool
) -> None:
    subject = "<https://city.example/literals#s>"
    typed = f"{subject} a <http://www.w3.org/ns/dcat#Dataset> ."
    text = LITERALS.read_text(encoding="utf-8") + typed
    quads = list(ox.parse(text, ox.RdfFormat.TURTLE))
    content = ox.serialize((q.triple for q in quads), None, FORMATS[form].rdf)
    assert content is not None
    name = f"x.{form}" + (".gz" if packed else "")
    catalogue.load(gzip.compress(content) if packed else content, name=name)
    expected = text_of(f"{quad.triple} ." for quad in quads)
    assert catalogue.text(subject[1:-1]) == expected
    catalogue.load(DATASET, source="other")
    catalogue.load(content, name=f"x.{form}")
    assert catalogue.text(subject[1:-1]) == expected


def test_dump_is_every_statement_exact(catalogue: Catalogue, tmp_path: Path) -> None:
    text = DATASET + 'x:lost dct:title "\\u2028\\r\\n" .'
    catalogue.load(text)
    done = catalogue.do("dump", path=str(tmp_path / "dump.nt"))
    assert done["records"] == 2
    dumped = (tmp_path / "dump.nt").read_bytes().decode()
    assert sorted(split_lines(dumped)) == lines(text)


# ---- sources: files, folders, bodies


def test_folder_is_read_deep_but_not_what_is_hidden_or_no_rdf(catalogue: Catalogue) -> None:
    for name in ("a.ttl", "deep/er/b.ttl", ".hidden.ttl", ".git/c.ttl", "note.txt", "f.json"):
        catalogue.file(f"in/{name}", f":{Path(name).stem.strip('.')} a dcat:Dataset .")
    packed = gzip.compress((PREFIXES + ":g a dcat:Dataset .").encode())
    catalogue.file("in/g.TTL.GZ", packed)
    done = catalogue.do("load", paths=[str(catalogue.folder / "in")])
    assert done["files"] == 3
    assert catalogue.records.ids() == ["dataset/a", "dataset/b", "dataset/g"]


def test_file_taken_out_of_a_folder_is_gone_at_source(catalogue: Catalogue) -> None:
    folder = catalogue.folder / "in"
    catalogue.file("in/a.ttl", ":a a dcat:Dataset .")
    catalogue.file("in/b.ttl", ":b a dcat:Dataset . :a dct:title 'from b' .")
    catalogue.do("load", paths=[str(folder)])
    (folder / "b.ttl").unlink()
    done = catalogue.do("load", paths=[str(folder)])
    assert done["records"] == {"new": 0, "changed": 0, "unchanged": 1, "gone": 2}
    for id in ("dataset/a", "dataset/b"):
        assert catalogue.records.get(id).gone == (str(folder / "b.ttl"),)
    assert "from b" in catalogue.text(A)


def test_file_of_a_folder_that_was_named_itself_is_not_gone(catalogue: Catalogue) -> None:
    named = catalogue.file("in/b.json", json.dumps({"@id": f"{BASE}/b", "urn:p": 1}))
    catalogue.do("load", paths=[str(named)])
    catalogue.file("in/a.ttl", DATASET)
    assert catalogue.do("load", paths=[str(named.parent)])["records"]["gone"] == 0


def test_loading_one_file_says_nothing_of_its_neighbours(catalogue: Catalogue) -> None:
    for name in "ab":
        catalogue.file(f"in/{name}.ttl", f":{name} a dcat:Dataset .")
    catalogue.do("load", paths=[str(catalogue.folder / "in")])
    done = catalogue.do("load", paths=[str(catalogue.folder / "in/a.ttl")])
    assert done["records"] == {"new": 0, "changed": 0, "unchanged": 1, "gone": 0}


def test_folder_beside_another_of_a_longer_name_is_not_touched(catalogue: Catalogue) -> None:
    catalogue.file("in/a.ttl", ":a a dcat:Dataset .")
    catalogue.file("in2/b.ttl", ":b a dcat:Dataset .")
    catalogue.do("load", paths=[str(catalogue.folder / "in2")])
    (catalogue.folder / "in2/b.ttl").unlink()
    assert catalogue.do("load", paths=[str(catalogue.folder / "in")])["records"]["gone"] == 0


def test_named_folder_is_the_same_source_from_anywhere(catalogue: Catalogue) -> None:
    for place in ("monday", "tuesday"):
        catalogue.file(f"{place}/a.ttl", ":a a dcat:Dataset .")
    catalogue.file("monday/b.ttl", ":b a dcat:Dataset .")
    catalogue.do("load", paths=[str(catalogue.folder / "monday")], source="portal")
    done = catalogue.do("load", paths=[str(catalogue.folder / "tuesday")], source="portal")
    assert done["records"] == {"new": 0, "changed": 0, "unchanged": 1, "gone": 1}
    assert catalogue.records.sources() == {"portal/a.ttl", "portal/b.ttl"}


def test_path_is_the_same_source_however_it_is_written(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = catalogue.file("in/a.ttl", DATASET)
    monkeypatch.chdir(file.parent)
    ways = ["a.ttl", "../in/a.ttl", "./a.ttl", str(file.parent / ".." / "in" / "a.ttl")]
    assert {name_of(Path(way)) for way in ways} == {str(file)}
    for way in ways:
        catalogue.do("load", paths=[way])
    assert catalogue.records.sources() == {str(file)}


def test_names_of_sources_may_hold_anything(catalogue: Catalogue) -> None:
    name = 'ñ %2F/ <a> "b" {c} \\ 😀 #?'
    catalogue.load(":a a dcat:Dataset . :b a dcat:Dataset .", source=name, name="x.ttl")
    catalogue.load(":a a dcat:Dataset .", source=name, name="x.ttl")
    assert catalogue.records.sources() == {name}
    assert catalogue.records.get("dataset/b").gone == (name,)


def test_sources_that_data_speak_of_are_none_of_ours(catalogue: Catalogue) -> None:
    catalogue.load(f":a a dcat:Dataset ; prov:hadPrimarySource x:other, <{BASE}/source/x> .")
    assert catalogue.records.sources() == {"s"}


def test_two_files_under_one_name_are_refused(catalogue: Catalogue) -> None:
    files = [str(catalogue.file(f"{name}.ttl", DATASET)) for name in "ab"]
    with pytest.raises(BadInput, match="one source 'portal'") as error:
        catalogue.do("load", paths=files, source="portal")
    assert error.value.hint
    with pytest.raises(BadInput, match="one source"):
        catalogue.do("load", paths=[files[0], files[0]])


def test_many_files_are_discovered_quickly(catalogue: Catalogue) -> None:
    (catalogue.folder / "in").mkdir()
    for number in range(3000):
        (catalogue.folder / f"in/{number}.ttl").touch()
    assert len(discover([catalogue.folder / "in"], Settings())) == 3000


def test_format_option_wins_over_the_extension(catalogue: Catalogue) -> None:
    file = catalogue.file("data.txt", PREFIXES + DATASET)
    catalogue.do("load", paths=[str(file)], format="turtle")
    assert catalogue.records.ids() == ["dataset/a"]


def test_every_media_type_has_an_importer() -> None:
    assert set(IMPORTERS) == {form.media_type for form in FORMATS.values()}
    for media_type in IMPORTERS:
        assert importer_for(Source("s", None, media_type))


def test_body_is_imported_as_a_source(workspace: Workspace) -> None:
    params = {"source": "https://portal.example/", "media_type": "text/turtle", "actor": "ane"}
    done = load_content(workspace, params, (PREFIXES + DATASET).encode())
    assert done["records"]["new"] == 1
    assert workspace.records.sources() == {"https://portal.example/"}
    assert load_content(workspace, params, b"<urn:a> <urn:p> 1 .")["records"]["gone"] == 1


def test_packed_body_counts_as_what_it_unpacks_to(tmp_path: Path, pool: Pool) -> None:
    initialise(tmp_path / "data", {"base": BASE, "body_limit": MIB})
    configured = settings.read(tmp_path / "data", {})
    with Workspace(tmp_path / "data", configured, pool) as workspace:
        params = {"source": "s", "media_type": "text/turtle"}
        with pytest.raises(TooLarge):
            load_content(workspace, params, gzip.compress(b"#" * (2 * MIB)))


def test_workspace_without_a_pool_starts_workers_of_its_own(tmp_path: Path) -> None:
    initialise(tmp_path / "data", {"base": BASE})
    with Workspace(tmp_path / "data", settings.read(tmp_path / "data", {})) as workspace:
        file = tmp_path / "a.ttl"
        file.write_text(PREFIXES + DATASET)
        assert Catalogue(workspace, tmp_path).do("load", paths=[str(file)])["records"]["new"] == 1


# ---- deletion and visibility, as operations


def test_delete_lists_the_records_that_still_refer_to_it(catalogue: Catalogue) -> None:
    catalogue.load(":a a dcat:Dataset . x:s a dcat:DataService ; dcat:servesDataset :a .")
    before = catalogue.hash()
    with pytest.raises(Conflict, match="1 records still refer to it"):
        catalogue.do("delete", iri=A)
    assert catalogue.hash() == before
    done = catalogue.do("delete", iri=A, force=True, why="withdrawn", actor="ane")
    assert done["referring"] == ["https://other.example/s"]
    assert "Tombstone" in catalogue.text(A)
    with pytest.raises(Gone):
        catalogue.do("delete", iri=A, force=True)


@pytest.mark.parametrize("operation", ["delete", "visibility", "history"])
def test_operations_on_unknown_records_are_told(catalogue: Catalogue, operation: str) -> None:
    with pytest.raises(NotFound, match="no record has the IRI"):
        catalogue.do(operation, iri="https://unknown.example/", to="public")


def test_part_of_a_record_cannot_be_deleted_alone(catalogue: Catalogue) -> None:
    catalogue.load(":a a dcat:Dataset ; dcat:distribution x:d . x:d a dcat:Distribution .")
    with pytest.raises(NotFound):
        catalogue.do("delete", iri="https://other.example/d")


def test_visibility_is_set_by_iri(catalogue: Catalogue) -> None:
    catalogue.load(DATASET)
    assert catalogue.do("visibility", iri=A, to="internal")["visibility"] == "internal"
    assert catalogue.records.get("dataset/a").visibility == "internal"


def test_verify_checks_audit_and_records(catalogue: Catalogue) -> None:
    catalogue.load(DATASET)
    catalogue.do("visibility", iri=A, to="internal")
    assert catalogue.do("audit.verify") == {"entries": 2, "records": 1}


# ---- bad input

RDF_XML = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="urn:e#">{}</rdf:RDF>'
)
DEEP = 100_000
NESTED = "<urn:a> <urn:p> " + "<<( <urn:a> <urn:p> " * DEEP + "<urn:o> " + ")>> " * DEEP + "."
CLIQUE = "".join(f"_:n{a} <urn:p> _:n{b} .\n" for a in range(12) for b in range(12) if a != b)

# Name of the case: file, content, class of the error, and what its message and hint say.
BAD: dict[str, tuple[str, str | bytes, type[BilbaokgError], str]] = {
    "syntax-ttl": ("a.ttl", "\n:a a ;;: .", SyntaxFault, r"a\.ttl:\d+:\d+: .+\n    :a a ;;: \."),
    "syntax-trig": ("a.trig", "<urn:g> {\n<urn:a> }", SyntaxFault, r"trig:2:9: .+\n    <urn:a> }"),
    "syntax-nt": ("a.nt", "<urn:a> <urn:p> oops .", SyntaxFault, r"a\.nt:1:17: .+\n    <urn:a>"),
    "syntax-nq": ("a.nq", "<urn:a> <urn:p> oops .", SyntaxFault, r"a\.nq:1:17: .+\n    <urn:a>"),
    "syntax-jsonld": ("a.jsonld", '{"@id":\n oops}', SyntaxFault, r"jsonld:2:\d+: .+\n    oops}"),
    "syntax-rdf": ("a.rdf", RDF_XML.format("\n<a>"), SyntaxFault, r"a\.rdf:2:\d+: .+\n    <a>"),
    "wrong-extension": ("a.ttl", RDF_XML.format(""), SyntaxFault, "give --format rdf"),
    "no-rdf-extension": ("a.csv", '{"@id": ""}', UnsupportedFormat, "give --format jsonld"),
    "no-extension": ("a", "what is this", UnsupportedFormat, r"extensions known: \.ttl"),
    "empty": ("a.nt", "", BadInput, "it holds no statements"),
    "only-prefixes": ("a.ttl", "# nothing", BadInput, "it holds no statements"),
    "empty-json": ("a.jsonld", "{}", BadInput, "it holds no statements"),
    "empty-gzip": ("a.ttl.gz", gzip.compress(b""), BadInput, "it holds no statements"),
    "unknown-encoding": (
        "a.rdf", "<?xml version='1.0' encoding='klingon'?><a/>", BadInput, "'klingon'.+as UTF-8",
    ),
    "latin-1": ("a.nt", '<urn:a> <urn:p> "ñ" .'.encode("latin-1"), SyntaxFault, "iconv"),
    "relative-ttl": ("a.ttl", "<x> a dcat:Dataset .", SyntaxFault, "--base"),
    "relative-rdf": ("a.rdf", RDF_XML.format('<e:a rdf:about="x"/>'), SyntaxFault, "--base"),
    "relative-json": ("a.jsonld", '{"@id": "x", "urn:p": 1}', Invalid, r"jsonld:1: .+--base"),
    "relative-json-object": (
        "a.jsonld", '{"@id": "urn:a", "urn:p": {"@id": "x"}}', Invalid, "--base",
    ),
    "no-iri": ("a.nt", "<urn:a> <urn:p> <http://a b> .", SyntaxFault, r"a\.nt:1:17: .+%20"),
    "no-iri-json": ("a.jsonld", '{"@id": "http://a b", "urn:p": 1}', SyntaxFault, "%20"),
    "clique": ("a.nt", CLIQUE, BadInput, "could not be named.+give IRIs"),
    "deep-nt": ("a.nt", NESTED, WorkerCrashed, "nested"),
    "deep-ttl": ("a.ttl", NESTED, WorkerCrashed, "nested"),
    "deep-trig": ("a.trig", f"<urn:g> {{ {NESTED} }}", WorkerCrashed, "nested"),
    "deep-ttl-lists": (
        "a.ttl", "<urn:a> <urn:p> " + "( " * DEEP + ") " * DEEP + ".", BadInput, "give IRIs",
    ),
    "deep-ttl-nodes": (
        "a.ttl", "<urn:a> <urn:p> " + "[ <urn:p> " * DEEP + "1" + "]" * DEEP + ".", BadInput,
        "give IRIs",
    ),
    "deep-json": ("a.jsonld", '{"urn:p":' * DEEP + "1" + "}" * DEEP, SyntaxFault, "Max stack size"),
    "deep-json-10k": (
        "a.jsonld", '{"urn:p":' * 9999 + "1" + "}" * 9999, MemoryExceeded, "nested too deeply",
    ),
    "deep-json-lists": ("a.jsonld", "[" * DEEP + "]" * DEEP, SyntaxFault, "Max stack size"),
    "deep-rdf": ("a.rdf", RDF_XML.format("<e:a><e:p>" * DEEP), Invalid, "nested over 1,000 deep"),
    "doctype": (
        "a.rdf", '<!DOCTYPE x [<!ENTITY a "b">]>' + RDF_XML.format("&a;"), Invalid, "DOCTYPE",
    ),
    "truncated-gzip": (
        "a.ttl.gz", gzip.compress(b"<urn:a> <urn:p> 1 .")[:-9], BadInput, "damaged gzip",
    ),
    "bomb": (
        "a.ttl.gz", gzip.compress(b" " * (80 * MIB)), TooLarge, "over the size limit.+file_limit",
    ),
    "triple-term": ("a.ttl", ":a :p <<( :a :p 1 )>> .", Invalid, r"a\.ttl:\d+: a triple term"),
    "direction": ("a.ttl", ':a :p "x"@ar--rtl .', Invalid, r"a\.ttl:\d+: a string with a base"),
    "remote-context": (
        "a.jsonld", '{"@context": "https://schema.org"}', SyntaxFault, "put the @context inside",
    ),
    "long-term": (
        "a.nt", f'<urn:a> <urn:p> "{"x" * 2_100_000}" .', TooLarge, "over 2,000,000 bytes",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def small_pool() -> Iterator[Pool]:
    """A worker with little memory, so that what fills it is soon stopped."""
    with Pool(1, 400 * MIB) as opened:
        yield opened


@pytest.fixture
def strict(tmp_path: Path, small_pool: Pool) -> Iterator[Catalogue]:
    """A catalogue with something in it, little patience and a limit of 64 MiB a file."""
    data = tmp_path / "data"
    initialise(data, {"base": BASE, "group_seconds": 0.5, "file_limit": 64 * MIB})
    with Workspace(data, settings.read(data, {}), small_pool) as opened:
        catalogue = Catalogue(opened, tmp_path)
        catalogue.load(DATASET, name="first.ttl")
        yield catalogue


def refused(catalogue: Catalogue, *paths: Path, **params: Any) -> BilbaokgError:
    """The error of a load, which leaves the catalogue as it was."""
    before = catalogue.hash()
    with pytest.raises(BilbaokgError) as error:
        catalogue.do("load", paths=list(map(str, paths)), **params)
    assert catalogue.hash() == before
    assert len(catalogue.records.audit.events()) == 1
    assert error.value.exit_code == 2
    assert str(paths[-1]) in str(error.value)
    return error.value


@pytest.mark.parametrize(
    ("name", "content", "kind", "message"),
    BAD.values(),
    ids=BAD,
)
def test_bad_input_is_refused_and_leaves_the_catalogue_as_it_was(
    strict: Catalogue, name: str, content: str | bytes, kind: type[BilbaokgError], message: str
) -> None:
    good = strict.file("good.ttl", ":new a dcat:Dataset .")
    error = refused(strict, good, strict.file(f"bad/{name}", content))
    assert type(error) is kind
    assert re.search(message, f"{error}\n{error.hint}", re.DOTALL)
    assert len(str(error)) < 700
    assert strict.load(DATASET)["records"]["unchanged"] == 1, "the next load works"


def test_file_over_the_size_limit_is_refused_before_it_is_read(
    catalogue: Catalogue, pool: Pool
) -> None:
    file = catalogue.folder / "sparse.ttl"
    with file.open("wb") as out:
        out.truncate((1 << 30) + 1)
    before = {worker.process.pid for worker in pool._all}
    with pytest.raises(TooLarge, match="1,073,741,825 bytes, over the size limit") as error:
        catalogue.do("load", paths=[str(file)])
    assert error.value.where == str(file)
    assert "raise file_limit in settings.toml" in str(error.value.hint)
    assert {worker.process.pid for worker in pool._all} == before


def test_missing_path_is_refused(strict: Catalogue) -> None:
    error = refused(strict, strict.folder / "nothing.ttl")
    assert type(error) is BadInput
    assert error.message == "no such file or folder"


@pytest.fixture
def ordinary_user() -> Iterator[Path]:
    """An ordinary user's folder; whoever may read everything becomes that user for the test."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        administrator = os.geteuid() == 0
        if administrator:
            os.chown(folder, 65534, -1)
            os.seteuid(65534)
        yield folder
        if administrator:
            os.seteuid(0)


@pytest.mark.parametrize("name", ["in/a.ttl", "in", "in/deep"])
def test_unreadable_path_is_refused(ordinary_user: Path, name: str) -> None:
    (ordinary_user / "in/deep").mkdir(parents=True)
    for file in ("in/a.ttl", "in/deep/b.ttl"):
        (ordinary_user / file).write_text("<urn:a> <urn:p> 1 .")
    locked = ordinary_user / name
    locked.chmod(0)
    with pytest.raises(BadInput, match="Permission denied") as error:
        discover([locked if locked.is_file() else ordinary_user / "in"], Settings())
    locked.chmod(0o700)
    assert error.value.where == str(locked)


def test_directory_that_cannot_be_listed_stops_the_load(
    strict: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not seen must not be taken for gone."""
    strict.file("in/a.ttl", DATASET)
    strict.file("in/deep/b.ttl", ":b a dcat:Dataset .")
    real = os.scandir

    def deny(path: Any) -> Any:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", deny)
    with pytest.raises(BadInput, match="Permission denied") as error:
        strict.do("load", paths=[str(strict.folder / "in")])
    assert error.value.where == str(strict.folder / "in/deep")


def test_folder_without_rdf_is_refused(strict: Catalogue) -> None:
    strict.file("in/readme.txt", "x")
    error = refused(strict, strict.folder / "in")
    assert error.message == "the folder holds no RDF file"
    assert ".ttl" in str(error.hint)


def test_pipe_by_its_name_is_refused_and_never_waited_for(strict: Catalogue) -> None:
    pipe = strict.folder / "pipe.ttl"
    os.mkfifo(pipe)
    assert "bilbaokg load -" in str(refused(strict, pipe).hint)


def test_unknown_format_option_is_refused(strict: Catalogue) -> None:
    with pytest.raises(UnsupportedFormat, match="'excel'"):
        strict.do("load", paths=[str(strict.file("a.ttl", DATASET))], format="excel")


@pytest.mark.parametrize("base", ["x", "http://[", "http://a b/", ""])
def test_base_that_is_no_iri_is_refused(strict: Catalogue, base: str) -> None:
    error = refused(strict, strict.file("a.ttl", DATASET), base=base)
    assert type(error) is BadInput
    assert "no absolute IRI" in error.message


def test_changed_identifier_stops_the_whole_load(strict: Catalogue) -> None:
    old = strict.file("old.ttl", ":i a dcat:Dataset ; dct:identifier 'ID-1' .")
    strict.do("load", paths=[str(old)])
    before = strict.hash()
    strict.file("old.ttl", ":i a dcat:Dataset ; dct:identifier 'ID-2' .")
    with pytest.raises(Invalid, match="from ID-1 to ID-2") as error:
        strict.do("load", paths=[str(old), str(strict.file("new.ttl", ":n a dcat:Dataset ."))])
    assert error.value.where == f"{BASE}/id/dataset/i"
    assert strict.hash() == before


def test_latin_1_rdf_xml_is_read(catalogue: Catalogue) -> None:
    text = "<?xml version='1.0' encoding='ISO-8859-1'?>" + RDF_XML.format(
        f'<dcat:Dataset xmlns:dcat="http://www.w3.org/ns/dcat#" rdf:about="{A}" e:p="Añorga"/>'
    )
    catalogue.load(text.encode("latin-1"), name="a.rdf")
    assert '"Añorga"' in catalogue.text(A)


# ---- real catalogues

REAL = [("rostock.rdf", 100, 773), ("brandenburg.ttl", 112, 200)]


@pytest.mark.parametrize(("name", "datasets", "least"), REAL, ids=["rostock", "brandenburg"])
def test_real_catalogue_is_held_whole(
    catalogue: Catalogue, reference: Path, name: str, datasets: int, least: int
) -> None:
    file = reference / "catalogues" / name
    read = {str(quad.triple) for quad in ox.parse(path=str(file))}
    done = catalogue.do("load", paths=[str(file)])
    assert done["statements"]["distinct"] == len(read)
    assert done["classes"]["dcat:Dataset"] == datasets
    assert done["classes"]["dcat:Distribution"] >= least
    held = [split_line(x) for r in catalogue.records.all() for x in split_lines(r.text)]
    assert len(held) == len(set(held)) == len(read)
    classes: dict[str, set[str]] = {}
    for quad in ox.parse(path=str(file)):
        if quad.predicate.value == RDF.type:
            classes.setdefault(str(quad.object), set()).add(str(quad.subject))
    for cls, subjects in classes.items():
        assert sum(s[1:] == (ref(RDF.type), cls) for s in held) == len(subjects), cls
    assert any("dct:" in problem["message"] for problem in done["problems"])

    before = catalogue.hash()
    again = catalogue.do("load", paths=[str(file)])
    assert {k: n for k, n in again["records"].items() if n} == {"unchanged": done["records"]["new"]}
    assert again["statements"] == done["statements"]
    assert catalogue.hash() == before
    assert catalogue.do("audit.verify")["records"] == done["records"]["new"]


def test_real_catalogue_comes_out_the_same_whatever_way_it_went_in(
    catalogue: Catalogue, reference: Path
) -> None:
    file = reference / "catalogues" / "brandenburg.ttl"
    turned = ox.serialize(
        sorted((q.triple for q in ox.parse(path=str(file))), key=str, reverse=True),
        None,
        ox.RdfFormat.N_TRIPLES,
    )
    assert turned is not None
    catalogue.do("load", paths=[str(file)], source="s")
    before = catalogue.hash()
    done = catalogue.load(turned, source="s", name="turned.nt")
    assert done["records"]["changed"] == done["records"]["new"] == done["records"]["gone"] == 0
    assert catalogue.hash() == before


def test_persons_of_a_real_catalogue_are_internal(catalogue: Catalogue, reference: Path) -> None:
    catalogue.do("load", paths=[str(reference / "catalogues" / "brandenburg.ttl")])
    for record in catalogue.records.all():
        if f"<{record.iri}> {ref(RDF.type)} <{FOAF.Person}> ." in record.text:
            assert record.visibility == "internal"
