"""The lineage of the working store in memory: it follows every commit, whatever that changes."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest
from helpers import BASE, Catalogue
from pipelines import content, dataset, event, lineage_of, run_id

from bilbaokg.errors import StorageFault
from bilbaokg.importers import openlineage
from bilbaokg.lineage import DIRECTIONS, Edge, Graph, Kind, LiveGraph
from bilbaokg.lineage import live as module
from bilbaokg.lineage.edges import told
from bilbaokg.operations.lineage import take_in
from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import CSVW, PROV, RDF, SCHEMA, ref

_PROPERTIES = (
    PROV.wasDerivedFrom, PROV.wasInfluencedBy, PROV.used, PROV.generated, PROV.wasGeneratedBy,
    SCHEMA.object,
)  # fmt: skip
_CLASSES = (CSVW.Table, CSVW.Column, PROV.Plan, PROV.Activity)
DERIVED, TYPE = ref(PROV.wasDerivedFrom), ref(RDF.type)


def change(insert: list[str], delete: list[str], graph: str = "x") -> GraphChange:
    return GraphChange(f"{BASE}/graph/record/{graph}", insert=insert, delete=delete)


def alike(graph: Graph, other: Graph) -> bool:
    """Whether two graphs answer the same to everything."""
    every = [{edge.source for edge in g} | {edge.target for edge in g} for g in (graph, other)]
    return (
        list(graph) == list(other)
        and every[0] == every[1]
        and (graph.nodes, graph.edges) == (other.nodes, other.edges)
        and [(c[0], len(c)) for c in graph.cycles()] == [(c[0], len(c)) for c in other.cycles()]
        and sorted(graph.busiest(99)) == sorted(other.busiest(99))
        and all(graph.ends(d) == other.ends(d) for d in DIRECTIONS)
        and all(graph.level(iri) == other.level(iri) for iri in every[0])
        and all(
            {(s.iri, s.hops) for s in graph.walk(iri, d, hops).steps}
            == {(s.iri, s.hops) for s in other.walk(iri, d, hops).steps}
            for iri in every[0] for d in DIRECTIONS for hops in (1, 2, None)
        )
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_after_any_changes_it_is_as_if_made_anew(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    properties = [ref(p) for p in _PROPERTIES]
    store, names = EmbeddedStore(), [f"<x:{n}>" for n in range(25)]
    live = LiveGraph(store)
    held: dict[str, set[str]] = {"a": set(), "b": set()}
    for _ in range(30):
        graph = chance.choice("ab")
        new = {
            f"{chance.choice(names)} {chance.choice(properties)} {chance.choice(names)} ."
            for _ in range(chance.randrange(6))
        }
        new |= {
            f"{chance.choice(names)} {TYPE} {ref(chance.choice(_CLASSES))} ."
            for _ in range(chance.randrange(2))
        }
        some = sorted(held[graph])
        gone = set(chance.sample(some, chance.randrange(min(5, len(some)) + 1))) - new
        store.apply([change(sorted(new), sorted(gone), graph)])
        held[graph] = held[graph] - gone | new
        if chance.random() < 0.7:
            assert alike(live.now(), Graph.of(store))
    assert alike(live.now(), Graph.of(store))


def test_what_nothing_changes_is_not_made_again() -> None:
    store = EmbeddedStore()
    live = LiveGraph(store)
    store.apply([change([f"<x:b> {DERIVED} <x:a> ."], [])])
    first = live.now()
    store.apply([change([f'<x:b> <x:title> "<x:c> {DERIVED} <x:b> ." .'], [])])
    assert live.now() is first
    store.apply([change([f"<x:c> {DERIVED} <x:b> ."], [])])
    assert [step.iri for step in live.now().walk("x:a", "downstream").steps] == ["x:b", "x:c"]
    assert "x:c" not in first


def test_an_edge_that_two_records_say_stays_until_both_take_it_back() -> None:
    store = EmbeddedStore()
    live, line = LiveGraph(store), f"<x:b> {DERIVED} <x:a> ."
    store.apply([change([line], [], "one"), change([line], [], "two")])
    assert live.now().edges == 1
    store.apply([change([], [line], "one")])
    assert live.now().edges == 1
    store.apply([change([], [line], "two")])
    assert (live.now().edges, live.now().nodes, "x:a" in live.now()) == (0, 0, False)


def test_a_graph_that_is_dropped_is_noticed() -> None:
    store = EmbeddedStore()
    live = LiveGraph(store)
    store.apply([change([f"<x:b> {DERIVED} <x:a> ."], [])])
    assert live.now().edges == 1
    store.apply([GraphChange(f"{BASE}/graph/record/x", drop=True)])
    assert live.now().edges == 0


def test_many_changes_at_once_make_it_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_NOTED", 10)
    monkeypatch.setattr(module, "_MOST_CHANGES", 10)
    store = EmbeddedStore()
    live = LiveGraph(store)
    assert live.now().edges == 0
    for count in (5, 30, 40, 45):
        store.apply([change([f"<x:{n}> {DERIVED} <x:a> ." for n in range(count)], [])])
        assert alike(live.now(), Graph.of(store))


def test_a_commit_that_failed_leaves_what_is_there(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store")
    live = LiveGraph(store)
    store.apply([change([f"<x:b> {DERIVED} <x:a> ."], [])])
    assert live.now().edges == 1

    def broken() -> None:
        raise OSError("the disk is gone")

    with pytest.raises(StorageFault):
        store._attempt(broken)
    assert alike(live.now(), Graph.of(store))
    store.close()


def test_many_may_ask_while_another_writes() -> None:
    store = EmbeddedStore()
    live, done, wrong = LiveGraph(store), threading.Event(), []

    def ask() -> None:
        last = 0
        while not done.is_set():
            found = len(live.now().walk("x:0", "downstream").steps)
            if found < last:
                wrong.append((last, found))
            last = found

    readers = [threading.Thread(target=ask) for _ in range(3)]
    for reader in readers:
        reader.start()
    for n in range(300):
        store.apply([change([f"<x:{n + 1}> {DERIVED} <x:{n}> ."], [])])
    done.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert len(live.now().walk("x:0", "downstream").steps) == 300


def test_questions_see_what_pipelines_told_a_moment_ago(catalogue: Catalogue) -> None:
    live = catalogue.workspace.graph
    assert live.now().edges == 0
    for n in range(4):
        table = dataset(f"t{n + 1}", columnLineage=lineage_of(x=f"t{n}:y"))
        told = event("COMPLETE", f"05:0{n}:00", [dataset(f"t{n}")], [table], run=run_id(n))
        take_in(catalogue.workspace, [openlineage.read(content(told))], "t", "x")
        assert alike(live.now(), Graph.of(catalogue.workspace.store))
    assert live.now().edges


def test_lines_tell_edges_and_what_a_thing_is_and_nothing_else() -> None:
    assert told(f"<x:b> {DERIVED} <x:a> .") == Edge("x:a", "x:b")
    assert told(f"<x:r> {ref(PROV.generated)} <x:b> .") == Edge("x:r", "x:b", Kind.GENERATED)
    assert told(f"<x:b> {TYPE} {ref(CSVW.Table)} .") == "x:b"
    for line in (f"<x:b> {TYPE} <x:C> .", f"_:b {DERIVED} <x:a> .", f'<x:b> {DERIVED} "a" .', ""):
        assert told(line) is None
