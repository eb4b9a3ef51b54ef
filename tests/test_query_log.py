"""What is kept of queries: nothing that says who asked, or about whom."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from helpers import eventually
from hypothesis import given
from hypothesis import strategies as st

from bilbaokg.server import query_log
from bilbaokg.server.query_log import NAME, QueryLog, masked, slowest, tail


def line(text: str = "ASK {}", client: str = "192.0.2.7", **more: Any) -> dict[str, Any]:
    made = {
        "at": 1_700_000_000.0, "endpoint": "sparql", "outcome": "done", "seconds": 2.0,
        "waited": 0.0, "bytes": 0, "client": client, "request_id": "r", "text": text.encode(),
    }  # fmt: skip
    return {**made, **more}


def written(folder: Path, *lines: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    log = QueryLog(folder / NAME, lambda: "r7", **options)
    for each in lines:
        log.note(each)
    log.close()
    return tail(folder)


# -- masking -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("ASK {}", "ASK { }"),
        ("ask  {\n ?s dct:title  ?t }", "ask { ?s dct:title ?t }"),
        ('ASK { ?s ?p "Ane Etxe"@eu }', 'ASK { ?s ?p "..." @eu }'),
        ("ASK { ?s ?p '''Ane\nEtxe''' }", 'ASK { ?s ?p "..." }'),
        ("ASK { ?s ?p 944204200 ; ?q 10, 1.5 }", "ASK { ?s ?p 0 ; ?q 10 , 1.5 }"),
        ("ASK { ?s ?p <mailto:ane@x.example> }", "ASK { ?s ?p <...> }"),
        ("ASK { ?s ?p <https://x.example/?who=ane@x.example> }", "ASK { ?s ?p <...> }"),
        ("ASK { <https://x.example/id> a ?t } # Ane", "ASK { <https://x.example/id> a ?t }"),
        ("ASK { ?s ?p Ane }", "ASK { ?s ?p ... }"),
        ('ASK { ?s ?p "Ane Etxe }', "ASK { ?s ?p ..."),
        ('insert data { <x:s> <x:p> "Ane" }', 'insert data { <x:s> <x:p> "..." }'),
        ("", ""),
    ],
)
def test_what_may_be_about_a_person_is_masked(query: str, shown: str) -> None:
    assert masked(query) == shown


@given(st.text(), st.sampled_from(['"', "'", '"""', "'''"]))
def test_no_text_between_quotation_marks_is_kept(secret: str, mark: str) -> None:
    # A text of letters alone is one that no syntax can take apart.
    secret = "zq" + re.sub(r"\W|\d|_", "", secret)
    assert secret not in masked(f"SELECT * {{ ?s ?p {mark}{secret} 1{mark} }}")
    assert secret not in masked(f"SELECT * {{ ?s ?p {mark}{secret}")


@given(st.text())
def test_any_text_can_be_masked(text: str) -> None:
    assert "\n" not in masked(text)


# -- lines ---------------------------------------------------------------------------------------


def test_line_says_what_was_asked_and_not_by_whom(tmp_path: Path) -> None:
    (told,) = written(tmp_path, line('ASK { ?s ?p "Ane" }'))
    assert "192.0.2.7" not in json.dumps(told)
    assert "Ane" not in json.dumps(told)
    assert told["text"] == 'ASK { ?s ?p "..." }'
    assert told["at"] == "2023-11-14T22:13:20.000+00:00"
    assert (told["release"], told["seconds"], told["outcome"]) == ("r7", 2.0, "done")


def test_queries_that_differ_in_literals_alone_have_the_same_hash(tmp_path: Path) -> None:
    lines = written(tmp_path, line('ASK { ?s ?p "a" }'), line('ASK {?s ?p "b"}'), line("ASK {}"))
    assert lines[0]["query"] == lines[1]["query"] != lines[2]["query"]


def test_very_long_queries_are_cut(tmp_path: Path) -> None:
    (told,) = written(tmp_path, line("ASK { " + "?a ?b ?c . " * 100_000 + "}"))
    assert len(told["text"]) < 2100
    assert told["text"].endswith("...")


def test_client_has_one_name_a_day_and_none_that_could_be_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = QueryLog(None)
    today = log.name("192.0.2.7")
    assert log.name("192.0.2.7") == today != log.name("192.0.2.8")
    assert QueryLog(None).name("192.0.2.7") != today
    assert log.name("token:portal").startswith("token:")
    monkeypatch.setattr(log, "_day", query_log.date.min)
    assert log.name("192.0.2.7") != today


def test_the_working_store_has_no_release(tmp_path: Path) -> None:
    (told,) = written(tmp_path, line(endpoint="working"))
    assert told["release"] is None


def test_full_files_are_turned_over_and_the_oldest_goes(tmp_path: Path) -> None:
    written(tmp_path, *(line(f"ASK {{ ?s ?p {n} }}") for n in range(100)), full=1000)
    files = sorted((tmp_path / "logs").iterdir())
    assert [file.name for file in files] == [
        "queries.1.jsonl", "queries.2.jsonl", "queries.3.jsonl", "queries.4.jsonl",
        "queries.jsonl",
    ]  # fmt: skip
    assert all(file.stat().st_size <= 1000 for file in files)
    assert tail(tmp_path)[-1]["text"] == "ASK { ?s ?p 99 }"


def test_what_cannot_be_queued_is_counted_and_holds_up_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.write_text("a file where the folder should be")
    log = QueryLog(tmp_path / NAME)
    log.note(line())
    assert eventually(lambda: log.lost == 1)
    folder.unlink()
    log.note(line())
    log.close()
    assert len(tail(tmp_path)) == 1
    assert [each["outcome"] for each in log.recent] == ["done", "done"]


def test_a_full_queue_loses_lines_and_counts_them(tmp_path: Path) -> None:
    log = QueryLog(None, queued=3)
    with log._keys:  # the writer waits for it
        for _ in range(10):
            log.note(line())
        assert log.lost >= 6
    log.close()
    assert log.lost + len(log.recent) == 10


def test_tail_leaves_broken_lines_out(tmp_path: Path) -> None:
    written(tmp_path, line())
    with (tmp_path / NAME).open("a") as file:
        file.write('{"at": "2026')
    assert len(tail(tmp_path)) == 1
    assert tail(tmp_path / "elsewhere") == []


def test_line_that_was_cut_spoils_no_other(tmp_path: Path) -> None:
    written(tmp_path, line("ASK { ?a ?b 1 }"))
    with (tmp_path / NAME).open("a") as file:
        file.write('{"at": "2026')
    assert len(written(tmp_path, line("ASK { ?a ?b 2 }"), line("ASK { ?a ?b 3 }"))) == 3


def test_slowest_come_first() -> None:
    lines = [line(seconds=float(n)) for n in range(20)]
    assert [each["seconds"] for each in slowest(lines)] == [float(n) for n in range(19, 9, -1)]
