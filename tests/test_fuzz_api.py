"""The API held against its own description, with requests made of it: by schemathesis."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from serving import Served, published, served, token

load_all_checks()
CHECKED = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error", "status_code_conformance", "content_type_conformance",
        "response_schema_conformance", "response_headers_conformance", "unsupported_method",
    )
]  # fmt: skip
BOUNDED = settings(
    max_examples=8, derandomize=True, database=None, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(published(tmp_path_factory.mktemp("fuzz") / "data")) as running:
        yield running
        assert running.client.get("/health/ready").json()["status"] == "ready"
        assert [line for line in running.logged() if line["level"] == "error"] == []


@pytest.fixture(scope="module")
def description(server: Served) -> Any:
    return schemathesis.openapi.from_url(f"{server.url}/api/openapi.json")


@pytest.fixture(scope="module")
def credentials(server: Served) -> dict[str, str]:
    return token(server.data, "publish")


def fuzz(description: Any, headers: dict[str, str], mode: GenerationMode) -> Counter[int]:
    """Call every operation that takes anything; how often each status came."""
    statuses: Counter[int] = Counter()
    for found in description.get_all_operations():
        operation = found.ok()
        if not operation.body and not list(operation.iter_parameters()):
            continue

        @BOUNDED
        @given(case=operation.as_strategy(generation_mode=mode))
        def call(case: schemathesis.Case) -> None:
            answer = case.call_and_validate(headers=headers, checks=CHECKED)
            statuses[answer.status_code] += 1

        call()
    return statuses


def test_requests_that_fit_the_description(description: Any, credentials: dict[str, str]) -> None:
    assert fuzz(description, credentials, GenerationMode.POSITIVE).keys() >= {200, 201, 400, 404}


def test_requests_that_do_not_fit(description: Any, credentials: dict[str, str]) -> None:
    assert fuzz(description, credentials, GenerationMode.NEGATIVE).keys() >= {400, 401, 422}


# -- the description -----------------------------------------------------------------------------


def test_every_address_of_the_api_is_described(server: Served) -> None:
    described = server.client.get("/api/openapi.json").json()["paths"]
    for path in (
        "/api/status", "/api/releases", "/api/releases/{id}", "/api/queries",
        "/api/queries/classes-in-use", "/api/openapi.json",
    ):  # fmt: skip
        assert "get" in described[path]
    for path in ("/api/load", "/api/releases", "/api/releases/{id}/publish"):
        assert "post" in described[path]
    for path in ("/sparql", "/working/sparql"):
        assert {"get", "post"} <= set(described[path])


def test_every_operation_says_who_may_and_how_it_fails(server: Served) -> None:
    document = server.client.get("/api/openapi.json").json()
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    operations = [
        (path, told)
        for path, item in document["paths"].items()
        for method, told in item.items()
        if method in ("get", "post")
    ]
    for path, told in operations:
        assert told["security"], path
        assert told["summary"], path
        assert {"401", "default"} <= set(told["responses"]), path
        failing = {k: v for k, v in told["responses"].items() if k == "default" or k >= "4"}
        assert all(each["content"] == problem for each in failing.values()), path
    assert document["paths"]["/api/load"]["post"]["security"] == [{"token": []}]
    assert {} in document["paths"]["/sparql"]["get"]["security"]
    assert "HTTPValidationError" not in json.dumps(document)
    names = [told["operationId"] for _, told in operations if "operationId" in told]
    assert len(names) == len(set(names))
