"""How fast is a catalogue imported, changed and released, and how much memory does it take?

    python benchmarks/load_and_release.py 10000 [--format nt|ttl|rdf] [--keep DIR]

Each step is the program itself in a process of its own (interpreter start, parsing, saving and
fsync included), on a data directory on disk. Beside it stand two plain baselines on the same file:
Oxigraph's own transactional `Store.load` on disk, without records, history or audit, and rdflib's
parser into memory. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from generate import DEFAULT_BASE, FORMATS, Catalogue
from measure import Measured, machine, run, table

__all__ = ["main", "prepare", "release"]

MIB: Final = 1 << 20


# ---- steps, each run in a process of its own: load_and_release.py --step NAME ARGUMENT...


def _operate(data: str, name: str, params: str) -> dict[str, Any]:
    from bilbaokg import settings
    from bilbaokg.operations import OPERATIONS
    from bilbaokg.workspace import Workspace

    with Workspace(Path(data), settings.read(Path(data))) as workspace:
        return OPERATIONS[name](workspace, json.loads(params), lambda *_: None)


def _open(data: str) -> dict[str, Any]:
    """Open what a server opens of the current release, and ask each once."""
    from bilbaokg import index, release, settings
    from bilbaokg.store.embedded import EmbeddedStore

    current = release.Releases(Path(data), settings.read(Path(data))).current()
    assert current
    store = EmbeddedStore.read_only(current.path / "store")
    counts = index.of(current, Path(data) / "cache").counts()
    return {"found": bool(store.query("ASK { ?s ?p ?o }")), "counts": counts}


def _oxigraph_load(file: str) -> dict[str, Any]:
    import pyoxigraph

    store = pyoxigraph.Store(str(Path(file).with_suffix(".store")))
    store.load(path=file)
    store.flush()
    return {"statements": len(store)}


def _rdflib_parse(file: str) -> dict[str, Any]:
    import rdflib

    return {"statements": len(rdflib.Graph().parse(file))}


STEPS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "operate": _operate,
    "open": _open,
    "oxigraph": _oxigraph_load,
    "rdflib": _rdflib_parse,
}


def _step(name: str, *arguments: str) -> Measured:
    return run([sys.executable, __file__, "--step", name, *arguments])


def _bilbaokg(data: Path, *arguments: str) -> Measured:
    return run([sys.executable, "-m", "bilbaokg", "--data", str(data), "--json", *arguments])


# ---- the measurement


def prepare(folder: Path, datasets: int, *, change: float = 0.0, format: str = "nt") -> Path:
    """Write a generated catalogue into a folder and return its path."""
    path = folder / f"catalogue-{datasets}-{change:g}.{format}"
    with path.open("w", encoding="utf-8", newline="\n") as out:
        Catalogue(datasets, change=change).write(out, format)
    return path


def release(folder: Path, datasets: int) -> Path:
    """A data directory with a published release of a generated catalogue."""
    data = folder / "data"
    _bilbaokg(data, "init", "--base", DEFAULT_BASE)
    _bilbaokg(data, "load", "--source", "benchmark", str(prepare(folder, datasets)))
    _step("operate", str(data), "release.build", json.dumps({"unchecked": True}))
    _bilbaokg(data, "release", "publish")
    return data


def measure(folder: Path, datasets: int, format: str) -> list[tuple[str, int, Measured]]:
    """All steps in order: name, statements that it is about, figures."""
    first, second = (prepare(folder, datasets, change=c, format=format) for c in (0.0, 1.0))
    data = folder / "data"
    load = ("load", "--source", "benchmark")
    _bilbaokg(data, "init", "--base", DEFAULT_BASE)
    imported = _bilbaokg(data, *load, str(first))
    statements = json.loads(imported.output)["statements"]["distinct"]
    unchecked = json.dumps({"unchecked": True})
    return [
        ("import, all new", statements, imported),
        ("the same again, nothing changed", statements, _bilbaokg(data, *load, str(first))),
        ("import, every dataset changed", statements, _bilbaokg(data, *load, str(second))),
        (
            "release build, without validation",
            statements,
            _step("operate", str(data), "release.build", unchecked),
        ),
        ("release publish", statements, _bilbaokg(data, "release", "publish")),
        ("open the release", statements, _step("open", str(data))),
        ("baseline: pyoxigraph Store.load on disk", statements, _step("oxigraph", str(first))),
        ("baseline: rdflib parse into memory", statements, _step("rdflib", str(first))),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("datasets", type=int, nargs="?", default=10_000)
    parser.add_argument("--format", choices=sorted(FORMATS), default="nt")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the data directory here")
    options = parser.parse_args()
    before = machine()
    with tempfile.TemporaryDirectory(prefix="bilbaokg-benchmark-") as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows = measure(folder, options.datasets, options.format)
    size = f"{options.datasets:,} datasets, {rows[0][1]:,} statements in {options.format}"
    print(f"{size}. {before}\n")
    print(
        table(
            ["step", "wall s", "CPU s", "statements/s (wall)", "peak MiB"],
            [
                (
                    name,
                    f"{m.wall:.1f}",
                    f"{m.cpu:.1f}",
                    f"{statements / m.wall:,.0f}",
                    f"{m.memory / MIB:,.0f}",
                )
                for name, statements, m in rows
            ],
        )
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        print(json.dumps(STEPS[sys.argv[2]](*sys.argv[3:])))
    else:
        main()
