"""Faults: the program killed at every step, the disk full, two processes on one directory.

What must hold: the store opens and its audit verifies; every record is whole, old or new; what was
acknowledged stays; `current` is the old release or the new one; the same command again ends in the
state that it would have reached without the fault.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from faults import state
from faults.durability import lost_by_a_power_cut
from faults.killing import Ended, Killer, Patched, Strace, environment, kill_after, python
from helpers import PATIENCE

from bilbaokg.model import Release

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from generate import DEFAULT_BASE, Catalogue

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

SOURCE = ("--source", "delivery")
LANES = 2
ROUNDS = 40
NEW_ROUNDS = 8
STRACE = pytest.param(
    Strace(),
    id="strace",
    marks=pytest.mark.skipif(not Strace.available(), reason="strace is missing or may not trace"),
)
KILLERS = [STRACE, pytest.param(Patched(), id="python")]


def catalogue(path: Path, datasets: int, change: float = 0.0) -> Path:
    """A generated catalogue without errors."""
    with path.open("w", encoding="utf-8", newline="\n") as out:
        Catalogue(datasets, errors=0.0, change=change).write(out, "nt")
    return path


def load(data: Path, file: Path) -> dict[str, object]:
    """Load a file in this process."""
    return state.operate(data, "load", paths=[str(file)], source=SOURCE[1])


def bilbaokg(data: Path, *arguments: str) -> Ended:
    """Run the command line to its end."""
    return python("bilbaokg", "--data", str(data), *arguments)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with 30 datasets in release r1, and 45 datasets, half of them changed."""
    folder = tmp_path_factory.mktemp("small")
    data = folder / "data"
    assert bilbaokg(data, "init", "--base", DEFAULT_BASE).code == 0
    load(data, catalogue(folder / "first.nt", 30))
    state.operate(data, "release.build", unchecked=True)
    state.operate(data, "release.publish")
    catalogue(folder / "second.nt", 45, change=0.5)
    return folder


class Steps:
    """Kills a command at each of its steps, each time on a fresh copy of a data directory."""

    def __init__(self, folder: Path, before: Path, killer: Killer) -> None:
        self.folder, self.before, self.killer = folder, before, killer
        self._numbers = itertools.count()

    def copy(self) -> Path:
        """A copy of the data directory before the command."""
        return Path(
            shutil.copytree(self.before, self.folder / f"data-{next(self._numbers)}", symlinks=True)
        )

    def run(
        self, command: Callable[[Path], Iterable[str]], check: Callable[[Path, Ended], None]
    ) -> None:
        """Kill at every step and check."""
        dry = self.copy()
        clean = self.killer.run(0, *command(dry))
        assert clean.code == 0, clean.errors
        assert clean.steps > 0

        def at(step: int) -> bool:
            data = self.copy()
            ended = self.killer.run(step, *command(data))
            assert ended.killed or ended.code == 0, ended.errors
            try:
                check(data, ended)
            except Exception as error:
                raise AssertionError(
                    f"killed after step {step} of {clean.steps}: {error}"
                ) from error
            shutil.rmtree(data)
            return ended.killed

        with ThreadPoolExecutor(LANES) as lanes:
            kills = sum(lanes.map(at, range(1, clean.steps + 1)))
        # RocksDB's threads make a run some steps longer or shorter: go on until one is not killed.
        late = itertools.takewhile(at, itertools.count(clean.steps + 1))
        assert kills + sum(1 for _ in late) > clean.steps / 2


def kill_load_at_every_step(killer: Killer, before: Path, file: Path, folder: Path) -> None:
    """Load a file into copies of a directory, killed each time a step later."""
    old = state.records(before)
    done = Path(shutil.copytree(before, folder / "done", symlinks=True))
    load(done, file)
    new = state.records(done)
    released = state.operate(done, "release.build", unchecked=True)["sha256"]
    published = state.current(before)

    def check(data: Path, ended: Ended) -> None:
        assert state.current(data) == (published and replace(published, path=data / "releases/r1"))
        found = state.records(data)
        found.whole(old, new)
        if ended.acknowledged:
            found.same_as(new)
        load(data, file)
        state.records(data).same_as(new)
        assert state.operate(data, "release.build", unchecked=True)["sha256"] == released

    Steps(folder, before, killer).run(
        lambda data: ("bilbaokg", "--data", str(data), "load", *SOURCE, str(file)), check
    )


@pytest.mark.parametrize("killer", KILLERS)
def test_load_killed_at_every_step(small: Path, tmp_path: Path, killer: Killer) -> None:
    kill_load_at_every_step(killer, small / "data", small / "second.nt", tmp_path)


def test_first_load_in_bulk_killed_at_every_step(tmp_path: Path) -> None:
    killer = Strace() if Strace.available() else Patched()
    empty = tmp_path / "empty"
    assert bilbaokg(empty, "init", "--base", DEFAULT_BASE).code == 0
    kill_load_at_every_step(killer, empty, catalogue(tmp_path / "bulk.nt", 300), tmp_path)


@pytest.mark.parametrize("killer", KILLERS)
def test_init_killed_at_every_step(tmp_path: Path, killer: Killer) -> None:
    def check(data: Path, ended: Ended) -> None:
        again = bilbaokg(data, "init", "--base", DEFAULT_BASE)
        assert again.code == 0, again.errors
        assert bilbaokg(data, "status").code == 0

    nothing = tmp_path / "nothing"
    nothing.mkdir()
    steps = Steps(tmp_path, nothing, killer)
    steps.run(lambda data: ("bilbaokg", "--data", str(data), "init", "--base", DEFAULT_BASE), check)


@pytest.fixture(scope="module")
def ready(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with r1 published and changed records that no release holds yet."""
    folder = tmp_path_factory.mktemp("ready")
    data = Path(shutil.copytree(small / "data", folder / "data", symlinks=True))
    load(data, small / "second.nt")
    return data


def contents(release: Release) -> dict[str, Any]:
    """What two builds of the same records must have in common."""
    content: dict[str, Any] = release.manifest["content"]
    return content


def test_release_build_killed_at_every_step(ready: Path, tmp_path: Path) -> None:
    killer = Strace() if Strace.available() else Patched()
    done = Path(shutil.copytree(ready, tmp_path / "done", symlinks=True))
    state.operate(done, "release.build", unchecked=True)
    clean = state.releases(done)[-1]
    before = state.records(ready)

    def check(data: Path, ended: Ended) -> None:
        seen = state.current(data)
        assert seen
        assert seen.id == "r1"
        assert [r.id for r in state.releases(data)] in (["r1"], ["r1", "r2"])
        state.records(data).same_as(before)
        assert state.half_built(data) == []
        known = state.releases(data)
        assert all(contents(r) == contents(clean) for r in known[1:])
        if ended.acknowledged:
            assert len(known) == 2
        built = state.operate(data, "release.build", unchecked=True)
        assert contents(state.releases(data)[-1]) == contents(clean)
        state.operate(data, "release.publish", id=built["id"])
        assert (state.current(data) or seen).id == built["id"]

    command = ("release.build", json.dumps({"unchecked": True}))
    Steps(tmp_path, ready, killer).run(lambda data: ("faults.operate", str(data), *command), check)


@pytest.mark.parametrize("killer", KILLERS)
def test_publish_killed_at_every_step(ready: Path, tmp_path: Path, killer: Killer) -> None:
    built = Path(shutil.copytree(ready, tmp_path / "built", symlinks=True))
    state.operate(built, "release.build", unchecked=True)

    def check(data: Path, ended: Ended) -> None:
        before = state.current(data)
        assert before
        assert before.id in ("r1", "r2")
        state.records(data)
        after = state.current(data)
        assert after
        # Opening goes on where the audit says, never back.
        assert int(after.id[1:]) >= int(before.id[1:])
        assert state.half_built(data) == []
        assert [told.id for told in state.history(data)] == ["r1", "r2"][: after.number]
        if ended.acknowledged:
            assert after.id == "r2"
        state.operate(data, "release.publish")
        assert (state.current(data) or after).id == "r2"

    Steps(tmp_path, built, killer).run(
        lambda data: ("bilbaokg", "--data", str(data), "release", "publish"), check
    )


def tokens(data: Path) -> dict[str, str]:
    """Token name -> state, after asserting that the audit knows of each."""
    with state.workspace(data) as opened:
        listed = {token["name"]: token["state"] for token in opened.accounts.list()}
        events = opened.records.audit.events()
    made = [e.subject for e in events if e.kind == "token.create"]
    ended = [e.subject for e in events if e.kind == "token.revoke"]
    assert {name.partition(" (")[0] for name in listed} <= set(made)
    assert {name.partition(" (")[0] for name, said in listed.items() if said == "revoked"} == {
        *ended
    }
    return listed


def test_token_create_killed_at_every_step(small: Path, tmp_path: Path) -> None:
    killer = Strace() if Strace.available() else Patched()

    def check(data: Path, ended: Ended) -> None:
        made = tokens(data)
        assert made in ({}, {"robot": "active"})
        if "bkg_" in ended.output:
            assert made
        if not made:
            assert bilbaokg(data, "token", "create", "robot", "--scope", "read").code == 0

    Steps(tmp_path, small / "data", killer).run(
        lambda data: ("bilbaokg", "--data", str(data), "token", "create", "robot", "--scope=read"),
        check,
    )


def test_token_revoke_killed_at_every_step(small: Path, tmp_path: Path) -> None:
    killer = Strace() if Strace.available() else Patched()
    before = Path(shutil.copytree(small / "data", tmp_path / "before", symlinks=True))
    assert bilbaokg(before, "token", "create", "robot", "--scope", "read").code == 0

    def check(data: Path, ended: Ended) -> None:
        if ended.acknowledged or tokens(data) != {"robot": "active"}:
            assert "active" not in tokens(data).values()
        else:
            assert bilbaokg(data, "token", "revoke", "robot").code == 0

    Steps(tmp_path, before, killer).run(
        lambda data: ("bilbaokg", "--data", str(data), "token", "revoke", "robot"), check
    )


# ---- what a power cut would take


@pytest.mark.skipif(not Strace.available(), reason="strace is missing or may not trace")
def test_what_is_acknowledged_is_on_disk(small: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    cli = ("bilbaokg", "--data", str(data))
    build = ("faults.operate", str(data), "release.build", json.dumps({"unchecked": True}))
    bulk = catalogue(tmp_path / "bulk.nt", 400)
    for command in (
        (*cli, "init", "--base", DEFAULT_BASE),
        (*cli, "load", *SOURCE, str(small / "first.nt")),
        (*cli, "load", *SOURCE, str(small / "second.nt")),
        (*cli, "load", *SOURCE, str(bulk)),
        build,
        (*cli, "release", "publish"),
        (*cli, "token", "create", "robot", "--scope", "read"),
        (*cli, "visibility", f"{DEFAULT_BASE}/id/dataset/d3", "internal"),
        (*cli, "delete", f"{DEFAULT_BASE}/id/dataset/d1", "--force"),
        build,
        (*cli, "release", "publish"),
        (*cli, "release", "rollback"),
    ):
        assert lost_by_a_power_cut(data, *command) == [], command


# ---- at any moment


def saved(ended: Ended) -> int:
    """The number of records that a load had said were saved before it ended."""
    lines = [json.loads(line) for line in ended.output.splitlines() if line.endswith("}")]
    steps = [line["progress"] for line in lines if "progress" in line]
    return max((done for done, _, text in steps if text == "saving records"), default=0)


class Lane:
    """One directory into which files are loaded in turn, each load killed at a random moment."""

    def __init__(self, data: Path, seed: int, seconds: float, states: list[state.Records]) -> None:
        self.data, self.seconds, self.states = data, seconds, states
        self.chance = random.Random(seed)  # noqa: S311
        self.seen = state.records(data)
        self.kills = 0

    def round(self, file: Path, reached: state.Records) -> None:
        """Load a file that leads to `reached`, for a part of the time that this seems to take."""
        params = {"paths": [str(file)], "source": SOURCE[1]}
        ended = kill_after(
            self.chance.uniform(0.3, 1.0) * self.seconds,
            *("faults.operate", str(self.data), "load", json.dumps(params)),
        )
        assert ended.killed or ended.code == 0, ended.errors
        self.kills += ended.killed
        self.seconds *= 1.05 if ended.killed else 0.8
        before, self.seen = self.seen, state.records(self.data)
        self.seen.whole(before, *self.states)
        assert self.seen.audited >= before.audited, "an audit entry was lost"
        gained = self.seen.count_as_in(reached) - before.count_as_in(reached)
        assert gained >= saved(ended), "a saved record was lost"
        if ended.acknowledged:
            self.seen.same_as(reached)


def timed_load(data: Path, file: Path) -> tuple[state.Records, float]:
    """Load a file by a process that ends well: the state it leads to, and its seconds."""
    params = {"paths": [str(file)], "source": SOURCE[1]}
    start = time.monotonic()
    assert python("faults.operate", str(data), "load", json.dumps(params)).code == 0
    seconds = time.monotonic() - start
    return state.records(data), seconds


def test_loads_of_new_records_killed_at_random_moments(tmp_path: Path) -> None:
    file = catalogue(tmp_path / "new.nt", 1200)
    empty = tmp_path / "empty"
    assert bilbaokg(empty, "init", "--base", DEFAULT_BASE).code == 0
    done = Path(shutil.copytree(empty, tmp_path / "done"))
    reached, seconds = timed_load(done, file)

    def lane(seed: int) -> int:
        kills = 0
        for number in range(NEW_ROUNDS // LANES):
            data = Path(shutil.copytree(empty, tmp_path / f"data-{seed}-{number}"))
            mine = Lane(data, seed + LANES * number, seconds, [reached])
            mine.round(file, reached)
            load(data, file)
            state.records(data).same_as(reached)
            kills += mine.kills
            shutil.rmtree(data)
        return kills

    with ThreadPoolExecutor(LANES) as lanes:
        assert sum(lanes.map(lane, range(LANES))) >= NEW_ROUNDS / 4


def test_loads_of_changes_killed_at_random_moments(tmp_path: Path) -> None:
    files = [catalogue(tmp_path / f"{n}.nt", 300, change=float(n)) for n in (0, 1)]
    data = tmp_path / "data"
    assert bilbaokg(data, "init", "--base", DEFAULT_BASE).code == 0
    first, _ = timed_load(data, files[0])
    second, seconds = timed_load(data, files[1])
    states = [first, second]

    def lane(seed: int) -> int:
        copy = Path(shutil.copytree(data, tmp_path / f"lane-{seed}"))
        mine = Lane(copy, seed, seconds, states)
        for number in range(ROUNDS // LANES):
            mine.round(files[number % 2], states[number % 2])
        load(mine.data, files[0])
        state.records(mine.data).same_as(first)
        return mine.kills

    with ThreadPoolExecutor(LANES) as lanes:
        assert sum(lanes.map(lane, range(LANES))) >= ROUNDS / 4


# ---- a full disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def leave_free(disk: Path, size: int) -> Path:
    """Fill a disk with a file so that only `size` bytes stay free; returns the file."""
    ballast = disk / "ballast"
    with ballast.open("wb") as out:
        out.write(b"\0" * max(shutil.disk_usage(disk).free - size, 0))
    return ballast


def says_that_the_disk_is_full(ended: Ended) -> None:
    """Assert exit code 2 and a message that says what, where and what to do."""
    assert ended.code == 2, ended
    assert "no space left on the disk" in ended.errors
    assert "free some space" in ended.errors
    assert "Traceback" not in ended.errors


@pytest.mark.parametrize("free", [0, 64 << 10, 512 << 10, 2 << 20, 4 << 20])
def test_load_on_a_full_disk(small: Path, disk: Path, tmp_path: Path, free: int) -> None:
    data = Path(shutil.copytree(small / "data", disk / "data", symlinks=True))
    large = catalogue(tmp_path / "large.nt", 2000, change=0.5)
    old = state.records(data)
    done = Path(shutil.copytree(data, tmp_path / "done", symlinks=True))
    load(done, large)
    new = state.records(done)
    ballast = leave_free(disk, free)
    says_that_the_disk_is_full(bilbaokg(data, "load", *SOURCE, str(large)))
    published = state.current(data)
    assert published
    assert bilbaokg(data, "query", "datasets-newest", "--format", "csv").code == 0
    ballast.unlink()
    state.records(data).whole(old, new)
    assert bilbaokg(data, "load", *SOURCE, str(large)).code == 0
    state.records(data).same_as(new)


@pytest.mark.parametrize("free", [0, 64 << 10, 512 << 10, 1 << 20])
def test_release_build_on_a_full_disk(ready: Path, disk: Path, free: int) -> None:
    data = Path(shutil.copytree(ready, disk / "data", symlinks=True))
    before = state.records(data)
    ballast = leave_free(disk, free)
    build = (str(data), "release.build", json.dumps({"unchecked": True}))
    ended = bilbaokg(data, "release", "build")
    says_that_the_disk_is_full(ended)
    assert [r.id for r in state.releases(data)] == ["r1"]
    ballast.unlink()
    state.records(data).same_as(before)
    assert state.half_built(data) == []
    assert python("faults.operate", *build).code == 0
    assert [r.id for r in state.releases(data)] == ["r1", "r2"]


# ---- backups


def whole_backup(data: Path, copy: Path) -> None:
    """Assert that a backup can be made and that it is whole."""
    made = bilbaokg(data, "backup", str(copy))
    assert made.code == 0, made.errors
    verified = bilbaokg(data, "backup", "verify", str(copy))
    assert verified.code == 0, verified.errors
    state.records(copy).same_as(state.records(data))


@pytest.mark.parametrize("killer", KILLERS)
def test_backup_killed_is_whole_or_not_there(small: Path, tmp_path: Path, killer: Killer) -> None:
    data = Path(shutil.copytree(small / "data", tmp_path / "data", symlinks=True))

    def kill(at: int) -> Ended:
        copy = folder / "copy"
        ended = killer.run(at, "bilbaokg", "--data", str(data), "backup", str(copy))
        if copy.exists():
            assert bilbaokg(data, "backup", "verify", str(copy)).code == 0
            shutil.rmtree(copy)
        else:
            assert ended.killed
        return ended

    folder = tmp_path / "backups"
    folder.mkdir()
    steps = kill(0).steps
    chosen = {1, 2, *range(3, steps, max(steps // 8, 1)), steps - 1, steps}
    assert sum(kill(at).killed for at in sorted(chosen)) > len(chosen) / 2
    whole_backup(data, folder / "copy")
    assert [path.name for path in folder.iterdir()] == ["copy"]
    assert not (data / "cache" / "backup").exists()


@pytest.mark.parametrize("free", [0, 64 << 10, 512 << 10])
def test_backup_to_a_full_disk(small: Path, disk: Path, tmp_path: Path, free: int) -> None:
    data = Path(shutil.copytree(small / "data", tmp_path / "data", symlinks=True))
    ballast = leave_free(disk, free)
    says_that_the_disk_is_full(bilbaokg(data, "backup", str(disk / "copy")))
    assert list(disk.iterdir()) == [ballast]
    ballast.unlink()
    whole_backup(data, disk / "copy")


def test_backup_of_a_directory_whose_disk_is_full(small: Path, disk: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(small / "data", disk / "data", symlinks=True))
    ballast = leave_free(disk, 0)
    says_that_the_disk_is_full(bilbaokg(data, "backup", str(tmp_path / "copy")))
    assert not (tmp_path / "copy").exists()
    ballast.unlink()
    whole_backup(data, tmp_path / "copy")


# ---- two processes, one directory


@contextlib.contextmanager
def running(module: str, *arguments: str, until: str) -> Iterator[subprocess.Popen[str]]:
    """A module of Python in a process that has said `until`, killed in the end."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment(),
    ) as process:
        try:
            assert process.stdout
            assert any(until in line for line in process.stdout)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("verb", [("status",), ("release", "publish"), ("serve", "--port", "0")])
def test_second_process_says_who_holds_the_directory(
    small: Path, tmp_path: Path, verb: tuple[str, ...]
) -> None:
    data = Path(shutil.copytree(small / "data", tmp_path / "data", symlinks=True))
    with running("faults.operate", str(data), "hold", until="held") as holder:
        # The holder lets go when its input ends, so this ends without it.
        ended = bilbaokg(data, *verb)
    assert ended.code == 2
    assert f"in use by process {holder.pid} on " in ended.errors
    assert "operate.py" in ended.errors
    assert str(data) in ended.errors
    assert bilbaokg(data, "status").code == 0


def free_port() -> str:
    """A port on which nothing listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])


def serving(data: Path, port: str) -> AbstractContextManager[subprocess.Popen[str]]:
    """The server on a directory, once it listens."""
    return running("bilbaokg", "--data", str(data), "serve", "--port", port, until="Serving")


def test_second_server_says_who_holds_the_directory_whatever_its_port(
    small: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(small / "data", tmp_path / "data", symlinks=True))
    port = free_port()
    with serving(data, port) as server:
        for other in (port, free_port()):
            second = bilbaokg(data, "serve", "--port", other)
            assert second.code == 2
            assert f"in use by process {server.pid} on " in second.errors
            assert str(data) in second.errors
        assert httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200


def test_commands_go_through_the_server_that_holds_the_directory(
    small: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(small / "data", tmp_path / "data", symlinks=True))
    with serving(data, free_port()) as server:
        assert bilbaokg(data, "load", *SOURCE, str(small / "second.nt")).code == 0
        server.terminate()
        assert server.wait(PATIENCE) == 0
    again = json.loads(bilbaokg(data, "load", *SOURCE, str(small / "second.nt"), "--json").output)
    assert again["records"]["new"] == again["records"]["changed"] == 0


def test_server_killed_during_a_load_tells_the_client_and_starts_again(
    small: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(small / "data", tmp_path / "data", symlinks=True))
    large = catalogue(tmp_path / "large.nt", 1500, change=0.5)
    old = state.records(data)
    done = Path(shutil.copytree(data, tmp_path / "done", symlinks=True))
    new, seconds = timed_load(done, large)
    with serving(data, free_port()) as server, ThreadPoolExecutor(1) as caller:
        called = caller.submit(bilbaokg, data, "load", *SOURCE, str(large))
        time.sleep(seconds / 2)
        server.kill()
        ended = called.result()
    assert ended.code in (0, 2)
    if ended.code:
        assert "the server did not finish" in ended.errors
    with serving(data, free_port()):
        assert bilbaokg(data, "load", *SOURCE, str(large)).code == 0
    found = state.records(data)
    found.whole(old, new)
    found.same_as(new)


READ = (
    "/es/datasets",
    "/eu/dataset/d1",
    "/catalog.ttl",
    "/catalog.rdf",
    "/catalog.jsonld?lang=es",
    "/feeds/full/catalog.nt",
    "/feeds/full/catalog.jsonld",
    "/dataset/d1.ttl",
    "/sparql?query=ASK%7B%7D",
)


@pytest.mark.parametrize("free", [0, 256 << 10])
def test_server_on_a_full_disk_reads_on_and_writes_again_when_there_is_space(
    small: Path, disk: Path, tmp_path: Path, free: int
) -> None:
    data = Path(shutil.copytree(small / "data", disk / "data", symlinks=True))
    large = catalogue(tmp_path / "large.nt", 2000, change=0.5)
    secret = bilbaokg(data, "token", "create", "robot", "--scope", "read").output.strip()
    known = {"Authorization": f"Bearer {secret}"}
    old = state.records(data)
    port = free_port()
    with serving(data, port):
        ballast = leave_free(disk, free)
        for command in (
            ("load", *SOURCE, str(large)),
            ("query", "--working", "datasets-newest"),
            ("load", *SOURCE, str(large)),
        ):
            says_that_the_disk_is_full(bilbaokg(data, *command))
        for path, headers in itertools.product(READ, ({}, known)):
            answer = httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=60)
            assert answer.status_code == 200, answer.text
        assert bilbaokg(data, "status").code == 0
        assert "robot" in bilbaokg(data, "token", "list").output
        ballast.unlink()
        # No restart, no second try.
        assert bilbaokg(data, "query", "--working", "datasets-newest").code == 0
        assert bilbaokg(data, "load", *SOURCE, str(large)).code == 0
    found = state.records(data)
    assert found.count_as_in(old) < len(old.texts)
    done = Path(shutil.copytree(small / "data", tmp_path / "done", symlinks=True))
    load(done, large)
    found.same_as(state.records(done))
