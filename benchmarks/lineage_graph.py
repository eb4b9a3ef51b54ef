"""How long do questions to a large lineage take, and how much memory does its index?

    python benchmarks/lineage_graph.py [--edges 1000000]

Makes a lineage of tables: five wholes of 100,000 descendants, twenty of 5,000, and for the rest
groups of 200 tables; each table comes from one or two others of its own. All of it is loaded into a
store on disk, of which the graph is made as the server makes it. networkx gets the same edges in
the same run, in a process of its own: its memory and its time hold just its graph. A walk gives
every thing with its IRI, its distance and through which it was reached; of networkx both the bare
set of descendants and their distances are asked. Oxigraph is asked for the set of the same store by
a property path (SPARQL 1.1, section 9). networkx is no requirement of ours:

    pip install networkx
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import pyoxigraph as ox
from load_and_release import MIB
from measure import machine, table

from bilbaokg.lineage import LiveGraph
from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import PROV, ref

__all__ = ["edges", "main"]

BASE: Final = "https://data.example.org"
HUGE, LARGE, SMALL = 100_000, 5_000, 200
_DERIVED: Final = ref(PROV.wasDerivedFrom)
_ENGINES: Final = ("bilbaokg", "networkx", "Oxigraph")
_ROUNDS: Final = 20
# Property paths take seconds where much is reached.
_SLOW_ROUNDS: Final = 2


def iri(whole: int, number: int) -> str:
    """A table as pipelines name it."""
    return f"{BASE}/id/table/city-mart-table-{number:06}-{whole:06x}{number:014x}"


def wholes(count: int) -> list[int]:
    """How many descendants the first table of each whole has, so that there are `count` edges."""
    sizes = [size for size, times in ((HUGE, 5), (LARGE, 20)) for _ in range(times)]
    while sum(map(_edges_of, sizes)) > count and sizes:
        sizes.pop(0)
    left = (count - sum(map(_edges_of, sizes))) // _edges_of(SMALL)
    return [*sizes, *[SMALL] * left]


def _edges_of(size: int) -> int:
    return size + size // 4


def edges(count: int) -> Iterator[tuple[str, str]]:
    """Pairs of IRIs, source and what is made of it; always the same."""
    chance = random.Random(7)  # noqa: S311
    for whole, size in enumerate(wholes(count)):
        for number in range(1, size + 1):
            yield iri(whole, chance.randrange(max(0, number // 8), number)), iri(whole, number)
        for _ in range(size // 4):
            made = chance.randrange(2, size + 1)
            yield iri(whole, chance.randrange(1, made)), iri(whole, made)


def resident() -> int:
    """The memory of this process in bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def timed(ask: Callable[[str], Any], starts: Iterable[str], rounds: int = _ROUNDS) -> list[float]:
    """Median and 95th percentile in ms, of the clock and of the processor.

    Each start is asked several times.
    """
    walls, cpus = [], []
    for start in [*starts] * rounds:
        begin, used = time.perf_counter(), time.thread_time()
        ask(start)
        walls.append(1000 * (time.perf_counter() - begin))
        cpus.append(1000 * (time.thread_time() - used))
    return [*middle_and_high(walls), *middle_and_high(cpus)]


def middle_and_high(values: Iterable[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    ranked = sorted(values)
    return statistics.median(ranked), ranked[int(0.95 * len(ranked))]


def starts(count: int) -> dict[str, list[str]]:
    """Where the walks begin, by what they show."""
    sizes = wholes(count)
    chance = random.Random(11)  # noqa: S311
    some = [iri(whole, chance.randrange(SMALL)) for whole in range(min(100, len(sizes)))]
    return {
        "one hop": some,
        **{
            f"{size:,} descendants": [iri(n, 0) for n, each in enumerate(sizes) if each == size]
            for size in (LARGE, HUGE) if size in sizes
        },
    }  # fmt: skip


def of_bilbaokg(folder: Path, count: int) -> dict[str, Any]:
    """Our own figures; the store is made beforehand."""
    store = EmbeddedStore(folder)
    before, begin, used = resident(), time.perf_counter(), time.process_time()
    live = LiveGraph(store)
    graph = live.now()
    told = {
        "made": [time.perf_counter() - begin, time.process_time() - used],
        "memory": resident() - before, "edges": graph.edges, "nodes": graph.nodes,
    }  # fmt: skip
    for name, where in starts(count).items():
        hops = 1 if name == "one hop" else None
        told[name] = timed(lambda start, hops=hops: graph.walk(start, "downstream", hops), where)
        found = graph.walk(where[0], "downstream", hops).steps
        told[f"{name} found"] = len(found)
    told["after a commit of 20 edges"] = _after_commits(store, live)
    return told


def _after_commits(store: EmbeddedStore, live: LiveGraph) -> list[float]:
    def commit(number: int) -> None:
        lines = [f"<{iri(0, n)}> {_DERIVED} <x:new{number}> ." for n in range(20)]
        store.apply([GraphChange(f"{BASE}/graph/record/new", insert=lines)])

    walls, cpus = [], []
    for number in range(_ROUNDS):
        commit(number)
        begin, used = time.perf_counter(), time.thread_time()
        live.now()
        walls.append(1000 * (time.perf_counter() - begin))
        cpus.append(1000 * (time.thread_time() - used))
    return [*middle_and_high(walls), *middle_and_high(cpus)]


def of_networkx(folder: Path, count: int) -> dict[str, Any]:
    """The same of networkx, from the same edges."""
    import networkx
    from networkx import descendants, single_source_shortest_path_length

    before, begin, used = resident(), time.perf_counter(), time.process_time()
    graph = networkx.DiGraph()
    graph.add_edges_from(edges(count))
    told: dict[str, Any] = {
        "made": [time.perf_counter() - begin, time.process_time() - used],
        "memory": resident() - before, "version": networkx.__version__,
        "edges": graph.number_of_edges(), "nodes": graph.number_of_nodes(),
    }  # fmt: skip
    for name, where in starts(count).items():
        if name == "one hop":
            told[name] = timed(lambda start: list(graph.successors(start)), where)
            continue
        told[name] = timed(lambda start: descendants(graph, start), where)
        told[f"{name}, with distances"] = timed(
            lambda start: single_source_shortest_path_length(graph, start), where
        )
        told[f"{name} found"] = len(descendants(graph, where[0]))
    return told


def of_oxigraph(folder: Path, count: int) -> dict[str, Any]:
    """The same of property paths over the store itself."""
    before, begin, used = resident(), time.perf_counter(), time.process_time()
    store = ox.Store.read_only(str(folder))

    def made_of(start: str, path: str) -> int:
        query = f"SELECT ?made {{ ?made {_DERIVED}{path} <{start}> }}"
        return sum(1 for _ in cast(Any, store.query(query, use_default_graph_as_union=True)))

    told: dict[str, Any] = {
        "made": [time.perf_counter() - begin, time.process_time() - used],
        "version": ox.__version__,
    }
    for name, where in starts(count).items():
        path = "" if name == "one hop" else "+"
        rounds = _SLOW_ROUNDS if path else _ROUNDS
        told[name] = timed(partial(made_of, path=path), where, rounds)
        told[f"{name} found"] = made_of(where[0], path)
    told["memory"] = resident() - before
    return told


def asked(engine: str, folder: Path, count: int) -> dict[str, Any]:
    """The figures of an engine, from a process of its own."""
    command = [sys.executable, __file__, "--edges", str(count), "--engine", engine, str(folder)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8")
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def rows(told: dict[str, dict[str, Any]]) -> Iterator[list[str]]:
    """The rows of the table."""
    for name, pair in told["bilbaokg"].items():
        if name == "made" or not isinstance(pair, list):
            continue
        for engine, found in told.items():
            for other in (name, f"{name}, with distances"):
                if other in found:
                    yield [f"{engine}: {other}", *(f"{each:,.2f}" for each in found[other])]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--edges", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=_ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("folder", nargs="?", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine:
        measures = {"bilbaokg": of_bilbaokg, "networkx": of_networkx, "Oxigraph": of_oxigraph}
        print(json.dumps(measures[options.engine](options.folder, options.edges)))
        return
    if importlib.util.find_spec("networkx") is None:
        parser.error("networkx is not here: pip install networkx")
    before = machine()
    with tempfile.TemporaryDirectory(prefix="bilbaokg-benchmark-") as temporary:
        quads = Path(temporary) / "lineage.nq"
        with quads.open("w", encoding="utf-8") as out:
            for source, made in edges(options.edges):
                out.write(f"<{made}> {_DERIVED} <{source}> <{made}/graph> .\n")
        folder = Path(temporary) / "store"
        EmbeddedStore.build(folder, quads)
        told = {engine: asked(engine, folder, options.edges) for engine in _ENGINES}
    ours = told["bilbaokg"]
    for engine, theirs in told.items():
        counted = ("edges", "nodes", *(name for name in ours if name.endswith("found")))
        if any(ours[name] != theirs.get(name, ours[name]) for name in counted):
            raise RuntimeError(f"{engine} answers otherwise: {ours} {theirs}")
    print(f"{ours['edges']:,} edges, {ours['nodes']:,} things. {before}\n")
    print(
        table(
            ["question", "median ms", "95 % ms", "CPU median ms", "CPU 95 % ms"], list(rows(told))
        )
    )
    for engine, found in told.items():
        wall, cpu = found["made"]
        name = " ".join(filter(None, (engine, found.get("version"))))
        print(
            f"\n{name}: made in {wall:.1f} s ({cpu:.1f} CPU s), {found['memory'] / MIB:,.0f} MiB."
        )


if __name__ == "__main__":
    main()
