"""The embedded store: atomic changes, on disk when told so, trusted queries, honest errors."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from pathlib import Path

import pyoxigraph as ox
import pytest
from helpers import content_hash
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bilbaokg.errors import CorruptStore, StorageFault, StorageFull, StoreBusy
from bilbaokg.store import GraphChange, Store
from bilbaokg.store.embedded import EmbeddedStore, storage_errors
from bilbaokg.terms import literal, plain

G, H = "urn:g", "urn:h"
NOTHING = "<urn:nothing> <urn:p> <urn:o> ."
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def quads(store: EmbeddedStore) -> set[str]:
    """All quads, as short texts."""
    return {f"{s[5:-1]} {o} {g[4:]}" for s, _, o, g in store.match()}


def line(subject: str, value: str) -> str:
    """A statement with a plain text."""
    return f"<urn:{subject}> <urn:p> {literal(value)} ."


def test_keeps_the_protocol() -> None:
    store: Store = EmbeddedStore()
    store.close()


def test_change_deletes_then_inserts() -> None:
    store = EmbeddedStore()
    store.apply([GraphChange(G, [line("a", "1"), line("a", "2"), line("b", "1"), line("c", "1")])])
    store.apply(
        [
            GraphChange(
                G,
                insert=[line("a", "3"), line("b", "1")],
                delete=[line("a", "1"), line("a", "2"), line("b", "1")],
            ),
            GraphChange(H, insert=[line("a", "1")]),
        ]
    )
    assert quads(store) == {'a "3" g', 'b "1" g', 'c "1" g', 'a "1" h'}


def test_drop_empties_the_graph_first_also_one_that_is_not_there() -> None:
    store = EmbeddedStore()
    store.apply([GraphChange(G, [line("a", "1")])])
    store.apply([GraphChange(G, [line("b", "1")], drop=True), GraphChange(H, drop=True)])
    assert quads(store) == {'b "1" g'}


def test_only_adds() -> None:
    assert GraphChange(G, insert=["x"]).only_adds
    assert not GraphChange(G, delete=["x"]).only_adds
    assert not GraphChange(G, drop=True).only_adds


@pytest.mark.parametrize("first", [GraphChange(G, [line("new", "1")]), GraphChange(G, drop=True)])
@pytest.mark.parametrize("many", [1, 30_000], ids=["small", "bulk"])
def test_all_changes_or_none(tmp_path: Path, first: GraphChange, many: int) -> None:
    store = EmbeddedStore(tmp_path / "s")
    store.apply([GraphChange(G, [line("old", "1")])])
    before = content_hash(store)
    good = [line(f"n{n}", "x" * 60) for n in range(many)]
    with pytest.raises(SyntaxError):
        store.apply([first, GraphChange(H, [*good, "<urn:a> <urn:p> oops ."])])
    assert content_hash(store) == before
    store.close()


@hypothesis_settings(deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=5))
def test_text_is_exact_loaded_and_updated(values: list[str]) -> None:
    store = EmbeddedStore()
    for number, value in enumerate(values):
        store.apply([GraphChange(G, [line(f"loaded{number}", value)])])
        store.apply([GraphChange(H, [line(f"updated{number}", value)], delete=[NOTHING])])
        for graph in (G, H):
            found = {o for s, _, o in store.values(graph) if s.endswith(f"d{number}")}
            assert found == {value}
    for graph, name in ((G, "loaded"), (H, "updated")):
        lines = [line(f"{name}{number}", value) for number, value in enumerate(values)]
        store.apply([GraphChange(graph, delete=lines)])
    assert quads(store) == set()


@pytest.mark.parametrize("size", [5_000, 400_000], ids=["load", "bulk"])
def test_long_text_of_many_graphs_is_exact(tmp_path: Path, size: int) -> None:
    texts = {f"urn:g{n}": "Ñ" * n + "€𝛽" * (size // 2) for n in range(4)}
    store = EmbeddedStore(tmp_path / "s")
    store.apply([GraphChange(graph, [line("a", text)]) for graph, text in texts.items()])
    assert {graph: [o for _, _, o in store.values(graph)] for graph in texts} == {
        graph: [text] for graph, text in texts.items()
    }
    store.close()


@pytest.mark.parametrize("size", [10, 200_000], ids=["load", "bulk"])
def test_what_was_applied_is_there_after_reopening(tmp_path: Path, size: int) -> None:
    store = EmbeddedStore(tmp_path / "s")
    store.apply([GraphChange(G, [line(f"a{n}", "x" * (size // 10)) for n in range(200)])])
    store.apply([GraphChange(G, delete=[line("a0", "x" * (size // 10))])])
    before = content_hash(store)
    store.close()
    again = EmbeddedStore(tmp_path / "s")
    assert content_hash(again) == before
    assert len(quads(again)) == 199
    again.close()


@pytest.mark.parametrize("size", [10, 3 << 20], ids=["load", "bulk"])
def test_log_is_on_disk_when_apply_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    store = EmbeddedStore(tmp_path / "s")
    counted: list[int] = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (real(fd), counted.append(fd))[0])
    for number in range(3):
        before = len(counted)
        store.apply([GraphChange(G, [line(f"{number}", "x" * size)])])
        store.apply([GraphChange(G, delete=[line(f"{number}", "x" * size)])])
        assert len(counted) >= before + 2
    store.close()


def test_failure_of_the_disk_is_told_not_swallowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    store = EmbeddedStore(tmp_path / "s")
    monkeypatch.setattr(os, "fdatasync", fail)
    with pytest.raises(StorageFault, match="Input/output error") as error:
        store.apply([GraphChange(G, [line("a", "1")])])
    assert error.value.where == str(tmp_path / "s")
    store.close()


def test_write_after_a_failed_one_is_taken_and_what_failed_may_be_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store = EmbeddedStore(tmp_path / "s")
    store.apply([GraphChange(G, [line("a", "1")])])
    change = [GraphChange(G, insert=[line("a", "2")], delete=[line("a", "1")])]
    with monkeypatch.context() as full:
        full.setattr(os, "fdatasync", fail)
        with pytest.raises(StorageFull):
            store.apply(change)
    assert store.failures
    assert quads(store) in ({'a "1" g'}, {'a "2" g'})
    store.apply(change)
    assert quads(store) == {'a "2" g'}
    store.close()
    assert quads(EmbeddedStore(tmp_path / "s")) == {'a "2" g'}


def test_store_that_cannot_be_opened_for_writing_is_read_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("IO error: No space left on device")

    store = EmbeddedStore(tmp_path / "s")
    store.apply([GraphChange(G, [line("a", "1")])])
    with monkeypatch.context() as full:
        full.setattr(os, "fdatasync", fail)
        full.setattr(store, "_open", fail)
        for _ in range(2):
            with pytest.raises(StorageFull):
                store.apply([GraphChange(G, [line("b", "1")])])
            assert 'a "1" g' in quads(store)
    store.apply([GraphChange(G, [line("b", "1")])])
    assert quads(store) == {'a "1" g', 'b "1" g'}
    store.close()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (sqlite3.OperationalError("database or disk is full"), StorageFull),
        (sqlite3.OperationalError("disk I/O error"), StorageFault),
        (OSError(errno.ENOSPC, "x"), StorageFull),
        (OSError(errno.EDQUOT, "x"), StorageFull),
        (OSError("IO error: No space left on device: While appending"), StorageFull),
        (OSError("Corruption: block checksum mismatch"), CorruptStore),
        (RuntimeError("Corruption: Sst file size mismatch"), CorruptStore),
        (OSError("IO error: While lock file: /x/LOCK: Resource unavailable"), StoreBusy),
        (OSError(errno.EROFS, "Read-only file system"), StorageFault),
    ],
)
def test_failures_of_the_disk_are_ours(error: Exception, kind: type) -> None:
    with pytest.raises(kind) as raised, storage_errors("/data"):
        raise error
    assert type(raised.value) is kind
    assert raised.value.where == "/data"


@pytest.mark.parametrize("flushed", [True, False])
def test_store_without_current_is_not_begun_anew(tmp_path: Path, flushed: bool) -> None:
    store = EmbeddedStore(tmp_path / "s")
    store.apply([GraphChange(G, [line("a", "1")])])
    if flushed:
        store.flush()
    store.close()
    current = tmp_path / "s" / "CURRENT"
    kept = current.read_bytes()
    current.unlink()
    for _ in range(2):
        with pytest.raises(CorruptStore, match="CURRENT is missing"):
            EmbeddedStore(tmp_path / "s")
    current.write_bytes(kept)
    assert quads(EmbeddedStore(tmp_path / "s")) == {'a "1" g'}


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_damaged_table_is_named(tmp_path: Path, damage: str) -> None:
    store = EmbeddedStore(tmp_path / "s")
    store.apply([GraphChange(G, [line("a", "1")])])
    store.flush()
    store.close()
    table = max((tmp_path / "s").glob("*.sst"), key=lambda path: path.stat().st_size)
    content = table.read_bytes()
    table.unlink()
    if damage == "cut":
        table.write_bytes(content[:-1])
    with pytest.raises(CorruptStore, match=table.name) as error:
        list(EmbeddedStore(tmp_path / "s").match())
    assert error.value.where == str(tmp_path / "s")


def test_full_disk_says_how_to_go_on() -> None:
    with pytest.raises(StorageFull) as error, storage_errors("/data"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert (error.value.status, error.value.exit_code) == (507, 2)
    assert "run the same command again" in str(error.value.hint)


def test_second_opening_is_refused(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s")
    with pytest.raises(StoreBusy):
        EmbeddedStore(tmp_path / "s")
    store.close()
    EmbeddedStore(tmp_path / "s").close()


def test_missing_directory_for_reading_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageFault):
        EmbeddedStore.read_only(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_store_built_of_a_file_opens_for_many_readers(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.nq"
    file.write_text('<urn:a> <urn:p> "x" <urn:g> .\n<urn:a> <urn:p> "y" <urn:h> .\n')
    EmbeddedStore.build(tmp_path / "s", file)
    readers = [EmbeddedStore.read_only(tmp_path / "s") for _ in range(3)]
    for reader in readers:
        assert quads(reader) == {'a "x" g', 'a "y" h'}
        with pytest.raises(RuntimeError, match="read-write"):
            reader.apply([GraphChange(G, [line("b", "1")])])
        reader.close()


def test_store_built_piece_by_piece_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.nq"
    file.write_text("".join(f'<urn:a> <urn:p> "{n:02}" <urn:g> .\n' for n in range(10)))
    EmbeddedStore.build(tmp_path / "whole", file)
    EmbeddedStore.build(tmp_path / "pieces", file, piece=3)
    whole, pieces = (EmbeddedStore.read_only(tmp_path / name) for name in ("whole", "pieces"))
    assert quads(whole) == quads(pieces)
    assert len(quads(pieces)) == 10


def test_broken_file_builds_nothing(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.nq"
    file.write_text("oops")
    with pytest.raises(SyntaxError):
        EmbeddedStore.build(tmp_path / "s", file)


def test_backup_is_a_copy_of_that_moment(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s")
    store.apply([GraphChange(G, [line("a", "1")])])
    store.backup(tmp_path / "copy")
    store.apply([GraphChange(G, [line("b", "1")])])
    copy = EmbeddedStore.read_only(tmp_path / "copy")
    assert quads(copy) == {'a "1" g'}
    copy.close()
    store.close()


def test_queries_see_the_union_unless_told() -> None:
    store = EmbeddedStore()
    store.apply([GraphChange(G, [line("a", "1")]), GraphChange(H, [line("b", "1")])])
    assert len(list(store.query("SELECT * { ?s ?p ?o }"))) == 2
    assert list(store.query("SELECT * { ?s ?p ?o }", union=False)) == []
    assert len(list(store.query("SELECT * { GRAPH ?g { ?s ?p ?o } }"))) == 2
    bound = store.query(
        "SELECT ?s ?o { ?s ?p ?o }", substitutions={ox.Variable("s"): ox.NamedNode("urn:a")}
    )
    assert len(list(bound)) == 1


def test_match_takes_and_gives_terms_as_text() -> None:
    store = EmbeddedStore()
    store.apply([GraphChange(G, [line("a", 'x"\\\n'), "<urn:a> <urn:q> <urn:o> ."])])
    (found,) = store.match("<urn:a>", "<urn:p>", literal('x"\\\n'), G)
    assert found == ("<urn:a>", "<urn:p>", literal('x"\\\n'), G)
    assert plain(found[2]) == 'x"\\\n'
    assert len(list(store.match(object="<urn:o>"))) == 1
    assert list(store.match(graph=H)) == []
    assert list(store.graphs()) == [G]
    assert sorted(store.values(G, "urn:a")) == [
        ("urn:a", "urn:p", 'x"\\\n'),
        ("urn:a", "urn:q", "urn:o"),
    ]


def test_readers_go_on_while_one_writes(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s")
    store.apply([GraphChange(G, [line("a", "0")])])
    stop = threading.Event()
    seen: set[int] = set()

    def read() -> None:
        while not stop.is_set():
            seen.add(len(list(store.match("<urn:a>", graph=G))))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(40):
        old, new = line("a", str(number)), line("a", str(number + 1))
        store.apply([GraphChange(G, insert=[new], delete=[old])])
    stop.set()
    reader.join()
    assert seen == {1}, "never both values, never none"
    store.close()
