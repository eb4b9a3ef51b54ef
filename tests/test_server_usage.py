"""Limits, the log of queries and counts, on a server that runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import Served, published, served, token

PAIRS = " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(12))
FOREVER = f"SELECT (COUNT(*) AS ?n) {{ {PAIRS} }}"
WRONG = "SELECT * { ?s ?p"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return published(tmp_path / "data", query_seconds=1.5)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server behind a proxy, which is the test."""
    data = published(tmp_path_factory.mktemp("usage") / "data", query_seconds=1.5)
    environ = {
        "BILBAOKG_TRUSTED_PROXIES": "127.0.0.1",
        "BILBAOKG_CLIENT_QUERY_SECONDS": "0.5",
        "BILBAOKG_CLIENT_ERRORS": "60",
    }
    with served(data, environ=environ) as server:
        yield server


def ask(server: Served, query: str, client: str, path: str = "/sparql", **more: Any) -> Any:
    headers = {"X-Forwarded-For": client, **more.pop("headers", {})}
    return server.client.get(path, params={"query": query, **more}, headers=headers)


# -- limits --------------------------------------------------------------------------------------


def test_errors_of_a_minute_bring_429_and_after_the_wait_the_client_is_let_in(
    limited: Served,
) -> None:
    answers = [ask(limited, WRONG, "192.0.2.1") for _ in range(70)]
    assert [answer.status_code for answer in answers[:60]] == [400] * 60
    # While these were sent the bucket ran out a little.
    refused = next(answer for answer in answers[60:] if answer.status_code == 429)
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "urn:bilbaokg:problem:too-many-requests"
    assert refused.json()["retry_after"] == int(refused.headers["retry-after"]) == 1
    assert ask(limited, "ASK {}", "192.0.2.2").status_code == 200
    while ask(limited, WRONG, "192.0.2.1").status_code != 429:
        pass
    time.sleep(1)
    assert ask(limited, "ASK {}", "192.0.2.1").status_code == 200


def test_query_time_of_a_minute_brings_429(limited: Served) -> None:
    assert ask(limited, FOREVER, "192.0.2.3").status_code == 503
    refused = ask(limited, "ASK {}", "192.0.2.3")
    assert refused.status_code == 429
    # It used at least 1.5 s of half a second, which is what leaks out in a minute.
    assert 100 <= int(refused.headers["retry-after"]) <= 1000


def test_query_whose_client_went_away_is_charged_as_well(limited: Served) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(
            f"{limited.url}/sparql", params={"query": FOREVER},
            headers={"X-Forwarded-For": "192.0.2.4"}, timeout=1.2,
        )  # fmt: skip
    time.sleep(0.5)
    assert ask(limited, "ASK {}", "192.0.2.4").status_code == 429


@pytest.mark.parametrize(
    "path", ["/api/queries/formats-in-use?format=json", "/en/sparql?query=ASK{}&run=1"]
)
def test_all_endpoints_share_the_budget(limited: Served, path: str) -> None:
    client = f"192.0.2.{len(path)}"
    assert ask(limited, FOREVER, client).status_code == 503
    refused = limited.client.get(path, headers={"X-Forwarded-For": client})
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0


def test_the_endpoint_of_the_working_store_is_limited_as_well(limited: Served) -> None:
    headers = token(limited.data, "read", "working")
    for _ in range(60):
        assert ask(limited, WRONG, "", "/working/sparql", headers=headers).status_code == 400
    answers = [ask(limited, WRONG, "", "/working/sparql", headers=headers) for _ in range(5)]
    assert 429 in {answer.status_code for answer in answers}


def test_token_is_a_client_of_its_own(limited: Served) -> None:
    assert ask(limited, FOREVER, "192.0.2.8").status_code == 503
    assert ask(limited, "ASK {}", "192.0.2.8").status_code == 429
    headers = token(limited.data, "read", "apart")
    assert ask(limited, "ASK {}", "192.0.2.8", headers=headers).status_code == 200


def test_pages_and_data_are_not_limited(limited: Served) -> None:
    headers = {"X-Forwarded-For": "192.0.2.9"}
    assert ask(limited, FOREVER, "192.0.2.9").status_code == 503
    for path in ("/en/datasets", "/en/sparql", "/catalog.ttl", "/api/queries", "/health/ready"):
        assert limited.client.get(path, headers=headers).status_code == 200, path


def test_the_query_page_says_it_in_the_readers_language(limited: Served) -> None:
    headers = {"X-Forwarded-For": "192.0.2.10"}
    assert ask(limited, FOREVER, "192.0.2.10").status_code == 503
    page = limited.client.get("/es/sparql?query=ASK{}&run=1", headers=headers)
    assert page.status_code == 429
    assert "Ha pedido más de lo que se permite" in page.text


def test_header_of_an_untrusted_peer_is_not_believed(data: Path) -> None:
    environ = {"BILBAOKG_TRUSTED_PROXIES": "192.0.2.200", "BILBAOKG_CLIENT_QUERY_SECONDS": "1"}
    with served(data, environ=environ) as server:
        assert ask(server, FOREVER, "192.0.2.1").status_code == 503
        assert ask(server, "ASK {}", "192.0.2.2").status_code == 429


def test_on_loopback_without_proxies_nobody_is_limited(data: Path) -> None:
    environ = {"BILBAOKG_CLIENT_QUERY_SECONDS": "1", "BILBAOKG_CLIENT_ERRORS": "1"}
    with served(data, environ=environ) as server:
        assert ask(server, FOREVER, "").status_code == 503
        assert [ask(server, WRONG, "").status_code for _ in range(3)] == [400] * 3
        assert ask(server, "ASK {}", "").status_code == 200
