"""How many queries a second does the endpoint answer, beside other servers on the same data?

    python benchmarks/sparql.py 10000 [--data DIR] [--seconds S] [--rounds N] [--fuseki]

Our server answers through workers that can be killed; beside it run `oxigraph serve-read-only` (the
Rust server that the package `oxigraph` brings) on a copy of the release's store and, with --fuseki,
Apache Jena Fuseki (Java and Maven are needed), which holds the same statements in memory. All of
them ask the union of the graphs. `wrk` asks with 16 connections that are kept: the servers take
turns within a round, and the best round of each counts. "New" queries are each asked for the first
time, "again" are 2,000 that were asked before. Then come large answers, one after the other over
one connection, and cheap queries while eight clients ask hostile ones. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from generate import DEFAULT_BASE
from load_and_release import release
from measure import machine, memory, run, table
from serve import serving

__all__ = ["main"]

PREFIXES: Final = (
    "PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX dct: <http://purl.org/dc/terms/> "
)
JSON: Final = "application/sparql-results+json"
KNOWN: Final = 2000
ROWS: Final = 100_000
FORMATS: Final = {
    "JSON": JSON, "XML": "application/sparql-results+xml", "CSV": "text/csv",
    "TSV": "text/tab-separated-values",
}  # fmt: skip
PRODUCT: Final = " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(6))
HOSTILE: Final = (
    f"SELECT (COUNT(*) AS ?n) {{ {PRODUCT} }}",
    f"SELECT DISTINCT ?c0 ?c1 ?c2 {{ {PRODUCT} }} ORDER BY ?c2",
    "SELECT * { ?a (!<x:p>|^!<x:p>)* ?b }",
    "SELECT (GROUP_CONCAT(CONCAT(STR(?a), STR(?d))) AS ?x) { ?a ?b ?c . ?d ?e ?f }",
)
# Asks for one query after the other; new ones end in a comment that makes them so.
SCRIPT: Final = """
local paths, turn = {{{paths}}}, {start}
request = function()
  turn = turn + 1
  return wrk.format("GET", paths[turn % #paths + 1]{new})
end
"""
POM: Final = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies><dependency>
<groupId>org.apache.jena</groupId><artifactId>jena-fuseki-main</artifactId><version>5.6.0</version>
</dependency><dependency><groupId>org.apache.logging.log4j</groupId>
<artifactId>log4j-slf4j2-impl</artifactId><version>2.25.2</version></dependency></dependencies>
</project>"""


@dataclass(frozen=True)
class Engine:
    """A server that runs: its name, its process, its port, and the path of its endpoint."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    path: str


# ---- the servers


@contextlib.contextmanager
def running(name: str, command: Sequence[str], port: int, path: str) -> Iterator[Engine]:
    """Another server, from when it answers until the end."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            engine = Engine(name, process, port, path)
            for _ in range(600):
                with contextlib.suppress(OSError, http.client.HTTPException):
                    ask(engine, "ASK {}")
                    break
                if process.poll() is not None:
                    raise RuntimeError(f"{name} did not start")
                time.sleep(0.1)
            yield engine
        finally:
            process.terminate()
            process.wait(20)


def rust(store: Path, port: int) -> contextlib.AbstractContextManager[Engine]:
    """The server that the package `oxigraph` brings."""
    program = str(Path(sys.executable).with_name("oxigraph"))
    command = [program, "serve-read-only", "--location", str(store), "--union-default-graph"]
    return running("oxigraph", [*command, "--bind", f"127.0.0.1:{port}"], port, "/query")


def fuseki(folder: Path, nquads: Path, port: int) -> contextlib.AbstractContextManager[Engine]:
    """Fuseki from Maven Central, with the statements in its default graph."""
    (folder / "pom.xml").write_text(POM)
    lib, data = folder / "lib", folder / "data.nt"
    goal = "dependency:copy-dependencies"
    run(["mvn", "-q", "-f", str(folder / "pom.xml"), goal, f"-DoutputDirectory={lib}"])
    with nquads.open() as quads, data.open("w") as triples:
        triples.writelines(re.sub(r" <[^<>]*> \.$", " .", quad) for quad in quads)
    server = "org.apache.jena.fuseki.main.cmds.FusekiMainCmd"
    command = ["java", "-cp", f"{lib}/*", server, f"--port={port}", f"--file={data}", "/ds"]
    return running("Fuseki", command, port, "/ds/sparql")


# ---- asking


def ask(engine: Engine, query: str, accept: str = JSON) -> tuple[int, float, float]:
    """Bytes of an answer, seconds until its first byte, and until its last."""
    connection = http.client.HTTPConnection("127.0.0.1", engine.port, timeout=120)
    start = time.perf_counter()
    connection.request("GET", f"{engine.path}?query={quote(query)}", headers={"Accept": accept})
    answer = connection.getresponse()
    size = len(answer.read(1))
    first = time.perf_counter() - start
    while piece := answer.read(1 << 20):
        size += len(piece)
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{engine.name}: {answer.status}")
    return size, first, time.perf_counter() - start


def load(
    engine: Engine, queries: Sequence[str], accept: str, seconds: int, folder: Path,
    *, new: bool, connections: int = 16,
) -> tuple[float, float]:  # fmt: skip
    """Requests a second by wrk, and the 99th percentile of their times in ms."""
    paths = ",\n".join(f'"{engine.path}?query={quote(query, safe="")}"' for query in queries)
    start = time.time_ns() % 10**12 if new else 0
    script = folder / "wrk.lua"
    suffix = ' .. "%20%23" .. turn' if new else ""
    script.write_text(SCRIPT.format(paths=paths, start=start, new=suffix))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script)]
    url = f"http://127.0.0.1:{engine.port}"
    told = run([*command, "-H", f"Accept: {accept}", url], watched=False).output
    if wrong := re.search(r"Non-2xx[^\n]*", told):
        raise RuntimeError(f"{engine.name}: {wrong[0]}")
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", told)
    high = re.search(r"99%\s+([0-9.]+)(us|ms|s)\b", told)
    if not rate or not high:
        raise RuntimeError(told)
    return float(rate[1]), float(high[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[high[2]]


# ---- what is measured


def kinds(datasets: int) -> dict[str, tuple[list[str], str]]:
    """The small queries: name -> texts, Accept."""
    chance = random.Random(1)  # noqa: S311
    chosen = [f"{DEFAULT_BASE}/id/dataset/d{chance.randrange(datasets)}" for _ in range(KNOWN)]
    titles = "{ ?s a dcat:Dataset ; dct:title ?t }"
    return {
        "ASK": ([f"{PREFIXES}ASK {{ <{each}> a dcat:Dataset }}" for each in chosen], JSON),
        "SELECT, 20 rows": (
            [f"{PREFIXES}SELECT ?s ?t {titles} OFFSET {n % 50} LIMIT 20" for n in range(KNOWN)],
            JSON),
        "CONSTRUCT, 20 titles": (
            [f"{PREFIXES}CONSTRUCT {{ ?s dct:title ?t }} WHERE {titles} OFFSET {n % 50} LIMIT 20"
             for n in range(KNOWN)], "application/n-triples"),
        "CONSTRUCT, a dataset": (
            [f"CONSTRUCT {{ <{each}> ?p ?o }} WHERE {{ <{each}> ?p ?o }}" for each in chosen],
            "application/n-triples"),
    }  # fmt: skip


def small(
    engines: Sequence[Engine], datasets: int, seconds: int, rounds: int, folder: Path
) -> list[tuple[str, ...]]:
    """A row a kind of query and a server."""
    rows = []
    ours, *others = engines
    for name, (queries, accept) in kinds(datasets).items():
        found: dict[str, list[tuple[float, float]]] = {}
        for _ in range(rounds):
            for engine in engines:
                got = load(engine, queries, accept, seconds, folder, new=True)
                found.setdefault(f"{engine.name}, new", []).append(got)
            got = load(ours, queries, accept, seconds, folder, new=False)
            found.setdefault(f"{ours.name}, again", []).append(got)
            got = load(ours, queries, accept, seconds, folder, new=True, connections=2)
            found.setdefault(f"{ours.name}, new, 2 connections", []).append(got)
        best = {who: max(each) for who, each in found.items()}
        base = best[f"{others[0].name}, new"][0]
        for who, (rate, high) in best.items():
            rows.append((name, who, f"{rate:,.0f}", f"{rate / base:.2f}", f"{high:.1f}"))
    return rows


def large(engines: Sequence[Engine], rounds: int) -> list[tuple[str, ...]]:
    """A row a format and a server: MB a second and first byte of an answer of many rows."""
    query = f"SELECT ?s ?p ?o {{ ?s ?p ?o }} LIMIT {ROWS}"
    rows = []
    for name, accept in FORMATS.items():
        best: dict[str, tuple[float, float, int]] = {}
        for turn in range(rounds * 2):
            for engine in engines:
                size, first, whole = ask(engine, f"{query} # {turn}", accept)
                rate, before, _ = best.get(engine.name, (0.0, 9e9, 0))
                best[engine.name] = max(rate, size / whole / 1e6), min(before, first), size
        base = best[engines[1].name][0]
        for who, (rate, first, size) in best.items():
            figures = (
                f"{rate:.1f}",
                f"{rate / base:.2f}",
                f"{first * 1000:.1f}",
                f"{size / 1e6:.1f}",
            )
            rows.append((name, who, *figures))
    return rows


def beside_hostile(ours: Engine, seconds: float) -> tuple[int, float, float, float]:
    """Cheap queries beside eight clients with hostile ones: number; median, 99 %, longest in ms."""
    end = time.monotonic() + seconds
    took: list[float] = []

    def until(work: Callable[[int], None]) -> None:
        turn = 0
        while time.monotonic() < end:
            turn += 1
            work(turn)

    def hostile(place: int) -> Callable[[int], None]:
        def work(turn: int) -> None:
            with contextlib.suppress(RuntimeError):
                ask(ours, f"{HOSTILE[place % len(HOSTILE)]} # {place} {turn}")

        return work

    def cheap(turn: int) -> None:
        start = time.perf_counter()
        ask(ours, f"ASK {{ ?s ?p {turn} }}")
        took.append(time.perf_counter() - start)
        time.sleep(0.05)

    threads = [threading.Thread(target=until, args=(hostile(n),)) for n in range(8)]
    threads.append(threading.Thread(target=until, args=(cheap,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took.sort()
    high = took[min(int(len(took) * 0.99), len(took) - 1)]
    return len(took), statistics.median(took) * 1000, high * 1000, took[-1] * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("datasets", type=int, nargs="?", default=10_000)
    parser.add_argument("--data", type=Path, metavar="DIR", help="a data directory that is there")
    parser.add_argument("--port", type=int, default=8765, help="this and the two after it")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fuseki", action="store_true")
    options = parser.parse_args()
    os.environ["BILBAOKG_PUBLIC_URL"] = f"http://127.0.0.1:{options.port}"
    before = machine()
    with tempfile.TemporaryDirectory(prefix="bilbaokg-benchmark-") as temporary:
        folder = Path(temporary)
        data = options.data or release(folder, options.datasets)
        current = (data / "releases" / "current").resolve()
        shutil.copytree(current / "store", folder / "store")
        with contextlib.ExitStack() as stack:
            process, _ = stack.enter_context(serving(data, options.port))
            engines = [Engine("bilbaokg", process, options.port, "/sparql")]
            engines.append(stack.enter_context(rust(folder / "store", options.port + 1)))
            if options.fuseki:
                made = fuseki(folder, current / "catalogue.nq", options.port + 2)
                engines.append(stack.enter_context(made))
            rates = small(engines, options.datasets, options.seconds, options.rounds, folder)
            idle = memory(process.pid)
            sizes = large(engines, options.rounds)
            grown = memory(process.pid) - idle
            count, median, high, longest = beside_hostile(engines[0], 20.0)
    print(f"{options.datasets:,} datasets. {before}\n")
    print(table(["query", "server", "requests/s", "of oxigraph's", "99 % ms"], rates))
    print(f"\n{ROWS:,} rows; our processes took {grown / 1e6:+,.0f} MB meanwhile.\n")
    print(table(["format", "server", "MB/s", "of oxigraph's", "first byte ms", "MB"], sizes))
    print(
        f"\nBeside eight clients with hostile queries {count} cheap ones took {median:.0f} ms "
        f"(median), {high:.0f} ms (99 %), {longest:.0f} ms (the longest)."
    )


if __name__ == "__main__":
    main()
