"""The API for jobs: load, build, publish with a token, and what anyone may know."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving import BASE, CATALOGUE, Served, initialise, operate, served, token

from bilbaokg.errors import RemovalRefused
from bilbaokg.profiles import Shelf
from bilbaokg.server import control

TURTLE = {"Content-Type": "text/turtle"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = initialise(tmp_path_factory.mktemp("api") / "data", body_limit=1 << 20)
    with served(data) as server:
        yield server


@pytest.fixture(scope="module")
def publisher(server: Served) -> dict[str, str]:
    return token(server.data, "publish", "nightly")


def send(
    server: Served, headers: dict[str, str], content: bytes | str, **params: str
) -> httpx.Response:
    return server.client.post(
        "/api/load", params={"source": "test", **params}, content=content, headers=headers
    )


def test_from_nothing_to_a_public_catalogue(server: Served, publisher: dict[str, str]) -> None:
    client = server.client
    assert client.get("/api/status").json()["release"] is None
    assert client.get("/api/releases").json() == {"current": None, "releases": []}

    rehearsed = send(server, publisher | TURTLE, CATALOGUE, dry_run="true")
    assert rehearsed.json()["dry_run"] is True
    loaded = send(server, publisher | TURTLE, CATALOGUE, why="the first time")
    assert loaded.status_code == 200, loaded.text
    assert loaded.json()["records"]["new"] == rehearsed.json()["records"]["new"] > 0
    again = send(server, publisher | TURTLE, CATALOGUE)
    assert again.json()["records"]["new"] == again.json()["records"]["changed"] == 0

    refused = client.post("/api/releases", json={}, headers=publisher)
    assert refused.status_code in (201, 409)
    built = client.post("/api/releases", json={"waive": "a test", "note": "n"}, headers=publisher)
    assert built.status_code == 201, built.text
    id = built.json()["id"]
    assert built.headers["location"] == f"/api/releases/{id}"
    assert client.get(built.headers["location"], headers=publisher).json()["id"] == id
    assert client.get("/api/releases", headers=publisher).json()["releases"][0]["id"] == id
    # What is not published yet is not public.
    assert client.get(built.headers["location"]).status_code == 404
    assert client.get("/api/releases").json()["releases"] == []
    assert client.get("/api/releases/r999").status_code == 404
    assert client.get("/api/status").json()["release"] is None

    published = client.post(f"/api/releases/{id}/publish", headers=publisher)
    assert published.status_code == 200, published.text
    status = client.get("/api/status").json()
    assert (status["release"], status["datasets"], status["base"]) == (id, 2, BASE)
    releases = client.get("/api/releases").json()
    assert releases["current"] == id
    assert releases["releases"][0]["current"] is True


def test_a_release_that_takes_too_much_away_is_refused_until_a_reason_is_given(
    server: Served, publisher: dict[str, str]
) -> None:
    client, build = server.client, {"waive": "a test"}
    assert send(server, publisher | TURTLE, CATALOGUE).status_code == 200
    first = client.post("/api/releases", json=build, headers=publisher).json()["id"]
    client.post(f"/api/releases/{first}/publish", headers=publisher).raise_for_status()
    control.call(server.data, "delete", {"iri": f"{BASE}/id/dataset/trees", "force": True})

    refused = client.post("/api/releases", json=build, headers=publisher)
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:bilbaokg:problem:removals"
    assert refused.json()["removals"]["gone"] == {"dataset": 1}
    with pytest.raises(RemovalRefused, match="1 of 2 datasets"):
        control.call(server.data, "release.build", build)
    told = build | {"accept_removals": "cut down"}
    second = client.post("/api/releases", json=told, headers=publisher).json()
    assert second["removals"]["accepted"] == "cut down"
    path = "/api/releases/{}/publish"
    client.post(path.format(second["id"]), headers=publisher).raise_for_status()
    page = client.get(f"/en/releases/{second['id']}").text
    assert "cut down" in page

    send(
        server, publisher | TURTLE, CATALOGUE + f"<{BASE}/id/dataset/air> a dcat:Dataset ."
    ).raise_for_status()
    third = client.post("/api/releases", json=build, headers=publisher).json()["id"]
    client.post(path.format(third), headers=publisher).raise_for_status()
    back = client.post(path.format(second["id"]), headers=publisher)
    assert back.status_code == 409
    why = {"accept_removals": "air was not ready"}
    assert client.post(path.format(second["id"]), params=why, headers=publisher).is_success


def test_the_audit_names_the_token(server: Served, publisher: dict[str, str]) -> None:
    send(server, publisher | TURTLE, CATALOGUE.replace("Ruido", "Ruidos"))
    entries = control.call(server.data, "audit.list", {})["entries"]
    assert entries[0]["actor"] == "token:nightly"


@pytest.mark.parametrize("scope", ["read"])
def test_reading_is_not_writing(server: Served, scope: str) -> None:
    answer = send(server, token(server.data, scope, "reader") | TURTLE, CATALOGUE)
    assert answer.status_code == 403
    assert "'write'" in answer.json()["detail"]


def test_gzip_is_inflated(server: Served, publisher: dict[str, str]) -> None:
    headers = publisher | TURTLE | {"Content-Encoding": "gzip"}
    answer = send(server, headers, gzip.compress(CATALOGUE.encode()))
    assert answer.status_code == 200, answer.text


CUT = gzip.compress(b"# x", mtime=0)[:-4]
BOMB = gzip.compress(b"#" * (64 << 20), mtime=0)


@pytest.mark.parametrize(
    ("content", "headers", "status", "message"),
    [
        (b"<x:s> <x:p> .", TURTLE, 400, ""),
        (b"", {"Content-Type": "text/plain; charset=utf-8"}, 400, "no statements"),
        (b"x", {"Content-Type": "image/png"}, 415, "image/png"),
        (b"x", {}, 415, "without Content-Type"),
        (b"#" * ((1 << 20) + 1), TURTLE, 413, "1,048,576"),
        (BOMB, TURTLE | {"Content-Encoding": "gzip"}, 413, ""),
        (b"not gzip", TURTLE | {"Content-Encoding": "gzip"}, 400, "gzip"),
        (CUT, TURTLE | {"Content-Encoding": "gzip"}, 400, "too early"),
        (b"x", TURTLE | {"Content-Encoding": "br"}, 415, "br"),
        (b'<x:s> <x:p> "\xff" .', TURTLE, 400, ""),
        (
            b'<!DOCTYPE x [<!ENTITY a "b">]><rdf:RDF xmlns:rdf='
            b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>',
            {"Content-Type": "application/rdf+xml"}, 422, "DOCTYPE",
        ),
    ],
)  # fmt: skip
def test_bad_body_is_refused_and_changes_nothing(
    server: Served, publisher: dict[str, str], content: bytes, headers: dict[str, str], status: int,
    message: str,
) -> None:  # fmt: skip
    query = {"query": "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"}
    before = server.client.get("/working/sparql", params=query, headers=publisher).text
    answer = send(server, publisher | headers, content)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert message in answer.json()["detail"]
    assert server.client.get("/working/sparql", params=query, headers=publisher).text == before


def test_syntax_error_says_where(server: Served, publisher: dict[str, str]) -> None:
    problem = send(server, publisher | TURTLE, "<x:s> <x:p> 1 .\n<x:s> <x:p>\n  nonsense .").json()
    assert problem["where"] == "test"
    assert problem["line"] >= 2


def test_parameters_are_checked(server: Served, publisher: dict[str, str]) -> None:
    missing = server.client.post("/api/load", content=b"", headers=publisher | TURTLE)
    assert missing.status_code == 422
    assert "source" in missing.json()["detail"]
    unknown = server.client.post("/api/releases", json={"nonsense": 1}, headers=publisher)
    assert unknown.status_code == 422
    for id in ("r999", "r0", "x", "..%2f..", "current"):
        answer = server.client.post(f"/api/releases/{id}/publish", headers=publisher)
        assert answer.status_code in (404, 422), (id, answer.text)


def test_waiving_needs_a_reason_and_excludes_holding_back(
    server: Served, publisher: dict[str, str]
) -> None:
    for body in ({"waive": " "}, {"waive": "agreed", "hold_back": True}):
        answer = server.client.post("/api/releases", json=body, headers=publisher)
        assert answer.status_code == 400


def test_a_profile_from_the_network_is_never_a_path(
    server: Served, publisher: dict[str, str], tmp_path: Path
) -> None:
    secret = tmp_path / "secret.ttl"
    secret.write_text("password 12345\n")
    for name in (str(secret), str(tmp_path), "shapes", "../shapes", "/etc/passwd", "."):
        answer = server.client.post("/api/releases", json={"profile": name}, headers=publisher)
        assert answer.status_code == 404, name
        assert answer.json()["hint"] == f"available: {', '.join(Shelf().labels())}"
        assert "password" not in answer.text


@pytest.mark.parametrize("source", ["", " ", "a\nb", "\0", "\x1b[31m", "\u202e"])
def test_source_has_a_name_that_people_can_read(
    server: Served, publisher: dict[str, str], source: str
) -> None:
    answer = send(server, publisher | TURTLE, CATALOGUE, source=source)
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("path", ["/api/status", "/api/releases", "/api/openapi.json"])
def test_head_answers_as_get_without_a_body(server: Served, path: str) -> None:
    head, get = server.client.head(path), server.client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


def test_openapi_describes_every_api_route(server: Served) -> None:
    description = server.client.get("/api/openapi.json").json()
    assert {
        "/api/status", "/api/releases", "/api/load", "/api/releases/{id}/publish"
    } <= description["paths"].keys()  # fmt: skip
    for operations in description["paths"].values():
        for operation in operations.values():
            assert operation["description"]


def test_there_is_no_api_page_of_strangers(server: Served) -> None:
    for path in ("/docs", "/redoc", "/openapi.json", "/api/docs"):
        assert server.client.get(path).status_code == 404


def test_revoked_token_cannot_load(server: Served) -> None:
    headers = token(server.data, "write", "leaver") | TURTLE
    assert send(server, headers, CATALOGUE).status_code == 200
    control.call(server.data, "token.revoke", {"name": "leaver"})
    assert send(server, headers, CATALOGUE).status_code == 401


def test_public_side_alone_has_no_writing_routes(tmp_path_factory: pytest.TempPathFactory) -> None:
    from bilbaokg import settings
    from bilbaokg.accounts import Accounts
    from bilbaokg.release import Releases
    from bilbaokg.server import create_app
    from bilbaokg.server.context import Context
    from bilbaokg.workers import Pool

    data = initialise(tmp_path_factory.mktemp("alone") / "data")
    operate(data, "status")
    configured = settings.read(data)
    with Pool(1) as pool:
        accounts = Accounts(data / "accounts.db")
        context = Context(data, configured, Releases(data, configured), pool, accounts)
        paths = {route.path for route in create_app(context).router.routes}  # type: ignore[attr-defined]
        context.lanes.close()
    assert "/sparql" in paths
    assert not paths & {"/working/sparql", "/api/load", "/api/releases/{id}/publish"}
