"""OpenLineage over HTTP: the real client emits to the running server, and strangers try others."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import (
    DatasetEvent,
    InputDataset,
    Job,
    JobEvent,
    OutputDataset,
    Run,
    RunEvent,
    RunState,
    StaticDataset,
)  # fmt: skip
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    documentation_dataset,
    error_message_run,
    ownership_dataset,
    parent_run,
    schema_dataset,
    sql_job,
    symlinks_dataset,
)  # fmt: skip
from openlineage.client.transport.http import HttpConfig, HttpTransport
from pipelines import SPACE, content, dataset, event, run_id
from serving import BASE, Served, initialise, served, token

from bilbaokg.lineage.names import Name, column_iri, run_iri, table_iri

STATUS = "https://schema.org/actionStatus"
AT = "2026-11-20T05:00:00.000Z"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = initialise(tmp_path_factory.mktemp("lineage") / "data")
    with served(data) as running:
        yield running
        assert [line for line in running.logged() if line["level"] == "error"] == []


@pytest.fixture(scope="module")
def headers(server: Served) -> dict[str, str]:
    return token(server.data, "write", "pipelines")


@pytest.fixture(params=["plain", "gzip"])
def client(
    server: Served, headers: dict[str, str], request: pytest.FixtureRequest
) -> OpenLineageClient:
    """The client of the OpenLineage project."""
    config = {
        "type": "http", "url": server.url,
        "auth": {"type": "api_key", "apiKey": headers["Authorization"].removeprefix("Bearer ")},
    }  # fmt: skip
    if request.param == "gzip":
        config["compression"] = "gzip"
    return OpenLineageClient(transport=HttpTransport(HttpConfig.from_dict(config)))


def ask(server: Served, headers: dict[str, str], text: str) -> list[str]:
    """The first column of a query over the working store."""
    prefixes = "PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX dct: <http://purl.org/dc/terms/> "
    answer = server.client.get(
        "/working/sparql",
        params={"query": prefixes + text},
        headers=headers | {"Accept": "text/csv"},
    )
    assert answer.status_code == 200, answer.text
    return answer.text.splitlines()[1:]


def send(
    server: Served, headers: dict[str, str], body: Any, path: str = "", **more: str
) -> httpx.Response:
    sent = body if isinstance(body, bytes) else content(body)
    kinds = {"Content-Type": "application/json"} | more
    return server.client.post(f"/api/v1/lineage{path}", content=sent, headers=headers | kinds)


def iri(name: str) -> str:
    return table_iri(BASE, Name(SPACE, name))


def test_client_tells_of_a_whole_run(
    server: Served, headers: dict[str, str], client: OpenLineageClient
) -> None:
    run = Run(run_id(7), facets={
        "parent": parent_run.ParentRunFacet(
            run=parent_run.Run(run_id(6)), job=parent_run.Job("airflow", "dag")),
    })  # fmt: skip
    job = Job("airflow", "dag.task", facets={"sql": sql_job.SQLJobFacet("SELECT secret FROM raw")})
    fields = [schema_dataset.SchemaDatasetFacetFields("id", "INT")]
    read = InputDataset(SPACE, "raw", facets={
        "schema": schema_dataset.SchemaDatasetFacet(fields=fields),
        "ownership": ownership_dataset.OwnershipDatasetFacet([ownership_dataset.Owner("team:a")]),
        "documentation": documentation_dataset.DocumentationDatasetFacet("Raw data"),
    })  # fmt: skip
    origin = column_lineage_dataset.InputField(SPACE, "raw", "id", [
        column_lineage_dataset.Transformation("DIRECT", "IDENTITY"),
    ])  # fmt: skip
    made = OutputDataset(SPACE, "made", facets={
        "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet(
            fields={"key": column_lineage_dataset.Fields([origin])}),
        "symlinks": symlinks_dataset.SymlinksDatasetFacet(
            [symlinks_dataset.Identifier("hive", "made", "TABLE")]),
    })  # fmt: skip
    for state, told in ((RunState.START, {"inputs": [read]}), (RunState.RUNNING, {}),
                        (RunState.COMPLETE, {"outputs": [made]})):  # fmt: skip
        client.emit(RunEvent(eventTime=AT, run=run, job=job, eventType=state, **told))
    assert ask(server, headers, f"SELECT ?o {{ <{iri('made')}> prov:wasDerivedFrom ?o }}") == [
        iri("raw")
    ]
    key, id = column_iri(BASE, iri("made"), "key"), column_iri(BASE, iri("raw"), "id")
    assert ask(server, headers, f"SELECT ?o {{ <{key}> prov:wasDerivedFrom ?o }}") == [id]
    above = ask(server, headers, f"SELECT ?o {{ <{run_iri(BASE, run_id(7))}> dct:isPartOf ?o }}")
    assert above == [run_iri(BASE, run_id(6))]
    kept = ask(
        server, headers, 'SELECT ?g { GRAPH ?g { ?s ?p ?o FILTER(CONTAINS(STR(?o), "secret")) } }'
    )
    assert len(kept) == 1
    assert kept[0].startswith(f"{BASE}/graph/lineage/job/")


def test_client_tells_of_failures_jobs_and_datasets(
    server: Served, headers: dict[str, str], client: OpenLineageClient
) -> None:
    run = Run(
        run_id(8), facets={"errorMessage": error_message_run.ErrorMessageRunFacet("no", "SQL")}
    )
    job = Job("airflow", "fails")
    client.emit(RunEvent(eventTime=AT, run=run, job=job, eventType=RunState.START))
    client.emit(RunEvent(eventTime=AT, run=run, job=job, eventType=RunState.FAIL))
    client.emit(
        JobEvent(
            eventTime=AT,
            job=Job("airflow", "declared"),
            inputs=[InputDataset(SPACE, "in")],
            outputs=[OutputDataset(SPACE, "out")],
        )
    )
    facets = {"documentation": documentation_dataset.DocumentationDatasetFacet("Alone")}
    client.emit(DatasetEvent(eventTime=AT, dataset=StaticDataset(SPACE, "alone", facets=facets)))
    status = f"SELECT ?o {{ <{run_iri(BASE, run_id(8))}> <{STATUS}> ?o }}"
    assert ask(server, headers, status) == ["https://schema.org/FailedActionStatus"]
    assert ask(server, headers, f"SELECT ?o {{ <{iri('out')}> prov:wasDerivedFrom ?o }}") == [
        iri("in")
    ]
    assert ask(server, headers, f"SELECT ?o {{ <{iri('alone')}> dct:description ?o }}") == ["Alone"]


def test_a_time_without_a_zone_is_utc(
    server: Served, headers: dict[str, str], client: OpenLineageClient
) -> None:
    told = datetime(2026, 11, 20, 5, 0, 7, 80).isoformat()
    run = Run(run_id(11))
    client.emit(RunEvent(eventTime=told, run=run, job=Job("x", "naive"), eventType=RunState.START))
    started = f"SELECT ?o {{ <{run_iri(BASE, run_id(11))}> prov:startedAtTime ?o }}"
    assert ask(server, headers, started) == ["2026-11-20T05:00:07.00008Z"]


def test_many_clients_at_once_lose_nothing(server: Served, headers: dict[str, str]) -> None:
    failed: list[int] = []

    def emit(worker: int) -> None:
        with httpx.Client(base_url=server.url, headers=headers, timeout=60) as sender:
            for n in range(10):
                told = event("COMPLETE", "05:00:00", [dataset("shared")], [dataset(f"w{worker}")],
                             run=run_id(1000 + 100 * worker + n), job=f"w{worker}")  # fmt: skip
                if sender.post("/api/v1/lineage", json=told).status_code != 200:
                    failed.append(worker)

    threads = [threading.Thread(target=emit, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    runs = ask(server, headers, f"SELECT (COUNT(?r) AS ?n) {{ ?r prov:used <{iri('shared')}> }}")
    assert runs == ["80"]


def test_batch_counts_what_is_right_and_lists_what_is_not(
    server: Served, headers: dict[str, str]
) -> None:
    right = event("COMPLETE", "05:00:00", [], [dataset("batched")], run=run_id(20), job="batched")
    bodies = [right, {**right, "run": {}}, 5, {**right, "big": "x" * (1 << 20)}]
    answer = send(server, headers, bodies, "/batch")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["status"] == "partial_success"
    assert told["summary"] == {
        "received": 4, "successful": 1, "failed": 3, "retriable": 0, "non_retriable": 3,
    }  # fmt: skip
    assert [failed["index"] for failed in told["failed_events"]] == [1, 2, 3]
    assert "/1/run/runId: there is no run id" in told["failed_events"][0]["reason"]
    assert send(server, headers, [right], "/batch").json()["status"] == "success"
    assert send(server, headers, [], "/batch").json()["summary"]["received"] == 0


RIGHT = event("START", "05:00:00", [dataset("a")], run=run_id(30))


def changed(**members: Any) -> dict[str, Any]:
    return {**RIGHT, **members}


DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        (changed(run=None), 422, "/run"),
        (changed(run={}), 422, "/run/runId"),
        (changed(run={"runId": "not-a-uuid"}), 422, "/run/runId"),
        (changed(run={"runId": 5}), 422, "/run/runId"),
        (changed(run=[]), 422, "/run"),
        (changed(job=None), 422, "/job"),
        (changed(job={"name": "x"}), 422, "/job/namespace"),
        (changed(job={"namespace": "x", "name": ""}), 422, "/job/name"),
        (changed(job={"namespace": "x", "name": "\ud800"}), 422, "/job/name"),
        (changed(job={"namespace": "x", "name": "x" * 2001}), 422, "/job/name"),
        (changed(job={"namespace": "x", "name": "x", "facets": 1}), 422, "/job/facets"),
        (changed(job={"namespace": "x", "name": "x", "facets": {"": {}}}), 422, "/job/facets"),
        (changed(eventTime=None), 422, "/eventTime"),
        (changed(eventTime="2026-11-20"), 422, "/eventTime"),
        (changed(eventTime="2026-11-20T05:00:00 Madrid"), 422, "/eventTime"),
        (changed(eventTime="2026-02-30T05:00:00Z"), 422, "/eventTime"),
        (changed(eventTime="2999-01-01T00:00:00Z"), 422, "/eventTime"),
        (changed(eventTime="0001-01-01T00:00:00+14:00"), 422, "/eventTime"),
        (changed(eventTime=1763), 422, "/eventTime"),
        (changed(eventType="DONE"), 422, "/eventType"),
        (changed(inputs={}), 422, "/inputs"),
        (changed(inputs=[5]), 422, "/inputs/0"),
        (changed(inputs=[{"namespace": "x"}]), 422, "/inputs/0/name"),
        (changed(inputs=[dataset(f"i{n}") for n in range(2001)]), 422, "/inputs"),
        (changed(big={"x": "x" * (1 << 20)}), 413, None),
        ([RIGHT], 422, None),
        (b"", 400, None),
        (b"{", 400, None),
        (b'{"a": NaN}', 400, None),
        (b"\xff\xfe{", 400, None),
        (b"1" * 5000, 400, None),
        (DEEP, 422, None),
        (b"[" * 500_000, 422, None),
    ],
    ids=range(33),
)
def test_what_is_wrong_is_refused_with_its_place(
    server: Served, headers: dict[str, str], body: Any, status: int, where: str | None
) -> None:
    answer = send(server, headers, body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem.get("where") == where
    assert problem["detail"]
    assert server.client.get("/health/live").status_code == 200


def test_fifty_megabytes_are_refused_while_they_come(
    server: Served, headers: dict[str, str]
) -> None:
    packed = gzip.compress(b'{"run": "' + b"x" * (50 << 20) + b'"}')
    answer = send(server, headers, packed, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 413
    assert "1,048,576" in answer.json()["detail"]
    assert "facets" in answer.json()["hint"]


ODD: list[Any] = [
    [], 5, "x", None, {"fields": 5}, {"fields": [5, {"name": 5}]},
    {"fields": {"a": {"inputFields": [{"namespace": 1}, 5]}, "b": 5}},
    {"owners": [{"name": {}}]}, {"identifiers": [{"namespace": "x"}]},
    {"description": ["\ud800"]}, {"description": "a\u0000\ud800b"}, {"tags": {"key": 1}},
    {"_deleted": True},
]  # fmt: skip


def test_wrong_shapes_within_facets_are_kept_and_harm_nothing(
    server: Served, headers: dict[str, str]
) -> None:
    for n, odd in enumerate(ODD):
        names = (
            "schema", "columnLineage", "ownership", "symlinks", "documentation", "tags", "version",
            "lifecycleStateChange", "datasetType",
        )  # fmt: skip
        told = event(
            "COMPLETE",
            "05:00:00",
            [],
            [dataset(f"odd{n}", **dict.fromkeys(names, odd))],
            run=run_id(500 + n),
            run_facets={"parent": odd},
            job_facets=dict.fromkeys(names, odd),
        )
        answer = send(server, headers, told)
        assert answer.status_code == 200, (odd, answer.text)


def test_no_token_no_lineage(server: Served) -> None:
    assert send(server, {}, RIGHT).status_code == 401
    assert send(server, token(server.data, "read", "onlooker"), RIGHT).status_code == 403
    assert send(server, {}, [RIGHT], "/batch").status_code == 401


def test_token_of_a_pipeline_tells_lineage_and_does_nothing_else(server: Served) -> None:
    given = token(server.data, "lineage", "airflow")
    assert send(server, given, RIGHT).status_code == 200
    assert send(server, given, [RIGHT], "/batch").status_code == 200
    for address in ("/working/sparql?query=ASK{}", "/api/lineage/upstream?iri=x:x"):
        assert server.client.get(address, headers=given).status_code == 403, address
    assert server.client.post("/api/load?source=x", headers=given).status_code == 403


def test_other_media_types_are_refused(server: Served, headers: dict[str, str]) -> None:
    answer = send(server, headers, RIGHT, **{"Content-Type": "text/turtle"})
    assert answer.status_code == 415


def test_what_was_acknowledged_is_there_after_a_kill(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = initialise(tmp_path_factory.mktemp("killed") / "data")
    given = token(data, "write")
    running = Served(data)
    told = event("COMPLETE", "05:00:00", [], [dataset("a")])
    assert send(running, given, told).status_code == 200
    running.client.close()
    running.process.kill()
    running.process.wait()
    running.process.stdout.close()
    with served(data) as again:
        assert ask(again, given, f"SELECT ?o {{ <{iri('a')}> dct:title ?o }}") == ["a"]


def test_command_reaches_the_running_server(
    server: Served, headers: dict[str, str], tmp_path: Any
) -> None:
    from bilbaokg.server import control

    events = [
        event("COMPLETE", "05:00:00", [], [dataset(f"file{n}")], run=run_id(700 + n))
        for n in range(3)
    ]
    lines = [json.dumps(told) for told in events]
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join([*lines, "", "{broken", lines[0]]) + "\n")
    done = control.call(server.data, "lineage.load", {"paths": [str(file)]})
    assert (done["events"], done["refused"]) == (4, 1)
    assert done["problems"][0]["source"]["line"] == 5
    file.write_bytes(b'{"a": "' + b"x" * (50 << 20) + b'"}\n' + lines[0].encode())
    done = control.call(server.data, "lineage.load", {"paths": [str(file)]})
    assert (done["events"], done["refused"]) == (1, 1)
    assert "1,048,576" in done["problems"][0]["message"]
    packed = tmp_path / "events.json.gz"
    packed.write_bytes(gzip.compress(json.dumps(events).encode()))
    done = control.call(server.data, "lineage.load", {"paths": [str(packed)]})
    assert (done["events"], done["refused"], done["new"], done["changed"]) == (3, 0, 0, 0)
