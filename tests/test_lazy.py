"""What is loaded only when it is used: light verbs start fast."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[1] / "src" / "bilbaokg"
LAZY = sorted(
    path.parent.name
    for path in SOURCES.glob("*/__init__.py")
    if "lazy.names_of" in path.read_text(encoding="utf-8")
)
HEAVY = {
    *("babel", "fastapi", "httpx", "jinja2", "owlrl", "prometheus_client", "pyshacl", "rapidfuzz"),
    *("rdflib", "rich", "sqlglot", "starlette", "uvicorn", "bilbaokg.exports.building"),
    *("bilbaokg.quality.assessment", "bilbaokg.shacl.checking", "bilbaokg.shacl.evaluation"),
}
LOADED = """
import sys
from bilbaokg.cli import main
try:
    main(sys.argv[1:])
except SystemExit as done:
    assert not done.code, done.code
print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "line",
    [
        "--version",
        "audit --help",
        "load --help",
        "query --help",
        "release --help",
        "search --help",
        "status --help",
        "token --help",
        "--data {data} init --base https://data.example --json",
        "--data {data} init --base https://data.example",
    ],
)
def test_light_verbs_load_nothing_heavy(line: str, tmp_path: Path) -> None:
    words = line.format(data=tmp_path / "data").split()
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words], capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.split())
    assert "bilbaokg.cli" in loaded
    assert loaded & HEAVY == set()


def under_type_checking(package: str) -> set[str]:
    tree = ast.parse((SOURCES / package / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.name
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("package", LAZY)
def test_lazy_names_are_those_that_a_type_checker_sees(package: str) -> None:
    module = importlib.import_module(f"bilbaokg.{package}")
    assert under_type_checking(package) == set(module.__all__)
    for name in module.__all__:
        home = SOURCES / package / f"{name}.py"
        assert not home.exists(), f"{name} is a module as well: importing it would hide the name"
        assert getattr(module, name) is not None


def test_a_lazy_package_knows_no_other_names() -> None:
    quality = importlib.import_module("bilbaokg.quality")
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = quality.nothing
