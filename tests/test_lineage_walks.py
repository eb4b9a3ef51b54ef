"""Walks along lineage: exactly so far, each thing once and at its least distance, in any graph."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from helpers import BASE, Catalogue
from pipelines import SPACE, content, dataset, event, lineage_of, run_id
from serving import BASE as SERVED_BASE
from serving import Served, initialise, served, token

from bilbaokg.errors import BadInput, NotFound
from bilbaokg.importers import openlineage
from bilbaokg.lineage import Name, walk
from bilbaokg.operations.lineage import take_in
from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import PROV, ref

DERIVED = ref(PROV.wasDerivedFrom)


def graph(edges: list[tuple[int, int]]) -> EmbeddedStore:
    """A store where of each pair the second comes from the first."""
    store = EmbeddedStore()
    lines = [f"<x:{made}> {DERIVED} <x:{source}> ." for source, made in edges]
    store.apply([GraphChange(f"{BASE}/graph/record/x", insert=lines)])
    return store


def reached(store: EmbeddedStore, start: int, direction: str, hops: int | None) -> dict[int, int]:
    found = walk(store, f"x:{start}", direction, hops)
    assert found.complete
    steps = {int(step.iri[2:]): step.hops for step in found.steps}
    assert len(steps) == len(found.steps)
    return steps


def distances(edges: list[tuple[int, int]], start: int) -> dict[int, int]:
    """By hand: relax every edge until nothing changes."""
    found, changed = {start: 0}, True
    while changed:
        changed = False
        for source, made in edges:
            if source in found and found[source] + 1 < found.get(made, 1 << 30):
                found[made], changed = found[source] + 1, True
    del found[start]
    return found


@pytest.mark.parametrize("seed", range(5))
def test_walks_of_random_graphs_are_right_at_every_distance(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    edges = [(chance.randrange(40), chance.randrange(40)) for _ in range(70)]
    store = graph(edges)
    back = [(made, source) for source, made in edges]
    for start in range(0, 40, 7):
        for direction, along in (("downstream", edges), ("upstream", back)):
            expected = distances(along, start)
            assert reached(store, start, direction, None) == expected
            for hops in (1, 2, 3):
                near = {node: far for node, far in expected.items() if far <= hops}
                assert reached(store, start, direction, hops) == near


def test_circle_is_walked_once() -> None:
    store = graph([(1, 2), (2, 3), (3, 1)])
    assert reached(store, 1, "downstream", None) == {2: 1, 3: 2}


def test_more_than_the_limit_is_told() -> None:
    found = walk(graph([(0, n) for n in range(1, 20)]), "x:0", "downstream", None, limit=5)
    assert (len(found.steps), found.complete) == (5, False)


def test_columns_tables_and_jobs_are_walked_by_name(catalogue: Catalogue) -> None:
    told = event(
        "COMPLETE", "05:00:00", [dataset("a")], [dataset("b", columnLineage=lineage_of(x="a:y"))]
    )
    take_in(catalogue.workspace, [openlineage.read(content(told))], "t", "x")
    iris = {r.id.partition("/")[0]: r.iri for r in catalogue.records.all()}
    done = catalogue.do("lineage.walk", iri=iris["job"], direction="downstream")
    assert [(step["label"], step["hops"]) for step in done["found"]] == [("b", 1)]
    done = catalogue.do("lineage.walk", iri=done["found"][0]["iri"], direction="upstream")
    assert [step["label"] for step in done["found"]] == ["a"]
    (column,) = [s for s in catalogue.workspace.store.match(None, DERIVED) if "/column/" in s[0]]
    done = catalogue.do("lineage.walk", iri=column[0][1:-1], direction="upstream", hops=1)
    assert (done["label"], done["found"][0]["label"]) == ("b.x", "a.y")


def test_things_are_asked_for_by_what_they_are_called(catalogue: Catalogue) -> None:
    told = [
        event("COMPLETE", "05:00:00", [dataset("city.a")],
              [dataset("city.b", columnLineage=lineage_of(x="city.a:y"), symlinks={"identifiers": [
                  {"namespace": "hive", "name": "b_of_hive", "type": "TABLE"}]})], job="make_b"),
        event("COMPLETE", "05:00:00", [], [dataset("city.a", "other")], run=run_id(2)),
    ]  # fmt: skip
    take_in(catalogue.workspace, [openlineage.read(content(each)) for each in told], "t", "x")

    def upstream(name: str) -> list[str]:
        done = catalogue.do("lineage.walk", iri=name, direction="upstream", hops=1)
        return [step["label"] for step in done["found"]]

    assert upstream("city.b") == upstream("b_of_hive") == upstream("make_b") == ["city.a"]
    assert upstream(Name(SPACE, "city.b").identifier) == ["city.a"]
    assert upstream("city.b.x") == upstream("x · city.b") == ["city.a.y"]
    with pytest.raises(BadInput, match=r"2 things are called 'city\.a'") as ambiguous:
        upstream("city.a")
    assert f"{catalogue.workspace.settings.base}/id/table/" in str(ambiguous.value.hint)
    for name in ("city", "city.b.z", "z · city.b", "", " ", '"', "a\n", "city.b."):
        with pytest.raises(BadInput, match="nothing is called so"):
            upstream(name)
    way = catalogue.do("lineage.path", iri="city.a.y", to="city.b.x")
    assert [step["label"] for step in way["path"]] == ["city.a.y", "city.b.x"]


def test_what_is_not_known_is_said(catalogue: Catalogue) -> None:
    with pytest.raises(NotFound):
        catalogue.do("lineage.walk", iri="https://nowhere.example/x", direction="upstream")
    with pytest.raises(BadInput):
        catalogue.do("lineage.walk", iri="no iri", direction="upstream")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(initialise(tmp_path_factory.mktemp("walks") / "data")) as running:
        yield running


def test_walks_over_http_need_a_token(server: Served) -> None:
    writer = token(server.data, "write")
    told = event("COMPLETE", "05:00:00", [dataset("a")], [dataset("b")])
    assert server.client.post("/api/v1/lineage", json=told, headers=writer).status_code == 200
    query = {"query": 'SELECT ?t { ?t <http://purl.org/dc/terms/title> "a" }'}
    answer = server.client.get(
        "/working/sparql", params=query, headers=writer | {"Accept": "text/csv"}
    )
    iri = answer.text.split()[1]
    assert iri.startswith(SERVED_BASE)
    asked = {"iri": iri, "hops": "1"}
    assert server.client.get("/api/lineage/downstream", params=asked).status_code == 401
    reader = token(server.data, "read")
    found = server.client.get("/api/lineage/downstream", params=asked, headers=reader).json()
    assert [(step["label"], step["hops"], step["via"]) for step in found["found"]] == [
        ("b", 1, iri)
    ]
    refused = (
        ("sideways", asked, 404),
        ("upstream", {}, 422),
        ("upstream", asked | {"hops": "0"}, 422),
    )
    for path, wrong, status in refused:
        answer = server.client.get(f"/api/lineage/{path}", params=wrong, headers=reader)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


def test_command_walks(server: Served) -> None:
    from bilbaokg.cli.base import group

    runner = CliRunner()
    iri = f"{SERVED_BASE}/id/table/none"
    failed = runner.invoke(group, ["--data", str(server.data), "lineage", "upstream", iri])
    assert isinstance(failed.exception, NotFound)
