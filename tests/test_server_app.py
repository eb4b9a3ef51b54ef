"""What surrounds every request: hosts, headers, prefixes, errors; how the server starts, ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest
from helpers import PATIENCE, eventually
from serving import Served, children, initialise, is_evaluating, operate, published, served

from bilbaokg import settings
from bilbaokg.errors import BadInput, CorruptStore, NotFound, Overloaded
from bilbaokg.server import control, serve
from bilbaokg.server.logs import JsonLines
from bilbaokg.terms import LANGUAGES

FOREVER = "SELECT (COUNT(*) AS ?n) {" + " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(12)) + "}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(published(tmp_path_factory.mktemp("app") / "data")) as server:
        yield server


# -- hosts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["data.example", "DATA.EXAMPLE", "data.example:443", "localhost", "localhost:1", "127.0.0.1",
     "127.1.2.3:80", "[::1]", "[::1]:8000"],
)  # fmt: skip
def test_our_hosts_are_answered(server: Served, host: str) -> None:
    assert server.client.get("/health/live", headers={"Host": host}).status_code == 200


OTHER_HOSTS = """
evil.example data.example.evil.example evil.example#data.example data.example@evil.example
evil.example/data.example 10.0.0.1 [::1 127.0.0.1.evil.example data.example?x 0x7f000001
data.example:evil localhost:99999 localhost:0
"""


@pytest.mark.parametrize("host", ["", *OTHER_HOSTS.split()])
def test_other_hosts_are_400(server: Served, host: str) -> None:
    answer = server.client.get("/health/live", headers={"Host": host})
    assert answer.status_code == 400


def test_no_answer_repeats_the_host(server: Served) -> None:
    for path in ("/", "/sparql", "/id/dataset/trees", "/es/"):
        answer = server.client.get(
            path, headers={"Host": "127.9.9.9", "X-Forwarded-Host": "evil.example"}
        )
        for text in (answer.text, *answer.headers.values()):
            assert "127.9.9.9" not in text
            assert "evil.example" not in text


# -- headers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/es/", "/catalog.ttl", "/sparql?query=ASK{}", "/nothing", "/sparql?query=x"]
)
def test_every_answer_carries_the_protecting_headers(server: Served, path: str) -> None:
    headers = server.client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"]
    assert "server" not in headers
    assert len(headers["x-request-id"]) == 16


def test_request_ids_are_ours(server: Served) -> None:
    given = {"X-Request-Id": "mine\r\nX: y".replace("\r\n", "")}
    first, second = (server.client.get("/health/live", headers=given).headers for _ in range(2))
    assert first["x-request-id"] != second["x-request-id"]
    assert "mine" not in first["x-request-id"]


def test_start_goes_to_the_language(server: Served) -> None:
    for accepted, lang in (("eu", "eu"), ("fr", "es"), ("en-GB,es;q=0.5", "en")):
        answer = server.client.get("/", headers={"Accept-Language": accepted})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/{lang}/")
        assert "Accept-Language" in answer.headers["vary"]


def test_no_path_redirects_elsewhere(server: Served) -> None:
    for path in ("//evil.example/", "/%2F%2Fevil.example", "/es//evil.example/", "/\\evil.example"):
        answer = server.client.get(f"{server.url}{path}")
        assert "evil" not in answer.headers.get("location", "")


def test_robots(server: Served) -> None:
    assert "Disallow: /sparql" in server.client.get("/robots.txt").text


# -- errors --------------------------------------------------------------------------------------


def test_error_is_a_problem_for_programs_and_a_page_for_people(server: Served) -> None:
    problem = server.client.get("/es/nothing/here/at/all")
    assert problem.headers["content-type"] == "application/problem+json"
    body = problem.json()
    assert body["status"] == problem.status_code == 404
    assert body["request_id"] == problem.headers["x-request-id"]
    page = server.client.get("/eu/nothing/here/at/all", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-language"] == "eu"
    assert 'lang="eu"' in page.text
    assert "Accept" in page.headers["vary"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_way_of_the_navigation_leads_somewhere_without_such_records(
    server: Served, lang: str
) -> None:
    start = server.client.get(f"/{lang}/", headers={"Accept": "text/html"}).text
    menu = re.findall(r'href="(/[^"]+)"', start.partition("<nav")[2].partition("</header>")[0])
    assert f"/{lang}/unit" in menu
    for path in menu:
        assert server.client.get(path, headers={"Accept": "text/html"}).is_success, path
    assert server.client.get(f"/{lang}/nonsense").status_code == 404


def test_errors_are_not_kept(server: Served) -> None:
    assert server.client.get("/nothing").headers["cache-control"] == "no-store"


def test_what_came_in_is_escaped_in_error_pages(server: Served) -> None:
    for path in ("/es/<script>alert(1)</script>", "/sparql?query=<script>alert(1)</script>"):
        answer = server.client.get(path, headers={"Accept": "text/html, application/json;q=0.5"})
        assert "<script>alert" not in answer.text


def test_unexpected_error_is_500_without_a_trace(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    with served(data) as server:
        manifest = data / "releases" / "r1" / "manifest.json"
        content = json.loads(manifest.read_text())
        del content["content"]["counts"]
        manifest.write_text(json.dumps(content))
        answer = server.client.get("/api/status")
        assert answer.status_code == 500
        assert "KeyError" not in answer.text
        assert "Traceback" not in answer.text
        assert answer.headers["content-security-policy"]
        (line,) = [x for x in server.logged() if x.get("request_id") == answer.json()["request_id"]]
        assert "KeyError" in line["trace"]
        assert server.client.get("/health/live").status_code == 200


def test_damaged_release_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    with served(data) as server:
        (data / "releases" / "r1" / "manifest.json").write_text("{")
        answer = server.client.get("/health/ready")
        assert answer.status_code == 500
        assert answer.json()["type"].endswith("corrupt")
        assert server.client.get("/health/live").status_code == 200


def test_log_lines_are_json_whatever_they_hold() -> None:
    import logging

    record = logging.LogRecord("x", 20, "x", 1, 'a\nb\x1b[31m"\u2028%s', ("\r\n{}",), None)
    line = JsonLines().format(record)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == 'a\nb\x1b[31m"\u2028\r\n{}'


# -- behind a proxy ------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [True, False], ids=["prefix kept", "prefix taken away"])
def test_prefix_of_a_reverse_proxy(tmp_path: Path, kept: bool) -> None:
    before = "/datos" if kept else ""
    with served(published(tmp_path / "data"), root_path="/datos") as server:
        client = server.client
        assert client.get(f"{before}/").headers["location"] == "/datos/es/"
        html = {"Accept": "text/html"}
        identity = client.get(f"{before}/id/dataset/trees", headers=html)
        assert identity.headers["location"] == "/datos/es/dataset/trees"
        data = client.get(f"{before}/id/dataset/trees", headers={"Accept": "text/turtle"})
        assert data.headers["location"] == "/datos/dataset/trees.ttl"
        assert (
            client.get(f"{before}/sparql", headers=html).headers["location"] == "/datos/es/sparql"
        )
        assert client.get(f"{before}/catalog.ttl").status_code == 200
        page = client.get(f"{before}/es/", headers=html)
        assert page.status_code == 200
        assert 'href="/datos/' in page.text
        assert 'href="/es' not in page.text
        assert client.get("/datos").status_code == 303


# -- start and end -------------------------------------------------------------------------------


def test_sigterm_drains_and_exits_with_zero(tmp_path: Path) -> None:
    server = Served(published(tmp_path / "data", query_seconds=5.0))
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.extend(_quietly(f"{server.url}/sparql")))
    thread.start()
    assert eventually(lambda: is_evaluating(server))
    assert server.stop() == 0
    thread.join()
    assert answers == [503]  # its own deadline: it was not cut
    assert not (server.data / "control.sock").exists()
    operate(server.data, "status")


@pytest.mark.faults
def test_draining_ends_before_a_query_that_would_take_much_longer(tmp_path: Path) -> None:
    server = Served(published(tmp_path / "data", query_seconds=600.0))
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.extend(_quietly(f"{server.url}/sparql")))
    thread.start()
    assert eventually(lambda: is_evaluating(server))
    assert server.stop() == 0
    thread.join()
    assert answers == [503]
    assert "Traceback" not in server.log.read_text()


def test_requests_during_the_drain_are_told_to_come_again(tmp_path: Path) -> None:
    server = Served(published(tmp_path / "data", query_seconds=5.0))
    thread = threading.Thread(target=lambda: _quietly(f"{server.url}/sparql"))
    thread.start()
    assert eventually(lambda: is_evaluating(server))
    server.process.send_signal(signal.SIGTERM)
    ask = partial(httpx.get, timeout=PATIENCE)
    assert eventually(lambda: ask(f"{server.url}/health/live").status_code == 503)
    late = ask(f"{server.url}/catalog.ttl")
    assert late.status_code == 503
    assert int(late.headers["retry-after"]) > 0
    assert late.headers["connection"] == "close"
    assert late.json()["detail"] == "the server is ending"
    assert "content-security-policy" in late.headers
    thread.join()
    assert server.process.wait(PATIENCE) == 0
    server.stop()


@pytest.mark.faults
def test_operation_that_outlasts_the_drain_is_cut(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    server = Served(data)
    # Nobody reads from it: the operation waits for ever, in a thread and under the write lock.
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with ThreadPoolExecutor(1) as callers:
        called = callers.submit(control.call, data, "dump", {"path": str(fifo)})
        assert eventually(lambda: _is_locked(data))
        assert server.stop() == 0
        with pytest.raises(Overloaded, match="did not finish"):
            called.result()
    assert not (data / "control.sock").exists()
    assert operate(data, "audit.verify")["records"] > 0


def _is_locked(data: Path) -> bool:
    """Whether an operation holds the write lock, so that others wait."""
    transport = httpx.HTTPTransport(uds=str(data / control.NAME))
    with httpx.Client(transport=transport, base_url="http://localhost", timeout=1) as client:
        try:
            client.post("/status")
        except httpx.ReadTimeout:
            return True
    return False


def _quietly(url: str) -> list[int]:
    """The status of a query that takes for ever; nothing when it is cut."""
    try:
        return [httpx.get(url, params={"query": FOREVER}, timeout=600).status_code]
    except httpx.HTTPError:
        return []


def test_workers_end_with_the_server_even_when_it_is_killed(tmp_path: Path) -> None:
    server = Served(published(tmp_path / "data"))
    workers = children(server.process.pid)
    assert len(workers) >= 2
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    server.client.close()
    assert server.process.stdout
    server.process.stdout.close()
    # A stale socket is no obstacle to the next one.
    assert (server.data / "control.sock").exists()
    with served(server.data) as again:
        assert again.client.get("/catalog.ttl").status_code == 200


def test_second_server_names_the_first_and_does_not_wait_for_it(server: Served) -> None:
    from serving import _SERVE

    second = subprocess.run(
        [sys.executable, "-c", _SERVE, str(server.data), "{}"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "StoreBusy" in second.stderr
    assert str(server.process.pid) in second.stderr
    assert str(server.data) in second.stderr
    assert server.client.get("/health/ready").status_code == 200


@pytest.mark.parametrize("name", ["index.db", "manifest.json", "store/CURRENT"])
def test_damaged_release_is_not_served_and_its_file_is_named(tmp_path: Path, name: str) -> None:
    data = published(tmp_path / "data")
    file = data / "releases" / "r1" / name
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CorruptStore) as error:
        serve(data, settings.read(data), port=0)
    assert error.value.where == str(file)
    assert "publish another release" in (error.value.hint or "")


def test_start_clears_the_cache(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    (data / "cache" / "r0" / "dcat-ap").mkdir(parents=True)
    (data / "cache" / "r0" / "dcat-ap" / ".killed.part").write_text("half")
    (data / "cache" / "stray").write_text("half")
    with served(data):
        assert list((data / "cache").iterdir()) == []


def test_address_that_is_taken_is_named(tmp_path: Path) -> None:
    data = initialise(tmp_path / "data")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=f"127.0.0.1:{port}"):
            serve(data, settings.read(data), port=port)


def test_directory_without_a_catalogue_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no catalogue"):
        serve(tmp_path, settings.read(None), port=0)


def test_other_requests_go_on_beside_costly_queries(tmp_path: Path) -> None:
    data = published(tmp_path / "data", query_seconds=3.0)
    with served(data) as server:
        threads = [
            threading.Thread(target=lambda: _quietly(f"{server.url}/sparql")) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        meanwhile = 0
        while any(thread.is_alive() for thread in threads):
            assert server.client.get("/health/live").status_code == 200
            assert server.client.get("/catalog.ttl").status_code == 200
            meanwhile += 1
            time.sleep(0.02)
        # Had they waited for the queries, there would be no more of them.
        assert meanwhile > len(threads)


def test_no_descriptor_or_memory_leaks_over_many_requests(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    with served(data) as server:

        def burst() -> None:
            for _ in range(150):
                server.client.get("/sparql", params={"query": "SELECT * { ?s ?p ?o }"})
                server.client.get("/catalog.ttl")
                server.client.get("/sparql", params={"query": "nonsense"})

        descriptors = Path(f"/proc/{server.process.pid}/fd")
        burst()
        before = len(list(descriptors.iterdir()))
        burst()
        assert len(list(descriptors.iterdir())) <= before + 2


def test_error_page_that_fails_does_not_hide_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from starlette.requests import Request

    from bilbaokg import render
    from bilbaokg.server.errors import respond

    def fail(*_: object, **__: object) -> str:
        raise KeyError("template")

    monkeypatch.setattr(render, "error_page", fail)
    headers = [(b"accept", b"text/html")]
    request = Request({"type": "http", "path": "/es/x", "headers": headers, "query_string": b""})
    answer = respond(NotFound("no x"), request)
    assert answer.status_code == 404
    assert json.loads(answer.body)["detail"] == "no x"
