"""Backups: a whole data directory of one moment, made while others write, and checked anew."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
from helpers import content_hash
from serving import CATALOGUE, Served, load, operate, published, served

from bilbaokg import backups
from bilbaokg.backups import Manifest
from bilbaokg.backups.copying import alone
from bilbaokg.errors import BadInput, BilbaokgError, Conflict, CorruptStore, NotFound
from bilbaokg.server import control
from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore

WRITERS = 4
LOADS = 5
TITLES = "SELECT ?title WHERE { ?d <http://purl.org/dc/terms/title> ?title } ORDER BY ?title"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A catalogue with a release, a token and the secret of webhooks."""
    made = published(tmp_path / "data")
    operate(made, "token.create", name="robot", scope="read")
    secret = made / "webhook.secret"
    secret.touch(0o600)
    secret.write_text("whsec_c2VjcmV0\n")
    (made / "queries").mkdir()
    (made / "queries" / "mine.rq").write_text("ASK {}")
    return made


def make(data: Path, target: Path) -> Manifest:
    """Back up a directory that nobody serves."""
    return backups.make(data, target, lambda: operate(data, "backup"))


def hash_of(data: Path) -> str:
    """The hash of all statements of a working store that nobody has open."""
    store = EmbeddedStore.read_only(data / "working")
    try:
        return content_hash(store)
    finally:
        store.close()


def recorded_hash_of(data: Path) -> str:
    """The same as backups record it, by other means: what `sort` makes of a dump."""
    store = EmbeddedStore.read_only(data / "working")
    try:
        lines = sorted(store.raw.dump(format=ox.RdfFormat.N_QUADS).splitlines(keepends=True))
    finally:
        store.close()
    return hashlib.sha256(b"".join(lines)).hexdigest()


def modes(directory: Path) -> dict[str, int]:
    """The permissions of files and folders, by their paths."""
    found = {str(path.relative_to(directory)): path for path in directory.rglob("*")}
    return {name: stat.S_IMODE(path.lstat().st_mode) for name, path in found.items()}


def bilbaokg(*arguments: str, code: int = 0) -> dict[str, Any]:
    """Run the command line, and what it says as JSON."""
    command = [sys.executable, "-m", "bilbaokg", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


# ---- what a backup holds


def test_backup_holds_what_the_directory_did(data: Path, tmp_path: Path) -> None:
    before = operate(data, "status")
    made = make(data, tmp_path / "copy")
    assert (made.records, made.audit["entries"], made.releases, made.current) == (
        sum(before["records"].values()), before["audit_entries"], ["r1"], "r1",
    )  # fmt: skip
    assert hash_of(tmp_path / "copy") == hash_of(data)
    after = operate(tmp_path / "copy", "status")
    assert after | {"data": ""} == before | {"data": ""}
    assert operate(tmp_path / "copy", "token.list") == operate(data, "token.list")


def test_backup_changes_nothing_in_the_directory(data: Path, tmp_path: Path) -> None:
    before, audited = hash_of(data), (data / "audit.heads").read_bytes()
    make(data, tmp_path / "copy")
    assert (hash_of(data), (data / "audit.heads").read_bytes()) == (before, audited)
    assert list((data / "cache").iterdir()) == []


def test_backups_of_the_same_content_have_the_same_hash(data: Path, tmp_path: Path) -> None:
    first, second = (make(data, tmp_path / name) for name in ("one", "two"))
    assert first.sha256 == second.sha256
    load(data, CATALOGUE.replace("Ruido", "Ruidos"))
    assert make(data, tmp_path / "three").sha256 != first.sha256


def test_permissions_are_kept_and_what_belongs_to_a_process_is_left_out(
    data: Path, tmp_path: Path
) -> None:
    (data / "cache" / "feed.gz").write_bytes(b"x")
    make(data, tmp_path / "copy")
    kept, here = modes(tmp_path / "copy"), modes(data)
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o700
    assert kept["accounts.db"] == kept["webhook.secret"] == kept["backup.json"] == 0o600
    common = {name for name in kept if name in here and not name.startswith("working/")}
    assert {name: kept[name] for name in common} == {name: here[name] for name in common}
    assert {"queries/mine.rq", "releases/current", "releases/r1/store", "settings.toml"} <= common
    assert not {"lock", "control.sock", "cache/feed.gz", "logs/backups.jsonl"} & kept.keys()


def test_releases_are_linked_on_one_disk_and_what_changes_is_copied(
    data: Path, tmp_path: Path
) -> None:
    make(data, tmp_path / "copy")
    for name in ("releases/r1/catalogue.nq", "releases/r1/store/CURRENT"):
        assert (data / name).samefile(tmp_path / "copy" / name)
    for name in ("audit.heads", "accounts.db", "settings.toml", "releases/published.json"):
        assert not (data / name).samefile(tmp_path / "copy" / name)


def test_where_no_links_can_be_made_all_is_copied(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, target: str) -> None:
        raise PermissionError(1, "Operation not permitted", source)

    monkeypatch.setattr(os, "link", refuse)
    make(data, tmp_path / "copy")
    backups.verify(tmp_path / "copy")
    name = "releases/r1/catalogue.nq"
    assert not (data / name).samefile(tmp_path / "copy" / name)


def test_directory_notes_its_backups(data: Path, tmp_path: Path) -> None:
    made = make(data, tmp_path / "copy")
    (line,) = (data / backups.LOG).read_text().splitlines()
    told = {"at": made.at, "directory": str(tmp_path / "copy"), "sha256": made.sha256}
    assert json.loads(line) == told


# ---- where it goes


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("data/copy", "in the data directory"),
        ("link/copy", "in the data directory"),
        ("full", "no empty directory"),
        ("file", "no empty directory"),
        ("link", "in the data directory"),
        ("absent/copy", "directory above it is missing"),
    ],
)
def test_target_that_cannot_be_one_is_refused(
    data: Path, tmp_path: Path, name: str, why: str
) -> None:
    (tmp_path / "link").symlink_to(data)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thing").touch()
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=why) as caught:
        make(data, tmp_path / name)
    assert caught.value.hint
    assert (tmp_path / "full" / "thing").exists()


def test_empty_directory_is_taken(data: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    make(data, tmp_path / "copy")
    backups.verify(tmp_path / "copy")


def test_one_backup_at_a_time(data: Path, tmp_path: Path) -> None:
    def take() -> dict[str, Any]:
        with pytest.raises(Conflict, match="another backup is at work"):
            make(data, tmp_path / "other")
        return operate(data, "backup")

    backups.make(data, tmp_path / "copy", take)
    assert not (tmp_path / "other").exists()


def test_what_fails_leaves_nothing(data: Path, tmp_path: Path) -> None:
    def take() -> dict[str, Any]:
        moment = operate(data, "backup")
        shutil.rmtree(data / "releases" / "r1")
        return moment

    (tmp_path / "backups").mkdir()
    with pytest.raises(BilbaokgError):
        backups.make(data, tmp_path / "backups" / "copy", take)
    assert list((tmp_path / "backups").iterdir()) == []
    assert list((data / "cache").iterdir()) == []


def test_dated_backups_are_kept_up_to_a_number_and_nothing_else_goes(
    data: Path, tmp_path: Path
) -> None:
    into = tmp_path / "backups"
    into.mkdir()
    old = ["bilbaokg-20200101T000000Z", "bilbaokg-20200102T000000Z"]
    for name in old:
        make(data, into / name)
    foreign = {"bilbaokg-20190101T000000Z", "notes", "bilbaokg-20180101T000000Z"}
    shutil.copytree(into / old[0], into / "bilbaokg-20190101T000000Z", symlinks=True)
    told = json.loads((into / old[0] / "backup.json").read_text())
    other = json.dumps({**told, "base": "https://other.example"})
    (into / "bilbaokg-20190101T000000Z" / "backup.json").write_text(other)
    (into / "notes").mkdir()
    (into / "bilbaokg-20180101T000000Z").mkdir()
    (into / f".{old[0]}.part").mkdir()  # of one that was killed
    done = bilbaokg("--data", str(data), "backup", "--into", str(into), "--keep", "2")
    assert done["removed"] == [old[0]]
    names = {path.name for path in into.iterdir()}
    assert names == foreign | {old[1], Path(done["directory"]).name}


def test_what_a_killed_backup_left_goes_before_the_next_begins(data: Path, tmp_path: Path) -> None:
    left = tmp_path / ".bilbaokg-20200101T000000Z.part"
    left.mkdir()
    other = tmp_path / ".notes.part"
    other.mkdir()
    with alone(left):
        backups.tidy(tmp_path)
        assert left.exists(), "it was another's, still at work"
    bilbaokg("--data", str(data), "backup", "--into", str(tmp_path))
    assert (left.exists(), other.exists()) == (False, True)


@pytest.mark.parametrize("words", [(), ("x", "--into", "y"), ("x", "--keep", "3")])
def test_unclear_target_is_refused(data: Path, words: tuple[str, ...]) -> None:
    told = bilbaokg("--data", str(data), "backup", "make", *words, code=2)
    assert "not clear where to" in told["detail"]


# ---- whether it is whole


def statement_lost(copy: Path) -> None:
    store = EmbeddedStore(copy / "working")
    subject, predicate, object_, graph = next(store.match())
    store.apply([GraphChange(graph, delete=[f"{subject} {predicate} {object_} ."])])
    store.close()


def other_token(copy: Path) -> None:
    with sqlite3.connect(copy / "accounts.db") as connection:
        connection.execute("UPDATE token SET scope = 'admin'")
    connection.close()


def write(name: str, content: str = "x") -> Callable[[Path], None]:
    """Damages a file, without harm to the one that it is a link of."""

    def damage(copy: Path) -> None:
        (copy / name).unlink()
        (copy / name).write_text(content)

    return damage


def current_elsewhere(copy: Path) -> None:
    (copy / "releases" / "current").unlink()


DAMAGES: dict[str, Callable[[Path], None]] = {
    "settings.toml": write("settings.toml", 'base = "https://data.example"\nworkers = 3\n'),
    "audit.heads": write("audit.heads"),
    "backup.json": write("backup.json", "{"),
    "accounts.db": other_token,
    "published.json": write("releases/published.json"),
    "catalogue.nq": write("releases/r1/catalogue.nq"),
    "manifest.json": write("releases/r1/manifest.json"),
    "r1": lambda copy: shutil.rmtree(copy / "releases" / "r1"),
    "current": current_elsewhere,
    "working": statement_lost,
    "working: CURRENT": write("working/CURRENT"),
    "working: missing": lambda copy: shutil.rmtree(copy / "working"),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_verify_names_what_is_damaged(data: Path, tmp_path: Path, what: str) -> None:
    make(data, tmp_path / "copy")
    DAMAGES[what](tmp_path / "copy")
    with pytest.raises(BilbaokgError) as caught:
        backups.verify(tmp_path / "copy")
    assert isinstance(caught.value, CorruptStore), caught.value
    assert what.partition(":")[0] in str(caught.value.where)


def test_verify_changes_nothing_and_can_be_repeated(data: Path, tmp_path: Path) -> None:
    made = make(data, tmp_path / "copy")
    before = modes(tmp_path / "copy"), hash_of(tmp_path / "copy")
    for _ in range(2):
        assert backups.verify(tmp_path / "copy") == made
    assert (modes(tmp_path / "copy"), hash_of(tmp_path / "copy")) == before


def test_verify_of_what_is_no_backup_says_so(data: Path, tmp_path: Path) -> None:
    for path in (data, tmp_path / "nothing", data / "settings.toml"):
        with pytest.raises(NotFound, match="no backup here"):
            backups.verify(path)


# ---- while a server runs


@pytest.fixture
def server(data: Path) -> Iterator[Served]:
    with served(data) as running:
        yield running


def titles(client: httpx.Client) -> Any:
    """What the public side answers to a query."""
    answer = client.get("/sparql", params={"query": TITLES}, headers={"Accept": "text/csv"})
    assert answer.status_code == 200
    return answer.text


def write_on(server: Served, folder: Path, number: int, failed: list[BaseException]) -> None:
    """Load files through a running server, as one of several writers."""
    file = folder / f"{number}.ttl"
    try:
        for turn in range(LOADS):
            file.write_text(CATALOGUE.replace("/trees", f"/trees-{number}-{turn}"))
            params = {"paths": [str(file)], "source": f"writer-{number}-{turn}"}
            control.call(server.data, "load", params)
    except BaseException as error:
        failed.append(error)


def test_backup_while_others_write_is_of_one_moment_and_serves_elsewhere(
    server: Served, tmp_path: Path
) -> None:
    failed: list[BaseException] = []
    writers = [
        threading.Thread(target=write_on, args=(server, tmp_path, number, failed))
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    copies = [tmp_path / f"copy-{number}" for number in range(2)]
    for copy in copies:
        bilbaokg("--data", str(server.data), "backup", str(copy))
    for writer in writers:
        writer.join()
    assert failed == []
    made = [bilbaokg("backup", "verify", str(copy)) for copy in copies]
    assert made[0]["audit"]["entries"] <= made[1]["audit"]["entries"]
    assert control.call(server.data, "audit.verify", {})["entries"] >= made[1]["audit"]["entries"]
    assert backups.Manifest.read(copies[1]).sha256 == made[1]["sha256"]
    with served(copies[1]) as restored:
        assert titles(restored.client) == titles(server.client)
    assert recorded_hash_of(copies[1]) == made[1]["sha256"]
    with served(copies[1]) as restored:
        load_more = {"paths": [str(tmp_path / "0.ttl")], "source": "later"}
        control.call(restored.data, "load", load_more)
        control.call(restored.data, "audit.verify", {})
    # What the restored server wrote has not reached the other, although they share files.
    control.call(server.data, "audit.verify", {})
    backups.verify(copies[0])
