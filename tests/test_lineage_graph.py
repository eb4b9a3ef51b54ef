"""The lineage graph in memory: it answers as the store does, in any graph."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from helpers import BASE

from bilbaokg.lineage import DIRECTIONS, Edge, Graph, Kind, walk
from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import CSVW, PROV, RDF, SCHEMA, ref


def stored(*lines: str) -> EmbeddedStore:
    store = EmbeddedStore()
    store.apply([GraphChange(f"{BASE}/graph/record/x", insert=lines)])
    return store


def chain(*names: str) -> list[Edge]:
    return [Edge(f"x:{a}", f"x:{b}") for a, b in pairwise(names)]


@pytest.mark.parametrize("seed", range(5))
def test_walks_are_those_of_the_store(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    edges = {(chance.randrange(40), chance.randrange(40)) for _ in range(70)}
    # The first half are columns; some bear on tables.
    bears = {(chance.randrange(20), chance.randrange(20, 40)) for _ in range(20)}
    store = stored(
        *(f"<x:{b}> {ref(PROV.wasDerivedFrom)} <x:{a}> ." for a, b in edges),
        *(f"<x:{b}> {ref(PROV.wasInfluencedBy)} <x:{a}> ." for a, b in bears),
        *(f"<x:{n}> {ref(RDF.type)} {ref(CSVW.Column)} ." for n in range(20)),
        *(f"<x:{n}> {ref(RDF.type)} {ref(CSVW.Table)} ." for n in range(20, 40)),
    )
    graph = Graph.of(store)
    assert graph.edges == len(edges) + len(bears)
    for start in range(0, 40, 3):
        for direction in DIRECTIONS:
            for hops in (1, 2, 3, None):
                asked = (f"x:{start}", direction, hops)
                assert graph.walk(*asked) == walk(store, *asked)


def test_a_job_leads_to_what_it_reads_and_writes_and_is_no_step_between_tables() -> None:
    store = stored(
        f"<x:job> {ref(RDF.type)} {ref(PROV.Plan)} .",
        f"<x:job> {ref(SCHEMA.object)} <x:a> .",
        f"<x:job> {ref(SCHEMA.result)} <x:b> .",
        f"<x:a> {ref(RDF.type)} {ref(CSVW.Table)} .",
        f"<x:b> {ref(PROV.wasDerivedFrom)} <x:a> .",
    )
    graph = Graph.of(store)
    assert [graph.level(f"x:{name}") for name in ("job", "a", "b", "c")] == [
        "job", "table", "other", None,
    ]  # fmt: skip
    assert graph.neighbours("x:a", "downstream") == [
        Edge("x:a", "x:b", Kind.DERIVED), Edge("x:a", "x:job", Kind.READS),
    ]  # fmt: skip
    assert [step.iri for step in graph.walk("x:a", "downstream").steps] == ["x:b"]
    assert [step.iri for step in graph.walk("x:job", "downstream").steps] == ["x:b"]
    assert [step.iri for step in graph.walk("x:job", "upstream").steps] == ["x:a"]


def test_a_column_leads_to_the_tables_on_whose_rows_it_bears() -> None:
    levels = [("x:t", "table"), ("x:u", "table"), ("x:c", "column"), ("x:d", "column")]
    steps = [Edge("x:c", "x:d"), Edge("x:d", "x:t", Kind.INFLUENCED), Edge("x:t", "x:u")]
    graph = Graph(steps, levels)
    assert [step.iri for step in graph.walk("x:c", "downstream").steps] == ["x:d", "x:t", "x:u"]
    assert graph.path(["x:c"], ["x:u"]) == ["x:c", "x:d", "x:t", "x:u"]
    # A table comes from tables.
    assert [step.iri for step in graph.walk("x:u", "upstream").steps] == ["x:t"]


def test_what_is_no_table_is_influenced_by_decisions_and_no_lineage() -> None:
    store = stored(f"<x:appointment> {ref(PROV.wasInfluencedBy)} <x:answer> .")
    assert Graph.of(store).edges == 0


def test_path_is_a_shortest_one_downstream() -> None:
    graph = Graph([*chain("a", "b", "c", "d"), Edge("x:a", "x:c"), Edge("x:d", "x:a")])
    assert graph.path(["x:a"], ["x:d"]) == ["x:a", "x:c", "x:d"]
    assert graph.path(["x:b"], ["x:b"]) == ["x:b"]
    assert graph.path(["x:a"], ["x:nothing"]) == []
    assert Graph(chain("a", "b")).path(["x:b"], ["x:a"]) == []


def test_a_path_may_begin_and_end_at_any_of_several() -> None:
    graph = Graph([*chain("a", "b", "c", "d"), *chain("e", "f", "d")])
    assert graph.path(["x:a", "x:e"], ["x:d"]) == ["x:e", "x:f", "x:d"]
    assert graph.path(["x:a"], ["x:d", "x:c"]) == ["x:a", "x:b", "x:c"]
    assert graph.path(["x:a", "x:c"], ["x:c"]) == ["x:c"]
    assert graph.path([], ["x:d"]) == graph.path(["x:nothing"], ["x:d"]) == []


def test_a_path_leads_from_jobs_and_to_jobs() -> None:
    jobs = [("x:load", "job"), ("x:report", "job")]
    steps = [
        Edge("x:raw", "x:load", Kind.READS), Edge("x:load", "x:mart", Kind.WRITES),
        Edge("x:mart", "x:sum"), Edge("x:sum", "x:report", Kind.READS),
        Edge("x:report", "x:page", Kind.WRITES),
    ]  # fmt: skip
    graph = Graph(steps, jobs)
    assert graph.path(["x:raw"], ["x:load"]) == ["x:raw", "x:load"]
    assert graph.path(["x:load"], ["x:report"]) == ["x:load", "x:mart", "x:sum", "x:report"]
    assert graph.path(["x:report"], ["x:load"]) == []
    # A job is no step between tables: what it writes need not be made of all that it reads.
    assert graph.path(["x:raw"], ["x:page"]) == []


def test_roots_and_leaves_are_where_derivations_begin_and_end() -> None:
    graph = Graph([*chain("a", "b", "c"), *chain("d", "b"), *chain("e", "f", "e")])
    assert graph.ends("upstream") == ["x:a", "x:d"]
    assert graph.ends("downstream") == ["x:c"]
    assert Graph(chain("a", "b")).ends("downstream") == ["x:b"]


def test_hub_of_many_products_and_odd_names_are_walked() -> None:
    hub = "x:ñ%20" + "🦀" * 9
    graph = Graph(Edge(hub, f"x:{n}") for n in range(20_000))
    assert len(graph.walk(hub, "downstream").steps) == 20_000
    found = graph.walk(hub, "downstream", limit=5)
    assert (len(found.steps), found.complete) == (5, False)
    assert graph.path([hub], ["x:7"]) == [hub, "x:7"]
    assert "\ud800" not in graph


def test_empty_graph_answers_with_nothing() -> None:
    graph = Graph([])
    assert (graph.nodes, graph.edges, graph.ends("upstream")) == (0, 0, [])
    assert graph.walk("x:a", "upstream").steps == []


def test_each_knot_shows_a_shortest_circle() -> None:
    graph = Graph(
        [*chain("a", "b", "c", "a"), *chain("b", "a"), *chain("c", "d", "d"), *chain("e", "f")]
    )
    assert graph.cycles() == [["x:a", "x:b"], ["x:d"]]
    long = Graph(chain(*(f"{n:06}" for n in range(50_000)), "000000"))
    assert [len(circle) for circle in long.cycles()] == [50_000]
    assert Graph(chain("a", "b", "c")).cycles() == []


def test_data_that_were_generated_by_a_run_lead_from_it_and_nothing_else_does() -> None:
    generated = ref(PROV.wasGeneratedBy)
    graph = Graph.of(
        stored(
            f"<x:run> {ref(RDF.type)} {ref(PROV.Activity)} .",
            f"<x:a> {ref(RDF.type)} {ref(CSVW.Table)} .", f"<x:a> {generated} <x:run> .",
            f"<x:a> {generated} <x:note> .", f"<x:appointment> {generated} <x:run> .",
            f"<x:run> {ref(PROV.generated)} <x:a> .",
        )
    )  # fmt: skip
    assert list(graph) == [Edge("x:run", "x:a", Kind.GENERATED)]
    assert [step.iri for step in graph.walk("x:run", "downstream").steps] == ["x:a"]
