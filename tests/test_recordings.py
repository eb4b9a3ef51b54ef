"""Recorded events in files and folders: one a line, over several lines, as an array, packed."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from helpers import Catalogue
from pipelines import dataset, event, run_id
from serving import initialise

from bilbaokg.cli import main
from bilbaokg.errors import BadInput, BilbaokgError, NotFound
from bilbaokg.importers import recordings
from bilbaokg.importers.openlineage import EVENT_LIMIT
from bilbaokg.lineage import Event

LIMIT = 10 << 20


def told(n: int) -> dict[str, Any]:
    return event("COMPLETE", "05:00:00", [], [dataset(f"t{n}")], run=run_id(n))


def found(path: Path) -> list[tuple[int, str]]:
    """What a file holds: by line the name of the table, or what is wrong."""
    return [
        (line, each.outputs[0].name.name if isinstance(each, Event) else each.message)
        for line, each in recordings.read(path, LIMIT)
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.json"


@pytest.mark.parametrize("indent", [None, 1, 4, "\t"])
@pytest.mark.parametrize("between", ["\n", "\n\n", "\r\n"])
def test_events_stand_one_after_the_other_however_they_are_laid_out(
    file: Path, indent: Any, between: str
) -> None:
    texts = [json.dumps(told(n), indent=indent) for n in range(3)]
    file.write_text(between.join(texts), newline="")
    assert [name for _, name in found(file)] == ["t0", "t1", "t2"]
    begin = 1 + (texts[0] + between).count("\n")
    assert [line for line, _ in found(file)][:2] == [1, begin]


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_read_at_once(file: Path, indent: Any) -> None:
    file.write_text("\ufeff" + json.dumps([told(1), told(2)], indent=indent))
    assert [name for _, name in found(file)] == ["t1", "t2"]


def test_brackets_in_texts_close_nothing(file: Path) -> None:
    odd = told(1) | {"x": {"{": 'a "}} \\" {', "y": "\\"}}
    file.write_text(f"{json.dumps(odd, indent=1)}\n{json.dumps(told(2))}")
    assert [name for _, name in found(file)] == ["t1", "t2"]


@pytest.mark.parametrize("indent", [None, 2])
def test_what_is_cut_short_takes_no_other_with_it(file: Path, indent: Any) -> None:
    texts = [json.dumps(told(n), indent=indent) for n in range(3)]
    cut = texts[1][: len(texts[1]) // 2]
    file.write_text("\n".join([texts[0], cut, texts[2]]))
    names = [name for _, name in found(file)]
    assert (names[0], names[2]) == ("t0", "t2")
    assert "not JSON" in names[1]
    assert len(names) == 3


@pytest.mark.parametrize("line", ["x" * EVENT_LIMIT * 3, "x\\n" * EVENT_LIMIT])
def test_what_is_too_long_is_told_once_and_passed_over(file: Path, line: str) -> None:
    long = json.dumps(told(1) | {"facets": {"x": "#"}}, indent=2).replace("#", line)
    file.write_text(f"{long}\n{json.dumps(told(2), indent=2)}\n")
    names = [name for _, name in found(file)]
    assert names[-1] == "t2"
    assert len(names) == 2
    assert f"{EVENT_LIMIT:,}" in names[0]


def test_many_short_lines_without_an_end_are_read_once(file: Path) -> None:
    file.write_text('{"a": [\n' + "1,\n" * (EVENT_LIMIT // 2) + "\n" + json.dumps(told(2)))
    names = [name for _, name in found(file)]
    assert len(names) == 2
    assert names[1] == "t2"


def test_files_of_folders_are_found_by_their_endings(catalogue: Catalogue) -> None:
    folder = catalogue.folder / "told"
    (folder / "2026").mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps(told(1), indent=2))
    (folder / "2026" / "b.ndjson").write_text(f"{json.dumps(told(2))}\n{{broken\n")
    (folder / "c.jsonl.gz").write_bytes(gzip.compress(json.dumps(told(3)).encode()))
    (folder / "d.json.gz").write_bytes(b"\x1f\x8b no gzip")
    (folder / "notes.md").write_text("No event.")
    done = catalogue.do("lineage.load", paths=[str(folder)])
    assert (done["events"], done["refused"]) == (3, 2)
    places = [(p["source"]["file"], p["source"]["line"]) for p in done["problems"]]
    assert places == [("d.json.gz", 0), ("2026/b.ndjson", 2)]


def test_paths_without_events_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("No event.")
    with pytest.raises(BadInput, match="holds no file of events"):
        recordings.discover([tmp_path])
    with pytest.raises(NotFound):
        recordings.discover([tmp_path / "none"])
    with pytest.raises(BilbaokgError):
        list(recordings.read(tmp_path / "none", LIMIT))


def test_a_job_event_that_says_a_state_is_of_no_run(catalogue: Catalogue) -> None:
    declared = told(1) | {
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent"
    }
    del declared["run"]
    (catalogue.folder / "job.json").write_text(json.dumps(declared))
    done = catalogue.do("lineage.load", paths=[str(catalogue.folder / "job.json")])
    assert (done["events"], done["refused"]) == (1, 0)


def test_a_command_takes_them_in_by_its_name_and_by_its_former_one(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = initialise(tmp_path / "data")
    file.write_text(json.dumps([told(1), told(2)]))
    for verb, records in (("openlineage", "5 new"), ("load", "nothing")):
        with pytest.raises(SystemExit) as ended:
            main(["--data", str(data), "--lang", "en", "lineage", verb, str(file)])
        assert ended.value.code == 0
        assert capsys.readouterr().out == f"2 events taken in; records: {records}.\n"
