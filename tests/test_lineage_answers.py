"""Questions to lineage: right, and the same by commands, over HTTP, and of releases."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import demo_release
import pytest
from helpers import BASE, Catalogue
from pipelines import content, dataset, event, lineage_of, run_id
from serving import Served, served, token

from bilbaokg.cli import main
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.importers import openlineage
from bilbaokg.lineage import Edge, Graph, Kind, answers, coverage, differences
from bilbaokg.lineage.ground import Ground
from bilbaokg.operations.lineage import take_in
from bilbaokg.reports.lineage import TABLES, as_csv
from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import CSVW, DCAT, DCT, DUV, ORG, PROV, RDF, SCHEMA, ref

DEMO = "https://bilbaokg.example/id"
MART = f"{DEMO}/table/bus-mart-gtfs"
FILE = f"{DEMO}/distribution/bilbobus-gtfs-zip"


def ground(*lines: str) -> Ground:
    """Of a store in memory that says just this."""
    store = EmbeddedStore()
    store.apply([GraphChange(f"{BASE}/graph/record/x", insert=lines)])
    return Ground(store, BASE, lambda: Graph.of(store))


def chain(*names: str) -> list[str]:
    return [f"<x:{b}> {ref(PROV.wasDerivedFrom)} <x:{a}> ." for a, b in pairwise(names)]


def tables(*names: str) -> list[str]:
    return [f"<x:{name}> {ref(RDF.type)} {ref(CSVW.Table)} ." for name in names]


def iris(found: list[dict[str, Any]]) -> list[str]:
    return [each["iri"] for each in found]


# ---- walks and ends


def test_exactly_so_many_hops_leaves_out_what_is_nearer() -> None:
    of = ground(*chain("a", "b", "c", "d"), *chain("a", "c"))
    assert iris(answers.walked(of, "x:a", "downstream", 2)["found"]) == ["x:b", "x:c", "x:d"]
    exact = answers.walked(of, "x:a", "downstream", 2, exactly=True)
    assert (iris(exact["found"]), exact["complete"]) == (["x:d"], True)
    assert answers.walked(of, "x:a", "downstream", 9, exactly=True)["found"] == []


def test_few_hops_are_answered_alike_with_and_without_a_graph_in_memory() -> None:
    lines = [*chain("a", "b", "c", "d"), *tables("b"), f"<x:j> {ref(SCHEMA.object)} <x:b> ."]
    made = ground(*lines)
    unmade = Ground(made.store, BASE, lambda: pytest.fail("made for nothing"), is_made=False)
    for iri in ("x:a", "x:b", "x:d"):
        for direction in ("upstream", "downstream"):
            asked = (iri, direction, 2)
            assert answers.walked(unmade, *asked) == answers.walked(made, *asked)


def test_dead_ends_are_made_and_serve_nothing() -> None:
    job = f"<x:job> {ref(RDF.type)} {ref(PROV.Plan)} ."
    of = ground(
        *chain("a", "dead"), *chain("a", "read"), *chain("a", "used"), *chain("a", "published"),
        *tables("a", "dead", "read", "used", "published"), job,
        f"<x:job> {ref(SCHEMA.object)} <x:read> .",
        f"<x:used> {ref(DUV.hasUsage)} <x:report> .",
        f"<x:published> {ref(DCT.isPartOf)} <x:dataset> .",
    )  # fmt: skip
    found = answers.dead_ends(of)
    assert [(each["iri"], each["level"]) for each in found["found"]] == [
        ("x:dead", "table"), ("x:job", "job"),
    ]  # fmt: skip
    assert (answers.dead_ends(of, limit=1)["count"], answers.dead_ends(of, 1)["complete"]) == (2, 0)


def test_circles_are_shown_once() -> None:
    found = answers.circles(ground(*chain("a", "b", "c", "a"), *chain("c", "d")))
    assert [iris(circle) for circle in found["circles"]] == [["x:a", "x:b", "x:c"]]


def test_what_is_not_known_is_told_with_what_is_near() -> None:
    of = ground(*chain("table/trips", "table/trips_daily"))
    with pytest.raises(NotFound) as failed:
        of.known("x:table/trip")
    assert failed.value.hint == "did you mean x:table/trips?"
    for wrong in ("", "nada", "x:a b", "\ud800", 'x:"><script>'):
        with pytest.raises((BadInput, NotFound)):
            of.known(wrong)


# ---- failed runs


def told(catalogue: Catalogue, *runs: tuple[int, str, str, str, str]) -> None:
    """Runs (number, state, time, input, output) of the job that is named after the output."""
    for number, state, at, source, target in runs:
        made = event(
            state, at, [dataset(source)], [dataset(target)], run=run_id(number), job=f"to {target}"
        )
        take_in(catalogue.workspace, [openlineage.read(content(made))], "t", "x")


def spoiled(catalogue: Catalogue, iri: str = "") -> dict[str, list[str]]:
    """Job -> what it spoils, nearest first."""
    found = catalogue.do("lineage.spoiled", iri=iri)["runs"]
    return {
        run["job"]["label"]: [each["label"] for each in (*run["writes"], *run["spoiled"])]
        for run in found
    }


def test_a_failed_run_spoils_all_that_is_made_of_what_it_was_to_write(catalogue: Catalogue) -> None:
    told(
        catalogue, (1, "COMPLETE", "05:00:00", "a", "b"), (2, "COMPLETE", "05:01:00", "b", "c"),
        (3, "COMPLETE", "05:02:00", "c", "d"), (4, "COMPLETE", "05:03:00", "x", "y"),
        (5, "FAIL", "06:00:00", "a", "b"),
    )  # fmt: skip
    assert spoiled(catalogue) == {"to b": ["b", "c", "d"]}
    (run,) = catalogue.do("lineage.spoiled")["runs"]
    assert run["at"].startswith("2026-11-20T06:00:00")
    assert run["last_good"]["at"].startswith("2026-11-20T05:00:00")
    assert spoiled(catalogue, run["iri"]) == spoiled(catalogue, run["job"]["iri"])
    assert spoiled(catalogue, run["last_good"]["iri"]) == {}


def test_a_run_that_went_well_since_mends_it(catalogue: Catalogue) -> None:
    told(catalogue, (1, "FAIL", "05:00:00", "a", "b"), (2, "COMPLETE", "06:00:00", "a", "b"))
    assert spoiled(catalogue) == {}
    told(catalogue, (3, "FAIL", "07:00:00", "a", "b"), (4, "START", "08:00:00", "a", "b"))
    assert spoiled(catalogue) == {"to b": ["b"]}
    told(catalogue, (5, "ABORT", "07:30:00", "b", "c"))
    assert spoiled(catalogue) == {"to c": ["c"], "to b": ["b", "c"]}


def test_only_runs_and_jobs_can_be_asked_what_they_spoil(catalogue: Catalogue) -> None:
    told(catalogue, (1, "FAIL", "05:00:00", "a", "b"))
    table = catalogue.do("lineage.spoiled")["runs"][0]["writes"][0]["iri"]
    with pytest.raises(BadInput):
        catalogue.do("lineage.spoiled", iri=table)


# ---- coverage


def test_coverage_counts_known_unknown_and_missing_by_area() -> None:
    datasets = [f"<x:{n}> {ref(RDF.type)} {ref(DCAT.Dataset)} ." for n in range(5)]
    of = ground(
        *datasets, *chain("t0", "0"), *chain("raw", "t1"),
        f"<x:t1> {ref(DCT.isPartOf)} <x:1> .",
        f"<x:2> {ref(DCT.provenance)} <http://www.opengis.net/def/nil/OGC/0/unknown> .",
        f"<x:3> {ref(PROV.wasGeneratedBy)} <x:run> .",
        *(f"<x:{n}> {ref(DCT.creator)} <x:ana> ." for n in (0, 2)),
        f"<x:1> {ref(DCT.creator)} <x:parks> .",
        f"<x:post> {ref(ORG.member)} <x:ana> .", f"<x:post> {ref(ORG.organization)} <x:parks> .",
    )  # fmt: skip
    found = coverage.coverage(of)
    assert {name: found[name] for name in ("datasets", "known", "unknown", "missing", "share")} == {
        "datasets": 5, "known": 3, "unknown": 1, "missing": 1, "share": 0.6,
    }  # fmt: skip
    (parks,) = found["areas"]
    assert (parks["iri"], parks["datasets"], parks["known"]) == ("x:parks", 3, 2)
    assert coverage.coverage(ground())["share"] is None


# ---- what changed


def test_differences_of_graphs_are_the_edges_that_one_has() -> None:
    edges = [Edge(f"x:{a}", f"x:{b}") for a, b in ("ab", "bc", "cd")]
    run = Edge("x:a", "x:run", Kind.USED)
    before, after = Graph([*edges[:2], run]), Graph([*edges[1:], Edge("x:a", "x:b", Kind.READS)])
    assert list(differences.between(before, after)) == [
        (-1, edges[0]), (1, Edge("x:a", "x:b", Kind.READS)), (1, edges[2]),
    ]  # fmt: skip
    assert list(differences.between(before, before)) == []


def test_changes_of_the_working_store_are_those_between_two_moments(catalogue: Catalogue) -> None:
    told(catalogue, (1, "COMPLETE", "05:00:00", "a", "b"))
    first = catalogue.records.audit.last()
    told(catalogue, (2, "COMPLETE", "06:00:00", "a2", "b"))
    last = catalogue.records.audit.last()
    assert first
    assert last

    def changed(since: str, until: str) -> set[tuple[str, str, str, str]]:
        found = catalogue.do("lineage.changed", since=since, until=until)
        return {
            (name, edge["kind"], edge["source"]["label"], edge["target"]["label"])
            for name in ("added", "removed") for edge in found[name]
        }  # fmt: skip

    later = changed(first.at, last.at)
    assert later == {
        ("added", "derived", "a2", "b"), ("added", "reads", "a2", "to b"),
        ("removed", "derived", "a", "b"), ("removed", "reads", "a", "to b"),
    }  # fmt: skip
    whole = changed(first.at[:10], last.at[:10])
    assert ("added", "derived", "a2", "b") in whole
    assert not any(name == "removed" for name, *_ in whole)
    assert changed("2020-01-01", "2020-12-31") == set()


@pytest.mark.parametrize(
    "span", [("", ""), ("yesterday", ""), ("2026-13-01", ""), ("2026-11-27T05:00:00", ""),
             ("2026-11-27", "2026-11-26T00:00:00Z"), ("9999-12-31", "9999-12-31")]
)  # fmt: skip
def test_a_span_that_is_none_is_refused(span: tuple[str, str]) -> None:
    with pytest.raises(BadInput):
        differences.span(*span)


# ---- the same from everywhere


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_release.copied(tmp_path_factory)


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Served]:
    with served(data) as running:
        yield running


@pytest.fixture(scope="module")
def reader(server: Served) -> dict[str, str]:
    return token(server.data, "read")


ASKED: list[tuple[str, str, list[str], dict[str, str]]] = [
    ("downstream", "walk", [MART, "--hops", "1"], {"iri": MART, "hops": "1"}),
    ("upstream", "walk", [FILE, "--hops", "2", "--exactly"],
     {"iri": FILE, "hops": "2", "exactly": "true"}),
    ("path", "path", [FILE, MART], {"iri": FILE, "to": MART}),
    ("ends", "found", ["upstream"], {"direction": "upstream"}),
    ("circles", "circles", [], {}),
    ("dead-ends", "found", [], {}),
    ("agree", "agree", [MART], {"iri": MART}),
    ("spoiled", "spoiled", [], {}),
    ("coverage", "coverage", [], {}),
    ("duties", "duties", [], {}),
]  # fmt: skip


def said(capsys: pytest.CaptureFixture[str], data: Path, *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["--data", str(data), "--lang", "en", "lineage", *words])
    return int(ended.value.code or 0), capsys.readouterr().out


@pytest.mark.parametrize(("name", "kind", "words", "params"), ASKED, ids=[a[0] for a in ASKED])
@pytest.mark.parametrize("release", [None, "r1", "current"])
def test_commands_and_addresses_answer_the_same(
    server: Served, reader: dict[str, str], capsys: pytest.CaptureFixture[str],
    release: str | None, name: str, kind: str, words: list[str], params: dict[str, str],
) -> None:  # fmt: skip
    further = ["--release", release] if release else []
    _, text = said(capsys, server.data, name, *words, *further, "--json")
    address = f"/api/releases/{release}/lineage/{name}" if release else f"/api/lineage/{name}"
    headers = {} if release else reader
    asked = params | {"lang": "en"}
    answer = server.client.get(address, params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json() == json.loads(text)
    _, text = said(capsys, server.data, name, *words, *further, "--csv")
    accept = headers | {"Accept": "text/csv"}
    answer = server.client.get(address, params=asked, headers=accept)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text == text == as_csv(kind, json.loads(json.dumps(answer_of(server, address,
        asked, headers))))  # fmt: skip
    rows = list(csv.reader(io.StringIO(text)))
    assert tuple(rows[0]) == TABLES[kind].columns
    assert {len(row) for row in rows} == {len(rows[0])}


def answer_of(server: Served, address: str, params: dict[str, str], headers: dict[str, str]) -> Any:
    return server.client.get(address, params=params, headers=headers).json()


def test_releases_are_compared(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer_of(server, "/api/releases/current/lineage/changed", {"since": "r1"}, {})
    code, text = said(capsys, server.data, "changed", "r1", "--json")
    assert (code, found) == (0, json.loads(text) | {"since": "r1", "until": "current"})
    missing = server.client.get("/api/releases/r1/lineage/changed", params={"since": "2001-01-01"})
    assert (missing.status_code, missing.json()["detail"]) == (404, "nothing was public then")


@pytest.mark.parametrize(
    ("address", "params", "status"),
    [
        ("upstream", {"iri": f"{DEMO}/table/nada"}, 404),
        ("upstream", {"iri": "nada"}, 400),
        ("upstream", {"iri": MART, "exactly": "true"}, 400),
        ("upstream", {"iri": MART, "hops": "many"}, 422),
        ("sideways", {"iri": MART}, 404),
        ("upstream", {"iri": MART, "hops": "-1"}, 422),
        ("upstream", {"iri": MART, "limit": "0"}, 422),
        ("upstream", {"iri": "x:" + "a" * 5000}, 422),
        ("path", {"iri": MART}, 422),
        ("path", {"iri": MART, "to": 'x:"} DROP ALL'}, 400),
        ("ends", {"direction": "sideways"}, 422),
        ("spoiled", {"iri": MART}, 400),
        ("coverage", {"format": "xlsx"}, 422),
    ],
)
def test_nonsense_is_refused_and_said(
    server: Served, reader: dict[str, str], address: str, params: dict[str, str], status: int
) -> None:
    for place, headers in (("/api/lineage", reader), ("/api/releases/r1/lineage", {})):
        answer = server.client.get(f"{place}/{address}", params=params, headers=headers)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_working_store_needs_a_token_and_releases_must_be_public(server: Served) -> None:
    for name, _, _, params in ASKED:
        assert server.client.get(f"/api/lineage/{name}", params=params).status_code == 401
    for id, status in (("r99", 404), ("../r1", 404), ("r0", 404), ("rx", 404)):
        answer = server.client.get(f"/api/releases/{id}/lineage/circles")
        assert answer.status_code == status
    wanted = {"Accept": "application/pdf"}
    refused = server.client.get("/api/releases/r1/lineage/circles", headers=wanted)
    assert refused.status_code == 406


def test_commands_say_what_is_wrong(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, data, "upstream", MART, "--exactly")[0] == 2
    assert said(capsys, data, "upstream", f"{DEMO}/table/nada")[0] == 2
    assert said(capsys, data, "coverage", "--release", "r99")[0] == 2
    assert said(capsys, data, "changed", "someday")[0] == 2


def test_a_formula_in_a_name_is_no_formula_in_csv(catalogue: Catalogue) -> None:
    made = event("COMPLETE", "05:00:00", [dataset("=1+1")], [dataset("b")])
    take_in(catalogue.workspace, [openlineage.read(content(made))], "t", "x")
    told = catalogue.do("lineage.ends", direction="upstream")
    assert "'=1+1" in as_csv("found", told)


def test_levels_are_told_with_columns(catalogue: Catalogue) -> None:
    target = dataset("b", columnLineage=lineage_of(x="a:y"))
    made = event("COMPLETE", "05:00:00", [dataset("a")], [target])
    take_in(catalogue.workspace, [openlineage.read(content(made))], "t", "x")
    found = catalogue.do("lineage.ends", direction="downstream")["found"]
    assert {(each["label"], each["level"]) for each in found} == {("b", "table"), ("b.x", "column")}
