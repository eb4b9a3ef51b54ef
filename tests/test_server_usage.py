"""Limits, the log of queries and counts, on a server that runs."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from helpers import eventually
from prometheus_client.parser import text_string_to_metric_families
from serving import Served, published, served, token

from bilbaokg import cli
from bilbaokg.server import control
from bilbaokg.server.query_log import NAME, tail
from bilbaokg.server.usage import OUTCOMES

PAIRS = " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(12))
FOREVER = f"SELECT (COUNT(*) AS ?n) {{ {PAIRS} }}"
WRONG = "SELECT * { ?s ?p"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return published(tmp_path / "data", query_seconds=1.5)


def behind_a_proxy(folder: Path, **values: str) -> contextlib.AbstractContextManager[Served]:
    """A server behind a proxy, which is the test."""
    environ = {f"BILBAOKG_{name.upper()}": value for name, value in values.items()}
    environ["BILBAOKG_TRUSTED_PROXIES"] = "127.0.0.1"
    return served(published(folder / "data"), environ=environ)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with a limit of query time."""
    folder = tmp_path_factory.mktemp("time")
    with behind_a_proxy(folder, client_query_seconds="0.5", client_errors="0") as server:
        yield server


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with a limit of errors: one in three seconds, and twenty at once."""
    folder = tmp_path_factory.mktemp("errors")
    with behind_a_proxy(folder, client_query_seconds="0", client_errors="20") as server:
        yield server


def ask(server: Served, query: str, client: str, path: str = "/sparql", **more: Any) -> Any:
    headers = {"X-Forwarded-For": client, **more.pop("headers", {})}
    return server.client.get(path, params={"query": query, **more}, headers=headers)


# -- limits --------------------------------------------------------------------------------------


def use_up(server: Served, client: str) -> None:
    """Hold workers until a client has no time left; some of a second goes with waiting for one."""
    assert ask(server, FOREVER, client, timeout="1").status_code == 503
    assert eventually(lambda: ask(server, FOREVER, client, timeout="1").status_code == 429)


def until_refused(server: Served, client: str, **more: Any) -> tuple[int, httpx.Response]:
    """Send wrong queries until one is refused; how many were let in, and the refusal."""
    for number in range(1000):
        answer = ask(server, WRONG, client, **more)
        if answer.status_code == 429:
            return number, answer
        assert answer.status_code == 400
    raise AssertionError("it is not limited")


def test_errors_of_a_minute_bring_429_and_after_the_wait_the_client_is_let_in(
    strict: Served,
) -> None:
    let_in, refused = until_refused(strict, "192.0.2.1")
    assert let_in >= 20
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "urn:bilbaokg:problem:too-many-requests"
    assert refused.json()["retry_after"] == int(refused.headers["retry-after"]) in (1, 2, 3)
    assert "Retry-After" in refused.headers["access-control-expose-headers"]
    assert ask(strict, "ASK {}", "192.0.2.2").status_code == 200
    _, refused = until_refused(strict, "192.0.2.1")
    time.sleep(int(refused.headers["retry-after"]))
    assert ask(strict, "ASK {}", "192.0.2.1").status_code == 200


def test_query_time_of_a_minute_brings_429(limited: Served) -> None:
    use_up(limited, "192.0.2.3")
    refused = ask(limited, "ASK {}", "192.0.2.3")
    assert refused.status_code == 429
    # It used more than half a second, which is what leaks out in a minute.
    assert 0 < int(refused.headers["retry-after"]) <= 1000


def test_query_whose_client_went_away_is_charged_as_well(limited: Served) -> None:
    def answered() -> int:
        return httpx.get(
            f"{limited.url}/sparql", params={"query": FOREVER},
            headers={"X-Forwarded-For": "192.0.2.4"}, timeout=1.5,
        ).status_code  # fmt: skip

    def refused() -> bool:
        with contextlib.suppress(httpx.ReadTimeout):
            return answered() == 429
        return False

    with pytest.raises(httpx.ReadTimeout):
        answered()
    assert eventually(refused)


@pytest.mark.parametrize(
    "path", ["/api/queries/formats-in-use?format=json", "/en/sparql?query=ASK{}&run=1"]
)
def test_all_endpoints_share_the_budget(limited: Served, path: str) -> None:
    client = f"192.0.2.{len(path)}"
    use_up(limited, client)
    refused = limited.client.get(path, headers={"X-Forwarded-For": client})
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0


def test_the_endpoint_of_the_working_store_is_limited_as_well(strict: Served) -> None:
    headers = token(strict.data, "read", "working")
    let_in, _ = until_refused(strict, "", path="/working/sparql", headers=headers)
    assert let_in >= 20


def test_updates_of_the_scratch_area_are_limited_as_well(strict: Served) -> None:
    headers = token(strict.data, "write", "scratch")

    def change(text: str) -> httpx.Response:
        data = {"update": text}
        return strict.client.post("/scratch/sparql", data=data, headers=headers)

    assert change('INSERT DATA { <x:s> <x:p> "Ane" }').status_code == 204
    answers = [change("INSERT { <x:s>").status_code for _ in range(80)]
    assert answers[:20] == [400] * 20
    assert 429 in answers
    # One leaks out in three seconds, so the first right one may still be let in.
    assert 429 in {change("CLEAR ALL").status_code for _ in range(20)}
    noted = [line for line in tail(strict.data) if line["endpoint"] == "scratch"]
    assert noted[0]["text"] == "INSERT { <x:s>"


def test_token_is_a_client_of_its_own(limited: Served) -> None:
    use_up(limited, "192.0.2.8")
    assert ask(limited, "ASK {}", "192.0.2.8").status_code == 429
    headers = token(limited.data, "read", "apart")
    assert ask(limited, "ASK {}", "192.0.2.8", headers=headers).status_code == 200


def test_pages_and_data_are_not_limited(limited: Served) -> None:
    headers = {"X-Forwarded-For": "192.0.2.9"}
    use_up(limited, "192.0.2.9")
    for path in ("/en/datasets", "/en/sparql", "/catalog.ttl", "/api/queries", "/health/ready"):
        assert limited.client.get(path, headers=headers).status_code == 200, path


def test_the_query_page_says_it_in_the_readers_language(limited: Served) -> None:
    headers = {"X-Forwarded-For": "192.0.2.10"}
    use_up(limited, "192.0.2.10")
    page = limited.client.get("/es/sparql?query=ASK{}&run=1", headers=headers)
    assert page.status_code == 429
    assert "Ha pedido más de lo que se permite" in page.text


def test_header_of_an_untrusted_peer_is_not_believed(data: Path) -> None:
    environ = {"BILBAOKG_TRUSTED_PROXIES": "192.0.2.200", "BILBAOKG_CLIENT_QUERY_SECONDS": "0.5"}
    with served(data, environ=environ) as server:
        assert ask(server, FOREVER, "192.0.2.1").status_code == 503
        assert ask(server, "ASK {}", "192.0.2.2").status_code == 429


def test_on_loopback_without_proxies_nobody_is_limited(data: Path) -> None:
    environ = {"BILBAOKG_CLIENT_QUERY_SECONDS": "1", "BILBAOKG_CLIENT_ERRORS": "1"}
    with served(data, environ=environ) as server:
        assert ask(server, FOREVER, "").status_code == 503
        assert [ask(server, WRONG, "").status_code for _ in range(3)] == [400] * 3
        assert ask(server, "ASK {}", "").status_code == 200


# -- the log, and the status ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server on loopback, asked in every way that ends up in the log."""
    data = published(tmp_path_factory.mktemp("watched") / "data", query_seconds=2.0)
    # However slow this machine is, what went well is not slow.
    environ = {"BILBAOKG_SLOW_QUERY_SECONDS": "60"}
    with served(data, environ=environ) as server:
        assert ask(server, 'ASK { ?s ?p "Ane Etxe" }', "").status_code == 200
        assert ask(server, 'SELECT * { ?s ?p "Ane Etxe" ', "").status_code == 400
        assert ask(server, "SELECT * { ?s ?p ?o }", "", format="ttl").status_code == 200
        assert ask(server, FOREVER, "").status_code == 503
        with pytest.raises(httpx.RemoteProtocolError):  # cut after it began
            ask(server, f"SELECT * {{ {PAIRS} }}", "")
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{server.url}/sparql", params={"query": FOREVER}, timeout=1)
        assert eventually(lambda: len(tail(data)) == 4)
        yield server


def test_answers_that_are_kept_are_told_apart(watched: Served) -> None:
    before = control.call(watched.data, "usage", {})
    for _ in range(3):
        assert ask(watched, "ASK { ?kept ?p ?o }", "").status_code == 200
    after = control.call(watched.data, "usage", {})
    assert after["kept"]["hits"] - before["kept"]["hits"] == 2
    assert after["queries"]["total"] - before["queries"]["total"] == 1


def noted(server: Served, outcome: str) -> list[dict[str, Any]]:
    return [line for line in tail(server.data) if line["outcome"] == outcome]


def test_stopped_queries_are_in_the_log(watched: Served) -> None:
    counted, cut = noted(watched, "deadline")
    assert counted["text"].startswith("SELECT ( COUNT ( * ) AS ?n )")
    assert counted["seconds"] >= 2
    assert counted["bytes"] == 0
    assert cut["bytes"] > 64 << 10
    (left,) = noted(watched, "cancelled")
    assert left["query"] == counted["query"]
    assert left["seconds"] < counted["seconds"]


def test_failed_queries_are_in_the_log_without_what_they_ask_about(watched: Served) -> None:
    (failed,) = noted(watched, "refused")
    assert failed["text"] == 'SELECT * { ?s ?p "..."'
    assert failed["release"] == "r1"
    answer = ask(watched, "nonsense", "")
    assert eventually(lambda: len(noted(watched, "refused")) == 2)
    # The answer names the line of the log that is about it.
    assert noted(watched, "refused")[-1]["request_id"] == answer.headers["x-request-id"]
    assert "Ane" not in (watched.data / NAME).read_text()
    assert "127.0.0.1" not in (watched.data / NAME).read_text()


def test_slow_queries_are_in_the_log(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    with served(data, environ={"BILBAOKG_SLOW_QUERY_SECONDS": "0"}) as server:
        assert ask(server, "ASK {}", "").status_code == 200
        assert eventually(lambda: [line["outcome"] for line in tail(data)] == ["done"])


def test_the_log_can_be_switched_off(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    with served(data, environ={"BILBAOKG_QUERY_LOG": "false"}) as server:
        assert ask(server, WRONG, "").status_code == 400
        # What a server remembers of itself ends with it.
        assert eventually(lambda: control.call(data, "usage", {})["slowest"])
    assert not (data / NAME).exists()


def test_status_counts_by_outcome(watched: Served) -> None:
    told = control.call(watched.data, "usage", {})
    assert told["release"] == "r1"
    assert told["uptime_seconds"] > 2
    outcomes = told["queries"]["outcomes"]
    assert outcomes["done"] >= 2
    assert (outcomes["deadline"], outcomes["cancelled"]) == (2, 1)
    assert told["queries"]["total"] == sum(outcomes.values())
    assert told["queries"]["endpoints"] == {"sparql": told["queries"]["total"]}
    assert told["workers"]["total"] == 4
    assert told["workers"]["replaced"] >= 3
    assert told["limits"] == {"on": False, "client_query_seconds": 60.0, "client_errors": 30}
    (client,) = told["clients"]
    assert client["queries"] == told["queries"]["total"]
    assert client["seconds"] == pytest.approx(told["queries"]["seconds"], abs=0.01)
    times = [line["seconds"] for line in told["slowest"]]
    assert times == sorted(times, reverse=True)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["A server has been running for", "stopped at the deadline", "busiest clients"]),
        ("es", ["Servidor en marcha", "detenida por el plazo", "abandonada por el cliente"]),
        ("eu", ["Zerbitzaria abian da", "epeak geldituta", "bezeroak utzita"]),
    ],
)
def test_status_tells_people_in_their_language(
    watched: Served, capsys: pytest.CaptureFixture[str], lang: str, words: list[str]
) -> None:
    text = run(capsys, "--data", str(watched.data), "--lang", lang, "status")
    for word in [*words, "SELECT ( COUNT ( * ) AS ?n )", "r1"]:
        assert word in text
    assert "127.0.0.1" not in text


def test_status_as_json_is_what_the_server_says(
    watched: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(run(capsys, "--data", str(watched.data), "--json", "status"))
    assert told["current"] == "r1"
    assert set(told["server"]) == set(control.call(watched.data, "usage", {}))


def test_status_without_a_server_reads_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = published(tmp_path / "data", query_seconds=1.0)
    assert "No server is running" not in run(capsys, "--data", str(data), "--lang", "en", "status")
    with served(data) as server:
        assert ask(server, FOREVER, "").status_code == 503
    text = run(capsys, "--data", str(data), "--lang", "en", "status")
    assert "No server is running" in text
    assert "stopped at the deadline" in text
    told = json.loads(run(capsys, "--data", str(data), "--json", "status"))
    assert told["server"] is None
    assert [line["outcome"] for line in told["last_queries"]] == ["deadline"]


# -- metrics -------------------------------------------------------------------------------------


def samples(text: str) -> dict[tuple[str, ...], float]:
    """The samples by name and label values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_are_what_was_counted(watched: Served) -> None:
    headers = token(watched.data, "read", "prometheus")
    answer = watched.client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    found = samples(answer.text)
    told = control.call(watched.data, "usage", {})
    for outcome, count in told["queries"]["outcomes"].items():
        assert found["bilbaokg_queries_total", "sparql", outcome] == count
    assert found["bilbaokg_query_seconds_count", "sparql"] == told["queries"]["total"]
    assert found["bilbaokg_query_seconds_bucket", "sparql", "+Inf"] == told["queries"]["total"]
    assert found["bilbaokg_query_seconds_bucket", "sparql", "0.1"] < told["queries"]["total"]
    assert found["bilbaokg_query_seconds_sum", "sparql"] > 2
    assert found["bilbaokg_workers",] == 4
    assert found["bilbaokg_worker_replacements_total",] >= 3
    assert found["bilbaokg_release_info", "r1"] == 1
    assert found["bilbaokg_release_datasets",] == 2
    assert found["bilbaokg_release_records",] == 4
    assert found["bilbaokg_release_created_timestamp_seconds",] < time.time()
    assert found["process_resident_memory_bytes",] > 1 << 20


def test_requests_are_counted_by_what_they_do_and_their_status(watched: Served) -> None:
    def count() -> dict[tuple[str, ...], float]:
        headers = token(watched.data, "read", f"count-{time.monotonic_ns()}")
        return samples(watched.client.get("/metrics", headers=headers).text)

    before = count()
    paths = ("/en/datasets", "/en/dataset/nowhere", "/catalog.ttl", "/a/b/c/d", "/e/f/g/h")
    for path in paths:
        watched.client.get(path)
    after = count()
    name = "bilbaokg_http_requests_total"
    for labels, number in {
        ("page.read", "200"): 1, ("page.read", "404"): 1, ("data.read", "200"): 1,
        ("none", "404"): 2, ("metrics.read", "200"): 1,
    }.items():  # fmt: skip
        assert after[(name, *labels)] - before.get((name, *labels), 0) == number, labels


def test_metrics_need_a_token_where_others_are_served(watched: Served) -> None:
    answer = watched.client.get("/metrics")
    assert answer.status_code == 401
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"BILBAOKG_METRICS_PUBLIC": "true"}, 200),
        ({"BILBAOKG_PUBLIC_URL": "http://localhost:8000"}, 200),
        ({"BILBAOKG_PUBLIC_URL": "http://localhost", "BILBAOKG_TRUSTED_PROXIES": "10.0.0.1"}, 401),
    ],
)
def test_metrics_are_open_where_it_is_said_and_where_only_this_machine_asks(
    data: Path, environ: dict[str, str], status: int
) -> None:
    with served(data, environ=environ) as server:
        assert server.client.get("/metrics").status_code == status


def test_all_that_is_told_is_described(watched: Served) -> None:
    page = Path(__file__).resolve().parents[1] / "docs" / "howto" / "operate.md"
    described = set(re.findall(r"`(\w+)`", page.read_text(encoding="utf-8")))
    told = control.call(watched.data, "usage", {})
    names = {name for key in ("queries", "workers", "kept", "log") for name in told[key]}
    assert {*told, *names, *told["clients"][0], *told["slowest"][0]} <= described
    assert {outcome for _, outcome in OUTCOMES} | {"done", "refused", "failed"} <= described
    headers = token(watched.data, "read", "described")
    metrics = re.findall(r"^# TYPE (bilbaokg_\w+)", watched.client.get(
        "/metrics", headers=headers).text, re.MULTILINE)  # fmt: skip
    assert set(metrics) <= described
