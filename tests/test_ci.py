"""The GitHub Action and the pre-commit hooks, run as their hosts run them.

The Action's steps are run by a small runner of the same shell; pre-commit is the real one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from helpers import PREFIXES

from bilbaokg.cli.base import group

ROOT = Path(__file__).resolve().parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
PRE_COMMIT = "pre-commit==4.7.0"
GOOD = ":a a dcat:Dataset ; dct:title 'A'@es ; dct:description 'B'@es ; dcat:keyword '{}'@es ."
BAD = ":a a dcat:Dataset ; dct:title 'A'@es ."
# GitHub's words for `shell: bash`.
SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")

pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")


def run_action(
    folder: Path, steps: list[str], inputs: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run steps of the Action, by name, until one fails."""
    known = {name: str(given.get("default", "")) for name, given in ACTION["inputs"].items()}
    known |= inputs
    assert known["paths"], "the one required input"
    values = {f"inputs.{name}": value for name, value in known.items()}
    values |= {"github.action_path": str(ROOT), "runner.temp": str(folder / "temp")}
    done = None
    for step in (step for step in ACTION["runs"]["steps"] if step["name"] in steps):
        env = {
            name: re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda m: values[m[1]], text)
            for name, text in step["env"].items()
        }
        done = subprocess.run(
            [*SHELL, step["run"]], cwd=folder, env={**os.environ, **env},
            capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            break
    assert done is not None
    return done


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A checkout in which bilbaokg is installed where the Action looks for it."""
    place = tmp_path / "temp" / "bilbaokg" / "bin"
    place.mkdir(parents=True)
    program = place / "bilbaokg"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m bilbaokg "$@"\n')
    program.chmod(0o755)
    (tmp_path / "data").mkdir()
    return tmp_path


def write(file: Path, content: str) -> None:
    file.write_text(PREFIXES + content, encoding="utf-8")


def test_no_step_pastes_an_input_into_its_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"


@pytest.mark.peers
@pytest.mark.parametrize(
    ("content", "inputs", "code"),
    [
        (GOOD.format("aire"), {}, 0),
        (GOOD.format("a, b"), {}, 0),
        (GOOD.format("a, b"), {"fail-on": "warning"}, 1),
        (BAD, {}, 1),
        (BAD, {"fail-on": "never"}, 0),
        (BAD, {"lint": "false"}, 1),
        ("this is no Turtle", {}, 2),
    ],
)
def test_action_fails_as_its_inputs_say(
    workplace: Path, content: str, inputs: dict[str, str], code: int
) -> None:
    write(workplace / "data" / "a file.ttl", content)
    given = {"paths": "data/a file.ttl\n\n", **inputs}
    done = run_action(workplace, ["Validate and lint"], given)
    assert done.returncode == code, done.stdout + done.stderr
    if code < 2:
        linted = inputs.get("lint") != "false"
        names = {f"{verb}.{kind}" for verb in ("validate", "lint") for kind in ("sarif", "html")}
        wanted = names if linted else {"validate.sarif", "validate.html"}
        reports = workplace / "bilbaokg-reports"
        assert {file.name for file in reports.iterdir()} == wanted
        log = json.loads((reports / "validate.sarif").read_text("utf-8"))
        assert log["version"] == "2.1.0"


@pytest.mark.peers
def test_action_takes_folders_and_a_language(workplace: Path) -> None:
    write(workplace / "data" / "a.ttl", BAD)
    done = run_action(workplace, ["Validate and lint"], {"paths": "data", "language": "eu"})
    assert "ARGITALPENA BLOKEATZEN DU" in done.stdout


def test_hooks_are_commands_of_ours() -> None:
    for hook in HOOKS:
        program, verb = hook["entry"].split()
        assert program == "bilbaokg"
        assert verb in group.list_commands(click.Context(group))
        assert re.search(hook["files"], "data/a.ttl")
        assert not re.search(hook["files"], "data/a.csv")


# ---- the real ones, which install from the registry


@pytest.mark.peers
@pytest.mark.timeout(900)
def test_action_installs_itself(tmp_path: Path) -> None:
    write(tmp_path / "a.ttl", GOOD.format("aire"))
    given = {"paths": "a.ttl", "python": sys.executable}
    done = run_action(tmp_path, ["Install", "Validate and lint"], given)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "bilbaokg-reports" / "lint.html").is_file()


@pytest.fixture(scope="module")
def pre_commit(request: pytest.FixtureRequest) -> Path:
    """pre-commit in an environment of its own, kept between runs."""
    place = Path(request.config.cache.mkdir("pre-commit-peer")) / PRE_COMMIT
    program, done = place / "bin" / "pre-commit", place / "installed"
    if not done.is_file():
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        install = [place / "bin" / "python", "-m", "pip", "install", "--quiet", PRE_COMMIT]
        outcome = subprocess.run(install, capture_output=True, text=True)
        if outcome.returncode:
            pytest.skip(f"pre-commit cannot be installed here: {outcome.stderr.strip()[-200:]}")
        done.touch()
    return program


def git(folder: Path, *words: str) -> str:
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    done = subprocess.run(["git", *author, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def published(folder: Path) -> tuple[Path, str]:
    """What git has or would have of this repository, as a repository of one commit."""
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard")
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    return folder, git(folder, "rev-parse", "HEAD")


@pytest.mark.peers
@pytest.mark.timeout(900)
def test_hooks_stop_a_commit_of_bad_metadata(pre_commit: Path, tmp_path: Path) -> None:
    (tmp_path / "product").mkdir()
    product, revision = published(tmp_path / "product")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    hooks: list[dict[str, Any]] = [{"id": hook["id"]} for hook in HOOKS]
    hooks[1]["args"] = ["--fail-on", "warning"]
    config = {"repos": [{"repo": str(product), "rev": revision, "hooks": hooks}]}
    (scratch / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    git(scratch, "init", "--quiet")
    env = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home")}

    def check(content: str) -> subprocess.CompletedProcess[str]:
        write(scratch / "a.ttl", content)
        git(scratch, "add", "--all")
        words = [pre_commit, "run", "--all-files"]
        return subprocess.run(words, cwd=scratch, env=env, capture_output=True, text=True)

    done = check(GOOD.format("aire"))
    assert done.returncode == 0, done.stdout + done.stderr
    done = check(BAD)
    assert done.returncode == 1
    assert "dct:description" in done.stdout
    done = check(GOOD.format("a, b"))
    assert "keyword-characters" in done.stdout or "CKAN" in done.stdout
    assert done.returncode == 1
