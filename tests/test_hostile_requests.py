"""Malformed requests, sent as bytes to the real server: refused with a cause, and it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import uvicorn
from helpers import PATIENCE, eventually
from hostile_requests import CASES, Case, loads
from serving import Served, children, operate, published, served, token
from uvicorn.server import ServerState

from bilbaokg.server.protocol import Protocol


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all; at the end it is the same process with the same workers and content."""
    data = published(tmp_path_factory.mktemp("hostile") / "data")
    before = operate(data, "audit.verify")
    with served(data) as running:
        workers = set(children(running.process.pid))
        yield running
        assert running.process.poll() is None
        # Another may have begun to read what was sent; none of those that were there has ended.
        assert workers <= set(children(running.process.pid))
        assert [line for line in running.logged() if line["level"] == "error"] == []
    assert operate(data, "audit.verify") == before


def send(server: Served, case: Case) -> tuple[http.client.HTTPResponse, bytes]:
    """Send it all, then read one answer whole."""
    with connect(server) as client:
        with refused_early():
            client.sendall(case.sent)
            if case.ends:
                client.shutdown(socket.SHUT_WR)
        method = "HEAD" if case.sent.startswith(b"HEAD") else "GET"
        answer = http.client.HTTPResponse(client, method=method)
        answer.begin()
        return answer, answer.read()


def refused_early() -> contextlib.AbstractContextManager[None]:
    """A request may be refused before all of it is sent."""
    return contextlib.suppress(BrokenPipeError, ConnectionResetError)


def check(server: Served, case: Case) -> None:
    answer, body = send(server, case)
    assert answer.status in case.right, (case.name, answer.status, body[:500])
    if answer.status >= 400 and not case.sent.startswith(b"HEAD"):
        assert explained(answer, body), (case.name, body)
    assert server.client.get("/health/live").status_code == 200


def explained(answer: http.client.HTTPResponse, body: bytes) -> bool:
    """Whether an answer says what is wrong; of ranges the header Content-Range does."""
    if answer.headers["Content-Type"] == "application/problem+json":
        problem = json.loads(body)
        return bool(problem["status"] == answer.status and problem["detail"])
    return bool(body or answer.headers["Content-Range"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_malformed_request_is_refused_with_a_cause(server: Served, case: Case) -> None:
    check(server, case)


def test_loads_of_somebody_who_may_are_refused_with_a_cause(server: Served) -> None:
    for case in loads(token(server.data, "write")["Authorization"]):
        check(server, case)


def descriptors(server: Served) -> int:
    """How many connections and files the server has open."""
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


# -- clients that do nothing ---------------------------------------------------------------------

ENDLESS = "SELECT * { " + " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(12)) + " }"
SECONDS = 1.0


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that waits for a second only."""
    data = published(tmp_path_factory.mktemp("impatient") / "data", request_seconds=SECONDS)
    with served(data) as running:
        yield running


def connect(server: Served) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((address.hostname, address.port), PATIENCE)


def until_closed(client: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(1 << 16):
            received += piece
    return received


LIVE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /sparql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sparql-query\r\n"
HALVES = {
    "half a line": (b"GET /es", b"408"),
    "half a head": (LIVE, b"408"),
    "no body": (POST + b"Content-Length: 6\r\n\r\n", b"408"),
    "half a body": (POST + b"Content-Length: 6\r\n\r\nASK", b"408"),
    "half a chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n6\r\nAS", b"408"),
    "a body that nobody reads": (LIVE + b"Content-Length: 6\r\n\r\nabc", b"200"),
    "half a second request": (LIVE + b"\r\nGET /es", b"200"),
    "nothing": (b"", b""),
}


def test_clients_that_stop_sending_are_not_waited_for(impatient: Served) -> None:
    with contextlib.ExitStack() as stack:
        clients = {name: stack.enter_context(connect(impatient)) for name in HALVES}
        for name, client in clients.items():
            client.sendall(HALVES[name][0])
        answers = {name: until_closed(client) for name, client in clients.items()}
    for name, received in answers.items():
        status = received.partition(b"\r\n")[0].partition(b" ")[2][:3]
        assert status == HALVES[name][1], name
        if status == b"408":
            assert b"application/problem+json" in received
            assert b"did not come in 1 s" in received


@pytest.mark.parametrize("head", [LIVE + b"X: ", POST + b"Content-Length: 1000000\r\n\r\n"])
def test_client_that_sends_drop_by_drop_is_not_waited_for(impatient: Served, head: bytes) -> None:
    with connect(impatient) as client:
        client.sendall(head)
        client.settimeout(SECONDS / 10)
        received = b""
        while not received:
            with contextlib.suppress(TimeoutError):
                received = client.recv(1 << 16)
            with refused_early():
                client.sendall(b"x")
    assert received.startswith(b"HTTP/1.1 408 ")


def test_body_that_comes_slowly_but_comes_is_read(impatient: Served) -> None:
    """Twice as long as the server waits in all, each piece far sooner than it waits."""
    text = b"ASK {}" + b" " * 20_000
    with connect(impatient) as client:
        client.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(text))
        for start in range(0, len(text), 1024):
            time.sleep(SECONDS / 10)
            client.sendall(text[start : start + 1024])
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert json.loads(answer.read())["boolean"] is True


def test_many_that_stop_do_not_keep_others_out(impatient: Served) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(connect(impatient)).sendall(POST + b"Content-Length: 9\r\n\r\nA")
        assert impatient.client.get("/sparql", params={"query": "ASK {}"}).status_code == 200
        assert impatient.client.get("/es/").status_code == 200


def test_client_that_takes_nothing_is_not_waited_for(impatient: Served) -> None:
    """Else a few of them would hold the places of all queries."""
    query = urlencode({"query": ENDLESS, "format": "tsv"}).encode()
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            client = stack.enter_context(connect(impatient))
            client.sendall(b"GET /sparql?" + query + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert eventually(lambda: not open_queries(impatient))
        assert impatient.client.get("/sparql", params={"query": "ASK {}"}).status_code == 200


def test_client_that_takes_nothing_of_an_answer_that_was_cut_is_not_waited_for() -> None:
    """Not even where so little is left that the server did not stop to write."""

    asked = asyncio.Event()

    async def cut(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": bytes(48 << 10), "more_body": True})
        asked.set()

    async def run() -> None:
        config, state = uvicorn.Config(cut, log_config=None), ServerState()
        config.load()
        serve = partial(Protocol, seconds=0.2, config=config, server_state=state, app_state={})
        listening, client = socket.create_server(("127.0.0.1", 0)), socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with await asyncio.get_running_loop().create_server(serve, sock=listening):
            with client:
                client.connect(listening.getsockname())
                client.sendall(LIVE + b"\r\n")
                async with asyncio.timeout(PATIENCE):
                    await asked.wait()
                    while state.connections:
                        await asyncio.sleep(0.02)

    asyncio.run(run())


def open_queries(server: Served) -> bool:
    """Whether connections with unread answers are open still."""
    port = f":{urlsplit(server.url).port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    waiting = [r for r in rows if r[1].endswith(port) and int(r[4].partition(":")[0], 16)]
    return any(r[3] == "01" for r in waiting)


def test_clients_that_leave_at_once_leave_nothing_behind(tmp_path: Path) -> None:
    with served(published(tmp_path / "data")) as server:
        assert server.client.get("/health/live").status_code == 200
        before = descriptors(server)
        for case in CASES:
            with connect(server) as client, refused_early():
                client.sendall(case.sent)
        assert server.client.get("/sparql", params={"query": "ASK {}"}).status_code == 200
        # The release's store and index are open by now.
        assert eventually(lambda: descriptors(server) <= before + 30), descriptors(server)
        assert [line for line in server.logged() if line["level"] == "error"] == []


def test_too_many_connections_are_told_so(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("limits of another process cannot be set here")
    with served(published(tmp_path / "data")) as server, contextlib.ExitStack() as stack:
        used = descriptors(server)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (4 * used, 1 << 12))
        for _ in range(2 * used):
            stack.enter_context(connect(server))
        with connect(server) as late:
            answer = until_closed(late)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 5" in answer
        assert b"too many connections" in answer
        stack.close()
        assert eventually(lambda: server.client.get("/es/").status_code == 200)
