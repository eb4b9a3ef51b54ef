"""Releases: what goes in, what stops them, what they leave on disk, and how they are switched."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bilbaokg import release, settings
from bilbaokg.errors import (
    Conflict,
    CorruptStore,
    GateRefused,
    Invalid,
    NotFound,
    StorageFull,
)
from bilbaokg.operations import OPERATIONS
from bilbaokg.workspace import Workspace, initialise

BASE = "https://datos.example.org"
PREFIXES = f"""
@prefix : <{BASE}/id/dataset/> .
@prefix bkg: <{BASE}/ns#> .
@prefix adms: <http://www.w3.org/ns/adms#> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix org: <http://www.w3.org/ns/org#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
CATALOGUE = (
    PREFIXES
    + f"""
<{BASE}/id/catalog/main> a dcat:Catalog ; dct:title "Datos"@es ; dct:description "Todo"@es ;
    dct:publisher <{BASE}/id/agent/city> ; dcat:dataset :noise , :trees .
<{BASE}/id/agent/city> a org:FormalOrganization , foaf:Agent ; foaf:name "Ciudad"@es .
:noise a dcat:Dataset ; dct:title "Ruido"@es ; dct:description "Sonómetros"@es ;
    dct:publisher <{BASE}/id/agent/city> ; dcat:distribution <{BASE}/id/distribution/noise-csv> ;
    dct:temporal [ a dct:PeriodOfTime ; dcat:startDate "2020-01-01"^^xsd:date ] ;
    prov:qualifiedAttribution [ a prov:Attribution ; prov:agent <{BASE}/id/agent/ane> ;
        dcat:hadRole bkg:owner ; adms:status bkg:active ] .
<{BASE}/id/distribution/noise-csv> a dcat:Distribution ;
    dcat:accessURL <https://example.org/noise.csv> ;
    dcat:byteSize "01000"^^xsd:nonNegativeInteger .
:trees a dcat:Dataset ; dct:title "Árboles"@es .
<{BASE}/id/agent/ane> a foaf:Person ; foaf:name "Ane Inventada" ;
    org:hasMembership [ a org:Membership ; org:member <{BASE}/id/agent/ane> ;
        org:organization <{BASE}/id/agent/city> ] .
"""
)

SERVICE = f"""<{BASE}/id/service/api> a dcat:DataService ; dct:title "API"@es ;
    dcat:endpointURL <https://example.org/api> ; dcat:servesDataset :trees .
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    data = tmp_path / "data"
    initialise(data, {"base": BASE})
    with Workspace(data, settings.read(data)) as opened:
        yield opened


def do(workspace: Workspace, name: str, **params: Any) -> dict[str, Any]:
    return OPERATIONS[name](workspace, params, lambda *_: None)


def load(workspace: Workspace, text: str, source: str = "catalogue") -> dict[str, Any]:
    file = workspace.data.parent / f"{hashlib.sha256(source.encode()).hexdigest()[:8]}.ttl"
    file.write_text(text, encoding="utf-8")
    return do(workspace, "load", paths=[str(file)], source=source)


def build(workspace: Workspace, **params: Any) -> release.Release:
    return workspace.releases.get(do(workspace, "release.build", **params)["id"])


def lines(built: release.Release) -> list[str]:
    return (built.path / "catalogue.nq").read_text(encoding="utf-8").split("\n")[:-1]


def test_gate_refuses_a_catalogue_with_violations_and_lists_them(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    with pytest.raises(GateRefused) as refused:
        do(workspace, "release.build")
    assert refused.value.exit_code == 1
    results = refused.value.extra["report"]["results"]
    assert any(r["focus"] == f"{BASE}/id/dataset/trees" for r in results)
    assert workspace.releases.list() == []


def test_hold_back_leaves_the_failing_record_and_its_membership_out(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    built = build(workspace, hold_back=True)
    held = workspace.releases.held_back(built)
    assert [(h["id"], h["title"]) for h in held] == [("dataset/trees", "Árboles")]
    assert not any("dataset/trees" in line for line in lines(built))


def test_only_the_operators_list_names_what_was_held_back(workspace: Workspace) -> None:
    load(workspace, CATALOGUE.replace("Árboles", "Arbolado inédito") + SERVICE)
    built = build(workspace, hold_back=True)
    names = (b"dataset/trees", b"service/api", "Arbolado inédito".encode())
    files = [path for path in built.path.rglob("*") if path.is_file()]
    telling = {p.name for p in files if any(name in p.read_bytes() for name in names)}
    assert telling == {"held-back.json"}


def test_manifest_says_by_which_rules_how_many_records_were_held_back(
    workspace: Workspace,
) -> None:
    load(workspace, CATALOGUE + SERVICE)
    built = build(workspace, hold_back=True)
    assert built.held_back == 2
    rules = {
        r["component"]: (r["path"], r["count"]) for r in built.manifest["content"]["held_back"]
    }
    assert rules == {
        "MinCountConstraintComponent": ("http://purl.org/dc/terms/description", 1),
        "Dangling": ("http://www.w3.org/ns/dcat#servesDataset", 1),
    }


def test_manifest_does_not_depend_on_the_language_of_who_builds(
    workspace: Workspace,
) -> None:
    load(workspace, CATALOGUE)
    first, second = (build(workspace, hold_back=True, lang=lang) for lang in ("es", "en"))
    assert first.manifest["content"] == second.manifest["content"]
    reasons = [workspace.releases.held_back(built)[0]["reason"] for built in (first, second)]
    assert reasons[0] != reasons[1]


def test_hold_back_takes_along_what_would_dangle(workspace: Workspace) -> None:
    load(workspace, CATALOGUE + SERVICE)
    built = build(workspace, hold_back=True)
    held = {h["id"]: h["reason"] for h in workspace.releases.held_back(built)}
    assert held.keys() == {"dataset/trees", "service/api"}
    assert "/dataset/trees" in held["service/api"]


def test_waive_takes_failing_records_in_and_the_manifest_says_why(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    built = build(workspace, waive="agreed with the data office")
    assert built.manifest["content"]["waived"] == "agreed with the data office"
    assert any("dataset/trees" in line for line in lines(built))


def test_a_publisher_that_is_internal_refuses_the_release(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    do(workspace, "visibility", iri=f"{BASE}/id/agent/city", to="internal")
    with pytest.raises(Invalid, match="publisher"):
        do(workspace, "release.build", waive="try")


def test_a_publisher_that_nobody_describes_refuses_the_release(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    load(
        workspace,
        PREFIXES + f":air a dcat:Dataset ; dct:publisher <{BASE}/id/agent/nobody> .",
        "air",
    )
    with pytest.raises(Invalid, match="agent/nobody"):
        do(workspace, "release.build", waive="try")


def test_an_empty_blank_node_as_publisher_is_cut_from_the_feed(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    load(
        workspace, PREFIXES + ':air a dcat:Dataset ; dct:title "Aire"@es ; dct:publisher [] .', "a"
    )
    built = build(workspace, waive="x")
    assert '"Aire"@es' in (built.path / "exports/dcat-ap/page-1.ttl").read_text(encoding="utf-8")


def test_a_publisher_that_is_a_person_is_to_be_replaced_by_a_body(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    load(
        workspace,
        PREFIXES + f":air a dcat:Dataset ; dct:publisher <{BASE}/id/agent/ane> .",
        "air",
    )
    with pytest.raises(Invalid, match="agent/ane") as refused:
        do(workspace, "release.build", waive="try")
    assert refused.value.hint == "name the body instead of the person: persons are never released"


@pytest.mark.parametrize("cls", ["prov:Person", "<https://schema.org/Person>"])
def test_a_dataset_with_a_creator_of_any_vocabulary_is_released_without_him(
    workspace: Workspace, cls: str
) -> None:
    said = f""":air a dcat:Dataset ; dct:title "Aire"@es ; dct:creator :jon .
        :noise a dcat:Dataset ; dct:title "Ruido"@es ; dct:creator :jon, :eva .
        :jon a {cls} ; dct:title "Jon" . :eva a {cls} ; dct:title "Eva" ."""
    load(workspace, CATALOGUE + said)
    text = "\n".join(lines(build(workspace, waive="try")))
    assert "Ruido" in text
    assert not {name for name in ("jon", "eva", "Jon", "Eva") if name in text}


def test_nothing_to_release_is_said(workspace: Workspace) -> None:
    with pytest.raises(Invalid, match="nothing to release") as refused:
        do(workspace, "release.build")
    assert refused.value.hint == "load a catalogue first"
    load(workspace, PREFIXES + ":x dct:publisher :ane . :ane a foaf:Person .")
    with pytest.raises(Invalid, match="nothing to release") as refused:
        do(workspace, "release.build", hold_back=True)
    assert str(refused.value.hint).startswith("all of it would be held back")


def test_persons_never_leave_and_their_unit_answers(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    text = "\n".join(lines(build(workspace, hold_back=True)))
    assert "agent/ane" not in text
    assert "Ane Inventada" not in text
    agent = "<http://www.w3.org/ns/prov#agent>"
    assert f"{agent} <{BASE}/id/agent/city>" in text


def test_literals_are_exact_in_the_catalogue_although_the_store_normalises(
    workspace: Workspace,
) -> None:
    load(workspace, CATALOGUE)
    text = "\n".join(lines(build(workspace, hold_back=True)))
    assert '"01000"^^<http://www.w3.org/2001/XMLSchema#nonNegativeInteger>' in text


def test_same_content_gives_the_same_bytes(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    first, second = (build(workspace, hold_back=True, note=note) for note in ("a", "b"))
    assert first.id != second.id
    assert first.manifest["content"] == second.manifest["content"]
    for name in first.manifest["content"]["files"]:
        assert (first.path / name).read_bytes() == (second.path / name).read_bytes()


def test_manifest_hashes_every_record_as_released(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    built = build(workspace, hold_back=True)
    for entry in built.entries:
        tail = f" <{BASE}/graph/record/{entry.id}> ."
        text = "".join(f"{x.removesuffix(tail)} .\n" for x in lines(built) if x.endswith(tail))
        assert hashlib.sha256(text.encode()).hexdigest() == entry.sha256
        assert text.count("\n") == entry.statements


def test_publish_and_roll_back_switch_the_link_and_are_audited(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    for _ in range(2):
        do(workspace, "release.build", hold_back=True)
    assert workspace.releases.current() is None
    assert do(workspace, "release.publish")["id"] == "r2"
    assert do(workspace, "release.rollback", why="wrong licence")["id"] == "r1"
    current = workspace.releases.current()
    assert current is not None
    assert current.id == "r1"
    event = workspace.records.audit.last()
    assert event is not None
    assert (event.kind, event.detail["from"], event.detail["why"]) == (
        "release.rollback",
        "r2",
        "wrong licence",
    )


def test_rolling_back_passes_over_what_was_never_public(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    for _ in range(3):
        do(workspace, "release.build", hold_back=True)
    do(workspace, "release.publish", id="r1")
    do(workspace, "release.publish", id="r3")
    assert do(workspace, "release.rollback")["id"] == "r1"


def test_there_is_nothing_before_the_first_release(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    do(workspace, "release.build", hold_back=True)
    do(workspace, "release.publish")
    with pytest.raises(Invalid, match="no release before r1"):
        do(workspace, "release.rollback")


def test_ids_are_never_reused(workspace: Workspace) -> None:
    import shutil

    load(workspace, CATALOGUE)
    shutil.rmtree(build(workspace, hold_back=True).path)
    assert build(workspace, hold_back=True).id == "r2"


def test_a_changed_file_of_a_release_is_not_published(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    built = build(workspace, hold_back=True)
    with (built.path / "catalogue.nq").open("a") as out:
        out.write("# changed\n")
    with pytest.raises(CorruptStore, match=r"catalogue\.nq"):
        do(workspace, "release.publish")
    assert workspace.releases.current() is None


def test_unknown_release_is_named_with_those_there_are(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    do(workspace, "release.build", hold_back=True)
    with pytest.raises(NotFound) as missing:
        do(workspace, "release.publish", id="r9")
    assert missing.value.hint == "releases: r1"
    for evil in ("../working", ".", "current", "r1/store"):
        with pytest.raises(NotFound):
            workspace.releases.get(evil)


def test_difference_names_new_changed_and_gone_records(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    first = build(workspace, waive="x")
    load(workspace, CATALOGUE.replace('"Ruido"', '"Nivel de ruido"'))
    load(workspace, PREFIXES + ':air a dcat:Dataset ; dct:title "Aire"@es .', "air")
    do(workspace, "visibility", iri=f"{BASE}/id/dataset/trees", to="internal")
    second = build(workspace, waive="x")
    found = release.difference(first, second)
    assert found.new == ["dataset/air"]
    assert found.changed == ["dataset/noise"]
    assert found.gone == ["dataset/trees"]
    removed, added = release.statements(first, second)
    assert any('"Ruido"@es' in line for line in removed)
    assert any('"Nivel de ruido"@es' in line for line in added)


def test_a_deleted_dataset_is_a_tombstone_in_the_next_release(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    before = build(workspace, waive="x")
    do(workspace, "delete", iri=f"{BASE}/id/dataset/noise", replaced_by=f"{BASE}/id/dataset/trees")
    built = build(workspace, waive="x")
    text = "\n".join(lines(built))
    assert built.manifest["content"]["tombstones"] == ["dataset/noise"]
    assert release.difference(before, built).gone == ["dataset/noise"]
    assert release.difference(built, built).gone == []
    tombstone = "<https://www.w3.org/ns/activitystreams#Tombstone>"
    rdf_type = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
    assert f"<{BASE}/id/dataset/noise> {rdf_type} {tombstone}" in text
    assert f"<{BASE}/id/distribution/noise-csv> {rdf_type} {tombstone}" in text
    assert '"Ruido"' not in text


def test_a_deleted_dataset_can_be_brought_back(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    iri = f"{BASE}/id/dataset/noise"
    before = workspace.records.get("dataset/noise").text
    do(workspace, "delete", iri=iri)
    problems = load(workspace, CATALOGUE + "# again")["problems"]
    assert any("deleted here" in problem["message"] for problem in problems)
    do(workspace, "restore", iri=iri, why="by mistake")
    assert workspace.records.get("dataset/noise").text == before
    with pytest.raises(Invalid, match="not deleted"):
        do(workspace, "restore", iri=iri)


def test_another_base_is_refused_once_there_are_records(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    workspace.close()
    other = settings.read(workspace.data, {"BILBAOKG_BASE": "https://other.example"})
    with pytest.raises(Conflict, match=r"datos\.example\.org"):
        Workspace(workspace.data, other)


def test_recovery_finishes_a_told_build_and_clears_an_untold_one(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    built = build(workspace, hold_back=True)
    aside = workspace.releases.path / ".building-r1"
    built.path.rename(aside)
    (workspace.releases.path / ".building-r7").mkdir()
    workspace.builder.recover(workspace.records.audit.events())
    assert [r.id for r in workspace.releases.list()] == ["r1"]
    assert not list(workspace.releases.path.glob(".building-*"))


DAMAGED = (
    "catalogue.nq",
    "manifest.json",
    "report.json",
    "index.db",
    "exports/records.nt",
    "exports/dcat-ap/page-1.ttl",
    "store/CURRENT",
)


def spoil(path: Path) -> None:
    """Turn one bit of a file in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture
def two(workspace: Workspace) -> Workspace:
    """A catalogue with the releases r1 and r2, of which r2 is published."""
    load(workspace, CATALOGUE)
    for _ in range(2):
        do(workspace, "release.build", hold_back=True)
        do(workspace, "release.publish")
    return workspace


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("gone", [False, True])
def test_damaged_release_is_not_published_and_its_file_is_named(
    two: Workspace, name: str, gone: bool
) -> None:
    path = two.releases.path / "r1" / name
    path.unlink() if gone else spoil(path)
    for operation in ("release.rollback", "release.publish"):
        with pytest.raises(CorruptStore) as error:
            do(two, operation, id="r1")
        assert error.value.where == str(path)
    assert two.releases.current_id() == "r2"


@pytest.mark.parametrize("name", DAMAGED)
def test_published_release_that_is_damaged_can_be_replaced(two: Workspace, name: str) -> None:
    (two.releases.path / "r2" / name).unlink()
    two.close()
    with Workspace(two.data, two.settings) as again:
        assert do(again, "status")["current"] == "r2"
        assert do(again, "release.rollback")["id"] == "r1"
        assert do(again, "release.build", hold_back=True)["id"] == "r3"


def test_published_release_that_is_not_there_can_be_replaced(two: Workspace) -> None:
    shutil.rmtree(two.releases.path / "r2")
    two.close()
    with Workspace(two.data, two.settings) as again:
        assert do(again, "release.publish")["id"] == "r1"


def test_release_whose_audit_entry_fails_is_there_whole_or_not_at_all(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    load(workspace, CATALOGUE)
    for operation in ("release.build", "release.publish"):
        with monkeypatch.context() as full:
            full.setattr(os, "fdatasync", fail)
            with pytest.raises(StorageFull):
                do(workspace, operation, hold_back=True)
        told = [e.detail["id"] for e in workspace.records.audit.events() if e.kind == operation]
        there = {r.id for r in workspace.releases.list()}
        current = workspace.releases.current()
        assert set(told) <= there
        assert not (workspace.releases.path / ".current").is_symlink()
        assert not list(workspace.releases.path.glob(".building-*"))
        assert (current.id if current else None) == (
            told[-1] if told and operation == "release.publish" else None
        )
        do(workspace, operation, hold_back=True)
    assert workspace.records.audit.verify()


def test_recovery_completes_a_told_switch(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    do(workspace, "release.build", hold_back=True)
    do(workspace, "release.publish")
    (workspace.releases.path / "current").unlink()
    workspace.builder.recover(workspace.records.audit.events())
    current = workspace.releases.current()
    assert current is not None
    assert current.id == "r1"


def test_report_of_the_release_is_kept_with_it(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    built = build(workspace, waive="agreed")
    report = json.loads((built.path / "report.json").read_text(encoding="utf-8"))
    assert report["profile"] == "dcat-ap/3.0.1"
    assert report["counts"]["violation"] >= 1


def test_report_speaks_of_what_the_release_holds_alone(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    built = build(workspace, hold_back=True)
    report = json.loads((built.path / "report.json").read_text(encoding="utf-8"))
    assert report["counts"]["violation"] == 0
    released = "\n".join(lines(built))
    assert report["results"]
    assert all(f"<{result['focus']}>" in released for result in report["results"])


def test_manifest_is_read_once_and_again_where_its_file_is_another(workspace: Workspace) -> None:
    load(workspace, CATALOGUE)
    first = do(workspace, "release.build", unchecked=True)["id"]
    held = workspace.releases.get(first)
    assert workspace.releases.get(first) is held
    file = held.path / "manifest.json"
    manifest = json.loads(file.read_bytes())
    manifest["build"]["note"] = "told later"
    file.chmod(0o600)
    file.write_text(json.dumps(manifest))
    assert workspace.releases.get(first).manifest["build"]["note"] == "told later"
    shutil.rmtree(held.path)
    with pytest.raises(NotFound):
        workspace.releases.get(first)
