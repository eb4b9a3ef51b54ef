"""Imports go down the layers of the architecture, and never round in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = "bilbaokg"
SOURCES = Path(__file__).resolve().parents[1] / "src" / PACKAGE

# A module may import those of its own layer and below. The modules of a package share its layer.
LAYERS = {
    name: layer
    for layer, names in enumerate(
        (
            "errors terms languages lazy",
            "model settings assets",
            "formats skolem sorting writing parsing partition queries profiles wording",
            "store workers shacl",
            "importers merging records planning holdings vetting adoption authority governance"
            " lineage review selection release removals exports gaps quality index accounts audit"
            " integrity material published changes lint fetching probing harvesting editing"
            " scratch rehearsal webhooks bundle elsewhere",
            "render reports workspace operations backups",
            "server",
            "checkup",
            "console terminal cli __main__",
        )
    )
    for name in names.split()
}

TYPE_CHECKS = ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def module_name(path: Path) -> str:
    """bilbaokg.store.embedded for store/embedded.py, bilbaokg.store for store/__init__.py."""
    parts = path.relative_to(SOURCES.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(SOURCES.rglob("*.py"))}
NAMES = {*MODULES, *(f"{PACKAGE}.{name}" for name in LAYERS)}


def noun(module: str) -> str:
    """The entry of LAYERS that a module belongs to; empty for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def imported(tree: ast.AST, module: str, is_package: bool, known: set[str]) -> Iterator[str]:
    """The modules of this package that a syntax tree imports, wherever the statement stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")
                parents = parents[: len(parents) - node.level + is_package]
                base = ".".join([*parents, *filter(None, [base])])
            inner = [f"{base}.{alias.name}" for alias in node.names]
            names = [name if name in known else base for name in inner]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == PACKAGE)


def imports_of(module: str) -> set[str]:
    path = MODULES[module]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return set(imported(tree, module, path.name == "__init__.py", NAMES))


def upward(module: str, imports: set[str]) -> list[str]:
    """The imports that a module must not have. The package itself is above all of its modules."""
    top = max(LAYERS.values()) + 1
    own = LAYERS.get(noun(module), top)
    return sorted(name for name in imports if LAYERS.get(noun(name), top) > own)


def cycle(imports: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("module", MODULES)
def test_module_is_listed_in_the_layers(module: str) -> None:
    assert module == PACKAGE or noun(module) in LAYERS, f"give {module} a place in LAYERS"


@pytest.mark.parametrize("module", MODULES)
def test_module_imports_only_its_layer_and_below(module: str) -> None:
    assert upward(module, imports_of(module)) == []


def test_modules_do_not_import_in_a_circle() -> None:
    assert cycle({name: imports_of(name) - {name} for name in MODULES if name != PACKAGE}) == []


def test_the_package_itself_imports_its_modules_lazily() -> None:
    tree = ast.parse((SOURCES / "__init__.py").read_text(encoding="utf-8"))
    at_once = [
        node
        for node in tree.body
        if not isinstance(node, ast.FunctionDef)
        and not (isinstance(node, ast.If) and ast.unparse(node.test) in TYPE_CHECKS)
    ]
    body = ast.Module(body=at_once, type_ignores=[])
    assert list(imported(body, PACKAGE, True, NAMES)) == []


@pytest.mark.parametrize("module", MODULES)
def test_module_has_a_docstring_and_all(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{module} does not say what it is for"
    targets = [
        ast.unparse(target)
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    assert "__all__" in targets or module.endswith("__main__"), f"{module} has no __all__"


# -- the checker itself --------------------------------------------------------------------------

KNOWN = {PACKAGE, "bilbaokg.terms", "bilbaokg.store", "bilbaokg.store.embedded", "bilbaokg.cli"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import bilbaokg.cli", ["bilbaokg.cli"]),
        ("from bilbaokg import cli", ["bilbaokg.cli"]),
        ("from bilbaokg import validate", ["bilbaokg"]),
        (
            "from bilbaokg.store import embedded, Store",
            ["bilbaokg.store.embedded", "bilbaokg.store"],
        ),
        ("from . import embedded", ["bilbaokg.store.embedded"]),
        ("from ..cli import main", ["bilbaokg.cli"]),
        ("def f():\n    from bilbaokg.cli import main", ["bilbaokg.cli"]),
        ("import json, bilbaokgx", []),
    ],
)
def test_checker_sees_imports(source: str, expected: list[str]) -> None:
    assert list(imported(ast.parse(source), "bilbaokg.store.remote", False, KNOWN)) == expected


def test_checker_sees_relative_imports_of_a_package() -> None:
    tree = ast.parse("from . import embedded\nfrom .. import terms")
    assert list(imported(tree, "bilbaokg.store", True, KNOWN)) == [
        "bilbaokg.store.embedded",
        "bilbaokg.terms",
    ]


def test_checker_refuses_what_goes_up() -> None:
    allowed = {"bilbaokg.store.embedded", "bilbaokg.terms"}
    assert upward("bilbaokg.workers", allowed) == []
    assert upward("bilbaokg.workers", {*allowed, "bilbaokg.cli", PACKAGE}) == [
        PACKAGE,
        "bilbaokg.cli",
    ]


def test_checker_finds_a_circle() -> None:
    assert cycle({"a": {"b"}, "b": {"c"}}) == []
    assert cycle({"a": {"b"}, "b": {"a"}})
