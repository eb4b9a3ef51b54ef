"""Others are told of a release: signed, whole, again until they take it, and never in its way."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from helpers import eventually
from serving import BASE, CATALOGUE, initialise, load, operate, published, served

from bilbaokg import settings
from bilbaokg.errors import BadInput
from bilbaokg.settings import Settings
from bilbaokg.webhooks import sending, signing
from bilbaokg.webhooks.outbox import DELAYS, Outbox

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Receiver:
    """A server that takes webhooks; `answer` writes its answer, given the handler."""

    def __init__(self) -> None:
        self.took: list[tuple[dict[str, str], bytes]] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = partial(say, 204)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.took.append((headers, body))
                receiver.answer(self)

            def do_GET(self) -> None:
                receiver.took.append(({}, b"GET"))
                say(200, self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A sender that has read enough goes away: no news."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}/hook?token=hidden"
        serve = partial(self.server.serve_forever, poll_interval=0.01)
        threading.Thread(target=serve, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.took]


def say(status: int, handler: BaseHTTPRequestHandler, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue whose first release is built, and not published."""
    data = initialise(tmp_path_factory.mktemp("built") / "data")
    load(data, CATALOGUE)
    operate(data, "release.build", unchecked=True)
    return data


@pytest.fixture
def data(built: Path, tmp_path: Path, receiver: Receiver) -> Path:
    """The same, with a receiver that is told of its releases."""
    data = shutil.copytree(built, tmp_path / "data")
    settings.write(data, {"base": BASE, "public_url": BASE, **told(receiver)})
    return data


def told(receiver: Receiver) -> dict[str, Any]:
    return {"webhooks": [receiver.url], "webhook_private_hosts": [receiver.host]}


def publish(data: Path) -> str:
    """Publish the release that is built, else another one."""
    if (data / "releases" / "current").exists():
        operate(data, "release.build", unchecked=True)
    return str(operate(data, "release.publish")["id"])


def send(data: Path, clock: Callable[[], float] = time.time) -> int:
    configuration = settings.read(data)
    outbox = Outbox(data, clock)
    return sending.send_due(outbox, configuration, signing.read(data, configuration))


def cli(data: Path, *words: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "bilbaokg", "--data", str(data), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def states(data: Path) -> list[tuple[str, int, int | None]]:
    return [(d.state, d.attempts, d.status) for d in Outbox(data).all()]


def is_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """What a receiver does, as the specification says it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(digest).decode()}"
    return expected in headers["webhook-signature"].split(" ")


# ---- what is told


def test_a_release_is_told_with_what_changed_and_where_its_feeds_are(
    data: Path, receiver: Receiver
) -> None:
    publish(data)
    load(data, CATALOGUE.replace("Árboles", "Arbolado"))
    publish(data)
    assert send(data) == 2
    # They are sent at the same time, and may come in any order.
    first, second = sorted(receiver.bodies(), key=lambda body: body["data"]["release"])
    assert (first["type"], first["data"]["release"], first["data"]["previous"]) == (
        "release.published", "r1", None,
    )  # fmt: skip
    assert second["data"] | {"feeds": None, "sha256": None} == {
        "release": "r2", "previous": "r1", "new": 0, "changed": 1, "gone": 0, "records": 4,
        "datasets": 2, "catalogue": BASE, "feeds": None, "sha256": None,
    }  # fmt: skip
    assert second["data"]["feeds"] == {
        "dcat-ap": f"{BASE}/catalog.rdf",
        "dcat-ap-es": f"{BASE}/feeds/dcat-ap-es/catalog.rdf",
        "ckan": f"{BASE}/feeds/ckan/catalog.rdf",
        "schema.org": f"{BASE}/feeds/schema.org/catalog.jsonld",
    }
    assert second["timestamp"] > first["timestamp"]
    assert states(data) == [("delivered", 1, 204)] * 2


def test_a_rollback_is_told(data: Path, receiver: Receiver) -> None:
    publish(data)
    publish(data)
    operate(data, "release.rollback")
    send(data)
    # They are sent at the same time, and may come in any order.
    told = {body["type"]: body["data"] for body in receiver.bodies()}
    rolled_back = told["release.rolled_back"]
    assert (rolled_back["release"], rolled_back["previous"]) == ("r1", "r2")


def test_a_receiver_can_verify_who_sent_it(data: Path, receiver: Receiver) -> None:
    publish(data)
    send(data)
    ((headers, body),) = receiver.took
    (secret,) = signing.read(data, settings.read(data))
    assert is_signed(secret, headers, body)
    assert not is_signed(secret, headers, body + b" ")
    assert not is_signed(SECRET, headers, body)
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert headers["content-type"] == "application/json"


def test_signatures_are_those_of_the_specification() -> None:
    signature = signing.sign(
        SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


# ---- the secret


def test_the_secret_is_made_once_for_its_owner_alone(data: Path) -> None:
    configuration = settings.read(data)
    first = signing.read(data, configuration)
    assert signing.read(data, configuration) == first
    assert (data / "webhook.secret").stat().st_mode & 0o777 == 0o600


def test_while_a_secret_changes_both_sign(data: Path, receiver: Receiver) -> None:
    (old,) = signing.read(data, settings.read(data))
    (data / "webhook.secret").write_text(f"{SECRET}\n{old}\n")
    publish(data)
    send(data)
    ((headers, body),) = receiver.took
    assert is_signed(old, headers, body)
    assert is_signed(SECRET, headers, body)


def test_the_variable_wins_over_the_file(data: Path) -> None:
    assert signing.read(data, settings.read(data), {signing.VARIABLE: SECRET}) == [SECRET]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "passphrase",
        "whsec_!",
        "whsec_c2hvcnQ=",
        f"whsec_{'A' * 200}",
        "whsec_ñ",
        "MfKQ9r8GKYqr",
    ],
)
def test_what_is_no_secret_is_refused_and_never_shown(data: Path, text: str) -> None:
    (data / "webhook.secret").write_text(text)
    with pytest.raises(BadInput) as raised:
        signing.read(data, settings.read(data))
    assert not text or text not in f"{raised.value} {raised.value.hint}"


def test_a_file_elsewhere_is_read_and_never_made(data: Path, tmp_path: Path) -> None:
    elsewhere = Settings(webhook_secret_file=str(tmp_path / "elsewhere"))
    with pytest.raises(BadInput):
        signing.read(data, elsewhere)
    (tmp_path / "elsewhere").write_text(SECRET)
    assert signing.read(data, elsewhere) == [SECRET]


# ---- receivers that do not take it


def test_what_is_not_taken_is_sent_again_later_and_later_under_the_same_id(
    data: Path, receiver: Receiver
) -> None:
    publish(data)
    receiver.answer = partial(say, 500)
    now = time.time()
    for attempt, delay in enumerate(DELAYS, 1):
        assert send(data, partial(float, now)) == 1
        assert states(data) == [("waiting", attempt, 500)]
        assert send(data, partial(float, now + 0.99 * delay)) == 0
        now += 1.11 * delay
    assert send(data, partial(float, now)) == 1
    assert states(data) == [("ended", len(DELAYS) + 1, 500)]
    assert send(data, partial(float, now + 1e9)) == 0
    assert len({headers["webhook-id"] for headers, _ in receiver.took}) == 1


def test_a_receiver_that_is_there_again_gets_it(data: Path, receiver: Receiver) -> None:
    publish(data)
    receiver.answer = partial(say, 503, Retry_After="7200")
    send(data)
    assert send(data, lambda: time.time() + 7100) == 0, "it asked for two hours"
    receiver.answer = partial(say, 200)
    assert send(data, lambda: time.time() + 7300) == 1
    assert states(data) == [("delivered", 2, 200)]


def test_a_receiver_that_wants_no_more_is_left_alone(data: Path, receiver: Receiver) -> None:
    publish(data)
    receiver.answer = partial(say, 410)
    send(data)
    assert states(data) == [("ended", 1, 410)]


def test_no_redirect_is_followed(data: Path, receiver: Receiver) -> None:
    publish(data)
    receiver.answer = partial(say, 302, Location=f"http://127.0.0.1:{receiver.port}/private")
    send(data)
    assert len(receiver.took) == 1
    (delivery,) = Outbox(data).all()
    assert delivery.error == "HTTP 302: redirects are not followed"


def test_a_slow_receiver_is_not_waited_for(
    data: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(300):
            time.sleep(0.02)
            handler.wfile.write(f"X-{number}: y\r\n".encode())

    monkeypatch.setattr(sending, "SECONDS", 0.3)
    publish(data)
    receiver.answer = drip
    send(data)
    (delivery,) = Outbox(data).all()
    assert (delivery.state, delivery.error) == ("waiting", "no answer in 0.3 s")


def test_of_an_answer_without_an_end_only_the_head_is_read(data: Path, receiver: Receiver) -> None:
    sent = []

    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        while len(sent) < 10_000:
            handler.wfile.write(b"x" * 65536)
            sent.append(1)

    publish(data)
    receiver.answer = flood
    send(data)
    assert states(data) == [("delivered", 1, 200)]
    assert len(sent) < 10_000


def test_a_receiver_that_says_no_http_or_nothing_is_an_error(
    data: Path, receiver: Receiver
) -> None:
    publish(data)
    receiver.answer = lambda handler: handler.wfile.write(b"hello\r\n\r\n")
    send(data)
    assert states(data) == [("waiting", 1, None)]


def test_one_bad_receiver_does_not_hold_up_another(data: Path, receiver: Receiver) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        settings.write(data, {
            "base": BASE, "public_url": BASE, "webhook_private_hosts": ["127.0.0.1", receiver.host,
                                                                        f"127.0.0.1:{port}"],
            "webhooks": [f"http://127.0.0.1:{port}/", receiver.url],
        })  # fmt: skip
        publish(data)
        assert send(data) == 2
    assert sorted(states(data)) == [("delivered", 1, 204), ("waiting", 1, None)]


# ---- never into a private network


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254"])
def test_private_addresses_are_not_asked(data: Path, receiver: Receiver, host: str) -> None:
    url = f"http://{host}:{receiver.port}/"
    settings.write(data, {"base": BASE, "public_url": BASE, "webhooks": [url]})
    publish(data)
    send(data)
    assert receiver.took == []
    (delivery,) = Outbox(data).all()
    assert "private address (webhook_private_hosts can allow its host)" in str(delivery.error)


def test_a_name_that_changes_its_address_leads_nowhere_else(
    data: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def resolve(
        self: asyncio.BaseEventLoop, host: str, port: int, **_: Any
    ) -> list[tuple[Any, ...]]:
        """A public address at the first question, this machine's at all others."""
        asked.append(host)
        address = "127.0.0.1" if asked.count("rebinding.example") > 1 else "192.0.2.1"
        public = "93.184.215.14" if address == "192.0.2.1" else address
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (public, port))]

    tried: list[str] = []

    async def connect(self: Any, request: Any) -> Any:
        tried.append(request.url.host)
        raise sending.httpx.ConnectError("no route")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolve)
    monkeypatch.setattr(sending.httpx.AsyncHTTPTransport, "handle_async_request", connect)
    url = f"http://rebinding.example:{receiver.port}/"
    settings.write(data, {"base": BASE, "public_url": BASE, "webhooks": [url]})
    publish(data)
    send(data)
    assert (asked, tried) == (["rebinding.example"], ["93.184.215.14"])
    send(data, lambda: time.time() + 60)
    assert tried == ["93.184.215.14"], "the second time its address is judged again"
    assert receiver.took == []


# ---- the outbox outlives what happens


def test_what_was_taken_by_a_process_that_was_killed_is_sent_by_the_next(
    data: Path, receiver: Receiver
) -> None:
    publish(data)
    assert len(Outbox(data).take([receiver.url])) == 1
    assert send(data) == 0, "somebody else has it"
    assert send(data, lambda: time.time() + 120) == 1
    assert len(receiver.took) == 1


def test_a_switch_whose_note_was_cut_off_is_noted_at_the_next_start(
    data: Path, receiver: Receiver
) -> None:
    publish(data)
    publish(data)
    with sqlite3.connect(data / "webhooks.db") as connection:
        connection.execute("UPDATE mark SET seq = seq - 1")
        connection.execute("DELETE FROM delivery WHERE message LIKE (SELECT max(id) FROM message)")
        connection.execute("DELETE FROM message WHERE id = (SELECT max(id) FROM message)")
    connection.close()
    with served(data):
        assert eventually(lambda: len(receiver.took) == 2)
    assert {body["data"]["release"] for body in receiver.bodies()} == {"r1", "r2"}


def test_webhooks_that_are_new_are_not_told_of_old_releases(
    tmp_path: Path, receiver: Receiver
) -> None:
    data = published(tmp_path / "data")
    settings.write(data, {"base": BASE, "public_url": BASE, **told(receiver)})
    with served(data):
        pass
    assert Outbox(data).all() == []
    publish(data)
    assert [d.type for d in Outbox(data).all()] == ["release.published"]


def test_an_address_that_is_no_longer_named_gets_nothing(data: Path, receiver: Receiver) -> None:
    publish(data)
    settings.write(data, {"base": BASE, "public_url": BASE})
    assert send(data) == 0
    assert states(data) == [("ended", 0, None)]
    assert receiver.took == []


@pytest.mark.parametrize("fault", ["broken", "folder"])
def test_a_broken_outbox_stops_no_release(data: Path, fault: str) -> None:
    if fault == "folder":
        (data / "webhooks.db").mkdir()
    else:
        (data / "webhooks.db").write_bytes(b"not a database" * 100)
    id = publish(data)
    assert (data / "releases" / "current").readlink().name == id
    assert operate(data, "status")["current"] == id


def test_without_webhooks_nothing_is_kept(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    assert not (data / "webhooks.db").exists()
    assert not (data / "webhook.secret").exists()


# ---- commands, and a running server


def test_a_server_sends_what_the_command_publishes(data: Path, receiver: Receiver) -> None:
    with served(data) as server:
        cli(data, "release", "publish")
        assert eventually(lambda: states(data) == [("delivered", 1, 204)])
        assert "1 messages delivered" in cli(data, "--lang", "en", "status")
        secret = (data / "webhook.secret").read_text().strip()
        log = server.log.read_text()
    assert len(receiver.took) == 1
    for hidden in (secret, "token=hidden"):
        assert hidden not in log


@pytest.mark.faults
def test_a_server_sends_again_after_a_restart(data: Path, receiver: Receiver) -> None:
    receiver.answer = partial(say, 500)
    publish(data)
    with served(data) as server:
        assert eventually(lambda: len(receiver.took) == 1)
        assert eventually(lambda: states(data)[0][1] == 1)
        assert "token=hidden" not in server.log.read_text()
    receiver.answer = partial(say, 200)
    with served(data):
        assert eventually(lambda: states(data) == [("delivered", 2, 200)])


def test_a_server_ends_while_a_receiver_keeps_it_waiting(data: Path, receiver: Receiver) -> None:
    answered = threading.Event()

    def late(handler: BaseHTTPRequestHandler) -> None:
        answered.wait()
        say(200, handler)

    receiver.answer = late
    publish(data)
    with served(data) as server:
        assert eventually(lambda: len(receiver.took) == 1)
        assert server.stop() == 0
    answered.set()
    assert states(data) == [("waiting", 0, None)]


def test_without_a_server_the_command_sends_once_and_publishes_whatever_comes(
    data: Path, receiver: Receiver
) -> None:
    receiver.answer = partial(say, 500)
    assert "1 webhook not delivered" in cli(data, "release", "publish")
    assert len(receiver.took) == 1
    receiver.answer = partial(say, 200)
    assert "1 webhook delivered" in cli(data, "webhook", "retry")
    assert states(data) == [("delivered", 1, 200)]


def test_a_test_says_what_each_receiver_answers(data: Path, receiver: Receiver) -> None:
    assert "taken (HTTP 204)" in cli(data, "webhook", "test")
    ((headers, body),) = receiver.took
    assert json.loads(body)["type"] == "webhook.test"
    assert is_signed(cli(data, "webhook", "secret").strip(), headers, body)
    receiver.answer = partial(say, 404)
    said = cli(data, "webhook", "test", code=1)
    assert "HTTP 404" in said
    assert "hidden" not in said


def test_the_list_tells_what_came_of_it_and_no_secret(data: Path, receiver: Receiver) -> None:
    publish(data)
    receiver.answer = partial(say, 500)
    send(data)
    said = cli(data, "webhook", "list")
    assert "release.published" in said
    assert "HTTP 500" in said
    told = json.loads(cli(data, "webhook", "list", "--json"))
    (delivery,) = told["deliveries"]
    assert (delivery["state"], delivery["attempts"], delivery["status"]) == ("waiting", 1, 500)
    assert "hidden" not in said + json.dumps(told)


def test_commands_without_an_address_say_how_to_name_one(tmp_path: Path) -> None:
    data = initialise(tmp_path / "data")
    assert "settings.toml" in cli(data, "webhook", "test", code=2)
    assert "0 in the setting" in cli(data, "webhook", "list")


@pytest.mark.parametrize(
    "values",
    [
        {"webhooks": ["ftp://hooks.example/"]},
        {"webhooks": ["https://name:word@hooks.example/"]},
        {"webhooks": ["hooks.example"]},
        {"webhooks": ["https://hooks.example/#part"]},
        {"webhook_private_hosts": ["http://hooks.example"]},
        {"webhook_private_hosts": ["hooks.example:99999"]},
    ],
)
def test_addresses_that_cannot_be_asked_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as raised:
        settings.check(values)
    assert "word" not in str(raised.value)
