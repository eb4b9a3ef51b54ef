"""How many OpenLineage events a second does the receiver take in, on disk and with their audit?

    python benchmarks/lineage.py [--events 10000] [--jobs 200] [--connections 16] [--port P]
                                 [--beside URL [--beside-name NAME] [--beside-pid PID ...]]

Makes the events of a city's pipelines: each job reads three tables of 20 columns and writes one,
with its schema and its column lineage, in runs of a START and a COMPLETE event. The real server
takes them over some connections, each answered when it is on disk: first those of jobs that nobody
knows, all of whose tables are new, three for two events; then further runs of the same jobs. Both
go one a request and in batches of 100. Then some come again; then, without a server, further ones
are taken from a file. The client works on the same machine.

--beside: another receiver of OpenLineage that runs already and is empty, such as Marquez on its
PostgreSQL. It gets the same events, one a request, after ours has ended; its processes' time is
that of the processes given and of what they started.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from generate import DEFAULT_BASE
from load_and_release import MIB
from measure import cpu, machine, memory, run, table
from serve import serving

__all__ = ["events", "main"]

SPACE: Final = "postgres://warehouse:5432"
COLUMNS: Final = 20
BATCH: Final = 100
_SCHEMA: Final = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_PRODUCER: Final = "https://example.org/benchmark"
_FACET: Final = {"_producer": _PRODUCER, "_schemaURL": "https://openlineage.io/spec/facets/1-0-0"}
_BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)


def events(count: int, jobs: int, first: int = 0, city: str = "bilbao") -> list[bytes]:
    """`count` events, two a run, the jobs in turn; `first` numbers the first run.

    Each city has jobs and tables of its own.
    """
    return [
        json.dumps(_event(first + n // 2, jobs, city, ends=n % 2 == 1)).encode()
        for n in range(count)
    ]


def _event(number: int, jobs: int, city: str, *, ends: bool) -> dict[str, Any]:
    job = number % jobs
    at = _BEGIN + timedelta(seconds=number * 10 + 5 * ends)
    sources = [_table(f"{city}.source_{(job * 3 + k) % (jobs * 2)}") for k in range(3)]
    made = _table(f"{city}.table_{job}")
    made["facets"]["columnLineage"] = {**_FACET, "fields": {
        f"column_{c}": {"inputFields": [{
            "namespace": SPACE, "name": sources[c % 3]["name"], "field": f"column_{c}",
            "transformations": [{"type": "DIRECT", "subtype": "IDENTITY"}]}]}
        for c in range(COLUMNS)
    }}  # fmt: skip
    run = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{city}/{number}"))
    return {
        "eventType": "COMPLETE" if ends else "START", "eventTime": at.isoformat(),
        "producer": _PRODUCER, "schemaURL": _SCHEMA,
        "run": {"runId": run, "facets": {"nominalTime": {
            **_FACET, "nominalStartTime": at.isoformat()}}},
        "job": {"namespace": city, "name": f"job_{job}", "facets": {"sql": {
            **_FACET, "query": f"INSERT INTO {city}.table_{job} SELECT ..."}}},
        "inputs": sources, "outputs": [made] if ends else [],
    }  # fmt: skip


def _table(name: str) -> dict[str, Any]:
    fields = [{"name": f"column_{c}", "type": "VARCHAR"} for c in range(COLUMNS)]
    return {"namespace": SPACE, "name": name, "facets": {"schema": {**_FACET, "fields": fields}}}


def send(
    port: int, path: str, bodies: Sequence[bytes], secret: str, connections: int
) -> list[float]:
    """Post bodies in turn over some connections; the seconds that each took."""
    seconds: list[float] = []
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}
    todo = iter(bodies)
    turn = threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while True:
            with turn:
                body = next(todo, None)
            if body is None:
                return
            start = time.perf_counter()
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            told = answer.read()
            if answer.status not in (200, 201) or b'"failed":0' not in told + b'"failed":0':
                raise RuntimeError(told.decode())
            seconds.append(time.perf_counter() - start)

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(seconds) != len(bodies):
        raise RuntimeError("a client failed")
    return seconds


class Receiver:
    """A server that takes events in, and how fast it does. pids: of its processes."""

    def __init__(self, pids: Sequence[int], port: int, secret: str, connections: int) -> None:
        self.pids, self.port = pids, port
        self.secret, self.connections = secret, connections

    def one_by_one(self, told: Sequence[bytes]) -> tuple[str, ...]:
        """The figures where each event is a request."""
        return self._measured("/api/v1/lineage", told, len(told))

    def in_batches(self, told: Sequence[bytes]) -> tuple[str, ...]:
        """The figures where many events are one."""
        parts = [told[n : n + BATCH] for n in range(0, len(told), BATCH)]
        bodies = [b"[" + b",".join(part) + b"]" for part in parts]
        return self._measured("/api/v1/lineage/batch", bodies, len(told))

    def _measured(self, path: str, bodies: Sequence[bytes], count: int) -> tuple[str, ...]:
        """Events a second, median and 95th percentile of a request in ms, the server's CPU an
        event."""
        before, start = self._cpu(), time.perf_counter()
        seconds = send(self.port, path, bodies, self.secret, self.connections)
        wall = time.perf_counter() - start
        used = (self._cpu() - before) / count
        high = sorted(seconds)[int(len(seconds) * 0.95)]
        return (
            f"{count / wall:,.0f}", f"{statistics.median(seconds) * 1000:.1f}",
            f"{high * 1000:.1f}", f"{used * 1000:.2f}",
        )  # fmt: skip

    def _cpu(self) -> float:
        return sum(map(cpu, self.pids))


def beside(
    name: str, other: Receiver, new: Sequence[bytes], later: Sequence[bytes]
) -> list[tuple[str, ...]]:
    """The same events to another receiver."""
    return [
        (f"{name}: new tables, one a request", *other.one_by_one(new)),
        (f"{name}: known tables, one a request", *other.one_by_one(later)),
        (f"{name}: told before, one a request", *other.one_by_one(later)),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--port", type=int, default=8767)
    parser.add_argument("--beside", metavar="URL", help="of another receiver on this machine")
    parser.add_argument("--beside-name", default="another")
    parser.add_argument("--beside-pid", type=int, nargs="+", default=[])
    options = parser.parse_args()
    before, count, jobs = machine(), options.events, options.jobs
    later = events(count, jobs, first=jobs)
    rows = []
    with tempfile.TemporaryDirectory(prefix="bilbaokg-benchmark-") as temporary:
        data = Path(temporary) / "data"
        bilbaokg = [sys.executable, "-m", "bilbaokg", "--data", str(data), "--json"]
        run([*bilbaokg, "init", "--base", DEFAULT_BASE])
        told = run([*bilbaokg, "token", "create", "benchmark", "--scope", "write"]).output
        secret = json.loads(told)["token"]
        with serving(data, options.port) as (process, _):
            server = Receiver([process.pid], options.port, secret, options.connections)
            new = events(2 * jobs, jobs), events(2 * jobs, jobs, city="getxo")
            further = events(count, jobs, first=jobs + count)
            rows = [
                ("new tables, one a request", *server.one_by_one(new[0])),
                (f"new tables, {BATCH} a request", *server.in_batches(new[1])),
                ("known tables, one a request", *server.one_by_one(later)),
                (f"known tables, {BATCH} a request", *server.in_batches(further)),
                ("told before, one a request", *server.one_by_one(later)),
            ]
            peak = memory(process.pid)
        size = sum(file.stat().st_size for file in (data / "working").glob("*"))
        file = Path(temporary) / "events.ndjson"
        file.write_bytes(b"\n".join(events(count, jobs, first=jobs + 2 * count)) + b"\n")
        loaded = run([*bilbaokg, "lineage", "openlineage", str(file)], watched=False)
        figures = f"{count / loaded.wall:,.0f}", "-", "-", f"{loaded.cpu / count * 1000:.2f}"
        rows.append(("known tables, lineage openlineage", *figures))
    if options.beside:
        port = urlsplit(options.beside).port or 80
        other = Receiver(options.beside_pid, port, secret, options.connections)
        rows += beside(options.beside_name, other, new[0], later)
    length = sum(map(len, later)) / count
    print(f"{count:,} events of {length:,.0f} bytes, {jobs:,} jobs. {before}\n")
    print(table(["events", "events/s", "median ms", "95 % ms", "CPU ms an event"], rows))
    print(
        f"\nServer and workers took {peak / MIB:,.0f} MiB; "
        f"{size / (2 * count + 4 * jobs):,.0f} bytes an event on disk."
    )


if __name__ == "__main__":
    main()
