"""Queries that differ from one before in their text alone: answered as the application would."""

from __future__ import annotations

import http.client
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from helpers import eventually
from serving import CATALOGUE, Served, is_evaluating, published, served, token
from test_replays import CHANGING, Connection

NUMBERED = "SELECT ?t {{ ?s <http://purl.org/dc/terms/title> ?t }} ORDER BY ?t # {0}"
# Takes the engine long: more rows than anybody waits for.
PAIRS = " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(8))
LONG = f"SELECT (COUNT(*) AS ?n) {{{{ {PAIRS} }}}} # {{0}}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(published(tmp_path_factory.mktemp("express") / "data")) as server:
        yield server


@pytest.fixture
def connection(server: Served) -> Iterator[Connection]:
    made = Connection(server)
    with made.socket:
        assert made.ask(path(NUMBERED.format("first"))).startswith(b"HTTP/1.1 200 OK\r\n")
        yield made


def path(query: str) -> str:
    return f"/sparql?query={quote(query, safe='')}"


def reader(server: Served) -> dict[str, str]:
    return token(server.data, "read", secrets.token_hex(4))


def status(server: Served) -> dict[str, float]:
    """What /metrics counts, by name and labels."""
    text = server.client.get("/metrics", headers=reader(server)).text
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


SHORT = "bilbaokg_queries_short_total"
DONE = 'bilbaokg_queries_total{endpoint="sparql",outcome="done"}'
ASKED = 'bilbaokg_http_requests_total{action="sparql.query",status="200"}'


def test_one_like_another_is_answered_as_the_application_would(
    server: Served, connection: Connection
) -> None:
    query = path(NUMBERED.format("same"))
    before = status(server)[SHORT]
    shortly = connection.ask(query)
    assert status(server)[SHORT] == before + 1
    # A field of its own makes another kind of request.
    usual = connection.ask(query, "X-Other: 1")
    assert CHANGING.sub(b"", shortly) == CHANGING.sub(b"", usual)
    assert re.search(rb"\r\netag: \"[0-9a-f]{32}\"\r\n", shortly)
    assert len(re.findall(rb"\r\n(?:date|x-request-id): ", shortly)) == 2


@pytest.mark.parametrize("accept", ["text/csv", "application/xml", "application/n-triples"])
def test_each_format_is_answered_in_its_own(connection: Connection, accept: str) -> None:
    query = "CONSTRUCT WHERE {{ ?s a ?t }} # {}" if "n-triples" in accept else NUMBERED
    fields = (f"Accept: {accept}", "Accept-Encoding: gzip")
    for number in range(2):
        connection.ask(path(query.format(number)), *fields)
    shortly = connection.ask(path(query.format("x")), *fields)
    usual = connection.ask(path(query.format("x")), *fields, "X-Other: 1")
    assert CHANGING.sub(b"", shortly) == CHANGING.sub(b"", usual)


def test_errors_are_told_as_ever(server: Served, connection: Connection) -> None:
    before = status(server)
    answer = connection.ask(path("SELECT * { ?s ?p }"))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer
    assert b'"line":1' in answer.replace(b" ", b"")
    refused = connection.ask(path("ASK { SERVICE <http://x/> { ?s ?p ?o } }"))
    assert refused.startswith(b"HTTP/1.1 403 ")
    after = status(server)
    key = DONE.replace("done", "refused")
    assert after[key] == before.get(key, 0) + 2
    assert after[DONE] == before[DONE]


@pytest.mark.parametrize("written", ["%FF", "%00", "ASK%20{}", "ASK%20%7B%7D%", "ASK+%7B%7D#x", ""])
def test_odd_bytes_are_read_as_the_application_reads_them(
    server: Served, connection: Connection, written: str
) -> None:
    shortly = connection.ask(f"/sparql?query={written}")
    other = Connection(server)
    with other.socket:
        usual = other.ask(f"/sparql?query={written}", "X-Other: 1")
    changing = re.compile(rb'"request_id": ?"\w+"')
    assert changing.sub(b"", CHANGING.sub(b"", shortly)) == changing.sub(
        b"", CHANGING.sub(b"", usual)
    )


def test_large_answer_comes_whole(server: Served, connection: Connection) -> None:
    rows = path("SELECT * { ?a ?b ?c . ?d ?e ?f } # large")
    connection.send(rows)
    # In pieces, or with its length where all of it was there before the first piece was sent.
    with http.client.HTTPResponse(connection.socket) as answer:
        answer.begin()
        assert answer.read() == server.client.get(rows, headers={"X-Other": "1"}).content


def test_requests_that_come_meanwhile_are_answered_in_their_order(connection: Connection) -> None:
    asks = [f"ASK {{ FILTER({n} > 2) }}" for n in range(5)]
    for ask in asks:
        connection.send(path(ask))
        time.sleep(0.0005)
    answers = [connection.answer() for _ in asks]
    assert [b"true" in answer for answer in answers] == [False, False, False, True, True]


def test_long_query_is_stopped_at_its_deadline_and_when_its_client_goes(tmp_path: Path) -> None:
    with served(published(tmp_path / "data", query_seconds=2.0)) as server:
        connection = Connection(server)
        with connection.socket:
            connection.ask(path(NUMBERED.format(0)))
            answer = connection.ask(path(LONG.format(1)))
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"stopped after 2 s" in answer
            connection.send(path(LONG.format(2)))
            assert eventually(lambda: is_evaluating(server))
        cancelled = DONE.replace("done", "cancelled")
        assert eventually(lambda: status(server).get(cancelled) == 1)
        assert eventually(lambda: status(server)["bilbaokg_workers_busy"] == 0)
        assert status(server)[DONE.replace("done", "deadline")] == 1


def test_each_is_counted_once(server: Served, connection: Connection) -> None:
    before = status(server)
    for number in range(10):
        connection.ask(path(NUMBERED.format(f"count {number}")))
    after = status(server)
    assert [after[key] - before[key] for key in (DONE, ASKED, SHORT)] == [10, 10, 10]


def test_client_over_its_limit_is_refused(tmp_path: Path) -> None:
    data = published(tmp_path / "data", client_errors=3, trusted_proxies=["127.0.0.1"])
    with served(data) as server:
        connection = Connection(server)
        with connection.socket:
            other = "X-Forwarded-For: 192.0.2.7"
            for client in ((), (other,)):
                connection.ask(path(NUMBERED.format(client)), *client)
            for number in range(4):
                connection.ask(path(f"ASK {number}"))
            refused = connection.ask(path(NUMBERED.format("more")))
            assert refused.startswith(b"HTTP/1.1 429 ")
            assert b"\r\nretry-after: " in refused
            allowed = connection.ask(path(NUMBERED.format("another")), other)
            assert allowed.startswith(b"HTTP/1.1 200 ")


def test_new_release_is_seen_at_once(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    with served(data) as server:
        connection = Connection(server)
        with connection.socket:
            for number in range(2):
                assert b"Ruido" in connection.ask(path(NUMBERED.format(number)))
            server.client.post(
                "/api/load?source=test", content=CATALOGUE.replace("Ruido", "Estruendo").encode(),
                headers=token(data, "write") | {"Content-Type": "text/turtle"},
            )  # fmt: skip
            publisher = token(data, "publish")
            made = server.client.post("/api/releases", json={"waive": "a test"}, headers=publisher)
            server.client.post(f"/api/releases/{made.json()['id']}/publish", headers=publisher)
        # A new one, as the server ends those that were idle for long.
        connection = Connection(server)
        with connection.socket:
            for number in range(2, 4):
                assert b"Estruendo" in connection.ask(path(NUMBERED.format(number)))


def test_token_in_the_head_is_looked_at_every_time(server: Served, connection: Connection) -> None:
    field = f"Authorization: {reader(server)['Authorization']}"
    before = status(server)[SHORT]
    for number in range(3):
        assert b"200 OK" in connection.ask(path(NUMBERED.format(f"token {number}")), field)
    assert connection.ask(path(NUMBERED.format("none")), "Authorization: Bearer x").startswith(
        b"HTTP/1.1 401 "
    )
    assert status(server)[SHORT] == before


def test_what_is_at_work_when_the_server_ends_is_answered(tmp_path: Path) -> None:
    server = Served(published(tmp_path / "data", query_seconds=2.0))
    connection = Connection(server)
    with connection.socket:
        connection.ask(path(NUMBERED.format(0)))
        connection.send(path(LONG.format(1)))
        assert eventually(lambda: is_evaluating(server))
        assert server.stop() == 0
        assert connection.answer().startswith((b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 503 "))
