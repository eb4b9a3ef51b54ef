"""Answers that are kept: by validator, within their room, the longest unused let go of first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bilbaokg.server.kept import Given, Kept

ROOM = 64_000


def answer(size: int) -> Given:
    return Given({"kind": "select"}, b"x" * size)


def put(kept: Kept[str, Given], name: str, size: int) -> None:
    kept.put(name, answer(size), size)


def test_what_was_put_is_got() -> None:
    kept = Kept[str, Given](ROOM)
    put(kept, "a", 10)
    assert kept.get("a") == answer(10)
    assert kept.get("b") is None
    assert (kept.hits, kept.misses) == (1, 1)


def test_an_answer_that_would_fill_the_room_is_not_kept() -> None:
    kept = Kept[str, Given](ROOM)
    put(kept, "a", ROOM // 8)
    assert kept.get("a") is None


def test_the_longest_unused_is_let_go_of_first() -> None:
    kept = Kept[str, Given](ROOM)
    for n in range(9):
        put(kept, str(n), 6_000)
    kept.get("0")
    put(kept, "9", 6_000)
    assert kept.get("0")
    assert kept.get("1") is None


def test_without_room_nothing_is_kept() -> None:
    kept = Kept[str, Given](0)
    put(kept, "a", 0)
    assert kept.get("a") is None
    assert kept.size == 0


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 9_000))))
def test_it_never_takes_more_than_its_room(puts: list[tuple[str, int]]) -> None:
    kept = Kept[str, Given](ROOM)
    for name, size in puts:
        put(kept, name, size)
        assert 0 <= kept.size <= ROOM
