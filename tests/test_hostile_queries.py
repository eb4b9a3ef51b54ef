"""Hostile queries against the real server: each ends properly, nobody is asked, others go on."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from helpers import eventually
from hostile_queries import DIALLING, HEAVY, HEAVY_UPDATES, REFUSED, REFUSED_UPDATES
from serving import Served, children, operate, published, served, token

SECONDS = 3.0
CHEAP = "SELECT ?t { ?s <http://purl.org/dc/terms/title> ?t } ORDER BY ?t LIMIT 3"
FOREVER = HEAVY["product"]
ENDS = (0, 200, 503)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    limits = {"query_seconds": SECONDS, "query_seconds_token": SECONDS}
    data = published(tmp_path_factory.mktemp("hostile") / "data", **limits)
    before = operate(data, "audit.verify")
    with served(data) as running:
        yield running
        assert running.process.poll() is None
        assert [line for line in running.logged() if line["level"] == "error"] == []
    assert operate(data, "audit.verify") == before


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """What a query could ask, if it could; at the end nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening
        with pytest.raises(BlockingIOError):
            listening.accept()


def ask(server: Served, query: str) -> tuple[int, str]:
    """Status and text; 0 for an answer that began and was cut."""
    try:
        answer = httpx.post(f"{server.url}/sparql", data={"query": query}, timeout=60)
    except httpx.RemoteProtocolError:
        return 0, ""
    return answer.status_code, answer.text


@contextlib.contextmanager
def cheap_queries(server: Served) -> Iterator[list[tuple[int, float]]]:
    """Ask a cheap query over and over meanwhile: its statuses, and how long each took."""
    seen: list[tuple[int, float]] = []
    over = threading.Event()

    def work() -> None:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            while not over.is_set():
                start = time.monotonic()
                status = client.get("/sparql", params={"query": CHEAP}).status_code
                seen.append((status, time.monotonic() - start))
                time.sleep(0.02)

    with ThreadPoolExecutor(1) as other:
        running = other.submit(work)
        try:
            yield seen
        finally:
            over.set()
        running.result()


@pytest.mark.parametrize("name", REFUSED)
def test_query_that_is_none_is_refused_at_once(server: Served, name: str) -> None:
    answer = httpx.post(f"{server.url}/sparql", data={"query": REFUSED[name]}, timeout=60)
    assert answer.status_code == 400, answer.text[:500]
    assert answer.json()["detail"]


@pytest.mark.parametrize("name", DIALLING)
def test_no_query_asks_another_machine(server: Served, listener: socket.socket, name: str) -> None:
    host, port = listener.getsockname()
    query = DIALLING[name].replace("far.example", f"{host}:{port}")
    assert "far.example" not in query
    status, text = ask(server, query)
    assert status in (200, 400, 403), text[:500]
    assert status != 200 or not name.startswith("service")


@pytest.mark.faults
def test_heavy_queries_end_while_cheap_ones_go_on(server: Served) -> None:
    with cheap_queries(server) as cheap, ThreadPoolExecutor(6) as others:
        ends = list(others.map(lambda query: ask(server, query), HEAVY.values()))
    wrong = {name: end for name, end in zip(HEAVY, ends, strict=True) if end[0] not in ENDS}
    assert wrong == {}
    assert {status for status, _ in cheap} == {200}
    assert len(cheap) > len(HEAVY) // 2


def test_query_over_its_time_costs_its_worker(server: Served) -> None:
    def workers() -> set[int]:
        return set(children(server.process.pid))

    assert ask(server, CHEAP)[0] == 200
    before = workers()
    status, text = ask(server, FOREVER)
    assert (status, "deadline" in text) == (503, True)
    assert eventually(lambda: before - workers())
    assert ask(server, CHEAP)[0] == 200
    # Started anew at the latest when it is needed.
    assert len(before & workers()) >= len(before) - 1


# -- updates, by somebody who may ----------------------------------------------------------------


@pytest.fixture(scope="module")
def writer(server: Served) -> Iterator[httpx.Client]:
    """Somebody who may change the scratch area, where a little is."""
    data = " ".join(f"<x:{n}> <x:p> <x:{m}> ." for n in range(30) for m in range(30))
    headers = token(server.data, "write")
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        assert update(client, f"INSERT DATA {{ {data} }}").is_success
        yield client


def update(client: httpx.Client, text: str) -> httpx.Response:
    return client.post("/scratch/sparql", data={"update": text})


def count(client: httpx.Client) -> str:
    query = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    headers = {"Accept": "text/csv"}
    return client.get("/scratch/sparql", params={"query": query}, headers=headers).text


@pytest.mark.parametrize("name", REFUSED_UPDATES)
def test_update_that_does_harm_is_refused_and_does_nothing(
    writer: httpx.Client, listener: socket.socket, name: str
) -> None:
    host, port = listener.getsockname()
    answer = update(writer, REFUSED_UPDATES[name].replace("far.example", f"{host}:{port}"))
    assert answer.status_code in (400, 403), answer.text
    assert answer.json()["detail"]
    assert count(writer) == "n\r\n900\r\n"


@pytest.mark.parametrize("name", HEAVY_UPDATES)
def test_heavy_update_ends_and_does_nothing(
    server: Served, writer: httpx.Client, name: str
) -> None:
    with cheap_queries(server) as cheap:
        answer = update(writer, HEAVY_UPDATES[name])
    assert answer.status_code in (400, 413, 503, 507), answer.text
    assert {status for status, _ in cheap} <= {200}
    assert count(writer) == "n\r\n900\r\n"
