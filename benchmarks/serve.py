"""How fast does the server start on a release, refuse a second one, and answer requests?

    python benchmarks/serve.py 10000 [--data DIR] [--port P]

Starts the real server on a released city (DIR as `city.py --keep` left it, else a new one) and asks
it for every kind of page, for feeds and small queries, one request at a time over one connection,
each for the first time and again; then starts a second server, which must refuse the directory.
Seconds of the clock are the client's, seconds of the processors those of the server and its
workers; kB are those of the largest answer, plain and with gzip. The rates are those of the server
with 16 connections that ask for pages as browsers do, packed.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import gzip
import http.client
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from city import BASE, LARGE, SMALL, City, build
from load_and_release import MIB
from measure import cpu, machine, memory, table

__all__ = ["main"]

REPEAT: Final = 200
AGAIN: Final = 20
CONNECTIONS: Final = 16
# Their answers may change without a release.
UNKEPT: Final = ("SPARQL page", "monthly report", "words of the editor")
START_SECONDS: Final = 60.0


class Client:
    """One connection to the server that is kept."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path: str, accept: str = "*/*", coding: str = "identity") -> bytes:
        """The body of an answer that must be 200."""
        headers = {"Accept": accept, "Accept-Encoding": coding}
        self.connection.request("GET", path, headers=headers)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
        return body


@contextlib.contextmanager
def serving(data: Path, port: int) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """The server in a process, and the seconds until it was ready.

    Raises RuntimeError when it does not start, also where another listens already.
    """
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        raise RuntimeError(f"something listens on port {port} already: give another --port")
    command = ["-m", "bilbaokg", "--data", str(data), "--quiet", "serve", "--port", str(port)]
    start = time.perf_counter()
    with subprocess.Popen([sys.executable, *command], stderr=subprocess.DEVNULL) as process:
        try:
            while True:
                with contextlib.suppress(OSError, http.client.HTTPException, RuntimeError):
                    Client(port).get("/health/ready")
                    break
                if process.poll() is not None or time.perf_counter() - start > START_SECONDS:
                    raise RuntimeError("the server did not start")
                time.sleep(0.01)
            yield process, time.perf_counter() - start
        finally:
            process.terminate()
            process.wait(20)


def refusal(data: Path, first: int) -> float:
    """Seconds until a second server has said that process `first` holds the directory."""
    command = ["-m", "bilbaokg", "--data", str(data), "serve", "--port", "0"]
    start = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, *command], capture_output=True, encoding="utf-8", check=False
    )
    if f"in use by process {first} " not in ended.stderr:
        raise RuntimeError(f"the second server was not refused: {ended.stderr}")
    return time.perf_counter() - start


def timed(
    process: subprocess.Popen[bytes], client: Client, paths: Sequence[str], accept: str
) -> tuple[list[float], float, list[bytes]]:
    """Ask for paths in turn: seconds of each, CPU seconds a request, the answers."""
    seconds, answers = [], []
    before = cpu(process.pid)
    for path in paths:
        start = time.perf_counter()
        answers.append(client.get(path, accept))
        seconds.append(time.perf_counter() - start)
    return seconds, (cpu(process.pid) - before) / len(paths), answers


def ask(
    process: subprocess.Popen[bytes], client: Client, paths: Sequence[str], accept: str
) -> tuple[str, ...]:
    """First: median, 95th percentile and CPU in ms; again: CPU in ms; kB plain and packed."""
    seconds, used, answers = timed(process, client, paths, accept)
    _, again, _ = timed(process, client, list(paths) * (1 + AGAIN // len(paths)), accept)
    high = sorted(seconds)[int(len(seconds) * 0.95)]
    largest = max(answers, key=len)
    packed = len(gzip.compress(largest))
    return (
        *(f"{x * 1000:.1f}" for x in (statistics.median(seconds), high, used, again)),
        f"{len(largest) / 1000:,.0f}",
        f"{packed / 1000:,.0f}",
    )


def rate(port: int, paths: Sequence[str]) -> float:
    """Pages a second over some connections, each path once."""
    todo, turn, failed = iter(paths), threading.Lock(), []

    def work() -> None:
        client = Client(port)
        try:
            while True:
                with turn:
                    path = next(todo, None)
                if path is None:
                    return
                client.get(path, "text/html", "gzip")
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise RuntimeError(f"a client failed: {failed[0]}")
    return len(paths) / (time.perf_counter() - start)


# ---- what is asked


def _thing(index: int) -> str:
    return quote(f"{BASE}/id/dataset/d{index}", safe="")


def _lineage(index: int, depth: str = "all") -> str:
    return f"/es/lineage?iri={_thing(index)}&upstream={depth}&downstream={depth}"


def pages(
    datasets: int, chosen: Sequence[int], areas: Sequence[str]
) -> list[tuple[str, list[str]]]:
    """Every kind of page: name, paths."""
    groups = range(0, datasets, LARGE + SMALL)
    month = f"{datetime.datetime.now(datetime.UTC):%Y-%m}"
    many = range(1, 41)
    return [
        ("home", [f"/{lang}/" for lang in ("es", "eu", "en")]),
        ("datasets with facets", [f"/es/datasets?page={n}" for n in many]),
        ("datasets as a table", [f"/es/datasets?view=table&page={n}" for n in many]),
        ("datasets, searched", [f"/es/datasets?q=ruido+d{n}" for n in many]),
        ("search", [f"/es/search?q=ruido+d{n}" for n in many]),
        ("dataset", [f"/es/dataset/d{n}" for n in chosen]),
        ("dataset, its history", [f"/es/dataset/d{n}/history" for n in chosen[:40]]),
        ("dataset, as of a release", [f"/es/dataset/d{n}?as_of=r3" for n in chosen[:40]]),
        ("datasets, as of a release", [f"/es/datasets?as_of=r3&page={n}" for n in many]),
        ("distribution", [f"/es/distribution/d{n}-1" for n in chosen[:40]]),
        ("series, service, other kinds", [f"/es/{k}" for k in ("series", "service", "table")]),
        ("unit", [f"/es/unit/{area}" for area in areas]),
        ("roles", ["/es/roles", "/eu/roles", "/en/roles"]),
        ("principles", ["/es/principle", "/eu/principle", "/en/principle"]),
        ("principle", [f"/{lang}/principle/bilingue" for lang in ("es", "eu", "en")]),
        ("glossary", ["/es/concept", "/eu/concept", "/en/concept"]),
        ("concept", [f"/es/concept/{term}" for term in ("barrio", "distrito", "padron")]),
        ("validation", ["/es/validation", "/eu/validation", "/en/validation"]),
        ("findings", ["/es/validation/findings", "/eu/validation/findings"]),
        ("releases", ["/es/releases", "/eu/releases", "/en/releases"]),
        ("release", [f"/{lang}/releases/r4" for lang in ("es", "eu", "en")]),
        ("dashboard of the city", [f"/{lang}/dashboards" for lang in ("es", "eu", "en")]),
        ("dashboard of an area", [f"/es/dashboards/{area}" for area in areas]),
        ("monthly report", [f"/es/dashboards/{a}/report?month={month}" for a in areas]),
        ("lineage, where to begin", [f"/es/lineage?q=d{n}" for n in many]),
        ("lineage, 2 hops", [_lineage(n, "2") for n in groups]),
        (f"lineage of {SMALL}", [_lineage(n + LARGE) for n in groups]),
        (f"lineage of {LARGE}", [_lineage(n) for n in groups]),
        ("SPARQL page", ["/es/sparql"] * 20),
        ("words of the editor", [f"/{lang}/sparql/words.json" for lang in ("es", "eu", "en")]),
        ("help", ["/es/help", "/eu/help", "/en/help"]),
    ]


def data(datasets: int, chosen: Sequence[int]) -> list[tuple[str, list[str], str]]:
    """What programs ask: name, paths, Accept."""
    results = "application/sparql-results+json"
    queries = [f"SELECT ?p ?o {{ <{BASE}/id/dataset/d{n}> ?p ?o }}" for n in chosen]
    numbers = range(1, max(datasets // 1000, 1) + 1)
    return [
        ("dataset as Turtle", [f"/dataset/d{n}.ttl" for n in chosen], "*/*"),
        ("feed page, RDF/XML", [f"/catalog.rdf?page={n}" for n in numbers], "*/*"),
        ("feed page, Turtle", [f"/catalog.ttl?page={n}" for n in numbers], "*/*"),
        ("SPARQL, a dataset", [f"/sparql?query={quote(query)}" for query in queries], results),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("datasets", type=int, nargs="?", default=10_000)
    parser.add_argument("--data", type=Path, metavar="DIR", help="a data directory that is there")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--warm", type=float, default=30, help="seconds to wait before asking")
    options = parser.parse_args()
    # Feeds are written for one address; asked for under another they would be made again.
    os.environ["BILBAOKG_PUBLIC_URL"] = f"http://127.0.0.1:{options.port}"
    before, chance = machine(), random.Random(1)  # noqa: S311
    numbers = chance.sample(range(options.datasets), 2 * min(REPEAT, options.datasets // 2))
    chosen, others = numbers[::2], numbers[1::2]
    rows = []
    with tempfile.TemporaryDirectory(prefix="bilbaokg-benchmark-") as temporary:
        folder = options.data or build(Path(temporary), options.datasets)
        with serving(folder, options.port) as (process, started):
            time.sleep(options.warm)
            shown = pages(options.datasets, chosen, City(0).units[:15])
            for name, paths in shown:
                rows.append((name, *ask(process, Client(options.port), paths, "text/html")))
            walked = memory(process.pid)
            for name, paths, accept in data(options.datasets, chosen):
                rows.append((name, *ask(process, Client(options.port), paths, accept)))
            new = rate(options.port, [f"/eu/dataset/d{n}" for n in others])
            kept = [path for name, paths in shown for path in paths if name not in UNKEPT]
            rate(options.port, kept)
            again = rate(options.port, (kept * 10)[:5000])
            refused = statistics.median(refusal(folder, process.pid) for _ in range(5))
    print(f"{options.datasets:,} datasets. {before}\n")
    print(
        f"Ready {started:.1f} s after the start. After every kind of page the server and its "
        f"workers had taken {walked / MIB:,.0f} MiB at most.\n"
        f"{CONNECTIONS} connections: {new:,.0f} pages of datasets a second, each for the first "
        f"time; {again:,.0f} a second of all kinds, asked before.\n"
        f"A second server on the directory was refused {refused:.1f} s after its start.\n"
    )
    titles = ["request", "median ms", "95 % ms", "CPU ms", "again, CPU ms", "kB", "kB packed"]
    print(table(titles, rows))


if __name__ == "__main__":
    main()
