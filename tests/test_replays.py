"""Answers sent again to the same request: the same bytes, of the release that is served now."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from helpers import PATIENCE
from serving import CATALOGUE, Served, published, served, token

from bilbaokg.server.replays import whole_request

QUERY = quote("SELECT ?t { ?s <http://purl.org/dc/terms/title> ?t } ORDER BY ?t", safe="")
CHANGING = re.compile(rb"(date|x-request-id): [^\r]*\r\n")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(published(tmp_path_factory.mktemp("replays") / "data")) as server:
        yield server


class Connection:
    """One connection, on which requests are written as they are."""

    def __init__(self, server: Served) -> None:
        address = urlsplit(server.url)
        self.socket = socket.create_connection((address.hostname, address.port), PATIENCE)
        self.host = f"{address.hostname}:{address.port}"
        self.held = b""

    def ask(self, path: str, *fields: str) -> bytes:
        self.send(path, *fields)
        return self.answer()

    def send(self, path: str, *fields: str) -> None:
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.host}", *fields]
        self.socket.sendall("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n")

    def answer(self) -> bytes:
        data = self.held
        while b"\r\n\r\n" not in data:
            data += self._piece()
        length = re.search(rb"content-length: (\d+)", data)
        size = data.index(b"\r\n\r\n") + 4 + int(length[1] if length else 0)
        while len(data) < size:
            data += self._piece()
        self.held = data[size:]
        return data[:size]

    def _piece(self) -> bytes:
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError
        return piece


@pytest.fixture
def connection(server: Served) -> Iterator[Connection]:
    made = Connection(server)
    with made.socket:
        yield made


PATHS = [f"/sparql?query={QUERY}", "/catalog.ttl", "/feeds/dcat-ap/catalog.rdf?page=1"]


@pytest.mark.parametrize("path", PATHS)
def test_the_same_request_gets_the_same_answer(connection: Connection, path: str) -> None:
    first, second, third = (connection.ask(path) for _ in range(3))
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert CHANGING.sub(b"", first) == CHANGING.sub(b"", second) == CHANGING.sub(b"", third)
    names = [re.search(rb"x-request-id: (\w{16})\r\n", each) for each in (first, second, third)]
    assert len({name[1] for name in names if name}) == 3


def test_what_varies_is_told_apart(connection: Connection) -> None:
    path = f"/sparql?query={QUERY}"
    for _ in range(2):
        assert b"sparql-results+json" in connection.ask(path)
        assert b"text/csv" in connection.ask(path, "Accept: text/csv")
        assert b"sparql-results+xml" in connection.ask(path, "Accept: application/xml")


def test_client_that_has_it_gets_304_again(connection: Connection) -> None:
    path = "/catalog.ttl"
    tag = re.search(rb"etag: ([^\r]+)\r\n", connection.ask(path))
    assert tag
    for _ in range(3):
        answer = connection.ask(path, f"If-None-Match: {tag[1].decode()}")
        assert answer.startswith(b"HTTP/1.1 304 Not Modified\r\n")
        assert answer.endswith(b"\r\n\r\n")


def test_requests_in_a_row_are_answered_in_their_order(connection: Connection) -> None:
    kept, other = f"/sparql?query={QUERY}", "/health/live"
    connection.ask(kept)
    for path in (kept, other, kept):
        connection.send(path)
    answers = [connection.answer() for _ in range(3)]
    assert [b"rbol" in answer for answer in answers] == [True, False, True]


def test_request_that_comes_in_pieces_is_answered(connection: Connection) -> None:
    connection.ask("/catalog.ttl")
    connection.socket.sendall(b"GET /catalog.ttl HTTP/1.1\r\nHo")
    time.sleep(0.1)
    connection.socket.sendall(f"st: {connection.host}\r\n\r\n".encode())
    assert connection.answer().startswith(b"HTTP/1.1 200 OK\r\n")


def test_answers_are_counted(server: Served) -> None:
    headers = token(server.data, "read")

    def count() -> float:
        text = server.client.get("/metrics", headers=headers).text
        lines = [line for line in text.splitlines() if 'requests_total{action="data.read"' in line]
        return sum(float(line.split()[-1]) for line in lines)

    before = count()
    connection = Connection(server)
    with connection.socket:
        for _ in range(5):
            connection.ask("/catalog.nt")
    assert count() == before + 5


def test_new_release_is_seen_at_once_and_the_old_one_again_after_a_rollback(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    with served(data) as server:
        connection = Connection(server)
        with connection.socket:
            old = connection.ask(PATHS[0])
            assert connection.ask(PATHS[0])
            load_more = CATALOGUE.replace("Ruido", "Estruendo")
            answer = server.client.post(
                "/api/load?source=test", content=load_more.encode(),
                headers=token(data, "write") | {"Content-Type": "text/turtle"},
            )  # fmt: skip
            assert answer.status_code == 200
            publisher = token(data, "publish")
            made = server.client.post("/api/releases", json={"waive": "a test"}, headers=publisher)
            assert made.status_code == 201, made.text
            id = made.json()["id"]
            server.client.post(f"/api/releases/{id}/publish", headers=publisher)
        # New ones, as the server ends those that were idle for long.
        connection = Connection(server)
        with connection.socket:
            assert b"Estruendo" in connection.ask(PATHS[0])
            assert b"Estruendo" in connection.ask(PATHS[0])
            server.client.post("/api/releases/r1/publish", headers=publisher)
        connection = Connection(server)
        with connection.socket:
            assert CHANGING.sub(b"", connection.ask(PATHS[0])) == CHANGING.sub(b"", old)


@pytest.mark.faults
def test_connection_stays_open_while_it_is_used(tmp_path: Path) -> None:
    with served(published(tmp_path / "data", request_seconds=1.0)) as server:
        connection = Connection(server)
        with connection.socket:
            end = time.monotonic() + 7
            while time.monotonic() < end:
                assert connection.ask("/catalog.ttl").startswith(b"HTTP/1.1 200 OK\r\n")
                time.sleep(0.1)


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", True),
        (b"GET / HTTP/1.0\r\nHost: x\r\n\r\n", False),
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", False),
        (b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", False),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", False),
    ],
)
def test_only_one_whole_get_is_looked_up(data: bytes, whole: bool) -> None:
    assert (whole_request(data) == data) is whole
