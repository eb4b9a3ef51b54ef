"""How fast does the server start on a release, refuse a second one, and answer requests?

    python benchmarks/serve.py 10000 [--data DIR] [--port P]

Starts the real server on a released catalogue (DIR as `load_and_release.py --keep` left it, else a
new one) and asks it for pages, lists, feeds and small queries, one request at a time over one
connection; then starts a second server, which must refuse the directory. Seconds of the clock are
the client's, seconds of the processors those of the server and its workers. With `wrk` on the
machine also requests a second with 16 connections.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from generate import DEFAULT_BASE
from load_and_release import MIB, prepare
from measure import cpu, machine, memory, run, table

__all__ = ["main"]

REPEAT: Final = 200
START_SECONDS: Final = 60.0


def release(folder: Path, datasets: int) -> Path:
    """A data directory with a published release of a generated catalogue."""
    data = folder / "data"
    bilbaokg = [sys.executable, "-m", "bilbaokg", "--data", str(data), "--json"]
    run([*bilbaokg, "init", "--base", DEFAULT_BASE])
    run([*bilbaokg, "load", "--source", "benchmark", str(prepare(folder, datasets))])
    step = [sys.executable, str(Path(__file__).with_name("load_and_release.py")), "--step"]
    run([*step, "operate", str(data), "release.build", json.dumps({"unchecked": True})])
    run([*bilbaokg, "release", "publish"])
    return data


class Client:
    """One connection to the server that is kept."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path: str, accept: str = "*/*") -> bytes:
        """The body of an answer that must be 200."""
        self.connection.request("GET", path, headers={"Accept": accept})
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


def ask(
    process: subprocess.Popen[bytes], client: Client, paths: Sequence[str], accept: str = "*/*"
) -> tuple[str, str, str, str]:
    """Ask for paths in turn: median and 95th percentile in ms, CPU ms a request, kB an answer."""
    seconds = []
    size = 0
    before = cpu(process.pid)
    for path in paths:
        start = time.perf_counter()
        size += len(client.get(path, accept))
        seconds.append(time.perf_counter() - start)
    used = (cpu(process.pid) - before) / len(paths)
    high = sorted(seconds)[int(len(seconds) * 0.95)]
    return (
        f"{statistics.median(seconds) * 1000:.1f}",
        f"{high * 1000:.1f}",
        f"{used * 1000:.1f}",
        f"{size / len(paths) / 1000:,.0f}",
    )


def rate(port: int, path: str, accept: str) -> str:
    """Requests a second by wrk, or a dash."""
    if not shutil.which("wrk"):
        return "-"
    url = f"http://127.0.0.1:{port}{path}"
    told = run(["wrk", "-t2", "-c16", "-d3s", "-H", f"Accept: {accept}", url]).output
    # wrk leaves in the middle of answers: workers that were cut off are being replaced.
    time.sleep(2)
    found = re.search(r"Requests/sec:\s+([0-9.]+)", told)
    wrong = re.search(r"Non-2xx[^\n]*", told)
    return wrong[0] if wrong else f"{float(found[1]):,.0f}" if found else "-"


def requests(datasets: int, port: int) -> list[tuple[str, list[str], str]]:
    """What is asked: name, paths, Accept."""
    chance = random.Random(1)  # noqa: S311
    chosen = [f"d{chance.randrange(datasets)}" for _ in range(REPEAT)]
    pages = max(datasets // 1000, 1)
    html, results = "text/html", "application/sparql-results+json"
    queries = [f"SELECT ?p ?o {{ <{DEFAULT_BASE}/id/dataset/{name}> ?p ?o }}" for name in chosen]
    described = [f"/sparql?query={quote(query)}" for query in queries]
    return [
        ("dataset page, each for the first time", [f"/es/dataset/{n}" for n in chosen], html),
        ("dataset page, again", [f"/es/dataset/{n}" for n in chosen], html),
        ("dataset page, one", [f"/eu/dataset/{chosen[0]}"] * REPEAT, html),
        ("home", ["/es/"] * 50, html),
        ("datasets with facets", [f"/es/datasets?page={n + 1}" for n in range(50)], html),
        ("datasets, searched", [f"/es/datasets?q=ruido+d{n}" for n in range(100, 150)], html),
        (
            "datasets that nobody looks after",
            [f"/es/datasets?gap=steward&page={n + 1}" for n in range(50)],
            html,
        ),
        ("dashboard, the first time", ["/es/dashboards"], html),
        ("dashboard, in another language", ["/eu/dashboards", "/en/dashboards"], html),
        ("lineage, where to begin", [f"/es/lineage?q=d{n}" for n in range(50)], html),
        ("dataset as Turtle", [f"/dataset/{n}.ttl" for n in chosen], "*/*"),
        ("feed page, RDF/XML", [f"/catalog.rdf?page={n + 1}" for n in range(pages)], "*/*"),
        ("feed page, Turtle", [f"/catalog.ttl?page={n + 1}" for n in range(pages)], "*/*"),
        ("SPARQL, a dataset, each for the first time", described, results),
        ("SPARQL, a dataset, again", described, results),
        ("SPARQL, ASK", ["/sparql?query=ASK%7B%3Fs%20%3Fp%20%3Fo%7D"] * REPEAT, results),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("datasets", type=int, nargs="?", default=10_000)
    parser.add_argument("--data", type=Path, metavar="DIR", help="a data directory that is there")
    parser.add_argument("--port", type=int, default=8765)
    options = parser.parse_args()
    # Feeds are written for one address; asked for under another they would be made again.
    os.environ["BILBAOKG_PUBLIC_URL"] = f"http://127.0.0.1:{options.port}"
    before = machine()
    rows = []
    with tempfile.TemporaryDirectory(prefix="bilbaokg-benchmark-") as temporary:
        data = options.data or release(Path(temporary), options.datasets)
        with serving(data, options.port) as (process, started):
            for name, paths, accept in requests(options.datasets, options.port):
                figures = ask(process, Client(options.port), paths, accept)
                rows.append((name, *figures, rate(options.port, paths[0], accept)))
            peak = memory(process.pid)
            refused = statistics.median(refusal(data, process.pid) for _ in range(5))
    print(f"{options.datasets:,} datasets. {before}\n")
    print(
        f"Ready {started:.1f} s after the start; server and workers took {peak / MIB:,.0f} MiB.\n"
        f"A second server on the directory was refused {refused:.1f} s after its start.\n"
    )
    titles = ["request", "median ms", "95 % ms", "CPU ms", "kB", "requests/s, 16 connections"]
    print(table(titles, rows))


if __name__ == "__main__":
    main()
