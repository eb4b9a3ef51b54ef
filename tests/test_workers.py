"""Workers: killed at the deadline, limited in memory, confined, replaced, and never the caller."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from helpers import PATIENCE, eventually
from helpers import lines as lines_of

from bilbaokg.errors import (
    BadInput,
    BilbaokgError,
    DeadlineExceeded,
    MemoryExceeded,
    Overloaded,
    SyntaxFault,
    TooLarge,
    WorkerCrashed,
)
from bilbaokg.model import Source
from bilbaokg.settings import MIB, Settings
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.workers import Pool, parse

GOOD = b"<urn:a> <urn:p> 1 ."
# Ten blank nodes all joined to all others take the canonicaliser 40 seconds, twelve for ever.
ENDLESS = "".join(
    f"_:n{a} <urn:p> _:n{b} .\n" for a in range(12) for b in range(12) if a != b
).encode()
CRASHING = b"<urn:a> <urn:p> " + b"<<( <urn:a> <urn:p> " * 100_000 + b"1" + b" )>>" * 100_000
MANY = b"".join(b"<urn:s%d> <urn:p> %d .\n" % (n, n) for n in range(30_000))

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="the system has no /proc"
)


def run(pool: Pool, body: bytes, deadline: float = 20.0, **params: Any) -> Iterator[Any]:
    """Parse a body as Turtle."""
    given = {
        "path": None,
        "label": "x.ttl",
        "format": "ttl",
        "base": "https://datos.example.org",
        "limit": 1 << 30,
        "group_seconds": 60,
        "locate": False,
    }
    return pool.run("parse", given | params, deadline, body=body, label="x.ttl")


def pids(pool: Pool) -> list[int]:
    """The processes of the pool's workers."""
    return sorted(worker.process.pid for worker in pool._all)


def gone(pid: int) -> bool:
    """Whether a process ends; one that nobody has waited for counts as ended."""

    def ended() -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        return state in "ZX"

    return eventually(ended)


def test_a_job_streams_its_frames_and_ends(pool: Pool) -> None:
    frames = list(run(pool, MANY))
    assert [header for header, _ in frames[:-1]] == [{"lines": 10_000}] * 3
    assert frames[0][1].startswith(b"<urn:s0> <urn:p> ")
    assert frames[-1][0]["done"]["parsed"] == 30_000


def test_a_worker_serves_many_jobs_one_after_another(pool: Pool) -> None:
    list(run(pool, GOOD))
    before = pids(pool)
    for _ in range(3):
        parse(Source("s", None, "text/turtle", GOOD), Settings(), pool=pool)
    assert pids(pool) == before
    assert len(before) == 1


def test_start_makes_all_workers_ready() -> None:
    with Pool(2) as pool:
        pool.start()
        before = pids(pool)
        assert len(before) == 2
        list(run(pool, GOOD))
        assert pids(pool) == before


@needs_proc
def test_close_ends_all_workers() -> None:
    with Pool(2) as pool:
        pool.start()
        running = pids(pool)
    assert all(gone(pid) for pid in running)


# ---- deadline, memory, crash


@needs_proc
def test_deadline_kills_the_worker_and_another_takes_its_place(pool: Pool) -> None:
    list(run(pool, GOOD))
    (before,) = pids(pool)
    with pytest.raises(DeadlineExceeded, match=r"stopped after 0\.6 s") as error:
        list(run(pool, ENDLESS, deadline=0.6))
    assert error.value.where == "x.ttl"
    assert error.value.status == 503
    assert gone(before)
    list(run(pool, GOOD))
    assert pids(pool) != [before]


def test_a_frame_can_set_a_shorter_limit_for_the_next(pool: Pool) -> None:
    with pytest.raises(DeadlineExceeded):
        list(run(pool, ENDLESS, group_seconds=0.3))


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("ttl", b" " * (200 * MIB)),
        ("jsonld", b'{"http://p":' * 10_000 + b"1" + b"}" * 10_000),
    ],
    ids=["python", "engine"],
)
def test_memory_limit_stops_the_job_and_says_so(form: str, body: bytes) -> None:
    with Pool(1, 300 * MIB) as pool:
        with pytest.raises(MemoryExceeded, match="memory limit") as error:
            list(run(pool, body, format=form))
        assert (error.value.where, error.value.status) == ("x.ttl", 503)
        list(run(pool, GOOD))


def test_crash_is_an_error_and_the_pool_goes_on(pool: Pool) -> None:
    with pytest.raises(WorkerCrashed, match="nesting too deeply") as error:
        list(run(pool, CRASHING))
    assert (error.value.where, error.value.status) == ("x.ttl", 400)
    list(run(pool, GOOD))


def test_error_of_the_job_arrives_with_its_class_and_members(pool: Pool) -> None:
    before = pids(pool)
    with pytest.raises(SyntaxFault) as fault:
        list(run(pool, b"<urn:a>\n<urn:p> nonsense ."))
    assert fault.value.extra["line"] == 2
    with pytest.raises(TooLarge) as large:
        list(run(pool, GOOD, limit=5))
    assert "file_limit" in str(large.value.hint)
    assert pids(pool) == before, "an error of the input costs no worker"


@needs_proc
def test_abandoned_job_ends_its_worker(pool: Pool) -> None:
    frames = run(pool, MANY * 10)
    next(frames)
    (worker,) = pids(pool)
    frames.close()  # type: ignore[attr-defined]
    assert gone(worker)
    list(run(pool, GOOD))


@needs_proc
def test_worker_killed_while_idle_is_replaced(pool: Pool) -> None:
    list(run(pool, GOOD))
    (before,) = pids(pool)
    os.kill(before, signal.SIGKILL)
    assert gone(before)
    list(run(pool, GOOD))
    assert pids(pool) != [before]


def test_worker_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Pool(1) as pool, pytest.raises(WorkerCrashed, match="did not start"):
        list(run(pool, GOOD))


# ---- threads


def test_callers_in_threads_each_get_their_own_answer() -> None:
    def ask(number: int) -> list[str]:
        text = f"<urn:s{number}> <urn:p> {number} .".encode()
        return parse(Source(f"{number}", None, "text/turtle", text), Settings(), pool=pool).lines

    with Pool(2) as pool, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(60)))
        assert len(pids(pool)) == 2
    assert answers == [lines_of(f"<urn:s{n}> <urn:p> {n} .") for n in range(60)]


def test_worker_outlives_the_thread_that_started_it() -> None:
    with Pool(1) as pool:
        thread = threading.Thread(target=lambda: list(run(pool, GOOD)))
        thread.start()
        thread.join()
        before = pids(pool)
        time.sleep(0.2)
        list(run(pool, GOOD))
        assert pids(pool) == before


def test_no_worker_in_time_is_overload() -> None:
    with Pool(1) as pool:
        busy = run(pool, MANY)
        next(busy)
        with pytest.raises(Overloaded, match="all workers are busy") as error:
            list(run(pool, GOOD, deadline=0.1))
        assert error.value.extra["retry_after"] == 5
        list(busy)
        list(run(pool, GOOD))


def test_a_job_whose_pool_is_closed_ends_with_one_of_our_errors() -> None:
    pool = Pool(1)
    pool.start()
    with ThreadPoolExecutor(1) as threads:
        job = threads.submit(lambda: list(run(pool, ENDLESS)))
        time.sleep(0.2)
        pool.close()
        assert isinstance(job.exception(timeout=PATIENCE), BilbaokgError)


def test_large_body_is_sent_although_the_job_before_was_short_of_time(pool: Pool) -> None:
    list(run(pool, GOOD))
    (worker,) = pool._all
    worker.link.settimeout(0.000_001)
    list(run(pool, b" \n" * (10 * MIB) + GOOD))
    assert list(pool._all) == [worker]


# ---- confinement


@needs_proc
def test_no_worker_inherits_an_open_store(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store")
    with (tmp_path / "file").open("w"), Pool(1) as pool:
        pool.start()
        (worker,) = pids(pool)
        targets = [str(fd.readlink()) for fd in Path(f"/proc/{worker}/fd").iterdir()]
    store.close()
    assert not [target for target in targets if str(tmp_path) in target]
    assert sum(target.startswith("socket:") for target in targets) == 2


def network_can_be_taken_away() -> bool:
    """Whether the kernel lets this user make a network namespace."""
    code = (
        "import ctypes, sys; libc = ctypes.CDLL(None);"
        "sys.exit(libc.unshare(0x40000000) != 0 and libc.unshare(0x50000000) != 0)"
    )
    return subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@needs_proc
def test_worker_has_no_network(pool: Pool) -> None:
    if not network_can_be_taken_away():
        pytest.skip("the kernel lets this user make no network namespace")
    list(run(pool, GOOD))
    (worker,) = pids(pool)
    devices = Path(f"/proc/{worker}/net/dev").read_text().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in devices] in ([], ["lo"])
    assert Path(f"/proc/{worker}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()


@needs_proc
def test_worker_has_a_memory_limit_and_writes_no_core() -> None:
    with Pool(1, 1024 * MIB) as pool:
        list(run(pool, GOOD))
        (worker,) = pids(pool)
        limits = Path(f"/proc/{worker}/limits").read_text().splitlines()
    rows = {line[:26].strip(): line[26:].split()[:2] for line in limits}
    assert rows["Max address space"] == [str(1024 * MIB)] * 2
    assert rows["Max core file size"] == ["0", "0"]


def test_interrupt_from_the_terminal_leaves_workers_to_their_owner(pool: Pool) -> None:
    list(run(pool, GOOD))
    (before,) = pids(pool)
    os.kill(before, signal.SIGINT)
    list(run(pool, GOOD))
    assert pids(pool) == [before]


# ---- who starts it

SCRIPT = """
from bilbaokg.model import Source
from bilbaokg.settings import Settings
from bilbaokg.workers import parse

print("begun")
print(parse(Source("s", None, "text/turtle", b"<urn:a> <urn:p> 1 ."), Settings()).distinct)
"""


def python(folder: Path, script: str) -> str:
    """What a script prints that is run in a folder."""
    file = folder / "script.py"
    file.write_text(textwrap.dedent(script))
    done = subprocess.run(
        [sys.executable, file],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_script_without_a_main_guard_runs_once(tmp_path: Path) -> None:
    assert python(tmp_path, SCRIPT) == "begun\n1\n"


def test_script_from_standard_input_works(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-"], input=SCRIPT.encode(), cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout == b"begun\n1\n"


def test_modules_lying_in_the_working_directory_are_not_run(tmp_path: Path) -> None:
    for name in ("json", "ctypes", "struct", "pyoxigraph"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('run from the working directory')")
    (tmp_path / "bilbaokg").mkdir()
    (tmp_path / "bilbaokg/__init__.py").write_text("raise SystemExit('run')")
    command = [sys.executable, "-P", "-c", SCRIPT]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"begun\n1\n", b"")


@needs_proc
def test_death_of_the_parent_ends_its_workers(tmp_path: Path) -> None:
    script = """
        import os, signal
        from bilbaokg.workers import Pool
        pool = Pool(2)
        pool.start()
        print(*(worker.process.pid for worker in pool._all), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    (tmp_path / "script.py").write_text(textwrap.dedent(script))
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"], capture_output=True, text=True, check=False
    )
    workers = [int(pid) for pid in done.stdout.split()]
    assert len(workers) == 2
    assert all(gone(pid) for pid in workers)


@needs_proc
def test_worker_busy_when_its_parent_dies_ends_too(tmp_path: Path) -> None:
    (tmp_path / "endless.ttl").write_bytes(ENDLESS)
    script = f"""
        import os, signal, threading, time
        from pathlib import Path
        from bilbaokg.model import Source
        from bilbaokg.settings import Settings
        from bilbaokg.workers import Pool, parse
        pool = Pool(1)
        source = Source("s", Path({str(tmp_path / "endless.ttl")!r}), "text/turtle")
        threading.Thread(target=parse, args=(source, Settings()), kwargs={{"pool": pool}}).start()
        while not pool._all:
            time.sleep(0.01)
        time.sleep(0.3)
        print(*(worker.process.pid for worker in pool._all), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    (tmp_path / "script.py").write_text(textwrap.dedent(script))
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"], capture_output=True, text=True, check=False
    )
    (worker,) = (int(pid) for pid in done.stdout.split())
    assert gone(worker)


# ---- sources


def test_parse_without_a_pool_starts_a_worker_of_its_own() -> None:
    assert parse(Source("s", None, "text/turtle", GOOD), Settings()).parsed == 1


def test_parse_of_an_unknown_media_type_is_refused(pool: Pool) -> None:
    with pytest.raises(BadInput, match="text/csv"):
        parse(Source("s", None, "text/csv", b""), Settings(), pool=pool)


def test_parse_tells_how_far_it_is(pool: Pool) -> None:
    told: list[int] = []
    source = Source("s", None, "text/turtle", MANY)
    parse(source, Settings(), pool=pool, on_lines=told.append)
    assert sum(told) == 30_000
    assert len(told) > 2


def test_caller_that_is_interrupted_leaves_no_worker_behind(pool: Pool) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    list(run(pool, GOOD))
    (before,) = pids(pool)
    for used in (pool, None):
        source = Source("s", None, "text/turtle", MANY)
        with pytest.raises(KeyboardInterrupt):
            parse(source, Settings(), pool=used, on_lines=interrupt)
    assert before not in pids(pool)
    list(run(pool, GOOD))


def test_deadline_of_a_parse_says_what_to_do(pool: Pool) -> None:
    source = Source("s", None, "text/turtle", MANY * 40)
    with pytest.raises(DeadlineExceeded) as error:
        parse(source, Settings(), pool=pool, seconds=0.3)
    assert "split the file" in str(error.value.hint)
