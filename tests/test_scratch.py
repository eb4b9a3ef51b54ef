"""The scratch area: changes are whole, on disk when they are answered, and stopped with a kill."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest
from helpers import eventually

from bilbaokg.errors import (
    BadInput,
    Conflict,
    DeadlineExceeded,
    Forbidden,
    MemoryExceeded,
    Overloaded,
    StorageFull,
    SyntaxFault,
    TooLarge,
    WorkerCrashed,
)
from bilbaokg.scratch import Scratch
from bilbaokg.settings import Settings

GRAPH = "https://data.example/g"
CROWD = " . ".join(f"?a{n} ?b{n} ?c{n}" for n in range(12))
ENDLESS = f"INSERT {{ <x:s> <x:n> ?n }} WHERE {{ SELECT (COUNT(*) AS ?n) {{ {CROWD} }} }}"


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    with opened(tmp_path) as scratch:
        yield scratch


@contextmanager
def opened(data: Path, **values: object) -> Iterator[Scratch]:
    for name in ("scratch", "cache"):
        (data / name).mkdir(exist_ok=True)
    scratch = Scratch(data, replace(Settings(), **values))
    try:
        yield scratch
    finally:
        scratch.close()


def update(scratch: Scratch, text: str | bytes) -> None:
    text = text.encode() if isinstance(text, str) else text
    scratch.update(text, "https://data.example/", None, None)


def put(scratch: Scratch, turtle: str, graph: str = GRAPH, *, merge: bool = False) -> bool:
    return scratch.put(graph, [("ttl", turtle.encode())], base=GRAPH, merge=merge)


def found(scratch: Scratch) -> list[str]:
    """All that a query sees."""
    copy = scratch.checkpoint()
    return sorted(str(quad) for quad in ox.Store.read_only(str(copy))) if copy else []


_OTHERS: set[int] = set()


@pytest.fixture(autouse=True)
def others() -> None:
    """What tests of other files keep running in this process is none of a scratch area's."""
    _OTHERS.clear()
    _OTHERS.update(workers())


def workers() -> set[int]:
    """The worker processes of this one that have begun since the test did."""
    found = set()
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        # Threads and processes may end meanwhile.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for pid in (task / "children").read_text().split():
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    if b"workers.child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                        found.add(int(pid))
    return found - _OTHERS


def test_nothing_is_there_and_no_process_before_it_is_used(scratch: Scratch) -> None:
    assert scratch.checkpoint() is None
    assert workers() == set()


def test_what_is_saved_is_there_for_the_next_server(tmp_path: Path) -> None:
    for number in range(2):
        with opened(tmp_path) as scratch:
            update(scratch, f"INSERT DATA {{ <x:s> <x:p> {number} }}")
            assert len(found(scratch)) == number + 1


def test_a_copy_is_made_once_a_state(scratch: Scratch) -> None:
    update(scratch, "INSERT DATA { <x:s> <x:p> 1 }")
    first = scratch.checkpoint()
    assert scratch.checkpoint() == first
    with pytest.raises(SyntaxFault):
        update(scratch, "INSERT")
    update(scratch, "INSERT DATA { <x:s> <x:p> 2 }")
    assert scratch.checkpoint() != first
    for number in range(5):
        update(scratch, f"INSERT DATA {{ <x:s> <x:q> {number} }}")
        found(scratch)
    assert len(list(scratch.cache.iterdir())) == 2


def test_an_update_is_done_whole_or_not_at_all(scratch: Scratch) -> None:
    update(scratch, "INSERT DATA { <x:s> <x:p> 1 }")
    before = found(scratch)
    with pytest.raises(SyntaxFault) as caught:
        update(scratch, "CLEAR ALL ;\nINSERT DATA { <x:s> <x:p> }")
    assert (caught.value.where, caught.value.extra["line"]) == ("update", 2)
    with pytest.raises(Conflict, match="does not exist"):
        update(scratch, "CLEAR ALL ; DROP GRAPH <x:absent>")
    assert found(scratch) == before


def test_relative_iris_are_of_the_endpoint(scratch: Scratch) -> None:
    update(scratch, "INSERT DATA { <s> <p> <#o> }")
    assert "<https://data.example/s> <https://data.example/p>" in found(scratch)[0]


@pytest.mark.parametrize("text", ["LOAD <http://localhost:9/>", "LOAD <file:///etc/hosts>"])
def test_nothing_is_fetched(scratch: Scratch, text: str) -> None:
    with pytest.raises(Forbidden):
        update(scratch, text)


def test_a_deadline_kills_the_worker_and_leaves_the_store(tmp_path: Path) -> None:
    with opened(tmp_path, query_seconds_token=4.0) as scratch:
        update(
            scratch, "INSERT DATA { " + ". ".join(f"<x:{n}> <x:p> {n}" for n in range(300)) + "}"
        )
        before, killed = found(scratch), workers()
        with pytest.raises(DeadlineExceeded):
            update(
                scratch,
                f"DELETE DATA {{ <x:1> <x:p> 1 }} ; INSERT DATA {{ <x:a> <x:b> 1 }} ; {ENDLESS}",
            )
        assert eventually(lambda: not killed & workers())
        assert found(scratch) == before
        update(scratch, "INSERT DATA { <x:after> <x:p> 1 }")
        assert len(found(scratch)) == len(before) + 1
        assert len(workers()) == 1
        assert workers() != killed


def test_a_kill_in_the_middle_of_an_update_leaves_the_store(scratch: Scratch) -> None:
    put(scratch, "\n".join(f"<x:{n}> <x:p> {n} ." for n in range(300)), graph="")
    before, (worker,) = found(scratch), workers()
    with ThreadPoolExecutor(1) as threads:
        outcome = threads.submit(update, scratch, f"INSERT DATA {{ <x:a> <x:b> 1 }} ; {ENDLESS}")
        used = Path(f"/proc/{worker}/stat")
        ticks = int(used.read_text().split()[13])
        assert eventually(lambda: int(used.read_text().split()[13]) > ticks + 20)
        os.kill(worker, signal.SIGKILL)
        with pytest.raises((Overloaded, WorkerCrashed)):
            outcome.result()
    assert found(scratch) == before
    assert workers().isdisjoint({worker})
    update(scratch, "DROP ALL")
    assert found(scratch) == []


def test_what_was_answered_stays_whenever_the_worker_is_killed(scratch: Scratch) -> None:
    answered: list[int] = []
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                update(scratch, f"INSERT DATA {{ <x:a{number}> <x:p> 1 . <x:b{number}> <x:p> 1 }}")
                answered.append(number)
            except (Overloaded, WorkerCrashed):
                continue

    def answered_more(most: int) -> None:
        count = len(answered)
        assert eventually(lambda: writing.done() or len(answered) >= count + most)
        if writing.done():
            writing.result()

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(write)
        for kill in range(8):
            answered_more(3)
            time.sleep(0.003 * kill)
            for worker in workers():
                os.kill(worker, signal.SIGKILL)
        answered_more(1)
        stop.set()
        writing.result()
    present = "\n".join(found(scratch))
    for number in answered:
        assert f"<x:a{number}>" in present
    # None is half there.
    assert present.count("<x:a") == present.count("<x:b")


def test_the_memory_limit_ends_only_the_worker(tmp_path: Path) -> None:
    doubled = " ".join(f"BIND(CONCAT(?a{n}, ?a{n}) AS ?a{n + 1})" for n in range(30))
    values = 'VALUES ?a0 { "aaaaaaaaaa" }'
    text = f"INSERT {{ <x:s> <x:p> ?a30 }} WHERE {{ {values} {doubled} }}"
    # Threads reserve addresses, the more the busier the machine is: less would stop the next.
    with opened(tmp_path, memory_limit=2 << 30) as scratch:
        update(scratch, "INSERT DATA { <x:s> <x:p> 1 }")
        with pytest.raises(MemoryExceeded):
            update(scratch, text)
        assert len(found(scratch)) == 1
        update(scratch, "INSERT DATA { <x:s> <x:p> 2 }")


@pytest.mark.parametrize("text", [b"\xff", b"INSERT DATA " + b"{ " * 1000, b"CREATE GRAPH", b"}"])
def test_what_cannot_be_read_changes_nothing(scratch: Scratch, text: bytes) -> None:
    update(scratch, "INSERT DATA { <x:s> <x:p> 1 }")
    with pytest.raises(BadInput):
        update(scratch, text)
    assert len(found(scratch)) == 1


def test_changes_wait_for_each_other(scratch: Scratch) -> None:
    count = """DELETE { <x:s> <x:n> ?n } INSERT { <x:s> <x:n> ?m }
        WHERE { <x:s> <x:n> ?n BIND(?n + 1 AS ?m) }"""
    update(scratch, "INSERT DATA { <x:s> <x:n> 0 }")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: update(scratch, count), range(40)))
    (line,) = found(scratch)
    assert '"40"' in line


# -- graphs --------------------------------------------------------------------------------------


def test_put_replaces_and_post_adds(scratch: Scratch) -> None:
    assert put(scratch, "<x:s> <x:p> 1 .") is True
    assert put(scratch, "<x:s> <x:p> 2 .") is False
    assert put(scratch, "<x:s> <x:p> 3 .", merge=True) is False
    assert [line.split('"')[1] for line in found(scratch)] == ["2", "3"]
    assert put(scratch, "<x:s> <x:p> 4 .", graph="") is True
    assert put(scratch, "<x:s> <x:p> 5 .", graph="") is False
    assert [line.split('"')[1] for line in found(scratch)] == ["2", "3", "5"]
    assert scratch.delete(GRAPH) is True
    assert scratch.delete(GRAPH) is False
    assert scratch.delete("") is True
    assert found(scratch) == []


def test_blank_nodes_of_two_requests_and_of_two_documents_are_apart(scratch: Scratch) -> None:
    content = b"_:x <x:p> 1 ."
    scratch.put(GRAPH, [("ttl", content), ("nt", b'_:x <x:p> "a" .')], base=GRAPH, merge=False)
    scratch.put(GRAPH, [("ttl", content)], base=GRAPH, merge=True)
    subjects = {line.split()[0] for line in found(scratch)}
    assert len(found(scratch)) == len(subjects) == 3


def test_a_fault_in_one_document_leaves_the_graph(scratch: Scratch) -> None:
    put(scratch, "<x:s> <x:p> 1 .")
    before = found(scratch)
    documents = [("ttl", b"<x:s> <x:p> 2 ."), ("ttl", b"<x:s> <x:p>\n. ")]
    for merge in (True, False):
        with pytest.raises(SyntaxFault) as caught:
            scratch.put(GRAPH, documents, base=GRAPH, merge=merge)
        assert caught.value.extra["line"] == 2
    assert found(scratch) == before


def test_a_large_graph_is_added_but_does_not_take_the_place_of_another(scratch: Scratch) -> None:
    large = "\n".join(f'<x:{n}> <x:p> "{"a" * 2000}" .' for n in range(6000))
    assert put(scratch, large) is True
    with pytest.raises(TooLarge, match="take the place"):
        put(scratch, large)
    assert len(found(scratch)) == 6000
    scratch.delete(GRAPH)
    assert put(scratch, large) is True


def test_a_full_scratch_area_takes_nothing_more_until_something_is_deleted(tmp_path: Path) -> None:
    more = "\n".join(f'<x:{n}> <x:p> "{os.urandom(500).hex()}" .' for n in range(500))
    with opened(tmp_path, scratch_bytes=400_000) as scratch:
        put(scratch, more)
        before = len(found(scratch))
        for change in (
            lambda: put(scratch, "<x:s> <x:p> 1 .", merge=True),
            lambda: put(scratch, "<x:s> <x:p> 1 ."),
            lambda: update(scratch, "INSERT DATA { <x:s> <x:p> 1 }"),
            lambda: update(scratch, f"COPY <{GRAPH}> TO <x:g>"),
        ):
            with pytest.raises(StorageFull, match="400,000"):
                change()
        assert len(found(scratch)) == before
        update(scratch, f"DROP GRAPH <{GRAPH}>")
        assert put(scratch, "<x:s> <x:p> 1 .") is True
        assert len(found(scratch)) == 1
    with opened(tmp_path) as scratch:
        assert len(found(scratch)) == 1
