"""Lineage handed out: PROV-O that keeps to its terms, events that make the same lineage again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import Catalogue
from openlineage.client import event_v2
from pipelines import SPACE, content, dataset, event, lineage_of, run_id, schema
from rdflib import Graph as Rdf
from rdflib import Namespace, URIRef
from rdflib.namespace import PROV, RDF, RDFS
from serving import initialise, served, token

from bilbaokg import settings
from bilbaokg.cli import main
from bilbaokg.errors import NotFound
from bilbaokg.importers import openlineage
from bilbaokg.lineage import Graph, provenance, recorded, stated
from bilbaokg.lineage.ground import Ground
from bilbaokg.operations.lineage import take_in
from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import SCHEMA, ref
from bilbaokg.workspace import Workspace
from bilbaokg.writing import read_back, to_bytes

# Property of PROV-O -> classes of its subject and of its object (section 3).
TERMS = {
    PROV.wasDerivedFrom: (PROV.Entity, PROV.Entity), PROV.used: (PROV.Activity, PROV.Entity),
    PROV.wasGeneratedBy: (PROV.Entity, PROV.Activity), PROV.startedAtTime: (PROV.Activity, None),
    PROV.endedAtTime: (PROV.Activity, None), PROV.invalidatedAtTime: (PROV.Entity, None),
    PROV.qualifiedAssociation: (PROV.Activity, PROV.Association),
    PROV.hadPlan: (PROV.Association, PROV.Plan),
    PROV.qualifiedDerivation: (PROV.Entity, PROV.Derivation),
    PROV.entity: (PROV.Derivation, PROV.Entity),
    PROV.hadActivity: (PROV.Derivation, PROV.Activity),
}  # fmt: skip
OTHERS = "https://warehouse.example/ns#"


def told() -> list[dict[str, Any]]:
    """Pipelines with everything that they may say."""
    owner = {"owners": [{"name": "team:bikes", "type": "STEWARD"}]}
    odd = {"_producer": "x", "floor": 1.50, "deep": [{"a": None}, "\u2028\n"]}
    parent = {"run": {"runId": run_id(9)}, "job": {"namespace": "airflow", "name": "whole"}}
    return [
        event("START", "05:00:00", [dataset("raw")], run=run_id(1), run_facets={"parent": parent}),
        event(
            "COMPLETE", "05:01:00", [dataset("raw", own={"inputStatistics": {"rowCount": 3}})],
            [dataset("mart", schema=schema("x INT", "y"), columnLineage=lineage_of(x="raw:a"),
                     ownership=owner, own_facet=odd)],
            job_facets={"documentation": {"description": "Daily"}}, run_facets={"parent": parent},
        ),
        event("FAIL", "06:00:00", [dataset("raw2")], [dataset("mart")], run=run_id(2)),
        event(
            "COMPLETE", "05:30:00", [dataset("/data/mart", "file")],
            [dataset('odd "name" / %2F ñ 🚲', symlinks={"identifiers": []})], run=run_id(3),
            job="files",
        ),
        *(event(state, at, [dataset("raw")], [dataset("again")], run=run_id(4), job="again")
          for state, at in (("START", "07:00:00"), ("FAIL", "07:01:00"), ("START", "07:02:00"),
                            ("COMPLETE", "07:03:00"))),
        event(None, "05:45:00", [dataset("mart")], [dataset("declared", columnLineage=lineage_of(
            z="mart:x"))], run=None, job="static"),
        {
            **{k: v for k, v in event("", "05:50:00", run=None).items()
               if k in ("eventTime", "producer")},
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/DatasetEvent",
            "dataset": dataset("mart", symlinks={"identifiers": [
                {"namespace": "file", "name": "/data/mart", "type": "LOCATION"}]}),
        },
    ]  # fmt: skip


def take(workspace: Workspace, events: list[Any]) -> None:
    read = [openlineage.read(e.encode() if isinstance(e, str) else content(e)) for e in events]
    take_in(workspace, read, "t", "x")


def recorded_of(workspace: Workspace) -> list[str]:
    return list(recorded.events(workspace.store, workspace.settings.base))


@pytest.fixture
def other(tmp_path: Path, catalogue: Catalogue) -> Any:
    data = initialise(tmp_path / "other", base=catalogue.workspace.settings.base)
    with Workspace(data, settings.read(data)) as workspace:
        yield workspace


def texts(workspace: Workspace) -> dict[str, str]:
    return {record.id: record.text for record in workspace.records.all()}


def test_events_taken_in_anew_make_the_same_lineage(catalogue: Catalogue, other: Workspace) -> None:
    take(catalogue.workspace, told())
    written = recorded_of(catalogue.workspace)
    take(other, written)
    assert list(Graph.of(other.store)) == list(Graph.of(catalogue.workspace.store))
    assert texts(other) == texts(catalogue.workspace)
    assert recorded_of(other) == written


def test_facets_that_nobody_knows_come_out_as_they_went_in(catalogue: Catalogue) -> None:
    take(catalogue.workspace, told())
    written = "\n".join(recorded_of(catalogue.workspace))
    assert '"floor": 1.5, "deep": [{"a": null}, "\\u2028\\n"]' in written
    assert "\u2028" not in written


def stated_of(workspace: Workspace) -> list[str]:
    ground = Ground(workspace.store, workspace.settings.base, workspace.graph.now)
    return list(stated.events(ground, "2026-11-20T08:00:00.000Z"))


def test_what_a_release_states_makes_the_same_lineage(
    catalogue: Catalogue, other: Workspace
) -> None:
    take(catalogue.workspace, told())
    take(other, stated_of(catalogue.workspace))
    assert set(Graph.of(other.store)) == set(Graph.of(catalogue.workspace.store))
    assert stated_of(other) == stated_of(catalogue.workspace)


@pytest.mark.parametrize("way", [
    {"type": "DIRECT"}, {"type": "DIRECT", "subtype": "TRANSFORMATION", "description": "x: y"},
    {"type": "INDIRECT", "subtype": "FILTER", "masking": True},
    {"type": "DIRECT", "subtype": "AGGREGATION", "masking": True, "description": "sum\n(x)"},
])  # fmt: skip
def test_how_a_column_is_made_comes_out_as_it_went_in(
    catalogue: Catalogue, way: dict[str, Any]
) -> None:
    field = {"namespace": SPACE, "name": "a", "field": "x", "transformations": [way]}
    lineage = {"fields": {"y": {"inputFields": [field]}}}
    take(catalogue.workspace, [
        event("COMPLETE", "05:00:00", [dataset("a")], [dataset("b", columnLineage=lineage)])
    ])  # fmt: skip
    told = [json.loads(line) for line in stated_of(catalogue.workspace)]
    ways = [
        output["facets"]["columnLineage"]["fields"]["y"]["inputFields"][0]["transformations"]
        for each in told
        for output in each.get("outputs", ())
        if output["facets"]
    ]
    assert ways == [[way], [way]]  # of the run, and of its job


@pytest.mark.parametrize(
    ("iri", "name"),
    [
        ("https://elsewhere.example/a/b?c", ("https://elsewhere.example", "a/b?c")),
        ("https://elsewhere.example", ("https://elsewhere.example", "/")),
        ("urn:isbn:0451450523", ("urn", "isbn:0451450523")),
        ("http://[::1]:8080/x", ("http://[::1]:8080", "x")),
    ],
)
def test_things_that_no_pipeline_named_are_called_by_their_addresses(
    iri: str, name: tuple[str, str]
) -> None:
    store = EmbeddedStore()
    job = "https://d.example/id/job/x"
    store.apply([GraphChange("https://d.example/graph/record/x", insert=[
        f"<{job}> {ref(RDF.type)} {ref(PROV.Plan)} .", f"<{job}> {ref(SCHEMA.object)} <{iri}> .",
    ])])  # fmt: skip
    ground = Ground(store, "https://d.example", lambda: Graph.of(store))
    [told] = map(json.loads, stated.events(ground, "2026-11-20T08:00:00Z"))
    assert [(each["namespace"], each["name"]) for each in told["inputs"]] == [name]


@pytest.mark.parametrize("written", [recorded_of, stated_of])
def test_events_are_such_as_the_client_makes(catalogue: Catalogue, written: Any) -> None:
    take(catalogue.workspace, told())
    kinds = {"RunEvent": event_v2.RunEvent, "JobEvent": event_v2.JobEvent,
             "DatasetEvent": event_v2.DatasetEvent}  # fmt: skip
    seen = set()
    for line in written(catalogue.workspace):
        found = json.loads(line)
        kind = found.pop("schemaURL").rpartition("/")[2]
        seen.add(kind)
        for key, cls in (("run", event_v2.Run), ("job", event_v2.Job)):
            if key in found:
                found[key] = cls(**found[key])
        for key, cls in (("inputs", event_v2.InputDataset), ("outputs", event_v2.OutputDataset)):
            if key in found:
                found[key] = [cls(**each) for each in found[key]]
        if "dataset" in found:
            found["dataset"] = event_v2.StaticDataset(**found["dataset"])
        if "eventType" in found:
            found["eventType"] = event_v2.RunState(found["eventType"])
        kinds[kind](**found)
    assert seen == kinds.keys()


def rdf(ground: Ground, among: set[str] | None = None) -> Rdf:
    return Rdf().parse(data="\n".join(provenance.lines(ground, among)), format="nt")


def test_prov_keeps_to_its_terms_and_their_classes(catalogue: Catalogue) -> None:
    take(catalogue.workspace, told())
    workspace = catalogue.workspace
    found = rdf(Ground(workspace.store, workspace.settings.base, workspace.graph.now))
    classes = {cls for pair in TERMS.values() for cls in pair if cls}
    assert set(found.objects(None, RDF.type)) <= classes
    entities = {*found.subjects(RDF.type, PROV.Entity), *found.subjects(RDF.type, PROV.Plan)}
    assert not entities & set(found.subjects(RDF.type, PROV.Activity))
    seen = set()
    for s, p, o in found:
        if p in (RDF.type, RDFS.label):
            continue
        seen.add(p)
        for node, cls in zip((s, o), TERMS[p], strict=True):
            assert cls is None or (node, RDF.type, cls) in found, (s, p, o)
    assert seen >= {
        PROV.wasDerivedFrom, PROV.used, PROV.wasGeneratedBy, PROV.hadPlan, PROV.startedAtTime,
        PROV.qualifiedDerivation,
    }  # fmt: skip
    graph = workspace.graph.now()
    derived = {(str(s), str(o)) for s, o in found.subject_objects(PROV.wasDerivedFrom)}
    assert derived == {(e.target, e.source) for e in graph if e.kind == 0}


def test_prov_is_the_same_in_every_format(catalogue: Catalogue) -> None:
    take(catalogue.workspace, told())
    workspace = catalogue.workspace
    ground = Ground(workspace.store, workspace.settings.base, workspace.graph.now)
    lines = list(provenance.lines(ground))
    assert lines
    for format in ("ttl", "jsonld", "nt", "rdf"):
        found = read_back(to_bytes(lines, format), format)
        assert {f"{quad.triple} ." for quad in found} == set(lines)


def test_prov_around_a_thing_holds_its_lineage_and_the_runs_and_nothing_else(
    catalogue: Catalogue,
) -> None:
    take(catalogue.workspace, told())
    workspace = catalogue.workspace
    ground = Ground(workspace.store, workspace.settings.base, workspace.graph.now)
    take(workspace, [event("COMPLETE", "08:00:00", [dataset("p")], [dataset("q")], run=run_id(7),
                           job="apart")])  # fmt: skip
    ground = Ground(workspace.store, workspace.settings.base, workspace.graph.now)
    (mart,) = [iri for iri in ground.graph.of_level("table") if ground.label(iri) == "mart"]
    found = rdf(ground, provenance.around(ground, mart))
    labels = {str(label) for label in found.objects(None, RDFS.label)}
    assert {"raw", "mart", "declared", "daily"} <= labels
    assert not {"p", "q", "apart"} & labels
    assert set(found) < set(rdf(ground))
    assert (URIRef(mart), RDF.type, PROV.Entity) in found
    with pytest.raises(NotFound):
        provenance.around(ground, Namespace(OTHERS).nothing)


def test_commands_and_addresses_hand_out_the_same(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    data = initialise(tmp_path / "data")
    with Workspace(data, settings.read(data)) as workspace:
        take(workspace, told())

    def said(*words: str) -> tuple[int, bytes]:
        with pytest.raises(SystemExit) as ended:
            main(["--data", str(data), "--lang", "en", "lineage", "export", *words])
        return int(ended.value.code or 0), capfdbinary.readouterr().out

    with served(data) as server:
        reader = token(data, "read")
        for format in ("ttl", "jsonld", "nt", "rdf"):
            asked = {"format": format, "lang": "en"}
            answer = server.client.get("/api/lineage/prov", params=asked, headers=reader)
            assert (answer.status_code, said("--format", format)) == (200, (0, answer.content))
        answer = server.client.get("/api/lineage/events", headers=reader)
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert said("--format", "openlineage") == (0, answer.content)
        accept = reader | {"Accept": "application/ld+json"}
        answer = server.client.get("/api/lineage/prov", headers=accept)
        assert answer.headers["content-type"] == "application/ld+json"
        assert server.client.get("/api/lineage/events").status_code == 401
        refused = server.client.get("/api/lineage/prov", params={"iri": "nada"}, headers=reader)
        assert refused.status_code == 400
        assert server.client.get("/api/releases/current/lineage/prov").status_code == 404
    assert said("--hops", "2")[0] == 2
    assert said("https://data.example/x", "--format", "openlineage")[0] == 2
    assert said("--output", str(tmp_path / "none" / "x.ttl"))[0] == 2
    assert said("--output", str(tmp_path / "x.ttl")) == (0, b"")
    assert b"prov#" in (tmp_path / "x.ttl").read_bytes()
