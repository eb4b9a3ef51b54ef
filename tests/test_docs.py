"""The documentation is held against the product: nothing missing, nothing wrong, every walk walked.

`console` blocks are sessions: what follows `$` is run and must answer what stands below it (`...`
is anything; times, hashes and names of users differ). `python` blocks run too.
A file is one session, in a folder of its own with docs/examples/catalogue.ttl; where
`<!-- serve -->` stands, a server starts on its data.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click
import forking
import pytest
from demo_release import made
from serving import published
from starlette.routing import Route

from bilbaokg import errors, exports, formats, lint, quality, queries, reports, settings
from bilbaokg.cli.base import group
from bilbaokg.importers import table
from bilbaokg.model import SCOPES
from bilbaokg.partition import ROOT_KINDS
from bilbaokg.quality.fair import QUESTIONS
from bilbaokg.reports import quality as telling
from bilbaokg.server import create_app
from bilbaokg.server.auth import ACTIONS, action_of
from bilbaokg.server.context import Context
from bilbaokg.settings import Settings
from bilbaokg.terms import LANGUAGES
from bilbaokg.workers import Pool
from bilbaokg.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
GLOBAL = {"--data", "--json", "--quiet", "--lang"}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$|^<!-- (serve) -->$", re.MULTILINE | re.DOTALL)
COMMAND = r"((?:[^\n]*\\\n)*[^\n]*\n(?:> [^\n]*\n)*)(.*)"
VARYING = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)|\b[0-9a-f]{12,64}\b|\boperator:[\w.-]+")
MARK = "-- session step --"
MAIN = "from bilbaokg.cli import main; main()"


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def own_part(page: Path) -> str:
    """The page; of the README what stands above the benchmarks."""
    return page.read_text(encoding="utf-8").partition("\n## Benchmarks")[0]


def rows(text: str) -> dict[str, list[str]]:
    """The rows of all tables: first cell without its backticks -> the other cells."""
    lines = (line for line in text.splitlines() if line.startswith("| `"))
    cells = ([cell.strip() for cell in line.strip("|").split(" | ")] for line in lines)
    return {row[0].strip("`"): row[1:] for row in cells}


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """The fenced blocks of a page as (language, text), and ("serve", "") for the comment."""
    for language, text, serve in FENCE.findall(own_part(page)):
        yield (serve or language, text)


# ---- the reference names everything


def verbs(command: click.Command = group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every verb that does something and is offered, by its words: `release build`."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child, name
            if not child.hidden:
                yield from verbs(child, f"{path} {name}".strip())
    else:
        yield path, command


def options(command: click.Command) -> set[str]:
    found = (p for p in command.params if isinstance(p, click.Option))
    return {name for option in found for name in option.opts if name.startswith("--")}


def section(verb: str) -> str:
    """The part of the reference below the heading of a verb."""
    _, _, rest = read("commands.md").partition(f"\n### `{verb}`\n")
    return re.split(r"\n##", rest)[0]


@pytest.mark.parametrize("verb", [verb for verb, _ in verbs()])
def test_every_verb_is_described_with_an_example(verb: str) -> None:
    assert f"bilbaokg {verb}" in section(verb)


def test_every_option_is_described_where_it_belongs_and_no_other() -> None:
    told = {verb: {o for o in rows(section(verb)) if o.startswith("--")} for verb, _ in verbs()}
    told = {verb: {o.split()[0] for o in found} for verb, found in told.items()}
    assert told == {verb: options(command) - GLOBAL for verb, command in verbs()}


def test_global_options_are_described_once() -> None:
    assert {row.split()[0] for row in rows(read("commands.md"))} >= GLOBAL | {"--version", "--help"}


def test_every_setting_stands_with_its_default() -> None:
    told = {name: cells[0].strip("`") for name, cells in rows(read("settings.md")).items()}
    assert set(told) == {field.name for field in fields(Settings)}
    for name, default in told.items():
        value = getattr(Settings(), name)
        plain: Any = list(value) if isinstance(value, tuple) else value
        assert tomllib.loads(f"x = {default}")["x"] == plain, name


def test_every_saved_query_stands_with_its_parameters() -> None:
    told = {name: set(re.findall(r"`(\w+)`", cells[1])) for name, cells in _queries().items()}
    known = queries.available("examples")
    assert told == {q.name.removeprefix("examples/"): set(q.params) for q in known}


def _queries() -> dict[str, list[str]]:
    return rows(read("queries.md").partition("## Parameters")[0])


def test_every_type_of_parameter_is_described() -> None:
    assert set(rows(read("queries.md").partition("## Parameters")[2])) == set(queries.TYPES)


def test_every_address_is_described(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    known = settings.read(data)
    with Pool(1) as pool, Workspace(data, known) as workspace:
        context = Context(data, known, workspace.releases, pool, workspace.accounts, workspace)
        routes = [r for r in create_app(context).router.routes if isinstance(r, Route)]
        context.lanes.close()
    languages = "|".join(LANGUAGES)
    paths = {re.sub(rf"^/({languages})(?=/|$)", "/{lang}", r.path) for r in routes}
    told = set(re.findall(r"`(?:[A-Z]+ )?(/[^`]*)`", read("addresses.md")))
    assert paths - told == set()
    scopes = {scope for r in routes if (scope := ACTIONS[action_of(r) or ""])}
    assert scopes <= set(SCOPES) <= set(rows(read("addresses.md")))


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("reports.md", reports.FORMATS),
        ("quality.md", telling.FORMATS),
        ("commands.md", exports.TARGETS),
        ("formats.md", formats.FORMATS),
        ("records.md", dict.fromkeys(ROOT_KINDS.values())),
    ],
)
def test_tables_are_complete(page: str, names: dict[str, object]) -> None:
    assert set(names) <= set(rows(read(page)))


def test_every_field_of_a_harvested_table_is_described() -> None:
    text = (DOCS / "howto" / "harvest.md").read_text(encoding="utf-8")
    assert {f"`{field}`" for field in table.FIELDS} <= set(re.findall(r"`\w+`", text))


def test_every_extension_is_described() -> None:
    text = " ".join(cell for cells in rows(read("formats.md")).values() for cell in cells)
    for known in formats.FORMATS.values():
        assert {f"`.{extension}`" for extension in known.extensions} <= set(text.split())
        assert known.media_type in text


def test_every_rule_of_quality_stands_with_what_it_counts() -> None:
    told = rows(read("quality.md").partition("## The other dimensions")[0])
    about = {True: "distribution", False: "dataset"}
    rules = {r.code: [r.dimension, str(r.points), about[r.distribution]] for r in quality.RULES}
    assert told == rules | {name: [str(lowest)] for name, lowest in quality.BANDS.items()}


def test_every_question_and_effort_of_quality_stands() -> None:
    told = rows(read("quality.md").partition("## The other dimensions")[2])
    assert {q.code: q.principle for q in QUESTIONS}.items() <= {
        code: cells[0] for code, cells in told.items()
    }.items()
    weights = {name: int(told[name][0].partition(":")[0]) for name in quality.EFFORTS}
    assert weights == quality.EFFORTS


def test_every_rule_of_the_linter_stands_with_its_severity() -> None:
    told = rows(read("quality.md").partition("## Rules of the linter")[2])
    assert {code: cells[0] for code, cells in told.items()} == {
        rule.code: rule.severity for rule in lint.RULES
    }


def test_every_error_stands_with_its_status_and_exit_code() -> None:
    told = rows(read("exit-codes.md"))
    for kind in (getattr(errors, name) for name in errors.__all__ if name[0].isupper()):
        assert told[kind.code][:2] == [str(kind.status), str(kind.exit_code)], kind.code


# ---- what the pages say can be typed, followed and run


def commands(text: str) -> Iterator[list[str]]:
    """The words of every call of bilbaokg in a block, cut where the shell cuts."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
        lexer.whitespace_split, lexer.commenters = True, "#"
        try:
            words = list(lexer)
        except ValueError:  # a line of a quoted text that goes on
            continue
        for start, word in enumerate(words):
            if word == "bilbaokg":
                rest = words[start + 1 :]
                cut = (n for n, w in enumerate(rest) if set(w) <= set("();<>|&"))
                yield rest[: next(cut, len(rest))]


def parse(words: list[str]) -> None:
    """Let click read a command line as it would, and do nothing. Raises click.UsageError."""
    command: click.Command = group
    context = click.Context(group, info_name="bilbaokg")
    while isinstance(command, click.Group):
        _, words, _ = command.make_parser(context).parse_args(words)
        if not words:
            return
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, click.Context(found, parent=context, info_name=name)
    command.make_context(context.info_name, list(words), parent=context.parent)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_is_one(page: Path) -> None:
    texts = [text for language, text in blocks(page) if language in ("", "sh", "console", "yaml")]
    for words in (words for text in texts for words in commands(text)):
        try:
            parse(words)
        except click.exceptions.Exit:  # --help and --version
            pass
        except click.UsageError as error:
            pytest.fail(f"bilbaokg {shlex.join(words)}: {error.format_message()}")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_named_in_a_sentence_exist(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", own_part(page), flags=re.MULTILINE | re.DOTALL)
    for text in re.findall(r"`(bilbaokg [a-z][^`]*)`", prose.replace("\n", " ")):
        for words in commands(text):
            try:
                parse(words)
            except (click.BadParameter, click.exceptions.Exit):  # a sentence may leave values away
                pass
            except click.UsageError as error:
                pytest.fail(f"{text}: {error.format_message()}")


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$|`[^`\n]*`", "", own_part(page), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{target}: no such file"
        assert not fragment or fragment in anchors(file), f"{target}: no such heading"


def test_every_page_can_be_found_from_the_readme() -> None:
    linked = {PAGES[0]}
    while (
        more := {
            (page.parent / target).resolve()
            for page in linked
            for target in re.findall(r"\]\(([^)#\s:]+\.md)", page.read_text(encoding="utf-8"))
        }
        - linked
    ):
        linked |= more
    assert set(PAGES) - linked == set()


# ---- sessions


@dataclass
class Step:
    """One command of a session and what the page says that it answers (None: it does not say)."""

    code: str
    answer: str | None


def steps(page: Path) -> list[Step]:
    found: list[Step] = []
    python = False
    for language, text in blocks(page):
        if language == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                code, answer = re.fullmatch(COMMAND, part, re.DOTALL).groups()  # type: ignore[union-attr]
                found.append(Step(re.sub(r"^> ", "", code, flags=re.MULTILINE), answer))
        elif language == "python":
            found.append(Step(f"python - <<'END'\n{text}END\n", None))
        elif language == "text" and python:
            found[-1].answer = text
        elif language == "serve":
            found.append(Step(SERVE, None))
        python = language == "python"
    return found


SERVE = """bilbaokg serve --port 8000 > serve.log 2>&1 & SERVER=$!
trap 'kill $SERVER; wait $SERVER' EXIT
until curl -sf http://localhost:8000/health/ready > /dev/null
do kill -0 $SERVER || { cat serve.log; break; }; sleep 0.1; done
"""


def walk(page: Path, folder: Path) -> list[tuple[Step, str]]:
    """Run a page's session in one shell; each step with what it really answered."""
    todo = steps(page)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    script = "exec 2>&1\n" + "".join(
        f"{step.code}\nCODE=$?; printf '\\n{MARK}\\n'; (exit $CODE)\n" for step in todo
    )
    (folder / ".session").write_text(script.replace(":8000", f":{port}").replace(
        "--port 8000", f"--port {port}"), encoding="utf-8")  # fmt: skip
    tools = Path(sys.executable).parent
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BILBAOKG_", "LANG", "LC_"))}
    with forking.offered(MAIN, tools / "bilbaokg", but="serve") as first:
        path = os.pathsep.join((str(first), str(tools), os.environ["PATH"]))
        done = subprocess.run(
            ["bash", ".session"], cwd=folder, env={**kept, "PATH": path, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
    answers = done.stdout.replace(f":{port}", ":8000").split(f"\n{MARK}\n")
    assert len(answers) == len(todo) + 1, done.stdout[-2000:] + done.stderr
    return list(zip(todo, answers, strict=False))


def fits(told: str, answer: str) -> bool:
    """Whether an answer is what was told, but for blanks, `...` and what differs each time."""
    told, answer = VARYING.sub("?", told), VARYING.sub("?", answer)
    parts = (r"\s+".join(re.escape(word) for word in part.split()) for part in told.split("..."))
    return re.fullmatch(".*?".join(parts), " ".join(answer.split()), re.DOTALL) is not None


@pytest.mark.parametrize("page", [page for page in PAGES if steps(page)], ids=name_of)
def test_sessions_go_as_they_are_told(
    page: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if any(step.code == SERVE or "curl" in step.code for step in steps(page)):
        for program in ("bash", "curl"):
            if not shutil.which(program):
                pytest.skip(f"{program} is not installed")
    shutil.copy(DOCS / "examples" / "catalogue.ttl", tmp_path)
    if "BILBAOKG_DATA=bilbaokg-demo" in own_part(page):
        shutil.copytree(made(tmp_path_factory), tmp_path / "bilbaokg-demo", symlinks=True)
    for step, answer in walk(page, tmp_path):
        if step.answer is None:
            assert "Traceback" not in answer, f"{step.code}\n{answer}"
            continue
        assert fits(step.answer, answer), f"$ {step.code}said:\n{answer}\nnot:\n{step.answer}"
