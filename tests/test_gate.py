"""The gate: every route says its action, and each actor gets exactly what the table says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from serving import published
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from bilbaokg import settings
from bilbaokg.accounts import Accounts, scopes_of
from bilbaokg.errors import Forbidden, Unauthorized
from bilbaokg.model import SCOPES, Record
from bilbaokg.server import create_app
from bilbaokg.server.auth import ACTIONS, ANONYMOUS, Actor, action_of, authorize, declare
from bilbaokg.server.context import Context
from bilbaokg.workers import Pool
from bilbaokg.workspace import Workspace

# What to put into the paths, and what a route needs to do something harmless.
VALUES = {"type": "dataset", "slug": "trees", "target": "dcat-ap", "id": "r1"}
ASK = {"query": "ASK {}", "run": "1"}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    data = published(tmp_path_factory.mktemp("gate") / "data")
    configured = settings.read(data)
    with Pool(2) as pool, Workspace(data, configured) as workspace:
        context = Context(data, configured, workspace.releases, pool, workspace.accounts, workspace)
        yield context


@pytest.fixture(scope="module")
def client(context: Context) -> Iterator[TestClient]:
    app = create_app(context)
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        yield client
        assert client.portal
        client.portal.call(context.lanes.close)


@pytest.fixture(scope="module")
def tokens(context: Context) -> dict[str, str]:
    made = {scope: context.accounts.create(scope, scope)["token"] for scope in SCOPES}
    return {scope: f"Bearer {token}" for scope, token in made.items()}


def routes(client: TestClient) -> list[Route]:
    return [route for route in client.app.router.routes if isinstance(route, Route)]  # type: ignore[attr-defined]


def visit(client: TestClient, route: Route, method: str, **headers: str) -> Response:
    path = route.path
    for name in route.param_convertors:
        path = path.replace(f"{{{name}:path}}", "x").replace(f"{{{name}}}", VALUES.get(name, "x"))
    return client.request(method, path, params=ASK, headers=headers)  # type: ignore[return-value]


def test_every_route_declares_a_known_action(client: TestClient) -> None:
    found = {route.path: action_of(route) for route in client.app.router.routes}  # type: ignore[attr-defined]
    assert len(found) > 15
    assert {path: action for path, action in found.items() if action not in ACTIONS} == {}


def test_every_action_is_used(client: TestClient) -> None:
    used = {action_of(route) for route in routes(client)}
    metrics = {"metrics.public", "metrics.read"}  # the settings say which of them
    assert len(used & metrics) == 1
    assert used | metrics == set(ACTIONS)


def test_anonymous_gets_what_is_public_and_nothing_else(client: TestClient) -> None:
    for route in routes(client):
        public = ACTIONS[action_of(route) or ""] is None
        for method in (route.methods or set()) - {"OPTIONS"}:
            status = visit(client, route, method).status_code
            assert (status not in (401, 403)) is public, (method, route.path, status)
            assert status < 500, (method, route.path, status)


@pytest.mark.parametrize("scope", SCOPES)
def test_each_scope_gets_what_it_contains_and_nothing_else(
    client: TestClient, tokens: dict[str, str], scope: str
) -> None:
    for route in routes(client):
        needed = ACTIONS[action_of(route) or ""]
        allowed = needed is None or needed in scopes_of(scope)
        for method in (route.methods or set()) - {"OPTIONS"}:
            answer = visit(client, route, method, authorization=tokens[scope])
            assert (answer.status_code != 403) is allowed, (method, route.path, answer.status_code)
            assert answer.status_code != 401
            assert answer.status_code < 500, (method, route.path, answer.status_code)


def test_refusal_says_how_to_get_in(client: TestClient) -> None:
    answer = client.post("/api/load", params={"source": "x"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "bilbaokg token create" in answer.json()["hint"]


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer bkg_" + "A" * 43,
        "Basic YTpi",
        "bkg_x",
        "",
        "Bearer a b",
        "\xff",
    ],
)
def test_wrong_credentials_are_401_even_where_all_is_public(
    client: TestClient, header: str
) -> None:
    for path in ("/health/live", "/catalog.ttl", "/working/sparql?query=ASK{}", "/es/"):
        answer = client.get(path, headers={"Authorization": header.encode("latin-1")})
        assert answer.status_code == 401, path
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_revoked_token_is_dead_at_once(context: Context, client: TestClient) -> None:
    secret = context.accounts.create("short-lived", "read")["token"]
    headers = {"Authorization": f"Bearer {secret}"}
    query = "/working/sparql?query=ASK{}"
    assert client.get(query, headers=headers).status_code == 200
    Accounts(context.data / "accounts.db").revoke("short-lived")
    assert client.get(query, headers=headers).status_code == 401


def test_token_in_the_address_is_not_accepted(client: TestClient, tokens: dict[str, str]) -> None:
    secret = tokens["admin"].removeprefix("Bearer ")
    for name in ("access_token", "token", "api_key", "Authorization"):
        answer = client.get("/working/sparql", params={"query": "ASK {}", name: secret})
        assert answer.status_code == 401


def test_scheme_is_case_insensitive(client: TestClient, tokens: dict[str, str]) -> None:
    secret = tokens["read"].removeprefix("Bearer ")
    headers = {"Authorization": f"bEaReR {secret}"}
    assert client.get("/working/sparql?query=ASK{}", headers=headers).status_code == 200


# -- the one function ----------------------------------------------------------------------------

RECORD = Record("dataset/x", "x:x", "", "0", 1, "internal")


@pytest.mark.parametrize("actor", [ANONYMOUS, Actor("token:x", scopes_of("admin"))])
def test_unknown_actions_are_denied_to_everyone(actor: Actor) -> None:
    with pytest.raises(Forbidden):
        authorize(actor, "no.such.action")


def test_internal_records_are_not_public() -> None:
    with pytest.raises(Forbidden):
        authorize(ANONYMOUS, "data.read", RECORD)


def test_nobody_is_asked_who_they_are_and_somebody_is_told_no() -> None:
    with pytest.raises(Unauthorized):
        authorize(ANONYMOUS, "catalogue.load")
    with pytest.raises(Forbidden, match="write"):
        authorize(Actor("token:x", scopes_of("read")), "catalogue.load")


# -- an application with a hole does not start ---------------------------------------------------


def test_a_route_without_an_action_stops_the_start(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bilbaokg.server import app

    def undeclared(routes: Any, action: str, accounts: Accounts) -> Any:
        return list(routes)

    monkeypatch.setattr(app.auth, "declare", undeclared)
    with pytest.raises(TypeError, match="without an action"):
        app.create_app(context)


def test_a_route_cannot_be_declared_under_an_unknown_action(context: Context) -> None:
    with pytest.raises(TypeError):
        declare([Route("/x", lambda request: None)], "no.such.action", context.accounts)


def test_a_mount_cannot_be_declared(context: Context) -> None:
    with pytest.raises(TypeError):
        declare([Mount("/x", routes=[])], "page.read", context.accounts)


def test_a_page_that_changes_something_needs_an_action_of_its_own(
    context: Context, tmp_path: Path
) -> None:
    route = Route("/es/edit", lambda request: Response(), methods=["POST"])
    with pytest.raises(TypeError, match="action of its own"):
        declare([route], "page.read", context.accounts)
