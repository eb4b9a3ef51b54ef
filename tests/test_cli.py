"""The command line as people use it: verbs, exit codes, messages, pipes, JSON."""

from __future__ import annotations

import fcntl
import gzip
import importlib
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import forking
import pytest
from helpers import PATIENCE, eventually

from bilbaokg import cli
from bilbaokg.cli.base import VERBS as MODULES
from bilbaokg.cli.base import group
from bilbaokg.operations import OPERATIONS

GOOD = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
<https://city.example/d/1> a dcat:Dataset ; dct:title "Ruido"@es ; dct:description "Todo"@es .
"""
MAIN = "from bilbaokg.cli import main; main()"
BAD = GOOD.replace('dct:title "Ruido"@es ; ', "")


class Shell:
    """Runs `bilbaokg` as its own process in a directory of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {
            **os.environ,
            "BILBAOKG_DATA": str(folder / "data"),
            "LC_ALL": "en_GB.UTF-8",
            "PYTHONUNBUFFERED": "",
        }

    def raw(
        self, *arguments: str, by: tuple[str, ...] = (), stdout: Any = subprocess.PIPE
    ) -> subprocess.CompletedProcess[bytes]:
        """As `__call__`, whatever comes of it; `by` is a program that starts it."""
        command = [*by, sys.executable, "-m", "bilbaokg", *arguments]
        return subprocess.run(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=self.env,
            check=False,
        )

    def __call__(
        self, *arguments: str, given: bytes = b"", code: int = 0, unbuffered: bool = False
    ) -> subprocess.CompletedProcess[bytes]:
        if unbuffered:
            done = subprocess.run(
                [sys.executable, "-m", "bilbaokg", *arguments],
                cwd=self.folder,
                input=given,
                capture_output=True,
                env=self.env | {"PYTHONUNBUFFERED": "1"},
                check=False,
            )
        else:
            done = forking.run(MAIN, arguments, given=given, env=self.env, cwd=self.folder)
        assert done.returncode == code, (arguments, done.stdout.decode(), done.stderr.decode())
        assert b"Traceback" not in done.stderr
        return done

    def json(self, *arguments: str, given: bytes = b"", code: int = 0) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(
            self(*arguments, "--json", given=given, code=code).stdout
        )
        return value

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return name


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def ready(shell: Shell) -> Shell:
    shell("init", "--base", "https://datos.example.org")
    return shell


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A catalogue for tests that leave it as it is, or nearly."""
    shell = Shell(tmp_path_factory.mktemp("shared"))
    shell("init", "--base", "https://datos.example.org")
    return shell


def verbs(command: click.Command, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command and group that is offered, with the words that lead to it."""
    yield names, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below, name
            if not below.hidden:
                yield from verbs(below, *names, name)


VERBS = dict(verbs(group))


@pytest.mark.parametrize("module", MODULES)
def test_every_verb_stands_in_the_table_of_modules(module: str) -> None:
    loaded = importlib.import_module(f"bilbaokg.cli.{module}")
    # A module may take its group from one that is in no table, and that it imports.
    inside = {inspect.unwrap(c.callback).__module__ for c in groups_of(loaded) if c.callback}
    own = {loaded.__name__, *(name for name in inside if name.rpartition(".")[2] not in MODULES)}
    callbacks = {
        name: inspect.unwrap(c.callback) for name, c in group.commands.items() if c.callback
    }
    mine = {name for name, f in callbacks.items() if f.__module__ in own}
    assert mine == set(MODULES[module])


def groups_of(module: object) -> list[click.Group]:
    return [each for each in vars(module).values() if isinstance(each, click.Group)]


@pytest.mark.parametrize("names", VERBS, ids=" ".join)
def test_every_verb_has_help_with_an_example(names: tuple[str, ...]) -> None:
    command = VERBS[names]
    assert re.search(rf"Example: bilbaokg .*{' '.join(names)}", str(command.help))
    options = [o for o in command.params if isinstance(o, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_help_is_printed_for_a_verb(shell: Shell) -> None:
    assert "Usage: bilbaokg load" in shell("load", "--help").stdout.decode()


def test_unknown_verb_and_option_exit_with_2(shell: Shell) -> None:
    assert b"No such command" in shell("lode", code=2).stderr
    assert b"No such option" in shell("load", "--frmat", "x", code=2).stderr
    assert "--frmat" in shell.json("load", "--frmat", "x", code=2)["detail"]


def test_without_a_catalogue_the_way_out_is_said(shell: Shell) -> None:
    shell.file("a.ttl", GOOD)
    error = shell("load", "a.ttl", code=2).stderr.decode()
    assert "no catalogue here" in error
    assert "bilbaokg init" in error


def test_init_twice_is_harmless_and_another_base_is_refused(ready: Shell) -> None:
    ready("init", "--base", "https://datos.example.org")
    assert b"never changes" in ready("init", "--base", "https://other.example", code=2).stderr


def test_init_refuses_a_base_that_is_no_iri(shell: Shell) -> None:
    assert b"no http(s) IRI" in shell("init", "--base", "not an iri", code=2).stderr


def test_load_reports_as_the_interface_says(ready: Shell) -> None:
    ready.file("a.ttl", GOOD)
    done = ready.json("load", "a.ttl")
    assert done["files"] == 1
    assert done["records"] == {"new": 1, "changed": 0, "unchanged": 0, "gone": 0}
    assert done["statements"] == {"parsed": 3, "distinct": 3, "rest": 0}
    assert done["classes"] == {"dcat:Dataset": 1}
    assert done["graphs_dropped"] == 0
    assert any("dct:publisher" in problem["message"] for problem in done["problems"])


def test_the_same_file_twice_changes_nothing_and_says_so(ready: Shell) -> None:
    ready.file("a.ttl", GOOD)
    ready("load", "a.ttl")
    assert b"Nothing changed" in ready("load", "a.ttl").stdout


def test_dry_run_changes_nothing(ready: Shell) -> None:
    ready.file("a.ttl", GOOD)
    assert ready.json("load", "a.ttl", "--dry-run")["records"]["new"] == 1
    assert ready.json("status")["records"] == {}


def test_note_stands_below_its_table_where_both_go_to_one_file(shared: Shell) -> None:
    both = ("sh", "-c", 'echo "SELECT (1 AS ?n) {}" | "$@" 2>&1', "sh")
    told = shared.raw("query", "-", "--working", by=both).stdout.split()
    assert told == [b"n", b"1", b"1", b"rows."]


def test_load_reads_a_pipe_folders_and_gzip(ready: Shell) -> None:
    assert ready.json("load", "-", given=GOOD.encode())["records"]["new"] == 1
    assert ready.json("load", "-", given=GOOD.encode())["records"]["unchanged"] == 1
    (ready.folder / "in/deep").mkdir(parents=True)
    ready.file("in/deep/b.ttl.gz", gzip.compress(GOOD.replace("d/1", "d/2").encode()))
    ready.file("in/readme.txt", "not RDF")
    assert ready.json("load", "in")["records"]["new"] == 1


def test_a_file_taken_out_of_a_folder_is_gone_at_source(ready: Shell) -> None:
    (ready.folder / "in").mkdir()
    ready.file("in/a.ttl", GOOD)
    ready.file("in/b.ttl", GOOD.replace("d/1", "d/2"))
    ready("load", "in")
    (ready.folder / "in/b.ttl").unlink()
    done = ready.json("load", "in")
    assert done["records"]["gone"] == 1
    assert ready.json("status")["records"] == {"dataset": 2}


def test_what_is_gone_is_told_together_with_titles_and_what_to_do(ready: Shell) -> None:
    many = "".join(GOOD.replace("d/1", f"d/{number}") for number in range(1, 8))
    ready("load", ready.file("a.ttl", many), "--source", "portal")
    told = ready("load", ready.file("a.ttl", GOOD), "--source", "portal").stdout.decode()
    assert "warning  gone at its source portal (6)" in told
    assert "Ruido · https://city.example/d/2\n" in told
    assert "... and 1 more (--json lists them all)" in told
    assert "it stays in the catalogue until it is deleted: bilbaokg delete IRI" in told


def test_more_classes_than_fit_are_said_to_be_there(ready: Shell) -> None:
    typed = "".join(
        f"<https://city.example/d/1> a <https://city.example/c{n}> .\n" for n in range(17)
    )
    told = ready("load", ready.file("a.ttl", GOOD + typed)).stdout.decode()
    assert "... and 3 more (--json lists them all)" in told


def test_nodes_without_an_iri_are_explained(ready: Shell) -> None:
    blank = GOOD.replace("<https://city.example/d/1>", "[]")
    told = ready("load", ready.file("a.ttl", blank)).stdout.decode()
    assert "1 of 1 dataset has no IRI" in told
    assert "/.well-known/genid/ is in the names of nodes that have no IRI of their own" in told


def test_a_syntax_error_names_file_line_column_and_shows_the_place(ready: Shell) -> None:
    ready.file("a.ttl", GOOD + "<x> <y> .\n")
    error = ready("load", "a.ttl", code=2).stderr.decode()
    assert "a.ttl:4:" in error
    assert "<x> <y> ." in error
    problem = ready.json("load", "a.ttl", code=2)
    assert (problem["status"], problem["line"]) == (400, 4)


def test_what_comes_from_standard_input_is_called_so(ready: Shell) -> None:
    assert ready.json("load", "-", given=b"<x> <y> .", code=2)["where"] == "standard input"
    assert b"standard input" in ready("load", "-", "--format", "ttl", code=2).stderr
    assert b"standard input:1:" in ready("validate", "-", given=b"<x> <y> .", code=2).stderr
    assert b"standard input" in ready("query", "-", given=b"\xff", code=2).stderr


def test_standard_input_has_the_size_limit_of_files(ready: Shell) -> None:
    settings = ready.folder / "data/settings.toml"
    settings.write_text(f"file_limit = 100\n{settings.read_text()}")
    assert b"size limit" in ready("load", "-", given=GOOD.encode(), code=2).stderr
    packed = gzip.compress(os.urandom(200))
    assert b"size limit" in ready("load", "-", "--format", "ttl", given=packed, code=2).stderr


def test_an_empty_path_is_not_the_working_directory(ready: Shell) -> None:
    ready.file("a.ttl", GOOD)
    assert b"empty" in ready("load", "", code=2).stderr
    assert b"empty" in ready("validate", "", code=2).stderr


def test_what_is_no_iri_is_refused(shared: Shell) -> None:
    assert b"no absolute IRI" in shared("history", "noise", code=2).stderr


def test_a_part_is_named_with_the_record_that_holds_it(shared: Shell) -> None:
    part = """<https://city.example/d/1> dcat:distribution <https://city.example/f> .
        <https://city.example/f> a dcat:Distribution ."""
    shared("load", "-", given=(GOOD + part).encode())
    assert (
        b"part of https://city.example/d/1"
        in shared("delete", "https://city.example/f", code=2).stderr
    )


def test_messages_do_not_steer_the_terminal(ready: Shell) -> None:
    ready.file("a.ttl", GOOD + "\x1b]0;title\x07 <x> <y> .\n")
    failed = ready("load", "a.ttl", code=2)
    assert b"]0;title" in failed.stderr
    assert b"\x1b" not in failed.stderr
    ready("load", "-", given=GOOD.replace("Ruido", "\x1b[31mRuido").encode())
    assert b"\x1b" not in ready("query", "-", "--working", given=b"SELECT * {?s ?p ?o}").stdout


# ---- standard streams


OUTPUTS = [("status", "--json"), ("profile", "list")]


@pytest.mark.parametrize("arguments", OUTPUTS, ids=" ".join)
def test_a_reader_that_goes_away_is_no_finding(shared: Shell, arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        done = shared.raw(*arguments, stdout=output)
    assert (done.returncode, done.stderr) == (2, b"")


@pytest.mark.parametrize("arguments", OUTPUTS, ids=" ".join)
def test_output_that_cannot_be_written_is_told(shared: Shell, arguments: tuple[str, ...]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("wb") as output:
        done = shared.raw(*arguments, stdout=output)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [b"error: output: No space left on device"]


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_fault(shared: Shell, closed: str) -> None:
    for verb in ("status", "load -"):
        done = shared.raw(*verb.split(), by=("sh", "-c", f'exec "$@" {closed}', "sh"))
        assert done.returncode == (2 if verb == "load -" else 0), (verb, done.stderr)
        assert b"Traceback" not in done.stderr


def test_output_is_whole_without_a_buffer(shared: Shell) -> None:
    text = "x" * 300_000
    query = f'SELECT ("{text}" AS ?x) {{}}'.encode()
    rows = shared("query", "-", "--working", "--format", "csv", given=query, unbuffered=True)
    assert rows.stdout == f"x\r\n{text}\r\n".encode()


def test_a_fault_of_ours_is_no_finding_and_no_traceback(
    shared: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> dict[str, Any]:
        raise ZeroDivisionError("by chance")

    monkeypatch.setitem(OPERATIONS, "status", fail)
    monkeypatch.delenv("BILBAOKG_TRACE", raising=False)
    with pytest.raises(SystemExit) as done:
        cli.main(["--data", str(shared.folder / "data"), "status"])
    assert done.value.code == 2
    told = capsys.readouterr().err
    assert "internal error" in told
    assert "BILBAOKG_TRACE" in told
    assert "Traceback" not in told
    monkeypatch.setenv("BILBAOKG_TRACE", "1")
    with pytest.raises(ZeroDivisionError):
        cli.main(["--data", str(shared.folder / "data"), "status"])


# ---- validate, release, query


def test_validate_needs_no_catalogue_and_exits_1_on_violations(shell: Shell) -> None:
    shell.file("good.ttl", GOOD)
    shell.file("bad.ttl", BAD)
    shell("validate", "good.ttl")
    report = shell.json("validate", "bad.ttl", code=1)
    assert report["conforms"] is False
    assert report["blocks_release"] is True
    assert report["counts"]["violation"] == 1
    assert report["results"][0]["source"] == {"file": "bad.ttl", "line": 3}
    shell("validate", "bad.ttl", "--fail-on", "never")
    shell("validate", "good.ttl", "--fail-on", "warning", code=1)


SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
<urn:S> a sh:NodeShape ; sh:targetClass <http://www.w3.org/ns/dcat#Dataset> ;
    sh:property [ sh:path <urn:p> ; sh:minCout 1 ] .
"""


def test_validate_notes_what_shapes_say_in_vain_and_never_among_the_results(shell: Shell) -> None:
    shell.file("good.ttl", GOOD)
    shell.file("shapes.ttl", SHAPES)
    command = ("validate", "good.ttl", "--profile", "shapes.ttl")
    told = b"shapes.ttl:4: sh:minCout is not SHACL and is ignored"
    done = shell(*command)
    assert done.stderr.startswith(b"note: ")
    assert told in done.stderr
    assert b"minCout" not in done.stdout
    for option in ("--quiet", "--json"):
        done = shell(*command, option)
        assert b"minCout" not in done.stdout + done.stderr


def test_the_fast_engine_needs_neither_pyshacl_nor_rdflib(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.file("good.ttl", GOOD)
    shell.file("shapes.ttl", SHAPES)
    absent = shell.folder / "absent"
    absent.mkdir()
    for name in ("pyshacl", "rdflib"):
        (absent / f"{name}.py").write_text(f"raise ImportError('{name} is absent')")
    monkeypatch.setenv("PYTHONPATH", str(absent))
    # Our shapes run in this process, those of others in workers.
    shell("validate", "good.ttl", "--engine", "fast")
    shell("validate", "good.ttl", "--engine", "fast", "--profile", "shapes.ttl")
    done = subprocess.run(
        [sys.executable, "-c", "import bilbaokg.shacl.reference"], capture_output=True, check=False
    )
    assert b"pyshacl is absent" in done.stderr


@pytest.mark.parametrize("form", ["text", "json", "turtle", "junit", "sarif", "html", "csv"])
def test_validate_writes_every_format(shell: Shell, form: str) -> None:
    shell.file("bad.ttl", BAD)
    shell("validate", "bad.ttl", "--format", form, "--output", "report", code=1)
    assert (shell.folder / "report").stat().st_size > 100


def test_validate_asks_whether_a_near_value_was_meant(shell: Shell) -> None:
    shell.file("slip.ttl", GOOD.replace('"Todo"@es', '"Todo"@es ; dct:accrualPeriodicity "diaria"'))
    daily = "http://publications.europa.eu/resource/authority/frequency/DAILY"
    asked = {
        "es": f"¿Quería decir {daily} (diario)?",
        "eu": f"{daily} (egunekoa) esan nahi zenuen?",
        "en": f"Did you mean {daily} (daily)?",
    }
    for language, question in asked.items():
        text = shell("validate", "slip.ttl", "--lang", language, code=1).stdout.decode()
        assert question in " ".join(text.split())


def test_validate_with_both_engines_agrees_on_a_dataset(shell: Shell) -> None:
    shell.file("bad.ttl", BAD)
    assert b"Both engines agree." in shell("validate", "bad.ttl", "--engine", "both", code=1).stdout
    report = shell.json("validate", "bad.ttl", "--engine", "both", code=1)
    assert (report["engine"], report["differences"]) == ("both", [])
    assert shell.json("validate", "bad.ttl", code=1)["engine"] == "fast"
    shell("validate", "bad.ttl", "--engine", "quick", code=2)


def test_validate_exits_2_and_says_so_when_engines_disagree(shell: Shell) -> None:
    shell.file(
        "shapes.ttl",
        "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix : <http://a.example/> ."
        ":S a sh:NodeShape ; sh:targetClass :C ; sh:property [ sh:path :year ;"
        " sh:datatype <http://www.w3.org/2001/XMLSchema#gYear> ] .",
    )
    # pySHACL does not look at how a year is written.
    shell.file(
        "data.ttl",
        "@prefix : <http://a.example/> ."
        ':x a :C ; :year "soon"^^<http://www.w3.org/2001/XMLSchema#gYear> .',
    )
    command = ("validate", "data.ttl", "--profile", "shapes.ttl", "--engine", "both")
    done = shell(*command, "--fail-on", "never", code=2)
    assert b"THE ENGINES DISAGREE (1)" in done.stdout
    assert b"only fast" in done.stdout
    assert b"the engines disagree (1): the verdict cannot be trusted" in done.stderr
    assert b"please report it" in done.stderr
    (difference,) = shell.json(*command, code=2)["differences"]
    assert difference == {
        "engine": "fast",
        "focus": "http://a.example/x",
        "path": "http://a.example/year",
        "component": "DatatypeConstraintComponent",
        "severity": "violation",
        "count": 1,
    }
    assert b"engines disagree" in shell(*command, "--quiet", code=2).stderr


def test_validate_of_the_store_says_the_same_again_and_of_one_record_its_part(
    ready: Shell,
) -> None:
    ready.file("data.ttl", BAD + GOOD.split("\n")[2].replace("d/1", "d/2"))
    ready("load", "data.ttl")
    first = ready.json("validate", code=1)
    assert first["counts"]["violation"] == 1
    assert ready.json("validate", code=1) == first
    assert ready.json("validate", "--engine", "both", code=1)["differences"] == []
    for number, code in (1, 1), (2, 0):
        alone = ready.json("validate", "--record", f"https://city.example/d/{number}", code=code)
        assert alone["focus_nodes"] == 1
        assert alone["results"] == [
            found for found in first["results"] if found["focus"].endswith(f"d/{number}")
        ]
    assert b"no record describes" in ready("validate", "--record", "x:none", code=2).stderr
    ready("validate", "data.ttl", "--record", "https://city.example/d/1", code=2)


def test_validate_of_a_file_without_datasets_never_passes(shell: Shell) -> None:
    shell.file("none.ttl", "<https://a.example/x> <https://a.example/y> 1 .")
    assert b"dcat:Dataset" in shell("validate", "none.ttl", code=1).stdout


def test_release_export_and_query_go_together(ready: Shell) -> None:
    ready.file("a.ttl", GOOD)
    ready("load", "a.ttl")
    assert b"nothing is published yet" in ready("export", "dcat-ap", code=2).stderr
    ready("release", "build", "--note", "first")
    ready("release", "publish")
    assert ready.json("release", "list")["releases"][0]["current"] is True
    for extension in ("ttl", "rdf", "nt", "jsonld"):
        assert b"Ruido" in ready("export", "dcat-ap", "--format", extension).stdout
    full = ready("export", "full", "--format", "nt").stdout.decode()
    assert '<http://purl.org/dc/terms/title> "Ruido"@es .' in full
    assert b"no argument" in ready("query", "SELECT * {?s ?p ?o}", code=2).stderr
    query = "SELECT ?t WHERE { ?d <http://purl.org/dc/terms/title> ?t }"
    assert b"Ruido" in ready("query", "-", "--format", "csv", given=query.encode()).stdout
    assert b"Ruido" in ready("query", "-", "--working", given=query.encode()).stdout


def test_release_show_tells_what_each_target_does_not_carry(ready: Shell) -> None:
    series = """<https://city.example/s> a <http://www.w3.org/ns/dcat#DatasetSeries> ;
        <http://purl.org/dc/terms/title> "Serie"@es ."""
    ready.file("a.ttl", f"{GOOD}\n{series}")
    ready("load", "a.ttl")
    ready("release", "build", "--waive", "a series without a description")
    left = ready.json("release", "show", "r1")["content"]["not_carried"]
    assert list(left) == ["dcat-ap", "dcat-ap-es", "ckan", "schema.org"]
    assert left["ckan"] == {
        "http://purl.org/dc/terms/title": 1,
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#type": 1,
    }
    told = ready("release", "show", "r1", "--target", "ckan").stdout.decode()
    assert "Statements that export targets do not carry" in told
    assert "http://purl.org/dc/terms/title" in told


def test_release_build_refused_by_the_gate_exits_1_and_lists(ready: Shell) -> None:
    ready.file("a.ttl", BAD)
    ready("load", "a.ttl")
    refused = ready("release", "build", code=1)
    assert b"https://city.example/d/1" in refused.stdout
    assert b"--hold-back or --waive" in refused.stderr
    assert ready.json("release", "build", code=1)["report"]["counts"]["violation"] == 1


def test_tokens_are_shown_once_and_revoked_by_name(ready: Shell) -> None:
    made = ready.json("token", "create", "harvester", "--scope", "read")
    assert made["token"].startswith("bkg_")
    listed = ready("token", "list").stdout
    assert b"harvester" in listed
    assert made["token"].encode() not in listed
    assert ready("token", "create", "quiet", "--scope", "read", "--quiet").stdout.startswith(
        b"bkg_"
    )
    ready("token", "revoke", "harvester")


def test_audit_tells_who_did_what_and_verifies(ready: Shell) -> None:
    ready.file("a.ttl", GOOD)
    ready("load", "a.ttl", "--why", "monthly delivery")
    entry = ready.json("audit", "list")["entries"][0]
    assert (entry["kind"], entry["detail"]["why"]) == ("load", "monthly delivery")
    assert ready.json("audit", "verify") == {"entries": 1, "records": 1}
    assert len(ready.json("history", "https://city.example/d/1")["revisions"]) == 1


def test_demo_without_serving_loads_two_releases_and_is_repeatable(shell: Shell) -> None:
    shell("demo", "--no-serve")
    releases = shell.json("release", "list")["releases"]
    assert [r["id"] for r in releases] == ["r1", "r2"]
    diff = shell.json("release", "diff", "r1", "r2")
    assert diff["changed"]
    shell("demo", "--no-serve")
    assert len(shell.json("release", "list")["releases"]) == 2
    rows = shell("query", "datasets-without-steward", "--format", "csv").stdout.splitlines()
    assert len(rows) > 1


def unread(pipe: Any) -> int:
    """The bytes in a pipe that its reader has not taken yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4), sys.byteorder)


def test_demo_is_never_mixed_into_another_catalogue(shell: Shell) -> None:
    shell("init")
    shell("load", "-", given=GOOD.encode())
    assert b"holds another catalogue" in shell("demo", "--no-serve", code=2).stderr
    assert shell.json("status")["records"] == {"dataset": 1}


def test_a_file_that_is_named_twice_is_read_once(shell: Shell) -> None:
    shell.file("a.ttl", GOOD)
    shell("validate", "a.ttl", "a.ttl")


def test_interrupt_exits_with_130(ready: Shell) -> None:
    env = {**os.environ, "BILBAOKG_DATA": str(ready.folder / "data")}
    command = [sys.executable, "-m", "bilbaokg", "load", "-"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        # Whoever runs the tests in the background may have it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdin
        process.stdin.write(b"<x:s>")
        process.stdin.flush()
        assert eventually(lambda: unread(process.stdin) == 0)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130


# ---- profiles

CITY = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix sh: <http://www.w3.org/ns/shacl#> .
<urn:city> a sh:NodeShape ; sh:targetClass dcat:Dataset ;
    sh:property [ sh:path dcat:keyword ; sh:minCount 1 ; sh:severity sh:Warning ] .
"""


def test_profiles_are_listed_without_a_catalogue(shell: Shell) -> None:
    listed = shell.json("profile", "list")["profiles"]
    assert {(p["name"], p["version"], p["own"]) for p in listed} >= {("dcat-ap", "3.0.1", False)}
    assert b"dcat-ap/3.0.1" in shell("profile", "list").stdout


def test_profile_is_shown_with_its_shapes(shell: Shell) -> None:
    shown = shell.json("profile", "show", "dcat-ap")
    assert shown["counts"]["shapes"] == len(shown["shapes"]) > 200
    told = shell("profile", "show", "dcat-ap", "--lang", "eu").stdout.decode()
    assert "dataset-title-required" in told
    assert "Datu-multzoari" in told


def test_profile_check_exits_with_what_it_found(shell: Shell) -> None:
    assert b"is sound" in shell("profile", "check", "dcat-ap").stdout
    (shell.folder / "bad.ttl").write_text(CITY.replace("sh:minCount", "sh:minCout"))
    found = shell.json("profile", "check", "bad.ttl", code=1)
    assert [p["severity"] for p in found["problems"]] == ["warning"]
    assert "sh:minCout" in found["problems"][0]["message"]
    assert b"no profile 'none'" in shell("profile", "check", "none", code=2).stderr


def test_profile_of_ones_own_is_added_and_used(shell: Shell) -> None:
    (shell.folder / "city.ttl").write_text(CITY)
    (shell.folder / "good.ttl").write_text(GOOD)
    shell("init", "--base", "https://city.example")
    shell("load", "good.ttl")
    assert b"Added city/1" in shell("profile", "add", "city.ttl").stdout
    assert b"Nothing changed" in shell("profile", "add", "city.ttl").stdout
    listed = shell.json("profile", "list")["profiles"]
    assert [p["name"] for p in listed if p["own"]] == ["city"]
    assert shell.json("validate", "--profile", "city")["counts"]["warning"] == 1
    assert shell.json("validate", "good.ttl", "--profile", "city/1")["profile"] == "city/1"
    assert shell.json("release", "build", "--profile", "city")["id"] == "r1"
    with (shell.folder / "data" / "settings.toml").open("a") as file:
        file.write('[gates]\n"city" = { dcat-ap = ["warning"] }\n')
    shell("release", "build", "--profile", "city", code=1)
    blocks = {
        target: shell.json("validate", "--profile", "city", "--target", target)["blocks_release"]
        for target in ("dcat-ap", "full")
    }
    assert blocks == {"dcat-ap": True, "full": False}


def test_profile_that_is_broken_is_listed_with_its_fault(shell: Shell) -> None:
    shell("init", "--base", "https://city.example")
    folder = shell.folder / "data" / "profiles" / "x" / "1"
    folder.mkdir(parents=True)
    (folder / "profile.toml").write_text("gate = ['error']")
    (folder / "shapes.ttl").write_text(CITY)
    assert b"unknown severity 'error'" in shell("profile", "list").stdout
    assert b"dcat-ap/3.0.1" in shell("profile", "list").stdout


# ---- authority tables


def test_tables_are_listed_and_searched_without_a_catalogue(shell: Shell) -> None:
    tables = shell.json("vocab", "list")["tables"]
    assert {"name": "data-theme", "concepts": 14}.items() <= tables[
        [t["name"] for t in tables].index("data-theme")
    ].items()
    assert b"data-theme" in shell("vocab", "list").stdout
    found = shell.json("vocab", "search", "economia y finanzas", "--table", "data-theme")
    assert [c["code"] for c in found["concepts"]] == ["ECON"]
    assert "Ekonomia" in shell("vocab", "search", "ECON", "--lang", "eu").stdout.decode()
    assert b"Nothing like it" in shell("vocab", "search", "xyzzyplugh").stdout


def test_imported_table_is_known_to_validation_which_names_it(shell: Shell) -> None:
    (shell.folder / "good.ttl").write_text(GOOD)
    (shell.folder / "colours.ttl").write_text(
        "@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n"
        "<urn:c/RED> a skos:Concept ; skos:inScheme <urn:colours> ; skos:notation 'RED' ."
    )
    shell("init", "--base", "https://city.example")
    assert b"Imported colours: 1 concepts" in shell("vocab", "import", "colours.ttl").stdout
    assert b"imported" in shell("vocab", "list").stdout
    assert b"with the imported tables colours" in shell("validate", "good.ttl").stderr
    assert shell.json("validate", "good.ttl")["tables"] == ["colours"]
    assert b"no such file" in shell("vocab", "import", "none.ttl", code=2).stderr
