"""The audit chain: what an entry holds, and how every change to it is found by name."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from helpers import BASE, wipe
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bilbaokg.audit import Audit, now
from bilbaokg.errors import CorruptStore, StorageFull
from bilbaokg.model import Event
from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import DCT, PROV, literal, plain, ref

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def write(audit: Audit, actor: str = "ane", **detail: Any) -> Event:
    """Add an entry."""
    event, change = audit.next(actor, "load", "catalogue.ttl", detail)
    audit.store.apply([change])
    audit.written(event)
    return event


@pytest.fixture
def audit() -> Audit:
    """A chain of three entries."""
    audit = Audit(EmbeddedStore(), BASE)
    for number in range(3):
        write(audit, number=number)
    return audit


@pytest.fixture
def noted(tmp_path: Path) -> Audit:
    """A chain of three entries, noted in a file."""
    audit = Audit(EmbeddedStore(), BASE, tmp_path / "audit.heads")
    for number in range(3):
        write(audit, number=number)
    return audit


def cut(audit: Audit, seq: int) -> None:
    """Take an entry away, as a log that was cut would."""
    lines = [f"{s} {p} {o} ." for s, p, o, _ in audit.store.match(ref(audit.iri(seq)))]
    audit.store.apply([GraphChange(audit.graph, delete=lines)])


def test_cut_end_of_the_chain_is_noticed(noted: Audit) -> None:
    Audit(noted.store, BASE, noted.heads).check_end()
    cut(noted, 3)
    shorter = Audit(noted.store, BASE, noted.heads)
    with pytest.raises(CorruptStore, match="has lost entry 3") as error:
        shorter.check_end()
    assert str(noted.heads) in (error.value.hint or "")
    with pytest.raises(CorruptStore, match="entry 3 is not the one that was noted"):
        shorter.verify()


def test_chain_of_another_time_is_noticed(noted: Audit) -> None:
    other = Audit(EmbeddedStore(), BASE, noted.heads)
    with pytest.raises(CorruptStore, match="has lost entry 3"):
        other.check_end()
    for _ in range(3):
        write(Audit(other.store, BASE), actor="eve")
    with pytest.raises(CorruptStore, match="of another time"):
        Audit(other.store, BASE, noted.heads).check_end()


@pytest.mark.parametrize("torn", [b"\n3", b"\n3 ", b"\n3 0123", b"\n", b""])
def test_torn_end_of_the_file_is_no_harm(noted: Audit, torn: bytes) -> None:
    assert noted.heads
    whole = noted.heads.read_bytes()
    noted.heads.write_bytes(whole[: whole.rindex(b"\n")] + torn)
    again = Audit(noted.store, BASE, noted.heads)
    again.check_end()
    write(again, number=3)
    write(again, number=4)
    assert again.verify() == 5
    cut(again, 5)
    with pytest.raises(CorruptStore, match="has lost entry 5"):
        Audit(noted.store, BASE, noted.heads).check_end()


def test_file_that_is_missing_begins_with_the_present_end(noted: Audit) -> None:
    assert noted.heads
    noted.heads.unlink()
    again = Audit(noted.store, BASE, noted.heads)
    again.check_end()
    assert noted.heads.read_text().startswith("\n3 ")
    assert noted.heads.stat().st_mode & 0o077 == 0


def test_file_that_cannot_be_written_stops_nothing(noted: Audit) -> None:
    assert noted.heads
    noted.heads.unlink()
    noted.heads.mkdir()
    write(noted, number=3)
    assert len(noted.events()) == 4


def test_entry_after_a_failed_write_goes_on_from_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    audit = Audit(EmbeddedStore(tmp_path / "store"), BASE)
    write(audit, number=0)
    with monkeypatch.context() as full:
        full.setattr(os, "fdatasync", fail)
        with pytest.raises(StorageFull):
            write(audit, number=1)
    write(audit, number=2)
    assert audit.verify() == len(audit.events())
    assert [e.detail["number"] for e in audit.events()] in ([0, 2], [0, 1, 2])
    audit.store.close()


def reopened(audit: Audit) -> Audit:
    """The chain as the next process sees it."""
    return Audit(audit.store, BASE)


def text(audit: Audit, seq: int) -> str:
    """The exact text of an entry."""
    found = audit.store.match(ref(audit.iri(seq)), ref(PROV.value), graph=audit.graph)
    return plain(next(found)[2])


def rewrite(audit: Audit, seq: int, predicate: str, new: str | None) -> None:
    """Change a value of an entry behind the program's back."""
    node = ref(audit.iri(seq))
    found = audit.store.match(node, ref(predicate), graph=audit.graph)
    old = [f"{s} {p} {o} ." for s, p, o, _ in found]
    insert = [f"{node} {ref(predicate)} {literal(new)} ."] if new is not None else []
    audit.store.apply([GraphChange(audit.graph, insert, old)])


def sealed(body: dict[str, Any]) -> str:
    """The text of an entry, as it is written."""
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def test_empty_chain_is_whole() -> None:
    empty = Audit(EmbeddedStore(), BASE)
    assert (empty.last(), empty.events(), empty.verify()) == (None, [], 0)


def test_entry_says_who_did_what_when(audit: Audit) -> None:
    before = now()
    event = write(audit, actor="jon", why="correction")
    assert (event.seq, event.actor, event.kind, event.subject) == (
        4,
        "jon",
        "load",
        "catalogue.ttl",
    )
    assert event.detail == {"why": "correction"}
    assert before <= event.at <= now()
    assert reopened(audit).last() == reopened(audit).get(4) == event


def test_each_entry_holds_the_hash_of_the_one_before(audit: Audit) -> None:
    previous = "0" * 64
    for event in audit.events():
        assert event.previous_hash == previous
        assert event.hash == hashlib.sha256(text(audit, event.seq).encode()).hexdigest()
        previous = event.hash
    assert [event.seq for event in audit.events()] == [1, 2, 3]
    assert audit.verify() == reopened(audit).verify() == 3


def test_time_is_utc_to_the_millisecond() -> None:
    moment = datetime.fromisoformat(now())
    assert moment.tzinfo == UTC
    assert now().endswith("Z")
    assert len(now()) == len("2024-01-01T00:00:00.000Z")


@hypothesis_settings(deadline=None, max_examples=50)
@given(TEXT, st.dictionaries(TEXT, TEXT | st.integers() | st.booleans() | st.none(), max_size=3))
def test_entry_is_exact_whatever_it_holds(actor: str, detail: dict[str, Any]) -> None:
    audit = Audit(EmbeddedStore(), BASE)
    event, change = audit.next(actor, "k", "s", detail)
    audit.store.apply([change])
    audit.written(event)
    write(audit)
    found = reopened(audit).get(1)
    assert (found.actor, found.detail, found.hash) == (actor, detail, event.hash)
    assert reopened(audit).verify() == 2


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_changed_entry_is_found_by_name(audit: Audit, seq: int) -> None:
    rewrite(audit, seq, PROV.value, text(audit, seq).replace("ane", "eve"))
    with pytest.raises(CorruptStore, match=f"breaks at entry {seq}$") as error:
        reopened(audit).verify()
    assert error.value.where == audit.graph


def test_entry_that_was_sealed_anew_is_found_by_the_next(audit: Audit) -> None:
    forged = text(audit, 1).replace("ane", "eve")
    rewrite(audit, 1, PROV.value, forged)
    rewrite(audit, 1, DCT.identifier, hashlib.sha256(forged.encode()).hexdigest())
    with pytest.raises(CorruptStore, match=r"breaks at entry 2$"):
        reopened(audit).verify()


def test_entry_put_in_another_place_is_found(audit: Audit) -> None:
    body = json.loads(text(audit, 3))
    forged = sealed(body | {"seq": 7})
    rewrite(audit, 3, PROV.value, forged)
    rewrite(audit, 3, DCT.identifier, hashlib.sha256(forged.encode()).hexdigest())
    with pytest.raises(CorruptStore, match="audit entry 3 is damaged"):
        reopened(audit).verify()


@pytest.mark.parametrize("damage", ["", "no json", "[]", '{"seq": 2}', "7"])
def test_unreadable_entry_is_found_by_name(audit: Audit, damage: str) -> None:
    rewrite(audit, 2, PROV.value, damage)
    with pytest.raises(CorruptStore, match="audit entry 2 is damaged"):
        reopened(audit).verify()


def test_second_text_beside_the_first_is_found(audit: Audit) -> None:
    line = f"{ref(audit.iri(2))} {ref(PROV.value)} {literal('{}')} ."
    audit.store.apply([GraphChange(audit.graph, insert=[line])])
    with pytest.raises(CorruptStore, match="audit entry 2 is damaged"):
        reopened(audit).verify()


def test_lost_entry_is_found_by_name(audit: Audit) -> None:
    wipe(audit.store, audit.graph, audit.iri(2))
    with pytest.raises(CorruptStore, match="audit entry 2 is missing"):
        reopened(audit).verify()


def test_last_entry_of_a_running_process_cannot_be_lost_unseen(audit: Audit) -> None:
    wipe(audit.store, audit.graph, audit.iri(3))
    with pytest.raises(CorruptStore, match="audit entry 3 is missing"):
        audit.verify()


def test_last_entry_that_was_hidden_is_found(audit: Audit) -> None:
    rewrite(audit, 3, DCT.identifier, None)
    with pytest.raises(CorruptStore, match="#e3> is not in the audit chain"):
        reopened(audit).verify()


def test_entry_that_was_slipped_in_is_found(audit: Audit) -> None:
    line = f"{ref(audit.iri(9))} {ref(PROV.value)} {literal('{}')} ."
    audit.store.apply([GraphChange(audit.graph, insert=[line])])
    with pytest.raises(CorruptStore, match="#e9> is not in the audit chain"):
        reopened(audit).verify()


def test_chain_goes_on_from_what_is_on_disk(audit: Audit) -> None:
    next_process = reopened(audit)
    assert write(next_process).seq == 4
    assert next_process.verify() == 4
