"""The control socket: who may reach it, what it does, what is said when the server goes away."""

from __future__ import annotations

import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from helpers import eventually
from serving import CATALOGUE, Served, initialise, operate, published, served

from bilbaokg.cli import operating
from bilbaokg.console import Console
from bilbaokg.errors import BadInput, Conflict, NotFound, Overloaded
from bilbaokg.operations import OPERATIONS
from bilbaokg.server import control


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(published(tmp_path_factory.mktemp("control") / "data")) as server:
        yield server


def test_available_while_a_server_runs(server: Served, tmp_path: Path) -> None:
    assert control.available(server.data)
    assert not control.available(tmp_path)


def test_socket_belongs_to_the_owner_alone(server: Served) -> None:
    mode = (server.data / control.NAME).stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700


def test_result_is_that_of_the_operation(server: Served) -> None:
    status = control.call(server.data, "status", {})
    assert status["current"] == "r1"
    assert status["data"] == str(server.data)


def test_progress_is_told(server: Served, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.ttl"
    file.write_text(CATALOGUE.replace("Ruido", "Ruidos"))
    told: list[tuple[int, int | None, str]] = []
    params = {"paths": [str(file)], "source": "test"}
    loaded = control.call(server.data, "load", params, lambda *step: told.append(step))
    assert loaded["records"]["changed"] == 1
    assert told
    assert all(isinstance(done, int) and text for done, _, text in told)


def test_the_audit_names_the_operator(server: Served) -> None:
    control.call(server.data, "release.publish", {"id": "r1"})
    (entry,) = control.call(server.data, "audit.list", {"limit": 1})["entries"]
    assert entry["actor"].startswith("operator:")


def test_errors_come_back_as_they_were(server: Served) -> None:
    with pytest.raises(NotFound, match="r999") as caught:
        control.call(server.data, "release.publish", {"id": "r999"})
    assert caught.value.hint
    control.call(server.data, "token.create", {"name": "x", "scope": "read"})
    with pytest.raises(Conflict):
        control.call(server.data, "token.create", {"name": "x", "scope": "read"})
    with pytest.raises(BadInput, match="root"):
        control.call(server.data, "token.create", {"name": "y", "scope": "root"})


def test_unknown_operation_lists_the_known(server: Served) -> None:
    with pytest.raises(NotFound) as caught:
        control.call(server.data, "format-disk", {})
    assert "release.build" in (caught.value.hint or "")


def test_every_operation_is_there(server: Served) -> None:
    transport = httpx.HTTPTransport(uds=str(server.data / control.NAME))
    with httpx.Client(transport=transport, base_url="http://localhost", timeout=60) as client:
        assert client.get("/").json()["operations"] == sorted([*OPERATIONS, "usage"])
        assert client.post("/status", content=b"[1]").status_code == 400
        assert client.post("/status", content=b"{").status_code == 400
        assert client.get("/status").status_code == 405


def test_operations_are_not_on_the_public_port(server: Served) -> None:
    for path in ("/status", "/token.create", "/release.build"):
        assert server.client.post(path).status_code in (404, 405)


def test_operation_ends_although_its_caller_goes_away(server: Served, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.ttl"
    file.write_text(CATALOGUE.replace("Ruido", "Estruendo"))
    with socket.socket(socket.AF_UNIX) as caller:
        with control._address(server.data) as address:
            caller.connect(address)
        body = f'{{"paths": ["{file}"], "source": "test"}}'.encode()
        head = f"POST /load HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        caller.sendall(head.encode() + body)
        time.sleep(0.05)

    def loaded() -> bool:
        (last,) = control.call(server.data, "audit.list", {"limit": 1})["entries"]
        return bool(last["kind"] == "load" and last["subject"] == "test")

    assert eventually(loaded)


def test_public_requests_go_on_during_an_operation(server: Served) -> None:
    done = threading.Event()

    def build() -> None:
        for _ in range(3):
            control.call(server.data, "release.build", {"unchecked": True})
        done.set()

    thread = threading.Thread(target=build)
    thread.start()
    meanwhile = 0
    while not done.is_set():
        assert server.client.get("/health/live").status_code == 200
        meanwhile += not done.is_set()
    thread.join()
    # Were they answered between the operations only, there would be two or three.
    assert meanwhile > 6


def test_no_server_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Overloaded, match="did not finish"):
        control.call(tmp_path, "status", {})


def test_server_that_is_killed_meanwhile_is_said_so(tmp_path: Path) -> None:
    server = Served(published(tmp_path / "data"))

    def kill(*_: object) -> None:
        server.process.send_signal(signal.SIGKILL)

    def ask_again_and_again() -> None:
        while True:
            control.call(server.data, "status", {})

    threading.Timer(0.3, kill).start()
    with pytest.raises(Overloaded, match="did not finish"):
        ask_again_and_again()
    server.process.wait()
    server.client.close()
    assert server.process.stdout
    server.process.stdout.close()
    assert not control.available(server.data)


def test_path_too_long_for_an_address_works_all_the_same(tmp_path: Path) -> None:
    data = initialise(tmp_path / ("long" * 30) / "data")
    assert len(os.fsencode(data)) > 108
    with served(data) as server:
        assert control.available(data)
        assert control.call(data, "status", {})["current"] is None
        assert server.client.get("/health/live").status_code == 200


def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    data = initialise(tmp_path / "data")
    (data / control.NAME).write_text("mine")
    control.remove(data)
    assert (data / control.NAME).read_text() == "mine"
    with pytest.raises(BadInput, match="control socket"):
        control.bind(data)
    operate(data, "status")


def test_a_verb_goes_through_a_server_that_takes_its_time_to_start(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter((False, True))
    monkeypatch.setattr(control, "available", lambda _data: next(answers))
    done = operating.operate(Console(server.data), "status", {})
    assert done == control.call(server.data, "status", {})
