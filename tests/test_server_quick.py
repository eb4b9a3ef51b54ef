"""Answers from memory: the same as from the disk, of the current release, within a limit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.responses import FileResponse

from bilbaokg.server.quick import Asked, Kept


@pytest.fixture
def current(tmp_path: Path) -> Path:
    for name in ("r1", "r2"):
        (tmp_path / name).mkdir()
    link = tmp_path / "current"
    link.symlink_to("r1")
    return link


def asked(path: str) -> Asked:
    return Asked(path, b"", b"")


def keep(kept: Kept, path: Path, size: int = 10) -> None:
    path.write_bytes(b"x" * size)
    kept.find(asked(path.name))
    asyncio.run(kept.keep(asked(path.name), FileResponse(path, headers={"ETag": f'"{size}"'})))


def test_answer_is_kept_with_its_headers(current: Path, tmp_path: Path) -> None:
    kept = Kept(current)
    assert kept.find(asked("a")) is None
    keep(kept, tmp_path / "a")
    answer = kept.find(asked("a"))
    assert answer
    assert (answer.body, answer.etag) == (b"x" * 10, b'"10"')
    assert dict(answer.headers)[b"content-length"] == b"10"
    assert dict(answer.short) == {b"etag": b'"10"'}


def test_another_release_empties_it(current: Path, tmp_path: Path) -> None:
    kept = Kept(current)
    keep(kept, tmp_path / "a")
    current.unlink()
    current.symlink_to("r2")
    assert kept.find(asked("a")) is None


def test_answer_of_a_release_that_was_replaced_meanwhile_is_not_kept(
    current: Path, tmp_path: Path
) -> None:
    kept = Kept(current)
    (tmp_path / "a").write_bytes(b"x")
    kept.find(asked("a"))

    async def replaced() -> None:
        keeping = asyncio.ensure_future(
            kept.keep(asked("a"), FileResponse(tmp_path / "a", headers={"ETag": "1"}))
        )
        await asyncio.sleep(0)
        current.unlink()
        current.symlink_to("r2")
        kept.find(asked("a"))
        await keeping

    asyncio.run(replaced())
    assert kept.find(asked("a")) is None


def test_what_was_not_used_for_longest_goes_first(current: Path, tmp_path: Path) -> None:
    kept = Kept(current, limit=30)
    for name in "abc":
        keep(kept, tmp_path / name)
    kept.find(asked("a"))
    keep(kept, tmp_path / "d")
    assert [bool(kept.find(asked(name))) for name in "abcd"] == [True, False, True, True]


def test_file_that_is_gone_is_not_kept(current: Path, tmp_path: Path) -> None:
    kept = Kept(current)
    kept.find(asked("a"))
    response = FileResponse(tmp_path / "a", headers={"ETag": "1"})
    asyncio.run(kept.keep(asked("a"), response))
    assert kept.find(asked("a")) is None
