"""`doctor`: what it finds on healthy and on broken directories; it never changes anything."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults.killing import environment
from helpers import wipe
from serving import CATALOGUE, operate, published, served

from bilbaokg import backups, checkup, settings
from bilbaokg.checkup import OK, PROBLEM, UNSEEN, WARNING, Line
from bilbaokg.errors import NotFound, StorageFault
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.webhooks.events import Message
from bilbaokg.webhooks.outbox import Outbox
from bilbaokg.workspace import Workspace

BASE = "https://datos.bilbao.eus"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with which all is well: two releases, a token, a backup."""
    folder = tmp_path_factory.mktemp("made")
    turtle = CATALOGUE.replace("https://data.example", BASE)
    data = published(folder / "data", turtle, base=BASE, public_url=BASE)
    operate(data, "token.create", name="robot", scope="read")
    published(data, turtle.replace("Ruido", "Ruidos"))
    backups.make(data, folder / "backup", lambda: operate(data, "backup"))
    return data


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data", symlinks=True))


def state_of(data: Path) -> dict[str, tuple[int, int, bytes]]:
    """Permissions, time and bytes of all that is in a directory."""
    found = {}
    for path in data.rglob("*"):
        told = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path.relative_to(data))] = told.st_mode, told.st_mtime_ns, content
    return found


def examine(data: Path) -> list[Line]:
    """What is found, after asserting that the look changed nothing."""
    before = state_of(data)
    lines = list(checkup.examine(data))
    assert state_of(data) == before
    return lines


def doctor(data: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bilbaokg", "--data", str(data), "doctor", "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def of(lines: list[Line], state: str) -> list[Line]:
    return [line for line in lines if line.state == state]


def test_nothing_is_found_where_all_is_well(data: Path) -> None:
    lines = examine(data)
    assert [line for line in lines if line.state != OK] == []
    told = {line.check: line.text for line in lines}
    assert told["server"] == "none runs"
    assert "4 records are as they were written" in told["store"]
    assert told["releases"] == "r2 is published, of 2"
    done = doctor(data)
    assert (done.returncode, json.loads(done.stdout)["state"]) == (0, OK)


def test_without_a_directory_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        list(checkup.examine(tmp_path / "nowhere"))
    assert doctor(tmp_path / "nowhere").returncode == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_what_is_closed_to_the_user_is_said(data: Path) -> None:
    data.chmod(0)
    try:
        with pytest.raises(StorageFault, match="cannot be read") as caught:
            list(checkup.examine(data))
    finally:
        data.chmod(0o700)
    assert caught.value.hint


def append(name: str, text: str) -> Callable[[Path], None]:
    def damage(data: Path) -> None:
        with (data / name).open("a") as file:
            file.write(text)

    return damage


def write(name: str, text: str) -> Callable[[Path], None]:
    return lambda data: [(data / name).write_text(text), None][1]


def remove(name: str) -> Callable[[Path], None]:
    def damage(data: Path) -> None:
        path = data / name
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    return damage


def no_tables(data: Path) -> None:
    for table in (data / "working").glob("*.sst"):
        table.write_bytes(b"x" * table.stat().st_size)


def audit_cut(data: Path) -> None:
    store = EmbeddedStore(data / "working")
    wipe(store, f"{BASE}/graph/audit", f"{BASE}/graph/audit#e1")
    store.close()


def revision_changed(data: Path) -> None:
    """A record loses what says its revision."""
    store = EmbeddedStore(data / "working")
    graph = next(g for g in store.graphs() if g.startswith(f"{BASE}/graph/history/"))
    wipe(store, graph, f"{graph}#r1")
    store.close()


def clock_back(data: Path) -> None:
    file = data / "releases" / "r2" / "manifest.json"
    told = json.loads(file.read_text())
    told["build"]["created_at"] = "2999-01-01T00:00:00.000Z"
    file.write_text(json.dumps(told))


def given_up(data: Path) -> None:
    outbox = Outbox(data)
    outbox.note(Message("m1", "release.published", "2026-01-01", "{}"), ["https://x.example/"], 1)
    with sqlite3.connect(outbox.file) as database:
        database.execute("UPDATE delivery SET state = 'ended', attempts = 10")
    database.close()
    outbox.file.chmod(0o600)


NAME = "settings.toml"
BROKEN: dict[str, tuple[Callable[[Path], None], str, str, str]] = {
    "open to others": (lambda d: d.chmod(0o755), "directory", WARNING, "others may look into it"),
    "tokens open": (
        lambda d: (d / "accounts.db").chmod(0o644), "directory", WARNING, "others may read",
    ),
    "no releases": (remove("releases"), "directory", PROBLEM, "releases is missing"),
    "no settings": (remove(NAME), "settings", PROBLEM, "it is missing"),
    "no TOML": (append(NAME, "\nbase = ["), "settings", PROBLEM, "not valid TOML"),
    "unknown key": (append(NAME, "\nworker = 3\n"), "settings", PROBLEM, "setting 'worker'"),
    "wrong value": (append(NAME, "\nworkers = 999\n"), "settings", PROBLEM, "workers must be"),
    "other base": (
        write(NAME, 'base = "https://other.eus"\n'), "store", PROBLEM, f"have the base {BASE}",
    ),
    "no address": (write(NAME, f'base = "{BASE}"\n'), "addresses", WARNING, "this machine"),
    "example": (
        write(NAME, f'base = "{BASE}"\npublic_url = "http://data.example.org"\n'),
        "addresses", WARNING, "reserved for examples",
    ),
    "no store": (remove("working"), "store", PROBLEM, "CURRENT is missing"),
    "no CURRENT": (remove("working/CURRENT"), "store", PROBLEM, "CURRENT is missing"),
    "damaged store": (no_tables, "store", PROBLEM, "orruption"),
    "audit cut": (audit_cut, "store", PROBLEM, "audit entry 1 is missing"),
    "no heads": (remove("audit.heads"), "store", WARNING, "audit.heads is missing"),
    "no revision": (revision_changed, "store", PROBLEM, "revision"),
    "release": (append("releases/r1/catalogue.nq", "x"), "releases", PROBLEM, "not what was"),
    "manifest": (append("releases/r2/manifest.json", " "), "releases", PROBLEM, "not what was"),
    "no current": (remove("releases/current"), "releases", PROBLEM, "current is missing"),
    "current gone": (remove("releases/r2"), "releases", PROBLEM, "r2 is published, and is not"),
    "tokens": (write("accounts.db", "no database" * 99), "tokens", PROBLEM, "not a database"),
    "webhooks": (given_up, "webhooks", WARNING, "1 deliveries were given up"),
    "no backup": (remove("logs/backups.jsonl"), "backup", WARNING, "none is noted"),
    "old backup": (
        write("logs/backups.jsonl", '{"at": "2020-01-01T00:00:00Z", "directory": "/b"}\n'),
        "backup", WARNING, "days old, in /b; it is not there any more",
    ),
    "clock": (clock_back, "clock", PROBLEM, "something was done at 2999"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_is_named_with_how_to_mend_it(data: Path, kind: str) -> None:
    damage, check, state, text = BROKEN[kind]
    damage(data)
    lines = examine(data)
    fitting = [x for x in lines if (x.check, x.state) == (check, state) and text in x.text]
    assert fitting, lines
    assert fitting[0].hint
    assert len({line.check for line in lines}) == 13, "a check was left out"


def test_all_unknown_settings_are_named_and_the_rest_is_looked_at(data: Path) -> None:
    append(NAME, "\nworker = 3\nbaze = 1\n")(data)
    lines = examine(data)
    assert [line.text.split()[-1] for line in of(lines, PROBLEM)] == ["'baze'", "'worker'"]
    assert of(lines, UNSEEN) == []
    assert doctor(data).returncode == 1


def test_where_it_cannot_look_it_exits_with_2(data: Path) -> None:
    remove(NAME)(data)
    assert {"store", "releases"} <= {line.check for line in of(examine(data), UNSEEN)}
    assert doctor(data).returncode == 2


def test_a_server_is_asked(data: Path) -> None:
    with served(data):
        before = (data / "audit.heads").read_bytes()
        lines = list(checkup.examine(data))
        assert (data / "audit.heads").read_bytes() == before
    told = {line.check: line.text for line in lines}
    assert "serves r2" in told["server"]
    assert "4 records are as they were written" in told["store"]
    assert of(lines, PROBLEM) == of(lines, UNSEEN) == []
    behind = [line for line in lines if line.check == "addresses" and line.state == WARNING]
    assert "all clients count as one" in behind[0].text


@pytest.fixture
def holder(data: Path) -> Iterator[subprocess.Popen[str]]:
    """A command that holds the directory and answers nobody."""
    with subprocess.Popen(
        [sys.executable, "-m", "faults.operate", str(data), "hold"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(),
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_who_holds_the_directory_is_named_and_the_store_left_alone(
    data: Path, holder: subprocess.Popen[str]
) -> None:
    unseen = {line.check: line.text for line in of(list(checkup.examine(data)), UNSEEN)}
    assert set(unseen) == {"server", "store"}
    assert f"process {holder.pid} on " in unseen["server"]


def test_what_a_look_saw_can_be_opened_after_it(data: Path) -> None:
    examine(data)
    with Workspace(data, settings.read(data)) as opened:
        assert opened.records.verify() == 4
